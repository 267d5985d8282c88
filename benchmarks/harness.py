"""Interleaved medians of peers that have been checked to agree, and what they ran on."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

PACKAGES = ("egc", "numpy", "scipy", "numba", "jax", "torch", "numexpr", "pytensor", "egglog")
THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "NUMEXPR_NUM_THREADS",
    "NUMEXPR_MAX_THREADS", "VECLIB_MAXIMUM_THREADS", "EGC_NUM_THREADS",
)  # fmt: skip


class Disagreement(AssertionError):
    """A peer computes something else than NumPy."""


@dataclass(frozen=True)
class Effort:
    """How long to measure: rounds, the least seconds for one peer's turn in a round, and about how many seconds for all
    rounds together. What takes long, or far longer than the fastest, has `least` rounds; what does both has one.

    Turns are shorter than the time slice of a busy machine, so that most of them are not interrupted.
    """

    rounds: int = 31
    turn: float = 0.001
    budget: float = 2.0
    least: int = 3


QUICK = Effort(rounds=7, turn=0.0005)
FAR = 4.0
"""What takes so many times the fastest is not measured to the last per cent."""


def thread_environment(threads: int) -> dict[str, str]:
    """The environment of a process whose libraries use this many threads."""
    flags = f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'} intra_op_parallelism_threads={threads}"
    return {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads)), "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}


def pin(threads: int) -> None:
    """Keeps this process on as many cores, for libraries that do not listen to the environment: the last ones, because
    systems prefer the first for work of their own."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])


def require_agreement(name: str, result: Any, expected: Any, rtol: float = 1e-8) -> None:
    """Raises Disagreement where a result differs from NumPy's by more than `rtol` of its largest magnitude, or at all
    if it holds integers or truth values."""
    ours, theirs = (list(r) if isinstance(r, (tuple, list)) else [r] for r in (result, expected))
    if len(ours) != len(theirs):
        raise Disagreement(f"{name}: {len(ours)} results instead of {len(theirs)}")
    for a, b in zip(map(np.asarray, ours), map(np.asarray, theirs)):
        if b.dtype.kind in "biu":
            if a.dtype.kind != b.dtype.kind or not np.array_equal(a, b):
                raise Disagreement(f"{name}: the result differs from NumPy's")
            continue
        finite = np.abs(b[np.isfinite(b)])
        scale = float(np.max(finite, initial=0.0))
        if a.shape != b.shape or not np.allclose(a, b, rtol=rtol, atol=rtol * scale, equal_nan=True):
            raise Disagreement(f"{name}: the result differs from NumPy's")


def interleaved_medians(calls: Mapping[str, Callable[[], Any]], effort: Effort, warm: bool = False) -> dict[str, float]:
    """Median seconds of one call of each, measured in turns, so that a drift of the machine meets all alike.

    Each is called until it is warm, unless they are `warm`; a turn repeats the call until it takes `effort.turn`
    seconds, and the order of turns rotates from round to round.
    """
    repeats: dict[str, int] = {}
    turns: dict[str, float] = {}
    for name, call in calls.items():
        repeats[name], turns[name] = _repeats(call, effort.turn, warm)
    fastest = min((turns[name] / repeats[name] for name in calls), default=0.0)
    near = {name for name in calls if turns[name] <= FAR * fastest * repeats[name] or turns[name] < 2 * effort.turn}
    spent = sum(turns[name] for name in near)
    rounds = max(effort.least, min(effort.rounds, int(effort.budget / spent) if spent else effort.rounds))
    long = {name for name in calls if name not in near and turns[name] > effort.budget / 4}
    samples: dict[str, list[float]] = {name: [turns[name] / repeats[name]] if name in long else [] for name in calls}
    order = [name for name in calls if name not in long]
    for k in range(rounds):
        for name in order:
            if k >= effort.least and name not in near:
                continue
            samples[name].append(_seconds(calls[name], repeats[name]) / repeats[name])
        order.append(order.pop(0))
    return {name: statistics.median(values) for name, values in samples.items()}


def _seconds(call: Callable[[], Any], count: int) -> float:
    """Seconds of so many calls. One with a method `prepare` is timed call by call, without what that does before each."""
    prepare = getattr(call, "prepare", None)
    if prepare is None:
        start = time.perf_counter()
        for _ in range(count):
            call()
        return time.perf_counter() - start
    total = 0.0
    for _ in range(count):
        prepare()
        start = time.perf_counter()
        call()
        total += time.perf_counter() - start
    return total


def _repeats(call: Callable[[], Any], turn: float, warm: bool) -> tuple[int, float]:
    """How often to call in a turn, and about how many seconds the turn takes."""
    if not warm:
        _seconds(call, 1)
    count = 1
    while True:
        seconds = _seconds(call, count)
        if seconds >= turn / 2:
            wanted = max(1, round(count * turn / seconds))
            return wanted, wanted * seconds / count
        count *= 4


def machine() -> dict[str, Any]:
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def versions(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    found = {}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
