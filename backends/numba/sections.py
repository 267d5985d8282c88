"""Cuts a long driver into sections, each a function of its own; sections that are equal up to names are one function.

What remains of the driver is a list of rows: which section runs next, on which variables. numba compiles as much as
there are different sections, however long the driver is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

TOKENS = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|(?<![\w.])(?:pointer\((\w+)\)|[A-Za-z_]\w*)")
"""Texts in quotes, names that are no attributes, and addresses of what has a name."""

ASSIGNED = re.compile(r"\s*(\w+) = ")


def variable(operand: str) -> str:
    """The variable that an operand is, or is the address of."""
    return operand.removeprefix("pointer(").rstrip(")")


@dataclass(frozen=True)
class Row:
    """A section that runs on variables or their addresses, what it makes, and the variables that rows have made and no later
    one needs."""

    section: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    dead: tuple[str, ...]


@dataclass(frozen=True)
class Sections:
    """The sources of functions named `section`, and the rows. `given` are the variables of the driver's head that rows
    read; `wanted` are those that are wanted in the end."""

    sources: tuple[str, ...]
    rows: tuple[Row, ...]
    given: tuple[str, ...]
    wanted: tuple[str, ...]


def cut(
    chunks: Sequence[Sequence[str]],
    head: Iterable[str],
    wanted: Sequence[str],
    functions: Mapping[str, str],
) -> Sections:
    """The sections of straight-line source.

    chunks: the lines of each section, indented once. head: the variables that are there before, constants included.
    wanted: the variables that are needed after all rows. functions: names of functions which are equal, by what they are
    called here.

    >>> made = cut([["    b = f(a)"], ["    c = f(b)"], ["    d = g(c, b)"]], ["a"], ["d"], {"g": "f"})
    >>> print(made.sources[0])
    def section(v1):
        v0 = f(v1)
        return v0
    <BLANKLINE>
    >>> len(made.sources), [row.dead for row in made.rows]
    (2, [(), (), ('c', 'b')])
    """
    head = dict.fromkeys(head)
    made = [list(dict.fromkeys(match[1] for line in lines if (match := ASSIGNED.match(line)))) for lines in chunks]
    variables = {*head, *(name for names in made for name in names)}
    used = [_operands(lines, variables, set(names)) for lines, names in zip(chunks, made)]
    last = {base: number for number, operands in enumerate(used) for base in operands.values()}
    last.update(dict.fromkeys(wanted, len(chunks)))
    sources: dict[str, int] = {}
    rows: list[Row] = []
    before = set(head)
    for number, (lines, operands) in enumerate(zip(chunks, used)):
        inputs = tuple(operand for operand, base in operands.items() if base in before)
        outputs = tuple(name for name in made[number] if last[name] > number)
        read = dict.fromkeys(operands[operand] for operand in inputs)
        dead = tuple(name for name in read if last[name] == number and name not in head)
        source = _function(lines, operands, inputs, outputs, functions)
        rows.append(Row(sources.setdefault(source, len(sources)), inputs, outputs, dead))
        before.update(outputs)
    needed = {base for operands in used for base in operands.values()} | set(wanted)
    return Sections(tuple(sources), tuple(rows), tuple(name for name in head if name in needed), tuple(wanted))


def _operands(lines: Iterable[str], variables: set[str], made: set[str]) -> dict[str, str]:
    """What lines use, variables and addresses of earlier ones, each with the variable."""
    found: dict[str, str] = {}
    for line in lines:
        for match in TOKENS.finditer(line):
            base = match[1] or match[0]
            if base in variables:
                found[base if base in made else match[0]] = base
    return found


def _function(
    lines: Iterable[str],
    operands: Iterable[str],
    inputs: Sequence[str],
    outputs: Sequence[str],
    functions: Mapping[str, str],
) -> str:
    """The source of a section with its own names for what it uses."""
    own = {operand: f"v{number}" for number, operand in enumerate(operands)}

    def renamed(match: re.Match[str]) -> str:
        if match[0] in own:
            return own[match[0]]
        return f"pointer({own[match[1]]})" if match[1] else functions.get(match[0], match[0])

    body = [TOKENS.sub(renamed, line) for line in lines]
    results = [own[name] for name in outputs]
    returned = f"    return {results[0] if len(results) == 1 else '(' + ''.join(f'{each}, ' for each in results) + ')'}"
    head = f"def section({', '.join(own[name] for name in inputs)}):"
    return "\n".join([head, *body, *([returned] if results else [])]) + "\n"
