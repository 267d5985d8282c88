"""Polynomials by their coefficients, highest power first."""

from __future__ import annotations

from typing import Any

import numpy as np

from egc.capture import build
from egc.capture.array import Array, as_array, fresh
from egc.capture.context import current
from egc.capture.registry import implements
from egc.capture.surface.arguments import concrete_int, equal, flag, number, refuse
from egc.capture.surface.grids import arange
from egc.capture.surface.joining import concatenate
from egc.capture.surface.shapes import atleast_1d

THEME = "polynomials"


@implements(np.polyval, theme=THEME)
def polyval(p, x):
    coefficients, at = as_array(p), as_array(x)
    y: Any = fresh(build.zeros_like(at.node))
    for k in range(current().concretize(coefficients.shape[0])):
        y = y * at + coefficients[k]
    return y


def _combined(ufunc: np.ufunc) -> Any:
    def meaning(a1, a2):
        a, b = atleast_1d(a1), atleast_1d(a2)
        if a.ndim != 1 or b.ndim != 1:
            raise refuse(f"poly{ufunc.__name__} of several polynomials")
        difference = b.shape[0] - a.shape[0]
        if current().at_least(difference, 1):
            a = concatenate([fresh(number(0, a.dtype, (difference,))), a])
        elif current().at_least(-difference, 1):
            b = concatenate([fresh(number(0, b.dtype, (-difference,))), b])
        return ufunc(a, b)

    return meaning


implements(np.polyadd, theme=THEME)(_combined(np.add))
implements(np.polysub, theme=THEME)(_combined(np.subtract))


def _vector(p: Any) -> Array:
    found = as_array(p)
    if found.ndim != 1:
        raise refuse("the coefficients of a polynomial that are no vector")
    return found


@implements(np.polyder, theme=THEME)
def polyder(p, m=1):
    order, found = concrete_int(m), _vector(p)
    if order < 0:
        raise ValueError("Order of derivative must be positive (see polyint)")
    for _ in range(order):
        degree = found.shape[0] - 1
        found = found[:-1] * arange(degree, 0, -1)
    return found


@implements(np.polyint, theme=THEME)
def polyint(p, m=1, k=None):
    order, found = concrete_int(m), _vector(p)
    if order < 0:
        raise ValueError("Order of integral must be positive (see polyder)")
    constants = [0.0] * order if k is None else list(k) if isinstance(k, (list, tuple)) else [k] * order
    if len(constants) == 1:
        constants = constants * order
    if len(constants) < order:
        raise ValueError("k must be a scalar or a rank-1 array of length 1 or >m.")
    for constant in constants[:order]:
        found = concatenate([found / arange(found.shape[0], 0, -1), [constant]])
    return found


@implements(np.polyfit, theme=THEME)
def polyfit(x, y, deg, rcond=None, full=False, w=None, cov=False):
    if flag(full) or cov is not False:
        raise refuse("polyfit with full= or cov=")
    order, x, y = concrete_int(deg) + 1, as_array(x) + 0.0, as_array(y) + 0.0
    if order < 1:
        raise ValueError("expected deg >= 0")
    if x.ndim != 1 or not current().at_least(x.shape[0], 1) or y.ndim not in (1, 2):
        raise TypeError("expected non-empty vector for x and 1D or 2D array for y")
    if not equal(x.shape[0], y.shape[0]):
        raise TypeError("expected x and y to have same length")
    if rcond is None:
        rcond = current().concretize(x.shape[0]) * float(np.finfo(x.dtype).eps)
    left, right = np.vander(x, order), y
    if w is not None:
        weights = as_array(w) + 0.0
        if weights.ndim != 1 or not equal(weights.shape[0], y.shape[0]):
            raise TypeError("expected w and y to have the same length")
        left = left * weights[:, None]
        right = right * (weights[:, None] if y.ndim == 2 else weights)
    scale = np.sqrt((left * left).sum(axis=0))
    solution = np.linalg.lstsq(left / scale, right, rcond)[0]
    return (solution.T / scale).T
