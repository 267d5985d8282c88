"""What a rule is: the function that a rule file defines, and the pairs of Nodes that tracing it gives.

A rule file calls `rule`, `equation`, `require` and the predicates below; all are also front-door names of egc.
A rule's function runs on arrays as well as on traced values: `require` then checks the arrays at hand.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from egc.errors import Line, RuleError, VerificationError
from egc.ir import Node

PRECISIONS = ("exact", "real", "finite", "approx")
"""From the strictest to the laxest; `optimize(precision=p)` uses the classes up to and including p."""

DTYPES = ("float", "inexact", "integer", "number", "bool", "any")
"""The operand dtypes a rule may match: floating, floating or complex, integer, all but bool, bool, all."""


HAZARDS = ("overflow", "cancellation")
"""How an expression can lose values: an intermediate that leaves the range of numbers, or digits that cancel."""


class Axes:
    """Annotation: a nonempty, sorted tuple of axes of the rule's arrays."""


class Scalar:
    """Annotation: an operand of rank 0."""


class Vector:
    """Annotation: an operand of rank 1."""


class Matrix:
    """Annotation: an operand of rank 2 with sizes of its own."""


class SquareMatrix:
    """Annotation: an operand of rank 2 with two equal sizes; all square matrices of a rule have the same size."""


class Constant:
    """Annotation: a number that stands in the program as a literal."""


class Bool:
    """Annotation: a bool operand of the same shape as the rule's arrays."""


class Index:
    """Annotation: an integer in an index, or a length of a slice; what is indexed has such an element or slice."""


ANNOTATIONS: Mapping[str, type] = {
    kind.__name__: kind for kind in (Axes, Scalar, Vector, Matrix, SquareMatrix, Constant, Bool, Index)
}


@dataclass(frozen=True)
class Rule:
    """A rule as its author wrote it; its docstring states the law.

    stabilizes: one of HAZARDS that the left side suffers from and the right side does not: a Program with the right side is
    preferred whatever it costs.
    of_loops: whether it is an instance of a law of loops, see `loop_rule`.
    """

    function: Callable[..., tuple[Any, Any]]
    name: str
    file: str
    line: int
    precision: str = "real"
    dtypes: str = "float"
    both_ways: bool = False
    error_bound: float | None = None
    stabilizes: str | None = None
    of_loops: bool = False

    @cached_property
    def parameters(self) -> dict[str, type | None]:
        """The annotation of each parameter; None for a plain array."""
        found: dict[str, type | None] = {}
        for name, parameter in inspect.signature(self.function).parameters.items():
            kind = parameter.annotation
            if isinstance(kind, str):
                kind = ANNOTATIONS.get(kind, kind)
            if kind is inspect.Parameter.empty:
                found[name] = None
            elif kind in ANNOTATIONS.values():
                found[name] = kind
            else:
                raise RuleError(f"rule {self.name}: no annotation {kind!r}", self.place)
        return found

    @property
    def place(self) -> Line:
        return Line(self.file, self.line)

    def __call__(self, *operands: Any) -> tuple[Any, Any]:
        return self.function(*operands)


@dataclass(frozen=True)
class Condition:
    """`predicate` holds for `operand`. `spares`: where it holds, the left side loses nothing (see `unless`)."""

    predicate: str
    operand: Node
    spares: bool = False

    def __bool__(self) -> bool:
        raise TypeError(f"{self.predicate} is a condition for require(), not a truth value")


@dataclass(frozen=True)
class Rewrite:
    """A rule traced at one choice of ranks and axes: `left` may be replaced by `right`.

    `variables` are the `input` Nodes that stand for arbitrary terms, under the names of the rule's parameters.
    A variable whose name is in `constants` stands for a literal. In a `generic` rewrite every array has one shape, which
    may be of any rank; otherwise ranks are as traced and each size symbol stands for any size.
    """

    rule: Rule
    left: Node
    right: Node
    variables: tuple[Node, ...]
    constants: frozenset[str]
    conditions: tuple[Condition, ...]
    generic: bool
    spared: tuple[Condition, ...] = ()

    @property
    def identifier(self) -> str:
        return self.rule.name


def _decorate(
    function: Any,
    both_ways: bool,
    stabilizes: str | None,
    precision: str,
    dtypes: str,
    bound: float | None,
    of_loops: bool = False,
) -> Any:
    def build(function: Callable[..., Any]) -> Rule:
        code = getattr(function, "__code__", None)
        if code is None:
            raise RuleError("a rule is a Python function that returns two expressions")
        place = Line(code.co_filename, code.co_firstlineno)
        name = function.__name__
        if name == "<lambda>":
            raise RuleError("a rule needs a name; write it with def", place)
        if precision not in PRECISIONS:
            raise RuleError(f"rule {name}: precision is one of {', '.join(PRECISIONS)}", place)
        if dtypes not in DTYPES:
            raise RuleError(f"rule {name}: dtypes is one of {', '.join(DTYPES)}", place)
        if (precision == "approx") != (bound is not None):
            raise RuleError(f"rule {name}: approx rules, and only they, state an error_bound", place)
        if stabilizes is not None and stabilizes not in HAZARDS:
            raise RuleError(f"rule {name}: stabilizes is one of {', '.join(HAZARDS)}", place)
        made = Rule(function, name, place.file, place.number, precision, dtypes, both_ways, bound, stabilizes, of_loops)
        _ = made.parameters
        return made

    return build if function is None else build(function)


