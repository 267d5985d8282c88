"""The check refuses rules that break the law of their precision class, and accepts those that keep it."""

import numpy as np
import pytest
from scipy import special

from egc import (
    Axes,
    Bool,
    Constant,
    Index,
    Matrix,
    SquareMatrix,
    Vector,
    equation,
    negative,
    nonempty,
    nonsingular,
    positive,
    require,
    rule,
    spd,
)
from egc.rulecheck import check


def root_of_square(x):
    return np.sqrt(x**2), x


def log_of_product_of_any_signs(x, y):
    return np.log(x * y), np.log(x) + np.log(y)


def sum_of_logs(x, y):
    return np.log(x) + np.log(y), np.log(x * y)


def over_self(x):
    return x / x, np.ones_like(x)


def times_zero(x):
    return x * 0, np.zeros_like(x)


def subtract_self(x):
    return x - x, np.zeros_like(x)


def matrix_product_commutes(A: Matrix, B: Matrix):
    return A @ B, B @ A


def square_matrix_product_commutes(A: SquareMatrix, B: SquareMatrix):
    return A @ B, B @ A


def off_by_a_little(x):
    return 1 - np.cos(x), 2 * np.sin(x / 2) ** 2 + 1e-9


def cancelling_cosine(x):
    return 2 * np.sin(x / 2) ** 2, 1 - np.cos(x)


def cancelling_log(x):
    return np.log1p(x), np.log(1 + x)


def cancelling_variance(x):
    return np.mean((x - np.mean(x)) ** 2), np.mean(x * x) - np.mean(x) ** 2


def expanded_square(x, y, axes: Axes):
    require(nonempty(x))
    return np.sum((x - y) ** 2, axis=axes), np.sum(x * x - 2 * x * y + y * y, axis=axes)


def normal_equations(A: SquareMatrix, b: Vector):
    require(nonsingular(A))
    return np.linalg.solve(A, b), np.linalg.solve(A.T @ A, A.T @ b)


def overflowing_split(x, y):
    return np.exp(x + y), np.exp(x) * np.exp(y)


def distributed(x, y, z):
    return x * (y + z), x * y + x * z


def unguarded_log_sum_exp(x, axes: Axes):
    top = np.max(x, axis=axes, keepdims=True)
    return np.log(np.sum(np.exp(x), axis=axes, keepdims=True)), top + np.log(
        np.sum(np.exp(x - top), axis=axes, keepdims=True)
    )


def choice_of_larger(x, y):
    return np.where(x > y, x, y), np.maximum(x, y)


def softplus_likelihood(y, z):
    return y * special.log_expit(z) + (1 - y) * special.log_expit(-z), y * z - np.logaddexp(0, z)


def never_applicable(x):
    require(positive(x), negative(x))
    return x + 1, 1 + x


def other_shape(x, axes: Axes):
    return np.sum(x, axis=axes), np.sum(x, axis=axes, keepdims=True)


def other_dtype(c: Bool, x):
    return np.where(c, x, x), np.where(c, x, x).astype(np.complex128)


def not_a_pair(x):
    return x + 1


def unknown_name(x):
    return x + 1, x + undefined  # noqa: F821


def complex_log_of_exp(x):
    return np.log(np.exp(x)), x


def integer_overflow(x):
    return np.maximum(x, x + 1), x + 1


@pytest.mark.parametrize(
    "function",
    [
        root_of_square, log_of_product_of_any_signs, sum_of_logs, over_self, times_zero, subtract_self,
        matrix_product_commutes, square_matrix_product_commutes, off_by_a_little, cancelling_cosine, cancelling_log,
        cancelling_variance, expanded_square, normal_equations, overflowing_split, distributed, unguarded_log_sum_exp,
        choice_of_larger, softplus_likelihood, never_applicable, other_shape, other_dtype, not_a_pair, unknown_name,
    ],
    ids=lambda function: function.__name__,
)  # fmt: skip
def test_wrong_rules_are_caught(function):
    assert not check(rule(function)).passed


@pytest.mark.parametrize("function", [over_self, times_zero, subtract_self, choice_of_larger, softplus_likelihood])
def test_the_finite_class_forgives_nan_and_inf_only(function):
    assert check(rule(precision="finite")(function)).passed


