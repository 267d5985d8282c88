"""Nodes for each row of some arrays: all rows at once where each op has a form for that, else by a loop over the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from egc import ir, sizes
from egc.ir import Node, Program
from egc.ops import INT64
from egc.ranges import Ranges
from egc.rows import row_of, unwritten, with_row
from egc.sizes import Dim
from egc.transforms.vmap import Lifting, NotLifted, Value
from egc.types import ArrayType


def mapped(outputs: Sequence[Node], rows: Mapping[Node, Node], count: Dim, name: str) -> tuple[Node, ...]:
    """The outputs for each of `count` rows, along a first axis.

    rows: for inputs that the outputs depend on, the arrays of which each takes a row. name: a name for the number of the row.
    """
    depends = set(rows)
    lifted = {node: Value(value, True) for node, value in rows.items()}
    for node in ir.topological(outputs):
        if node in depends:
            continue
        if any(child in depends for child in node.inputs):
            depends.add(node)
        else:
            lifted[node] = Value(node, False)
    lifting = Lifting(name, count, Ranges(), lifted)
    try:
        return tuple(lifting.rows(lifting.value(node)) for node in outputs)
    except NotLifted:
        return _by_loop(outputs, rows, depends, count, name)


def _by_loop(
    outputs: Sequence[Node], rows: Mapping[Node, Node], depends: set[Node], count: Dim, name: str
) -> tuple[Node, ...]:
    counter, at = ir.input(name, ArrayType(INT64, ())), sizes.symbol(name)
    places = {node: ir.input(f"_rows{k}", value.type) for k, (node, value) in enumerate(rows.items())}
    results = [
        ir.input(f"_result{k}", ArrayType(each.type.dtype, (count, *each.type.shape))) for k, each in enumerate(outputs)
    ]
    outer: dict[Node, Node] = {}
    new = {node: row_of(place, at) for node, place in places.items()}
    for node in ir.topological(outputs):
        if node in new:
            continue
        if node in depends or node.op in ("constant", "empty", "size", "iota"):
            new[node] = ir.rebuild(node, [new[child] for child in node.inputs])
        elif isinstance(node.type, ArrayType):
            outer[node] = new[node] = ir.input(f"_given{len(outer)}", node.type)
    update = Program(
        (counter, *results, *places.values(), *outer.values()),
        tuple(with_row(result, new[node], at) for result, node in zip(results, outputs)),
        "update",
        frozenset([name]),
    )
    start = [unwritten(each.type) for each in results]
    return ir.loop(update, start, [*rows.values(), *outer], ir.size(count))
