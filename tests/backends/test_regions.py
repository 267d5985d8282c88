"""Loops and branches in compiled code give what the reference gives, and never write to an argument."""

from __future__ import annotations

import numpy as np
import pytest

from egc import check, ir, sizes
from egc.backends.numba import BACKEND
from egc.backends.reference import BACKEND as REFERENCE
from egc.ir import Program, make
from egc.text import parse_program, print_program
from egc.types import parse_type

N, M = sizes.symbol("n"), sizes.symbol("m")
A, B, C = (sizes.symbol(f"_i{depth}") for depth in (1, 2, 3))
F64, I64 = np.dtype("f8"), np.dtype("i8")


def argument(name, text):
    return ir.input(name, parse_type(text))


def region(name, body, depth, types, counted=False):
    index = (argument(f"_i{depth}", "i64"),) if counted else ()
    inputs = (*index, *(ir.input(f"_c{depth}_{k}", type) for k, type in enumerate(types)))
    found = body(*inputs)
    outputs = tuple(found) if isinstance(found, (tuple, list)) else (found,)
    return Program(inputs, outputs, name, frozenset(node.params["name"] for node in index))


def loop(depth, count, states, body, operands=(), pre=None, post=None):
    types = [node.type for node in (*states, *operands)]

    def made(name, body):
        return None if body is None else region(name, body, depth, types, count is not None)

    update = made("update", body)
    return ir.loop(update, states, operands, count, made("pre", pre), made("post", post))


def cond(depth, condition, then, otherwise, operands):
    types = [node.type for node in operands]
    bodies = (region(name, body, depth, types) for name, body in (("then", then), ("otherwise", otherwise)))
    return ir.cond(condition, *bodies, operands)


def size(value):
    return ir.size(value)


def number(value):
    return ir.constant(value, F64)


def at(x, *index):
    ones = (1,) * len(index)
    return make("reshape", make("slice", x, start=tuple(index), size=ones, step=ones), shape=())


def put(x, value, *index):
    ones = (1,) * len(index)
    return make("update_slice", x, make("reshape", value, shape=ones), start=tuple(index), step=ones)


def part(x, *ranges):
    start, length = zip(*ranges)
    return make("slice", x, start=start, size=length, step=(1,) * len(ranges))


def put_part(x, value, *start):
    return make("update_slice", x, value, start=start, step=(1,) * len(start))


def add(*values):
    total = values[0]
    for value in values[1:]:
        total = make("add", total, value)
    return total


def mul(a, b):
    return make("multiply", a, b)


def filled(value, *shape):
    return ir.constant(value, F64, shape)


def repeated(x, *shape):
    return make("broadcast", x, shape=shape, axes=())


def agree(inputs, outputs, *calls, rtol=1e-12, copies=None):
    """Compares with the reference for each tuple of arguments, which keep their values. `copies` is how many elements'
    copies the loops may have."""
    program = Program(tuple(inputs), tuple(outputs))
    check.check(program)
    assert parse_program(print_program(program)) == program
    compiled, reference = BACKEND.compile(program), REFERENCE.compile(program)
    assert compiled.native is not None
    for arguments in calls:
        given = [np.array(x) for x in arguments]
        want = reference.run(*arguments)
        for kept, array in zip(given, arguments):
            np.testing.assert_array_equal(kept, array)
        got = compiled.run(*arguments)
        for kept, array in zip(given, arguments):
            np.testing.assert_array_equal(kept, array)
        for mine, theirs in zip(got, want, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=rtol, atol=1e-13, strict=True)
    return compiled


def vectors(*lengths, count=1, seed=0):
    rng = np.random.default_rng(seed)
    return [tuple(rng.normal(size=n) for _ in range(count)) for n in lengths]


def matrices(*lengths, count=1, seed=0):
    rng = np.random.default_rng(seed)
    return [tuple(rng.normal(size=(n, n)) for _ in range(count)) for n in lengths]


