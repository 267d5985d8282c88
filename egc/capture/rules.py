"""Traces rules: a rule's function, run on traced operands, gives the two sides as Nodes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from egc import ir, rewrite, sizes
from egc.capture import indexing as indexing
from egc.capture import scopes as scopes
from egc.capture import selections as selections
from egc.capture import surface as surface
from egc.capture.array import Array, to_node
from egc.capture.called import tracing
from egc.capture.context import Context, Restart, active, equated
from egc.capture.interpreter import Interpreter
from egc.errors import EgcError, NotEncodable, RuleError
from egc.ir import Node
from egc.ops import OPS
from egc.rewrite import Axes, Bool, Condition, Constant, Index, Matrix, Rewrite, Rule, Scalar, SquareMatrix, Vector
from egc.sizes import Dim, Size
from egc.types import ArrayType

RANKS = (0, 1, 2, 3)
HINT = 5
TRACE_DTYPES = {"integer": np.dtype(np.int64), "bool": np.dtype(bool)}
OWN_SHAPES = (Scalar, Vector, Matrix, SquareMatrix)


class RuleContext(Context):
    """The capture of a rule: an index lies where it must, a length that a parameter alone has is what another asks for, and a
    matrix of full column rank has no fewer rows than columns."""

    notes_factors = False

    def __init__(self, hints: dict[str, int], positions: frozenset[str], conditions: list[Condition]):
        super().__init__(hints, dict.fromkeys(hints, 0))
        self.positions, self.conditions = positions, conditions

    def at_least(self, a: Dim, b: Dim) -> bool:
        if not self.positions.isdisjoint(sizes.symbols(a - b)):
            return True
        for condition in self.conditions:
            shape = condition.operand.type.shape
            if len(shape) != 2:
                continue
            least = sizes.minimum(*shape)
            if a - b in (shape[0] - least, shape[1] - least):
                return True
            full = condition.predicate in ("full_column_rank", "full_row_rank")
            if full and a - b == least - shape[condition.predicate == "full_column_rank"]:
                return True
        if b == 1 and self.value(a) >= 1:
            # Whether there are any decides how a length is spelled; the formula is right for none, too.
            return self.at_least(a, 0)
        less = a - 1
        return (b == 0 and isinstance(less, Size) and _says_nonempty(less)) or super().at_least(a, b)

    def same(self, a: Dim, b: Dim) -> bool:
        if isinstance(a, Size) and isinstance(b, Size) and a != b:
            for alone, other in ((a, b), (b, a)):
                if str(alone).isidentifier() and str(alone) not in sizes.symbols(other):
                    raise Restart({str(alone): other})
        return super().same(a, b)


class SidesDiffer(RuleError):
    """The sides of a rule have different types at some rank: the rule is wrong, not only silent there."""


def rewrites(rule: Rule, max_rank: int = RANKS[-1]) -> tuple[Rewrite, ...]:
    """The rule as pairs of Nodes: one pair if it holds for every rank, else one for each rank and choice of axes.

    max_rank: the largest rank to trace for, where the rule depends on it.

    Raises RuleError, at the rule's place, for a rule whose sides cannot be expressed, differ in shape or dtype, or whose
    right side has a variable that the left side lacks.
    """
    kinds = set(rule.parameters.values())
    plain = kinds & {None, Bool}
    if not plain and Axes not in kinds:
        return (_validated(rule, _trace(rule, 0, None)),)
    if Axes not in kinds and not kinds & set(OWN_SHAPES):
        traced = _trace(rule, 1, None)
        if _is_generic(traced):
            return (_validated(rule, traced, generic=True),)
    found: list[Rewrite] = []
    first_error: Exception | None = None
    for rank, axes in _choices(kinds, max_rank):
        try:
            made = _validated(rule, _trace(rule, rank, axes))
        except SidesDiffer:
            raise
        except rewrite.Unmet:
            continue
        except RuleError as error:
            first_error = first_error or error
            continue
        if not any(made.left is other.left and made.right is other.right for other in found):
            found.append(made)
    if not found and max_rank < RANKS[-1]:
        rewrites(rule)
    elif not found:
        raise first_error or RuleError(f"rule {rule.name} says nothing at any rank", rule.place)
    return tuple(found)


def _choices(kinds: set[Any], max_rank: int) -> Iterator[tuple[int, tuple[int, ...] | None]]:
    for rank in RANKS[: max_rank + 1]:
        if Axes not in kinds:
            yield rank, None
            continue
        for count in range(1, rank + 1):
            for axes in combinations(range(rank), count):
                yield rank, axes


class Traced:
    """The outcome of running a rule's function once."""

    def __init__(self, left: Node, right: Node, variables: Sequence[Node], constants: frozenset[str], conditions: Any):
        self.left, self.right, self.variables = left, right, tuple(variables)
        self.constants, self.conditions = constants, tuple(conditions)


