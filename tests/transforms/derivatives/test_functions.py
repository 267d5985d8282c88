"""Transformed functions: in any order, of any arguments, with errors that say what is wrong."""

from __future__ import annotations

import collections
import ctypes
import dataclasses
import functools

import numpy as np
import pytest
from scipy import optimize as scipy_optimize

import egc
from egc import NotDifferentiable, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp, vmap

X = np.array([1.0, 2.0, 3.0])
Pair = collections.namedtuple("Pair", "a b")


@dataclasses.dataclass
class Parameters:
    weights: object
    bias: object


def wave(x):
    return np.sum(np.sin(x) * x**2)


def slope(x):
    return np.cos(x) * x**2 + 2 * x * np.sin(x)


def curvature(x):
    return 4 * x * np.cos(x) + (2 - x**2) * np.sin(x)


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


# Composition


def descent(x):
    for _ in range(3):
        x = x - 0.1 * grad(wave)(x)
    return x


COMPOSED = {
    "grad": (lambda: grad(wave)(X), slope(X)),
    "grad of an optimized function": (lambda: grad(egc.optimize(wave, backend="reference"))(X), slope(X)),
    "optimized grad": (lambda: egc.optimize(grad(wave), backend="reference")(X), slope(X)),
    "third order": (lambda: grad(grad(grad(lambda x: x**4)))(2.0), 48.0),
    "jvp of grad": (lambda: jvp(grad(wave), (X,), (X,))[1], X * curvature(X)),
    "hvp": (lambda: hvp(wave, (X,), (X,)), X * curvature(X)),
    "jacobian of grad": (lambda: jacobian(grad(wave))(X), np.diag(curvature(X))),
    "hessian": (lambda: hessian(wave)(X), np.diag(curvature(X))),
    "hessian by reverse": (lambda: jacobian(grad(wave), mode="reverse")(X), np.diag(curvature(X))),
    "vmap of grad": (lambda: vmap(grad(wave))(np.stack([X, 2 * X])), np.stack([slope(X), slope(2 * X)])),
    "grad of vmap": (lambda: grad(lambda x: np.sum(vmap(wave)(x)))(np.stack([X, 2 * X])), slope(np.stack([X, 2 * X]))),
    "jacobian of vjp": (lambda: jacobian(lambda y: vjp(np.sin, y)[1](np.ones(3))[0])(X), np.diag(-np.sin(X))),
    "vjp of vjp": (lambda: vjp(lambda y: vjp(np.sin, y)[1](np.ones(3))[0], X)[1](X)[0], -X * np.sin(X)),
    "vjp of jvp": (lambda: vjp(lambda y: jvp(np.sin, (y,), (X,))[1], X)[1](X)[0], -X * X * np.sin(X)),
    "grad inside of an optimized function": (
        lambda: egc.optimize(descent, backend="reference")(X),
        functools.reduce(lambda x, _: x - 0.1 * slope(x), range(3), X),
    ),
    "grad inside of a loop that is differentiated": (
        lambda: grad(lambda x: np.sum(descent(x)))(X),
        np.diagonal(jacobian(descent, mode="forward")(X)),
    ),
    "grad of grad of a value": (lambda: grad(lambda x: value_and_grad(wave)(x)[0])(X), slope(X)),
}


@pytest.mark.parametrize("name", COMPOSED)
def test_transformations_compose(name):
    compute, expected = COMPOSED[name]
    close(compute(), expected)


def test_transformations_compose_when_compiled():
    close(egc.optimize(lambda x: x - hvp(wave, (x,), (x,)), backend="numba")(X), X - X * curvature(X))
    close(
        grad(egc.optimize(lambda x: np.sum(descent(x)), backend="numba"))(X),
        COMPOSED["grad inside of a loop that is differentiated"][1],
    )


def test_a_function_defined_inside_of_a_captured_one_is_differentiated():
    def outer(a):
        def inner(x):
            return np.sum(a * x**3)

        return grad(inner)(a) * grad(lambda x: np.sum(a * x))(a)

    close(outer(X), 3 * X**4)
    close(egc.optimize(outer, backend="reference")(X), 3 * X**4)
    close(jacobian(outer)(X), np.diag(12 * X**3))


def test_every_transformation_works_inside_of_a_loop_that_is_differentiated():
    def function(x, n):
        for _ in range(n):
            J = jacobian(lambda y: np.sin(y) * y[::-1])(x)
            x = x - 0.1 * np.linalg.solve(J + 3 * np.eye(len(x)), x)
            _, pull = vjp(np.sin, x)
            x = x + 0.01 * pull(x)[0] + 0.01 * hessian(lambda y: np.sum(y**4) * y[0])(x) @ x
            x = x + 0.01 * vmap(grad(lambda a: a**3))(x) * hvp(lambda y: np.sum(y**4), (x,), (x,))
        return x.sum()

    x = np.array([0.4, 0.6])
    close(grad(function)(x, 3), jacobian(function, mode="forward")(x, 3))
    egc.check_grads(function, (x, 3), order=1, argnums=0)


