"""`einsum`: diagonals, sums, transposes and a `matmul` for each pair of operands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from egc import ir
from egc.capture import build
from egc.capture.array import Array, View, fresh, result, to_node
from egc.capture.context import current
from egc.capture.registry import implements
from egc.capture.surface import contraction
from egc.capture.surface.arguments import absent, dtype_of, equal, iota, refuse
from egc.capture.surface.contraction import common_dtype
from egc.capture.ufuncs import store
from egc.ir import Node
from egc.sizes import Dim

THEME = "products"

Label = str
"""A letter, or `...k` for the k-th axis from the right of those that an ellipsis covers."""


@dataclass(frozen=True)
class Term:
    """An operand with one distinct label for each axis."""

    node: Node
    labels: tuple[Label, ...]


@implements(np.einsum, theme=THEME)
def einsum(*arguments: Any, out: Any = None, optimize: Any = False, **options: Any) -> Any:
    dtype, casting = options.pop("dtype", None), options.pop("casting", "safe")
    options.pop("order", None)
    if options:
        raise TypeError(f"Did not understand the following kwargs: {list(options)}")
    subscripts, operands = _notation(arguments)
    nodes = [to_node(operand) for operand in operands]
    inputs, output = parse(subscripts, [node.type.rank for node in nodes], bool(optimize))
    written = [out.node] if isinstance(out, Array) else []
    common = dtype_of(dtype, common_dtype([*nodes, *written]))
    for node in nodes:
        if not np.can_cast(node.type.dtype, common, casting):
            raise TypeError(f"einsum: {node.type.dtype} cannot be cast to {common} according to the rule {casting!r}")
    if len(nodes) == 1 and out is None and nodes[0].type.dtype == common and set(output) == set(inputs[0]):
        operand = operands[0]
        if isinstance(operand, Array) and operand.kind == "array" and output:
            return operand.view(_view(operand, inputs[0], output))
    node = evaluate([build.cast(node, common) for node in nodes], inputs, output)
    if out is not None:
        return store(node, out, casting=casting)
    if node.type.shape or absent(optimize) or optimize is False:
        return result(node)
    return _optimized_scalar(node, subscripts, nodes, optimize)


def _optimized_scalar(node: Node, subscripts: str, nodes: Sequence[Node], optimize: Any) -> Any:
    """With `optimize=`, a full sum is an array of rank 0 where NumPy's path ends in `tensordot`."""
    if not isinstance(optimize, (bool, str)):
        raise refuse("einsum(optimize=) with a path, to a scalar")
    samples = [np.zeros([1 if dim == 1 else 2 for dim in node.type.shape], node.type.dtype) for node in nodes]
    scalar = isinstance(np.einsum(subscripts, *samples, optimize=optimize), np.generic)
    return result(node) if scalar else fresh(node)


def _notation(arguments: Sequence[Any]) -> tuple[str, Sequence[Any]]:
    """The subscripts as one string, and the operands; also from `einsum(x, [0, 1], y, [1, 2], [0, 2])`."""
    if not arguments:
        raise ValueError("must specify the einstein sum subscripts string and at least one operand")
    if isinstance(arguments[0], str):
        return arguments[0].replace(" ", ""), arguments[1:]
    count = len(arguments) // 2
    subscripts = ",".join(_letters(arguments[2 * i + 1]) for i in range(count))
    if len(arguments) % 2:
        subscripts += "->" + _letters(arguments[-1])
    return subscripts, [arguments[2 * i] for i in range(count)]


def _letters(labels: Sequence[Any]) -> str:
    return "".join("..." if label is Ellipsis else chr(label + (65 if label < 26 else 71)) for label in labels)


