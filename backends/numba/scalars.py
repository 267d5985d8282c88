"""Elementwise ops as Python expressions over scalars of one dtype, as numba compiles them, with NumPy's meaning.

numba computes narrow integers as int64 and mixes of int64 and uint64 as float64, so that every integer result is cast
back. An op without an expression here (most of scipy.special, some complex functions) runs as a library call.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from egc.backends.numba import vector
from egc.backends.numba.fortran import LETTERS
from egc.ir import Node
from egc.kinds import FUSED_REDUCTIONS, SCANS, viewed

FLOAT = {
    **dict(zip("add subtract multiply divide".split(), (f"{{0}} {o} {{1}}" for o in "+-*/"))),
    "sqrt": "sqrt({0})",
    **{name: f"np.{name}({{0}})" for name in "floor ceil trunc rint signbit".split()},
    **{name: f"np.{name}({{0}}, {{1}})" for name in "nextafter copysign".split()},
    "maximum": "select(({0} > {1}) | ({0} != {0}), {0}, {1})",
    "minimum": "select(({0} < {1}) | ({0} != {0}), {0}, {1})",
    "fmax": "select(({0} > {1}) | ({1} != {1}), {0}, {1})",
    "fmin": "select(({0} < {1}) | ({1} != {1}), {0}, {1})",
    "negative": "-{0}",
    "absolute": "abs({0})",
    "spacing": "np.spacing({0} + {T}(0.0))",
    "reciprocal": "{T}(1.0) / {0}",
    "conjugate": "{0}",
    "fmod": "np.fmod({0}, {1})",
    "floor_divide": "{T}(floor_divide_float({W}({0}), {W}({1})))",
    "remainder": "{T}(remainder_float({W}({0}), {W}({1})))",
    "sign": "{T}(sign_float({W}({0})))",
    "heaviside": "{T}(heaviside({W}({0}), {W}({1})))",
    "isnan": "{0} != {0}",
    "isinf": "abs({0}) == {T}(inf)",
    "isfinite": "abs({0}) < {T}(inf)",
    "frexp_mantissa": "{T}(frexp({0})[0])",
}

INTEGER = {
    **dict(zip("add subtract multiply".split(), (f"{{T}}({{0}} {o} {{1}})" for o in "+-*"))),
    **{f"bitwise_{name}": f"{{T}}({{0}} {o} {{1}})" for name, o in (("and", "&"), ("or", "|"), ("xor", "^"))},
    **{name: f"{{T}}({name}_integer({{W}}({{0}}), {{W}}({{1}})))" for name in "floor_divide remainder fmod".split()},
    "power": "{T}(power_integer({W}({0}), {W}({1}), {W}(1)))",
    "left_shift": "{T}(left_shift({W}({0}), {W}({1}), {bits}))",
    "right_shift": "{T}(right_shift_signed({W}({0}), {W}({1}), {bits}))",
    **dict.fromkeys("floor ceil trunc conjugate".split(), "{0}"),
    **dict.fromkeys(("maximum", "fmax"), "select({0} >= {1}, {0}, {1})"),
    **dict.fromkeys(("minimum", "fmin"), "select({0} <= {1}, {0}, {1})"),
    "gcd": "{T}(np.gcd({0}, {1}))",
    "lcm": "{T}(lcm_unsigned(uint64(abs(int64({0}))), uint64(abs(int64({1})))))",
    "negative": "{T}({T}(0) - {0})",
    "absolute": "{T}(abs({0}))",
    "invert": "{T}(~{0})",
    "sign": "{T}(int64({0} > {T}(0)) - int64({0} < {T}(0)))",
    "bitwise_count": "uint8(bit_count(uint64(abs(int64({0})))))",
    "isnan": "False",
    "isinf": "False",
    "isfinite": "True",
}

UNSIGNED = INTEGER | {
    "lcm": "{T}(lcm_unsigned(uint64({0}), uint64({1})))",
    "absolute": "{0}",
    "sign": "{T}({0} > {T}(0))",
    "right_shift": "{T}(right_shift_unsigned({W}({0}), {W}({1}), {bits}))",
    "bitwise_count": "uint8(bit_count(uint64({0})))",
}

BOOL = {
    **dict.fromkeys("add logical_or bitwise_or maximum fmax".split(), "{0} | {1}"),
    **dict.fromkeys("multiply logical_and bitwise_and minimum fmin".split(), "{0} & {1}"),
    **dict.fromkeys("not_equal logical_xor bitwise_xor".split(), "{0} != {1}"),
    **dict.fromkeys("invert logical_not".split(), "not {0}"),
    **dict.fromkeys("absolute floor ceil trunc conjugate".split(), "{0}"),
    "equal": "{0} == {1}",
    "less": "(not {0}) & {1}",
    "less_equal": "(not {0}) | {1}",
    "greater": "{0} & (not {1})",
    "greater_equal": "{0} | (not {1})",
    "isnan": "False",
    "isinf": "False",
    "isfinite": "True",
}

COMPLEX = {
    **dict(zip("add subtract multiply".split(), (f"{{0}} {o} {{1}}" for o in "+-*"))),
    "divide": "{T}(divide_complex({0}, {1}))",
    "negative": "-{0}",
    "conjugate": "{0}.conjugate()",
    "absolute": "hypot_{R}({0}.real, {0}.imag)",
    "equal": "({0}.real == {1}.real) & ({0}.imag == {1}.imag)",
    "not_equal": "({0}.real != {1}.real) | ({0}.imag != {1}.imag)",
    "isnan": "({0}.real != {0}.real) | ({0}.imag != {0}.imag)",
    "isinf": "(abs({0}.real) == inf) | (abs({0}.imag) == inf)",
    "isfinite": "(abs({0}.real) < inf) & (abs({0}.imag) < inf)",
}

COMPARISONS = {
    "equal": "{0} == {1}",
    "not_equal": "{0} != {1}",
    "less": "{0} < {1}",
    "less_equal": "{0} <= {1}",
    "greater": "{0} > {1}",
    "greater_equal": "{0} >= {1}",
}

TRUTH = {
    "logical_not": "{0} == {T}(0)",
    "logical_and": "({0} != {T}(0)) & ({1} != {T}(0))",
    "logical_or": "({0} != {T}(0)) | ({1} != {T}(0))",
    "logical_xor": "({0} != {T}(0)) != ({1} != {T}(0))",
}

BY_KIND = {
    "f": FLOAT | COMPARISONS | TRUTH,
    "i": INTEGER | COMPARISONS | TRUTH,
    "u": UNSIGNED | COMPARISONS | TRUTH,
    "c": COMPLEX | TRUTH,
    "b": BOOL,
}


POWERS = {
    1.0: "{0}",
    2.0: "{0} * {0}",
    3.0: "{0} * {0} * {0}",
    4.0: "({0} * {0}) * ({0} * {0})",
    -1.0: "{T}(1.0) / {0}",
    -2.0: "({T}(1.0) / {0}) * ({T}(1.0) / {0})",
    0.5: "sqrt({0})",
    -0.5: "{T}(1.0) / select({0} == -{T}(inf), {T}(inf), sqrt({0} + {T}(0.0)))",
    1.5: "select({0} == -{T}(inf), {T}(inf), ({0} + {T}(0.0)) * sqrt({0} + {T}(0.0)))",
}
"""Powers by constant exponent that are within 2 ulp, with NumPy's values at -0.0 and -inf: the square root is sqrt's, the
others are pow's."""


