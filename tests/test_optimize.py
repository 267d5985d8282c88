"""`egc.optimize` behaves as the plain function: values, dtypes, containers, views, writes and exceptions."""

import dataclasses
import functools
import itertools
import math
from collections import namedtuple

import numpy as np
import pytest
from scipy import special

import egc
from egc.pipeline import make_plan
from tests.sampling import crossed

GLOBAL = np.array([1.0, 2.0, 3.0])
SETTINGS = {"scale": 2.0, "shift": [1.0, 2.0]}
Point = namedtuple("Point", "x y")


@dataclasses.dataclass
class Pair:
    first: np.ndarray
    second: float


def helper(x, k=2, *rest, flag=False, **named):
    if flag:
        return x * k + sum(rest) + sum(named.values())
    return x - k


def static_control_flow(x, mode="a", steps=3):
    if mode == "a":
        for i in range(steps):
            x = helper(x, i + 1, 1.0, flag=i % 2 == 0, z=2.0)
    else:
        while steps > 0:
            x = x / 2
            steps -= 1
    return x


def closures_and_comprehensions(x):
    scale = 3.0
    parts = [scale * row for row in (x, x + 1)]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    table = {f"k{i}": part for i, part in enumerate(parts)}
    return (lambda y: y * scale)(total) + table["k1"]


def containers(data, pair):
    a, (b, c) = data["a"], data["b"]
    return {"sum": a + b, "list": [c, pair.first * pair.second], "point": Point(a, c), "n": len(a)}


def views_and_writes(x):
    x[1:] += 1
    y = x[::2]
    y[0] = 7
    z = x.copy()
    z[:] = 0
    x *= 2
    return y, z


def masks(x):
    y = x.copy()
    y[y > 0.5] = 0.0
    y[y < 0.1] += 1
    chosen = x[x > 0.3]
    return np.where(x > 0.2, y, -y), chosen.sum(), np.mean(chosen**2), (1 / chosen).max(), chosen.std(), chosen.size


def python_numbers(a, b, n):
    return a * b + n, a / b, n // 2, math.sqrt(a), abs(-b), max(a, b), float(n), int(a)


def sizes(x):
    n, k = x.shape
    if n > k:
        return x / n
    return x * k, x.size, len(x), n == k


def globals_used(x):
    return x * GLOBAL + SETTINGS["scale"] + SETTINGS["shift"][1]


def partial_application(x):
    return functools.partial(helper, k=5)(x) + list(map(helper, [x, x]))[1]


def scalar_results(x):
    return x[0], x[0] + 1, x[0] > 0, 2.0 * x[1]


X = np.random.default_rng(0).random((4, 3))
V = np.random.default_rng(1).random(3)

CALLS = [
    (static_control_flow, (V,)),
    (static_control_flow, (V, "b", 2)),
    (closures_and_comprehensions, (V,)),
    (containers, ({"a": V, "b": (V + 1, V + 2)}, Pair(V, 2.0))),
    (views_and_writes, (V,)),
    (views_and_writes, (X,)),
    (views_and_writes, (np.arange(5),)),
    (masks, (X,)),
    (python_numbers, (2.0, 3.0, 7)),
    (sizes, (X,)),
    (sizes, (X.T,)),
    (sizes, (np.ones((3, 3)),)),
    (globals_used, (V,)),
    (partial_application, (V,)),
    (scalar_results, (V,)),
]


def same(found, expected):
    """Structure, types, dtypes and values."""
    assert type(found) is type(expected)
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        for key in expected:
            same(found[key], expected[key])
    elif isinstance(expected, (tuple, list)):
        assert len(found) == len(expected)
        for a, b in zip(found, expected):
            same(a, b)
    elif isinstance(expected, (np.ndarray, np.generic)):
        assert found.dtype == expected.dtype
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=0)
    else:
        assert found == expected or (found != found and expected != expected)


def copied(value):
    if isinstance(value, np.ndarray):
        return value.copy(order="K")
    if isinstance(value, (tuple, list)):
        return type(value)(map(copied, value))
    if isinstance(value, dict):
        return {key: copied(part) for key, part in value.items()}
    return dataclasses.replace(value, first=value.first.copy()) if isinstance(value, Pair) else value


@pytest.mark.parametrize(
    ("call", "backend"),
    [*itertools.product(CALLS, ["numba"]), *crossed(CALLS, ["reference", "jax"])],
    ids=lambda value: value if isinstance(value, str) else value[0].__name__,
)
def test_equals_the_plain_function(call, backend):
    function, arguments = call
    optimized = egc.optimize(function, backend=backend)
    for _ in range(2):
        plain, given = copied(arguments), copied(arguments)
        same(optimized(*given), function(*plain))
        same(given, plain) if not any(isinstance(a, (Pair, dict)) for a in given) else None
    assert optimized.statistics.as_written == 0, optimized.statistics.reasons


