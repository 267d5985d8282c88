"""The suite `linalg`: expressions of linear algebra, as written, beside the form that an expert writes with SciPy.

Other peers get the same function as egc, in their own arrays: `jax.jit`, PyTensor and, where it is installed, PyTorch. The first
seventeen are the linear-algebra-awareness benchmark, on float32; the others are on float64. First calls count with nothing on
disk, in a process that has the rules and helpers of the rows before: `--only NAME` gives that of a new process.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.expressions import EXPRESSIONS, Expression
from benchmarks.harness import Disagreement, Effort, interleaved_medians, require_agreement
from benchmarks.peers import expressions
from benchmarks.processes import report_failures, rows_from_processes, write_json
from benchmarks.report import geometric_mean

SIZES = {"float32": 1500, "float64": 400}
"""Rows of a usual matrix; for `--quick`, a third."""

EFFORT = Effort(rounds=11, budget=2.0)
QUICK = Effort(rounds=5, turn=0.0005, budget=0.5)
TOLERANCE = {"float32": 2e-3, "float64": 1e-7}
PEERS = ("numpy", "jax", "pytorch", "pytensor")
NEAR = {"float32": 1.05, "float64": 1.25}
"""How many times the expert's time, or a peer's, egc may take."""

GROUPS = {"float32": "awareness", "float64": "further"}
"""The expressions of one dtype; `--only` takes these names too."""


def in_library(function: Callable[..., Any], numpy: Any, linalg: Any) -> Callable[..., Any]:
    """The function with another library's module for `np` and `linalg`."""
    names = {**vars(expressions), "np": numpy, "linalg": linalg}
    return types.FunctionType(function.__code__, names, function.__name__)


def with_jax(expression: Expression, arguments: Sequence[Any]) -> Callable[[], Any]:
    import jax
    import jax.scipy.linalg

    jax.config.update("jax_enable_x64", True)
    function = jax.jit(in_library(expression.function, jax.numpy, jax.scipy.linalg))
    own = [jax.numpy.asarray(each) for each in arguments]
    return lambda: jax.block_until_ready(function(*own))


def with_pytorch(expression: Expression, arguments: Sequence[Any]) -> Callable[[], Any]:
    """Compiled for the CPU; what has no operand has the dtype of the others, as in NumPy."""
    import torch

    from benchmarks.peers import torch_numpy

    torch.set_default_dtype(getattr(torch, expression.dtype))
    function = torch.compile(in_library(expression.function, torch_numpy.numpy, torch_numpy.linalg))
    own = [torch.as_tensor(each) for each in arguments]
    return lambda: function(*own)


def with_pytensor(expression: Expression, arguments: Sequence[Any]) -> Callable[[], Any]:
    import pytensor
    import pytensor.tensor as pt

    symbols = [pt.tensor(dtype=each.dtype, shape=(None,) * np.ndim(each)) for each in map(np.asarray, arguments)]
    found = in_library(expression.function, pt, pt.linalg)(*symbols)
    outputs = list(found) if isinstance(found, tuple) else found
    function = pytensor.function(symbols, outputs, mode="NUMBA", trust_input=True)
    own = [np.asarray(each) for each in arguments]
    return lambda: function(*own)


OTHERS = {"jax": with_jax, "pytorch": with_pytorch, "pytensor": with_pytensor}


def leaves(result: Any) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in result] if isinstance(result, (tuple, list)) else [np.asarray(result)]


def row(expression: Expression, n: int, threads: int, effort: Effort) -> dict[str, Any]:
    """Seconds of all that agree with NumPy; under `failed`, why others are missing."""
    import egc

    arguments, tolerance = expression.make(n), TOLERANCE[expression.dtype]
    expected = leaves(expression.function(*arguments))
    optimized = egc.optimize(expression.function, assume=expression.assume)
    failed: dict[str, str] = {}
    start = time.perf_counter()
    optimized(*arguments)
    first = time.perf_counter() - start
    calls: dict[str, Callable[[], Any]] = {
        "egc": lambda: optimized(*arguments),
        "by hand": lambda: expression.by_hand(*arguments),
        "numpy": lambda: expression.function(*arguments),
    }
    for name, make in OTHERS.items():
        try:
            calls[name] = make(expression, arguments)
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    agreeing = {}
    for name, call in calls.items():
        try:
            require_agreement(expression.name, leaves(call()), expected, tolerance)
            agreeing[name] = call
        except Disagreement as error:
            failed[name] = str(error)
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    seconds = interleaved_medians(agreeing, effort, warm=True)
    return {
        "name": expression.name, "dtype": expression.dtype, "n": n, "threads": threads, "seconds": seconds, "first": first,
        "failed": failed,
    }  # fmt: skip


