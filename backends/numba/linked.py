"""Functions that only compiled functions call: LLVM optimizes them, and makes machine code of them, once, in their caller.

numba would do both for each function on its own as well, and again for all that is linked into a caller.
"""

from __future__ import annotations

import re
from typing import Any

from llvmlite import binding
from numba.core import cgutils
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_lock import global_compiler_lock

INTERLEAVED = 4
"""Vectors that an iteration of a loop that stands alone works on. LLVM itself takes one where there is much to do with each,
and then waits for every operation before the next."""

MOST_LINES = 500
"""Lines of such a loop, at most: there are four of it in the machine code."""

BLOCK = re.compile(r'^"?B(\d+)[^:]*"?:')
JUMP = re.compile(r'^  br label %"B(\d+)"$')

METADATA = 1_000_000
"""The number of the first line of metadata: more than numba's own."""


def interleaved(text: str, count: int = INTERLEAVED) -> str:
    """LLVM's language, where each loop of few lines that stands alone works on several vectors at a time.

    The names of numba's blocks begin with the place of their bytecode: a jump back ends a loop.
    """
    lines = text.splitlines()
    loops: list[tuple[int, int, int, int]] = []
    begins: dict[tuple[int, int], int] = {}
    function, place = 0, -1
    for number, line in enumerate(lines):
        if line.startswith("define"):
            function, place = number, -1
        elif found := BLOCK.match(line):
            place = int(found[1])
            begins.setdefault((function, place), number)
        elif (found := JUMP.match(line)) and int(found[1]) <= place:
            loops.append((function, int(found[1]), place, number))
    alone = [
        number
        for where, first, last, number in loops
        if number - begins[where, first] <= MOST_LINES
        and not any(
            other != number and same == where and start <= last and first <= end for same, start, end, other in loops
        )
    ]
    if not alone:
        return text
    for k, number in enumerate(alone):
        lines[number] += f", !llvm.loop !{METADATA + 1 + k}"
        lines.append(f"!{METADATA + 1 + k} = distinct !{{!{METADATA + 1 + k}, !{METADATA}}}")
    lines.append(f'!{METADATA} = !{{!"llvm.loop.interleave.count", i32 {count}}}')
    return "\n".join(lines) + "\n"


class _Linked(JITCodeLibrary):
    """Code as it was lowered."""

    def add_ir_module(self, ir_module: Any) -> None:
        self._raise_if_finalized()
        module = binding.parse_assembly(interleaved(cgutils.normalize_ir_text(str(ir_module))))
        module.name = ir_module.name
        module.verify()
        self.add_llvm_module(module)

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


class LinkedCompiler(Compiler):
    """numba's compiler for functions that compiled functions call, told that no two array arguments overlap where one is
    written."""

    def __init__(self, typing_context: Any, target_context: Any, library: Any, *arguments: Any):
        library = _Linked(target_context.codegen(), "egc loops")
        super().__init__(typing_context, target_context, library, *arguments)
        self.state.flags.noalias = True
        self.state.flags.no_compile = True


class _Part(_Linked):
    """Code as numba writes it."""

    def add_ir_module(self, ir_module: Any) -> None:
        JITCodeLibrary.add_ir_module(self, ir_module)


class PartCompiler(Compiler):
    """numba's compiler for `numba.njit`, for functions that only compiled functions call."""

    def __init__(self, typing_context: Any, target_context: Any, library: Any, *arguments: Any):
        library = _Part(target_context.codegen(), "egc part")
        super().__init__(typing_context, target_context, library, *arguments)
        self.state.flags.no_compile = True

    def compile_extra(self, function: Any) -> Any:
        """Machine code there is none of: what stands for it is a builtin function of its own, which raises."""
        compiled = super().compile_extra(function)
        handle: Any = [].pop
        self.state.targetctx.insert_user_function(handle, compiled.fndesc, [compiled.library])
        return compiled._replace(entry_point=handle)


PART: dict[str, Any] = {"error_model": "numpy", "pipeline_class": PartCompiler}
"""Options of numba's `njit` and `overload` for such functions."""


class LinkedDriver(LinkedCompiler):
    """For functions whose array arguments may be parts of one array."""

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self.state.flags.noalias = False


@global_compiler_lock
def compile_section(dispatcher: Any, arguments: tuple[Any, ...]) -> Any:
    """numba's compile result of a dispatcher, of `numba.njit(pipeline_class=LinkedDriver, ...)`, for callers that write
    their own code."""
    return dispatcher._compiler.compile(arguments, None)


@global_compiler_lock
def compile_linked(dispatcher: Any, signature: Any) -> Any:
    """The dispatcher, of `numba.njit(pipeline_class=LinkedCompiler, ...)`, ready for calls from compiled functions with
    arguments of these types and for no others. Calls from Python are TypeErrors."""
    compiled = dispatcher._compiler.compile(signature.args, signature.return_type)
    handle = object()
    dispatcher.targetctx.insert_user_function(handle, compiled.fndesc, [compiled.library])
    dispatcher.overloads[tuple(signature.args)] = compiled._replace(entry_point=handle)
    dispatcher.disable_compile()
    return dispatcher
