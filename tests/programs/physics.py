"""Simulations: bodies, spins, oscillators, fractals, scattering."""

import math

import numpy as np


def n_body(positions, velocities, masses, dt, steps):
    """Bodies that attract each other, pair by pair, in place; the kinetic energy in the end."""
    n = len(masses)
    for _ in range(steps):
        for i in range(n):
            for j in range(i + 1, n):
                dx = positions[i, 0] - positions[j, 0]
                dy = positions[i, 1] - positions[j, 1]
                dz = positions[i, 2] - positions[j, 2]
                distance = math.sqrt(dx * dx + dy * dy + dz * dz + 0.01)
                factor = dt / distance**3
                velocities[i, 0] -= dx * masses[j] * factor
                velocities[i, 1] -= dy * masses[j] * factor
                velocities[i, 2] -= dz * masses[j] * factor
                velocities[j, 0] += dx * masses[i] * factor
                velocities[j, 1] += dy * masses[i] * factor
                velocities[j, 2] += dz * masses[i] * factor
        positions += dt * velocities
    return 0.5 * np.sum(masses[:, None] * velocities**2)


def accelerations(positions, masses):
    """The attraction that each body feels, softened."""
    d = positions[None, :, :] - positions[:, None, :]
    square = (d**2).sum(axis=2) + 0.01
    return (d * (masses[None, :] * square**-1.5)[:, :, None]).sum(axis=1)


def n_body_arrays(positions, velocities, masses, dt, steps):
    """The same with leapfrog steps and all pairs at once; energies by step."""
    energies = np.zeros(steps)
    a = accelerations(positions, masses)
    for t in range(steps):
        velocities += 0.5 * dt * a
        positions += dt * velocities
        a = accelerations(positions, masses)
        velocities += 0.5 * dt * a
        energies[t] = 0.5 * np.sum(masses[:, None] * velocities**2)
    return energies


def pair_forces(positions, cutoff):
    """Lennard-Jones forces and energy of pairs that are closer than a cutoff."""
    n = positions.shape[0]
    forces = np.zeros_like(positions)
    energy = 0.0
    for i in range(n):
        for j in range(i):
            d = positions[i] - positions[j]
            square = d @ d
            if square > cutoff * cutoff:
                continue
            s6 = 1.0 / square**3
            energy += 4.0 * (s6 * s6 - s6)
            f = 24.0 * (2.0 * s6 * s6 - s6) / square * d
            forces[i] += f
            forces[j] -= f
    return forces, energy


def ising_sweeps(spins, uniforms, beta):
    """Metropolis sweeps over a torus of spins, in place, one for each plane of uniforms; the magnetizations."""
    n, m = spins.shape
    magnetization = np.zeros(len(uniforms))
    for t in range(len(uniforms)):
        for i in range(n):
            for j in range(m):
                near = spins[(i + 1) % n, j] + spins[i - 1, j] + spins[i, (j + 1) % m] + spins[i, j - 1]
                change = 2 * spins[i, j] * near
                if change <= 0 or uniforms[t, i, j] < np.exp(-beta * change):
                    spins[i, j] = -spins[i, j]
        magnetization[t] = spins.mean()
    return magnetization


def ising_halves(spins, uniforms, beta):
    """The same, all spins of one colour at once."""
    n, m = spins.shape
    colour = (np.arange(n)[:, None] + np.arange(m)[None, :]) % 2
    for t in range(len(uniforms)):
        for parity in (0, 1):
            near = np.roll(spins, 1, 0) + np.roll(spins, -1, 0) + np.roll(spins, 1, 1) + np.roll(spins, -1, 1)
            flips = (colour == parity) & (uniforms[t] < np.exp(-2.0 * beta * spins * near))
            spins[flips] *= -1


def lorenz(state):
    """The right-hand side of Lorenz's equations."""
    x, y, z = state
    return np.array([10.0 * (y - x), x * (28.0 - z) - y, x * y - 8.0 / 3.0 * z])


def runge_kutta(state, dt, steps):
    """A trajectory of Lorenz's equations by the classical method of fourth order."""
    path = np.zeros((steps + 1, 3))
    path[0] = state
    for t in range(steps):
        y = path[t]
        k1 = lorenz(y)
        k2 = lorenz(y + 0.5 * dt * k1)
        k3 = lorenz(y + 0.5 * dt * k2)
        k4 = lorenz(y + dt * k3)
        path[t + 1] = y + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return path


