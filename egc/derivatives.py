"""Derivatives of functions, as functions: gradients, Jacobians, tangents and cotangents, and functions mapped over an axis.

Each takes a NumPy function and gives a function object as `egc.optimize` does. It runs with NumPy; `egc.optimize` of it
compiles it, value and derivatives in one search. Of an optimized function they take its backend, rules and other
options. They compose in any order.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from egc.custom import custom_derivative
from egc.dispatch import Optimized
from egc.errors import NotEncodable, ProgramError
from egc.mapped import copied, row_by_row
from egc.options import Options
from egc.sparse import SparseDerivative
from egc.transformed import MEMORY, Transformed, loop_options

PLAIN = Options("reference", [], "real", {}, False)
"""How a derivative runs that is not optimized: by NumPy, op by op."""


def _as_written(transformed: Transformed, positional: Sequence[Any], named: Mapping[str, Any]) -> Any:
    """Raises why there is no program for these arguments: the function's own error, else what capture says. What is mapped runs row
    by row."""
    if transformed.kind == "vmap":
        return row_by_row(transformed, positional, named)
    reason: Exception = NotEncodable(
        f"this call of {transformed.__name__}", "for these values the function runs as written, which has no derivative"
    )
    try:
        Optimized(transformed, PLAIN).plan(*positional, **named)
    except NotEncodable:
        raise
    except Exception as error:
        reason = error
    function, given = transformed.function, copied((tuple(positional), dict(named)))
    while isinstance(function, Transformed) and function.kind in OF_ARGUMENTS:
        function = function.function
    if transformed.kind in OF_ARGUMENTS:
        function(*given[0], **given[1])
    elif transformed.kind == "products":
        function(*given[0][1:], **given[1])
    else:
        function(*transformed.__signature__.bind(*given[0], **given[1]).arguments["primals"])
    raise reason


OF_ARGUMENTS = ("grad", "value_and_grad", "jacobian", "hessian")
"""Transformations whose arguments are those of the function."""


def _expected(given: Transformed, positional: Sequence[Any], named: Mapping[str, Any]) -> Any:
    """The results by NumPy, of loops whose states are stored: what loops that run backward by their reverse must equal."""
    stored = Transformed(given.kind, given.function, {**given.options, "method": "stored"}, _as_written)
    return Optimized(stored, PLAIN)(*positional, **named)


def transformed(kind: str, function: Callable[..., Any], **options: Any) -> Optimized:
    """A transformed function with the options of the function, where that is an optimized one."""
    plain = getattr(function, "__egc_plain__", function)
    given = function.options if isinstance(function, Optimized) else PLAIN
    if not callable(plain):
        raise TypeError(f"{kind} is of functions, not of {type(plain).__name__}")
    return Optimized(Transformed(kind, plain, options, _as_written, _expected), given)


def grad(
    fn: Callable[..., Any],
    argnums: int | str | Sequence[int | str] = 0,
    *,
    has_aux: bool = False,
    holomorphic: bool = False,
    reverse: str = "auto",
    memory: int = MEMORY,
) -> Any:
    """The gradient of a real scalar function.

    fn: a function of NumPy arrays and numbers, in containers or not, that returns one floating scalar; with `has_aux`, that and
        anything else, which is returned beside the gradient.
    argnums: position or name of the argument; several in a tuple give a tuple of gradients. A gradient has the form and
        shape of its argument. Of a complex argument x + iy it is d/dx - i d/dy, as in JAX. None in an argument stays None.
    reverse: how loops run backward. "stored" keeps what each iteration needs, "checkpoints" some states from which the
        rest is computed again, "reversible" nothing but the last state, where the loop has a reverse; "auto" chooses by memory.
        A reverse takes off integers exactly, but floating numbers up to a rounding error in each iteration, which the loop may
        enlarge; "compensated" carries the rounding errors of sums beside the states, so that the way back finds the numbers
        that were to the last bit, wherever what is added rounds as it did before. Its value is that of the compensated
        sums. `explain(...).backward` tells the method, its memory and its drift; loops without such a reverse are stored.
    memory: bytes that a loop may store before "auto" takes checkpoints. Of a loop that ends by data, checkpoints reach 16
        million iterations, fewer where the memory has room for less than 1024 states, and 4,096 at least; the gradient
        through more is nan.
    holomorphic: the result is complex, and the function has a complex derivative, which is taken.

    Where a function has no derivative: equal extremes share it (max, min, maximum, sort by its order), absolute and
    sign have 0 at 0, jumps have 0. Raises NotDifferentiable, with the source line, for what has none that is known, and
    NotEncodable for what egc cannot capture.

    >>> import numpy as np
    >>> grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    return transformed(
        "grad", fn, argnums=argnums, has_aux=has_aux, holomorphic=holomorphic, **loop_options(reverse, memory)
    )  # fmt: skip


