"""Dynamic programming: sequences, knapsacks, orders of multiplication, shortest paths."""

import numpy as np


def edit_distance(a, b):
    """The least number of insertions, deletions and replacements."""
    n, m = len(a), len(b)
    D = np.zeros((n + 1, m + 1), dtype=np.int64)
    for i in range(n + 1):
        D[i, 0] = i
    for j in range(m + 1):
        D[0, j] = j
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            cost = 0 if a[i - 1] == b[j - 1] else 1
            D[i, j] = min(D[i - 1, j] + 1, D[i, j - 1] + 1, D[i - 1, j - 1] + cost)
    return D[n, m]


def longest_common(a, b):
    """The length of the longest common subsequence, with two rows."""
    before, row = np.zeros(len(b) + 1, dtype=np.int64), np.zeros(len(b) + 1, dtype=np.int64)
    for x in a:
        for j in range(len(b)):
            if x == b[j]:
                row[j + 1] = before[j] + 1
            else:
                row[j + 1] = max(row[j], before[j + 1])
        before, row = row, before
    return before[-1]


def local_alignment(a, b, match, mismatch, gap):
    """The best score of a local alignment, and where it ends."""
    n, m = len(a), len(b)
    H = np.zeros((n + 1, m + 1))
    best, place = 0.0, (0, 0)
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            score = match if a[i - 1] == b[j - 1] else mismatch
            H[i, j] = max(0.0, H[i - 1, j - 1] + score, H[i - 1, j] + gap, H[i, j - 1] + gap)
            if H[i, j] > best:
                best = H[i, j]
                place = (i, j)
    return best, place[0], place[1]


def folding(sequence):
    """The most pairs of complementary bases (0 with 3, 1 with 2) without crossings."""
    n = len(sequence)
    table = np.zeros((n, n), dtype=np.int64)
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            best = max(table[i, j - 1], table[i + 1, j])
            inner = table[i + 1, j - 1] if j - 1 >= i + 1 else 0
            if sequence[i] + sequence[j] == 3:
                inner += 1
            best = max(best, inner)
            for k in range(i + 1, j):
                best = max(best, table[i, k] + table[k + 1, j])
            table[i, j] = best
    return table


def knapsack(values, weights, capacity):
    """The most value that fits."""
    best = np.zeros(capacity + 1)
    for value, weight in zip(values, weights):
        for c in range(capacity, weight - 1, -1):
            best[c] = max(best[c], best[c - weight] + value)
    return best[capacity]


def knapsack_slices(values, weights, capacity):
    """The same with a slice for all capacities."""
    best = np.zeros(capacity + 1)
    for i in range(len(values)):
        w = weights[i]
        if w <= capacity:
            best[w:] = np.maximum(best[w:], best[: capacity + 1 - w] + values[i])
    return best


def time_warping(x, y):
    """The cost of the best monotone match of two series."""
    n, m = len(x), len(y)
    D = np.full((n + 1, m + 1), np.inf)
    D[0, 0] = 0.0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            D[i, j] = abs(x[i - 1] - y[j - 1]) + min(D[i - 1, j], D[i, j - 1], D[i - 1, j - 1])
    return D[n, m]


def chain_order(sizes):
    """The least multiplications for a chain of matrices, by length of the part."""
    n = len(sizes) - 1
    cost = np.zeros((n, n), dtype=np.int64)
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            best = -1
            for k in range(i, j):
                total = cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1]
                if best < 0 or total < best:
                    best = total
            cost[i, j] = best
    return cost[0, n - 1]


def coin_ways(coins, amount):
    """The number of ways to pay an amount."""
    ways = np.zeros(amount + 1, dtype=np.int64)
    ways[0] = 1
    for coin in coins:
        for total in range(coin, amount + 1):
            ways[total] += ways[total - coin]
    return ways[amount]


def shortest_paths(D):
    """All shortest paths in place (Floyd and Warshall), element by element."""
    n = D.shape[0]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                if D[i, k] + D[k, j] < D[i, j]:
                    D[i, j] = D[i, k] + D[k, j]


def shortest_paths_rows(D):
    """The same with arrays: one minimum for each vertex."""
    for k in range(len(D)):
        D[:] = np.minimum(D, D[:, k, None] + D[None, k, :])
    return D


def seam(energy):
    """The columns of the vertical path of least energy."""
    n, m = energy.shape
    total = energy.copy()
    for i in range(1, n):
        for j in range(m):
            low, high = max(j - 1, 0), min(j + 2, m)
            total[i, j] += np.min(total[i - 1, low:high])
    path = np.empty(n, dtype=np.int64)
    path[n - 1] = np.argmin(total[n - 1])
    for i in range(n - 2, -1, -1):
        low = max(path[i + 1] - 1, 0)
        path[i] = low + np.argmin(total[i, low : path[i + 1] + 2])
    return path
