"""How far rounding alone can move what a NumPy function computes: Monte Carlo arithmetic (Parker, 1997).

Every floating operation on a `Noisy` array is followed by a random relative error of a few units of rounding, and sums,
products and linear algebra also see such errors in their operands. The spread of several runs shows how ill-conditioned a
program is and how much accuracy its own formula loses, so that another formula can be held to account for more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

UNITS = 2.0
"""The largest error of one operation, in units of the dtype's `eps`."""

EXACT = frozenset(
    """absolute negative positive maximum minimum fmax fmin floor ceil rint trunc sign conjugate copysign fabs signbit
       isnan isinf isfinite equal not_equal less less_equal greater greater_equal logical_and logical_or logical_not
       logical_xor ldexp nextafter fmod remainder floor_divide heaviside bitwise_count""".split()
)
"""Ufuncs that round nothing, or jump, so that an error of the result would tell nothing."""

ACCUMULATING = frozenset(
    """sum mean var std prod cumsum cumprod dot inner outer vdot vecdot matmul einsum tensordot trace kron convolve
       correlate cov corrcoef average nanmean nansum nanvar nanstd trapezoid gradient interp norm solve inv det slogdet
       cholesky qr svd svdvals eigh eigvalsh eig eigvals lstsq pinv matrix_power multi_dot linspace ptp median
       percentile quantile polyval cross nan_to_num sinc diff angle expit erf erfc logsumexp softmax log_softmax
       gammaln digamma xlogy logit entr ndtr log_expit real_if_close deg2rad""".split()
)
"""Functions whose operands get errors too: they compute with them, rather than move them."""


class Recorder:
    """The random errors of one run, and whether it met a value that was not finite though its operands were."""

    def __init__(self, seed: int):
        self.draw = np.random.default_rng(seed)
        self.lost = False

    def stirred(self, value: Any) -> Any:
        """A copy of a floating array with an error in each element; other values as they are."""
        if not isinstance(value, (np.ndarray, np.generic, float, complex)) or np.asarray(value).dtype.kind not in "fc":
            return value
        array = np.asarray(value)
        limits = np.finfo(array.dtype)
        with np.errstate(all="ignore"):
            error = UNITS * float(limits.eps) * self.draw.uniform(-1, 1, array.shape)
            moved = array * (1 + error)
            if array.dtype.kind == "c":
                moved = moved + 1j * np.abs(array) * UNITS * float(limits.eps) * self.draw.uniform(-1, 1, array.shape)
            return np.asarray(np.where(np.isfinite(array), moved, array)).astype(array.dtype)

    def underflow(self, result: Any, operands: Sequence[Any]) -> Any:
        """The smallest normal number may be missing from a result below it, unless an operand is 0."""
        array = np.asarray(result)
        if array.dtype.kind not in "fc" or any(np.asarray(x).dtype.kind not in "fc" for x in operands):
            return result
        tiny = float(np.finfo(array.dtype).tiny)
        small = np.abs(array) < tiny
        for operand in operands:
            small = small & (np.asarray(operand) != 0) & np.isfinite(operand)
        return np.where(small, array + tiny * self.draw.uniform(-1, 1, array.shape), array).astype(array.dtype)

    def watch(self, result: Any, operands: Sequence[Any]) -> None:
        if self.lost:
            return
        parts = result if isinstance(result, tuple) else (result,)
        broken = any(_floating(part) and not np.all(np.isfinite(part)) for part in parts)
        self.lost = broken and all(not _floating(x) or bool(np.all(np.isfinite(x))) for x in _leaves(operands))


def _floating(value: Any) -> bool:
    return isinstance(value, (np.ndarray, np.generic, float, complex)) and np.asarray(value).dtype.kind in "fc"


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, (tuple, list)):
        return [leaf for part in value for leaf in _leaves(part)]
    return [value]


MULTIPLYING = frozenset("multiply divide power exp exp2 square reciprocal expit".split())


