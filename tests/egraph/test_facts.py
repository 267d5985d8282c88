"""What is inferred about terms: each law of signs holds for sampled numbers, structure for sampled matrices."""

import itertools

import numpy as np
import pytest
import scipy.special

from egc.egraph import facts, structure
from egc.egraph.schema import FACTS
from egc.rewrite import PREDICATES, SQUARE
from tests.egraph import support as s
from tests.egraph.support import const, equal, law, n, p, require, transpose, var

x, y = var("x", p), var("y", p)
A, S = var("A", n, p), var("S", p, p)
X = s.var("X", n)
M = s.var("M", n, n)
pairs = s.subtract(s.broadcast(A, shape=(n, n, p), axes=(0, 2)), s.broadcast(A, shape=(n, n, p), axes=(1, 2)))
banded = s.assume(A, facts=("two_above", "upper_triangular"))


def known(predicate, term, *assumed):
    """Whether a fact about a term is inferred, where facts about its operands are assumed."""
    operand = {1: X, 2: M}[term.type.rank]
    test = law("has", s.sin(operand), s.cos(operand), [require(predicate, operand)], generic=False)
    return equal([test], s.sin(term), s.cos(term))


def given(node, *names):
    return s.assume(node, facts=names)


SAMPLES = np.array([-7.5, -3.0, -2.0, -1.0, -0.9, -0.25, -0.0, 0.0, 0.125, 0.7, 1.0, 1.5, 2.0, 4.0, 20.0])
"""Facts are about exact values, so none of these makes a positive function underflow to zero."""


def function(op):
    return getattr(np, op, None) or {"log_expit": scipy.special.log_expit}.get(op) or getattr(scipy.special, op)


def elementwise_laws():
    for line in facts.LAWS.strip().splitlines():
        conclusion, _, rest = line.partition(": ")
        for piece in rest.split(" | "):
            op, *words = piece.split()
            if "x" in words or "y" in words:
                yield conclusion, op, tuple(zip(words[::2], words[1::2]))
            else:
                for name in piece.split():
                    yield conclusion, name, ()


@pytest.mark.parametrize("conclusion, op, premises", list(elementwise_laws()))
@pytest.mark.filterwarnings("ignore")
def test_a_law_holds_for_numbers(conclusion, op, premises):
    compute = function(op)
    binary = facts._elementwise_term(op).endswith(" y)")
    checked = 0
    for a in SAMPLES:
        for b in SAMPLES if binary else [0.0]:
            operands = {"x": a, "y": b}
            if not all(PREDICATES[fact](np.array([operands[name]])) for name, fact in premises):
                continue
            value = np.asarray(compute(a, b) if binary else compute(a), dtype=float)
            if not np.isnan(value) or conclusion == "not_nan":
                checked += 1
                assert PREDICATES[conclusion](value.reshape(1)), (op, a, b, value)
    assert checked


def test_every_premise_and_conclusion_is_a_predicate():
    assert all({law.conclusion, *law.needs} <= set(FACTS) for law in facts.laws())


@pytest.mark.parametrize(
    "predicate, term",
    [
        ("positive", s.exp(x)),
        ("positive", s.add(s.exp(x), const(1.0, p))),
        ("at_least_one", s.add(s.exp(x), const(1.0, p))),
        ("nonnegative", s.multiply(x, x)),
        ("nonnegative", s.power(x, const(2.0, p))),
        ("negative", s.negative(s.exp(x))),
        ("nonzero", s.multiply(s.exp(x), const(-2.0, p))),
        ("positive", s.broadcast(s.total(s.exp(var("t", 4))), shape=(p,), axes=())),
        ("nonnegative", s.total(s.exp(A), 1)),
        ("nonnegative", s.cast(s.iota(shape=(p,), axis=0), dtype=np.dtype(float))),
        ("finite", const(2.5, p)),
        ("at_most_one", s.cast(s.isnan(x), dtype=np.dtype(float))),
        ("positive", given(x, "positive")),
        ("nonzero", given(x, "negative")),
        ("nonempty", s.exp(var("t", 4))),
        ("nonempty", s.exp(x)),
        ("positive", s.total(s.exp(A), 0)),
        ("nonempty", s.exp(given(x, "nonempty"))),
        ("symmetric", s.matmul(transpose(A), A)),
        ("spd", s.matmul(transpose(S), given(S, "nonsingular"))),
        ("spd", s.inv(given(S, "spd"))),
        ("spd", s.add(s.matmul(transpose(A), A), s.multiply(const(0.1, p, p), s.diagonal_matrix(const(1.0, p), offset=0)))),
        ("symmetric", given(S, "diagonal")),
        ("upper_triangular", transpose(s.cholesky(S, upper=False))),
        ("lower_triangular", s.matmul(s.tril(S, offset=0), s.cholesky(S, upper=False))),
        ("orthogonal", s.item(s.eigh(S, lower=True), index=1)),
        ("orthogonal", s.item(s.qr(S, mode="complete"), index=0)),
        ("diagonal", s.diagonal_matrix(x, offset=0)),
        ("spd", s.expm(given(S, "symmetric"))),
    ],
)  # fmt: skip
def test_a_fact_is_inferred(predicate, term):
    assert known(predicate, term)


