"""Nests that are taken apart: each computes what it uses."""

import numpy as np

from egc import sizes
from egc.lower.apart import can_be_taken_out, taken_out
from egc.lower.statements import Access, Fold, For, Load, Store, operands, statements, writes

FLOAT64 = np.dtype(np.float64)


def test_a_copy_beside_a_sum_is_taken_out_alone():
    n = sizes.symbol("n")
    row = [Access(name, 0, (1,)) for name in ("a", "b", "old", "new")]
    nest = For(
        n,
        (
            Load("x", row[0], FLOAT64, False),
            Load("y", row[1], FLOAT64, False),
            Fold("t", "sum", "x", 0, FLOAT64),
            Load("z", row[2], FLOAT64, False),
            Store(row[3], "z", FLOAT64),
            Store(Access("other", 0, (1,)), "y", FLOAT64),
        ),
    )
    assert can_be_taken_out(nest, "new")
    first, second = taken_out([nest], 0, "new")
    assert [s for s in statements([second]) if isinstance(s, Fold)] == []
    assert [access.array for s in statements([second]) for access in writes(s)] == ["new"]
    assert [access.array for s in statements([first]) for access in writes(s)] == ["other"]
    assert [s.name for s in statements([first]) if isinstance(s, Fold)] == ["t"]
    for part in (first, second):
        made = {s.name for s in statements([part]) if hasattr(s, "name")}
        assert {name for s in statements([part]) for name in operands(s)} <= made
