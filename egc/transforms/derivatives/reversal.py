"""Cotangents through loops: what one iteration does to them, and how the iterations are run from the last to the first.

A loop runs backward by states that were stored, by checkpoints from which they are computed again, or by its reverse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from egc import ir, sizes
from egc.ir import Node, Program, make
from egc.ops import INT64
from egc.rows import row_of, unwritten, with_row
from egc.sizes import Dim
from egc.transforms.derivatives.compensated import compensated
from egc.transforms.derivatives.inverse import inverse, is_exact
from egc.transforms.derivatives.notation import zeros
from egc.transforms.derivatives.numbers import with_number
from egc.transforms.derivatives.regions import replaced, stand_ins
from egc.transforms.derivatives.residuals import stored_values
from egc.transforms.derivatives.segments import segmented
from egc.transforms.derivatives.step import Step
from egc.transforms.derivatives.strategy import Remark, Strategy
from egc.transforms.derivatives.tables import backward_several
from egc.transforms.inline import inline
from egc.trips import count_size
from egc.types import ArrayType


@backward_several("loop")
def _row(
    node: Node, cotangents: Mapping[int, Node], places: Sequence[int], strategy: Strategy
) -> Sequence[Node | None]:
    return _loop_back(node, cotangents, places, strategy)


def _loop_back(
    node: Node, cotangents: Mapping[int, Node], places: Sequence[int], strategy: Strategy
) -> Sequence[Node | None]:
    step = Step.of(node, cotangents, places, strategy)
    if not step.states and not step.operands:
        return [None] * len(places)
    reverse = node.params["reverse"] if strategy.method in ("auto", "reversible") else None
    if reverse is None and strategy.method == "reversible":
        reverse = _found(step, strategy)
    if reverse is not None and _runs(step, reverse, strategy):
        return _in_order(_by_reverse(step, reverse, cotangents, strategy), step, places)
    if strategy.method == "compensated" and (carrying := compensated(step)) is not None:
        other, reverse = carrying
        if _runs(other, reverse, strategy):
            strategy.replacements[node] = other.node
            found = _by_reverse(other, reverse, cotangents, strategy)
            more = other.number - step.number
            back = {k if k < step.number else k - more: each for k, each in found.items()}
            return _in_order(back, step, places)
    count = count_size(node.inputs[0]) if node.params["counted"] else None
    if count is None:
        return _by_segments(step, None, cotangents, places, strategy)
    count = count if strategy.at_least(count, 0) else sizes.maximum(0, count)
    stored = stored_values(step, count, strategy)
    memory = _bytes([each.type for each in stored]) * count
    if stored and not step.segment and _too_much(memory, strategy):
        reverse = _found(step, strategy) if strategy.method == "auto" else None
        if reverse is not None and _runs(step, reverse, strategy):
            return _in_order(_by_reverse(step, reverse, cotangents, strategy), step, places)
        return _by_segments(step, count, cotangents, places, strategy)
    strategy.remarks.append(Remark(node.line, "stored" if not step.segment else "checkpoints", memory))
    return _in_order(_by_stored(step, count, stored, cotangents, strategy), step, places)


def _bytes(types: Sequence[ArrayType]) -> Dim:
    return sum((type.size * type.dtype.itemsize for type in types), 0)


def _too_much(memory: Dim, strategy: Strategy) -> bool:
    """Whether a loop does not store what each of its iterations needs."""
    return strategy.method == "checkpoints" or (
        strategy.method == "auto" and strategy.estimate(memory) > strategy.memory
    )


def _in_order(found: Mapping[int, Node], step: Step, places: Sequence[int]) -> list[Node | None]:
    """The cotangents of the loop's inputs at some places."""
    return [found.get(k - step.first) for k in places]


def _initial(step: Step, cotangents: Mapping[int, Node]) -> list[Node]:
    """The cotangents that go into the last iteration: of the states, then of the operands, which have none yet."""
    states = [cotangents.get(k, None) for k in step.states]
    values = [zeros(step.inside[k].type) if each is None else each for k, each in zip(step.states, states)]
    return values + [zeros(step.inside[k].type) for k in step.operands]


