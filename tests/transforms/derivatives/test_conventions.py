"""Derivatives by convention: whose errors are raised, what functions mapped over an axis are, complex numbers, and points without a
derivative."""

from __future__ import annotations

import numpy as np
import pytest

import egc
from egc import NotDifferentiable, NotEncodable, grad, hessian, hvp, jacobian, jvp, vjp, vmap
from tests.transforms.derivatives.test_functions import X, close, wave

# Errors


def test_errors_of_numpy_reach_the_caller():
    one = np.zeros((2, 2))

    def solve(a):
        return np.linalg.solve(a, np.ones(2))

    calls = [
        (ValueError, r"shapes \(3,\) \(2,\)", lambda: grad(lambda x: np.sum(x + np.ones(2)))(X)),
        (ValueError, "size 2 is different from 3", lambda: grad(lambda x: np.sum(x @ np.ones((2, 2))))(X)),
        (IndexError, "axis 0 with size 3", lambda: grad(lambda x: x[5])(X)),
        (IndexError, "axis 0 with size 3", lambda: grad(lambda x, i: np.sum(x[i]))(X, np.array([7]))),
        (np.linalg.LinAlgError, "Singular", lambda: grad(lambda a: np.sum(solve(a)))(one)),
        (
            np.linalg.LinAlgError,
            "Singular",
            lambda: egc.optimize(grad(lambda a: np.sum(solve(a))), backend="reference")(one),
        ),
        (np.linalg.LinAlgError, "Singular", lambda: jvp(solve, (one,), (one,))),
        (np.linalg.LinAlgError, "Singular", lambda: vjp(solve, one)),
        (np.linalg.LinAlgError, "Singular", lambda: hessian(lambda a: np.sum(solve(a)))(one)),
        (np.linalg.LinAlgError, "Singular", lambda: vmap(np.linalg.inv)(np.zeros((2, 2, 2)))),
        (ZeroDivisionError, "zero", lambda: grad(lambda x: 1 / x)(0.0)),
    ]
    for kind, text, call in calls:
        with pytest.raises(kind, match=text):
            call()


def positive_only(x):
    if np.min(x) < 0:
        raise ValueError("negative")
    return np.sum(np.sqrt(x))


def test_a_functions_own_errors_reach_the_caller():
    close(grad(positive_only)(X), 0.5 / np.sqrt(X))
    with pytest.raises(ValueError, match="negative"):
        grad(positive_only)(-X)
    close(vmap(positive_only)(np.stack([X, X])), [positive_only(X)] * 2)
    with pytest.raises(ValueError, match="negative"):
        vmap(positive_only)(np.stack([X, -X]))


def opaque(x):
    return np.sum(np.convolve(np.frombuffer((x * 2).tobytes()), x))


OUTSIDE = np.zeros(3)


def writes_outside(x):
    OUTSIDE[0] = x[0]
    return np.sum(x)


