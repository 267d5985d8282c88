"""A few laws that the tests of the e-graph share."""

from tests.egraph import support as s
from tests.egraph.support import k, law, m, n, q, require, spread, transpose, var

x, y, z = var("x", n), var("y", n), var("z", n)
a, b = var("a"), var("b")
A, B, C = var("A", n, m), var("B", m, k), var("C", k, q)
S, v, D = var("S", n, n), var("v", n), var("D", n, k)
w = var("w", k)

LOG_OF_EXP = law("log_of_exp", s.log(s.exp(x)), x)
LOG_OF_PRODUCT = law(
    "log_of_product",
    s.log(s.multiply(x, y)),
    s.add(s.log(x), s.log(y)),
    [require("positive", x), require("positive", y)],
)
ADD_COMMUTES = law("add_commutes", s.add(x, y), s.add(y, x), dtypes="number")
ADD_ASSOCIATES = law("add_associates", s.add(s.add(x, y), z), s.add(x, s.add(y, z)), both_ways=True)
MULTIPLY_COMMUTES = law("multiply_commutes", s.multiply(x, y), s.multiply(y, x), dtypes="number")
DISTRIBUTE = law("distribute", s.multiply(x, s.add(y, z)), s.add(s.multiply(x, y), s.multiply(x, z)), both_ways=True)
ADD_ZERO = law("add_zero", s.add(x, s.const(0.0, n)), x, dtypes="number")
ADD_NEGATIVE_ZERO = law("add_negative_zero", s.add(x, s.const(-0.0, n)), x)
SQUARE = law("square", s.power(x, s.const(2.0, n)), s.multiply(x, x))
ABSOLUTE = law("absolute_of_nonnegative", s.absolute(x), x, [require("nonnegative", x)])
LOG1P = law("log1p", s.log(s.add(s.const(1.0, n), x)), s.log1p(x))
LOG_ONE_PLUS = law("log_one_plus", s.log(s.add(x, s.const(1.0, n))), s.log1p(x))
DIVIDE_BY_LITERAL = law(
    "divide_by_literal",
    s.divide(x, spread(a, n)),
    s.multiply(x, spread(s.divide(s.const(1.0), a), n)),
    [require("nonzero", a)],
    constants="a",
)
ADD_LITERALS = law(
    "add_literals",
    s.add(s.add(x, spread(a, n)), spread(b, n)),
    s.add(x, spread(s.add(a, b), n)),
    constants="ab",
)
THIRD = law("third", s.multiply(s.const(1 / 3, n), x), s.divide(x, s.const(3.0, n)))
PRODUCT_ASSOCIATES = law(
    "product_associates", s.matmul(s.matmul(A, B), C), s.matmul(A, s.matmul(B, C)), generic=False, both_ways=True
)
MATRIX_VECTOR = law(
    "matrix_vector", s.matmul(s.matmul(A, B), w), s.matmul(A, s.matmul(B, w)), generic=False, both_ways=True
)
TRANSPOSE_TWICE = law("transpose_twice", transpose(transpose(A)), A, generic=False)
SOLVE = law("solve", s.matmul(s.inv(S), v), s.solve(S, v), generic=False)
SOLVE_MATRIX = law("solve_matrix", s.matmul(s.inv(S), D), s.solve(S, D), generic=False)
INVERSE_OF_ORTHOGONAL = law("inverse_of_orthogonal", s.inv(S), transpose(S), [require("orthogonal", S)], generic=False)
REVERSE_TWICE = law("reverse_twice", s.reverse(s.reverse(x)), x, generic=False)
SUM_OF_SUM = law("sum_of_sum", s.total(s.add(x, y)), s.add(s.total(x), s.total(y)), generic=False)
MEAN_OF_NEGATIVE = law(
    "mean_of_negative",
    s.divide(s.total(s.negative(x)), s.cast(s.size(value=n), dtype=x.type.dtype)),
    s.negative(s.divide(s.total(x), s.cast(s.size(value=n), dtype=x.type.dtype))),
    generic=False,
)

ALL = tuple(value for value in globals().values() if isinstance(value, type(LOG1P)))
