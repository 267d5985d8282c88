"""A Program over another domain than arrays: `fold` walks it, and a Domain says what each op makes of facts.

Sizes are concrete here. A domain is a table, op by op; what has no row gives the domain's `top`, which is true of any value.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from egc import ir, sizes
from egc.ir import Node, Program
from egc.ops import CUSTOM, INT64, OPS
from egc.types import ArrayType, TupleType, Type, concrete

Fact = Any
Evaluate = Callable[[Program, Sequence[Any]], Sequence[Any]]

UNROLLED = 64
"""Iterations that are gone through one by one after the first one that may be the last, or not."""

MERGED = 16
"""Iterations whose facts are joined before what still grows is widened."""

MOST_COUNTED = 1_000_000
"""Iterations of a loop that are gone through where it is not known how many there are."""


@dataclass(frozen=True)
class Call:
    """One op on facts: its parameters and its result's type have plain integers for sizes."""

    node: Node
    params: Mapping[str, Any]
    operands: tuple[Fact, ...]
    type: Any
    bindings: Mapping[str, int]

    @property
    def op(self) -> str:
        return self.node.op

    def shape(self, operand: int) -> tuple[int, ...]:
        """The shape of an operand, by its number."""
        return tuple(sizes.evaluate(dim, self.bindings) for dim in self.node.inputs[operand].type.shape)


Rule = Callable[[Any, Call], Fact]


class Domain(ABC):
    """What is known of values, and how ops pass it on.

    rules: for each op a function `(domain, call) -> fact`; for an op with several results, of a tuple of facts.
    """

    rules: Mapping[str, Rule] = {}

    def __init__(self, evaluate: Evaluate):
        self._evaluate = evaluate
        self._single: dict[tuple[Node, bool], tuple[Program, tuple[str, ...]]] = {}

    @abstractmethod
    def exact(self, array: np.ndarray) -> Fact:
        """The fact that a value is this array."""

    @abstractmethod
    def known(self, fact: Fact) -> np.ndarray | None:
        """The array that the value is for certain; None where it may be another one."""

    def computes(self, call: Call) -> bool:
        """Whether an op of known operands has exactly the value that NumPy gives it."""
        return True

    @abstractmethod
    def top(self, type: ArrayType, operands: Sequence[Fact]) -> Fact:
        """What is true of any value of a type that was made of these operands in an unknown way."""

    @abstractmethod
    def join(self, a: Fact, b: Fact) -> Fact:
        """What is true of either."""

    def widen(self, before: Fact, after: Fact) -> Fact:
        """What is true of either, such that facts widened again and again stay the same after a few times."""
        return self.join(before, after)

    @abstractmethod
    def same(self, a: Fact, b: Fact) -> bool:
        """Whether two facts say the same."""

    def range(self, fact: Fact) -> tuple[int, int] | None:
        """The least and the greatest integer that a scalar may be; None where it may be any."""
        found = self.known(fact)
        return None if found is None else (int(found), int(found))

    def truth(self, fact: Fact) -> bool | None:
        """What a bool scalar is; None where it may be either."""
        found = self.known(fact)
        return None if found is None else bool(found)

    def custom(self, call: Call, number: int) -> tuple[Fact, ...] | None:
        """The facts of the results of a function with a derivative of its own (see `egc.ops.CUSTOM`); None for those of its
        definition."""
        return None

    def value(self, node: Node, arrays: Sequence[np.ndarray], bindings: Mapping[str, int], places: bool = False) -> Any:
        """An op's value by the reference interpreter: an array, or a tuple of them.

        places: its operands are positions (int64) rather than what their types say.
        """
        program, names = self._program(node, places)
        results = tuple(self._evaluate(program, [*(bindings[name] for name in names), *arrays]))
        return results if isinstance(node.type, TupleType) else results[0]

    def _program(self, node: Node, places: bool) -> tuple[Program, tuple[str, ...]]:
        """The Program of one op, whose first inputs are the sizes that it mentions."""
        found = self._single.get((node, places))
        if found is None:
            data = data_of(node) if places else ()
            types = [child.type.with_dtype(INT64) if k in data else child.type for k, child in enumerate(node.inputs)]
            operands = tuple(ir.input(f"operand_{k}", type) for k, type in enumerate(types))
            made = ir.make(node.op, *operands, **node.params)
            outputs = ir.items(made) if isinstance(made.type, TupleType) else (made,)
            names = tuple(sorted(ir.free_symbols(Program(operands, outputs))))
            inputs = tuple(ir.input(name, ArrayType(INT64, ())) for name in names)
            found = Program((*inputs, *operands), outputs, "single", frozenset(names)), names
            self._single[node, places] = found
        return found


