"""Linear algebra in JAX, on the last two axes."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy import linalg

from egc.backends.jax.table import Errors, Params, meaning


@meaning("inv")
def _inv(errors: Errors, params: Params, a: Any) -> Any:
    return _solve_matrices(errors, a, jnp.broadcast_to(jnp.eye(a.shape[-1], dtype=a.dtype), a.shape))


@meaning("solve")
def _solve(errors: Errors, params: Params, a: Any, b: Any) -> Any:
    return _vectors_as_columns(partial(_solve_matrices, errors), a, b)


def _vectors_as_columns(solve: Any, a: Any, b: Any) -> Any:
    """`solve(a, b)` of matrices in equal batches, for NumPy's right sides: a vector only where b has rank 1."""
    columns = b[:, None] if b.ndim == 1 else b
    batch = np.broadcast_shapes(a.shape[:-2], columns.shape[:-2])
    a, columns = jnp.broadcast_to(a, (*batch, *a.shape[-2:])), jnp.broadcast_to(columns, (*batch, *columns.shape[-2:]))
    result = solve(a, columns) if columns.size else columns
    return result[..., 0] if b.ndim == 1 else result


def _solve_matrices(errors: Errors, a: Any, b: Any) -> Any:
    """By LU with partial pivoting, as LAPACK's gesv; an exactly zero pivot is NumPy's `Singular matrix`."""
    if not a.size:
        return b
    factors, _pivots, permutation = lax.linalg.lu(a)
    errors.when(_diagonal(factors) == 0, "LinAlgError", "Singular matrix")
    return _by_factors(factors, permutation, b, False)


def _diagonal(a: Any) -> Any:
    return jnp.diagonal(a, 0, -2, -1)


def _by_factors(factors: Any, order: Any, b: Any, transposed: bool) -> Any:
    """The solution by triangular factors; `order` has for each of their rows that of the matrix which it was."""
    solve = partial(lax.linalg.triangular_solve, factors, left_side=True, transpose_a=transposed)
    if transposed:
        b = solve(solve(b), lower=True, unit_diagonal=True)
        return jnp.take_along_axis(b, jnp.argsort(order, axis=-1)[..., None], axis=-2)
    return solve(solve(jnp.take_along_axis(b, order[..., None], axis=-2), lower=True, unit_diagonal=True))


@meaning("lu")
def _lu(errors: Errors, params: Params, a: Any) -> Any:
    if not a.size:
        return a, jnp.zeros(a.shape[:-1], np.int32)
    factors, pivots, _permutation = lax.linalg.lu(a)
    return factors, pivots


@meaning("lu_solve")
def _lu_solve(errors: Errors, params: Params, factors: Any, pivots: Any, b: Any) -> Any:
    n = factors.shape[-1]
    errors.when((pivots < 0) | (pivots >= n), "IndexError", "lu_solve: a pivot is no row")
    errors.when(_diagonal(factors) == 0, "LinAlgError", "Singular matrix")
    pivots = jnp.broadcast_to(pivots, (*np.broadcast_shapes(pivots.shape[:-1], b.shape[:-2]), n))

    def solve(factors: Any, b: Any) -> Any:
        return _by_factors(factors, lax.linalg.lu_pivots_to_permutation(pivots, n), b, params["transposed"])

    return _vectors_as_columns(solve, factors, b)


@meaning("solve_triangular")
def _solve_triangular(errors: Errors, params: Params, a: Any, b: Any) -> Any:
    if not params["unit_diagonal"]:
        errors.when(jnp.diagonal(a, 0, -2, -1) == 0, "LinAlgError", "singular matrix")
    options = {"lower": params["lower"], "unit_diagonal": params["unit_diagonal"]}

    def solve(a: Any, b: Any) -> Any:
        return lax.linalg.triangular_solve(a, b, left_side=True, transpose_a=params["transposed"], **options)

    return _vectors_as_columns(solve, a, b)


