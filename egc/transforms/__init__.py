"""Program to Program, one transformation a file."""

from egc.transforms.simplify import fold_constants

__all__ = ["fold_constants"]
