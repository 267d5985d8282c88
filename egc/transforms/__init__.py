"""Program to Program, one transformation a file."""

from egc.transforms.simplify import fold_constants, simplify
from egc.transforms.tidy import tidy
from egc.transforms.vectorize import LoopLaws

__all__ = ["LoopLaws", "fold_constants", "simplify", "tidy"]
