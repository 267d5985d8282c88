"""Random NumPy functions as source text, valid by construction: each statement is kept only if NumPy can run it.

>>> program = generate(seed=1, length=3)
>>> print(program.source)  # doctest: +SKIP
"""

from __future__ import annotations

import functools
import itertools
import linecache
import math
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import scipy.special

from tests.laws.statements import EXPRESSIONS, HELPERS, STATEMENTS, sentences

SIZES = ({"n": 3, "m": 4, "k": 2}, {"n": 5, "m": 2, "k": 3}, {"n": 4, "m": 4, "k": 4}, {"n": 2, "m": 1, "k": 6})
"""Sizes of the arguments in turn; the first ones are those for which the program was made."""

LIMIT, ELEMENTS = 1e6, 300
"""The largest magnitude and the most elements of a value that a statement may make."""

NAMESPACE = {"np": np, "math": math, "functools": functools, "special": scipy.special}


@dataclass(frozen=True)
class Argument:
    """A parameter: dtype `float64`, .., shape over the names n, m, k, and the kind of values; `python` for a number."""

    name: str
    dtype: str
    shape: tuple[str, ...] = ()
    values: str = "normal"
    python: bool = False
    fortran: bool = False

    def value(self, sizes: dict[str, int], draw: np.random.Generator, mode: str = "plain") -> Any:
        dtype, shape = np.dtype(self.dtype), tuple(sizes[name] for name in self.shape)
        made = _values(self.values, dtype, shape, draw)
        if mode in SPECIAL_VALUES and dtype.kind == "f" and self.values in ("normal", "positive"):
            made = _special(made, draw, mode)
        if self.python:
            return made.item()
        made = np.asarray(made, dtype)
        if not shape:
            return made[()]
        if mode == "gaps":
            return with_gaps(made, draw)
        return np.asfortranarray(made) if self.fortran else made


