"""The law of `optimize`: what it returns is what NumPy gives, up to rounding.

Structure, types, dtypes, shapes, exceptions, writes to arguments and shared memory are exactly the plain function's. An
integer or a bool is equal where rounding cannot change it. A floating value may be off by `SPREADS` times what errors
of single operations do to the plain function (see `rounding`), and by `ULPS` units in the last place. Where the plain
function overflows on finite operands, another formula may give a number. A nan argument gives nan where it did before,
or in an array somewhere: matrix products spread nan to elements that the true value of, say, `I @ A` leaves alone.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from tests.laws.rounding import noisy_run

SPREADS, ULPS = 64.0, 512.0
"""A rewritten program may do its operations in another order, each with an error of its own: dozens of them, not one."""

RUNS, MORE_RUNS = 5, 60
"""Runs with errors of each program, and of one whose values seem wrong: a jump may be met in few of them."""


class Disagreement(AssertionError):
    """The optimized function is not the plain one."""


@dataclass
class Tally:
    """How much of what was looked at could be compared by value."""

    values: int = 0
    undecided: int = 0
    overflowed: int = 0
    raised: int = 0
    as_written: dict[str, int] = field(default_factory=dict)


def outcome(function: Callable[..., Any], arguments: Sequence[Any]) -> tuple[Any, tuple[Any, ...], Exception | None]:
    """The result, the arguments after the call, and the exception."""
    copies = {id(value): _copied(value) for value in arguments}
    given = tuple(copies[id(value)] for value in arguments)
    try:
        with np.errstate(all="ignore"):
            return function(*given), given, None
    except Exception as error:
        return None, given, error


def _copied(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return copy.copy(value)
    if not isinstance(value.base, np.ndarray):
        return value.copy(order="K")
    memory = value.base.copy(order="K")
    offset = value.__array_interface__["data"][0] - value.base.__array_interface__["data"][0]
    return np.ndarray(value.shape, value.dtype, memory.ravel(order="K"), offset, value.strides)


def compare(
    plain: Callable[..., Any],
    optimized: Callable[..., Any],
    arguments: Sequence[Any],
    tally: Tally,
    mode: str = "plain",
) -> None:
    """Raises Disagreement unless both functions do the same with these arguments."""
    expected, expected_given, expected_error = outcome(plain, arguments)
    found, found_given, error = outcome(optimized, arguments)
    if error is not None or expected_error is not None:
        tally.raised += 1
        if type(error) is not type(expected_error):
            raise Disagreement(f"raises {error!r}, the plain function {expected_error!r}") from error
        return
    same_structure(found, expected, "the result")
    same_sharing((found, found_given), (expected, expected_given))
    all_found, all_expected = (found, found_given), (expected, expected_given)
    try:
        same_values(all_found, all_expected, Spread(plain, arguments, all_expected, RUNS), tally, mode)
    except Disagreement:
        same_values(all_found, all_expected, Spread(plain, arguments, all_expected, MORE_RUNS), tally, mode)


def same_values(found: Any, expected: Any, spread: Spread, tally: Tally, mode: str) -> None:
    tally.overflowed += spread.lost
    for position, (ours, theirs, noise) in enumerate(zip(numbers(found), numbers(expected), spread.leaves)):
        require_close(ours, theirs, noise, spread, mode, f"value {position}", tally)


def same_structure(found: Any, expected: Any, where: str) -> None:
    if type(found) is not type(expected):
        raise Disagreement(f"{where} is a {type(found).__name__}, not a {type(expected).__name__}")
    if isinstance(expected, (tuple, list)):
        if len(found) != len(expected):
            raise Disagreement(f"{where} has {len(found)} parts, not {len(expected)}")
        for position, (a, b) in enumerate(zip(found, expected)):
            same_structure(a, b, f"{where}[{position}]")
    elif isinstance(expected, dict):
        if list(found) != list(expected):
            raise Disagreement(f"{where} has the keys {list(found)}, not {list(expected)}")
        for key in expected:
            same_structure(found[key], expected[key], f"{where}[{key!r}]")
    elif isinstance(expected, (np.ndarray, np.generic)) and (found.dtype, found.shape) != (
        expected.dtype,
        expected.shape,
    ):
        raise Disagreement(f"{where} is {found.dtype}{found.shape}, not {expected.dtype}{expected.shape}")


def same_sharing(found: Any, expected: Any) -> None:
    """Which of the results and arguments are one object or share memory, and which can be written to.

    A result that NumPy makes read-only may be writeable.
    """
    ours, theirs = list(numbers(found)), list(numbers(expected))
    arrays = [position for position, value in enumerate(theirs) if isinstance(value, np.ndarray)]
    for first, second in combinations(arrays, 2):
        a, b, x, y = ours[first], ours[second], theirs[first], theirs[second]
        if (a is b) is not (x is y) or np.shares_memory(a, b) is not np.shares_memory(x, y):
            raise Disagreement(f"values {first} and {second} share memory: {np.shares_memory(a, b)}")
    for position in arrays:
        if theirs[position].flags.writeable and not ours[position].flags.writeable:
            raise Disagreement(f"value {position} cannot be written to")


def numbers(value: Any) -> Iterator[Any]:
    """The leaves of containers, in order."""
    if isinstance(value, (tuple, list)):
        for part in value:
            yield from numbers(part)
    elif isinstance(value, dict):
        yield from numbers(list(value.values()))
    else:
        yield value


class Spread:
    """The leaves of several runs with errors. `lost` when one of them met a value beyond the floating range.

    A run that errors raise an exception in says nothing; without any run, every value counts as undecided.
    """

    def __init__(self, plain: Callable[..., Any], arguments: Sequence[Any], expected: Any, runs: int):
        shapes = [np.shape(leaf) for leaf in numbers(expected)]
        self.leaves: list[list[np.ndarray]] = [[] for _ in shapes]
        self.lost = False
        for seed in range(runs):
            try:
                result, given, lost = noisy_run(plain, arguments, seed)
            except Exception:
                continue
            self.lost = self.lost or lost
            run = [np.asarray(leaf) for leaf in numbers((result, given))]
            if [leaf.shape for leaf in run] == shapes:
                for collected, leaf in zip(self.leaves, run):
                    collected.append(leaf.view(np.ndarray))


def require_close(
    found: Any, expected: Any, noise: Sequence[np.ndarray], spread: Spread, mode: str, where: str, tally: Tally
) -> None:
    if not isinstance(expected, (np.ndarray, np.generic, int, float, complex)):
        if found != expected:
            raise Disagreement(f"{where} is {found!r}, not {expected!r}")
        return
    ours, theirs = np.asarray(found), np.asarray(expected)
    tally.values += theirs.size
    if not noise or spread.lost:
        decided = np.zeros(theirs.shape, bool)
        good = decided
    elif theirs.dtype.kind not in "fc":
        decided = np.all([run == theirs for run in noise], axis=0)
        good = ours == theirs
    else:
        decided, good = _close(ours, theirs, noise, mode)
    tally.undecided += int(np.sum(~decided))
    wrong = np.argwhere(decided & ~good)
    if len(wrong):
        place = tuple(map(int, wrong[0]))
        raise Disagreement(f"{where}{list(place)} is {ours[place]!r}, not {theirs[place]!r} ({len(wrong)} such)")


def _close(ours: np.ndarray, theirs: np.ndarray, noise: Sequence[np.ndarray], mode: str) -> tuple[Any, Any]:
    limits = np.finfo(theirs.dtype)
    with np.errstate(all="ignore"):
        finite = np.isfinite(theirs)
        moved = np.max([np.abs(run - theirs) for run in noise], axis=0)
        stable = np.all([np.isfinite(run) for run in noise], axis=0)
        allowed = SPREADS * moved + ULPS * limits.eps * np.abs(theirs) + 4 * limits.tiny
        close = np.abs(ours - theirs) <= allowed
        alike = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    spread_by_a_product = mode == "nan" and theirs.ndim and not np.all(np.isfinite(ours))
    decided = np.where(finite, stable, mode == "nan" and theirs.dtype.kind == "f" and not spread_by_a_product)
    return decided, np.where(finite, close, alike)