def fold(
    program: Program,
    facts: Sequence[Fact],
    domain: Domain,
    bindings: Mapping[str, int],
    given: Mapping[Node, Fact] = {},
) -> tuple[Fact, ...]:
    """The facts of a Program's outputs, for facts of its inputs. `given` are those of further Nodes."""
    known: dict[Node, Fact] = {**dict(zip(program.inputs, facts)), **given}
    for node in program.nodes():
        if node not in known:
            known[node] = _apply(node, tuple(known[child] for child in node.inputs), domain, bindings)
    return tuple(known[node] for node in program.outputs)


def _apply(node: Node, operands: tuple[Fact, ...], domain: Domain, bindings: Mapping[str, int]) -> Fact:
    if node.op == "item":
        return operands[0][node.params["index"]]
    call = Call(node, _params(node, bindings), operands, _concrete(node.type, bindings), bindings)
    if domain.computes(call):
        arrays = [domain.known(fact) for fact in operands]
        if all(array is not None for array in arrays):
            value = domain.value(node, arrays, bindings)  # type: ignore[arg-type]
            return tuple(map(domain.exact, value)) if isinstance(value, tuple) else domain.exact(value)
    if node.op == "cond":
        return _cond(call, domain)
    if node.op == "loop":
        return _loop(call, domain)
    rule = domain.rules.get(node.op)
    return unknown(domain, call) if rule is None else rule(domain, call)


def unknown(domain: Domain, call: Call) -> Fact:
    """What is true of the results of any op."""
    if isinstance(call.type, TupleType):
        return tuple(domain.top(type, call.operands) for type in call.type.items)
    return domain.top(call.type, call.operands)


def _params(node: Node, bindings: Mapping[str, int]) -> dict[str, Any]:
    def bound(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(bound, value))
        return sizes.evaluate(value, bindings) if isinstance(value, sizes.Size) else value

    return {name: bound(value) for name, value in node.params.items()}


def _concrete(type: Type, bindings: Mapping[str, int]) -> Type:
    if isinstance(type, TupleType):
        return TupleType(tuple(concrete(item, bindings) for item in type.items))
    return concrete(type, bindings)


def _cond(call: Call, domain: Domain) -> tuple[Fact, ...]:
    condition, *operands = call.operands
    number = custom_number(call.node)
    own = None if number is None else domain.custom(call, number)
    if own is not None:
        return own
    truth = domain.truth(condition)
    branches = [name for name, taken in (("then", True), ("otherwise", False)) if truth in (taken, None)]
    results = [fold(call.params[name], operands, domain, call.bindings) for name in branches]
    found = results[0]
    for other in results[1:]:
        found = tuple(map(domain.join, found, other))
    return found


def custom_number(node: Node) -> int | None:
    """How many operands a function with a derivative of its own has; None for other Nodes."""
    return next((int(scope[len(CUSTOM) :]) for scope in node.scopes if scope.startswith(CUSTOM)), None)


def has_custom(program: Program) -> bool:
    """Whether there is a function with a derivative of its own."""
    return any(
        custom_number(node) is not None or any(has_custom(region) for _, region in ir.regions(node))
        for node in program.nodes()
    )


class _Exits:
    """The states with which a loop may end."""

    def __init__(self, domain: Domain):
        self.domain = domain
        self.states: tuple[Fact, ...] | None = None

    def add(self, states: tuple[Fact, ...]) -> tuple[Fact, ...]:
        found = states if self.states is None else tuple(map(self.domain.join, self.states, states))
        self.states = found
        return found


