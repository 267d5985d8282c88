"""What NumPy does with the elements of an array, as loops: capture goes through these for arrays of unknown length.

Each takes the elements one by one, and `first` is what it begins with.
"""

from __future__ import annotations

from typing import Any


def accumulated(values: Any, first: Any, combine: Any) -> Any:
    found = first
    for value in values:
        found = combine(found, value)
    return found


def place_of(values: Any, first: Any, better: Any) -> Any:
    """Where the first of the best elements is; nan is better than all numbers."""
    found, place = first, 0
    for k, value in enumerate(values):
        if better(value, found) or (value != value and found == found):
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
