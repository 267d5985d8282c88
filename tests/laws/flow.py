"""Compares random programs with loops, branches and updates in place with their optimized forms, for as long as asked.

    python -m tests.laws.flow --programs 3000 --seed 0 --backend numba

The law is that of `law.py`, and where the plain function raises: an exception of the same type, and arguments that were
changed as far as then. What rounding moves is seen by running the plain function on arguments with errors of a few units in
the last place: a value may be off by `law.SPREADS` times what that does, and one that depends on a branch which these errors
take otherwise is left open. Exit status 1 when a program fails; it is printed with all left out that it does not need.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import egc
from tests.laws.law import Disagreement, Spread, Tally, numbers, outcome, require_close, same_sharing, same_structure
from tests.laws.rounding import UNITS
from tests.random_flow import SIZES, Flow, generate

RUNS, MORE_RUNS = 4, 40
"""Runs with errors of each program, and of one whose values seem wrong: another branch may be taken in few of them."""


class ArgumentSpread(Spread):
    """The leaves of several runs on arguments with small errors; no run, and nothing is decided, where one raises
    something else."""

    def __init__(
        self, plain: Callable[..., Any], arguments: Sequence[Any], error: Exception | None, leaves: int, runs: int
    ):
        self.leaves: list[list[np.ndarray]] = [[] for _ in range(leaves)]
        self.lost = False
        for seed in range(runs):
            draw = np.random.default_rng(seed)
            moved = {id(value): _moved(value, draw) for value in arguments}
            result, given, raised = outcome(plain, [moved[id(value)] for value in arguments])
            found = [np.asarray(leaf) for leaf in numbers((result, given))]
            if type(raised) is not type(error) or len(found) != leaves:
                self.leaves, self.lost = [[] for _ in range(leaves)], True
                return
            for collected, leaf in zip(self.leaves, found):
                collected.append(leaf)
        self.lost = any(leaf.shape != run[0].shape for run in self.leaves for leaf in run)


def _moved(value: Any, draw: np.random.Generator) -> Any:
    if isinstance(value, float):
        return value * (1 + UNITS * np.finfo(float).eps * draw.uniform(-1, 1))
    if isinstance(value, np.ndarray) and value.dtype.kind in "fc":
        return value * (1 + UNITS * np.finfo(value.dtype).eps * draw.uniform(-1, 1, value.shape))
    return value


def compare(plain: Callable[..., Any], optimized: Callable[..., Any], arguments: Sequence[Any], tally: Tally) -> None:
    """Raises Disagreement unless both functions do the same with these arguments, which includes raising the same."""
    expected, expected_given, expected_error = outcome(plain, arguments)
    found, found_given, error = outcome(optimized, arguments)
    ours, theirs = (found, found_given), (expected, expected_given)
    leaves = list(numbers(theirs))
    tally.raised += expected_error is not None
    try:
        if type(error) is not type(expected_error):
            raise Disagreement(f"raises {error!r}, the plain function {expected_error!r}") from error
        same_structure(ours, theirs, "the result with the arguments")
        same_sharing(ours, theirs)
        _same_values(ours, leaves, ArgumentSpread(plain, arguments, expected_error, len(leaves), RUNS), tally)
    except Disagreement:
        spread = ArgumentSpread(plain, arguments, expected_error, len(leaves), MORE_RUNS)
        if spread.lost:
            tally.overflowed += 1
            return
        if type(error) is not type(expected_error):
            raise
        same_structure(ours, theirs, "the result with the arguments")
        same_sharing(ours, theirs)
        _same_values(ours, leaves, spread, tally)


def _same_values(found: Any, expected: Sequence[Any], spread: Spread, tally: Tally) -> None:
    for position, (ours, theirs, noise) in enumerate(zip(numbers(found), expected, spread.leaves)):
        require_close(ours, theirs, noise, spread, "plain", f"value {position}", tally)


def check(program: Flow, backend: str, tally: Tally, rules: Any = None, calls: int = len(SIZES)) -> None:
    """Raises Disagreement when the optimized program differs from the plain one, on the first `calls` of `SIZES`."""
    plain = program.function()
    optimized = egc.optimize(plain, backend=backend, rules=rules)
    statistics = optimized.statistics
    for place in range(calls):
        before, raised = statistics.as_written, tally.raised
        compare(plain, optimized, program.values(place), tally)
        if statistics.as_written > before and tally.raised == raised:
            why = f"{statistics.reasons[-1].what}: {statistics.reasons[-1].why}" if statistics.reasons else "a check"
            tally.as_written[why] = tally.as_written.get(why, 0) + 1


def failure(program: Flow, backend: str, rules: Any = None, calls: int = len(SIZES)) -> str | None:
    """What is wrong with the optimized program; None when nothing is."""
    try:
        check(program, backend, Tally(), rules, calls)
    except Disagreement as error:
        cause = error.__cause__
        where = "".join(traceback.format_exception(cause)[-4:]) if cause is not None else ""
        return f"{error}\n{where}".strip()
    return None


def shortened(program: Flow, fails: Callable[[Flow], bool]) -> Flow:
    """The program with every statement, branch and result left out that its failure does not need.

    What ends in an error of Python's own, such as a name without a value, is not the failure that was sought.
    """
    while True:
        for candidate in program.smaller():
            if sound(candidate) and fails(candidate):
                program = candidate
                break
        else:
            return program


def sound(program: Flow) -> bool:
    """Whether it compiles, and its names and types are right on the first call."""
    try:
        error = outcome(program.function(), program.values())[2]
    except SyntaxError:
        return False
    return not isinstance(error, (NameError, TypeError, AttributeError))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--backend", default="numba")
    parser.add_argument("--length", type=int, default=6)
    parser.add_argument(
        "--calls", type=int, default=len(SIZES), help="calls of each program, each with sizes of its own"
    )
    parser.add_argument("--shown", type=int, default=20, help="the most failures to print")
    parser.add_argument("--no-rules", action="store_true")
    parser.add_argument("--show", action="store_true", help="print each program")
    options = parser.parse_args(arguments)
    os.environ.setdefault("EGC_RAISE", "1")
    rules: Any = [] if options.no_rules else None
    tally, failures, start = Tally(), 0, time.perf_counter()
    for seed in range(options.seed, options.seed + options.programs):
        program = generate(seed, 1 + seed % options.length)
        if options.show:
            print(f"seed {seed}\n{program.text}", flush=True)
        try:
            check(program, options.backend, tally, rules, options.calls)
        except Disagreement as error:
            failures += 1
            if failures > options.shown:
                continue
            small = shortened(program, lambda flow: failure(flow, options.backend, rules, options.calls) is not None)
            reason = failure(small, options.backend, rules, options.calls) or str(error)
            print(f"--- seed {seed}, {options.backend}\n{small.text}{reason}\n", flush=True)
    print(f"{options.programs} programs on {options.backend}, {time.perf_counter() - start:.0f} s:")
    print(f"  {failures} disagree; {tally.values} values compared, {tally.undecided} of them left open by rounding,")
    print(
        f"  {tally.overflowed} calls left open by it, {tally.raised} raised, {sum(tally.as_written.values())} ran as written:"
    )
    for why, count in sorted(tally.as_written.items(), key=lambda item: -item[1]):
        print(f"    {count} {why}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
