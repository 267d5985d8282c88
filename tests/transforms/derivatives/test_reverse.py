"""Loops that are run backward by their reverse."""

import numpy as np
import pytest

import egc

X, W = np.array([0.3, 1.2, -0.7]), np.array([0.1, -0.4, 0.2])


def leapfrog(x, v, h, n):
    for _ in range(n):
        v = v - 0.5 * h * np.sin(x)
        x = x + h * v
        v = v - 0.5 * h * np.sin(x)
    return np.sum(x**2) + np.sum(v * x)


def coupling(x, v, h, n):
    for i in range(n):
        x = x * np.exp(0.1 * np.tanh(v)) + h * i
        v = v - x / (1.0 + x**2)
    return np.sum(x * v)


def rotation(x, v, h, n):
    for _ in range(n):
        x, v = np.cos(h) * x - np.sin(h) * v, np.sin(h) * x + np.cos(h) * v
    return np.sum(np.exp(x)) + np.sum(v**3)


def swapped(x, v, h, n):
    for _ in range(n):
        x, v = v, x + h * np.sin(v)
        v = np.concatenate([v[1:], v[:1]])
    return np.sum(x * x * v)


def in_place(x, v, h, n):
    x = x.copy()
    for _ in range(n):
        for i in range(1, len(x)):
            x[i] += h * np.sin(x[i - 1] * v[i])
    return np.sum(x**2)


def until(x, v, h, n):
    k = 0
    while np.sum(x * x) < n:
        x = x + h * np.cos(v) + h
        v = v + h * np.sin(x)
        k += 1
    return np.sum(x * v) + k


REVERSIBLE = [leapfrog, coupling, rotation, swapped, in_place, until]


@pytest.mark.parametrize("function", REVERSIBLE)
def test_the_reverse_is_found_and_gives_the_gradient_of_stored_states(function):
    given = X, W, 0.1, 12
    stored = egc.grad(function, argnums=(0, 1, 2), reverse="stored")(*given)
    gradient = egc.grad(function, argnums=(0, 1, 2), reverse="reversible")
    for one, other in zip(gradient(*given), stored):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)
    assert "reversible" in {each.method for each in gradient.plan(*given).captured.remarks}


def test_the_way_back_computes_nothing_again_that_follows_from_the_states_it_has():
    """Of leapfrog: the sines that a step back needs, of the positions before and after it, and none twice."""

    def driven(x, v, h, n):
        start = v
        for _ in range(n):
            v = v - h * start * np.sin(x)
            x = x + h * v
            v = v - h * start * np.sin(x)
        return np.sum(x**2)

    shown = str(egc.grad(driven, argnums=(0, 1), reverse="reversible").explain(X, W, 0.1, 12))
    forward, back = shown.split("for i in range(")[1:3]
    assert forward.count("np.sin(") == 2 and back.count("np.sin(") == 2


def test_what_loses_its_state_is_stored():
    def relu(x, v, h, n):
        for _ in range(n):
            x = np.maximum(x - h * v, 0.0)
        return np.sum(x**2)

    gradient = egc.grad(relu, reverse="reversible")
    np.testing.assert_array_equal(gradient(X, W, 0.1, 5), egc.grad(relu, reverse="stored")(X, W, 0.1, 5))
    assert {each.method for each in gradient.plan(X, W, 0.1, 5).captured.remarks} == {"stored"}