@meaning("det")
def _det(errors: Errors, params: Params, a: Any) -> Any:
    return jnp.linalg.det(a) if a.shape[-1] else jnp.ones(a.shape[:-2], a.dtype)


@meaning("slogdet")
def _slogdet(errors: Errors, params: Params, a: Any) -> Any:
    return jnp.linalg.slogdet(a)


@meaning("expm")
def _expm(errors: Errors, params: Params, a: Any) -> Any:
    """JAX returns nan beyond `max_squarings`; 64 covers norms up to 2**64."""
    return linalg.expm(a, max_squarings=64) if a.size else a


@meaning("cholesky")
def _cholesky(errors: Errors, params: Params, a: Any) -> Any:
    if not a.size:
        return a
    lower = jnp.swapaxes(a, -1, -2).conj() if params["upper"] else a
    factor = jnp.tril(lax.linalg.cholesky(lower, symmetrize_input=False))
    failed = jnp.isnan(factor).any((-2, -1)) & jnp.isfinite(jnp.tril(lower)).all((-2, -1))
    errors.when(failed, "LinAlgError", "Matrix is not positive definite")
    return jnp.swapaxes(factor, -1, -2).conj() if params["upper"] else factor


@meaning("cholesky_or_nan")
def _cholesky_or_nan(errors: Errors, params: Params, a: Any) -> Any:
    if not a.size:
        return a
    factor = jnp.tril(lax.linalg.cholesky(a, symmetrize_input=False))
    failed = jnp.isnan(factor).any() & jnp.isfinite(jnp.tril(a)).all()
    return jnp.where(failed, jnp.nan, factor)


@meaning("cholesky_inverse")
def _cholesky_inverse(errors: Errors, params: Params, a: Any) -> Any:
    if not a.size:
        return a
    errors.when((jnp.diagonal(a, 0, -2, -1) == 0).any(), "LinAlgError", "Singular matrix")
    ones = jnp.broadcast_to(jnp.eye(a.shape[-1], dtype=a.dtype), a.shape)
    options: dict[str, Any] = {"left_side": True, "lower": True}
    half = lax.linalg.triangular_solve(a, ones, **options)
    return lax.linalg.triangular_solve(a, half, transpose_a=True, **options)


@meaning("lu_factors")
def _lu_factors(errors: Errors, params: Params, a: Any) -> Any:
    if not a.size:
        return a
    rows = jnp.arange(a.shape[-1])

    def step(k: Any, factors: Any) -> Any:
        pivot = jnp.take(factors, k, axis=-1)
        below = jnp.where(rows > k, pivot / jnp.take(pivot, k, axis=-1)[..., None], 0)
        right = jnp.where(rows > k, jnp.take(factors, k, axis=-2), 0)
        factors = factors - below[..., None] * right[..., None, :]
        column = (rows[:, None] > k) & (rows == k)
        return jnp.where(column, below[..., None], factors)

    return lax.fori_loop(0, a.shape[-1], step, a)


@meaning("qr")
def _qr(errors: Errors, params: Params, a: Any) -> Any:
    result = jnp.linalg.qr(a, params["mode"])
    return (result,) if params["mode"] == "r" else tuple(result)


def _finite(errors: Errors, a: Any, message: str) -> None:
    errors.when(~jnp.isfinite(a), "LinAlgError", message)


@meaning("svd")
def _svd(errors: Errors, params: Params, a: Any) -> Any:
    _finite(errors, a, "SVD did not converge")
    return tuple(jnp.linalg.svd(a, full_matrices=params["full_matrices"]))


@meaning("svdvals")
def _svdvals(errors: Errors, params: Params, a: Any) -> Any:
    _finite(errors, a, "SVD did not converge")
    return jnp.linalg.svd(a, compute_uv=False)


@meaning("eigh")
def _eigh(errors: Errors, params: Params, a: Any) -> Any:
    return tuple(jnp.linalg.eigh(a, "L" if params["lower"] else "U", symmetrize_input=False))


