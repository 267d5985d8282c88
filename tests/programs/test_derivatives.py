"""Derivatives of whole functions: tangents are central differences, and cotangents transpose them.

The fast suite takes a seeded sample by NumPy; all programs, by NumPy and by numba with all rules, are a long sweep:

    pytest -m slow tests/programs/test_derivatives.py

EGC_PROGRAMS is the number of them that a shorter sweep takes.
"""

from __future__ import annotations

import copy
import dataclasses
import os
from typing import Any

import numpy as np
import pytest

from egc.derivatives import PLAIN, jvp, vjp
from egc.dispatch import Optimized
from tests.laws.law import numbers
from tests.programs.programs import PROGRAMS, Program

SAMPLE = 6

TOLERANCE = 1e-3
"""What numbers are below that end loops."""

AT_JUMPS = {
    "gauss_seidel": "its tolerance moves, and with it the number of iterations",
    "power_iteration": "its tolerance moves, and with it the number of iterations",
    "conjugate_gradients": "its tolerance moves below 0, where it never ends",
    "adaptive_step": "its tolerance moves, and with it the number of steps",
    "shortest_paths": "paths of equal length are ties",
    "ising_sweeps": "it changes an array of integers, which does not move",
    "ising_halves": "it changes an array of integers, which does not move",
    "k_means_arrays": "it is not encoded",
    "bisection": "which half it keeps is a decision, and moves only with jumps",
    "golden_section": "which part it keeps is a decision, and moves only with jumps",
    "implied_volatilities": "they are found by bisection",
    "page_rank": "one of its pages has no links, which is a case of its own",
    "peaks": "its result is as long as data say",
}
"""Programs that have no derivative at the arguments of the table, or for which differences are none."""


def floating(value: Any) -> bool:
    leaves = list(numbers(value))
    return bool(leaves) and all(isinstance(leaf, float) or np.asarray(leaf).dtype.kind in "fc" for leaf in leaves)


def moving(program: Program) -> list[int]:
    """The places of the arguments that move: those made of floating numbers. Tolerances do not: below 0, loops never end."""
    arguments = program.arguments(program.sizes[1])
    return [
        place
        for place, argument in enumerate(arguments)
        if floating(argument) and not (isinstance(argument, float) and 0 < argument < TOLERANCE)
    ]


STEEP = {"garch_likelihood": 2e-3}
"""How far tangents may be from differences where the step is not small: that program's variances are of 1e-4."""

DIFFERENTIABLE = [program for program in PROGRAMS if program.name not in AT_JUMPS and moving(program)]


def each(function: Any, value: Any, *others: Any) -> Any:
    """A function of the numbers in lists, tuples and dictionaries of one form."""
    if isinstance(value, dict):
        return {key: each(function, part, *(other[key] for other in others)) for key, part in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(each(function, *parts) for parts in zip(value, *others))
    return function(value, *others)


def require_derivatives(program: Program, backend: str) -> None:
    """Of the results, and of what the arguments are after the call."""
    places, arguments = moving(program), program.arguments(program.sizes[1])

    def function(*values: Any) -> Any:
        full = list(arguments)
        for place, value in zip(places, values):
            full[place] = value
        return program.function(*full), [full[place] for place in places]

    options = dataclasses.replace(PLAIN, backend=backend, rules=[] if backend == "reference" else None)
    compiled = Optimized(function, options)
    random = np.random.default_rng(1)

    def drawn(leaf: Any) -> Any:
        like = np.asarray(leaf)
        if leaf is None or like.dtype.kind not in "fc":
            return leaf if leaf is None else np.zeros_like(like)
        found = random.normal(size=like.shape)
        found = found + 1j * random.normal(size=like.shape) if like.dtype.kind == "c" else found
        return found.astype(like.dtype) if isinstance(leaf, np.ndarray) else like.dtype.type(found)

    values = tuple(arguments[place] for place in places)
    tangents = each(drawn, values)
    results, pushed = jvp(compiled, copy.deepcopy(values), tangents)
    step = 1e-6
    with np.errstate(all="ignore"):
        up, down = (
            function(*each(lambda x, t, sign=sign: x + sign * step * t, copy.deepcopy(values), tangents))
            for sign in (1, -1)
        )
    for tangent, high, low in zip(numbers(pushed), numbers(up), numbers(down), strict=True):
        if np.asarray(high).dtype.kind in "fc" and np.size(high):
            expected = (np.asarray(high) - np.asarray(low)) / (2 * step)
            scale = np.max(np.abs(expected)) + 1e-3
            assert np.max(np.abs(np.asarray(tangent) - expected)) < STEEP.get(program.name, 1e-4) * scale
    cotangents = each(drawn, results)
    pulled = vjp(compiled, *copy.deepcopy(values))[1](cotangents)
    assert paired(cotangents, pushed) == pytest.approx(paired(pulled, tangents), rel=1e-8, abs=1e-10)


def paired(weights: Any, moved: Any) -> float:
    pairs = zip(numbers(weights), numbers(moved), strict=True)
    products = [np.sum(np.asarray(a) * np.asarray(b)) for a, b in pairs if a is not None]
    return float(np.real(sum(products)))


@pytest.mark.parametrize(
    "program",
    np.random.default_rng(6).choice(np.array(DIFFERENTIABLE, object), SAMPLE, replace=False),
    ids=lambda program: program.name,
)
def test_derivatives_of_a_program(program):
    require_derivatives(program, "reference")


ALL = [(program, backend) for program in DIFFERENTIABLE for backend in ("reference", "numba")]
LONG = min(int(os.environ.get("EGC_PROGRAMS", len(ALL))), len(ALL))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "backend"),
    [ALL[k] for k in np.random.default_rng(4).choice(len(ALL), LONG, replace=False)],
    ids=lambda value: getattr(value, "name", value),
)
def test_derivatives_of_every_program(program, backend):
    require_derivatives(program, backend)


def test_programs_without_derivatives_are_programs():
    assert AT_JUMPS.keys() <= {program.name for program in PROGRAMS}
