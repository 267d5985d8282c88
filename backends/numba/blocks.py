"""Memory of large results, which is used again: the system clears every page that it gives out, at several times the price of
writing to it.

`egc_acquire(size)` gives a block and `egc_give_back(block)` takes it, when numba's owner of an array (`egc_owner(block, taker)`
makes it) goes with the last reference. Of the blocks given back the last few are kept, each `LARGE` to `MOST` bytes, and
given out again for sizes down to half of theirs. These lie on huge pages where the system has them. It is written in LLVM's
language since callers hold no lock; each place for a block is exchanged in one atomic step.

All blocks begin in the middle of a page. Large arrays of others begin at the start of one, and a processor makes loads wait
for stores that are still under way to an address with the same place in its page: a result that is written a little ahead
of its operands' places takes a tenth longer.
"""

from __future__ import annotations

import ctypes
import mmap

from llvmlite import binding
from numba.core.registry import cpu_target
from numba.core.runtime import rtsys
from numba.core.runtime._nrt_python import c_helpers

LEAST = 1 << 17
"""Bytes from which results take memory from here: those for which the C library begins a page."""

LARGE = 1 << 22
"""Bytes of a block that is kept at least; what is smaller, the C library keeps itself."""

MOST = 1 << 27
"""Bytes of a block that is kept at most."""

PLACES = 2
"""Blocks that are kept: a loop that replaces one result by the next needs one."""

PAGE = 4096
"""Bytes of a page. A block begins in the middle of one."""

HEADER = 16
"""Bytes before a block: its capacity, and where the C library's memory begins."""

ADVICE = """
  %address = ptrtoint ptr %block to i64
  %up = add i64 %address, 4095
  %first = and i64 %up, -PAGE
  %end = add i64 %address, %all
  %length = sub i64 %end, %first
  call i32 @madvise(i64 %first, i64 %length, i32 HUGE)
"""

SOURCE = """
declare ptr @malloc(i64)
declare void @free(ptr)
declare i32 @madvise(i64, i64, i32)

@egc_blocks = global [PLACES x i64] zeroinitializer

define ptr @egc_acquire(i64 %size) {
entry:
  %small = icmp ult i64 %size, LARGE
  %start = select i1 %small, i64 PLACES, i64 0
  br label %search
search:
  %k = phi i64 [ %start, %entry ], [ %next, %unfit ]
  %more = icmp ult i64 %k, PLACES
  br i1 %more, label %take, label %fresh
take:
  %place = getelementptr [PLACES x i64], ptr @egc_blocks, i64 0, i64 %k
  %found = atomicrmw xchg ptr %place, i64 0 acq_rel
  %none = icmp eq i64 %found, 0
  br i1 %none, label %unfit, label %measure
measure:
  %kept = inttoptr i64 %found to ptr
  %capacity.at = getelementptr i64, ptr %kept, i64 -2
  %capacity = load i64, ptr %capacity.at
  %half = lshr i64 %capacity, 1
  %enough = icmp uge i64 %capacity, %size
  %near = icmp uge i64 %size, %half
  %fits = and i1 %enough, %near
  br i1 %fits, label %reuse, label %restore
reuse:
  ret ptr %kept
restore:
  %other = atomicrmw xchg ptr %place, i64 %found acq_rel
  call void @egc_free(i64 %other)
  br label %unfit
unfit:
  %next = add i64 %k, 1
  br label %search
fresh:
  %all = add i64 %size, MARGIN
  %block = call ptr @malloc(i64 %all)
  %failed = icmp eq ptr %block, null
  br i1 %failed, label %nothing, label %made
made:
  br i1 %small, label %ready, label %advise
advise:
  ADVICE
  br label %ready
ready:
  %begin = ptrtoint ptr %block to i64
  %beyond = add i64 %begin, ROUNDING
  %page = and i64 %beyond, -PAGE
  %aligned = add i64 %page, MIDDLE
  %own = inttoptr i64 %aligned to ptr
  %size.at = getelementptr i64, ptr %own, i64 -2
  store i64 %size, ptr %size.at
  %begin.at = getelementptr i64, ptr %own, i64 -1
  store i64 %begin, ptr %begin.at
  ret ptr %own
nothing:
  ret ptr null
}

define void @egc_give_back(ptr %own) {
entry:
  %capacity.at = getelementptr i64, ptr %own, i64 -2
  %capacity = load i64, ptr %capacity.at
  %given = ptrtoint ptr %own to i64
  %huge = icmp ugt i64 %capacity, MOST
  %small = icmp ult i64 %capacity, LARGE
  %unkept = or i1 %huge, %small
  %start = select i1 %unkept, i64 PLACES, i64 0
  br label %search
search:
  %k = phi i64 [ %start, %entry ], [ %next, %push ]
  %held = phi i64 [ %given, %entry ], [ %displaced, %push ]
  %more = icmp ult i64 %k, PLACES
  %any = icmp ne i64 %held, 0
  %go = and i1 %more, %any
  br i1 %go, label %push, label %rest
push:
  %place = getelementptr [PLACES x i64], ptr @egc_blocks, i64 0, i64 %k
  %displaced = atomicrmw xchg ptr %place, i64 %held acq_rel
  %next = add i64 %k, 1
  br label %search
rest:
  call void @egc_free(i64 %held)
  ret void
}

define void @egc_free(i64 %held) {
  %none = icmp eq i64 %held, 0
  br i1 %none, label %end, label %some
some:
  %own = inttoptr i64 %held to ptr
  %begin.at = getelementptr i64, ptr %own, i64 -1
  %begin = load i64, ptr %begin.at
  %block = inttoptr i64 %begin to ptr
  call void @free(ptr %block)
  br label %end
end:
  ret void
}
"""

NUMBERS = {"PLACES": PLACES, "LARGE": LARGE, "MOST": MOST, "PAGE": PAGE, "MIDDLE": PAGE // 2}
NUMBERS |= {"MARGIN": PAGE + HEADER, "ROUNDING": HEADER + PAGE // 2 - 1}
"""What the source leaves open. The middle of a page that follows `begin + HEADER` is at most `PAGE - 1` bytes further."""

MANAGE_MEMORY = 2
"""The place of `manage_memory` among the functions that numba's runtime has for others (nrt_external.h)."""


def _load() -> None:
    """Compiles the code in an engine that is never disposed of, since arrays may outlive everything, and makes its names
    known to generated code."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_default_triple().create_target_machine(opt=1, jit=True)
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), machine)
    huge = getattr(mmap, "MADV_HUGEPAGE", None)
    text = SOURCE.replace("ADVICE", ADVICE.replace("HUGE", str(huge)) if huge is not None else "")
    for name, value in NUMBERS.items():
        text = text.replace(name, str(value))
    if huge is None:
        text = text.replace("declare i32 @madvise(i64, i64, i32)", "")
    engine.add_module(binding.parse_assembly(text))
    engine.finalize_object()
    for name in ("egc_acquire", "egc_give_back"):
        binding.add_symbol(name, engine.get_function_address(name))
    engine.detach()
    rtsys.initialize(cpu_target.target_context)
    functions = (ctypes.c_void_p * 3).from_address(ctypes.CFUNCTYPE(ctypes.c_void_p)(c_helpers["get_api"])())
    binding.add_symbol("egc_owner", functions[MANAGE_MEMORY])


_load()
