"""The suite `derivatives`: values and gradients in one call, beside `jax.jit`, PyTensor, and adjoints written by hand for numba.

What egc gets is the function as written with NumPy. First calls count with nothing on disk.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.derivative_programs import PROBLEMS, Problem
from benchmarks.harness import Effort, interleaved_medians, require_agreement
from benchmarks.loops import patience
from benchmarks.processes import report_failures, rows_from_processes, write_json
from benchmarks.report import geometric_mean, microseconds

EFFORT = Effort(rounds=15, budget=1.0)
QUICK = Effort(rounds=5, turn=0.0005, budget=0.2)
PATIENCE = 90
"""Seconds after which a first call is given up."""
COMPILERS = ("jax", "pytensor")
COLUMNS = ("egc value", "egc", "by hand", *COMPILERS)
NEAR = 1.25
"""How many times as long as the adjoint by hand it may take."""
TIMES_VALUE = 3.0
"""How many times as long as its optimized value a gradient may take."""
PATIENT = 3.0
"""Seconds that a first call may take."""


def leaves(result: Any) -> list[np.ndarray]:
    """The arrays in nested tuples and lists, in order."""
    if isinstance(result, (tuple, list)):
        return [leaf for each in result for leaf in leaves(each)]
    return [np.asarray(result)]


def _places(problem: Problem) -> tuple[int, ...]:
    return problem.argnums if isinstance(problem.argnums, tuple) else (problem.argnums,)


def with_jax(problem: Problem, arguments: tuple[Any, ...]) -> Callable[[], Any]:
    import jax

    from benchmarks.peers import derivatives_jax

    twin = derivatives_jax.function(problem.name)
    function = jax.jit(jax.value_and_grad(twin, problem.argnums), static_argnums=problem.static)
    own = [each if k in problem.static else jax.tree.map(jax.numpy.asarray, each) for k, each in enumerate(arguments)]
    return lambda: jax.block_until_ready(function(*own))


def with_pytensor(problem: Problem, arguments: tuple[Any, ...]) -> Callable[[], Any] | None:
    from benchmarks.peers import derivatives_pytensor

    if not hasattr(derivatives_pytensor, problem.name):
        return None
    return derivatives_pytensor.value_and_grad(problem.name, arguments, _places(problem))


def by_hand(problem: Problem, arguments: tuple[Any, ...]) -> Callable[[], Any] | None:
    from benchmarks.peers import derivatives_numba

    function = getattr(derivatives_numba, problem.name, None)
    return None if function is None else lambda: function(*arguments)


def row(problem: Problem, threads: int, effort: Effort, peers: Sequence[str]) -> dict[str, Any]:
    """Seconds of all that agree: values with NumPy's, gradients with JAX's or, without JAX, with the first that has one."""
    import egc

    arguments = problem.arguments()
    value = [np.asarray(problem.function(*arguments))]
    expected: list[np.ndarray] = []
    calls: dict[str, Callable[[], Any]] = {}
    failed: dict[str, str] = {}
    first: dict[str, float] = {}

    def add(name: str, make: Callable[[], Callable[[], Any] | None]) -> None:
        try:
            with patience(PATIENCE):
                start = time.perf_counter()
                call = make()
                if call is None:
                    return
                result = leaves(call())
                first[name] = time.perf_counter() - start
            require_agreement(problem.name, result[:1], value, problem.tolerance)
            if name != "egc value":
                if not expected:
                    expected.extend(result)
                require_agreement(problem.name, result, expected, problem.tolerance)
            calls[name] = call
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"

    makers: dict[str, Callable[[Problem, tuple[Any, ...]], Callable[[], Any] | None]] = {
        "jax": with_jax, "by hand": by_hand, "pytensor": with_pytensor,
    }  # fmt: skip
    for name in peers:
        add(name, lambda name=name: makers[name](problem, arguments))  # type: ignore[misc]
    for name, function in (
        ("egc value", egc.optimize(problem.function)),
        ("egc", egc.optimize(egc.value_and_grad(problem.function, problem.argnums))),
    ):
        add(name, lambda function=function: lambda: function(*arguments))  # type: ignore[misc]
    seconds = interleaved_medians(calls, effort, warm=True)
    return {"name": problem.name, "threads": threads, "seconds": seconds, "first": first, "failed": failed}


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows for one number of threads, in this process; each is told on stderr as soon as it is measured."""
    os.environ.update(EGC_CACHE_DIR="off", EGC_RAISE="1")
    rows = []
    peers = ("jax", "by hand") if options.quick else ("jax", "by hand", "pytensor")
    for problem in PROBLEMS:
        if options.only is None or options.only in problem.name:
            found = row(problem, options.threads[0], QUICK if options.quick else EFFORT, peers)
            rows.append(found)
            cells = [f"{name} {microseconds(found['seconds'][name])}" for name in COLUMNS if name in found["seconds"]]
            cells += [f"{name} FAILED ({why[:200]})" for name, why in found["failed"].items()]
            print(f"{problem.name}: {', '.join(cells)}", file=sys.stderr, flush=True)
    return rows


