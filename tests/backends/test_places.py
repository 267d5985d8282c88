"""Where helpers start, and how many threads BLAS takes meanwhile."""

from __future__ import annotations

import ctypes
import os
import threading

import numpy as np
import pytest
from llvmlite import binding
from numba import njit, types

import egc
from egc.backends.numba import one_thread, places
from egc.backends.numba.crew import CELL
from egc.backends.numba.fortran import routine
from egc.backends.numba.threads import num_threads, parallel_for, set_num_threads

placed = pytest.mark.skipif(
    places.text() is not places.ELSEWHERE or len(os.sched_getaffinity(0)) < 2, reason="threads cannot be placed"
)
openblas = pytest.mark.skipif(one_thread.library() is None, reason="SciPy calls another library")

affinity = types.ExternalFunction("sched_getaffinity", types.int32(types.int32, types.int64, types.voidptr))


@njit
def _note(start, stop, masks):
    for i in range(start, stop):
        for _ in range(200):
            affinity(0, masks[i].nbytes, masks[i].ctypes)


@njit(nogil=True)
def notes(masks, threads):
    return parallel_for(_note, len(masks), 1, threads, (masks,))


@pytest.fixture
def two_threads():
    before = num_threads()
    set_num_threads(2)
    yield
    set_num_threads(before)


@placed
def test_a_thread_is_created_for_the_other_processors_and_told_where_its_creator_may_run():
    allowed, seen, done = os.sched_getaffinity(0), [], threading.Event()

    @ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
    def body(argument):
        seen.append(os.sched_getaffinity(0))
        settle(argument)
        seen.append(os.sched_getaffinity(0))
        done.set()
        return None

    create = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_void_p] * 4)(binding.address_of_symbol("egc_create"))
    settle = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(binding.address_of_symbol("egc_settle"))
    handle, mask = ctypes.c_int64(), (ctypes.c_int8 * 128)()
    assert create(ctypes.addressof(handle), body, ctypes.addressof(mask), ctypes.addressof(mask)) == 0
    assert done.wait(30)
    assert len(seen[0]) == len(allowed) - 1 and seen[0] < allowed
    assert seen[1] == allowed and os.sched_getaffinity(0) == allowed


@placed
def test_helpers_run_wherever_the_caller_may(two_threads):
    masks = np.zeros((1000, 16), np.uint64)
    assert notes(masks, 2) == 0
    mine = sum(1 << k for k in os.sched_getaffinity(0))
    assert (masks[:, 0] == mine % 2**64).all()


@pytest.fixture
def blas_of_two_threads():
    routine("dgemm")
    get, put = one_thread.library()
    before = get()
    put(2)
    yield get, put
    put(before)


@openblas
def test_blas_has_one_thread_while_anybody_asks_for_it(blas_of_two_threads):
    get, put = blas_of_two_threads
    enter, leave = (ctypes.CFUNCTYPE(None)(binding.address_of_symbol(name)) for name in one_thread.FUNCTIONS)
    enter()
    enter()
    assert get() == 1
    leave()
    assert get() == 1
    leave()
    assert get() == 2
    put(1)
    enter()
    leave()
    assert get() == 1 and CELL["egc_blas_users"].value == 0


@openblas
@pytest.mark.parametrize("threads", [1, 2])
def test_products_in_blocks_leave_the_threads_of_blas_as_they_were(blas_of_two_threads, two_threads, threads):
    get, _ = blas_of_two_threads
    set_num_threads(threads)

    @egc.optimize
    def attention(q, k, v):
        s = q @ k.T
        e = np.exp(s - s.max(axis=1, keepdims=True))
        return (e / e.sum(axis=1, keepdims=True)) @ v

    rng = np.random.default_rng(0)
    q, k, v = rng.normal(size=(3, 500, 32))
    callers = [threading.Thread(target=lambda: [attention(q, k, v) for _ in range(20)]) for _ in range(3)]
    expected = attention.__wrapped__(q, k, v)
    np.testing.assert_allclose(attention(q, k, v), expected, rtol=1e-12, atol=1e-14)
    assert "block_product" in attention.plan(q, k, v).compiled.code
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert get() == 2 and CELL["egc_blas_users"].value == 0


@openblas
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_has_the_threads_of_blas_that_its_parent_had(blas_of_two_threads):
    get, _ = blas_of_two_threads
    enter, leave = (ctypes.CFUNCTYPE(None)(binding.address_of_symbol(name)) for name in one_thread.FUNCTIONS)
    enter()
    child = os.fork()
    if child == 0:
        os._exit(0 if get() == 2 and CELL["egc_blas_users"].value == 0 else 1)
    leave()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0 and get() == 2
