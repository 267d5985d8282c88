"""What NumPy does with the elements of an array, as loops: capture goes through these for arrays of unknown length.

Each takes the elements one by one; `zero` is what it begins with.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def total(values: Any, zero: Any) -> Any:
    found = zero
    for value in values:
        found = found + value
    return found


def product(values: Any, one: Any) -> Any:
    found = one
    for value in values:
        found = found * value
    return found


def some(values: Any, no: Any) -> Any:
    found = no
    for value in values:
        found = np.logical_or(found, value)
    return found


def every(values: Any, yes: Any) -> Any:
    found = yes
    for value in values:
        found = np.logical_and(found, value)
    return found


def largest(values: Any, first: Any) -> Any:
    found = first
    for value in values:
        found = np.maximum(found, value)
    return found


def smallest(values: Any, first: Any) -> Any:
    found = first
    for value in values:
        found = np.minimum(found, value)
    return found


def place_of_largest(values: Any, first: Any) -> Any:
    """The first of the largest; nan is larger than all numbers."""
    found, place = first, 0
    for k, value in enumerate(values):
        if value > found or (value != value and found == found):
            found, place = value, k
    return place


def place_of_smallest(values: Any, first: Any) -> Any:
    """The first of the smallest; nan is smaller than all numbers."""
    found, place = first, 0
    for k, value in enumerate(values):
        if value < found or (value != value and found == found):
            found, place = value, k
    return place


def put(array: Any, start: Any, step: Any, values: Any) -> None:
    for k, value in enumerate(values):
        array[start + k * step] = value


def places(mask: Any, out: Any) -> Any:
    """Writes where a mask holds to the first elements of an array, and says how many."""
    count = 0
    for k in range(len(mask)):
        if mask[k]:
            out[count] = k
            count += 1
    return count


def put_at(array: Any, places: Any, values: Any) -> None:
    for place, value in zip(places, values):
        array[place] = value
