"""The `egc` command: what it prints, and its exit status."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import egc
from egc import cli, rulefiles

FUNCTIONS = """\
import numpy as np


def log_sum(x):
    return np.log(np.sum(np.exp(x)))


def scaled(x, k=2):
    return x * k + 0


def chosen(x):
    y = x * 2
    return y[y > 0]


NOT_A_FUNCTION = 3
"""


RULES = '''\
"""Rules that are wrong."""

import numpy as np

from egc import rule


@rule
def root_of_square(x):
    """sqrt(x^2) = x"""
    return np.sqrt(x * x), x


@rule
def twice(x):
    return x + x, 2 * x
'''

KEYS = set(
    "name backend before after cost_before cost_after steps stop_reason nodes seconds kernels code opaque".split()
)


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    """`call("rules", "list")` gives the exit status and what was printed; it runs in a folder with the files above."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "functions_of_mine.py").write_text(FUNCTIONS)
    (tmp_path / "wrong_rules.py").write_text(RULES)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["egc", *arguments])
        try:
            cli.main()
            status = 0
        except SystemExit as end:
            status = end.code or 0
        captured = capsys.readouterr()
        return status, captured.out + captured.err

    return run


EXPLAIN = ("explain", "functions_of_mine.py:log_sum", "--backend", "reference")


@pytest.mark.parametrize("given", [("--arg", "x=f64[1000]"), ("--call", "log_sum(np.ones(1000))")])
def test_explain_shows_both_programs_and_the_steps(call, given):
    status, text = call(*EXPLAIN, *given)
    assert status == 0
    assert all(word in text for word in ("before:", "after:", "steps:", "search:", "np.log"))


def test_explain_as_json_is_the_contract(call):
    status, text = call(*EXPLAIN, "--arg", "x=f64[1000]", "--format", "json")
    found = json.loads(text)
    assert status == 0 and set(found) >= KEYS
    assert found["opaque"] == [] and found["cost_after"] <= found["cost_before"]
    assert all(list(step) == "rule file line before after saved precision".split() for step in found["steps"])
    assert all(Path(step["file"]).is_file() for step in found["steps"])


def test_explain_states_the_precision_class_of_each_step(call):
    _, text = call(*EXPLAIN, "--arg", "x=f64[1000]")
    _, data = call(*EXPLAIN, "--arg", "x=f64[1000]", "--format", "json")
    classes = {rule.name: rule.precision for rule in rulefiles.load(None)}
    steps = json.loads(data)["steps"]
    assert steps
    for step in steps:
        assert step["precision"] == classes[step["rule"]]
        (line,) = (line for line in text.splitlines() if line.strip().startswith(f"{step['rule']} at "))
        assert line.endswith(f"precision {step['precision']}")


@pytest.mark.parametrize("version", ["before", "after"])
def test_the_programs_that_explain_prints_run(call, version):
    _, text = call(*EXPLAIN, "--arg", "x=f64[1000]", "--format", "json")
    namespace = {}
    exec(json.loads(text)[version], namespace)
    np.testing.assert_allclose(namespace["log_sum"](np.ones(5)), 1 + np.log(5), rtol=1e-14)


def test_explain_takes_modules_numbers_and_rules(call, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(tmp_path))
    arguments = ("--arg", "x=f64[3]", "--arg", "k=3", "--rules", "algebra", "--precision", "exact", "--format", "json")
    status, text = call("explain", "functions_of_mine:scaled", *arguments, "--backend", "reference")
    assert status == 0 and json.loads(text)["name"] == "scaled"


def test_explain_shows_the_code_when_asked(call):
    arguments = ("explain", "functions_of_mine.py:log_sum", "--arg", "x=f64[9]", "--backend", "numba")
    assert "code:" not in call(*arguments)[1]
    assert "def " in call(*arguments, "--code")[1].partition("code:")[2]