def with_gaps(values: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Equal values somewhere in a larger array: its axes in any order, with any steps between them, forwards or backwards."""
    order = draw.permutation(values.ndim)
    steps = draw.choice((-2, -1, 1, 1, 2, 3), values.ndim)
    reach = [max(length - 1, 0) * abs(step) + 1 for length, step in zip(values.shape, steps)]
    room = [length + draw.integers(0, 3) for length in reach]
    larger = np.zeros([room[axis] for axis in order], values.dtype).transpose(np.argsort(order))
    chosen = []
    for length, step, span, size in zip(values.shape, steps, reach, room):
        first = draw.integers(0, size - span + 1)
        places = slice(first, first + span, abs(step)) if length else slice(0, 0)
        chosen.append((places, slice(None, None, -1 if step < 0 else 1)))
    view = larger[tuple(places for places, _ in chosen)][tuple(turned for _, turned in chosen)]
    view[...] = values
    return view


def _values(kind: str, dtype: np.dtype, shape: tuple[int, ...], draw: np.random.Generator) -> np.ndarray:
    if dtype.kind == "b":
        return np.asarray(draw.random(shape) < 0.5)
    if dtype.kind in "iu":
        return np.asarray(draw.integers(0 if dtype.kind == "u" or kind == "positive" else -4, 6, shape))
    normal = draw.standard_normal(shape)
    if dtype.kind == "c":
        return np.asarray(normal + 1j * draw.standard_normal(shape))
    if kind == "well":
        return normal + 2 * shape[0] * np.eye(shape[0])
    if kind == "definite":
        return normal @ normal.T + np.eye(shape[0])
    return np.asarray(0.2 + draw.random(shape) if kind == "positive" else 1.5 * normal)


SPECIAL_VALUES = {
    "nan": [np.nan, 0.0, -0.0, 1.0],
    "infinite": [np.inf, -np.inf, 0.0, -0.0],
    "large": [800.0, -800.0, -0.0, 1e-300, 40.0, -40.0],
}


def _special(values: np.ndarray, draw: np.random.Generator, mode: str) -> np.ndarray:
    chosen = draw.choice(SPECIAL_VALUES[mode], values.shape)
    return np.where(draw.random(values.shape) < 0.4, chosen, values)


@dataclass(frozen=True)
class Program:
    """A function `f` of `arguments` that runs `lines` and returns `results`, an expression."""

    arguments: tuple[Argument, ...]
    lines: tuple[str, ...]
    results: str
    seed: int = 0
    _cache: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def source(self) -> str:
        body = [line for statement in self.lines for line in _layout(statement)]
        head = f"def f({', '.join(a.name for a in self.arguments)}):"
        return "\n".join([HELPERS, "", head, *(f"    {line}" for line in (*body, f"return {self.results}"))]) + "\n"

    @property
    def text(self) -> str:
        """The function alone, with its parameters as comments."""
        notes = [f"# {a.name}: {a.dtype}[{', '.join(a.shape)}] {a.values}" for a in self.arguments]
        return "\n".join([*notes, self.source.removeprefix(HELPERS).strip()])

    def function(self) -> Callable[..., Any]:
        if "f" not in self._cache:
            file = f"<random program {id(self._cache)}>"
            linecache.cache[file] = (len(self.source), None, self.source.splitlines(True), file)
            namespace = dict(NAMESPACE)
            exec(compile(self.source, file, "exec"), namespace)
            self._cache["f"] = namespace["f"]
        return self._cache["f"]

    def values(self, place: int = 0, mode: str = "plain") -> tuple[Any, ...]:
        """The arguments of the call number `place`, with the sizes `SIZES[place]`."""
        draw = np.random.default_rng([self.seed, place])
        return tuple(argument.value(SIZES[place], draw, mode) for argument in self.arguments)

    def without(self, position: int) -> Program:
        return replace(self, lines=self.lines[:position] + self.lines[position + 1 :], _cache={})

    def returning(self, results: str) -> Program:
        return replace(self, results=results, _cache={})


def _layout(statement: str) -> list[str]:
    """`if a: b; else: c` and `for a: b` on lines of their own, and statements apart at semicolons."""
    if statement.startswith(("if ", "for ")):
        head, _, rest = statement.partition(": ")
        body, _, other = rest.partition("; else: ")
        return [f"{head}:", f"    {body}", *(["else:", f"    {other}"] if other else [])]
    return statement.split("; ")


KINDS: dict[str, Callable[[Any], bool]] = {
    "F": lambda v: _dtype_kind(v) == "f",
    "A": lambda v: isinstance(v, np.ndarray) and v.ndim > 0,
    "N": lambda v: _dtype_kind(v) in ("b", "i", "u", "f") and isinstance(v, (np.ndarray, np.generic)),
    "V": lambda v: np.ndim(v) == 1 and _dtype_kind(v) in "fiu",
    "M": lambda v: np.ndim(v) == 2 and _dtype_kind(v) in "fiu",
    "I": lambda v: _dtype_kind(v) in "iu" and isinstance(v, (np.ndarray, np.generic)),
    "B": lambda v: _dtype_kind(v) == "b" and isinstance(v, (np.ndarray, np.generic)),
    "Z": lambda v: _dtype_kind(v) == "c",
    "T": lambda v: isinstance(v, np.ndarray) and v.flags.writeable and v.ndim > 0,
}

FALLBACK = {
    "I": "np.arange({A}.shape[0])",
    "B": "({F} > 0)",
    "Z": "({F} + 0.5j)",
    "V": "{A}.reshape(-1)",
    "M": "np.outer({V}, {V})",
    "A": "np.atleast_1d({F})",
    "N": "{F}",
    "T": "{F}",
    "F": "1.5",
    "W": "({M1} @ {M1}.T + 3.0 * np.eye(len({M1})))",
    "D": "({M1} @ {M1}.T + 1.0 * np.eye({M1}.shape[0]))",
}

INDICES = [
    "0",
    "-1",
    "1:",
    ":-1",
    "::2",
    "::-1",
    "1",
    "...",
    ":",
    "None",
    "..., 0",
    "1:3",
    "-2:",
    "..., 1:",
    ":, 0",
    ":2",
]


def _dtype_kind(value: Any) -> str:
    if isinstance(value, (np.ndarray, np.generic)):
        return value.dtype.kind
    return {bool: "b", int: "i", float: "f", complex: "c"}.get(type(value), "O")


THEMES = {name: sentences(text) for name, (_, text) in EXPRESSIONS.items()}
CHOICES = [name for name, (weight, _) in EXPRESSIONS.items() for _ in range(weight)]
ACTIONS = sentences(STATEMENTS)


class Maker:
    """Makes one program, statement by statement, running it on the way."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.seed = seed
        self.arguments = tuple(self.make_arguments())
        self.lines: list[str] = []
        self.counter = itertools.count()
        self.fresh: list[str] = []
        self.state = self.run([]) or {}

    def make_arguments(self) -> list[Argument]:
        pick = self.random.choice
        dtypes = ["float64"] * 7 + ["float32"] * 2 + ["int64", "int32", "bool", "complex128"]
        found = []
        main = pick(["float64"] * 3 + ["float32"])
        for name in "xyzw"[: self.random.randint(1, 4)]:
            dtype = pick([main, pick(dtypes)])
            rank = pick([0, 1, 1, 2, 2, 2, 3])
            shape = tuple(pick("nnnmmk") for _ in range(rank))
            values = pick(["normal", "normal", "positive"])
            python = rank == 0 and dtype in ("float64", "int64") and self.random.random() < 0.7
            found.append(Argument(name, dtype, shape, values, python, self.random.random() < 0.1))
        if all(argument.dtype[0] != "f" or not argument.shape for argument in found):
            found[0] = Argument("x", main, ("n",))
        if self.random.random() < 0.4:
            found.append(Argument("a", main, ("n", "n"), pick(["well", "definite"])))
        return found

    def run(self, lines: Sequence[str]) -> dict[str, Any] | None:
        """The variables after these statements; None when NumPy refuses one or a value is out of bounds."""
        program = Program(self.arguments, tuple(lines), "locals()", self.seed)
        try:
            with np.errstate(all="ignore"):
                state = program.function()(*program.values())
        except Exception:
            return None
        return state if all(map(_sound, state.values())) else None

    def known(self, kind: str) -> list[str]:
        if kind in "WD":
            values = ("definite",) if kind == "D" else ("well", "definite")
            return [a.name for a in self.arguments if a.values in values and a.name not in self.changed()]
        return [name for name, value in self.state.items() if KINDS[kind](value)]

    def changed(self) -> set[str]:
        return {a.name for a in self.arguments if any(_writes(line, a.name) for line in self.lines)}

    def blank(self, kind: str, depth: int) -> str:
        choose = self.random.choice
        match kind:
            case "c":
                return choose(["2.0", "0.5", "-1.0", "3.0", "1.0", "0.1", "-0.25", "2", "0.0", "1e-3"])
            case "i":
                return choose(["0", "1", "2", "-1"])
            case "x":
                return choose(["0", "1", "-1", "0"])
            case "s":
                return choose(INDICES)
            case "p":
                return choose(["2", "3", "0.5", "-1", "2.0", "-2", "0", "1"])
            case "new" | "new2":
                self.fresh.append(f"v{next(self.counter)}")
                return self.fresh[-1]
        names = self.known(kind)
        if kind != "T" and depth < 2 and self.random.random() < 0.25 and kind in "FNA":
            return f"({self.fill(self.expression(), depth + 1)})"
        if names:
            late = names[-3:] if self.random.random() < 0.5 else names
            return choose(late)
        return self.fill(FALLBACK[kind], depth + 1) if depth < 6 else "x"

    def expression(self) -> str:
        return self.random.choice(THEMES[self.random.choice(CHOICES)])

    def fill(self, template: str, depth: int = 0) -> str:
        filled: dict[str, str] = {}

        def substitute(found: re.Match[str]) -> str:
            kind, number = found.groups()
            if kind == "new" or number:
                if found[0] not in filled:
                    filled[found[0]] = self.blank(kind, depth)
                return filled[found[0]]
            return self.blank(kind, depth)

        return re.sub(r"\{([A-Za-z]+?)(\d?)\}", substitute, template)

    def statement(self) -> str:
        self.fresh = []
        if self.random.random() < 0.25:
            return self.fill(self.random.choice(ACTIONS))
        return self.fill(f"{{new}} = {self.expression()}")

    def extend(self, attempts: int = 12) -> None:
        for _ in range(attempts):
            candidate = self.statement()
            state = self.run([*self.lines, candidate])
            if state is not None:
                self.lines.append(candidate)
                self.state = {name: value for name, value in state.items() if len(name) < 4 and name not in "jrow"}
                return

    def finish(self) -> Program:
        names = [name for name, value in self.state.items() if name.startswith("v") and _dtype_kind(value) != "O"]
        names = names or [self.arguments[0].name]
        last = {
            name: max(i for i, line in enumerate(self.lines) if _mentions(line, name)) for name in names if name[1:]
        }
        chosen = [name for name in names if name not in last or _mentions(self.lines[last[name]].split("=")[0], name)]
        chosen = list(dict.fromkeys([*(chosen or names[-1:]), *self.random.sample(names, self.random.randint(0, 1))]))
        style = self.random.randrange(4)
        if len(chosen) == 1 and style:
            results = chosen[0]
        elif style == 1:
            results = "{" + ", ".join(f'"{name}": {name}' for name in chosen) + "}"
        else:
            results = f"[{', '.join(chosen)}]" if style == 2 else f"({', '.join(chosen)},)"
        return Program(self.arguments, tuple(self.lines), results, self.seed)


def _writes(line: str, name: str) -> bool:
    return (
        re.search(rf"\b{name}\b(\[[^=]*\])? ?(\*\*|[-+*/])?= |\({name}|out={name}|{name}\.(fill|T|reshape)", line)
        is not None
    )


def _mentions(text: str, name: str) -> bool:
    return re.search(rf"\b{name}\b", text) is not None


def _sound(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return all(map(_sound, value))
    if not isinstance(value, (np.ndarray, np.generic, int, float, complex, bool)):
        return False
    array = np.asarray(value)
    if array.dtype.kind not in "biufc" or array.size > ELEMENTS or array.ndim > 4:
        return False
    return bool(np.all(np.isfinite(array)) and np.all(np.abs(array) <= LIMIT))


def generate(seed: int, length: int = 8) -> Program:
    """The program of a seed, of at most `length` statements."""
    maker = Maker(seed)
    for _ in range(length):
        maker.extend()
    return maker.finish()