# Functions


class Quadratic:
    def __init__(self, weights):
        self.weights = weights

    def loss(self, x):
        return np.sum(self.weights * x**2)

    __call__ = loss


class WithoutHash(Quadratic):
    __hash__ = None
    __call__ = Quadratic.loss


FUNCTIONS = {
    "method": Quadratic(X).loss,
    "object": Quadratic(X),
    "object without a hash": WithoutHash(X),
    "partial": functools.partial(lambda w, x: np.sum(w * x**2), X),
    "lambda": lambda x: np.sum(X * x**2),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_can_be_called_is_differentiated(name):
    close(grad(FUNCTIONS[name])(X), 2 * X**2)
    close(jvp(FUNCTIONS[name], (X,), (X,))[1], np.sum(2 * X**3))


def test_ufuncs_and_numpy_functions_are_differentiated():
    close(grad(np.sin)(1.0), np.cos(1.0))
    close(grad(np.linalg.det)(2 * np.eye(2)), 2 * np.eye(2))
    close(grad(np.sum)(X), np.ones(3))


# Arguments


def product(a, b=2.0, *, c=1.0):
    return np.sum(a * b**2) * c


CHOSEN = {
    "number": (lambda: grad(product, 1)(X, X), 2 * X * X),
    "name": (lambda: grad(product, "b")(X, X), 2 * X * X),
    "from the end": (lambda: grad(product, -1)(X, X), 2 * X * X),
    "name of a keyword": (lambda: grad(product, "b")(X, b=3.0), 36.0),
    "name of a keyword-only argument": (lambda: grad(product, "c")(X, c=3.0), 24.0),
    "number of a keyword": (lambda: grad(product)(a=X, b=3.0), 9 * np.ones(3)),
    "other keywords": (lambda: grad(product)(X, c=3.0), 12 * np.ones(3)),
    "one of many": (lambda: grad(lambda *a: np.sum(a[0] * a[1]), 1)(X, 2 * X), X),
    "one of many keywords": (lambda: grad(lambda **a: np.sum(a["u"] * a["v"]), "v")(u=X, v=2 * X), X),
}


@pytest.mark.parametrize("name", CHOSEN)
def test_arguments_are_chosen_by_position_or_name(name):
    compute, expected = CHOSEN[name]
    close(compute(), expected)


def test_several_arguments_have_a_tuple_of_gradients():
    found = grad(product, (0, "b"))(X, X)
    assert type(found) is tuple
    close(found, (X * X, 2 * X * X))
    (alone,) = grad(product, (1,))(X, X)
    close(alone, 2 * X * X)
    blocks = hessian(product, (0, 1))(X, X)
    close(blocks[0][1], np.diag(2 * X))


@pytest.mark.parametrize("argnums", [2, -3, "zz", (0, 0), (0, "a")])
def test_arguments_that_are_not_there_or_chosen_twice_are_refused(argnums):
    with pytest.raises(TypeError, match="argument"):
        grad(product, argnums)(X, X)


FORMS = [
    {"a": X, "b": 2.0},
    [X, 2.0],
    (X, 2.0),
    Pair(X, 2.0),
    Parameters(X, 2.0),
    {"p": (X, [2.0]), "none": None},
]


def parts(value):
    if dataclasses.is_dataclass(value):
        return [value.weights, value.bias]
    if isinstance(value, dict):
        return [part for each in value.values() for part in parts(each)]
    if isinstance(value, (tuple, list)):
        return [part for each in value for part in parts(each)]
    return [] if value is None else [value]


def of_parts(value):
    a, b = parts(value)
    return np.sum(a**2 * b)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: type(form).__name__)
def test_containers_have_gradients_of_their_form(form):
    functions = {
        dict: lambda v: np.sum(v["a"] ** 2 * v["b"]) if "a" in v else np.sum(v["p"][0] ** 2 * v["p"][1][0]),
        list: lambda v: np.sum(v[0] ** 2 * v[1]),
        tuple: lambda v: np.sum(v[0] ** 2 * v[1]),
        Pair: lambda v: np.sum(v.a**2 * v.b),
        Parameters: lambda v: np.sum(v.weights**2 * v.bias),
    }
    found = grad(functions[type(form)])(form)
    assert type(found) is type(form)
    a, b = parts(found)
    close(a, 4 * X)
    close(b, np.sum(X**2))


