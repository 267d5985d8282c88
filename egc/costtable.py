"""What a backend's machine takes, in nanoseconds: the table that prices Programs, and its form as a JSON file."""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from egc.errors import BackendError
from egc.ops import MASKED

Points = tuple[tuple[float, float], ...]

CHOSEN = 0.5
"""The part of its elements where a mask is expected to hold."""

FORMAT = 1
"""The number of the file format; a file of another number is refused."""

CLASSES = {"f4": "f32", "f2": "f32", "c16": "c128", "c8": "c64", "b1": "bool"}
"""The class of dtypes, by kind and bytes, whose prices an operand of such a dtype takes; float64's have no mark."""


@dataclass(frozen=True)
class CostTable:
    """What a backend's machine takes on one thread, in nanoseconds. `egc.costs` prices a Program with it.

    call: starting one kernel or library call.
    byte: moving one byte to or from memory.
    elementwise: one element of an op beyond moving it; ops that are not listed take `default`.
    flop: one multiply-add of a matrix product.
    linalg: one elementary operation (`n**3` of an n by n matrix) of a factorization or solver.

    The rest refines these, where it was measured:

    run: calling a compiled Program, whatever it does.
    levels: for each cache, smallest first, its bytes and what moving one byte takes that lies there.
    calls: starting a library call, by op; ops that are not listed take `call`.
    work: for library calls whose rate depends on size, points (operations, nanoseconds beyond starting and moving).
    thread_start: handing a part of a loop to another thread and waiting for its end.
    scalar: one operation on numbers inside of a loop or branch, or one element that is read or written there.
    inner: starting one kernel inside of a loop or branch.
    entering: starting a loop inside of a loop or branch, besides its iterations.
    fused: whether elementwise ops share a loop. Where not, each moves its operands and its result, and what is inside of a
    loop or branch starts like any other.
    unrolls: whether its compiler puts iterations of short loops together, so that doing so before gains nothing.

    In `elementwise` and `work`, the key "exp f32" is the price of exp on float32, and "exp" that on float64 and on every
    dtype that has no key of its own.
    """

    call: float
    byte: float
    default: float
    elementwise: Mapping[str, float]
    flop: float
    linalg: Mapping[str, float]
    run: float = 0.0
    levels: Points = ()
    calls: Mapping[str, float] = field(default_factory=dict)
    work: Mapping[str, Points] = field(default_factory=dict)
    thread_start: float = 0.0
    scalar: float = 1.0
    inner: float = 20.0
    entering: float = 2.5
    fused: bool = True
    unrolls: bool = True

    def starting(self, op: str) -> float:
        """Starting the library call of an op."""
        return self.calls.get(op, self.call)

    def moving(self, amount: float) -> float:
        """Moving so many bytes that one kernel touches: each cache's share at its price, the rest at memory's.

        >>> table = CostTable(0.0, 1.0, 0.0, {}, 0.0, {}, levels=((100, 0.25),))
        >>> table.moving(80), table.moving(180)
        (20.0, 105.0)
        """
        total, below = 0.0, 0.0
        for capacity, price in self.levels:
            if amount <= capacity:
                return total + (amount - below) * price
            total, below = total + (capacity - below) * price, capacity
        return total + (amount - below) * self.byte

    def element(self, op: str, dtype: np.dtype) -> float:
        """One element of an op on operands of a dtype."""
        if op in MASKED:
            return CHOSEN * self.element(MASKED[op], dtype)
        found = self.elementwise.get(f"{op} {price_class(dtype)}")
        return self.elementwise.get(op, self.default) if found is None else found

    def working(self, op: str, operations: float, dtype: np.dtype) -> float | None:
        """So many operations of a library call; None where the table has no points for it."""
        points = self.work.get(f"{op} {price_class(dtype)}") or self.work.get(op)
        return interpolated(points, operations) if points else None


def price_class(dtype: np.dtype) -> str:
    """The mark of a dtype's prices in a table: "f32" for float32, "i64" for every integer."""
    return "i64" if dtype.kind in "iu" else CLASSES.get(f"{dtype.kind}{dtype.itemsize}", "f64")


def interpolated(points: Sequence[tuple[float, float]], x: float) -> float:
    """The line through points on logarithmic scales, and in proportion to x beyond the first and the last.

    >>> interpolated([(1.0, 2.0), (100.0, 200.0)], 10.0), interpolated([(1.0, 2.0), (100.0, 20.0)], 200.0)
    (20.0, 40.0)
    """
    if x <= points[0][0]:
        return points[0][1] * x / points[0][0]
    if x >= points[-1][0]:
        return points[-1][1] * x / points[-1][0]
    after = bisect_left(points, (x,))
    (x0, y0), (x1, y1) = points[after - 1], points[after]
    return y0 * (x / x0) ** (math.log(y1 / y0) / math.log(x1 / x0))


def read_table(path: Path) -> CostTable:
    """The table in a file. Raises BackendError where the file is unreadable, of another format, or holds no table."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BackendError(f"the cost table {path} cannot be read: {error}") from error
    try:
        return _table(found)
    except (KeyError, TypeError, ValueError) as error:
        raise BackendError(f"the cost table {path} is broken: {error}; run `egc backends calibrate` again") from error


def write_table(path: Path, table: CostTable, about: Mapping[str, Any]) -> None:
    """Writes a table, with what it was measured on, so that a reader never finds half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"format": FORMAT, "about": dict(about), "table": asdict(table)}, indent=1, default=dict)
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(path)


def _table(found: Any) -> CostTable:
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(f"it is not of format {FORMAT}")
    given = found["table"]
    known = {each.name for each in fields(CostTable)}
    if set(given) != known:
        raise ValueError(f"its entries differ: {', '.join(sorted(set(given) ^ known))}")
    read: dict[str, Any] = {name: _price(name, given[name]) for name in ("call", "byte", "default", "flop", "run")}
    read.update({name: _price(name, given[name]) for name in ("thread_start", "scalar", "inner", "entering")})
    for name in ("elementwise", "linalg", "calls"):
        read[name] = {key: _price(f"{name} of {key}", value) for key, value in given[name].items()}
    read["levels"] = _points("levels", given["levels"])
    read["work"] = {key: _points(f"work of {key}", points) for key, points in given["work"].items()}
    for name in ("fused", "unrolls"):
        if type(given[name]) is not bool:
            raise ValueError(f"{name} is not true or false")
        read[name] = given[name]
    return CostTable(**read)


def _price(name: str, value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value < math.inf:
        raise ValueError(f"{name} is {value!r}, not a time in nanoseconds")
    return float(value)


def _points(name: str, values: Any) -> Points:
    points = tuple((_price(name, x), _price(name, y)) for x, y in values)
    if any(a >= b for (a, _), (b, _) in zip(points, points[1:])) or any(x <= 0 or y <= 0 for x, y in points):
        raise ValueError(f"{name} are not points from the smallest up")
    return points
