"""`egc_parallel`, which shares chunks of work among threads: one function in LLVM's language that generated code calls by name.

    int32 egc_parallel(work, arguments, int64 length, int64 step, int64 threads)

calls `int32 work(start, stop, arguments)` on the chunks [0, step), [step, 2*step), ... of [0, length) and returns the largest
status, at least 0. Whoever is free takes the next chunk. The calling thread starts helpers and works too; helpers start
further ones before they work, so that many begin soon. The call waits for chunks that others have taken, not for helpers
that the machine has not run yet: those find nothing left, and the last to go frees what they shared. A helper waits a little
for the next call, see `waiting`, and goes; the process has never more than `egc_thread_count - 1` of them, whoever calls, and
without them the caller does it all.

The code has an engine of its own that is never disposed of: a helper may end after its call, and after the calling program.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any

from llvmlite import binding

from egc.backends.numba import one_thread, places, waiting

CELLS = """
@egc_thread_count = global i64 1
@egc_threads_started = global i64 0
@egc_threads_alive = global i64 0
@egc_thread_share = global double 5.0e4
"""
"""How many threads a call may use, how many have been started and are running, and the nanoseconds of work
for which one more is started: a few times what starting it takes."""

CHUNK = 20_000.0
"""What a chunk takes at least, about, in nanoseconds: hundreds of times what handing it out takes."""

EACH = 2
"""Chunks for each thread, where they do not take longer than """

LONGEST = 64
"""so many times the least."""

PARTS = 64
"""The most partial results of a reduction."""

PART = 2**13
"""The least elements for one partial result."""

CHOICES = """
declare i64 @llvm.smin.i64(i64, i64)
declare i64 @llvm.smax.i64(i64, i64)
declare i32 @llvm.smax.i32(i32, i32)
declare double @llvm.minnum.f64(double, double)

; How many threads work of so many nanoseconds is worth.
define i64 @egc_threads(double %nanoseconds) {
  %share = load double, ptr @egc_thread_share
  %worth = fdiv double %nanoseconds, %share
  %bounded = call double @llvm.minnum.f64(double %worth, double 1.0e6)
  %whole = fptosi double %bounded to i64
  %useful = add i64 %whole, 1
  %count = load atomic i64, ptr @egc_thread_count monotonic, align 8
  %threads = call i64 @llvm.smin.i64(i64 %useful, i64 %count)
  ret i64 %threads
}

; The indices of one chunk where all of them take so many nanoseconds: few chunks for each thread, since walks through memory
; gain speed as they go on, and as many for one as for another.
define i64 @egc_step(i64 %length, double %nanoseconds, i64 %threads) {
  %worth = fdiv double %nanoseconds, CHUNK
  %bounded = call double @llvm.minnum.f64(double %worth, double 1.0e6)
  %whole = fptosi double %bounded to i64
  %many = sdiv i64 %whole, %threads
  %few = call i64 @llvm.smin.i64(i64 %many, i64 EACH)
  %short = sdiv i64 %many, LONGEST
  %each = call i64 @llvm.smax.i64(i64 %few, i64 %short)
  %some = call i64 @llvm.smax.i64(i64 %each, i64 1)
  %chunks = mul i64 %some, %threads
  %up = add i64 %length, %chunks
  %last = sub i64 %up, 1
  %size = sdiv i64 %last, %chunks
  %beyond = add i64 %size, 63
  %lines = and i64 %beyond, -64
  %small = icmp slt i64 %size, 64
  %step = select i1 %small, i64 %size, i64 %lines
  %least = call i64 @llvm.smax.i64(i64 %step, i64 1)
  ret i64 %least
}

; The indices of one chunk where each chunk gives a partial result: it depends on sizes only.
define i64 @egc_part(i64 %length, i64 %elements) {
entry:
  %single = icmp slt i64 %elements, PART_TWICE
  %all = call i64 @llvm.smax.i64(i64 %length, i64 1)
  br i1 %single, label %one, label %several
one:
  ret i64 %all
several:
  %whole = sdiv i64 %elements, PART_SIZE
  %some = call i64 @llvm.smax.i64(i64 %whole, i64 1)
  %parts = call i64 @llvm.smin.i64(i64 %some, i64 PARTS)
  %up = add i64 %length, %parts
  %beyond = sub i64 %up, 1
  %step = sdiv i64 %beyond, %parts
  %least = call i64 @llvm.smax.i64(i64 %step, i64 1)
  ret i64 %least
}