@pytest.mark.parametrize("make", [lambda a, b: {"a": a, "b": b}, Pair, Parameters, lambda a, b: [a, b]])
def test_results_in_containers_have_jacobians_in_them(make):
    found = jacobian(lambda x: make(np.sum(x), x**2))(X)
    assert type(found) is type(make(0, 0))
    close(parts(found)[0], np.ones(3))
    close(parts(found)[1], np.diag(2 * X))


def test_tangents_and_cotangents_belong_to_keys_and_not_to_their_order():
    assert jvp(lambda p: p["a"] * 10 + p["b"], ({"a": 1.0, "b": 2.0},), ({"b": 1.0, "a": 0.0},))[1] == 1
    assert vjp(lambda x: {"a": x, "b": 10 * x}, 1.0)[1]({"b": 1.0, "a": 0.0}) == (10.0,)


@pytest.mark.parametrize(
    "tangent, why",
    [
        ((np.ones(2),), "shape"),
        ((np.ones(3), 1.0), "parts"),
        ((1j * X,), "complex"),
        (({"a": X},), "form"),
        ((None,), "None"),
    ],
)
def test_tangents_must_fit_the_arguments(tangent, why):
    with pytest.raises(TypeError, match=why):
        jvp(wave, (X,), tangent)


def test_cotangents_must_fit_the_results():
    _, pull = vjp(lambda x: (x, np.sum(x)), X)
    close(pull((X, 1.0))[0], X + 1)
    for cotangents in ((X,), X, (X, X)):
        with pytest.raises(TypeError, match="cotangents"):
            pull(cotangents)


def test_auxiliary_results_come_beside_the_derivative():
    def function(x):
        return np.sum(x**2), {"doubled": 2 * x, "count": 3, "name": "x"}

    gradient, beside = grad(function, has_aux=True)(X)
    close(gradient, 2 * X)
    close(beside["doubled"], 2 * X)
    assert (beside["count"], beside["name"]) == (3, "x")
    (value, beside), gradient = value_and_grad(function, has_aux=True)(X)
    assert value == 14
    found, beside = jacobian(lambda x: (x**2, 2 * x), has_aux=True)(X)
    close(found, np.diag(2 * X))
    close(beside, 2 * X)
    with pytest.raises(TypeError, match="has_aux"):
        grad(wave, has_aux=True)(X)


@pytest.mark.parametrize(
    "value", [3, True, np.arange(3), [1.0, 2], {"k": np.int32(1)}, "text", np.ones(2, bool)], ids=repr
)
def test_an_argument_that_is_no_floating_number_is_refused_by_name(value):
    with pytest.raises(NotDifferentiable, match="argument weights"):
        grad(lambda weights: 1.0)(value)


@pytest.mark.parametrize(
    "function, why",
    [
        (lambda x: x, r"shape \(3,\)"),
        (lambda x: x[:1], r"shape \(1,\)"),
        (lambda x: np.argmax(x), "int64"),
        (lambda x: 2, "int64"),
        (lambda x: np.sum(x) * 1j, "complex"),
        (lambda x: (np.sum(x),), "several"),
        (lambda x: None, "NoneType"),
    ],
)
def test_a_result_that_is_no_real_number_has_no_gradient(function, why):
    with pytest.raises(NotDifferentiable, match=why):
        grad(function)(X)


def test_a_derivative_has_its_arguments_precision():
    x = X.astype(np.float32)
    for function in (grad(wave), hessian(wave), egc.optimize(grad(wave), backend="numba")):
        assert function(x).dtype == np.float32
    np.testing.assert_allclose(grad(wave)(x), slope(X), rtol=2e-6)
    assert type(grad(lambda x: x**2)(np.float32(3))) is np.float32


# Consumers


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def test_gradients_feed_scipys_minimizers():
    start = np.array([-1.2, 1.0, 0.5])
    both = scipy_optimize.minimize(egc.value_and_grad(rosenbrock), start, jac=True, method="BFGS")
    newton = scipy_optimize.minimize(
        rosenbrock, start, jac=grad(rosenbrock), hess=hessian(rosenbrock), method="Newton-CG"
    )
    for found in (both, newton):
        np.testing.assert_allclose(found.x, np.ones(3), atol=1e-4)


def test_values_with_gradients_feed_c():
    made = egc.optimize(value_and_grad(lambda x: np.sum(x**4)), backend="numba").compile(np.ones(3))
    pointer = ctypes.POINTER(ctypes.c_double)
    function = ctypes.CFUNCTYPE(None, pointer, ctypes.c_int64, pointer, pointer)(made.address)
    value, gradient = np.empty(1), np.empty(3)
    function(*(X.ctypes.data_as(pointer), 3), *(each.ctypes.data_as(pointer) for each in (value, gradient)))
    assert value[0] == 98
    close(gradient, 4 * X**3)
