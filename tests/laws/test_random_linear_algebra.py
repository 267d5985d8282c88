"""Rewritten equals plain, for random programs of linear algebra; the law itself is in `linear.py`."""

import os
import random

import pytest

from tests.laws import linear

LONG = 10 * int(os.environ.get("EGC_PROGRAMS", "20"))


@pytest.mark.parametrize("seed", range(12))
def test_what_rules_make_of_linear_algebra_equals_numpy(seed):
    assert linear.disagreement(seed) is None


def test_a_program_of_reversed_rows_ends():
    assert linear.disagreement(1002) is None


@pytest.mark.slow
def test_what_rules_make_of_linear_algebra_equals_numpy_at_length():
    for seed in range(1_000, 1_000 + LONG):
        assert linear.disagreement(seed) is None


def test_expressions_name_all_that_they_are_made_of():
    texts = [linear.expression(random.Random(seed), "M", 4) for seed in range(200)]
    assert len(set(texts)) > 150 and all(
        name in "".join(texts) for name in (*linear.ASSUMED, "np.linalg.inv", "U @ V.T")
    )
    assert not any("M" in text or "w," in text for text in texts)