def parse(
    subscripts: str, ranks: Sequence[int], optimize: bool = False
) -> tuple[list[tuple[Label, ...]], tuple[Label, ...]]:
    """The labels of each operand's axes and of the result's. Raises ValueError as NumPy does.

    With `optimize=`, NumPy sums over the axes of an ellipsis that the result does not mention; without, it refuses.

    >>> parse("ij,jk", [2, 2])
    ([('i', 'j'), ('j', 'k')], ('i', 'k'))
    """
    left, arrow, right = subscripts.partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ValueError("einstein sum subscripts string does not fit the number of operands")
    inputs = [_labels(term, rank) for term, rank in zip(terms, ranks)]
    found = Counter(label for labels in inputs for label in labels)
    covered = sorted((label for label in found if label.startswith("...")), key=lambda label: -int(label[3:]))
    if not arrow:
        return inputs, (*covered, *sorted(label for label, n in found.items() if n == 1 and len(label) == 1))
    if "..." not in right and covered and not optimize:
        raise ValueError("output has more dimensions than subscripts given in einstein sum, but no '...' ellipsis")
    output = _labels(right, len(right.replace("...", "")) + (len(covered) if "..." in right else 0))
    for label in output:
        if label not in found:
            raise ValueError(f"einstein sum subscripts string included output subscript {label!r} not in any input")
    if len(set(output)) != len(output):
        raise ValueError("einstein sum subscripts string includes an output subscript multiple times")
    return inputs, output


def _labels(term: str, rank: int) -> tuple[Label, ...]:
    before, dots, after = term.partition("...")
    letters = before + after
    if letters and not (letters.isalpha() and letters.isascii()):
        raise ValueError(f"invalid subscript in {term!r} of an einstein sum, subscripts must be letters")
    if len(letters) > rank or (len(letters) < rank and not dots):
        raise ValueError("operand has more dimensions than subscripts given in einstein sum, or fewer")
    count = rank - len(letters)
    return (*before, *(f"...{k}" for k in reversed(range(count))), *after)


def evaluate(nodes: Sequence[Node], inputs: Sequence[tuple[Label, ...]], output: tuple[Label, ...]) -> Node:
    """The sum for operands of one dtype."""
    lengths = _lengths(nodes, inputs)
    terms = [_prepared(node, labels, lengths) for node, labels in zip(nodes, inputs)]
    terms = [_sum_out(term, _needed(terms, [term], output)) for term in terms]
    while len(terms) > 1:
        first, second = _best_pair(terms, output, lengths)
        x, y = terms[first], terms[second]
        rest = [term for term in terms if term is not x and term is not y]
        joined = _contract(x, y, _needed(rest, (), output), lengths)
        terms = [*rest[:first], joined, *rest[first:]]
    (term,) = terms
    return build.transpose(term.node, [term.labels.index(label) for label in output])


def _needed(terms: Sequence[Term], without: Sequence[Term], output: tuple[Label, ...]) -> set[Label]:
    others = [term for term in terms if all(term is not left for left in without)]
    return {*output, *(label for term in others for label in term.labels)}


def _lengths(nodes: Sequence[Node], inputs: Sequence[tuple[Label, ...]]) -> dict[Label, Dim]:
    """The length of each label; axes of length 1 broadcast."""
    lengths: dict[Label, Dim] = {}
    for node, labels in zip(nodes, inputs):
        for label, dim in zip(labels, node.type.shape):
            known = lengths.get(label, 1)
            if known == 1:
                lengths[label] = dim
            elif dim != 1 and not equal(dim, known):
                build.settle_ones(dim, known)
                raise ValueError(f"operands could not be broadcast together: label {label!r} is {known} and {dim}")
    return lengths


def _prepared(node: Node, labels: tuple[Label, ...], lengths: dict[Label, Dim]) -> Term:
    """The operand with repeated labels as diagonals, and without the axes along which it broadcasts."""
    repeated = next((label for label in labels if labels.count(label) > 1), None)
    if repeated is not None:
        first = labels.index(repeated)
        second = labels.index(repeated, first + 1)
        rows, columns = node.type.shape[first], node.type.shape[second]
        if not equal(rows, columns):
            raise ValueError(f"dimensions for collapsing index {repeated!r} don't match ({rows} != {columns})")
        moved = contraction.last_axes(contraction.with_length(node, second, rows), first, second)
        rest = tuple(label for axis, label in enumerate(labels) if axis not in (first, second))
        return _prepared(contraction.diagonal(moved), (*rest, repeated), lengths)
    kept = [axis for axis, label in enumerate(labels) if node.type.shape[axis] != 1 or lengths[label] == 1]
    shape = [lengths[labels[axis]] for axis in kept]
    return Term(build.reshape(node, shape), tuple(labels[axis] for axis in kept))


