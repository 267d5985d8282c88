"""BLAS on one thread where a product is one of many in a loop, or where threads share the work already: its own threads would
wait for each other longer than such products take.

OpenBLAS has one number of threads for the whole process. The first that asks for one thread notes the number, the last puts it
back; other calls of BLAS meanwhile take one thread, too, and give the same.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

TEXT = """
@egc_blas_get = global ptr null
@egc_blas_set = global ptr null
@egc_blas_users = global i64 0
@egc_blas_before = global i32 0

define void @egc_blas_one_thread() {
entry:
  %set = load atomic ptr, ptr @egc_blas_set acquire, align 8
  %unknown = icmp eq ptr %set, null
  br i1 %unknown, label %end, label %enter
enter:
  %users = atomicrmw add ptr @egc_blas_users, i64 1 acq_rel
  %first = icmp eq i64 %users, 0
  br i1 %first, label %look, label %end
look:
  %get = load ptr, ptr @egc_blas_get
  %threads = call i32 %get()
  %several = icmp sgt i32 %threads, 1
  br i1 %several, label %note, label %end
note:
  store atomic i32 %threads, ptr @egc_blas_before release, align 4
  call void %set(i32 1)
  br label %end
end:
  ret void
}

; Whoever takes the noted number puts it back: the next that asks for one thread may do so before that, and notes nothing.
define void @egc_blas_threads_again() {
entry:
  %users = load atomic i64, ptr @egc_blas_users monotonic, align 8
  %none = icmp eq i64 %users, 0
  br i1 %none, label %end, label %leave
leave:
  %left = atomicrmw sub ptr @egc_blas_users, i64 1 acq_rel
  %last = icmp eq i64 %left, 1
  br i1 %last, label %take, label %end
take:
  %before = atomicrmw xchg ptr @egc_blas_before, i32 0 acq_rel
  %noted = icmp sgt i32 %before, 1
  br i1 %noted, label %put, label %end
put:
  %set = load ptr, ptr @egc_blas_set
  call void %set(i32 %before)
  br label %end
end:
  ret void
}
"""

FUNCTIONS = ("egc_blas_one_thread", "egc_blas_threads_again")
CELL_TYPES = {
    "egc_blas_get": ctypes.c_void_p,
    "egc_blas_set": ctypes.c_void_p,
    "egc_blas_users": ctypes.c_int64,
    "egc_blas_before": ctypes.c_int32,
}
NAMES = [f"{prefix}openblas_{{}}_num_threads{suffix}" for prefix in ("scipy_", "") for suffix in ("", "64_")]
"""What the two functions of OpenBLAS are called."""


@cache
def library() -> tuple[Any, Any] | None:
    """The functions that get and set the number of threads of the OpenBLAS that SciPy calls; None where it calls another
    library, or one that frees memory of its threads with their number, perhaps while another call uses it."""
    import scipy.linalg.cython_blas  # noqa: F401, what loads the library
    from threadpoolctl import ThreadpoolController

    for each in ThreadpoolController().lib_controllers:
        numpys = "numpy.libs" in each.filepath or "numpy/.dylibs" in each.filepath
        if numpys or each.internal_api != "openblas" or each.threading_layer != "pthreads":
            continue
        for name in NAMES:
            pair = tuple(getattr(each.dynlib, name.format(verb), None) for verb in ("get", "set"))
            if all(pair):
                return pair  # type: ignore[return-value]
    return None


def find(cells: dict[str, Any]) -> None:
    """Makes the library known to compiled code."""
    if cells["egc_blas_set"].value or (pair := library()) is None:
        return
    for cell, function in zip(("egc_blas_get", "egc_blas_set"), pair):
        cells[cell].value = ctypes.cast(function, ctypes.c_void_p).value


def forget(cells: dict[str, Any]) -> None:
    """A forked process has none of the threads that asked for one; what they noted is put back."""
    before, cells["egc_blas_users"].value = cells["egc_blas_before"].value, 0
    cells["egc_blas_before"].value = 0
    pair = library() if before > 1 else None
    if pair is not None:
        pair[1](before)
