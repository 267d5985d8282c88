"""egc: an optimizing compiler for numerical Python.

>>> import numpy as np, egc
>>> @egc.optimize
... def log_sum(x):
...     return np.log(np.sum(np.exp(x)))
>>> float(log_sum(np.array([1000.0, 1000.0])))  # the plain function gives inf
1000.6931471805599
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from egc.errors import (
    BackendError,
    EgcError,
    InternalError,
    Line,
    NotDifferentiable,
    NotEncodable,
    OperandTypeError,
    ProgramError,
    RuleError,
    SaturationError,
    ShapeError,
    VerificationError,
)
from egc.flow import cond, do_while, elementwise_cond, fori_loop, loop, scan, while_loop
from egc.rewrite import (
    Axes,
    Bool,
    Constant,
    Index,
    Matrix,
    Scalar,
    SquareMatrix,
    Vector,
    antisymmetric,
    at_least_one,
    at_most_one,
    diagonal,
    equal_columns,
    equal_rows,
    equation,
    finite,
    full_column_rank,
    full_row_rank,
    hermitian,
    identity,
    integral,
    invariant,
    loop_rule,
    lower_hessenberg,
    lower_triangular,
    negative,
    nonempty,
    nonnegative,
    nonpositive,
    nonsingular,
    nonzero,
    not_nan,
    one_hot,
    orthogonal,
    peaks_at_zero,
    pentadiagonal,
    permutation,
    positive,
    positive_diagonal,
    psd,
    require,
    rule,
    spd,
    symmetric,
    thin,
    total,
    tridiagonal,
    two_above,
    two_below,
    unit_diagonal,
    unitary,
    unless,
    upper_hessenberg,
    upper_triangular,
    zero,
)
from egc.spec import Spec, spec

__version__ = "0.1.0"


def optimize(
    fn: Callable[..., Any] | None = None,
    *,
    backend: str | None = None,
    rules: Any = None,
    precision: str = "real",
    assume: Mapping[str, Sequence[str] | str] | None = None,
    verify: bool = False,
) -> Any:
    """The function made faster: same arguments, same results, compiled from the cheapest equal program.

    fn: a function of NumPy arrays and numbers, in containers or not. Without it, a decorator is returned.
    backend: "numba", "jax", "reference" or a registered name. By default EGC_BACKEND, then the option file, then numba.
    rules: names of rule libraries, modules, paths of rule files, or rules, in a list; `[]` switches the search off. A dict
        gives such lists for parts of the function marked with `egc.scope`; its key None is the whole function.
    precision: the laxest class of rules that may be used: "exact", "real" (the default), "finite" or "approx".
    assume: facts about parameters, such as `{"A": "spd"}`, which rules may rely on.
    verify: compare the first results with the plain function's, and raise VerificationError on a difference or where what is
        assumed does not hold.

    Each dtype, rank and set of axes of length 1 is compiled once; new sizes do not compile again on numba. What cannot be
    encoded runs as written; `.explain(*args)` says why. Bad arguments raise what the plain function raises.
    Raises ProgramError for a wrong option, RuleError for a broken rule file, BackendError for an unknown backend.

    >>> import numpy as np
    >>> area = optimize(lambda r: np.pi * r**2)
    >>> area(np.array([1.0, 2.0])).round(3)
    array([ 3.142, 12.566])
    """
    from egc.dispatch import Optimized
    from egc.options import Options

    facts = {name: (given,) if isinstance(given, str) else tuple(given) for name, given in (assume or {}).items()}
    options = Options(backend, rules, precision, facts, verify)
    if fn is None:
        return lambda function: Optimized(function, options)
    if hasattr(fn, "with_options"):
        return fn.with_options(options)
    return Optimized(getattr(fn, "__egc_plain__", fn), options)


def explain(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What `optimize` does to a function for these arguments, and why: an Explanation.

    Arguments may be Specs. An optimized function is explained with its own options.

    >>> import numpy as np
    >>> explain(lambda x: np.log(np.exp(x)), spec("f64[100]")).steps[0].rule
    'log_of_exp'
    """
    optimized: Any = fn if hasattr(fn, "__egc_plain__") else optimize(fn)
    return optimized.explain(*args, **kwargs)


LAZY = {
    **dict.fromkeys("custom_derivative grad hessian hvp jacobian jvp value_and_grad vjp vmap".split(), "derivatives"),
    **dict.fromkeys("Interval interval".split(), "interpreted"),
    **dict.fromkeys("Uncertain propagate".split(), "propagation"),
    "check_grads": "gradient_check",
    **dict.fromkeys("sparse_hessian sparse_jacobian sparsity".split(), "sparse"),
    "Explanation": "explanation",
}
"""Names that come from modules which load the rest of the compiler."""


def __getattr__(name: str) -> Any:
    """`egc.scope`, `egc.assume`, `egc.grad` and others load capture and the rest of the compiler on first use."""
    if name in LAZY:
        return getattr(importlib.import_module(f"egc.{LAZY[name]}"), name)
    if name in ("scope", "assume"):
        from egc.capture import scopes

        return scopes.Scope if name == "scope" else scopes.assume
    raise AttributeError(f"module 'egc' has no attribute {name!r}")


__all__ = [
    "Axes", "BackendError", "Bool", "Constant", "EgcError", "Index", "InternalError", "Line", "Matrix",
    "NotDifferentiable", "NotEncodable", "OperandTypeError", "ProgramError", "RuleError", "SaturationError", "Scalar", "ShapeError",
    "Spec", "SquareMatrix", "Vector", "VerificationError", "antisymmetric", "at_least_one", "at_most_one", "cond", "diagonal",
    "do_while", "elementwise_cond", "equal_columns", "equal_rows", "equation", "explain", "finite", "fori_loop",
    "full_column_rank", "full_row_rank", "hermitian",
    "identity", "integral", "invariant", "loop", "loop_rule", "lower_hessenberg", "lower_triangular", "negative", "nonempty",
    "nonnegative", "nonpositive", "nonsingular", "nonzero", "not_nan", "one_hot", "optimize", "orthogonal",
    "peaks_at_zero", "pentadiagonal", "permutation", "positive", "positive_diagonal", "psd", "require", "rule", "scan", "spd",
    "spec", "symmetric", "thin", "total", "tridiagonal", "two_above", "two_below", "unit_diagonal", "unitary", "unless",
    "upper_hessenberg", "upper_triangular", "while_loop", "zero",
]  # fmt: skip
