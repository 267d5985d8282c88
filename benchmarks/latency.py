"""How long egc makes its user wait: calls, first calls, and how its stages grow with the program.

Every number is the median over processes of their own, in turns with the peers'; a process is told where to keep what
it caches, and a cold one starts with an empty folder.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.generated import SHAPES
from benchmarks.processes import selected, write_json

LIBRARIES = ("egc", "jax.jit", "pytensor", "numba")
FIRST_COUNT = 50
COUNTS = (10, 100, 1_000, 5_000)
QUICK_COUNTS = (10, 100)
PROCESSES, QUICK_PROCESSES = 5, 1

Row = dict[str, Any]


def run(options: argparse.Namespace) -> int:
    """Measures, prints, and writes what is asked for."""
    rows = selected(measure(options), options)
    print_tables(rows)
    if options.json:
        write_json(rows, options.json)
    return 0


def measure(options: argparse.Namespace) -> list[Row]:
    """The rows of all measurements; `--only` keeps those whose name contains it. Names go to stderr as they finish."""
    processes, counts = (QUICK_PROCESSES, QUICK_COUNTS) if options.quick else (PROCESSES, COUNTS)
    rows: list[Row] = []

    def wanted(name: str) -> bool:
        return options.only is None or options.only in name

    for name, task in (
        ("call", ("call", "{library}")),
        ("first call", ("first", "{library}", str(FIRST_COUNT))),
        ("first call, second process", ("first", "{library}", str(FIRST_COUNT))),
        ("new size", ("resize", "{library}")),
    ):
        if wanted(name):
            rows += _libraries(name, task, processes, warm=name.endswith("second process"))
    for shape in SHAPES:
        for count in counts if wanted(f"growth {shape.name}") else ():
            rows.append(_grown(shape.name, count, processes if count <= 100 else 1))
    return rows


def _libraries(name: str, task: Sequence[str], processes: int, warm: bool) -> list[Row]:
    """One row for each library, measured in turns. `warm`: an earlier process has filled the caches."""
    found: dict[str, list[dict[str, Any]]] = {library: [] for library in LIBRARIES}
    for _ in range(processes):
        for library in list(found):
            with tempfile.TemporaryDirectory() as folder:
                command = [part.format(library=library) for part in task]
                results = [_worker(command, folder) for _ in range(1 + warm)]
            if results[-1] is None:
                del found[library]
                continue
            found[library].append(results[-1])
    rows = []
    for library, samples in found.items():
        middle = {key: _median([sample[key] for sample in samples]) for key in samples[0]}
        rows.append({"name": name, "library": library, **middle})
        print(name, library, file=sys.stderr, flush=True)
    return rows


def _median(values: Sequence[Any]) -> Any:
    return None if None in values else statistics.median(values)


def _grown(shape: str, count: int, processes: int) -> Row:
    samples = []
    for _ in range(processes):
        with tempfile.TemporaryDirectory() as folder:
            samples.append(
                _worker(["growth", shape, str(count)], folder) or {"seconds": {}, "nodes": 0, "stopped": "failed"}
            )
    keys = dict.fromkeys(key for sample in samples for key in sample["seconds"])
    seconds = {key: statistics.median(sample["seconds"].get(key, 0.0) for sample in samples) for key in keys}
    print("growth", shape, count, file=sys.stderr, flush=True)
    return {**samples[0], "name": "growth", "shape": shape, "count": count, "seconds": seconds}


def _worker(task: Sequence[str], folder: str) -> dict[str, Any] | None:
    """What a worker printed; None where its library is not installed or fails."""
    environment = {
        **os.environ,
        "EGC_CACHE_DIR": str(Path(folder) / "egc"),
        "NUMBA_CACHE_DIR": str(Path(folder) / "numba"),
        "PYTENSOR_FLAGS": f"base_compiledir={folder}/pytensor",
        "JAX_PLATFORMS": "cpu",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "benchmarks.latency_worker", *task]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        print(f"{' '.join(task)}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def print_tables(rows: Sequence[Row]) -> None:
    console = Console(width=None if Console().is_terminal else 160)
    compared = [row for row in rows if row["name"] != "growth"]
    if compared:
        console.print(_comparison(compared))
    grown = [row for row in rows if row["name"] == "growth"]
    if grown:
        console.print(_growth(grown))


def _comparison(rows: Sequence[Row]) -> Table:
    names = list(dict.fromkeys(row["name"] for row in rows))
    table = Table(title="latency (in parentheses: with imports)")
    for name in ("", *LIBRARIES):
        table.add_column(name, justify="right" if name else "left")
    for name in names:
        found = {row["library"]: row for row in rows if row["name"] == name}
        table.add_row(name, *(_duration(found[each]) if each in found else "-" for each in LIBRARIES))
    return table


def _duration(row: Mapping[str, Any]) -> str:
    seconds = row["call"]
    text = (
        f"{1e6 * seconds:.2f} us"
        if seconds < 1e-4
        else f"{1e3 * seconds:.2f} ms"
        if seconds < 0.1
        else f"{seconds:.2f} s"
    )
    text += f" ({seconds + row['import']:.2f} s)" if "import" in row else ""
    return text + (f", {row['compilations']:g} compilations" if row.get("compilations") is not None else "")


def _growth(rows: Sequence[Row]) -> Table:
    keys = list(dict.fromkeys(key for row in rows for key in row["seconds"]))
    table = Table(title="seconds by stage (in parentheses: milliseconds for each operation)")
    for name in ("program", "operations", *keys, "total", "search"):
        table.add_column(name, justify="left" if name in ("program", "search") else "right")
    for row in rows:
        total = sum(row["seconds"].values())
        cells = [f"{row['seconds'].get(key, 0.0):.3f}" for key in keys]
        table.add_row(
            row["shape"], f"{row['count']:,}", *cells, f"{total:.2f} ({1e3 * total / row['count']:.2f})", row["stopped"]
        )
    return table
