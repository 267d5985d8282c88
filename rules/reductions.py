"""Sums, means, extrema and truth over axes."""

import numpy as np

from egc import Axes, Matrix, Scalar, Vector, nonnegative, positive, require, rule


@rule(dtypes="inexact")
def sum_of_negative(x, axes: Axes):
    """sum(-x) = -sum x"""
    return np.sum(-x, axis=axes), -np.sum(x, axis=axes)


@rule(dtypes="inexact")
def sum_of_scaled(x, s: Scalar, axes: Axes):
    """sum(x s) = s sum x"""
    return np.sum(x * s, axis=axes), s * np.sum(x, axis=axes)


@rule
def sum_of_quotient(x, s: Scalar, axes: Axes):
    """sum(x / s) = sum(x) / s"""
    return np.sum(x / s, axis=axes), np.sum(x, axis=axes) / s


@rule
def mean_of_scaled(x, s: Scalar, axes: Axes):
    """mean(x s) = s mean x"""
    return np.mean(x * s, axis=axes), s * np.mean(x, axis=axes)


@rule
def mean_of_negative(x, axes: Axes):
    """mean(-x) = -mean x"""
    return np.mean(-x, axis=axes), -np.mean(x, axis=axes)


@rule(dtypes="inexact")
def sum_of_sum(x, axes: Axes):
    """the sum of sums over some axes is the sum over all"""
    return np.sum(np.sum(x, axis=axes)), np.sum(x)


@rule
def mean_of_mean(x, axes: Axes):
    """the mean of means over some axes is the mean over all"""
    return np.mean(np.mean(x, axis=axes)), np.mean(x)


@rule
def max_of_max(x, axes: Axes):
    """the max of maxima over some axes is the max over all"""
    return np.max(np.max(x, axis=axes)), np.max(x)


@rule
def min_of_min(x, axes: Axes):
    """the min of minima over some axes is the min over all"""
    return np.min(np.min(x, axis=axes)), np.min(x)


@rule(precision="exact", dtypes="bool")
def all_of_all(x, axes: Axes):
    """all of all over some axes is all over all"""
    return np.all(np.all(x, axis=axes)), np.all(x)


@rule(precision="exact", dtypes="bool")
def any_of_any(x, axes: Axes):
    """any of any over some axes is any over all"""
    return np.any(np.any(x, axis=axes)), np.any(x)


@rule(precision="exact", dtypes="bool")
def any_of_negation(x, axes: Axes):
    """any(not x) = not all x"""
    return np.any(np.logical_not(x), axis=axes), np.logical_not(np.all(x, axis=axes))


@rule(precision="exact", dtypes="bool")
def all_of_negation(x, axes: Axes):
    """all(not x) = not any x"""
    return np.all(np.logical_not(x), axis=axes), np.logical_not(np.any(x, axis=axes))


@rule
def max_of_negative(x, axes: Axes):
    """max(-x) = -min x"""
    return np.max(-x, axis=axes), -np.min(x, axis=axes)


@rule
def min_of_negative(x, axes: Axes):
    """min(-x) = -max x"""
    return np.min(-x, axis=axes), -np.max(x, axis=axes)


@rule
def max_of_shifted(x, s: Scalar, axes: Axes):
    """max(x + s) = max(x) + s"""
    return np.max(x + s, axis=axes), np.max(x, axis=axes) + s


@rule
def min_of_shifted(x, s: Scalar, axes: Axes):
    """min(x + s) = min(x) + s"""
    return np.min(x + s, axis=axes), np.min(x, axis=axes) + s


@rule
def max_of_scaled(x, s: Scalar, axes: Axes):
    """max(x s) = s max x, for s > 0"""
    require(positive(s))
    return np.max(x * s, axis=axes), s * np.max(x, axis=axes)


@rule
def min_of_scaled(x, s: Scalar, axes: Axes):
    """min(x s) = s min x, for s > 0"""
    require(positive(s))
    return np.min(x * s, axis=axes), s * np.min(x, axis=axes)


@rule
def max_of_exp(x, axes: Axes):
    """max(exp x) = exp(max x)"""
    return np.max(np.exp(x), axis=axes), np.exp(np.max(x, axis=axes))


@rule
def min_of_exp(x, axes: Axes):
    """min(exp x) = exp(min x)"""
    return np.min(np.exp(x), axis=axes), np.exp(np.min(x, axis=axes))


@rule
def max_of_log(x, axes: Axes):
    """max(log x) = log(max x), for x >= 0"""
    require(nonnegative(x))
    return np.max(np.log(x), axis=axes), np.log(np.max(x, axis=axes))


@rule
def min_of_log(x, axes: Axes):
    """min(log x) = log(min x)"""
    return np.min(np.log(x), axis=axes), np.log(np.min(x, axis=axes))


@rule
def max_of_root(x, axes: Axes):
    """max(sqrt x) = sqrt(max x), for x >= 0"""
    require(nonnegative(x))
    return np.max(np.sqrt(x), axis=axes), np.sqrt(np.max(x, axis=axes))


@rule
def min_of_root(x, axes: Axes):
    """min(sqrt x) = sqrt(min x), for x >= 0"""
    require(nonnegative(x))
    return np.min(np.sqrt(x), axis=axes), np.sqrt(np.min(x, axis=axes))


@rule
def variance_of_scaled(x, s: Scalar, axes: Axes):
    """var(x s) = s^2 var x"""
    return np.var(x * s, axis=axes), s * s * np.var(x, axis=axes)


@rule
def deviation_of_scaled(x, s: Scalar, axes: Axes):
    """std(x s) = |s| std x"""
    return np.std(x * s, axis=axes), np.abs(s) * np.std(x, axis=axes)


@rule(precision="finite")
def variance_of_shifted(x, s: Scalar, axes: Axes):
    """var(x + s) = var x; nan for s infinite or nan"""
    return np.var(x + s, axis=axes), np.var(x, axis=axes)


@rule
def column_sums_of_transpose(A: Matrix):
    """summing the columns of A^T is summing the rows of A"""
    return np.sum(A.T, axis=0), np.sum(A, axis=1)


@rule
def row_sums_of_transpose(A: Matrix):
    """summing the rows of A^T is summing the columns of A"""
    return np.sum(A.T, axis=1), np.sum(A, axis=0)


@rule
def sum_of_transpose(A: Matrix):
    """the sum of A^T is that of A"""
    return np.sum(A.T), np.sum(A)


@rule
def column_sums_of_scaled_columns(A: Matrix, v: Vector):
    """sum_i A_ij v_j = v_j sum_i A_ij"""
    return np.sum(A * v, axis=0), v * np.sum(A, axis=0)


@rule
def row_sums_of_scaled_rows(A: Matrix, u: Vector):
    """sum_j A_ij u_i = u_i sum_j A_ij"""
    return np.sum(A * u[:, None], axis=1), u * np.sum(A, axis=1)


@rule
def cumulative_sum_of_scaled(v: Vector, s: Scalar):
    """cumsum(v s) = s cumsum v"""
    return np.cumsum(v * s), s * np.cumsum(v)


@rule
def cumulative_sum_of_negative(v: Vector):
    """cumsum(-v) = -cumsum v"""
    return np.cumsum(-v), -np.cumsum(v)
