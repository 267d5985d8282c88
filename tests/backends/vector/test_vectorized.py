"""The loops around vector functions are vectorized: their bodies compute with vectors and call nothing of scalars."""

import re

import pytest

from .units import DTYPES, loop

UNARY = "sin cos tan arcsin arccos arctan erf erfc ndtr gammaln digamma".split()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*UNARY, "arctan2", "hypot"])
def test_loop_body_is_of_vectors(name, dtype):
    (code,) = loop(name, dtype, 1 if name in UNARY else 2).inspect_llvm().values()
    body = re.search(r"^vector\.body:.*?(?=^\S+:)", code, re.MULTILINE | re.DOTALL)
    assert body, "no vectorized loop"
    computed = re.findall(r"= (?:fmul|fadd|fsub|fdiv)(?: [a-z]+)* (<\d+ x )?(?:double|float)", body[0])
    assert computed and all(computed)
    calls = re.findall(r"call (?:[a-z]+ )*(<\d+ x )?[a-z0-9]+>? @(?!llvm\.)", body[0])
    assert all(calls)
