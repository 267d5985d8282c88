"""Statistics: moments, clustering, sampling, fits by iteration."""

import numpy as np


def covariance(data):
    """The covariance of columns: one triangle is computed, the other mirrored."""
    n, m = data.shape
    mean = np.zeros(m)
    for j in range(m):
        for i in range(n):
            mean[j] += data[i, j]
        mean[j] /= n
    out = np.zeros((m, m))
    for i in range(m):
        for j in range(i, m):
            total = 0.0
            for k in range(n):
                total += (data[k, i] - mean[i]) * (data[k, j] - mean[j])
            out[i, j] = total / (n - 1.0)
            out[j, i] = out[i, j]
    return out


def covariance_columns(data):
    """The same with a product of columns; the data are centred in place."""
    m = data.shape[1]
    data -= np.mean(data, axis=0)
    out = np.zeros((m, m))
    for i in range(m):
        out[i:, i] = out[i, i:] = data[:, i] @ data[:, i:] / (data.shape[0] - 1)
    return out


def correlation(data):
    """Correlations of columns, where those that hardly vary count as having deviation one."""
    n, m = data.shape
    mean = np.mean(data, axis=0)
    deviation = np.sqrt(np.mean((data - mean) ** 2, axis=0))
    deviation[deviation <= 0.1] = 1.0
    scaled = (data - mean) / (np.sqrt(n) * deviation)
    out = np.eye(m)
    for i in range(m - 1):
        for j in range(i + 1, m):
            out[i, j] = scaled[:, i] @ scaled[:, j]
            out[j, i] = out[i, j]
    return out


def k_means(points, centers, steps):
    """Lloyd's algorithm, point by point; centers are updated, labels returned."""
    n, k = len(points), len(centers)
    labels = np.zeros(n, dtype=np.int64)
    for _ in range(steps):
        sums, counts = np.zeros_like(centers), np.zeros(k)
        for i in range(n):
            best = np.inf
            for c in range(k):
                distance = 0.0
                for d in range(points.shape[1]):
                    distance += (points[i, d] - centers[c, d]) ** 2
                if distance < best:
                    best = distance
                    labels[i] = c
            sums[labels[i]] += points[i]
            counts[labels[i]] += 1
        for c in range(k):
            if counts[c] > 0:
                centers[c] = sums[c] / counts[c]
    return labels


def k_means_arrays(points, centers, most):
    """The same with arrays, until no label changes."""
    labels = np.full(len(points), -1)
    for _ in range(most):
        distance = ((points[:, None, :] - centers[None, :, :]) ** 2).sum(axis=2)
        new = distance.argmin(axis=1)
        if np.array_equal(new, labels):
            break
        labels = new
        centers = centers.copy()
        for c in range(len(centers)):
            members = points[labels == c]
            if len(members) > 0:
                centers[c] = members.mean(axis=0)
    return labels, centers


def histogram(x, bins, low, high):
    """Counts of values in equal bins; what lies outside is left out."""
    counts = np.zeros(bins, dtype=np.int64)
    for value in x:
        if low <= value < high:
            counts[int((value - low) / (high - low) * bins)] += 1
    return counts


def joint_histogram(a, b, bins):
    """Mutual information of two series on the unit interval."""
    table = np.zeros((bins, bins))
    for i in range(len(a)):
        table[int(a[i] * bins), int(b[i] * bins)] += 1.0
    table /= len(a)
    pa, pb = table.sum(axis=1), table.sum(axis=0)
    total = 0.0
    for i in range(bins):
        for j in range(bins):
            if table[i, j] > 0:
                total += table[i, j] * np.log(table[i, j] / (pa[i] * pb[j]))
    return total


def running_moments(x):
    """Mean, variance and extremes in one pass (Welford)."""
    mean, square, low, high = 0.0, 0.0, np.inf, -np.inf
    for k, value in enumerate(x):
        delta = value - mean
        mean += delta / (k + 1)
        square += delta * (value - mean)
        low, high = min(low, value), max(high, value)
    return mean, square / len(x), low, high


