"""Loops, forward and reverse: by stored states, checkpoints and their reverse, equal to one another and to central differences."""

from __future__ import annotations

import numpy as np
import pytest

import egc
from egc import grad, hessian, jacobian
from egc.source import numpy_source
from egc.transforms.derivatives import segments

X = np.array([1.0, 2.0, 3.0])
METHODS = ("stored", "checkpoints", "reversible", "compensated", "auto")


def counted(x):
    s = 0.0
    for i in range(7):
        s = np.sin(s + x[i % 3]) + s * 0.5
    return s


def of_vectors(x):
    v = np.zeros(3)
    for i in range(len(x)):
        v = np.tanh(v + 0.3 * x * x[i])
    return v.sum()


def until(x):
    y = x
    while np.sum(y) > 1.0:
        y = y * 0.8
    return np.sum(y * y)


def nested(x):
    s = 0.0
    for i in range(3):
        for j in range(i + 1):
            s = s * 0.9 + np.sin(x[i] * x[j]) * s + x[j]
    return s


def nested_until(x):
    s = x[0]
    for i in range(3):
        k = 0
        while s * s < 4 + i and k < 10:
            s = s * 1.3 + x[i] * 0.1
            k += 1
        s = s * 0.4
    return s


def in_place(x):
    a = np.zeros(6)
    a[:3] = x
    for i in range(3, 6):
        a[i] = a[i - 1] * a[i - 3] + np.sin(a[i - 2])
    a[1:3] *= a[3:5]
    return a.sum()


def slices_in_place(x):
    a = x.copy()
    for _ in range(4):
        a[1:] += np.sin(a[:-1])
        a[0] *= a[-1] * 0.1
    return np.sum(a)


def ended(x):
    s = 0.0
    for i in range(20):
        s += x[i % 3] * np.exp(-s)
        if s > 2.5:
            break
        if i % 2:
            continue
        s *= 1.1
    return s


def returned(x):
    s = x[0]
    for _ in range(20):
        s = s * 1.2 + x[1] * 0.1
        if s > 3:
            return s * x[2]
    return -s


def branches(x):
    s = 0.0
    for i in range(6):
        s = s + x[i % 3] ** 2 if x[i % 3] * s < 1.5 else np.sqrt(s) * x[0]
    return s


def with_integers(x):
    s, k = x[0], 0
    for _ in range(30):
        k = (k * 7 + 3) % 11
        s = s + np.sin(s) * x[1] * 0.1 if k > 5 else s * x[2] / 3
    return s


def collected(x):
    found = [x[0]]
    for _ in range(5):
        found.append(np.sin(found[-1]) * x[1] + x[2])
    return sum(found)


STARTS = np.array([0, 1, 1, 3])


def segments_in_place(x):
    y = x * x
    for i in range(len(STARTS) - 1):
        y[STARTS[i] : STARTS[i + 1]] *= x[i]
    return np.sum(y * x)


def systems(x):
    A, y = np.eye(3) * 3 + np.outer(x, x), x
    for _ in range(4):
        y = np.linalg.solve(A, np.sin(y)) + y
    return y.sum()


def leapfrog(x):
    q, p = x[0], x[1]
    for _ in range(20):
        p = p - 0.05 * np.sin(q) * x[2]
        q = q + 0.1 * p
        p = p - 0.05 * np.sin(q) * x[2]
    return q * q + p


def rotations(x):
    a, b = x[0], x[1]
    c, s = np.cos(0.1 * x[2]), np.sin(0.1 * x[2])
    for _ in range(20):
        a, b = c * a - s * b, s * a + c * b
    return a + b * b


def permutations(x):
    v = x.copy()
    for _ in range(8):
        v = np.roll(v, 1)
        v[0] += v[1] * 0.5
    return (v * v).sum()


PROGRAMS = [
    counted, of_vectors, until, nested, nested_until, in_place, slices_in_place, ended, returned, branches, with_integers,
    collected, segments_in_place, systems, leapfrog, rotations, permutations,
]  # fmt: skip


def differences(function, x, step=1e-6):
    sides = [[function(x + sign * step * unit) for sign in (1, -1)] for unit in np.eye(x.size)]
    return np.array([(up - down) / (2 * step) for up, down in sides])


@pytest.mark.parametrize("function", PROGRAMS, ids=lambda function: function.__name__)
def test_all_ways_back_are_the_way_forward(function):
    forward = jacobian(function, mode="forward")(X)
    np.testing.assert_allclose(forward, differences(function, X), rtol=1e-6, atol=1e-8)
    for method in METHODS:
        np.testing.assert_allclose(grad(function, reverse=method)(X), forward, rtol=1e-11, atol=1e-12, err_msg=method)


