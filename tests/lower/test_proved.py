"""Laws of indices that are proved to be within bounds: they are, whatever the data; and NumPy's exceptions and states stay."""

from __future__ import annotations

import numpy as np
import pytest

import egc
from egc import sizes
from egc.backends.numba.emit import Nest
from egc.backends.numba.flow import FlowSource
from egc.lower.known import Known
from egc.ranges import Ranges

X = np.array([3.0, -1.0, 4.0, 1.0, -5.0, 9.0, 2.0, 6.0, 5.0, 3.5])


@pytest.fixture(autouse=True)
def looked_at_all_the_same(monkeypatch):
    """Writes what looks at indices that are within bounds, with an error of its own."""
    picked = Nest.picked

    def looking(self, picks, mode, indent):
        if mode == "sure" and isinstance(self.source, FlowSource):
            for pick in picks:
                outside = f"uint64(int64({self.value(pick.index)})) >= uint64({self.source.dim(pick.length)})"
                self.source.line(indent, f"if {outside}: {self.source.error('OverflowError', 'not within bounds')}")
        return picked(self, picks, mode, indent)

    monkeypatch.setattr(Nest, "picked", looking)
    monkeypatch.setenv("EGC_CACHE_DIR", "off")


def sorted_by_insertion(x):
    for i in range(1, len(x)):
        value, j = x[i], i - 1
        while j >= 0 and x[j] > value:
            x[j + 1] = x[j]
            j -= 1
        x[j + 1] = value


def searched(x, value):
    low, high = 0, len(x)
    while low < high:
        middle = (low + high) // 2
        if x[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


def kept(x):
    out = np.zeros(len(x))
    count = 0
    for i in range(len(x)):
        if x[i] > 2.0:
            out[count] = x[i]
            count += 1
    return out, count


def ring(x):
    y = np.zeros(len(x))
    place = 0
    for i in range(3 * len(x)):
        y[place] += x[(i - 1) % len(x)]
        place = place + 1 if place + 1 < len(x) else 0
    return y


def two_ends(x):
    i, j = 0, len(x) - 1
    while i < j:
        x[i], x[j] = x[j], x[i]
        i += 1
        j -= 1


def doubled(x, start):
    h, total = start[0], 0.0
    while 0 < h < len(x):
        total += x[h]
        h *= 2
    return total


PROVED = [sorted_by_insertion, searched, kept, ring, two_ends, doubled]


def too_far_down(x):
    for i in range(1, len(x)):
        value, j = x[i], i - 1
        while j >= -1 and x[j] > value:
            x[j + 1] = x[j]
            j -= 1
        x[j + 1] = value


def too_far_up(x):
    i, total = 0, 0.0
    while i <= len(x):
        x[i] += 1.0
        total += x[i]
        i += 1
    return total


def counted_too_much(x):
    out = np.zeros(len(x))
    count = 0
    for i in range(len(x)):
        out[count] = x[i]
        count += 2 if x[i] > 2.0 else 1
    return out


def until_data_says(x):
    i = 0
    while x[i] < 8.0:
        x[i] -= 1.0
        i += 1
    return i


def leaping(x):
    j, total = len(x) - 1, 0.0
    while j > 0:
        j -= 3
        total += x[j]
    return total


def wrapping(x, k, step):
    total, times = 0.0, 0
    while k < len(x) and times < 70:
        total += x[k]
        x[k] += 1.0
        k, times = k * step, times + 1
    return total


def far_apart(x, k):
    low, high, total = k, k + len(x), 0.0
    while low < high:
        middle = (low + high) // 2
        total += x[middle]
        low = middle + 1
    return total


CASES = [
    *[(function, ()) for function in (sorted_by_insertion, kept, ring, two_ends)],
    *[(function, ()) for function in (too_far_down, too_far_up, counted_too_much, until_data_says, leaping)],
    *[(searched, (value,)) for value in (3.2, 99.0)],
    *[(doubled, (np.array([h]),)) for h in (1, 2**62)],
    *[(wrapping, (k, step)) for k, step in ((-1, 2), (5, 2**31))],
    *[(wrapping, (np.array([k])[0], np.array([step])[0])) for k, step in ((3, -(2**62)),)],
    *[(far_apart, (k,)) for k in (-3, 5, -(2**63))],
]  # fmt: skip


@pytest.mark.parametrize("function, further", CASES, ids=lambda value: getattr(value, "__name__", None))
@pytest.mark.filterwarnings("ignore:overflow")
def test_values_states_and_exceptions_are_numpys(function, further):
    optimized = egc.optimize(function, backend="numba")
    for x in (X, X[::-1], X[1:3], X[:1], X[:0]):
        arguments, own = (x.copy(), *further), (x.copy(), *further)
        try:
            expected = function(*arguments)
        except (IndexError, ZeroDivisionError) as error:
            with pytest.raises(type(error)):
                optimized(*own)
        else:
            found = optimized(*own)
            for a, b in zip(expected, found) if isinstance(expected, tuple) else [(expected, found)]:
                np.testing.assert_array_equal(b, a)
        np.testing.assert_array_equal(own[0], arguments[0])


@pytest.mark.parametrize("function", PROVED)
def test_what_cannot_fail_is_not_looked_at(function):
    arguments = (X.copy(), *{searched: (3.0,), doubled: (np.array([1]),)}.get(function, ()))
    code = egc.optimize(function, backend="numba").plan(*arguments).compiled.code
    assert "OverflowError" in code and "index is out of bounds" not in code


def test_what_cannot_fail_works_in_place():
    code = egc.optimize(sorted_by_insertion, backend="numba").plan(X.copy()).compiled.code
    assert "allocate(" not in code


def test_flags_that_are_never_up_are_constants():
    code = egc.optimize(searched, backend="numba").plan(X.copy(), 3.0).compiled.code
    assert "absolute" not in code and "< float64(9.2e+18)" not in code


def test_sums_that_may_wrap_around_are_not_exact():
    known = Known(Ranges({"n": 1}))
    i, n = known.symbols.fresh(), sizes.symbol("n")
    below = known.having([i, n - 1 - i])
    assert (
        below.is_exact(2 * i + n) and not known.is_exact(i + 1) and not known.is_exact(sizes.symbol("size_input") + 1)
    )


def test_the_newest_symbol_is_replaced_by_older_ones():
    known = Known(Ranges({"n": 1}))
    i, j, n = known.symbols.fresh(), known.symbols.fresh(), sizes.symbol("n")
    below = known.having([i, n - 2 - i, j, i - j])
    assert below.holds(n - 2 - j) and below.holds(n * n - n * j - 2 * n) and not below.holds(n - 3 - j)
    assert below.having([2 * j - 2 * i - 1]).holds(-1 - n) is False
