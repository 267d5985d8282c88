"""Values and gradients of `derivative_programs`, their adjoints derived and written by hand, for numba on one thread.

Each takes the arguments of the function of its name, and returns its value and its gradient.
"""

from __future__ import annotations

import ctypes

import numpy as np
from numba import njit
from numba.extending import get_cython_function_address

compiled = njit(fastmath=True, error_model="numpy")


@compiled
def eight_schools(q, y, sigma):
    mu, log_tau, tau = q[0], q[1], np.exp(q[1])
    gradient = np.empty(10)
    squares, of_mu, of_tau = 0.0, 0.0, 0.0
    for i in range(8):
        eta = q[2 + i]
        residual = (y[i] - mu - tau * eta) / sigma[i]
        scaled = residual / sigma[i]
        squares += eta * eta + residual * residual
        of_mu += scaled
        of_tau += scaled * eta
        gradient[2 + i] = scaled * tau - eta
    ratio = (tau / 5.0) ** 2
    gradient[0] = of_mu - mu / 25.0
    gradient[1] = of_tau * tau - 2.0 * ratio / (1.0 + ratio) + 1.0
    return -0.5 * (mu / 5.0) ** 2 - np.log(1.0 + ratio) + log_tau - 0.5 * squares, gradient


@compiled
def logistic_regression(beta, X, y):
    n, k = X.shape
    z = np.empty(n)
    for i in range(n):
        total = 0.0
        for j in range(k):
            total += X[i, j] * beta[j]
        z[i] = total
    value = 0.0
    for i in range(n):
        e = np.exp(-abs(z[i]))
        value += y[i] * z[i] - max(z[i], 0.0) - np.log(1.0 + e)
        z[i] = y[i] - (1.0 if z[i] >= 0.0 else e) / (1.0 + e)
    gradient = -beta
    for i in range(n):
        for j in range(k):
            gradient[j] += X[i, j] * z[i]
    for j in range(k):
        value -= 0.5 * beta[j] ** 2
    return value, gradient


@compiled
def poisson_mixed(q, X, group, y):
    n, scale = len(y), np.exp(q[9])
    gradient = -q
    value, of_scale = 0.0, 0.0
    for j in range(len(q)):
        value -= 0.5 * q[j] ** 2
    residuals = np.empty(n)
    for i in range(n):
        total = scale * q[10 + group[i]]
        for j in range(9):
            total += X[i, j] * q[j]
        residuals[i] = total
    for i in range(n):
        rate = np.exp(residuals[i])
        value += y[i] * residuals[i] - rate
        residuals[i] = y[i] - rate
    for i in range(n):
        residual = residuals[i]
        for j in range(9):
            gradient[j] += residual * X[i, j]
        gradient[10 + group[i]] += residual * scale
        of_scale += residual * q[10 + group[i]]
    gradient[9] += of_scale * scale
    return value, gradient


def _lapack(name, *kinds):
    pointers = [ctypes.c_void_p] * len(kinds) if kinds else []
    return ctypes.CFUNCTYPE(None, *pointers)(get_cython_function_address("scipy.linalg.cython_lapack", name))


_potrf = _lapack("dpotrf", *"uplo n a lda info".split())
_potri = _lapack("dpotri", *"uplo n a lda info".split())


@compiled
def gaussian_process(q, x, y):
    n = len(x)
    amplitude, length, noise = np.exp(q[0]), np.exp(q[1]), np.exp(q[2])
    squared = amplitude**2
    kernel, matrix = np.zeros((n, n)), np.zeros((n, n))
    # Row by row the lower triangle, which is the upper one column by column.
    for i in range(n):
        for j in range(i):
            distance = (x[i] - x[j]) / length
            kernel[i, j] = squared * np.exp(-0.5 * distance * distance)
            matrix[i, j] = kernel[i, j]
        matrix[i, i] = squared + noise**2 + 1e-8
    upper, size, info = np.array([ord("U")], np.int8), np.array([n], np.int32), np.zeros(1, np.int32)
    _potrf(upper.ctypes, size.ctypes, matrix.ctypes, size.ctypes, info.ctypes)
    value = 0.0
    for i in range(n):
        value -= np.log(matrix[i, i])
    _potri(upper.ctypes, size.ctypes, matrix.ctypes, size.ctypes, info.ctypes)
    alpha = np.zeros(n)
    for i in range(n):
        total = matrix[i, i] * y[i]
        for j in range(i):
            total += matrix[i, j] * y[j]
            alpha[j] += matrix[i, j] * y[i]
        alpha[i] += total
    of_amplitude, of_length, trace = 0.0, 0.0, 0.0
    for i in range(n):
        value -= 0.5 * y[i] * alpha[i]
        trace += 0.5 * (alpha[i] * alpha[i] - matrix[i, i])
        for j in range(i):
            part = (alpha[i] * alpha[j] - matrix[i, j]) * kernel[i, j]
            of_amplitude += part
            of_length += part * (x[i] - x[j]) ** 2
    gradient = -q
    gradient[0] += 2.0 * of_amplitude + 2.0 * squared * trace
    gradient[1] += of_length / length**2
    gradient[2] += 2.0 * noise**2 * trace
    return value - 0.5 * (q[0] ** 2 + q[1] ** 2 + q[2] ** 2), gradient


