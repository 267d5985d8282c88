"""Elementwise functions of intervals of float64: each is monotone in pieces, or made of others.

`ROWS` has the functions to float64 (or to integers, in float64), and `RAW` the rows that say themselves what becomes of nan.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from egc.interpret import rounding
from egc.interpret.interval import Interval, hull
from egc.interpret.rounding import Pair

Row = Callable[..., Interval]

LIBRARY = 4.0
"""Units in the last place that NumPy's elementary functions may be off."""

SPECIAL, GAUSSIAN = 512.0, 8192.0
"""The same for SciPy's special functions, and for those with a factor exp(-x**2): several times what comparison with mpmath
shows (80 and 910), since SciPy states no bounds."""

ROWS: dict[str, Row] = {}
RAW: set[str] = set()


def row(*names: str, raw: bool = False) -> Callable[[Row], Row]:
    def register(function: Row) -> Row:
        ROWS.update(dict.fromkeys(names, function))
        if raw:
            RAW.update(names)
        return function

    return register


def sure(low: np.ndarray, high: np.ndarray, nan: Any = False) -> Interval:
    return Interval.of(np.asarray(low), np.asarray(high), np.broadcast_to(nan, np.shape(low)))


def has(x: Interval, value: float) -> np.ndarray:
    return (x.low <= value) & (value <= x.high)


def unbounded(x: Interval) -> np.ndarray:
    return np.isinf(x.low) | np.isinf(x.high)


@dataclass(frozen=True)
class Pieces:
    """A function of one operand, monotone between its turning points.

    units, absolute: how far its values may be off. domain: where it is a number. range: what its values stay within. turns:
    bounds of each turning point, and of the value there.
    """

    function: Callable[[np.ndarray], np.ndarray]
    units: float = LIBRARY
    domain: tuple[float, float] = (-np.inf, np.inf)
    range: tuple[float, float] = (-np.inf, np.inf)
    turns: Sequence[tuple[float, float, float, float]] = ()
    absolute: float = 0.0

    def __call__(self, x: Interval) -> Interval:
        outside = (x.low < self.domain[0]) | (x.high > self.domain[1])
        empty = (x.high < self.domain[0]) | (x.low > self.domain[1])
        ends = [np.clip(bound, *self.domain) for bound in (x.low, x.high)]
        bounds = [self._around(self.function(end)) for end in ends]
        low = np.minimum(bounds[0][0], bounds[1][0])
        high = np.maximum(bounds[0][1], bounds[1][1])
        for first, last, least, greatest in self.turns:
            turning = (x.low <= last) & (x.high >= first)
            low = np.where(turning, np.minimum(low, least), low)
            high = np.where(turning, np.maximum(high, greatest), high)
        low, high = np.clip(low, *self.range), np.clip(high, *self.range)
        return sure(np.where(empty, np.nan, low), np.where(empty, np.nan, high), outside)

    def _around(self, values: np.ndarray) -> Pair:
        if not self.units and not self.absolute:
            return values, values
        low, high = rounding.around(values, self.units)
        return (low - self.absolute, high + self.absolute) if self.absolute else (low, high)


def _scipy(name: str) -> Callable[[np.ndarray], np.ndarray]:
    def function(x: np.ndarray) -> np.ndarray:
        import scipy.special

        return getattr(scipy.special, name)(x)

    return function


INFINITE = np.inf
AT_ZERO = (0.0, 0.0)