WHOLE_POWERS = {1: "{0}", 2: "{0} * {0}", 3: "{0} * ({0} * {0})"}
"""Powers of complex numbers that NumPy multiplies out too."""


WIDE = {"f": "float64", "i": "int64", "u": "uint64"}
"""The types in which helper functions compute."""


VECTOR = {np.dtype(np.float64): vector.FLOAT64, np.dtype(np.float32): vector.FLOAT32}
"""The functions that have straight-line code, by dtype; they come before all other forms."""


def type_name(dtype: np.dtype) -> str:
    """The name under which generated code knows a dtype."""
    return "boolean" if dtype.kind == "b" else dtype.name


LIBRARY = {
    **{
        name: f"math.{name}({{0}})"
        for name in "exp expm1 log log2 log10 log1p sin cos tan sinh cosh tanh erf erfc".split()
    },
    **{f"arc{name}": f"math.a{name}({{0}})" for name in "sin cos tan sinh cosh tanh".split()},
    "arctan2": "math.atan2({0}, {1})",
    "hypot": "math.hypot({0}, {1})",
    "exp2": "np.exp2({0})",
    "cbrt": "np.cbrt({0})",
    "gammaln": "math.lgamma({0})",
    "logaddexp": "np.logaddexp({0}, {1})",
    "power": "{0} ** {1}",
}
"""The system library's functions."""


ALONE = frozenset("exp exp2 log log2 log10 log1p sin cos tan arcsin arccos arctan erf erfc gammaln logaddexp".split())
"""Those that take less time than code for vectors where there is only one number at a time: they branch."""


