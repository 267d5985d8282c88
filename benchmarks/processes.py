"""Rows from processes of their own, whose libraries start with the number of threads that is asked for."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.harness import machine, thread_environment, versions


def rows_from_processes(options: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows of the suite's `measure` for every number of threads. Ends the command where a process fails, with its status,
    and where no case has the name that is asked for."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for threads in options.threads:
            file = Path(folder) / f"{threads}.json"
            command = [
                sys.executable,
                "-m",
                "benchmarks",
                options.suite,
                "--worker",
                str(file),
                "--threads",
                str(threads),
            ]
            command += ["--quick"] if options.quick else []
            command += ["--only", options.only] if options.only else []
            command += ["--sizes", *options.sizes] if options.sizes else []
            status = subprocess.run(command, env=thread_environment(threads)).returncode
            if status:
                raise SystemExit(status)
            rows += json.loads(file.read_text(encoding="utf-8"))
    return selected(rows, options)


def selected(rows: list[dict[str, Any]], options: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows, of which there must be some: the command ends where no case has the name that is asked for."""
    if not rows:
        raise SystemExit(f"{options.suite}: no case's name contains {options.only!r}")
    return rows


def report_failures(rows: list[dict[str, Any]], *columns: str) -> int:
    """Says which columns failed or disagree, of all or of some; the exit status that tells whether any does."""
    found = [
        (row["name"], name, why)
        for row in rows
        for name, why in row["failed"].items()
        if not columns or name in columns
    ]
    for problem, name, why in found:
        print(f"FAILED: {problem}, {name}: {why}", file=sys.stderr)
    return int(bool(found))


def write_json(rows: list[dict[str, Any]], file: Path, **more: Any) -> None:
    """Writes rows, machine and versions."""
    results = {"rows": rows, **more, "machine": machine(), "versions": versions()}
    file.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
