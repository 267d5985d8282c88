"""Programs as texts, and the question whether a transformed one computes the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from egc import ir
from egc.backends import reference
from egc.check import check
from egc.ir import Node, Program
from egc.text import parse_program


def parsed(text: str) -> Program:
    return check(parse_program(text))


def assert_computes_the_same(before: Program, after: Program, arguments: Sequence[Any], exact: bool = True) -> None:
    """Both give the same values, or raise the same."""
    check(after)
    assert after.inputs == before.inputs
    try:
        expected = reference.evaluate(before, arguments)
    except (IndexError, ValueError) as error:
        with pytest.raises(type(error)):
            reference.evaluate(after, arguments)
        return
    for ours, theirs in zip(reference.evaluate(after, arguments), expected, strict=True):
        assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
        if exact:
            np.testing.assert_array_equal(ours, theirs)
        else:
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)


def ops_of(program: Program) -> list[str]:
    """The ops of a Program and of all regions."""
    found = []
    for node in program.nodes():
        found.append(node.op)
        for _, region in ir.regions(node):
            found += ops_of(region)
    return found


def loops_of(program: Program) -> list[Node]:
    return [node for node in program.nodes() if node.op == "loop"]
