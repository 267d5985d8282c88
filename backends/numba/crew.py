"""`egc_parallel`, which shares chunks of work among threads: one function in LLVM's language that generated code calls by name.

    int32 egc_parallel(work, arguments, int64 length, int64 step, int64 threads)

calls `int32 work(start, stop, arguments)` on the chunks [0, step), [step, 2*step), ... of [0, length) and returns the largest
status, at least 0. Whoever is free takes the next chunk. The calling thread starts helpers and works too; helpers start
further ones before they work, so that many begin soon. The call waits for chunks that others have taken, not for helpers
that the machine has not run yet: those find nothing left, and the last to go frees what they shared. A helper serves one
call; the process has never more than `egc_thread_count - 1` of them, whoever calls, and without them the caller does it all.

The code has an engine of its own that is never disposed of: a helper may end after its call, and after the calling program.
"""

from __future__ import annotations

import ctypes
import os

from llvmlite import binding

CELLS = """
@egc_thread_count = global i64 1
@egc_threads_started = global i64 0
@egc_threads_alive = global i64 0
"""

SERIAL = """
declare i64 @llvm.smin.i64(i64, i64)
declare i32 @llvm.smax.i32(i32, i32)

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

FIELDS = "next finished wanted references status length step chunks work arguments mutex condition".split()
"""What threads share. next: the first index that nobody has taken; finished: the chunks that are; wanted: the helpers that
are still to be started; references: the threads that may look at the record; status: the largest so far."""

THREADED = """
%record = type { i64, i64, i64, i64, i64, i64, i64, i64, ptr, ptr, [128 x i8], [128 x i8] }

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
  call void @egc_recruit(ptr %record)
  call void @egc_work(ptr %record)
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
  br i1 %needed, label %admit, label %end
admit:
  %alive = atomicrmw add ptr @egc_threads_alive, i64 1 monotonic
  %count = load atomic i64, ptr @egc_thread_count monotonic, align 8
  %most = sub i64 %count, 1
  %room = icmp slt i64 %alive, %most
  br i1 %room, label %start, label %refused
start:
  atomicrmw add ptr %references.at, i64 1 monotonic
  %failure = call i32 @pthread_create(ptr %handle, ptr null, ptr @egc_help, ptr %record)
  %running = icmp eq i32 %failure, 0
  br i1 %running, label %started, label %failed
started:
  %thread = load i64, ptr %handle
  call i32 @pthread_detach(i64 %thread)
  atomicrmw add ptr @egc_threads_started, i64 1 monotonic
  br label %look
failed:
  atomicrmw sub ptr %references.at, i64 1 monotonic
  br label %refused
refused:
  atomicrmw sub ptr @egc_threads_alive, i64 1 monotonic
  br label %end
end:
  ret void
}

define ptr @egc_help(ptr %record) {
  call void @egc_recruit(ptr %record)
  call void @egc_work(ptr %record)
  call void @egc_release(ptr %record)
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

_ADDRESSES = "\n  ".join(
    f"%{name}.at = getelementptr %record, ptr %record, i32 0, i32 {k}" for k, name in enumerate(FIELDS)
)


def _load() -> dict[str, ctypes.c_int64]:
    """Compiles the code, makes its names known to other generated code, and gives the cells by name."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_default_triple().create_target_machine(opt=0, jit=True)
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), machine)
    threaded = binding.address_of_symbol("pthread_create") is not None
    text = CELLS + SERIAL + (THREADED.replace("FIELDS", _ADDRESSES) if threaded else ALONE)
    engine.add_module(binding.parse_assembly(text))
    engine.finalize_object()
    binding.add_symbol("egc_parallel", engine.get_function_address("egc_parallel"))
    cells = {}
    for name in ("egc_thread_count", "egc_threads_started", "egc_threads_alive"):
        address = engine.get_global_value_address(name)
        binding.add_symbol(name, address)
        cells[name] = ctypes.c_int64.from_address(address)
    engine.detach()
    if hasattr(os, "register_at_fork"):
        alive = cells["egc_threads_alive"]
        os.register_at_fork(after_in_child=lambda: setattr(alive, "value", 0))
    return cells


CELL = _load()
"""The cells that generated code reads and writes: how many threads a call may use, have been started, are running."""
