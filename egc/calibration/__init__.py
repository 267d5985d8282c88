"""A backend's cost table by measurement: times of one-op Programs, and prices that predict them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from egc.backend import Backend
from egc.calibration.clock import BackendClock, cache_sizes, machine, one_thread
from egc.calibration.fit import Fit
from egc.costtable import CostTable
from egc.errors import BackendError


def calibrate(
    backend: Backend, ops: Collection[str] | None = None, report: Callable[[str], None] = lambda text: None
) -> CostTable:
    """The table of a backend on this machine, on as many threads as its libraries use in this process.

    ops: those to time; None is all. report: is told each step. A backend's own method `calibrate(table)`, where it has
    one, gives the table that is returned: with what only the backend can measure. Prices inside of loops stay the backend's.
    """
    table = Fit(BackendClock(backend), cache_sizes(), backend.costs.fused, ops, report).fitted()
    given = backend.costs
    table = replace(table, unrolls=given.unrolls, scalar=given.scalar, inner=given.inner, entering=given.entering)
    own = getattr(backend, "calibrate", None)
    return table if own is None else own(table)


def calibrate_file(name: str, path: Path) -> None:
    """Measures the backend of that name in a process of one thread, which writes the table to `path`.

    Raises BackendError where that process fails; what it reports goes to standard error.
    """
    command = [sys.executable, "-m", "egc.calibration", name, str(path)]
    if subprocess.run(command, env=one_thread(), check=False).returncode:
        raise BackendError(f"the calibration of backend {name!r} failed; its output says why")


__all__ = ["calibrate", "calibrate_file", "machine"]
