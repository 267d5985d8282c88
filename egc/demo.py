"""The demonstration: a textbook log-posterior on real data, optimized, explained, checked and timed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import egc
from egc.data import load_breast_cancer


def log_posterior(b: np.ndarray, X: np.ndarray, y: np.ndarray) -> Any:
    """Log-posterior of Bayesian logistic regression, written as in a textbook. b: f64[k]; X: f64[n, k]; y: f64[n]."""
    p = 1 / (1 + np.exp(-X @ b))
    return np.sum(y * np.log(p) + (1 - y) * np.log(1 - p)) - 0.5 * np.sum(b**2)


def stable_log_posterior(b: np.ndarray, X: np.ndarray, y: np.ndarray) -> Any:
    """The same by hand, without overflow: the value to compare with."""
    z = X @ b
    return np.sum(y * z - np.logaddexp(0, z)) - 0.5 * np.sum(b**2)


def demonstrate(show: Callable[[str], None], backend: str | None = None) -> None:
    """Runs the demonstration; `show` prints a line. Raises VerificationError if a value is wrong."""
    X, y, _ = load_breast_cancer()
    X = np.ascontiguousarray((X - X.mean(axis=0)) / X.std(axis=0))
    b = np.asarray(np.random.default_rng(0).normal(0.0, 0.1, X.shape[1]))
    show(f"Bayesian logistic regression, Wisconsin breast cancer data: {X.shape[0]} patients, {X.shape[1]} features\n")
    optimized = egc.optimize(log_posterior, backend=backend)
    start = time.perf_counter()
    value = optimized(b, X, y)
    first = time.perf_counter() - start
    show(optimized.explain(b, X, y).text())
    show("\nvalues:")
    plain = log_posterior(b, X, y)
    show(f"    NumPy as written   {plain:.12g}\n    egc                {value:.12g}")
    _require_close(value, plain)
    far = 400 * b
    with np.errstate(all="ignore"):
        lost = log_posterior(far, X, y)
    found, true = optimized(far, X, y), stable_log_posterior(far, X, y)
    show("far from the mode, where the textbook form overflows:")
    show(f"    NumPy as written   {lost:.12g}\n    egc                {found:.12g}\n    by hand            {true:.12g}")
    _require_close(found, true)
    times = interleaved_medians({"NumPy": lambda: log_posterior(b, X, y), "egc": lambda: optimized(b, X, y)})
    show(f"\nspeed: NumPy {1e6 * times['NumPy']:.1f} us, egc {1e6 * times['egc']:.1f} us a call,")
    show(f"    {times['NumPy'] / times['egc']:.2f} times as fast as NumPy; first call {first:.2f} s with compilation")


def _require_close(found: float, expected: float) -> None:
    if not abs(found - expected) <= 1e-9 * abs(expected):
        raise egc.VerificationError(f"the demonstration gives {found!r}, not {expected!r}")


def interleaved_medians(calls: dict[str, Callable[[], Any]], rounds: int = 41, repeats: int = 20) -> dict[str, float]:
    """Median seconds of each call, measured in turn, so that a drift of the machine meets all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            for _ in range(repeats):
                call()
            seconds[name].append((time.perf_counter() - start) / repeats)
    return {name: statistics.median(values) for name, values in seconds.items()}
