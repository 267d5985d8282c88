"""Random functions with loops, branches and updates in place, as source text; the same one for a seed, always terminating.

>>> print(generate(seed=1).text)  # doctest: +SKIP

Bounds of loops are small, every `while` has a counter of its own, and integers are kept small by remainders. A statement at
the top is kept only if NumPy can run it on the first sizes and values stay bounded, but for a few at the end that raise.
"""

from __future__ import annotations

import itertools
import linecache
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

SIZES = ({"n": 4, "m": 3}, {"n": 6, "m": 2}, {"n": 3, "m": 5}, {"n": 1, "m": 1}, {"n": 0, "m": 2})
"""Sizes of the arguments in turn; the first ones are those for which the program was made."""

LIMIT, DEPTH = 1e6, 3
"""The largest magnitude of a value on the way, and the most loops and branches around a statement."""
HEAVIEST = 250
"""The most lines that a statement may run."""

PARAMETERS = ("x", "y", "A", "idx", "s", "k", "u", "z", "c", "b", "T")
"""Vectors x and y, a matrix, indices, a float and an integer; float32, complex, integer and bool vectors, and three axes."""

PRELUDE = "n = len(x)|m = A.shape[1]|w = x.copy()|t = 0.0|q = 1|p = False"
INNER = ("scaled = lambda v: v * 0.5 + t", "nearest = lambda v: x[q % n] - v")
"""Inner functions, which half of the programs have."""

HELPERS = """\
def bump(a, i, v):
    a[i] += v


def clamp(v, low=-2.0, high=2.0):
    if v < low:
        return low
    elif v > high:
        return high
    return v


def span(a):
    return a.min(), a.max()


def first_at_least(a, v):
    for i in range(len(a)):
        if a[i] >= v:
            return i
    return len(a) - 1


def decay(a, steps):
    for _ in range(steps):
        a *= 0.5
    return a


def checked(v):
    if v > 3.0:
        raise ValueError("too large")
    return v * 0.5
"""


@dataclass(frozen=True)
class Statement:
    """One line, or blocks: each a header and what is in it. `before` stands above, `opening` is the first block's start."""

    line: str = ""
    blocks: tuple[tuple[str, tuple[Statement, ...]], ...] = ()
    before: str = ""
    opening: str = ""

    def lines(self, indent: str = "") -> Iterator[str]:
        if not self.blocks:
            yield indent + self.line
            return
        if self.before:
            yield indent + self.before
        opening = self.opening
        for header, body in self.blocks:
            yield indent + header
            if opening:
                yield f"{indent}    {opening}"
            for statement in body:
                yield from statement.lines(indent + "    ")
            if not body and not opening:
                yield f"{indent}    pass"
            opening = ""

    def weight(self) -> int:
        """About how many lines run when it does."""
        if not self.blocks:
            return 1
        inside = sum(part.weight() for _, body in self.blocks for part in body)
        return 1 + inside * (1 if self.blocks[0][0].startswith("if ") else 5)

    def smaller(self) -> Iterator[tuple[Statement, ...]]:
        """What may stand in its place: nothing, the inside of a branch, or itself with less inside."""
        yield ()
        for place, (header, body) in enumerate(self.blocks):
            if header.startswith(("if ", "elif ", "else")) and self.blocks[0][0].startswith("if "):
                yield body
            if place:
                yield (replace(self, blocks=self.blocks[:place] + self.blocks[place + 1 :]),)
            for shorter in without_one(body):
                blocks = (*self.blocks[:place], (header, shorter), *self.blocks[place + 1 :])
                yield (replace(self, blocks=blocks),)


def without_one(statements: tuple[Statement, ...]) -> Iterator[tuple[Statement, ...]]:
    """The statements with one of them, from the last on, made smaller."""
    for place in range(len(statements) - 1, -1, -1):
        for instead in statements[place].smaller():
            yield statements[:place] + instead + statements[place + 1 :]


