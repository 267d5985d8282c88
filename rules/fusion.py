"""Passes over arrays brought together, and work taken out of them."""

import numpy as np

from egc import Axes, Bool, Matrix, Scalar, Vector, nonempty, require, rule


@rule(dtypes="inexact")
def sum_plus_sum(x, y, axes: Axes):
    """sum x + sum y = sum(x + y)"""
    return np.sum(x, axis=axes) + np.sum(y, axis=axes), np.sum(x + y, axis=axes)


@rule(dtypes="inexact")
def sum_minus_sum(x, y, axes: Axes):
    """sum x - sum y = sum(x - y)"""
    return np.sum(x, axis=axes) - np.sum(y, axis=axes), np.sum(x - y, axis=axes)


@rule
def mean_plus_mean(x, y, axes: Axes):
    """mean x + mean y = mean(x + y)"""
    return np.mean(x, axis=axes) + np.mean(y, axis=axes), np.mean(x + y, axis=axes)


@rule
def mean_minus_mean(x, y, axes: Axes):
    """mean x - mean y = mean(x - y)"""
    return np.mean(x, axis=axes) - np.mean(y, axis=axes), np.mean(x - y, axis=axes)


@rule
def quotient_of_means(x, y, axes: Axes):
    """mean x / mean y = sum x / sum y"""
    require(nonempty(x))
    return np.mean(x, axis=axes) / np.mean(y, axis=axes), np.sum(x, axis=axes) / np.sum(y, axis=axes)


@rule
def maximum_of_maxima(x, y, axes: Axes):
    """max(max x, max y) = max of max(x, y)"""
    return np.maximum(np.max(x, axis=axes), np.max(y, axis=axes)), np.max(np.maximum(x, y), axis=axes)


@rule
def minimum_of_minima(x, y, axes: Axes):
    """min(min x, min y) = min of min(x, y)"""
    return np.minimum(np.min(x, axis=axes), np.min(y, axis=axes)), np.min(np.minimum(x, y), axis=axes)


@rule(precision="exact", dtypes="bool")
def all_and_all(x, y, axes: Axes):
    """all x and all y = all(x and y)"""
    return np.logical_and(np.all(x, axis=axes), np.all(y, axis=axes)), np.all(np.logical_and(x, y), axis=axes)


@rule(precision="exact", dtypes="bool")
def any_or_any(x, y, axes: Axes):
    """any x or any y = any(x or y)"""
    return np.logical_or(np.any(x, axis=axes), np.any(y, axis=axes)), np.any(np.logical_or(x, y), axis=axes)


@rule
def normalize_by_sum(x, axes: Axes):
    """x / sum x = x (1 / sum x): one division a sum"""
    total = np.sum(x, axis=axes, keepdims=True)
    return x / total, x * (1 / total)


@rule
def normalize_by_max(x, axes: Axes):
    """x / max x = x (1 / max x): one division a maximum"""
    top = np.max(x, axis=axes, keepdims=True)
    return x / top, x * (1 / top)


@rule
def sums_over_complementary_choices(c: Bool, x, axes: Axes):
    """sum of x where c + sum of x where not c = sum x"""
    chosen, rest = np.where(c, x, 0), np.where(np.logical_not(c), x, 0)
    return np.sum(chosen, axis=axes) + np.sum(rest, axis=axes), np.sum(x, axis=axes)


@rule
def sum_of_complementary_choices(c: Bool, x, y):
    """where(c, x, 0) + where(c, 0, y) = where(c, x, y)"""
    return np.where(c, x, 0) + np.where(c, 0, y), np.where(c, x, y)


@rule(precision="exact")
def sum_of_choices(c: Bool, x, y, u, v):
    """where(c, x, y) + where(c, u, v) = where(c, x + u, y + v)"""
    return np.where(c, x, y) + np.where(c, u, v), np.where(c, x + u, y + v)


