"""Optimized equals plain, for random programs with loops, branches and updates in place; the law itself is in `flow.py`.

A sample runs with the suite. The long run takes its length from the environment:

    EGC_PROGRAMS=3000 pytest -m slow tests/laws/test_random_flow.py
    python -m tests.laws.flow --programs 3000 --seed 0 --backend numba

A failure shows the program with all left out that it does not need.
"""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
import pytest

from tests.laws.flow import compare, failure, shortened, sound
from tests.laws.law import Disagreement, Tally
from tests.random_flow import SIZES, Statement, enclosed, generate

BACKENDS = ("reference", "numba", "jax")

LONG = int(os.environ.get("EGC_PROGRAMS", "200"))


def require_equal(seed: int, backend: str, rules: Any = None, calls: int = len(SIZES)) -> None:
    program = generate(seed, 1 + seed % 6)
    if failure(program, backend, rules, calls) is not None:
        small = shortened(program, lambda flow: failure(flow, backend, rules, calls) is not None)
        pytest.fail(f"seed {seed}, {backend}\n{small.text}{failure(small, backend, rules, calls)}", pytrace=False)


@pytest.mark.parametrize("seed", [*range(60), 164])
def test_what_is_captured_equals_plain(seed):
    require_equal(seed, "reference", rules=[])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("seed", range(1000, 1004))
def test_optimized_equals_plain(seed, backend):
    require_equal(seed, backend, calls=2)


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_optimized_equals_plain_at_length(backend):
    for seed in range(2000, 2000 + LONG):
        require_equal(seed, backend)


def test_programs_are_the_same_for_a_seed():
    assert [generate(seed).source for seed in range(20)] == [generate(seed).source for seed in range(20)]


def test_programs_have_what_functions_with_loops_have():
    text = "".join(generate(seed).text for seed in range(200))
    for part in (
        "for ", "while ", "if ", "elif ", "else:", "break", "continue", "return ", "range(n - 1, -1, -1)", "enumerate(", "zip(",
        " += ", " *= ", "[idx] ", "np.add.at(", "out=", "[1:] = ", "x, w = w, x", "clamp(", "span(", "row *= ", "part[",
        "while True:", ":= ", "scaled(", "[::-2]", "T[..., 0]", "z.conj()", "b = ~b", "pair[0]", "named[",
    ):  # fmt: skip
        assert part in text, part
    assert any("    for " in line and line.startswith(" " * 12) for line in text.splitlines()), "loops in loops"


def test_most_programs_run_to_their_end_and_some_raise():
    raised = 0
    for seed in range(120):
        program = generate(seed)
        for place in [place for place, lengths in enumerate(SIZES) if all(lengths.values())]:
            tally = Tally()
            compare(program.function(), program.function(), program.values(place), tally)
            raised += tally.raised
    assert 0 < raised < 120


@pytest.mark.parametrize("text, whole", [("(a + b)", True), ("(a) + (b)", False), ("a", False), ("((a) or (b))", True)])
def test_parentheses_hold_an_expression_or_parts_of_it(text, whole):
    assert enclosed(text) == whole


def test_a_program_is_shortened_to_what_its_failure_needs():
    program = next(flow for flow in map(generate, range(200)) if flow.text.count("np.sin(") == 1)
    small = shortened(program, lambda flow: "np.sin(" in flow.text)
    assert small.text.count("\n") < program.text.count("\n")
    assert "np.sin(" in small.text and small.results == "x"
    assert all("np.sin(" not in smaller.text for smaller in small.smaller() if sound(smaller))


def test_a_loop_is_written_with_its_counter_and_something_inside():
    loop = Statement(blocks=(("while c1 < 2 and p:", ()), ("else:", ())), before="c1 = 0", opening="c1 += 1")
    assert list(loop.lines()) == ["c1 = 0", "while c1 < 2 and p:", "    c1 += 1", "else:", "    pass"]


def halved(x):
    for i in range(len(x)):
        x[i] *= 0.5
    return x.sum()


def forgets_to_write(x):
    return 0.5 * x.sum()


def first_half(x):
    x[: len(x) // 2] *= 0.5
    return x.sum()


def raises_late(x):
    x[0] = 1.0
    return math.sqrt(-1.0 - x[0])


def raises_early(x):
    return math.sqrt(-1.0 - abs(x[0]))


def raises_something_else(x):
    x[0] = 1.0
    return x[len(x)]


@pytest.mark.parametrize(
    "plain, wrong",
    [
        (halved, forgets_to_write),
        (halved, first_half),
        (raises_late, raises_early),
        (raises_late, raises_something_else),
    ],
)
def test_the_law_sees_what_is_wrong(plain, wrong):
    x = np.arange(2.0, 6.0)
    compare(plain, plain, (x,), Tally())
    with pytest.raises(Disagreement):
        compare(plain, wrong, (x,), Tally())


def open_branch(x):
    return 1.0 if 3 * x[0] - x[0] - x[0] - x[0] == 0 else 2.0


def clear_branch(x):
    return 1.0 if x[0] > 0 else 2.0


def test_only_a_branch_that_rounding_decides_is_left_open():
    x = np.array([0.1])
    compare(open_branch, lambda x: 3.0 - open_branch(x), (x,), Tally())
    with pytest.raises(Disagreement):
        compare(clear_branch, lambda x: 3.0 - clear_branch(x), (x,), Tally())