@meaning("eigvalsh")
def _eigvalsh(errors: Errors, params: Params, a: Any) -> Any:
    return _eigh(errors, params, a)[0]


@meaning("eig")
def _eig(errors: Errors, params: Params, a: Any) -> Any:
    _finite(errors, a, "Array must not contain infs or NaNs")
    return tuple(jnp.linalg.eig(a))


@meaning("eigvals")
def _eigvals(errors: Errors, params: Params, a: Any) -> Any:
    _finite(errors, a, "Array must not contain infs or NaNs")
    return jnp.linalg.eigvals(a)


@meaning("pinv")
def _pinv(errors: Errors, params: Params, a: Any) -> Any:
    _finite(errors, a, "SVD did not converge")
    if not a.size:
        return jnp.swapaxes(a, -1, -2)
    return jnp.linalg.pinv(a, rtol=1e-15 if params["rcond"] is None else params["rcond"])


@meaning("lstsq")
def _lstsq(errors: Errors, params: Params, a: Any, b: Any) -> Any:
    _finite(errors, a, "SVD did not converge in Linear Least Squares")
    solution, _residuals, rank, singular = jnp.linalg.lstsq(a, b, params["rcond"])
    return solution, rank, singular


EXACT = lax.Precision.HIGHEST
"""Without it a GPU multiplies float32 matrices with 10 bits of mantissa."""


@meaning("gram")
def _gram(errors: Errors, params: Params, a: Any) -> Any:
    turned = jnp.swapaxes(a, -1, -2)
    return jnp.matmul(*((turned, a) if params["transposed"] else (a, turned)), precision=EXACT)


@meaning("triangular_product")
def _triangular_product(errors: Errors, params: Params, triangle: Any, b: Any) -> Any:
    read = jnp.tril(triangle) if params["lower"] else jnp.triu(triangle)
    read = jnp.swapaxes(read, -1, -2) if params["transposed"] else read
    return jnp.matmul(*((b, read) if params["right"] else (read, b)), precision=EXACT)


@meaning("tridiagonal_solve")
def _tridiagonal_solve(errors: Errors, params: Params, lower: Any, diagonal: Any, upper: Any, b: Any) -> Any:
    """JAX marks what LAPACK calls singular by nan. What is no positive definite matrix has a pivot that is not positive."""
    if len(lower) != max(len(diagonal) - 1, 0) or len(upper) != len(lower):
        raise ValueError("tridiagonal_solve: the lengths of the diagonals do not fit")
    if not diagonal.size:
        return b
    if params["positive"]:
        diagonal, upper = diagonal.real.astype(b.dtype), lower.conj()
        squares = jnp.square(jnp.abs(lower))
        _, pivots = lax.scan(
            lambda before, each: (each[0] - each[1] / before,) * 2, diagonal[0].real, (diagonal[1:].real, squares)
        )
        failed = ~((diagonal[0].real > 0) & (pivots > 0).all())
        errors.when(failed & jnp.isfinite(squares).all(), "LinAlgError", "Matrix is not positive definite")
    columns = b.reshape((len(b), -1)) if b.size else jnp.ones((len(b), 1), b.dtype)
    zero = jnp.zeros(1, b.dtype)
    below, above = jnp.concatenate([zero, lower]), jnp.concatenate([upper, zero])
    x = lax.linalg.tridiagonal_solve(below, diagonal, above, columns)
    finite = jnp.isfinite(below).all() & jnp.isfinite(diagonal).all() & jnp.isfinite(above).all()
    if not params["positive"]:
        errors.when(jnp.isnan(x).any() & finite & jnp.isfinite(columns).all(), "LinAlgError", "Singular matrix")
    return x.reshape(b.shape) if b.size else b


