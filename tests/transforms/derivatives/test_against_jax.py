"""Derivatives to third order against JAX, of functions of several ops."""

import numpy as np
import pytest
from scipy import special

import egc

jax = pytest.importorskip("jax")
jnp = jax.numpy

R = np.random.default_rng(0)
X, A, B = R.uniform(0.3, 1.5, 4), R.normal(size=(2, 3, 3)), R.normal(size=(4, 4))
PLACES = np.array([0, 2, 2, 1])

FUNCTIONS = {
    "statistics": lambda n, s, x: n.var(x) / n.mean(x) + n.std(x[1:]) * n.median(x),
    "covariance": lambda n, s, x: n.sum(n.cov(n.stack([x, x**2])) ** 2),
    "stacked solves": lambda n, s, x: n.sum(n.linalg.solve(A + 4 * n.eye(3) * x[0], n.ones((2, 3, 2)) * x[1]) ** 2),
    "determinants": lambda n, s, x: n.linalg.slogdet(n.outer(x, x) + n.diag(x))[1] + n.linalg.det(B * x),
    "inverse": lambda n, s, x: n.sum(n.linalg.inv(n.outer(x, x) + n.diag(x)) ** 3),
    "cholesky": lambda n, s, x: n.sum(n.linalg.cholesky(n.outer(x, x) + 2 * n.eye(4)) ** 2 * B),
    "eigenvalues": lambda n, s, x: n.sum(n.linalg.eigvalsh(n.outer(x, x) + n.diag(x**2)) ** 3),
    "special functions": lambda n, s, x: n.sum(s.gammaln(x) * s.erf(x) + s.expit(x) * s.ndtr(x) + s.xlogy(x, x)),
    "bessel": lambda n, s, x: n.sum(s.i0(x) * s.i1(x)),
    "logsumexp": lambda n, s, x: s.logsumexp(x * x) + n.logaddexp(x[0], x[1]),
    "cumulative sums": lambda n, s, x: n.sum(n.cumsum(x**2) * n.cumprod(x)),
    "products": lambda n, s, x: n.prod(n.sin(x)) * n.prod(x[:2]),
    "sorting": lambda n, s, x: n.sum(n.sort(x * (2 - x)) ** 2 * X),
    "extremes": lambda n, s, x: n.max(x) ** 2 * n.min(x) + n.sum(n.maximum(x, 0.8) ** 3),
    "einsum": lambda n, s, x: n.einsum("ij,j,i->", B, x, n.exp(x)) ** 2,
    "convolution": lambda n, s, x: n.sum(n.convolve(x, x**2) ** 2),
    "fancy indexing": lambda n, s, x: n.sum(x[PLACES] ** 2 * x[::-1] * n.where(x > 0.8, x, 1.0)),
    "interpolation": lambda n, s, x: n.sum(n.interp(x, n.arange(4.0), x**2) ** 2),
    "norms": lambda n, s, x: n.linalg.norm(x) ** 3 + n.linalg.norm(B * x, axis=1) @ x,
    "powers": lambda n, s, x: n.sum(x**x + x**2.5 + n.arctan2(x, x[::-1]) ** 2 + n.hypot(x, 1.0)),
    "rolling": lambda n, s, x: n.sum(n.roll(x, 1) * n.tanh(n.pad(x, 2)[1:5]) + n.diff(x, append=1.0) ** 3),
}  # fmt: skip


FAST = ("sorting", "einsum", "extremes", "norms", "fancy indexing", "cumulative sums")
"""Functions of the fast suite; the others, of which each compiles for seconds, are a long sweep."""


@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n in FAST else pytest.mark.slow) for n in FUNCTIONS])
def test_derivatives_to_third_order_are_those_of_jax(name):
    function = FUNCTIONS[name]
    direction = np.array([0.5, -1.0, 0.25, 2.0])

    def ours(x):
        return function(np, special, x)

    def theirs(x):
        return function(jnp, jax.scipy.special, x)

    with jax.enable_x64(True):
        expected = [jax.grad(theirs)(X), jax.hessian(theirs)(X)]
        expected.append(jax.jvp(lambda x: jax.jvp(jax.grad(theirs), (x,), (direction,))[1], (X,), (direction,))[1])
        expected = [np.asarray(each) for each in expected]
    found = [egc.grad(ours)(X), egc.hessian(ours)(X)]
    found.append(egc.jvp(lambda x: egc.hvp(ours, (x,), (direction,)), (X,), (direction,))[1])
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9 * np.max(np.abs(b)))
