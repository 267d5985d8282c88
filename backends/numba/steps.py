"""Array nests inside of a loop, whose work threads share where one step of the loop has enough of it.

    loops(start, stop, step, phase, arrays..., scalars..., sizes...)

runs a part of the outermost loop of a nest; the parameters are those of kernels in phases. Steps of less work run the nest where it
stands: a call would take a part of the time that a short one takes. A nest is thus compiled twice, which one thread is spared.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from numba import from_dtype, types

from egc.backends.numba.crew import CELL
from egc.backends.numba.emit import Nest, Source, declare
from egc.backends.numba.functions import address_type
from egc.backends.numba.inside import steps_in
from egc.backends.numba.phases import call_text, grouped
from egc.backends.numba.sharing import shared_axis, work_of
from egc.backends.numba.threads import num_threads, pack, run_phase
from egc.lower.loops import Call, Loop
from egc.lower.statements import Apply, Blocks, Fold, For, Index, Item, Literal, Load, Store, operands, statements

if TYPE_CHECKING:
    from egc.backends.numba.flow import FlowWriter

VALUE = re.compile(r"\bv\d+\b")

MOST = 4
"""Nests of one function that are written twice, at most: the first ones."""

CALLS = (("pack", pack), ("run_phase", run_phase))

THREADS = 2
"""The nest is handed out from where so many threads have enough to do."""


def is_shared(writer: FlowWriter, item: Item) -> bool:
    """Whether threads may share a nest: there are some, the iterations of its outermost loop do not need each other, and nothing
    in it fails. A view is another name for memory, so that what is read of one might be written."""
    if num_threads() < THREADS or not isinstance(item, For) or isinstance(item, Blocks) or len(writer.kernels) >= MOST:
        return False
    inside = list(statements([item]))
    if not all(isinstance(s, (Load, Literal, Index, Apply, Store, Fold)) for s in inside):
        return False
    made = {s.name for s in inside if isinstance(s, (Load, Literal, Index, Apply, Fold))}
    views = {step.name for step in steps_in(writer.step) if isinstance(step, Call)}
    if any(s.access.array in views for s in inside if isinstance(s, (Load, Store))):
        return False
    if any(isinstance(s, Fold) and s.depth == 0 for s in inside):
        return False
    if any(isinstance(s, Store) and s.access.array in writer.scalars for s in inside):
        return False
    return all(name in made for s in inside for name in operands(s)) and shared_axis(item, Loop((), (item,))) == 0


def write_step(writer: FlowWriter, item: For, indent: int) -> None:
    """The nest, and the call by which threads share it."""
    loop, source = Loop((), (item,)), Source(writer.exact)
    named = dict.fromkeys(s.access.array for s in statements([item]) if isinstance(s, (Load, Store)))
    scalars = [name for name in named if name in writer.scalars]
    source.scalars.update((name, f"x{number}") for number, name in enumerate(scalars))
    declare(source, [loop])
    nest = Nest(source, loop, "")
    nest.spans[id(item)] = "start", "stop"
    nest.emit()
    parameters = ["start", "stop", "step", "phase", *map(source.array, source.arrays), *source.scalars.values()]
    text = _numbered("\n".join([f"def loops({', '.join([*parameters, *source.dims.values()])}):", *source.lines, ""]))
    kinds = [address_type(types.Array(from_dtype(writer.types[name].dtype), 1, "C")) for name in source.arrays]
    kinds += [from_dtype(writer.scalars[name]) for name in scalars]
    sizes = [types.int64] * len(source.dims)
    kernel = text, types.void(*[types.int64] * 4, *kinds, *sizes), (), writer.contracted
    given = [*map(source.array, source.arrays), *source.scalars.values(), *source.dims.values()]
    call = _call(given), types.void(types.int64, types.float64, *kinds, *sizes), (("rows", kernel), *CALLS), False
    name = next((each for each, known in writer.kernels.items() if known == call), f"step_{len(writer.kernels)}")
    writer.kernels[name] = call
    work = " + ".join(f"{price} * {writer.source.dim(count)}" for count, price in work_of([item]).prices.items())
    values = [*map(writer.variable, (*source.arrays, *scalars)), *map(writer.source.dim, source.dims)]
    writer.line(indent, f"w{name} = {work}")
    writer.line(indent, f"if w{name} >= {THREADS * CELL['egc_thread_share'].value}:")
    writer.line(indent + 1, call_text(name, [writer.source.dim(item.dim), f"w{name}", *values]))
    writer.line(indent, "else:")
    writer.item(item, indent + 1)


def _call(given: Sequence[str]) -> str:
    """The function that hands out a nest, from its length, its work and what it is given."""
    lines = [
        f"def loops({', '.join(['length', 'work', *given])}):",
        f"    packed = pack(rows, {grouped(given)})",
        "    run_phase(packed, 0, length, 0, 0, work)",
    ]
    return "\n".join([*lines, ""])


def _numbered(text: str) -> str:
    """The text with its values numbered anew: kernels that do the same are one."""
    names: dict[str, str] = {}
    return VALUE.sub(lambda match: names.setdefault(match[0], f"v{len(names)}"), text)
