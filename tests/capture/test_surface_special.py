"""scipy.special's functions mean what SciPy's do, at infinities, poles and signed zeros too."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import special

from egc import ops
from egc.capture import registry
from tests.capture.support import assert_refused, assert_same, call, sample

POINTS = np.array([-np.inf, -3.5, -3.0, -2.5, -1.0, -0.5, -0.0, 0.0, 1e-20, 0.5, 1.0, 2.0, 30.0, 800.0, np.inf, np.nan])
PRIMITIVES = [(name, count) for count, names in ops.SPECIAL.items() for name in names]


@pytest.mark.parametrize("name, count", PRIMITIVES)
@pytest.mark.parametrize("dtype", ["float64", "float32", "int32", "int8"])
def test_primitives_dispatch(name, count, dtype):
    function = getattr(special, name)
    operands = [np.abs(sample(5, dtype, seed)) + np.ones((), dtype) for seed in range(count)]
    assert_same(lambda *x: call(function, *x), *operands)
    assert_same(lambda *x: call(function, *x), operands[0].dtype.type(1), *operands[1:])


@pytest.mark.parametrize("name", ["expm1", "log1p", "exp2", "cbrt", "exp10", "psi", "exprel", "loggamma", "gammasgn"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int8"])
def test_other_functions_of_one_operand(name, dtype):
    with np.errstate(invalid="ignore"):
        points = POINTS[np.isfinite(POINTS)].astype(dtype) if dtype == "int8" else POINTS.astype(dtype)
    assert_same(getattr(special, name), points)


@pytest.mark.parametrize("name", ["huber", "pseudo_huber", "boxcox", "boxcox1p", "inv_boxcox", "inv_boxcox1p"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_other_functions_of_two_operands(name, dtype):
    points = POINTS[np.isfinite(POINTS)].astype(dtype)
    assert_same(getattr(special, name), points, points[:, None])


def test_ufunc_options():
    assert_same(lambda x, out: special.huber(1.0, x, out=out), sample(5), np.zeros(5))
    assert_same(lambda x, out: special.erf(x, out=out), sample(5), np.zeros(5))
    assert_same(lambda x: special.expit(x.T), sample((2, 3)))
    assert_same(lambda x: special.erf(2.0) * x, sample(3))


def test_complex_operands_and_functions_without_ops_are_refused():
    assert_refused(special.erf, sample(3, "complex128"))
    assert_refused(special.loggamma, sample(3, "complex128"))
    assert_refused(special.binom, sample(3), sample(3))
    assert_refused(special.hyp1f1, sample(3), sample(3), sample(3))


@pytest.mark.parametrize("dtype", ["float64", "float32", "int32", "int8", "bool"])
@pytest.mark.parametrize("shape", [(5,), (2, 3), (2, 3, 4), (0,), (2, 0), ()])
def test_logsumexp(shape, dtype):
    x = sample(shape, dtype)
    assert_same(lambda x: call(special.logsumexp, x), x)
    assert_same(lambda x: call(special.logsumexp, x, axis=-1), x)
    assert_same(lambda x: call(special.logsumexp, x, axis=(0, -1), keepdims=True), x)
    assert_same(lambda x: call(special.logsumexp, x, keepdims=True), x)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int32"])
@pytest.mark.parametrize("function", [special.softmax, special.log_softmax])
def test_softmax_and_its_logarithm(function, dtype):
    for shape in [(5,), (2, 3), ()]:
        assert_same(lambda x: call(function, x), sample(shape, dtype))
        assert_same(lambda x: call(function, x, axis=-1), sample(shape, dtype))
    assert_same(lambda x: call(function, x, axis=(0, 2)), sample((2, 3, 4), dtype))
    assert_same(lambda x: call(function, x), sample(0, dtype))


EXTREMES = [
    [-np.inf, -np.inf],
    [np.inf, 1.0],
    [np.inf, -np.inf],
    [np.nan, 1.0],
    [1e4, 1e4 + 1],
    [-1e4, -1e4],
    [-np.inf, 3.0],
]


@pytest.mark.parametrize("values", EXTREMES, ids=str)
def test_exponentials_at_extremes(values):
    x = np.array(values)
    assert_same(lambda x: call(special.logsumexp, x), x)
    assert_same(lambda x: call(special.softmax, x), x)
    assert_same(lambda x: call(special.log_softmax, x), x)
    for weights in ([1.0, 1.0], [0.0, 2.0], [-1.0, 1.0], [2.0, -0.5], [0.0, 0.0]):
        assert_same(lambda x, b: call(special.logsumexp, x, b=b), x, np.array(weights))


def test_weights_broadcast():
    assert_same(lambda x, b: call(special.logsumexp, x, axis=0, b=b), sample((3, 4)), np.abs(sample(4)))
    assert_same(lambda x, b: call(special.logsumexp, x, b=b), sample((3, 4), "float32"), np.array([[1], [0], [2]]))
    assert_refused(lambda x: call(special.logsumexp, x, return_sign=True), sample(3))
    assert_refused(lambda x: call(special.logsumexp, x), sample(3, "complex128"))


@pytest.mark.parametrize("order", [0, 1, 2, 5, 3.0])
def test_polygamma(order):
    for dtype in ("float64", "float32", "int32"):
        assert_same(lambda x: call(special.polygamma, order, x), np.array([1, 2, 7], dtype))
    assert_same(lambda x: call(special.polygamma, order, x), POINTS)


def test_gamma_functions_of_integers():
    for dtype in ("float64", "float32", "int32"):
        assert_same(lambda a: call(special.multigammaln, a, 3), np.array([2, 4, 9], dtype))
    assert_same(lambda a: call(special.multigammaln, a, 3), np.array([0.5, 4.0]))
    assert_same(lambda a: call(special.multigammaln, a, 1.5), np.array([2.0, 4.0]))
    assert_same(lambda a: call(special.multigammaln, a, 2), np.float64(3.0))
    assert_same(lambda n: call(special.factorial, n), POINTS)
    assert_same(lambda n: call(special.factorial, n), np.array([0, 3, 5, -2, 171]))
    assert_same(lambda n: call(special.factorial, n), np.array([0, 3, 5], "float32"))
    assert_same(lambda n: call(special.factorial, n), np.empty(0))
    assert_refused(lambda n: call(special.factorial, n, exact=True), np.array([3, 4]))


def test_softplus():
    if hasattr(special, "softplus"):
        for dtype in ("float64", "float32", "int32"):
            assert_same(lambda x: call(special.softplus, x), sample(4, dtype))


def test_a_meaning_belongs_to_one_function_object():
    def logsumexp(a):
        return a

    logsumexp.__module__ = "scipy.special._logsumexp"
    assert registry.lookup(special.logsumexp) is not None
    assert registry.lookup(logsumexp) is None


def test_capture_imports_scipy_special_only_when_needed():
    code = "import sys, egc.capture; assert 'scipy.special' not in sys.modules and 'scipy.linalg' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
