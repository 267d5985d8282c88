"""Program -> loop program: fused loop nests over flat arrays, and library calls."""

from egc.lower.build import lower
from egc.lower.loops import LoopProgram

__all__ = ["LoopProgram", "lower"]
