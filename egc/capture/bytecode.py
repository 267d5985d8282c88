"""The bytecode of Python functions, as numba's front end reads it."""

from __future__ import annotations

import dis
import inspect
import types
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from numba.core import compiler
from numba.core.errors import NumbaError

from egc.errors import Line, NotEncodable


class Closure:
    """A function defined inside of the function being captured. Its `cells` hold what it reads of the functions around it:
    an `Enclosed` for a variable of one that is being captured."""

    def __init__(
        self,
        code: types.CodeType,
        globals: dict[str, Any],
        cells: tuple[types.CellType, ...],
        defaults: tuple[Any, ...],
    ):
        self.code, self.globals, self.cells, self.defaults = code, globals, cells, defaults

    def function(self) -> types.FunctionType:
        return types.FunctionType(self.code, self.globals, self.code.co_name, self.defaults, self.cells)

    def _key(self) -> tuple[Any, ...]:
        contents = (cell.cell_contents for cell in self.cells)
        held = (value if isinstance(value, Enclosed) else id(value) for value in contents)
        return id(self.code), id(self.globals), tuple(held), tuple(map(id, self.defaults))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Closure) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())


@dataclass(frozen=True)
class Enclosed:
    """A variable of a function being captured that an inner one reads, as it is then."""

    frame: Any
    name: str


class _ByCode:
    """A function that compares by its code, so that closures of one definition share their IR."""

    def __init__(self, function: Callable[..., Any]):
        self.function = function

    def __hash__(self) -> int:
        return hash(self.function.__code__)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByCode) and other.function.__code__ is self.function.__code__


@lru_cache(maxsize=1024)
def _front_end(function: _ByCode) -> Any:
    return compiler.run_frontend(function.function)


def bytecode_ir(function: types.FunctionType) -> Any:
    """numba's IR of a function. NotEncodable for bytecode that numba's front end does not read."""
    code = function.__code__
    line = Line(code.co_filename, code.co_firstlineno)
    if code.co_flags & (inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR):
        raise NotEncodable(f"the generator {code.co_name}", "only functions that return are encoded", line)
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("STORE_DEREF", "DELETE_DEREF") and instruction.argval in code.co_freevars:
            why = f"it assigns {instruction.argval}, a variable of a function around it"
            raise NotEncodable(f"the function {code.co_name}", why, line)
    try:
        return _front_end(_ByCode(function))
    except (NumbaError, NotImplementedError, AssertionError, KeyError) as error:
        raise NotEncodable(f"the function {code.co_name}", str(error).splitlines()[0], line) from error
