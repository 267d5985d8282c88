"""Arithmetic on sizes, as generated code does it."""

from __future__ import annotations

import re

POWER = re.compile(r"\b([A-Za-z_]\w*)\*\*(\d+)")


def multiplied(text: str) -> str:
    """A size with products for powers, for which numba compiles a function.

    >>> multiplied("2*n**2 - m")
    '2*(n*n) - m'
    """
    return POWER.sub(lambda found: f"({'*'.join([found[1]] * int(found[2]))})", text)
