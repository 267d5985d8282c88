"""Direct calls of functions whose arguments are tuples, lists, dictionaries and dataclasses of arrays and numbers.

Code takes leaves. A function made for arguments of one form tests that they have it, takes them apart, and calls the direct way
for leaves. What has another form, or what that way does not fit, takes the long way.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from egc.capture.arguments import Tree

OWN = "_egc_"
"""What those names in the functions begin with that are not parameters'."""

MISSED = object()
"""What the direct way for leaves gives where it does not fit."""


def missed(*leaves: Any) -> Any:
    """Takes the calls that the direct way for leaves does not fit."""
    return MISSED


def is_simple(forest: Mapping[str, Tree]) -> bool:
    """Whether arguments are tuples, lists, dataclasses, and dictionaries whose keys are texts, of anything at their leaves."""
    return all(not name.startswith(OWN) and _is_simple(tree) for name, tree in forest.items())


def _is_simple(tree: Tree) -> bool:
    if tree.build is None:
        return True
    keyed = type(tree.form) is tuple and all(type(key) is str for key in tree.form[1])
    return (isinstance(tree.form, type) or keyed) and all(map(_is_simple, tree.children))


def nested_call(
    name: str, forest: Mapping[str, Tree], direct: Callable[..., Any], slow: Callable[..., Any]
) -> Callable[..., Any]:
    """The callable, called `name`, for arguments of one form that are given by position or by name: `direct` of their leaves,
    else `slow` of the arguments. `forest` has the form of each parameter's.

    >>> from egc.capture.arguments import flatten
    >>> forest = {"pair": flatten((1, [2, 3]), "pair", []), "x": flatten(4, "x", [])}
    >>> found = nested_call("found", forest, lambda *leaves: leaves, lambda *given, **named: "slow")
    >>> found((5, [6, 7]), x=8), found((5, (6, 7)), 8), found((5, [6]), 8), found((5, [6, 7]))
    ((5, 6, 7, 8), 'slow', 'slow', 'slow')
    """
    given, opened = ", ".join(forest), _Opened(f"return {OWN}slow({', '.join(forest)})")
    leaves = [leaf for parameter, tree in forest.items() for leaf in opened.leaves(parameter, tree)]
    absent = "".join(f" or {parameter} is {OWN}none" for parameter in forest)
    present = ", ".join(f"({parameter!r}, {parameter})" for parameter in forest)
    lines = [
        f"def call({''.join(f'{parameter}={OWN}none, ' for parameter in forest)}*{OWN}more, **{OWN}named):",
        f"    if {OWN}more or {OWN}named{absent}:",
        f"        if {OWN}more: return {OWN}slow({given}, *{OWN}more, **{OWN}named)",
        f"        {OWN}present = {{key: value for key, value in ({present},) if value is not {OWN}none}}",
        f"        return {OWN}slow(**{OWN}present, **{OWN}named)",
        *opened.lines,
        f"    {OWN}found = {OWN}direct({', '.join(leaves)})",
        f"    return {OWN}slow({given}) if {OWN}found is {OWN}missed else {OWN}found",
    ]
    names = {**opened.kinds, f"{OWN}none": object(), f"{OWN}slow": slow, f"{OWN}direct": direct, f"{OWN}missed": MISSED}
    exec("\n".join(lines), names)
    found: Callable[..., Any] = names["call"]  # type: ignore[assignment]
    found.__name__ = found.__qualname__ = name
    return found


class _Opened:
    """The lines that take arguments apart, and leave by `refused` where they have another form."""

    def __init__(self, refused: str):
        self.refused, self.lines, self.count = refused, list[str](), 0
        self.kinds: dict[str, type] = {}

    def kind(self, kind: type) -> str:
        """The name of a type in the function."""
        name = f"{OWN}kind_{len(self.kinds)}"
        self.kinds[name] = kind
        return name

    def leaves(self, value: str, tree: Tree) -> list[str]:
        """The variables of the leaves of one."""
        if tree.build is None:
            return [value]
        parts = [f"{OWN}{self.count + k}" for k in range(len(tree.children))]
        self.count += len(parts)
        keys = None if isinstance(tree.form, type) else tree.form[1]
        kind, fields = self.kind(dict if keys is not None else tree.form), _fields(tree.form)
        length = "" if fields else f" or len({value}) != {len(parts)}"
        self.lines.append(f"    if type({value}) is not {kind}{length}: {self.refused}")
        if keys is not None:
            self.lines.append(f"    if tuple({value}) != {keys!r}: {self.refused}")
        if parts:
            if fields:
                opened = "".join(f"{value}.{field}, " for field in fields)
            else:
                opened = value if keys is None else f"{value}.values()"
            self.lines.append(f"    {', '.join(parts)}, = {opened}")
        return [leaf for part, child in zip(parts, tree.children) for leaf in self.leaves(part, child)]


def _fields(form: Any) -> tuple[str, ...]:
    """The names of a dataclass's fields; none of other containers."""
    return tuple(field.name for field in dataclasses.fields(form)) if dataclasses.is_dataclass(form) else ()
