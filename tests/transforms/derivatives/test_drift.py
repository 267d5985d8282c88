"""How far loops that run backward go from the states that were: not at all with integers, and below the last bit where sums are
compensated; else by a rounding error for each iteration."""

import numpy as np
import pytest

import egc

X, V = np.array([0.3, 1.2, -0.7]), np.array([0.1, 0.3, -0.2])


def seen(weights, x, v, h):
    """Its gradient by the weights are the states as the way back finds them, summed up."""
    total = 0 * h
    for i in range(len(weights)):
        total = total + weights[i] * np.sum(x)
        v = v - 0.5 * h * np.sin(x) * np.exp(-0.1 * x[::-1])
        x = x + h * v
        v = v - 0.5 * h * np.sin(x) * np.exp(-0.1 * x[::-1])
    return total


def found_at_the_start(method, backend, steps, dtype=np.float64):
    """The sum of the first states, after the way there and back, less the sum of those that were given."""
    given = [each.astype(dtype) for each in (np.zeros(steps), X[:2], V[:2])]
    gradient = egc.optimize(
        egc.grad(seen, reverse=method), backend=backend, rules=[] if backend == "reference" else None
    )
    found = gradient(*given, dtype(0.05))
    assert found.dtype == dtype
    return abs(float(found[0]) - float(np.sum(given[1])))


@pytest.mark.parametrize(("backend", "steps"), [("reference", 300), ("numba", 100_000)])
def test_compensated_sums_find_the_first_states_to_the_last_bit(backend, steps):
    assert found_at_the_start("compensated", backend, steps) == 0.0


@pytest.mark.parametrize(("backend", "steps"), [("reference", 300), ("numba", 100_000)])
def test_the_drift_of_sums_is_less_than_two_rounding_errors_for_each_iteration(backend, steps):
    assert 0.0 < found_at_the_start("reversible", backend, steps) < 2 * steps * np.finfo(float).eps


def test_single_precision_is_compensated_too():
    assert found_at_the_start("compensated", "reference", 300, np.float32) == 0.0
    assert 0.0 < found_at_the_start("reversible", "reference", 300, np.float32) < 600 * np.finfo(np.float32).eps


def swapped(x, v, h, n):
    for i in range(n):
        x, v = v - h * np.cos(x) * i, -x
        v = np.concatenate([v[1:], v[:1]]).reshape(len(x), 1).T[0]
    return np.sum(x * x * v)


def until(x, v, h, n):
    while np.sum(x * x) < n:
        x = x + h * np.cos(v) + h
        v = h * np.sin(x) - v
    return np.sum(x * v)


def twirled(x, v, h, n):
    z = x + 1j * v
    w = np.conj(z)
    for _ in range(n):
        z = z + h * w**2
        w = w - h * np.sin(z)
    return np.sum(np.abs(z * w))


@pytest.mark.parametrize("function", [swapped, until, twirled])
def test_compensated_loops_have_the_gradient_of_stored_states(function):
    given = X, V, 0.1, 12
    stored, gradient = (
        egc.value_and_grad(function, argnums=(0, 1, 2), reverse=each) for each in ("stored", "compensated")
    )
    (value, expected), (other, found) = stored(*given), gradient(*given)
    np.testing.assert_allclose(other, value, rtol=1e-12)
    for one, another in zip(found, expected):
        np.testing.assert_allclose(one, another, rtol=1e-10, atol=1e-13)
    assert {(each.method, each.drift) for each in gradient.explain(*given).backward} == {("compensated", "compensated")}


def test_second_derivatives_of_compensated_loops_are_those_of_stored_states():
    for derivative in (egc.hessian, lambda fn, **how: egc.jacobian(egc.grad(fn, **how), mode="reverse", **how)):
        one, other = (derivative(swapped, reverse=each)(X, V, 0.1, 6) for each in ("compensated", "stored"))
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)


def test_infinite_states_carry_nothing():
    def growing(x, v, h, n):
        for _ in range(n):
            x = x + h * np.exp(v)
            v = v + h
        return np.sum(x)

    with np.errstate(over="ignore"):
        value, _ = egc.value_and_grad(growing, reverse="compensated")(X, V, 800.0, 2)
        assert value == growing(X, V, 800.0, 2) == np.inf


def mixed_by_integers(x, seed, n):
    """Weights from a generator of random integers, as the states are moved around."""
    total, flips = np.sum(x), seed % 2 == 0
    state, key = seed, np.uint32(seed[0])
    for i in range(n):
        state = (state * 1103515245 + 12345) ^ (i * 7)
        key = ~(np.uint32(3) - key * np.uint32(5))
        flips = np.logical_xor(flips, i % 3 == 0)
        x = -np.concatenate([x[1:], x[:1]])
        total = total + np.sum(np.where(flips, x, x * x) * (state % 5)) * (key % np.uint32(3))
    return total


def test_integers_run_back_exactly():
    given = np.array([0.3, -0.8]), np.array([7, 2**62]), 40
    gradient = egc.grad(mixed_by_integers, reverse="reversible")
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(
            gradient(*given), egc.grad(mixed_by_integers, reverse="stored")(*given), rtol=1e-12, atol=1e-12
        )
    (way,) = gradient.explain(*given).backward
    assert (way.method, way.memory, way.drift) == ("reversible", 0, "none")
    assert str(way).endswith("reversible, 0 bytes, the same states")


def test_an_even_factor_of_an_integer_has_no_reverse():
    def doubled(x, k, n):
        total = 0.0
        for _ in range(n):
            k = k * 6
            total = total + np.sum(x**2 * (k % 7))
        return total

    given = X, np.array([1, 2, 3]), 30
    gradient = egc.grad(doubled, reverse="reversible")
    np.testing.assert_array_equal(gradient(*given), egc.grad(doubled, reverse="stored")(*given))
    assert [each.method for each in gradient.explain(*given).backward] == ["stored"]