def inner(compiled):
    """The code inside of loops."""
    functions = compiled.code.split("def ")
    lines = "\n".join(text for text in functions if "_i1 in" in text or "while True" in text).splitlines()
    return "\n".join(line for line in lines if line.startswith("        "))


def test_a_sum_is_a_variable():
    x = argument("x", "f64[n]")
    total = loop(1, size(N), [number(0.0)], lambda i, s, x: add(s, at(x, A)), [x])
    compiled = agree([x], total, *vectors(1, 7, 300))
    assert "[0]" not in inner(compiled)


def test_an_element_is_stored_in_place():
    x = argument("x", "f64[n]")
    (y,) = loop(1, size(N - 1), [x], lambda i, x: put(x, add(at(x, A), at(x, A + 1)), A + 1))
    compiled = agree([x], [y], *vectors(1, 2, 9))
    assert "for i0" not in inner(compiled)


def test_triangles():
    x = argument("x", "f64[n, n]")

    def row(i, y, x):
        return loop(2, i, [y], lambda j, y, x: put(y, add(at(x, A, B), at(y, B, A)), A, B), [x])

    (y,) = loop(1, size(N), [x], row, [x])
    agree([x], [y], *matrices(1, 2, 6))


def test_elements_are_exchanged_in_place():
    x = argument("x", "f64[n]")

    def body(i, x):
        return put(put(x, at(x, A + 1), A), at(x, A), A + 1)

    (y,) = loop(1, size(N - 1), [x], body)
    compiled = agree([x], [y], *vectors(1, 2, 9))
    assert "for i0" not in inner(compiled)


def test_an_element_that_returns_is_written_again():
    x = argument("x", "f64[n]")

    def body(i, x):
        changed = put(x, number(7.0), A)
        return put(put(changed, add(at(changed, A), at(x, 0)), 0), at(x, A), A)

    (y,) = loop(1, size(N), [x], body)
    agree([x], [y], *vectors(1, 2, 9))


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_exchanged_arrays_exchange_pointers(count):
    x, y = argument("x", "f64[n]"), argument("y", "f64[n]")
    states = loop(1, size(count), [x, y], lambda i, x, y: (y, x))
    compiled = agree([x, y], states, *vectors(1, 6, count=2))
    assert "for i0" not in inner(compiled)


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_three_arrays_rotate(count):
    x, y, z = (argument(name, "f64[n]") for name in "xyz")
    states = loop(1, size(count), [x, y, z], lambda i, x, y, z: (y, z, add(x, z)))
    agree([x, y, z], states, *vectors(1, 6, count=3))


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_stencils_have_a_second_buffer(count):
    x = argument("x", "f64[n]")

    def body(i, x):
        new = add(part(x, (0, N - 2)), mul(filled(0.5, N - 2), part(x, (2, N - 2))), part(x, (1, N - 2)))
        return put_part(x, new, 1)

    (y,) = loop(1, size(count), [x], body)
    agree([x], [y], *vectors(3, 4, 50))


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_stencils_of_two_axes(count):
    x = argument("x", "f64[n, m]")
    h, w = N - 2, M - 2

    def body(i, x):
        around = add(part(x, (0, h), (1, w)), part(x, (2, h), (1, w)), part(x, (1, h), (0, w)), part(x, (1, h), (2, w)))
        return put_part(x, mul(around, filled(0.25, h, w)), 1, 1)

    (y,) = loop(1, size(count), [x], body)
    rng = np.random.default_rng(0)
    agree([x], [y], *((rng.normal(size=shape),) for shape in [(3, 3), (5, 9), (4, 40)]))


def test_whole_updates_are_in_place():
    x, v = argument("x", "f64[n]"), argument("v", "f64[n]")

    def body(i, x, v):
        moved = add(x, mul(v, filled(0.1, N)))
        return moved, make("subtract", v, mul(moved, filled(0.1, N)))

    compiled = agree([x, v], loop(1, size(5), [x, v], body), *vectors(1, 6, 100, count=2))
    assert inner(compiled).count("for i0") == 1 and "p0, p1 =" not in compiled.code


