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
    """The rows of the suite's `measure` for every number of threads. Raises CalledProcessError where one fails."""
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
            subprocess.run(command, check=True, env=thread_environment(threads))
            rows += json.loads(file.read_text(encoding="utf-8"))
    return rows


def write_json(rows: list[dict[str, Any]], file: Path, **more: Any) -> None:
    """Writes rows, machine and versions."""
    results = {"rows": rows, **more, "machine": machine(), "versions": versions()}
    file.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