@pytest.mark.parametrize("method", ["stored", "checkpoints", "reversible"])
def test_every_derivative_takes_how_loops_run_backward(method):
    """As functions, and where they are captured: what is asked for is what is done."""
    once = {
        "grad": lambda x: egc.grad(leapfrog, reverse=method)(x, W, 0.1, 12),
        "value_and_grad": lambda x: egc.value_and_grad(leapfrog, reverse=method)(x, W, 0.1, 12)[1],
        "jacobian": lambda x: egc.jacobian(leapfrog, mode="reverse", reverse=method)(x, W, 0.1, 12),
        "vjp": lambda x: egc.vjp(lambda y: leapfrog(y, W, 0.1, 12), x, reverse=method)[1](1.0)[0],
        "hvp": lambda x: egc.hvp(lambda y: leapfrog(y, W, 0.1, 12), (x,), (W,), reverse=method),
        "hessian": lambda x: egc.hessian(leapfrog, reverse=method)(x, W, 0.1, 12) @ W,
    }
    gradient = egc.grad(leapfrog)(X, W, 0.1, 12)
    product = egc.jvp(egc.grad(lambda y: leapfrog(y, W, 0.1, 12)), (X,), (W,))[1]
    for name, function in once.items():
        expected = product if name in ("hvp", "hessian") else gradient
        np.testing.assert_allclose(function(X), expected, rtol=1e-9, err_msg=name)
        compiled = egc.optimize(function, backend="reference", rules=[])
        np.testing.assert_allclose(compiled(X), expected, rtol=1e-9, err_msg=name)
        assert method in {each.method for each in compiled.plan(X).captured.remarks}, name
    egc.check_grads(lambda x: leapfrog(x, W, 0.1, 12), (X,), order=2, reverse=method)


def test_what_is_no_way_back_is_refused():
    for wrong in (
        lambda: egc.grad(leapfrog, reverse="backward"),
        lambda: egc.vjp(np.sin, 1.0, reverse="backward"),
        lambda: egc.hvp(np.sin, (1.0,), (1.0,), reverse="backward"),
        lambda: egc.check_grads(np.sin, (1.0,), reverse="backward"),
        lambda: egc.optimize(lambda x: egc.grad(np.sin, reverse="backward")(x))(1.0),
    ):
        with pytest.raises(egc.ProgramError, match="reverse is one of"):
            wrong()


def test_a_reverse_keeps_nothing_and_stored_states_grow():
    def memory(n, **options):
        return sum(each.memory for each in egc.grad(leapfrog, **options).explain(X, W, 0.1, n).backward)

    assert memory(10, reverse="reversible") == memory(1000, reverse="reversible") == 0
    assert memory(1000, reverse="stored") == 100 * memory(10, reverse="stored") > 0


def test_where_memory_does_not_suffice_a_reverse_by_sums_is_taken():
    method = {each.method for each in egc.grad(leapfrog, memory=1000).plan(X, W, 0.1, 1000).captured.remarks}
    assert method == {"reversible"}
    method = {each.method for each in egc.grad(coupling, memory=1000).plan(X, W, 0.1, 1000).captured.remarks}
    assert method == {"checkpoints"}


def test_the_drift_of_leapfrog_run_backward_stays_near_rounding():
    """Each step back rounds as the step forward did: errors add up to no more than a few times the number of steps."""
    steps = 2000
    exact = egc.grad(leapfrog, argnums=(0, 1), reverse="stored")(X, W, 0.05, steps)
    found = egc.grad(leapfrog, argnums=(0, 1), reverse="reversible")(X, W, 0.05, steps)
    for one, other in zip(found, exact):
        assert np.max(np.abs(one - other)) <= 4 * steps * np.finfo(float).eps * np.max(np.abs(other))


def given_reverse(wrong):
    def function(x, v, h, n):
        def update(state):
            x, v, k = state
            v = v - h * np.sin(x)
            return x + h * v, v, k + 1

        def reverse(state):
            x, v, k = state
            x = x - h * v
            return x, v + h * np.sin(x) + wrong, k - 1

        x, v, _ = egc.loop(lambda state: state[2] < n, update, None, (x, v, 0), reverse)
        return np.sum(x**2) + np.sum(v * x)

    return function


def test_a_reverse_that_is_given_is_used():
    function = given_reverse(0.0)
    gradient = egc.grad(function)
    np.testing.assert_allclose(gradient(X, W, 0.1, 20), egc.grad(function, reverse="stored")(X, W, 0.1, 20), rtol=1e-12)
    assert [each.method for each in gradient.plan(X, W, 0.1, 20).captured.remarks] == ["reversible"]


def test_verify_runs_a_reverse_against_stored_states():
    good, bad = (egc.optimize(egc.grad(given_reverse(w)), backend="reference", verify=True) for w in (0.0, 1e-3))
    good(X, W, 0.1, 20)
    with pytest.raises(egc.VerificationError):
        bad(X, W, 0.1, 20)
