"""The whole chain in a few seconds: capture, text, rules, code, explanation, on every backend."""

from __future__ import annotations

import json
from importlib.util import find_spec

import numpy as np
import pytest

import egc
from egc.backend import BUILT_IN
from egc.backends import reference
from egc.capture import capture
from egc.check import check
from egc.source import numpy_source
from egc.text import parse_program, print_program

BACKENDS = [name for name in BUILT_IN if name == "reference" or find_spec(name)]


def likelihood(x, mean, scale=2.0):
    z = (x - mean) / scale
    return -0.5 * np.sum(z**2) + np.sum(np.log(np.exp(mean)))


X, MEAN = np.linspace(-1.0, 2.0, 7), np.full(7, 0.5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_optimized_function_equals_the_plain_one(backend):
    optimized = egc.optimize(likelihood, backend=backend, verify=True)
    for n in (7, 3, 1, 0):
        np.testing.assert_allclose(optimized(X[:n], MEAN[:n]), likelihood(X[:n], MEAN[:n]), rtol=1e-13)
    np.testing.assert_allclose(optimized(X, MEAN, scale=3.0), likelihood(X, MEAN, 3.0), rtol=1e-13)


def test_a_rule_is_found_and_explained():
    explanation = egc.explain(likelihood, X, MEAN)
    assert "log_of_exp" in [step.rule for step in explanation.steps] and not explanation.opaque
    assert explanation.cost_after < explanation.cost_before
    assert json.loads(explanation.json())["before"] == explanation.before


@pytest.mark.parametrize("which", ["before", "after"])
def test_the_explained_source_runs(which):
    scope: dict = {}
    exec(getattr(egc.explain(likelihood, X, MEAN), which), scope)
    np.testing.assert_allclose(scope["likelihood"](X, MEAN), likelihood(X, MEAN), rtol=1e-13)


def test_a_captured_program_checks_prints_parses_and_runs():
    program = check(capture(likelihood, (X, MEAN), {}, {}).program)
    assert parse_program(print_program(program)) == program
    scope: dict = {}
    exec(numpy_source(program, "likelihood"), scope)
    expected = reference.evaluate(program, [X, MEAN][: len(program.inputs)])
    np.testing.assert_array_equal(scope["likelihood"](X, MEAN), expected[0])


def test_bad_arguments_raise_what_numpy_raises():
    with pytest.raises(ValueError, match="could not be broadcast"):
        likelihood(X, MEAN[:3])
    with pytest.raises(ValueError, match="could not be broadcast"):
        egc.optimize(likelihood)(X, MEAN[:3])
