"""Programs as NumPy source: `program` writes whole functions, the other files say how each op is written."""

from egc.source.program import expression_source, numpy_source

__all__ = ["expression_source", "numpy_source"]
