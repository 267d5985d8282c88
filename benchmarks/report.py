"""The rows of the suite `kernels` as a table, a summary and a chart."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

Row = Mapping[str, Any]

COMPILERS = ("jax", "pytensor", "numexpr")
LOOPS = ("numba", "numba fastmath", "numba parallel")
BEHIND = 0.95
"""The ratio to the best peer below which a kernel counts as slower."""
NEAR_COPY = 0.8
"""The part of the copying rate that is asked of kernels bound by memory."""


def best(row: Row, names: Iterable[str]) -> float | None:
    """The least seconds among these; None where none of them has a time."""
    return min((row["seconds"][name] for name in names if name in row["seconds"]), default=None)


def speedup(row: Row, names: Iterable[str]) -> float | None:
    """How many times faster egc is than the best of these."""
    theirs = best(row, names)
    return theirs / row["seconds"]["egc"] if theirs is not None and "egc" in row["seconds"] else None


def peers(row: Row) -> list[str]:
    return [name for name in row["seconds"] if name != "egc"]


def attained(row: Row) -> float | None:
    """The part of the machine's limit that egc attains."""
    return row["limit"] / row["seconds"]["egc"] if "egc" in row["seconds"] else None


def geometric_mean(values: Iterable[float | None]) -> float:
    """Of those that are there; nan of none."""
    found = [math.log(v) for v in values if v is not None]
    return math.exp(sum(found) / len(found)) if found else math.nan


def microseconds(seconds: float) -> str:
    return f"{1e6 * seconds:.3g}" if seconds < 1e-3 else f"{1e6 * seconds:,.0f}"


def line(row: Row) -> str:
    """A row on one line, as it is measured."""
    cells = [f"{name} {microseconds(seconds)}" for name, seconds in row["seconds"].items()]
    failures = [f"{name} FAILED ({why.splitlines()[0][:200]})" for name, why in row["failed"].items()]
    return f"{row['name']} {row['size']} n={row['n']}: {', '.join(cells + failures)}"


def print_table(rows: Sequence[Row], columns: Sequence[str]) -> None:
    """Microseconds of each peer; how many times faster egc is than three groups of them; and the limit."""
    shown = [name for name in columns if any(name in row["seconds"] for row in rows)]
    table = Table(title="microseconds of one call, and how many times faster egc is")
    for name in ("kernel", "size", "threads", *shown, "vs compilers", "vs numba", "vs best", "limit", "attained"):
        table.add_column(name, justify="left" if name in ("kernel", "size") else "right")
    for row in rows:
        times = [microseconds(row["seconds"][n]) if n in row["seconds"] else "-" for n in shown]
        found = [speedup(row, names) for names in (COMPILERS, LOOPS, peers(row))]
        part = attained(row)
        cells = [*times, *(f"{f:.2f}" if f is not None else "-" for f in found)]
        cells += [f"{microseconds(row['limit'])} {row['bound']}", f"{part:.0%}" if part is not None else "-"]
        table.add_row(row["name"], row["size"], str(row["threads"]), *cells)
    Console(width=None if Console().is_terminal else 200).print(table)


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """What the rows of one number of threads come to.

    Kernels bound by memory are those whose data lies in memory and whose limit is copying; transcendental ones call
    a transcendental function for each element.
    """
    ours = [row for row in rows if "egc" in row["seconds"]]
    copying = [row for row in ours if row["size"] == "memory" and row["bound"] == "bytes"]
    calling = [row for row in ours if row["transcendental"]]

    def named(chosen: Iterable[Row], value: Callable[[Row], float | None], below: float) -> list[list[Any]]:
        found = [(value(row), f"{row['name']} {row['size']}") for row in chosen]
        return [[name, v] for v, name in sorted((v, name) for v, name in found if v is not None) if v < below]

    return {
        "threads": rows[0]["threads"],
        "kernels": len({row["name"] for row in rows}),
        "rows": len(rows),
        "over the best compiler": geometric_mean(speedup(row, COMPILERS) for row in ours),
        "over hand-written numba": geometric_mean(speedup(row, LOOPS) for row in ours),
        "over plain njit": geometric_mean(speedup(row, LOOPS[:1]) for row in ours),
        "over NumPy": geometric_mean(speedup(row, ("numpy",)) for row in ours),
        "by size": {
            size: [
                geometric_mean(speedup(row, group) for row in ours if row["size"] == size)
                for group in (COMPILERS, LOOPS)
            ]
            for size in dict.fromkeys(row["size"] for row in rows)
        },
        "over njit, transcendental": geometric_mean(speedup(row, LOOPS[:1]) for row in calling),
        "of the copying rate": geometric_mean(attained(row) for row in copying),
        "behind the best peer": named(ours, lambda row: speedup(row, peers(row)), BEHIND),
        "behind the copying rate": named(copying, attained, NEAR_COPY),
        "failed": [[f"{row['name']} {row['size']}", name] for row in rows for name in row["failed"]],
    }


