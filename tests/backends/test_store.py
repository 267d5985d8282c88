"""Machine code in the cache: what a later process loads is what was compiled, and it links."""

import ctypes
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from numba import njit, types
from numba.core import registry

from egc import cache
from egc.backends.numba import store as stored
from egc.backends.numba.store import compile_stored
from egc.cache import Store

UNARY = types.float64(types.float64)


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr(stored, "_known", {})
    return Store(tmp_path / "v1")


def later_process(code, *arguments):
    output = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True)
    assert output.returncode == 0, output.stderr
    return json.loads(output.stdout)


PROGRAM = """
import json, sys
from pathlib import Path
import numpy as np
from numba import njit, types
from numba.core import registry
from numba.core import event
from egc.backends.numba.store import compile_stored
from egc.cache import Store

compiled = event.RecordingListener()
event.register("numba:compile", compiled)
store = Store(Path(sys.argv[1]))
options = dict(nogil=True, error_model="numpy")
vector = types.Array(types.float64, 1, "C", readonly=True)

@njit(**options)
def weighted(a, k):
    total = 0.0
    for i in range(a.shape[0]):
        if a[i] < 0:
            raise ValueError("a negative weight")
        total += a[i] * k
    return total

def function(a, k):
    if k == 0:
        raise ZeroDivisionError("k is zero")
    out = np.empty(a.shape[0])
    for i in range(a.shape[0]):
        out[i] = np.exp(a[i]) / k
    return out, weighted(a, k), np.dot(a, out)

code = compile_stored(njit(**options)(function), (vector, types.int64), ["function"], store=store)
a = np.array([0.0, 1.0, 2.0])
a.flags.writeable = False
out, total, product = code(a, 2)
seen = {"values": [out.tolist(), total, product], "numpy": [(np.exp(a) / 2).tolist(), 6.0, float(a @ np.exp(a)) / 2]}
seen["errors"] = []
for arguments in ((a, 0), (np.array([-1.0]), 1), (a, "k")):
    arguments[0].flags.writeable = False
    try:
        code(*arguments)
    except (ZeroDivisionError, ValueError, TypeError) as error:
        seen["errors"].append([type(error).__name__, str(error)[:20]])
seen["refreshed"] = len(code.targetctx._defns) > 100
seen["compiled"] = len(compiled.buffer)
if "call" in sys.argv:
    @njit
    def caller(a):
        out, total, product = code(a, 2)
        return out.sum() + total
    seen["called"] = [caller(a), out.sum() + total]
print(json.dumps(seen))
"""


def test_a_later_process_loads_what_the_first_compiled(store):
    """Callees, exceptions, library calls, arrays and tuples; and code that calls what was loaded."""
    first = later_process(PROGRAM, store.folder)
    later = later_process(PROGRAM, store.folder, "call")
    assert first["compiled"] > 0 and first["refreshed"]
    assert later["compiled"] == 0 and not later["refreshed"]
    np.testing.assert_allclose(np.hstack(first["values"]), np.hstack(first["numpy"]), rtol=1e-14)
    assert later["values"] == first["values"] and later["errors"] == first["errors"]
    assert [name for name, _ in later["errors"]] == ["ZeroDivisionError", "ValueError", "TypeError"]
    assert later["errors"][:2] == [["ZeroDivisionError", "k is zero"], ["ValueError", "a negative weight"]]
    assert later["called"][0] == pytest.approx(later["called"][1], rel=1e-14)


SHIFTS = """
import json, sys
from pathlib import Path
from numba import njit, types
from numba.core import registry
from egc.backends.numba.store import compile_stored
from egc.cache import Store

def program(shift):
    @njit
    def helper(x, n):
        return helper(x + shift, n - 1) if n > 0 else x
    def outer(x, n):
        return helper(x, n)
    signature = types.float64(types.float64, types.int64)
    return compile_stored(njit(outer), signature, [str(shift)], store=Store(Path(sys.argv[1])))

found = {}
for shift in map(float, sys.argv[2:]):
    function = program(shift)
    found[shift] = [function(0.0, 3), sum(function.stats.cache_hits.values())]
print(json.dumps(found))
"""


def test_functions_of_one_name_in_two_processes_stay_apart(store):
    """The callee of the second process and the stored one of the first have the same name and types."""
    assert later_process(SHIFTS, store.folder, 1) == {"1.0": [3.0, 0]}
    assert later_process(SHIFTS, store.folder, 2, 1) == {"2.0": [6.0, 0], "1.0": [3.0, 1]}


