"""The suite `sparse`: sparse Jacobians and Hessians beside dense ones by egc and `jax.jit`, and beside JAX with a coloring by hand.

What JAX gets by hand are the seeds that egc found: it makes the products, and NumPy picks the elements.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.harness import Effort, interleaved_medians, require_agreement
from benchmarks.loops import patience
from benchmarks.processes import report_failures, rows_from_processes, write_json
from benchmarks.report import microseconds
from benchmarks.sparse_programs import PROBLEMS, Problem

EFFORT = Effort(rounds=15, budget=2.0, least=1)
QUICK = Effort(rounds=5, turn=0.0005, budget=0.2, least=1)
PATIENCE = 120
"""Seconds after which a first call is given up."""
COLUMNS = ("egc", "egc by NumPy", "jax by hand", "egc dense", "jax dense")


def egc_calls(problem: Problem, arguments: tuple[Any, ...]) -> dict[str, Callable[[], Any]]:
    import egc

    derivative = egc.jacobian if problem.order == 1 else egc.hessian
    function = problem.make(np)
    sparse, dense = derivative(function, sparse=True), derivative(function)
    optimized = egc.optimize(sparse)
    return {
        "egc": lambda: optimized(*arguments),
        "egc by NumPy": lambda: sparse(*arguments),
        "egc dense": lambda: dense(*arguments),
    }


def jax_calls(problem: Problem, arguments: tuple[Any, ...], compression: Any) -> dict[str, Callable[[], Any]]:
    import jax

    twin = problem.make(jax.numpy)
    derivative = jax.jacfwd if problem.order == 1 else jax.hessian
    dense = jax.jit(derivative(twin), static_argnums=problem.static)
    own = [each if k in problem.static else jax.numpy.asarray(each) for k, each in enumerate(arguments)]
    (part,) = compression.parts
    seeds = jax.numpy.asarray(part.seeds)

    def products(x: Any, *rest: Any) -> Any:
        function = twin if problem.order == 1 else jax.grad(twin)
        return jax.vmap(lambda seed: jax.jvp(lambda y: function(y, *rest), (x,), (seed,))[1])(seeds)

    compressed = jax.jit(products, static_argnums=problem.static)
    return {
        "jax by hand": lambda: compression.matrix([compressed(*own)], np.dtype(float)),
        "jax dense": lambda: jax.block_until_ready(dense(*own)),
    }


def row(problem: Problem, threads: int, quick: bool) -> dict[str, Any]:
    """Seconds of all that agree with each other, at random elements and in the products with a vector."""
    import egc

    arguments = problem.arguments(quick)
    derivative = egc.jacobian if problem.order == 1 else egc.hessian
    sparse = derivative(problem.make(np), sparse=True)
    expected = sparse(*arguments)
    compression = sparse.compression(*arguments)
    calls = egc_calls(problem, arguments) | jax_calls(problem, arguments, compression)
    failed: dict[str, str] = {}
    first: dict[str, float] = {}
    direction = np.random.default_rng(1).normal(size=expected.shape[1])
    for name in COLUMNS:
        try:
            with patience(PATIENCE):
                start = time.perf_counter()
                found = calls[name]()
                first[name] = time.perf_counter() - start
            require_agreement(problem.name, [found @ direction], [expected @ direction], 1e-8)
            del found
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            del calls[name]
    seconds = interleaved_medians(calls, QUICK if quick else EFFORT, warm=True)
    return {
        "name": problem.name,
        "threads": threads,
        "unknowns": expected.shape[1],
        "products": compression.count,
        "elements": expected.nnz,
        "seconds": seconds,
        "first": first,
        "failed": failed,
    }


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows for one number of threads, in this process; each is told on stderr as soon as it is measured."""
    os.environ.update(EGC_CACHE_DIR="off", EGC_RAISE="1", JAX_ENABLE_X64="1")
    rows = []
    for problem in PROBLEMS:
        if options.only is None or options.only in problem.name:
            rows.append(row(problem, options.threads[0], options.quick))
            seconds = rows[-1]["seconds"]
            cells = [f"{name} {microseconds(seconds[name])}" for name in COLUMNS if name in seconds]
            print(f"{problem.name}: {', '.join(cells)}", file=sys.stderr, flush=True)
    return rows


def print_table(rows: list[dict[str, Any]]) -> None:
    table = Table(title="microseconds of a sparse derivative")
    for name in (
        "problem",
        "threads",
        "unknowns",
        "products",
        *COLUMNS,
        "egc dense/egc",
        "jax dense/egc",
        "first call",
    ):
        table.add_column(name, justify="left" if name == "problem" else "right")
    for found in rows:
        seconds = found["seconds"]
        times = [microseconds(seconds[name]) if name in seconds else "-" for name in COLUMNS]
        ratios = [
            f"{seconds[name] / seconds['egc']:.0f}" if name in seconds and "egc" in seconds else "-"
            for name in ("egc dense", "jax dense")
        ]
        first = f"{found['first']['egc']:.1f} s" if "egc" in found["first"] else "-"
        numbers = map(str, (found["threads"], found["unknowns"], found["products"]))
        table.add_row(found["name"], *numbers, *times, *ratios, first)
    Console(width=None if Console().is_terminal else 200).print(table)


def run(options: argparse.Namespace) -> int:
    """Prints the table and writes what is asked for; 1 where one failed or disagrees."""
    rows = rows_from_processes(options)
    print_table(rows)
    if options.json:
        write_json(rows, options.json)
    return report_failures(rows)
