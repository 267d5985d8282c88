"""The errors that egc raises; each one can name the line of the user's source it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Line:
    """A line of the user's source: the file's name and the line's number, counted from 1."""

    file: str
    number: int

    def __str__(self) -> str:
        return f"{self.file}:{self.number}"


class EgcError(Exception):
    """Base of every error of egc. `line` is the user's source line, where one is known."""

    def __init__(self, message: str, line: Line | None = None):
        self.line = line
        super().__init__(f"{line}: {message}" if line is not None else message)


class ProgramError(EgcError, ValueError):
    """A Program or Node is not well formed: an unknown op, a wrong number of inputs, a bad parameter."""


class OperandTypeError(EgcError, TypeError):
    """An op does not accept operands of these dtypes."""


class ShapeError(EgcError, ValueError):
    """An op does not accept operands of these shapes."""


class NotEncodable(EgcError, TypeError):
    """A piece of Python that egc cannot express as a Program.

    `what` names the construct and `why` says what is missing; the function then runs as written. `size_guards` and
    `value_guards` are what capture had relied on when it met the construct.
    """

    def __init__(self, what: str, why: str, line: Line | None = None):
        self.what, self.why = what, why
        self.size_guards: tuple[Any, ...] = ()
        self.value_guards: tuple[Any, ...] = ()
        super().__init__(f"{what}: {why}", line)


class NotDifferentiable(NotEncodable):
    """A value that depends on what is differentiated in a way that has no derivative, or none that egc knows."""


class RuleError(EgcError, ValueError):
    """A rule or a rule file is refused. `line` is the place in the rule file."""


class BackendError(EgcError, ValueError):
    """A backend is unknown, not installed, or lacks an op that the Program needs."""


class SaturationError(EgcError, RuntimeError):
    """The e-graph engine failed."""


class VerificationError(EgcError, AssertionError):
    """`verify=True` found results that differ from those of the plain function."""


class InternalError(EgcError, RuntimeError):
    """A stage of egc failed on a program that it should have handled. `stage` names it."""

    def __init__(self, stage: str, message: str, line: Line | None = None):
        self.stage = stage
        super().__init__(f"internal failure in stage {stage!r}: {message}", line)