def test_explain_says_what_runs_as_written(call):
    status, text = call("explain", "functions_of_mine.py:chosen", "--arg", "x=f64[3]", "--format", "json")
    (reason,) = json.loads(text)["opaque"]
    assert status == 0
    assert reason["what"] == "a selection by a mask as the result"


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("explain", "functions_of_mine.py"), "MODULE:FUNCTION"),
        (("explain", "nowhere.py:f"), "no file nowhere.py"),
        (("explain", "no_such_module_here:f"), "no module"),
        (("explain", "functions_of_mine.py:absent"), "no function absent"),
        (("explain", "functions_of_mine.py:NOT_A_FUNCTION"), "no function NOT_A_FUNCTION"),
        ((*EXPLAIN, "--arg", "x"), "--arg"),
        ((*EXPLAIN, "--arg", "x=f65[3]"), "--arg"),
        ((*EXPLAIN, "--arg", "x=f64[3"), "f64[3"),
        ((*EXPLAIN, "--call", "np.ones(3)"), "--call"),
        ((*EXPLAIN, "--call", "log_sum("), "--call"),
        ((*EXPLAIN, "--call", "log_sum(unknown)"), "--call"),
        ((*EXPLAIN,), "x"),
        ((*EXPLAIN, "--arg", "y=f64[3]"), "y"),
        ((*EXPLAIN, "--arg", "x=f64[3]", "--backend", "fortran"), "fortran"),
        ((*EXPLAIN, "--arg", "x=f64[3]", "--rules", "nothing"), "nothing"),
        ((*EXPLAIN, "--arg", "x=f64[3]", "--precision", "fast"), "precision"),
        ((*EXPLAIN, "--arg", "x=f64[3]", "--format", "xml"), "xml"),
    ],
)
def test_wrong_arguments_are_named_with_status_2(call, arguments, message):
    status, text = call(*arguments)
    assert status == 2
    assert message in text and "Traceback" not in text


def test_run_prints_the_result(call):
    status, text = call(
        "run", "functions_of_mine.py:scaled", "--call", "scaled(np.ones(2), k=3)", "--backend", "reference"
    )
    assert status == 0
    assert "array([3., 3.])" in text and "first call" in text


def test_run_says_what_ran_as_written(call):
    _, text = call("run", "functions_of_mine.py:chosen", "--call", "chosen(np.ones(2))")
    assert "runs as written" in text and "a selection by a mask" in text


def test_rules_list_names_every_rule(call):
    from egc import rulefiles

    status, text = call("rules", "list")
    assert status == 0
    assert all(rule.name in text for rule in rulefiles.load())


def test_rules_list_takes_files(call):
    assert "root_of_square" in call("rules", "list", "wrong_rules.py")[1]


def test_rules_show_prints_the_source(call):
    status, text = call("rules", "show", "log_of_exp")
    assert status == 0
    assert "np.log(np.exp(x)), x" in text and ".py:" in text


def test_rules_show_of_an_unknown_name_fails(call):
    assert call("rules", "show", "no_such_rule") == (1, "no rule named no_such_rule\n")


def test_rules_check_prints_a_counterexample_with_status_1(call):
    status, text = call("rules", "check", "wrong_rules.py", "--samples", "50")
    assert status == 1
    assert "root_of_square" in text and "left:" in text and "right:" in text
    assert "1 rules hold" in text


def test_rules_check_passes_right_rules(call):
    assert call("rules", "check", "constants", "--samples", "5")[0] == 0


@pytest.mark.parametrize(
    "source, line",
    [
        ("from egc import rule\n\n@rule\ndef f(x):\n    return x + y, x\n", 3),
        ("from egc import rule\n\n\n@rule\ndef f(x):\n    return x\n", 4),
        ("from egc import rule\nf = rule(lambda x: (x, x))\n", 2),
        ("import no_such_module_here\n", 1),
        ("def f(:\n", 1),
        ("from egc import rule\nimport numpy as np\n@rule\ndef f(x):\n    return np.sum(x, axis=0), x\n", 3),
    ],
)
@pytest.mark.parametrize(
    "command", [("rules", "check", "broken.py"), (*EXPLAIN, "--arg", "x=f64[3]", "--rules", "broken.py")]
)
def test_broken_rule_files_are_refused_with_file_and_line(call, source, line, command):
    Path("broken.py").write_text(source)
    status, text = call(*command)
    assert status == 2
    assert f"broken.py:{line}" in text.replace("\n", "") and "Traceback" not in text


def test_backends_are_listed(call):
    status, text = call("backends")
    assert status == 0
    assert all(name in text for name in ("reference", "numba", "jax"))


def test_coverage_shows_themes_and_what_is_missing(call):
    status, text = call("coverage")
    assert status == 0 and "numpy.einsum" in text.replace("\n", "")
    assert "not encoded" not in text
    assert "not encoded" in call("coverage", "--missing")[1]


def test_demo_runs(call):
    status, text = call("demo", "--backend", "reference")
    assert status == 0
    assert "steps:" in text and "times as fast as NumPy" in text


def test_the_version_is_that_of_the_package():
    assert egc.__version__.count(".") == 2
