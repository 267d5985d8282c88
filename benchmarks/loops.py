"""The suite `loops`: whole functions with loops, branches and updates in place, those of `tests/programs`.

Peers are NumPy as written, the same function under `@njit` and `@njit(parallel=True)`, adapted where numba refuses it, and
`jax.jit` written by hand. A call starts from the same arguments each time: what it changed is put back before, which is not
timed.
"""

from __future__ import annotations

import argparse
import copy
import functools
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from benchmarks import loops_report as report
from benchmarks.harness import Effort, interleaved_medians, require_agreement
from benchmarks.peers import loops_numba
from benchmarks.processes import rows_from_processes, write_json
from tests.laws.law import numbers
from tests.programs.programs import PROGRAMS, Program

SIZES = ("small", "large")
EFFORT = Effort(rounds=15, budget=0.6)
QUICK = Effort(rounds=5, turn=0.0005, budget=0.2)
PATIENCE = 60
"""Seconds after which a first call of egc is given up."""

REFUSING = "numba parallel"
"""May fail: it refuses some functions, and is wrong for updates of views that overlap."""


class Call:
    """A function with arguments of its own. Where it changes arrays, `prepare` puts these back to what they were."""

    def __init__(self, function: Callable[..., Any], arguments: tuple[Any, ...], changed: Sequence[bool] | None = None):
        """changed: which of the arrays to put back; all of them by default."""
        self.function, self.arguments = function, copy.deepcopy(arguments)
        pairs = zip(_arrays(self.arguments), _arrays(arguments))
        self.pairs = [pair for place, pair in enumerate(pairs) if changed is None or changed[place]]
        if self.pairs:
            self.prepare = self._put_back

    def _put_back(self) -> None:
        for own, original in self.pairs:
            np.copyto(own, original)

    def __call__(self) -> Any:
        return self.function(*self.arguments)

    def outcome(self) -> list[Any]:
        """The leaves of the result, and the arrays that are put back before each call."""
        self._put_back()
        results = [np.array(leaf) for leaf in numbers(self()) if leaf is not None]
        return results + [np.array(own) for own, _ in self.pairs]


def _arrays(arguments: tuple[Any, ...]) -> list[np.ndarray]:
    return [leaf for leaf in numbers(arguments) if isinstance(leaf, np.ndarray)]


def changed_arrays(program: Program, arguments: tuple[Any, ...]) -> list[bool]:
    """Which arrays among the arguments the plain function changes."""
    call = Call(program.function, arguments)
    call()
    return [not np.array_equal(own, original, equal_nan=True) for own, original in call.pairs]


@functools.cache
def optimized(name: str) -> Any:
    """One function for all sizes, as a user has it."""
    import egc

    return egc.optimize(next(program for program in PROGRAMS if program.name == name).function)


@contextmanager
def patience(seconds: int) -> Iterator[None]:
    """Raises TimeoutError in what takes longer, on systems with alarms; 0 seconds are as long as it takes."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def late(*_: Any) -> None:
        raise TimeoutError(f"the first call took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def jax_call(program: Program, arguments: tuple[Any, ...]) -> Callable[[], Any] | None:
    """A call on JAX's own arrays; None where it is not written, or JAX is not installed."""
    try:
        import jax

        from benchmarks.peers import loops_jax
    except ImportError:
        return None
    function = getattr(loops_jax, program.name, None)
    if function is None:
        return None
    own = jax.tree.map(lambda leaf: jax.numpy.asarray(leaf) if isinstance(leaf, np.ndarray) else leaf, arguments)
    return lambda: jax.block_until_ready(function(*own))


def opaque(program: Program) -> list[str]:
    """What runs as written, and why."""
    import egc

    try:
        explained = egc.optimize(program.function, backend="reference", rules=[]).explain(
            *program.arguments(program.sizes[1])
        )
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]
    return [str(each) for each in explained.opaque]


def row(program: Program, label: str, threads: int, effort: Effort) -> dict[str, Any]:
    """Seconds of all peers that agree with NumPy, and under `failed` why others are missing."""
    size = program.measured[SIZES.index(label)]
    arguments = program.arguments(size)
    changed = changed_arrays(program, arguments)
    plain = Call(program.function, arguments, changed)
    expected = plain.outcome()
    calls: dict[str, Callable[[], Any]] = {"numpy": plain}
    failed: dict[str, str] = {}
    first: dict[str, float] = {}

    def add(name: str, make: Callable[[], Any], outcome: Callable[[Any], list[Any]]) -> None:
        try:
            call = make()
            if call is None:
                return
            with patience(PATIENCE if name == "egc" else 0), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                start = time.perf_counter()
                call()
                first[name] = time.perf_counter() - start
            require_agreement(program.name, outcome(call), expected, max(program.rtol, 1e-8))
            calls[name] = call
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {error}"

    for variant in loops_numba.VARIANTS:
        function = functools.partial(loops_numba.compiled, program, variant)
        add(variant, lambda f=function: Call(f(), arguments, changed), Call.outcome)  # type: ignore[misc]
    add("jax", lambda: jax_call(program, arguments), lambda call: [np.asarray(leaf) for leaf in numbers(call())])
    function = optimized(program.name)
    before = function.statistics.as_written
    add("egc", lambda: Call(function, arguments, changed), Call.outcome)
    seconds = interleaved_medians(calls, effort, warm=True)
    return {
        "name": program.name, "family": program.family, "size": label, "n": size, "threads": threads,
        "elements": program.elements, "seconds": seconds, "first": first, "opaque": opaque(program),
        "as_written": function.statistics.as_written > before, "failed": failed,
    }  # fmt: skip


def chosen(options: argparse.Namespace) -> list[Program]:
    """The programs to measure: `--only` keeps those whose family is that, or whose name contains it."""
    only = options.only
    return [p for p in PROGRAMS if p.measured and (only is None or only in p.name or only == p.family)]


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows for one number of threads, in this process; each is told on stderr as soon as it is measured.

    First calls count with nothing on disk, and internal failures are failures.
    """
    os.environ.update(EGC_CACHE_DIR="off", EGC_RAISE="1")
    rows = []
    for program in chosen(options):
        for label in options.sizes or (SIZES[:1] if options.quick else SIZES):
            found = row(program, label, options.threads[0], QUICK if options.quick else EFFORT)
            rows.append(found)
            print(report.line(found), file=sys.stderr, flush=True)
    return rows


def run(options: argparse.Namespace) -> int:
    """Prints the table and its summary, and writes what is asked for; 1 where a peer other than `REFUSING` failed or disagrees."""
    if set(options.sizes or ()) - set(SIZES):
        print(f"sizes are {', '.join(SIZES)}", file=sys.stderr)
        return 2
    rows = rows_from_processes(options)
    report.print_table(rows)
    report.print_summary(rows)
    if options.json:
        write_json(rows, options.json, summary=report.summaries(rows))
    return int(any(set(row["failed"]) - {REFUSING} for row in rows))