def _sum_out(term: Term, keep: set[Label]) -> Term:
    axes = [axis for axis, label in enumerate(term.labels) if label not in keep]
    return Term(contraction.total(term.node, axes), tuple(label for label in term.labels if label in keep))


def _best_pair(terms: Sequence[Term], output: tuple[Label, ...], lengths: dict[Label, Dim]) -> tuple[int, int]:
    """The pair whose product is smallest beside its operands, the leftmost of equals, by the sizes at hand."""

    def elements(labels: set[Label]) -> int:
        count = 1
        for label in labels:
            count *= current().value(lengths[label])
        return count

    def growth(pair: tuple[int, int]) -> int:
        x, y = (terms[i] for i in pair)
        keep = _needed(terms, (x, y), output)
        both = {*x.labels, *y.labels}
        return elements(both & keep) - elements(set(x.labels)) - elements(set(y.labels))

    return min(combinations(range(len(terms)), 2), key=growth)


def _contract(x: Term, y: Term, keep: set[Label], lengths: dict[Label, Dim]) -> Term:
    """The product of two operands, summed over the labels that nothing else needs."""
    shared = [label for label in x.labels if label in y.labels]
    summed = [label for label in shared if label not in keep]
    batch = [label for label in shared if label in keep]
    left = [label for label in x.labels if label not in shared]
    right = [label for label in y.labels if label not in shared]
    if not summed or not (left or right):
        labels = (*x.labels, *right)
        product = current().make("multiply", _spread(x, labels, lengths), _spread(y, labels, lengths))
        return _sum_out(Term(product, labels), keep)

    def shape(*groups: Sequence[Label]) -> list[Dim]:
        return [*(lengths[label] for label in batch), *(_size(group, lengths) for group in groups)]

    rows = [left] if left or batch else []
    columns = [right] if right or batch else []
    first = build.reshape(_ordered(x, [*batch, *left, *summed]), shape(*rows, summed))
    second = build.reshape(_ordered(y, [*batch, *summed, *right]), shape(summed, *columns))
    labels = (*batch, *left, *right)
    return Term(build.reshape(contraction.matmul(first, second), [lengths[label] for label in labels]), labels)


def _size(labels: Sequence[Label], lengths: dict[Label, Dim]) -> Dim:
    total: Dim = 1
    for label in labels:
        total = total * lengths[label]
    return total


def _ordered(term: Term, labels: Sequence[Label]) -> Node:
    return build.transpose(term.node, [term.labels.index(label) for label in labels])


def _spread(term: Term, labels: Sequence[Label], lengths: dict[Label, Dim]) -> Node:
    """The operand repeated along the labels that it lacks."""
    own = [label for label in labels if label in term.labels]
    shape = [lengths[label] for label in labels]
    return build.broadcast(_ordered(term, own), shape, [labels.index(label) for label in own])


def _view(operand: Array, labels: tuple[Label, ...], output: tuple[Label, ...]) -> View:
    """What `einsum` of one operand without a sum is: a view with permuted axes and diagonals, which can be written."""
    shape = operand.shape
    lengths = _lengths([operand.node], [labels])

    def read(base: Node) -> Node:
        return evaluate([base], [labels], output)

    def write(base: Node, part: Node) -> Node:
        if len(set(labels)) == len(labels):
            return build.transpose(part, [output.index(label) for label in labels])
        first = [labels.index(label) for label in labels]
        chosen = ir.constant(True, np.dtype(bool), shape)
        for axis, other in enumerate(first):
            if other != axis:
                indices = (iota(shape, k) for k in (axis, other))
                chosen = current().make("logical_and", chosen, current().make("equal", *indices))
        distinct = [label for axis, label in enumerate(labels) if first[axis] == axis]
        ordered = build.transpose(part, [output.index(label) for label in distinct])
        placed = build.broadcast(ordered, shape, [labels.index(label) for label in distinct])
        return current().make("where", chosen, placed, base)

    assert all(label in lengths for label in output)
    return View(read, write)
