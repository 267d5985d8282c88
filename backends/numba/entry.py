"""From a call in Python to a driver and back, without Python code or numba's: one C function for all drivers.

A callable that `make_callable` gives is a builtin function, whose `self` is a tuple: a table of what the driver takes and gives,
and the objects that the table names by their places. The function compares the arguments with the table, reads arrays'
fields and numbers, calls the driver through its adapter (`adapter.py`), and makes the results. Whatever does not fit, or
fails, goes to the callable `slow` with the arguments as they were. The fields of arrays, tuples and numbers lie where the
headers of CPython and NumPy put them, which `supported` checks.

The interpreter's lock is released where an axis is long enough that others would wait.
"""

from __future__ import annotations

import ctypes
import struct
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from llvmlite import binding
from numba.core.runtime._nrt_python import c_helpers
from numpy._core import _multiarray_umath  # type: ignore[attr-defined]

from egc.backends.numba.boxing import BOXING
from egc.backends.numba.calling import CALLING

ITEMS = ("table", "slow", "finish", "names")
"""What the tuple begins with; then come three objects for each value guard, and others."""

HEADER = ("adapter", "raise", "given", "guards", "rows", "outputs", "held", "words", "results", "mode")
"""What the table begins with, in words; then come the rows, and the outputs."""

ROW = (
    "kind", "source", "object", "rank", "itemsize", "mask", "flags", "least", "most", "place", "dense", "order", "odd", "unlike",
    "written",
)  # fmt: skip
"""Elements of an array are neighbours along the first `dense` axes in the `order`, which has four bits for each axis. Whether any
step is `odd`, no multiple of the elements' size; the first one's is `unlike` that number. One that is `written` shares no
memory with others."""

OUTPUT = ("kind", "object", "rank", "itemsize", "ordered", "place")

ARRAY, VALUE, INTEGER, FIXED = range(4)
"""Kinds of rows: an array; an object of one type, whose value is the bytes after its head; an int; one object."""

BOXED_ARRAY, BOXED_ZERO, BOXED_SCALAR, BOXED_FLOAT, BOXED_INT, BOXED_BOOL, BOXED_COMPLEX = range(7)
"""Kinds of outputs: an array; one of rank 0; a NumPy scalar; Python's numbers."""

EVEN, ODD, EITHER = range(3)
"""Steps that are all multiples of the elements' size, or not all; no matter which."""

NEVER = -(2**63)
"""A step that no array has."""

RAISES, TUPLE, STORES, WRITES = 1, 2, 4, 8
"""Modes: a driver's error is raised; one output comes in a tuple, too; code may have changed arguments when there is no memory;
arguments are written, by code or later."""

C_ORDER, F_ORDER, ALIGNED, WRITEABLE = 0x1, 0x2, 0x100, 0x400
"""NumPy's flags of an array."""

COPIED = 512
"""Bytes of a result up to which it is copied into memory of NumPy's own: an owner for the driver's takes longer."""

NUMPY = {"NewFromDescr": 94, "Scalar": 60, "SetBaseObject": 282, "NewCopy": 85}
"""Places in NumPy's table of C functions."""

ALLOCATED = 32
"""Bytes of numba's description of an exception before the word that says whether it was made for one error; it is freed as the
exception is raised. Raising a constant one takes microseconds, which the slow way saves."""

PYTHON = """PyObject_Vectorcall PyDict_GetItemWithError PyErr_Clear PyObject_CallNoArgs Py_IncRef Py_DecRef PyTuple_New
PyEval_SaveThread PyEval_RestoreThread PyCapsule_New PyCapsule_GetPointer PyLong_AsLongLongAndOverflow PyLong_FromLongLong
PyFloat_FromDouble PyBool_FromLong PyComplex_FromDoubles PyErr_ExceptionMatches""".split()

DECLARATIONS = """
declare ptr @PyObject_Vectorcall(ptr, ptr, i64, ptr)
declare ptr @PyDict_GetItemWithError(ptr, ptr)
declare void @PyErr_Clear()
declare i32 @PyErr_ExceptionMatches(ptr)
declare ptr @PyObject_CallNoArgs(ptr)
declare void @Py_IncRef(ptr)
declare void @Py_DecRef(ptr)
declare ptr @PyTuple_New(i64)
declare ptr @PyEval_SaveThread()
declare void @PyEval_RestoreThread(ptr)
declare ptr @PyCapsule_New(ptr, ptr, ptr)
declare ptr @PyCapsule_GetPointer(ptr, ptr)
declare i64 @PyLong_AsLongLongAndOverflow(ptr, ptr)
declare ptr @PyLong_FromLongLong(i64)
declare ptr @PyFloat_FromDouble(double)
declare ptr @PyBool_FromLong(i64)
declare ptr @PyComplex_FromDoubles(double, double)
declare ptr @egc_NewFromDescr(ptr, ptr, i32, ptr, ptr, ptr, i32, ptr)
declare ptr @egc_Scalar(ptr, ptr, ptr)
declare i32 @egc_SetBaseObject(ptr, ptr)
declare ptr @egc_NewCopy(ptr, i32)
declare void @egc_end_of_memory(ptr)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare i64 @llvm.smax.i64(i64, i64)
declare i64 @llvm.smin.i64(i64, i64)

%row = type { ROW }
%output = type { OUTPUT }
%header = type { HEADER }

"""


