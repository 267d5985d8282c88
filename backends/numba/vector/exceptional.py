"""Calls for exceptional arguments inside straight-line code.

A loop with a branch or a call in it is not vectorized. But LLVM vectorizes a call that names the function's forms for
vectors (the attribute vector-function-abi-variant; Arm's and Intel's vector function ABIs, with LLVM's own target-neutral
names). The forms made here test all elements at once, and only where one of them is exceptional go through them one by
one.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir

from egc.backends.numba.vector.lanes import Lane

WIDTHS = (2, 4, 8)
"""The numbers of elements for which there are forms."""
PURE = ("memory(none)", "nounwind", "willreturn")


def exceptionally(slow: Callable[[Lane], Lane], least: float, most: float) -> Callable[[Lane, Lane], Lane]:
    """A function of `(x, value)`: the value where `least <= x <= most` or x is nan, `slow(x)` where not.

    x and the value are float64. Whatever `slow` writes is code of scalars, once in a module.
    """
    name = f"egc.{slow.__module__}.{slow.__qualname__}"
    double = ir.DoubleType()

    def outside(builder: Any, x: Any) -> Any:
        kind = x.type
        low, high = (
            ir.Constant(kind, bound if kind == double else [double(bound)] * kind.count) for bound in (least, most)
        )
        return builder.or_(builder.fcmp_ordered("<", x, low), builder.fcmp_ordered(">", x, high))

    def scalar(module: Any, fuses: bool) -> Any:
        function = _function(module, double, name, "linkonce_odr", "noinline")
        x, value = function.args
        builder = ir.IRBuilder(function.append_basic_block())
        with builder.if_then(outside(builder, x), likely=False):
            builder.ret(slow(Lane(builder, x, double, fuses)).value)
        builder.ret(value)
        return function

    def vector(module: Any, one: Any, width: int) -> None:
        kind, index = ir.VectorType(double, width), ir.IntType(32)
        function = _function(module, kind, f"{name}.{width}", "weak_odr", "alwaysinline")
        x, value = function.args
        start, each, end = (function.append_basic_block(block) for block in ("start", "each", "end"))
        builder = ir.IRBuilder(start)
        some = builder.icmp_unsigned(
            "!=", builder.bitcast(outside(builder, x), ir.IntType(width)), ir.IntType(width)(0)
        )
        builder.cbranch(some, each, end)
        builder.position_at_end(each)
        k, before = builder.phi(index), builder.phi(kind)
        element = builder.call(one, [builder.extract_element(x, k), builder.extract_element(value, k)])
        after, following = builder.insert_element(before, element, k), builder.add(k, index(1))
        for phi, first, later in ((k, index(0), following), (before, value, after)):
            phi.add_incoming(first, start)
            phi.add_incoming(later, each)
        builder.cbranch(builder.icmp_unsigned("<", following, index(width)), each, end)
        builder.position_at_end(end)
        result = builder.phi(kind)
        result.add_incoming(value, start)
        result.add_incoming(after, each)
        builder.ret(result)

    def chosen(x: Lane, value: Lane) -> Lane:
        module = x.builder.module
        function = module.globals.get(name)
        if function is None:
            function = scalar(module, x.fuses)
            for width in WIDTHS:
                vector(module, function, width)
        call = x.builder.call(function, [x.value, value.value])
        forms = ",".join(f"_ZGV_LLVM_N{width}vv_{name}({name}.{width})" for width in WIDTHS)
        for attribute in (*PURE, f'"vector-function-abi-variant"="{forms}"'):
            set.add(call.attributes, attribute)
        return x.like(call)

    return chosen


def element(table: Sequence[float], index: Lane) -> Lane:
    """The float64 at an index of a table that the code holds."""
    builder, integer = index.builder, ir.IntType(32)
    values = ir.ArrayType(ir.DoubleType(), len(table))
    name = f"egc.table.{zlib.crc32(repr(table).encode())}"
    constant = builder.module.globals.get(name)
    if constant is None:
        constant = ir.GlobalVariable(builder.module, values, name)
        constant.initializer = ir.Constant(values, list(table))
        constant.global_constant, constant.linkage = True, "internal"
    place = builder.gep(constant, [integer(0), builder.trunc(index.value, integer)])
    return index.like(builder.load(place))


def _function(module: Any, kind: Any, name: str, linkage: str, inlining: str) -> Any:
    function = ir.Function(module, ir.FunctionType(kind, [kind, kind]), name)
    function.linkage = linkage
    function.attributes.add(inlining)
    function.attributes.add("nounwind")
    return function
