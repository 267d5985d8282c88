"""The suite `kernels`: functions that numerical programs are made of, on data that lies in the first cache, in the last,
and in memory."""

from __future__ import annotations

import argparse
import functools
import importlib
import sys
import warnings
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.cases import KERNELS, Arguments, Kernel, working_sets
from benchmarks.harness import QUICK, Disagreement, Effort, interleaved_medians, require_agreement
from benchmarks.peers import plain
from benchmarks.processes import rows_from_processes, write_json

LIBRARIES = {
    "jax": "benchmarks.peers.jax_numpy",
    "numexpr": "benchmarks.peers.numexpr_strings",
    "pytensor": "benchmarks.peers.pytensor_graphs",
}
LOOPS = ("numba", "numba fastmath", "numba parallel")
COLUMNS = ("numpy", *LOOPS, *LIBRARIES, "egc")


@functools.cache
def library(name: str) -> ModuleType | None:
    """The module of a peer's kernels; None where the peer is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


@functools.cache
def loops(name: str, variant: str) -> Callable[..., Any] | None:
    from benchmarks.peers import numba_loops

    return numba_loops.compiled(name, variant)


@functools.cache
def optimized(name: str) -> Callable[..., Any]:
    """One function for all sizes, as a user has it."""
    import egc

    return egc.optimize(getattr(plain, name))


@functools.cache
def graph(name: str, dtypes: tuple[str, ...], ranks: tuple[int, ...]) -> Callable[..., Any]:
    module = library(LIBRARIES["pytensor"])
    assert module is not None
    return module.compiled(getattr(module, name), dtypes, ranks)


def prepared(peer: str, kernel: Kernel, arguments: Arguments) -> Callable[[], Any] | None:
    """One call of a peer's kernel on its own kind of arrays; None where it has no such kernel."""
    function = loops(kernel.name, peer) if peer in LOOPS else getattr(library(LIBRARIES[peer]), kernel.name, None)
    if function is None:
        return None
    if peer == "jax":
        import jax

        own = tuple(map(jax.numpy.asarray, arguments))
        return lambda: jax.block_until_ready(function(*own))
    if peer == "pytensor":
        function = graph(kernel.name, tuple(a.dtype.name for a in arguments), tuple(a.ndim for a in arguments))
    return functools.partial(function, *arguments)


def egc_call(kernel: Kernel, arguments: Arguments) -> Callable[[], Any]:
    function = optimized(kernel.name)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        function(*arguments)
    if function.statistics.as_written:  # type: ignore[attr-defined]
        raise Disagreement(f"ran as written{''.join(f': {w.message}' for w in told)}")
    return functools.partial(function, *arguments)


def candidates(kernel: Kernel, arguments: Arguments, threads: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What makes each peer's call, by its name."""
    for peer in COLUMNS[1:-1]:
        if peer != "numba parallel" or threads > 1:
            yield peer, functools.partial(prepared, peer, kernel, arguments)
    yield "egc", functools.partial(egc_call, kernel, arguments)


def row(kernel: Kernel, label: str, size: int, threads: int, effort: Effort) -> dict[str, Any]:
    """Seconds of all peers that agree with NumPy, and under `failed` why others are missing."""
    from benchmarks.limits import limit

    arguments = kernel.make(np.random.default_rng(size), size)
    calls: dict[str, Callable[[], Any]] = {"numpy": functools.partial(getattr(plain, kernel.name), *arguments)}
    expected = calls["numpy"]()
    failed = {}
    rtol = 1e-4 if arguments[0].dtype == np.float32 else 1e-8
    for name, make in candidates(kernel, arguments, threads):
        try:
            call = make()
            if call is not None:
                require_agreement(kernel.name, call(), expected, rtol)
                calls[name] = call
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {error}"
    seconds = interleaved_medians(calls, effort, warm=True)
    results = expected if isinstance(expected, tuple) else (expected,)
    arrays = [*arguments, *map(np.asarray, results)]
    least, bound = limit(arrays, kernel.flops(size), kernel.calls(size), kernel.working_set(size), threads)
    return {
        "name": kernel.name, "size": label, "n": size, "threads": threads, "bytes": sum(a.nbytes for a in arrays),
        "seconds": seconds, "limit": least, "bound": bound, "transcendental": kernel.calls(size) > 0, "failed": failed,
    }  # fmt: skip


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows for one number of threads, in this process; each is named on stderr as soon as it is measured."""
    from benchmarks.limits import caches

    sets = working_sets(*caches())
    wanted = options.sizes or (["L1"] if options.quick else list(sets))
    rows = []
    for kernel in KERNELS:
        if options.only is not None and options.only not in kernel.name:
            continue
        for label in wanted:
            size = kernel.sizes[label] if kernel.sizes else kernel.size(sets[label])
            found = row(kernel, label, size, options.threads[0], QUICK if options.quick else Effort())
            rows.append(found)
            print(report.line(found), file=sys.stderr, flush=True)
    return rows


def run(options: argparse.Namespace) -> int:
    """Prints the table and its summary, and writes what is asked for; 1 where a peer failed or disagrees."""
    if set(options.sizes or ()) - set(report.MARKERS):
        print(f"sizes are {', '.join(report.MARKERS)}", file=sys.stderr)
        return 2
    rows = rows_from_processes(options)
    report.print_table(rows, COLUMNS)
    report.print_summary(rows)
    if options.json:
        write_json(rows, options.json, summary=report.summaries(rows))
    if options.plot:
        report.plot(rows, options.plot)
    return int(any(r["failed"] for r in rows))
