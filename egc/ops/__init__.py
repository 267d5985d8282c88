"""The closed table of primitive operations: one row each, with the rule for its result's type.

NumPy's hundreds of functions are compositions of these. Broadcasting and casting are ops of their own, so an
elementwise op takes operands of one shape, with the dtypes of one of its ufunc's loops.
"""

from egc.ops import arrays as arrays
from egc.ops import linalg as linalg
from egc.ops.elementwise import COMMUTATIVE, MASKED, SPECIAL, UFUNCS, ufunc_loop
from egc.ops.regions import CUSTOM, REGIONS
from egc.ops.table import BOOL, FLOAT64, INT64, OPS, Op, infer

__all__ = [
    "BOOL", "COMMUTATIVE", "CUSTOM", "FLOAT64", "INT64", "MASKED", "OPS", "REGIONS", "SPECIAL", "UFUNCS",
    "Op", "infer", "ufunc_loop",
]  # fmt: skip