PIECES: dict[str, Pieces] = {
    "negative": Pieces(np.negative, 0),
    "conjugate": Pieces(np.positive, 0),
    "absolute": Pieces(np.absolute, 0, turns=[(*AT_ZERO, 0.0, 0.0)]),
    "sign": Pieces(np.sign, 0, turns=[(*AT_ZERO, 0.0, 0.0)]),
    "floor": Pieces(np.floor, 0),
    "ceil": Pieces(np.ceil, 0),
    "rint": Pieces(np.rint, 0),
    "trunc": Pieces(np.trunc, 0),
    "cbrt": Pieces(np.cbrt),
    "exp": Pieces(np.exp, range=(0.0, INFINITE)),
    "exp2": Pieces(np.exp2, range=(0.0, INFINITE)),
    "expm1": Pieces(np.expm1, range=(-1.0, INFINITE)),
    "log": Pieces(np.log, domain=(0.0, INFINITE)),
    "log2": Pieces(np.log2, domain=(0.0, INFINITE)),
    "log10": Pieces(np.log10, domain=(0.0, INFINITE)),
    "log1p": Pieces(np.log1p, domain=(-1.0, INFINITE)),
    "arcsin": Pieces(np.arcsin, domain=(-1.0, 1.0)),
    "arccos": Pieces(np.arccos, domain=(-1.0, 1.0), range=(0.0, INFINITE)),
    "arctan": Pieces(np.arctan),
    "sinh": Pieces(np.sinh),
    "cosh": Pieces(np.cosh, range=(1.0, INFINITE), turns=[(*AT_ZERO, 1.0, 1.0)]),
    "tanh": Pieces(np.tanh, range=(-1.0, 1.0)),
    "arcsinh": Pieces(np.arcsinh),
    "arccosh": Pieces(np.arccosh, domain=(1.0, INFINITE), range=(0.0, INFINITE)),
    "arctanh": Pieces(np.arctanh, domain=(-1.0, 1.0)),
    "erf": Pieces(_scipy("erf"), SPECIAL, range=(-1.0, 1.0)),
    "erfc": Pieces(_scipy("erfc"), GAUSSIAN, range=(0.0, 2.0)),
    "erfcx": Pieces(_scipy("erfcx"), GAUSSIAN, range=(0.0, INFINITE)),
    "erfinv": Pieces(_scipy("erfinv"), GAUSSIAN, domain=(-1.0, 1.0)),
    "erfcinv": Pieces(_scipy("erfcinv"), GAUSSIAN, domain=(0.0, 2.0), absolute=1e-14),
    "expit": Pieces(_scipy("expit"), SPECIAL, range=(0.0, 1.0)),
    "log_expit": Pieces(_scipy("log_expit"), SPECIAL, range=(-INFINITE, 0.0)),
    "logit": Pieces(_scipy("logit"), SPECIAL, domain=(0.0, 1.0), absolute=1e-14),
    "ndtr": Pieces(_scipy("ndtr"), GAUSSIAN, range=(0.0, 1.0)),
    "ndtri": Pieces(_scipy("ndtri"), GAUSSIAN, domain=(0.0, 1.0), absolute=1e-14),
    "log_ndtr": Pieces(_scipy("log_ndtr"), GAUSSIAN, range=(-INFINITE, 0.0)),
    "i0": Pieces(_scipy("i0"), SPECIAL, range=(1.0, INFINITE), turns=[(*AT_ZERO, 1.0, 1.0)]),
    "i0e": Pieces(_scipy("i0e"), SPECIAL, range=(0.0, 1.0), turns=[(*AT_ZERO, 1.0, 1.0)]),
    "i1": Pieces(_scipy("i1"), SPECIAL),
}
"""Functions of one operand; the others are rows of their own."""

POSITIVE: dict[str, Pieces] = {
    "gammaln": Pieces(
        _scipy("gammaln"), SPECIAL, turns=[(1.46163214496, 1.46163214497, -0.12148629053585, -0.12148629053584)],
        absolute=1e-14,
    ),
    "gamma": Pieces(
        _scipy("gamma"), SPECIAL, range=(0.0, INFINITE),
        turns=[(1.46163214496, 1.46163214497, 0.8856031944108, 0.8856031944109)],
    ),
    "digamma": Pieces(_scipy("digamma"), SPECIAL, absolute=1e-14),
    "exp1": Pieces(_scipy("exp1"), SPECIAL, range=(0.0, INFINITE)),
    "expi": Pieces(_scipy("expi"), SPECIAL, absolute=1e-14),
}  # fmt: skip
"""Functions that have pieces where the operand is positive; elsewhere, anything is possible."""

ROWS.update(PIECES)


def _where_positive(pieces: Pieces) -> Row:
    def function(x: Interval) -> Interval:
        inside = x.low > 0
        found = pieces(sure(np.where(inside, x.low, 1.0), np.where(inside, x.high, 1.0)))
        return sure(np.where(inside, found.low, -np.inf), np.where(inside, found.high, np.inf), ~inside)

    return function


ROWS.update({name: _where_positive(pieces) for name, pieces in POSITIVE.items()})