def test_updates_that_read_each_other_are_in_place():
    x, v = argument("x", "f64[n]"), argument("v", "f64[n]")

    def body(i, x, v):
        return add(x, mul(v, filled(0.1, N))), make("subtract", v, mul(x, filled(0.1, N)))

    agree([x, v], loop(1, size(5), [x, v], body), *vectors(1, 6, 100, count=2))


def test_rows_change_by_other_rows():
    x = argument("x", "f64[n, n]")

    def row(j, x, i):
        factor = repeated(at(x, B, A), N)
        here, there = part(x, (B, 1), (0, N)), part(x, (A, 1), (0, N))
        changed = make("subtract", make("reshape", here, shape=(N,)), mul(factor, make("reshape", there, shape=(N,))))
        return put_part(x, make("reshape", changed, shape=(1, N)), B, 0)

    def column(i, x):
        return loop(2, i, [x], row, [i])

    (y,) = loop(1, size(N), [x], column)
    agree([x], [y], *matrices(1, 2, 6), rtol=1e-9)


def test_parts_that_overlap_what_they_read():
    x = argument("x", "f64[n, m]")

    def body(i, x):
        here = make("reshape", part(x, (A, 1), (0, M - 1)), shape=(M - 1,))
        there = make("reshape", part(x, (A, 1), (1, M - 1)), shape=(M - 1,))
        return put_part(x, make("reshape", add(here, there), shape=(1, M - 1)), A, 1)

    (y,) = loop(1, size(N), [x], body)
    rng = np.random.default_rng(0)
    agree([x], [y], *((rng.normal(size=shape),) for shape in [(1, 2), (5, 9), (4, 40)]))


def test_shortest_paths():
    x = argument("x", "f64[n, n]")

    def element(j, x):
        return put(x, make("minimum", at(x, B, C), add(at(x, B, A), at(x, A, C))), B, C)

    (y,) = loop(1, size(N), [x], lambda i, x: loop(2, size(N), [x], lambda j, x: loop(3, size(N), [x], element)))
    compiled = agree([x], [y], *matrices(1, 2, 7))
    assert "for i0" not in inner(compiled)


def test_products_by_three_loops():
    a, b = argument("a", "f64[n, m]"), argument("b", "f64[m, n]")

    def column(j, c, a, b):
        (total,) = loop(3, size(M), [number(0.0)], lambda k, s, a, b: add(s, mul(at(a, A, C), at(b, C, B))), [a, b])
        return put(c, total, A, B)

    (c,) = loop(1, size(N), [filled(0.0, N, N)], lambda i, c, a, b: loop(2, size(N), [c], column, [a, b]), [a, b])
    rng = np.random.default_rng(0)
    compiled = agree([a, b], [c], *((rng.normal(size=(n, m)), rng.normal(size=(m, n))) for n, m in [(1, 1), (4, 7)]))
    assert "for i0" not in inner(compiled)


def test_histograms():
    x, h = argument("x", "i64[n]"), argument("h", "f64[m]")

    def body(i, h, x):
        return make("scatter", h, number(1.0), at(x, A), axes=(0,), combine="add")

    (counts,) = loop(1, size(N), [h], body, [x])
    rng = np.random.default_rng(0)
    compiled = agree([x, h], [counts], *((rng.integers(-5, 5, size=n), rng.normal(size=5)) for n in (1, 30)))
    assert "for i0" not in inner(compiled)
    with pytest.raises(IndexError):
        compiled.run(np.array([0, 5]), np.zeros(5))


def test_a_wrong_index_ends_a_loop_that_it_would_not():
    x = argument("x", "i64[n]")

    def body(k, x):
        return make("gather", x, k, axes=(0,), mode="raise")

    (k,) = loop(1, None, [size(0)], body, [x], pre=lambda k, x: make("not_equal", k, ir.constant(-9, I64)))
    compiled = agree([x], [k], (np.array([2, -9, 1]),))
    with pytest.raises(IndexError):
        compiled.run(np.array([1, 7]))


