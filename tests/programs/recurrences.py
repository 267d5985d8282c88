"""Recurrences: filters, likelihoods of time series, special functions, closed forms."""

import numpy as np


def smoothed(x, alpha):
    """Exponential smoothing."""
    out = np.empty_like(x)
    level = x[0]
    for t in range(len(x)):
        level = alpha * x[t] + (1.0 - alpha) * level
        out[t] = level
    return out


def trend_smoothing(x, alpha, beta):
    """Level and trend of a series (Holt), and the squared error of its forecasts."""
    level, trend = x[0], 0.0
    error = 0.0
    for value in x[1:]:
        forecast = level + trend
        error += (value - forecast) ** 2
        previous = level
        level = alpha * value + (1 - alpha) * forecast
        trend = beta * (level - previous) + (1 - beta) * trend
    return level, trend, error


def biquad(x, b0, b1, b2, a1, a2):
    """A recursive filter of second order."""
    y = np.zeros_like(x)
    x1 = x2 = y1 = y2 = 0.0
    for n in range(x.size):
        y[n] = b0 * x[n] + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
        x2, x1 = x1, x[n]
        y2, y1 = y1, y[n]
    return y


def recursive_filter_rows(image, a):
    """Smooths each row from left to right and back, all rows at once."""
    out = image.copy()
    m = image.shape[1]
    for j in range(1, m):
        out[:, j] = (1 - a) * out[:, j] + a * out[:, j - 1]
    for j in range(m - 2, -1, -1):
        out[:, j] = (1 - a) * out[:, j] + a * out[:, j + 1]
    return out


def garch_likelihood(returns, omega, alpha, beta):
    """The Gaussian log-likelihood of a GARCH(1, 1) series."""
    variance = np.var(returns)
    total = 0.0
    for r in returns:
        total += -0.5 * (np.log(2 * np.pi) + np.log(variance) + r * r / variance)
        variance = omega + alpha * r * r + beta * variance
    return total


def garch_variances(returns, omega, alpha, beta):
    """The conditional variances of a GARCH(1, 1) series."""
    variances = np.empty(len(returns))
    variances[0] = omega / (1 - alpha - beta)
    for t in range(1, len(returns)):
        variances[t] = omega + alpha * returns[t - 1] ** 2 + beta * variances[t - 1]
    return variances


def ar_likelihood(y, coefficients, sigma):
    """The conditional log-likelihood of an autoregression of any order."""
    order = len(coefficients)
    total = 0.0
    for t in range(order, len(y)):
        mean = 0.0
        for k in range(order):
            mean += coefficients[k] * y[t - 1 - k]
        total -= 0.5 * ((y[t] - mean) / sigma) ** 2 + np.log(sigma) + 0.5 * np.log(2 * np.pi)
    return total


def kalman_filter(observations, F, H, Q, R):
    """Filtered means and the log-likelihood of a linear Gaussian system with a scalar observation."""
    n = F.shape[0]
    x, P = np.zeros(n), np.eye(n)
    means = np.zeros((len(observations), n))
    total = 0.0
    for t in range(len(observations)):
        x = F @ x
        P = F @ P @ F.T + Q
        residual = observations[t] - H @ x
        S = H @ P @ H + R
        K = P @ H / S
        x = x + K * residual
        P = P - np.outer(K, H @ P)
        means[t] = x
        total += -0.5 * (np.log(2 * np.pi * S) + residual**2 / S)
    return means, total


def local_level(y, q, r):
    """The Kalman filter of a random walk with noise."""
    m, p = 0.0, 1e3
    out = np.zeros(len(y))
    for t, value in enumerate(y):
        p += q
        gain = p / (p + r)
        m += gain * (value - m)
        p *= 1 - gain
        out[t] = m
    return out


def forward_algorithm(initial, transition, emission, observations):
    """The log-likelihood of a hidden Markov model, scaled at each step."""
    alpha = initial * emission[:, observations[0]]
    total = np.log(alpha.sum())
    alpha = alpha / alpha.sum()
    for o in observations[1:]:
        alpha = (alpha @ transition) * emission[:, o]
        scale = alpha.sum()
        alpha = alpha / scale
        total += np.log(scale)
    return total, alpha


def viterbi(initial, transition, emission, observations):
    """The most probable states of a hidden Markov model."""
    steps, states = len(observations), len(initial)
    score = np.log(initial) + np.log(emission[:, observations[0]])
    back = np.zeros((steps, states), dtype=np.int64)
    for t in range(1, steps):
        candidates = score[:, None] + np.log(transition)
        back[t] = np.argmax(candidates, axis=0)
        score = np.max(candidates, axis=0) + np.log(emission[:, observations[t]])
    path = np.zeros(steps, dtype=np.int64)
    path[-1] = np.argmax(score)
    for t in range(steps - 1, 0, -1):
        path[t - 1] = back[t, path[t]]
    return path


def running_sums(x):
    """Partial sums, in place."""
    for i in range(1, len(x)):
        x[i] += x[i - 1]


def logistic_map(x, r, steps):
    """Iterates of many points at once."""
    for _ in range(steps):
        x = r * x * (1 - x)
    return x


def legendre(x, degree):
    """Legendre polynomials up to a degree, one a row."""
    P = np.ones((degree + 1, x.size))
    if degree > 0:
        P[1] = x
    for k in range(1, degree):
        P[k + 1] = ((2 * k + 1) * x * P[k] - k * P[k - 1]) / (k + 1)
    return P


def horner(coefficients, x):
    """A polynomial at many points, the highest coefficient first."""
    total = np.zeros_like(x)
    for k in range(len(coefficients)):
        total = total * x + coefficients[k]
    return total


def exponential_series(x, terms):
    """The first terms of the exponential's power series."""
    total, term = 1.0, 1.0
    for k in range(1, terms):
        term *= x / k
        total += term
    return total


def geometric_sum(ratio, count):
    """The sum of the first powers of a number."""
    total, power = 0.0, 1.0
    for _ in range(count):
        total += power
        power *= ratio
    return total


def random_numbers(seed, count):
    """Integers of a linear congruential generator."""
    out = np.empty(count, dtype=np.int64)
    state = seed
    for i in range(count):
        state = (1103515245 * state + 12345) % 2147483648
        out[i] = state
    return out


def running_median(x, width):
    """Medians of a moving window."""
    out = np.zeros(len(x) - width + 1)
    for i in range(len(out)):
        out[i] = np.median(x[i : i + width])
    return out
