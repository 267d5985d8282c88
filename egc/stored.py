"""Optimized Programs as entries of the cache: what names them, and their form.

An optimized Program follows from the captured one, the rules, the costs and the sizes at which costs are evaluated; these
are its key. The sizes are exact: rounding them would let another parenthesization win than the cheapest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from egc import cache
from egc.check import check
from egc.costtable import CostTable
from egc.errors import EgcError, ProgramError
from egc.ir import Node, Program, topological
from egc.rewrite import Condition, Rewrite
from egc.text import parse_program, print_program

KIND = "program"


def program_key(
    program: Program, bindings: Mapping[str, int], rules: Iterable[str], precision: str, costs: CostTable
) -> str | None:
    """The key under which the optimized form of a Program is kept; None for a Program that has no text.

    rules: the identities of the rules, see `rewrite_identity`.
    """
    versions = cache.versions()
    if versions is None:
        return None
    try:
        text = print_program(_anonymous(program))
    except EgcError:
        return None
    scopes = [f"{k} {' '.join(sorted(node.scopes))}" for k, node in enumerate(program.nodes()) if node.scopes]
    sizes = [f"{name}={bindings[name]}" for name in sorted(bindings)]
    prices = json.dumps(asdict(costs), sort_keys=True, default=repr)
    lists = map(cache.digest, (scopes, sizes, rules))
    return cache.digest([*versions, KIND, text, *lists, precision, prices])


def rewrite_identity(rewrite: Rewrite) -> str:
    """All that is particular to a rewrite, as text. Raises ProgramError for one that has no text."""
    rule = rewrite.rule
    conditions: Sequence[Condition] = (*rewrite.conditions, *rewrite.spared)
    outputs = (rewrite.left, rewrite.right, *(condition.operand for condition in conditions))
    inputs = dict.fromkeys((*rewrite.variables, *(node for node in topological(outputs) if node.op == "input")))
    return "\n".join(
        [
            print_program(Program(tuple(inputs), outputs)),
            f"{rule.name} {rule.file}:{rule.line} {rule.precision} {rule.dtypes} {rule.both_ways}",
            f"{rule.error_bound} {rule.stabilizes} {sorted(rewrite.constants)} {rewrite.generic} {len(rewrite.variables)}",
            " ".join(f"{c.predicate} {c.spares}" for c in rewrite.conditions),
            " ".join(f"{c.predicate} {c.spares}" for c in rewrite.spared),
        ]
    )


def _anonymous(program: Program) -> Program:
    return Program(program.inputs, program.outputs, "program", program.size_inputs)


def encode(captured: Program, optimized: Program) -> bytes | None:
    """The entry of an optimized Program: for each Node the captured Node whose source line it has, and the text."""
    remarks: dict[Any, int] = {}
    for position, node in enumerate(captured.nodes()):
        remarks.setdefault((node.line, node.scopes), position)
    try:
        text = print_program(_anonymous(optimized))
    except EgcError:
        return None
    origins = [remarks.get((node.line, node.scopes), -1) for node in optimized.nodes()]
    return f"{json.dumps(origins)}\n{text}".encode()


def decode(captured: Program, entry: bytes) -> Program | None:
    """The optimized Program of an entry. None where it is not a Program with the captured one's inputs and results."""
    try:
        head, text = entry.decode().split("\n", 1)
        parsed = parse_program(text)
        origins = json.loads(head)
        if parsed.inputs != captured.inputs or [n.type for n in parsed.outputs] != [n.type for n in captured.outputs]:
            return None
        program = check(captured.with_outputs(parsed.outputs))
        _restore_remarks(list(captured.nodes()), list(program.nodes()), origins)
    except (EgcError, ValueError, TypeError, IndexError):
        return None
    return program


def _restore_remarks(captured: Sequence[Node], optimized: Sequence[Node], origins: Sequence[int]) -> None:
    if len(origins) != len(optimized):
        raise ProgramError("another number of Nodes than was kept")
    for node, origin in zip(optimized, origins):
        if origin >= 0 and node.line is None and not node.scopes:
            node.line, node.scopes = captured[origin].line, captured[origin].scopes
