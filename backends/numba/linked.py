"""Functions that only compiled functions call: LLVM optimizes them, and makes machine code of them, once, in their caller.

numba would do both for each function on its own as well, and again for all that is linked into a caller.
"""

from __future__ import annotations

from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_lock import global_compiler_lock


class _Linked(JITCodeLibrary):
    """Code as it was lowered."""

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
