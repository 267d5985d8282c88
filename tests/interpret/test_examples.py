"""The examples in docstrings hold."""

from __future__ import annotations

import doctest

import pytest

from egc import interpreted, propagation, sparse
from egc.interpret import coloring, interval, uncertainty


@pytest.mark.parametrize(
    "module", [interpreted, sparse, propagation, coloring, interval, uncertainty], ids=lambda module: module.__name__
)
def test_the_examples_of_a_module_hold(module):
    found = doctest.testmod(module)
    assert found.attempted and not found.failed