def rule(
    function: Any = None,
    *,
    precision: str = "real",
    dtypes: str = "float",
    error_bound: float | None = None,
    stabilizes: str | None = None,
) -> Any:
    """Makes a rule of a function that returns `(left, right)`, two NumPy expressions equal for all arguments.

    precision: `exact`, `real`, `finite` or `approx` (with `error_bound`, relative).
    dtypes: which operands it may match, one of `DTYPES`.
    stabilizes: "overflow" or "cancellation", where the left side loses values by it that the right side keeps: the right
        side is then taken whatever it costs. `unless` states when the left side loses nothing.
    Raises RuleError, with file and line, for a rule without a name or with unknown options.

    >>> import numpy as np
    >>> @rule
    ... def log_of_exp(x):
    ...     return np.log(np.exp(x)), x
    >>> log_of_exp.name, log_of_exp.precision
    ('log_of_exp', 'real')
    """
    return _decorate(function, False, stabilizes, precision, dtypes, error_bound)


def equation(
    function: Any = None, *, precision: str = "real", dtypes: str = "float", error_bound: float | None = None
) -> Any:
    """Like `rule`, for use in both directions."""
    return _decorate(function, True, None, precision, dtypes, error_bound)


def loop_rule(function: Any = None, *, precision: str = "real", dtypes: str = "float") -> Any:
    """States a law of loops by one instance: a function that returns what a loop gives, and the same without it.

    The law itself speaks of loops of any number of iterations, states and dimensions; `egc.transforms` knows it by the
    function's name. `require` states what its instance needs.

    >>> @loop_rule
    ... def accumulation_is_reduction(s: Scalar, x: Vector):
    ...     total = s
    ...     for i in range(len(x)):
    ...         total = total + x[i]
    ...     return total, s + np.sum(x)
    >>> accumulation_is_reduction(1.0, np.array([2.0, 3.0]))
    (np.float64(6.0), np.float64(6.0))
    """
    return _decorate(function, False, None, precision, dtypes, None, of_loops=True)


class Unmet(Exception):
    """Raised by `require` when the arrays at hand do not meet a rule's conditions."""


_recorder: ContextVar[list[Condition] | None] = ContextVar("egc_rule_conditions", default=None)


def recording(conditions: list[Condition]) -> Any:
    """Collects the conditions of a rule that is being traced into a list; returns the token for `stop_recording`."""
    return _recorder.set(conditions)


def stop_recording(token: Any) -> None:
    _recorder.reset(token)


def require(*conditions: Any) -> None:
    """States what a rule needs. Outside of tracing, raises Unmet when a condition does not hold."""
    recorder = _recorder.get()
    for condition in conditions:
        if isinstance(condition, Condition) and recorder is not None:
            recorder.append(condition)
        elif not np.all(condition):
            raise Unmet("a required condition does not hold")


def unless(*conditions: Any) -> None:
    """States when the left side of a stabilizing rule loses nothing, and need not be avoided."""
    recorder = _recorder.get()
    if recorder is not None:
        recorder.extend(replace(c, spares=True) for c in conditions if isinstance(c, Condition))


def _one_hot(x: np.ndarray) -> Any:
    return bool(np.all((x == 0) | (x == 1)) and np.all(np.sum(x, axis=1) == 1))


