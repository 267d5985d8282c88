"""Machine code that outlives the process: numba's compile results, kept in egc's cache.

numba asks a dispatcher's cache before it compiles, and hands it the result afterwards; `StoredCode` is such a cache. What is
kept is object code with all callees linked in, and bitcode for callers that inline it. numba's own cache is of no use for
generated functions: it looks for a source file, and tells functions of one name apart by their line.
"""

from __future__ import annotations

import itertools
import os
import pickle
import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import llvmlite
import numba
from llvmlite import binding
from numba import config
from numba.core import bytecode
from numba.core.caching import _Cache as NumbaCache
from numba.core.compiler import CompileResult
from numba.core.compiler_lock import global_compiler_lock
from numba.core.runtime import _nrt_python, rtsys
from numba.core.serialize import dumps

from egc import cache
from egc.backends.numba.adapter import Adapter, add_adapter
from egc.cache import Store

KIND = "code"

IRRELEVANT = frozenset(
    """CACHE_DIR CACHE_LOCATOR_CLASSES DEBUG_CACHE NUMBA_NUM_THREADS NUMBA_DEFAULT_NUM_THREADS THREADING_LAYER
    THREADING_LAYER_PRIORITY COLOR_SCHEME FULL_TRACEBACKS SHOW_HELP""".split()
)
"""Settings of numba that code does not depend on."""

_known: dict[str, CompileResult] = {}
_adapters: dict[str, Adapter] = {}
"""What this process has compiled or loaded, by key. It stays: a second copy of one symbol would meet the first."""


UNIQUE = 2**32
"""Numbers of functions from here on are unique among processes."""

NUMBER = re.compile(r"B\d+v(\d+)")
"""Where a symbol has its function's number."""

UNRESOLVED = ".numba.unresolved$"
"""The mark of symbols that numba fills in only where it compiles: recursion."""


def _number_functions_apart() -> None:
    """numba makes symbols unique by a count of the functions that a process compiles. Stored code meets other processes'
    symbols, and where two are equal the linker takes either: the count starts at a random number."""
    bytecode.FunctionIdentity._unique_ids = itertools.count(UNIQUE + secrets.randbits(61))


_number_functions_apart()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_number_functions_apart)


class StoredCode(NumbaCache):
    """The cache of one dispatcher with one signature; see numba's `_Cache`."""

    def __init__(self, store: Store, key: str, prepare: Callable[[], object]):
        self.store, self.key, self.prepare = store, key, prepare

    @property
    def cache_path(self) -> str:
        return str(self.store.folder)

    def load_overload(self, sig: Any, target_context: Any) -> CompileResult | None:
        if self.key not in _known and (entry := self.store.read(KIND, self.key)) is not None:
            result = _rebuild(entry, target_context)
            if result is not None:
                _known[self.key] = result
        if self.key not in _known:
            self.prepare()
        return _known.get(self.key)

    def save_overload(self, sig: Any, data: CompileResult) -> None:
        _known[self.key] = data._replace(metadata=None)
        entry = _reduce(data)
        if entry is not None:
            self.store.write(KIND, self.key, entry)

    def enable(self) -> None:
        pass

    def disable(self) -> None:
        pass

    def flush(self) -> None:
        pass


def compile_stored(
    dispatcher: Any,
    signature: Any,
    key: Iterable[str] | None,
    prepare: Callable[[], object] = lambda: None,
    store: Store | None = None,
) -> Any:
    """The dispatcher with machine code for the signature, loaded where an earlier process kept it, and no further
    compilation.

    dispatcher: from `numba.njit(...)` without a signature; one for each call of this function. Its Python function is
    compiled when nothing is found; its module's name is that of a module which can be imported.
    key: texts that with the signature and the options of `njit` determine the code: the source and the texts that closures
    and globals follow from, unless these are constant in egc's own source. None where there are no such texts.
    prepare: called before compiling, to make what only the compiler needs.
    store: `cache.shared()` unless given.

    Raises what numba raises when it compiles.

    >>> twice = compile_stored(numba.njit(lambda x: 2.0 * x), numba.float64(numba.float64), ["lambda x: 2.0 * x"])
    >>> twice(4.0), len(twice.overloads)
    (8.0, 1)
    """
    store = cache.shared() if store is None else store
    name = None if store is None or key is None else _key(dispatcher, signature, key)
    if store is not None and name is not None:
        dispatcher._cache = StoredCode(store, name, prepare)
    else:
        prepare()
    dispatcher.compile(signature)
    dispatcher.disable_compile()
    return dispatcher


