"""The operand dtypes that a rewrite matches.

A rewrite is traced at one operand dtype and matches every dtype of its class at which both of its sides are well typed,
alike, and its literals keep their values. Dtypes at which the rule's text is the same are matched by one rule.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from egc import ir
from egc.egraph import instantiate
from egc.egraph.schema import constant_head, quote
from egc.errors import EgcError, RuleError
from egc.ir import Node, is_constant
from egc.rewrite import Condition, Rewrite
from egc.types import DTYPES, SHORT, ArrayType

DTYPE_CLASSES = {
    "float": ("f64", "f32"),
    "inexact": ("f64", "f32", "c128", "c64"),
    "integer": tuple(name for name, dtype in DTYPES.items() if dtype.kind in "iu"),
    "number": tuple(name for name in DTYPES if name != "bool"),
    "bool": ("bool",),
    "any": tuple(DTYPES),
}


@dataclass(frozen=True)
class DtypeGroup:
    """Operand dtypes that share one rule text, and the sides and conditions typed at the first of them."""

    dtypes: tuple[str, ...]
    source: Node
    target: Node
    conditions: tuple[Condition, ...]
    spared: tuple[Condition, ...]

    def text(self, dtype: np.dtype) -> str:
        return "d" if len(self.dtypes) > 1 and SHORT[dtype] == self.dtypes[0] else quote(SHORT[dtype])


def dtype_groups(
    rewrite: Rewrite, source: Node, target: Node, present: Collection[str] | None = None
) -> list[DtypeGroup]:
    """The groups of dtypes at which `source` may become `target`, of those that are present where these are given.

    Raises RuleError where there are none at all.
    """
    traced = instantiate.operand_dtype(rewrite)
    allowed = DTYPE_CLASSES[rewrite.rule.dtypes] if traced is not None else ("f64",)
    if present is not None and traced is not None:
        allowed = tuple(name for name in allowed if name in present)
    groups: dict[object, list[tuple[str, Node, Node, tuple[Condition, ...], tuple[Condition, ...]]]] = {}
    given = (*rewrite.conditions, *rewrite.spared)
    for name in allowed:
        dtype = DTYPES[name]
        try:
            new_source, new_target, *operands = (
                instantiate.at_dtype(rewrite, root, dtype)
                for root in (source, target, *(each.operand for each in given))
            )
        except EgcError:
            continue
        before = list(ir.topological([source, target]))
        after = list(ir.topological([new_source, new_target]))
        if new_source.type != new_target.type or len(before) != len(after):
            continue
        if dtype.kind not in "fc" and any(
            is_constant(old) and old.params["value"] != new.params["value"] for old, new in zip(before, after)
        ):
            continue
        key = tuple(
            (
                constant_head(node.params["value"]) if is_constant(node) else None,
                tuple("d" if part.dtype == dtype else SHORT[part.dtype] for part in _parts(node)),
            )
            for node in after
        )
        typed = tuple(replace(condition, operand=operand) for condition, operand in zip(given, operands))
        count = len(rewrite.conditions)
        groups.setdefault(key, []).append((name, new_source, new_target, typed[:count], typed[count:]))
    if not groups and present is None:
        rule = rewrite.rule
        raise RuleError(f"rule {rule.name}: its sides have no common type at any dtype {rule.dtypes}", rule.place)
    return [DtypeGroup(tuple(each[0] for each in group), *group[0][1:]) for group in groups.values()]


def _parts(node: Node) -> tuple[ArrayType, ...]:
    return (node.type,) if isinstance(node.type, ArrayType) else node.type.items