def supported() -> bool:
    """Whether this interpreter and NumPy keep objects as they are read here: CPython with the interpreter's lock, and words
    of 64 bits."""
    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return False
    array, number, pair = np.empty((2, 3)), 1.5, (None, array_type := np.ndarray)
    fields = (ctypes.c_int64 * 7).from_address(id(array) + object.__basicsize__)
    lengths, strides = ((ctypes.c_int64 * 2).from_address(fields[k]) for k in (2, 3))
    return (
        ctypes.sizeof(ctypes.c_void_p) == 8
        and (fields[0], fields[1] & 0xFFFFFFFF, fields[5]) == (array.ctypes.data, 2, id(array.dtype))
        and (tuple(lengths), tuple(strides)) == (array.shape, array.strides)
        and fields[6] & 0xFFFFFFFF & (C_ORDER | F_ORDER | ALIGNED | WRITEABLE) == C_ORDER | ALIGNED | WRITEABLE
        and ctypes.c_double.from_address(id(number) + object.__basicsize__).value == number
        and ctypes.c_int64.from_address(id(pair) + tuple.__basicsize__ + 8).value == id(array_type)
        and bytes(ctypes.string_at(id(b"egc") + bytes.__basicsize__ - 1, 3)) == b"egc"
    )


class _Method(ctypes.Structure):
    """CPython's PyMethodDef."""

    _fields_ = [("name", ctypes.c_char_p), ("code", ctypes.c_void_p), ("flags", ctypes.c_int), ("doc", ctypes.c_char_p)]


FASTCALL, KEYWORDS = 0x80, 0x2


def _fields(struct_name: str, names: Sequence[str], pointer: str) -> str:
    return "\n  ".join(
        f"%{name}.at = getelementptr %{struct_name}, ptr {pointer}, i32 0, i32 {k}" for k, name in enumerate(names)
    )


def _text() -> str:
    head = object.__basicsize__
    numbers = {
        "BYTES_AT": bytes.__basicsize__ - 1, "ITEMS_AT": tuple.__basicsize__, "LENGTH_AT": head, "TYPE_AT": head - 8,
        "DATA_AT": head, "RANK_AT": head + 8, "LENGTHS_AT": head + 16, "STRIDES_AT": head + 24, "DESCR_AT": head + 40,
        "FLAGS_AT": head + 48, "HEAD": head, "NDARRAY": id(np.ndarray), "NOT_IMPLEMENTED": id(NotImplemented),
        "NO_MEMORY": id(MemoryError),
        "WRITTEN_FIELD": ROW.index("written"),
        "MADE_AT": ALLOCATED, "NONE": id(None), "COPIED": COPIED, "BEHAVED": ALIGNED | WRITEABLE,
    }  # fmt: skip
    text = DECLARATIONS + CALLING + BOXING
    for name, fields, pointer in (("header", HEADER, "%table"), ("row", ROW, "%row"), ("output", OUTPUT, "%output")):
        text = text.replace(f"{name.upper()}_FIELDS", _fields(name, fields, pointer))
        text = text.replace(f"{{ {name.upper()} }}", f"{{ {', '.join(['i64'] * len(fields))} }}")
    for name in sorted(numbers, key=len, reverse=True):
        text = text.replace(name, str(numbers[name]))
    return text


def _load() -> _Method:
    """Compiles the function. Its engine is never disposed of, since callables may outlive everything."""
    capsule = ctypes.pythonapi.PyCapsule_GetPointer
    capsule.restype, capsule.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    functions = (ctypes.c_void_p * 300).from_address(capsule(_multiarray_umath._ARRAY_API, None))
    for name in PYTHON:
        binding.add_symbol(name, ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value)
    for name, place in NUMPY.items():
        binding.add_symbol(f"egc_{name}", functions[place])
    binding.add_symbol("egc_end_of_memory", c_helpers["MemInfo_call_dtor"])
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_default_triple().create_target_machine(opt=0, jit=True)
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), machine)
    engine.add_module(binding.parse_assembly(_text()))
    engine.finalize_object()
    address = engine.get_function_address("egc_call")
    engine.detach()
    return _Method(b"call", address, FASTCALL | KEYWORDS, b"Machine code for one kind of arguments.")


@cache
def _method() -> _Method:
    return _load()


def make_callable(
    header: Mapping[str, int],
    rows: Sequence[Mapping[str, int]],
    outputs: Sequence[Mapping[str, int]],
    items: Sequence[Any],
) -> Callable[..., Any]:
    """The builtin function for a table and its objects: those of `ITEMS` after the table, then guards, then others."""
    words = [header[name] for name in HEADER]
    words += [row.get(name, 0) for row in rows for name in ROW]
    words += [output.get(name, 0) for output in outputs for name in OUTPUT]
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype, make.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p]
    return make(ctypes.byref(_method()), (struct.pack(f"={len(words)}q", *words), *items), None)
