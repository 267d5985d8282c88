"""What a loop keeps of each iteration for the way back."""

from __future__ import annotations

import numpy as np

import egc


def layers(W, x, y):
    """A product and functions that are dear to compute again, on small arrays."""
    state = W[0] + x
    for t in range(len(y)):
        state = np.tanh(W.T @ np.exp(np.sin(W @ state)) + y[t])
    return np.sum(state)


def sums(W, x, y):
    """Nothing that takes longer to compute again than to read."""
    state = W[0] + x
    for t in range(len(y)):
        state = state + 0.01 * state * (1.0 - state) * y[t] + W[0]
    return np.sum(state**2)


RANDOM = np.random.default_rng(0)
W, X, Y = RANDOM.normal(size=(30, 30)) / 6, RANDOM.normal(size=30), RANDOM.normal(size=60)
LEAST = len(Y) * X.nbytes


def gradient(function, **options):
    """By all arguments, in NumPy: what is stored follows from the Program alone."""
    return egc.optimize(egc.grad(function, (0, 1, 2), **options), backend="reference", rules=[])


def stored(function, **options):
    """The bytes that a gradient keeps."""
    (found,) = gradient(function, **options).explain(W, X, Y).backward
    assert found.method == "stored"
    return found.memory


def test_what_is_dear_is_stored_and_what_is_cheap_is_computed_again():
    assert stored(layers) >= 2 * LEAST
    assert stored(sums) == LEAST


def test_no_more_is_stored_than_there_is_room_for():
    assert stored(layers, memory=LEAST) == LEAST


def test_gradients_are_the_same_whatever_is_stored():
    few, many = (gradient(layers, memory=memory)(W, X, Y) for memory in (LEAST, 2**28))
    for a, b in zip(few, many):
        np.testing.assert_allclose(a, b, rtol=1e-10)
    step = 1e-6
    for k, derivative in ((0, few[0][2, 3]), (1, few[1][4]), (2, few[2][40])):
        places = [(2, 3), (4,), (40,)]
        ends = []
        for sign in (1.0, -1.0):
            given = [W.copy(), X.copy(), Y.copy()]
            given[k][places[k]] += sign * step
            ends.append(layers(*given))
        np.testing.assert_allclose(derivative, (ends[0] - ends[1]) / (2 * step), rtol=1e-4, atol=1e-8)
