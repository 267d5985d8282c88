"""The coverage table tells what capture really encodes."""

import numpy as np

from egc.capture import coverage, registry


def test_a_function_is_encoded_or_has_a_reason():
    left = {name for _, names in coverage.uncovered() for name in names}
    for module, name, function in coverage.public_functions():
        assert coverage.is_encoded(function) != (f"{module}.{name}" in left)


def test_every_reason_is_for_a_function_that_numpy_has():
    known = {name for namespace in coverage.MODULES.values() for name in dir(namespace)}
    assert set(coverage.REASON_OF) <= known


def test_encoded_functions_are_listed_under_a_theme():
    listed = {name for _, names in coverage.coverage() for name in names}
    for function in (np.einsum, np.linalg.solve, np.matmul, np.sum, np.exp):
        assert registry.dotted_name(function) in listed
    assert {"scipy.special.logsumexp", "scipy.linalg.cho_solve", "scipy.special.erf", "scipy.special.huber"} <= listed
    assert "numpy.unique" not in listed


def test_a_theme_names_a_function_once():
    for theme, names in coverage.coverage():
        assert len(names) == len(set(names)), theme