@dataclass(frozen=True)
class Flow:
    """A function `f` that runs statements and returns `results`, an expression."""

    statements: tuple[Statement, ...]
    results: str
    seed: int = 0
    _cache: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def text(self) -> str:
        """The function alone."""
        body = [line for statement in self.statements for line in statement.lines("    ")]
        return "\n".join([f"def f({', '.join(PARAMETERS)}):", *body, f"    return {self.results}"]) + "\n"

    @property
    def source(self) -> str:
        return f"{HELPERS}\n\n{self.text}"

    def function(self) -> Callable[..., Any]:
        if "f" not in self._cache:
            file = f"<random flow {id(self._cache)}>"
            linecache.cache[file] = (len(self.source), None, self.source.splitlines(True), file)
            namespace = {"np": np, "math": math}
            exec(compile(self.source, file, "exec"), namespace)
            self._cache["f"] = namespace["f"]
        return self._cache["f"]

    def values(self, place: int = 0) -> tuple[Any, ...]:
        """The arguments of the call number `place`, with the sizes `SIZES[place]`."""
        draw = np.random.default_rng([self.seed, place])
        n, m = SIZES[place]["n"], SIZES[place]["m"]
        x, y = draw.normal(size=(2, n))
        first = (
            x,
            y,
            draw.normal(size=(n, m)),
            draw.integers(0, max(n, 1), n),
            float(draw.normal()),
            int(draw.integers(0, 6)),
        )
        if self.seed % 8 == 3:
            first = x, x, *first[2:]
        u, z = draw.normal(size=n).astype(np.float32), draw.normal(size=n) + 1j * draw.normal(size=n)
        return *first, u, z, draw.integers(-3, 4, n), draw.integers(0, 2, n).astype(bool), draw.normal(size=(n, m, 2))

    def smaller(self) -> Iterator[Flow]:
        """The program with less in it, in many ways."""
        simplest = ("x", "float(t)", "int(q)")
        for name in simplest[: simplest.index(self.results)] if self.results in simplest else simplest:
            yield replace(self, results=name, _cache={})
        for statements in without_one(self.statements):
            yield replace(self, statements=statements, _cache={})


RESULTS = (
    "x", "w", "A", "float(t)", "int(q)", "bool(p)", "x.sum()", "w[1:]", "A.T", "np.array([t, s])", "y", "u", "z", "c", "b",
    "T", "T[0]", "x[::-2]", "dict(x=x, t=float(t))", "[w, y]", "z.real",
)  # fmt: skip

VECTORS, CONSTANTS = ("x", "x", "w", "w", "y"), ("0.5", "-0.5", "1.0", "0.25", "-1.5", "0.1", "2.0", "0.0")

FLOATS = """
{c}|t|s|{v}[{i}]|{v}[{i}]|A[{i}, {j}]|{f} + {f}|{f} - {f}|{f} * {c}|np.sin({f})|abs({f})|math.sqrt(abs({f}))|{v}.sum()
np.max({v})|{v}[:{i}].sum()|min({f}, {f})|max({f}, {c})|float({k})|({f} if {b} else {f})|{v} @ {v}|clamp({f})
A[{i}].mean()|{f} / (abs({f}) + 1.0)|np.tanh({f})|A[:, {j}].sum()|first_at_least({v}, {f}) * 0.5|np.exp(-abs({f}))|-{f}
{f} * {f} / 4|float(u[{i}])|float(u.sum())|z[{i}].real|abs(z[{i}])|float(np.abs(z).max())|T[{i}, {j}, 0]|T[{i}].mean()
T[:, {j}, 1].sum()|float(c[{i}])|c.sum() * 0.1|float(b[{i}])|np.dot({v}, c) * 0.1|{v}[::-2].sum()|{v}[{i}:].sum()
float(0 if {b} else {f})
"""

INTEGERS = """
q|k|n|{I}|{k} + {k}|({k} + {I}) % 5|({k} * 3 + 1) % 7|int(idx[{i}])|int(abs({f})) % 4|abs(q - k) % 6|{k} // 2|len(w)
{k} % 3|first_at_least({v}, {c})|({k} if {b} else {I})|min({k}, {k})|max({k}, 1)|int(np.argmax({v}))|int({b})|n - 1
{k} & 3|int(({v} > {c}).sum())|int(c[{i}])|int(c.sum()) % 7|int(b.sum())|len(T[0])|int(np.abs(c).max())|c.argmin() * 1
"""

BOOLS = """
{f} > {c}|{f} < {f}|{v}[{i}] > {v}[{i}]|{k} % 2 == 0|{k} < {k}|p|not p|{b} and {b}|{b} or {b}|-1.0 < {f} < 1.0
np.any({v} > {c})|bool(np.all({v} < {c}))|{I} == {k}|{f} >= 0|q != k|{v}.sum() > A.sum()|b[{i}]|b.any()|bool(b[{i}])
c[{i}] > {k}|z[{i}].imag > {c}|u[{i}] < {f}
"""

