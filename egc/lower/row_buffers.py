"""Rows of matrix products that are made in the rows of a result, which is then computed in its own place."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

from egc import sizes
from egc.lower.loops import Loop
from egc.lower.names import renamed
from egc.lower.statements import Access, Blocks, Item, Load, Product, Statement, Store, reads, statements, writes
from egc.sizes import Dim

LONG: Dim = 2048
"""The most rows that are made at a time without a buffer: what one more run takes is small beside them."""


def rows_in_results(loop: Loop) -> Loop:
    """The same loops with fewer buffers: a product's rows stand in a new array that the loops make, where each element is
    stored in the iteration that reads the same element of the product for the last time. With no buffer left, as many rows
    are made at a time as each element has terms, since BLAS brings the right operand into order anew for each run."""
    if not any(isinstance(item, Blocks) and item.held for item in loop.body):
        return loop
    body = tuple(_without_buffers(loop, item) if isinstance(item, Blocks) else item for item in loop.body)
    used = {access.array for each in statements(body) for access in (*reads(each), *writes(each))}
    return replace(loop, body=body, scratch=tuple(each for each in loop.scratch if each[0] in used))


def _without_buffers(loop: Loop, blocks: Blocks) -> Blocks:
    places: dict[str, str] = {}
    for name, step in blocks.held:
        for result, type in loop.results:
            if result not in places.values() and type.rank == 2 and _fits(loop, blocks, name, step, result):
                places[name] = result
                break
    if not places:
        return blocks
    held = tuple(each for each in blocks.held if each[0] not in places)
    items: tuple[Item, ...] = tuple(renamed(item, places) for item in blocks.body)
    if held:
        return replace(blocks, body=items, held=held)
    terms = [each.inner for each in statements(items) if isinstance(each, Product)]
    return replace(blocks, body=items, held=(), run=sizes.maximum(blocks.run, reduce(sizes.minimum, terms, LONG)))


def _fits(loop: Loop, blocks: Blocks, name: str, step: Dim, result: str) -> bool:
    """Whether rows with a step between them, held under a name, may stand in a result."""
    walk = [(item, each) for item in blocks.body for each in statements([item])]
    stores = [place for place, (_, each) in enumerate(walk) if _touches(each, result)]
    if len(stores) != 1 or sum(_touches(each, result) for each in loop.statements()) != 1:
        return False
    nest, store = walk[stores[0]]
    if not isinstance(store, Store) or store.access != Access(result, 0, (step, 1)):
        return False
    held = [place for place, (_, each) in enumerate(walk) if _touches(each, name)]
    product = walk[held[0]][1]
    if not isinstance(product, Product) or product.access != Access(name, 0, (step,)) or product.dtype != store.dtype:
        return False
    for place in held[1:]:
        item, load = walk[place]
        if (
            not isinstance(load, Load)
            or place > stores[0]
            or item is nest
            and load.access != Access(name, 0, (step, 1))
        ):
            return False
    return True


def _touches(statement: Statement, name: str) -> bool:
    return any(access.array == name for access in (*reads(statement), *writes(statement)))
