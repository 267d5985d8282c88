"""Threads for generated code: a range in chunks that depend on the work alone, never on the number of threads.

Results therefore do not depend on that number either, where a kernel writes per chunk and the caller combines in order.
Kernels run without the GIL; exceptions do not cross threads, so they return a status instead.
"""

from __future__ import annotations

import os
from typing import Any

from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic
from numba.np.ufunc import parallel

from egc.backends.numba.crew import CELL

RAISED = 2**31 - 1
"""The status of a chunk whose kernel raised all the same."""

_INT, _LONG, _BYTES = ir.IntType(32), ir.IntType(64), ir.IntType(8).as_pointer()
_WORK = ir.FunctionType(_INT, [_LONG, _LONG, _BYTES])
_PARALLEL = ir.FunctionType(_INT, [_WORK.as_pointer(), _BYTES, _LONG, _LONG, _LONG])
_SHARE = ir.FunctionType(_INT, [_WORK.as_pointer(), _BYTES, _LONG, _LONG, ir.DoubleType()])


def processors() -> int:
    """The processors that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def set_num_threads(count: int | None) -> None:
    """Sets how many threads a call may use from now on, the calling one included.

    None is numba's setting, but no more than processors that this process may run on: what `numba.set_num_threads` said where
    numba has started its threads, and `NUMBA_NUM_THREADS` before.

    >>> before = num_threads()
    >>> set_num_threads(3)
    >>> num_threads()
    3
    >>> set_num_threads(before)
    """
    if count is None:
        numba_threads = parallel.get_num_threads() if parallel._is_initialized else config.NUMBA_NUM_THREADS
        count = min(numba_threads, processors())
    CELL["egc_thread_count"].value = max(1, count)


def num_threads() -> int:
    """How many threads a call may use."""
    return CELL["egc_thread_count"].value


def started() -> int:
    """How many threads generated code has started in this process, or taken along where they waited; calling threads do not
    count."""
    return CELL["egc_threads_started"].value


@intrinsic
def parallel_for(typing_context, kernel, length, step, threads, arguments):
    """Calls `kernel(start, stop, *arguments)` on the chunks `[0, step), [step, 2*step), ...` of `range(length)`.

    kernel: a compiled function that returns nothing or an int status.
    threads: the most that work on it, the calling one included; others are there only while the call lasts.

    Returns the largest status, at least 0, as int32; RAISED where a kernel raised.

    >>> import numpy as np
    >>> from numba import njit
    >>> @njit
    ... def square(start, stop, x):
    ...     for i in range(start, stop):
    ...         x[i] *= x[i]
    >>> @njit(nogil=True)
    ... def squares(x):
    ...     return parallel_for(square, len(x), 2, 4, (x,))
    >>> x = np.arange(5.0)
    >>> squares(x), x
    (0, array([ 0.,  1.,  4.,  9., 16.]))
    """
    return _sharing(typing_context, kernel, arguments, types.int64, _PARALLEL, "egc_parallel")


@intrinsic
def share(typing_context, kernel, length, step, nanoseconds, arguments):
    """As `parallel_for`, on as many threads as are worth their start for work that takes one of them that many nanoseconds.

    A step of 0 stands for chunks of some tens of microseconds: for kernels that give the same for any.
    """
    return _sharing(typing_context, kernel, arguments, types.float64, _SHARE, "egc_share")


def sharing(typing_context: Any, kernel: Any, arguments: Any) -> Any:
    """What writes the code of `share`, for callers that write their own; arguments: the type of the tuple."""
    return _sharing(typing_context, kernel, arguments, types.float64, _SHARE, "egc_share")[1]


def _sharing(typing_context: Any, kernel: Any, arguments: Any, last: Any, function_type: Any, name: str) -> Any:
    """The signature and the code of a call of `name` with the kernel as a C function."""
    called = _called(typing_context, kernel, arguments.types)

    def generate(context, builder, signature, values):
        _, length, step, amount, packed = values
        given = _cast(context, builder, packed, arguments.types, called.args[2:])
        shared = cgutils.alloca_once(builder, ir.LiteralStructType([value.type for value in given]))
        for field, value in enumerate(given):
            builder.store(value, cgutils.gep_inbounds(builder, shared, 0, field))
        work = _work(context, builder.module, kernel, called, shared.type, 0)
        function = cgutils.get_or_insert_function(builder.module, function_type, name)
        return builder.call(function, [work, builder.bitcast(shared, _BYTES), length, step, amount])

    return types.int32(kernel, types.int64, types.int64, last, arguments), generate


def _called(typing_context: Any, kernel: Any, arguments: Any) -> Any:
    """The signature of a kernel for arguments after start and stop."""
    if not isinstance(kernel, types.Dispatcher):
        raise TypingError(f"work is shared by a compiled function, not {kernel}")
    called = kernel.get_call_type(typing_context, (types.int64, types.int64, *arguments), {})
    if not isinstance(called.return_type, (types.NoneType, types.Integer)):
        raise TypingError(f"a kernel returns nothing or an int status, not {called.return_type}")
    return called


def _cast(context: Any, builder: Any, packed: Any, sources: Any, targets: Any) -> list[Any]:
    values = cgutils.unpack_tuple(builder, packed)
    return [context.cast(builder, *each) for each in zip(values, sources, targets)]


def _work(context: Any, module: Any, kernel: Any, called: Any, shared_type: Any, first: int) -> Any:
    """The kernel as a C function that reads the arguments from where the caller put them, from the field `first` on."""
    result = kernel.dispatcher.get_compile_result(called)
    context.active_code_library.add_linking_library(result.library)
    name = f"egc_work_{result.fndesc.mangled_name}"
    if name in module.globals:
        return module.globals[name]
    function = ir.Function(module, _WORK, name)
    function.linkage = "internal"
    builder = ir.IRBuilder(function.append_basic_block())
    start, stop, place = function.args
    shared = builder.bitcast(place, shared_type)
    fields = range(first, first + len(called.args) - 2)
    given = [builder.load(cgutils.gep_inbounds(builder, shared, 0, field)) for field in fields]
    status, value = context.call_internal_no_propagate(builder, result.fndesc, called, [start, stop, *given])
    found = _INT(0)
    if isinstance(called.return_type, types.Integer):
        found = context.cast(builder, value, called.return_type, types.int32)
    builder.ret(builder.select(status.is_error, _INT(RAISED), found))
    return function


@intrinsic
def available_threads(typing_context):
    """How many threads a call may use, read when it runs."""

    def generate(context, builder, signature, arguments):
        name = "egc_thread_count"
        cell = builder.module.globals.get(name) or cgutils.add_global_variable(builder.module, _LONG, name)
        return builder.load_atomic(cell, "monotonic", 8)

    return types.int64(), generate


@intrinsic(prefer_literal=True)
def cells(typing_context, dtype, count):
    """The address of uninitialized memory for a fixed number of elements, which lasts as long as the calling function. It starts
    where a line of the cache does, so that no vector lies in two."""

    def generate(context, builder, signature, arguments):
        place = cgutils.alloca_once(builder, context.get_data_type(dtype.dtype), size=count.literal_value)
        place.align = 64
        return place

    return types.CPointer(dtype.dtype)(dtype, count), generate


@intrinsic
def in_vectors(typing_context):
    """Nothing. The loop in which it stands works on several vectors at a time, though it does not stand alone."""

    def generate(context, builder, signature, arguments):
        builder.call(builder.module.declare_intrinsic("llvm.donothing", (), ir.FunctionType(ir.VoidType(), [])), [])
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def pack(typing_context, kernel, arguments):
    """The address of `kernel` and its arguments, for `run_phase`, which lasts as long as the calling function.

    kernel: a compiled function `kernel(start, stop, value, phase, *arguments)`.
    arguments: in tuples of a tuple. They are not kept alive.
    """
    given = [kind for group in arguments.types for kind in group.types]
    called = _called(typing_context, kernel, (types.int64, types.int64, *given))

    def generate(context, builder, signature, values):
        groups = cgutils.unpack_tuple(builder, values[1])
        packed = [value for group in groups for value in cgutils.unpack_tuple(builder, group)]
        fields = [context.cast(builder, *each) for each in zip(packed, given, called.args[4:])]
        room = ir.LiteralStructType([_WORK.as_pointer(), _LONG, _LONG, *(value.type for value in fields)])
        place = cgutils.alloca_once(builder, room)
        work = _work(context, builder.module, kernel, called, place.type, 1)
        for field, value in zip((0, *range(3, len(room.elements))), (work, *fields)):
            builder.store(value, cgutils.gep_inbounds(builder, place, 0, field))
        return builder.bitcast(place, _BYTES)

    return types.voidptr(kernel, arguments), generate


@intrinsic
def call(typing_context, kernel, arguments):
    """What `kernel`, a compiled function, returns for arguments that are given in tuples of a tuple."""
    given = [kind for group in arguments.types for kind in group.types]
    called = kernel.get_call_type(typing_context, given, {})

    def generate(context, builder, signature, values):
        groups = cgutils.unpack_tuple(builder, values[1])
        passed = [value for group in groups for value in cgutils.unpack_tuple(builder, group)]
        passed = [context.cast(builder, *each) for each in zip(passed, given, called.args)]
        return context.get_function(signature.args[0], called)(builder, passed)

    return called.return_type(kernel, arguments), generate


run_phase = types.ExternalFunction(
    "egc_phase", types.int32(types.voidptr, types.int64, types.int64, types.int64, types.int64, types.float64)
)
"""`run_phase(packed, phase, length, step, value, nanoseconds)`: as `share`, for the kernel and the arguments that `pack` took,
with values for two more parameters."""

part = types.ExternalFunction("egc_part", types.int64(types.int64, types.int64))
"""The step for a range where each chunk gives a partial result, from its length and its elements: at most PARTS chunks."""


set_num_threads(None)