ARRAYS = """
{v}|{v} * {c}|{v} + {f}|{v} - {v}|np.sin({v})|np.where({v} > {c}, {v}, {f})|{v}[::-1]|{v}[idx]|np.abs({v})|A[:, {j}]
np.cumsum({v}) / 4|np.zeros(n)|np.full(n, {f})|A.sum(axis=1) * 0.25|np.roll({v}, 1)|A @ A[{i}] / 8
z.real|np.abs(z)|T[:, {j}, 0]|T.sum(axis=(1, 2)) * 0.1|c * 0.5|np.where(b, {v}, {f})|u.astype(float)|{v}[::-1] * {c}
"""

UPDATES = """
{v}[{i}] = {f}|{v}[{i}] += {f}|{v}[{i}] *= {c}|{v}[1:] = {v}[:-1]|{v}[:-1] += {v}[1:]|{v}[{k} % n:] = {f}|{v}[::2] = {c}
{v}[::-1] = {V}|{v}[{v} > {c}] = {f}|{v}[{v} < {c}] *= 0.5|{v}[idx] += {c}|{v}[idx] = {V}|np.add.at({v}, idx, {f})
{v}[:] = {V}|{v} += {V} * {c}|{v} *= 0.5|A[{i}] *= {c}|A[{i}, {j}] = {f}|A[:, {j}] += {V}|A[{i}, {j}] -= {f}
A[{i}] = A[{i}][::-1]|A[1:, {j}] = A[:-1, {j}]|{v}[{i}], {v}[{i}] = {v}[{i}], {v}[{i}]|part = {v}[1:]; part += {f}
part = A[{i}]; half = part[::2]; half -= {c}|part = A.T; part[{j}, {i}] = {f}|np.maximum({v}, {c}, out={v})
np.add({v}, {V}, out={v})|bump({v}, {i}, {f})|decay({v}, {k} % 3)|decay({v}[1:], 1)|A[A > {c}] = {f}|{v} = {V}
w = {V} + 0.0|w = {v}.copy()|{v} = {v} * 0.5 + {V} * 0.25|A[[0, -1]] = A[[-1, 0]]|A -= A.mean()
{v}[({v} > {c}) & (idx < {k})] = {c}|t = {f}|t = {f}|t += {f}|t *= 0.5|t -= {f}|t, s = s, t|q = {K}|q = {K}
q += 1; q %= 9|p = {b}|t, s = span({v})|t, q = {f}, {K}|p = not p|{v}[{i}] = clamp({f}, high={c})|t = checked({f})
{v}[n // 2:] -= {v}[:n - n // 2]|part = {v}; part[{i}] = {f}|x, w = w, x|s = {f}
{v}[::-2] = {c}|{v}[-2::-1] += {c}|{v}[n - 1:0:-1] = {v}[1:]|{v}[{i}:] *= 0.5|{v}[:{i}] = {v}[{i}]|{v}[1:] += {v}[:-1]
{v}[1:] = {v}[:-1] * 0.5 + {v}[1:]|np.add({v}[1:], {v}[:-1], out={v}[1:])|{v}[:-1] = {v}[:0:-1]|{v}[{i}:{i}] = {f}
u *= 0.5|u[{i}] = {f}|u += {V}|u[u > {c}] = {c}|u[1:] = u[:-1]|z[{i}] = {f} + 1j * {f}|z *= 0.5|z[:] = z.conj()|z += {V}
z[1:] -= z[:-1]|z *= 0.5j|c[{i}] += {k}|c[c > 2] = 0|c[idx] = {k}|c -= c.min()|c[:] = idx|c[{i}] //= 2|b[{i}] = {b}|b = ~b
b &= {v} > {c}|b[:] = c > 0|T[{i}] *= 0.5|T[:, {j}] = {f}|T[{i}, {j}, 1] += {f}|T[..., 0] -= T[..., 1]
T[{i}, {j}] = T[{i}, {j}][::-1]
part = T[{i}]; part[{j}] = {f}|T[:, {j}, 0] = {V}|T *= 0.5|pair = [{v}, {v}]; pair[0][{i}] += {f}; pair[1][{i}] = {c}
pair = [t, s]; pair[0] += {f}; t = pair[0]; s = pair[1]|named = dict(a={v}, b={f}); named["a"][{i}] = named["b"]
one, two = {v}, {v}; one[{i}] = two[{i}]|t = 0 if {b} else {f}|x, y = y, x|x, y, w = w, x, y
A[{i}], A[{i}] = A[{i}].copy(), A[{i}] * 0.5
"""

