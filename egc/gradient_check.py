"""Derivatives of a user's function held against differences of its values."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from egc.capture.arguments import flatten, unflatten
from egc.derivatives import PLAIN, jvp, transformed, vjp
from egc.dispatch import Optimized
from egc.errors import NotDifferentiable, VerificationError
from egc.mapped import copied
from egc.options import Options
from egc.transformed import MEMORY, loop_options

TOLERANCE = {8: 1e-6, 4: 2e-2}
"""How far derivatives may be off, in parts of the largest, by the bytes of a real number."""


def check_grads(
    fn: Callable[..., Any],
    args: Sequence[Any],
    order: int = 2,
    *,
    argnums: Sequence[int] | int | None = None,
    tolerance: float | None = None,
    seed: int = 0,
    reverse: str = "auto",
    memory: int = MEMORY,
) -> None:
    """Compares the derivatives of a function at its arguments with central differences, and cotangents with tangents.

    fn: a function of NumPy arrays and numbers, in containers or not. An optimized one is checked as it is compiled.
    order: up to which derivatives; each is one of those before, so that the second order takes three checks, the third seven.
    argnums: the positions of the arguments that move; by default all that are made of floating numbers.
    tolerance: how far derivatives may be off, in parts of the largest; by default 1e-6 in double precision and 2e-2 in single.
    seed: of the directions, which are random.
    reverse, memory: how loops run backward, as for `grad`.

    Raises VerificationError, which names the argument, its element, the order and both values; NotDifferentiable or NotEncodable
    where there is no derivative. At kinks, and where the number of a loop's iterations changes, differences are no derivatives.

    >>> import numpy as np
    >>> check_grads(lambda x: np.sum(np.sin(x) * x), (np.array([1.0, 2.0]),))
    """
    args = copied(tuple(args))
    chosen = [argnums] if isinstance(argnums, int) else argnums
    places = [k for k, each in enumerate(args) if _moves(each)] if chosen is None else [k % len(args) for k in chosen]
    if not places:
        raise NotDifferentiable("checking derivatives", "no argument is made of floating numbers")
    parameters = list(inspect.signature(fn).parameters)
    names = [parameters[k] if k < len(parameters) else f"number {k}" for k in places]
    plain = getattr(fn, "__egc_plain__", fn)

    def function(*values: Any) -> Any:
        full = list(args)
        for place, value in zip(places, values):
            full[place] = value
        return plain(*full)

    values = tuple(args[k] for k in places)
    widths = [np.asarray(leaf).real.dtype.itemsize for leaf in _leaves(values)]
    allowed = tolerance if tolerance is not None else TOLERANCE.get(min(widths), max(TOLERANCE.values()))
    loop_options(reverse, memory)
    check = _Check(
        getattr(fn, "__name__", "the function"), names, allowed, fn.options if isinstance(fn, Optimized) else PLAIN,
        np.random.default_rng(seed), reverse, memory,
    )  # fmt: skip
    check.run(function, values, order, 1)


@dataclass(frozen=True)
class _Check:
    """What all orders share: the function's name, those of the arguments that move, how it runs, what directions are drawn from,
    and how loops run backward."""

    name: str
    arguments: Sequence[str]
    tolerance: float
    options: Options
    random: np.random.Generator
    reverse: str
    memory: int

    def run(self, function: Callable[..., Any], values: tuple[Any, ...], order: int, now: int) -> None:
        """Checks the first derivative of a function, which is one of order `now - 1`, then the orders after it."""
        compiled = Optimized(function, self.options)
        tangents = self._drawn(values)
        results, pushed = jvp(compiled, copied(values), tangents)
        if not self._close(function, values, tangents, pushed):
            self._name_element(compiled, values, now)
        cotangents = self._drawn(results)
        pulled = vjp(compiled, *copied(values), reverse=self.reverse, memory=self.memory)[1](cotangents)
        self._transposed(compiled, values, (tangents, pushed), (cotangents, pulled), now)
        if now < order:
            self.run(lambda *moved: jvp(function, moved, tangents)[1], values, order, now + 1)
            pull = transformed("pullback", function, **loop_options(self.reverse, self.memory))
            self.run(lambda *moved: pull(moved, cotangents), values, order, now + 1)

    def _drawn(self, value: Any) -> Any:
        """A direction for each floating leaf, and 0 for the others."""

        def draw(leaf: Any) -> Any:
            like = np.asarray(leaf)
            if like.dtype.kind not in "fc":
                return leaf if leaf is None else np.zeros_like(like)
            drawn = self.random.uniform(-1, 1, like.shape)
            if like.dtype.kind == "c":
                drawn = drawn + 1j * self.random.uniform(-1, 1, like.shape)
            return drawn.astype(like.dtype)

        return _each(draw, value)

    def _close(self, function: Callable[..., Any], values: Any, tangents: Any, pushed: Any) -> bool:
        return all(error <= bound for error, bound, *_ in self._errors(function, values, tangents, pushed))

    def _errors(self, function: Any, values: Any, tangents: Any, pushed: Any) -> list[tuple[float, float, Any, Any]]:
        """For each leaf of the results: the largest error, what it may be, and both values there."""
        step = _step(values)
        up, down = (
            _leaves(function(*_each(lambda x, t, s=sign: x if x is None else _moved(x, s * step, t), values, tangents)))
            for sign in (1, -1)
        )
        found = []
        for a, b, tangent in zip(up, down, _leaves(pushed)):
            high, low, moved = np.asarray(a), np.asarray(b), np.asarray(tangent)
            if high.dtype.kind not in "fc" or not high.size:
                continue
            expected = (high - low) / (2 * step)
            rounding = 20 * np.finfo(high.dtype).eps / step * max(1.0, np.max(np.abs(high)))
            bound = self.tolerance * max(np.max(np.abs(expected)), np.max(np.abs(moved))) + rounding
            error = np.abs(moved - expected)
            worst = np.unravel_index(np.argmax(np.where(np.isnan(error), np.inf, error)), error.shape)
            found.append((float(error[worst]), float(bound), moved[worst], expected[worst]))
        return found

    def _name_element(self, function: Any, values: Any, now: int) -> None:
        """Raises for the first element along which tangents are not differences."""
        for name, index, unit in _units(values, self.arguments):
            pushed = jvp(function, copied(values), unit)[1]
            for error, bound, moved, expected in self._errors(function.__egc_plain__, values, unit, pushed):
                if not error <= bound:
                    self._fail(now, name, index, "its tangent", moved, "differences", expected)
        raise VerificationError(
            f"the derivative of order {now} of {self.name} is no difference, along a random direction"
        )

    def _transposed(self, function: Any, values: Any, forward: Any, backward: Any, now: int) -> None:
        """Raises where cotangents are not what tangents transpose to."""
        (tangents, pushed), (cotangents, pulled) = forward, backward
        left, size = _paired(cotangents, pushed)
        right, _ = _paired(pulled, tangents)
        if abs(left - right) <= self.tolerance * size:
            return
        for (name, index, unit), back in zip(_units(values, self.arguments), _elements(pulled)):
            expected, _ = _paired(cotangents, jvp(function, copied(values), unit)[1])
            if not abs(np.real(back) - expected) <= self.tolerance * size:
                self._fail(now, name, index, "its cotangent", np.real(back), "tangents", expected)
        raise VerificationError(f"the cotangents of order {now} of {self.name} do not transpose its tangents")

    def _fail(
        self, now: int, name: str, index: tuple[int, ...], what: str, found: Any, other: str, expected: Any
    ) -> None:
        place = f"{name}[{', '.join(map(str, index))}]" if index else name
        raise VerificationError(
            f"the derivative of order {now} of {self.name} with respect to argument {place}: {what} gives {found:.9g} where "
            f"{other} give {expected:.9g}"
        )


def _moves(value: Any) -> bool:
    leaves = [leaf for leaf in _leaves(value) if leaf is not None]
    return bool(leaves) and all(
        isinstance(leaf, (float, complex)) or np.asarray(leaf).dtype.kind in "fc" for leaf in leaves
    )


def _leaves(value: Any) -> list[Any]:
    found: list[tuple[str, Any]] = []
    flatten(value, "", found)
    return [leaf for _, leaf in found]


def _each(function: Callable[..., Any], value: Any, *others: Any) -> Any:
    """A function of the leaves of containers of one form, in a container of that form."""
    found: list[tuple[str, Any]] = []
    tree = flatten(value, "", found)
    leaves = zip((leaf for _, leaf in found), *map(_leaves, others))
    return unflatten(tree, [function(*each) for each in leaves])


def _step(values: Any) -> float:
    """How far arguments are moved: the cube root of their precision, in parts of the largest."""
    arrays = [np.asarray(leaf) for leaf in _leaves(values) if leaf is not None]
    precision = max(np.finfo(each.dtype).eps for each in arrays)
    return float(precision ** (1 / 3) * max(1.0, *(float(np.max(np.abs(each), initial=0)) for each in arrays)))


def _moved(x: Any, step: float, tangent: Any) -> Any:
    moved = x + step * np.asarray(tangent)
    return moved.astype(x.dtype) if isinstance(x, np.ndarray) else type(x)(moved)


def _paired(weights: Any, moved: Any) -> tuple[float, float]:
    """The real part of the sum of products, and the largest that it could be."""
    total = size = 0.0
    for weight, each in zip(_leaves(weights), _leaves(moved)):
        if each is not None and np.asarray(each).dtype.kind in "fc":
            total += float(np.real(np.sum(np.asarray(weight) * np.asarray(each))))
            size += float(np.sum(np.abs(weight) * np.abs(each)))
    return total, max(size, float(np.finfo(float).tiny))


def _units(values: Any, names: Sequence[str]) -> Any:
    """The name, index and unit tangent of each element of the arguments."""
    for k, name in enumerate(names):
        found: list[tuple[str, Any]] = []
        flatten(values[k], name, found)
        for number, (leaf_name, leaf) in enumerate(found):
            if leaf is None:
                continue
            for index in np.ndindex(np.shape(leaf)):
                zeros = tuple(_each(lambda x: x if x is None else np.zeros_like(x), each) for each in values)
                parts: list[tuple[str, Any]] = []
                tree = flatten(zeros[k], name, parts)
                leaves = [part for _, part in parts]
                unit = np.zeros_like(np.asarray(leaf))
                unit[index] = 1
                leaves[number] = unit
                yield leaf_name, index, (*zeros[:k], unflatten(tree, leaves), *zeros[k + 1 :])


def _elements(value: Any) -> Any:
    for leaf in _leaves(value):
        if leaf is not None:
            yield from np.asarray(leaf).ravel()


__all__ = ["check_grads"]
