"""Small operands meet each other before they meet large ones: arithmetic that need not be done for every element."""

import numpy as np

from egc import Matrix, Scalar, Vector, nonnegative, require, rule


@rule(dtypes="number")
def scalars_of_sum(x, s: Scalar, t: Scalar):
    """(x + s) + t = x + (s + t), x an array: among numbers nothing is gained, and what compensates rounding is lost"""
    require(x.ndim > 0)
    return (x + s) + t, x + (s + t)


@rule(dtypes="number")
def scalars_of_product(x, s: Scalar, t: Scalar):
    """(x s) t = x (s t)"""
    return (x * s) * t, x * (s * t)


@rule(dtypes="number")
def scalars_of_sum_and_difference(x, s: Scalar, t: Scalar):
    """(x + s) - t = x + (s - t), x an array"""
    require(x.ndim > 0)
    return (x + s) - t, x + (s - t)


@rule(dtypes="number")
def scalars_of_differences(x, s: Scalar, t: Scalar):
    """(x - s) - t = x - (s + t), x an array"""
    require(x.ndim > 0)
    return (x - s) - t, x - (s + t)


@rule
def scalars_of_quotients(x, s: Scalar, t: Scalar):
    """(x / s) / t = x / (s t)"""
    return (x / s) / t, x / (s * t)


@rule
def scalars_of_product_and_quotient(x, s: Scalar, t: Scalar):
    """(x s) / t = x (s / t)"""
    return (x * s) / t, x * (s / t)


@rule
def divide_by_scalar(x, s: Scalar):
    """x / s = x (1 / s): one division"""
    return x / s, x * (1 / s)


@rule(dtypes="number")
def scalar_through_product(x, y, s: Scalar):
    """(x s) (y s) = (x y) (s s), x and y arrays: among numbers it follows from `scalars_of_product`"""
    require(x.ndim > 0)
    return (x * s) * (y * s), (x * y) * (s * s)


@rule(dtypes="number")
def scalars_of_two_products(x, y, s: Scalar, t: Scalar):
    """(x s) (y t) = (x y) (s t), x and y arrays: among numbers it follows from `scalars_of_product`"""
    require(x.ndim > 0)
    return (x * s) * (y * t), (x * y) * (s * t)


@rule
def root_of_scaled_square(x, s: Scalar):
    """sqrt(x (s s)) = |s| sqrt x, for x >= 0"""
    require(nonnegative(x))
    return np.sqrt(x * (s * s)), np.abs(s) * np.sqrt(x)


@rule
def square_of_scaled(x, s: Scalar):
    """(x / s) (x / s) = x x (1 / (s s))"""
    return (x / s) * (x / s), (x * x) * (1 / (s * s))


@rule(dtypes="number")
def rows_of_product(A: Matrix, v: Vector, w: Vector):
    """(A v) w = A (v w), v and w along the rows"""
    return (A * v) * w, A * (v * w)


@rule(dtypes="number")
def columns_of_product(A: Matrix, u: Vector, v: Vector):
    """(A u) v = A (u v), u and v along the columns"""
    return (A * u[:, None]) * v[:, None], A * (u * v)[:, None]


@rule(dtypes="number")
def rows_of_sum(A: Matrix, v: Vector, w: Vector):
    """(A + v) + w = A + (v + w), v and w along the rows"""
    return (A + v) + w, A + (v + w)


@rule(dtypes="number")
def columns_of_sum(A: Matrix, u: Vector, v: Vector):
    """(A + u) + v = A + (u + v), u and v along the columns"""
    return (A + u[:, None]) + v[:, None], A + (u + v)[:, None]


@rule
def divide_by_rows(A: Matrix, v: Vector):
    """A / v = A (1 / v), v along the rows: one division a column"""
    return A / v, A * (1 / v)


@rule
def divide_by_columns(A: Matrix, u: Vector):
    """A / u = A (1 / u), u along the columns: one division a row"""
    return A / u[:, None], A * (1 / u)[:, None]


@rule(dtypes="number")
def scalar_and_row_of_product(A: Matrix, s: Scalar, v: Vector):
    """s (A v) = A (s v), v along the rows"""
    return s * (A * v), A * (s * v)


@rule(dtypes="number")
def scalar_and_column_of_product(A: Matrix, s: Scalar, u: Vector):
    """s (A u) = A (s u), u along the columns"""
    return s * (A * u[:, None]), A * (s * u)[:, None]
