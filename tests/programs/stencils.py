"""Stencils over time: heat, waves, fields, implicit schemes, advection, cellular automata."""

import numpy as np


def heat_1d(u, a, steps):
    """Explicit steps of the heat equation in place; the ends stay."""
    for _ in range(steps):
        u[1:-1] += a * (u[2:] - 2 * u[1:-1] + u[:-2])


def averages_1d(A, B, steps):
    """Averages of three neighbours, from A to B and back, element by element."""
    n = len(A)
    for _ in range(steps):
        for i in range(1, n - 1):
            B[i] = 0.33333 * (A[i - 1] + A[i] + A[i + 1])
        for i in range(1, n - 1):
            A[i] = 0.33333 * (B[i - 1] + B[i] + B[i + 1])


def averages_2d(A, B, steps):
    """Averages of five neighbours, from A to B and back."""
    for _ in range(steps):
        B[1:-1, 1:-1] = 0.2 * (A[1:-1, 1:-1] + A[1:-1, :-2] + A[1:-1, 2:] + A[2:, 1:-1] + A[:-2, 1:-1])
        A[1:-1, 1:-1] = 0.2 * (B[1:-1, 1:-1] + B[1:-1, :-2] + B[1:-1, 2:] + B[2:, 1:-1] + B[:-2, 1:-1])


def seidel_2d(A, steps):
    """Averages of nine neighbours, each read as soon as it is written."""
    n, m = A.shape
    for _ in range(steps):
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                A[i, j] = (
                    A[i - 1, j - 1] + A[i - 1, j] + A[i - 1, j + 1]
                    + A[i, j - 1] + A[i, j] + A[i, j + 1]
                    + A[i + 1, j - 1] + A[i + 1, j] + A[i + 1, j + 1]
                ) / 9.0  # fmt: skip


def red_black(u, f, sweeps):
    """Gauss-Seidel for Poisson's equation, the red points first."""
    n = u.shape[0]
    for sweep in range(2 * sweeps):
        for i in range(1, n - 1):
            start = 1 + (i + sweep) % 2
            for j in range(start, u.shape[1] - 1, 2):
                u[i, j] = 0.25 * (u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1] - f[i, j])
    return u


def heat_3d(A, steps):
    """Explicit steps of the heat equation in a cube."""
    B = A.copy()
    for _ in range(steps):
        B[1:-1, 1:-1, 1:-1] = (
            0.125 * (A[2:, 1:-1, 1:-1] - 2.0 * A[1:-1, 1:-1, 1:-1] + A[:-2, 1:-1, 1:-1])
            + 0.125 * (A[1:-1, 2:, 1:-1] - 2.0 * A[1:-1, 1:-1, 1:-1] + A[1:-1, :-2, 1:-1])
            + 0.125 * (A[1:-1, 1:-1, 2:] - 2.0 * A[1:-1, 1:-1, 1:-1] + A[1:-1, 1:-1, :-2])
            + A[1:-1, 1:-1, 1:-1]
        )
        A, B = B, A
    return A


def alternating_directions(u, steps):
    """Implicit steps of the heat equation, along columns and rows in turn; u is updated."""
    n = u.shape[0]
    a, b = -0.5, 2.0
    v, p, q = np.zeros_like(u), np.zeros_like(u), np.zeros_like(u)
    for _ in range(steps):
        v[0, 1:-1] = 1.0
        p[1:-1, 0] = 0.0
        q[1:-1, 0] = 1.0
        for j in range(1, n - 1):
            p[1:-1, j] = -a / (a * p[1:-1, j - 1] + b)
            right = 0.4 * u[j, :-2] + 0.2 * u[j, 1:-1] + 0.4 * u[j, 2:]
            q[1:-1, j] = (right - a * q[1:-1, j - 1]) / (a * p[1:-1, j - 1] + b)
        v[n - 1, 1:-1] = 1.0
        for j in range(n - 2, 0, -1):
            v[j, 1:-1] = p[1:-1, j] * v[j + 1, 1:-1] + q[1:-1, j]
        u[1:-1, 0] = 1.0
        p[1:-1, 0] = 0.0
        q[1:-1, 0] = 1.0
        for j in range(1, n - 1):
            p[1:-1, j] = -a / (a * p[1:-1, j - 1] + b)
            right = 0.4 * v[:-2, j] + 0.2 * v[1:-1, j] + 0.4 * v[2:, j]
            q[1:-1, j] = (right - a * q[1:-1, j - 1]) / (a * p[1:-1, j - 1] + b)
        u[1:-1, n - 1] = 1.0
        for j in range(n - 2, 0, -1):
            u[1:-1, j] = p[1:-1, j] * u[1:-1, j + 1] + q[1:-1, j]


