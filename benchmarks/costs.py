"""The suite `costs`: predicted against measured times, over the kernels' programs and the forms that rules give them.

The candidates of a kernel are what the search finds at each of the sizes, with all rules, with one library of rules, and
with none. Two questions: do predicted times rank programs as measured ones do, and is the candidate that is predicted to
be best at a size the one that is measured to be best?
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import KERNELS, Kernel, working_sets
from benchmarks.harness import Effort, interleaved_medians
from benchmarks.peers import plain
from benchmarks.processes import rows_from_processes, write_json

LIBRARIES = ("algebra", "associativity", "linalg", "reductions")
"""Libraries of rules that make candidates alone."""

EFFORT = Effort(rounds=11, turn=0.002, budget=0.6)
QUICK = Effort(rounds=3, turn=0.001, budget=0.1)

CLOSE = 1.05
"""Times within this factor of each other are equal: repeated measurements differ by as much."""


def rule_choices() -> dict[str, Any]:
    return {"all rules": None, "no rules": [], **{name: [name] for name in LIBRARIES}}


def rows_of(kernel: Kernel, sizes: Mapping[str, int], effort: Effort) -> list[dict[str, Any]]:
    """For each size, each candidate's predicted and measured seconds."""
    from egc import backend as backends
    from egc.costfiles import costs_of
    from egc.costs import program_cost
    from egc.options import Options
    from egc.pipeline import Trace, capture_stage, optimize_stage

    backend, function = backends.load("numba"), getattr(plain, kernel.name)
    captured = {}
    for label, size in sizes.items():
        arguments = kernel.make(np.random.default_rng(size), size)
        captured[label] = capture_stage(function, arguments, {}, Options(), Trace())
    candidates: dict[Any, str] = {}
    for label, each in captured.items():
        for name, rules in rule_choices().items():
            program = optimize_stage(each.program, each.hints(), Options(rules=rules), backend, Trace())
            candidates.setdefault(program, f"{name}, {label}")
    compiled = {program: backend.compile(program) for program in candidates}
    rows = []
    for label, each in captured.items():
        given = [*(each.leaves[i].value for i in each.leaf_inputs), *each.constants.values()]
        shape = [node.type for node in each.program.inputs]
        fitting = [program for program in candidates if [node.type for node in program.inputs] == shape]
        calls = {candidates[program]: partial(compiled[program].run, *given) for program in fitting}
        measured = interleaved_medians(calls, effort)
        predicted = {
            candidates[program]: 1e-9 * program_cost(program, costs_of(backend), each.hints()) for program in fitting
        }
        rows.append(
            {"name": kernel.name, "size": label, "n": sizes[label], "predicted": predicted, "measured": measured}
        )
    return rows


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows for one number of threads, in this process."""
    from benchmarks.limits import caches

    sets = working_sets(*caches())
    wanted = options.sizes or (["L1"] if options.quick else list(sets))
    rows = []
    for kernel in KERNELS:
        if options.only is None or options.only in kernel.name:
            sizes = {label: kernel.sizes[label] if kernel.sizes else kernel.size(sets[label]) for label in wanted}
            found = rows_of(kernel, sizes, QUICK if options.quick else EFFORT)
            rows += [{**row, "threads": options.threads[0]} for row in found]
            print(f"{kernel.name}: {len(found[0]['measured'])} candidates", file=sys.stderr, flush=True)
    return rows


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Rank correlation over all rows; over those with several candidates, how often the predicted best was the measured
    one, and what was lost where it was not."""
    from scipy.stats import spearmanr

    pairs = [(row["predicted"][name], row["measured"][name]) for row in rows for name in row["measured"]]
    losses = [loss(row) for row in rows if len(row["measured"]) > 1]
    wrong = [found for found in losses if found > CLOSE]
    return {
        "pairs": len(pairs),
        "rank correlation": float(spearmanr(*zip(*pairs)).statistic) if len(pairs) > 2 else math.nan,
        "factor between predicted and measured, median": _median([max(p / m, m / p) for p, m in pairs]),
        "choices": len(losses),
        "the predicted best was the measured best": 1 - len(wrong) / len(losses) if losses else math.nan,
        "times the best where it was not, mean": statistics.fmean(wrong) if wrong else 1.0,
        "times the best over all choices, geometric mean": math.exp(_mean([math.log(x) for x in losses])),
    }


def loss(row: Mapping[str, Any]) -> float:
    """How many times the best candidate's seconds the one takes that was predicted to be best.

    >>> loss({"predicted": {"a": 1.0, "b": 2.0}, "measured": {"a": 3.0, "b": 2.0}})
    1.5
    """
    chosen = min(row["predicted"], key=row["predicted"].__getitem__)
    return row["measured"][chosen] / min(row["measured"].values())


def _median(values: Sequence[float]) -> float:
    return statistics.median(values) if values else math.nan


def _mean(values: Sequence[float]) -> float:
    return statistics.fmean(values) if values else 0.0


def print_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="microseconds, predicted and measured, of the candidate that is predicted to be best")
    for name in ("kernel", "size", "candidate", "predicted", "measured", "candidates", "times the best"):
        table.add_column(name, justify="left" if name in ("kernel", "size", "candidate") else "right")
    for row in rows:
        chosen = min(row["predicted"], key=row["predicted"].__getitem__)
        times = [f"{1e6 * row[kind][chosen]:,.1f}" for kind in ("predicted", "measured")]
        table.add_row(row["name"], row["size"], chosen, *times, str(len(row["measured"])), f"{loss(row):.2f}")
    console = Console(width=None if Console().is_terminal else 140)
    console.print(table)
    for name, value in summary(rows).items():
        console.print(f"{name}: {value:.4g}")


def plot(rows: Sequence[Mapping[str, Any]], file: Path) -> None:
    """Measured over predicted times of all candidates, by size."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 6), layout="constrained")
    for label in dict.fromkeys(row["size"] for row in rows):
        pairs = [(r["predicted"][c], r["measured"][c]) for r in rows if r["size"] == label for c in r["measured"]]
        axes.scatter(*zip(*pairs), s=12, alpha=0.7, label=label)
    ends = [min(axes.get_xlim()[0], 1e-6), axes.get_xlim()[1]]
    axes.plot(ends, ends, color="grey", linewidth=0.8)
    axes.set(xscale="log", yscale="log", xlabel="predicted seconds", ylabel="measured seconds")
    axes.legend()
    figure.savefig(file, dpi=150)


def run(options: argparse.Namespace) -> int:
    """Prints the table and its summary, and writes what is asked for."""
    rows = rows_from_processes(options)
    print_rows(rows)
    if options.json:
        write_json(rows, options.json, summary=summary(rows))
    if options.plot:
        plot(rows, options.plot)
    return 0
