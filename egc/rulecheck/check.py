"""The numerical check of rules: both sides run with NumPy on many samples and are compared.

What counts as equal is in `egc.rulecheck.law`, and in words in `rules/README.md`.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from egc.errors import RuleError
from egc.rewrite import Rule, Unmet
from egc.rulecheck.law import difference
from egc.rulecheck.samples import FINITE_KINDS, KINDS, Sample, Sampler, hold, recorded

ATTEMPTS = 40
"""Samples drawn for each one that is wanted, before a rule counts as never applicable.

At least a quarter of those used must be ordinary ones: neither empty nor with nan or infinite operands.
"""


@dataclass(frozen=True)
class Counterexample:
    """Operands for which a rule breaks its law, by parameter name, and what its sides gave."""

    operands: dict[str, Any]
    left: Any
    right: Any
    reason: str

    def __str__(self) -> str:
        lines = [self.reason, *(f"  {name} = {_shown(value)}" for name, value in self.operands.items())]
        return "\n".join([*lines, f"  left:  {_shown(self.left)}", f"  right: {_shown(self.right)}"])


@dataclass(frozen=True)
class Report:
    """What the check of one rule found. `samples` counts those on which both sides were compared."""

    rule: Rule
    samples: int
    wanted: int
    counterexample: Counterexample | None = None

    @property
    def passed(self) -> bool:
        """Whether no counterexample was found and enough samples met what the rule requires."""
        return self.counterexample is None and self.samples >= self.wanted

    def __str__(self) -> str:
        head = f"{self.rule.place}: {self.rule.name} ({self.rule.precision})"
        if self.counterexample is not None:
            return f"{head}: wrong after {self.samples} samples: {self.counterexample}"
        if self.samples < self.wanted:
            return f"{head}: only {self.samples} of {self.wanted} samples met what it requires"
        return f"{head}: ok, {self.samples} samples"


def check(rule: Rule, samples: int = 200, seed: int = 0) -> Report:
    """Compares the sides of a rule on random operands until `samples` of them met what it requires.

    An equation is compared in both directions. Needs mpmath.

    >>> from egc.rewrite import rule
    >>> @rule
    ... def root_of_square(x):
    ...     return np.sqrt(x * x), x
    >>> check(root_of_square).passed
    False
    """
    used = ordinary = 0
    with np.errstate(all="ignore"):
        try:
            sampler = Sampler(rule, seed)
        except _FAULTS as error:
            return Report(rule, 0, samples, Counterexample({}, None, None, _described(error)))
        kinds = FINITE_KINDS if _speaks_of_linalg(rule.function) else KINDS[rule.precision]
        for attempt in range(ATTEMPTS * samples):
            sample = sampler.draw(kinds[attempt % len(kinds)])
            try:
                difference = _compare_sample(rule, sample, sampler)
            except Unmet:
                continue
            if difference is not None:
                operands = dict(zip(rule.parameters, sample.operands))
                return Report(rule, used, samples, Counterexample(operands, *difference))
            used += 1
            ordinary += sample.kind in ("plain", "wide", "close")
            if used >= samples and 4 * ordinary >= samples:
                break
    return Report(rule, min(used, 4 * ordinary), samples)


def _speaks_of_linalg(function: Any) -> bool:
    """Whether a function, or one of its own file that it calls, names `linalg`, which speaks of finite operands only."""
    names = function.__code__.co_names
    called = (function.__globals__.get(name) for name in names)
    own = [
        each
        for each in called
        if getattr(each, "__module__", None) == function.__module__ and hasattr(each, "__code__")
    ]
    return "linalg" in names or any(map(_speaks_of_linalg, own))


def check_all(rules: Iterable[Rule], samples: int = 200, seed: int = 0) -> Iterator[Report]:
    """The reports of `check`, rule by rule."""
    for rule in rules:
        yield check(rule, samples, seed)


_FAULTS = (TypeError, NameError, AttributeError, RuleError)
_SHAPE_FAULTS = (ValueError, IndexError, np.linalg.LinAlgError)


def _described(error: Exception) -> str:
    return f"running it raises {type(error).__name__}: {error}"


Difference = tuple[Any, Any, str]


def _compare_sample(rule: Rule, sample: Sample, sampler: Sampler) -> Difference | None:
    """What is wrong on one sample, or None. Raises Unmet where the rule does not apply to it."""
    if sample.kind in ("nan", "extreme"):
        sides, conditions = recorded(rule, sample.operands)
        if not hold(conditions, dict(zip(rule.parameters, sample.operands))):
            raise Unmet
    else:
        try:
            sides = rule(*sample.operands)
        except Exception as error:
            sides = error
    if isinstance(sides, Unmet):
        raise sides
    if isinstance(sides, _SHAPE_FAULTS) and _raised_in_left(rule, sides):
        raise Unmet from sides
    if isinstance(sides, Exception):
        return None, None, _described(sides)
    if not isinstance(sides, tuple) or len(sides) != 2:
        return sides, None, "it does not return two expressions"
    left, right = (np.asarray(side) for side in sides)
    if left.shape != right.shape:
        return left, right, f"the sides have shapes {left.shape} and {right.shape}"
    if left.dtype != right.dtype:
        return left, right, f"the sides have dtypes {left.dtype} and {right.dtype}"
    for side in (0, 1) if rule.both_ways else (0,):
        reason = difference(rule, sample, (left, right), side, sampler.random)
        if reason is not None:
            return left, right, reason
    return None


def _raised_in_left(rule: Rule, error: Exception) -> bool:
    """Whether an exception came from the left side, or from a statement whose result the left side uses."""
    code, place = rule.function.__code__, None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is code:
            place = list(code.co_positions())[trace.tb_lasti // 2]
        trace = trace.tb_next
    left = _left_side(rule)
    if place is None or left is None or place[0] is None:
        return True
    tree, offset = left
    if tree.lineno + offset <= place[0] <= (tree.end_lineno or 0) + offset:
        start = (place[0], place[2] or 0)
        return start < ((tree.end_lineno or 0) + offset, (tree.end_col_offset or 0) + _indent(rule))
    assigned = _assigned_at(rule, place[0] - offset)
    return bool(assigned & {name.id for name in ast.walk(tree) if isinstance(name, ast.Name)})


def _source(rule: Rule) -> ast.FunctionDef | None:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(rule.function))).body[0]
    except (OSError, TypeError, SyntaxError):
        return None
    return tree if isinstance(tree, ast.FunctionDef) else None


def _indent(rule: Rule) -> int:
    line = inspect.getsource(rule.function).splitlines()[0]
    return len(line) - len(line.lstrip())


def _left_side(rule: Rule) -> tuple[ast.expr, int] | None:
    """The left side's tree, and what to add to its line numbers to have those of the file."""
    tree = _source(rule)
    returns = [node for node in ast.walk(tree) if isinstance(node, ast.Return)] if tree is not None else []
    if len(returns) != 1 or not isinstance(returns[0].value, ast.Tuple):
        return None
    return returns[0].value.elts[0], rule.function.__code__.co_firstlineno - 1


def _assigned_at(rule: Rule, line: int) -> set[str]:
    tree = _source(rule)
    assert tree is not None
    return {
        name.id
        for statement in tree.body
        if isinstance(statement, ast.Assign) and statement.lineno <= line <= (statement.end_lineno or 0)
        for target in statement.targets
        for name in ast.walk(target)
        if isinstance(name, ast.Name)
    }


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        text = np.array2string(value, threshold=30, floatmode="unique", separator=", ")
        return f"{text} ({value.dtype}, shape {value.shape})"
    return repr(value)
