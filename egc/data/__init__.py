"""The data sets that ship with egc. Sources and licences are in `README.md` beside them."""

from __future__ import annotations

from importlib.resources import files

import numpy as np


def load_breast_cancer(standardized: bool = True) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """The Wisconsin diagnostic data: measurements, labels (1.0 for benign) and the measurements' names.

    The measurements are float64[569, 30], by default shifted and scaled to mean 0 and standard deviation 1; the labels
    are float64[569].

    >>> X, y, names = load_breast_cancer()
    >>> X.shape, int(y.sum()), names[0]
    ((569, 30), 357, 'radius_mean')
    """
    with (files("egc.data") / "breast_cancer.csv").open(encoding="utf-8") as file:
        names = tuple(file.readline().strip().split(","))
        table = np.loadtxt(file, delimiter=",")
    X, y = table[:, :-1], table[:, -1]
    if standardized:
        X = (X - X.mean(axis=0)) / X.std(axis=0)
    return np.ascontiguousarray(X), y.copy(), names[:-1]