; Shares work that takes so many nanoseconds; a step of 0 leaves the chunks to this function. Little work in one chunk is
; done here, before anything is divided.
define i32 @egc_share(ptr %work, ptr %arguments, i64 %length, i64 %step, double %nanoseconds) {
entry:
  %share = load double, ptr @egc_thread_share
  %little = fcmp olt double %nanoseconds, %share
  %choice = icmp sle i64 %step, 0
  %covers = icmp sle i64 %length, %step
  %once = or i1 %choice, %covers
  %some = icmp sgt i64 %length, 0
  %whole.once = and i1 %once, %some
  %at.once = and i1 %little, %whole.once
  br i1 %at.once, label %direct, label %weigh
direct:
  %found = call i32 %work(i64 0, i64 %length, ptr %arguments)
  %positive = call i32 @llvm.smax.i32(i32 %found, i32 0)
  ret i32 %positive
weigh:
  %threads = call i64 @egc_threads(double %nanoseconds)
  %alone = icmp eq i64 %threads, 1
  %whole = call i64 @llvm.smax.i64(i64 %length, i64 1)
  %own = call i64 @egc_step(i64 %length, double %nanoseconds, i64 %threads)
  %chosen = select i1 %alone, i64 %whole, i64 %own
  %given = icmp sgt i64 %step, 0
  %chunk = select i1 %given, i64 %step, i64 %chosen
  %status = call i32 @egc_parallel(ptr %work, ptr %arguments, i64 %length, i64 %chunk, i64 %threads)
  ret i32 %status
}
"""

PHASE = """
; One phase of a kernel whose arguments were packed: its C function, and room for the values of two parameters, come first.
define i32 @egc_phase(ptr %packed, i64 %phase, i64 %length, i64 %step, i64 %value, double %nanoseconds) {
  %value.at = getelementptr i64, ptr %packed, i32 1
  %phase.at = getelementptr i64, ptr %packed, i32 2
  store i64 %value, ptr %value.at
  store i64 %phase, ptr %phase.at
  %work = load ptr, ptr %packed
  %status = call i32 @egc_share(ptr %work, ptr %packed, i64 %length, i64 %step, double %nanoseconds)
  ret i32 %status
}
"""

SERIAL = """

define i32 @egc_serial(ptr %work, ptr %arguments, i64 %length, i64 %step) {
entry:
  %some = icmp sgt i64 %length, 0
  br i1 %some, label %chunk, label %end
chunk:
  %start = phi i64 [0, %entry], [%stop, %chunk]
  %status = phi i32 [0, %entry], [%largest, %chunk]
  %rest = sub i64 %length, %start
  %size = call i64 @llvm.smin.i64(i64 %rest, i64 %step)
  %stop = add i64 %start, %size
  %found = call i32 %work(i64 %start, i64 %stop, ptr %arguments)
  %largest = call i32 @llvm.smax.i32(i32 %status, i32 %found)
  %more = icmp slt i64 %stop, %length
  br i1 %more, label %chunk, label %end
end:
  %result = phi i32 [0, %entry], [%largest, %chunk]
  ret i32 %result
}
"""

ALONE = """
define i32 @egc_parallel(ptr %work, ptr %arguments, i64 %length, i64 %step, i64 %threads) {
  %status = call i32 @egc_serial(ptr %work, ptr %arguments, i64 %length, i64 %step)
  ret i32 %status
}
"""
"""For systems without POSIX threads."""

FIELDS = "next finished wanted references status length step chunks work arguments mutex condition places".split()
"""What threads share. next: the first index that nobody has taken; finished: the chunks that are; wanted: the helpers that
are still to be started; references: the threads that may look at the record; status: the largest so far; places: the processors
that helpers may run on."""

THREADED = """
%record = type { i64, i64, i64, i64, i64, i64, i64, i64, ptr, ptr, [128 x i8], [128 x i8], [128 x i8] }

