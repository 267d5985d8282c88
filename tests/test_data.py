"""The shipped data is the published data, and says where it is from."""

from importlib.resources import files

import numpy as np

from egc.data import load_breast_cancer


def test_the_data_has_its_published_shape_and_classes():
    X, y, names = load_breast_cancer(standardized=False)
    assert X.shape == (569, 30) and X.dtype == y.dtype == np.float64 and len(names) == len(set(names)) == 30
    assert (y == 1).sum() == 357 and (y == 0).sum() == 212
    assert X[:, 0].min() == 6.981 and X[:, 0].max() == 28.11


def test_standardized_columns_have_mean_0_and_deviation_1():
    X, _, _ = load_breast_cancer()
    np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(X.std(axis=0), 1, atol=1e-12)


def test_source_and_licence_are_stated():
    text = (files("egc.data") / "README.md").read_text(encoding="utf-8")
    assert "UCI Machine Learning Repository" in text and "CC BY 4.0" in text
