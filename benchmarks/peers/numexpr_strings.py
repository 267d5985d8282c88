"""The kernels that numexpr can express, at least in large part, as its strings."""

from __future__ import annotations

import math

import numexpr as ne
import numpy as np


def arithmetic(x, y):
    return ne.evaluate("2.5 * x * y + x - 0.5 * y")


def gaussian(x):
    return ne.evaluate("exp(-0.5 * x * x)")


def gaussian_float32(x):
    half = np.float32(0.5)  # noqa: F841
    return ne.evaluate("exp(-half * x * x)")


def five_calls(x, y):
    return ne.evaluate("exp(-x * x) * sin(y) + log(1 + y * y) * cos(x) + tanh(x * y)")


def polynomial(x):
    return ne.evaluate("1.0 + x * (0.5 + x * (0.25 + x * (-0.125 + x * (0.0625 - 0.03125 * x))))")


def huber(r):
    return ne.evaluate("where(abs(r) <= 1.0, 0.5 * r * r, abs(r) - 0.5)")


def complex_magnitude(z):
    a, b = z.real, z.imag  # noqa: F841
    return ne.evaluate("sqrt(a * a + b * b)")


def inside_ring(x, y):
    return ne.evaluate("(x * x + y * y > 0.25) & (x * x + y * y < 1.0) & ((x > 0) | (y > 0))")


def squared_error(x, y):
    return ne.evaluate("sum((x - y) ** 2)")


def gaussian_likelihood(x, mean, deviation):
    total = ne.evaluate("sum(-0.5 * ((x - mean) / deviation) ** 2 - log(deviation))")
    return total - 0.5 * math.log(2 * math.pi) * len(x)


def log_loss(z, y):
    total = ne.evaluate("sum(where(z > 0, z, 0) + log1p(exp(-abs(z))) - y * z)")
    return total / len(z)


def weighted_moments(x, w):
    total = np.sum(w)
    mean = ne.evaluate("sum(w * x)") / total
    return mean, ne.evaluate("sum(w * (x - mean) ** 2)") / total


def correlation(x, y):
    mx, my = np.mean(x), np.mean(y)  # noqa: F841
    products = ne.evaluate("sum((x - mx) * (y - my))")
    return products / math.sqrt(ne.evaluate("sum((x - mx) ** 2)") * ne.evaluate("sum((y - my) ** 2)"))


def masked_means(X, valid):
    total = ne.evaluate("sum(where(valid, X, 0), axis=1)")
    return total / np.sum(valid, axis=1)


def trapezoid(x, y):
    x0, x1, y0, y1 = x[:-1], x[1:], y[:-1], y[1:]  # noqa: F841
    return 0.5 * ne.evaluate("sum((y1 + y0) * (x1 - x0))")


def softmax(X):
    peak = np.max(X, axis=1, keepdims=True)  # noqa: F841
    e = ne.evaluate("exp(X - peak)")
    total = np.sum(e, axis=1, keepdims=True)  # noqa: F841
    return ne.evaluate("e / total")


def softmax_float32(X):
    return softmax(X)


def log_softmax(X):
    peak = np.max(X, axis=1, keepdims=True)
    total = ne.evaluate("sum(exp(X - peak), axis=1)")
    shift = peak + np.log(total)[:, None]  # noqa: F841
    return ne.evaluate("X - shift")


def log_sum_exp_rows(X):
    peak = np.max(X, axis=1, keepdims=True)
    return peak[:, 0] + np.log(ne.evaluate("sum(exp(X - peak), axis=1)"))


def log_sum_exp_columns(X):
    peak = np.max(X, axis=0)
    return peak + np.log(ne.evaluate("sum(exp(X - peak), axis=0)"))


def layer_norm(X, gain, bias):
    mean, variance = X.mean(axis=1, keepdims=True), X.var(axis=1, keepdims=True)  # noqa: F841
    return ne.evaluate("(X - mean) / sqrt(variance + 1e-5) * gain + bias")


def batch_norm(X, gain, bias):
    mean, scale = X.mean(axis=0), gain / np.sqrt(X.var(axis=0) + 1e-5)  # noqa: F841
    return ne.evaluate("(X - mean) * scale + bias")


def normalized_rows(X):
    total = ne.evaluate("sum(X * X, axis=1)")[:, None]  # noqa: F841
    return ne.evaluate("X / sqrt(total)")


def heat_1d(u):
    left, here, right = u[:-2], u[1:-1], u[2:]  # noqa: F841
    return ne.evaluate("here + 0.1 * (left - 2 * here + right)")


def heat_2d(u):
    here, up, down, left, right = u[1:-1, 1:-1], u[:-2, 1:-1], u[2:, 1:-1], u[1:-1, :-2], u[1:-1, 2:]  # noqa: F841
    return ne.evaluate("here + 0.1 * (up + down + left + right - 4 * here)")


def heat_3d(u):
    here = u[1:-1, 1:-1, 1:-1]  # noqa: F841
    a, b, c, d = u[:-2, 1:-1, 1:-1], u[2:, 1:-1, 1:-1], u[1:-1, :-2, 1:-1], u[1:-1, 2:, 1:-1]  # noqa: F841
    e, f = u[1:-1, 1:-1, :-2], u[1:-1, 1:-1, 2:]  # noqa: F841
    return ne.evaluate("here + 0.1 * (a + b + c + d + e + f - 6 * here)")


def dense_layer(X, W, b):
    product = X @ W
    return ne.evaluate("where(product + b > 0, product + b, 0)", out=product)


def symmetrized(A):
    transposed = A.T  # noqa: F841
    return ne.evaluate("0.5 * (A + transposed)")


def low_rank_residual(X, U, V):
    product = U @ V.T  # noqa: F841
    return ne.evaluate("sum((X - product) ** 2)")
