"""Functions that only compiled functions call: LLVM optimizes them, and makes machine code of them, once, in their caller.

numba would do both for each function on its own as well, and again for all that is linked into a caller.
"""

from __future__ import annotations

import re
from typing import Any

from llvmlite import binding
from numba.core import cgutils
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler_lock import global_compiler_lock

from egc.backends.numba.lean import GeneratedCompiler, WrittenCompiler

INTERLEAVED = 4
"""Vectors that an iteration of a loop that stands alone works on. LLVM itself takes one where there is much to do with each,
and then waits for every operation before the next."""

MOST_LINES = 500
"""Lines of such a loop, at most: there are four of it in the machine code."""

BLOCK = re.compile(r'^"?B(\d+)[^:]*"?:')
JUMP = re.compile(r'^  br label %"B(\d+)"$')

MARK = 'call void @"llvm.donothing"()'
"""What stands in a loop that gains from several vectors though it does not stand alone."""

METADATA = 1_000_000
"""The number of the first line of metadata: more than numba's own."""


def interleaved(text: str, count: int = INTERLEAVED) -> str:
    """LLVM's language, where each loop of few lines that stands alone, or is marked, works on several vectors at a time.

    The names of numba's blocks begin with the place of their bytecode: a jump back ends a loop.
    """
    lines = text.splitlines()
    loops: list[tuple[int, int, int, int]] = []
    begins: dict[tuple[int, int], int] = {}
    marks: list[int] = []
    function, place = 0, -1
    for number, line in enumerate(lines):
        if line.startswith("define"):
            function, place = number, -1
        elif found := BLOCK.match(line):
            place = int(found[1])
            begins.setdefault((function, place), number)
        elif (found := JUMP.match(line)) and int(found[1]) <= place:
            loops.append((function, int(found[1]), place, number))
        elif MARK in line:
            marks.append(number)
    alone = [
        number
        for where, first, last, number in loops
        if number - begins[where, first] <= MOST_LINES
        and not any(
            other != number and same == where and start <= last and first <= end for same, start, end, other in loops
        )
    ]
    around = [[each for each in loops if begins[each[:2]] < mark < each[3]] for mark in marks]
    alone += [min(each, key=lambda loop: loop[2] - loop[1])[3] for each in around if each]
    if not alone:
        return text
    for k, number in enumerate(alone):
        lines[number] += f", !llvm.loop !{METADATA + 1 + k}"
        lines.append(f"!{METADATA + 1 + k} = distinct !{{!{METADATA + 1 + k}, !{METADATA}}}")
    lines.append(f'!{METADATA} = !{{!"llvm.loop.interleave.count", i32 {count}}}')
    return "\n".join(lines) + "\n"


class OnceOptimized(JITCodeLibrary):
    """Code that LLVM optimizes once as a whole, after each of its functions. numba has another round of passes over the whole
    before, which finds little to do."""

    def _optimize_final_module(self) -> None:
        passes, builder = self._codegen._module_pass_manager()
        passes.run(self._final_module, builder)


class _AsLowered(JITCodeLibrary):
    """Code as it was lowered."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


class _Linked(_AsLowered):
    """The same, of loops that work on several vectors at a time."""

    def add_ir_module(self, ir_module: Any) -> None:
        self._raise_if_finalized()
        module = binding.parse_assembly(interleaved(cgutils.normalize_ir_text(str(ir_module))))
        module.name = ir_module.name
        module.verify()
        self.add_llvm_module(module)


class LinkedCompiler(GeneratedCompiler):
    """numba's compiler for functions that compiled functions call, told that no two array arguments overlap where one is
    written."""

    def __init__(self, typing_context: Any, target_context: Any, library: Any, *arguments: Any):
        library = _Linked(target_context.codegen(), "egc loops")
        super().__init__(typing_context, target_context, library, *arguments)
        self.state.flags.noalias = True
        self.state.flags.no_compile = True


class LinkedDriver(LinkedCompiler):
    """For functions whose array arguments may be parts of one array."""

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self.state.flags.noalias = False


class HelperCompiler(WrittenCompiler):
    """numba's compiler for functions that stay generic: each of their types is compiled when a compiled function calls it."""

    def __init__(self, typing_context: Any, target_context: Any, library: Any, *arguments: Any):
        library = _AsLowered(target_context.codegen(), "egc helper")
        super().__init__(typing_context, target_context, library, *arguments)
        self.state.flags.no_compile = True

    def compile_extra(self, func: Any) -> Any:
        """The compile result. It has no address: callers know it by a builtin function of its own, of which no call succeeds."""
        nothing: dict[Any, Any] = {}
        compiled, handle = super().compile_extra(func), nothing.__getitem__
        self.state.targetctx.insert_user_function(handle, compiled.fndesc, [compiled.library])
        return compiled._replace(entry_point=handle)


class UnaliasedHelper(HelperCompiler):
    """The same, told that no two array arguments overlap where one is written."""

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self.state.flags.noalias = True


WITHOUT_WRAPPERS: dict[str, Any] = {"no_cfunc_wrapper": True, "no_cpython_wrapper": True}
HELPER: dict[str, Any] = {**WITHOUT_WRAPPERS, "pipeline_class": HelperCompiler}
"""Options of `numba.njit` for functions that compiled functions alone call."""


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
