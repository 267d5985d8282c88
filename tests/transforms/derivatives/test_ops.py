"""Tangents and cotangents of every op, against central differences and one another."""

import numpy as np
import pytest

from egc import ir
from egc.backend import load
from egc.errors import NotDifferentiable
from egc.ir import Program, make
from egc.ops import OPS
from egc.transforms.derivatives import pullback, pushforward
from egc.transforms.derivatives.elementwise import PARTIALS, UNKNOWN
from egc.types import DTYPES, SHORT, ArrayType

SIDE = 3


def evaluate(outputs, values):
    inputs = tuple(values)
    run = load("reference").compile(Program(inputs, tuple(outputs))).run
    with np.errstate(all="ignore"):
        return [np.asarray(each) for each in run(*values.values())]


def node_for(name, value):
    return ir.input(name, ArrayType(DTYPES[SHORT[value.dtype]], value.shape))


def require_derivatives(outputs, values, seed=0, tolerance=2e-6):
    """The tangents of outputs are central differences, and the cotangents transpose them."""
    random = np.random.default_rng(seed)
    moving = {node: value for node, value in values.items() if value.dtype.kind in "fc"}

    def draw(like):
        found = random.normal(size=like.shape)
        return found + 1j * random.normal(size=like.shape) if like.dtype.kind == "c" else found

    directions = {node: draw(value) for node, value in moving.items()}
    tangents = {node: ir.input(f"d_{node.params['name']}", node.type) for node in moving}
    given = {**values, **{tangents[node]: direction for node, direction in directions.items()}}
    outputs = [each for each in outputs if each.type.dtype.kind in "fc"]
    found = pushforward(outputs, tangents)
    moved = evaluate([each if each is not None else make_zeros(like) for each, like in zip(found, outputs)], given)
    step = 1e-6
    sides = [
        evaluate(
            outputs,
            {
                node: value + sign * step * directions.get(node, 0) if node in moving else value
                for node, value in values.items()
            },
        )
        for sign in (1, -1)
    ]
    for tangent, up, down in zip(moved, *sides):
        np.testing.assert_allclose(tangent, (up - down) / (2 * step), rtol=tolerance * 50, atol=tolerance)
    weights = [ir.input(f"w{k}", each.type) for k, each in enumerate(outputs)]
    drawn = [draw(np.empty(each.shape, each.dtype)) for each in moved]
    back = pullback(outputs, weights, list(moving))
    nodes = [each for each in back if each is not None]
    numbers = iter(evaluate(nodes, {**values, **dict(zip(weights, drawn))}))
    pulled = [np.zeros(node.type.shape) if each is None else next(numbers) for node, each in zip(moving, back)]
    for node, each in zip(moving, pulled):
        assert each.shape == node.type.shape and each.dtype == node.type.dtype or each.dtype == np.float64
    left = sum(np.sum(weight * tangent) for weight, tangent in zip(drawn, moved))
    right = sum(np.sum(each * direction) for each, direction in zip(pulled, directions.values()))
    np.testing.assert_allclose(np.real(left), np.real(right), rtol=1e-9, atol=1e-11)


def make_zeros(like):
    return ir.constant(0, like.type.dtype, like.type.shape)


DOMAIN = {
    "arccos": (-0.9, 0.9), "arcsin": (-0.9, 0.9), "arctanh": (-0.9, 0.9), "arccosh": (1.1, 3), "log": (0.2, 3),
    "log10": (0.2, 3), "log2": (0.2, 3), "log1p": (-0.5, 3), "sqrt": (0.2, 3), "power": (0.3, 2.5),
    "erfinv": (-0.8, 0.8), "erfcinv": (0.2, 1.8), "gammaln": (0.3, 4), "gamma": (0.3, 4), "digamma": (0.3, 4),
    "rgamma": (0.3, 4), "logit": (0.1, 0.9), "ndtri": (0.1, 0.9), "y0": (0.5, 5), "y1": (0.5, 5), "exp1": (0.2, 3),
    "expi": (0.2, 3), "entr": (0.2, 3), "xlogy": (0.2, 3), "xlog1py": (0.2, 3), "betaln": (0.5, 3), "beta": (0.5, 3),
    "gammainc": (0.5, 3), "gammaincc": (0.5, 3), "zeta": (1.5, 4), "rel_entr": (0.3, 3), "kl_div": (0.3, 3),
    "betainc": (0.1, 0.9), "cbrt": (0.2, 3), "reciprocal": (0.3, 3), "divide": (0.4, 3), "hypot": (0.3, 3),
    "arctan2": (0.3, 3), "remainder": (0.3, 3), "fmod": (0.3, 3), "floor_divide": (0.3, 3),
}  # fmt: skip

