"""Derivatives of Nodes: tangents forward, cotangents backward, through every op, loops and branches included."""

from egc.transforms.derivatives import arrays as arrays
from egc.transforms.derivatives import banded as banded
from egc.transforms.derivatives import linalg as linalg
from egc.transforms.derivatives import peels as peels
from egc.transforms.derivatives import recurrences as recurrences
from egc.transforms.derivatives import regions as regions
from egc.transforms.derivatives import reversal as reversal
from egc.transforms.derivatives import systems as systems
from egc.transforms.derivatives.backward import pullback, with_replacements
from egc.transforms.derivatives.forward import pushforward
from egc.transforms.derivatives.mapped import mapped
from egc.transforms.derivatives.regions import replaced
from egc.transforms.derivatives.strategy import Remark, Strategy

__all__ = [
    "Remark",
    "Strategy",
    "mapped",
    "pullback",
    "pushforward",
    "replaced",
    "with_replacements",
]
