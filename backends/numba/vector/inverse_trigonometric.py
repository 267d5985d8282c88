"""arcsin, arccos, arctan, arctan2 and hypot: below 2 ulp on float64, below 1 on float32, which float64 serves.

Above 1/2, arcsin(x) = pi/2 - 2 arcsin(sqrt((1-x)/2)); above 1, arctan(x) = pi/2 - arctan(1/x) (Cody and Waite, Software Manual
for the Elementary Functions, 1980, chapters 10 and 11). pi/2 has two parts, of which the second joins the polynomial.
The polynomials are minimax in the square (Remez).
"""

from __future__ import annotations

import math

from egc.backends.numba.vector.lanes import (
    bits,
    from_bits,
    multiply_add,
    narrowed,
    polynomial,
    select,
    square_root,
    widened,
    with_sign,
)

HALF_PI = 1.5707963267948966
HALF_PI_LOW = 6.123233995736766e-17
SIGN, ONE = -(1 << 63), 0x3FF0000000000000
"""The bit that holds a float64's sign, and the bits of 1."""
ARCTAN = (
    -0.3333333333333307,
    0.19999999999951468,
    -0.14285714282576073,
    0.11111111007063501,
    -0.0909090700376542,
    0.07692279849355442,
    -0.06666404146663242,
    0.0588052837938489,
    -0.052535212023563246,
    0.04722331617968143,
    -0.04219204545162849,
    0.03664244946866462,
    -0.029904736867417188,
    0.0219859597503157,
    -0.013901625427015675,
    0.007197272369749667,
    -0.002885321311177369,
    0.0008314663025183209,
    -0.0001521925751139386,
    1.3228288259494021e-05,
)
"""(arctan(x) - x) / x**3 in x*x for abs(x) <= 1, within 2**-57 of the function."""

ARCTAN_SHORT = (
    -0.33333326901990024,
    0.1999967123599577,
    -0.1427983491639398,
    0.11058238269319083,
    -0.0881115386903075,
    0.06741754776051173,
    -0.04469234377039617,
    0.022542039099027165,
    -0.007319028854764038,
    0.0011140112985909608,
)
"""Likewise, within 2**-31 of the function."""

ARCSIN = (
    0.1666666666666676,
    0.0749999999997073,
    0.04464285717466928,
    0.030381942705387514,
    0.02237221504727622,
    0.01735161105231484,
    0.013980831049364616,
    0.011398832811905246,
    0.010780669345538412,
    0.00370492026228865,
    0.021710904167493744,
    -0.021003767720093904,
    0.03263147139535255,
)
"""(arcsin(x) - x) / x**3 in x*x for abs(x) <= 1/2, within 2**-59 of the function."""

ARCSIN_SHORT = (
    0.1666665997415315,
    0.07500505167830399,
    0.04451678230590264,
    0.03180903831678715,
    0.014434006926919044,
    0.03752244787227936,
)
"""Likewise, within 2**-31 of the function."""


def arctan(x):
    magnitude = abs(x)
    steep = magnitude > 1.0
    r = select(steep, -1.0 / magnitude, magnitude)
    z = r * r
    small = multiply_add(r * z, polynomial(z, ARCTAN), select(steep, HALF_PI_LOW, 0.0))
    return with_sign(select(steep, HALF_PI, 0.0) + (r + small), x)


def slope(y, x):
    """min(abs) / max(abs), with 0 for two zeros and 1 for two infinities, and whether y is the larger one."""
    height, width = abs(y), abs(x)
    steep = height > width
    least, most = select(steep, width, height), select(steep, height, width)
    ratio = least / most
    ratio = select((least == math.inf) & (most == math.inf), 1.0, ratio)
    return select((most == 0.0) & (least == 0.0), 0.0, ratio), steep


def is_negative(x):
    """Whether a float64 is below 0 or -0."""
    return from_bits((bits(x) & SIGN) | ONE) < 0.0


def arctan2(y, x):
    """The angle with the nearer axis, taken off or added to a multiple of pi/2."""
    ratio, steep = slope(y, x)
    left = is_negative(x)
    turns = select(steep, 1.0, select(left, 2.0, 0.0))
    r = select(steep ^ left, -ratio, ratio)
    z = r * r
    small = multiply_add(r * z, polynomial(z, ARCTAN), turns * HALF_PI_LOW)
    return with_sign(turns * HALF_PI + (r + small), y)


def halved(x, coefficients):
    """For abs(x) beyond 1/2, s = sqrt((1-abs(x))/2), else abs(x); and arcsin(s) - s."""
    magnitude = abs(x)
    beyond = magnitude > 0.5
    z = select(beyond, multiply_add(magnitude, -0.5, 0.5), magnitude * magnitude)
    s = select(beyond, square_root(z), magnitude)
    return beyond, s, s * z * polynomial(z, coefficients)


def arcsin(x):
    beyond, s, small = halved(x, ARCSIN)
    rest = HALF_PI - 2.0 * s
    lost = (HALF_PI - rest) - 2.0 * s
    large = rest + multiply_add(small, -2.0, lost + HALF_PI_LOW)
    return with_sign(select(beyond, large, s + small), x)


def arccos(x):
    beyond, s, small = halved(x, ARCSIN)
    middle = (HALF_PI - with_sign(s, x)) - (with_sign(small, x) - HALF_PI_LOW)
    below = (2.0 * HALF_PI - 2.0 * s) - multiply_add(2.0, small, -2.0 * HALF_PI_LOW)
    return select(beyond, select(x < 0.0, below, 2.0 * (s + small)), middle)


def hypot(x, y):
    """The squares of large and small operands are scaled by a power of 2."""
    x, y = abs(x), abs(y)
    most, least = select(x > y, x, y), select(x > y, y, x)
    large, small = most > 2.0**500, most < 2.0**-500
    scale = select(large, 2.0**-600, select(small, 2.0**600, 1.0))
    back = select(large, 2.0**600, select(small, 2.0**-600, 1.0))
    most, least = most * scale, least * scale
    value = square_root(multiply_add(most, most, least * least)) * back
    return select((x == math.inf) | (y == math.inf), math.inf, value)


def arctan_float32(x):
    magnitude = abs(widened(x))
    steep = magnitude > 1.0
    r = select(steep, -1.0 / magnitude, magnitude)
    z = r * r
    value = select(steep, HALF_PI, 0.0) + multiply_add(r * z, polynomial(z, ARCTAN_SHORT), r)
    return with_sign(narrowed(value), x)


def arctan2_float32(y, x):
    wide = widened(x)
    ratio, steep = slope(widened(y), wide)
    left = is_negative(wide)
    r = select(steep ^ left, -ratio, ratio)
    z = r * r
    turns = select(steep, HALF_PI, select(left, 2.0 * HALF_PI, 0.0))
    return with_sign(narrowed(turns + multiply_add(r * z, polynomial(z, ARCTAN_SHORT), r)), y)


def arcsin_float32(x):
    beyond, s, small = halved(widened(x), ARCSIN_SHORT)
    value = s + small
    return with_sign(narrowed(select(beyond, HALF_PI - 2.0 * value, value)), x)


def arccos_float32(x):
    beyond, s, small = halved(widened(x), ARCSIN_SHORT)
    value = select(beyond, 2.0 * (s + small), HALF_PI - (s + small))
    return narrowed(select(x < 0.0, 2.0 * HALF_PI - value, value))


def hypot_float32(x, y):
    a, b = widened(abs(x)), widened(abs(y))
    return narrowed(select((a == math.inf) | (b == math.inf), math.inf, square_root(multiply_add(a, a, b * b))))