declare ptr @malloc(i64)
declare void @free(ptr)
declare i32 @pthread_create(ptr, ptr, ptr, ptr)
declare i32 @pthread_detach(i64)
declare i32 @pthread_mutex_init(ptr, ptr)
declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_mutex_destroy(ptr)
declare i32 @pthread_cond_init(ptr, ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_signal(ptr)
declare i32 @pthread_cond_destroy(ptr)

define i32 @egc_parallel(ptr %work, ptr %arguments, i64 %length, i64 %step, i64 %threads) {
  %beyond = add i64 %length, %step
  %last = sub i64 %beyond, 1
  %chunks = sdiv i64 %last, %step
  %useful = call i64 @llvm.smin.i64(i64 %threads, i64 %chunks)
  %helpers = sub i64 %useful, 1
  %together = icmp sgt i64 %helpers, 0
  br i1 %together, label %allocate, label %alone
allocate:
  %record = call ptr @malloc(i64 ptrtoint (ptr getelementptr (%record, ptr null, i64 1) to i64))
  %memory = icmp ne ptr %record, null
  br i1 %memory, label %share, label %alone
alone:
  %only = call i32 @egc_serial(ptr %work, ptr %arguments, i64 %length, i64 %step)
  ret i32 %only
share:
  FIELDS
  store i64 0, ptr %next.at
  store i64 0, ptr %finished.at
  store i64 %helpers, ptr %wanted.at
  store i64 1, ptr %references.at
  store i64 0, ptr %status.at
  store i64 %length, ptr %length.at
  store i64 %step, ptr %step.at
  store i64 %chunks, ptr %chunks.at
  store ptr %work, ptr %work.at
  store ptr %arguments, ptr %arguments.at
  call i32 @pthread_mutex_init(ptr %mutex.at, ptr null)
  call i32 @pthread_cond_init(ptr %condition.at, ptr null)
  call void @egc_blas_one_thread()
  call void @egc_recruit(ptr %record)
  call void @egc_work(ptr %record)
  call void @egc_watch(ptr %finished.at, i64 %chunks, i1 true)
  call i32 @pthread_mutex_lock(ptr %mutex.at)
  br label %check
check:
  %count = load atomic i64, ptr %finished.at acquire, align 8
  %complete = icmp eq i64 %count, %chunks
  br i1 %complete, label %leave, label %wait
wait:
  call i32 @pthread_cond_wait(ptr %condition.at, ptr %mutex.at)
  br label %check
leave:
  call i32 @pthread_mutex_unlock(ptr %mutex.at)
  %status = load atomic i64, ptr %status.at monotonic, align 8
  call void @egc_release(ptr %record)
  call void @egc_blas_threads_again()
  %result = trunc i64 %status to i32
  ret i32 %result
}

; Starts the helpers that are wanted while there is something left for them.
define void @egc_recruit(ptr %record) {
  %handle = alloca i64
  FIELDS
  %length = load i64, ptr %length.at
  br label %look
look:
  %next = load atomic i64, ptr %next.at monotonic, align 8
  %left = icmp slt i64 %next, %length
  br i1 %left, label %ask, label %end
ask:
  %wanted = atomicrmw sub ptr %wanted.at, i64 1 monotonic
  %needed = icmp sgt i64 %wanted, 0
  br i1 %needed, label %hand, label %end
hand:
  atomicrmw add ptr %references.at, i64 1 monotonic
  %handed = call i1 @egc_hand(ptr %record)
  br i1 %handed, label %joined, label %admit
joined:
  atomicrmw add ptr @egc_threads_started, i64 1 monotonic
  br label %look
admit:
  %alive = atomicrmw add ptr @egc_threads_alive, i64 1 monotonic
  %count = load atomic i64, ptr @egc_thread_count monotonic, align 8
  %most = sub i64 %count, 1
  %room = icmp slt i64 %alive, %most
  br i1 %room, label %start, label %refused
start:
  %failure = call i32 @egc_create(ptr %handle, ptr @egc_help, ptr %record, ptr %places.at)
  %running = icmp eq i32 %failure, 0
  br i1 %running, label %started, label %refused
started:
  %thread = load i64, ptr %handle
  call i32 @pthread_detach(i64 %thread)
  atomicrmw add ptr @egc_threads_started, i64 1 monotonic
  br label %look
refused:
  atomicrmw sub ptr %references.at, i64 1 monotonic
  atomicrmw sub ptr @egc_threads_alive, i64 1 monotonic
  br label %end
end:
  ret void
}

define ptr @egc_help(ptr %first) {
entry:
  %places.at = getelementptr %record, ptr %first, i32 0, i32 PLACES
  call void @egc_settle(ptr %places.at)
  br label %help
help:
  %record = phi ptr [%first, %entry], [%next, %help]
  call void @egc_recruit(ptr %record)
  call void @egc_work(ptr %record)
  call void @egc_release(ptr %record)
  %next = call ptr @egc_linger()
  %more = icmp ne ptr %next, null
  br i1 %more, label %help, label %end
end:
  atomicrmw sub ptr @egc_threads_alive, i64 1 monotonic
  ret ptr null
}

; Takes chunks until none is left, and wakes the caller when the last one is finished.
define void @egc_work(ptr %record) {
entry:
  FIELDS
  %length = load i64, ptr %length.at
  %step = load i64, ptr %step.at
  %chunks = load i64, ptr %chunks.at
  %work = load ptr, ptr %work.at
  %arguments = load ptr, ptr %arguments.at
  br label %take
take:
  %taken = phi i64 [0, %entry], [%more, %chunk]
  %start = atomicrmw add ptr %next.at, i64 %step monotonic
  %left = icmp slt i64 %start, %length
  br i1 %left, label %chunk, label %end
chunk:
  %rest = sub i64 %length, %start
  %size = call i64 @llvm.smin.i64(i64 %rest, i64 %step)
  %stop = add i64 %start, %size
  %found = call i32 %work(i64 %start, i64 %stop, ptr %arguments)
  %wide = sext i32 %found to i64
  atomicrmw max ptr %status.at, i64 %wide monotonic
  %more = add i64 %taken, 1
  br label %take
end:
  %before = atomicrmw add ptr %finished.at, i64 %taken acq_rel
  %now = add i64 %before, %taken
  %complete = icmp eq i64 %now, %chunks
  br i1 %complete, label %wake, label %leave
wake:
  call i32 @pthread_mutex_lock(ptr %mutex.at)
  call i32 @pthread_cond_signal(ptr %condition.at)
  call i32 @pthread_mutex_unlock(ptr %mutex.at)
  br label %leave
leave:
  ret void
}

define void @egc_release(ptr %record) {
  FIELDS
  %references = atomicrmw sub ptr %references.at, i64 1 acq_rel
  %last = icmp eq i64 %references, 1
  br i1 %last, label %free, label %leave
free:
  call i32 @pthread_mutex_destroy(ptr %mutex.at)
  call i32 @pthread_cond_destroy(ptr %condition.at)
  call void @free(ptr %record)
  br label %leave
leave:
  ret void
}
"""

FUNCTIONS = ("egc_parallel", "egc_share", "egc_phase", "egc_threads", "egc_step", "egc_part")
CELL_TYPES = {
    "egc_thread_count": ctypes.c_int64,
    "egc_threads_started": ctypes.c_int64,
    "egc_threads_alive": ctypes.c_int64,
    "egc_thread_share": ctypes.c_double,
}

_ADDRESSES = "\n  ".join(
    f"%{name}.at = getelementptr %record, ptr %record, i32 0, i32 {k}" for k, name in enumerate(FIELDS)
)


def _load() -> dict[str, Any]:
    """Compiles the code, makes its names known to other generated code, and gives the cells by name."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_default_triple().create_target_machine(opt=0, jit=True)
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), machine)
    threaded = binding.address_of_symbol("pthread_create") is not None
    choices = (
        CHOICES.replace("CHUNK", repr(CHUNK))
        .replace("EACH", str(EACH))
        .replace("LONGEST", str(LONGEST))
        .replace("PART_SIZE", str(PART))
        .replace("PART_TWICE", str(2 * PART))
        .replace("PARTS", str(PARTS))
    )
    written = THREADED.replace("FIELDS", _ADDRESSES).replace("PLACES", str(FIELDS.index("places")))
    parallel = written + places.text() + waiting.text() if threaded else ALONE
    engine.add_module(binding.parse_assembly(CELLS + choices + PHASE + SERIAL + one_thread.TEXT + parallel))
    engine.finalize_object()
    for name in (*FUNCTIONS, *one_thread.FUNCTIONS, *(places.FUNCTIONS if threaded else ())):
        binding.add_symbol(name, engine.get_function_address(name))
    cells: dict[str, Any] = {}
    kinds = {**CELL_TYPES, **one_thread.CELL_TYPES}
    if threaded:
        kinds |= {"egc_seats": ctypes.c_int64 * waiting.SEATS, "egc_patience": ctypes.c_int64}
    for name, kind in kinds.items():
        address = engine.get_global_value_address(name)
        binding.add_symbol(name, address)
        cells[name] = kind.from_address(address)
    engine.detach()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: _forget(cells))
    return cells


def _forget(cells: dict[str, Any]) -> None:
    """A forked process has none of the threads that it knows."""
    cells["egc_threads_alive"].value = 0
    one_thread.forget(cells)
    if (seats := cells.get("egc_seats")) is not None:
        ctypes.memset(seats, 0, ctypes.sizeof(seats))


CELL = _load()
"""The cells that generated code reads and writes, by name."""
