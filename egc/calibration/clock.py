"""How long a backend takes for a call, and what machine it runs on."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from egc.backend import Backend, Compiled
from egc.calibration.programs import Sample
from egc.ir import Program

try:
    import resource
except ImportError:
    resource = None  # type: ignore[assignment]

ROUNDS = 15
"""The least of this many turns is the time: what else runs on the machine only ever adds to it."""

LONGEST = 0.5
"""Seconds for all turns of one Program, where three turns do not take longer."""

LEVELS = (32 << 10, 1 << 20, 32 << 20)
"""The caches of a machine that does not tell."""


class BackendClock:
    """The nanoseconds of one call on a backend.

    turn: the seconds that a turn takes at least.
    """

    def __init__(self, backend: Backend, turn: float = 4e-4):
        self.backend, self.turn = backend, turn
        self._compiled: dict[Program, Compiled | None] = {}

    def __call__(self, sample: Sample, n: int) -> float | None:
        compiled = self._compile(sample.program)
        if compiled is None:
            return None
        arguments = sample.arguments(n)
        return least_seconds(lambda: compiled.run(*arguments), self.turn) * 1e9

    def _compile(self, program: Program) -> Compiled | None:
        if program not in self._compiled:
            lacking = self.backend.missing(program)
            self._compiled[program] = None if lacking else self.backend.compile(program)
        return self._compiled[program]


def least_seconds(call: Callable[[], Any], turn: float = 4e-4, rounds: int = ROUNDS) -> float:
    """The seconds of one call, the least of some turns of repeated ones."""
    call()
    call()
    count = 1
    while (seconds := _turn(call, count)) < turn:
        count = max(2 * count, int(count * turn / max(seconds, 1e-9)))
    turns = max(3, min(rounds, int(LONGEST / seconds)))
    return min(seconds, *(_turn(call, count) for _ in range(turns))) / count


def _turn(call: Callable[[], Any], count: int) -> float:
    """The seconds of some calls; those on a processor only, where another process has taken it away meanwhile."""
    losses, used, start = _processor_losses(), time.process_time(), time.perf_counter()
    for _ in range(count):
        call()
    seconds, used = time.perf_counter() - start, time.process_time() - used
    return min(seconds, used) if _processor_losses() != losses else seconds


def _processor_losses() -> int:
    """How often this process has lost its processor without having waited for anything."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw if resource is not None else 0


def cache_sizes() -> tuple[int, ...]:
    """The bytes of each data cache of the first processor, smallest first."""
    found = []
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            kind, size = ((folder / name).read_text().strip() for name in ("type", "size"))
        except OSError:
            continue
        if kind != "Instruction" and size.endswith("K"):
            found.append(int(size[:-1]) << 10)
    return tuple(sorted(set(found))) or LEVELS


def machine() -> dict[str, Any]:
    """What a table was measured on."""
    packages = {}
    for name in ("numpy", "scipy", "numba", "jax"):
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        **packages,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def one_thread() -> dict[str, str]:
    """The environment of a process whose libraries use one thread, as the prices of a table do."""
    names = "EGC OMP OPENBLAS MKL NUMBA".split()
    flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    return {
        **os.environ,
        **{f"{name}_NUM_THREADS": "1" for name in names},
        "VECLIB_MAXIMUM_THREADS": "1",
        "XLA_FLAGS": flags,
    }