def test_decorator_keeps_the_name():
    @egc.optimize(backend="reference")
    def named(x):
        """Doc."""
        return x

    assert (named.__name__, named.__doc__) == ("named", "Doc.")


def test_a_new_size_does_not_compile_again():
    optimized = egc.optimize(lambda x, y: np.exp(x) + y)
    for n in (3, 5, 8):
        same(optimized(np.ones((n, 2)), np.ones(2)), np.exp(np.ones((n, 2))) + np.ones(2))
    assert optimized.statistics.compilations == 1
    for n in (0, 1):
        same(optimized(np.ones((n, 2)), np.ones(2)), np.exp(np.ones((n, 2))) + np.ones(2))


def test_a_size_of_one_broadcasts():
    optimized = egc.optimize(lambda x, y: x + y, backend="reference")
    assert optimized(np.ones((3, 1)), np.ones(4)).shape == (3, 4)
    assert optimized(np.ones((3, 4)), np.ones(4)).shape == (3, 4)


def test_wrong_shapes_raise_what_numpy_raises():
    def add(x, y):
        return x + y

    with pytest.raises(ValueError, match="could not be broadcast"):
        egc.optimize(add)(np.ones(3), np.ones(4))


def test_wrong_call_raises_what_python_raises():
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        egc.optimize(lambda x: x)()


def test_singular_matrix_raises():
    optimized = egc.optimize(lambda a, b: np.linalg.solve(a, b))
    with pytest.raises(np.linalg.LinAlgError):
        optimized(np.zeros((2, 2)), np.ones(2))


def test_index_out_of_range_raises():
    optimized = egc.optimize(lambda x, i: x[i] * 2)
    with pytest.raises(IndexError):
        optimized(np.ones(3), np.array([5]))


def test_division_of_python_numbers_by_zero_raises():
    optimized = egc.optimize(lambda x, a: x / (1 / a), backend="reference")
    same(optimized(V, 2.0), V / 0.5)
    with pytest.raises(ZeroDivisionError):
        optimized(V, 0.0)


def test_a_branch_on_data_is_encoded():
    def branch(x):
        if x.sum() > 0:
            return np.exp(x)
        return -x

    optimized = egc.optimize(branch)
    same(optimized(-V), branch(-V))
    same(optimized(V), branch(V))
    assert optimized.statistics.as_written == 0
    assert optimized.explain(V).opaque == ()


def test_what_is_not_encoded_runs_as_written_and_says_so():
    def selected(x):
        y = x * 2
        return y[y > 0]

    optimized = egc.optimize(selected)
    same(optimized(V), selected(V))
    assert optimized.statistics.as_written == 1
    (reason,) = optimized.explain(V).opaque
    assert reason.what == "a selection by a mask as the result"


def test_the_extreme_of_an_empty_selection_raises():
    optimized = egc.optimize(lambda x: x[x > 5].max(), backend="reference")
    assert optimized(np.array([1.0, 7.0, 9.0])) == 9.0
    with pytest.raises(ValueError, match="zero-size array"):
        optimized(np.array([1.0, 2.0]))


def test_a_selection_that_is_returned_runs_as_written():
    optimized = egc.optimize(lambda x: x[x > 0])
    same(optimized(np.array([1.0, -1.0])), np.array([1.0]))
    assert optimized.statistics.as_written == 1


def test_random_numbers_are_not_frozen():
    optimized = egc.optimize(lambda x: x + np.random.random(3))
    assert not np.array_equal(optimized(V), optimized(V))


def test_a_changed_global_is_seen():
    namespace = {"np": np, "k": 2.0}
    exec("def f(x):\n    return x * k", namespace)
    optimized = egc.optimize(namespace["f"], backend="reference")
    same(optimized(V), V * 2.0)
    namespace["k"] = 3.0
    same(optimized(V), V * 3.0)


def test_functions_without_source_are_captured():
    namespace = {"np": np}
    exec("def f(x):\n    return np.log1p(x)", namespace)
    optimized = egc.optimize(namespace["f"], backend="reference")
    same(optimized(V), np.log1p(V))
    assert optimized.statistics.as_written == 0


def test_results_do_not_alias_arguments():
    for function in (lambda x: x.copy(), lambda x: x * 1, lambda x: x + 0):
        x = V.copy()
        egc.optimize(function)(x)[0] = 99.0
        same(x, V)


def test_views_of_arguments_are_views():
    x = X.copy()
    egc.optimize(lambda x: x.T)(x)[0, 1] = 99.0
    assert x[1, 0] == 99.0