@global_compiler_lock
def adapt_stored(
    dispatcher: Any,
    signature: tuple[Any, ...],
    outputs: Sequence[Any],
    key: Iterable[str] | None,
    prepare: Callable[[], object],
    store: Store | None = None,
) -> Adapter:
    """The same for a driver that is called through an adapter.

    dispatcher: with the pipeline class `AdaptedCompiler`. outputs: the numba types of the elements of its outputs.
    """
    store = cache.shared() if store is None else store
    name = None if store is None or key is None else _key(dispatcher, signature, [*key, *map(str, outputs)])
    if name is not None and name in _adapters:
        return _adapters[name]
    adapter = None
    if store is not None and name is not None and (entry := store.read(KIND, name)) is not None:
        adapter = _rebuild_adapter(entry, dispatcher.targetctx)
    if adapter is None:
        prepare()
        compiled = dispatcher._compiler.compile(signature, None)
        adapter = add_adapter(compiled.library, compiled.fndesc, outputs)
        adapter = replace(adapter, environments=tuple(compiled._find_referenced_environments()))
        if store is not None and name is not None and (entry := _reduce_adapter(adapter)) is not None:
            store.write(KIND, name, entry)
    for environment in adapter.environments:
        adapter.library.codegen.set_env(environment.env_name, environment)
    if name is not None:
        _adapters[name] = adapter
    return adapter


def _reduce_adapter(adapter: Adapter) -> bytes | None:
    symbols = _needed(adapter.library)
    if symbols is None:
        return None
    try:
        library = adapter.library.serialize_using_object_code()
        return pickle.dumps((symbols, dumps((library, replace(adapter, library=None)))))
    except Exception:
        return None


def _rebuild_adapter(entry: bytes, target_context: Any) -> Adapter | None:
    try:
        symbols, reduced = pickle.loads(entry)
        if not _resolved(symbols, target_context):
            return None
        library, adapter = pickle.loads(reduced)
        return replace(adapter, library=target_context.codegen().unserialize_library(library))
    except Exception:
        return None


def _key(dispatcher: Any, signature: Any, parts: Iterable[str]) -> str | None:
    versions = cache.versions()
    if versions is None or dispatcher.py_func.__module__ is None:
        return None
    options = [f"{name}={value!r}" for name, value in sorted(dispatcher.targetoptions.items())]
    pipeline = f"{dispatcher._compiler.pipeline_class.__module__}.{dispatcher._compiler.pipeline_class.__qualname__}"
    machine = map(str, dispatcher.targetctx.codegen().magic_tuple())
    libraries = numba.__version__, llvmlite.__version__
    lists = map(cache.digest, (parts, options, machine, _settings()))
    return cache.digest([*versions, KIND, *libraries, str(signature), pipeline, *lists])


def _settings() -> list[str]:
    """numba's settings, from the environment and from its file, that code may depend on."""
    return [
        f"{name}={value!r}"
        for name, value in sorted(vars(config).items())
        if name.isupper() and name not in IRRELEVANT and isinstance(value, (int, float, str, type(None)))
    ]


def _reduce(result: CompileResult) -> bytes | None:
    """The entry of a compile result: the symbols that it needs, and numba's form of it.

    None for what holds in this process only, and for lifted loops and objects that do not pickle.
    """
    symbols = None if result.objectmode or result.lifted else _needed(result.library)
    if symbols is None:
        return None
    try:
        return pickle.dumps((symbols, dumps(result._reduce())))
    except Exception:
        return None


def _needed(library: Any) -> list[str] | None:
    """The symbols that code needs; None where it holds in this process only: with addresses in it, or functions that were
    numbered before this module was imported."""
    module = library._final_module
    needed = [s.name for s in (*module.functions, *module.global_variables) if s.is_declaration]
    symbols = [name for name in needed if not name.startswith("llvm.")]
    numbers = [int(n) for f in module.functions if not f.is_declaration for n in NUMBER.findall(f.name)]
    if library.has_dynamic_globals or any(number < UNIQUE for number in numbers):
        return None
    return None if any(name.startswith(UNRESOLVED) for name in symbols) else symbols


def _rebuild(entry: bytes, target_context: Any) -> CompileResult | None:
    try:
        symbols, reduced = pickle.loads(entry)
        if not _resolved(symbols, target_context):
            return None
        return CompileResult._rebuild(target_context, *pickle.loads(reduced))
    except Exception:
        return None


def _name_runtime() -> None:
    """Makes the functions of numba's run-time library known to the linker, as `rtsys.initialize` does before it compiles."""
    for name, address in _nrt_python.c_helpers.items():
        binding.add_symbol(name if name.startswith("_") else f"NRT_{name}", address)


def _resolved(symbols: Sequence[str], target_context: Any) -> bool:
    """Whether code that needs these symbols can be linked: a missing one would end the process.

    numba registers its own symbols when it first compiles, which takes some tenths of a second that most code can do
    without; as much of this is done as is needed.
    """
    for step in (_name_runtime, lambda: rtsys.initialize(target_context), target_context.refresh):
        step()
        if all(binding.address_of_symbol(name) is not None for name in symbols):
            return True
    return False
