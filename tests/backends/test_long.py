"""Native drivers of long programs: cut into sections, of which equal ones are compiled once."""

import numpy as np
import pytest
from numba import njit
from numba.core.runtime import _nrt_python, rtsys

from egc import ir
from egc.backends.numba import BACKEND, driver, machine, tape
from egc.backends.numba.long import MOST_STEPS
from egc.backends.numba.native import MOST_RESULTS
from egc.backends.reference import BACKEND as REFERENCE
from egc.ir import Program, make
from egc.types import parse_type

A, X = ir.input("A", parse_type("f64[n, n]")), ir.input("x", parse_type("f64[n]"))
MATRIX = np.random.default_rng(0).normal(size=(5, 5)) / 5
VECTOR = np.linspace(0.5, 1.5, 5)


@pytest.fixture(autouse=True)
def short_functions(monkeypatch):
    """Layers are functions of their own, which compile fast."""
    monkeypatch.setattr(driver, "MOST_WEIGHT", 20)


@pytest.fixture
def counted():
    """The memory that numba gives out and takes back is counted."""
    _nrt_python.memsys_enable_stats()
    yield
    _nrt_python.memsys_disable_stats()


def by_row(v, like):
    return make("broadcast", v, shape=like.type.shape, axes=(0,))


def number(value, like):
    return ir.constant(value, like.type.dtype, like.type.shape)


def layers(count, first=2.0):
    """Layers of a product, a row reduction and a number, which is another in each."""
    node = A
    for k in range(count):
        node = make("matmul", A, make("sin", node))
        node = make("divide", node, by_row(make("sum", make("exp", node), axes=(1,)), node))
        node = make("multiply", node, number(first + 0.1 * k, node))
    return node


def results(count):
    return [make("exp", make("multiply", X, number(k + 0.1234, X))) for k in range(count)]


def agree(program, *arrays):
    compiled = BACKEND.compile(program)
    found, wanted = compiled.run(*arrays), REFERENCE.compile(program).run(*arrays)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
        assert type(one) is np.ndarray and one.dtype == other.dtype and one.shape == other.shape
    return compiled


def test_equal_layers_are_compiled_once(monkeypatch):
    compiled, compile_section = [], tape.compile_section
    monkeypatch.setattr(tape, "compile_section", lambda *given: compiled.append(given) or compile_section(*given))
    before = machine.machine_code.cache_info().misses
    agree(Program((A,), (layers(MOST_STEPS + 20),)), MATRIX)
    assert 1 < len(compiled) < 12
    assert machine.machine_code.cache_info().misses - before <= 4


def test_functions_of_repeated_layers_are_equal(monkeypatch):
    monkeypatch.setattr(driver, "MOST_WEIGHT", 400)
    node = A
    for k in range(40):
        node = make("matmul", A, make("sin", node))
        total = make("sqrt", make("sum", make("multiply", node, node), axes=(0, 1)))
        node = make("divide", node, make("broadcast", total, shape=node.type.shape, axes=()))
        node = make("multiply", node, number(2.0 + 0.1 * k, node))
    code = BACKEND.compile(Program((A,), (node,))).code
    assert code.count("def loops_") <= 3 and code.count("\nloops_") > 3


def test_a_long_program_is_callable_from_compiled_code():
    raw = agree(Program((A,), (layers(MOST_STEPS), make("sum", layers(3), axes=(0, 1)))), MATRIX).raw

    @njit
    def both(a):
        first, second = raw(a)
        return first.sum() + second

    assert np.isfinite(both(MATRIX))


@pytest.mark.parametrize("count", [MOST_RESULTS + 1, 150])
def test_many_results(count):
    agree(Program((X,), (*results(count), X, make("sum", X, axes=(0,)))), VECTOR)


def test_many_results_that_are_arguments():
    agree(Program((X, A), (X, A) * MOST_RESULTS), VECTOR, MATRIX)


def test_what_fails_in_the_middle_raises_and_frees_everything(counted):
    index = ir.input("k", parse_type("i64[n]"))
    node = layers(MOST_STEPS)
    picked = make("gather", make("sum", node, axes=(1,)), index, axes=(0,), mode="raise")
    program = Program((A, index), (make("matmul", layers(4, 5.0), picked),))
    compiled = agree(program, MATRIX, np.array([0, 4, -5, 2, 1]))
    before = rtsys.get_allocation_stats()
    with pytest.raises(IndexError):
        compiled.run(MATRIX, np.array([0, 5, 0, 0, 0]))
    after = rtsys.get_allocation_stats()
    assert after.alloc - before.alloc == after.free - before.free


def test_arrays_are_freed_when_no_later_step_reads_them(counted):
    compiled = BACKEND.compile(Program((A,), (layers(MOST_STEPS + 8),)))
    compiled.raw(MATRIX)
    before = rtsys.get_allocation_stats()
    found = compiled.raw(MATRIX)
    after = rtsys.get_allocation_stats()
    assert (after.alloc - before.alloc) - (after.free - before.free) == 1 and found.shape == (5, 5)
