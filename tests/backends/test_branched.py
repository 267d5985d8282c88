"""Choices between numbers in loops as branches: worth it, in order, and the same to the last bit."""

from __future__ import annotations

import re
from random import Random

import numpy as np
import pytest

import egc
from egc import ir
from egc.backends.numba.branched import Chosen, branched
from egc.lower.statements import Access, Apply, Load, Store
from egc.types import parse_type

RANDOM = np.random.default_rng(11)


def code_of(function, *arguments):
    return egc.optimize(function).plan(*arguments).compiled.code


def agree(function, *arguments):
    optimized = egc.optimize(function, precision="exact")
    ours, theirs = ([np.copy(a) if isinstance(a, np.ndarray) else a for a in arguments] for _ in range(2))
    found, expected = optimized(*ours), function(*theirs)
    for a, b in zip((*found, *ours), (*expected, *theirs)):
        np.testing.assert_array_equal(a, b)
    assert optimized.statistics.as_written == 0


def longest(a, b):
    before, row = np.zeros(len(b) + 1, dtype=np.int64), np.zeros(len(b) + 1, dtype=np.int64)
    for x in a:
        for j in range(len(b)):
            if x == b[j]:
                row[j + 1] = before[j] + 1
            else:
                row[j + 1] = max(row[j], before[j + 1])
        before, row = row, before
    return before, row


def steered(x, limit):
    """Several states that one condition chooses, and others that read them in the same iteration."""
    level, speed, turns, total = 0.0, 1.0, 0, 0.0
    while turns < 60 and level < limit:
        pull = level * 0.3 - speed
        if pull > x[turns % len(x)]:
            level = level + 0.5 * speed + 0.125 * pull
            speed = speed * 0.5 - pull * level
            total += level * speed + 1.0
        else:
            speed = speed + 0.25
            level = level + speed * 0.5 + pull * 0.125
        turns += 1 if level * 2.0 > speed else 2
    return level, speed, turns, total


def overwritten(x, y):
    """Each side reads elements that are written between the choices."""
    s = 0.5
    for i in range(1, len(x) - 1):
        if s > y[i]:
            a = x[i - 1] * 2.0 + x[i + 1] * 3.0 - s
        else:
            a = x[i - 1] - x[i] * y[i] + s * 0.25
        x[i] = a
        if s > y[i]:
            s = x[i] * 0.5 - x[i - 1] * 0.25 + a * 0.125
        else:
            s = x[i + 1] * 0.5 + x[i - 1] * 0.25 - a * 0.125
    return x, s


def test_work_of_one_side_is_behind_a_branch():
    a, b = RANDOM.integers(0, 4, 30), RANDOM.integers(0, 4, 40)
    inner = code_of(longest, a, b).split("for _i2")[1]
    assert "if v" in inner and "else:" in inner
    agree(longest, a, b)


def test_little_work_is_a_choice():
    def steps(x):
        low, high = 0.0, 1.0
        for i in range(len(x)):
            if low * 2.0 > x[i]:
                low, high = high, low + 1.0
            else:
                low = high * 0.5
        return low, high

    code = code_of(steps, RANDOM.normal(size=9))
    assert re.search(r"= \(v\w+ if v\w+ else v\w+\)", code) and "  if v" not in code
    agree(steps, RANDOM.normal(size=9))


@pytest.mark.parametrize("kind", ["plain", "nan", "equal"])
def test_states_that_one_condition_chooses(kind):
    x, y = RANDOM.normal(size=12), RANDOM.normal(size=12)
    if kind == "nan":
        x[3] = y[4] = np.nan
    if kind == "equal":
        x[:], y[:] = 0.5, 0.5
    agree(steered, x, 40.0)
    agree(steered, x[:1], np.inf)
    agree(overwritten, x, y)


NUMBER, FLAG = (ir.input(name, parse_type(kind)) for name, kind in (("x", "f64"), ("c", "bool")))
SUM = ir.make("add", NUMBER, NUMBER)
CHOICE = ir.make("where", FLAG, NUMBER, NUMBER)
FLOAT = np.dtype(np.float64)
SCALARS = ("a", "b")


def at(array, place):
    return Access(array, place, ())


def random_run(random, count):
    """Statements in a random order that read two flags, two numbers and an array."""
    run = [Load(f"c{k}", at(f"f{k}", 0), np.dtype(bool), True) for k in range(2)]
    values = []

    def place():
        array = random.choice([*SCALARS, "m"])
        return at(array, 0 if array in SCALARS else random.randrange(3))

    for k in range(count):
        what = random.choice(["load", "add", "add", "add", "where", "where", "store"])
        if len(values) < 2 or what == "load":
            run.append(Load(f"v{k}", place(), FLOAT, False))
        elif what == "store":
            run.append(Store(place(), random.choice(values), FLOAT))
            continue
        elif what == "add":
            run.append(Apply(f"v{k}", (random.choice(values), random.choice(values)), SUM))
        else:
            condition = f"c{random.randrange(2)}"
            run.append(Apply(f"v{k}", (condition, random.choice(values), random.choice(values)), CHOICE))
        values.append(f"v{k}")
    return [*run, Store(at("m", 2), values[-1], FLOAT)]


def outcome(steps, flags):
    memory = {"f0": [flags[0]], "f1": [flags[1]], "a": [1.0], "b": [10.0], "m": [100.0, 1000.0, 10000.0]}
    values = {}

    def execute(s):
        match s:
            case Load(name=name, access=access):
                values[name] = memory[access.array][access.offset]
            case Store(access=access, value=value):
                memory[access.array][access.offset] = values[value]
            case Chosen(condition=condition, sides=sides, results=results):
                side = 0 if values[condition] else 1
                for inner in sides[side]:
                    execute(inner)
                for name, *chosen in results:
                    values[name] = values[chosen[side]]
            case Apply(name=name, operands=operands):
                found = [values[each] for each in operands]
                values[name] = found[0] + found[1] if len(found) == 2 else found[1] if found[0] else found[2]

    for s in steps:
        execute(s)
    return memory


def test_random_statements_keep_their_meaning(monkeypatch):
    monkeypatch.setattr("egc.backends.numba.branched.LEAST", 1)
    random, found = Random(3), 0
    for _ in range(600):
        run = random_run(random, random.randrange(4, 40))
        made = branched(run, {*SCALARS, "f0", "f1"})
        found += sum(isinstance(s, Chosen) for s in made)
        for flags in ((True, True), (True, False), (False, True), (False, False)):
            assert outcome(made, flags) == outcome(run, flags)
    assert found > 200
