"""What functions of scalars that generated code calls are written with."""

from __future__ import annotations

from numba import njit, types
from numba.extending import intrinsic

from egc.backends.numba.linked import HELPER

inner = njit(error_model="numpy", forceinline=True, **HELPER)


@intrinsic
def select(context, condition, a, b):
    """`a if condition else b` without a branch, for two values of one type."""

    def generate(context, builder, signature, arguments):
        return builder.select(*arguments)

    return a(types.boolean, a, a), generate
