"""What only this backend can measure of its machine: how long it takes until another thread works."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace

import numpy as np
from numba import njit

from egc.backends.numba.threads import num_threads, parallel_for, processors, set_num_threads, started
from egc.costtable import CostTable

CALLS = 300

PAUSE = 5e-4
"""Seconds between calls, in which the thread of one call has waited for another and gone."""


def with_threads(table: CostTable) -> CostTable:
    """The table with the nanoseconds by which a call that starts a thread takes longer than one that does not.

    A machine of one processor gives the table as it is.
    """
    if processors() < 2:
        return table

    @njit
    def touch(start, stop, x):
        for i in range(start, stop):
            x[i] += 1.0

    @njit(nogil=True)
    def run(x, threads):
        return parallel_for(touch, len(x), 1, threads, (x,))

    before, x = num_threads(), np.zeros(2)
    seconds: dict[bool, list[float]] = {False: [], True: []}
    set_num_threads(2)
    try:
        for threads in (1, 2):
            run(x, threads)
            for _ in range(CALLS):
                time.sleep(PAUSE)
                count, start = started(), time.perf_counter()
                run(x, threads)
                seconds[started() > count].append(time.perf_counter() - start)
    finally:
        set_num_threads(before)
    if not seconds[True]:
        return table
    difference = statistics.median(seconds[True]) - statistics.median(seconds[False])
    return replace(table, thread_start=max(1e9 * difference, 0.0))
