"""Laws of `parallel_for`: every chunk once, results without regard to the number of threads, safe wherever it is called."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numba import njit

from egc.backends.numba.crew import CELL, PART, PARTS
from egc.backends.numba.threads import (
    RAISED,
    cells,
    num_threads,
    parallel_for,
    part,
    set_num_threads,
    share,
    started,
)


@njit
def _count(start, stop, step, counts, chunks):
    for i in range(start, stop):
        counts[i] += 1
    chunks[start // step] += 1
    return 0


@njit(nogil=True)
def count(length, step, threads, counts, chunks):
    return parallel_for(_count, length, step, threads, (step, counts, chunks))


@njit
def _partial_sum(start, stop, step, x, partial):
    total = 0.0
    for i in range(start, stop):
        total += np.sin(x[i])
    partial[start // step] = total


@njit(nogil=True)
def sum_of_sines(x, step, threads):
    partial = np.zeros((len(x) + step - 1) // step)
    parallel_for(_partial_sum, len(x), step, threads, (step, x, partial))
    total = 0.0
    for value in partial:
        total += value
    return total


@njit
def _status(start, stop, statuses, raising):
    if start == raising:
        raise ValueError
    return statuses[start]


@njit(nogil=True)
def largest_status(statuses, threads, raising):
    return parallel_for(_status, len(statuses), 1, threads, (statuses, raising))


@njit
def _double(start, stop, x):
    for i in range(start, stop):
        x[i] *= 2.0


@njit(nogil=True)
def doubled(x, nanoseconds):
    return share(_double, len(x), 0, nanoseconds, (x,))


FLOAT64 = np.dtype(np.float64)


@njit(nogil=True)
def shared_sum_of_sines(x, nanoseconds):
    step = part(len(x), len(x))
    partial = cells(FLOAT64, PARTS)
    share(_partial_sum, len(x), step, nanoseconds, (step, x, partial))
    total = 0.0
    for k in range((len(x) + step - 1) // step):
        total += partial[k]
    return total


@njit
def part_of(length, elements):
    return part(length, elements)


@pytest.fixture(autouse=True)
def seven_threads():
    before = num_threads()
    set_num_threads(7)
    yield
    set_num_threads(before)


X = np.random.default_rng(1).normal(size=200_000)


@pytest.mark.parametrize("threads", [1, 2, 4, 7, 1000])
def test_every_index_is_visited_once(threads):
    for length in (0, 1, 2, 63, 64, 65, 5000):
        for step in (1, 7, 64, 10_000):
            counts, chunks = np.zeros(length, int), np.zeros(-(-length // step), int)
            assert count(length, step, threads, counts, chunks) == 0
            assert (counts == 1).all() and (chunks == 1).all()


def test_partial_results_do_not_depend_on_the_number_of_threads():
    found = {sum_of_sines(X, 1000, threads) for threads in (1, 2, 4, 7) for _ in range(20)}
    assert len(found) == 1


def test_the_largest_status_is_returned():
    rng = np.random.default_rng(2)
    for threads in (1, 2, 7):
        for _ in range(20):
            statuses = rng.integers(-5, 100, size=50)
            assert largest_status(statuses, threads, -1) == statuses.max()
        assert largest_status(np.full(50, -1), threads, -1) == 0


@pytest.mark.parametrize("threads", [1, 7])
def test_a_kernel_that_raises_gives_a_status(threads):
    statuses = np.zeros(50, int)
    assert largest_status(statuses, threads, 49) == RAISED
    assert largest_status(statuses, threads, -1) == 0


def settled():
    """How many threads were started, once none runs that could start further ones."""
    for _ in range(1000):
        if CELL["egc_threads_alive"].value == 0:
            break
        time.sleep(0.01)
    return started()


def test_threads_are_started_as_asked_and_never_for_one():
    before = settled()
    sum_of_sines(X, 1000, 1)
    sum_of_sines(X, len(X), 7)
    assert started() == before
    sum_of_sines(X, 1000, 3)
    assert before < started() <= before + 2


def test_small_work_starts_no_threads():
    worth = CELL["egc_thread_share"].value
    before = settled()
    for nanoseconds in (0.0, 0.5 * worth):
        doubled(X.copy(), nanoseconds)
    assert started() == before
    doubled(X.copy(), 1.5 * worth)
    assert started() == before + 1
    set_num_threads(1)
    doubled(X.copy(), 1e30)
    assert started() == before + 1


def test_shared_work_is_done_whatever_it_takes():
    for length in (0, 1, 63, 65, 1000, 200_000):
        for nanoseconds in (0.0, 1e5, 1e6, 1e30):
            x = X[:length].copy()
            assert doubled(x, nanoseconds) == 0
            np.testing.assert_array_equal(x, 2 * X[:length])


def test_a_shared_reduction_does_not_depend_on_the_number_of_threads():
    found = set()
    for threads in (1, 2, 4, 7):
        set_num_threads(threads)
        found |= {shared_sum_of_sines(X, nanoseconds) for nanoseconds in (0.0, 1e6)}
    assert len(found) == 1


def test_partial_results_are_few():
    for length in (0, 1, 100, 10**6, 10**12):
        for width in (0, 1, 7, 10**5):
            step = part_of(length, length * width)
            assert step >= 1 and -(-length // step) <= PARTS
            assert length * width < 2 * PART or step < length or length == 1


def test_many_callers_at_once():
    expected = sum_of_sines(X, 1000, 1)
    found: list[float] = []
    callers = [
        threading.Thread(target=lambda: found.extend(sum_of_sines(X, 1000, 4) for _ in range(20))) for _ in range(8)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert found == [expected] * 160


def in_child(body) -> bool:
    """Whether a function is true in a forked process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os._exit(0 if body() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@contextmanager
def a_helper_that_waits():
    """One that waits for half a second, on a call that may have one."""
    set_num_threads(2)
    settled()
    before, CELL["egc_patience"].value = CELL["egc_patience"].value, 500_000_000
    try:
        sum_of_sines(X, 1000, 2)
        while 1 not in list(CELL["egc_seats"]):
            sum_of_sines(X, 1000, 2)
        yield
    finally:
        CELL["egc_patience"].value = before
        settled()


@pytest.mark.skipif("egc_seats" not in CELL, reason="no threads on this system")
def test_a_helper_that_waits_takes_part_in_the_next_call():
    with a_helper_that_waits():
        before = started()
        assert sum_of_sines(X, 1000, 2) == sum_of_sines(X, 1000, 1)
        assert started() == before + 1 and CELL["egc_threads_alive"].value == 1


@pytest.mark.skipif("egc_seats" not in CELL, reason="no threads on this system")
def test_helpers_go_when_nobody_calls():
    with a_helper_that_waits():
        pass
    assert CELL["egc_threads_alive"].value == 0 and not any(CELL["egc_seats"])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_does_not_wait_for_its_parents_helpers():
    expected = sum_of_sines(X, 1000, 1)
    with a_helper_that_waits():
        assert in_child(lambda: not any(CELL["egc_seats"]) and sum_of_sines(X, 1000, 2) == expected)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_has_threads_of_its_own():
    expected = sum_of_sines(X, 1000, 7)
    CELL["egc_threads_alive"].value += 100
    try:

        def body():
            before = started()
            return sum_of_sines(X, 1000, 7) == expected and started() > before

        assert in_child(body)
    finally:
        CELL["egc_threads_alive"].value -= 100


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits address space as Linux does")
def test_the_caller_does_the_work_where_no_thread_can_be_started():
    import resource

    expected = sum_of_sines(X, 1000, 1)
    set_num_threads(200)

    def body():
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * os.sysconf("SC_PAGE_SIZE") + 2**22,) * 2)
        before = started()
        return sum_of_sines(X, 1000, 200) == expected and started() < before + 150

    assert in_child(body)


def test_no_more_threads_than_set_whoever_calls():
    set_num_threads(1)
    before = settled()
    sum_of_sines(X, 1000, 7)
    assert started() == before


STORED = """
import numpy as np
from numba import njit
from egc.backends.numba.threads import available_threads, parallel_for, set_num_threads, started

@njit(cache=True)
def fill(start, stop, x):
    for i in range(start, stop):
        x[i] = i

@njit("int64(float64[::1])", cache=True, nogil=True)
def filled(x):
    parallel_for(fill, len(x), 1, available_threads(), (x,))
    return available_threads()

if __name__ == "__main__":
    set_num_threads(3)
    x = np.zeros(100000)
    assert filled(x) == 3 and (x == np.arange(len(x))).all() and started() > 0
    print(sum(filled.stats.cache_hits.values()))
"""


def test_stored_machine_code_runs_in_another_process(tmp_path):
    """Addresses differ between the two, so that code with any baked in would crash."""
    (tmp_path / "stored.py").write_text(STORED)
    hits = [
        subprocess.run([sys.executable, tmp_path / "stored.py"], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert hits == ["0\n", "1\n"]
