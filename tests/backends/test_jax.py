"""What is particular to the jax backend: exceptions from data, 64-bit types only inside, static sizes."""

from __future__ import annotations

import numpy as np
import pytest

from egc import backend, ir, sizes
from egc.errors import BackendError
from egc.types import parse_type

jax = pytest.importorskip("jax")

INDEX = {"axes": (0,), "mode": "raise"}
FAILING = {
    "gather": (("f64[3]", "i64[2]"), INDEX, [np.ones(3), np.array([0, 3])], IndexError),
    "scatter": (
        ("f64[3]", "f64[1]", "i64[1]"),
        {"axes": (0,), "combine": "add"},
        [np.ones(3), np.ones(1), np.array([-4])],
        IndexError,
    ),
    "inv": (("f64[2, 2]",), {}, [np.ones((2, 2))], np.linalg.LinAlgError),
    "solve": (("f64[2, 2]", "f64[2]"), {}, [np.ones((2, 2)), np.ones(2)], np.linalg.LinAlgError),
    "cholesky": (("f64[2, 2]",), {"upper": False}, [-np.eye(2)], np.linalg.LinAlgError),
    "svdvals": (("f64[2, 2]",), {}, [np.full((2, 2), np.nan)], np.linalg.LinAlgError),
    "eigvals": (("f64[2, 2]",), {}, [np.full((2, 2), np.inf)], np.linalg.LinAlgError),
    "solve_triangular": (
        ("f64[2, 2]", "f64[2]"),
        {"lower": True, "transposed": False, "unit_diagonal": False},
        [np.zeros((2, 2)), np.ones(2)],
        np.linalg.LinAlgError,
    ),
    "power": (("i64[2]", "i64[2]"), {}, [np.array([1, 2]), np.array([3, -1])], ValueError),
    "max": (("f64[0]",), {"axes": (0,)}, [np.zeros(0)], ValueError),
}


@pytest.mark.parametrize("name", ["reference", "jax"])
@pytest.mark.parametrize("op", FAILING)
def test_what_numpy_raises_is_raised(name, op):
    types, params, arguments, error = FAILING[op]
    inputs = tuple(ir.input(f"x{k}", parse_type(type)) for k, type in enumerate(types))
    compiled = backend.load(name).compile(ir.Program(inputs, (ir.make(op, *inputs, **params),)))
    with pytest.raises(error):
        compiled.run(*arguments)


def square() -> ir.Program:
    x = ir.input("x", parse_type("f64[n]"))
    return ir.Program((x,), (ir.make("multiply", x, x), ir.size(sizes.symbol("n"))))


def test_float64_is_kept_and_the_users_configuration_too():
    before = jax.numpy.ones(1).dtype
    first, size = backend.load("jax").compile(square()).run(np.array([1 + 2**-40]))
    assert first.dtype == np.float64 and first[0] == (1 + 2**-40) ** 2 and size == 1
    assert jax.numpy.ones(1).dtype == before == np.float32


def test_one_compiled_program_serves_every_size():
    compiled = backend.load("jax").compile(square())
    for n in (0, 1, 5):
        assert compiled.run(np.ones(n))[1] == n


def test_results_are_writable_arrays():
    compiled = backend.load("jax").compile(square())
    result, _ = compiled.run(np.ones(2))
    result[0] = 7
    assert isinstance(result, np.ndarray)


def test_raw_is_traceable():
    raw = backend.load("jax").compile(square()).raw
    with jax.enable_x64(True):
        gradient = jax.grad(lambda x: raw(x)[0].sum())(jax.numpy.array([3.0, 4.0]))
    np.testing.assert_array_equal(gradient, [6, 8])


def test_size_inputs_are_static():
    n = ir.input("n", parse_type("i64"))
    program = ir.Program((n,), (ir.make("iota", shape=(sizes.symbol("n"),), axis=0), n), size_inputs=frozenset(["n"]))
    steps, length = backend.load("jax").compile(program).run(3)
    np.testing.assert_array_equal(steps, [0, 1, 2])
    assert length == 3


def test_jaxpr_on_request():
    assert "mul" in backend.load("jax").compile(square()).details["jaxpr"](np.ones(2))


def test_missing_ops_are_named():
    x = ir.input("x", parse_type("f64[n]"))
    program = ir.Program((x,), (ir.make("j0", x),))
    assert [gap.op for gap in backend.load("jax").missing(program)] == ["j0"]
    with pytest.raises(BackendError, match="j0"):
        backend.load("jax").compile(program)