def _results(step: Step, loop: Sequence[Node]) -> dict[int, Node]:
    return dict(zip((*step.states, *step.operands), loop))


def _by_stored(
    step: Step, count: Dim, stored: Sequence[Node], cotangents: Mapping[int, Node], strategy: Strategy
) -> dict[int, Node]:
    node, update = step.node, step.update
    name = update.inputs[0].params["name"]
    at = sizes.symbol(name)
    breaks = node.params["pre"] is not None or node.params["post"] is not None
    buffers: Sequence[Node] = ()
    done: Node | None = None
    if stored or breaks:
        types = [ArrayType(each.type.dtype, (count, *each.type.shape)) for each in stored]
        rows = stand_ins(update, "_stored", types)
        (done_in,) = stand_ins(update, "_done", [ArrayType(INT64, ())])
        outputs = [with_row(row, value, at) for row, value in zip(rows, stored)]
        # Of a loop that data may end, only the rows of the iterations that it had are read.
        start = [unwritten(type) for type in types]
        if breaks:
            rows, start = [*rows, done_in], [*start, ir.constant(0, INT64)]
            outputs.append(make("add", done_in, ir.constant(1, INT64)))
        if strategy.lacks_value(node):
            new = step.only_for(rows, outputs, start)
        else:
            new = strategy.replacements[node] = step.with_states(rows, outputs, start)
        items = ir.items(new)[-len(rows) :]
        buffers = items[: len(stored)]
        done = items[-1] if breaks else None
    return _run_back(step, count, stored, buffers, done, cotangents, strategy)


def _run_back(
    step: Step,
    count: Dim,
    stored: Sequence[Node],
    buffers: Sequence[Node],
    done: Node | None,
    cotangents: Mapping[int, Node],
    strategy: Strategy,
) -> dict[int, Node]:
    """The loop from the last iteration to the first; `done` iterations where another number ended it."""
    update, name = step.update, step.update.inputs[0].params["name"]
    reads = stand_ins(update, "_read", [each.type for each in stored])
    outputs = replaced(step.outputs, dict(zip(stored, reads)))
    used = set(ir.topological(outputs))
    places = [k for k in range(step.number, len(step.inside)) if step.inside[k] in used]
    operands = tuple(step.inside[k] for k in places)
    body = Program((update.inputs[0], *step.fresh, *reads, *operands), outputs, "update", frozenset([name]))
    index = strategy.fresh()
    counter = ir.input(index, ArrayType(INT64, ()))
    rows = stand_ins(body, "_rows", [each.type for each in buffers])
    more: tuple[Node, ...] = ()
    times, back = ir.size(count), count - 1 - sizes.symbol(index)
    inner = (*step.fresh, *rows, *operands)

    def at(place: Dim) -> tuple[Node, ...]:
        given = [ir.size(place), *step.fresh, *(row_of(row, place) for row in rows), *operands]
        return inline(body, given, {name: place})

    if done is None:
        results = at(back)
    else:
        (limit,) = stand_ins(body, "_limit", [ArrayType(INT64, ())])
        more = (done,)
        place = make("subtract", make("subtract", limit, ir.constant(1, INT64)), ir.size(sizes.symbol(index)))
        values = [make("gather", row, place, axes=(0,), mode="raise") for row in rows]
        found = with_number(body, place, [*step.fresh, *values, *operands])
        if found is not None:
            results, times = found, done
        else:
            then, otherwise = Program(inner, at(back), "then"), Program(inner, tuple(step.fresh), "otherwise")
            results = ir.cond(make("less", ir.size(back), limit), then, otherwise, list(inner))
        inner = (*inner, limit)
    program = Program((counter, *inner), tuple(results), "update", frozenset([index]))
    given = [step.node.inputs[step.first + k] for k in places]
    loop = ir.loop(program, _initial(step, cotangents), [*buffers, *given, *more], times, line=step.node.line)
    return _results(step, loop)


def _by_segments(
    step: Step, count: Dim | None, cotangents: Mapping[int, Node], places: Sequence[int], strategy: Strategy
) -> Sequence[Node | None]:
    """By checkpoints: see `segmented`."""
    nest, unfinished, moved = segmented(step.node, count, strategy)
    strategy.replacements[step.node] = nest
    found = _loop_back(nest, cotangents, [moved[k] for k in places], strategy)
    if unfinished is None:
        return found
    return [None if each is None else _or_nan(each, unfinished) for each in found]


