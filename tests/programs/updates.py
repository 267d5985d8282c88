"""Arrays updated in place: views of views, selections, rows of lists, results written where the caller says."""

import numpy as np


def normalize_rows(x):
    """Each row is divided by its sum, through views that iteration gives."""
    for row in x:
        row /= row.sum()


def reverse_in_place(x):
    """Exchanges elements from both ends."""
    n = len(x)
    for i in range(n // 2):
        x[i], x[n - 1 - i] = x[n - 1 - i], x[i]


def transpose_in_place(A):
    """Exchanges the triangles of a square matrix."""
    for i in range(A.shape[0]):
        for j in range(i):
            A[i, j], A[j, i] = A[j, i], A[i, j]


def scatter_sums(out, places, values):
    """Adds values at places, which may repeat."""
    for k in range(len(places)):
        out[places[k]] += values[k]


def wrapped_angles(x):
    """Adds and subtracts whole turns until all angles lie between -1 and 1."""
    while np.any(np.abs(x) > 1.0):
        x[x > 1.0] -= 2.0
        x[x < -1.0] += 2.0
    return x


def views_of_views(x):
    """Updates through views of views, which the array shows."""
    inner = x[1:-1]
    every = inner[::2]
    for k in range(3):
        every += k
        inner[k % len(inner)] *= 2
    last = every[-1:]
    last -= 10.0
    return every.sum(), inner


def columns_added(A):
    """Each column becomes the sum of those up to it."""
    for j in range(1, A.shape[1]):
        A[:, j] += A[:, j - 1]
    return A.T


def written_out(a, b, out):
    """Results that are written where the caller says."""
    np.multiply(a, b, out=out)
    for _ in range(3):
        np.add(out, a, out=out)
    np.sqrt(np.abs(out), out=out)
    return out


def rotate(x, shift):
    """Moves elements to the right, around the end, with a buffer."""
    shift %= len(x)
    kept = x[len(x) - shift :].copy()
    x[shift:] = x[: len(x) - shift].copy()
    x[:shift] = kept


def swap_columns(A, pairs):
    """Exchanges pairs of columns in turn."""
    for i, j in pairs:
        A[:, [i, j]] = A[:, [j, i]]


def push(buffer, count, value):
    """Writes a value to a ring; the next count."""
    buffer[count % len(buffer)] = value
    return count + 1


def moving_averages(x, width):
    """Averages of the last values, with a ring that a helper function writes."""
    ring = np.zeros(width)
    out = np.zeros(len(x))
    count = 0
    for i in range(len(x)):
        count = push(ring, count, x[i])
        out[i] = ring.sum() / min(count, width)
    return out


def step_particles(particles, dt, steps):
    """Particles as a list of positions and velocities, each with its own number of points, moved in a box."""
    for _ in range(steps):
        for position, velocity in particles:
            position += dt * velocity
            outside = (position < 0.0) | (position > 1.0)
            velocity[outside] = -velocity[outside]
            np.clip(position, 0.0, 1.0, out=position)
    return sum([float(np.sum(velocity**2)) for _, velocity in particles])


def restricted(levels):
    """A pyramid: each array of a list becomes the means of pairs of the one before."""
    for k in range(1, len(levels)):
        finer = levels[k - 1]
        levels[k][:] = 0.5 * (finer[0::2] + finer[1::2])
    total = 0.0
    for level in levels:
        total += level[0]
    return total


def moving_extremes(x, width):
    """The largest and least of each window, grown one offset at a time."""
    n = len(x) - width + 1
    high, low = x[:n].copy(), x[:n].copy()
    for k in range(1, width):
        np.maximum(high, x[k : k + n], out=high)
        np.minimum(low, x[k : k + n], out=low)
    return high, low


def blurred(image, passes):
    """Passes of a small blur along both axes, through one buffer that is used again."""
    buffer = np.empty_like(image)
    for _ in range(passes):
        buffer[:] = image
        image[1:-1] = 0.25 * buffer[:-2] + 0.5 * buffer[1:-1] + 0.25 * buffer[2:]
        buffer[:] = image
        image[:, 1:-1] = 0.25 * buffer[:, :-2] + 0.5 * buffer[:, 1:-1] + 0.25 * buffer[:, 2:]


def fast_walsh_hadamard(x):
    """Sums and differences over growing distances, in place."""
    h = 1
    n = len(x)
    while h < n:
        for i in range(0, n, 2 * h):
            for j in range(i, i + h):
                a, b = x[j], x[j + h]
                x[j], x[j + h] = a + b, a - b
        h *= 2


def haar(x):
    """The Haar transform in place, with slices that halve."""
    n = len(x)
    while n > 1:
        mean, difference = (x[:n:2] + x[1:n:2]) / np.sqrt(2.0), (x[:n:2] - x[1:n:2]) / np.sqrt(2.0)
        n //= 2
        x[:n] = mean
        x[n : 2 * n] = difference