LOOPS = """
for {new} in range(n):|for {new} in range(n):|for {new} in range(1, n):|for {new} in range(n - 1, -1, -1):
for {new} in range(0, n, 2):|for {new} in range({K} % 4):|for {new} in range(int(abs({f})) % 4):
for {new} in range({I}):|for {new} in range({I} + 1, n):|for {new} in range(n - 1, 0, -2):
for {new} in range({k} % 3, n):|for {new} in range(3):|for {new} in range(min({k}, n)):|for {new}, e in enumerate({v}):
for e, g in zip({v}, {v}):|for e in {v}:|for row in A:|for e in (0.5, -1.0, 2.0):|for a in [{v}, {v}]:
for {new}, row in enumerate(A):|for {new} in range(n, 0, -1):|for e in {v}[::-1]:|for {new} in c:|for row in T[..., 0]:
for {new}, e in enumerate({v}[1:]):|for e, {new} in zip({v}, c):|for {new} in range(n, {k}, -1):|for row in A.T:
"""

INSIDE = {
    "e": "t += e * 0.5|q = int(abs(e)) % 5",
    "row": "row *= 0.5|row[0] += {f}|t += row.sum()",
    "a": "a[{i}] += {f}|a *= 0.5",
}
"""Statements that use what a loop over elements, rows or arrays gives."""


def sentences(text: str) -> list[str]:
    return [sentence for line in text.strip().splitlines() for sentence in line.split("|")]


TABLES = {"f": sentences(FLOATS), "k": sentences(INTEGERS), "b": sentences(BOOLS), "V": sentences(ARRAYS)}
SIMPLE = {
    "f": ("{c}", "t", "s", "{v}[{i}]"),
    "k": ("q", "k", "{I}"),
    "b": ("{f} > {c}", "p", "{k} % 2 == 0"),
    "V": ("{v}",),
}
CALLS = ("scaled({f})", "nearest({f})", "scaled({v}[{i}])")
UPDATE_LINES, LOOP_LINES = sentences(UPDATES), sentences(LOOPS)


def enclosed(text: str) -> bool:
    """Whether one pair of parentheses holds the whole expression."""
    depths = list(itertools.accumulate((c == "(") - (c == ")") for c in text))
    return text.startswith("(") and 0 not in depths[:-1]


