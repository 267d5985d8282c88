"""Direct calls: from Python to machine code with no Python between, and the same as calls of the plain function."""

import gc
import subprocess
import sys
import threading
import weakref
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numba.core.runtime import _nrt_python, rtsys

import egc
from egc.backends.numba.entry import supported

N = 1000


@dataclass
class Pair:
    first: object
    second: object


def direct(function, *calls):
    """The optimized function after these calls (arguments, or arguments and names), which refuses the long way from now on."""
    optimized = egc.optimize(function)
    for _ in range(2):
        for arguments in calls:
            optimized(*arguments)

    def refuse(*arguments):
        raise AssertionError("the long way")

    optimized._call = refuse
    return optimized


def check(function, *arguments):
    """That a direct call gives what the plain function gives, and leaves the arguments as it does."""
    given = [[np.copy(x) if type(x) is np.ndarray else x for x in arguments] for _ in range(2)]
    got, want = direct(function, arguments)(*given[0]), function(*given[1])
    for a, b in [*zip(leaves(got), leaves(want), strict=True), *zip(*given)]:
        assert type(a) is type(b) and np.asarray(a).dtype == np.asarray(b).dtype and np.shape(a) == np.shape(b)
        assert a is b or np.allclose(a, b, rtol=1e-14, atol=0)
    assert type(got) is type(want)
    return got


def leaves(value):
    if isinstance(value, (list, tuple)):
        return [leaf for part in value for leaf in leaves(part)]
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in leaves(part)]
    return leaves([value.first, value.second]) if isinstance(value, Pair) else [value]


def test_this_interpreter_is_supported():
    assert supported()


@pytest.mark.parametrize("dtype", ["?", "i1", "u2", "i4", "i8", "u8", "f4", "f8", "c8", "c16"])
def test_arrays_and_scalars_of_every_dtype(dtype):
    x = np.arange(6).astype(dtype)
    check(lambda x: x.reshape(2, 3).T * 1, x)
    check(lambda x, y: (x == y, np.max(x) if x.dtype.kind != "c" else np.sum(x)), x, x[3])
    check(lambda x: x[()] if x.ndim == 0 else x, np.array(x[3]))


def test_results_of_every_kind():
    x = np.arange(4.0)
    check(lambda x: [np.exp(x), {"total": np.sum(x), "size": len(x)}], x)
    check(lambda x, y: Pair(x * y, (y + 1, 3, None)), x, 2.0)
    check(lambda x, n: (x * n, n + 1, n > 3, n * 1j, np.array(2.0) * n), x, 5)
    check(lambda x: (np.cumsum(x)[None], np.asarray(np.sum(x)), np.max(x)), x)
    check(lambda x: np.exp(x) + 1, np.zeros((0, 3)))


def test_a_result_never_shares_memory_with_an_argument_it_is_not_a_view_of():
    x = np.arange(N, dtype=float)
    for function in (lambda x: x.copy(), lambda x: (x + 0, np.exp(x)), lambda x: np.array(x.reshape(10, -1).T)):
        for result in leaves(check(function, x)):
            assert not np.may_share_memory(result, x) and result.flags.writeable


def test_arguments_that_are_changed_and_returned():
    def function(x, y):
        x += y
        return x, y

    x, y = np.arange(4.0), np.ones(4)
    optimized = direct(function, (x.copy(), y))
    got = optimized(x, y)
    assert got[0] is x and got[1] is y and np.array_equal(x, np.arange(4.0) + 1)


def test_overlapping_and_readonly_arguments_that_are_changed_run_as_written():
    def function(x, y):
        x *= y
        return np.sum(x)

    optimized, x = egc.optimize(function), np.arange(1.0, 9.0)
    for _ in range(3):
        assert optimized(x.copy(), x) == function(x.copy(), x)
    for call in (optimized, function):
        z = np.arange(1.0, 9.0)
        assert call(z[1:], z[:-1]) == function((w := np.arange(1.0, 9.0))[1:], w[:-1]) and np.array_equal(z, w)
        z.flags.writeable = False
        with pytest.raises(ValueError, match="read-only"):
            call(z, x)


