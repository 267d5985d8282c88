"""The benchmarks compare equal things, and write what they measured."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks import harness, report

ROOT = Path(__file__).parent.parent
PEERS = ROOT / "benchmarks" / "peers"


def functions(module: str) -> dict[str, list[str]]:
    body = ast.parse((PEERS / f"{module}.py").read_text(encoding="utf-8")).body
    return {node.name: [a.arg for a in node.args.args] for node in body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("module", ["numba_loops", "jax_numpy"])
def test_every_kernel_is_written_for_these_peers_with_the_same_arguments(module):
    assert functions(module) == functions("plain")


@pytest.mark.parametrize("module", ["numexpr_strings", "pytensor_graphs"])
def test_other_peers_have_no_kernels_of_their_own(module):
    plain, own = functions("plain"), functions(module)
    own.pop("compiled", None)
    assert own and all(plain[name] == given for name, given in own.items())


def test_a_wrong_result_is_a_disagreement():
    x = np.arange(5.0)
    harness.require_agreement("same", (x, 1.0), (x * (1 + 1e-12), 1.0))
    for wrong in (x + 1e-6, x[:4], (x, x), x * np.nan):
        with pytest.raises(harness.Disagreement, match="sum"):
            harness.require_agreement("sum", wrong, x)


def test_every_peer_has_a_turn_in_every_round():
    turns: list[str] = []
    calls = {name: lambda name=name: turns.append(name) or time.sleep(1e-3) for name in "abc"}
    found = harness.interleaved_medians(calls, harness.Effort(rounds=3, turn=1e-5))
    assert set(found) == set("abc")
    assert turns[-9:] == ["a", "b", "c", "b", "c", "a", "c", "a", "b"]


def test_ratios_are_to_the_best_peer_that_is_not_egc():
    row = {"seconds": {"numpy": 4.0, "numba": 2.0, "egc": 1.0, "egc rules=[]": 3.0}}
    assert report.ratios(row) == {"numpy": 2.0, "numba": 1.0, "egc": 0.5, "egc rules=[]": 1.5}
    assert report.geometric_mean([row, row], "egc") == pytest.approx(0.5)


def test_the_suite_writes_rows_machine_and_versions(tmp_path):
    file = tmp_path / "rows.json"
    command = [sys.executable, "-m", "benchmarks", "kernels", "--quick", "--only", "squared_error", "--json", str(file)]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    found = json.loads(file.read_text(encoding="utf-8"))
    assert set(found) == {"rows", "machine", "versions"}
    (row,) = found["rows"]
    assert (row["name"], row["size"], row["threads"]) == ("squared_error", "n=1000", 1)
    assert {"numpy", "numba", "egc", "egc rules=[]"} <= set(row["seconds"])
    assert {"egc", "numpy", "numba"} <= set(found["versions"])


def test_a_plot_is_written(tmp_path):
    pytest.importorskip("matplotlib")
    row = {"name": "k", "size": "n=1", "threads": 1, "seconds": {"numpy": 4.0, "egc": 1.0}}
    report.plot([row], ("numpy", "egc"), tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