class Maker:
    """Makes one program, statement by statement, running it on the way."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.seed = seed
        self.inner = seed % 2 == 1
        self.places: list[str] = []
        self.given: list[str] = []
        self.count = 0

    def blank(self, kind: str, depth: int) -> str:
        choose = self.random.choice
        match kind:
            case "c":
                return choose(CONSTANTS)
            case "v":
                return choose(VECTORS)
            case "I":
                return choose(self.places) if self.places else choose(["q", "k"])
            case "i":
                return self.index("n")
            case "j":
                return self.index("m")
            case "K":
                return f"({self.blank('k', depth)}) % 7"
            case "new":
                self.count += 1
                return f"i{self.count}"
        table = TABLES[kind] if depth < 3 and self.random.random() < 0.8 else SIMPLE[kind]
        if kind == "f" and self.inner and self.random.random() < 0.1:
            table = CALLS
        found = self.fill(choose(table), depth + 1)
        return f"({found})" if depth and " " in found and not enclosed(found) else found

    def index(self, length: str) -> str:
        """An index that is nearly always within bounds."""
        choose = self.random.choice
        if self.random.random() < 0.01:
            return choose(["k", "q", *self.places])
        if not self.places:
            return choose(["0", "-1", f"k % {length}", f"q % {length}", f"{length} - 1"])
        place = choose(self.places)
        return choose(
            [f"{place} % {length}"] * 3 + [f"({place} + 1) % {length}", f"-1 - {place} % {length}", "0", "-1"]
        )

    def fill(self, template: str, depth: int = 0) -> str:
        parts = []
        while template:
            head, brace, rest = template.partition("{")
            parts.append(head)
            if brace:
                kind, _, template = rest.partition("}")
                parts.append(self.blank(kind, depth))
            else:
                template = ""
        return "".join(parts)

    def simple(self) -> list[Statement]:
        options = UPDATE_LINES
        for name in self.given:
            if self.random.random() < 0.4:
                options = INSIDE[name].split("|")
        return [Statement(line) for line in self.fill(self.random.choice(options)).split("; ")]

    def statement(self, depth: int = 0, in_loop: bool = False) -> list[Statement]:
        chance = self.random.random()
        if depth < DEPTH and chance < 0.3:
            return [self.loop(depth)]
        if depth < DEPTH and chance < 0.36:
            return [self.while_loop(depth)]
        if depth < DEPTH and chance < 0.55:
            return [self.branch(depth, in_loop)]
        if in_loop and chance < 0.62:
            jump = self.random.choice(["break", "continue", "break"])
            return [Statement(blocks=((f"if {self.blank('b', 1)}:", (Statement(jump),)),))]
        if depth and chance < 0.65:
            early = Statement(f"return {self.final if self.random.random() < 0.7 else self.results()}")
            return [Statement(blocks=((f"if {self.blank('b', 1)}:", (early,)),))]
        return self.simple()

    def body(self, depth: int, in_loop: bool) -> tuple[Statement, ...]:
        count = self.random.randint(1, 3 if depth < DEPTH else 2)
        return tuple(part for _ in range(count) for part in self.statement(depth, in_loop))

    def within(self, depth: int, header: str) -> tuple[Statement, ...]:
        """The body of a loop, which knows what its header binds."""
        names = header.removeprefix("for ").partition(" in ")[0].split(", ") if header.startswith("for ") else []
        places, given = self.places, self.given
        self.places = places + [name for name in names if name[0] == "i"]
        self.given = given + [name for name in names if name in INSIDE]
        found = self.body(depth + 1, True)
        self.places, self.given = places, given
        return found

    def with_else(self, depth: int, header: str) -> tuple[tuple[str, tuple[Statement, ...]], ...]:
        blocks = [(header, self.within(depth, header))]
        if self.random.random() < 0.12:
            blocks.append(("else:", self.body(depth + 1, False)))
        return tuple(blocks)

    def loop(self, depth: int) -> Statement:
        return Statement(blocks=self.with_else(depth, self.fill(self.random.choice(LOOP_LINES))))

    def while_loop(self, depth: int) -> Statement:
        self.count += 1
        counter = f"c{self.count}"
        limit = self.random.randint(2, 6)
        if self.random.random() < 0.3:
            opening = f"if ({counter} := {counter} + 1) > {limit} or {self.blank('b', 1)}: break"
            return Statement(
                blocks=(("while True:", self.body(depth + 1, True)),), before=f"{counter} = 0", opening=opening
            )
        header = f"while {counter} < {limit} and {self.blank('b', 1)}:"
        return Statement(blocks=self.with_else(depth, header), before=f"{counter} = 0", opening=f"{counter} += 1")

    def branch(self, depth: int, in_loop: bool) -> Statement:
        blocks = [(f"if {self.blank('b', 0)}:", self.body(depth + 1, in_loop))]
        if self.random.random() < 0.3:
            blocks.append((f"elif {self.blank('b', 0)}:", self.body(depth + 1, in_loop)))
        if self.random.random() < 0.5:
            blocks.append(("else:", self.body(depth + 1, in_loop)))
        return Statement(blocks=tuple(blocks))

    def results(self) -> str:
        chosen = self.random.sample(RESULTS, self.random.randint(1, 3))
        return chosen[0] if len(chosen) == 1 else f"({', '.join(chosen)})"

    def generate(self, length: int) -> Flow:
        statements = [Statement(line) for line in (*PRELUDE.split("|"), *(INNER if self.inner else ()))]
        self.final = self.results()
        for _ in range(length):
            problem = None
            for _attempt in range(8):
                found = self.statement()
                candidate = [*statements, *found]
                if sum(each.weight() for each in found) > HEAVIEST:
                    continue
                problem = self.problem(candidate)
                if problem is None or (problem == "raises" and self.random.random() < 0.05):
                    statements = candidate
                    break
            else:
                continue
            if problem is not None:
                break
        return Flow(tuple(statements), self.final, self.seed)

    def problem(self, statements: Sequence[Statement]) -> str | None:
        """What is wrong with the program so far: it raises, or a value is out of bounds."""
        program = Flow(tuple(statements), "locals()", self.seed)
        try:
            with np.errstate(all="ignore"):
                state = program.function()(*program.values())
        except Exception:
            return "raises"
        if not isinstance(state, dict):
            return None
        arrays = [
            np.asarray(value) for value in state.values() if isinstance(value, (np.ndarray, np.generic, float, complex))
        ]
        return None if all(a.dtype.kind not in "fc" or np.all(np.abs(a) <= LIMIT) for a in arrays) else "unbounded"


def generate(seed: int, length: int = 6) -> Flow:
    """The program of a seed, of at most `length` statements at the top."""
    return Maker(seed).generate(length)
