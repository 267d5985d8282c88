"""What the suite `costs` concludes from its rows."""

import pytest

from benchmarks import costs

GOOD = {"predicted": {"a": 1.0, "b": 4.0}, "measured": {"a": 2.0, "b": 8.0}}
WRONG = {"predicted": {"a": 2.0, "b": 3.0}, "measured": {"a": 9.0, "b": 6.0}}
ALONE = {"predicted": {"a": 5.0}, "measured": {"a": 10.0}}


def test_a_choice_loses_what_the_best_candidate_would_have_saved():
    assert costs.loss(GOOD) == 1.0
    assert costs.loss(WRONG) == 1.5


def test_choices_are_counted_where_there_are_candidates():
    found = costs.summary([GOOD, WRONG, ALONE])
    assert (found["pairs"], found["choices"]) == (5, 2)
    assert found["the predicted best was the measured best"] == 0.5
    assert found["times the best where it was not, mean"] == 1.5
    assert found["times the best over all choices, geometric mean"] == pytest.approx(1.5**0.5)


def test_programs_ranked_alike_correlate():
    assert costs.summary([GOOD, ALONE])["rank correlation"] == pytest.approx(1.0)
    turned = {"predicted": {"a": 1.0, "b": 2.0, "c": 3.0}, "measured": {"a": 3.0, "b": 2.0, "c": 1.0}}
    assert costs.summary([turned])["rank correlation"] == pytest.approx(-1.0)


def test_a_prediction_off_by_a_factor_either_way_is_off_by_that_factor():
    assert costs.summary([GOOD, ALONE])["factor between predicted and measured, median"] == 2.0