def summaries(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [summary([r for r in rows if r["threads"] == n]) for n in sorted({row["threads"] for row in rows})]


def print_summary(rows: Sequence[Row]) -> None:
    for found in summaries(rows):
        print(f"\n{found['threads']} thread(s), {found['kernels']} kernels, {found['rows']} rows; geometric means:")
        for name in ("over the best compiler", "over hand-written numba", "over plain njit", "over NumPy"):
            print(f"  {name}: {found[name]:.2f}x")
        for size, (compilers, loops) in found["by size"].items():
            print(f"  in {size}: {compilers:.2f}x over the best compiler, {loops:.2f}x over hand-written numba")
        if not math.isnan(found["over njit, transcendental"]):
            print(f"  transcendental kernels over njit with libm: {found['over njit, transcendental']:.2f}x")
        if not math.isnan(found["of the copying rate"]):
            print(f"  memory-bound kernels: {found['of the copying rate']:.0%} of the copying rate")
        behind = found["behind the best peer"]
        print(f"  slower than {BEHIND} of the best peer: {len(behind)} of {found['rows']}")
        for name, ratio in behind:
            print(f"    {name}: {ratio:.2f}")
        print(
            f"  memory-bound kernels below {NEAR_COPY:.0%} of the copying rate: {len(found['behind the copying rate'])}"
        )
        for name, part in found["behind the copying rate"]:
            print(f"    {name}: {part:.0%}")
    for row in rows:
        for name, why in row["failed"].items():
            print(f"FAILED: {row['name']} {row['size']}, {name}: {why}", file=sys.stderr)


MARKERS = {"L1": "o", "L3": "s", "memory": "D"}


def plot(rows: Sequence[Row], file: Path) -> None:
    """How many times faster egc is, for each kernel a line and for each size a point, in two panels: over the best
    compiler and over hand-written numba. Rows of the first number of threads only."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = [row for row in rows if row["threads"] == rows[0]["threads"]]
    names = list(dict.fromkeys(row["name"] for row in rows))
    matplotlib.rcParams.update({"svg.hashsalt": "egc", "svg.fonttype": "none"})
    figure, panels = pyplot.subplots(1, 2, figsize=(9, 1.6 + 0.19 * len(names)), sharey=True, layout="constrained")
    for axes, group, title in zip(panels, (COMPILERS, LOOPS), ("best of JAX, PyTensor, numexpr", "hand-written numba")):
        for size, marker in MARKERS.items():
            of_size = [row for row in rows if row["size"] == size]
            points = [(speedup(row, group), names.index(row["name"])) for row in of_size]
            points = [(value, k) for value, k in points if value is not None]
            if points:
                axes.scatter(*zip(*points), label=size, marker=marker, s=16, alpha=0.85)
        mean = geometric_mean(speedup(row, group) for row in rows)
        axes.axvline(1.0, color="grey", linewidth=0.8)
        axes.set_xscale("log")
        axes.margins(y=0.01)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_title(f"{title}\ngeometric mean {mean:.2f}x", fontsize="medium")
        axes.set_xlabel("times faster than it")
        axes.grid(axis="y", linewidth=0.3)
    panels[0].set_yticks(range(len(names)), names, fontsize="small")
    panels[0].invert_yaxis()
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), fontsize="small")
    plain = {"Date": None} if file.suffix == ".svg" else {}
    figure.savefig(file, dpi=150, metadata=plain)
    pyplot.close(figure)
