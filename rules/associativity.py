"""Associativity, both ways. Not in the default set: chains of n operands have exponentially many forms."""

import numpy as np

from egc import equation


@equation(dtypes="number")
def add_is_associative(x, y, z):
    """(x + y) + z = x + (y + z)"""
    return (x + y) + z, x + (y + z)


@equation
def multiply_is_associative(x, y, z):
    """(x y) z = x (y z)"""
    return (x * y) * z, x * (y * z)


@equation(precision="exact", dtypes="integer")
def integer_multiply_is_associative(x, y, z):
    """(x y) z = x (y z)"""
    return (x * y) * z, x * (y * z)


@equation(dtypes="number")
def add_then_subtract_is_associative(x, y, z):
    """(x + y) - z = x + (y - z)"""
    return (x + y) - z, x + (y - z)


@equation(dtypes="any")
def maximum_is_associative(x, y, z):
    """max(max(x, y), z) = max(x, max(y, z))"""
    return np.maximum(np.maximum(x, y), z), np.maximum(x, np.maximum(y, z))


@equation(dtypes="any")
def minimum_is_associative(x, y, z):
    """min(min(x, y), z) = min(x, min(y, z))"""
    return np.minimum(np.minimum(x, y), z), np.minimum(x, np.minimum(y, z))


@equation(precision="exact", dtypes="bool")
def and_is_associative(a, b, c):
    """(a and b) and c = a and (b and c)"""
    return np.logical_and(np.logical_and(a, b), c), np.logical_and(a, np.logical_and(b, c))


@equation(precision="exact", dtypes="bool")
def or_is_associative(a, b, c):
    """(a or b) or c = a or (b or c)"""
    return np.logical_or(np.logical_or(a, b), c), np.logical_or(a, np.logical_or(b, c))


@equation
def logaddexp_is_associative(x, y, z):
    """logaddexp(logaddexp(x, y), z) = logaddexp(x, logaddexp(y, z))"""
    return np.logaddexp(np.logaddexp(x, y), z), np.logaddexp(x, np.logaddexp(y, z))
