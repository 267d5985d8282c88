"""erf (below 2 ulp), erfc (below 4 ulp) and ndtr, the normal distribution function; on float32 below 1 ulp.

The tail is exp(-x*x) / (1 + 2x) times a function that hardly varies, a polynomial in (x-k)/(x+k) on the whole half line
(Shepherd and Laframboise, Chebyshev approximation of (1+2x) exp(x^2) erfc x, Mathematics of Computation 36, 1981); what
x*x loses by rounding goes into the exponential's reduced argument. Nearer to 0, erf is its odd series. All
polynomials are minimax (Remez).
"""

from __future__ import annotations

from egc.backends.numba.vector.exponential import exp, growth, scaled
from egc.backends.numba.vector.lanes import (
    multiply_add,
    narrowed,
    polynomial,
    product_error,
    select,
    widened,
    with_sign,
)

SERIES = (
    0.1283791670955126,
    -0.3761263890318375,
    0.11283791670954858,
    -0.026866170645072945,
    0.005223977624781369,
    -0.0008548326978771398,
    0.00012055331037971018,
    -1.492559353269732e-05,
    1.646097323041751e-06,
    -1.635002958326837e-07,
    1.4657908929207766e-08,
    -1.1365777128062009e-09,
    5.945447185055576e-11,
)
"""erf(x)/x - 1 in x*x for abs(x) < 1, within 2**-62."""

SERIES_SHORT = (
    0.12837916572954597,
    -0.376126258415745,
    0.112835853118418,
    -0.026853817540936454,
    0.005188336726313354,
    -0.0008010263652141485,
    7.854071746994395e-05,
)
"""Likewise, within 2**-29."""

LOGARITHM = (
    1.8496055099332482,
    2.638967514234788,
    0.843107256358677,
    0.04156109804180501,
    -0.010033825374368942,
    0.0019779025676434124,
    -0.0002373224802716676,
    -2.6277878734063124e-05,
    2.715912029339031e-05,
    -9.60891339688361e-06,
    2.0597875023900353e-06,
    -1.4288880555969948e-07,
    -9.753881200963617e-08,
    5.203387210885287e-08,
    -1.4910096326043343e-08,
    2.863718621295175e-09,
    -3.6819737959153784e-10,
    2.8810805834413872e-11,
    -1.0388989271564951e-12,
)
"""-log(erfc(x)) in x - 1 from 1 to 6, an error of erf, within 2**-59."""

LOGARITHM_SHORT = (
    1.8496055100666875,
    2.638967514519051,
    0.8431070818742674,
    0.041563480069130576,
    -0.010046450548243185,
    0.002011964472084856,
    -0.00028952685442829116,
    2.168653787424364e-05,
)
"""Likewise from 1 to 4, within 2**-35."""

TAIL = (
    1.2329951186255526,
    -0.13962111684056253,
    0.015379652102620073,
    0.06809705425469312,
    -0.10103906603632705,
    0.0937328349983309,
    -0.06633036581160602,
    0.0371675155379071,
    -0.016197734066248606,
    0.005031969972149496,
    -0.0007577732207479968,
    -0.00019925664403884925,
    0.0001506213401646871,
    -2.4399493304752168e-05,
    -1.1220986711445776e-05,
    5.710714062741866e-06,
    2.918043929519178e-07,
    -8.276174542545684e-07,
    7.6856459724972e-08,
    1.1306950874234608e-07,
    -1.9013839085022774e-08,
    -1.6437739964188156e-08,
    1.6927799474266293e-09,
    2.044575823109422e-09,
    2.71637894194338e-10,
)
"""(1 + 2x) exp(x*x) erfc(x) in (x-4)/(x+4) from 0 to 28, within 2**-61."""

TAIL_SHORT = (
    1.276978382713734,
    -0.09276381863914286,
    -0.16603052261161907,
    0.16405097528688767,
    -0.054217866025469096,
    -0.0080303330683082,
    0.008709682101168202,
    0.001251204150008338,
    -0.0014231425002549831,
    -0.00039990505485987986,
    0.00017220382438689634,
    8.061583248540567e-05,
)
"""Likewise in (x-2)/(x+2) from 0 to 11, within 2**-29."""


HALF_ROOT = 0.7071067811865476


def tail(x, square, lost):
    """exp(-(square + lost)) times what erfc(x) exp(x*x) is, for x from 0 to 28."""
    factor = polynomial((x - 4.0) / (x + 4.0), TAIL) / multiply_add(x, 2.0, 1.0)
    n, change = growth(-square, -lost)
    return scaled(multiply_add(factor, change, factor), n)


def series(x):
    """erf between -1 and 1."""
    return multiply_add(x, polynomial(x * x, SERIES), x)


def erf(x):
    magnitude = abs(x)
    beyond = select(magnitude > 6.0, 5.0, magnitude - 1.0)
    return select(magnitude < 1.0, series(x), with_sign(1.0 - exp(-polynomial(beyond, LOGARITHM)), x))


def erfc(x):
    magnitude = abs(x)
    magnitude = select(magnitude > 28.0, 28.0, magnitude)
    square = magnitude * magnitude
    value = tail(magnitude, square, product_error(magnitude, magnitude, square))
    value = select(x < 0.0, 2.0 - value, value)
    return select(magnitude < 0.5, 1.0 - series(x), value)


def ndtr(x):
    """Half of erfc(-x / sqrt(2)), but for the exponential, which sees the exact square."""
    magnitude = abs(x)
    magnitude = select(magnitude > 39.0, 39.0, magnitude)
    square = magnitude * magnitude
    lost = product_error(magnitude, magnitude, square)
    value = 0.5 * tail(magnitude * HALF_ROOT, 0.5 * square, 0.5 * lost)
    value = select(x > 0.0, 1.0 - value, value)
    return select(magnitude < 0.5, multiply_add(0.5, series(x * HALF_ROOT), 0.5), value)


def tail_short(x, square):
    """exp(-square) times what erfc(x) exp(x*x) is, for x from 0 to 11."""
    return exp(-square) * polynomial((x - 2.0) / (x + 2.0), TAIL_SHORT) / multiply_add(x, 2.0, 1.0)


def erf_float32(x):
    wide = widened(x)
    magnitude = abs(wide)
    small = multiply_add(wide, polynomial(wide * wide, SERIES_SHORT), wide)
    beyond = select(magnitude > 4.0, 3.0, magnitude - 1.0)
    large = with_sign(1.0 - exp(-polynomial(beyond, LOGARITHM_SHORT)), wide)
    return narrowed(select(magnitude < 1.0, small, large))


def erfc_float32(x):
    magnitude = abs(widened(x))
    magnitude = select(magnitude > 11.0, 11.0, magnitude)
    value = tail_short(magnitude, magnitude * magnitude)
    return narrowed(select(x < 0.0, 2.0 - value, value))


def ndtr_float32(x):
    magnitude = abs(widened(x))
    magnitude = select(magnitude > 15.5, 15.5, magnitude)
    value = 0.5 * tail_short(magnitude * HALF_ROOT, 0.5 * magnitude * magnitude)
    return narrowed(select(x > 0.0, 1.0 - value, value))
