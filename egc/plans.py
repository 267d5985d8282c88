"""Several Plans of one function: which of its equal programs is cheapest may depend on sizes.

A search chooses by the sizes of one call. For sizes that are several times larger or smaller it is made again, at once
where much is at stake; the program that it finds is compiled only where it is not among those compiled already, and is
predicted to be faster than they are.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace

from egc import cache, sizes
from egc.costfiles import costs_of
from egc.costs import program_cost
from egc.ir import Node, Program
from egc.ops import OPS
from egc.options import Options
from egc.pipeline import Plan, Trace, compile_stage, optimize_stage

BUCKET = 2
"""Sizes in one bucket have equal numbers of so many binary digits: they differ by less than a factor of four."""

SEARCH = 3000.0
"""Nanoseconds of a call, for each Node, below which another search would take hundreds of calls to be repaid."""

GAIN = 0.9
"""A further program is compiled where it takes this part of the time of those at hand, or less."""

MOST = 8
"""Programs that are compiled for one function and kind of arguments."""

SIZED_KINDS = frozenset(["contraction", "linalg", "order", "region"])


def size_symbols(program: Program) -> tuple[str, ...]:
    """The sizes on which the cheapest of the equal programs may depend, or none.

    Costs of loops alone are in proportion to the one size that they share, so that a single one decides nothing.
    """
    known = {symbol for node in program.inputs for dim in node.type.shape for symbol in sizes.symbols(dim)}
    found = sorted(known | set(program.size_inputs))
    return tuple(found) if len(found) > 1 or any(map(_is_sized, program.nodes())) else ()


def _is_sized(node: Node) -> bool:
    return OPS[node.op].kind in SIZED_KINDS


def digits(size: int) -> int:
    """The bucket of one size.

    >>> [digits(n) for n in (0, 1, 3, 4, 15, 16, 63, 64)]
    [0, 1, 1, 2, 2, 3, 3, 4]
    """
    return (size.bit_length() + BUCKET - 1) // BUCKET


class SizedPlans:
    """The Plans of a captured function, starting with that for its first call. Safe to call from several threads.

    `symbols` names the sizes on which the choice depends; where it is empty, the first Plan serves all sizes.
    """

    def __init__(self, first: Plan, options: Options):
        self.first, self.options = first, options
        self.symbols = size_symbols(first.captured.program)
        self._plans: dict[Program, Plan] = {first.program: first}
        self._chosen: dict[tuple[int, ...], Plan] = {self.bucket(first.captured.hints()): first}
        self._lock = threading.Lock()

    def bucket(self, bindings: Mapping[str, int]) -> tuple[int, ...]:
        """Calls with equal buckets run the same Plan."""
        return tuple([digits(bindings[symbol]) for symbol in self.symbols])

    def at(self, bindings: Mapping[str, int]) -> Plan:
        """The Plan for sizes. The first call of a bucket may search, and compile."""
        key = self.bucket(bindings)
        found = self._chosen.get(key)
        if found is None:
            with self._lock:
                found = self._chosen.get(key)
                if found is None:
                    found = self._chosen[key] = self._choose(bindings)
        return found

    def _choose(self, bindings: Mapping[str, int]) -> Plan:
        table = costs_of(self.first.backend)
        cost, program = min(
            ((program_cost(program, table, bindings), program) for program in self._plans), key=lambda each: each[0]
        )
        known, captured = self._plans[program], self.first.captured
        if len(self._plans) >= MOST or cost < SEARCH * sum(1 for _ in captured.program.nodes()):
            return known
        trace = Trace()
        found = optimize_stage(captured.program, bindings, self.options, self.first.backend, trace, cache.shared())
        if found not in self._plans:
            if self.first.backend.missing(found) or program_cost(found, table, bindings) > GAIN * cost:
                return known
            compiled = compile_stage(found, self.first.backend, trace, self.first.demands)
            self._plans[found] = replace(self.first, program=found, compiled=compiled, trace=trace)
        return self._plans[found]
