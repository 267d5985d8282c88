"""Runs the sections of a long driver: a loop over a table of functions and of the places of their operands.

Variables live in a frame on the stack. A row of the table has one function that loads operands from the frame, runs a
section, and stores results there, or one that gives up a reference. What is compiled grows with the different sections; a
further row is data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.callconv import excinfo_ptr_t
from numba.core.imputils import impl_ret_new_ref
from numba.cpython.listobj import ListInstance
from numba.extending import intrinsic

from egc.backends.numba.functions import address_type
from egc.backends.numba.linked import LinkedDriver, compile_section
from egc.backends.numba.sections import Sections, variable

_BYTE, _INT, _LONG = ir.IntType(8), ir.IntType(32), ir.IntType(64)
_FRAME = _BYTE.as_pointer()
_PLACES = _INT.as_pointer()
_STEP = ir.FunctionType(_INT, [_FRAME, _PLACES, excinfo_ptr_t.as_pointer()])
_ROW = ir.LiteralStructType([_STEP.as_pointer(), _INT])
_Step = tuple[Any, list[int]]

WORD = 8
"""Bytes to a multiple of which variables are placed."""


def tape(sections: Sections, names: Mapping[str, Any], numbers: Mapping[str, np.generic], listed: bool) -> Any:
    """The function, for compiled code, that takes the values of `sections.given` without numbers as a tuple, and gives
    those of `sections.wanted` as one; where `listed`, as lists of neighbours of one type.

    names: what sections name. numbers: the values of variables that are constants.
    """
    compiled: dict[tuple[Any, ...], _Tape] = {}

    @intrinsic
    def play(typing_context, given):
        if given.types not in compiled:
            compiled[given.types] = _Tape(sections, names, numbers, given.types, listed)
        found = compiled[given.types]

        def generate(context, builder, signature, arguments):
            values = cgutils.unpack_tuple(builder, arguments[0])
            return _Writer(context, builder, found).write(values, signature.return_type)

        return found.returned(given), generate

    return play


@dataclass
class _Frame:
    """Places for variables, used again by variables of the same type."""

    size: int = 0
    free: dict[Any, list[int]] = field(default_factory=dict)

    def take(self, kind: Any, size: int) -> int:
        if self.free.get(kind):
            return self.free[kind].pop()
        place = self.size
        self.size += -(-size // WORD) * WORD
        return place


class _Tape:
    """The compiled sections, and which runs with what, for given types of the variables that are there before."""

    def __init__(
        self,
        sections: Sections,
        names: Mapping[str, Any],
        numbers: Mapping[str, np.generic],
        given: Sequence[Any],
        listed: bool,
    ):
        self.sections, self.numbers, self.listed = sections, numbers, listed
        self.given = [name for name in sections.given if name not in numbers]
        self.types: dict[str, Any] = dict(zip(self.given, given))
        self.types.update((name, getattr(types, value.dtype.name)) for name, value in numbers.items())
        self.functions: dict[tuple[int, tuple[Any, ...]], Any] = {}
        self.rows: list[Any] = []
        sources = [_function(source, names) for source in sections.sources]
        for row in sections.rows:
            key = row.section, tuple(map(self.type, row.inputs))
            if key not in self.functions:
                self.functions[key] = compile_section(sources[row.section], key[1])
            result = self.functions[key]
            made = result.signature.return_type
            parts = (made,) if len(row.outputs) == 1 else getattr(made, "types", ())
            self.types.update(zip(row.outputs, parts))
            self.rows.append((result, row))

    def type(self, operand: str) -> Any:
        """The type of a variable, or of an array's address."""
        base = variable(operand)
        return self.types[operand] if base == operand else address_type(self.types[base])

    @property
    def wanted(self) -> list[Any]:
        return [self.types[name] for name in self.sections.wanted]

    def returned(self, given: Any) -> Any:
        if not self.listed:
            return types.Tuple(self.wanted)(given)
        return types.Tuple([types.List(kind) for kind, _ in self.runs()])(given)

    def runs(self) -> list[tuple[Any, list[str]]]:
        """What is wanted, in runs of one type."""
        found: list[tuple[Any, list[str]]] = []
        for name in self.sections.wanted:
            if not found or found[-1][0] != self.types[name]:
                found.append((self.types[name], []))
            found[-1][1].append(name)
        return found


def _function(source: str, names: Mapping[str, Any]) -> Any:
    namespace = {"__name__": __name__, **names}
    exec(compile(source, "<egc driver>", "exec"), namespace)
    options = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True, "no_cpython_wrapper": True}
    return njit(pipeline_class=LinkedDriver, **options)(namespace["section"])


