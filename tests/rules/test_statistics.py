"""Densities and estimates as textbooks write them: what rules make of them is as accurate as the formula allows."""

import mpmath
import numpy as np
import pytest

import egc

from ..sampling import crossed


def big(a):
    return mpmath.matrix(a.tolist())


def generalized_least_squares(X, S, y):
    W = np.linalg.inv(S)
    return np.linalg.inv(X.T @ W @ X) @ X.T @ W @ y


def true_generalized_least_squares(X, S, y):
    X, S, y = big(X), big(S), big(y)
    W = mpmath.inverse(S)
    return mpmath.inverse(X.T * W * X) * (X.T * W * y)


def gaussian_process_likelihood(K, y, noise):
    S = K + noise * np.eye(len(y))
    return -0.5 * y @ np.linalg.inv(S) @ y - 0.5 * np.log(np.linalg.det(S)) - 0.5 * len(y) * np.log(2 * np.pi)


def true_gaussian_process_likelihood(K, y, noise):
    n = len(y)
    S, y = big(K) + float(noise) * mpmath.eye(n), big(y)
    half = mpmath.mpf(1) / 2
    form = (y.T * mpmath.lu_solve(S, y))[0]
    return mpmath.matrix([-half * form - half * mpmath.log(mpmath.det(S)) - half * n * mpmath.log(2 * mpmath.pi)])


def normal_log_density(x, m, S):
    d = x - m
    return -0.5 * (d @ np.linalg.inv(S) @ d + np.linalg.slogdet(S)[1] + len(x) * np.log(2 * np.pi))


def true_normal_log_density(x, m, S):
    d, S, n = big(x) - big(m), big(S), len(x)
    form = (d.T * mpmath.lu_solve(S, d))[0]
    return mpmath.matrix([-(form + mpmath.log(mpmath.det(S)) + n * mpmath.log(2 * mpmath.pi)) / 2])


def kalman_update(m, P, H, R, z):
    gain = P @ H.T @ np.linalg.inv(H @ P @ H.T + R)
    return m + gain @ (z - H @ m), P - gain @ H @ P


def true_kalman_update(m, P, H, R, z):
    m, P, H, R, z = map(big, (m, P, H, R, z))
    gain = P * H.T * mpmath.inverse(H * P * H.T + R)
    return m + gain * (z - H * m), P - gain * H * P


def ridge(X, y, penalty):
    return np.linalg.inv(X.T @ X + penalty * np.eye(X.shape[1])) @ X.T @ y


def true_ridge(X, y, penalty):
    X, y = big(X), big(y)
    return mpmath.inverse(X.T * X + float(penalty) * mpmath.eye(X.cols)) * (X.T * y)


def lasso_step(X, y, b, penalty, step):
    u = b - step * X.T @ (X @ b - y)
    return np.sign(u) * np.maximum(np.abs(u) - step * penalty, 0)


def true_lasso_step(X, y, b, penalty, step):
    X, y, b, step = big(X), big(y), big(b), float(step)
    u = b - step * (X.T * (X * b - y))
    return mpmath.matrix([mpmath.sign(e) * max(abs(e) - step * mpmath.mpf(float(penalty)), 0) for e in u])


def factor_analysis(x, v, L):
    C = np.diag(v) + L @ L.T
    return -0.5 * (x @ np.linalg.inv(C) @ x + np.linalg.slogdet(C)[1])


def true_factor_analysis(x, v, L):
    C, x = mpmath.diag(v.tolist()) + big(L) * big(L).T, big(x)
    return mpmath.matrix([-((x.T * mpmath.lu_solve(C, x))[0] + mpmath.log(mpmath.det(C))) / 2])


def laplace_evidence(X, w, b):
    H = X.T @ np.diag(w) @ X + np.eye(X.shape[1])
    return -0.5 * b @ b - 0.5 * np.linalg.slogdet(H)[1]


def true_laplace_evidence(X, w, b):
    H = big(X).T * mpmath.diag(w.tolist()) * big(X) + mpmath.eye(X.shape[1])
    return mpmath.matrix([-((big(b).T * big(b))[0] + mpmath.log(mpmath.det(H))) / 2])