def runge_kutta_systems(y, rates, dt, steps):
    """The same method for many linear reactions at once, with a function made inside."""

    def slope(values):
        return -rates * values + 0.1 * np.roll(rates * values, 1)

    for _ in range(steps):
        k1 = slope(y)
        k2 = slope(y + dt / 2 * k1)
        k3 = slope(y + dt / 2 * k2)
        k4 = slope(y + dt * k3)
        y = y + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return y


def leapfrog(q, p, dt, steps):
    """Many pendulums, in place; their energies."""
    p -= 0.5 * dt * np.sin(q)
    for _ in range(steps - 1):
        q += dt * p
        p -= dt * np.sin(q)
    q += dt * p
    p -= 0.5 * dt * np.sin(q)
    return 0.5 * p**2 + 1.0 - np.cos(q)


def adaptive_step(y, end, tolerance):
    """y' = -2 t y by Heun's method, with steps that are halved or doubled by the error."""
    t, h, steps = 0.0, 0.1, 0
    while t < end:
        if t + h > end:
            h = end - t
        k1 = -2.0 * t * y
        k2 = -2.0 * (t + h) * (y + h * k1)
        error = abs(0.5 * h * (k2 - k1))
        if error > tolerance:
            h *= 0.5
            continue
        y += 0.5 * h * (k1 + k2)
        t += h
        steps += 1
        if error < 0.1 * tolerance:
            h *= 2.0
    return y, steps


def mandelbrot_arrays(c, steps):
    """Steps until each point escapes, with masks."""
    z, count = np.zeros_like(c), np.zeros(c.shape, dtype=np.int64)
    for _ in range(steps):
        inside = np.abs(z) <= 2.0
        z[inside] = z[inside] ** 2 + c[inside]
        count[inside] += 1
    return count


def mandelbrot_points(left, right, low, high, n, most):
    """Steps until each point escapes, point by point."""
    out = np.zeros((n, n), dtype=np.int64)
    for i in range(n):
        for j in range(n):
            x0 = left + (right - left) * j / n
            y0 = low + (high - low) * i / n
            x, y, k = 0.0, 0.0, 0
            while x * x + y * y <= 4.0 and k < most:
                x, y = x * x - y * y + x0, 2.0 * x * y + y0
                k += 1
            out[i, j] = k
    return out


def newton_fractal(z, steps):
    """Newton's method for the cube roots of one, and which root is found."""
    for _ in range(steps):
        z = z - (z**3 - 1) / (3 * z**2)
    roots = np.exp(2j * np.pi * np.arange(3) / 3)
    return np.argmin(np.abs(z[:, None] - roots[None, :]), axis=1)


def scattering(neighbours, gradients, G, D):
    """Self-energies: sums over neighbours and energies of products of small matrices."""
    energies, atoms = G.shape[0], G.shape[1]
    out = np.zeros_like(G)
    for e in range(energies):
        for shift in range(D.shape[0]):
            for a in range(atoms):
                for b in range(neighbours.shape[1]):
                    if e - shift >= 0:
                        first = G[e - shift, neighbours[a, b]] @ gradients[a, b]
                        second = gradients[a, b] * D[shift, a, b]
                        out[e, a] += first @ second
    return out


def contour(h0, h1, points, weights):
    """A contour integral of inverses: sums of solutions of small systems."""
    n = h0.shape[0]
    total = np.zeros((n, n), dtype=np.complex128)
    for z, w in zip(points, weights):
        T = z * z * h1 - z * h0 + h1.T
        total += w * np.linalg.inv(T)
    return total


def random_walk(steps, angles, absorbing):
    """Where walkers with given steps and angles are absorbed, and after how many steps, in lists of arrays."""
    x, y = np.zeros(angles.shape[1]), np.zeros(angles.shape[1])
    alive = np.ones(angles.shape[1], dtype=bool)
    count = np.zeros(angles.shape[1], dtype=np.int64)
    for t in range(angles.shape[0]):
        x[alive] += steps[t] * np.cos(angles[t, alive])
        y[alive] += steps[t] * np.sin(angles[t, alive])
        count[alive] += 1
        alive &= x**2 + y**2 < absorbing**2
        if not alive.any():
            break
    return x, y, count
