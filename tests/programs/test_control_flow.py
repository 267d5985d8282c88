"""Whole functions with loops, branches and updates in place: equal to the plain functions, arguments included.

Every program is captured with nothing opaque, unless it is in `AS_WRITTEN`, and means what NumPy does at its larger sizes.
All backends with all rules, from the smallest size, are a long sweep, of which CI runs a seeded sample:

    EGC_PROGRAMS=2000 pytest -m slow tests/programs
"""

from __future__ import annotations

import ast
import copy
import inspect
import os
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import egc
from tests.laws.law import numbers, same_sharing, same_structure
from tests.programs.programs import PROGRAMS, Program

BACKENDS = ("reference", "numba", "jax")
LONG = int(os.environ.get("EGC_PROGRAMS", "1000"))
GAPS: dict[tuple[str, str], str] = {}
"""Programs that go wrong on a backend, and why; a strict xfail, so that one that is put right must leave."""

SWEEP = [(program, backend) for program in PROGRAMS for backend in BACKENDS]
SAMPLE = np.random.default_rng(4).permutation(len(SWEEP))[:LONG]

AS_WRITTEN: frozenset[str] = frozenset()
"""The programs that are not encoded, or not wholly. One that is must leave this list."""

by_name = pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)


def cases(pairs: Sequence[tuple[Program, str]]) -> list[Any]:
    """Programs with backends as parameters of a test."""
    found = []
    for program, backend in pairs:
        why = GAPS.get((program.name, backend))
        marks = [pytest.mark.xfail(reason=why, strict=True)] if why else []
        found.append(pytest.param(program, backend, id=f"{program.name}-{backend}", marks=marks))
    return found


def require_equal(program: Program, optimized: Any, size: int) -> None:
    """The same result and the same arguments after the call: structure, types, dtypes, shapes, memory, values."""
    arguments = program.arguments(size)
    theirs, ours = copy.deepcopy(arguments), copy.deepcopy(arguments)
    with np.errstate(all="ignore"):
        expected, found = program.function(*theirs), optimized(*ours)
    same_structure((found, ours), (expected, theirs), f"{program.name} at size {size}")
    same_sharing((found, ours), (expected, theirs))
    for position, (a, b) in enumerate(zip(numbers((found, ours)), numbers((expected, theirs)))):
        require_close(np.asarray(a), np.asarray(b), program.rtol, f"value {position} at size {size}")


def require_close(found: np.ndarray, expected: np.ndarray, rtol: float, what: str) -> None:
    if expected.dtype.kind not in "fc":
        np.testing.assert_array_equal(found, expected, what)
        return
    scale = np.max(np.abs(expected), initial=0.0, where=np.isfinite(expected))
    np.testing.assert_allclose(found, expected, rtol, rtol * scale, err_msg=what)


@pytest.mark.parametrize("program, backend", cases([(program, "reference") for program in PROGRAMS]))
def test_a_program_is_equal_to_numpy_with_nothing_opaque_unless_it_is_listed(program, backend):
    optimized = egc.optimize(program.function, backend=backend, rules=[])
    for size in program.sizes[1:]:
        require_equal(program, optimized, size)
    found = optimized.statistics
    assert bool(found.reasons or found.as_written) == (program.name in AS_WRITTEN), found.reasons


@pytest.mark.slow
@pytest.mark.parametrize("program, backend", cases([SWEEP[place] for place in SAMPLE]))
def test_a_program_is_equal_to_numpy_on_every_backend_from_the_smallest_size(program, backend):
    optimized = egc.optimize(program.function, backend=backend)
    for size in program.sizes:
        require_equal(program, optimized, size)


def test_programs_have_names_of_their_own_and_what_is_listed_is_one_of_them():
    names = [program.name for program in PROGRAMS]
    assert len(set(names)) == len(names) >= 64
    assert set(names) >= AS_WRITTEN


@by_name
def test_the_table_says_what_a_program_does(program):
    assert len(program.sizes) >= 3 and all(a < b for a, b in pairwise(program.sizes))
    assert len(program.measured) in (0, 2)
    for size in program.sizes:
        first, second = program.arguments(size), program.arguments(size)
        same = [np.array_equal(a, b) for a, b in zip(numbers(first), numbers(second))]
        assert all(same), "the arguments of a size are the same ones each time"
    program.function(*first)
    changed = [not np.array_equal(a, b) for a, b in zip(numbers(first), numbers(second))]
    assert any(changed) == program.mutates
    assert "egc" not in inspect.getsource(inspect.getmodule(program.function))
    assert len(ast.get_docstring(ast.parse(inspect.getsource(program.function)).body[0]).splitlines()) == 1