@row("entr")
def _entr(x: Interval) -> Interval:
    """-x log x, which rises to 1/e at 1/e; minus infinity below zero."""
    entropy = Pieces(
        _scipy("entr"), SPECIAL, domain=(0.0, INFINITE), turns=[(0.3678794411, 0.3678794412, 0.3678794411, 0.3678794412)],
        absolute=1e-15,
    )  # fmt: skip
    found = entropy(x)
    below = x.low < 0
    return sure(np.where(below, -np.inf, found.low), np.where(np.isnan(found.high), -np.inf, found.high))


@row("sqrt")
def _sqrt(x: Interval) -> Interval:
    low, high = (rounding.sqrt(np.maximum(bound, 0.0)) for bound in (x.low, x.high))
    empty = x.high < 0
    return sure(np.where(empty, np.nan, low[0]), np.where(empty, np.nan, high[1]), x.low < 0)


def _meets(x: Interval, first: float, period: float) -> np.ndarray:
    """Whether one of the points `first` + k `period`, both known as doubles, may be in an interval."""
    low, high = (x.low - first) / period, (x.high - first) / period
    slack = 4 * rounding.EPSILON
    found = np.floor(high + slack * (1 + np.abs(high))) >= np.ceil(low - slack * (1 + np.abs(low)))
    return found | ~np.isfinite(low) | ~np.isfinite(high)


def _wave(function: Callable[[np.ndarray], np.ndarray], top: float) -> Row:
    def bounds(x: Interval) -> Interval:
        (low_a, high_a), (low_b, high_b) = (rounding.around(function(end), LIBRARY) for end in (x.low, x.high))
        low, high = np.maximum(np.fmin(low_a, low_b), -1.0), np.minimum(np.fmax(high_a, high_b), 1.0)
        low = np.where(_meets(x, top - np.pi, 2 * np.pi), -1.0, low)
        high = np.where(_meets(x, top, 2 * np.pi), 1.0, high)
        return sure(low, high, unbounded(x))

    return bounds


ROWS["sin"], ROWS["cos"] = _wave(np.sin, np.pi / 2), _wave(np.cos, 0.0)


@row("tan")
def _tan(x: Interval) -> Interval:
    (low, _), (_, high) = (rounding.around(np.tan(end), LIBRARY) for end in (x.low, x.high))
    pole = _meets(x, np.pi / 2, np.pi)
    return sure(np.where(pole, -np.inf, low), np.where(pole, np.inf, high), unbounded(x))


@row("add")
def add(a: Interval, b: Interval) -> Interval:
    opposite = ((a.low == -np.inf) & (b.high == np.inf)) | ((a.high == np.inf) & (b.low == -np.inf))
    return sure(rounding.add(a.low, b.low)[0], rounding.add(a.high, b.high)[1], opposite)


def negative(x: Interval) -> Interval:
    return Interval.of(-x.high, -x.low, x.nan)


@row("subtract")
def subtract(a: Interval, b: Interval) -> Interval:
    return add(a, negative(b))


@row("nothing")
def _nothing(x: Interval) -> Interval:
    """A value less itself."""
    return sure(np.zeros(x.shape), np.zeros(x.shape), unbounded(x))


def _corners(pairs: Sequence[Pair]) -> Pair:
    low, high = pairs[0]
    for other in pairs[1:]:
        low, high = np.minimum(low, other[0]), np.maximum(high, other[1])
    return low, high


def _ends(a: Interval, b: Interval) -> list[Pair]:
    return [(x, y) for x in (a.low, a.high) for y in (b.low, b.high)]


@row("multiply")
def multiply(a: Interval, b: Interval) -> Interval:
    nan = (has(a, 0.0) & unbounded(b)) | (has(b, 0.0) & unbounded(a))
    return sure(*_corners([rounding.multiply(x, y) for x, y in _ends(a, b)]), nan)


@row("square")
def square(x: Interval) -> Interval:
    """A value by itself."""
    size = ROWS["absolute"](x)
    return sure(rounding.multiply(size.low, size.low)[0], rounding.multiply(size.high, size.high)[1])


