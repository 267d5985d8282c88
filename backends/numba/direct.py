"""The direct way from a call in Python to a driver: the table by which `entry` reads arguments and makes results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from egc.backend import DirectCall
from egc.backends.numba import entry
from egc.backends.numba.adapter import Adapter, places
from egc.backends.numba.entry import ALIGNED, C_ORDER, EITHER, EVEN, F_ORDER, NEVER, ODD, WRITEABLE
from egc.layouts import axes_of, neighbours

ANY = range(2**62)
"""All numbers of elements."""

ANYHOW = {"mask": ALIGNED, "flags": ALIGNED, "odd": EITHER, "unlike": NEVER}
"""What is asked of an array that no code addresses."""

PYTHON_KINDS = {
    "float64": entry.BOXED_FLOAT, "int64": entry.BOXED_INT, "bool": entry.BOXED_BOOL, "complex128": entry.BOXED_COMPLEX,
}  # fmt: skip


class Table:
    """What `entry.make_callable` takes, while it is put together."""

    def __init__(self, adapter: Adapter, slow: Any, finish: Any, names: Sequence[str | None]):
        self.adapter = adapter
        self.items: list[Any] = [slow, finish, tuple(names)]
        self.rows: list[dict[str, int]] = []
        self.outputs: list[dict[str, int]] = []
        self.places = places(adapter.arguments)
        self.room = self.places[-1]

    def item(self, value: Any) -> int:
        """The place of an object in the tuple, which begins with the table."""
        self.items.append(value)
        return len(self.items)

    def row(self, kind: int, source: int, wanted: Any, place: int | None, words: int, **fields: int) -> None:
        """An argument, or where the source is negative one of the objects. One that the driver does not take is written
        behind those that it does."""
        if place is None:
            place, self.room = self.room, self.room + words
        self.rows.append({"kind": kind, "source": source, "object": self.item(wanted), "place": place, **fields})

    def array(
        self, source: int, example: np.ndarray, asked: Mapping[str, int], place: int | None, sizes: range,
        written: bool = False,
    ) -> None:  # fmt: skip
        if not example.ndim:
            asked = ANYHOW
        if written:
            asked = {**asked, "mask": asked["mask"] | WRITEABLE, "flags": asked["flags"] | WRITEABLE, "written": 1}
        self.row(
            entry.ARRAY, source, example.dtype, place, 5 + 2 * example.ndim, rank=example.ndim,
            itemsize=example.itemsize, least=sizes.start, most=sizes.stop, **asked,
        )  # fmt: skip

    def output(self, kind: str, dtype: np.dtype, rank: int, ordered: bool, place: int) -> None:
        number = entry.BOXED_ARRAY
        if not rank:
            number = {"array": entry.BOXED_ZERO, "scalar": entry.BOXED_SCALAR}.get(kind) or PYTHON_KINDS[dtype.name]
        self.outputs.append({
            "kind": number, "object": self.item(dtype), "rank": rank, "itemsize": dtype.itemsize, "ordered": ordered,
            "place": place,
        })  # fmt: skip

    def made(self, given: int, guards: int, results: int, held: int, mode: int = 0) -> Callable[..., Any]:
        adapter, raiser = self.adapter.addresses
        header = {
            "adapter": adapter, "raise": raiser, "given": given, "guards": guards, "rows": len(self.rows),
            "outputs": len(self.outputs), "held": held, "words": self.room, "results": results, "mode": mode,
        }  # fmt: skip
        return entry.make_callable(header, self.rows, self.outputs, [*self.items, self.adapter])


def in_layout(layout: str, example: np.ndarray, exact: bool) -> dict[str, int]:
    """What is asked of an array, see `entry.ROW`: that code for a layout can address it, or `exact`ly what tells such arrays
    from those that other code is faster for."""
    rank = example.ndim
    if layout in ("C", "F"):
        order = C_ORDER if layout == "C" else F_ORDER
        mask = order | ALIGNED | (C_ORDER if exact else 0)
        return {**ANYHOW, "mask": mask, "flags": order | ALIGNED}
    mask = ALIGNED | (C_ORDER | F_ORDER if exact else 0)
    if layout == "A":
        return {**ANYHOW, "mask": mask, "odd": ODD if exact else EITHER}
    axes = list(reversed(axes_of(layout, rank)))
    dense = neighbours(layout, rank)
    return {
        "mask": mask, "flags": ALIGNED, "odd": EVEN, "dense": dense,
        "order": sum(axis << 4 * k for k, axis in enumerate(axes)),
        "unlike": example.itemsize if exact and not dense else NEVER,
    }  # fmt: skip


def make_direct(
    adapter: Adapter,
    layouts: Sequence[str],
    dtypes: Sequence[np.dtype],
    held: int,
    call: DirectCall,
    mode: int = 0,
) -> Callable[..., Any]:
    """The callable for a call. layouts: of the Program's inputs; dtypes: of its outputs. What raises takes arrays of one
    order for those of another, where they are in both."""
    table = Table(adapter, call.slow, call.finish, call.names)
    for namespace, name, value in call.guards:
        table.items += [namespace, name, value]
    where = dict(zip(call.inputs, table.places))
    order = dict(zip(call.inputs, layouts))
    for number, argument in enumerate(call.arguments):
        place, example = where.get(number), argument.example
        match argument.kind:
            case "array":
                exact = not mode & entry.RAISES
                asked = in_layout(order[number], example, exact) if number in order else ANYHOW
                table.array(number, example, asked, place, argument.sizes or ANY, argument.written)
            case "number":
                size = np.asarray(example).itemsize
                table.row(entry.VALUE, number, type(example), place, 2, itemsize=size)
            case "integer":
                table.row(entry.INTEGER, number, int, place, 2)
            case _:
                table.row(entry.FIXED, number, example, place, 0)
    for position, constant in enumerate(call.constants, len(call.inputs)):
        source = -table.item(constant)
        table.array(source, constant, in_layout(layouts[position], constant, True), table.places[position], ANY)
    results = places(adapter.outputs)
    for kind, dtype, boxed, place in zip(call.results, dtypes, adapter.outputs, results):
        rank = getattr(boxed, "ndim", 0)
        table.output(kind, dtype, rank, rank > 0 and boxed.layout == "C", place)
    if any(argument.written for argument in call.arguments):
        mode |= entry.WRITES
    return table.made(len(call.arguments), len(call.guards), results[-1], held, mode)
