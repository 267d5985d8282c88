"""The numbers that mathematics needs of a float format: its layout, split constants, and minimax polynomials (Remez) that
are as long as its precision takes."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

Coefficients = tuple[float, ...]


@dataclass(frozen=True)
class Format:
    """`digits` counts the stored bits of the mantissa. The split constants' high parts have so few bits that products
    with an exponent, or with a mantissa's upper half, are exact."""

    digits: int
    bias: int
    log_highest: float
    """A float just above the logarithm of the greatest one."""
    log_lowest: float
    """A float below the logarithm of half the least one."""
    ln2: tuple[float, float]
    inverse_ln2: tuple[float, float]
    inverse_ln10: tuple[float, float]
    log10_2: tuple[float, float]
    exp: Coefficients
    """(exp(r) - 1 - r) / r**2 for abs(r) <= log(2)/2."""
    exp2: Coefficients
    """(2**r - 1) / r for abs(r) <= 1/2."""
    cosh: Coefficients
    """(cosh(r) - 1) / r**2 in r**2 for abs(r) <= log(2)/2."""
    sinh: Coefficients
    """(sinh(r) - r) / r**3 in r**2 for abs(r) <= log(2)/2."""
    tanh: Coefficients
    """(tanh(x) - x) / x**3 in x**2 for abs(x) <= 0.55."""
    atanh: Coefficients
    """2 * (atanh(s) - s) / s**3 in s**2 for abs(s) <= 3 - sqrt(8)."""

    @property
    def least_normal(self) -> float:
        return 2.0 ** (1 - self.bias)

    @property
    def round(self) -> float:
        """Adding it rounds a small float to an integer, which then stands in the low bits."""
        return 1.5 * 2.0**self.digits

    @property
    def units(self) -> float:
        """A float whose low bits count units."""
        return 2.0**self.digits

    @property
    def one(self) -> int:
        """The bits of 1."""
        return self.bias << self.digits

    @property
    def sqrt_half(self) -> int:
        """The bits of the square root of 1/2."""
        layout, integer = ("<d", "<q") if self.digits == 52 else ("<f", "<i")
        return struct.unpack(integer, struct.pack(layout, math.sqrt(0.5)))[0]

    @property
    def mantissa(self) -> int:
        """The bits of the mantissa."""
        return (1 << self.digits) - 1

    @property
    def upper(self) -> int:
        """All bits but the lower half of the mantissa and those above the ones that `inverse_ln2` has."""
        return -1 << (32 if self.digits == 52 else 12)

    @property
    def split(self) -> float:
        """Multiplication by it splits a mantissa into halves."""
        return 2.0 ** (self.digits // 2 + 1) + 1.0


FLOAT64 = Format(
    digits=52,
    bias=1023,
    log_highest=710.0,
    log_lowest=-746.0,
    ln2=(6.93147180369123816490e-01, 1.90821492927058770002e-10),
    inverse_ln2=(1.4426950365304947, 4.3584687174185184e-09),
    inverse_ln10=(0.434294480830431, 1.0728208431540585e-09),
    log10_2=(0.30102999566361177, 3.694239077158931e-13),
    exp=(
        0.5000000000000001,
        0.16666666666666674,
        0.04166666666662412,
        0.008333333333322207,
        0.0013888888917217457,
        0.00019841269886591,
        2.4801521290973345e-05,
        2.7557242336680357e-06,
        2.7620090518499427e-07,
        2.5110049895858716e-08,
    ),
    exp2=(
        0.6931471805599453,
        0.24022650695910097,
        0.05550410866482166,
        0.00961812910760685,
        0.0013333558146395952,
        0.0001540353044179974,
        1.5252733853339906e-05,
        1.321544254953422e-06,
        1.0178051700635756e-07,
        7.0725935588867845e-09,
        4.4566799241111394e-10,
    ),
    cosh=(0.5000000000000013, 0.04166666666651435, 0.0013888888947250259, 2.480148973012717e-05, 2.763134830211146e-07),
    sinh=(
        0.16666666666666677,
        0.00833333333332162,
        0.00019841269886151805,
        2.755724418580626e-06,
        2.51090443427811e-08,
    ),
    tanh=(
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
    ),
    atanh=(
        0.6666666666666734,
        0.39999999999414116,
        0.2857142874254848,
        0.22222198553578299,
        0.18183565478845042,
        0.15314018160467152,
        0.14796298990994806,
    ),
)

FLOAT32 = Format(
    digits=23,
    bias=127,
    log_highest=89.0,
    log_lowest=-104.0,
    ln2=(0.693359375, -0.00021219444005469057),
    inverse_ln2=(1.44287109375, -0.00017605286103659264),
    inverse_ln10=(0.434326171875, -3.168997174817235e-05),
    log10_2=(0.301025390625, 4.605038981195214e-06),
    exp=(0.5000000026940606, 0.16666576944796407, 0.04166637517350626, 0.008363184036627056, 0.0013941121387902457),
    exp2=(
        0.6931471880414377,
        0.2402265108458379,
        0.055503570511965056,
        0.009618030703724675,
        0.001339089431186004,
        0.00015469758510497443,
    ),
    cosh=(0.5000000079102256, 0.04166626716283142, 0.001394622537087031),
    sinh=(0.16666666754511344, 0.008333288964491972, 0.0001990495537048047),
    tanh=(-0.333333327421179, 0.13333294647210273, -0.05395979462020093, 0.021783782479527454, -0.008416835219942465)
    + (0.0023990425512810743,),
    atanh=(0.666667764017146, 0.3997753648695128, 0.29871916003299),
)
