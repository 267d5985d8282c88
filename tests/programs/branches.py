"""Branches on data, searches, early returns, and loops that end by a condition."""

import numpy as np


def classified(x, low, high):
    """Elements by size: -1, 0 or 1, and how many of each."""
    out = np.zeros(len(x), dtype=np.int64)
    below = inside = above = 0
    for i in range(len(x)):
        if x[i] < low:
            out[i] = -1
            below += 1
        elif x[i] > high:
            out[i] = 1
            above += 1
        else:
            inside += 1
    return out, below, inside, above


def first_above(x, limit):
    """The place of the first element above a limit; -1 where there is none."""
    for i in range(len(x)):
        if x[i] > limit:
            return i
    return -1


def scaled_or_shifted(x):
    """One of three computations, by a property of the whole array."""
    total = np.sum(x)
    if total > 0:
        y = x / total
    elif total < 0:
        y = x - np.mean(x)
    else:
        return np.zeros_like(x)
    return np.sqrt(np.abs(y))


def norm_with_early_return(x, order):
    """A norm of order 1, 2 or infinity."""
    if x.size == 0:
        return 0.0
    if order == 1:
        return np.sum(np.abs(x))
    largest = np.max(np.abs(x))
    if order != 2 or largest == 0.0:
        return largest
    return largest * np.sqrt(np.sum((x / largest) ** 2))


def compound_conditions(a, b, low, high):
    """Arithmetic under compound conditions on masks, in place."""
    inside = (a > low) & (a < high)
    outside = ~inside & ((b < low) | (b > high))
    a[inside] = a[inside] * 2 + b[inside]
    a[outside] = 0
    b[inside | outside] += 1
    return np.where(inside, a - b, np.where(outside, a + b, a * b))


def collatz(numbers):
    """Steps until each number comes to one."""
    steps = np.zeros(len(numbers), dtype=np.int64)
    for i in range(len(numbers)):
        n = numbers[i]
        while n != 1:
            n = n // 2 if n % 2 == 0 else 3 * n + 1
            steps[i] += 1
    return steps


def common_divisors(a, b):
    """The greatest common divisor of pairs."""
    out = np.empty_like(a)
    for k in range(len(a)):
        x, y = a[k], b[k]
        while y:
            x, y = y, x % y
        out[k] = x
    return out


def sieve(n):
    """The primes below n."""
    prime = np.ones(n, dtype=bool)
    prime[:2] = False
    p = 2
    while p * p < n:
        if prime[p]:
            prime[p * p :: p] = False
        p += 1
    return np.flatnonzero(prime)


def insertion_sort(x):
    """Sorts in place; the number of moves."""
    moves = 0
    for i in range(1, len(x)):
        value = x[i]
        j = i - 1
        while j >= 0 and x[j] > value:
            x[j + 1] = x[j]
            j -= 1
            moves += 1
        x[j + 1] = value
    return moves


def bubble_sort(x):
    """Sorts in place by exchanges, until a sweep has none."""
    n = len(x)
    for last in range(n - 1, 0, -1):
        exchanged = False
        for i in range(last):
            if x[i] > x[i + 1]:
                x[i], x[i + 1] = x[i + 1], x[i]
                exchanged = True
        if not exchanged:
            break


def interpolated(points, xs, ys):
    """Linear interpolation with a binary search for each point; the ends are extended."""
    out = np.zeros(len(points))
    for k, x in enumerate(points):
        if x <= xs[0]:
            out[k] = ys[0]
        elif x >= xs[-1]:
            out[k] = ys[-1]
        else:
            low, high = 0, len(xs) - 1
            while high - low > 1:
                middle = (low + high) // 2
                if xs[middle] <= x:
                    low = middle
                else:
                    high = middle
            out[k] = ys[low] + (ys[high] - ys[low]) * (x - xs[low]) / (xs[high] - xs[low])
    return out


def newton_root(start, tolerance):
    """A root of x^3 - 2 x - 5 by Newton's method, and the number of steps."""
    x, steps = start, 0
    while abs(x**3 - 2 * x - 5) > tolerance:
        x = x - (x**3 - 2 * x - 5) / (3 * x**2 - 2)
        steps += 1
        if steps > 50:
            raise ArithmeticError("no root was found")
    return x, steps


def square_roots(x, tolerance):
    """Square roots of all elements by Newton's method, until all are found."""
    y = np.maximum(x, 1.0)
    while np.any(np.abs(y * y - x) > tolerance * x):
        y = 0.5 * (y + x / y)
    return y


def bisection(coefficients, low, high, tolerance):
    """A root of a polynomial between two points with values of unlike signs."""

    def value(x):
        total = 0.0
        for c in coefficients:
            total = total * x + c
        return total

    if value(low) * value(high) > 0:
        raise ValueError("the signs are alike")
    while high - low > tolerance:
        middle = (low + high) / 2
        if value(low) * value(middle) <= 0:
            high = middle
        else:
            low = middle
    return (low + high) / 2


def peaks(x, least):
    """The places of local maxima that are at least so high, as an array."""
    places = np.zeros(len(x), dtype=np.int64)
    count = 0
    for i in range(1, len(x) - 1):
        if x[i] < least:
            continue
        if x[i - 1] < x[i] and x[i] >= x[i + 1]:
            places[count] = i
            count += 1
    return places[:count]


def components(image):
    """Labels of connected pixels, by spreading the least label until nothing changes."""
    n, m = image.shape
    labels = np.where(image, np.arange(1, n * m + 1).reshape(n, m), 0)
    changed = True
    while changed:
        changed = False
        for i in range(n):
            for j in range(m):
                if labels[i, j] == 0:
                    continue
                least = labels[i, j]
                if i > 0 and 0 < labels[i - 1, j] < least:
                    least = labels[i - 1, j]
                if i < n - 1 and 0 < labels[i + 1, j] < least:
                    least = labels[i + 1, j]
                if j > 0 and 0 < labels[i, j - 1] < least:
                    least = labels[i, j - 1]
                if j < m - 1 and 0 < labels[i, j + 1] < least:
                    least = labels[i, j + 1]
                if least < labels[i, j]:
                    labels[i, j] = least
                    changed = True
    return labels


def golden_section(a, b, centre, tolerance):
    """The minimum of a function of one number, by shrinking a bracket."""
    ratio = (np.sqrt(5.0) - 1) / 2
    x1, x2 = b - ratio * (b - a), a + ratio * (b - a)
    f1, f2 = (x1 - centre) ** 2 + np.cos(x1), (x2 - centre) ** 2 + np.cos(x2)
    while b - a > tolerance:
        if f1 < f2:
            b, x2, f2 = x2, x1, f1
            x1 = b - ratio * (b - a)
            f1 = (x1 - centre) ** 2 + np.cos(x1)
        else:
            a, x1, f1 = x1, x2, f2
            x2 = a + ratio * (b - a)
            f2 = (x2 - centre) ** 2 + np.cos(x2)
    return (a + b) / 2
