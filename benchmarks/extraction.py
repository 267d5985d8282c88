"""The suite `extraction`: how far extraction is from the optimum, over the e-graphs of the test programs.

The e-graphs are those of `benchmarks.expressions`, `tests/programs` (regions of loops and branches are e-graphs of their own) and
`tests/egraph`. Two costs are compared. The sum of local costs is what greedy extraction and the integer program minimize: of it
the optimum is proved. The price of the Program, in which kernels fuse, is what local search lowers and what decides: its
optimum is known where there are few enough choices to price them all.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.processes import selected, write_json

LIMITS: dict[str, Any] = {"enodes": 1_000, "seconds": 5.0}
"""Of a proof, for each e-graph."""

PRICED = 2_000
"""Choices that are priced, all of an e-graph's or none."""

SAME = 1e-6
"""Relative difference below which two costs are the same."""

SIZE = 400
"""Rows of a usual matrix in `benchmarks.expressions`."""

SEEDS = range(12)


def results(only: str | None = None) -> Iterator[tuple[str, Any]]:
    """Each test program's name and the result of its search."""
    from benchmarks.expressions import EXPRESSIONS
    from egc import backend as backends
    from egc.egraph import Budget, optimize_program
    from egc.errors import EgcError
    from egc.options import Options
    from egc.pipeline import Trace, capture_stage, optimize_stage
    from tests.egraph import rules, support
    from tests.programs.programs import PROGRAMS

    written = [(each.name, each.function, lambda each=each: each.make(SIZE), each.assume) for each in EXPRESSIONS]
    written += [(each.name, each.function, lambda each=each: each.arguments(each.sizes[-1]), {}) for each in PROGRAMS]
    for name, function, arguments, assumed in written:
        if only is not None and only not in name:
            continue
        trace, backend = Trace(), backends.load("numba")
        options = Options(assume=assumed)
        try:
            captured = capture_stage(function, arguments(), {}, options, trace)
        except EgcError:
            continue
        optimize_stage(captured.program, captured.hints(), options, backend, trace)
        if "egraph" in trace.results:
            yield name, trace.results["egraph"]
    for seed in SEEDS:
        name = f"random_program_{seed}"
        if only is None or only in name:
            program = support.random_program(seed)
            yield name, optimize_program(program, rules.ALL, support.TABLE, support.SIZES, Budget(nodes=800))


def row(name: str, result: Any) -> dict[str, Any]:
    """What the steps of extraction find in the e-graph of one search."""
    from egc.egraph import extract
    from egc.egraph.extractor import Extractor
    from egc.egraph.improve import improved
    from egc.egraph.optimize import searched_graph
    from egc.egraph.optimum import Limits, optimum

    graph = searched_graph(result)
    extractor = Extractor(graph, result.question.model)
    start = extract.greedy(extractor)
    assert start is not None, name
    local = improved(extractor, start)
    shared = extractor.shared()
    began = time.perf_counter()
    best = optimum(extractor, min((shared, local.choice), key=extractor.additive), Limits(**LIMITS))
    seconds = time.perf_counter() - began
    found = extract.with_optimum(extractor, local, start, extract.LIMITS)
    return {
        "name": name,
        "classes": sum(map(bool, graph.enodes)),
        "enodes": sum(map(len, graph.enodes)),
        "left": best.enodes,
        "solved": best.rounds,
        "seconds": seconds,
        "proved": best.proved,
        "bound": best.bound,
        "sum": {
            "greedy": extractor.additive(shared),
            "local": extractor.additive(local.choice),
            "found": extractor.additive(found.choice),
            "optimum": best.cost,
        },
        "price": {"greedy": start.cost, "local": local.cost, "found": found.cost},
        "least price": least_price(extractor),
    }


def least_price(extractor: Any) -> float | None:
    """The price of the cheapest Program of an e-graph; None where there are too many to look at."""
    from egc.egraph.extractor import UNREACHED

    graph = extractor.graph
    usable = {
        number: [e for e in graph.enodes[number] if extractor.tree_cost(e) != UNREACHED and number not in e.children]
        for number in extractor.best
    }
    waiting: list[tuple[dict[int, Any], list[int]]] = [({}, [graph.class_of[o] for o in graph.program.outputs])]
    least, count = math.inf, 0
    while waiting:
        choice, classes = waiting.pop()
        while classes and classes[-1] in choice:
            classes.pop()
        if classes:
            number = classes[-1]
            for enode in usable[number]:
                waiting.append(({**choice, number: enode}, [*classes, *enode.children]))
        else:
            program = extractor.build(choice)
            if program is not None:
                least = min(least, extractor.priced(program, choice).cost)
            count += 1
        if count + len(waiting) > PRICED:
            return None
    return least


