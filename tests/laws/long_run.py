"""Compares random programs with their optimized forms for as long as asked.

    python -m tests.laws.long_run --programs 2000 --seed 0 --backend numba

prints how many programs and values were compared, which ran as written and why, and each failing program, shortened.
Exit status 1 when there is one. `--mode` chooses the arguments: plain, plain ones that are parts of
larger arrays (gaps), nan, infinite or large.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections.abc import Sequence
from typing import Any

import egc
from tests.laws.law import Disagreement, Tally, compare, outcome
from tests.laws.programs import SIZES, Program, generate

MODES = ("plain", "gaps", "nan", "infinite", "large")


def check(
    program: Program, backend: str, tally: Tally, mode: str = "plain", rules: Any = None, calls: int = len(SIZES)
) -> None:
    """Raises Disagreement when the optimized program differs from the plain one, on the first `calls` of `SIZES`."""
    plain = program.function()
    optimized = egc.optimize(plain, backend=backend, rules=rules)
    statistics = optimized.statistics
    for place in range(calls if mode in ("plain", "gaps") else 1):
        arguments = program.values(place, mode)
        if place and outcome(plain, arguments)[2] is not None and not place % 2:
            continue
        before, raised = statistics.as_written, tally.raised
        compare(plain, optimized, arguments, tally, mode)
        if statistics.as_written > before and tally.raised == raised:
            why = f"{statistics.reasons[-1].what}: {statistics.reasons[-1].why}" if statistics.reasons else "a check"
            tally.as_written[why] = tally.as_written.get(why, 0) + 1


def failure(
    program: Program, backend: str, mode: str = "plain", rules: Any = None, calls: int = len(SIZES)
) -> str | None:
    """What is wrong with the optimized program; None when nothing is."""
    try:
        check(program, backend, Tally(), mode, rules, calls)
    except Disagreement as error:
        cause = error.__cause__
        where = "".join(traceback.format_exception(cause)[-4:]) if cause is not None else ""
        return f"{error}\n{where}".strip()
    return None


def shortened(program: Program, backend: str, mode: str = "plain", rules: Any = None) -> Program:
    """The program with every statement, and every result, left out that its failure does not need."""

    def fails(candidate: Program) -> bool:
        arguments = candidate.values()
        return (
            outcome(candidate.function(), arguments)[2] is None and failure(candidate, backend, mode, rules) is not None
        )

    names = [part.rpartition(": ")[2].strip() for part in program.results.strip("{[()]}").split(",")]
    for name in filter(None, names):
        if fails(program.returning(name)):
            program = program.returning(name)
            break
    position = len(program.lines) - 1
    while position >= 0:
        if fails(program.without(position)):
            program = program.without(position)
        position -= 1
    return program


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--backend", default="numba")
    parser.add_argument("--mode", choices=MODES, default="plain")
    parser.add_argument("--length", type=int, default=8)
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
            print(f"seed {seed}\n{program.text}\n", flush=True)
        try:
            check(program, options.backend, tally, options.mode, rules)
        except Disagreement as error:
            failures += 1
            if failures > options.shown:
                continue
            small = shortened(program, options.backend, options.mode, rules)
            reason = failure(small, options.backend, options.mode, rules) or str(error)
            print(f"--- seed {seed}, {options.backend}, {options.mode}\n{small.text}\n{reason}\n", flush=True)
    print(f"{options.programs} programs on {options.backend} ({options.mode}), {time.perf_counter() - start:.0f} s:")
    print(f"  {failures} disagree; {tally.values} values compared, {tally.undecided} of them left open by rounding,")
    print(
        f"  {tally.overflowed} calls overflowed, {tally.raised} raised, {sum(tally.as_written.values())} ran as written:"
    )
    for why, count in sorted(tally.as_written.items(), key=lambda item: -item[1]):
        print(f"    {count} {why}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
