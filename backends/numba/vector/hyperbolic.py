"""sinh, cosh, tanh and their inverses on float64.

With x = n*log(2) + r, exp(x) = 2**n * (C + S) and exp(-x) = 2**-n * (C - S), where C = cosh(r) and S = sinh(r) are minimax
polynomials in r**2 (Remez); so small arguments need no form of their own. The inverses are logarithms of 1 plus what is
computed without cancellation (Kahan, Branch cuts for complex elementary functions, 1987).
"""

from __future__ import annotations

import math

from egc.backends.numba.vector.exponential import LN2_HIGH, LN2_LOW, growth, power_of_two, whole
from egc.backends.numba.vector.lanes import multiply_add, polynomial, select, square_root, sum_error, with_sign
from egc.backends.numba.vector.logarithm import log1p_sum, log_ratio

COSH = (0.5000000000000013, 0.04166666666651435, 0.0013888888947250259, 2.480148973012717e-05, 2.763134830211146e-07)
"""(cosh(r) - 1) / r**2 in r**2, within 2**-58."""
SINH = (0.16666666666666677, 0.00833333333332162, 0.00019841269886151805, 2.755724418580626e-06, 2.51090443427811e-08)
"""(sinh(r) - r) / r**3 in r**2, within 2**-61."""
TANH = (
    -0.333333333333333,
    0.13333333333326838,
    -0.05396825396388138,
    0.02186948838917382,
    -0.008863232653802662,
    0.003592092541422194,
    -0.0014555460330864473,
    0.0005884572197467743,
    -0.00023341309096924873,
    8.336049558213108e-05,
    -1.9521238786835667e-05,
)
"""(tanh(x) - x) / x**3 in x**2 for abs(x) <= 0.55, within 2**-60 relative to x."""


def halves(x, n):
    """r, and what cosh(r) exceeds 1 and sinh(r) exceeds r by, the rounding of r included."""
    high = multiply_add(n, -LN2_HIGH, x)
    r = multiply_add(n, -LN2_LOW, high)
    low = multiply_add(n, -LN2_LOW, high - r)
    z = r * r
    return r, z * polynomial(z, COSH) + r * low, multiply_add(r * z, polynomial(z, SINH), low)


def sinh(x):
    size = abs(x)
    size = select(size > 711.0, 711.0, size)
    n = whole(size)
    r, even, odd = halves(size, n)
    inverse = select(n > 30.0, 0.0, power_of_two(-2.0 * n))
    less, more = 1.0 - inverse, 1.0 + inverse
    lost = (1.0 - less) - inverse
    value = multiply_add(more, r, less) + multiply_add(less, even, multiply_add(more, odd, lost))
    return with_sign(2.0 * value * power_of_two(n - 2.0), x)


def cosh(x):
    size = abs(x)
    size = select(size > 711.0, 711.0, size)
    n = whole(size)
    r, even, odd = halves(size, n)
    inverse = select(n > 30.0, 0.0, power_of_two(-2.0 * n))
    less, more = 1.0 - inverse, 1.0 + inverse
    lost = (1.0 - more) + inverse
    value = multiply_add(less, r, more) + multiply_add(more, even, multiply_add(less, odd, lost))
    return 2.0 * value * power_of_two(n - 2.0)


def tanh(x):
    """1 - 2 / (exp(2*abs(x)) + 1), and near 0 a polynomial."""
    size = abs(x)
    clipped = select(size > 20.0, 20.0, size)
    n, change = growth(2.0 * clipped)
    scale = power_of_two(n)
    far = 1.0 - 2.0 / multiply_add(scale, change, 1.0 + scale)
    z = size * size
    near = multiply_add(size * z, polynomial(z, TANH), size)
    return with_sign(select(size < 0.55, near, far), x)


LARGE = 18014398509481984.0
"""2**54, where the 1 in the argument's square no longer counts."""


def arcsinh(x):
    size = abs(x)
    large = size > LARGE
    square = size * size
    quotient = square / (1.0 + square_root(1.0 + square))
    t = size + quotient
    low = select(large, 0.0, sum_error(size, quotient, t))
    value = log1p_sum(select(large, size, t), low, select(large, 1.0, 0.0))
    return with_sign(select(size < math.inf, value, size), x)


def arccosh(x):
    large = x > LARGE
    above = x - 1.0
    root = square_root(multiply_add(above, above, 2.0 * above))
    t = above + root
    low = select(large, 0.0, sum_error(above, root, t))
    value = log1p_sum(select(large, x, t), low, select(large, 1.0, 0.0))
    value = select(x == math.inf, x, value)
    return select(x >= 1.0, value, math.nan)


def arctanh(x):
    size = abs(x)
    above, below = 1.0 + size, 1.0 - size
    value = 0.5 * log_ratio(above, size - (above - 1.0), below, (1.0 - below) - size)
    value = select(size == 1.0, math.inf, value)
    return with_sign(select(size <= 1.0, value, math.nan), x)
