"""The command line: `python -m benchmarks SUITE [--quick] [--only NAME] [--threads 1 2] [--json FILE] [--plot FILE]`."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import pin

SUITES = {
    "kernels": "benchmarks.kernels",
    "latency": "benchmarks.latency",
    "costs": "benchmarks.costs",
    "loops": "benchmarks.loops",
    "linalg": "benchmarks.linalg",
    "derivatives": "benchmarks.derivatives",
    "sparse": "benchmarks.sparse",
    "memory": "benchmarks.memory",
    "extraction": "benchmarks.extraction",
}
"""Each suite's module: `run(options)` measures, prints, and returns the exit status.

A suite that calls `processes.rows_from_processes(options)` also has `measure(options)`: the rows for one number of
threads, in the process that has been started with it.
"""


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="egc and its peers, side by side.")
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("--quick", action="store_true", help="the smallest size only, with fewer rounds")
    parser.add_argument("--only", metavar="NAME", help="cases whose name contains NAME")
    parser.add_argument("--sizes", nargs="+", metavar="SIZE", help="cases of these sizes only")
    parser.add_argument("--threads", type=int, nargs="+", default=[1], metavar="N", help="one run for each number")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write rows, machine and versions")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write a plot")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args(given)


def main() -> int:
    options = arguments()
    suite = importlib.import_module(SUITES[options.suite])
    if options.worker:
        pin(options.threads[0])
        options.worker.write_text(json.dumps(suite.measure(options)), encoding="utf-8")
        return 0
    return suite.run(options)


if __name__ == "__main__":
    sys.exit(main())
