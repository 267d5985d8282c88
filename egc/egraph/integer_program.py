"""The choice of one e-node for each class that is used, as an integer program for SciPy's `milp` (HiGHS)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from egc.egraph.decode import ENode
from egc.egraph.extractor import Choice

SCALE = 1000.0
"""The cost that is known in the solver's units, whose tolerances are absolute."""

SAME = 1e-7
"""Relative difference below which two costs are the same to the solver."""

INFEASIBLE = 2
"""The status of `milp` where nothing meets the constraints."""


class IntegerProgram:
    """One variable for each e-node: whether it is chosen.

    candidates: the e-nodes of each class, in an order that is always the same. always: the classes that every choice uses. most:
    the cost of a choice that is known.
    """

    def __init__(
        self,
        candidates: Mapping[int, Sequence[ENode]],
        always: Sequence[int],
        cost: Callable[[ENode], float],
        most: float,
    ):
        self.unit = most / SCALE
        self.enodes = [(number, enode) for number, enodes in candidates.items() for enode in enodes]
        self.columns: dict[int, list[int]] = {number: [] for number in candidates}
        self.edges: dict[tuple[int, int], list[int]] = {}
        for column, (number, enode) in enumerate(self.enodes):
            self.columns[number].append(column)
            for child in dict.fromkeys(enode.children):
                self.edges.setdefault((number, child), []).append(column)
        self.costs = [cost(enode) / self.unit for _, enode in self.enodes]
        self.rows: list[dict[int, float]] = []
        self.lower: list[float] = []
        self.upper: list[float] = []
        for number, columns in self.columns.items():
            self._row(dict.fromkeys(columns, 1.0), float(number in always), 1.0)
        for (_, child), columns in self.edges.items():
            self._row({**dict.fromkeys(columns, 1.0), **dict.fromkeys(self.columns[child], -1.0)}, -1.0, 0.0)
        self._row(dict(enumerate(self.costs)), 0.0, SCALE * (1 + SAME))
        position = {number: place for place, number in enumerate(candidates)}
        self.cut((a, b) for a, b in self.edges if position[a] < position[b] and (b, a) in self.edges)

    def _row(self, coefficients: dict[int, float], lower: float, upper: float) -> None:
        self.rows.append(coefficients)
        self.lower.append(lower)
        self.upper.append(upper)

    def cut(self, cycles: Iterable[Sequence[int]]) -> None:
        """No choice goes around one of the cycles: of its classes that are used, one has another e-node."""
        for cycle in cycles:
            around = [column for pair in zip(cycle, (*cycle[1:], cycle[0])) for column in self.edges[pair]]
            for left_out in cycle:
                row = dict.fromkeys(around, 1.0)
                for number in cycle:
                    if number != left_out:
                        for column in self.columns[number]:
                            row[column] = row.get(column, 0.0) - 1.0
                self._row(row, -math.inf, 0.0)

    def solve(self, nodes: int, seconds: float) -> tuple[float, Choice | None]:
        """A bound that is proved, and the best choice found, which may have cycles."""
        import numpy as np
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_array

        starts = np.cumsum([0, *map(len, self.rows)])
        columns = np.array([column for row in self.rows for column in row], dtype=np.int32)
        values = np.array([value for row in self.rows for value in row.values()])
        matrix = csr_array((values, columns, starts), shape=(len(self.rows), len(self.enodes)))
        result = milp(
            self.costs,
            integrality=np.ones(len(self.enodes)),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(matrix, self.lower, self.upper),
            options={"node_limit": nodes, "time_limit": max(seconds, 0.0), "mip_rel_gap": 0.0},
        )
        if result.status == INFEASIBLE:
            return math.inf, None
        bound = result.mip_dual_bound if result.mip_dual_bound is not None else 0.0
        if result.x is None:
            return bound * self.unit, None
        taken = [self.enodes[column] for column in np.flatnonzero(result.x > 0.5)]
        return bound * self.unit, dict(taken)