class _Writer:
    """Writes the table, and the code that runs it, into a function."""

    def __init__(self, context: Any, builder: Any, played: _Tape):
        self.context, self.builder, self.tape = context, builder, played
        self.module = builder.module
        self.frame = _Frame()
        self.place_of: dict[str, int] = {}
        self.steps: dict[Any, Any] = {}

    def write(self, values: Sequence[Any], returned: Any) -> Any:
        builder = self.builder
        rows, cleaning = self._rows()
        frame = cgutils.alloca_once(builder, _LONG, size=max(1, self.frame.size // WORD))
        frame = builder.bitcast(frame, _FRAME)
        cgutils.memset(builder, frame, _LONG(self.frame.size), 0)
        self._copy_numbers(frame)
        for name, value in zip(self.tape.given, values):
            builder.store(value, self._at(builder, frame, _INT(self.place_of[name]), value.type))
        table = self._table([*rows, *cleaning])
        failure = cgutils.alloca_once(builder, excinfo_ptr_t)
        code = self._run(table, frame, failure, 0, len(rows))
        with builder.if_then(builder.icmp_signed("!=", code, _INT(0)), likely=False):
            self._run(table, frame, failure, len(rows), len(rows) + len(cleaning))
            status = self.context.call_conv._get_return_status(builder, code, builder.load(failure))
            self.context.call_conv.return_status_propagate(builder, status)
        if self.tape.listed:
            values = [self._list(frame, kind, names) for kind, names in self.tape.runs()]
            self._run(table, frame, failure, len(rows), len(rows) + len(cleaning))
        else:
            values = [self._value(frame, name) for name in self.tape.sections.wanted]
        made = self.context.make_tuple(builder, returned, values)
        return impl_ret_new_ref(self.context, builder, returned, made)

    def _rows(self) -> tuple[list[_Step], list[_Step]]:
        """The rows, and those that give up all that may be left. Chooses where variables live."""
        for name in (*self.tape.numbers, *self.tape.given):
            self._take(name)
        own: dict[tuple[Any, int], None] = {}
        rows: list[_Step] = []
        for result, row in self.tape.rows:
            for name in row.outputs:
                own[self._take(name)] = None
            rows.append((self._section(result, row), list(map(self._operand, (*row.inputs, *row.outputs)))))
            for name in row.dead:
                kind, place = self.tape.types[name], self.place_of[name]
                rows.append((self._release(kind), [place]))
                self.frame.free.setdefault(kind, []).append(place)
        return rows, [(self._release(kind), [place]) for kind, place in own]

    def _take(self, name: str) -> tuple[Any, int]:
        kind = self.tape.types[name]
        size = self.context.get_abi_sizeof(self.context.get_value_type(kind))
        self.place_of[name] = self.frame.take(kind, size)
        return kind, self.place_of[name]

    def _operand(self, operand: str) -> int:
        """The place of a variable, or of an array's address in the array."""
        base = variable(operand)
        if base == operand:
            return self.place_of[operand]
        model = self.context.data_model_manager[self.tape.types[base]]
        return self.place_of[base] + WORD * model.get_field_position("data")

    def _copy_numbers(self, frame: Any) -> None:
        """Numbers are the first variables of the frame."""
        data = b"".join(
            value.tobytes().ljust(-(-value.nbytes // WORD) * WORD, b"\0") for value in self.tape.numbers.values()
        )
        if data:
            source = self._global("egc_numbers", _LONG, [_LONG(int(word)) for word in np.frombuffer(data, np.int64)])
            cgutils.raw_memcpy(self.builder, frame, self.builder.bitcast(source, _FRAME), _LONG(len(data)), 1)

    def _value(self, frame: Any, name: str) -> Any:
        kind = self.context.get_value_type(self.tape.types[name])
        return self.builder.load(self._at(self.builder, frame, _INT(self.place_of[name]), kind))

    def _list(self, frame: Any, kind: Any, names: Sequence[str]) -> Any:
        """A list of variables of one type."""
        builder = self.builder
        places = self._global("egc_listed", _INT, [_INT(self.place_of[name]) for name in names])
        made = ListInstance.allocate(self.context, builder, types.List(kind), len(names))
        made.size = _LONG(len(names))
        with cgutils.for_range(builder, _LONG(len(names)), intp=_LONG) as loop:
            place = builder.load(builder.gep(places, [_LONG(0), loop.index]))
            made.inititem(loop.index, builder.load(self._at(builder, frame, place, self.context.get_value_type(kind))))
        return made.value

    def _at(self, builder: Any, frame: Any, place: Any, kind: Any) -> Any:
        return builder.bitcast(builder.gep(frame, [place]), kind.as_pointer())

    def _step(self, name: str) -> tuple[Any, Any, Any]:
        """A new function of the table, its builder, and what gives the place of its operands."""
        function = ir.Function(self.module, _STEP, self.module.get_unique_name(name))
        function.linkage = "internal"
        builder = ir.IRBuilder(function.append_basic_block())
        frame, places, _ = function.args

        def operand(number: int, kind: Any) -> Any:
            place = builder.load(builder.gep(places, [_INT(number)]))
            return self._at(builder, frame, place, self.context.get_value_type(kind))

        return function, builder, operand

    def _section(self, result: Any, row: Any) -> Any:
        """The function that runs a section: its operands are inputs, then outputs."""
        key = result.fndesc.unique_name
        if key in self.steps:
            return self.steps[key]
        self.context.active_code_library.add_linking_library(result.library)
        function, builder, operand = self._step("egc_section")
        signature = result.signature
        given = [builder.load(operand(k, kind)) for k, kind in enumerate(signature.args)]
        status, value = self.context.call_internal_no_propagate(builder, result.fndesc, signature, given)
        with builder.if_then(status.is_error, likely=False):
            builder.store(status.excinfoptr, function.args[2])
            builder.ret(status.code)
        parts = [value] if len(row.outputs) == 1 else cgutils.unpack_tuple(builder, value) if row.outputs else []
        kinds = [self.tape.types[name] for name in row.outputs]
        for k, (part, kind) in enumerate(zip(parts, kinds), start=len(given)):
            builder.store(part, operand(k, kind))
        builder.ret(_INT(0))
        self.steps[key] = function
        return function

    def _release(self, kind: Any) -> Any:
        """The function that gives up the reference of a variable of a type, and forgets it."""
        if kind in self.steps:
            return self.steps[kind]
        function, builder, operand = self._step("egc_release")
        place = operand(0, kind)
        self.context.nrt.decref(builder, kind, builder.load(place))
        builder.store(cgutils.get_null_value(place.type.pointee), place)
        builder.ret(_INT(0))
        self.steps[kind] = function
        return function

    def _table(self, rows: Sequence[_Step]) -> tuple[Any, Any]:
        places: list[int] = []
        cells = []
        for function, own in rows:
            cells.append(ir.Constant(_ROW, [function, _INT(len(places))]))
            places.extend(own)
        return self._global("egc_rows", _ROW, cells), self._global("egc_places", _INT, list(map(_INT, places)))

    def _global(self, name: str, kind: Any, values: Sequence[Any]) -> Any:
        array = ir.ArrayType(kind, len(values))
        made = ir.GlobalVariable(self.module, array, self.module.get_unique_name(name))
        made.linkage, made.global_constant, made.initializer = "internal", True, ir.Constant(array, list(values))
        return made

    def _run(self, table: tuple[Any, Any], frame: Any, failure: Any, start: int, stop: int) -> Any:
        """Runs rows until one fails; the code of failure, or 0."""
        builder = self.builder
        rows, places = (builder.gep(each, [_LONG(0), _LONG(0)]) for each in table)
        return builder.call(self._runner(), [rows, places, frame, failure, _LONG(start), _LONG(stop)])

    def _runner(self) -> Any:
        """The function of the loop, which knows nothing of the table: LLVM would take long to find that it can do nothing
        with all of it."""
        if "runner" in self.steps:
            return self.steps["runner"]
        kinds = [_ROW.as_pointer(), _PLACES, _FRAME, excinfo_ptr_t.as_pointer(), _LONG, _LONG]
        function = ir.Function(self.module, ir.FunctionType(_INT, kinds), self.module.get_unique_name("egc_run"))
        function.linkage = "internal"
        function.attributes.add("noinline")
        builder = ir.IRBuilder(function.append_basic_block())
        rows, places, frame, failure, start, stop = function.args
        with cgutils.for_range(builder, stop, start=start, intp=_LONG) as loop:
            row = builder.load(builder.gep(rows, [loop.index]))
            operands = builder.gep(places, [builder.extract_value(row, 1)])
            code = builder.call(builder.extract_value(row, 0), [frame, operands, failure])
            with builder.if_then(builder.icmp_signed("!=", code, _INT(0)), likely=False):
                builder.ret(code)
        builder.ret(_INT(0))
        self.steps["runner"] = function
        return function
