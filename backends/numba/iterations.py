"""Loops inside of a function whose iterations threads share: each becomes a function of its own, and the loop a call that
hands out chunks of it.

    loops(start, stop, step, phase, arrays..., scalars..., sizes...)

runs the iterations from start to stop and returns a status: 0, `STOPPED` where a flag stopped it, or one more for each error
that it may raise, since exceptions do not cross threads. `step` and `phase` are those of kernels in phases, whose calls these are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from numba import from_dtype, types

from egc import sizes
from egc.backends.numba.functions import address_type
from egc.backends.numba.phases import grouped
from egc.backends.numba.sharing import price_of
from egc.backends.numba.threads import RAISED, pack, run_phase
from egc.lower.independent import independent
from egc.lower.loops import Body, Branch, Call, Check, Repeat
from egc.lower.names import made, mentioned
from egc.lower.statements import For
from egc.ranges import Ranges
from egc.sizes import Dim
from egc.trips import ASSUMED
from egc.types import ArrayType

if TYPE_CHECKING:
    from egc.backends.numba.flow import FlowWriter

STOPPED = 1
"""The status where a flag has become true."""

CALL = 500.0
"""What a library call is reckoned to take, in nanoseconds: more than a loop's statements, and little where arrays are small."""


def shared_loops(
    step: Repeat | Branch,
    types: Mapping[str, ArrayType],
    known: Mapping[str, Dim],
    ranges: Ranges,
    flags: frozenset[str],
) -> Iterator[Repeat]:
    """The outermost loops that have loops inside, and whose iterations are independent of each other."""
    if isinstance(step, Repeat):
        nested = any(isinstance(inner, (Repeat, For)) for inner in _steps(step.update))
        if nested and independent(step, types, known, ranges, flags):
            yield step
            return
        if step.index is not None:
            ranges = ranges.within(step.index, known.get(step.count or ""))
    kept = flags if isinstance(step, Repeat) and step.count is not None else frozenset()
    for body in step.bodies():
        inner_flags = frozenset(value for target, value in body.moves if target in kept)
        within = {**types, **dict(body.blocks)}
        for inner in body.steps:
            if isinstance(inner, (Repeat, Branch)):
                yield from shared_loops(inner, within, known, ranges, inner_flags)


def _steps(body: Body) -> Iterator[Any]:
    for step in body.steps:
        yield step
        if isinstance(step, Branch):
            for inner in step.bodies():
                yield from _steps(inner)


def write_shared(writer: FlowWriter, step: Repeat, indent: int) -> None:
    """The function of a loop's iterations, and its call."""
    number = len(writer.kernels)
    name, inner = f"rows_{number}", writer.inside(step)
    flags = [flag for flag, type in step.states if not type.rank]
    inside = set(made(step)) | set(flags)
    outer = [each for each in dict.fromkeys(mentioned(step)) if each not in inside]
    arrays = [each for each in outer if each not in inner.scalars]
    scalars = [each for each in outer if each in inner.scalars]
    text = _function(inner, step, arrays, scalars, flags)
    dims = [writer.source.dim(dim) for dim in inner.source.dims]
    kinds = [address_type(types.Array(from_dtype(writer.types[each].dtype), 1, "C")) for each in arrays]
    kinds += [from_dtype(inner.scalars[each]) for each in scalars]
    signature = types.int64(*[types.int64] * 4, *kinds, *[types.int64] * len(dims))
    writer.kernels[name] = text, signature, tuple({**inner.names, **inner.kernels}.items()), writer.contracted
    given = [*map(writer.variable, (*arrays, *scalars)), *dims]
    for flag, start in zip(flags, [start for (_, type), start in zip(step.states, step.starts) if not type.rank]):
        writer.line(indent, f"{writer.scalar(flag)} = {writer.scalar(start)}")
    if flags:
        writer.line(indent, f"if not ({' | '.join(map(writer.scalar, flags))}):")
        indent += 1
    status, length = f"s{name}", writer.scalar(step.count or "")
    writer.line(indent, f"w{name} = pack({name}, {grouped(given)})")
    writer.line(indent, f"{status} = run_phase(w{name}, 0, {length}, 0, 0, {_work(writer, step)})")
    writer.line(indent, f"if {status} == RAISED: raise MemoryError")
    for k, (error, message) in enumerate(inner.source.errors or ()):
        writer.line(indent, f"if {status} == {STOPPED + 1 + k}: {writer.source.error(error, message)}")
    for flag in flags:
        writer.line(indent, f"{writer.scalar(flag)} = {status} == {STOPPED}")
    writer.names = {**writer.names, "pack": pack, "run_phase": run_phase, "RAISED": RAISED}


def _function(
    writer: FlowWriter, step: Repeat, arrays: Iterable[str], scalars: Iterable[str], flags: Iterable[str]
) -> str:
    source = writer.source
    source.errors, source.told = [], lambda number: STOPPED + 1 + number
    source.pointers.update((name, f"p{number}") for number, name in enumerate(arrays))
    parameters = ["start", "stop", "step", "phase", *map(writer.variable, arrays), *map(writer.scalar, scalars)]
    for name, type in writer.own:
        if name not in writer.dynamic:
            writer.buffer(name, type, 0)
    for flag in flags:
        writer.line(0, f"{writer.scalar(flag)} = False")
    writer.iterations(step, "start, stop", 0)
    for name, _ in writer.own:
        if name not in writer.dynamic:
            writer.line(0, f"keep(b{name})")
    if writer.fails:
        writer.line(0, f"if bad: {source.error('IndexError', writer.index_error)}")
    stopped = " | ".join(map(writer.scalar, flags))
    status = ["    bad = False"] if writer.fails else []
    head = f"def loops({', '.join([*parameters, *source.dims.values()])}):"
    end = f"    return int64({stopped})" if stopped else "    return int64(0)"
    return "\n".join([head, *status, *source.lines, end]) + "\n"


def _work(writer: FlowWriter, step: Repeat) -> str:
    """What a loop takes, in nanoseconds, as an expression."""
    prices: dict[Dim, float] = {}
    assert step.count is not None and step.index is not None
    count = writer.known.get(step.count)
    middle: dict[str, Dim] = {step.index: ASSUMED if count is None else sizes.floordiv(count, 2)}
    _prices(step.update, 1, middle, writer.known, prices)
    parts = [f"{round(price, 3)} * {writer.source.dim(times)}" for times, price in prices.items() if price]
    return f"{writer.scalar(step.count)} * ({' + '.join(parts) or '0.0'})"


def _prices(
    body: Body, times: Dim, middle: Mapping[str, Dim], known: Mapping[str, Dim], prices: dict[Dim, float]
) -> None:
    def add(dims: Dim, price: float) -> None:
        prices[dims] = prices.get(dims, 0.0) + price

    def item(each: Any, dims: Dim) -> None:
        if isinstance(each, For):
            for inner in each.body:
                item(inner, dims * sizes.substitute(each.dim, middle))
        else:
            add(dims, price_of(each))

    for step in body.steps:
        match step:
            case Repeat():
                count = known.get(step.count) if step.count is not None else None
                runs = ASSUMED if count is None else sizes.substitute(count, middle)
                inner = middle if step.index is None else {**middle, step.index: sizes.floordiv(runs, 2)}
                for each in step.bodies():
                    _prices(each, times * runs, inner, known, prices)
            case Branch():
                for each in step.bodies():
                    _prices(each, times, middle, known, prices)
            case Call():
                add(times, 0.0 if step.view else CALL)
            case Check():
                pass
            case _:
                item(step, times)
