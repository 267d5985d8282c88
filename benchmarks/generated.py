"""Programs of any length, as Python functions: what the compiler's own time is measured on.

Each is written as straight-line source of `count` NumPy operations on arrays, and `arguments` gives what it is called with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

WIDTH = 16
"""Rows of the square matrix and the length of the vectors that programs work on by default."""


@dataclass(frozen=True)
class Shape:
    """A shape of program: its parameters, and its statements and results for a number of operations."""

    name: str
    parameters: tuple[str, ...]
    body: Callable[[int], Iterator[str]]

    def source(self, count: int, module: str = "np") -> str:
        """The source of a function `program`; `module` is the name of the array library."""
        lines = [line.replace("np.", f"{module}.") for line in self.body(count)]
        return "\n    ".join([f"def program({', '.join(self.parameters)}):", *lines]) + "\n"

    def function(self, count: int, library: Any = np) -> Callable[..., Any]:
        """The function of so many operations, on NumPy or on a library with NumPy's names."""
        namespace: dict[str, Any] = {"np": library}
        exec(compile(self.source(count), f"<{self.name} of {count} operations>", "exec"), namespace)
        return namespace["program"]

    def arguments(self, width: int = WIDTH) -> tuple[np.ndarray, ...]:
        random = np.random.default_rng(0)
        given = {"A": random.normal(size=(width, width)) / width, "x": random.uniform(0.5, 1.5, width)}
        given["y"] = random.uniform(0.5, 1.5, width)
        return tuple(given[name] for name in self.parameters)


def _chain(count: int) -> Iterator[str]:
    """Elementwise operations, each on the value before; every tenth also uses an earlier one, and half of them simplify."""
    yield "t0, u = x, np.exp(y)"
    for k in range(1, count + 1):
        now, last = f"t{k}", f"t{k - 1}"
        steps = (
            f"{now} = {last} + t{max(k - 7, 0)}",
            f"{now} = np.sin({last})",
            f"{now} = {last} * y",
            f"{now} = {last} / {k % 89 + 2}.5",
            f"{now} = np.tanh({last})",
            f"{now} = np.exp({last})",
            f"{now} = {last} * u",
            f"{now} = np.log({last})",
            f"{now} = {last} * {last}",
            f"{now} = np.sqrt({last})",
        )
        yield steps[k % 10]
    yield f"return t{count}"


def _mixed(count: int) -> Iterator[str]:
    """Layers of a matrix product, broadcasts, elementwise operations and reductions over rows and over everything."""
    yield "t0 = A"
    for k in range(1, count + 1):
        now, last = f"t{k}", f"t{k - 1}"
        steps = (
            f"{now} = {last} / np.sqrt(s{k - k % 10 - 4} + 1.5)" if k >= 10 else f"{now} = {last}",
            f"{now} = {last} @ A",
            f"{now} = {last} + x",
            f"{now} = np.tanh({last})",
            f"m{k} = np.max({last}, axis=1); {now} = {last}",
            f"{now} = {last} - m{k - 1}[:, None]",
            f"s{k} = np.sum({last} * {last}); {now} = {last}",
            f"{now} = np.exp({last})",
            f"{now} = {last} * y[:, None]",
            f"{now} = {last} / np.sum({last}, axis=1, keepdims=True)",
        )
        yield steps[k % 10]
    yield f"return t{count}"


def _outputs(count: int) -> Iterator[str]:
    """Independent results of five operations each."""
    names = []
    for k in range(0, count, 5):
        yield f"r{k} = np.exp(-{k % 97 + 1}.5 * x) + {k + 2}.25 / (y + {k % 31 + 1}.0)"
        names.append(f"r{k}")
    yield f"return {', '.join(names)},"


CHAIN = Shape("elementwise chain", ("x", "y"), _chain)
MIXED = Shape("mixed", ("A", "x", "y"), _mixed)
OUTPUTS = Shape("many outputs", ("x", "y"), _outputs)

SHAPES = (CHAIN, MIXED, OUTPUTS)
