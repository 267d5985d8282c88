"""The suites `derivatives` and `memory` compare equal things."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import egc
from benchmarks import derivatives, memory
from benchmarks.derivative_programs import PROBLEMS, Problem
from benchmarks.harness import require_agreement

BY_NAME = {problem.name: problem for problem in PROBLEMS}
BY_HAND = ("eight_schools", "logistic_regression", "poisson_mixed", "gaussian_process", "garch", "lotka_volterra")


def along_a_direction(
    problem: Problem, gradient: list[np.ndarray], arguments: tuple[object, ...]
) -> tuple[float, float]:
    """How the value changes along a direction of the first argument: by its gradient, and by a central difference."""
    (first, *others), h = arguments, 1e-6
    direction = np.cos(np.arange(np.size(first))).reshape(np.shape(first))
    values = [problem.function(first + sign * h * direction, *others) for sign in (1, -1)]  # type: ignore[operator]
    return float(np.sum(gradient[0] * direction)), float((values[0] - values[1]) / (2 * h))


def test_adjoints_by_hand_take_the_same_arguments_for_at_least_six_problems():
    by_hand = pytest.importorskip("benchmarks.peers.derivatives_numba")
    assert len(BY_HAND) >= 6
    for name in BY_HAND:
        assert inspect.signature(getattr(by_hand, name).py_func) == inspect.signature(BY_NAME[name].function)


@pytest.mark.parametrize("name", BY_HAND)
def test_adjoints_by_hand_give_the_value_and_its_gradient(name, monkeypatch):
    by_hand = pytest.importorskip("benchmarks.peers.derivatives_numba")
    problem = BY_NAME[name]
    arguments = problem.arguments()
    monkeypatch.setattr(by_hand, "_slope_back", by_hand._slope_back.py_func)
    value, gradient = getattr(by_hand, name).py_func(*arguments)
    require_agreement(name, value, problem.function(*arguments))
    ours, theirs = along_a_direction(problem, [gradient], arguments)
    assert ours == pytest.approx(theirs, rel=1e-5)


@pytest.mark.parametrize("name", ["stochastic_volatility", "small_mlp"])
def test_what_jax_gets_has_the_same_value_and_gradient(name):
    pytest.importorskip("jax")
    problem = BY_NAME[name]
    arguments = problem.arguments()
    found = derivatives.leaves(derivatives.with_jax(problem, arguments)())
    ours = derivatives.leaves(egc.value_and_grad(problem.function, problem.argnums)(*arguments))
    require_agreement(name, ours, found, problem.tolerance)


def test_a_row_is_summed_up():
    rows = [
        {"name": "one", "threads": 1, "seconds": {"egc": 2.0, "egc value": 0.5, "by hand": 1.0, "jax": 8.0}, "first": {"egc": 4.0}}
    ]  # fmt: skip
    found = derivatives.summary(rows)
    assert found["over the best of JAX and PyTensor"] == pytest.approx(4.0)
    assert found["more than 1.25 of the time by hand"] == [["one", 2.0]]
    assert found["more than 3 times the value's time"] == [["one", 4.0]]
    assert found["first call above 3 s"] == [["one", 4.0]]


def test_the_reverse_of_a_loop_until_convergence_is_the_implicit_derivative():
    a = np.linspace(0.2, 1.8, 7)
    found = egc.grad(memory.roots_by_newton)(a)
    np.testing.assert_allclose(found, memory.implicit_derivative(a), rtol=1e-10)


@pytest.mark.parametrize("method", memory.METHODS)
def test_the_leapfrog_gradient_agrees_with_central_differences(method):
    given = (*memory.starts(), 5)
    gradient = egc.grad(memory.leapfrog, reverse=method)
    direction, h = np.cos(np.arange(memory.PENDULUMS)), 1e-6
    difference = [memory.leapfrog(given[0] + sign * h * direction, *given[1:]) for sign in (1, -1)]
    assert gradient(*given) @ direction == pytest.approx((difference[0] - difference[1]) / (2 * h), rel=1e-6)