def _trace(rule: Rule, rank: int, axes: tuple[int, ...] | None) -> Traced:
    """Runs a rule's function on traced operands.

    Most rules can simply be called. What does arithmetic on sizes as only an interpreted function can is interpreted.
    """
    try:
        return _settled(rule, rank, axes, interpreted=False)
    except rewrite.Unmet:
        raise
    except Exception:  # Whatever it is, interpreting the function says it again, with the rule's line.
        pass
    try:
        return _settled(rule, rank, axes, interpreted=True)
    except (RuleError, rewrite.Unmet):
        raise
    except NotEncodable as error:
        raise RuleError(f"rule {rule.name}: {error.what}: {error.why}", rule.place) from error
    except (EgcError, TypeError, ValueError, IndexError, AttributeError, NameError, np.linalg.LinAlgError) as error:
        raise RuleError(f"rule {rule.name} does not trace: {error}", rule.place) from error


def _settled(rule: Rule, rank: int, axes: tuple[int, ...] | None, interpreted: bool) -> Traced:
    substitution: dict[str, Dim] = {}
    for _ in range(32):
        try:
            return _attempt(rule, rank, axes, substitution, interpreted)
        except Restart as restart:
            substitution = equated(substitution, restart.equal)
    raise RuleError(f"rule {rule.name}: its sizes do not settle", rule.place)


def _attempt(
    rule: Rule, rank: int, axes: tuple[int, ...] | None, substitution: dict[str, Dim], interpreted: bool
) -> Traced:
    hints: dict[str, int] = {}
    operands: list[Any] = []
    variables: list[Node] = []
    constants: set[str] = set()
    dtype = TRACE_DTYPES.get(rule.dtypes, np.dtype(float))

    def dim(name: str) -> Dim:
        hints[name] = HINT
        return substitution.get(name, sizes.symbol(name))

    def shape(name: str, kind: Any) -> tuple[Dim, ...]:
        if kind in (Scalar, Constant):
            return ()
        if kind is Vector:
            return (dim(f"{name}_0"),)
        if kind is Matrix:
            return dim(f"{name}_0"), dim(f"{name}_1")
        if kind is SquareMatrix:
            return dim("n"), dim("n")
        return tuple(dim(f"d{axis}") for axis in range(rank))

    for name, kind in rule.parameters.items():
        if kind is Axes:
            operands.append(axes)
            continue
        if kind is Index:
            hints[name] = HINT
            operands.append(sizes.symbol(name))
            continue
        node = ir.input(name, ArrayType(np.dtype(bool) if kind is Bool else dtype, shape(name, kind)))
        variables.append(node)
        if kind is Constant:
            constants.add(name)
        operands.append(Array(node, "python" if kind is Constant else "array" if node.type.rank else "scalar"))
    conditions: list[Condition] = []
    token = rewrite.recording(conditions)
    try:
        positions = frozenset(name for name, kind in rule.parameters.items() if kind is Index)
        with active(RuleContext(hints, positions, conditions)) as context:
            sides = Interpreter().call(rule.function, operands) if interpreted else tracing(rule.function)(*operands)
            left, right = _pair(rule, sides)
            _check_guards(rule, context, frozenset(constants))
    finally:
        rewrite.stop_recording(token)
    return Traced(left, right, variables, frozenset(constants), conditions)


