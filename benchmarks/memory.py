"""The suite `memory`: what the gradient of a leapfrog loop keeps, backward by its reverse and by stored states, over many steps.

Each point is a process of its own, which compiles for a few steps first. After that its peak is forgotten (Linux), and one
gradient of all steps is taken. Beside it stands a `while` loop until convergence: its reverse, and the derivative that the
implicit function theorem gives.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.harness import Effort, interleaved_medians, thread_environment
from benchmarks.processes import write_json

METHODS = ("reversible", "stored")
STEPS = (100, 1_000, 10_000, 100_000, 1_000_000)
FEW = 10
PENDULUMS = 32
TIMES_FORWARD = 4.0
"""How many times the forward loop's time a gradient may take."""
TOLERANCE = 1e-13


def leapfrog(x, v, strength, h, steps):
    for _ in range(steps):
        v = v - 0.5 * h * strength * np.sin(x)
        x = x + h * v
        v = v - 0.5 * h * strength * np.sin(x)
    return np.sum(x**2) + np.sum(v**2)


def roots_by_newton(a):
    """The sum of what solves x = a cos(x)."""
    x = np.ones_like(a)
    change = np.ones_like(a)
    while np.max(np.abs(change)) > TOLERANCE:
        change = (x - a * np.cos(x)) / (1.0 + a * np.sin(x))
        x = x - change
    return np.sum(x)


def implicit_derivative(a):
    """The derivative of `roots_by_newton`: that of x - a cos(x) = 0 by a and by x."""
    x = np.ones_like(a)
    for _ in range(50):
        x = x - (x - a * np.cos(x)) / (1.0 + a * np.sin(x))
    return np.cos(x) / (1.0 + a * np.sin(x))


def starts() -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    return rng.normal(size=PENDULUMS), rng.normal(size=PENDULUMS), rng.uniform(0.5, 1.5, PENDULUMS), 0.01


def _status(name: str) -> int:
    """Bytes that the system counts for this process under a name; 0 where it does not tell."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))
    except (OSError, StopIteration):
        return 0


def _forget_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def _seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def point(method: str, steps: int) -> dict[str, Any]:
    """One gradient by a method: its peak, what it took above the memory before, its time and that of the forward loop."""
    import egc

    forward = egc.optimize(leapfrog)
    gradient = egc.optimize(egc.grad(leapfrog, (0, 1, 2), reverse=method))
    given = starts()
    for few in (FEW, 2 * FEW):
        forward(*given, few)
        gradient(*given, few)
    times = [_seconds(lambda: forward(*given, steps))[0] for _ in range(3 if steps < STEPS[-1] else 1)]
    _forget_peak()
    before = _status("VmRSS")
    seconds, found = _seconds(lambda: gradient(*given, steps))
    peak = _status("VmHWM")
    if steps < STEPS[-1]:
        seconds = min(seconds, *(_seconds(lambda: gradient(*given, steps))[0] for _ in range(2)))
    return {
        "method": method, "steps": steps, "peak": peak, "taken": peak - before, "seconds": seconds, "forward": min(times),
        "gradient": [each.tolist() for each in found],
    }  # fmt: skip


def points(options: argparse.Namespace) -> list[dict[str, Any]]:
    rows = []
    environment = {**thread_environment(1), "EGC_CACHE_DIR": "off", "EGC_RAISE": "1"}
    for steps in STEPS[:3] if options.quick else STEPS:
        for method in METHODS:
            command = [sys.executable, "-m", "benchmarks.memory", method, str(steps)]
            done = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, text=True)
            rows.append(json.loads(done.stdout))
        mine, others = ([np.array(each) for each in row.pop("gradient")] for row in rows[-2:])
        apart = max(float(np.max(np.abs(a - b)) / np.max(np.abs(b))) for a, b in zip(mine, others))
        rows[-2]["apart"] = apart
        print(f"{steps} steps: {rows[-2]['taken']:,} and {rows[-1]['taken']:,} bytes", file=sys.stderr, flush=True)
    return rows


def converged() -> dict[str, Any]:
    """How far the reverse of Newton's iteration is from the implicit derivative and from central differences, and both times."""
    os.environ.update(EGC_CACHE_DIR="off", EGC_RAISE="1")
    import egc

    a = np.linspace(0.2, 1.8, 200)
    value, gradient = egc.optimize(roots_by_newton), egc.optimize(egc.grad(roots_by_newton))
    exact, found = implicit_derivative(a), gradient(a)
    direction, h = np.cos(np.arange(len(a))), 1e-5
    difference = (value(a + h * direction) - value(a - h * direction)) / (2 * h)
    seconds = interleaved_medians({"value": lambda: value(a), "gradient": lambda: gradient(a)}, Effort(rounds=9))
    return {
        "from the implicit derivative": float(np.max(np.abs(found - exact)) / np.max(np.abs(exact))),
        "from central differences": float(abs(difference - found @ direction) / abs(difference)),
        "seconds": seconds,
    }


def plot(rows: Sequence[dict[str, Any]], file: Path) -> None:
    """Bytes above those before the call, and times of the forward loop, over the number of steps."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    matplotlib.rcParams.update({"svg.hashsalt": "egc", "svg.fonttype": "none"})
    figure, (memory, times) = pyplot.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    for method, marker in zip(METHODS, "os"):
        own = [row for row in rows if row["method"] == method]
        steps = [row["steps"] for row in own]
        memory.plot(steps, [max(row["taken"], 1) / 2**20 for row in own], marker=marker, label=method)
        times.plot(steps, [row["seconds"] / row["forward"] for row in own], marker=marker, label=method)
    times.axhline(TIMES_FORWARD, color="grey", linewidth=0.8)
    memory.set(title="peak above the memory before", ylabel="MiB", yscale="symlog")
    times.set(title="gradient's time", ylabel="times the forward loop", ylim=(0, None))
    for axes in (memory, times):
        axes.set(xlabel="steps", xscale="log")
        axes.grid(linewidth=0.3)
    memory.legend()
    figure.savefig(file, dpi=150, metadata={"Date": None} if file.suffix == ".svg" else {})
    pyplot.close(figure)


def run(options: argparse.Namespace) -> int:
    """Prints the points and how the convergent loop's derivatives agree, and writes what is asked for."""
    rows, newton = points(options), converged()
    table = Table(title="gradient of a leapfrog loop")
    for name in ("steps", "reverse", "peak MiB", "above before MiB", "ms", "times forward", "apart"):
        table.add_column(name, justify="right")
    for row in rows:
        ratio, apart = row["seconds"] / row["forward"], f"{row['apart']:.1e}" if "apart" in row else ""
        sizes = (f"{row['peak'] / 2**20:.1f}", f"{row['taken'] / 2**20:.2f}")
        table.add_row(f"{row['steps']:,}", row["method"], *sizes, f"{1e3 * row['seconds']:.3g}", f"{ratio:.2f}", apart)
    Console(width=None if Console().is_terminal else 120).print(table)
    for name, value in newton.items():
        if name != "seconds":
            print(f"while loop until convergence, its reverse {name}: {value:.1e}")
    print(f"  {newton['seconds']['gradient'] / newton['seconds']['value']:.2f} times the value's time")
    if options.plot:
        plot(rows, options.plot)
    if options.json:
        write_json(rows, options.json, converged=newton)
    return 0


if __name__ == "__main__":
    print(json.dumps(point(sys.argv[1], int(sys.argv[2]))))