@pytest.mark.parametrize("function", [in_place, ended], ids=lambda function: function.__name__)
@pytest.mark.parametrize("method", ["stored", "checkpoints"])
def test_second_derivatives_are_symmetric_differences_of_the_first(function, method):
    found = hessian(function, reverse=method)(X)
    first = grad(function, reverse=method)
    np.testing.assert_allclose(found, found.T, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(found, differences(first, X), rtol=1e-5, atol=1e-6)


def test_compiled_loops_run_back_too():
    def function(x, n):
        s, i = x[0], 0
        while s < 5 and i < n:
            s, i = s + 0.1 * np.sin(s * x[1]), i + 1
        return s * x[2]

    back = grad(function, reverse="checkpoints")
    found = egc.optimize(back, backend="numba", rules=[])
    for n in (0, 1, 60):
        np.testing.assert_allclose(found(X, n), back(X, n), rtol=1e-11, atol=1e-13)


def steps(x, n):
    s = np.sum(x)
    for _ in range(n):
        s = np.sin(s) + x[0]
    return s


@pytest.mark.parametrize("method", METHODS)
def test_any_number_of_iterations_runs_back(method):
    back, forward = grad(steps, reverse=method), jacobian(steps, mode="forward")
    for n in (-3, 0, 1, 2, 17):
        np.testing.assert_allclose(back(X, n), forward(X, n), rtol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_loops_over_no_elements_have_empty_gradients(method):
    def function(x):
        s = 0.0
        for i in range(len(x)):
            s += np.sin(x[i]) * s
        return s + x.sum()

    assert grad(function, reverse=method)(np.zeros(0)).shape == (0,)
    assert grad(lambda x: np.sum(x[:0]) * x[0], reverse=method)(X).tolist() == [0, 0, 0]


@pytest.mark.parametrize("memory", [0, 2000, 2**28])
def test_long_loops_run_back_in_any_memory(memory):
    def counted_steps(x, n):
        v = x
        for _ in range(n):
            v = v + 0.001 * np.sin(v) * v[::-1]
        return v.sum()

    def steps_until(x, n):
        i, v = 0, x
        while i < n:
            v = v + 0.001 * np.sin(v) * v[::-1]
            i += 1
        return v.sum()

    for function in (counted_steps, steps_until):
        expected = jacobian(function, mode="forward")(X, 300)
        np.testing.assert_allclose(grad(function, memory=memory)(X, 300), expected, rtol=1e-11)


def decays(x, limit):
    n = 0
    while x > limit:
        x = x * 0.99
        n += 1
    return x


def test_a_loop_longer_than_its_checkpoints_reach_is_nan_and_no_wrong_number(monkeypatch):
    """Three levels of checkpoints, of as many iterations each as memory has room for, and never of less than `LEAST`."""
    monkeypatch.setattr(segments, "LEAST", 3)
    short = grad(decays, memory=1)
    for n in (0, 1, 26, 27):
        assert short(1.0, 0.99**n * 1.000001) == pytest.approx(0.99**n, rel=1e-9)
    for n in (28, 100):
        assert np.isnan(short(1.0, 0.99**n * 1.000001))
        assert grad(decays)(1.0, 0.99**n * 1.000001) == pytest.approx(0.99**n, rel=1e-9)


def root(a):
    y = a
    while abs(y * y - a) > 1e-14 * a:
        y = 0.5 * (y + a / y)
    return y


def fixed_point(x):
    y = 0.0
    for _ in range(10_000):
        new = np.cos(x[0] * y) + x[1] * 0.1
        if abs(new - y) < 1e-15:
            return new
        y = new
    return y


@pytest.mark.parametrize("method", METHODS)
def test_a_loop_until_convergence_has_the_implicit_derivative(method):
    """Of y(a) with F(y, a) = 0 it is -F_a / F_y."""
    assert grad(root, reverse=method)(7.0) == pytest.approx(0.5 / np.sqrt(7.0), rel=1e-12)
    x = np.array([0.5, 1.0])
    y = fixed_point(x)
    slope = 1 + x[0] * np.sin(x[0] * y)
    expected = np.array([-y * np.sin(x[0] * y), 0.1]) / slope
    np.testing.assert_allclose(grad(fixed_point, reverse=method)(x), expected, rtol=1e-9)


def orbit(q, p, n):
    for _ in range(n):
        p = p - 0.005 * q / (q @ q) ** 1.5
        q = q + 0.01 * p
        p = p - 0.005 * q / (q @ q) ** 1.5
    return q @ p


@pytest.mark.parametrize("n", [30, 300])
def test_the_drift_of_a_leapfrog_run_back_is_that_of_rounding(n):
    """States that are run back differ from those that were stored by rounding alone, which grows with the number of steps: here at
    most 100 units in the last place for each, of the largest."""
    q, p = np.array([1.0, 0.1]), np.array([0.0, 0.9])
    stored = grad(orbit, (0, 1), reverse="stored")(q, p, n)
    back = grad(orbit, (0, 1), reverse="reversible")(q, p, n)
    scale = max(np.max(np.abs(each)) for each in stored)
    drift = max(np.max(np.abs(a - b)) for a, b in zip(stored, back)) / scale
    assert drift < 100 * np.finfo(float).eps * n


def test_rows_of_checkpoints_are_not_filled_before_they_are_written():
    """A loop that ends soon does not pay for the iterations that it could have had."""

    def root(a):
        y = a
        while np.max(np.abs(y**3 + y - a)) > 1e-12:
            y = y - (y**3 + y - a) / (3.0 * y**2 + 1.0)
        return np.sum(y)

    a = np.linspace(1.0, 3.0, 50)
    captured = grad(root).plan(a).trace.programs["captured"]
    made = [line for line in numpy_source(captured, "root").splitlines() if "268435456" in line and "np." in line]
    assert made and all("np.empty(" in line for line in made)
    found = egc.optimize(grad(root), backend="numba")(a)
    y = found * 0.0 + 1.0
    for _ in range(50):
        y = y - (y**3 + y - a) / (3.0 * y**2 + 1.0)
    np.testing.assert_allclose(found, 1.0 / (3.0 * y**2 + 1.0), rtol=1e-10)
