"""One measurement of latency in a process of its own: `python -m benchmarks.latency_worker TASK ...` prints JSON."""

from __future__ import annotations

import gc
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.generated import CHAIN, SHAPES
from benchmarks.harness import require_agreement

ROUNDS = 200
"""Turns of `call`, and the calls of one turn."""

CALLS = 50

SMALL = """def program(x, y):
    return x * y + x
"""


def small(library: Any = np) -> Callable[..., Any]:
    namespace: dict[str, Any] = {"np": library}
    exec(SMALL, namespace)
    return namespace["program"]


def loaded(name: str) -> Any:
    """A library and all that it needs to compile, imported."""
    if name == "egc":
        import egc
        import egc.dispatch
        import egc.egraph
        from egc import backend

        backend.load("numba")
        return egc
    if name == "jax.jit":
        import jax

        jax.config.update("jax_enable_x64", True)
        return jax.numpy
    if name == "numba":
        import numba

        return numba
    import pytensor
    import pytensor.tensor

    return pytensor.tensor


def compiled(name: str, library: Any, make: Callable[[Any], Callable[..., Any]]) -> Callable[..., Any]:
    """What a user of the library calls for the function that `make` gives on an array library's names."""
    if name == "egc":
        return library.optimize(make(np))
    if name == "numba":
        return library.njit(make(np))
    if name == "jax.jit":
        import jax

        jitted = jax.jit(make(library))
        return lambda *given: jax.block_until_ready(jitted(*given))
    import pytensor

    made: list[Any] = []

    def first_call_compiles(*given: Any) -> Any:
        if not made:
            symbols = [pytensor.tensor.tensor(dtype=g.dtype, shape=(None,) * g.ndim) for g in given]
            made.append(pytensor.function(symbols, make(library)(*symbols)))
        return made[0](*given)

    return first_call_compiles


def call(name: str) -> dict[str, Any]:
    """Median seconds of a call with two small arrays."""
    library = loaded(name)
    x, y = np.ones(8), np.full(8, 2.0)
    given = tuple(map(library.asarray, (x, y))) if name == "jax.jit" else (x, y)
    function = compiled(name, library, small)
    require_agreement(name, function(*given), x * y + x)
    for _ in range(10 * CALLS):
        function(*given)
    samples = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(CALLS):
            function(*given)
        samples.append((time.perf_counter() - start) / CALLS)
    return {"call": statistics.median(samples)}


def first(name: str, count: str) -> dict[str, Any]:
    """Seconds to import, and of the first call of a chain of `count` operations."""
    function, given = CHAIN.function(int(count)), CHAIN.arguments()
    start = time.perf_counter()
    library = loaded(name)
    imported = time.perf_counter()
    result = compiled(name, library, lambda module: CHAIN.function(int(count), module))(*given)
    done = time.perf_counter()
    require_agreement(name, np.asarray(result), function(*given))
    return {"import": imported - start, "call": done - imported}


def resize(name: str) -> dict[str, Any]:
    """Seconds of the first call at a new size, and how many more compilations it took where that is known."""
    library = loaded(name)
    function = compiled(name, library, lambda module: CHAIN.function(50, module))
    function(*CHAIN.arguments())
    before = function.statistics.compilations if name == "egc" else None  # type: ignore[attr-defined]
    start = time.perf_counter()
    function(*CHAIN.arguments(64))
    seconds = time.perf_counter() - start
    after = function.statistics.compilations - before if name == "egc" else None  # type: ignore[attr-defined]
    return {"call": seconds, "compilations": after}


def growth(shape: str, count: str) -> dict[str, Any]:
    """Seconds of every stage, and of the first run, for a program of `count` operations. The rules are traced before."""
    os.environ["EGC_CACHE_DIR"] = "off"
    egc = loaded("egc")
    chosen = next(each for each in SHAPES if each.name == shape)
    egc.optimize(chosen.function(10)).plan(*chosen.arguments())
    function, given = chosen.function(int(count)), chosen.arguments()
    gc.disable()
    plan = egc.optimize(function).plan(*given)
    inputs = [given[leaf] for leaf in plan.captured.leaf_inputs]
    start = time.perf_counter()
    results = plan.compiled.run(*inputs, *plan.captured.constants.values())
    seconds = {**plan.trace.seconds, "run": time.perf_counter() - start}
    require_agreement(f"{shape} of {count}", results, function(*given), rtol=1e-6)
    nodes = sum(1 for _ in plan.trace.programs["captured"].nodes())
    return {"seconds": seconds, "nodes": nodes, "stopped": plan.trace.results["egraph"].stop_reason}


TASKS: dict[str, Callable[..., dict[str, Any]]] = {"call": call, "first": first, "resize": resize, "growth": growth}


def main(arguments: Sequence[str]) -> None:
    task, *rest = arguments
    print(json.dumps(TASKS[task](*rest)))


if __name__ == "__main__":
    main(sys.argv[1:])
