"""From times of one-op Programs to a CostTable.

Each price is a difference of times that have all but it in common: by size, by length of a chain in one loop, or by
number of kernels. The prices are therefore those by which `egc.costs` would have predicted the times.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from egc.calibration import programs
from egc.calibration.programs import Sample
from egc.costs import LINALG, CostModel
from egc.costtable import CostTable, Points
from egc.kernels import group
from egc.kinds import FUSED_REDUCTIONS, OP_KINDS
from egc.ops import MASKED, OPS

Clock = Callable[[Sample, int], float | None]
"""The nanoseconds of one call of a Sample's Program at a size; None where the backend lacks its op."""

SMALL, LARGE = 160, 1280
"""Sizes whose vectors lie in the first cache; the time between them is that of elements. Both results are too large for the
free lists by which an allocator gives small ones faster."""

SLOW_START = 15_000.0
"""Nanoseconds of a call beyond which these sizes are lost in its start, ..."""

STRETCH = 16
"""... and are so many times larger."""

LEAST = 2

CHEAP = 0.3
"""Nanoseconds below which the price of an op alone in a loop is lost in what moving its operands takes."""

LINKS = 8, 32
COMPLEX_LINKS = 2, 6
"""Lengths of chains. Some compilers take minutes for long ones of complex numbers."""

MATRICES = (4, 8, 16, 32, 64, 128, 256, 512)
VECTORS = (8, 64, 512, 4096, 32768)

PART_OF = {"matvec": "matmul", "triangular_matvec": "triangular_product"}
"""Prices of an op's calls with a vector."""

LARGEST = 1 << 28
"""The most bytes that a timed Program moves ..."""

RESULT = 24 << 20
"""... and the most that its result has: an allocator gives larger ones from pages that the system must clear first."""

FLOOR = 1e-3

ARITHMETIC = 0.01
"""The least price of an element: a compiler may fold a chain of integer ops into fewer."""


