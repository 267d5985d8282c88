"""Where a helper starts: on another processor than the one that its creator works on.

A system may put a new thread on its creator's own processor, where it waits for a time slice of some milliseconds, longer than
most calls last, while another processor is idle. A helper is therefore created for the other processors, and may run
wherever its creator may as soon as it does run.
"""

from __future__ import annotations

from llvmlite import binding

NEEDED = ("pthread_attr_setaffinity_np", "sched_getcpu", "sched_getaffinity", "sched_setaffinity")
"""What a system's C library offers, where it lets a thread be placed."""

FUNCTIONS = ("egc_create", "egc_settle")

ANYWHERE = """
define i32 @egc_create(ptr %handle, ptr %function, ptr %argument, ptr %places) {
  %failure = call i32 @pthread_create(ptr %handle, ptr null, ptr %function, ptr %argument)
  ret i32 %failure
}

define void @egc_settle(ptr %places) {
  ret void
}
"""

ELSEWHERE = """
declare i32 @pthread_attr_init(ptr)
declare i32 @pthread_attr_setaffinity_np(ptr, i64, ptr)
declare i32 @pthread_attr_destroy(ptr)
declare i32 @sched_getcpu()
declare i32 @sched_getaffinity(i32, i64, ptr)
declare i32 @sched_setaffinity(i32, i64, ptr)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare i8 @llvm.vector.reduce.or.v128i8(<128 x i8>)

; Creates a thread on another processor than this one, if it may run on one, and notes in `places`, a set of processors, where
; this thread may run. A set that cannot be had is empty.
define i32 @egc_create(ptr %handle, ptr %function, ptr %argument, ptr %places) {
entry:
  %attributes = alloca [128 x i8], align 16
  %others = alloca [128 x i8], align 16
  store [128 x i8] zeroinitializer, ptr %places
  %bytes = call i32 @sched_getaffinity(i32 0, i64 128, ptr %places)
  %here = call i32 @sched_getcpu()
  %known = icmp ult i32 %here, 1024
  br i1 %known, label %exclude, label %anywhere
exclude:
  call void @llvm.memcpy.p0.p0.i64(ptr %others, ptr %places, i64 128, i1 false)
  %word = lshr i32 %here, 3
  %at = getelementptr i8, ptr %others, i32 %word
  %shift = and i32 %here, 7
  %small = trunc i32 %shift to i8
  %bit = shl i8 1, %small
  %mask = xor i8 %bit, -1
  %before = load i8, ptr %at
  %after = and i8 %before, %mask
  store i8 %after, ptr %at
  %set = load <128 x i8>, ptr %others, align 16
  %union = call i8 @llvm.vector.reduce.or.v128i8(<128 x i8> %set)
  %some = icmp ne i8 %union, 0
  br i1 %some, label %place, label %anywhere
place:
  call i32 @pthread_attr_init(ptr %attributes)
  call i32 @pthread_attr_setaffinity_np(ptr %attributes, i64 128, ptr %others)
  %failure = call i32 @pthread_create(ptr %handle, ptr %attributes, ptr %function, ptr %argument)
  call i32 @pthread_attr_destroy(ptr %attributes)
  ret i32 %failure
anywhere:
  %failure.anywhere = call i32 @pthread_create(ptr %handle, ptr null, ptr %function, ptr %argument)
  ret i32 %failure.anywhere
}

; Lets this thread run where its creator may; an empty set is refused by the system, and changes nothing.
define void @egc_settle(ptr %places) {
  call i32 @sched_setaffinity(i32 0, i64 128, ptr %places)
  ret void
}
"""


def text() -> str:
    """The functions for this system."""
    return ELSEWHERE if all(binding.address_of_symbol(name) for name in NEEDED) else ANYWHERE
