"""A function made from another one by a transformation, such as its gradient: what capture is asked to make."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from egc.errors import ProgramError

METHODS = ("auto", "reversible", "compensated", "stored", "checkpoints")
"""How loops can run backward."""

MEMORY = 2**28
"""Bytes that stored states may take before a loop is run by checkpoints or backward."""


def loop_options(reverse: str = "auto", memory: int = MEMORY) -> dict[str, Any]:
    """How loops run backward, as options of a Transformed. Raises ProgramError for what is no method."""
    if reverse not in METHODS:
        raise ProgramError(f"reverse is one of {', '.join(METHODS)}, not {reverse!r}")
    return {"method": reverse, "memory": int(memory)}


class Transformed:
    """`kind` of `function`, with options. Capture alone gives it a meaning; called as a plain function it says why it has none.

    as_written: what a plain call does; it raises. expected: what a plain call would give, computed in another way.
    """

    def __init__(
        self,
        kind: str,
        function: Callable[..., Any],
        options: Mapping[str, Any] | None = None,
        as_written: Callable[..., Any] | None = None,
        expected: Callable[..., Any] | None = None,
    ):
        self.kind, self.function, self.options = kind, function, dict(options or {})
        self.as_written, self._expected = as_written, expected
        name = getattr(function, "__name__", type(function).__name__)
        self.__name__ = f"{kind}_of_{name}" if name.isidentifier() else kind
        self.__qualname__, self.__module__ = self.__name__, getattr(function, "__module__", "egc")
        self.__doc__ = f"{kind} of {name}."
        self.__signature__ = self._signature()

    def _signature(self) -> inspect.Signature:
        if self.kind in ("jvp", "pullback"):
            names = ("primals", "tangents" if self.kind == "jvp" else "cotangents")
            kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
            return inspect.Signature([inspect.Parameter(name, kind) for name in names])
        if self.kind == "products":
            seeds = inspect.Parameter("seeds_", inspect.Parameter.POSITIONAL_ONLY)
            return inspect.Signature([seeds, *inspect.signature(self.function).parameters.values()])
        return inspect.signature(self.function).replace(return_annotation=inspect.Signature.empty)

    def __call__(self, *positional: Any, **named: Any) -> Any:
        if self.as_written is None:
            raise TypeError(f"{self.__name__} has a meaning only where egc captures it")
        return self.as_written(self, positional, named)

    def expected(self, *positional: Any, **named: Any) -> Any:
        """The results that `verify` compares with."""
        if self._expected is None:
            raise TypeError(f"{self.__name__} cannot be verified")
        return self._expected(self, positional, named)
