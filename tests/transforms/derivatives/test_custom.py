"""Functions with a derivative of their own."""

import numpy as np
import pytest

import egc
from egc.errors import NotDifferentiable


@egc.custom_derivative
def root(a):
    x = a
    while np.abs(x * x - a) > 1e-12 * a:
        x = 0.5 * (x + a / x)
    return x


@root.defjvp
def root_tangent(primals, tangents):
    x = root(*primals)
    return x, tangents[0] / (2 * x)


def weighted(v):
    total = 0.0
    for i in range(len(v)):
        total += root(v[i]) * v[i]
    return total


V = np.array([1.0, 4.0, 9.0])


def test_the_rule_is_the_derivative_to_any_order():
    assert root(9.0) == pytest.approx(3.0)
    np.testing.assert_allclose(egc.grad(root)(4.0), 0.25)
    np.testing.assert_allclose(egc.grad(egc.grad(root))(4.0), -0.25 * 4.0**-1.5)
    np.testing.assert_allclose(egc.grad(egc.grad(egc.grad(root)))(4.0), 0.375 * 4.0**-2.5)


@pytest.mark.parametrize("backend", ["reference", "numba"])
def test_the_rule_holds_inside_of_loops(backend):
    gradient = egc.optimize(egc.value_and_grad(weighted), backend=backend)
    value, found = gradient(V)
    np.testing.assert_allclose(value, np.sum(V**1.5))
    np.testing.assert_allclose(found, 1.5 * np.sqrt(V))
    assert gradient.statistics.as_written == 0


def test_a_rule_may_differ_from_the_definition_and_has_several_arguments_and_results():
    @egc.custom_derivative
    def both(x, y):
        return x * y, np.sum(x)

    @both.defjvp
    def tangents_of_both(primals, tangents):
        return both(*primals), (3 * tangents[0] * primals[1], np.sum(tangents[1]))

    first, second = egc.jacobian(both, argnums=(0, 1))(V, V)
    np.testing.assert_allclose(first[0], np.diag(3 * V))
    np.testing.assert_allclose(second[1], np.ones(3))
    assert not first[1].any() and not second[0].any()


def test_without_a_rule_there_is_no_derivative():
    bare = egc.custom_derivative(lambda x: x * x)
    with pytest.raises(NotDifferentiable, match="defjvp"):
        egc.grad(bare)(1.0)


def test_what_is_no_argument_of_the_rule_is_refused():
    def outer(a, x):
        inner = egc.custom_derivative(lambda z: a * z)
        inner.defjvp(lambda primals, tangents: (a * primals[0], a * tangents[0]))
        return inner(x)

    with pytest.raises(egc.NotEncodable):
        egc.grad(outer)(2.0, 3.0)
