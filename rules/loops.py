"""Loops: the laws by which they become array expressions, formulas, calls of LAPACK, and other loops.

Each is stated by an instance: what a loop gives, and the same without it. The law speaks of all loops of its form.
"""

import numpy as np
import scipy

from egc import Matrix, Scalar, SquareMatrix, Vector, factors, loop_rule, require, spd


@loop_rule
def accumulation_is_reduction(s: Scalar, x: Vector):
    """s + x[0] + ... + x[n - 1] = s + sum(x), and so for products, extrema, and, or"""
    total = s
    for i in range(len(x)):
        total = total + x[i]
    return total, s + np.sum(x)


@loop_rule(precision="exact")
def place_of_extreme_is_argmax(s: Scalar, x: Vector):
    """the last i with x[i] > s, where that is s from then on = argmax(x), where x > s there; so with argmin, <, and s = x[k]"""
    largest, place = s, -1
    for i in range(len(x)):
        if x[i] > largest:
            largest, place = x[i], i
    passed = np.fmax(x, -np.inf)
    return place, np.where(np.max(passed) > s, np.argmax(passed), -1)


@loop_rule
def accumulation_is_scan(x: Vector):
    """the sums up to each i = cumsum(x), and so for products and extrema"""
    total, sums = 0.0 * x[0], np.zeros_like(x)
    for i in range(len(x)):
        total = total + x[i]
        sums[i] = total
    return sums, np.cumsum(x)


@loop_rule
def linear_recurrence_is_scan(s: Scalar, a: Vector, b: Vector):
    """s = a[i] s + b[i], each one kept or the last = linear_recurrence(a, b, s), which JAX does in log n steps on
    accelerators"""
    level, levels = s, np.zeros_like(b)
    for i in range(len(b)):
        level = a[i] * level + b[i]
        levels[i] = level
    return levels, factors.linear_recurrence(a, b, s)


@loop_rule(precision="exact", dtypes="number")
def separate_writes_are_one(x: Vector):
    """y[i] = f(i) for each i = f at all i; also into rows, columns, diagonals, or every other place"""
    y = x.copy()
    for i in range(len(x) - 1):
        y[i + 1] = x[i] + x[i + 1]
    return y, np.concatenate((x[:1], x[:-1] + x[1:]))


@loop_rule(precision="exact", dtypes="number")
def last_value_is_kept(s: Scalar, x: Vector):
    """a state that forgets what it was = its value in the last iteration"""
    last = s
    for i in range(len(x)):
        last = x[i] * x[i]
    return last, x[-1] * x[-1]


@loop_rule
def sum_of_products_is_matmul(x: Vector, y: Vector):
    """sum over k of a[i, k] b[k, j] = a @ b, and so for each pair of repeated factors"""
    total = 0.0 * x[0]
    for k in range(len(x)):
        total = total + x[k] * y[k]
    return total, x @ y


@loop_rule
def window_is_state(A: Matrix):
    """one window of an array, read and written in every iteration = that window alone is the state"""
    y = np.zeros_like(A[:2, 0])
    for j in range(A.shape[1]):
        y[0] = y[0] + A[0, j]
    return y, np.concatenate((np.sum(A[:1], axis=1), y[1:]))


@loop_rule
def element_is_carried(x: Vector):
    """the element that the iteration before wrote = a state of its own"""
    y = x.copy()
    for i in range(1, len(x)):
        y[i] = y[i - 1] + x[i]
    return y, np.cumsum(x)