def value_and_grad(
    fn: Callable[..., Any],
    argnums: int | str | Sequence[int | str] = 0,
    *,
    has_aux: bool = False,
    holomorphic: bool = False,
    reverse: str = "auto",
    memory: int = MEMORY,
) -> Any:
    """The function's value and its gradient: see `grad`.

    >>> import numpy as np
    >>> value, gradient = value_and_grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    >>> float(value), gradient
    (5.0, array([2., 4.]))
    """
    return transformed(
        "value_and_grad", fn, argnums=argnums, has_aux=has_aux, holomorphic=holomorphic, **loop_options(reverse, memory)
    )  # fmt: skip


_kept = functools.lru_cache(maxsize=256)(transformed)


def _cached(kind: str, function: Callable[..., Any], **options: Any) -> Optimized:
    """The transformed function, made once for each function; one that has no hash is made anew."""
    try:
        hash(function)
    except TypeError:
        return transformed(kind, function, **options)
    return _kept(kind, function, **options)


def jvp(fn: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value at `primals`, the function's arguments, and how it changes along `tangents`: arrays of the same shapes.

    >>> import numpy as np
    >>> value, change = jvp(np.sin, (0.0,), (2.0,))
    >>> float(value), float(change)
    (0.0, 2.0)
    """
    found: tuple[Any, Any] = _cached("jvp", fn)(tuple(primals), tuple(tangents))
    return found


def vjp(
    fn: Callable[..., Any], *primals: Any, reverse: str = "auto", memory: int = MEMORY
) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """The value, and a function that takes a cotangent of its form and shape to those of the arguments, in a tuple.

    The arguments are as they are now: later writes into them, and those of the function itself, do not count. `reverse`
    and `memory` say how loops run backward, as for `grad`.

    >>> import numpy as np
    >>> value, pull = vjp(lambda x, y: x * y, 2.0, 3.0)
    >>> [float(each) for each in pull(1.0)]
    [3.0, 2.0]
    """
    pull = _cached("pullback", fn, **loop_options(reverse, memory))
    plain = getattr(fn, "__egc_plain__", fn)
    kept = copied(primals)
    value = (fn if isinstance(fn, Optimized) else plain)(*copied(primals))
    return value, lambda cotangents: pull(kept, cotangents)


def jacobian(
    fn: Callable[..., Any],
    argnums: int | str | Sequence[int | str] = 0,
    *,
    mode: str = "auto",
    has_aux: bool = False,
    holomorphic: bool = False,
    sparse: bool = False,
    reverse: str = "auto",
    memory: int = MEMORY,
) -> Any:
    """The Jacobian: for a result of shape s and an argument of shape t, an array of shape s + t.

    mode: "forward" pushes one tangent for each element of the argument through, "reverse" pulls one cotangent for each
        element of the result back; "auto" takes the fewer. The other arguments are those of `grad`.
    A real result of a complex argument has a row of its gradient (see `grad`) for each element, and a complex result of a
    real argument its derivative; where both are complex, the function must be `holomorphic`.
    sparse: a `scipy.sparse.csr_array` with a row for each element of the result and a column for each of the one
        argument, from as few products as its pattern (`egc.sparsity`) allows; nothing dense is made.

    >>> import numpy as np
    >>> jacobian(lambda x: x**2)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    if mode not in ("auto", "forward", "reverse"):
        raise ProgramError(f"mode is auto, forward or reverse, not {mode!r}")
    if sparse:
        if has_aux:
            raise ProgramError("a sparse Jacobian has no auxiliary results")
        return _sparse(1, fn, argnums, mode, reverse, memory)
    return transformed(
        "jacobian", fn, argnums=argnums, mode=mode, has_aux=has_aux, holomorphic=holomorphic, **loop_options(reverse, memory)
    )  # fmt: skip


def hessian(
    fn: Callable[..., Any],
    argnums: int | str | Sequence[int | str] = 0,
    *,
    holomorphic: bool = False,
    sparse: bool = False,
    reverse: str = "auto",
    memory: int = MEMORY,
) -> Any:
    """The second derivatives of a real scalar function: the Jacobian of its gradient, tangents through cotangents.

    The arguments are those of `jacobian`.

    >>> import numpy as np
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 3.0]))
    array([[6., 2.],
           [2., 0.]])
    """
    if sparse:
        return _sparse(2, fn, argnums, "forward", reverse, memory)
    return transformed("hessian", fn, argnums=argnums, holomorphic=holomorphic, **loop_options(reverse, memory))


def _sparse(order: int, fn: Callable[..., Any], argnums: Any, mode: str, reverse: str, memory: int) -> SparseDerivative:
    """The sparse derivative, by products of seeds with the Jacobian of the function, or of its gradient."""
    if isinstance(argnums, (tuple, list)):
        raise ProgramError("a sparse derivative is with respect to one argument")
    plain = getattr(fn, "__egc_plain__", fn)
    loops = loop_options(reverse, memory)
    function = Transformed("grad", plain, {"argnums": argnums, **loops}) if order == 2 else plain
    ways = {
        name: Transformed("products", function, {"argnums": argnums, "mode": name, **loops}, _as_written, _expected)
        for name in ("forward", "reverse")
    }
    return SparseDerivative(order, plain, argnums, mode, ways, fn.options if isinstance(fn, Optimized) else PLAIN)


def hvp(
    fn: Callable[..., Any],
    primals: Sequence[Any],
    tangents: Sequence[Any],
    *,
    reverse: str = "auto",
    memory: int = MEMORY,
) -> Any:
    """The Hessian of a real scalar function of one argument times a vector: how its gradient changes along `tangents`.

    `reverse` and `memory` say how loops run backward, as for `grad`.

    >>> import numpy as np
    >>> hvp(lambda x: np.sum(x**3), (np.array([1.0, 2.0]),), (np.array([1.0, 0.0]),))
    array([6., 0.])
    """
    return jvp(_cached("grad", fn, **loop_options(reverse, memory)), primals, tangents)[1]


def vmap(fn: Callable[..., Any], in_axes: Any = 0, out_axes: int = 0) -> Any:
    """The function for each row of its arguments.

    in_axes: the axis that is mapped over, one number, or one for each argument, None for those that are the same for all
        rows; for an argument that is a container, one for all of it or a container of the same form.
    out_axes: where the results have it, in the same way.
    A function that egc cannot capture runs row by row.

    >>> import numpy as np
    >>> vmap(lambda x, y: x @ y, in_axes=(0, None))(np.ones((2, 3)), np.ones(3))
    array([3., 3.])
    """
    return transformed("vmap", fn, in_axes=in_axes, out_axes=out_axes)


__all__ = [
    "custom_derivative",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "transformed",
    "value_and_grad",
    "vjp",
    "vmap",
]
