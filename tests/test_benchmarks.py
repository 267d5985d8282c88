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

from benchmarks import cases, harness, limits, report
from benchmarks.peers import plain

ROOT = Path(__file__).parent.parent
PEERS = ROOT / "benchmarks" / "peers"


def functions(peer: str) -> dict[str, list[str]]:
    """The functions of a peer's module or package, with their arguments."""
    files = [*PEERS.glob(f"{peer}.py"), *(f for f in PEERS.glob(f"{peer}/*.py") if f.stem != "__init__")]
    body = [node for file in files for node in ast.parse(file.read_text(encoding="utf-8")).body]
    return {node.name: [a.arg for a in node.args.args] for node in body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("peer", ["numba_loops", "jax_numpy"])
def test_every_kernel_is_written_for_these_peers_with_the_same_arguments(peer):
    assert functions(peer) == functions("plain")


@pytest.mark.parametrize("peer", ["numexpr_strings", "pytensor_graphs"])
def test_other_peers_have_no_kernels_of_their_own(peer):
    numpy, own = functions("plain"), functions(peer)
    own.pop("compiled", None)
    assert own and all(numpy[name] == given for name, given in own.items())


def test_the_kernels_are_those_written_in_numpy():
    assert [kernel.name for kernel in cases.KERNELS] == list(functions("plain"))
    assert len(cases.KERNELS) >= 30


@pytest.mark.parametrize("kernel", cases.KERNELS, ids=lambda kernel: kernel.name)
def test_a_kernels_data_fill_the_working_set_that_it_states(kernel):
    size = 60 if kernel.sizes else kernel.size(200_000)
    arguments = kernel.make(np.random.default_rng(0), size)
    found = getattr(plain, kernel.name)(*arguments)
    arrays = [*arguments, *map(np.asarray, found if isinstance(found, tuple) else (found,))]
    moved = sum(a.nbytes for a in arrays)
    assert kernel.working_set(size) <= 200_000
    if not kernel.sizes:
        assert 0.8 * kernel.working_set(size) <= moved <= 1.25 * kernel.working_set(size)


def test_sizes_grow_with_the_caches():
    sets = cases.working_sets(2**15, 2**25)
    for kernel in cases.KERNELS:
        first, last, memory = kernel.sizes.values() if kernel.sizes else map(kernel.size, sets.values())
        assert first < last < memory


def test_a_wrong_result_is_a_disagreement():
    x = np.arange(5.0)
    harness.require_agreement("nan is nan", np.array([np.nan, 1.0]), np.array([np.nan, 1.0]))
    harness.require_agreement("same", (x, 1.0), (x * (1 + 1e-12), 1.0))
    for wrong in (x + 1e-6, x[:4], (x, x), x * np.nan):
        with pytest.raises(harness.Disagreement, match="sum"):
            harness.require_agreement("sum", wrong, x)
    for wrong in (np.array([10**12, 1]), np.array([1e12, 0.0])):
        with pytest.raises(harness.Disagreement, match="count"):
            harness.require_agreement("count", wrong, np.array([10**12, 0]))


def test_every_peer_has_a_turn_in_every_round():
    turns: list[str] = []
    calls = {name: lambda name=name: turns.append(name) or time.sleep(1e-3) for name in "abc"}
    found = harness.interleaved_medians(calls, harness.Effort(rounds=3, turn=1e-5))
    assert set(found) == set("abc")
    assert turns[-9:] == ["a", "b", "c", "b", "c", "a", "c", "a", "b"]


def test_a_peer_that_is_far_behind_has_the_least_rounds():
    turns: list[str] = []
    pauses = {"near": 0.001, "far": 0.1}
    calls = {name: lambda name=name: turns.append(name) or time.sleep(pauses[name]) for name in pauses}
    harness.interleaved_medians(calls, harness.Effort(rounds=6, turn=1e-4, least=2), warm=True)
    assert (turns.count("near"), turns.count("far")) == (7, 3)


def test_limits_are_of_what_takes_longest():
    x = np.ones(2**12)
    assert limits.limit([x, x], 0.0, 0.0, 2**16, 1)[1] == "bytes"
    assert limits.limit([x], 1e12, 0.0, 2**15, 1)[1] == "flops"
    assert limits.limit([x], 0.0, 1e9, 2**15, 1) == (
        pytest.approx(1e9 / limits.exponentials_per_second("float64", 1)),
        "calls",
    )


def test_what_is_timed_as_copying_copies():
    a, b = np.ones(100), np.zeros(100)
    limits.scale_often(a, b, 1)
    np.testing.assert_allclose(b, 1.0, rtol=1e-6)
    limits.scale_often(a, c := np.zeros(100), 2)
    np.testing.assert_allclose(a, c, rtol=1e-6)
    limits.scale_in_parallel(3 * a, b)
    np.testing.assert_allclose(b, 3.0, rtol=1e-6)


@pytest.mark.parametrize(
    "arguments, rtol", [((np.float64, np.int64, 52, 1023, 12), 1e-14), ((np.float32, np.int32, 23, 127, 6), 1e-6)]
)
def test_the_exponentials_that_are_timed_are_exponentials(arguments, rtol):
    x = np.linspace(-5, 5, 101, dtype=arguments[0])
    out = np.empty_like(x)
    limits._exponential(*arguments)(x, out, 1)
    np.testing.assert_allclose(out, np.exp(x), rtol=rtol)


ROW = {
    "name": "k", "size": "memory", "n": 9, "threads": 1, "bound": "bytes", "limit": 0.5, "transcendental": True, "failed": {},
    "seconds": {"numpy": 8.0, "numba": 4.0, "numba fastmath": 3.0, "jax": 2.0, "pytensor": 5.0, "egc": 1.0},
}  # fmt: skip


def test_speedups_are_over_the_best_of_a_group():
    assert report.speedup(ROW, report.COMPILERS) == 2.0
    assert report.speedup(ROW, report.LOOPS) == 3.0
    assert report.speedup({**ROW, "seconds": {"numpy": 8.0, "egc": 1.0}}, report.LOOPS) is None


def test_the_summary_names_what_is_behind():
    slow = {**ROW, "name": "slow", "limit": 3.6, "seconds": {**ROW["seconds"], "egc": 4.0}}
    found = report.summary([ROW, slow])
    assert found["over the best compiler"] == pytest.approx(1.0)
    assert found["over njit, transcendental"] == pytest.approx(2.0)
    assert found["by size"] == {"memory": [pytest.approx(1.0), pytest.approx(1.5)]}
    assert found["behind the best peer"] == [["slow memory", 0.5]]
    assert found["behind the copying rate"] == [["k memory", 0.5]]


def test_the_suite_writes_rows_machine_and_versions(tmp_path):
    file = tmp_path / "rows.json"
    command = [sys.executable, "-m", "benchmarks", "kernels", "--quick", "--only", "squared_error", "--json", str(file)]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    found = json.loads(file.read_text(encoding="utf-8"))
    assert set(found) == {"rows", "summary", "machine", "versions"}
    (row,) = found["rows"]
    assert (row["name"], row["size"], row["threads"]) == ("squared_error", "L1", 1)
    assert {"numpy", "numba", "egc"} <= set(row["seconds"])
    assert {"egc", "numpy", "numba"} <= set(found["versions"])


@pytest.mark.parametrize("suffix, start", [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_a_plot_is_written(tmp_path, suffix, start):
    pytest.importorskip("matplotlib")
    report.plot([ROW], tmp_path / f"plot.{suffix}")
    assert (tmp_path / f"plot.{suffix}").read_bytes().startswith(start)
