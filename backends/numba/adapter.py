"""A driver as a C function of memory: what `entry` calls with arguments that it has written down.

`adapter(words, results, failure)` reads the arguments, each from its place, calls the driver, and writes the outputs; it needs no
interpreter's lock. It gives 0, or numba's code of an error, which `raiser(code, failure)` raises as a Python exception. There
is no other way to call this driver.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.callconv import excinfo_ptr_t
from numba.core.registry import cpu_target

from egc.backends.numba.lean import GeneratedCompiler
from egc.backends.numba.linked import OnceOptimized
from egc.errors import InternalError

ARRAY_WORDS = 5
"""Words of numba's array before its lengths and strides: owner, parent, size, bytes of an element, address."""

NUMBER_WORDS = 2
"""Words for a number: a complex128 is the largest."""

_CODE, _BYTES = ir.IntType(32), ir.IntType(8).as_pointer()


def words_of(kind: Any) -> int:
    """The words in memory of an argument or an output of a numba type.

    >>> words_of(types.float32), words_of(types.Array(types.float64, 2, "C"))
    (2, 9)
    """
    return ARRAY_WORDS + 2 * kind.ndim if isinstance(kind, types.Array) else NUMBER_WORDS


def places(kinds: Sequence[Any]) -> list[int]:
    """The first word of each of several values, and the number of words of all.

    >>> places([types.float64, types.Array(types.int32, 1, "C")])
    [0, 2, 9]
    """
    found = [0]
    for kind in kinds:
        found.append(found[-1] + words_of(kind))
    return found


def outputs_of(result: Any, dtypes: Sequence[Any]) -> list[Any]:
    """The numba types in which outputs are written, from the type that a driver returns and the dtypes they must have."""
    kinds = [result] if len(dtypes) == 1 else list(result.types)
    found = [kind if isinstance(kind, types.Array) else wanted for kind, wanted in zip(kinds, dtypes)]
    for kind, wanted in zip(found, dtypes):
        if isinstance(kind, types.Array) and kind.dtype != wanted:
            raise InternalError("numba", f"a driver returns {kind}, not an array of {wanted}")
    return found


@dataclass(frozen=True)
class Adapter:
    """The machine code of a driver with its adapter: the library and the names of the two functions in it, the types of
    arguments and outputs, and what numba's code refers to."""

    library: Any
    name: str
    arguments: tuple[Any, ...]
    outputs: tuple[Any, ...]
    environments: tuple[Any, ...] = ()

    @property
    def addresses(self) -> tuple[int, int]:
        """Those of the adapter and of the raiser."""
        return tuple(self.library.get_pointer_to_function(f"{self.name}_{part}") for part in ("adapter", "raiser"))


class AdaptedCompiler(GeneratedCompiler):
    """numba's compiler of a driver to which an adapter is added: its library is left open."""

    def __init__(self, typing_context: Any, target_context: Any, library: Any, *arguments: Any):
        library = OnceOptimized(target_context.codegen(), "egc driver")
        library.enable_object_caching()
        super().__init__(typing_context, target_context, library, *arguments)
        self.state.flags.no_compile = True


def add_adapter(library: Any, fndesc: Any, dtypes: Sequence[Any]) -> Adapter:
    """The adapter of a compiled driver, in its library, which is made final.

    dtypes: the numba types of the outputs' elements.
    """
    context = cpu_target.target_context
    module = context.create_module("egc adapter")
    kind = context.call_conv.get_function_type(fndesc.restype, fndesc.argtypes)
    driver = ir.Function(module, kind, fndesc.llvm_func_name)
    outputs = outputs_of(fndesc.restype, dtypes)
    _write_adapter(context, module, driver, fndesc, outputs)
    _write_raiser(context, module, f"{fndesc.llvm_func_name}_raiser")
    library.add_ir_module(module)
    library.finalize()
    return Adapter(library, fndesc.llvm_func_name, tuple(fndesc.argtypes), tuple(outputs))


def _write_adapter(context: Any, module: Any, driver: Any, fndesc: Any, outputs: Sequence[Any]) -> None:
    signature = ir.FunctionType(_CODE, [_BYTES, _BYTES, excinfo_ptr_t.as_pointer()])
    function = ir.Function(module, signature, f"{fndesc.llvm_func_name}_adapter")
    builder = ir.IRBuilder(function.append_basic_block())
    words, results, failure = function.args

    def place(base: Any, word: int, kind: Any) -> Any:
        address = cgutils.gep_inbounds(builder, base, 8 * word)
        return builder.bitcast(address, context.get_data_type(kind).as_pointer())

    given = [
        context.unpack_value(builder, kind, place(words, word, kind))
        for word, kind in zip(places(fndesc.argtypes), fndesc.argtypes)
    ]
    status, found = context.call_conv.call_function(builder, driver, fndesc.restype, fndesc.argtypes, given)
    with builder.if_then(status.is_error, likely=False):
        builder.store(status.excinfoptr, failure)
        builder.ret(status.code)
    values, returned = [found], [fndesc.restype]
    if len(outputs) > 1:
        values, returned = cgutils.unpack_tuple(builder, found), list(fndesc.restype.types)
    for word, kind, value, own in zip(places(outputs), outputs, values, returned):
        context.pack_value(builder, kind, context.cast(builder, value, own, kind), place(results, word, kind))
    builder.ret(_CODE(0))


def _write_raiser(context: Any, module: Any, name: str) -> None:
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [_CODE, excinfo_ptr_t]), name)
    builder = ir.IRBuilder(function.append_basic_block())
    code, failure = function.args
    status = context.call_conv._get_return_status(builder, code, failure)
    context.call_conv.raise_error(builder, context.get_python_api(builder), status)
    builder.ret_void()