@pytest.mark.parametrize("negative", [True, False])
def test_branches_update_in_place(negative):
    x = argument("x", "f64[n]")

    def body(i, x):
        small = make("less", at(x, A), number(0.0))
        if not negative:
            small = make("logical_not", small)
        return cond(2, small, lambda x: put(x, make("negative", at(x, A)), A), lambda x: x, [x])

    (y,) = loop(1, size(N), [x], body)
    compiled = agree([x], [y], *vectors(1, 8))
    assert "for i0" not in inner(compiled)


def test_branches_that_replace_arrays():
    x, y = argument("x", "f64[n]"), argument("y", "f64[n]")

    def body(i, x, y):
        small = make("less", at(x, 0), at(y, 0))
        return cond(2, small, lambda x, y: (y, add(x, y)), lambda x, y: (add(x, x), x), [x, y])

    agree([x, y], loop(1, size(5), [x, y], body), *vectors(1, 8, count=2))


def test_branches_outside_of_loops():
    x, y = argument("x", "f64[n]"), argument("y", "f64[n]")
    small = make("less", at(x, 0), at(y, 0))
    total = lambda x, y: (add(x, y), make("sum", y, axes=(0,)))  # noqa: E731
    found = cond(1, small, total, lambda x, y: (x, at(x, 0)), [x, y])
    agree([x, y], found, *vectors(1, 8, count=2, seed=1), *vectors(1, 8, count=2, seed=3))


def test_loops_in_branches_in_loops():
    x = argument("x", "f64[n]")

    def sweep(x):
        return loop(3, size(A), [x], lambda k, x: put(x, add(at(x, C), at(x, C + 1)), C))

    def body(i, total, x):
        low = make("less", total, number(3.0))
        x1, count = cond(2, low, lambda x, s: (*sweep(x), add(s, number(1.0))), lambda x, s: (x, s), [x, total])
        return count, put(x1, count, A)

    agree([x], loop(1, size(N), [number(0.0), x], body), *vectors(1, 2, 8))


def test_conditions_before_and_after():
    x = argument("x", "f64[n]")
    below = lambda i, s, x: make("less", s, number(1.5))  # noqa: E731
    step = lambda i, s, x: add(s, make("absolute", at(x, A)))  # noqa: E731
    before = loop(1, size(N), [number(0.0)], step, [x], pre=below)
    after = loop(1, size(N), [number(0.0)], step, [x], post=below)
    agree([x], [*before, *after], *vectors(1, 2, 30))


def test_newton():
    a = argument("a", "f64")
    far = lambda x, a: make("greater", make("absolute", make("subtract", mul(x, x), a)), number(1e-9))  # noqa: E731
    step = lambda x, a: mul(number(0.5), add(x, make("divide", a, x)))  # noqa: E731
    agree([a], loop(1, None, [a], step, [a], pre=far), (np.array(2.0),), (np.array(100.0),))


def test_states_returned_twice():
    x = argument("x", "f64[n]")

    def body(i, x, y):
        new = put(x, add(at(x, A), at(y, 0)), A)
        return new, new

    agree([x], loop(1, size(N), [x, x], body), *vectors(1, 5))


def test_states_that_become_operands():
    x, y = argument("x", "f64[n]"), argument("y", "f64[n]")

    def body(i, x, y):
        return put(y, at(x, A), A)

    agree([x, y], loop(1, size(N), [x], body, [y]), *vectors(1, 5, count=2))


def test_older_versions_that_are_read_later_are_kept():
    x = argument("x", "f64[n]")

    def body(i, x, y):
        new = put(x, number(2.0), A)
        return new, add(x, new, y)

    agree([x], loop(1, size(N), [x, filled(0.0, N)], body), *vectors(1, 5))


