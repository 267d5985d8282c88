"""`egc.check_grads`: passes what is right, and names what is wrong."""

import dataclasses

import numpy as np
import pytest

import egc
from egc import NotDifferentiable, NotEncodable, VerificationError
from egc.transforms.derivatives.elementwise import PARTIALS

X = np.array([0.5, 1.0, 2.0])


@dataclasses.dataclass
class Layer:
    weights: object
    bias: object


def mixed(layer, steps, x):
    for _ in range(steps):
        x = np.tanh(layer.weights @ x + layer.bias)
    return {"x": x, "norm": np.sqrt(x @ x), "steps": steps, "none": None}


RIGHT = [
    (lambda x, y: np.sum(np.sin(x) * y) / y, (X, 2.0), 3),
    (mixed, (Layer(np.ones((3, 3)) / 3, X), 3, X), 2),
    (lambda z: np.abs(z) ** 2 * z, (np.array([1 + 2j, 0.5 - 1j]),), 2),
    (lambda x: np.sum(np.exp(x) * x), (X.astype(np.float32),), 2),
    (lambda a, x: np.linalg.solve(a, x), (np.eye(3) * 4 + X, X), 2),
    (np.prod, (np.array([0.0, 2.0, 3.0]),), 3),
]


@pytest.mark.parametrize("function, args, order", RIGHT)
def test_right_derivatives_pass(function, args, order):
    egc.check_grads(function, args, order=order)


def test_an_optimized_function_is_checked_as_it_is_compiled():
    egc.check_grads(egc.optimize(lambda x: np.sum(np.log(np.exp(x) * x)), backend="numba"), (X,), order=1)


def test_wrong_derivatives_name_the_argument_and_the_element(monkeypatch):
    def function(scale, weights):
        return np.sum(scale * np.tanh(weights["w"]))

    given = (2.0, {"w": X, "b": 1.0})
    monkeypatch.setitem(PARTIALS, "tanh", (lambda t, x, out: t,))
    with pytest.raises(VerificationError, match=r"order 1 of function .* argument weights_w\[0\]: its tangent"):
        egc.check_grads(function, given)


def test_wrong_second_derivatives_name_their_order(monkeypatch):
    monkeypatch.setitem(PARTIALS, "cos", (lambda t, x, out: t * np.sin(x),))
    egc.check_grads(np.sin, (0.5,), order=1)
    with pytest.raises(VerificationError, match=r"order 2 of sin with respect to argument number 0|argument x"):
        egc.check_grads(lambda x: np.sin(x), (0.5,), order=2)


def test_wrong_cotangents_are_named(monkeypatch):
    from egc.transforms.derivatives.tables import BACKWARD

    monkeypatch.setitem(BACKWARD, "cumsum", lambda node, cotangent, k: cotangent)
    with pytest.raises(VerificationError, match=r"argument x\[0\]: its cotangent"):
        egc.check_grads(lambda x: np.cumsum(x), (X,))


def test_what_has_no_derivative_is_refused():
    with pytest.raises(NotDifferentiable, match="no argument"):
        egc.check_grads(lambda n: n, (3,))
    with pytest.raises(NotDifferentiable, match="argument"):
        egc.check_grads(lambda n: n * 1.0, (3,), argnums=0)
    with pytest.raises(NotEncodable):
        egc.check_grads(lambda x: np.frombuffer(x.tobytes()), (X,))


def test_a_jump_is_found():
    with pytest.raises(VerificationError):
        egc.check_grads(lambda x: np.floor(x) * 3, (1.0,), order=1)