class Fit:
    """A table that grows with each step of calibration.

    clock: see Clock. caches: the bytes of each cache, smallest first. ops: those to time; None is all.
    """

    def __init__(
        self,
        clock: Clock,
        caches: Sequence[int],
        fused: bool,
        ops: Collection[str] | None = None,
        report: Callable[[str], None] = lambda text: None,
    ):
        self.clock, self.caches, self.ops, self.report = clock, caches, ops, report
        self.table = CostTable(0.0, 0.0, 0.0, {}, 0.0, {}, fused=fused)
        stretch = STRETCH if (clock(programs.sum_of(1), LEAST) or 0.0) > SLOW_START else 1
        self.small, self.large = SMALL * stretch, LARGE * stretch
        self._passing: dict[tuple[int, int], float] = {}
        self._links: dict[tuple[str, str], float | None] = {}

    def fitted(self) -> CostTable:
        """Runs every step."""
        self._bytes()
        self._elements()
        self._kernels()
        self._library()
        return self.table

    def wanted(self, name: str) -> bool:
        return self.ops is None or name.partition(" ")[0] in self.ops

    def slope(self, sample: Sample | None) -> float | None:
        """Nanoseconds for each further element; None where the backend lacks the op."""
        if sample is None:
            return None
        low, high = self.clock(sample, self.small), self.clock(sample, self.large)
        return None if low is None or high is None else (high - low) / (self.large - self.small)

    def moved(self, sample: Sample, n: int) -> float:
        """What the table has for a Sample's bytes alone."""
        bytes_only = replace(
            self.table, run=0.0, call=0.0, elementwise={}, calls={}, default=0.0, linalg={}, flop=0.0, work={}
        )
        return CostModel(bytes_only, {"n": n}).program(sample.program)

    def _bytes(self) -> None:
        """Sums of vectors that lie in each cache, and in none."""
        sample, per_element = programs.sum_of(1), 16
        self.report("memory")
        rate = max((self.slope(sample) or 0.0) / per_element, FLOOR)
        start = (self.clock(sample, self.small) or 0.0) - rate * per_element * self.small
        levels: list[tuple[float, float]] = []
        for k, capacity in enumerate(self.caches):
            if capacity * 4 > LARGEST:
                break
            if k:
                rate = max(rate, self._rate(start, capacity // 2, levels))
            levels.append((float(capacity), rate))
            self.table = replace(self.table, levels=tuple(levels), byte=rate)
        if levels:
            rate = max(rate, self._rate(start, min(4 * int(levels[-1][0]), LARGEST), levels))
        self.table = replace(self.table, byte=rate)

    def _rate(self, start: float, amount: int, levels: Sequence[tuple[float, float]]) -> float:
        """Nanoseconds a byte beyond the caches known so far, from the time of moving this many bytes."""
        vectors = max(2, -(-amount // RESULT))
        n = amount // (8 * vectors)
        known = replace(self.table, levels=tuple(levels), byte=0.0)
        time = self.clock(programs.sum_of(vectors - 1), n) or 0.0
        return (time - start - known.moving(8.0 * vectors * n)) / (8.0 * vectors * n - levels[-1][0])

    def _elements(self) -> None:
        for mark in programs.CLASSES:
            self.report(f"elements of {mark}")
            for op, row in OPS.items():
                is_reduction = op in FUSED_REDUCTIONS
                if (
                    op == "assume"
                    or op in MASKED
                    or not self.wanted(op)
                    or not (is_reduction or row.kind == "elementwise")
                ):
                    continue
                sample = programs.reduction(op, mark) if is_reduction else programs.elementwise(op, mark)
                price = self._alone(sample)
                if price is None:
                    continue
                if price < CHEAP and not is_reduction and self.table.fused:
                    linked = self._linked(op, mark)
                    price = max(price, self._linked("add", mark) or 0.0) if linked is None else linked
                self._price(op, mark, max(price, ARITHMETIC))
        prices = [price for name, price in self.table.elementwise.items() if " " not in name]
        self.table = replace(self.table, default=statistics.median(prices) if prices else 0.0)

    def _price(self, op: str, mark: str, price: float) -> None:
        """The first class that has the op, float64 before all, is the one without a mark."""
        key = f"{op} {mark}" if op in self.table.elementwise else op
        self.table = replace(self.table, elementwise={**self.table.elementwise, key: round(price, 4)})

    def _alone(self, sample: Sample | None) -> float | None:
        found = self.slope(sample)
        if sample is None or found is None:
            return None
        return found - (self.moved(sample, self.large) - self.moved(sample, self.small)) / (self.large - self.small)

    def _linked(self, op: str, mark: str) -> float | None:
        """The price of one more link in a chain."""
        if (op, mark) not in self._links:
            self._links[op, mark] = self._timed_links(op, mark)
        return self._links[op, mark]

    def _timed_links(self, op: str, mark: str) -> float | None:
        lengths = COMPLEX_LINKS if mark == "c128" else LINKS
        short, long = (self.slope(programs.chain(op, mark, links)) for links in lengths)
        if short is None or long is None:
            return None
        price = (long - short) / (lengths[1] - lengths[0])
        if OPS[op].arity == 1 and mark != "bool":
            price -= self._linked("multiply", mark) or 0.0
        return max(price, FLOOR)

    def _kernels(self) -> None:
        """Starting a kernel: the time that each further one adds, and the rest of a call."""
        self.report("kernels")
        samples = [programs.kernels(links) for links in (1, 6)]
        times = [time for sample in samples if (time := self.clock(sample, LEAST)) is not None]
        if len(times) < len(samples):
            single = self.clock(programs.sum_of(1), LEAST) or 0.0
            self.table = replace(self.table, call=max(single / 2, 1.0), run=single / 2)
            return
        beside = [CostModel(self.table, {"n": LEAST}).program(sample.program) for sample in samples]
        alone = None if self.table.fused else lambda node: False
        counts = [sum(kernel.kind != "view" for kernel in group(sample.program, alone)) for sample in samples]
        bare = [max(time - known, 0.0) for time, known in zip(times, beside)]
        call = max((bare[1] - bare[0]) / (counts[1] - counts[0]), 1.0)
        self.table = replace(self.table, call=call, run=max(bare[0] - counts[0] * call, 0.0))

    def _library(self) -> None:
        for name, sample in programs.library().items():
            op = name.partition(" ")[0]
            if not self.wanted(PART_OF.get(op, name)):
                continue
            self.report(name)
            first = self.clock(sample, LEAST)
            if first is None:
                continue
            start = max(first - self._called(sample) - self.moved(sample, LEAST), 1.0)
            in_loops = self.table.fused and OP_KINDS.get(op) == "fused"
            if " " not in name and op not in PART_OF and not in_loops:
                self.table = replace(self.table, calls={**self.table.calls, op: start})
            if sample.operations is not None:
                self._sized(name, sample, start)
            elif op in LINALG:
                self.table = replace(self.table, linalg={**self.table.linalg, op: 0.0})
            else:
                self._linear(op, sample)

    def _called(self, sample: Sample) -> float:
        """What calling a Program takes with as many arguments and results as a Sample's."""
        key = len(sample.program.inputs), len(sample.program.outputs)
        if key not in self._passing:
            several, one = (self.clock(programs.passing(*each), LEAST) or 0.0 for each in (key, (1, 1)))
            self._passing[key] = max(several - one, 0.0)
        return self.table.run + self._passing[key]

    def _linear(self, op: str, sample: Sample) -> None:
        (output,) = sample.program.outputs
        matrix = len(output.type.shape) == 2
        small, large = (16, 128) if matrix else (self.small, 8 * self.large)
        low, high = self.clock(sample, small), self.clock(sample, large)
        assert low is not None and high is not None
        beyond = high - low - self.moved(sample, large) + self.moved(sample, small)
        elements = large**2 - small**2 if matrix else large - small
        price = max(beyond / elements, FLOOR)
        self.table = replace(self.table, elementwise={**self.table.elementwise, op: round(price, 4)})

    def _sized(self, name: str, sample: Sample, start: float) -> None:
        """Points of a rate that depends on size, each slower than the one before."""
        op = name.partition(" ")[0]
        of_matrices = op in LINALG or op in ("matmul", "gram", "triangular_product", *PART_OF)
        assert sample.operations is not None
        points: list[tuple[float, float]] = []
        for n in MATRICES if of_matrices else VECTORS:
            if op == "convolve" and n > 4096:
                break
            time = self.clock(sample, n)
            assert time is not None
            least = points[-1][1] * 1.01 if points else FLOOR
            beyond = max(time - self._called(sample) - start - self.moved(sample, n), least)
            points.append((float(sample.operations(n)), beyond))
        self._enter(name, tuple(points))

    def _enter(self, name: str, points: Points) -> None:
        work, rate = {**self.table.work, name: points}, points[-1][1] / points[-1][0]
        if name == "matmul":
            self.table = replace(self.table, work=work, flop=rate)
        elif name in LINALG:
            self.table = replace(self.table, work=work, linalg={**self.table.linalg, name: rate})
        else:
            self.table = replace(self.table, work=work)
