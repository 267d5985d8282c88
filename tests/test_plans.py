"""Laws of plans by size: the choice follows the sizes, and equal programs are compiled once."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from egc import plans
from egc.options import Options
from egc.pipeline import make_plan
from egc.plans import SizedPlans


def chain(A, B, C):
    return A @ B @ C


def matrices(n, m, k, p):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, m)), rng.normal(size=(m, k)), rng.normal(size=(k, p))


def sized(function, *arguments):
    options = Options(backend="reference", rules=["linalg"])
    return SizedPlans(make_plan(function, arguments, {}, options, cached=False), options)


def bindings_of(found, *arguments):
    return found.first.captured.program.bind(arguments)


LEFT, RIGHT = (5, 400, 6, 300), (400, 5, 300, 6)
"""Sizes at which the left or the right product comes first."""


@pytest.fixture(scope="module")
def chained():
    return sized(chain, *matrices(*LEFT))


def test_the_product_that_comes_first_depends_on_sizes(chained):
    plans_found = {}
    for shape in (LEFT, RIGHT):
        arguments = matrices(*shape)
        plan = plans_found[shape] = chained.at(bindings_of(chained, *arguments))
        np.testing.assert_allclose(plan.compiled.run(*arguments)[0], chain(*arguments))
    first, second = plans_found.values()
    assert first is chained.first and second.program != first.program


def test_a_bucket_is_chosen_once(chained, monkeypatch):
    again = chained.at(bindings_of(chained, *matrices(*RIGHT)))
    monkeypatch.setattr(plans, "optimize_stage", None)
    assert chained.at(bindings_of(chained, *matrices(*(n + 1 for n in RIGHT)))) is again


def test_an_equal_program_is_not_compiled_again(monkeypatch):
    found = sized(chain, *matrices(*LEFT))
    monkeypatch.setattr(plans, "compile_stage", None)
    assert found.at(bindings_of(found, *matrices(*(5 * n for n in LEFT)))) is found.first


def test_small_calls_do_not_search(monkeypatch):
    found = sized(chain, *matrices(*LEFT))
    monkeypatch.setattr(plans, "optimize_stage", None)
    monkeypatch.setattr(plans, "SEARCH", 1e9)
    assert found.at(bindings_of(found, *matrices(2, 2, 2, 2))) is found.first


def test_a_program_of_loops_over_one_size_has_one_plan(monkeypatch):
    x = np.ones(10)
    found = sized(lambda x: np.exp(x) / np.sum(x), x)
    assert found.symbols == ()
    monkeypatch.setattr(plans, "optimize_stage", None)
    assert found.at({"x_0": 10**9}) is found.first


def test_a_worse_program_is_not_taken(chained, monkeypatch):
    found = sized(chain, *matrices(*LEFT))
    other = chained.at(bindings_of(chained, *matrices(*RIGHT))).program
    monkeypatch.setattr(plans, "optimize_stage", lambda *given: other)
    assert found.at(bindings_of(found, *matrices(*(5 * n for n in LEFT)))) is found.first


def test_threads_that_meet_in_a_new_bucket_get_one_plan():
    found = sized(chain, *matrices(*LEFT))
    bindings = bindings_of(found, *matrices(*RIGHT))
    with ThreadPoolExecutor(4) as threads:
        assert len({id(plan) for plan in threads.map(lambda _: found.at(bindings), range(8))}) == 1