FLOATS = sorted(
    ["absolute", "sign"]
    + [name for name in PARTIALS if name not in ("where", "ldexp", "frexp_mantissa") and not name.endswith("_where")]
)


def elementwise(name, dtype=np.float64, seed=0):
    random = np.random.default_rng(seed)
    low, high = DOMAIN.get(name, (-2.0, 2.0))
    shape = (4, 3)
    values = {}
    for k in range(OPS[name].arity):
        value = random.uniform(low, high, shape)
        if dtype == np.complex128:
            value = value + 1j * random.uniform(-0.5, 0.5, shape)
        if k in UNKNOWN.get(name, ()):
            values[ir.constant(1.5 + k, np.dtype(float), shape)] = None
        else:
            values[node_for(f"x{k}", value)] = value
    output = make(name, *values)
    return output, {node: value for node, value in values.items() if value is not None}


@pytest.mark.parametrize("name", FLOATS)
def test_elementwise_ops(name):
    output, values = elementwise(name)
    require_derivatives([output], values, tolerance=1e-5)


COMPLEX = """add subtract multiply divide power negative reciprocal sqrt exp expm1 log log1p sin cos tan arcsin arccos arctan sinh
             cosh tanh arcsinh arctanh exp2 log2 log10 conjugate real imag absolute sign""".split()


@pytest.mark.parametrize("name", COMPLEX)
def test_elementwise_ops_of_complex_numbers(name):
    output, values = elementwise(name, np.complex128)
    require_derivatives([output], values, tolerance=1e-5)


@pytest.mark.parametrize("name", sorted(UNKNOWN))
def test_what_has_no_form_is_refused(name):
    nodes = [node_for(f"x{k}", np.ones(2)) for k in range(OPS[name].arity)]
    with pytest.raises(NotDifferentiable, match=name):
        pushforward([make(name, *nodes)], {nodes[0]: nodes[0]})


