"""Products inside of loops are computed in place, without a library where that takes longer to start than to compute."""

from __future__ import annotations

import numpy as np
import pytest

from egc.ir import make

from .test_regions import A, N, agree, argument, loop, put, size


@pytest.mark.parametrize("dtype", ["f32", "f64", "c128", "i32", "u8"])
def test_products_of_vectors(dtype):
    x, y = argument("x", f"{dtype}[n]"), argument("y", f"{dtype}[n]")

    def body(i, x, y):
        return put(x, make("matmul", x, y), A)

    rng = np.random.default_rng(0)
    states = loop(1, size(N), [x], body, [y])
    given = [tuple((rng.normal(size=n) * 2).astype(x.type.dtype) for _ in range(2)) for n in (1, 7)]
    agree([x, y], states, *given, rtol=1e-4 if dtype == "f32" else 1e-9)
