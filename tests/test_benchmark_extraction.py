"""What the suite `extraction` says of an e-graph, and concludes from its rows."""

import pytest

from benchmarks import extraction
from egc.egraph import Budget, optimize_program
from tests.egraph import rules as r
from tests.egraph import support as s
from tests.egraph.support import SIZES, TABLE, law, p, program, random_program, var

PROVED = {
    "name": "proved", "proved": True, "solved": 1, "seconds": 0.01, "bound": 10.0, "least price": 2.0,
    "sum": {"greedy": 12.0, "local": 10.0, "found": 10.0, "optimum": 10.0},
    "price": {"greedy": 3.0, "local": 3.0, "found": 2.0},
}  # fmt: skip
OPEN = {
    **PROVED, "name": "open", "proved": False, "least price": None,
    "sum": {"greedy": 15.0, "local": 15.0, "found": 15.0, "optimum": 15.0}, "price": {"greedy": 3.0, "local": 3.0, "found": 3.0},
}  # fmt: skip


def test_only_proved_optima_count():
    found = extraction.summary([PROVED, OPEN])
    assert (found["e-graphs"], found["proved"], found["all choices priced"]) == (2, 1, 1)
    assert found["sum, greedy: mean gap"] == pytest.approx(0.2) and found["sum, local: optimal"] == 1
    assert found["price, local: mean gap"] == 0.5 and found["price, found: optimal"] == 1
    assert found["gap of those not proved, largest"] == 0.5
    assert found["price lowered by the optimum"] == [["proved", pytest.approx(1 / 3)]]


@pytest.mark.parametrize(
    "step, worse",
    [(("price", "found", 4.0), True), (("sum", "optimum", 13.0), True), (("price", "greedy", 5.0), False)],
)
def test_a_step_that_is_worse_than_the_one_before_fails(step, worse):
    kind, name, value = step
    assert extraction.worse_than_before({**PROVED, kind: {**PROVED[kind], name: value}}) is worse


@pytest.mark.parametrize(
    "given, rewrites",
    [
        (random_program(3), r.ALL),
        (program(s.log(s.exp(var("x", p))), s.tan(var("x", p))), [r.LOG_OF_EXP, law("t", s.tan(r.x), s.sinh(r.x))]),
    ],
)
def test_a_row_has_every_step_and_no_worse_one(given, rewrites):
    result = optimize_program(given, rewrites, TABLE, SIZES, Budget(nodes=200))
    row = extraction.row("given", result)
    assert row["left"] <= row["enodes"] and not extraction.worse_than_before(row)
    assert result.cost_after == min(row["price"]["found"], result.cost_before)
    assert row["least price"] is None or row["least price"] <= row["price"]["found"]
    assert extraction.gap(row, "optimum") <= extraction.gap(row, "greedy")
