"""What the machine allows: sizes of caches, and measured rates of copying, arithmetic and exponentials."""

from __future__ import annotations

import functools
import math
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit, prange

TYPICAL = (32 * 2**10, 32 * 2**20)
"""Bytes of a first and a last cache, where the system does not tell them."""


def caches() -> tuple[int, int]:
    """Bytes of the first data cache and of the last cache of one core."""
    if sys.platform == "darwin":
        names = ("hw.perflevel0.l1dcachesize", "hw.perflevel0.l2cachesize")
        try:
            first, last = (int(subprocess.check_output(["sysctl", "-n", name])) for name in names)
        except (OSError, ValueError, subprocess.CalledProcessError):
            return TYPICAL
        return first, last
    units = {"K": 2**10, "M": 2**20}
    found = {}
    for folder in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"):
        try:
            level, kind, size = ((folder / name).read_text().strip() for name in ("level", "type", "size"))
        except OSError:
            continue
        if kind != "Instruction":
            found[int(level)] = int(size[:-1]) * units[size[-1]] if size[-1] in units else int(size)
    return (found[min(found)], found[max(found)]) if found else TYPICAL


def seconds_of(call: Callable[[], Any], turns: int = 25, least: float = 5e-4) -> float:
    """The least seconds of one call over some turns; what the machine can do is not slowed by what else it did."""
    call()
    start = time.perf_counter()
    call()
    repeats = max(1, math.ceil(least / max(time.perf_counter() - start, 1e-7)))
    best = math.inf
    for _ in range(turns):
        start = time.perf_counter()
        for _ in range(repeats):
            call()
        best = min(best, (time.perf_counter() - start) / repeats)
    return best


def _scaled(a, b):
    for i in prange(a.size):
        b[i] = 1.0000001 * a[i]


def _scaled_often(a, b, repeats):
    for r in range(repeats):
        source, target = (a, b) if r % 2 == 0 else (b, a)
        for i in range(a.size):
            target[i] = 1.0000001 * source[i]


scale_often = njit(_scaled_often)
"""Copies to and fro within one call, whose own time then counts for little."""
scale_in_parallel = njit(parallel=True)(_scaled)


@functools.cache
def copied_bytes_per_second(size: float, threads: int) -> float:
    """Bytes read and written in a second by the fastest of `memcpy` and a loop, from one array into another that exists
    already, where both together have `size` bytes."""
    length = max(int(size) // 16, 8)
    a, b = np.ones(length), np.zeros(length)
    repeats = max(1, 2**18 // length)
    passes = [seconds_of(lambda: scale_often(a, b, repeats)) / repeats, seconds_of(lambda: np.copyto(b, a))]
    if threads > 1:
        passes.append(seconds_of(lambda: scale_in_parallel(a, b)))
    return 16 * length / min(passes)


def copied(size: float, threads: int) -> float:
    """`copied_bytes_per_second` for the nearest power of two."""
    return copied_bytes_per_second(2.0 ** round(math.log2(max(size, 1024.0))), threads)


@functools.cache
def flops_per_second(dtype: str) -> float:
    """Additions and multiplications in a second, in a matrix product."""
    A = np.ones((256, 256), dtype)
    out = np.empty_like(A)
    return 2 * 256**3 / seconds_of(lambda: np.matmul(A, A, out=out))


def _exponential(dtype: type, bits: type, fraction: int, bias: int, degree: int) -> Callable[..., None]:
    """Exponentials by Cody and Waite: exp(x) = 2^k exp(r), r = x - k ln 2 in two parts, and a Taylor polynomial of r."""
    high = dtype(np.round(math.log(2) * 2**10) / 2**10)
    low, inverse = dtype(math.log(2) - float(high)), dtype(1 / math.log(2))
    shift = dtype(1.5 * 2.0**fraction)
    coefficients = tuple(dtype(1 / math.factorial(k)) for k in range(degree, -1, -1))

    def exponentials(x, out, repeats):
        for _ in range(repeats):
            for i in prange(x.size):
                k = (x[i] * inverse + shift) - shift
                r = (x[i] - k * high) - k * low
                p = dtype(0)
                for c in coefficients:
                    p = p * r + c
                out[i] = p * bits((bits(k) + bits(bias)) << bits(fraction)).view(dtype)

    return exponentials


@functools.cache
def exponentials_per_second(dtype: str, threads: int) -> float:
    """Exponentials in a second, as straight-line code that the compiler vectorizes, on arrays in the first cache."""
    if dtype == "float32":
        written = _exponential(np.float32, np.int32, 23, 127, 6)
    else:
        written = _exponential(np.float64, np.int64, 52, 1023, 12)
    function = njit(fastmath={"contract"}, parallel=threads > 1)(written)
    x = np.linspace(-1.0, 1.0, 1024 * threads, dtype=dtype)
    out, repeats = np.empty_like(x), 256
    return x.size * repeats / seconds_of(lambda: function(x, out, repeats))


def limit(
    arrays: Sequence[np.ndarray], flops: float, calls: float, working_set: float, threads: int
) -> tuple[float, str]:
    """The least seconds for reading the arguments and writing the results once, or for computing, and which it is.

    One call of a transcendental function counts as one exponential. Copying is measured where as many bytes lie as
    the kernel works on.
    """
    dtype = "float32" if all(a.dtype == np.float32 for a in arrays) else "float64"
    moved = sum(a.nbytes for a in arrays) / copied(working_set, threads)
    operations = flops / flops_per_second(dtype)
    exponentials = calls / exponentials_per_second(dtype, threads) if calls else 0.0
    if moved >= operations + exponentials:
        return moved, "bytes"
    return operations + exponentials, "flops" if operations >= exponentials else "calls"
