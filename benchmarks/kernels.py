"""The suite `kernels`: functions that numerical programs are made of, on data of three sizes."""

from __future__ import annotations

import argparse
import functools
import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.harness import QUICK, Disagreement, Effort, interleaved_medians, require_agreement
from benchmarks.peers import plain
from benchmarks.processes import rows_from_processes, write_json
from benchmarks.report import plot, print_table

Random = np.random.Generator
Arguments = tuple[np.ndarray, ...]

PEERS = {
    "numba": "benchmarks.peers.numba_loops",
    "jax": "benchmarks.peers.jax_numpy",
    "numexpr": "benchmarks.peers.numexpr_strings",
    "pytensor": "benchmarks.peers.pytensor_graphs",
}
EGC, EGC_UNSEARCHED = "egc", "egc rules=[]"
COLUMNS = ("numpy", *PEERS, EGC, EGC_UNSEARCHED)


@dataclass(frozen=True)
class Kernel:
    """A function of every module in `peers`, with its data: `make(rng, n)` for each of three sizes n."""

    name: str
    sizes: tuple[int, int, int]
    make: Callable[[Random, int], Arguments]


def vectors(count: int) -> Callable[[Random, int], Arguments]:
    return lambda rng, n: tuple(rng.normal(size=n) for _ in range(count))


def _options(rng: Random, n: int) -> Arguments:
    return rng.uniform(50, 150, n), rng.uniform(50, 150, n), rng.uniform(0.1, 2, n)


def _counts(rng: Random, n: int) -> Arguments:
    eta = rng.normal(size=n)
    return rng.poisson(np.exp(eta)).astype(float), eta


def _regression(rng: Random, n: int) -> Arguments:
    X, b = rng.normal(size=(n, 30)), rng.normal(0, 0.3, 30)
    return b, X, (rng.random(n) < 1 / (1 + np.exp(-X @ b))).astype(float)


def _positive_definite(rng: Random, n: int) -> Arguments:
    A = rng.normal(size=(n, n))
    return A @ A.T + n * np.eye(n), rng.normal(size=n)


LONG, ROWS, SQUARE = (1_000, 100_000, 1_000_000), (100, 1_000, 10_000), (30, 150, 600)

KERNELS = (
    Kernel("gaussian", LONG, vectors(1)),
    Kernel("elementwise_chain", LONG, vectors(2)),
    Kernel("polynomial", LONG, vectors(1)),
    Kernel("black_scholes", LONG, _options),
    Kernel("softmax", ROWS, lambda rng, n: (rng.normal(size=(n, 64)),)),
    Kernel("log_sum_exp", ROWS, lambda rng, n: (rng.normal(size=(n, 64)),)),
    Kernel("layer_norm", ROWS, lambda rng, n: (rng.normal(size=(n, 64)), rng.normal(size=64), rng.normal(size=64))),
    Kernel("pairwise_distances", (30, 200, 600), lambda rng, n: (rng.normal(size=(n, 8)), rng.normal(size=(n, 8)))),
    Kernel("gaussian_likelihood", LONG, lambda rng, n: (*vectors(2)(rng, n), rng.uniform(0.5, 2, n))),
    Kernel("poisson_likelihood", LONG, _counts),
    Kernel("logistic_posterior", ROWS, _regression),
    Kernel("matrix_chain", SQUARE, lambda rng, n: (*rng.normal(size=(2, n, n)), rng.normal(size=n))),
    Kernel("inverse_times_vector", SQUARE, _positive_definite),
    Kernel("squared_error", LONG, vectors(2)),
    Kernel("running_mean", LONG, vectors(1)),
    Kernel("weighted_moments", LONG, lambda rng, n: (rng.normal(size=n), rng.uniform(0.1, 1, n))),
    Kernel("low_rank_residual", SQUARE, lambda rng, n: (rng.normal(size=(n, n)), *rng.normal(size=(2, n, 5)))),
)


@functools.cache
def peer_module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(PEERS[name])
    except ImportError as error:
        print(f"{name} does not take part: {error}", file=sys.stderr)
        return None


def prepared(name: str, kernel: Kernel, arguments: Arguments) -> Callable[[], Any] | None:
    """One call of a peer's kernel on its own kind of arrays; None where it has no such kernel."""
    module = peer_module(name)
    function = getattr(module, kernel.name, None)
    if module is None or function is None:
        return None
    if name == "jax":
        import jax

        own = tuple(map(jax.numpy.asarray, arguments))
        return lambda: jax.block_until_ready(function(*own))
    if name == "pytensor":
        function = module.compiled(function, arguments)
    return lambda: function(*arguments)


def egc_calls(kernel: Kernel, arguments: Arguments) -> Iterator[tuple[str, Callable[[], Any]]]:
    import egc

    for name, options in ((EGC, {}), (EGC_UNSEARCHED, {"rules": []})):
        function = egc.optimize(getattr(plain, kernel.name), **options)
        yield name, functools.partial(function, *arguments)
        if function.statistics.as_written:
            raise Disagreement(f"{kernel.name}: {name} ran as written")


def calls(kernel: Kernel, arguments: Arguments) -> dict[str, Callable[[], Any]]:
    """Each peer's call. Raises Disagreement where a result differs from NumPy's."""
    found: dict[str, Callable[[], Any]] = {"numpy": functools.partial(getattr(plain, kernel.name), *arguments)}
    expected = found["numpy"]()
    peers = ((name, prepared(name, kernel, arguments)) for name in PEERS)
    for name, call in (*((n, c) for n, c in peers if c is not None), *egc_calls(kernel, arguments)):
        require_agreement(f"{kernel.name}, {name}", call(), expected)
        found[name] = call
    return found


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows for one number of threads, in this process; each is named on stderr as soon as it is measured."""
    effort, sizes = (QUICK, slice(0, 1)) if options.quick else (Effort(), slice(None))
    rows = []
    for kernel in KERNELS:
        if options.only is not None and options.only not in kernel.name:
            continue
        for size in kernel.sizes[sizes]:
            arguments = kernel.make(np.random.default_rng(size), size)
            seconds = interleaved_medians(calls(kernel, arguments), effort)
            rows.append({"name": kernel.name, "size": f"n={size}", "threads": options.threads[0], "seconds": seconds})
            print(f"{kernel.name} n={size}", file=sys.stderr, flush=True)
    return rows


def run(options: argparse.Namespace) -> int:
    """Prints the table, and writes what is asked for."""
    try:
        rows = rows_from_processes(options)
    except subprocess.CalledProcessError as error:
        return error.returncode
    if not rows:
        print(f"no kernel's name contains {options.only!r}", file=sys.stderr)
        return 1
    print_table(rows, COLUMNS)
    if options.json:
        write_json(rows, options.json)
    if options.plot:
        plot(rows, COLUMNS, options.plot)
    return 0