def test_lengths_that_are_numbers_of_iterations():
    x = argument("x", "f64[n]")

    def body(i, y, x):
        return put(y, make("sum", mul(part(x, (0, A)), part(y, (0, A))), axes=(0,)), A)

    agree([x], loop(1, size(N), [x], body, [x]), *vectors(1, 2, 9, 40))


def test_the_greatest_of_nothing_is_an_error():
    x = argument("x", "f64[n]")
    (y,) = loop(1, size(N), [number(0.0)], lambda i, s, x: make("max", part(x, (0, A)), axes=(0,)), [x])
    compiled = BACKEND.compile(Program((x,), (y,)))
    with pytest.raises(ValueError, match="no identity"):
        compiled.run(np.ones(3))


def test_loops_after_loops():
    x = argument("x", "f64[n]")
    (y,) = loop(1, size(N), [x], lambda i, y: put(y, mul(at(y, A), number(2.0)), A))
    (z,) = loop(1, size(N), [y], lambda i, z, y: put(z, add(at(y, A), at(z, 0)), A), [y])
    agree([x], [y, z], *vectors(1, 5))


@pytest.mark.parametrize("dtype", ["bool", "i8", "u8", "f32", "c128", "i64"])
def test_states_of_all_kinds(dtype):
    x = argument("x", f"{dtype}[n]")

    def body(i, s, x):
        new = put(x, make("add", at(x, A), s), A)
        return make("add", s, at(new, 0)), new

    rng = np.random.default_rng(0)
    given = [((rng.normal(size=n) * 3).astype(x.type.dtype),) for n in (1, 6)]
    start = ir.constant({"b": True, "c": 1j, "f": 1.0}.get(x.type.dtype.kind, 1), x.type.dtype)
    agree([x], loop(1, size(N), [start, x], body), *given, rtol=1e-5)


def test_products_of_matrices_in_loops():
    a, x = argument("a", "f64[n, n]"), argument("x", "f64[n]")

    def body(i, x, total, a):
        y = make("matmul", a, x)
        norm = make("sqrt", make("matmul", y, y))
        return make("divide", y, repeated(norm, N)), add(total, norm)

    rng = np.random.default_rng(0)
    states = loop(1, size(3), [x, number(0.0)], body, [a])
    agree([a, x], states, *((rng.normal(size=(n, n)), rng.normal(size=n)) for n in (1, 2, 7)), rtol=1e-9)


def test_solutions_in_loops():
    a, x = argument("a", "f64[n, n]"), argument("x", "f64[n, n]")

    def body(i, x, a):
        return make("solve", a, make("matmul", make("transpose", x, axes=(1, 0)), x))

    rng = np.random.default_rng(0)
    states = loop(1, size(2), [x], body, [a])
    agree(
        [a, x], states, *((rng.normal(size=(n, n)) + 9 * np.eye(n), rng.normal(size=(n, n))) for n in (1, 3)), rtol=1e-9
    )


def test_products_of_whole_matrices_keep_the_older_version():
    x, y = argument("x", "f64[n, n]"), argument("y", "f64[n, n]")

    def body(i, x, y):
        shifted = make("tanh", make("matmul", add(x, y), y))
        return add(shifted, y), make("multiply", y, filled(0.5, N, N))

    rng = np.random.default_rng(0)
    states = loop(1, size(3), [x, y], body)
    agree([x, y], states, *((rng.normal(size=(n, n)), rng.normal(size=(n, n))) for n in (1, 5, 40)), rtol=1e-9)


def test_rows_that_one_loop_walks_together_are_not_read_too_late():
    x = argument("x", "f64[n, m]")

    def body(i, x):
        return put_part(x, add(part(x, (0, N - 2), (0, M)), part(x, (2, N - 2), (0, M))), 1, 0)

    rng = np.random.default_rng(0)
    agree([x], loop(1, size(3), [x], body), *((rng.normal(size=shape),) for shape in [(3, 3), (6, 4), (4, 40)]))
