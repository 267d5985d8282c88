"""Sparse Jacobians and Hessians: their patterns, and as few products as a coloring of these allows."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from egc.capture import Captured
from egc.dispatch import Optimized
from egc.errors import NotEncodable
from egc.interpret.coloring import (
    color_columns,
    color_symmetric,
    places,
    recovered,
    seeds,
    symmetric_places,
)
from egc.interpret.compression import Compression, compress
from egc.interpret.dependence import Dependence
from egc.interpret.patterns import Rows
from egc.interpret.sparsity import Sparsity
from egc.interpreted import NUMERIC, Captures, run
from egc.options import Options
from egc.pipeline import evaluate_reference

Products = Callable[[np.ndarray], Any]


def sparse_jacobian(products: Products, pattern: Rows) -> Any:
    """The Jacobian as a `scipy.sparse.csr_array`, for a pattern that has all its nonzero elements.

    products: gives for a matrix of rows v the matrix of rows J v. It is called once.

    >>> import numpy as np
    >>> from scipy.sparse import eye_array
    >>> sparse_jacobian(lambda v: 3.0 * v, eye_array(4, format="csr", dtype=bool)).toarray()[0]
    array([3., 0., 0., 0.])
    """
    colors = color_columns(pattern)
    return recovered(products(seeds(colors)), pattern, places(pattern, colors))


def sparse_hessian(products: Products, pattern: Rows) -> Any:
    """The Hessian as a `scipy.sparse.csr_array`, for a symmetric pattern that has all its nonzero elements."""
    colors = color_symmetric(pattern)
    return recovered(products(seeds(colors)), pattern, symmetric_places(pattern, colors))


def sparsity(
    fn: Callable[..., Any], argnums: int | str = 0, *, order: int = 1, local: bool = False
) -> Callable[..., Any]:
    """A function of fn's arguments that gives the pattern of its Jacobian, or Hessian, as a `scipy.sparse.csr_array` of bool.

    argnums: the argument's position or name; it is an array or number, as is fn's result. order: 1 for the Jacobian, with a row for
        each element of the result and a column for each of the argument, 2 for the Hessian of a function to one number. local: the
        pattern at the argument's value, of the branches that are taken there, and without what is multiplied by zero; otherwise for
        all its values, and those of other floating numbers. Other arguments have the values that they are given.
    What is not in the pattern is zero in the derivative; what is there may be. Raises NotEncodable for a function that runs as
    written.

    >>> import numpy as np
    >>> sparsity(lambda x: x[1:] * x[:-1])(np.ones(3)).toarray().astype(int)
    array([[1, 1, 0],
           [0, 1, 1]])
    """
    captures = Captures(fn)

    def pattern(*positional: Any, **named: Any) -> Rows:
        return _pattern(captures, captures.flat(positional, named), _place(captures, argnums), order, local)[0]

    return pattern


def _place(captures: Captures, argument: int | str) -> int:
    """The position of a parameter that is given by position or name."""
    names = list(captures.signature.parameters)
    if isinstance(argument, str) and argument not in names:
        raise TypeError(f"no argument {argument}")
    return names.index(argument) if isinstance(argument, str) else argument


def _pattern(
    captures: Captures, given: tuple[Any, list[Any]], place: int, order: int, local: bool = False
) -> tuple[Rows, tuple[int, ...]]:
    """The pattern, and the shape of the function's result."""
    forest, values = given
    captured = captures.get(forest, values)
    position = forest[place].position if -len(forest) <= place < len(forest) else -1
    if position < 0 or np.asarray(values[position]).dtype.kind != "f":
        raise TypeError("a sparse derivative is with respect to an array of real floating numbers")
    value = np.asarray(values[position])
    domain = Sparsity(evaluate_reference, value.size, order == 2)
    facts = [_known(domain, each, local) for each in values]
    facts[position] = domain.argument(value.shape, value if local else None)
    found = run(captured, domain, facts, values, of_any_form=True)
    if not isinstance(found, Dependence) or (order == 2 and found.shape):
        what = "number" if order == 2 else "array or number"
        raise NotEncodable("a sparse derivative", f"the function does not return one {what}")
    return domain.pairs if order == 2 else domain.rows(found), found.shape


