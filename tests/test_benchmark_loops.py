"""The suite `loops` compares equal things, from equal arguments, and writes what it measured."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks import harness, loops, loops_report
from benchmarks.harness import require_agreement
from benchmarks.peers import loops_numba
from tests.laws.law import numbers
from tests.programs.programs import PROGRAMS, Program

ROOT = Path(__file__).parent.parent
MEASURED = {program.name: program for program in PROGRAMS if program.measured}


def written(module: object) -> dict[str, object]:
    """The programs that a peer's module has."""
    return {name: function for name, function in vars(module).items() if name in MEASURED and callable(function)}


def outcome(program: Program, function: object) -> list[object]:
    arguments = program.arguments(program.sizes[1])
    return loops.Call(function, arguments, loops.changed_arrays(program, arguments)).outcome()  # type: ignore[arg-type]


def test_at_least_42_programs_are_measured_at_two_sizes():
    assert len(MEASURED) >= 42
    assert all(small < large for small, large in (program.measured for program in MEASURED.values()))


@pytest.mark.parametrize("name", written(loops_numba))
def test_what_is_adapted_for_numba_is_the_same_function(name):
    program, adapted = MEASURED[name], getattr(loops_numba, name)
    assert inspect.signature(adapted) == inspect.signature(program.function)
    require_agreement(name, outcome(program, adapted), outcome(program, program.function), program.rtol)


def test_at_least_15_programs_are_written_for_jax():
    loops_jax = pytest.importorskip("benchmarks.peers.loops_jax")
    found = written(loops_jax)
    assert len(found) >= 15
    for name, function in found.items():
        assert inspect.signature(function) == inspect.signature(MEASURED[name].function)


@pytest.mark.parametrize("name", ["conjugate_gradients", "heat_3d", "kalman_filter", "laplace_until", "n_body_arrays"])
def test_what_is_written_for_jax_gives_the_results_and_the_changed_arrays(name):
    pytest.importorskip("jax")
    program = MEASURED[name]
    call = loops.jax_call(program, program.arguments(program.sizes[1]))
    found = [np.asarray(leaf) for leaf in numbers(call())]
    require_agreement(name, found, outcome(program, program.function), 1e-8)


def test_every_call_starts_from_the_same_arguments():
    given = (np.arange(4.0), [np.zeros(2)])

    def add(x, parts):
        x += 1
        return x.sum() + parts[0].sum()

    call = loops.Call(add, given)
    for _ in range(2):
        call.prepare()
        assert call() == 10.0
    np.testing.assert_array_equal(given[0], np.arange(4.0))
    changed = loops.changed_arrays(Program(add, lambda rng, n: given, (1,)), given)
    assert changed == [True, False]
    assert [leaf.tolist() for leaf in loops.Call(add, given, changed).outcome()] == [10.0, [1.0, 2.0, 3.0, 4.0]]
    assert not hasattr(loops.Call(add, given, [False, False]), "prepare")


def test_what_prepares_a_call_is_not_timed():
    class Call:
        def prepare(self):
            time.sleep(0.02)

        def __call__(self):
            turns.append("call")

    turns: list[str] = []
    found = harness.interleaved_medians({"a": Call()}, harness.Effort(rounds=3, turn=1e-7))
    assert found["a"] < 0.01 and len(turns) >= 5


def test_a_first_call_that_takes_too_long_is_given_up():
    with pytest.raises(TimeoutError), loops.patience(1):
        while True:
            pass


ROW = {
    "name": "k", "family": "stencils", "size": "small", "n": 9, "threads": 1, "elements": True, "failed": {}, "opaque": [],
    "seconds": {"numpy": 80.0, "numba": 4.0, "numba parallel": 2.0, "jax": 3.0, "egc": 1.0}, "as_written": False,
    "first": {"numba": 1.0, "egc": 0.5},
}  # fmt: skip


def test_the_summary_names_what_is_behind_opaque_or_slow_to_start():
    slow = {
        **ROW, "name": "slow", "elements": False, "opaque": ["a loop"], "first": {"egc": 3.0},
        "seconds": {"numpy": 5.0, "numba": 4.0, "egc": 8.0},
    }  # fmt: skip
    found = loops_report.summary([ROW, slow])
    assert found["over the best of the same function"] == pytest.approx(1.0)
    assert found["over NumPy, loops over elements"] == pytest.approx(80.0)
    assert found["over JAX"] == pytest.approx(3.0)
    assert found["behind NumPy or numba"] == [["slow small", 0.5]]
    assert found["opaque"] == ["slow"]
    assert found["slow first calls"] == [["slow", 3.0]]


def test_the_suite_writes_rows_machine_and_versions(tmp_path):
    file = tmp_path / "rows.json"
    command = [sys.executable, "-m", "benchmarks", "loops", "--quick", "--only", "written_out", "--json", str(file)]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    found = json.loads(file.read_text(encoding="utf-8"))
    assert set(found) == {"rows", "summary", "machine", "versions"}
    (row,) = found["rows"]
    assert (row["name"], row["size"], row["threads"]) == ("written_out", "small", 1)
    assert {"numpy", "numba", "numba parallel", "egc"} <= set(row["seconds"])
    assert row["first"]["egc"] > 0 and row["opaque"] == []
