"""Random operands for rules: shapes, dtypes and values that meet what a rule requires.

A sample is of one kind. `plain`, `wide`, `close` and `empty` have finite operands whose magnitudes stay within the
fourth root of the dtype's range, so that products of a few of them neither overflow nor underflow; `nan` and `infinite`
mix these in; `extreme` mixes everything, down to subnormals and up to the largest number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from egc import ir, sizes
from egc.capture.rules import rewrites
from egc.errors import RuleError
from egc.rewrite import (
    PREDICATES,
    SQUARE,
    Axes,
    Bool,
    Condition,
    Constant,
    Index,
    Matrix,
    Rule,
    Scalar,
    SquareMatrix,
    Vector,
    recording,
    stop_recording,
)
from egc.sizes import Dim
from egc.types import ArrayType, Shape

DTYPES: dict[str, tuple[str, ...]] = {
    "float": ("f8", "f8", "f4"),
    "inexact": ("f8", "f8", "f4", "c16", "c8"),
    "integer": ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"),
    "number": ("f8", "f4", "c16", "c8", "i1", "i4", "i8", "u1", "u8"),
    "bool": ("?",),
    "any": ("f8", "f4", "c16", "c8", "i1", "i4", "i8", "u1", "u8", "?"),
}
FINITE_KINDS = ("plain",) * 6 + ("wide",) * 3 + ("close",) * 2 + ("empty",)
KINDS = {
    "exact": (*FINITE_KINDS, "nan", "infinite", "extreme", "extreme", "extreme", "extreme"),
    "real": (*FINITE_KINDS, "nan", "nan", "infinite", "infinite"),
    "finite": FINITE_KINDS,
    "approx": FINITE_KINDS,
}
LENGTHS = (1, 2, 3, 5)
MATRIX_LENGTHS = (1, 2, 3, 4)
MATRIX_RANKS: dict[Any, int] = {Matrix: 2, Vector: 1}
SIDE = ("", 0)
"""Stands for the one size of all square matrices of a rule."""
SIGNS = ("positive", "nonnegative", "negative", "nonpositive", "nonzero", "at_least_one", "at_most_one")
STRUCTURES = {
    *SQUARE, "one_hot", "zero", "unit_diagonal", "positive_diagonal", "full_column_rank", "full_row_rank", "equal_rows",
    "equal_columns",
}  # fmt: skip


@dataclass(frozen=True)
class Sample:
    kind: str
    operands: tuple[Any, ...]


class Marked(np.ndarray):
    """An array that a predicate takes for a traced value, so that its condition is recorded and not checked."""

    node: ir.Node | None = None


def marked(name: str, value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    result = value.view(Marked)
    result.node = ir.input(name, ArrayType(value.dtype, value.shape))
    return result


def recorded(rule: Rule, operands: Sequence[Any]) -> tuple[Any, list[Condition]]:
    """A rule's two sides (or the exception it raised) with conditions on its parameters noted instead of checked."""
    conditions: list[Condition] = []
    outcome: Any
    token = recording(conditions)
    try:
        outcome = rule(*(marked(name, value) for name, value in zip(rule.parameters, operands)))
    except Exception as error:
        outcome = error
    finally:
        stop_recording(token)
    return outcome, [condition for condition in conditions if not condition.spares]


def hold(conditions: Sequence[Condition], operands: Mapping[str, Any]) -> bool:
    """Whether recorded conditions hold. What is said of signs and sizes of numbers does not rule out nan."""
    names = {condition.operand.params["name"] for condition in conditions if condition.predicate == "not_nan"}
    for condition in conditions:
        name = condition.operand.params["name"]
        value = operands[name]
        if condition.predicate in SIGNS and name not in names and value.dtype.kind in "fc":
            value = value[~np.isnan(value)]
        if not PREDICATES[condition.predicate](value):
            return False
    return True