def metropolis(start, steps, logs):
    """A random walk that samples a density with two peaks; the path and the part of steps accepted."""

    def log_density(value):
        return np.log(np.exp(-0.5 * (value - 2.0) ** 2) + np.exp(-0.5 * (value + 2.0) ** 2))

    path = np.empty(len(steps))
    x, accepted = start, 0
    current = log_density(x)
    for t in range(len(steps)):
        candidate = x + steps[t]
        new = log_density(candidate)
        if logs[t] < new - current:
            x, current = candidate, new
            accepted += 1
        path[t] = x
    return path, accepted / len(steps)


def gibbs(normals, rho):
    """Gibbs sampling of two correlated normal variables."""
    out = np.zeros((len(normals), 2))
    x = y = 0.0
    scale = np.sqrt(1 - rho**2)
    for t, (a, b) in enumerate(normals):
        x = rho * y + scale * a
        y = rho * x + scale * b
        out[t] = x, y
    return out


def kernel_density(x, grid, width):
    """A density from Gaussian kernels at each point of a grid."""
    out = np.zeros(len(grid))
    for i in range(len(grid)):
        for j in range(len(x)):
            z = (grid[i] - x[j]) / width
            out[i] += np.exp(-0.5 * z * z)
    return out / (len(x) * width * np.sqrt(2 * np.pi))


def bootstrap_means(x, choices):
    """Means of samples with replacement, and their standard error."""
    means = np.zeros(len(choices))
    for b in range(len(choices)):
        means[b] = x[choices[b]].mean()
    return means, means.std()


def mixture(x, means, steps):
    """Expectation and maximization for a mixture of normals with equal widths; the means are updated."""
    k = len(means)
    weights, variance = np.ones(k) / k, 1.0
    for _ in range(steps):
        density = weights * np.exp(-0.5 * (x[:, None] - means[None, :]) ** 2 / variance)
        share = density / density.sum(axis=1, keepdims=True)
        total = share.sum(axis=0)
        means[:] = (share * x[:, None]).sum(axis=0) / total
        variance = (share * (x[:, None] - means[None, :]) ** 2).sum() / len(x)
        weights = total / len(x)
    return weights, variance


def logistic_fit(X, y, rate, steps):
    """Logistic regression by gradient descent, with the loss by step."""
    w = np.zeros(X.shape[1])
    losses = []
    for _ in range(steps):
        p = 1 / (1 + np.exp(-(X @ w)))
        losses.append(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))
        w -= rate * (X.T @ (p - y)) / len(y)
    return w, np.array(losses)


def newton_logistic(X, y, tolerance):
    """Logistic regression by Newton's method, until the step is small."""
    w = np.zeros(X.shape[1])
    for iteration in range(25):
        p = 1 / (1 + np.exp(-(X @ w)))
        gradient = X.T @ (y - p) - 0.1 * w
        H = (X.T * (p * (1 - p))) @ X + 0.1 * np.eye(len(w))
        step = np.linalg.solve(H, gradient)
        w = w + step
        if np.max(np.abs(step)) < tolerance:
            return w, iteration
    return w, -1


def soft_thresholds(X, y, penalty, sweeps):
    """The lasso by coordinate descent."""
    n, m = X.shape
    w, r = np.zeros(m), y.copy()
    squares = (X**2).sum(axis=0)
    for _ in range(sweeps):
        for j in range(m):
            old = w[j]
            z = X[:, j] @ r + squares[j] * old
            if z > penalty:
                w[j] = (z - penalty) / squares[j]
            elif z < -penalty:
                w[j] = (z + penalty) / squares[j]
            else:
                w[j] = 0.0
            if w[j] != old:
                r -= (w[j] - old) * X[:, j]
    return w


def page_rank(links, damping, tolerance):
    """Ranks of pages by a matrix of links, until they change little."""
    n = links.shape[0]
    out = links.sum(axis=0)
    out[out == 0] = 1
    M = links / out
    rank = np.full(n, 1.0 / n)
    while True:
        new = damping * (M @ rank)
        new += (1 - new.sum()) / n
        if np.abs(new - rank).sum() < tolerance:
            return new
        rank = new