def _known(domain: Sparsity, value: Any, local: bool) -> Any:
    """What is known of another argument: its value, but that of a floating number for patterns at this point only."""
    if not isinstance(value, NUMERIC):
        return value
    return Dependence(None, None, ()) if _varies(value) and not local else domain.exact(np.asarray(value))


def _varies(value: Any) -> bool:
    """Whether it is a floating number, such as a time, of which patterns shall not depend."""
    return isinstance(value, (float, complex, np.inexact)) or (isinstance(value, np.ndarray) and not value.ndim)


class SparseDerivative:
    """`egc.jacobian(fn, sparse=True)` and `egc.hessian(fn, sparse=True)`: a function that returns a `scipy.sparse.csr_array`.

    `pattern(*args)` is its pattern for arguments like these, `products(*args)` the number of products that it takes.
    """

    def __init__(
        self,
        order: int,
        function: Callable[..., Any],
        argnums: int | str,
        mode: str,
        ways: Mapping[str, Callable[..., Any]],
        options: Options,
    ):
        """order: 1 or 2. mode: `forward`, `reverse` or `auto`. ways: for both modes the function of seeds and the arguments that
        gives the products. options: how that runs."""
        functools.update_wrapper(self, function)
        self._made_of = order, function, argnums, mode, ways
        self._order, self._mode, self._captures = order, mode, Captures(function)
        self._place = _place(self._captures, argnums)
        self._ways = {name: Optimized(way, options) for name, way in ways.items()}
        self._found: dict[Any, tuple[Captured, Compression]] = {}

    def with_options(self, options: Options) -> SparseDerivative:
        """The same, run with the options of `egc.optimize`."""
        return SparseDerivative(*self._made_of, options)

    def __call__(self, *positional: Any, **named: Any) -> Any:
        plan = self.compression(*positional, **named)
        arguments = self._captures.arguments(positional, named)
        chosen = np.asarray(arguments[self._place])
        products = []
        for part in plan.parts:
            shape = chosen.shape if part.mode == "forward" else plan.shape
            given = part.seeds.reshape(-1, *shape).astype(chosen.dtype, copy=False)
            found = self._ways[part.mode](given, *arguments)
            products.append(found[0] if part.mode == "reverse" else found)
        return plan.matrix(products, np.result_type(chosen.dtype, *products))

    def pattern(self, *positional: Any, **named: Any) -> Rows:
        """The pattern, as `egc.sparsity` gives it."""
        return self.compression(*positional, **named).pattern.copy()

    def products(self, *positional: Any, **named: Any) -> int:
        """How many products are made."""
        return self.compression(*positional, **named).count

    def compression(self, *positional: Any, **named: Any) -> Compression:
        """The pattern and its coloring, found once for arguments that differ in what is differentiated by only."""
        forest, values = given = self._captures.flat(positional, named)
        captured = self._captures.get(forest, values)
        own = forest[self._place].position if -len(forest) <= self._place < len(forest) else -1
        known = [_identity(value, number == own or _varies(value)) for number, value in enumerate(values)]
        key = (id(captured), *known, *(_identity(value, False) for value in captured.constants.values()))
        found = self._found.get(key)
        if found is None:
            pattern, shape = _pattern(self._captures, given, self._place, self._order)
            mode = self._mode
            if any(node.type.dtype.kind == "c" for node in captured.program.outputs):
                if mode == "reverse":
                    raise NotEncodable("a sparse Jacobian in the mode reverse", "the function's result is complex")
                mode = "forward"
            if len(self._found) >= MOST_PATTERNS:
                self._found.clear()
            found = self._found[key] = captured, compress(pattern, self._order, mode, shape)
        return found[1]


MOST_PATTERNS = 32
"""Patterns that a sparse derivative keeps, for different arguments."""


def _identity(value: Any, any_value: bool) -> Any:
    """What a pattern depends on of an argument: of one that may have any value, its type and shape."""
    if not isinstance(value, (np.ndarray, np.generic, float, complex)):
        return type(value), value
    array = np.asarray(value)
    known = b"" if any_value else hashlib.sha256(np.ascontiguousarray(array).tobytes()).digest()
    return type(value), array.dtype, array.shape, known
