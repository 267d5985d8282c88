"""A backend's cost table by measurement: times of one-op Programs, and prices that predict them."""

from __future__ import annotations

from collections.abc import Callable, Collection

from egc.backend import Backend
from egc.calibration.clock import BackendClock, cache_sizes, machine
from egc.calibration.fit import Fit
from egc.costtable import CostTable


def calibrate(
    backend: Backend, ops: Collection[str] | None = None, report: Callable[[str], None] = lambda text: None
) -> CostTable:
    """The table of a backend on this machine, on as many threads as its libraries use in this process.

    ops: those to time; None is all. report: is told each step. A backend's own method `calibrate(table)`, where it has
    one, gives the table that is returned: with what only the backend can measure.
    """
    table = Fit(BackendClock(backend), cache_sizes(), backend.costs.fused, ops, report).fitted()
    own = getattr(backend, "calibrate", None)
    return table if own is None else own(table)


__all__ = ["calibrate", "machine"]
