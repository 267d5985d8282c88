"""Direct calls with containers give what the plain function gives, for arguments of their form and for others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

import egc
from egc.capture.arguments import flatten
from egc.nested import is_simple, nested_call


def layers(weights, x, scale):
    for w, b in weights["layers"]:
        x = np.tanh(x @ w + b)
    return {"x": x * scale, "first": weights["layers"][0][1]}


def steps(parameters, gradients, rate):
    for p, g in zip(parameters, gradients):
        p -= rate * g


def optional(pair, x, shift=1.0):
    return pair[0] * x + pair[1] + shift


@dataclass
class State:
    position: Any
    speeds: Any


class Spring(NamedTuple):
    stiffness: Any
    mass: Any


def moved(state, spring, dt):
    speed = state.speeds[0] - dt * spring.stiffness / spring.mass * state.position
    state.speeds[0][...] = speed
    return State(state.position + dt * speed, [0.5 * speed])


def network(random, sizes):
    pairs = [(random.normal(size=(m, n)), random.normal(size=n)) for m, n in zip(sizes, sizes[1:])]
    return {"layers": pairs}


def is_direct(function):
    return "__call__" in vars(type(function))


def compare(function, optimized, *positional, **named):
    found, expected = optimized(*positional, **named), function(*positional, **named)
    leaves, others = [], []
    assert str(flatten(found, "x", leaves)).split("0x")[0] == str(flatten(expected, "x", others)).split("0x")[0]
    for (_, a), (_, b) in zip(leaves, others, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    return found


def test_forms_and_sizes_in_turn():
    random = np.random.default_rng(0)
    optimized = egc.optimize(layers, backend="numba")
    networks = [network(random, sizes) for sizes in ((3, 4, 2), (5, 3, 4), (3, 4, 2, 6), (3, 3))]
    for _ in range(3):
        for given in networks:
            x = random.normal(size=(7, given["layers"][0][0].shape[0]))
            found = compare(layers, optimized, given, x, 0.5)
            assert found["first"] is given["layers"][0][1]
            compare(layers, optimized, given, scale=0.25, x=x[:3])
            compare(layers, optimized, {"layers": tuple(given["layers"])}, x, np.float32(2.0))
            compare(layers, optimized, {"other": 1, "layers": given["layers"]}, x.astype(np.float32), 2.0)
    assert is_direct(optimized) and not optimized.statistics.as_written


def test_what_lists_hold_is_changed_for_the_caller():
    random = np.random.default_rng(1)
    optimized = egc.optimize(steps, backend="numba")
    for _ in range(4):
        parameters, gradients = ([random.normal(size=(4, 3)), random.normal(size=3)] for _ in range(2))
        expected = [p - 0.1 * g for p, g in zip(parameters, gradients)]
        assert optimized(parameters, gradients, rate=0.1) is None
        for found, wanted in zip(parameters, expected):
            np.testing.assert_allclose(found, wanted, rtol=1e-14)
    assert is_direct(optimized)
    shared = random.normal(size=3)
    own = shared.copy()
    optimized([shared, shared], [own, own], 0.1)
    again = own.copy()
    steps([again, again], [own, own], 0.1)
    np.testing.assert_allclose(shared, again, rtol=1e-14)


def test_defaults_and_wrong_calls_are_the_functions():
    optimized = egc.optimize(optional, backend="numba")
    pair, x = (2.0, 3.0), np.arange(3.0)
    for _ in range(3):
        compare(optional, optimized, pair, x, 2.0)
        compare(optional, optimized, pair, x=x)
        compare(optional, optimized, (4.0, x), x, shift=1.0)
    assert is_direct(optimized)
    for given, named in [((pair,), {}), ((pair, x, 1.0, 2.0), {}), ((pair, x), {"other": 1}), ((pair, x), {"pair": 1})]:
        with pytest.raises(TypeError) as found:
            optimized(*given, **named)
        with pytest.raises(TypeError) as expected:
            optional(*given, **named)
        assert str(found.value) == str(expected.value)


def test_containers_of_other_kinds_take_the_long_way():
    class Pair(tuple):
        pass

    assert not is_simple({"x": flatten(np.finfo, "x", []), "y": flatten({1: 2.0}, "y", [])})
    call = nested_call("call", {"x": flatten((1, {"a": 2}), "x", [])}, lambda *leaves: leaves, lambda x: "slow")
    assert call((3, {"a": 4})) == (3, 4)
    for other in (Pair((3, {"a": 4})), (3, {"b": 4}), (3, {"a": 4, "b": 5}), [3, {"a": 4}], (3, (4,)), 3, (), None):
        assert call(other) == "slow"


def test_dataclasses_and_named_tuples_are_taken_apart():
    random = np.random.default_rng(1)

    def given():
        return State(random.normal(size=5), [random.normal(size=5)]), Spring(2.0, 0.5)

    optimized = egc.optimize(moved, backend="numba")
    for _ in range(4):
        state, spring = given()
        plain = State(state.position.copy(), [state.speeds[0].copy()])
        found, expected = optimized(state, spring=spring, dt=0.1), moved(plain, spring, 0.1)
        assert type(found) is State
        np.testing.assert_allclose(found.position, expected.position, rtol=1e-14)
        np.testing.assert_allclose(found.speeds[0], expected.speeds[0], rtol=1e-14)
        np.testing.assert_allclose(state.speeds[0], plain.speeds[0], rtol=1e-14)
    assert is_direct(optimized) and not optimized.statistics.as_written
    assert optimized(State(np.ones(5), (np.ones(5),)), Spring(2.0, 0.5), 0.1).speeds[0].shape == (5,)
    with pytest.raises(AttributeError, match="speeds"):
        optimized(Spring(np.ones(5), 0.5), Spring(2.0, 0.5), 0.1)
