"""Program to Program, one transformation a file."""

from egc.transforms.laws import NAMES as LOOP_LAWS
from egc.transforms.laws import LoopLaws
from egc.transforms.simplify import fold_constants, simplify
from egc.transforms.tidy import tidy

__all__ = ["LOOP_LAWS", "LoopLaws", "fold_constants", "simplify", "tidy"]