def test_arrays_that_may_not_be_written_are_read():
    x = np.arange(4.0)
    optimized = direct(lambda x: x + 1, (x,))
    x.flags.writeable = False
    assert np.array_equal(optimized(x), np.arange(4.0) + 1)


def test_several_kinds_of_arguments_stay_direct():
    kinds = [(np.ones(4), 2.0), (np.ones(4, "f4"), 2.0), (np.ones((3, 3)), 2), (np.ones(4), np.ones(4))]
    optimized = direct(lambda x, y: x * y, *kinds)
    for x, y in kinds:
        assert np.array_equal(optimized(x, y), x * y) and optimized(x, y).dtype == (x * y).dtype
    sizes = [np.ones((n, n)) for n in (4, 40)]
    optimized = direct(lambda x: x @ x @ x[0], *[(x,) for x in sizes])
    for x in sizes:
        assert np.allclose(optimized(x), x @ x @ x[0])


def test_arguments_by_name():
    def function(x, /, shift, scale=2.0):
        return (x - shift) * scale

    x = np.arange(3.0)
    optimized = direct(function, (x, 1.0), (x, 1.0, 3.0))
    assert np.array_equal(optimized(x, shift=5.0), function(x, 5.0))
    assert np.array_equal(optimized(x, scale=3.0, shift=5.0), function(x, 5.0, 3.0))
    assert np.array_equal(optimized(x, 5.0, scale=3.0), function(x, 5.0, 3.0))
    optimized = egc.optimize(function)
    optimized(x, 1.0)
    for wrong in ({"x": x, "shift": 1.0}, {"scale": 1.0}, {"shift": 1.0, "other": 1}):
        with pytest.raises(TypeError):
            optimized(*([] if "x" in wrong else [x]), **wrong)
    with pytest.raises(TypeError):
        optimized(**{"": x, "shift": 1.0})
    with pytest.raises(TypeError, match="multiple values"):
        optimized(x, 1.0, shift=1.0)
    first_by_name = egc.optimize(lambda x, y: x + y)
    for _ in range(2):
        assert np.array_equal(first_by_name(y=1.0, x=x), x + 1)
    first_by_name._call = None
    assert np.array_equal(first_by_name(x, 1.0), x + 1)


def test_parameters_that_a_call_leaves_out_do_not_stand_in_the_way():
    def function(x, *more, scale=1.0, **others):
        return x * scale + len(more) + len(others)

    x = np.arange(3.0)
    optimized = direct(function, (x,))
    assert np.array_equal(optimized(x), x)
    optimized = egc.optimize(function)
    for _ in range(2):
        assert np.array_equal(optimized(x), x) and np.array_equal(optimized(x, 1), x + 1)
        assert np.array_equal(optimized(x, scale=2.0), x * 2) and np.array_equal(optimized(x, z=0), x + 1)


def test_a_cell_and_a_global_are_read_at_each_call():
    def outer():
        shift = 1.0

        def function(x):
            return x + shift

        def move(value):
            nonlocal shift
            shift = value

        return function, move

    function, move = outer()
    optimized, x = egc.optimize(function), np.zeros(3)
    for value in (1.0, 2.0, 2.0, 1.0, 3.0):
        move(value)
        assert optimized(x)[0] == value


def test_what_does_not_fit_is_the_plain_functions():
    def function(x, y):
        return x + y

    x = np.ones(4)
    optimized = egc.optimize(function)
    optimized(x, x)
    others = [
        None, "text", [1.0] * 4, (1.0,) * 4, 2**70, True, 3, 1j, np.float32(2), np.ones(4, ">f8"), np.ones(4, "M8[s]"),
        np.ones(3), np.ones((4, 1)), np.ones((4, 4)).T, np.array(1.0), np.array(None), np.ma.ones(4), np.ones(8)[::2],
        np.ones(4, object),
        {}, x, np.ones(4, "longlong"), np.ones(4, np.dtype("f8", metadata={"a": 1})), np.ones(4, "f2"), np.rec.array(x), Pair(1, 2),
    ]  # fmt: skip
    for y in (*others, *others):
        try:
            want = function(x, y)
        except Exception as error:
            with pytest.raises(type(error)):
                optimized(x, y)
        else:
            got = optimized(x, y)
            assert type(got) is type(want) and got.dtype == want.dtype and np.array_equal(got, want)
    for wrong in ((), (x,), (x, x, x)):
        with pytest.raises(TypeError):
            optimized(*wrong)