FORKED = """
import json, os
from numba.core.bytecode import FunctionIdentity
import egc.backends.numba.store
reader, writer = os.pipe()
if os.fork() == 0:
    os.write(writer, str(next(FunctionIdentity._unique_ids)).encode())
    os._exit(0)
os.wait()
print(json.dumps([int(os.read(reader, 100)), next(FunctionIdentity._unique_ids)]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_functions_of_a_forked_child_are_numbered_apart():
    child, parent = later_process(FORKED)
    assert abs(child - parent) > 1000 and min(child, parent) >= stored.UNIQUE


def test_a_dispatcher_loads_once_in_a_process(store):
    first, second = (compile_stored(njit(lambda x: x * 3), UNARY, ["three"], store=store) for _ in range(2))
    libraries = [dispatcher.overloads[(types.float64,)].library for dispatcher in (first, second)]
    assert libraries[0] is libraries[1] and first(2.0) == second(2.0) == 6.0


def test_source_signature_options_and_versions_are_in_the_key(store, monkeypatch):
    def key(signature=UNARY, parts=("a",), **options):
        return stored._key(njit(**options)(lambda x: x), signature, parts)

    keys = [key(), key(parts=("b",)), key(types.float32(types.float32)), key(fastmath=True), key(error_model="numpy")]
    monkeypatch.setattr(stored.config, "OPT", 1)
    keys.append(key())
    monkeypatch.setattr(stored.llvmlite, "__version__", "0")
    keys.append(key())
    monkeypatch.setattr(type(registry.cpu_target.target_context.codegen()), "magic_tuple", lambda self: ("cpu",))
    keys.append(key())
    monkeypatch.setattr(cache, "versions", lambda: ("other",))
    keys.append(key())
    assert len(set(keys)) == len(keys) and key() == key()


@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: b"", lambda content: content + b"0"])
def test_damaged_code_is_compiled_anew(store, monkeypatch, damage):
    compile_stored(njit(lambda x: x * 5), UNARY, ["five"], store=store)
    (entry,) = store.entries()
    entry.path.write_bytes(damage(entry.path.read_bytes()))
    monkeypatch.setattr(stored, "_known", {})
    again = compile_stored(njit(lambda x: x * 5), UNARY, ["five"], store=store)
    assert again(2.0) == 10.0 and not again.stats.cache_hits


@pytest.mark.parametrize("content", [b"", b"not a pickle", b"\x80\x04K\x01."])
def test_an_entry_that_is_no_code_is_compiled_anew(store, content):
    dispatcher = njit(lambda x: x * 7)
    store.write(stored.KIND, stored._key(dispatcher, UNARY, ["seven"]), content)
    compile_stored(dispatcher, UNARY, ["seven"], store=store)
    assert dispatcher(2.0) == 14.0 and not dispatcher.stats.cache_hits


def test_code_whose_symbols_are_missing_is_not_linked():
    context = njit(lambda x: x).targetctx
    assert stored._resolved(["NRT_Free", "numba_unpickle", "memcpy"], context)
    assert not stored._resolved(["NRT_Free", "no_such_function"], context)


def test_addresses_of_this_process_are_not_stored(store):
    number = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(lambda x: x + 1)
    found = compile_stored(njit(lambda x: number(x)), UNARY, ["number"], store=store)
    assert found(1.0) == 2.0 and store.entries() == []


def test_without_a_key_or_a_cache_functions_are_compiled(store):
    prepared = []
    found = compile_stored(njit(lambda x: x + 1), UNARY, None, lambda: prepared.append(1), store)
    assert found(1.0) == 2.0 and prepared == [1] and store.entries() == []
    assert compile_stored(njit(lambda x: x + 2), UNARY, ["two"], lambda: prepared.append(2))(1.0) == 3.0
    assert prepared == [1, 2]


def test_what_only_the_compiler_needs_is_made_only_for_it(store):
    prepared = []
    for _ in range(2):
        compile_stored(njit(lambda x: x + 9), UNARY, ["nine"], lambda: prepared.append(1), store)
    assert prepared == [1]


TWICE = """
import json, sys
import numpy as np
from numba.core import event
import egc
compiled = event.RecordingListener()
event.register("numba:compile", compiled)

@egc.optimize
def function(x, A):
    a = np.exp(-0.5 * x * x)
    return np.sum(a * np.sin(x)), A @ a, a.mean()

x = np.linspace(0.0, 1.0, 50)
found = function(x, np.outer(x, x))
names = sorted({"egc.egraph.bindings"} & set(sys.modules))
print(json.dumps([[np.asarray(part).tolist() for part in found], len(compiled.buffer), names]))
"""


def test_a_whole_program_starts_from_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("EGC_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("EGC_BACKEND", raising=False)
    values, compiled, names = later_process(TWICE)
    assert compiled > 0 and names == ["egc.egraph.bindings"]
    assert later_process(TWICE) == [values, 0, []]