@pytest.mark.parametrize("function", [opaque, writes_outside], ids=lambda f: f.__name__)
def test_what_cannot_be_captured_is_refused_with_its_line(function):
    inside = egc.optimize(lambda x: grad(function)(x) * 2, backend="reference")
    calls = [
        lambda: grad(function)(X), lambda: jacobian(function)(X), lambda: hessian(function)(X),
        lambda: jvp(function, (X,), (X,)), lambda: vjp(function, X)[1](1.0), lambda: hvp(function, (X,), (X,)),
        lambda: grad(grad(function))(X), lambda: egc.optimize(grad(function), backend="reference")(X),
        lambda: inside(X), lambda: jacobian(lambda x: grad(function)(x))(X),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(NotEncodable) as caught:
            call()
        assert __file__ in str(caught.value.line)
    assert not isinstance(caught.value, NotDifferentiable)


def test_an_argument_that_the_function_writes_into_keeps_its_value():
    def function(x):
        x[0] = 5.0
        return np.sum(x * x)

    given = X.copy()
    close(grad(function)(given), [0.0, 4.0, 6.0])
    close(given, X)


def test_writes_after_vjp_and_by_the_function_do_not_count():
    def function(x):
        y = x * x
        x[0] = 7.0
        return np.sum(y * x)

    def inside(x):
        _, pull = vjp(function, x)
        x[1] = 9.0
        return pull(1.0)[0]

    expected = [14.0, 12.0, 27.0]
    given = X.copy()
    _, pull = vjp(function, given)
    close(given, X)
    given[1] = 9.0
    close(pull(1.0)[0], expected)
    close(inside(X.copy()), expected)
    close(egc.optimize(inside, backend="reference")(X.copy()), expected)


# Mapped functions


def halved(x):
    while x > 1:
        x = x / 2
    return x


def either(x):
    return x * 2 if x > 0 else -x


MAPPED = {
    "loop on data": (halved, (np.array([1.0, 5.0, 100.0, 0.5]),), 0),
    "branch on data": (either, (np.array([1.0, -5.0, 0.0]),), 0),
    "solve": (np.linalg.solve, (np.stack([np.eye(2), 2 * np.eye(2)]), np.arange(4.0).reshape(2, 2)), 0),
    "axes": (lambda x, y: x * y, (np.arange(6.0).reshape(2, 3), np.arange(6.0).reshape(3, 2)), (0, 1)),
    "last axis": (np.sum, (np.arange(6.0).reshape(2, 3),), -1),
    "constant": (lambda x: (3.0, np.argmax(x), x), (np.arange(6.0).reshape(2, 3),), 0),
    "as written": (opaque, (np.arange(6.0).reshape(2, 3),), 0),
    "qr": (lambda a: np.linalg.qr(a), (np.random.default_rng(0).normal(size=(3, 4, 2)),), 0),
}


@pytest.mark.parametrize("name", MAPPED)
def test_a_mapped_function_is_a_loop_over_rows(name):
    function, arguments, axes = MAPPED[name]
    each = axes if isinstance(axes, tuple) else (axes,) * len(arguments)
    rows = zip(*(np.moveaxis(a, axis, 0) for a, axis in zip(arguments, each)))
    expected = [function(*row) for row in rows]
    found = vmap(function, axes)(*arguments)
    if isinstance(expected[0], tuple):
        for k, part in enumerate(found):
            close(part, np.stack([row[k] for row in expected]))
    else:
        close(found, np.stack(expected))


def test_mapped_containers_have_axes_of_their_form():
    given = {"a": np.arange(6.0).reshape(3, 2), "b": 2.0}
    found = vmap(
        lambda p, y: {"r": p["a"] * p["b"] + y, "s": None},
        in_axes=({"a": 1, "b": None}, 0),
        out_axes={"r": 1, "s": None},
    )
    result = found(given, np.array([1.0, 2.0]))
    close(result["r"], given["a"] * 2 + [1.0, 2.0])
    assert result["s"] is None
    with pytest.raises(ValueError, match="form"):
        vmap(lambda p: p["a"], in_axes=({"z": 0},))(given)
    with pytest.raises(ValueError, match="2 and 3|2, 3"):
        vmap(np.add)(np.ones(2), np.ones(3))


# Complex numbers and points without a derivative

Z = np.array([1 + 2j, 3 - 1j, 0.5j])


def test_complex_derivatives():
    close(grad(lambda z: np.sum(np.abs(z) ** 2))(Z), 2 * Z.conj())
    close(jacobian(lambda z: np.abs(z) ** 2)(Z), np.diag(2 * Z.conj()))
    close(jacobian(lambda x: np.array([x[0] * 1j, x[1] * x[2]]))(X), [[1j, 0, 0], [0, 3, 2]])
    close(grad(lambda z: np.sum(z**3), holomorphic=True)(Z), 3 * Z**2)
    close(hessian(lambda z: np.sum(z**3), holomorphic=True)(Z), np.diag(6 * Z))
    for mode in ("forward", "reverse"):
        close(jacobian(np.exp, holomorphic=True, mode=mode)(Z), np.diag(np.exp(Z)))


@pytest.mark.parametrize(
    "call",
    [
        lambda: jacobian(np.conj)(Z),
        lambda: hessian(lambda z: np.sum(np.abs(z) ** 2))(Z),
        lambda: jacobian(lambda x: x * 1j, mode="reverse")(X),
        lambda: jacobian(lambda z: np.abs(z) ** 2, mode="forward")(Z),
        lambda: grad(wave, holomorphic=True)(X),
    ],
)
def test_what_is_no_complex_derivative_is_refused(call):
    with pytest.raises(NotDifferentiable, match="holomorphic"):
        call()


def test_points_without_a_derivative():
    close(grad(np.max)(np.array([1.0, 2.0, 2.0])), [0, 0.5, 0.5])
    close(grad(np.min)(np.array([1.0, 1.0, 2.0])), [0.5, 0.5, 0])
    close(grad(lambda x: np.sum(np.maximum(x, 2.0)))(X), [0, 0.5, 1])
    close(grad(lambda x: np.sum(np.clip(x, 1.0, 2.0)))(X), [0.5, 0.5, 0])
    close(grad(lambda x: np.sort(x) @ X)(np.array([2.0, 1.0, 1.0])), [3, 1, 2])
    close(grad(np.abs)(0.0), 0)
    close(grad(np.abs)(0j), 0)
    close(grad(np.sign)(0.0), 0)
    close(grad(np.floor)(1.0), 0)
    close(grad(lambda x: np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), 0.0))(-1.0), 0)


@pytest.mark.parametrize("order, expected", [(1, 0), (2, -(np.pi**2) / 3), (3, 0), (4, np.pi**4 / 5)])
def test_sinc_at_zero_has_the_derivatives_of_its_series(order, expected):
    function = np.sinc
    for _ in range(order):
        function = grad(function)
    close(function(0.0), expected)


def test_powers_and_products_have_derivatives_at_zero():
    close(grad(grad(lambda x: x**2.0))(0.0), 2)
    close(grad(grad(grad(lambda x: x**3)))(0.0), 6)
    close(hessian(np.prod)(np.array([0.0, 2.0, 3.0])), [[0, 3, 2], [3, 0, 0], [2, 0, 0]])
    close(jacobian(np.cumprod)(np.array([2.0, 0.0, 3.0])), [[1, 0, 0], [0, 2, 0], [0, 6, 0]])