def sinkhorn(K, a, b):
    u = np.ones_like(a)
    for _ in range(5):
        v = b / (K.T @ u)
        u = a / (K @ v)
    return np.diag(u) @ K @ np.diag(v)


def true_sinkhorn(K, a, b):
    K, u = big(K), mpmath.ones(len(a), 1)
    for _ in range(5):
        t = K.T * u
        v = mpmath.matrix([x / s for x, s in zip(b.tolist(), t)])
        t = K * v
        u = mpmath.matrix([x / s for x, s in zip(a.tolist(), t)])
    return mpmath.diag(list(u)) * K * mpmath.diag(list(v))


RANDOM = np.random.default_rng(7)
N, K = 24, 4


def positive_definite(n):
    A = RANDOM.normal(size=(n, n))
    return A @ A.T / n + np.eye(n)


CASES = {
    "generalized least squares": (
        generalized_least_squares, true_generalized_least_squares,
        (RANDOM.normal(size=(N, K)), positive_definite(N), RANDOM.normal(size=N)), {"S": "spd", "X": "full_column_rank"},
    ),
    "Gaussian process": (
        gaussian_process_likelihood, true_gaussian_process_likelihood,
        (positive_definite(N), RANDOM.normal(size=N), np.float64(0.1)), {"K": "psd", "noise": "positive"},
    ),
    "normal density": (
        normal_log_density, true_normal_log_density,
        (RANDOM.normal(size=N), RANDOM.normal(size=N), positive_definite(N)), {"S": "spd"},
    ),
    "Kalman update": (
        kalman_update, true_kalman_update,
        (RANDOM.normal(size=6), positive_definite(6), RANDOM.normal(size=(3, 6)), positive_definite(3), RANDOM.normal(size=3)),
        {"P": "spd", "R": "spd"},
    ),
    "ridge": (
        ridge, true_ridge, (RANDOM.normal(size=(N, K)), RANDOM.normal(size=N), np.float64(0.3)), {"penalty": "positive"}
    ),
    "lasso step": (
        lasso_step, true_lasso_step,
        (RANDOM.normal(size=(N, K)), RANDOM.normal(size=N), RANDOM.normal(size=K), np.float64(0.3), np.float64(0.01)), {},
    ),
    "factor analysis": (
        factor_analysis, true_factor_analysis,
        (RANDOM.normal(size=N), RANDOM.uniform(0.5, 2, N), RANDOM.normal(size=(N, 2))), {"v": "positive"},
    ),
    "Laplace approximation": (
        laplace_evidence, true_laplace_evidence,
        (RANDOM.normal(size=(N, K)), RANDOM.uniform(0.1, 1, N), RANDOM.normal(size=K)), {"w": "positive"},
    ),
    "Sinkhorn": (
        sinkhorn, true_sinkhorn, (RANDOM.uniform(0.1, 1, (6, 5)), RANDOM.uniform(0.5, 1, 6), RANDOM.uniform(0.5, 1, 5)), {}
    ),
}  # fmt: skip


def distance(found, truth):
    """The largest error of any element, by the largest true element."""
    parts = zip(found, truth) if isinstance(found, tuple) else [(found, truth)]
    worst = 0.0
    for a, b in parts:
        exact = [mpmath.mpf(e) for e in b]
        flat = [mpmath.mpf(float(e)) for e in np.ravel(a)]
        scale = max(abs(e) for e in exact)
        worst = max(worst, float(max(abs(x - y) for x, y in zip(flat, exact, strict=True)) / scale))
    return worst


@pytest.mark.parametrize(("name", "backend"), crossed(list(CASES), ["numba", "reference"]))
def test_it_is_no_less_accurate_than_the_formula(name, backend):
    plain, true, arguments, facts = CASES[name]
    with mpmath.workdps(60):
        truth = true(*arguments)
        written = distance(plain(*arguments), truth)
        found = distance(egc.optimize(plain, assume=facts, backend=backend)(*arguments), truth)
    assert found <= max(4 * written, 1e-14)
    assert found < 1e-12


def test_explicit_inverses_are_gone():
    for name in ("generalized least squares", "Gaussian process", "normal density", "Kalman update", "ridge"):
        plain, _, arguments, facts = CASES[name]
        program = egc.optimize(plain, assume=facts).plan(*arguments).program
        assert all(node.op != "inv" for node in program.nodes()), name
