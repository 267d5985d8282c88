"""Optimized programs in the cache: found again, by everything that they follow from, and by nothing else."""

import dataclasses
import gc
import json
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

import egc
from egc import cache, cli, ir, pipeline, stored
from egc.backends.reference import BACKEND
from egc.costfiles import costs_of
from egc.errors import Line
from egc.ir import Program
from egc.options import Options
from egc.text import parse_program
from egc.types import parse_type
from tests.random_programs import random_program

COSTS = costs_of(BACKEND)
X = np.array([0.5, 1.0, 2.0])


def log_sum(x):
    return np.log(np.sum(np.exp(x)))


@pytest.fixture
def store(monkeypatch, tmp_path):
    monkeypatch.setenv("EGC_CACHE_DIR", str(tmp_path))
    return cache.shared()


@pytest.fixture
def searches(monkeypatch):
    """The Programs that were searched."""
    found = []
    search = pipeline.search
    monkeypatch.setattr(pipeline, "search", lambda program, *rest: found.append(program) or search(program, *rest))
    return found


def run(function, *arguments, **options):
    return egc.optimize(function, backend="reference", **options)(*arguments)


def test_a_program_is_searched_once(store, searches):
    results = [run(log_sum, X), run(log_sum, X)]
    assert len(searches) == 1 and results[0] == results[1] == pytest.approx(log_sum(X))


def test_the_name_of_a_function_does_not_count(store, searches):
    def another(x):
        return np.log(np.sum(np.exp(x)))

    assert run(log_sum, X) == run(another, X) and len(searches) == 1


VARIANTS = [
    ({"rules": ["exponentials", "stability"]}, X),
    ({"rules": {"part": ["linalg"]}}, X),
    ({"precision": "exact"}, X),
    ({"assume": {"x": "positive"}}, X),
    ({}, np.append(X, 3.0)),
    ({}, X.astype(np.float32)),
]


@pytest.mark.parametrize("options, argument", VARIANTS, ids=lambda value: str(getattr(value, "dtype", value)))
def test_what_a_program_follows_from_is_in_its_key(store, searches, options, argument):
    run(log_sum, X)
    run(log_sum, argument, **options)
    assert len(searches) == 2


def test_costs_versions_and_scopes_are_in_the_key(monkeypatch):
    def key(costs=COSTS, scopes=frozenset()):
        x = ir.input("x", parse_type("f64[n]"))
        return stored.program_key(Program((x,), (ir.make("exp", x, scopes=scopes),)), {"n": 3}, ["a"], "real", costs)

    plain = key()
    gc.collect()
    found = {plain, key(scopes=frozenset(["part"])), key(dataclasses.replace(COSTS, byte=COSTS.byte * 2))}
    monkeypatch.setattr(cache, "versions", lambda: ("other",))
    assert len({*found, key()}) == 4


def test_a_rule_file_of_ones_own_counts_by_its_content(store, tmp_path):
    path = tmp_path / "own.py"

    def identity(right):
        path.write_text(
            f"import numpy as np\nfrom egc import rule\n@rule\ndef own(x):\n    return np.exp(x), {right}\n"
        )
        x = ir.input("x", parse_type("f64[n]"))
        return pipeline.rules_identity(Options(rules=[str(path)]), Program((x,), (ir.make("exp", x),)))

    same, other = identity("np.exp2(x)"), identity("np.expm1(x)")
    assert same == identity("np.exp2(x)") != other


def test_a_rule_of_ones_own_is_told_from_another_of_its_name(store):
    def rule_for(precision):
        @egc.rule(precision=precision)
        def own(x):
            return np.log(np.exp(x)), x

        return own

    x = ir.input("x", parse_type("f64[n]"))
    program = Program((x,), (ir.make("exp", x),))
    texts = [pipeline.rules_identity(Options(rules=[rule_for(p)]), program) for p in ("real", "exact")]
    assert texts[0] != texts[1]


