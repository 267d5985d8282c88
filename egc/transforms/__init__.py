"""Program to Program, one transformation a file."""

from egc.transforms.simplify import fold_constants, simplify
from egc.transforms.tidy import tidy

__all__ = ["fold_constants", "simplify", "tidy"]
