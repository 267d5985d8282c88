"""Memory in one piece for the arrays of loops, and the compiler of generated functions."""

import numpy as np
import pytest
from numba import float64, int64, njit, uint8

import egc
from egc.backends.numba.functions import allocate
from egc.backends.numba.lean import GeneratedCompiler
from egc.backends.numba.pools import LINE, MOST_BYTES, PAGE, SHIFT, kept_lines, placed, room
from egc.backends.numba.threads import cells


@njit
def _rooms(rows, columns):
    total = cells(int64, 1)
    total[0] = 0
    matrix = room(total, (rows, columns), float64)
    flags = room(total, (rows,), uint8)
    return matrix, flags, total[0]


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (0, 4), (8, 8), (64, 8), (100, 100)])
def test_arrays_begin_at_lines_and_do_not_overlap(shape):
    first, second, total = _rooms(*shape)
    size = 8 * shape[0] * shape[1]
    assert first == 0 and second % LINE == 0 and total % LINE == 0
    assert second >= size and total >= second + shape[0]
    assert second < size + LINE + (SHIFT if size >= PAGE else 0)


@pytest.mark.parametrize("shape", [(2**40, 2**40), (2**31, 2**30), (-1, 4), (2**62, 1)])
def test_no_piece_is_made_for_lengths_that_no_array_has(shape):
    assert _rooms(*shape)[2] >= MOST_BYTES


@njit
def _filled(n):
    total = cells(int64, 1)
    total[0] = 0
    x, y = room(total, (n,), float64), room(total, (n, 2), float64)
    pool = allocate((total[0],), uint8)
    a, b = placed(pool, x, float64), placed(pool, y, float64)
    for k in range(n):
        a[k] = k
    for k in range(2 * n):
        b[k] = -k
    found = np.empty(3 * n)
    for k in range(n):
        found[k] = a[k]
    for k in range(2 * n):
        found[n + k] = b[k]
    return found, pool.size


@pytest.mark.parametrize("n", [0, 1, 7, 700])
def test_pieces_hold_their_own_elements(n):
    found, _ = _filled(n)
    np.testing.assert_array_equal(found, [*range(n), *(-k for k in range(2 * n))])


def test_arrays_are_kept_a_few_at_a_time():
    assert list(kept_lines("abc")) == ["keep_3(a, b, c)"]
    assert [line.partition("(")[0] for line in kept_lines(["x"] * 17)] == ["keep_8", "keep_8", "keep_1"]
    assert list(kept_lines([])) == []


def test_what_a_generated_function_assigns_more_than_once():
    """Variables of one assignment are values, others have memory: across branches, loops and exchanges."""

    def function(n, x):
        a, b, count = x, 2.0 * x, 0
        for k in range(n):
            a, b = b, a + k
            if a > b:
                count += 1
                last = a
            else:
                last = b
            a = last if k % 3 else a
        return a, b, count

    compiled = njit(pipeline_class=GeneratedCompiler)(function)
    for n in (0, 1, 2, 9):
        assert compiled(n, -1.5) == function(n, -1.5)


def test_a_loop_with_many_arrays_of_its_own_and_states_that_change_places():
    def recursion(A, b, n):
        x, y = b.copy(), np.zeros_like(b)
        seen = np.zeros((3, b.size))
        for k in range(n):
            u = np.tanh(A @ x + y)
            w = np.where(u > 0, u, 0.5 * u)
            seen[k % 3] = w * w - np.cumsum(u)
            x, y = w / (1.0 + np.sum(w * w)), x
        return x, y, seen

    function = egc.optimize(recursion)
    rng = np.random.default_rng(5)
    for size in (2, 7, 40):
        A, b = rng.standard_normal((size, size)), rng.standard_normal(size)
        for n in (0, 1, 4):
            for found, expected in zip(function(A, b, n), recursion(A, b, n)):
                np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