@pytest.mark.parametrize("seed", range(60))
def test_programs_survive_being_stored(seed):
    captured, _ = random_program(seed, 12)
    optimized = pipeline.simplify(captured, pipeline.evaluate_reference)
    entry = stored.encode(captured, optimized)
    assert entry is not None
    found = stored.decode(captured, entry)
    assert found is not None and found == optimized


def test_lines_survive_being_stored():
    line, scope = Line("user.py", 7), frozenset(["part"])

    def captured():
        return Program((x,), (ir.make("exp", x, line=line, scopes=scope),))

    x = ir.input("lines_survive", parse_type("f64[n]"))
    before = captured()
    entry = stored.encode(before, before.with_outputs([ir.make("tanh", x, line=line, scopes=scope)]))
    gc.collect()
    (found,) = stored.decode(before, entry).outputs
    assert (found.op, found.line, found.scopes) == ("tanh", line, scope)


@pytest.mark.parametrize(
    "entry",
    [
        b"",
        b"[0]",
        b"[0]\nnot a program",
        b"[0]\nprogram(y: f64[n]) -> %0\n  %0 = exp(y) : f64[n]",
        b"[0]\nprogram(x: f64[n]) -> %0\n  %0 = sum(x) {axes=(0,)} : f64[]",
        b"[0, 0, 0]\nprogram(x: f64[n]) -> %0\n  %0 = tanh(x) : f64[n]",
        b"[9]\nprogram(x: f64[n]) -> %0\n  %0 = tanh(x) : f64[n]",
        b"\xff\xfe",
    ],
)
def test_an_entry_of_another_program_is_refused(entry):
    program = parse_program("program(x: f64[n]) -> %0\n  %0 = exp(x) : f64[n]")
    assert stored.decode(program, entry) is None


def test_what_the_clock_stopped_is_not_kept(store, searches, monkeypatch):
    def search(*arguments):
        arguments[-1].repeatable = False
        return arguments[0]

    monkeypatch.setattr(pipeline, "search", search)
    run(log_sum, X)
    assert store.entries() == []


@pytest.mark.parametrize("damage", ["corrupted", "unreadable folder", "full disk"])
def test_damage_costs_time_and_nothing_else(store, searches, monkeypatch, damage):
    run(log_sum, X)
    (entry,) = store.entries()
    if damage == "corrupted":
        entry.path.write_bytes(entry.path.read_bytes()[:-1])
    elif damage == "unreadable folder":
        store.folder.chmod(0o777)
    else:
        entry.path.unlink()
        monkeypatch.setattr(cache.os, "replace", lambda *names: (_ for _ in ()).throw(OSError(28, "full")))
    assert run(log_sum, X) == pytest.approx(log_sum(X)) and len(searches) == 2


def test_explaining_searches_though_the_program_is_stored(store):
    run(log_sum, X)
    assert egc.explain(log_sum, X).steps


SECOND = """
import json, sys
import numpy as np
import egc
def log_sum(x):
    return np.log(np.sum(np.exp(x)))
result = egc.optimize(log_sum, backend="reference")(np.array([0.5, 1.0, 2.0]))
print(json.dumps([float(result), sorted(name for name in sys.modules if name == "egc.egraph.bindings")]))
"""


def test_a_later_process_does_without_the_engine(store):
    def process():
        output = subprocess.run([sys.executable, "-c", SECOND], capture_output=True, text=True, check=True).stdout
        return json.loads(output)

    value, loaded = process()
    assert loaded and value == pytest.approx(float(log_sum(X)))
    assert process() == [value, []]


def test_the_command_shows_and_clears(store):
    run(log_sum, X)
    shown = CliRunner().invoke(cli.app, ["cache", "info"]).output
    assert str(store.folder) in shown and "program: 1 entries" in shown
    assert "removed 1" in CliRunner().invoke(cli.app, ["cache", "clear"]).output and store.entries() == []


def test_the_command_says_that_the_cache_is_off():
    assert "off" in CliRunner().invoke(cli.app, ["cache", "info"]).output
    assert "off" in CliRunner().invoke(cli.app, ["cache", "clear"]).output
