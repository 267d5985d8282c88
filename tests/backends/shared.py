"""A Program that many cases are about is compiled once."""

from functools import cache

from egc.backends.numba import BACKEND

compiled = cache(BACKEND.compile)
