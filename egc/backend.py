"""The contract that a backend fulfils, and the format of its cost table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from egc.errors import BackendError, Line
from egc.ir import Program


@dataclass(frozen=True)
class CostTable:
    """What a backend's machine takes, in nanoseconds. `egc.costs` prices a Program with it.

    call: starting one kernel or library call.
    byte: moving one byte to or from memory.
    elementwise: one element of an op; ops that are not listed take `default`.
    flop: one multiply-add of a matrix product.
    linalg: one elementary operation (`n**3` of an n by n matrix) of a factorization or solver.
    """

    call: float
    byte: float
    default: float
    elementwise: Mapping[str, float]
    flop: float
    linalg: Mapping[str, float]


@dataclass(frozen=True)
class Missing:
    """An op that a backend does not have, with the user's line."""

    op: str
    why: str
    line: Line | None = None


@dataclass(frozen=True)
class Compiled:
    """A runnable Program. `run(*arrays)` returns a tuple of arrays, one per output of the Program.

    `kernels` names what runs, one line each; `code` is the generated source; `raw` is the inner function of the
    backend's own library, where one exists.
    """

    run: Callable[..., tuple[Any, ...]]
    kernels: tuple[str, ...] = ()
    code: str = ""
    raw: Any = None
    details: Mapping[str, Any] = field(default_factory=dict)


class Backend(Protocol):
    """A way to run Programs. Third parties register one through the entry-point group `egc.backends`."""

    name: str
    description: str
    costs: CostTable

    def missing(self, program: Program) -> Sequence[Missing]:
        """The Nodes of a Program that this backend cannot run; empty when it can run all of it."""

    def compile(self, program: Program) -> Compiled:
        """Code for a Program, for every value of its size symbols. Raises BackendError when ops are missing."""


def require_supported(backend: Backend, program: Program) -> None:
    """Raises BackendError naming the first op that a backend lacks and the user's line."""
    for gap in backend.missing(program):
        raise BackendError(f"backend {backend.name!r} has no {gap.op}: {gap.why}", gap.line)
