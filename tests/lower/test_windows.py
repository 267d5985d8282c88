"""Laws of values that are put into windows of arrays: what reads the array too reads them from there."""

from __future__ import annotations

import numpy as np

import egc

RNG = np.random.default_rng(2)


def averages(x, y, steps):
    for _ in range(steps):
        y[1:-1] = 0.25 * (x[:-2] + x[1:-1] + x[2:])
        x[1:-1] = 0.25 * (y[:-2] + y[1:-1] + y[2:])
    return x, y


def test_what_is_put_into_a_window_is_read_from_there():
    optimized = egc.optimize(averages, backend="numba")
    for n in (2, 3, 4, 50):
        x, y = RNG.normal(size=(2, n))
        inside = optimized.plan(x.copy(), y.copy(), 3).compiled.details["loops"].partition("repeat")[2]
        assert n < 4 or inside.count("] = v") == 2
        for got, want in zip(optimized(x.copy(), y.copy(), 3), averages(x.copy(), y.copy(), 3)):
            np.testing.assert_allclose(got, want, rtol=1e-13)


def test_a_value_that_is_read_before_its_window_is_written_stays_what_it_was():
    def shifted(x, steps):
        total = 0.0
        for _ in range(steps):
            new = 0.5 * x[:-1]
            total += np.sum(new * x[1:])
            x[1:] = new
            x[:3] = 1.0
            total += np.sum(new) - x[0]
        return x, total

    optimized = egc.optimize(shifted, backend="numba")
    for n in (4, 5, 40):
        x = RNG.normal(size=n)
        for got, want in zip(optimized(x.copy(), 4), shifted(x.copy(), 4)):
            np.testing.assert_allclose(got, want, rtol=1e-13)
