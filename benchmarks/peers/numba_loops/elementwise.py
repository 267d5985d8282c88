"""One element at a time."""

from __future__ import annotations

import math

import numpy as np
from numba import prange


def arithmetic(x, y):
    result = np.empty_like(x)
    for i in prange(x.size):
        result[i] = 2.5 * x[i] * y[i] + x[i] - 0.5 * y[i]
    return result


def gaussian(x):
    result = np.empty_like(x)
    for i in prange(x.size):
        result[i] = math.exp(-0.5 * x[i] * x[i])
    return result


def gaussian_float32(x):
    result = np.empty_like(x)
    for i in prange(x.size):
        result[i] = math.exp(np.float32(-0.5) * x[i] * x[i])
    return result


def five_calls(x, y):
    result = np.empty_like(x)
    for i in prange(x.size):
        u, v = x[i], y[i]
        result[i] = math.exp(-u * u) * math.sin(v) + math.log(1 + v * v) * math.cos(u) + math.tanh(u * v)
    return result


def black_scholes(price, strike, time):
    rate, volatility = 0.02, 0.3
    half = math.sqrt(0.5)
    result = np.empty_like(price)
    for i in prange(price.size):
        spread = volatility * math.sqrt(time[i])
        d1 = (math.log(price[i] / strike[i]) + (rate + 0.5 * volatility**2) * time[i]) / spread
        d2 = d1 - spread
        first = 0.5 * (1 + math.erf(d1 * half))
        second = 0.5 * (1 + math.erf(d2 * half))
        result[i] = price[i] * first - strike[i] * math.exp(-rate * time[i]) * second
    return result


def gelu(x):
    half = math.sqrt(0.5)
    result = np.empty_like(x)
    for i in prange(x.size):
        result[i] = 0.5 * x[i] * (1 + math.erf(x[i] * half))
    return result


def polynomial(x):
    result = np.empty_like(x)
    for i in prange(x.size):
        v = x[i]
        result[i] = 1.0 + v * (0.5 + v * (0.25 + v * (-0.125 + v * (0.0625 - 0.03125 * v))))
    return result


def huber(r):
    result = np.empty_like(r)
    for i in prange(r.size):
        size = abs(r[i])
        result[i] = 0.5 * size * size if size <= 1.0 else size - 0.5
    return result


def complex_magnitude(z):
    result = np.empty(z.size)
    for i in prange(z.size):
        result[i] = math.sqrt(z[i].real * z[i].real + z[i].imag * z[i].imag)
    return result


def hash_integers(x):
    result = np.empty_like(x)
    for i in prange(x.size):
        v = np.uint32((x[i] ^ (x[i] >> np.uint32(16))) * np.uint32(0x7FEB352D))
        v = np.uint32((v ^ (v >> np.uint32(15))) * np.uint32(0x846CA68B))
        result[i] = v ^ (v >> np.uint32(16))
    return result


def inside_ring(x, y):
    result = np.empty(x.size, np.bool_)
    for i in prange(x.size):
        squared = x[i] * x[i] + y[i] * y[i]
        result[i] = (squared > 0.25) & (squared < 1.0) & ((x[i] > 0) | (y[i] > 0))
    return result
