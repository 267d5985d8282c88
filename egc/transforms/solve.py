"""The states after a counted loop, solved one after the other: each from those that are known in all iterations."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from egc import ir, sizes
from egc.ir import Node, make
from egc.ranges import Ranges, coefficient, mentions
from egc.sizes import Dim
from egc.transforms.accumulations import REDUCTIONS, Term, accumulation, identity, terms_of, without_nan
from egc.transforms.closed import Affine, Series
from egc.transforms.forms import Allowed, guarded
from egc.transforms.inline import inline
from egc.transforms.promote import readers, written_once
from egc.transforms.recurrence import line_of
from egc.transforms.vmap import (
    Lifting,
    NotLifted,
    Value,
    joined,
    number_of,
    operands_of,
    reshaped,
    sliced,
    spread,
    transposed,
)
from egc.transforms.windows import window_of

SCANS = {"add": "cumsum", "multiply": "cumprod", "maximum": "cummax", "minimum": "cummin"}

KINDS = {"add": "iufc", "multiply": "iufc", "maximum": "iuf", "minimum": "iuf", "logical_and": "b", "logical_or": "b"}
"""Kinds of dtypes in which the reduction is the op."""

POLYNOMIALS = "sum_of_powers_is_closed"

RECURRENCE = "linear_recurrence_is_scan"

CLOSED = frozenset(["arithmetic_series_is_closed", "power_is_closed", "geometric_series_is_closed"])


class Solution:
    """The results of a plain loop of `count` iterations without the loop, in the scope around it.

    pending: the states that are not solved. fixed: results that are found otherwise.
    """

    def __init__(self, node: Node, count: Dim, ranges: Ranges, allowed: Allowed):
        self.node, self.ranges, self.allowed = node, ranges, allowed
        self.count = count if ranges.holds(count) else sizes.maximum(0, count)
        self.update = node.params["update"]
        number = node.params["states"]
        self.name = self.update.inputs[0].params["name"]
        self.states, self.outputs = self.update.inputs[1 : 1 + number], self.update.outputs
        self.before = node.inputs[1 : 1 + number]
        known = operands_of(self.update.inputs[1 + number :], node.inputs[1 + number :])
        known[self.update.inputs[0]] = number_of(self.count)
        self.lifting = Lifting(self.name, self.count, ranges.inside(node), known)
        self.runs = ranges.holds(self.count - 1)
        self.pending: list[int] = []
        self.fixed: dict[int, Node] = {}
        self.laws: set[str] = set()
        self._rounded = False

    @property
    def rounded(self) -> bool:
        return self._rounded or self.lifting.rounded

    def solve(self) -> list[Node | None]:
        results = [self.fixed.get(k) for k in range(len(self.states))]
        self.pending = [k for k in range(len(self.states)) if k not in self.fixed]
        then = self._accumulated, self._written, self._last, self._closed, self._recurrence
        for laws in ((self._same, self._closed), then):
            progress = True
            while progress:
                progress = False
                for k in list(self.pending):
                    results[k] = self._solved(k, laws)
                    if results[k] is not None:
                        self.pending.remove(k)
                        progress = True
        return results

    def _solved(self, k: int, laws: Sequence[Callable[[int], Node | None]]) -> Node | None:
        for law in laws:
            try:
                found = law(k)
            except NotLifted:
                continue
            if found is not None:
                return found
        return None

    def _same(self, k: int) -> Node | None:
        if self.outputs[k] is not self.states[k]:
            return None
        self.lifting.known[self.states[k]] = Value(self.before[k], False)
        return self.before[k]

    def _read(self, k: int) -> bool:
        """Whether another state that is not solved yet needs this one."""
        others = [self.outputs[j] for j in self.pending if j != k]
        return self.states[k] in ir.topological(others)

    def _closed(self, k: int) -> Node | None:
        """A state of which only the last value is needed, and that has a formula."""
        state, output, before = self.states[k], self.outputs[k], self.before[k]
        if not self.allowed & CLOSED or self._read(k) or state.type.dtype.kind not in "iuf":
            return None
        series = Series(self.lifting, state.type, self.count, POLYNOMIALS in self.allowed)
        law = "arithmetic_series_is_closed"
        if law in self.allowed and output.op in ("add", "subtract") and (terms := terms_of(output, state, "add")):
            try:
                totals = [self._series(series, term.node, k) for term in terms]
            except NotLifted:
                totals = []
            if totals:
                found = before
                for term, (total, _) in zip(terms, totals):
                    found = make("subtract" if term.negative else "add", found, total)
                if any(powers for _, powers in totals):
                    return self._guarded(k, found, series.finite(found), "geometric_series_is_closed")
                return self._where_it_runs(k, found, POLYNOMIALS if series.higher else law)
        value = series.of(output, state)
        if value.factor is None:
            return None
        power = series.power(value.factor)
        found = make("multiply", power, before)
        law = "power_is_closed" if value.offset is None else "geometric_series_is_closed"
        if law not in self.allowed or (state.type.dtype.kind in "iu" and not _wide_power(state, value)):
            return None
        if state.type.dtype.kind != "f":
            return self._where_it_runs(k, found, law)
        rest = None
        if value.offset is not None:
            rest = make("multiply", value.offset, series.geometric(value.factor))
            found = make("add", found, rest)
        return self._guarded(k, found, series.sound(found, value.factor, before, rest), law)

    def _series(self, series: Series, term: Node, k: int) -> tuple[Node, bool]:
        """The sum of a term over all iterations, and whether it has powers: affine in the number, or in another state that
        is multiplied by the same in every iteration. Raises NotLifted."""
        nodes = set(ir.topological([term]))
        others = [j for j in self.pending if j != k and self.states[j] in nodes]
        if not others:
            return series.sum(term), False
        (j, *more) = others
        if more or series.type != self.states[j].type or "geometric_series_is_closed" not in self.allowed:
            raise NotLifted("more than one state")
        value, growth = series.of(term, self.states[j]), series.of(self.outputs[j], self.states[j])
        if growth.offset is not None or growth.factor is None or value.factor is None or series.type.dtype.kind != "f":
            raise NotLifted("a state that is not multiplied")
        total = make("multiply", make("multiply", value.factor, self.before[j]), series.geometric(growth.factor))
        return (total if value.offset is None else make("add", total, series.times(value.offset))), True

    def _where_it_runs(self, k: int, found: Node, law: str) -> Node:
        self.laws.add(law)
        self._rounded |= self.states[k].type.dtype.kind == "f"
        if self.runs:
            return found
        some = make("greater", ir.size(self.count), ir.constant(0, np.dtype(np.int64)))
        return make("where", spread(some, found.type.shape, ()), found, self.before[k])

    def _guarded(self, k: int, found: Node, ok: Node, law: str) -> Node:
        """A formula where it holds, else the loop."""
        self.laws.add(law)
        self._rounded = True
        if not self.runs:
            ok = make("logical_and", ok, make("greater", ir.size(self.count), ir.constant(0, np.dtype(np.int64))))
        return guarded(ok, [found], [make("item", self.node, index=k, line=self.node.line)])[0]

    def _accumulated(self, k: int) -> Node | None:
        state, output, before = self.states[k], self.outputs[k], self.before[k]
        op = accumulation(output, state)
        if op is None or state.type.dtype.kind not in KINDS[op]:
            return None
        terms = terms_of(output, state, op)
        if terms is None:
            return None
        if ("accumulation_is_scan" if self._read(k) else "accumulation_is_reduction") not in self.allowed:
            return None
        rows = self._combined(op, terms)
        self._rounded |= state.type.dtype.kind in "fc"
        if self._read(k):
            return self._sequence(k, op, rows)
        self.laws.add("accumulation_is_reduction")
        if op in ("maximum", "minimum") and not self.runs:
            first = reshaped(before, (1, *before.type.shape))
            if len(terms) == 1 and terms[0].over_nan:
                rows = without_nan(joined(first, self.lifting.rows(self.lifting.value(terms[0].node))), op)
            else:
                rows = joined(first, rows)
        return make(op, before, make(REDUCTIONS[op], rows, axes=(0,)))

    def _combined(self, op: str, terms: Sequence[Term]) -> Node:
        """All that the iterations accumulate, one row each."""
        rows: Node | None = None
        for term in terms:
            row = self.lifting.rows(self.lifting.value(term.node))
            row = without_nan(row, op) if term.over_nan else row
            row = self._masked(row, op, term) if term.mask is not None else row
            if rows is None:
                rows = make("negative", row) if term.negative else row
            else:
                rows = make("subtract" if term.negative else op, rows, row)
        assert rows is not None
        return rows

    def _masked(self, row: Node, op: str, term: Term) -> Node:
        """Rows with what changes nothing in the place of those that are passed over."""
        assert term.mask is not None
        mask = self.lifting.rows(self.lifting.value(term.mask))
        mask = spread(mask, row.type.shape, range(mask.type.rank))
        nothing = ir.constant(identity(op, row.type.dtype), row.type.dtype, row.type.shape)
        return make("where", mask, *((nothing, row) if term.inverse else (row, nothing)))

    def _sequence(self, k: int, op: str, rows: Node) -> Node | None:
        """The state in each iteration, for the other states; the last one is the result."""
        if op not in SCANS:
            return None
        self.laws.add("accumulation_is_scan")
        before = self.before[k]
        start = spread(before, rows.type.shape, range(1, rows.type.rank))
        after = make(op, start, make(SCANS[op], rows, axis=0))
        return self._kept(k, after)

    def _recurrence(self, k: int) -> Node | None:
        """The state in each iteration, and the last one, where each is a factor times the one before, and a term."""
        state, before = self.states[k], self.before[k]
        line = line_of(self.outputs[k], state) if RECURRENCE in self.allowed else None
        if line is None or line.factor is None or ir.is_constant(line.factor, 1):
            return None
        term = ir.constant(0, state.type.dtype, state.type.shape) if line.term is None else line.term
        by, more = (self.lifting.rows(self.lifting.value(part)) for part in (line.factor, term))
        self.laws.add(RECURRENCE)
        self._rounded |= state.type.dtype.kind in "fc"
        return self._kept(k, make("linear_recurrence", by, more, before, axis=0))

    def _kept(self, k: int, after: Node) -> Node:
        """Enters a state's values before and after each iteration; the last one of all is the result."""
        shape = after.type.shape[1:]
        everything = joined(reshaped(self.before[k], (1, *shape)), after)
        still, one = [0] * len(shape), [1] * (len(shape) + 1)
        earlier = sliced(everything, [0, *still], after.type.shape, one)
        self.lifting.known[self.states[k]] = Value(earlier, True)
        self.lifting.known[self.outputs[k]] = Value(after, True)
        if self.runs:
            return reshaped(sliced(after, [self.count - 1, *still], (1, *shape), one), shape)
        return reshaped(sliced(everything, [self.count, *still], (1, *shape), one), shape)

    def _last(self, k: int) -> Node | None:
        """A state that forgets what it was."""
        if self.states[k] in ir.topological([self.outputs[k]]) or "last_value_is_kept" not in self.allowed:
            return None
        inputs = set(self.states)
        if self.runs and not self._read(k) and not inputs & set(ir.topological([self.outputs[k]])):
            last = self.count - 1
            operands = [ir.size(last), *self.node.inputs[1:]]
            (found,) = inline(self.update.with_outputs([self.outputs[k]]), operands, {self.name: last})
        else:
            after = self.lifting.rows(self.lifting.value(self.outputs[k]))
            found = self._kept(k, after)
        self.laws.add("last_value_is_kept")
        return found

    def _written(self, k: int) -> Node | None:
        """A state into which each iteration writes at another place, and reads only where no other has written before."""
        output, state, before = written_once(self.update, k), self.states[k], self.before[k]
        if output is None or state in self.outputs or "separate_writes_are_one" not in self.allowed:
            return None
        start, size, step = window_of(output)
        pairs = [(coefficient(each, self.name), sizes.substitute(each, {self.name: 0})) for each in start]
        moving = [axis for axis, (factor, _) in enumerate(pairs) if factor != 0]
        if any(mentions(each, self.name) for each in (state, output.inputs[1])) or not moving:
            return None
        if any(factor is None for factor, _ in pairs) or any(size[axis] != 1 for axis in moving):
            return None
        if not any(isinstance(pairs[axis][0], int) for axis in moving):
            return None
        users = [each for each in readers(self.update, state) if each is not output]
        if not all(each.op == "slice" and self._unwritten(window_of(each), (start, size, step)) for each in users):
            return None
        self.lifting.known[state] = Value(before, False)
        rows = self.lifting.rows(self.lifting.value(output.inputs[1]))
        self.laws.add("separate_writes_are_one")
        axis = moving[0]
        factor, offset = pairs[axis]
        if len(moving) == 1 and isinstance(factor, int):
            rest = [size[other] for other in range(len(size)) if other != axis]
            value = reshaped(rows, (self.count, *rest))
            value = transposed(value, [*range(1, axis + 1), 0, *range(axis + 1, len(size))])
            if factor < 0:
                value, factor, offset = self._reversed(value, axis), -factor, offset + factor * (self.count - 1)
            begin = [offset if other == axis else start[other] for other in range(len(size))]
            stride = [factor if other == axis else step[other] for other in range(len(size))]
            if all(each == 0 for each in begin) and value.type == before.type and set(stride) == {1}:
                return value
            return make("update_slice", before, value, start=tuple(begin), step=tuple(stride))
        return self._scattered(before, rows, moving, (start, size, step), pairs)

    def _reversed(self, value: Node, axis: int) -> Node:
        """An array with an axis for iterations, from the last one back."""
        start = [self.count - 1 if other == axis else 0 for other in range(value.type.rank)]
        step = [-1 if other == axis else 1 for other in range(value.type.rank)]
        return sliced(value, start, value.type.shape, step)

    def _unwritten(self, read: tuple[Sequence[Dim], ...], write: tuple[Sequence[Dim], ...]) -> bool:
        """Whether what an iteration reads was not written by an earlier one."""
        if read == write:
            return True
        if read[1:] != write[1:]:
            return False
        for ours, theirs, length, stride in zip(*read[:1], *write):
            factor, ahead = coefficient(theirs, self.name), ours - theirs
            if not isinstance(factor, int) or not isinstance(ahead, int) or not isinstance(length, int) or stride != 1:
                continue
            apart = abs(ahead) >= length if factor == 0 else length == 1 and ahead * factor > 0
            if apart:
                return True
        return False

    def _scattered(
        self,
        before: Node,
        rows: Node,
        moving: Sequence[int],
        window: Sequence[Sequence[Dim]],
        pairs: Sequence[tuple[Dim | None, Dim]],
    ) -> Node | None:
        start, size, step = window
        still = [axis for axis in range(len(size)) if axis not in moving]
        whole = all(start[axis] == 0 and size[axis] == before.type.shape[axis] and step[axis] == 1 for axis in still)
        if not whole or not all(self.lifting.ranges.holds(start[axis]) for axis in moving):
            return None
        places = [self.lifting.numbers(pairs[axis][0] or 0, pairs[axis][1]) for axis in moving]
        value = reshaped(rows, (self.count, *(size[axis] for axis in still)))
        return make("scatter", before, value, *places, axes=tuple(moving), combine="set")


def _wide_power(state: Node, value: Affine) -> bool:
    """Whether the power of an integer can be taken: its exponent is one of 64 bits."""
    return value.offset is None and state.type.dtype.itemsize == 8
