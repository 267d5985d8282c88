"""Threads for generated code: a range in fixed chunks, which POSIX threads that the call itself starts take in turn.

The chunks depend on the work alone, never on the number of threads, so that results do not either. Threads live for one
call: nothing is shared between callers, and a forked child inherits nothing. The calling thread takes chunks too; where a
thread cannot be started it takes them all. Machine code names `pthread_create`, `pthread_join` and two cells of this module
by symbol, so that it can be stored and loaded by another process that has imported this module.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any

from llvmlite import binding, ir
from numba import config, njit, types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic

LIMIT = 256
"""The most threads that one call uses."""

RAISED = 2**31 - 1
"""The status of a chunk whose kernel raised: exceptions do not cross threads, so kernels return a status instead."""

CHUNK = 20_000.0
"""What a chunk takes, about, in nanoseconds: many times what handing it out takes."""

SHARE = 60_000.0
"""The nanoseconds of work for which one more thread is started: about twice what starting and joining it takes."""

_count = ctypes.c_int64(0)
_started = ctypes.c_int64(0)
binding.add_symbol("egc_thread_count", ctypes.addressof(_count))
binding.add_symbol("egc_threads_started", ctypes.addressof(_started))

HAS_THREADS = binding.address_of_symbol("pthread_create") is not None

_INT, _LONG, _BYTES = ir.IntType(32), ir.IntType(64), ir.IntType(8).as_pointer()
_START = ir.FunctionType(_BYTES, [_BYTES])
_CREW = ir.LiteralStructType([_START.as_pointer(), _BYTES, _LONG])
_CHILDREN = LIMIT.bit_length() - 1


def processors() -> int:
    """The processors that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def set_num_threads(count: int | None) -> int:
    """Sets how many threads a call may use from now on, and returns that number.

    None is numba's setting, `NUMBA_NUM_THREADS`. There are never more than processors that this process may run on.

    >>> before = num_threads()
    >>> set_num_threads(1)
    1
    >>> set_num_threads(before) == before
    True
    """
    wanted = config.NUMBA_NUM_THREADS if count is None else count
    _count.value = max(1, min(int(wanted), processors(), LIMIT))
    return _count.value


def num_threads() -> int:
    """How many threads a call may use."""
    return _count.value


def started() -> int:
    """How many threads generated code has started in this process; the calling threads do not count."""
    return _started.value