@meaning("banded_solve")
def _banded_solve(errors: Errors, params: Params, bands: Any, b: Any) -> Any:
    """Row after row of the band: those that have an element in a column are at hand, and the one with the largest is exchanged
    with the first; then the unknowns from the last to the first."""
    below, above, n = params["below"], params["above"], len(b)
    if len(bands) != below + 1 + above:
        raise ValueError("banded_solve: the number of diagonals does not fit")
    if not bands.size or not b.size:
        return b
    columns = b.reshape((n, -1))
    if params["positive"]:
        bands, below, above = _both_sides(bands, below, above)
    diagonals = jnp.stack([_by_rows(bands[above - k], k) for k in range(-below, above + 1)])
    rows = jnp.pad(diagonals.T, ((0, below + 1), (0, 0)))
    right = jnp.pad(columns, ((0, below + 1), (0, 0)))

    def eliminate(window: Any, entering: Any) -> Any:
        matrix, sides = window
        best = 0 if params["positive"] else jnp.argmax(jnp.abs(matrix[:, 0]))
        order = jnp.arange(below + 1).at[best].set(0).at[0].set(best)
        matrix, sides = matrix[order], sides[order]
        share = matrix[1:, :1] / matrix[0, 0]
        rest = jnp.pad((matrix[1:] - share * matrix[0])[:, 1:], ((0, 0), (0, 1)))
        rest_sides = sides[1:] - share * sides[0]
        return tuple(jnp.concatenate([a, e[None]]) for a, e in zip((rest, rest_sides), entering)), (matrix[0], sides[0])

    first = jnp.stack([jnp.roll(rows[i], i - below) for i in range(below + 1)])
    entering = rows[below + 1 :], right[below + 1 :]
    _, (triangle, sides) = lax.scan(eliminate, (first, right[: below + 1]), entering)
    pivots = triangle[:, 0]
    failed = ~(pivots.real > 0).all() if params["positive"] else (pivots == 0).any()
    message = "Matrix is not positive definite" if params["positive"] else "Singular matrix"
    errors.when(failed & jnp.isfinite(rows).all(), "LinAlgError", message)

    def substitute(known: Any, row: Any) -> Any:
        coefficients, side = row
        x = (side - jnp.matmul(coefficients[1:], known, precision=EXACT)) / coefficients[0]
        return jnp.concatenate([x[None], known])[: below + above], x

    none = jnp.zeros((below + above, columns.shape[1]), b.dtype)
    _, x = lax.scan(substitute, none, (triangle, sides), reverse=True)
    return x.reshape(b.shape)


def _by_rows(band: Any, offset: int) -> Any:
    """A diagonal, whose elements stand at their columns, with each at its row, and zeros outside of the matrix."""
    n = len(band)
    inside = band[max(offset, 0) : max(n + min(offset, 0), 0)]
    return jnp.pad(inside, (min(max(-offset, 0), n), min(max(offset, 0), n)))


def _both_sides(bands: Any, below: int, above: int) -> tuple[Any, int, int]:
    """The diagonals of a Hermitian matrix from those on one side of its own, which is real."""
    n, wide = bands.shape[1], below + above
    if above:
        bands, above = bands[::-1], 0
        lower = jnp.stack([jnp.roll(bands[k].conj(), -k) for k in range(wide + 1)])
    else:
        lower = bands
    own = lower[:1].real.astype(bands.dtype)
    upper = [jnp.roll(lower[k].conj(), k)[None] for k in range(wide, 0, -1)]
    return jnp.concatenate([*upper, own, lower[1:]])[:, :n], wide, wide


@meaning("symmetric_solve")
def _symmetric_solve(errors: Errors, params: Params, a: Any, b: Any) -> Any:
    triangle = jnp.tril(a, -1) if params["lower"] else jnp.triu(a, 1)
    whole = triangle + triangle.T + jnp.diag(jnp.diagonal(a))
    return _vectors_as_columns(partial(_solve_matrices, errors), whole, b)
