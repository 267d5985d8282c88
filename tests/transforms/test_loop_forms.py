"""What loops become gives what they gave, for lengths 0 and 1 and for values that are not finite, on both backends."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import egc

BACKENDS = ["numba", pytest.param("reference", marks=pytest.mark.slow)]


def compound(a, b, s, x):
    for _ in range(len(x)):
        s = a * s + b
    return s


def doubled(a, b, s, x):
    for _ in range(len(x)):
        s *= a
    return s


def instalments(a, b, s, x):
    t, total = b, s
    for _ in range(len(x)):
        total += t
        t *= a
    return total, t


def steps(a, b, s, x):
    for i in range(len(x)):
        s += a * i - b
    return s


def truncated(a, b, s, x):
    """Whole parts of a line do not lie on a line."""
    c = 0
    for i in range(len(x)):
        c += int(0.3 * i)
    return c


def integers(a, b, s, x):
    c, d = 0, np.int64(1)
    for i in range(len(x)):
        c += 3 * i + 1
        d *= 3
    return c, d


def positive_part(a, b, s, x):
    n = 0
    for v in x:
        if v > a:
            s += v
            n += 1
    return s, n


def clipped(a, b, s, x):
    y = np.zeros(len(x))
    for i in range(len(x)):
        if x[i] > a:
            y[i] = x[i] - a
        elif x[i] < -a:
            y[i] = x[i] + a
    return y


def differences(a, b, s, x):
    y = np.zeros(len(x))
    for i in range(len(x)):
        if i == 0:
            y[i] = x[i]
        else:
            y[i] = x[i] - x[i - 1]
    return y


def around(a, b, s, x):
    n = len(x)
    y = np.zeros(n)
    for i in range(n):
        y[i] = x[i - 1] - 2 * x[i] + x[(i + 1) % n]
    return y


def likelihood(a, b, s, x):
    variance, total = s, 0.0
    for i in range(len(x)):
        total += np.log(variance) + x[i] * x[i] / variance
        variance = b + 0.1 * x[i] * x[i] + 0.5 * variance
    return total, variance


def levels(a, b, s, x):
    """A state that is read is itself made of one that has a closed form."""
    t = level = s
    total = 0.0
    for _ in range(len(x)):
        t += a
        level = 0.5 * np.tanh(level + t)
        total += np.exp(-level * level)
    return total, level, t


def kernels(a, b, s, x):
    for i in range(len(x)):
        s = np.tanh(s) + np.exp(-x[i] * x[i]) * np.cos(b * x[i])
    return s


def twice(a, b, s, x):
    y = np.exp(x) if a > 0 else np.sin(x)
    z = np.cos(x)
    return y + b if a > 0 else np.sum(z) * y


FUNCTIONS = [
    compound, doubled, instalments, steps, truncated, integers, positive_part, clipped, differences, around, likelihood,
    levels, kernels, twice,
]  # fmt: skip


def arguments(n, kind):
    rng = np.random.default_rng([n, kind])
    a, b, s, x = 0.9, 0.3, 1.5, rng.normal(size=n)
    if kind == 1:
        a, b = 1.0, -0.2
    if kind == 2:
        a, s = 2.5, -1.0
    if kind == 3:
        a = np.nan
    if kind == 4:
        s, a = np.inf, 0.5
    if kind == 5 and n:
        x[n // 2] = np.nan
    if kind == 6:
        a, b, s = -1.0, 0.5, 0.0
    if kind == 7:
        a, b, s = 0.0, 0.0, 2.0
    return a, b, s, x


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_a_loop_gives_what_it_gave(function, backend):
    optimized = egc.optimize(function, backend=backend)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        for n in (3000, 0, 1, 2, 3, 50):
            for kind in range(8):
                given = arguments(n, kind)
                if n == 0 and function in (around,):
                    continue
                expected = function(*(np.array(value) if np.ndim(value) else value for value in given))
                ours = optimized(*given)
                for left, right in zip(np.atleast_1d(ours), np.atleast_1d(expected), strict=True):
                    np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-9, err_msg=f"{n} {kind}")