def ratio(found: dict[str, Any], slower: Sequence[str], faster: str = "egc") -> float | None:
    """How many times as long as one the best of others takes; None where there is none."""
    seconds = found["seconds"]
    best = min((seconds[name] for name in slower if name in seconds), default=None)
    return best / seconds[faster] if best is not None and faster in seconds else None


def ratios(found: dict[str, Any]) -> dict[str, float | None]:
    """Of the time by hand, of the best compiler's, and how many times the value's time the gradient takes."""
    hand = ratio(found, ["egc"], "by hand")
    return {
        "egc/hand": hand,
        "compilers/egc": ratio(found, COMPILERS),
        "gradient/value": ratio(found, ["egc"], "egc value"),
    }


def print_table(rows: Sequence[dict[str, Any]]) -> None:
    table = Table(title="microseconds of a value and its gradient")
    names = ("egc/hand", "compilers/egc", "gradient/value")
    for name in ("problem", "threads", *COLUMNS, *names, "first call"):
        table.add_column(name, justify="left" if name == "problem" else "right")
    for found in rows:
        times = [microseconds(found["seconds"][name]) if name in found["seconds"] else "-" for name in COLUMNS]
        cells = ["-" if each is None else f"{each:.2f}" for each in ratios(found).values()]
        first = f"{found['first']['egc']:.1f} s" if "egc" in found["first"] else "-"
        table.add_row(found["name"], str(found["threads"]), *times, *cells, first)
    Console(width=None if Console().is_terminal else 160).print(table)


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the rows of one number of threads come to."""
    found = {row["name"]: ratios(row) for row in rows}

    def above(name: str, limit: float) -> list[list[Any]]:
        pairs = [(each[name], problem) for problem, each in found.items()]
        return [[problem, value] for value, problem in sorted(p for p in pairs if p[0] is not None) if value > limit]

    late = [[row["name"], row["first"]["egc"]] for row in rows if row["first"].get("egc", 0.0) > PATIENT]
    return {
        "threads": rows[0]["threads"],
        "problems": len(rows),
        "over the best of JAX and PyTensor": geometric_mean(each["compilers/egc"] for each in found.values()),
        "over by hand": geometric_mean(ratio(row, ["by hand"]) for row in rows),
        f"more than {NEAR} of the time by hand": above("egc/hand", NEAR),
        f"more than {TIMES_VALUE:.0f} times the value's time": above("gradient/value", TIMES_VALUE),
        f"first call above {PATIENT:.0f} s": late,
    }


def print_summary(found: dict[str, Any]) -> None:
    print(f"\n{found['threads']} thread(s), {found['problems']} problems; geometric means:")
    for name, value in found.items():
        if isinstance(value, list):
            print(f"  {name}: {len(value)}")
            for problem, each in value:
                print(f"    {problem}: {each:.2f}")
        elif name.startswith("over"):
            print(f"  {name}: {value:.2f}x")


def run(options: argparse.Namespace) -> int:
    """Prints the table and its summary, and writes what is asked for; 1 where one failed or disagrees."""
    rows = rows_from_processes(options)
    print_table(rows)
    summaries = [summary([each for each in rows if each["threads"] == n]) for n in options.threads]
    for found in summaries:
        print_summary(found)
    if options.json:
        write_json(rows, options.json, summary=summaries)
    return report_failures(rows)
