"""Threads that wait for each other without sleep: a processor that sleeps takes longer to wake than a short kernel to run.

A helper that has finished waits some microseconds at a seat for the next call to take it along, and then goes; a call waits as
long for chunks that others have taken before it sleeps. Both look at memory and do nothing else meanwhile.
"""

from __future__ import annotations

import platform
import time

SEATS = 64
"""Helpers that wait at a time, at most."""

LINGER = 100_000
"""Nanoseconds that one waits: some times what a sleeping processor takes to wake."""

LOOKS = 32
"""Looks at memory from one look at the clock to the next."""

X86, ARM = ("llvm.x86.sse2.pause", ""), ("llvm.aarch64.hint", "i32 1")
PAUSES = {"x86_64": X86, "amd64": X86, "aarch64": ARM, "arm64": ARM}
"""What tells a processor that it waits: a function of LLVM's, and its arguments."""

WAITING = """
declare i32 @clock_gettime(i32, ptr)

@egc_seats = global [SEATS x i64] zeroinitializer
@egc_patience = global i64 LINGER

define i64 @egc_now() {
  %time = alloca [2 x i64]
  %failed = call i32 @clock_gettime(i32 CLOCK, ptr %time)
  %seconds = load i64, ptr %time
  %rest.at = getelementptr i64, ptr %time, i64 1
  %rest = load i64, ptr %rest.at
  %whole = mul i64 %seconds, 1000000000
  %now = add i64 %whole, %rest
  ret i64 %now
}

; Looks at a word until it is `value`, or where `equal` is false until it is not, for LINGER nanoseconds at most.
define void @egc_watch(ptr %word, i64 %value, i1 %equal) {
entry:
  %begin = call i64 @egc_now()
  %linger = load i64, ptr @egc_patience
  %end = add i64 %begin, %linger
  br label %look
look:
  %count = phi i64 [0, %entry], [%next, %pause], [0, %time]
  %found = load atomic i64, ptr %word acquire, align 8
  %same = icmp eq i64 %found, %value
  %done = icmp eq i1 %same, %equal
  br i1 %done, label %over, label %pause
pause:
  PAUSE
  %next = add i64 %count, 1
  %more = icmp slt i64 %next, LOOKS
  br i1 %more, label %look, label %time
time:
  %now = call i64 @egc_now()
  %early = icmp slt i64 %now, %end
  br i1 %early, label %look, label %over
over:
  ret void
}

; Waits at a free seat for a record: 1 stands for who waits. Gives null where none came.
define ptr @egc_linger() {
entry:
  br label %search
search:
  %k = phi i64 [0, %entry], [%further, %occupied]
  %left = icmp slt i64 %k, SEATS
  br i1 %left, label %try, label %none
try:
  %seat = getelementptr [SEATS x i64], ptr @egc_seats, i64 0, i64 %k
  %sitting = cmpxchg ptr %seat, i64 0, i64 1 acq_rel monotonic
  %free = extractvalue { i64, i1 } %sitting, 1
  br i1 %free, label %wait, label %occupied
occupied:
  %further = add i64 %k, 1
  br label %search
wait:
  call void @egc_watch(ptr %seat, i64 1, i1 false)
  %gone = atomicrmw xchg ptr %seat, i64 0 acq_rel
  %record = inttoptr i64 %gone to ptr
  %empty = icmp eq i64 %gone, 1
  br i1 %empty, label %none, label %taken
taken:
  ret ptr %record
none:
  ret ptr null
}

; Hands a record to a helper that waits; whether there was one.
define i1 @egc_hand(ptr %record) {
entry:
  %value = ptrtoint ptr %record to i64
  br label %search
search:
  %k = phi i64 [0, %entry], [%further, %next]
  %left = icmp slt i64 %k, SEATS
  br i1 %left, label %look, label %none
look:
  %seat = getelementptr [SEATS x i64], ptr @egc_seats, i64 0, i64 %k
  %state = load atomic i64, ptr %seat monotonic, align 8
  %waits = icmp eq i64 %state, 1
  br i1 %waits, label %try, label %next
try:
  %handed = cmpxchg ptr %seat, i64 1, i64 %value acq_rel monotonic
  %done = extractvalue { i64, i1 } %handed, 1
  br i1 %done, label %success, label %next
next:
  %further = add i64 %k, 1
  br label %search
success:
  ret i1 true
none:
  ret i1 false
}
"""


def text() -> str:
    """The functions for this machine."""
    pause = PAUSES.get(platform.machine().lower())
    written = WAITING.replace("PAUSE", f"call void @{pause[0]}({pause[1]})" if pause else "")
    if pause is not None:
        written = f"declare void @{pause[0]}({pause[1].split(' ')[0]})\n{written}"
    numbers = {"SEATS": SEATS, "LINGER": LINGER, "LOOKS": LOOKS, "CLOCK": time.CLOCK_MONOTONIC}
    for name, value in numbers.items():
        written = written.replace(name, str(value))
    return written