PREDICATES: dict[str, Callable[[np.ndarray], Any]] = {
    "positive": lambda x: np.all(x > 0),
    "nonnegative": lambda x: np.all(x >= 0),
    "negative": lambda x: np.all(x < 0),
    "nonpositive": lambda x: np.all(x <= 0),
    "nonzero": lambda x: np.all(x != 0),
    "finite": lambda x: np.all(np.isfinite(x)),
    "integral": lambda x: np.all(np.floor(x) == x),
    "not_nan": lambda x: not np.any(np.isnan(x)),
    "at_least_one": lambda x: np.all(x >= 1),
    "at_most_one": lambda x: np.all(x <= 1),
    "nonempty": lambda x: x.size > 0,
    "invariant": lambda x: True,
    "total": lambda x: True,
    "peaks_at_zero": lambda x: x.size > 0 and np.max(x) == 0,
    "symmetric": lambda x: np.array_equal(x, np.swapaxes(x, 0, 1)),
    "antisymmetric": lambda x: np.array_equal(x, -np.swapaxes(x, 0, 1)),
    "diagonal": lambda x: np.array_equal(x, np.diag(np.diag(x))),
    "lower_triangular": lambda x: np.array_equal(x, np.tril(x)),
    "upper_triangular": lambda x: np.array_equal(x, np.triu(x)),
    "spd": lambda x: np.allclose(x, x.T) and bool(np.all(np.linalg.eigvalsh(x) > 0)),
    "orthogonal": lambda x: np.allclose(x.T @ x, np.eye(len(x)), atol=1e-6),
    "nonsingular": lambda x: bool(np.linalg.matrix_rank(x) == len(x)),
    "hermitian": lambda x: np.array_equal(x, x.T.conj()),
    "unitary": lambda x: np.allclose(x.T.conj() @ x, np.eye(len(x)), atol=1e-6),
    "psd": lambda x: np.allclose(x, x.T.conj()) and bool(np.all(np.linalg.eigvalsh(x) >= -1e-6 * np.trace(x).real)),
    "tridiagonal": lambda x: np.array_equal(x, np.triu(np.tril(x, 1), -1)),
    "pentadiagonal": lambda x: np.array_equal(x, np.triu(np.tril(x, 2), -2)),
    "upper_hessenberg": lambda x: np.array_equal(x, np.triu(x, -1)),
    "lower_hessenberg": lambda x: np.array_equal(x, np.tril(x, 1)),
    "two_below": lambda x: np.array_equal(x, np.triu(x, -2)),
    "two_above": lambda x: np.array_equal(x, np.tril(x, 2)),
    "unit_diagonal": lambda x: np.all(np.diag(x) == 1),
    "positive_diagonal": lambda x: np.all(np.diag(x) > 0),
    "permutation": lambda x: _one_hot(x) and _one_hot(x.T),
    "one_hot": lambda x: _one_hot(x),
    "identity": lambda x: np.array_equal(x, np.eye(len(x))),
    "zero": lambda x: not np.any(x),
    "full_column_rank": lambda x: bool(np.linalg.matrix_rank(x) == x.shape[1]),
    "full_row_rank": lambda x: bool(np.linalg.matrix_rank(x) == x.shape[0]),
    "equal_rows": lambda x: x.ndim == 2 and np.all(x == x[:1]),
    "equal_columns": lambda x: x.ndim == 2 and np.all(x == x[:, :1]),
    "thin": lambda x: x.shape[0] >= 2 * x.shape[1],
}
"""What a rule can require of an operand, and a user can assume of an argument; each with its check on an array."""

SQUARE = frozenset(
    """symmetric antisymmetric diagonal spd psd orthogonal nonsingular hermitian unitary tridiagonal pentadiagonal
       permutation identity lower_triangular upper_triangular""".split()
)
"""The facts that square matrices have, and only seldom others."""


_checking: ContextVar[bool] = ContextVar("egc_checking_assumptions", default=False)


@contextmanager
def checking_assumptions() -> Iterator[None]:
    """What is assumed while a function runs as written is checked."""
    token = _checking.set(True)
    try:
        yield
    finally:
        _checking.reset(token)


def check_assumption(value: Any, facts: Iterable[str], where: str, always: bool = False) -> None:
    """Raises VerificationError for a fact that an array does not have; inside of `checking_assumptions`, or `always`."""
    for fact in facts if always or _checking.get() else ():
        try:
            holds = bool(np.all(PREDICATES[fact](np.asarray(value))))
        except (IndexError, ValueError, TypeError, np.linalg.LinAlgError):
            holds = False
        if not holds:
            raise VerificationError(f"{where} is not {fact.replace('_', ' ')}, as is assumed")


def predicate(name: str) -> Callable[[Any], Any]:
    def holds(operand: Any) -> Any:
        node = getattr(operand, "node", None)
        return Condition(name, node) if isinstance(node, Node) else PREDICATES[name](np.asarray(operand))

    holds.__name__ = holds.__qualname__ = name
    holds.__doc__ = f"Whether the operand is {name.replace('_', ' ')}: a condition for `require`."
    return holds


positive, nonnegative, negative, nonpositive = map(predicate, ("positive", "nonnegative", "negative", "nonpositive"))
nonzero, finite, integral, not_nan = map(predicate, ("nonzero", "finite", "integral", "not_nan"))
at_least_one, at_most_one, nonempty = map(predicate, ("at_least_one", "at_most_one", "nonempty"))
symmetric, diagonal, spd, orthogonal = map(predicate, ("symmetric", "diagonal", "spd", "orthogonal"))
antisymmetric = predicate("antisymmetric")
lower_triangular, upper_triangular = map(predicate, ("lower_triangular", "upper_triangular"))
nonsingular, peaks_at_zero = map(predicate, ("nonsingular", "peaks_at_zero"))
hermitian, unitary, psd, tridiagonal = map(predicate, ("hermitian", "unitary", "psd", "tridiagonal"))
pentadiagonal, two_below, two_above = map(predicate, ("pentadiagonal", "two_below", "two_above"))
upper_hessenberg, lower_hessenberg = map(predicate, ("upper_hessenberg", "lower_hessenberg"))
unit_diagonal, positive_diagonal = map(predicate, ("unit_diagonal", "positive_diagonal"))
permutation, one_hot, identity, zero = map(predicate, ("permutation", "one_hot", "identity", "zero"))
full_column_rank, full_row_rank, thin = map(predicate, ("full_column_rank", "full_row_rank", "thin"))
equal_rows, equal_columns = map(predicate, ("equal_rows", "equal_columns"))
invariant, total = map(predicate, ("invariant", "total"))