@rule(precision="exact")
def choice_of_sums(c: Bool, x, y, z):
    """where(c, x + z, y + z) = where(c, x, y) + z"""
    return np.where(c, x + z, y + z), np.where(c, x, y) + z


@rule(precision="exact")
def choice_of_products(c: Bool, x, y, z):
    """where(c, x z, y z) = where(c, x, y) z"""
    return np.where(c, x * z, y * z), np.where(c, x, y) * z


@rule(precision="exact")
def choice_of_quotients(c: Bool, x, y, z):
    """where(c, x / z, y / z) = where(c, x, y) / z"""
    return np.where(c, x / z, y / z), np.where(c, x, y) / z


@rule(precision="exact")
def choice_of_negatives(c: Bool, x, y):
    """where(c, -x, -y) = -where(c, x, y)"""
    return np.where(c, -x, -y), -np.where(c, x, y)


@rule
def choice_of_exps(c: Bool, x, y):
    """where(c, exp x, exp y) = exp where(c, x, y): one exponential"""
    return np.where(c, np.exp(x), np.exp(y)), np.exp(np.where(c, x, y))


@rule
def choice_of_logs(c: Bool, x, y):
    """where(c, log x, log y) = log where(c, x, y): one logarithm"""
    return np.where(c, np.log(x), np.log(y)), np.log(np.where(c, x, y))


@rule
def choice_of_roots(c: Bool, x, y):
    """where(c, sqrt x, sqrt y) = sqrt where(c, x, y): one root"""
    return np.where(c, np.sqrt(x), np.sqrt(y)), np.sqrt(np.where(c, x, y))


@rule
def choice_of_softplus(c: Bool, x, y):
    """where(c, logaddexp(0, x), logaddexp(0, y)) = logaddexp(0, where(c, x, y))"""
    return np.where(c, np.logaddexp(0, x), np.logaddexp(0, y)), np.logaddexp(0, np.where(c, x, y))


@rule(precision="finite")
def product_with_indicator(c: Bool, x):
    """where(c, 1, 0) x = where(c, x, 0); nan for x infinite or nan"""
    return np.where(c, 1.0, 0.0).astype(x.dtype) * x, np.where(c, x, 0)


@rule
def product_of_quotients(x, y, u, v):
    """(x / y) (u / v) = (x u) / (y v): one division"""
    return (x / y) * (u / v), (x * u) / (y * v)


@rule(dtypes="inexact")
def dot_of_sum(v: Vector, w: Vector):
    """sum(v w) = v w, a dot product"""
    return np.sum(v * w), v @ w


@rule
def matrix_vector_of_row_sums(A: Matrix, v: Vector):
    """sum_j A_ij v_j = A v"""
    return np.sum(A * v, axis=1), A @ v


@rule
def vector_matrix_of_column_sums(A: Matrix, u: Vector):
    """sum_i A_ij u_i = u A"""
    return np.sum(A * u[:, None], axis=0), u @ A


@rule
def bilinear_form_of_sum(A: Matrix, u: Vector, v: Vector):
    """sum_ij u_i A_ij v_j = u A v"""
    return np.sum(u[:, None] * A * v), u @ (A @ v)


@rule(precision="exact", dtypes="bool")
def widen_bool_twice(c):
    """a bool taken to int64 and then to float64 may go there at once"""
    return c.astype(np.int64).astype(np.float64), c.astype(np.float64)


@rule(precision="exact", dtypes="bool")
def choice_of_ones(c):
    """where(c, 1, 0) is c as a number"""
    return np.where(c, 1.0, 0.0), c.astype(np.float64)


@rule
def scaled_norm(x, s: Scalar, axes: Axes):
    """sqrt(sum((x s)^2)) = |s| sqrt(sum(x^2))"""
    y = x * s
    return np.sqrt(np.sum(y * y, axis=axes)), np.abs(s) * np.sqrt(np.sum(x * x, axis=axes))
