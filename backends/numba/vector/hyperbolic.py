"""sinh, cosh, tanh and their inverses, each below 2 ulp.

With x = n*log(2) + r, exp(x) = 2**n * (C + S) and exp(-x) = 2**-n * (C - S), where C = cosh(r) and S = sinh(r) are minimax
polynomials in r**2 (Remez); so small arguments need no form of their own. The inverses are logarithms of 1 plus what is
computed without cancellation (Kahan, Branch cuts for complex elementary functions, 1987).
"""

from __future__ import annotations

import math

from egc.backends.numba.vector.exponential import growth, power_of_two, whole
from egc.backends.numba.vector.lanes import multiply_add, polynomial, select, square_root, sum_error, with_sign
from egc.backends.numba.vector.logarithm import log1p_sum, log_ratio


def halves(x, n):
    """r, and what cosh(r) exceeds 1 and sinh(r) exceeds r by, the rounding of r included."""
    ln2_high, ln2_low = x.format.ln2
    high = multiply_add(n, -ln2_high, x)
    r = multiply_add(n, -ln2_low, high)
    low = multiply_add(n, -ln2_low, high - r)
    z = r * r
    return r, z * polynomial(z, x.format.cosh) + r * low, multiply_add(r * z, polynomial(z, x.format.sinh), low)


def sinh(x):
    size = abs(x)
    limit = x.format.log_highest + 1.0
    size = select(size > limit, limit, size)
    n = whole(size)
    r, even, odd = halves(size, n)
    inverse = select(n > 30.0, 0.0, power_of_two(-2.0 * n))
    less, more = 1.0 - inverse, 1.0 + inverse
    lost = (1.0 - less) - inverse
    value = multiply_add(more, r, less) + multiply_add(less, even, multiply_add(more, odd, lost))
    return with_sign(2.0 * value * power_of_two(n - 2.0), x)


def cosh(x):
    size = abs(x)
    limit = x.format.log_highest + 1.0
    size = select(size > limit, limit, size)
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
    near = multiply_add(size * z, polynomial(z, x.format.tanh), size)
    return with_sign(select(size < 0.55, near, far), x)


def large(x):
    """Whether 1 no longer counts beside x."""
    return x > 2.0 ** (x.format.digits + 2)


def arcsinh(x):
    size = abs(x)
    beyond = large(size)
    square = size * size
    quotient = square / (1.0 + square_root(1.0 + square))
    t = size + quotient
    low = select(beyond, 0.0, sum_error(size, quotient, t))
    value = log1p_sum(select(beyond, size, t), low, select(beyond, 1.0, 0.0))
    return with_sign(select(size < math.inf, value, size), x)


def arccosh(x):
    beyond = large(x)
    above = x - 1.0
    root = square_root(multiply_add(above, above, 2.0 * above))
    t = above + root
    low = select(beyond, 0.0, sum_error(above, root, t))
    value = log1p_sum(select(beyond, x, t), low, select(beyond, 1.0, 0.0))
    value = select(x == math.inf, x, value)
    return select(x >= 1.0, value, math.nan)


def arctanh(x):
    size = abs(x)
    above, below = 1.0 + size, 1.0 - size
    value = 0.5 * log_ratio(above, size - (above - 1.0), below, (1.0 - below) - size)
    value = select(size == 1.0, math.inf, value)
    return with_sign(select(size <= 1.0, value, math.nan), x)
