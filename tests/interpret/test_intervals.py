"""Intervals contain every value that is possible, computed with many digits; and little more."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf

from egc import Interval
from egc.interpret import interval_functions
from egc.rulecheck.bigarray import NAN, UFUNCS

DIGITS = 80

ANY = st.floats(-30.0, 30.0)
BOXES = st.tuples(ANY, ANY).map(sorted)
SHARES = st.lists(st.floats(0.0, 1.0), min_size=3, max_size=3)


def _log_ndtr(a):
    tail = mp.erfc(abs(a) / mp.sqrt(2)) / 2
    return mp.log(tail) if a < 0 else mp.log1p(-tail)


TRUTH = {
    **UFUNCS,
    "conjugate": lambda a: a,
    "rint": mpmath.nint,
    "log1p": lambda a: mp.log1p(a) if a > -1 else mpf("-inf") if a == -1 else NAN,
    "xlog1py": lambda a, b: mpf(0) if a == 0 else a * mp.log1p(b),
    "log_ndtr": _log_ndtr,
    "log_expit": lambda a: -mp.log1p(mp.exp(-a)),
    "reciprocal": lambda a: 1 / a,
    "square": lambda a: a * a,
    "fmod": lambda a, b: mp.sign(a) * (abs(a) % abs(b)) if b else NAN,
    "floor_divide": lambda a, b: mp.floor(a / b),
    "fmax": max,
    "fmin": min,
    "heaviside": lambda a, b: b if a == 0 else mpf(int(a > 0)),
}

INVERSES = {"erfinv": mp.erf, "erfcinv": mp.erfc, "ndtri": lambda a: mp.erfc(-a / mp.sqrt(2)) / 2}
"""Functions whose bounds are seen by the function that they invert; the second falls."""

WITHIN = {
    **dict.fromkeys(["arcsin", "arccos", "arctanh", "erfinv"], (-1, 1)),
    **dict.fromkeys(["logit", "ndtri"], (0, 1)),
    "erfcinv": (0, 2),
}
SLOW = frozenset(["i0", "i0e", "i1", "exp1", "expi", *INVERSES])
OTHERS = frozenset(["sin", "cos", "tan", "sqrt", "reciprocal", "entr", "square"])
UNARY = sorted({*interval_functions.PIECES, *interval_functions.POSITIVE, *OTHERS})
BINARY = sorted({*interval_functions.ROWS} - {*UNARY, "nothing"})


def exactly(name, *operands):
    """The value by mpmath; nan where there is none."""
    with mp.workdps(DIGITS):
        try:
            found = TRUTH[name](*map(mpf, operands))
        except (ZeroDivisionError, ValueError, OverflowError):
            return NAN
        return NAN if isinstance(found, mpmath.mpc) else +found


def points(box, shares):
    low, high = box
    return [low, *(min(max(low + share * (high - low), low), high) for share in shares), high]


def bounds(name, *boxes):
    parts = [Interval(float(low), float(high)) for low, high in boxes]
    with np.errstate(all="ignore"):
        return interval_functions.ROWS[name](*parts)


def assert_contains(found, exact, what):
    if not mpmath.isnan(exact):
        low, high = float(found.low), float(found.high)
        assert low <= exact <= high, f"{what}: {mpmath.nstr(exact, 25)} is not in [{low!r}, {high!r}]"


@pytest.mark.parametrize("name", sorted({*UNARY} - {*INVERSES}))
def test_a_function_of_one_operand_contains_its_values(name):
    @settings(max_examples=6 if name in SLOW else 25, database=None)
    @given(BOXES, SHARES)
    def holds(box, shares):
        least, most = WITHIN.get(name, (-30, 30))
        box = [least + (end + 30) / 60 * (most - least) for end in box]
        found = bounds(name, box)
        for x in points(box, shares):
            assert_contains(found, exactly(name, x), f"{name}({x!r})")

    holds()


@pytest.mark.parametrize("name", sorted(INVERSES))
def test_the_inverse_of_a_function_contains_its_values(name):
    @settings(max_examples=10, database=None)
    @given(BOXES)
    def holds(box):
        least, most = WITHIN[name]
        box = [least + (end + 30) / 60 * (most - least) for end in box]
        found = bounds(name, box)
        with mp.workdps(DIGITS):
            low, high = sorted(INVERSES[name](mpf(float(end))) for end in (found.low, found.high))
            assert low <= box[0] and box[1] <= high

    holds()


@pytest.mark.parametrize("name", BINARY)
def test_a_function_of_two_operands_contains_its_values(name):
    @settings(max_examples=25, database=None)
    @given(BOXES, BOXES, SHARES, SHARES)
    def holds(first, second, shares, others):
        found = bounds(name, first, second)
        for x in points(first, shares):
            for y in points(second, others):
                assert_contains(found, exactly(name, x, y), f"{name}({x!r}, {y!r})")

    holds()