def gap(row: Mapping[str, Any], step: str) -> float:
    """How far above the least sum a step's choice may be, as a part of it: exactly that where it is proved.

    >>> gap({"sum": {"greedy": 12.0}, "bound": 10.0}, "greedy")
    0.19999999999999996
    """
    return max(row["sum"][step] / row["bound"] - 1, 0.0) if row["bound"] else 0.0


def lost(row: Mapping[str, Any], step: str) -> float:
    """How far above the least price that is known a step's Program is, as a part of it.

    >>> lost({"price": {"greedy": 3.0, "found": 2.5}, "least price": 2.0}, "greedy")
    0.5
    """
    least = min(x for x in (row["least price"], row["price"]["found"]) if x is not None)
    return row["price"][step] / least - 1 if least else 0.0


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How often, and how far, each step misses the optimum of the sum, where it is proved, and of the price, where it is known."""
    proved = [each for each in rows if each["proved"]]
    known = [each for each in rows if each["least price"]]
    solved = [each["seconds"] for each in rows if each["solved"]]
    found: dict[str, Any] = {
        "e-graphs": len(rows),
        "proved": len(proved),
        "proved by pruning alone": sum(each["proved"] and not each["solved"] for each in rows),
        "gap of those not proved, largest": max((gap(r, "optimum") for r in rows if not r["proved"]), default=0.0),
        "milliseconds of those solved, median": 1e3 * statistics.median(solved) if solved else 0.0,
        "all choices priced": len(known),
    }
    for step in ("greedy", "local"):
        gaps = [gap(each, step) for each in proved]
        found[f"sum, {step}: optimal"] = sum(each <= SAME for each in gaps)
        found[f"sum, {step}: mean gap"] = statistics.fmean(gaps) if gaps else 0.0
    for step in ("greedy", "local", "found"):
        losses = [lost(each, step) for each in known]
        found[f"price, {step}: optimal"] = sum(each <= SAME for each in losses)
        found[f"price, {step}: mean gap"] = statistics.fmean(losses) if losses else 0.0
    better = [(r["name"], 1 - r["price"]["found"] / r["price"]["local"]) for r in rows if r["price"]["local"]]
    found["price lowered by the optimum"] = sorted([name, part] for name, part in better if part > SAME)
    return found


def print_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    """The e-graphs in which a step is not at the optimum, or it is not known whether it is."""
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title="e-graphs in which greedy extraction or local search may not be optimal: percent above the optimum"
    )
    columns = ("classes", "e-nodes", "left", "ms", "sum: greedy", "local", "optimum", "price: greedy", "local", "found")
    for name in ("program", *columns):
        table.add_column(name, justify="left" if name == "program" else "right")
    for each in rows:
        losses = [lost(each, step) for step in ("greedy", "local", "found")]
        gaps = [gap(each, step) for step in ("greedy", "local", "optimum")]
        if max(*gaps, *losses) <= SAME:
            continue
        cells = [f"{each[key]}" for key in ("classes", "enodes", "left")] + [f"{1e3 * each['seconds']:.1f}"]
        cells += [f"{'' if each['proved'] else '≤ '}{100 * value:.2f}" for value in gaps]
        cells += [f"{'' if each['least price'] else '≥ '}{100 * value:.2f}" for value in losses]
        table.add_row(each["name"], *cells)
    console = Console(width=None if Console().is_terminal else 160)
    console.print(table)
    for name, value in summary(rows).items():
        if isinstance(value, list):
            console.print(f"{name}: {len(value)}")
            for program, part in value:
                console.print(f"  {program}: {100 * part:.2f}%")
        else:
            console.print(f"{name}: {value:.4g}")


def run(options: argparse.Namespace) -> int:
    """Prints the table and its summary, and writes what is asked for; 1 where a step is worse than the one before it."""
    from egc.egraph.optimize import searches

    rows = []
    for place, (name, result) in enumerate(results(options.only)):
        if not options.quick or place % 4 == 0:
            rows += [row(name, each) for each, _ in searches(result)]
            print(f"{name}: {rows[-1]['enodes'] if rows else 0} e-nodes", file=sys.stderr, flush=True)
    print_rows(selected(rows, options))
    if options.json:
        write_json(rows, options.json, summary=summary(rows))
    worse = [each["name"] for each in rows if worse_than_before(each)]
    for name in worse:
        print(f"FAILED: {name}: a step of extraction is worse than the one before it", file=sys.stderr)
    return int(bool(worse))


def worse_than_before(row: Mapping[str, Any]) -> bool:
    """Whether a step of extraction costs more than what it started from.

    >>> sums, prices = {"greedy": 3.0, "optimum": 2.0}, {"greedy": 3.0, "local": 3.0, "found": 2.5}
    >>> worse_than_before({"sum": sums, "price": prices})
    False
    """
    price, total = row["price"], row["sum"]
    return total["optimum"] > total["greedy"] or not price["found"] <= price["local"] <= price["greedy"]