def _pair(rule: Rule, sides: Any) -> tuple[Node, Node]:
    if not isinstance(sides, tuple) or len(sides) != 2:
        raise RuleError(f"rule {rule.name} must return two expressions", rule.place)
    left, right = sides
    if not isinstance(left, Array):
        raise RuleError(f"rule {rule.name}: the left side is not an expression of the operands", rule.place)
    right_node = to_node(right, None if isinstance(right, Array) else left.dtype)
    if not isinstance(right, Array) and not right_node.type.shape:
        right_node = ir.constant(right_node.params["value"], left.dtype, left.shape)
    if any(OPS[node.op].kind == "region" for node in ir.topological([left.node, right_node])):
        raise RuleError(f"rule {rule.name}: a branch on data or a loop: both sides must be expressions", rule.place)
    return left.node, right_node


def _check_guards(rule: Rule, context: Context, constants: frozenset[str]) -> None:
    """A rule may rely on nonempty axes (its left side then does too), not on other relations of sizes. That a size is
    not 1 decides how a length is spelled, not what is computed.

    A check of literals, such as that of a division of two numbers, is the rule's own to `require`.
    """
    for guard in context.size_guards:
        if guard.relation == "==" or not _says_nonempty(guard.size):
            raise RuleError(f"rule {rule.name} holds only for some sizes: {guard}", rule.place)
    if not all(constants.issuperset(_variables(node)) for node in context.checks):
        raise RuleError(f"rule {rule.name} has an operation that must be checked when it runs", rule.place)


def _says_nonempty(size: Size) -> bool:
    """Whether a size that is not negative says that an axis has elements: it is a sum of products of lengths, less 1."""
    length = size + 1
    return isinstance(length, Size) and all(monomial and factor > 0 for monomial, factor in length.terms)


def _is_generic(traced: Traced) -> bool:
    shape = traced.left.type.shape
    for node in ir.topological([traced.left, traced.right, *(c.operand for c in traced.conditions)]):
        if node.op == "input" and node.params["name"] in traced.constants:
            continue
        literal = node.op == "broadcast" and _literal(node.inputs[0], traced)
        if literal or (node.type.shape == () and _literal(node, traced)):
            continue
        elementwise = node.op in ("input", "constant") or OPS[node.op].kind == "elementwise"
        if not elementwise or node.type.shape != shape:
            return False
    return len(shape) == 1


def _literal(node: Node, traced: Traced) -> bool:
    """Whether a Node is built from literals alone."""
    inputs = [n for n in ir.topological([node]) if n.op == "input"]
    return node.type.shape == () and all(n.params["name"] in traced.constants for n in inputs)


def _validated(rule: Rule, traced: Traced, generic: bool = False) -> Rewrite:
    left, right = traced.left, traced.right
    if left.op == "input":
        raise RuleError(f"rule {rule.name}: its left side is a variable and would match every term", rule.place)
    if left is right:
        raise RuleError(f"rule {rule.name}: both sides are the same expression", rule.place)
    if left.type != right.type:
        raise SidesDiffer(f"rule {rule.name}: the left side is {left.type}, the right side {right.type}", rule.place)
    bound = _variables(left)
    for what, nodes in (("right side", [right]), ("conditions", [c.operand for c in traced.conditions])):
        loose = [name for node in nodes for name in _variables(node) if name not in bound]
        if loose:
            raise RuleError(f"rule {rule.name}: {loose[0]} is in the {what} but not in the left side", rule.place)
    if rule.both_ways and (set(_variables(right)) != set(bound) or right.op == "input"):
        raise RuleError(f"equation {rule.name}: both sides must be terms with the same variables", rule.place)
    needed = tuple(condition for condition in traced.conditions if not condition.spares)
    spared = tuple(condition for condition in traced.conditions if condition.spares)
    return Rewrite(rule, left, right, traced.variables, traced.constants, needed, generic, spared)


def _variables(node: Node) -> dict[str, None]:
    return dict.fromkeys(n.params["name"] for n in ir.topological([node]) if n.op == "input")