def test_calls_leave_no_references_and_no_memory_behind():
    # In a process of its own: what other tests left is freed at any time, and holds references to None and the like.
    program = f"from tests.test_direct import leaves_nothing_behind as run; run(3), run({N}), run(10**6)"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[1])


def leaves_nothing_behind(size):
    _nrt_python.memsys_enable_stats()
    shift = np.ones(5)

    def function(x, y):
        return np.exp(x), x[::-1] * y, np.sum(x), shift + 1

    def failing(x, indices):
        return x[indices]

    x, y, bad = np.zeros(size), 2.5, np.array([0, size])
    optimized, indexed = direct(function, (x, y)), egc.optimize(failing)
    indexed(x, np.array([0, 1]))
    watched = [x, y, bad, shift, x.dtype, np.dtype("i8"), np.ndarray, np.float64, np.add, None, ()]
    kept = optimized(x, y)

    def counts():
        gc.collect()
        stats = rtsys.get_allocation_stats()
        return [sys.getrefcount(value) for value in watched], stats.mi_alloc - stats.mi_free

    rounds = [counts()]
    for _ in range(2):
        for _ in range(50):
            optimized(x, y)
            optimized(y=y, x=x)
            with pytest.raises(IndexError):
                indexed(x, bad)
        rounds.append(counts())
    assert len({memory for _, memory in rounds}) == 1
    for first, second, third in zip(*(references for references, _ in rounds)):
        assert abs(second - first) < 20 and abs(third - second) < 20, rounds
    alive = weakref.ref(kept[1])
    copy, view = kept[1].copy(), kept[1][1:]
    del kept
    assert alive() is not None and np.array_equal(view, copy[1:])
    del view
    assert alive() is None


def test_an_optimized_function_is_freed():
    def made():
        optimized = direct(lambda x: x + 1, (np.ones(3),))
        return weakref.ref(optimized)

    reference = made()
    gc.collect()
    assert reference() is None


def test_arguments_of_later_calls_are_freed():
    optimized, references = egc.optimize(lambda x: x @ x @ x[0]), []
    for n in (2, 2, 30, 400):
        x = np.ones((n, n))
        references.append(weakref.ref(x))
        optimized(x)
    del x
    gc.collect()
    assert all(reference() is None for reference in references[1:2])


def test_many_threads_while_kinds_come_and_go():
    def function(x, y):
        return x * y + 1, np.sum(x)

    optimized = egc.optimize(function)
    kinds = [np.ones(n, dtype) for n in (1, 2, 7, N, 200_000) for dtype in ("f4", "f8", "i8")] + [np.ones((3, 4)).T]
    wrong = []

    def work(seed):
        rng = np.random.default_rng(seed)
        for _ in range(300):
            x = kinds[rng.integers(len(kinds))]
            for _ in range(rng.integers(1, 4)):
                got, want = optimized(x, x), function(x, x)
                if not all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(got, want)):
                    wrong.append(x)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_function_that_calls_itself_through_a_guard():
    """What a guard reads may be any Python code: here it calls the function whose call is under way."""
    again = []

    class Settings:
        @property
        def shift(self):
            if again and again.pop():
                assert np.array_equal(optimized(np.zeros(3)), [1.0, 1.0, 1.0])
            return ONE

    settings = Settings()
    optimized = egc.optimize(lambda x: x + settings.shift)
    for deeper in ([], [], [True], [True]):
        again.extend(deeper)
        assert np.array_equal(optimized(np.zeros(3)), [1.0, 1.0, 1.0])


ONE = 1.0
