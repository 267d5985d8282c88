"""What an ordinary run leaves out of many cases is slow, never gone."""

from itertools import product
from types import SimpleNamespace

import pytest

from tests.sampling import crossed, left_out, places, some


def values_of(parameters):
    """The values that run now, and those that are slow."""
    marked = [each for each in parameters if isinstance(each, type(pytest.param()))]
    assert all([mark.name for mark in each.marks] == ["slow"] for each in marked)
    now = [each for each in parameters if each not in marked]
    return now, [each.values for each in marked]


def test_a_sample_and_the_others_are_all_values():
    now, later = values_of(some(range(9), 4))
    assert len(now) == 4 and sorted([*now, *(value for (value,) in later)]) == list(range(9))
    assert some("ab", 3) == ["a", "b"]
    assert places(50, 20, 1) == places(50, 20, 1) != places(50, 20, 2)


@pytest.mark.parametrize("many", [1, 2])
def test_pairs_in_turns_have_every_value_of_both(many):
    first, second = range(5), "abcd"
    now, later = values_of(crossed(first, second, many))
    assert sorted([*now, *later]) == sorted(product(first, second))
    assert len(now) == many * len(first)
    assert {a for a, _ in now} == set(first) and {b for _, b in now} == set(second)


def test_a_parameter_keeps_its_own_marks_and_name():
    (_, other) = crossed(["a"], [1, 2])
    assert other.values == ("a", 2)
    (kept,) = some([pytest.param(1, id="one", marks=pytest.mark.xfail)], 0)
    assert kept.id == "one" and [mark.name for mark in kept.marks] == ["xfail", "slow"]


def test_of_the_slow_cases_of_each_test_a_run_takes_so_many():
    def item(name, slow):
        return SimpleNamespace(nodeid=name, get_closest_marker=lambda marker: slow or None)

    items = [
        item(f"file::{test}[{k}]", slow) for test, slow in (("a", True), ("b", True), ("c", False)) for k in range(5)
    ]
    assert left_out(items, 0) == set()
    out = left_out(items, 2)
    assert len(out) == 6 and all("::c" not in name for name in out) and out == left_out(items, 2)