def real(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


def both(*shape, seed=1):
    return real(*shape, seed=seed) + 1j * real(*shape, seed=seed + 7)


def spd(n, dtype=float, batch=()):
    a = real(*batch, n, n) if dtype is float else both(*batch, n, n)
    return a @ np.swapaxes(a.conj(), -1, -2) + n * np.eye(n)


INT = np.dtype(np.int64)

ARRAYS = {
    "sum": ([real(3, 4)], {"axes": (1,)}),
    "prod": ([real(3, 4, 2)], {"axes": (0, 2)}),
    "prod of zeros": ([np.array([[0.0, 2.0, 3.0], [0.0, 0.0, 1.0]])], {"axes": (1,)}),
    "max": ([real(3, 4)], {"axes": (0,)}),
    "min": ([real(3, 4)], {"axes": (0, 1)}),
    "cumsum": ([real(3, 4)], {"axis": 1}),
    "cumprod": ([np.array([[1.0, 0.0, 3.0], [2.0, 5.0, 1.5]])], {"axis": 1}),
    "cummax": ([real(3, 4)], {"axis": 1}),
    "cummin": ([real(3, 4)], {"axis": 0}),
    "linear_recurrence": ([real(4), real(4, seed=2), real(seed=3)], {"axis": 0}),
    "linear_recurrence of columns": ([real(4, 3), real(4, 3, seed=2), real(3, seed=3)], {"axis": 0}),
    "linear_recurrence of rows": ([real(2, 4, 2), real(2, 4, 2, seed=2), real(2, 2, seed=3)], {"axis": 1}),
    "linear_recurrence complex": ([both(3), both(3, seed=2), both(seed=3)], {"axis": 0}),
    "sort": ([real(3, 4)], {"axis": 1}),
    "broadcast": ([real(3, 4)], {"shape": (2, 3, 5, 4), "axes": (1, 3)}),
    "reshape": ([real(3, 4)], {"shape": (2, 6)}),
    "transpose": ([real(3, 4, 2)], {"axes": (2, 0, 1)}),
    "slice": ([real(5, 6)], {"start": (1, 5), "size": (2, 3), "step": (2, -2)}),
    "update_slice": ([real(5, 6), real(2, 3)], {"start": (1, 0), "step": (2, 1)}),
    "pad": ([real(2, 3), real()], {"low": (1, 0), "high": (2, 1)}),
    "concatenate": ([real(2, 3), real(2, 1), real(2, 2)], {"axis": 1}),
    "gather": ([real(4, 3), np.array([0, 3, -1, 0])], {"axes": (0,), "mode": "raise"}),
    "gather of two axes": ([real(4, 3, 2), np.array([0, 3]), np.array([1, 1])], {"axes": (0, 2), "mode": "raise"}),
    "gather clip": ([real(4, 3), np.array([-2, 9, 1])], {"axes": (0,), "mode": "clip"}),
    "gather wrap": ([real(4, 3), np.array([-2, 9, 1])], {"axes": (0,), "mode": "wrap"}),
    "scatter": ([real(4, 3), real(3, 3), np.array([0, 2, 0])], {"axes": (0,), "combine": "set"}),
    "scatter add": ([real(4, 3), real(3, 3), np.array([0, 2, 0])], {"axes": (0,), "combine": "add"}),
    "scatter subtract": ([real(4, 3), real(3, 3), np.array([0, 2, 0])], {"axes": (0,), "combine": "subtract"}),
    "matmul": ([real(3, 4), real(4, 2)], {}),
    "matmul of vectors": ([real(4), real(4, seed=2)], {}),
    "matmul of a vector": ([real(4), real(4, 3)], {}),
    "matmul by a vector": ([real(3, 4), real(4)], {}),
    "matmul of many": ([real(2, 3, 4), real(2, 4, 2)], {}),
    "matmul by one": ([real(2, 3, 4), real(4, 2)], {}),
    "matmul by one vector": ([real(2, 3, 4), real(4)], {}),
    "matmul of one": ([real(3, 4), real(5, 4, 2)], {}),
    "matmul of one vector": ([real(4), real(5, 4, 2)], {}),
    "matmul complex": ([both(3, 4), both(4, 2)], {}),
    "convolve": ([real(5), real(3)], {}),
    "diagonal": ([real(2, 4, 5)], {"offset": 1, "size": 4}),
    "diagonal below": ([real(4, 3)], {"offset": -2, "size": 2}),
    "diagonal_matrix": ([real(2, 3)], {"offset": -1}),
    "tril": ([real(4, 4)], {"offset": -1}),
    "triu": ([real(2, 4, 3)], {"offset": 1}),
    "cast": ([real(3)], {"dtype": np.dtype(complex)}),
    "where": ([np.array([True, False, True]), real(3), real(3, seed=2)], {}),
    "ldexp": ([real(3), np.array([1, -2, 3])], {}),
    "frexp_mantissa": ([real(3)], {}),
    "assume": ([real(3)], {"facts": ("positive",)}),
    "inv": ([real(3, 3)], {}),
    "inv of many": ([both(2, 3, 3)], {}),
    "det": ([real(4, 4)], {}),
    "det complex": ([both(2, 3, 3)], {}),
    "slogdet": ([real(2, 3, 3)], {}),
    "slogdet complex": ([both(3, 3)], {}),
    "cholesky": ([spd(4)], {"upper": False}),
    "cholesky upper": ([spd(3, batch=(2,))], {"upper": True}),
    "cholesky complex": ([spd(3, complex)], {"upper": False}),
    "cholesky_or_nan": ([spd(3)], {}),
    "solve": ([real(3, 3), real(3)], {}),
    "solve of matrices": ([real(2, 3, 3), real(2, 3, 4)], {}),
    "solve for one": ([real(2, 3, 3), real(3, 2)], {}),
    "solve of one": ([real(3, 3), real(2, 3, 2)], {}),
    "solve of one vector": ([real(2, 3, 3), real(3)], {}),
    "solve complex": ([both(3, 3), both(3, 2)], {}),
    "lu": ([real(4, 4)], {}),
    "cholesky_inverse": ([np.tril(spd(4))], {}),
    "cholesky_inverse of many": ([np.tril(spd(3, batch=(2,)))], {}),
    "lu_factors": ([spd(4)], {}),
    "expm": ([real(3, 3)], {}),
    "qr": ([real(5, 3)], {"mode": "reduced"}),
    "qr complex": ([both(4, 3)], {"mode": "reduced"}),
    "qr square": ([real(3, 3)], {"mode": "complete"}),
    "qr r": ([real(5, 3)], {"mode": "r"}),
    "svdvals": ([real(4, 3)], {}),
    "svdvals complex": ([both(3, 4)], {}),
    "eigh": ([spd(3)], {"lower": True}),
    "eigvalsh": ([spd(4)], {"lower": False}),
    "eigvalsh complex": ([spd(3, complex)], {"lower": True}),
    "eigvals": ([real(3, 3)], {}),
    "pinv": ([real(5, 3)], {"rcond": 1e-15}),
    "pinv wide": ([both(3, 5)], {"rcond": 1e-15}),
    "lstsq": ([real(5, 3), real(5)], {"rcond": None}),
    "svd": ([real(4, 3)], {"full_matrices": False}),
    "gram": ([real(4, 3)], {"transposed": True}),
    "gram of many": ([both(2, 4, 3)], {"transposed": False}),
    "symmetric_solve": ([spd(4), real(4, 2)], {"lower": True}),
    "symmetric_solve upper": ([spd(4), real(4)], {"lower": False}),
    "tridiagonal_solve": ([real(3), real(4) + 5, real(3, seed=2), real(4, 2)], {"positive": False}),
    "tridiagonal_solve positive": ([real(3), real(4) ** 2 + 5, real(3), real(4)], {"positive": True}),
    "banded_solve": ([real(4, 5) + [[0], [9], [0], [0]], real(5)], {"below": 2, "above": 1, "positive": False}),
    "banded_solve of many": ([both(3, 5) + [[0], [0], [9]], both(5, 2)], {"below": 0, "above": 2, "positive": False}),
    "banded_solve lower": ([both(3, 5) + [[9], [0], [0]], both(5)], {"below": 2, "above": 0, "positive": True}),
    "banded_solve upper": ([real(3, 5) + [[0], [0], [9]], real(5, 2)], {"below": 0, "above": 2, "positive": True}),
}  # fmt: skip

for _lower in (True, False):
    for _transposed in (True, False):
        for _unit in (True, False):
            ARRAYS[f"solve_triangular {_lower} {_transposed} {_unit}"] = (
                [real(4, 4) + 4 * np.eye(4), real(4, 2) if _unit else real(4)],
                {"lower": _lower, "transposed": _transposed, "unit_diagonal": _unit},
            )
        for _right in (True, False):
            ARRAYS[f"triangular_product {_lower} {_transposed} {_right}"] = (
                [real(4, 4), real(3, 4) if _right else real(4, 2)],
                {"lower": _lower, "transposed": _transposed, "right": _right},
            )


@pytest.mark.parametrize("name", ARRAYS)
def test_ops_on_arrays(name):
    operands, params = ARRAYS[name]
    nodes = {node_for(f"x{k}", np.asarray(value)): np.asarray(value) for k, value in enumerate(operands)}
    found = make(name.split()[0], *nodes, **params)
    outputs = ir.items(found) if not isinstance(found.type, ArrayType) else (found,)
    require_derivatives(outputs, nodes, tolerance=1e-5)


@pytest.mark.parametrize("transposed", [False, True])
def test_solving_by_factors(transposed):
    a, b = real(4, 4), real(4, 2)
    nodes = {node_for("a", a): a, node_for("b", b): b}
    (x, y) = nodes
    output = make("lu_solve", *ir.items(make("lu", x)), y, transposed=transposed)
    require_derivatives([output], nodes)


DISCRETE = frozenset(
    """input constant empty size iota any all argmax argmin argsort searchsorted item loop cond eig bitwise_count invert
       isfinite isinf isnan logical_not signbit bitwise_and bitwise_or bitwise_xor equal gcd greater greater_equal lcm
       left_shift less less_equal logical_and logical_or logical_xor not_equal right_shift frexp_exponent""".split()
)
"""Ops whose results do not move, leaves, and those that other tests are about."""


def test_the_derivative_of_a_power_of_three_halves_is_a_root():
    x = node_for("x", np.array([0.0, 0.25, 2.0]))
    (found,) = pullback([make("power", x, ir.constant(1.5, x.type.dtype, x.type.shape))], [x], [x])
    assert {node.op for node in ir.topological([found])} == {"input", "constant", "multiply", "sqrt"}
    require_derivatives(
        [make("power", x, ir.constant(1.5, x.type.dtype, x.type.shape))], {x: np.array([0.2, 0.25, 2.0])}
    )


def test_every_op_is_tested():
    tested = {name.split()[0] for name in ARRAYS} | set(FLOATS) | set(COMPLEX) | {"lu_solve"}
    missing = {name for name in OPS if name not in tested and name not in DISCRETE and not name.endswith("_where")}
    assert not missing
