"""Uncertainty is propagated by the Jacobian, and what is correlated stays so."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import egc
from egc import Uncertain
from egc.errors import NotEncodable, OperandTypeError, ShapeError


def covariance(rng, size):
    factor = rng.normal(size=(size, size))
    return factor @ factor.T


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@settings(max_examples=12, database=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 6))
def test_the_covariance_of_a_linear_function_is_that_of_its_matrix(seed, results, sources):
    rng = np.random.default_rng(seed)
    matrix, given = rng.normal(size=(results, sources)), covariance(rng, sources)
    found = egc.propagate(lambda matrix, x: matrix @ x)(matrix, Uncertain(rng.normal(size=sources), covariance=given))
    close(found.covariance(), matrix @ given @ matrix.T)
    close(found.deviation, np.sqrt(np.diag(found.covariance())))


FUNCTIONS = {
    "few sources": (lambda x: np.sin(np.outer(x, x)).ravel(), 2),
    "few results": (lambda x: np.array([np.sum(x**2), np.prod(x)]), 5),
    "a pattern": (lambda x: x[1:] * np.exp(x[:-1]), 8),
    "one number": (lambda x: np.log(np.sum(np.exp(x))), 6),
    "a loop": (lambda x: _grown(x), 3),
}


def _grown(x):
    for _ in range(3):
        x = x + 0.1 * x * (1.0 - np.roll(x, 1))
    return x


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("optimized", [False, True], ids=["plain", "optimized"])
def test_the_covariance_is_the_jacobians_times_the_given_one(name, optimized):
    function, size = FUNCTIONS[name]
    rng = np.random.default_rng(size)
    value, given = rng.uniform(0.5, 1.5, size), covariance(rng, size)
    jacobian = egc.jacobian(function)(value).reshape(-1, size)
    if optimized:
        function = egc.optimize(function, backend="reference", rules=[])
    found = egc.propagate(function)(Uncertain(value, covariance=given))
    close(found.covariance(), jacobian @ given @ jacobian.T)
    close(found.value, function(value))


def test_a_value_less_itself_has_no_deviation():
    x = Uncertain([1.0, 2.0, 3.0], 0.1)
    assert (egc.propagate(lambda x, y: x - y)(x, x).deviation == 0).all()
    assert (egc.propagate(lambda x: x / x)(x).deviation == 0).all()


def test_results_of_several_functions_are_correlated_as_they_have_to_be():
    x, y = Uncertain(3.0, 0.3), Uncertain(2.0, 0.4)
    total, difference = egc.propagate(lambda x, y: x + y)(x, y), egc.propagate(lambda x, y: x - y)(x, y)
    close(total.covariance(difference), [[0.3**2 - 0.4**2]])
    back = egc.propagate(lambda total, difference: (total + difference) / 2)(total, difference)
    close((back.value, back.deviation), (3.0, 0.3))
    close(back.correlation(x), [[1.0]])
    close(back.covariance(y), [[0.0]])
    assert total.covariance(Uncertain(1.0, 1.0)) == 0.0


def test_elements_of_an_array_keep_their_correlation():
    x = Uncertain([1.0, 2.0], covariance=[[1.0, 0.5], [0.5, 2.0]])
    close(x[0].covariance(x[1]), [[0.5]])
    close(egc.propagate(lambda a, b: a + b)(x[0], x[1]).deviation, 2.0)
    close(x[::-1].covariance(), [[2.0, 0.5], [0.5, 1.0]])


def test_arguments_and_results_may_be_in_containers_and_certain():
    parts = {"a": Uncertain([1.0, 2.0], 0.1), "b": 2.0}
    found = egc.propagate(lambda parts, k, scale=1.0: (parts["a"][k] * parts["b"] * scale, {"size": len(parts["a"])}))(
        parts, 1, scale=3.0
    )
    close((found[0].value, found[0].deviation), (12.0, 0.6))
    assert found[1] == {"size": 2}
    close(egc.propagate(lambda x: x + 1.0)(np.ones(2)), [2.0, 2.0])


def test_values_of_float32_stay_so():
    found = egc.propagate(lambda x: x * x)(Uncertain(np.float32([1.0, 2.0]), 0.5))
    assert found.value.dtype == np.float32
    np.testing.assert_allclose(found.deviation, [1.0, 2.0], rtol=1e-6)


def test_many_sources_take_few_products():
    x = Uncertain(np.linspace(0.0, 1.0, 2000), np.linspace(0.1, 0.2, 2000))
    found = egc.propagate(lambda x: np.sin(x) + x[::-1])(x)
    expected = np.hypot(np.cos(x.value) * x.deviation, x.deviation[::-1])
    close(found.deviation[:1000], expected[:1000])


def test_what_is_no_uncertain_value_is_refused():
    with pytest.raises(ValueError):
        Uncertain(1.0, -1.0)
    with pytest.raises(ValueError):
        Uncertain([1.0, 2.0], covariance=[[1.0, 2.0], [2.0, 1.0]])
    with pytest.raises(ValueError):
        Uncertain([1.0, 2.0], covariance=[[1.0, 0.5], [0.1, 1.0]])
    with pytest.raises(ShapeError):
        Uncertain([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(OperandTypeError):
        Uncertain(1j, 1.0)
    with pytest.raises(TypeError):
        Uncertain(1.0)
    with pytest.raises(NotEncodable):
        egc.propagate(lambda x: 1j * x)(Uncertain([1.0, 2.0], 0.1))
    with pytest.raises(NotEncodable):
        egc.propagate(lambda x: np.array(sorted(x.tolist())))(Uncertain([1.0, 2.0], 0.1))