@compiled
def garch(q, y):
    mu, omega, alpha, beta = q[0], np.exp(q[1]), np.exp(q[2]), np.exp(q[3])
    n = len(y)
    variances = np.empty(n + 1)
    variances[0] = omega
    for t in range(n):
        variances[t + 1] = omega + alpha * (y[t] - mu) ** 2 + beta * variances[t]
    value = 0.0
    for t in range(n):
        value -= 0.5 * np.log(variances[t]) + 0.5 * (y[t] - mu) ** 2 / variances[t]
    back, of_mu, of_omega, of_alpha, of_beta = 0.0, 0.0, 0.0, 0.0, 0.0
    for t in range(n - 1, -1, -1):
        residual, inverse = y[t] - mu, 1.0 / variances[t]
        of_omega += back
        of_alpha += back * residual**2
        of_beta += back * variances[t]
        of_mu += residual * (inverse - 2.0 * back * alpha)
        back = back * beta - 0.5 * inverse + 0.5 * residual**2 * inverse**2
    return value, np.array([of_mu, (of_omega + back) * omega, of_alpha * alpha, of_beta * beta])


@njit(fastmath=True, inline="always")
def _slope_back(a, b, c, d, x, y, gx, gy):
    """What a cotangent of the slopes at x and y is for x, y, and the parameters."""
    both = x * y
    return (
        gx * (a - b * y) + gy * d * y, gy * (d * x - c) - gx * b * x,
        gx * x, -gx * both, -gy * y, gy * both,
    )  # fmt: skip


@compiled
def lotka_volterra(q, data, h):
    a, b, c, d = np.exp(q[0]), np.exp(q[1]), np.exp(q[2]), np.exp(q[3])
    n = len(data)
    stages = np.empty((n, 8))
    ends = np.empty((n + 1, 2))
    x, y, value = np.exp(q[4]), np.exp(q[5]), 0.0
    for t in range(n):
        x1, y1 = a * x - b * x * y, d * x * y - c * y
        u2, v2 = x + 0.5 * h * x1, y + 0.5 * h * y1
        x2, y2 = a * u2 - b * u2 * v2, d * u2 * v2 - c * v2
        u3, v3 = x + 0.5 * h * x2, y + 0.5 * h * y2
        x3, y3 = a * u3 - b * u3 * v3, d * u3 * v3 - c * v3
        u4, v4 = x + h * x3, y + h * y3
        x4, y4 = a * u4 - b * u4 * v4, d * u4 * v4 - c * v4
        stages[t, 0], stages[t, 1], stages[t, 2], stages[t, 3] = x, y, u2, v2
        stages[t, 4], stages[t, 5], stages[t, 6], stages[t, 7] = u3, v3, u4, v4
        x += h / 6.0 * (x1 + 2.0 * x2 + 2.0 * x3 + x4)
        y += h / 6.0 * (y1 + 2.0 * y2 + 2.0 * y3 + y4)
        ends[t, 0], ends[t, 1] = x - data[t, 0], y - data[t, 1]
        value += ends[t, 0] ** 2 + ends[t, 1] ** 2
    gx, gy, ga, gb, gc, gd = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for t in range(n - 1, -1, -1):
        gx += 2.0 * ends[t, 0]
        gy += 2.0 * ends[t, 1]
        kx, ky = h / 6.0 * gx, h / 6.0 * gy
        px, py, pa, pb, pc, pd = _slope_back(a, b, c, d, stages[t, 6], stages[t, 7], kx, ky)
        qx, qy, qa, qb, qc, qd = _slope_back(
            a, b, c, d, stages[t, 4], stages[t, 5], 2.0 * kx + h * px, 2.0 * ky + h * py
        )
        rx, ry, ra, rb, rc, rd = _slope_back(
            a, b, c, d, stages[t, 2], stages[t, 3], 2.0 * kx + 0.5 * h * qx, 2.0 * ky + 0.5 * h * qy
        )
        sx, sy, sa, sb, sc, sd = _slope_back(
            a, b, c, d, stages[t, 0], stages[t, 1], kx + 0.5 * h * rx, ky + 0.5 * h * ry
        )
        gx += px + qx + rx + sx
        gy += py + qy + ry + sy
        ga += pa + qa + ra + sa
        gb += pb + qb + rb + sb
        gc += pc + qc + rc + sc
        gd += pd + qd + rd + sd
    return value, np.array([ga * a, gb * b, gc * c, gd * d, gx * np.exp(q[4]), gy * np.exp(q[5])])
