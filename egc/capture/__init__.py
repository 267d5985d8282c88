"""Python functions to Programs: the only part of egc that knows Python's bytecode and NumPy's surface."""

from egc.capture.function import Captured, Result, bind_arguments, capture, flatten_arguments

__all__ = ["Captured", "Result", "bind_arguments", "capture", "flatten_arguments"]
