"""Memory of large results: used again once nobody holds it, and never before."""

import threading

import numpy as np

import egc
from egc.backends.numba.blocks import LARGE, LEAST, MOST, PAGE

COUNT = LARGE // 8 + 1000


def test_memory_is_used_again_once_nobody_holds_it():
    optimized, x = egc.optimize(lambda x: x * 2 + 1), np.ones(COUNT)
    first = optimized(x)
    second = optimized(x)
    places = {first.ctypes.data, second.ctypes.data}
    assert len(places) == 2
    tail = first[-3:]
    del first
    assert optimized(x).ctypes.data not in places and np.array_equal(tail, [3, 3, 3])
    del tail, second
    third, fourth = optimized(x), optimized(x)
    assert {third.ctypes.data, fourth.ctypes.data} <= places | {third.ctypes.data}
    assert third.ctypes.data != fourth.ctypes.data


def test_memory_of_other_sizes_and_alignment():
    optimized = egc.optimize(lambda x: x + 1)
    for count in (COUNT, 5 * COUNT, COUNT, 2 * COUNT, MOST // 8 + COUNT, COUNT):
        x = np.arange(float(count))
        result = optimized(x)
        assert result.ctypes.data % 64 == 0 and result[-1] == count and result[0] == 1


def test_results_begin_in_the_middle_of_a_page_where_those_of_others_do_not():
    optimized = egc.optimize(lambda x: x + 1)
    for count in (LEAST // 8, LARGE // 8 - 1, LARGE // 8, COUNT):
        held = [optimized(np.arange(float(count))) for _ in range(3)]
        assert {result.ctypes.data % PAGE for result in held} == {PAGE // 2}
        assert all(result[0] == 1 and result[-1] == count for result in held)


def test_many_threads_hold_their_own_memory():
    optimized, x = egc.optimize(lambda x, k: x * 0 + k), np.ones(COUNT)
    optimized(x, 0.0)
    wrong = []

    def work(number):
        held = None
        for turn in range(20):
            value = float(number * 1000 + turn)
            result = optimized(x, value)
            if not (np.all(result == value) and (held is None or np.all(held == value - 1))):
                wrong.append(number)
            held = result

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
