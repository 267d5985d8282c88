"""Sizes that a function needs to be equal are made one; capture begins again few times, however many there are."""

import functools
import operator

import numpy as np
import pytest

import egc
from egc.capture import capture
from egc.capture import function as capturing


def total(*arrays):
    return functools.reduce(operator.add, arrays)


def chain(*matrices):
    return functools.reduce(operator.matmul, matrices)


def stretched(a, b, c, scale):
    """Lengths that follow from others, in a loop too."""
    for i in range(len(a)):
        b = b + a[i] * c
    return np.concatenate([a, b]) * scale


@pytest.fixture
def attempts(monkeypatch):
    counted = []
    attempt = capturing._attempt
    monkeypatch.setattr(capturing, "_attempt", lambda *given: counted.append(given) or attempt(*given))
    return counted


def arguments(count, *shape):
    return [np.random.default_rng(k).normal(size=shape) for k in range(count)]


@pytest.mark.parametrize("function, given", [(total, arguments(60, 4)), (chain, arguments(60, 2, 2))])
def test_many_equal_sizes_are_found_together(attempts, function, given):
    captured = capture(function, given)
    assert len(attempts) == 2
    assert {guard.relation for guard in captured.size_guards} == {"=="} and len(captured.size_guards) == 59
    optimized = egc.optimize(function, backend="reference", rules=[])
    np.testing.assert_allclose(optimized(*given), function(*given), rtol=1e-12)


def test_sizes_that_follow_from_others_are_found_together(attempts):
    given = [*arguments(3, 4), *arguments(1, 8)]
    captured = capture(stretched, given)
    assert len(attempts) == 2
    (shape,) = (output.type.shape for output in captured.program.outputs[:1])
    assert str(shape[0]) == str(captured.shapes[3][0])
    optimized = egc.optimize(stretched, backend="reference", rules=[])
    np.testing.assert_allclose(optimized(*given), stretched(*given))


def test_what_is_captured_while_sizes_are_looked_for_has_no_effect():
    """The error of a shape that does not fit is the function's own, and comes after equal ones were found."""

    def f(a, b, c):
        return np.sum(a * b) + c @ a

    optimized = egc.optimize(f, backend="reference", rules=[])
    a, b = arguments(2, 4)
    with pytest.raises(ValueError):
        optimized(a, b, np.ones(5))
    assert optimized(a, b, np.ones(4)) == pytest.approx(f(a, b, np.ones(4)))
    assert optimized(a, b[:1], a) == pytest.approx(f(a, b[:1], a))
