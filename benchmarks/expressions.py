"""The expressions of linear algebra, with their arguments: random, distinct, and of the structure that is assumed of them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.peers import expressions, expressions_by_hand

AWARENESS = """
product: A[n,n] B[n,n]
triangular_product: lower_triangular:L[n,n] B[n,n]
symmetric_product: A[n,n]
tridiagonal_product: tridiagonal:T[n,n] B[n,n]
common_product: A[n,n] B[n,n]
common_product_with_parentheses: A[n,n] B[n,n]
common_product_without_parentheses: A[n,n] B[n,n]
misleading_common_product: A[n,n] B[n,n] y[n]
right_to_left_chain: H[n,n] x[n]
left_to_right_chain: y[n] H[n,n]
mixed_chain: H[n,n] y[n] x[n]
distributive_products: A[n,n] B[n,n] C[n,n]
distributed_difference: A[n,n] H[n,n] x[n]
transposed_factors: A[n,n] B[n,n]
invariant_product: A[n,n] B[n,n] V[3,n]
element_of_sum: A[n,n] B[n,n]
element_of_product: A[n,n] B[n,n]
"""
"""The seventeen expressions of the awareness benchmark, on float32."""

FURTHER = """
chain_to_vector: A[n,n] B[n,n] C[n,n] x[n]
chain_of_rectangles: A[n,n] B[n,k] C[k,n] D[n,k]
transposed_chain: A[n,n] B[n,n] x[n]
scaled_chain: nonzero:a[] A[n,n] B[n,n] x[n]
triangular_times_vector: lower_triangular:L[n,n] x[n]
upper_triangular_product: B[n,n] upper_triangular:U[n,n]
diagonal_sandwich: u[n] A[n,n] v[n]
identity_product: A[n,n] B[n,n]
permuted_product: permutation:P[n,n] A[n,n]
permutation_by_indices: finite:A[n,n] order:p[n]
gram_of_product: A[n,n] B[n,n]
symmetric_sandwich: A[n,k] symmetric:S[n,n]
inverse_times_vector: nonsingular:A[n,n] b[n]
vector_times_inverse: nonsingular:A[n,n] b[n]
inverse_times_product: nonsingular:A[n,n] B[n,n] x[n]
inverse_of_product: nonsingular:A[n,n] nonsingular:B[n,n] x[n]
transposed_inverse: nonsingular:A[n,n] b[n]
positive_definite_solution: spd:S[n,n] b[n]
triangular_solution: lower_triangular:L[n,n] b[n]
triangular_solutions: upper_triangular:U[n,n] B[n,k]
diagonal_solution: nonzero:v[n] B[n,n]
tridiagonal_solution: tridiagonal:T[n,n] b[n]
positive_definite_tridiagonal_solution: tridiagonal+spd:T[n,n] b[n]
pentadiagonal_solution: pentadiagonal:P[n,n] b[n]
banded_solution: bands:ab[7,n] b[n]
symmetric_solution: symmetric:S[n,n] b[n]
orthogonal_solution: orthogonal:Q[n,n] B[n,k]
solutions_with_one_matrix: nonsingular:A[n,n] b[n] c[n]
solution_and_transposed_solution: nonsingular:A[n,n] b[n] c[n]
solution_and_log_determinant: spd:S[n,n] b[n]
general_solution_and_determinant: nonsingular:A[n,n] b[n]
quadratic_form: spd:S[n,n] b[n]
quadratic_forms: spd:S[n,n] B[n,k]
normal_equations: full_column_rank:X[n,k] y[n]
least_squares: full_column_rank:X[n,k] y[n]
log_determinant_of_product: nonsingular:A[n,n] nonsingular:B[n,n]
log_determinant_of_inverse: spd:S[n,n]
log_determinant_of_gram: full_row_rank:A[k,n]
determinant_of_triangular_product: lower_triangular:L[n,n] upper_triangular:U[n,n]
determinant_of_scaled: nonsingular:A[n,n] nonzero:s[]
log_determinant_of_kronecker: nonsingular:A[m,m] nonsingular:B[m,m]
log_determinant_of_blocks: nonsingular:A[n,n] nonsingular:B[n,n]
trace_of_product: A[n,n] B[n,n]
trace_of_inverse_product: spd:S[n,n] B[n,k]
sum_of_product: A[n,n] B[n,n]
diagonal_of_product: A[n,n] B[n,n]
column_of_product: A[n,n] B[n,n]
row_means_of_product: A[n,n] B[n,n]
thin_residual: X[n,n] U[n,r] V[n,r]
squared_norm_of_product: U[n,r] V[n,r]
woodbury_solution: positive:v[n] U[n,r] b[n]
woodbury_log_determinant: positive:v[n] U[n,r]
woodbury_inverse: positive:v[n] U[n,r]
woodbury_density: positive:v[n] U[n,r] b[n]
kronecker_times_vector: A[m,m] B[m,m] x[mm]
kronecker_solution: nonsingular:A[m,m] nonsingular:B[m,m] b[mm]
kronecker_inverse_times_vector: nonsingular:A[m,m] nonsingular:B[m,m] x[mm]
product_of_kroneckers: A[m,m] B[m,m] C[m,m] D[m,m] x[mm]
trace_of_kronecker: A[m,m] B[m,m]
block_diagonal_times_vector: A[n,n] B[n,n] x[nn]
kronecker_times_matrix: A[m,m] B[m,m] X[mm,r]
block_triangular_solution: nonsingular:A[n,n] B[n,n] nonsingular:D[n,n] b[nn]
four_blocks_times_vector: A[n,n] B[n,n] C[n,n] D[n,n] x[nn]
three_blocks_times_vector: A[n,n] B[n,n] C[n,n] x[nnn]
weighted_woodbury: positive:v[n] U[n,r] spd:K[r,r] b[n]
permuted_columns: A[n,n] permutation:P[n,n]
centered_columns: A[n,n]
block_diagonal_solution: nonsingular:A[n,n] nonsingular:B[n,n] b[nn]
push_through: A[n,r] B[r,n]
distributed_vectors: A[n,n] x[n] y[n]
low_rank_update_times_vector: A[n,n] U[n,r] V[n,r] x[n]
einsum_chain: A[n,n] B[n,n] C[n,n] x[n]
einsum_trace: A[n,n] B[n,n] C[n,n]
einsum_with_weights: A[n,n] w[n] B[n,n]
batched_by_loop: A[n,n] X[k,n]
shifted_eigenvalues: symmetric:S[n,n] s[]
exponential_of_diagonal: v[n] x[n]
power_times_vector: A[n,n] x[n]
cholesky_of_factors: triangular_with_positive_diagonal:L[n,n] b[n]
orthogonal_norm: orthogonal:Q[n,n] A[n,k]
singular_values_of_rotated: orthogonal:Q[n,n] A[n,k]
"""
"""Further expressions, on float64: `facts:name[sizes]`, where the facts are assumed of the argument."""

Sizes = Mapping[str, int]


def sizes(n: int) -> dict[str, int]:
    """The sizes of arguments where n rows are usual: k is some, r few, m the root of n, and nn and mm are products and sums."""
    m = max(2, round(n**0.5))
    return {
        "n": n,
        "k": max(2, n // 10),
        "r": max(2, n // 100),
        "m": m,
        "mm": m * m,
        "nn": 2 * n,
        "nnn": 3 * n,
        "3": 3,
        "7": 7,
    }


def _matrix(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.normal(size=shape)


def _well_conditioned(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.normal(size=shape) + 2 * np.sqrt(shape[0]) * np.eye(*shape)


def _positive_definite(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    factor = rng.normal(size=shape)
    return factor @ factor.T / shape[0] + np.eye(*shape)


def _tridiagonal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.triu(np.tril(rng.normal(size=shape), 1), -1) + 4 * np.eye(*shape)


def _pentadiagonal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.triu(np.tril(rng.normal(size=shape), 2), -2) + 6 * np.eye(*shape)


def _bands(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    found = rng.normal(size=shape)
    found[shape[0] // 2] += 2 * shape[0]
    return found


def _symmetric(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    full = _well_conditioned(rng, shape)
    return full + full.T


def _symmetric_tridiagonal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    full = np.triu(np.tril(rng.uniform(-1, 1, size=shape), 1), -1)
    return np.tril(full) + np.tril(full, -1).T + 4 * np.eye(*shape)


def _positive_diagonal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    full = np.tril(rng.normal(size=shape)) / np.sqrt(shape[0])
    np.fill_diagonal(full, 1 + np.abs(np.diag(full)))
    return full


def _triangular(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.tril(rng.normal(size=shape)) / np.sqrt(shape[0]) + np.eye(*shape)


MAKERS: Mapping[str, Callable[[np.random.Generator, tuple[int, ...]], Any]] = {
    "": _matrix,
    "finite": _matrix,
    "nonzero": lambda rng, shape: rng.uniform(0.5, 2, size=shape),
    "positive": lambda rng, shape: rng.uniform(0.5, 2, size=shape),
    "nonsingular": _well_conditioned,
    "symmetric": _symmetric,
    "spd": _positive_definite,
    "lower_triangular": _triangular,
    "upper_triangular": lambda rng, shape: _triangular(rng, shape).T.copy(),
    "triangular_with_positive_diagonal": _positive_diagonal,
    "tridiagonal": _tridiagonal,
    "pentadiagonal": _pentadiagonal,
    "bands": _bands,
    "tridiagonal+spd": _symmetric_tridiagonal,
    "orthogonal": lambda rng, shape: np.linalg.qr(rng.normal(size=shape))[0],
    "permutation": lambda rng, shape: np.eye(shape[0])[rng.permutation(shape[0])],
    "order": lambda rng, shape: rng.permutation(shape[0]),
    "full_column_rank": _matrix,
    "full_row_rank": _matrix,
}


@dataclass(frozen=True)
class Expression:
    """A function of `peers.expressions` with its hand-optimized form and what its arguments are."""

    name: str
    arguments: tuple[tuple[str, str, tuple[str, ...]], ...]
    dtype: str

    @property
    def function(self) -> Callable[..., Any]:
        return getattr(expressions, self.name)

    @property
    def by_hand(self) -> Callable[..., Any]:
        return getattr(expressions_by_hand, self.name)

    @property
    def assume(self) -> dict[str, list[str]]:
        """The facts that are assumed, by argument."""
        found = {}
        for facts, name, _ in self.arguments:
            if facts not in ("", "order", "bands"):
                found[name] = ASSUMED.get(facts, facts.split("+"))
        return found

    def make(self, n: int) -> tuple[Any, ...]:
        """The arguments for n rows."""
        rng, known = np.random.default_rng(zlib.crc32(self.name.encode())), sizes(n)
        made = []
        for facts, _, dims in self.arguments:
            value = MAKERS[facts](rng, tuple(known[dim] for dim in dims))
            if facts != "order":
                value = np.asarray(value, self.dtype)[()]
            made.append(value)
        return tuple(made)


ASSUMED = {"triangular_with_positive_diagonal": ["lower_triangular", "positive_diagonal"]}
"""The facts of arguments whose kind is no fact."""


def _read(table: str, dtype: str) -> tuple[Expression, ...]:
    found = []
    for line in table.strip().splitlines():
        name, _, rest = line.partition(": ")
        arguments = []
        for word in rest.split():
            facts, _, described = word.rpartition(":")
            argument, _, dims = described[:-1].partition("[")
            arguments.append((facts, argument, tuple(dim for dim in dims.split(",") if dim)))
        found.append(Expression(name, tuple(arguments), dtype))
    return tuple(found)


EXPRESSIONS = (*_read(AWARENESS, "float32"), *_read(FURTHER, "float64"))
