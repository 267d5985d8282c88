"""The command line: `python -m benchmarks kernels [--quick] [--threads 1 2] [--json FILE] [--plot FILE]`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import QUICK, Effort, machine, pin, thread_environment, versions

SUITES = ("kernels",)


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="egc and its peers, side by side.")
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("--quick", action="store_true", help="the smallest size only, with fewer rounds")
    parser.add_argument("--only", metavar="NAME", help="kernels whose name contains NAME")
    parser.add_argument("--threads", type=int, nargs="+", default=[1], metavar="N", help="one run for each number")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write rows, machine and versions")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write a plot of the ratios")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args(given)


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows for one number of threads, in this process."""
    from benchmarks import kernels

    def report(row: Mapping[str, Any]) -> None:
        print(f"{row['name']} {row['size']}", file=sys.stderr, flush=True)

    effort, sizes = (QUICK, slice(0, 1)) if options.quick else (Effort(), slice(None))
    return kernels.run(effort, options.threads[0], sizes, options.only, report)


def measure_in_processes(options: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows for every number of threads, each from a process whose libraries start with that number."""
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
            subprocess.run(command, check=True, env=thread_environment(threads))
            rows += json.loads(file.read_text(encoding="utf-8"))
    return rows


def main() -> int:
    options = arguments()
    if options.worker:
        pin(options.threads[0])
        options.worker.write_text(json.dumps(measure(options)), encoding="utf-8")
        return 0
    try:
        rows = measure_in_processes(options)
    except subprocess.CalledProcessError as error:
        return error.returncode
    from benchmarks.kernels import COLUMNS
    from benchmarks.report import plot, print_table

    if not rows:
        print(f"no kernel's name contains {options.only!r}", file=sys.stderr)
        return 1
    print_table(rows, COLUMNS)
    if options.json:
        results = {"rows": rows, "machine": machine(), "versions": versions()}
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    if options.plot:
        plot(rows, COLUMNS, options.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