class Noisy(np.ndarray):
    """An array whose operations err at random. Scalars come back as arrays of rank 0, to keep the noise going."""

    recorder: Recorder

    def __array_finalize__(self, other: Any) -> None:
        if isinstance(other, Noisy):
            self.recorder = other.recorder

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        recorder = _recorder((*inputs, *(out or ())))
        plain = [_plain(x) for x in inputs]
        before = [np.array(x) if out and isinstance(x, np.ndarray) else x for x in plain]
        accumulates = (method in ("reduce", "accumulate", "reduceat") and ufunc.__name__ not in EXACT) or (
            ufunc.__name__ in ACCUMULATING
        )
        if accumulates:
            plain = [recorder.stirred(x) for x in plain]
        if method == "at":
            getattr(ufunc, method)(*plain[:2], *map(recorder.stirred, plain[2:]), **options)
            return None
        if out is not None:
            options["out"] = tuple(_plain(x) for x in out)
        result = getattr(ufunc, method)(*plain, **options)
        recorder.watch(result, before)
        if ufunc.__name__ in EXACT:
            return out[0] if out is not None else _wrapped(result, recorder)
        if ufunc.__name__ in MULTIPLYING and method in ("__call__", "outer"):
            result = recorder.underflow(result, before if method == "__call__" else ())
        noisy = tuple(map(recorder.stirred, result)) if isinstance(result, tuple) else recorder.stirred(result)
        if out is None:
            return _wrapped(noisy, recorder)
        np.copyto(_plain(out[0]), noisy, where=options.get("where", True))
        return out[0]

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        recorder = _recorder((*_leaves(args), *_leaves(list(kwargs.values()))))
        computes = function.__name__ in ACCUMULATING
        convert: Callable[[Any], Any] = (lambda x: recorder.stirred(_plain(x))) if computes else _plain
        plain = _mapped(args, convert)
        result = function(*plain, **{name: _mapped(value, convert) for name, value in kwargs.items()})
        if function.__name__ != "nan_to_num":
            recorder.watch(result, plain)
        if computes:
            result = _mapped(result, recorder.stirred)
        return _mapped(result, lambda x: _wrapped(x, recorder))

    def __getitem__(self, index: Any) -> Any:
        return _wrapped(super().__getitem__(_mapped(index, _plain)), self.recorder)

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(_mapped(index, _plain), value)

    def dot(self, other: Any) -> Any:  # type: ignore[override]
        return np.dot(self, other)


def _recorder(values: Sequence[Any]) -> Recorder:
    return next(value.recorder for value in _leaves(list(values)) if isinstance(value, Noisy))


def _plain(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, Noisy) else value


def _mapped(value: Any, convert: Callable[[Any], Any]) -> Any:
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_mapped(part, convert) for part in value))
    if isinstance(value, (tuple, list)):
        return type(value)(_mapped(part, convert) for part in value)
    return convert(value)


def _wrapped(value: Any, recorder: Recorder) -> Any:
    if isinstance(value, tuple):
        return tuple(_wrapped(part, recorder) for part in value)
    if not isinstance(value, (np.ndarray, np.generic)):
        return value
    found = np.asarray(value).view(Noisy)
    found.recorder = recorder
    return found


class NoisyModule:
    """NumPy or a part of it for functions under `noisy_run`: what it makes of plain numbers is Noisy too."""

    def __init__(self, module: Any, recorder: Recorder):
        self.module, self.recorder = module, recorder

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.module, name)
        if isinstance(found, ModuleType):
            return NoisyModule(found, self.recorder)
        return NoisyFunction(found, self.recorder) if callable(found) and not isinstance(found, type) else found


class NoisyFunction:
    """A function that makes Noisy arrays; one with Noisy operands does so by itself."""

    def __init__(self, function: Any, recorder: Recorder):
        self.function, self.recorder = function, recorder

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        result = self.function(*args, **kwargs)
        if any(isinstance(value, Noisy) for value in (*_leaves(args), *_leaves(list(kwargs.values())))):
            return result
        self.recorder.watch(result, args)
        if self.function.__name__ in ACCUMULATING or isinstance(self.function, np.ufunc):
            result = result if self.function.__name__ in EXACT else _mapped(result, self.recorder.stirred)
        return _mapped(result, lambda value: _wrapped(value, self.recorder))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.function, name)


def _with_noisy_numpy(function: Callable[..., Any], recorder: Recorder) -> Callable[..., Any]:
    """The function, and those of its module, with NumPy and scipy.special replaced."""
    if not isinstance(function, FunctionType) or function.__closure__ is not None:
        return function
    names: dict[str, Any] = dict(function.__globals__)
    for name, value in function.__globals__.items():
        if isinstance(value, ModuleType) and value.__name__.partition(".")[0] in ("numpy", "scipy"):
            names[name] = NoisyModule(value, recorder)
        if isinstance(value, FunctionType) and value.__globals__ is function.__globals__:
            names[name] = _rebound(value, names)
    return _rebound(function, names)


def _rebound(function: FunctionType, names: dict[str, Any]) -> FunctionType:
    found = FunctionType(function.__code__, names, function.__name__, function.__defaults__, function.__closure__)
    found.__kwdefaults__ = function.__kwdefaults__
    return found


def noisy_run(function: Callable[..., Any], arguments: Sequence[Any], seed: int) -> tuple[Any, tuple[Any, ...], bool]:
    """The result and the arguments after one run with errors, and whether overflow or the like was met.

    Python's own floats get their error at the start, since their arithmetic cannot be followed.
    """
    recorder = Recorder(seed)
    given = [
        _wrapped(np.array(value, order="K"), recorder)
        if isinstance(value, (np.ndarray, np.generic))
        else (recorder.stirred(value).item() if isinstance(value, (float, complex)) else value)
        for value in arguments
    ]
    with np.errstate(all="ignore"):
        result = _with_noisy_numpy(function, recorder)(*given)
    return result, tuple(given), recorder.lost
