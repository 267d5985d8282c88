"""The elementwise kernels, and the sums over whole arrays, as numexpr strings."""

from __future__ import annotations

import math

import numexpr as ne
import numpy as np


def gaussian(x):
    return ne.evaluate("exp(-x * x / 2)")


def elementwise_chain(x, y):
    return ne.evaluate("sqrt(x * x + y * y) * exp(-0.1 * x) + tanh(y)")


def polynomial(x):
    return ne.evaluate("1.0 + x * (0.5 + x * (0.25 + x * (-0.125 + x * (0.0625 - 0.03125 * x))))")


def softmax(X):
    peak = np.max(X, axis=1, keepdims=True)  # noqa: F841
    e = ne.evaluate("exp(X - peak)")
    total = np.sum(e, axis=1, keepdims=True)  # noqa: F841
    return ne.evaluate("e / total")


def gaussian_likelihood(x, mean, deviation):
    return ne.evaluate("sum(-0.5 * ((x - mean) / deviation) ** 2 - log(deviation))") - 0.5 * math.log(
        2 * math.pi
    ) * len(x)


def squared_error(x, y):
    return ne.evaluate("sum((x - y) ** 2)")


def weighted_moments(x, w):
    total = np.sum(w)
    mean = ne.evaluate("sum(w * x)") / total
    return mean, ne.evaluate("sum(w * (x - mean) ** 2)") / total


def low_rank_residual(X, U, V):
    product = U @ V.T  # noqa: F841
    return ne.evaluate("sum((X - product) ** 2)")