def _or_nan(x: Node, unfinished: Node) -> Node:
    """nan instead of a wrong number, where a loop was longer than checkpoints reach."""
    nan = ir.constant(float("nan"), x.type.dtype, x.type.shape)
    mask = unfinished if not x.type.rank else make("broadcast", unfinished, shape=x.type.shape, axes=())
    return make("where", mask, nan, x)


def _found(step: Step, strategy: Strategy) -> Program | None:
    """The reverse that follows from the update: by sums alone, unless reverses are asked for."""
    needed = step.used_states
    return inverse(step.node, needed, additive=strategy.method == "auto") if needed else None


def _runs(step: Step, reverse: Program, strategy: Strategy) -> bool:
    """Whether a loop can be run by a reverse: shapes and positions do not follow from the iteration's number, where it depends on
    data which number is the last."""
    if strategy.lacks_value(step.node):
        return False
    if not step.first or (count_size(step.node.inputs[0]) is not None and step.plain):
        return True
    number = ir.constant(0, INT64)
    regions = (reverse, Program(step.update.inputs, step.outputs))
    return all(with_number(region, number, region.inputs[1:]) is not None for region in regions)


def _by_reverse(step: Step, reverse: Program, cotangents: Mapping[int, Node], strategy: Strategy) -> dict[int, Node]:
    """Runs the states back with the cotangents: nothing is kept but the last states."""
    node, update, number = step.node, step.update, step.number
    exact = is_exact(reverse, step.first, step.used_states)
    method = "compensated" if strategy.method == "compensated" else "reversible"
    strategy.remarks.append(Remark(node.line, method, 0, "none" if exact else method))
    count, last = node.inputs[0] if step.first else None, node
    if not step.plain:
        (done,) = stand_ins(update, "_done", [ArrayType(INT64, ())])
        one = ir.constant(1, INT64)
        last = step.with_states([done], [make("add", done, one)], [ir.constant(0, INT64)])
        strategy.replacements[node] = last
        count = ir.items(last)[-1]
    assert count is not None
    states, operands = update.inputs[step.first : step.first + number], update.inputs[step.first + number :]
    index = strategy.fresh()
    counter = ir.input(index, ArrayType(INT64, ()))
    size = count_size(count)
    limit: tuple[Node, ...] = ()
    # What the iteration made of the states is known: it is what the way back has.
    known = [k for k in sorted(step.used_states) if update.outputs[k].op != "input"]
    after = stand_ins(update, "_after", [states[k].type for k in known])
    outputs = replaced(step.outputs, {update.outputs[k]: each for k, each in zip(known, after)})
    body = Program((*update.inputs, *step.fresh, *after), outputs, "update", update.size_inputs)
    more = (*step.fresh, *(states[k] for k in known))
    if step.first and size is None:
        limit = tuple(stand_ins(update, "_limit", [ArrayType(INT64, ())]))
        place = make("subtract", make("subtract", limit[0], ir.constant(1, INT64)), ir.size(sizes.symbol(index)))
        found = with_number(reverse, place, [*states, *operands])
        assert found is not None
        before = found
        found = with_number(body, place, [*before, *operands, *more])
        assert found is not None
        results = found
    else:
        numbers: list[Node] = []
        values: dict[str, Dim] = {}
        if step.first and size is not None:
            back = size - 1 - sizes.symbol(index)
            numbers, values = [ir.size(back)], {update.inputs[0].params["name"]: back}
        named = {reverse.inputs[0].params["name"]: back} if numbers else {}
        before = inline(reverse, [*numbers, *states, *operands], named)
        results = inline(body, [*numbers, *before, *operands, *more], values)
    program = Program(
        (counter, *states, *step.fresh, *operands, *limit), (*before, *results), "update", frozenset([index])
    )
    start = [*ir.items(last)[:number], *_initial(step, cotangents)]
    given = [*node.inputs[step.first + number :], *([count] if limit else [])]
    loop = ir.loop(program, start, given, count, line=node.line)
    return _results(step, loop[number:])
