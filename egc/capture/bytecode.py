"""The bytecode of Python functions, as numba's front end reads it."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from numba.core import compiler
from numba.core.errors import NumbaError

from egc.errors import Line, NotEncodable


@dataclass(frozen=True)
class Closure:
    """A function defined inside of the function being captured."""

    code: types.CodeType
    globals: dict[str, Any]
    cells: tuple[Any, ...]
    defaults: tuple[Any, ...]

    def function(self) -> types.FunctionType:
        cells = tuple(types.CellType(value) for value in self.cells)
        return types.FunctionType(self.code, self.globals, self.code.co_name, self.defaults, cells)


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
    try:
        return _front_end(_ByCode(function))
    except (NumbaError, NotImplementedError, AssertionError, KeyError) as error:
        raise NotEncodable(f"the function {code.co_name}", str(error).splitlines()[0], line) from error