@pytest.mark.parametrize(
    "predicate, term",
    [
        ("positive", x),
        ("positive", s.multiply(x, x)),
        ("nonnegative", s.multiply(x, y)),
        ("positive", s.absolute(x)),
        ("positive", const(0.0, p)),
        ("nonzero", const(-0.0, p)),
        ("nonnegative", s.power(x, const(3.0, p))),
        ("finite", s.exp(x)),
        ("not_nan", s.subtract(s.exp(x), s.exp(x))),
        ("nonnegative", s.multiply(var("i", p, dtype="i64"), var("i", p, dtype="i64"))),
        ("nonnegative", s.absolute(var("i", p, dtype="i64"))),
        ("nonnegative", s.multiply(var("c", p, dtype="c128"), var("c", p, dtype="c128"))),
        ("nonnegative", s.cast(var("u", p, dtype="u64"), dtype=np.dtype(np.int64))),
        ("spd", s.matmul(transpose(A), A)),
        ("symmetric", s.matmul(given(S, "symmetric"), given(var("S2", p, p), "symmetric"))),
        ("spd", s.matmul(transpose(var("Z", p, p, dtype="c128")), given(var("Z", p, p, dtype="c128"), "nonsingular"))),
        ("orthogonal", s.item(s.qr(A, mode="reduced"), index=0)),
        ("diagonal", s.diagonal_matrix(x, offset=1)),
        ("lower_triangular", s.tril(S, offset=1)),
    ],
)
def test_a_fact_is_not_inferred(predicate, term):
    if term.type.dtype.kind == "f":
        assert not known(predicate, term)
    else:
        wide = {"i64": "integer", "c128": "inexact"}["c128" if term.type.dtype.kind == "c" else "i64"]
        operand = {1: X, 2: M}[term.type.rank]
        operand = var(operand.params["name"], *operand.type.shape, dtype="i64" if wide == "integer" else "f64")
        test = law("has", s.negative(operand), s.multiply(operand, operand), [require(predicate, operand)], dtypes=wide)
        assert not equal([test], s.negative(term), s.multiply(term, term))


def test_an_unknown_assumption_is_refused():
    with pytest.raises(ValueError, match="nothing is known"):
        known("positive", given(x, "shiny"))


MATRICES = [
    np.array([[2.0, 0.5], [0.5, 1.0]]),
    np.array([[1.0, 1.0], [1.0, 1.0]]),
    np.array([[1.0, 2.0], [2.0, -3.0]]),
    np.diag([2.0, -1.0]),
    np.array([[0.6, -0.8], [0.8, 0.6]]),
    np.array([[1.0, 2.0], [3.0, 4.0]]),
    np.array([[1.0, 0.0], [2.0, 3.0]]),
    np.array([[1.0, 5.0], [0.0, 3.0]]),
    np.array([[0.0, 1.0], [1.0, 0.0]]),
    np.eye(2),
    np.zeros((2, 2)),
    np.array([[1.0, 0.0], [1.0, 0.0]]),
    np.diag([1.0, 2.0, 3.0]) + np.diag([4.0, 5.0], 1) - np.diag([1.0, 2.0], -1),
    np.array([[1.0, 0.0, 0.0], [7.0, 1.0, 0.0], [-2.0, 3.0, 1.0]]),
    np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]),
    np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]]),
    np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
]
OPERATIONS = {
    '(op-transpose x "(1, 0)")': np.transpose, "(op-inv x)": np.linalg.inv, "(op-negative x)": np.negative,
    "(op-conjugate x)": np.conj, "(op-matmul x y)": np.matmul, "(op-add x y)": np.add,
    "(op-subtract x y)": np.subtract, "(op-multiply x y)": np.multiply,
}  # fmt: skip


def has(fact, a):
    if fact in SQUARE and a.shape[0] != a.shape[1]:
        return fact in ("lower_triangular", "upper_triangular") and PREDICATES[fact](a)
    return PREDICATES[fact](np.where(np.abs(a) < 1e-14, 0, a).round(12) + 0)


@pytest.mark.parametrize("line", (structure.KEPT.strip() + structure.OF_ANY_NUMBERS.rstrip()).splitlines())
def test_structure_is_kept(line):
    term, _, names = line.partition("): ")
    compute, checked = OPERATIONS[f"{term})"], 0
    for fact in names.split():
        owners = [a for a in MATRICES if has(fact, a)]
        assert owners, fact
        for operands in itertools.product(owners, repeat=2 if " y" in term else 1):
            try:
                result = compute(*operands)
            except (ValueError, np.linalg.LinAlgError):
                continue
            checked += 1
            assert has(fact, result), (fact, operands)
    assert checked


