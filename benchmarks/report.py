"""A suite's rows as a table and as a plot."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

Row = Mapping[str, Any]


def best_peer(row: Row) -> float:
    """The least seconds that a peer, not egc, takes."""
    return min(seconds for name, seconds in row["seconds"].items() if not name.startswith("egc"))


def ratios(row: Row) -> dict[str, float]:
    """Each column's seconds over the best peer's."""
    best = best_peer(row)
    return {name: seconds / best for name, seconds in row["seconds"].items()}


def microseconds(seconds: float) -> str:
    return f"{1e6 * seconds:.3g}" if seconds < 1e-3 else f"{1e6 * seconds:,.0f}"


def print_table(rows: Sequence[Row], columns: Sequence[str]) -> None:
    """Microseconds, and in parentheses the ratio to the best peer of the row."""
    shown = [name for name in columns if any(name in row["seconds"] for row in rows)]
    table = Table(title="microseconds (ratio to the best peer)")
    for name in ("kernel", "size", "threads", *shown):
        table.add_column(name, justify="left" if name in ("kernel", "size") else "right")
    for row in rows:
        found = ratios(row)
        cells = [f"{microseconds(row['seconds'][n])} ({found[n]:.2f})" if n in found else "-" for n in shown]
        table.add_row(row["name"], row["size"], str(row["threads"]), *cells)
    table.add_section()
    table.add_row("geometric mean of ratios", "", "", *(f"{geometric_mean(rows, name):.2f}" for name in shown))
    Console(width=None if Console().is_terminal else 180).print(table)


def geometric_mean(rows: Sequence[Row], name: str) -> float:
    found = [math.log(ratios(row)[name]) for row in rows if name in row["seconds"]]
    return math.exp(sum(found) / len(found)) if found else math.nan


def plot(rows: Sequence[Row], columns: Sequence[str], file: Path) -> None:
    """The ratios to the best peer, one point for each row and column, on a logarithmic scale."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 1.5 + 0.28 * len(rows)), layout="constrained")
    labels = [f"{row['name']} {row['size']}, {row['threads']} thread(s)" for row in rows]
    for name in columns:
        points = [(ratios(row)[name], k) for k, row in enumerate(rows) if name in row["seconds"]]
        if points:
            marker, size = ("D", 42) if name == "egc" else ("o", 22)
            axes.scatter(*zip(*points), label=name, marker=marker, s=size, alpha=0.8)
    axes.axvline(1.0, color="grey", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_yticks(range(len(rows)), labels)
    axes.invert_yaxis()
    axes.set_xlabel("time over the best peer's (left is faster)")
    figure.legend(loc="outside upper center", ncols=4, fontsize="small")
    figure.savefig(file, dpi=150)
