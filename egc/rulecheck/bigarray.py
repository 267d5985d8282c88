"""Arrays of mpmath numbers that answer to NumPy: what a formula is worth before rounding.

Only the rule check uses them, so that a rule's left side can serve as the truth for both of its sides.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpc, mpf

from egc import ir
from egc.rewrite import recording, stop_recording
from egc.types import ArrayType

Number = Any
NAN = mpf("nan")


class NoTruth(Exception):
    """The formula uses something that BigArray does not evaluate."""


def _guarded(function: Callable[..., Number]) -> Callable[..., Number]:
    """Undefined results, and complex ones of real operands, are nan."""

    def call(*operands: Any) -> Number:
        numbers = [number(x) for x in operands]
        if any(mpmath.isnan(x) for x in numbers):
            return NAN
        try:
            result = function(*numbers)
        except (ZeroDivisionError, ValueError, OverflowError, mpmath.libmp.ComplexResult, mp.NoConvergence):
            return NAN
        if isinstance(result, mpc) and not any(isinstance(x, mpc) for x in numbers):
            return NAN if result.imag else result.real
        return result

    return call


def number(value: Any) -> Number:
    if isinstance(value, (mpf, mpc)):
        return value
    value = value.item() if isinstance(value, np.generic) else value
    return mpc(value) if isinstance(value, complex) else mpf(value)


def _divide(a: Number, b: Number) -> Number:
    return NAN if b == 0 else a / b


def _log(a: Number) -> Number:
    return mpf("-inf") if a == 0 else mp.log(a)


def _xlogy(a: Number, b: Number) -> Number:
    return mpf(0) if a == 0 else a * _log(b)


def _expit(a: Number) -> Number:
    return 1 / (1 + mp.exp(-a))


def _log_expit(a: Number) -> Number:
    return -mp.log1p(mp.exp(-a)) if a > -10 else a - mp.log1p(mp.exp(a))


def _logaddexp(a: Number, b: Number) -> Number:
    high, low = max(a, b), min(a, b)
    return high if mpmath.isinf(high) or mpmath.isinf(low) else high + mp.log1p(mp.exp(low - high))


def _power(a: Number, b: Number) -> Number:
    if a == 0 and b < 0:
        return NAN
    return a ** int(b) if isinstance(b, mpf) and mpmath.isint(b) and abs(b) < 1000 else a**b


def _ndtr(a: Number) -> Number:
    return mp.erfc(-a / mp.sqrt(2)) / 2


def _sign(a: Number) -> Number:
    return mp.sign(a)


UFUNCS: dict[str, Callable[..., Number]] = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": _divide,
    "power": _power, "float_power": _power, "negative": operator.neg, "positive": operator.pos, "absolute": abs,
    "fabs": abs, "reciprocal": lambda a: _divide(mpf(1), a), "square": lambda a: a * a, "sqrt": mp.sqrt,
    "cbrt": lambda a: mp.sign(a) * mp.cbrt(abs(a)), "conjugate": mp.conj, "sign": _sign,
    "exp": mp.exp, "exp2": lambda a: mp.power(2, a), "expm1": mp.expm1, "log": _log, "log2": lambda a: _log(a) / mp.ln2,
    "log10": lambda a: _log(a) / mp.ln10, "log1p": lambda a: _log(1 + a), "sin": mp.sin, "cos": mp.cos, "tan": mp.tan,
    "arcsin": mp.asin, "arccos": mp.acos, "arctan": mp.atan, "arctan2": mp.atan2, "sinh": mp.sinh, "cosh": mp.cosh,
    "tanh": mp.tanh, "arcsinh": mp.asinh, "arccosh": mp.acosh, "arctanh": mp.atanh,
    "hypot": lambda a, b: mp.sqrt(a * a + b * b), "logaddexp": _logaddexp,
    "logaddexp2": lambda a, b: _logaddexp(a * mp.ln2, b * mp.ln2) / mp.ln2,
    "maximum": max, "minimum": min, "floor": mp.floor, "ceil": mp.ceil, "rint": mp.nint,
    "trunc": lambda a: mp.sign(a) * mp.floor(abs(a)), "copysign": lambda a, b: abs(a) * (-1 if b < 0 else 1),
    "deg2rad": lambda a: a * mp.pi / 180, "rad2deg": lambda a: a * 180 / mp.pi,
    "expit": _expit, "log_expit": _log_expit, "logit": lambda a: _log(a) - mp.log1p(-a), "erf": mp.erf,
    "erfc": mp.erfc, "erfcx": lambda a: mp.exp(a * a) * mp.erfc(a), "ndtr": _ndtr, "log_ndtr": lambda a: _log(_ndtr(a)),
    "gammaln": lambda a: mp.loggamma(a) if a > 0 else _log(abs(mp.gamma(a))), "gamma": mp.gamma,
    "rgamma": mp.rgamma, "digamma": mp.digamma, "psi": mp.digamma, "xlogy": _xlogy,
    "xlog1py": lambda a, b: _xlogy(a, 1 + b), "beta": mp.beta,
    "betaln": lambda a, b: mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b),
    "entr": lambda a: -_xlogy(a, a), "rel_entr": lambda a, b: _xlogy(a, _divide(a, b)),
    "kl_div": lambda a, b: _xlogy(a, _divide(a, b)) - a + b, "remainder": lambda a, b: NAN if b == 0 else a % b,
    "i0": lambda a: mp.besseli(0, a), "i0e": lambda a: mp.exp(-abs(a)) * mp.besseli(0, a),
    "i1": lambda a: mp.besseli(1, a), "i1e": lambda a: mp.exp(-abs(a)) * mp.besseli(1, a),
    "exp1": mp.e1, "expi": mp.ei,
}  # fmt: skip

BOOLEAN: dict[str, Callable[..., bool]] = {
    "equal": operator.eq, "not_equal": operator.ne, "less": operator.lt, "less_equal": operator.le,
    "greater": operator.gt, "greater_equal": operator.ge, "isnan": mpmath.isnan, "isinf": mpmath.isinf,
    "isfinite": mpmath.isfinite,
}  # fmt: skip


class BigArray(np.lib.mixins.NDArrayOperatorsMixin):
    """An array whose elements are mpmath numbers of the current precision, of the given NumPy dtype in name."""

    __array_priority__ = 1000
    node = ir.input("unrounded", ArrayType(np.dtype(np.float64), ()))
    """Makes predicates take a BigArray for a traced value: conditions are checked on the rounded operands only."""

    def __init__(self, values: Any, dtype: np.dtype):
        self.values = np.asarray(values, dtype=object)
        self.dtype = dtype

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    @property
    def ndim(self) -> int:
        return self.values.ndim

    @property
    def size(self) -> int:
        return self.values.size

    @property
    def T(self) -> BigArray:
        return BigArray(self.values.T, self.dtype)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: Any) -> BigArray:
        return BigArray(self.values[index], self.dtype)

    def __setitem__(self, index: Any, value: Any) -> None:
        plain = _plain(value)
        self.values[index] = plain[()] if isinstance(plain, np.ndarray) and not plain.ndim else plain

    def copy(self) -> BigArray:
        return BigArray(self.values.copy(), self.dtype)

    def reshape(self, *shape: Any) -> BigArray:
        return BigArray(self.values.reshape(*shape), self.dtype)

    def astype(self, dtype: Any, **options: Any) -> BigArray:
        return BigArray(self.values, np.dtype(dtype))

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        """Rounded, for functions that do not ask their operands how to run: they then work as on plain arrays."""
        return np.frompyfunc(complex if self.dtype.kind == "c" else float, 1, 1)(self.values).astype(
            dtype or self.dtype
        )

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *operands: Any, **options: Any) -> Any:
        if method != "__call__" or options:
            raise NoTruth(f"np.{ufunc.__name__}.{method} with {options}")
        plain = [_plain(x) for x in operands]
        if ufunc is np.matmul:
            return BigArray(_matmul(*plain), self.dtype)
        if ufunc.__name__ in BOOLEAN:
            return np.asarray(np.frompyfunc(_compared(BOOLEAN[ufunc.__name__]), len(plain), 1)(*plain)).astype(bool)
        if ufunc.__name__ not in UFUNCS:
            raise NoTruth(ufunc.__name__)
        return BigArray(np.frompyfunc(_guarded(UFUNCS[ufunc.__name__]), len(plain), 1)(*plain), self.dtype)

    def __array_function__(self, function: Any, kinds: Any, operands: Any, options: Any) -> Any:
        options = {name: _plain(value) for name, value in options.items()}
        plain = [_plain(x) for x in operands]
        own = FUNCTIONS.get(function)
        try:
            result = own(*plain, **options) if own else function(*plain, **options)
        except (TypeError, ZeroDivisionError, AttributeError) as error:
            raise NoTruth(f"np.{function.__name__}: {error}") from error
        if isinstance(result, tuple):
            kind = type(result)
            items: Any = [BigArray(item, self.dtype) for item in result]
            return kind(*items) if hasattr(result, "_fields") else kind(items)
        if isinstance(result, np.ndarray) and result.dtype != object:
            return result
        return result if isinstance(result, (bool, int, np.bool_)) else BigArray(result, self.dtype)


def _compared(function: Callable[..., bool]) -> Callable[..., bool]:
    return lambda *operands: bool(function(*map(number, operands)))


def _plain(value: Any) -> Any:
    if isinstance(value, BigArray):
        return value.values
    if isinstance(value, (list, tuple)) and any(isinstance(x, BigArray) for x in value):
        return type(value)(_plain(x) for x in value)
    return value


def _matmul(a: np.ndarray, b: np.ndarray) -> Any:
    """NumPy multiplies object matrices, but not with an inner size of zero."""
    if a.shape[-1] == 0:
        return np.vectorize(lambda x: mpf(0), otypes=[object])(np.matmul(np.zeros(a.shape), np.zeros(b.shape)))
    return np.matmul(a, b)


def _reduce(function: Callable[[Number, Number], Number]) -> Callable[..., Any]:
    ufunc = np.frompyfunc(_guarded(function), 2, 1)

    def reduced(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        x = np.asarray(x, dtype=object)
        axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
        for a in sorted((a % x.ndim for a in axes), reverse=True):
            if not x.shape[a]:
                raise ValueError("zero-size array to reduction operation which has no identity")
            x = np.asarray(ufunc.reduce(x, axis=a, keepdims=keepdims), dtype=object)
        return x

    return reduced


def _matrix(a: np.ndarray) -> Any:
    if not a.size:
        raise NoTruth("empty matrix")
    return mpmath.matrix([[number(x) for x in row] for row in a])


def _array(a: Any, shape: Sequence[int]) -> np.ndarray:
    result = np.empty(a.rows * a.cols, dtype=object)
    result[:] = list(a)
    return result.reshape(shape)


def _inv(a: np.ndarray) -> np.ndarray:
    return _array(mpmath.inverse(_matrix(a)), a.shape)


def _solve(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.matmul(_inv(a), b)


def _slogdet(a: np.ndarray) -> Any:
    det = mpmath.det(_matrix(a))
    return type(np.linalg.slogdet(np.eye(1)))(_sign(det), _log(abs(det)))


def _qr(a: np.ndarray, mode: str = "reduced") -> Any:
    rows, columns = a.shape
    q, r = mpmath.qr(_matrix(a))
    inner = min(rows, columns)
    q, r = _array(q, (rows, rows))[:, :inner], _array(r, a.shape)[:inner]
    return r if mode == "r" else (q, r)


def _svd(a: np.ndarray, compute_uv: bool = True) -> np.ndarray:
    if compute_uv:
        raise NoTruth("singular vectors are not unique")
    found = mpmath.svd(_matrix(a), compute_uv=False)
    return _array(found, (min(a.shape),))


def _eigvalsh(a: np.ndarray, UPLO: str = "L") -> np.ndarray:
    if any(isinstance(x, mpc) for x in a.ravel()):
        raise NoTruth("complex eigenvalues")
    lower = np.tril(a)
    return _array(mpmath.eigsy(_matrix(lower + np.tril(a, -1).T), eigvals_only=True), a.shape[:1])


def _pinv(a: np.ndarray) -> np.ndarray:
    """By the normal equations: with so many bits, what they lose does not matter."""
    if a.shape[0] < a.shape[1]:
        return _pinv(a.T).T
    return np.matmul(_inv(np.matmul(a.T, a)), a.T)


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.max: _reduce(max),
    np.min: _reduce(min),
    np.amax: _reduce(max),
    np.amin: _reduce(min),
    np.linalg.inv: _inv,
    np.linalg.solve: _solve,
    np.linalg.det: lambda a: mpmath.det(_matrix(a)),
    np.linalg.slogdet: _slogdet,
    np.linalg.qr: _qr,
    np.linalg.svd: _svd,
    np.linalg.eigvalsh: _eigvalsh,
    np.linalg.pinv: _pinv,
    np.linalg.lstsq: lambda a, b, rcond=None: (np.matmul(_pinv(a), b),),
    np.linalg.cholesky: lambda a: _array(mpmath.cholesky(_matrix(a)), a.shape),
}


def evaluate(function: Callable[..., Any], operands: Sequence[Any], side: int, bits: int) -> np.ndarray:
    """One side of a rule as an object array of mpmath numbers, computed with `bits` bits. Raises NoTruth."""
    token = recording([])
    try:
        with mpmath.workprec(bits):
            result = function(*(_big(x) for x in operands))[side]
    except NoTruth:
        raise
    except Exception as error:
        raise NoTruth(f"{type(error).__name__}: {error}") from error
    finally:
        stop_recording(token)
    if isinstance(result, BigArray):
        return result.values
    return np.asarray(result, dtype=object)


def _big(value: Any) -> Any:
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fc":
        return value
    values = np.empty(value.size, dtype=object)
    values[:] = [number(x) for x in value.ravel()]
    return BigArray(values.reshape(value.shape), value.dtype)
