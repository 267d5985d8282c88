"""What one element of an op takes in a loop nest or a library call, in nanoseconds, on float64."""

from __future__ import annotations

_BY_PRICE = {
    0.02: """assume conjugate real imag""",
    0.05: """negative absolute add subtract multiply equal not_equal less less_equal greater greater_equal logical_not
             logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor invert left_shift right_shift isnan
             isinf isfinite signbit copysign floor ceil trunc rint cast any all""",
    0.08: """maximum minimum fmax fmin where sign heaviside sum prod""",
    0.15: """max min bitwise_count""",
    0.2: """divide reciprocal""",
    0.4: """sqrt""",
    0.7: """exp frexp_exponent""",
    0.9: """expit""",
    1.0: """log""",
    1.2: """xlogy entr cbrt""",
    1.4: """log1p""",
    1.6: """xlog1py""",
    2.3: """exp2""",
    3.0: """floor_divide remainder fmod log2 erf ldexp gcd lcm""",
    3.4: """erfc""",
    3.7: """logaddexp log_expit frexp_mantissa nextafter ndtr""",
    4.4: """expm1 arcsin arccos kl_div spacing""",
    5.4: """hypot rel_entr""",
    5.8: """log10 logit""",
    6.3: """cosh arccosh zeta""",
    8.0: """sin cos tan sinh tanh arctan ndtri gamma j0 j1""",
    9.4: """gammaln arctanh digamma""",
    10.3: """power arcsinh logaddexp2""",
    12.0: """arctan2 erfinv erfcinv log_ndtr""",
    15.0: """rgamma y0 y1""",
    23.0: """erfcx dawsn""",
    40.0: """i0 i0e i1 i1e""",
    52.0: """exp1 expi betaln beta""",
    270.0: """gammainc betainc""",
    870.0: """gammaincc""",
}

PRICES = {op: price for price, ops in _BY_PRICE.items() for op in ops.split()}
