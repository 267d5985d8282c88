"""Every backend agrees with the reference on every op: op x dtype x backend, gaps declared in `gaps.py`."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache
from importlib.util import find_spec
from itertools import product
from typing import Any

import numpy as np
import pytest

from egc import backend, ops
from egc.backends import reference

from .compare import assert_agree
from .gaps import GAPS, gap
from .operands import EVERY_DTYPE
from .samples import BUILDERS, FROM_OTHERS, Case, cases, program

BACKENDS = [name for name in backend.BUILT_IN if name != "reference" and find_spec(f"egc.backends.{name}")]


def groups() -> dict[tuple[str, str, str], list[int]]:
    """The positions in `cases(op)` of the cases of each (op, dtype, label)."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for op in sorted(set(ops.OPS) - FROM_OTHERS):
        for number, case in enumerate(cases(op)):
            found.setdefault((op, case.dtype, case.label), []).append(number)
    return found


GROUPS = groups()


def run(name: str, chosen: list[Case]) -> list[tuple[np.ndarray, ...]]:
    """Each case's results, from one Program that computes them all."""
    whole, arguments, counts = program(chosen)
    results = iter(backend.load(name).compile(whole).run(*arguments))
    return [tuple(next(results) for _ in range(count)) for count in counts]


@cache
def expected(op: str) -> list[tuple[np.ndarray, ...]]:
    return run("reference", list(cases(op)))


@cache
def together(name: str, op: str) -> list[tuple[np.ndarray, ...]] | None:
    """All cases of an op that are not in a gap, compiled as one Program; None where that fails."""
    keep = {k for group, members in GROUPS.items() if group[0] == op and not gap(name, *group) for k in members}
    chosen = [case for k, case in enumerate(cases(op)) if k in keep]
    try:
        results = iter(run(name, chosen))
    except Exception:
        return None
    return [next(results) if k in keep else () for k in range(len(cases(op)))]


def parameters() -> list[Any]:
    found = []
    for name, group in product(BACKENDS, GROUPS):
        why = gap(name, *group)
        marks = [pytest.mark.xfail(strict=True, reason=why)] if why else []
        found.append(pytest.param(name, group, marks=marks, id="-".join((name, *group))))
    return found


@pytest.mark.parametrize(("name", "group"), parameters())
def test_backend_agrees_with_reference(name, group):
    op, members = group[0], GROUPS[group]
    shared = None if gap(name, *group) else together(name, op)
    results = shared if shared is not None else dict(zip(members, run(name, [cases(op)[k] for k in members])))
    for k in members:
        assert_agree(cases(op)[k], results[k], expected(op)[k])


def test_samples_cover_every_op():
    assert {op for op, _, _ in GROUPS} | FROM_OTHERS == set(ops.OPS)
    assert set(BUILDERS) <= set(ops.OPS)


@pytest.mark.parametrize("name", GAPS)
def test_every_gap_is_about_some_case(name):
    for pattern in GAPS[name]:
        op, dtype, label = pattern
        groups = [group for group in GROUPS if group[0] == op]
        assert groups, pattern
        if EVERY_DTYPE:
            assert any(fnmatchcase(group[1], dtype) and fnmatchcase(group[2], label) for group in groups), pattern


def test_reference_gives_the_inferred_types():
    for op in sorted(set(ops.OPS) - FROM_OTHERS):
        whole, arguments, _ = program(list(cases(op)))
        for node, value in zip(whole.outputs, reference.evaluate(whole, arguments)):
            assert value.dtype == node.type.dtype and value.ndim == node.type.rank, op