def ratio(found: dict[str, Any], peer: str) -> float | None:
    """How many times faster than a peer egc is; None where either is missing."""
    seconds = found["seconds"]
    return seconds[peer] / seconds["egc"] if peer in seconds and "egc" in seconds else None


def near(found: dict[str, Any], peer: str = "by hand") -> bool:
    """Whether egc takes no longer than it may beside the expert's form, or a peer."""
    times = ratio(found, peer)
    return times is not None and times * NEAR[found["dtype"]] >= 1


def behind(found: dict[str, Any], peer: str) -> bool:
    return peer in found["seconds"] and not near(found, peer)


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows for one number of threads, in this process. First calls count with nothing on disk."""
    os.environ.update(EGC_CACHE_DIR="off", EGC_RAISE="1")
    rows = []
    for expression in EXPRESSIONS:
        if options.only is None or options.only in expression.name or options.only == GROUPS[expression.dtype]:
            n = SIZES[expression.dtype] // (3 if options.quick else 1)
            rows.append(row(expression, n, options.threads[0], QUICK if options.quick else EFFORT))
            times = ratio(rows[-1], "by hand")
            print(f"{expression.name}: {'-' if times is None else f'{times:.2f}'}", file=sys.stderr, flush=True)
    return rows


def print_table(rows: Sequence[dict[str, Any]]) -> None:
    table = Table(title="microseconds of egc, and how many times faster it is")
    for name in ("expression", "dtype", "n", "threads", "egc", "by hand", *PEERS, "first call"):
        table.add_column(name, justify="left" if name in ("expression", "dtype") else "right")
    for found in rows:
        time_ = found["seconds"].get("egc")
        cells = [ratio(found, peer) for peer in ("by hand", *PEERS)]
        texts = ["-" if each is None else f"{each:.2f}" for each in cells]
        own = "-" if time_ is None else f"{1e6 * time_:.1f}"
        sizes = (found["dtype"], str(found["n"]), str(found["threads"]))
        table.add_row(found["name"], *sizes, own, *texts, f"{found['first']:.2f} s")
    Console(width=None if Console().is_terminal else 160).print(table)


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the rows of one number of threads come to, for the awareness benchmark (float32) and the others."""
    found: dict[str, Any] = {"threads": rows[0]["threads"]}
    for dtype, what in GROUPS.items():
        own = [each for each in rows if each["dtype"] == dtype]
        found[what] = {
            "expressions": len(own),
            "as fast as by hand": sum(map(near, own)),
            "slower": sorted([each["name"], ratio(each, "by hand")] for each in own if not near(each)),
            "behind": sorted(
                [each["name"], peer, ratio(each, peer)] for each in own for peer in PEERS if behind(each, peer)
            ),
            "over": {peer: geometric_mean(ratio(each, peer) for each in own) for peer in ("by hand", *PEERS)},
            "slow first calls": sorted([each["name"], each["first"]] for each in own if each["first"] > 2),
        }
    return found


def print_summary(found: dict[str, Any]) -> None:
    for what in GROUPS.values():
        own = found[what]
        if not own["expressions"]:
            continue
        print(
            f"\n{what}, {found['threads']} thread(s): {own['as fast as by hand']} of {own['expressions']} as fast as by hand"
        )
        for name, times in own["slower"]:
            print(f"  {name}: {times:.2f}" if times is not None else f"  {name}: -")
        for name, peer, times in own["behind"]:
            print(f"  {name} is behind {peer}: {times:.2f}")
        for peer, times in own["over"].items():
            if not math.isnan(times):
                print(f"  over {peer}: {times:.2f}x")
        for name, seconds in own["slow first calls"]:
            print(f"  first call of {name}: {seconds:.1f} s")


def run(options: argparse.Namespace) -> int:
    """Prints the table and its summary, and writes what is asked for; 1 where egc or the form by hand disagrees with NumPy."""
    rows = rows_from_processes(options)
    print_table(rows)
    summaries = [summary([each for each in rows if each["threads"] == n]) for n in options.threads]
    for found in summaries:
        print_summary(found)
    if options.json:
        write_json(rows, options.json, summary=summaries)
    return report_failures(rows, "egc", "by hand")