def expression(node: Node, operands: tuple[str, ...], exact: bool = False, alone: bool = False) -> str | None:
    """The Python expression for an elementwise Node on scalar variables, or None when it has none. `alone` where no loop over
    elements is around it."""
    dtype = node.inputs[0].type.dtype
    if (exact and node.op in LIBRARY or alone and node.op in ALONE) and dtype.kind == "f":
        return _filled(LIBRARY[node.op], dtype, operands)
    if alone and node.op == "where":
        # LLVM makes a branch or a choice of it, as pays; a `select` stays one.
        return "({1} if {0} else {2})".format(*operands)
    special = _BY_OP.get(node.op)
    if special is not None:
        text = special(node, operands)
        general = alone and dtype.kind == "f" and text is not None and text.startswith("power_")
        return _filled(LIBRARY["power"], dtype, operands) if general else text
    if dtype.kind == "f" and node.op in VECTOR[dtype]:
        return f"{node.op}_{dtype.name}({', '.join(operands)})"
    template = BY_KIND[dtype.kind].get(node.op)
    mixed = node.op in COMPARISONS and node.inputs[1].type.dtype != dtype
    if template is None or mixed:
        return None
    return _filled(template, dtype, operands)


def _filled(template: str, dtype: np.dtype, operands: tuple[str, ...]) -> str:
    size = 8 * dtype.itemsize
    return template.format(*operands, T=type_name(dtype), W=WIDE.get(dtype.kind), R=f"float{size // 2}", bits=size)


COMBINED = frozenset(["add", "subtract", "multiply", "maximum", "minimum"])
"""What scatter combines with in loops."""


def fusible(node: Node) -> bool:
    """Whether an elementwise op, a reduction, a scan, an access by index or a matrix product runs inside a loop nest."""
    complex = node.type.dtype.kind == "c"
    if node.op in FUSED_REDUCTIONS:
        return not (node.op in ("max", "min") and complex)
    if node.op == "matmul":
        return node.type.dtype.name in LETTERS
    if node.op in SCANS:
        return not complex
    if node.op == "gather":
        return True
    if node.op == "scatter":
        combine = node.params["combine"]
        ordered = combine in ("maximum", "minimum")
        return combine == "set" or (combine in COMBINED and node.type.dtype.kind != "b" and not (ordered and complex))
    return expression(node, ("x", "y", "z")[: len(node.inputs)]) is not None


def _where(node: Node, operands: tuple[str, ...]) -> str:
    condition, a, b = operands
    return f"select({condition}, {a}, {b})"


def _cast(node: Node, operands: tuple[str, ...]) -> str:
    """C's conversions. Floats reach narrow integers through a wide one, which truncates as NumPy does."""
    (x,), source, target = operands, node.inputs[0].type.dtype, node.type.dtype
    if source == target:
        return x
    name = type_name(target)
    if target.kind == "b":
        return f"{x} != {type_name(source)}(0)"
    if target.kind == "c":
        part = f"f{target.itemsize // 2}"
        if source.kind == "c":
            return f"{name}({x})"
        return f"{name}({type_name(np.dtype(part))}({x}))"
    if source.kind == "c":
        x, source = f"{x}.real", np.dtype(f"f{source.itemsize // 2}")
    if source.kind == "f" and target.kind in "iu" and target.itemsize < 8:
        middle = "int64" if target == np.uint32 else "int32"
        return f"{name}({middle}({x}))" if name != middle else f"{name}({x})"
    return f"{name}({x})"


def _power(node: Node, operands: tuple[str, ...]) -> str | None:
    """A few constant exponents multiply. Signed integers need an exponent known not to be negative: NumPy raises."""
    x, y = operands
    exponent = viewed(node.inputs[1])
    value = exponent.params["value"] if exponent.op == "constant" else None
    kind, name = node.type.dtype.kind, type_name(node.type.dtype)
    if kind == "f":
        root = value == 0.5 and exponent.type.rank
        short = POWERS.get(float(value)) if value is not None and not root else None
        return short.format(x, T=name) if short else f"power_{name}({x}, {y})"
    if kind == "c":
        short = WHOLE_POWERS.get(value) if value is not None else None
        return short and short.format(x)
    if kind == "i" and (value is None or value < 0):
        return None
    template = BY_KIND[kind].get("power")
    return template and _filled(template, node.type.dtype, operands)


def _divided(node: Node, operands: tuple[str, ...]) -> str | None:
    """Integers by a constant power of two take a shift or a mask: what follows from a division waits for it."""
    dtype, divisor = node.type.dtype, viewed(node.inputs[1])
    value = int(divisor.params["value"]) if divisor.op == "constant" and dtype.kind in "iu" else 0
    if value > 0 and value & (value - 1) == 0:
        by, name = (value.bit_length() - 1, ">>") if node.op == "floor_divide" else (value - 1, "&")
        return f"{dtype.name}({operands[0]} {name} {dtype.name}({by}))"
    template = BY_KIND[dtype.kind].get(node.op)
    return template and _filled(template, dtype, operands)


def _part(node: Node, operands: tuple[str, ...]) -> str:
    return f"{operands[0]}.{node.op}"


_BY_OP: dict[str, Callable[[Node, tuple[str, ...]], str | None]] = {
    "where": _where,
    "cast": _cast,
    "power": _power,
    "floor_divide": _divided,
    "remainder": _divided,
    "real": _part,
    "imag": _part,
}
