"""Every backend agrees with the reference on every op: op x dtype x backend, gaps declared in `gaps.py`."""

from __future__ import annotations

import zlib
from fnmatch import fnmatchcase
from functools import cache
from importlib.util import find_spec
from itertools import product
from typing import Any

import numpy as np
import pytest

from egc import backend, ops
from egc.backends import reference

from ..sampling import places
from .compare import assert_agree
from .gaps import GAPS, gap
from .operands import EVERY_DTYPE, layouts
from .samples import BUILDERS, FROM_OTHERS, Case, cases, program

BACKENDS = [name for name in backend.BUILT_IN if name != "reference" and find_spec(f"egc.backends.{name}")]


Groups = dict[tuple[str, str, str], list[int]]

MOST = 12
"""Cases of an op of linear algebra and one dtype that the ordinary run takes; of others, twice as many."""

TOGETHER = 3
"""Cases that are one Program: what compilers do with a long function takes more than what they do with its parts, and one case
that is not compiled keeps the others of its Program from that."""


LAYOUTS = tuple(label for label, _ in layouts(np.zeros(60)))


def groups(op: str, every: bool = EVERY_DTYPE) -> Groups:
    """The positions in `cases(op, every)` of the cases of each (op, dtype, label)."""
    found: Groups = {}
    for number, case in enumerate(cases(op, every)):
        found.setdefault((op, case.dtype, case.label), []).append(number)
    return found


def ordinary(op: str) -> Groups:
    """Groups where dtypes after the first have every second of many cases, each dtype the others' than the one before it, and
    an op works on arrays of one of the unusual layouts, which differs from op to op."""
    found, seed = groups(op), zlib.crc32(op.encode())
    if EVERY_DTYPE:
        return found
    unusual = [group for group in found if group[2] in LAYOUTS]
    for group in unusual:
        if group[2] != LAYOUTS[seed % len(LAYOUTS)]:
            del found[group]
    dtypes = list(dict.fromkeys(dtype for _, dtype, _ in found))
    most = MOST if ops.OPS[op].kind == "linalg" else 2 * MOST
    for (_, dtype, label), members in found.items():
        turn = dtypes.index(dtype)
        members = [members[k] for k in sorted(places(len(members), most, seed))]
        found[op, dtype, label] = members[turn % 2 :: 2] if turn and len(members) > 2 else members
    return found


OPS = sorted(set(ops.OPS) - FROM_OTHERS)
GROUPS = {group: members for op in OPS for group, members in ordinary(op).items()}


def run(name: str, chosen: list[Case]) -> list[tuple[np.ndarray, ...]]:
    """Each case's results, from one Program that computes them all."""
    whole, arguments, counts = program(chosen)
    results = iter(backend.load(name).compile(whole).run(*arguments))
    return [tuple(next(results) for _ in range(count)) for count in counts]


@cache
def expected(op: str) -> list[tuple[np.ndarray, ...]]:
    return run("reference", list(cases(op)))


def in_parts(name: str, chosen: list[Case]) -> list[tuple[np.ndarray, ...]]:
    return [result for k in range(0, len(chosen), TOGETHER) for result in run(name, chosen[k : k + TOGETHER])]


@cache
def together(name: str, op: str) -> dict[int, tuple[np.ndarray, ...]] | None:
    """The results of all cases of an op that are not in a gap; None where one of them fails."""
    members = {k for group, some in GROUPS.items() if group[0] == op and not gap(name, *group) for k in some}
    keep = sorted(members)
    try:
        return dict(zip(keep, in_parts(name, [cases(op)[k] for k in keep])))
    except Exception:
        return None


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


@pytest.mark.slow
@pytest.mark.parametrize(("name", "op"), list(product(BACKENDS, OPS)))
def test_backend_agrees_with_reference_on_every_dtype(name, op):
    found = groups(op, True)
    keep = [k for group, members in found.items() if not gap(name, *group) for k in members]
    chosen = [cases(op, True)[k] for k in keep]
    for case, actual, right in zip(chosen, in_parts(name, chosen), run("reference", chosen)):
        assert_agree(case, actual, right)


@pytest.mark.parametrize("elementwise", [True, False])
def test_every_dtype_is_that_of_some_cases(elementwise):
    """Which are chosen differs from op to op."""
    alike = [op for op in OPS if (ops.OPS[op].kind == "elementwise") == elementwise]
    every = {dtype for op in alike for _, dtype, _ in groups(op, True)}
    assert {dtype for op, dtype, _ in GROUPS if op in alike} == every
    assert {label for _, _, label in GROUPS} >= set(LAYOUTS)


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
    for op in OPS:
        whole, arguments, _ = program(list(cases(op)))
        for node, value in zip(whole.outputs, reference.evaluate(whole, arguments)):
            assert value.dtype == node.type.dtype and value.ndim == node.type.rank, op