def fields_2d(ex, ey, hz, source):
    """Finite differences in time for a transverse field, one step for each value of the source."""
    for t in range(len(source)):
        ey[0, :] = source[t]
        ey[1:, :] -= 0.5 * (hz[1:, :] - hz[:-1, :])
        ex[:, 1:] -= 0.5 * (hz[:, 1:] - hz[:, :-1])
        hz[:-1, :-1] -= 0.7 * (ex[:-1, 1:] - ex[:-1, :-1] + ey[1:, :-1] - ey[:-1, :-1])


def wave_2d(u, speed, steps):
    """Leapfrog steps of the wave equation from rest, with three levels that change places."""
    before, now, after = u.copy(), u.copy(), np.zeros_like(u)
    for _ in range(steps):
        laplacian = now[2:, 1:-1] + now[:-2, 1:-1] + now[1:-1, 2:] + now[1:-1, :-2] - 4 * now[1:-1, 1:-1]
        after[1:-1, 1:-1] = 2 * now[1:-1, 1:-1] - before[1:-1, 1:-1] + speed**2 * laplacian
        before, now, after = now, after, before
    return now, np.sum((now - before) ** 2)


def horizontal_diffusion(field, coefficient):
    """Limited fourth-order diffusion, with all its temporaries."""
    laplacian = 4.0 * field[1:-1, 1:-1] - (field[2:, 1:-1] + field[:-2, 1:-1] + field[1:-1, 2:] + field[1:-1, :-2])
    along = laplacian[1:, 1:-1] - laplacian[:-1, 1:-1]
    along = np.where(along * (field[2:-1, 2:-2] - field[1:-2, 2:-2]) > 0, 0.0, along)
    across = laplacian[1:-1, 1:] - laplacian[1:-1, :-1]
    across = np.where(across * (field[2:-2, 2:-1] - field[2:-2, 1:-2]) > 0, 0.0, across)
    return field[2:-2, 2:-2] - coefficient * (along[1:] - along[:-1] + across[:, 1:] - across[:, :-1])


def vertical_advection(wind, field, tendency, dt):
    """Implicit advection along the last axis: elimination downwards, substitution upwards, on whole planes."""
    n, m, levels = field.shape
    c, d = np.zeros((n, m, levels)), np.zeros((n, m, levels))
    for k in range(levels):
        if k == 0:
            upper = 0.25 * dt * wind[:, :, 0]
            right = field[:, :, 0] / dt + tendency[:, :, 0] - upper * (field[:, :, 1] - field[:, :, 0])
            scale = 1.0 / (1.0 / dt - upper)
            c[:, :, 0] = upper * scale
            d[:, :, 0] = right * scale
        else:
            lower = -0.25 * dt * wind[:, :, k - 1]
            upper = 0.25 * dt * wind[:, :, k] if k < levels - 1 else np.zeros((n, m))
            gradient = lower * (field[:, :, k - 1] - field[:, :, k])
            if k < levels - 1:
                gradient = gradient + upper * (field[:, :, k + 1] - field[:, :, k])
            right = field[:, :, k] / dt + tendency[:, :, k] - gradient
            scale = 1.0 / (1.0 / dt - lower - upper - c[:, :, k - 1] * lower)
            c[:, :, k] = upper * scale
            d[:, :, k] = (right - d[:, :, k - 1] * lower) * scale
    out = np.empty_like(field)
    out[:, :, levels - 1] = d[:, :, levels - 1]
    for k in range(levels - 2, -1, -1):
        out[:, :, k] = d[:, :, k] - c[:, :, k] * out[:, :, k + 1]
    return out