@intrinsic
def parallel_for(typing_context, kernel, length, step, threads, arguments):
    """Runs `kernel(start, stop, *arguments)` over the chunks `[0, step), [step, 2*step), ...` of `range(length)`.

    kernel: a compiled function that returns nothing or an int status, on at most `threads` threads, the calling one included.
    The call is made without the GIL. Returns the largest status as int32, at least 0; RAISED where a kernel raised.

    >>> import numpy as np
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
    if not isinstance(kernel, types.Dispatcher):
        raise TypingError(f"parallel_for takes a compiled function, not {kernel}")
    called = kernel.get_call_type(typing_context, (types.int64, types.int64, *arguments.types), {})
    if not isinstance(called.return_type, (types.NoneType, types.Integer)):
        raise TypingError(f"a kernel returns nothing or an int status, not {called.return_type}")

    def generate(context, builder, signature, values):
        _, length, step, threads, packed = values
        given = [
            context.cast(builder, value, source, target)
            for value, source, target in zip(cgutils.unpack_tuple(builder, packed), arguments.types, called.args[2:])
        ]
        shared_type = ir.LiteralStructType([_LONG, _LONG, _LONG, _INT, *[value.type for value in given]])
        shared = cgutils.alloca_once(builder, shared_type)
        for field, value in enumerate([_LONG(0), length, step, _INT(0), *given]):
            builder.store(value, cgutils.gep_inbounds(builder, shared, 0, field))
        crew = cgutils.alloca_once(builder, _CREW)
        work = _work_function(context, builder.module, kernel, called, shared_type)
        for field, value in enumerate([work, builder.bitcast(shared, _BYTES), threads]):
            builder.store(value, cgutils.gep_inbounds(builder, crew, 0, field))
        builder.call(_crew_function(builder.module), [builder.bitcast(crew, _BYTES)])
        return builder.load(cgutils.gep_inbounds(builder, shared, 0, 3))

    return types.int32(kernel, types.int64, types.int64, types.int64, arguments), generate


def _work_function(context: Any, module: Any, kernel: Any, called: Any, shared_type: Any) -> Any:
    """Takes chunks until none is left. What threads share: next start, length, step, status, and the arguments."""
    result = kernel.dispatcher.get_compile_result(called)
    context.active_code_library.add_linking_library(result.library)
    function = ir.Function(module, _START, module.get_unique_name("egc_work"))
    function.linkage = "internal"
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    shared = builder.bitcast(function.args[0], shared_type.as_pointer())
    place = [cgutils.gep_inbounds(builder, shared, 0, field) for field in range(len(shared_type.elements))]
    length, step = builder.load(place[1]), builder.load(place[2])
    given = [builder.load(pointer) for pointer in place[4:]]
    take, run, done = (function.append_basic_block(name) for name in ("take", "run", "done"))
    builder.branch(take)
    builder.position_at_end(take)
    start = builder.atomic_rmw("add", place[0], step, "monotonic")
    builder.cbranch(builder.icmp_signed("<", start, length), run, done)
    builder.position_at_end(run)
    rest = builder.sub(length, start)
    stop = builder.add(start, builder.select(builder.icmp_signed("<", rest, step), rest, step))
    status, value = context.call_internal_no_propagate(builder, result.fndesc, called, [start, stop, *given])
    found = _INT(0)
    if isinstance(called.return_type, types.Integer):
        found = context.cast(builder, value, called.return_type, types.int32)
    found = builder.select(status.is_error, _INT(RAISED), found)
    builder.atomic_rmw("max", place[3], found, "monotonic")
    builder.branch(take)
    builder.position_at_end(done)
    builder.ret(_BYTES(None))
    return function


def _crew_function(module: Any) -> Any:
    """Starts threads for half of the count, each of which starts half of its own, works, and joins those it started.

    A tree, since starting one thread takes microseconds; its records live on the stacks of those who join.
    """
    name = "egc_crew"
    if name in module.globals:
        return module.globals[name]
    function = ir.Function(module, _START, name)
    function.linkage = "internal"
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    crew = builder.bitcast(function.args[0], _CREW.as_pointer())
    work, shared, count = (builder.load(cgutils.gep_inbounds(builder, crew, 0, field)) for field in range(3))
    handles = builder.alloca(ir.ArrayType(_LONG, _CHILDREN))
    crews = builder.alloca(ir.ArrayType(_CREW, _CHILDREN))
    left, children = builder.alloca(_LONG), builder.alloca(_LONG)
    builder.store(count, left)
    builder.store(_LONG(0), children)
    split, start, began, begin, join, wait, done = (
        function.append_basic_block(name) for name in ("split", "start", "began", "begin", "join", "wait", "done")
    )
    builder.branch(split if HAS_THREADS else begin)

    builder.position_at_end(split)
    number, remaining = builder.load(children), builder.load(left)
    more = builder.and_(
        builder.icmp_signed(">", remaining, _LONG(1)), builder.icmp_signed("<", number, _LONG(_CHILDREN))
    )
    builder.cbranch(more, start, begin)

    builder.position_at_end(start)
    half = builder.lshr(remaining, _LONG(1))
    child = cgutils.gep_inbounds(builder, crews, 0, number)
    for field, value in enumerate([work, shared, half]):
        builder.store(value, cgutils.gep_inbounds(builder, child, 0, field))
    create = ir.FunctionType(_INT, [_LONG.as_pointer(), _BYTES, _START.as_pointer(), _BYTES])
    handle = cgutils.gep_inbounds(builder, handles, 0, number)
    arguments = [handle, _BYTES(None), function, builder.bitcast(child, _BYTES)]
    failed = builder.call(cgutils.get_or_insert_function(module, create, "pthread_create"), arguments)
    builder.cbranch(builder.icmp_signed("==", failed, _INT(0)), began, begin)

    builder.position_at_end(began)
    builder.store(builder.add(number, _LONG(1)), children)
    builder.store(builder.sub(remaining, half), left)
    builder.atomic_rmw("add", _cell(module, "egc_threads_started"), _LONG(1), "monotonic")
    builder.branch(split)

    builder.position_at_end(begin)
    builder.call(work, [shared])
    builder.branch(join)

    builder.position_at_end(join)
    last = builder.load(children)
    builder.cbranch(builder.icmp_signed(">", last, _LONG(0)), wait, done)

    builder.position_at_end(wait)
    last = builder.sub(last, _LONG(1))
    builder.store(last, children)
    joined = ir.FunctionType(_INT, [_LONG, _BYTES.as_pointer()])
    handle = builder.load(cgutils.gep_inbounds(builder, handles, 0, last))
    builder.call(cgutils.get_or_insert_function(module, joined, "pthread_join"), [handle, _BYTES.as_pointer()(None)])
    builder.branch(join)

    builder.position_at_end(done)
    builder.ret(_BYTES(None))
    return function


def _cell(module: Any, name: str) -> Any:
    return module.globals[name] if name in module.globals else cgutils.add_global_variable(module, _LONG, name)


@intrinsic
def available_threads(typing_context):
    """How many threads a call may use, read when it runs."""

    def generate(context, builder, signature, arguments):
        return builder.load_atomic(_cell(builder.module, "egc_thread_count"), "monotonic", 8)

    return types.int64(), generate


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def threads_for(nanoseconds):
    """How many threads work of that many nanoseconds on one of them is worth: 1 where starting more would not pay."""
    return max(1, min(available_threads(), int(min(nanoseconds / SHARE, 256.0))))


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def chunk_for(nanoseconds):
    """The indices in a chunk where one takes that many nanoseconds: a power of two, whatever the number of threads."""
    step = 1
    while step * nanoseconds < CHUNK:
        step *= 2
    return step


set_num_threads(None)