def test_structure_implies_structure():
    for line in structure.IMPLIED.strip().splitlines():
        premise, _, conclusions = line.partition(": ")
        owners = [a for a in MATRICES if has(premise, a)]
        assert owners and all(has(each, a) for a in owners for each in conclusions.split()), line
    for line in structure.PAIRS.strip().splitlines():
        premises, _, conclusion = line.partition(": ")
        square = [a for a in MATRICES if len(a) == len(a.T)]
        owners = [a for a in square if all(has(each, a) for each in premises.split())]
        assert owners and all(has(conclusion, a) for a in owners), line


def test_numbers_keep_the_structure_of_what_they_scale():
    signs = {"any": (-2.0, 0.0, 3.0), "nonzero": (-2.0, 3.0), "positive": (3.0,), "nonnegative": (0.0, 3.0)}
    for line in structure.SCALED.strip().splitlines():
        sign, _, names = line.partition(": ")
        for fact in names.split():
            owners = [a for a in MATRICES if has(fact, a)]
            assert owners and all(has(fact, number * a) for a in owners for number in signs[sign]), (line, fact)


@pytest.mark.parametrize(
    "predicate, term",
    [
        ("permutation", transpose(given(S, "permutation"))),
        ("tridiagonal", s.add(s.diagonal_matrix(x, offset=0), s.diagonal_matrix(var("u", p), offset=0))),
        ("tridiagonal", s.tril(s.triu(S, offset=-1), offset=1)),
        ("pentadiagonal", s.matmul(given(S, "tridiagonal"), given(S, "tridiagonal"))),
        ("pentadiagonal", s.add(given(S, "diagonal"), s.matmul(transpose(banded), banded))),
        ("spd", s.matmul(transpose(given(A, "full_column_rank")), given(A, "full_column_rank"))),
        ("psd", s.matmul(transpose(A), s.matmul(given(var("N", n, n), "psd"), A))),
        ("nonsingular", given(S, "unit_diagonal", "lower_triangular")),
        ("positive", s.diagonal(given(S, "spd"), offset=0, size=p)),
        ("orthogonal", given(S, "identity")),
        ("zero", const(0.0, p, p)),
        ("antisymmetric", s.subtract(s.broadcast(x, shape=(p, p), axes=(0,)), s.broadcast(x, shape=(p, p), axes=(1,)))),
        ("antisymmetric", s.multiply(given(S, "antisymmetric"), const(2.0, p, p))),
        ("symmetric", s.exp(s.power(given(S, "antisymmetric"), const(2.0, p, p)))),
        ("symmetric", s.multiply(given(S, "antisymmetric"), given(var("T", p, p), "antisymmetric"))),
        ("symmetric", s.total(s.multiply(pairs, pairs), 2)),
        ("symmetric", s.multiply(s.broadcast(x, shape=(p, p), axes=(0,)), s.broadcast(x, shape=(p, p), axes=(1,)))),
        ("upper_triangular", s.multiply(s.triu(S, offset=0), s.broadcast(x, shape=(p, p), axes=(1,)))),
        ("spd", s.cholesky_inverse(S)),
    ],
)
def test_structure_is_inferred(predicate, term):
    assert known(predicate, term)


@pytest.mark.parametrize(
    "predicate, term",
    [
        ("spd", s.matmul(transpose(A), A)),
        ("nonsingular", given(S, "lower_triangular")),
        ("permutation", given(S, "one_hot")),
        ("tridiagonal", s.matmul(given(S, "tridiagonal"), given(S, "tridiagonal"))),
        ("pentadiagonal", s.matmul(given(S, "tridiagonal"), given(var("T", p, p), "pentadiagonal"))),
        ("two_below", transpose(given(S, "two_below"))),
        ("nonsingular", s.matmul(given(A, "full_column_rank"), given(transpose(A), "full_column_rank"))),
        ("identity", s.diagonal_matrix(const(2.0, p), offset=0)),
        ("full_row_rank", transpose(given(transpose(A), "lower_triangular", "positive_diagonal"))),
        ("full_column_rank", transpose(given(transpose(A), "lower_triangular", "positive_diagonal"))),
        ("antisymmetric", s.subtract(s.broadcast(x, shape=(p, p), axes=(0,)), s.broadcast(y, shape=(p, p), axes=(1,)))),
        ("antisymmetric", s.add(given(S, "antisymmetric"), const(1.0, p, p))),
        ("symmetric", s.power(given(S, "antisymmetric"), const(3.0, p, p))),
        ("symmetric", s.exp(given(S, "antisymmetric"))),
        ("symmetric", s.total(pairs, 2)),
        ("symmetric", s.multiply(given(S, "symmetric"), s.broadcast(x, shape=(p, p), axes=(1,)))),
        ("upper_triangular", s.add(s.triu(S, offset=0), s.broadcast(x, shape=(p, p), axes=(1,)))),
        ("spd", given(S, "symmetric")),
    ],
)
def test_structure_is_not_invented(predicate, term):
    assert not known(predicate, term)