@pytest.mark.parametrize("backend", ["reference", "numba", "jax"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_results_share_memory_with_arguments_as_numpys_do(backend, order):
    def parts(x):
        x[::-1] += 1.0
        return x.T, x[1:, None], x.reshape(-1), x.ravel(), x[:], x + 0

    x, y = np.array(X, order=order), np.array(X, order=order)
    optimized = egc.optimize(parts, backend=backend)
    found, expected = optimized(x), parts(y)
    same(found, expected)
    for ours, theirs in zip(found, expected):
        assert np.shares_memory(ours, x) is np.shares_memory(theirs, y)
        assert ours is not x


def test_an_index_that_nothing_needs_raises():
    def pick(x):
        x[[1, 0]]
        return x + 1

    optimized = egc.optimize(pick)
    same(optimized(V), V + 1)
    with pytest.raises(IndexError):
        optimized(V[:1])


def test_overlapping_arguments_are_written_as_numpy_writes_them():
    def shift(x, y):
        x += y
        return x * y

    base, plain = np.arange(6.0), np.arange(6.0)
    same(egc.optimize(shift)(base[1:], base[:-1]), shift(plain[1:], plain[:-1]))
    same(base, plain)


def test_verify_accepts_equal_results():
    same(egc.optimize(lambda x: np.exp(x) * 2, verify=True)(V), np.exp(V) * 2)


def test_verify_catches_a_wrong_rule():
    @egc.rule
    def wrong(x):
        return np.exp(x), x

    with pytest.raises(egc.VerificationError):
        egc.optimize(lambda x: np.exp(x), rules=[wrong], verify=True)(V)


def test_unknown_options_raise():
    with pytest.raises(egc.ProgramError, match="precision is one of"):
        egc.optimize(lambda x: x, precision="fast")
    with pytest.raises(egc.BackendError, match="fortran"):
        egc.optimize(lambda x: x, backend="fortran")(V)


def test_an_internal_failure_falls_back_with_one_warning(monkeypatch):
    monkeypatch.delenv("EGC_RAISE")
    monkeypatch.setattr("egc.pipeline.check", lambda program: 1 / 0)
    optimized = egc.optimize(lambda x: x + 1, backend="reference")
    with pytest.warns(RuntimeWarning, match="stage 'simplify'"):
        same(optimized(V), V + 1)


def soft(x, axis):
    return np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True)


FAR = np.array([[1000.0, 999.0, -1000.0], [-1000.0, -999.0, -1001.0]])

STABLE = [
    (lambda x: np.log(np.sum(np.exp(x), axis=1)), special.logsumexp(FAR, axis=1)),
    (lambda x: np.log(np.sum(np.exp(x), axis=1, keepdims=True)), special.logsumexp(FAR, axis=1, keepdims=True)),
    (lambda x: np.log(np.sum(np.exp(x))), special.logsumexp(FAR)),
    (lambda x: np.log(np.mean(np.exp(x), axis=0)), special.logsumexp(FAR, axis=0) - np.log(2)),
    (lambda x: soft(x, 1), special.softmax(FAR, axis=1)),
    (lambda x: np.log(soft(x, 1)), special.log_softmax(FAR, axis=1)),
    (lambda x: np.log(1 + np.exp(x)), np.logaddexp(0, FAR)),
    (lambda x: np.log(1 / (1 + np.exp(-x))), special.log_expit(FAR)),
    (lambda x: np.log(np.exp(x[0]) + np.exp(x[1])), np.logaddexp(FAR[0], FAR[1])),
    (lambda x: np.log(np.prod(np.exp(x), axis=1)), FAR.sum(axis=1)),
]


@pytest.mark.parametrize(("case", "backend"), crossed(STABLE, ["reference", "numba", "jax"], 2))
def test_what_overflows_is_made_stable(case, backend):
    function, expected = case
    optimized = egc.optimize(function, backend=backend)
    np.testing.assert_allclose(optimized(FAR), expected, rtol=1e-12)
    search = make_plan(function, (FAR,), {}, optimized.options, cached=False).trace.results["egraph"]
    assert search.unstable_before > search.unstable_after == 0
    assert search.cost_after <= search.cost_before


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
        lambda x: np.logaddexp(0, x),
        lambda x: special.log_softmax(x, axis=1),
        lambda x: special.logsumexp(x, axis=1),
    ],
)
def test_what_is_stable_stays_cheap(function):
    explanation = egc.explain(function, FAR)
    assert explanation.time_after <= 1.05 * explanation.time_before


@pytest.mark.parametrize("backend", ["reference", "numba", "jax"])
def test_a_real_spectrum_is_real_and_a_complex_one_complex(backend):
    optimized = egc.optimize(lambda a: np.linalg.eigvals(a) * 2, backend=backend)
    for matrix, written in ((np.array([[0.0, 1.0], [-1.0, 0.0]]), 0), (np.array([[2.0, 1.0], [0.0, 3.0]]), 1)):
        found, expected = optimized(matrix), np.linalg.eigvals(matrix) * 2
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(np.sort(found), np.sort(expected), rtol=1e-12)
        assert optimized.statistics.as_written == written