@loop_rule
def arithmetic_series_is_closed(s: Scalar, a: Scalar, d: Scalar, x: Vector):
    """s + a + (a + d) + ... + (a + (n - 1) d) = s + n a + d n (n - 1) / 2"""
    n, total = len(x), s
    for i in range(n):
        total = total + (a + i * d)
    return total, s + (n * a + (n * (n - 1) // 2) * d)


@loop_rule
def sum_of_powers_is_closed(s: Scalar, a: Scalar, x: Vector):
    """s + a (0 + 1 + 4 + ... + (n - 1)^2) = s + a (C(n, 2) + 2 C(n, 3)), and so for all polynomials up to the third degree"""
    n, total = len(x), s
    for i in range(n):
        total = total + a * i**2
    return total, s + a * ((n - 1) * n * (2 * n - 1) // 6)


@loop_rule
def power_is_closed(s: Scalar, a: Scalar, x: Vector):
    """a a ... a s = a^n s, where no power leaves the range of numbers"""
    result = s
    for _ in range(len(x)):
        result = a * result
    return result, a ** len(x) * s


@loop_rule
def geometric_series_is_closed(s: Scalar, a: Scalar, b: Scalar, x: Vector):
    """s = a s + b, n times = a^n s + b (1 + a + ... + a^(n - 1)), where no power leaves the range of numbers"""
    result, n = s, len(x)
    for _ in range(n):
        result = a * result + b
    return result, a**n * s + b * np.sum(a ** np.arange(n), dtype=x.dtype)


@loop_rule
def power_of_number_is_product(a: Scalar, x: Vector):
    """a^i in iteration i = p, where p = a p in each iteration, unless a power is so small that digits are lost"""
    total, again, power = 0.0 * x[0], 0.0 * x[0], 0.0 * x[0] + 1.0
    for i in range(len(x)):
        total = total + x[i] * a**i
    for i in range(len(x)):
        again = again + x[i] * power
        power = a * power
    return total, again


@loop_rule(precision="exact")
def branch_is_choice(a: Scalar, x: Vector):
    """a branch of work that raises nothing = where of both results"""
    y = x - a if a > 0 else x + a
    return y, np.where(a > 0, x - a, x + a)


@loop_rule(precision="exact")
def choice_is_branch(a: Scalar, x: Vector):
    """where(c, f(x), g(x)), c the same for all elements = f(x) if c else g(x): only one of them is computed"""
    return np.where(a > 0, np.exp(x), np.sin(x)), np.exp(x) if a > 0 else np.sin(x)


@loop_rule(precision="exact")
def equal_conditions_are_one(a: Scalar, x: Vector):
    """a branch that reads a branch on the same condition = one branch"""
    y = np.exp(x) if a > 0 else np.sin(x)
    z = y + a if a > 0 else y - a
    return z, np.exp(x) + a if a > 0 else np.sin(x) - a


@loop_rule(precision="exact")
def work_of_one_branch_is_sunk(a: Scalar, x: Vector):
    """work that one branch alone needs = work of that branch"""
    y = np.exp(x)
    return (np.sum(y * x) if a > 0 else np.sum(x)), (np.sum(np.exp(x) * x) if a > 0 else np.sum(x))


@loop_rule(precision="exact")
def expensive_choice_is_masked(x: Vector, y: Vector):
    """where(mask, f(x), y) = f(x) where the mask holds and y elsewhere, for functions f that are slower than a branch"""
    result, mask = y.copy(), x > y
    for i in range(len(x)):
        if mask[i]:
            result[i] = scipy.special.gammainc(y[i] * y[i], np.abs(x[i]))
    return np.where(mask, scipy.special.gammainc(y * y, np.abs(x)), y), result


@loop_rule
def cholesky_nest_is_factor(A: SquareMatrix):
    """a nest that gives the Cholesky factor of every small matrix = LAPACK's, where that is finite"""
    require(spd(A))
    L = np.zeros_like(A)
    for j in range(len(A)):
        L[j, j] = np.sqrt(A[j, j] - L[j, :j] @ L[j, :j])
        for i in range(j + 1, len(A)):
            L[i, j] = (A[i, j] - L[i, :j] @ L[j, :j]) / L[j, j]
    return L, np.linalg.cholesky(A)


def lu_of_positive_definite(A):
    """L and U in one matrix, without the ones of L, from A = C C^T, for A symmetric positive definite"""
    lower = np.linalg.cholesky(A)
    unit = lower / np.diag(lower)
    return np.tril(unit, -1) + np.triu((lower * np.diag(lower)).T)


@loop_rule
def lu_nest_is_factors(A: SquareMatrix):
    """a nest that gives L and U, without exchanges, of every small matrix = the same in blocks, where that is finite"""
    require(spd(A))
    factors = A.copy()
    for k in range(len(A)):
        for i in range(k + 1, len(A)):
            factors[i, k] = factors[i, k] / factors[k, k]
            for j in range(k + 1, len(A)):
                factors[i, j] = factors[i, j] - factors[i, k] * factors[k, j]
    return factors, lu_of_positive_definite(A)


@loop_rule
def pivoted_lu_nest_is_factors(A: SquareMatrix):
    """a nest that exchanges rows for the largest pivot, and gives L and U of every small matrix = LAPACK's, where that is finite
    and no other candidate for a pivot was as large"""
    require(spd(A))
    C = A + np.sum(np.abs(A)) * np.eye(len(A))
    factors = C[::-1].copy()
    for k in range(len(A)):
        row = k
        for i in range(k + 1, len(A)):
            if abs(factors[i, k]) > abs(factors[row, k]):
                row = i
        factors[[k, row]] = factors[[row, k]]
        for i in range(k + 1, len(A)):
            factors[i, k] = factors[i, k] / factors[k, k]
            for j in range(k + 1, len(A)):
                factors[i, j] = factors[i, j] - factors[i, k] * factors[k, j]
    return factors, lu_of_positive_definite(C)


@loop_rule
def substitution_is_triangular_solve(A: SquareMatrix, b: Vector):
    """a nest that solves every small triangular system = LAPACK's solution, where that is finite"""
    require(spd(A))
    x = np.zeros_like(b)
    for i in range(len(A)):
        x[i] = (b[i] - A[i, :i] @ x[:i]) / A[i, i]
    return x, np.linalg.solve(np.tril(A), b)


@loop_rule(precision="exact", dtypes="number")
def counting_state_is_formula(x: Vector):
    """k + c in each iteration = k + c i before iteration i, and k + c n after n of them"""
    y, k = x.copy(), len(x) - 1
    for i in range(len(x)):
        y[i] = x[k] - x[i]
        k = k - 1
    return y, x[::-1] - x


@loop_rule(precision="exact", dtypes="number")
def counting_while_is_for(a: Scalar, x: Vector):
    """while k < b: k = k + c, and other states = (b - k + c - 1) // c iterations of these"""
    level, again, k, n = a, a, 0, 100 * len(x)
    while k < n:
        level = a - 0.1 * level * level
        k = k + 1
    for _ in range(n):
        again = a - 0.1 * again * again
    return level, again


@loop_rule(precision="exact", dtypes="number")
def end_iterations_are_peeled(x: Vector):
    """a loop whose first or last iterations are unlike the others = these, and a loop over the others"""
    y = x.copy()
    for i in range(len(x)):
        y[i] = x[i] + x[i - 1]
    return y, np.concatenate((x[:1] + x[-1:], x[1:] + x[:-1]))


@loop_rule
def states_are_stored_and_read(s: Scalar, x: Vector):
    """states that others read as they go = these in a loop that stores them, and array expressions of what was stored"""
    level, total = s, x[0]
    for i in range(len(x)):
        total = total + np.exp(-level * level)
        level = 0.5 * np.tanh(level) + x[i]
    levels, last = np.zeros_like(x), s
    for i in range(len(x)):
        levels[i] = last
        last = 0.5 * np.tanh(last) + x[i]
    return total, x[0] + np.sum(np.exp(-levels * levels))


@loop_rule
def stateless_work_is_done_before(s: Scalar, x: Vector):
    """work that needs no state = done for all iterations before the loop"""
    level, other = s, s
    for i in range(len(x)):
        level = np.tanh(level) + np.exp(-x[i] * x[i])
    before = np.exp(-x * x)
    for i in range(len(x)):
        other = np.tanh(other) + before[i]
    return level, other


@loop_rule(precision="exact", dtypes="number")
def equal_ranges_are_one_loop(a: Scalar, b: Scalar, x: Vector):
    """loops over one range, the second of which reads what the first is done with = one loop that does both in turn"""
    y, level, other = x.copy(), a, b
    for i in range(len(x)):
        level = x[i] - a * level * level
        y[i] = level
    for i in range(len(x)):
        other = y[i] - b * other * other
    together, least = a, b
    for i in range(len(x)):
        together = x[i] - a * together * together
        least = together - b * least * least
    return other, least


@loop_rule(precision="exact", dtypes="number")
def independent_states_are_separate(a: Scalar, b: Scalar, x: Vector):
    """one loop over states that do not read one another = a loop for each"""
    level, other = a, b
    for i in range(len(x)):
        level = x[i] - a * level * level
        other = x[i] - b * other * other
    first, second = a, b
    for i in range(len(x)):
        first = x[i] - a * first * first
    for i in range(len(x)):
        second = x[i] - b * second * second
    return level + other, first + second


@loop_rule
def nested_loops_are_interchanged(a: Scalar, A: Matrix):
    """for i: for j: f(i, j) = for j: for i: f(i, j), where nothing is needed later in one loop and earlier in the other"""
    by_columns, by_rows = A.copy(), A.copy()
    for j in range(A.shape[1]):
        for i in range(1, A.shape[0]):
            by_columns[i, j] = by_columns[i, j] - a * np.tanh(by_columns[i - 1, j])
    for i in range(1, A.shape[0]):
        for j in range(A.shape[1]):
            by_rows[i, j] = by_rows[i, j] - a * np.tanh(by_rows[i - 1, j])
    return by_columns, by_rows


@loop_rule(precision="exact", dtypes="number")
def short_loop_is_unrolled(a: Scalar, x: Vector):
    """n iterations of little work, without library calls = n // 4 of four times the work, and the rest; few iterations = none"""
    level, fours, n = a, a, len(x)
    for i in range(n):
        level = x[i] - a * level * level
    for k in range(n // 4):
        for i in range(4):
            fours = x[4 * k + i] - a * fours * fours
    for i in range(n - n % 4, n):
        fours = x[i] - a * fours * fours
    return level, fours
