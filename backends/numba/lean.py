"""What numba does with a function that egc's own code calls: without passes that find nothing in it, and in linear time.

Functions that egc writes have numbers, addresses and arrays, loops and branches. There are no closures, generators, contexts,
arguments that are None, or expressions of whole arrays, which the passes left out are for.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from numba.core import ir
from numba.core.analysis import compute_use_defs, must_use_alloca
from numba.core.compiler import Compiler
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.lowering import Lower
from numba.core.typed_passes import (
    AnnotateTypes,
    BaseNativeLowering,
    InlineOverloads,
    IRLegalization,
    NoPythonBackend,
    NopythonRewrites,
    NopythonTypeInference,
    PreLowerStripPhis,
)
from numba.core.untyped_passes import (
    DeadBranchPrune,
    FixupArgs,
    GenericRewrites,
    IRProcessing,
    ReconstructSSA,
    RewriteDynamicRaises,
    TranslateByteCode,
)


class LeanLower(Lower):
    """numba's lowering. It looks through the whole function once for variables of one assignment, instead of once for each."""

    def _find_singly_assigned_variable(self) -> None:
        """Variables assigned at one place, and read in that block only, need no memory of their own."""
        found: set[str] = set()
        if not self.func_ir.func_id.is_generator:
            blocks = self.func_ir.blocks
            uses = compute_use_defs(blocks)
            read = set().union(*uses.usemap.values())
            assigned = Counter(s.target.name for block in blocks.values() for s in block.find_insts(ir.Assign))
            defined = Counter(name for names in uses.defmap.values() for name in names)
            shared = read | must_use_alloca(blocks)
            once = (name for name, count in defined.items() if count == 1 and assigned[name] == 1)
            found.update(name for name in once if name not in shared)
        self._singly_assigned_vars = found
        self._blk_local_varmap: dict[str, Any] = {}


@register_pass(mutates_CFG=True, analysis_only=False)
class LeanLowering(BaseNativeLowering):
    _name = "egc_lowering"

    @property
    def lowering_class(self) -> type:
        return LeanLower


class GeneratedCompiler(Compiler):
    """numba's compiler for functions that egc writes: of numbers, addresses and whole arrays."""

    PASSES: tuple[type, ...] = (
        TranslateByteCode, FixupArgs, IRProcessing, GenericRewrites, RewriteDynamicRaises, ReconstructSSA,
        NopythonTypeInference, PreLowerStripPhis, IRLegalization, AnnotateTypes, LeanLowering, NoPythonBackend,
    )  # fmt: skip

    def define_pipelines(self) -> list[PassManager]:
        manager = PassManager("egc")
        for step in self.PASSES:
            manager.add_pass(step, step.__name__)
        manager.finalize()
        return [manager]


class WrittenCompiler(GeneratedCompiler):
    """The same for functions written by hand, which may leave branches to the types of their arguments."""

    PASSES = (
        TranslateByteCode, FixupArgs, IRProcessing, GenericRewrites, RewriteDynamicRaises, ReconstructSSA, DeadBranchPrune,
        NopythonTypeInference, PreLowerStripPhis, InlineOverloads, NopythonRewrites, IRLegalization, AnnotateTypes,
        LeanLowering, NoPythonBackend,
    )  # fmt: skip
