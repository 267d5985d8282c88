"""The examples in docstrings hold."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from egc import interpreted, propagation, sparse
from egc.interpret import coloring, interval, uncertainty


@pytest.mark.parametrize(
    "module", [interpreted, sparse, propagation, coloring, interval, uncertainty], ids=lambda module: module.__name__
)
def test_the_examples_of_a_module_hold(module):
    found = doctest.testmod(module)
    assert found.attempted and not found.failed


def test_the_readmes_example_of_interpretations_holds():
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (example,) = [block for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "egc.interval" in block]
    exec(compile(example, "README.md", "exec"), {})