@row("divide")
def divide(a: Interval, b: Interval) -> Interval:
    """By what may be zero: everything, where both signs of the quotient are possible."""
    nan = (has(a, 0.0) & has(b, 0.0)) | (unbounded(a) & unbounded(b))
    safe = sure(*(np.where(end == 0, 1.0, end) for end in (b.low, b.high)))
    low, high = _corners([rounding.divide(x, y) for x, y in _ends(a, safe)])
    one_sided, above = (b.low == 0) ^ (b.high == 0), b.low == 0
    rising = one_sided & np.where(above, a.low >= 0, a.high <= 0)
    falling = one_sided & ~rising & np.where(above, a.high <= 0, a.low >= 0)
    far = np.where(one_sided, np.where(above, b.high, b.low), 1.0)
    least = rounding.divide(np.where(a.low >= 0, a.low, a.high), far)
    zero = has(b, 0.0)
    low = np.where(zero, np.where(rising, least[0], -np.inf), low)
    return sure(low, np.where(zero, np.where(falling, least[1], np.inf), high), nan)


@row("reciprocal")
def _reciprocal(x: Interval) -> Interval:
    return divide(sure(np.ones(x.shape), np.ones(x.shape)), x)


def _rising(function: Callable[[np.ndarray, np.ndarray], np.ndarray], units: float, absolute: float = 0.0) -> Row:
    """A function that rises with both operands."""

    def bounds(a: Interval, b: Interval) -> Interval:
        low, high = function(a.low, b.low), function(a.high, b.high)
        if not units:
            return sure(low, high)
        return sure(rounding.around(low, units)[0] - absolute, rounding.around(high, units)[1] + absolute)

    return bounds


ROWS["maximum"], ROWS["minimum"] = _rising(np.maximum, 0), _rising(np.minimum, 0)
ROWS["logaddexp"], ROWS["logaddexp2"] = (
    _rising(function, LIBRARY, absolute=1e-15) for function in (np.logaddexp, np.logaddexp2)
)


def _other_than_nan(rising: Row) -> Row:
    def bounds(a: Interval, b: Interval) -> Interval:
        found = rising(a, b)
        found = chosen(sure(~b.nan, np.ones(b.shape, bool)), found, hull(found, a))
        found = chosen(sure(~a.nan, np.ones(a.shape, bool)), found, hull(found, b))
        return Interval.of(found.low, found.high, a.nan & b.nan)

    return bounds


ROWS["fmax"], ROWS["fmin"] = _other_than_nan(ROWS["maximum"]), _other_than_nan(ROWS["minimum"])
RAW.update(["fmax", "fmin"])


@row("hypot", raw=True)
def _hypot(a: Interval, b: Interval) -> Interval:
    """Infinite for one infinite operand, even where the other one is no number."""
    found = _rising(np.hypot, LIBRARY)(ROWS["absolute"](a), ROWS["absolute"](b))
    nan, infinite = a.nan | b.nan, unbounded(a) | unbounded(b)
    low = np.where(np.isnan(found.low) & infinite, 0.0, np.maximum(found.low, 0.0))
    return sure(low, np.where(nan & infinite, np.inf, found.high), nan)


@row("power", raw=True)
def _power(x: Interval, y: Interval) -> Interval:
    """For x that is not negative, by corners: it is monotone in each operand. Else where y is one integer, by its parity."""
    positive = _positive_power(sure(np.maximum(x.low, 0.0), np.maximum(x.high, 0.0)), y)
    whole = (y.low == y.high) & (np.rint(y.low) == y.low) & np.isfinite(y.low)
    size = _positive_power(ROWS["absolute"](x), y)
    odd = np.abs(np.fmod(np.where(whole, y.low, 0.0), 2)) == 1
    left = _positive_power(sure(np.maximum(-x.high, 0.0), np.maximum(-x.low, 0.0)), y)
    low, high = size.low, size.high
    through = odd & (x.high > 0)
    low = np.where(odd, np.where((y.low < 0) & (x.high >= 0), -np.inf, -left.high), low)
    high = np.where(
        odd, np.where(through, np.where((y.low < 0) & (x.low <= 0), np.inf, positive.high), -left.low), high
    )
    below = x.low < 0
    low = np.where(below, np.where(whole, low, -np.inf), positive.low)
    high = np.where(below, np.where(whole, high, np.inf), positive.high)
    nan = x.nan | y.nan
    any_base = has(y, 0.0) & x.nan
    any_exponent = has(x, 1.0) & y.nan
    one = any_base | any_exponent
    low, high = np.where(one, np.fmin(low, 1.0), low), np.where(one, np.fmax(high, 1.0), high)
    empty = np.isnan(low) | np.isnan(high)
    return sure(np.where(empty, np.nan, low), np.where(empty, np.nan, high), nan | empty | (below & ~whole))