def upwind_advection(q, u, dt, steps):
    """Advection with a velocity of either sign, periodic, with fluxes on the edges."""
    for _ in range(steps):
        left = np.roll(q, 1)
        flux = np.maximum(u, 0.0) * left + np.minimum(u, 0.0) * q
        q = q - dt * (np.roll(flux, -1) - flux)
    return q


def limited_advection(q, courant, steps):
    """Advection to the right with a minmod limiter, element by element."""
    n = len(q)
    for _ in range(steps):
        flux = np.zeros(n)
        for i in range(1, n - 1):
            behind, ahead = q[i] - q[i - 1], q[i + 1] - q[i]
            if behind * ahead <= 0.0:
                slope = 0.0
            elif abs(behind) < abs(ahead):
                slope = behind
            else:
                slope = ahead
            flux[i] = courant * (q[i] + 0.5 * (1.0 - courant) * slope)
        q = q.copy()
        for i in range(1, n - 1):
            q[i] -= flux[i] - flux[i - 1]
    return q


def laplace_until(u, tolerance):
    """Averages of four neighbours until nothing changes by more than the tolerance; the number of steps."""
    change, steps = tolerance + 1.0, 0
    while change > tolerance:
        new = u.copy()
        new[1:-1, 1:-1] = 0.25 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2])
        change = np.max(np.abs(new - u))
        u = new
        steps += 1
    return u, steps


def reaction_diffusion(u, v, feed, kill, steps):
    """Two substances that react and spread, on a torus, in place."""
    for _ in range(steps):
        spread_u = np.roll(u, 1, 0) + np.roll(u, -1, 0) + np.roll(u, 1, 1) + np.roll(u, -1, 1) - 4 * u
        spread_v = np.roll(v, 1, 0) + np.roll(v, -1, 0) + np.roll(v, 1, 1) + np.roll(v, -1, 1) - 4 * v
        reaction = u * v * v
        u += 0.16 * spread_u - reaction + feed * (1 - u)
        v += 0.08 * spread_v + reaction - (feed + kill) * v
    return u.mean(), v.mean()


def game_of_life(grid, steps):
    """Generations of cells that are alive (1) or not (0), with a dead border."""
    for _ in range(steps):
        neighbours = np.zeros_like(grid)
        neighbours[1:-1, 1:-1] = (
            grid[:-2, :-2] + grid[:-2, 1:-1] + grid[:-2, 2:] + grid[1:-1, :-2]
            + grid[1:-1, 2:] + grid[2:, :-2] + grid[2:, 1:-1] + grid[2:, 2:]
        )  # fmt: skip
        born = (neighbours == 3) & (grid == 0)
        stays = ((neighbours == 2) | (neighbours == 3)) & (grid == 1)
        grid[...] = 0
        grid[1:-1, 1:-1][born[1:-1, 1:-1] | stays[1:-1, 1:-1]] = 1
    return grid.sum()


def game_of_life_cells(grid, steps):
    """The same on a torus, cell by cell."""
    n, m = grid.shape
    for _ in range(steps):
        new = np.zeros_like(grid)
        for i in range(n):
            for j in range(m):
                alive = 0
                for di in (-1, 0, 1):
                    for dj in (-1, 0, 1):
                        if di != 0 or dj != 0:
                            alive += grid[(i + di) % n, (j + dj) % m]
                if alive == 3 or (alive == 2 and grid[i, j] == 1):
                    new[i, j] = 1
        grid = new
    return grid


def edges(image):
    """The strength of edges, from differences in both directions."""
    n, m = image.shape
    out = np.zeros((n - 2, m - 2))
    for i in range(n - 2):
        for j in range(m - 2):
            window = image[i : i + 3, j : j + 3]
            across = window[0, 2] + 2 * window[1, 2] + window[2, 2] - window[0, 0] - 2 * window[1, 0] - window[2, 0]
            down = window[2, 0] + 2 * window[2, 1] + window[2, 2] - window[0, 0] - 2 * window[0, 1] - window[0, 2]
            out[i, j] = np.sqrt(across * across + down * down)
    return out
