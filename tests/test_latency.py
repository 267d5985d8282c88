"""The latency benchmark measures what it says."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks import latency
from benchmarks.latency_worker import small

ROOT = Path(__file__).parent.parent


def worker(*task: str) -> dict:
    command = [sys.executable, "-m", "benchmarks.latency_worker", *task]
    return json.loads(subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True).stdout)


def test_a_new_size_does_not_compile():
    found = worker("resize", "egc")
    assert found["compilations"] == 0 and found["call"] > 0


def test_growth_reports_every_stage():
    found = worker("growth", "elementwise chain", "10")
    assert {"capture", "saturate", "compile", "run"} <= set(found["seconds"]) and found["nodes"] >= 10


def test_tables_show_all_rows(capsys):
    rows = [{"name": "call", "library": "egc", "call": 1e-6}, {"name": "call", "library": "numba", "call": 2e-3}]
    rows.append({"name": "growth", "shape": "mixed", "count": 100, "seconds": {"capture": 0.5}, "stopped": "saturated"})
    latency.print_tables(rows)
    shown = capsys.readouterr().out
    assert "1.00 us" in shown and "2.00 ms" in shown and "0.50 (5.00)" in shown


def test_the_small_function_takes_two_arrays():
    np.testing.assert_array_equal(small()(np.ones(2), np.full(2, 3.0)), [4.0, 4.0])