def _positive_power(x: Interval, y: Interval) -> Interval:
    low, high = _corners([rounding.around(np.power(a, b), LIBRARY) for a, b in _ends(x, y)])
    exactly = ((x.low == 1) & (x.high == 1)) | ((y.low == 0) & (y.high == 0))
    low, high = np.where(exactly, 1.0, np.maximum(low, 0.0)), np.where(exactly, 1.0, high)
    return sure(low, high)


@row("arctan2")
def _arctan2(y: Interval, x: Interval) -> Interval:
    """By corners, where the box does not meet the negative half of the axis of x, with zero."""
    low, high = _corners([rounding.around(np.arctan2(*pair), LIBRARY) for pair in _ends(y, x)])
    cut = (x.low <= 0) & has(y, 0.0)
    pi = rounding.up(np.asarray(np.pi))
    return sure(np.where(cut, -pi, low), np.where(cut, pi, high))


@row("floor_divide")
def _floor_divide(a: Interval, b: Interval) -> Interval:
    found = divide(a, b)
    return sure(np.floor(found.low), np.floor(found.high), found.nan | unbounded(a) | has(b, 0.0))


def _rest(rounded: Row) -> Row:
    """a - b q(a / b), for a q that rounds: by that formula where q is one number."""

    def bounds(a: Interval, b: Interval) -> Interval:
        quotient = rounded(divide(a, b))
        exact = subtract(a, multiply(b, quotient))
        low, high = _reach(a, b)
        once = (quotient.low == quotient.high) & np.isfinite(quotient.low)
        low = np.where(once, np.maximum(exact.low, low), low)
        high = np.where(once, np.minimum(exact.high, high), high)
        return sure(low, high, unbounded(a) | has(b, 0.0))

    def _reach(a: Interval, b: Interval) -> Pair:
        if rounded is ROWS["floor"]:
            return np.minimum(b.low, 0.0), np.maximum(b.high, 0.0)
        most = np.maximum(np.abs(b.low), np.abs(b.high))
        return np.where(a.low < 0, np.maximum(-most, a.low), 0.0), np.where(a.high > 0, np.minimum(most, a.high), 0.0)

    return bounds


ROWS["remainder"], ROWS["fmod"] = _rest(ROWS["floor"]), _rest(ROWS["trunc"])


@row("copysign")
def _copysign(a: Interval, b: Interval) -> Interval:
    size = ROWS["absolute"](a)
    low = np.where(b.low > 0, size.low, -size.high)
    return sure(low, np.where(b.high < 0, -size.low, size.high))


@row("heaviside")
def _heaviside(x: Interval, middle: Interval) -> Interval:
    cases = [(x.low < 0, 0.0, 0.0), (x.high > 0, 1.0, 1.0), (has(x, 0.0), middle.low, middle.high)]
    low = np.minimum.reduce([np.where(possible, least, np.inf) for possible, least, _ in cases])
    return sure(low, np.maximum.reduce([np.where(possible, most, -np.inf) for possible, _, most in cases]))


@row("xlogy")
def _xlogy(x: Interval, y: Interval) -> Interval:
    return _times_logarithm(x, ROWS["log"](y))


@row("xlog1py")
def _xlog1py(x: Interval, y: Interval) -> Interval:
    return _times_logarithm(x, ROWS["log1p"](y))


def _times_logarithm(x: Interval, logarithm: Interval) -> Interval:
    """Zero for x zero, whatever the logarithm is."""
    found = multiply(x, logarithm)
    zero = has(x, 0.0)
    low, high = np.where(zero, np.fmin(found.low, 0.0), found.low), np.where(zero, np.fmax(found.high, 0.0), found.high)
    return sure(low, high, found.nan | logarithm.nan)


def chosen(condition: Interval, a: Interval, b: Interval) -> Interval:
    """a where a condition holds, b where it does not, and the hull of both where that is not known."""
    both = hull(a, b)
    parts = [
        np.where(condition.low, x, np.where(condition.high, either, y))
        for x, y, either in ((a.low, b.low, both.low), (a.high, b.high, both.high), (a.nan, b.nan, both.nan))
    ]
    return Interval.of(*parts)