@pytest.mark.parametrize("function", [root_of_square, off_by_a_little, cancelling_log])
def test_the_finite_class_does_not_forgive_wrong_values(function):
    assert not check(rule(precision="finite")(function)).passed


def test_rounding_is_not_exact():
    def associativity(x, y, z):
        return (x + y) + z, x + (y + z)

    assert check(rule(associativity)).passed
    assert not check(rule(precision="exact")(associativity)).passed


def test_the_sign_of_zero_is_not_exact():
    def add_zero(x):
        return x + 0, x

    assert check(rule(add_zero)).passed
    assert not check(rule(precision="exact")(add_zero)).passed


def test_an_equation_is_checked_both_ways():
    def one_minus_cos(x):
        return 1 - np.cos(x), 2 * np.sin(x / 2) ** 2

    assert check(rule(one_minus_cos)).passed
    assert not check(equation(one_minus_cos)).passed


def test_dtypes_are_those_the_rule_names():
    assert check(rule(dtypes="float")(integer_overflow)).passed
    assert not check(rule(dtypes="integer")(integer_overflow)).passed
    assert not check(rule(dtypes="inexact")(complex_log_of_exp)).passed


def test_integers_wrap_around_on_both_sides():
    def factor(x, y, z):
        return x * y + x * z, x * (y + z)

    assert check(rule(dtypes="integer")(factor)).passed


def test_approx_keeps_its_error_bound():
    def sine(x):
        require(positive(x), positive(0.01 - x))
        return np.sin(x), x

    assert check(rule(precision="approx", error_bound=1e-4)(sine), samples=20).passed
    assert not check(rule(precision="approx", error_bound=1e-9)(sine), samples=20).passed


def test_required_structure_is_generated():
    def log_determinant(A: SquareMatrix):
        require(spd(A))
        return np.log(np.linalg.det(A)), 2 * np.sum(np.log(np.diag(np.linalg.cholesky(A))))

    assert check(rule(log_determinant)).passed


def test_sizes_of_matrices_are_as_different_as_the_rule_allows():
    from egc.rulecheck.samples import Sampler

    @rule
    def chain(A: Matrix, B: Matrix, x: Vector):
        return (A @ B) @ x, A @ (B @ x)

    @rule
    def kronecker(A: Matrix, B: Matrix, x: Vector):
        return np.kron(A, B) @ x, (A @ x.reshape(A.shape[1], B.shape[1]) @ B.T).reshape(-1)

    shapes = {tuple(each.shape for each in Sampler(chain, seed).draw("plain").operands) for seed in range(40)}
    assert all(a[1] == b[0] and b[1] == x[0] for a, b, x in shapes)
    assert any(len({*a, *b}) == 3 for a, b, _ in shapes)
    shapes = {tuple(each.shape for each in Sampler(kronecker, seed).draw("plain").operands) for seed in range(40)}
    assert all(x[0] == a[1] * b[1] for a, b, x in shapes)
    assert any(len({*a, *b}) == 4 for a, b, _ in shapes)


def test_an_index_is_an_integer():
    def row(A: Matrix, B: Matrix, i: Index):
        return (A @ B)[i], A[i] @ B

    def wrong(A: Matrix, B: Matrix, i: Index):
        return (A @ B)[i], A[0] @ B

    assert check(rule(row)).passed
    assert not check(rule(wrong)).passed


def test_constants_are_numbers_of_weak_dtype():
    def collected(x, c: Constant, d: Constant):
        return c * x + d * x, (c + d) * x

    assert check(rule(collected)).passed


def test_the_report_shows_the_counterexample():
    text = str(check(rule(root_of_square)))
    assert "root_of_square" in text and "x = " in text and "left:" in text and "right:" in text


def test_the_report_counts_the_samples_used():
    assert check(rule(never_applicable)).samples == 0
    assert check(equation(distributed), samples=10).wanted == 10


def test_the_same_seed_gives_the_same_report():
    assert str(check(rule(root_of_square), seed=3)) == str(check(rule(root_of_square), seed=3))
