"""Finance: trees, simulated paths, implied volatilities, drawdowns."""

import math

import numpy as np


def binomial_call(spot, strike, rate, volatility, time, n):
    """A European call on a binomial tree, with slices."""
    dt = time / n
    up = np.exp(volatility * np.sqrt(dt))
    p = (np.exp(rate * dt) - 1 / up) / (up - 1 / up)
    values = np.maximum(spot * up ** (2.0 * np.arange(n + 1) - n) - strike, 0.0)
    for _ in range(n):
        values = np.exp(-rate * dt) * (p * values[1:] + (1 - p) * values[:-1])
    return values[0]


def american_put(spot, strike, rate, volatility, time, n):
    """An American put on a binomial tree, node by node."""
    dt = time / n
    up = math.exp(volatility * math.sqrt(dt))
    discount = math.exp(-rate * dt)
    p = (1.0 / discount - 1.0 / up) / (up - 1.0 / up)
    values = np.zeros(n + 1)
    for j in range(n + 1):
        values[j] = max(strike - spot * up ** (2.0 * j - n), 0.0)
    for i in range(n - 1, -1, -1):
        for j in range(i + 1):
            held = discount * (p * values[j + 1] + (1.0 - p) * values[j])
            values[j] = max(held, strike - spot * up ** (2.0 * j - i))
    return values[0]


def asian_option(normals, spot, strike, rate, volatility, dt):
    """The price of an option on the mean, over paths of given normal numbers, one step for all paths at a time."""
    paths, steps = normals.shape
    price, total = np.full(paths, spot), np.zeros(paths)
    for t in range(steps):
        price = price * np.exp((rate - 0.5 * volatility**2) * dt + volatility * np.sqrt(dt) * normals[:, t])
        total += price
    return np.exp(-rate * dt * steps) * np.mean(np.maximum(total / steps - strike, 0.0))


def barrier_option(normals, spot, strike, barrier, volatility, dt):
    """A call that is lost when its path falls below a barrier, path by path."""
    total = 0.0
    for path in normals:
        price = spot
        for z in path:
            price *= math.exp(-0.5 * volatility * volatility * dt + volatility * math.sqrt(dt) * z)
            if price < barrier:
                break
        else:
            total += max(price - strike, 0.0)
    return total / len(normals)


def call_price(spot, strike, rate, volatility, time):
    """Black and Scholes's formula."""
    spread = volatility * math.sqrt(time)
    d1 = (math.log(spot / strike) + (rate + 0.5 * volatility**2) * time) / spread
    d2 = d1 - spread
    first = 0.5 * (1.0 + math.erf(d1 / math.sqrt(2.0)))
    second = 0.5 * (1.0 + math.erf(d2 / math.sqrt(2.0)))
    return spot * first - strike * math.exp(-rate * time) * second


def implied_volatilities(prices, spot, strikes, rate, time):
    """Volatilities that explain prices of calls, by bisection; nan where none does."""
    out = np.empty(len(prices))
    for i in range(len(prices)):
        low, high = 1e-4, 4.0
        if call_price(spot, strikes[i], rate, high, time) < prices[i]:
            out[i] = np.nan
            continue
        while high - low > 1e-10:
            middle = 0.5 * (low + high)
            if call_price(spot, strikes[i], rate, middle, time) < prices[i]:
                low = middle
            else:
                high = middle
        out[i] = 0.5 * (low + high)
    return out


def largest_drawdown(prices):
    """The largest loss from a peak, and where the peak and the end of the loss are."""
    peak, peak_at = prices[0], 0
    worst, start, end = 0.0, 0, 0
    for t in range(1, len(prices)):
        if prices[t] > peak:
            peak, peak_at = prices[t], t
        loss = 1.0 - prices[t] / peak
        if loss > worst:
            worst, start, end = loss, peak_at, t
    return worst, start, end


def stop_loss(prices, limit, cost):
    """The wealth of a rule that sells after a loss and buys after a gain, day by day."""
    wealth = np.ones(len(prices))
    holding, entry = True, prices[0]
    for t in range(1, len(prices)):
        wealth[t] = wealth[t - 1]
        if holding:
            wealth[t] *= prices[t] / prices[t - 1]
            entry = max(entry, prices[t])
            if prices[t] < (1 - limit) * entry:
                holding = False
                wealth[t] *= 1 - cost
        elif prices[t] > prices[t - 1]:
            holding, entry = True, prices[t]
            wealth[t] *= 1 - cost
    return wealth


def implicit_price(values, rate, volatility, dt, ds, steps):
    """Black and Scholes's equation by an implicit scheme, in place: one tridiagonal system a step."""
    n = len(values)
    i = np.arange(n)
    lower = 0.5 * dt * (rate * i - volatility**2 * i**2)
    diagonal = 1 + dt * (volatility**2 * i**2 + rate)
    upper = -0.5 * dt * (rate * i + volatility**2 * i**2)
    c = np.zeros(n)
    for _ in range(steps):
        c[1] = upper[1] / diagonal[1]
        values[1] = (values[1] - lower[1] * values[0]) / diagonal[1]
        for k in range(2, n - 1):
            pivot = diagonal[k] - lower[k] * c[k - 1]
            c[k] = upper[k] / pivot
            values[k] = (values[k] - lower[k] * values[k - 1]) / pivot
        for k in range(n - 2, 0, -1):
            values[k] -= c[k] * values[k + 1]
    return values * ds


def bond_yield(price, coupons, times, tolerance):
    """The yield of a bond by Newton's method."""
    y = 0.05
    for _ in range(100):
        value, slope = 0.0, 0.0
        for c, t in zip(coupons, times):
            discount = math.exp(-y * t)
            value += c * discount
            slope -= t * c * discount
        step = (value - price) / slope
        y -= step
        if abs(step) < tolerance:
            return y
    raise ArithmeticError("the yield was not found")
