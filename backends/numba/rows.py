"""Loops over rows in blocks, with matrix products of the rows of a block: what passes between them stays in cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egc.backends.numba.blas import known_product
from egc.lower.statements import Access, Blocks, For, Product

if TYPE_CHECKING:
    from egc.backends.numba.emit import Nest, Source


def write_blocks(nest: Nest, loop: Blocks, start: str, stop: str, indent: int) -> None:
    """The items of each block one after the other. Arrays that hold one block are addressed as if they held all rows."""
    source, first, count = nest.source, f"f{nest.suffix}", f"m{nest.suffix}"
    run = source.dim(loop.run)
    source.line(indent, f"for {first} in range({start}, {stop}, {run}):")
    source.line(indent + 1, f"{count} = min({run}, {stop} - {first})")
    before = dict(source.pointers)
    for name, step in loop.held:
        source.pointers[name] = f"h{before[name]}"
        source.line(indent + 1, f"h{before[name]} = shifted({before[name]}, -({source.address(0, (step,), (first,))}))")
    for item in loop.body:
        if isinstance(item, Product):
            source.line(indent + 1, _product(source, item, first, count, source.dim(loop.dim)))
        else:
            assert isinstance(item, For)
            nest.spans[id(item)] = first, f"{first} + {count}"
            nest.loop_over(item, 0, indent + 1)
    source.pointers.update(before)


def _product(source: Source, product: Product, first: str, count: str, rows: str) -> str:
    """The call that makes the rows of one block, out of so many `rows`."""
    known_product(product.dtype)

    def place(access: Access) -> str:
        offset = source.address(access.offset, access.strides, (first,))
        pointer = source.array(access.array)
        return pointer if offset == "0" else f"shifted({pointer}, {offset})"

    (row,), (out,) = product.left.strides, product.access.strides
    texts = [f"{count}, {source.dim(product.columns)}, {source.dim(product.inner)}"]
    for access, (outer, inner) in ((product.left, (row, product.left_step)), (product.right, product.right_steps)):
        turned = inner != 1
        texts.append(f"{place(access)}, {source.dim(inner if turned else outer)}, {turned}")
    return f"block_product({', '.join(texts)}, {place(product.access)}, {source.dim(out)}, {count} < {rows})"