class Sampler:
    """Draws operands for one rule."""

    def __init__(self, rule: Rule, seed: int):
        self.rule = rule
        self.random = np.random.default_rng([seed, *rule.name.encode()])
        self.parameters = rule.parameters
        self.needs: dict[str, set[str]] = {name: set() for name in self.parameters}
        self.dims = [
            (name, axis) for name, kind in self.parameters.items() for axis in range(MATRIX_RANKS.get(kind, 0))
        ]
        if SquareMatrix in self.parameters.values():
            self.dims.append(SIDE)
        self.blocks: list[frozenset[tuple[str, int]]] = [frozenset(self.dims)] if self.dims else []
        self.shapes = self._traced_shapes()
        self._learn_needs()
        if self.dims and not self.shapes:
            self.blocks = list(self._split(frozenset(self.dims)))

    def _traced_shapes(self) -> dict[str, Shape]:
        """The shapes of matrices and vectors by their sizes' symbols; none for a law of loops, which is not traced."""
        try:
            first = () if self.rule.of_loops or not self.dims else rewrites(self.rule)[:1]
        except RuleError:
            return {}
        return {node.params["name"]: node.type.shape for rewrite in first for node in rewrite.variables}

    def _learn_needs(self) -> None:
        """Which predicates the rule requires of its parameters themselves."""
        for _ in range(12):
            sample = self.draw("plain")
            for condition in recorded(self.rule, sample.operands)[1]:
                self.needs[condition.operand.params["name"]].add(condition.predicate)

    def _split(self, block: frozenset[tuple[str, int]]) -> Iterator[frozenset[tuple[str, int]]]:
        """The finest partition of a block of axes, at distinct lengths, at which the rule still runs."""
        first, *rest = sorted(block)
        others = [b for b in self.blocks if b != block]
        for mask in range(2 ** len(rest) - 1):
            inside = frozenset([first, *(axis for bit, axis in enumerate(rest) if mask >> bit & 1)])
            self.blocks = [*others, inside, block - inside]
            if self._runs():
                yield from self._split(inside)
                yield from self._split(block - inside)
                return
        self.blocks = [*others, block]
        yield block

    def _runs(self) -> bool:
        lengths = {axis: 2 + place for place, block in enumerate(self.blocks) for axis in block}
        outcome, _ = recorded(self.rule, self._operands("plain", np.dtype("f8"), (3,), lengths))
        return not isinstance(outcome, Exception)

    def draw(self, kind: str) -> Sample:
        pick = self.random.choice
        names = DTYPES[self.rule.dtypes]
        if kind in ("nan", "infinite", "extreme", "close") and self.rule.dtypes != "integer":
            names = tuple(name for name in names if name[0] == "f") or names
        dtype = np.dtype(str(pick(names)))
        lengths = (0, 1, 3) if kind == "empty" else LENGTHS
        shape = tuple(int(n) for n in pick(lengths, size=int(pick([0, 1, 1, 2, 2, 3]))))
        if Axes in self.parameters.values() and not shape:
            shape = (int(pick(lengths)),)
        return Sample(kind, self._operands(kind, dtype, shape, self._lengths()))

    def _lengths(self) -> dict[tuple[str, int], int]:
        """A length for each axis of the matrices and vectors."""
        pick = self.random.choice
        if not self.shapes:
            return {axis: int(n) for block in self.blocks for n in [pick(MATRIX_LENGTHS)] for axis in block}
        named = {
            each for name, axis in self.dims if (name, axis) != SIDE for each in sizes.symbols(self.shapes[name][axis])
        }
        named.update(sizes.symbols(self._square) if SIDE in self.dims else ())
        chosen = {each: int(pick(MATRIX_LENGTHS)) for each in sorted(named)}
        return {
            axis: sizes.evaluate(self._square if axis == SIDE else self.shapes[axis[0]][axis[1]], chosen)
            for axis in self.dims
        }

    @property
    def _square(self) -> Dim:
        """The size of the square matrices."""
        return next(self.shapes[name][0] for name, kind in self.parameters.items() if kind is SquareMatrix)

    def _operands(self, kind: str, dtype: np.dtype, shape: tuple[int, ...], inner: dict[Any, int]) -> tuple[Any, ...]:
        scale = 10.0 ** self.random.integers(-2, 3)
        operands: list[Any] = []
        for name, annotation in self.parameters.items():
            needs = self.needs[name]
            if annotation is Axes:
                count = int(self.random.integers(1, len(shape) + 1))
                chosen = self.random.choice(len(shape), size=count, replace=False)
                operands.append(tuple(sorted(int(axis) for axis in chosen)))
            elif annotation is Constant:
                operands.append(self._constant(dtype))
            elif annotation is Index:
                operands.append(int(self.random.integers(max(MATRIX_LENGTHS))))
            elif annotation is Bool:
                operands.append(self.random.random(shape) < 0.5)
            elif annotation in (Matrix, SquareMatrix, Vector):
                if annotation is SquareMatrix:
                    extent: tuple[int, ...] = (inner[SIDE], inner[SIDE])
                else:
                    extent = tuple(inner[name, axis] for axis in range(2 if annotation is Matrix else 1))
                operands.append(self._matrix(kind, dtype, extent, needs))
            else:
                operands.append(self._array(kind, dtype, () if annotation is Scalar else shape, needs, scale))
        return tuple(operands)

    def _constant(self, dtype: np.dtype) -> Any:
        if dtype.kind in "iub":
            return int(self.random.integers(0, 8))
        candidates = [2, 3, 0.5, -1.5, 7.25, 1, -2, 10, 0.1, 0, 1e-3, 1000, -1]
        return candidates[int(self.random.integers(len(candidates)))]

    def _array(self, kind: str, dtype: np.dtype, shape: tuple[int, ...], needs: set[str], scale: float) -> np.ndarray:
        count = int(np.prod(shape))
        if dtype.kind == "b":
            values = self.random.random(count) < 0.5
        elif dtype.kind in "iu":
            values = self._integers(kind, dtype, count)
        elif dtype.kind == "c":
            values = self._reals(kind, np.dtype(f"f{dtype.itemsize // 2}"), 2 * count, scale)
            values = (values[:count] + 1j * values[count:]).astype(dtype)
        else:
            values = self._reals(kind, dtype, count, scale)
        for need in sorted(needs):
            if need in ADJUST and dtype.kind != "b":
                with np.errstate(all="ignore"):
                    values = ADJUST[need](values).astype(dtype)
        return np.asarray(values, dtype).reshape(shape)

    def _integers(self, kind: str, dtype: np.dtype, count: int) -> np.ndarray:
        limits = np.iinfo(dtype)
        low, high = (max(-9, limits.min), 10) if kind == "plain" else (limits.min, limits.max)
        values = self.random.integers(low, high, size=count, dtype=dtype, endpoint=True)
        special = self.random.choice(np.array([limits.min, limits.max, 0, 1, max(limits.min, -1)], dtype), size=count)
        return np.where(self.random.random(count) < 0.1, special, values)

    def _reals(self, kind: str, dtype: np.dtype, count: int, scale: float) -> np.ndarray:
        random, limits = self.random, np.finfo(dtype)
        reach = np.log10(float(limits.max)) / 4
        if kind == "close":
            values = scale * (1 + random.normal(size=count) * 10.0 ** random.integers(-6, 0))
        elif kind == "wide":
            spread = random.choice([2.0, 4.0, 15.0, reach])
            values = random.choice([-1, 1], size=count) * 10.0 ** random.uniform(
                -min(spread, reach), min(spread, reach), count
            )
        else:
            values = random.normal(size=count) * random.choice([1.0, 1.0, 5.0, 50.0, scale])
        steep = np.log(float(limits.max))
        special = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 3.0, steep + 1, -steep - 1, 1.3 * steep, 1e-3, 30.0, -30.0, -40.0]
        values = self._mixed(values, special, 0.15)
        values = values.astype(dtype)
        extra = {
            "nan": [np.nan],
            "infinite": [np.inf, -np.inf],
            "extreme": [np.nan, np.inf, -np.inf, 0.0, -0.0, limits.max, -limits.max, limits.tiny,
                        limits.smallest_subnormal, -limits.smallest_subnormal],
        }.get(kind)  # fmt: skip
        return self._mixed(values, extra, 0.35).astype(dtype) if extra else values

    def _mixed(self, values: np.ndarray, special: Sequence[Any], share: float) -> np.ndarray:
        chosen = self.random.choice(np.array(special), size=values.size)
        return np.where(self.random.random(values.size) < share, chosen, values)

    def _matrix(self, kind: str, dtype: np.dtype, extent: tuple[int, ...], needs: set[str]) -> np.ndarray:
        if dtype.kind in "iub" or (kind in ("nan", "infinite", "extreme") and not needs & STRUCTURES):
            return self._array(kind, dtype, extent, needs, 1.0)
        values = self.random.normal(size=extent)
        if dtype.kind == "c":
            values = values + 1j * self.random.normal(size=extent)
        if kind == "wide":
            values = values * 10.0 ** self.random.integers(-4, 5)
        if "zero" in needs:
            values = np.zeros_like(values)
        if "equal_rows" in needs:
            values[1:] = values[:1]
        if "equal_columns" in needs:
            values[:, 1:] = values[:, :1]
        if "one_hot" in needs:
            values = np.eye(extent[1])[self.random.integers(extent[1], size=extent[0])] if extent[1] else values
        elif len(extent) == 2 and extent[0] == extent[1]:
            values = self._ill_conditioned(values, dtype) if kind == "close" else values
            values = self._structured(values, needs, kind == "close")
        elif needs:
            for need in sorted(needs & set(ADJUST)):
                values = ADJUST[need](values)
        return np.ascontiguousarray(values, dtype)

    def _ill_conditioned(self, a: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Singular values spread down to the cube root of the unit of rounding, or its square root."""
        u, _, v = np.linalg.svd(a)
        least = float(np.finfo(dtype).eps) ** self.random.choice([1 / 3, 1 / 2])
        return np.asarray((u * np.geomspace(1, least, len(a))) @ v)

    def _structured(self, a: np.ndarray, needs: set[str], conditioned: bool) -> np.ndarray:
        if needs & {"permutation", "identity"}:
            return np.eye(len(a))[self.random.permutation(len(a)) if "permutation" in needs else slice(None)]
        if needs & {"spd", "psd"}:
            u, values, _ = np.linalg.svd(a)
            a = (u * values) @ u.T.conj() if conditioned else a @ a.T.conj() + np.eye(len(a)) * np.mean(values**2)
        if needs & {"orthogonal", "unitary"}:
            a = np.linalg.qr(a)[0]
        if "lower_triangular" in needs:
            a = np.tril(a)
        if "upper_triangular" in needs:
            a = np.triu(a)
        if "diagonal" in needs:
            a = np.diag(np.diag(a))
        if "tridiagonal" in needs:
            a = np.triu(np.tril(a, 1), -1)
        if "pentadiagonal" in needs:
            a = np.triu(np.tril(a, 2), -2)
        if needs & {"symmetric", "spd", "psd", "hermitian"}:
            a = (a + a.T.conj() if "symmetric" not in needs else a + a.T) / 2
        if "antisymmetric" in needs:
            a = a - a.T
        if "unit_diagonal" in needs:
            a = a - np.diag(np.diag(a)) + np.eye(len(a))
        if "positive_diagonal" in needs:
            a = a - np.diag(np.diag(a)) + np.diag(np.abs(np.diag(a)) + 1e-3)
        if "nonsingular" in needs and not conditioned and not needs & {"spd", "orthogonal", "unitary"}:
            a = a + np.diag(2 * np.sqrt(len(a)) * np.copysign(1, np.diag(a).real)) * np.max(np.abs(a))
        return a


def _replaced(values: np.ndarray, where: np.ndarray, by: Any) -> np.ndarray:
    return np.where(where, np.asarray(by, values.dtype), values)


ADJUST: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "positive": lambda x: _replaced(np.abs(x), x == 0, 1),
    "nonnegative": np.abs,
    "negative": lambda x: _replaced(-np.abs(x), x == 0, -1),
    "nonpositive": lambda x: -np.abs(x),
    "nonzero": lambda x: _replaced(x, x == 0, 1),
    "finite": lambda x: _replaced(x, ~np.isfinite(x), 1),
    "integral": lambda x: np.rint(x),
    "not_nan": lambda x: _replaced(x, np.isnan(x), 1),
    "at_least_one": lambda x: 1 + np.abs(x),
    "at_most_one": lambda x: 1 - np.abs(x),
}
"""How to make arbitrary values meet a predicate; in the order of their names, so that later ones keep earlier ones."""
