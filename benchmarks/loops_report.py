"""The rows of the suite `loops` as a table and a summary."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.report import BEHIND, geometric_mean, line, microseconds, speedup

Row = Mapping[str, Any]

COLUMNS = ("numpy", "numba", "numba parallel", "jax", "egc")
COMPARED = ("numpy", "numba", "numba parallel")
"""Those that run the same function."""
BEST = ("numpy", "numba")
"""Those that no program may be behind."""
PATIENT = 2.0
"""Seconds that a first call may take."""


def print_table(rows: Sequence[Row]) -> None:
    """Microseconds of each peer, how many times faster egc is, the first call's seconds, and what runs as written."""
    table = Table(title="microseconds of one call, and how many times faster egc is")
    groups = {"vs numpy": ("numpy",), "vs numba": ("numba",), "vs best": COMPARED, "vs jax": ("jax",)}
    for name in ("program", "size", "threads", *COLUMNS, *groups, "first call", ""):
        table.add_column(name, justify="left" if name in ("program", "size", "") else "right")
    for row in rows:
        times = [microseconds(row["seconds"][name]) if name in row["seconds"] else "-" for name in COLUMNS]
        found = [speedup(row, names) for names in groups.values()]
        cells = [*times, *(f"{each:.2f}" if each is not None else "-" for each in found)]
        first = f"{row['first']['egc']:.2f} s" if "egc" in row["first"] else "-"
        written = "as written" if row["as_written"] else "opaque" if row["opaque"] else ""
        table.add_row(row["name"], row["size"], str(row["threads"]), *cells, first, written)
    Console(width=None if Console().is_terminal else 200).print(table)


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """What the rows of one number of threads come to."""
    names = list(dict.fromkeys(row["name"] for row in rows))
    loops = [row for row in rows if row["elements"]]
    opaque = [name for name in names if any(r["opaque"] or r["as_written"] for r in rows if r["name"] == name)]
    behind = [(speedup(row, BEST), f"{row['name']} {row['size']}") for row in rows]
    first: dict[str, float] = {}
    for row in rows:
        if "egc" in row["first"]:
            first[row["name"]] = max(first.get(row["name"], 0.0), row["first"]["egc"])
    return {
        "threads": rows[0]["threads"],
        "programs": len(names),
        "rows": len(rows),
        "over the best of the same function": geometric_mean(speedup(row, COMPARED) for row in rows),
        "over numba": geometric_mean(speedup(row, ("numba",)) for row in rows),
        "over NumPy": geometric_mean(speedup(row, ("numpy",)) for row in rows),
        "over NumPy, loops over elements": geometric_mean(speedup(row, ("numpy",)) for row in loops),
        "over JAX": geometric_mean(speedup(row, ("jax",)) for row in rows),
        "behind NumPy or numba": [[name, v] for v, name in sorted(b for b in behind if b[0] is not None) if v < BEHIND],
        "opaque": opaque,
        "first call": statistics.median(first.values()) if first else None,
        "slow first calls": sorted([name, seconds] for name, seconds in first.items() if seconds > PATIENT),
        "failed": [[f"{row['name']} {row['size']}", name] for row in rows for name in row["failed"]],
    }  # fmt: skip


def summaries(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [summary([r for r in rows if r["threads"] == n]) for n in sorted({row["threads"] for row in rows})]


def print_summary(rows: Sequence[Row]) -> None:
    for found in summaries(rows):
        print(f"\n{found['threads']} thread(s), {found['programs']} programs, {found['rows']} rows; geometric means:")
        for name, value in found.items():
            if name.startswith("over "):
                print(f"  {name}: {value:.2f}x")
        print(f"  nothing opaque: {found['programs'] - len(found['opaque'])} of {found['programs']}")
        print(f"    opaque: {', '.join(found['opaque']) or 'none'}")
        behind = found["behind NumPy or numba"]
        print(f"  slower than {BEHIND} of the best of NumPy and numba: {len(behind)} of {found['rows']}")
        for name, ratio in behind:
            print(f"    {name}: {ratio:.2f}")
        if found["first call"] is not None:
            slow = found["slow first calls"]
            print(f"  first call: {found['first call']:.2f} s in the middle; over {PATIENT:.0f} s: {len(slow)}")
            for name, seconds in slow:
                print(f"    {name}: {seconds:.1f} s")
    for row in rows:
        for name, why in row["failed"].items():
            print(f"FAILED: {row['name']} {row['size']}, {name}: {why[:500]}", file=sys.stderr)


__all__ = ["line", "print_summary", "print_table", "summaries", "summary"]