def _loop(call: Call, domain: Domain) -> tuple[Fact, ...]:
    """Iteration by iteration, while it is known that there is a next one, or how many there can be; then by facts that
    hold in every iteration."""
    params, counted, given = call.params, call.params["counted"], call.operands
    least, most = 0, None
    if counted:
        limits = domain.range(given[0])
        if limits is None or limits[1] - max(limits[0], 0) > MOST_COUNTED:
            return unknown(domain, call)
        (least, most), given = limits, given[1:]
    states, others = given[: params["states"]], given[params["states"] :]
    exits, done, doubtful = _Exits(domain), 0, 0

    def run(region: str, states: tuple[Fact, ...]) -> tuple[Fact, ...]:
        program, bindings = params[region], dict(call.bindings)
        if counted:
            bindings[program.inputs[0].params["name"]] = done
        index = (domain.exact(np.array(done)),) if counted else ()
        return fold(program, (*index, *states, *others), domain, bindings)

    def holds(region: str) -> bool | None:
        return True if params[region] is None else domain.truth(run(region, states)[0])

    while most is None or done < most:
        before = holds("pre")
        if before is False:
            return exits.add(states)
        doubt = before is None or (counted and done >= least)
        if doubt:
            exits.add(states)
        states = run("update", states)
        after = holds("post")
        done += 1
        if after is False:
            return exits.add(states)
        if after is None:
            doubt = True
            exits.add(states)
        doubtful += doubt
        if most is None and doubtful >= UNROLLED:
            return exits.add(_invariant(states, domain, lambda states: run("update", states)))
    return exits.add(states)


def _invariant(states: tuple[Fact, ...], domain: Domain, update: Callable[[Any], Any]) -> tuple[Fact, ...]:
    """Facts that hold before and after every further iteration."""
    for number in range(10 * MERGED):
        merge = domain.join if number < MERGED else domain.widen
        after = tuple(map(merge, states, update(states)))
        if all(map(domain.same, states, after)):
            return states
        states = after
    raise AssertionError("facts that are widened go on growing")


def data_of(node: Node) -> tuple[int, ...]:
    """The operands of an op that only moves elements, by number; the others say where they go. Empty for other ops."""
    match node.op:
        case "gather" | "broadcast" | "reshape" | "transpose" | "slice" | "diagonal" | "diagonal_matrix" | "assume":
            return (0,)
        case "tril" | "triu":
            return (0,)
        case "update_slice" | "pad":
            return (0, 1)
        case "concatenate":
            return tuple(range(len(node.inputs)))
        case "scatter" if node.params["combine"] == "set":
            return (0, 1)
        case "where":
            return (1, 2)
    return ()


MOVES = tuple(
    """gather broadcast reshape transpose slice diagonal diagonal_matrix assume tril triu update_slice pad concatenate scatter
       where""".split()
)
"""Ops that only move elements, where it is known to which places."""


def places(domain: Domain, call: Call) -> np.ndarray | None:
    """For each element of the result of an op that moves elements, which one it is of those of the operands `data_of`,
    one after another, counted from 1; 0 for a zero that is none of them. None where other operands are not known."""
    data, arrays, first = data_of(call.node), [], 1
    if not data:
        return None
    for position, fact in enumerate(call.operands):
        if position in data:
            shape = call.shape(position)
            count = math.prod(shape)
            arrays.append(np.arange(first, first + count).reshape(shape))
            first += count
        else:
            known = domain.known(fact)
            if known is None:
                return None
            arrays.append(known)
    return domain.value(call.node, arrays, call.bindings, places=True)


def in_turns(positions: np.ndarray) -> list[np.ndarray]:
    """Groups of numbers of entries, such that no position comes twice in a group, and entries of one position are in order."""
    if not positions.size:
        return []
    order = np.argsort(positions, kind="stable")
    ordered = positions[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    turn = np.arange(len(order)) - np.repeat(starts, np.diff([*starts, len(order)]))
    return [order[turn == number] for number in range(int(turn.max()) + 1)]


assert set(MOVES) <= set(OPS)
