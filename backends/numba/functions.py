"""The functions that generated code calls: scalar meanings that numba's own differ in or lack, and raw memory.

Each compiles once per process and dtype, when generated code first uses it, and is inlined there.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types, uint64
from numba.core import cgutils
from numba.core.imputils import impl_ret_borrowed, impl_ret_new_ref
from numba.extending import intrinsic
from numba.np.arrayobj import _empty_nd_impl, make_array, populate_array

from egc.backends.numba import vector
from egc.backends.numba.blas import block_product, shifted
from egc.backends.numba.blocks import LEAST
from egc.backends.numba.panels import turn
from egc.backends.numba.vector import inner, select
from egc.backends.numba.vector.lanes import compiled, sum_error
from egc.backends.numba.vector.lanes import select as select_lane

ALIGNED = 32
"""Bytes at a multiple of which small arrays begin."""

MATH = ["sqrt", "frexp"]
TYPES = """boolean int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 complex64 complex128""".split()


@intrinsic
def pointer(context, array):
    """The address of an array's first element: indexing it neither wraps around nor checks bounds.

    A bool array's elements are uint8, since numba does not store bools through pointers.
    """

    def generate(context, builder, signature, arguments):
        return make_array(signature.args[0])(context, builder, arguments[0]).data

    return address_type(array)(array), generate


def address_type(array: Any) -> Any:
    return types.CPointer(types.uint8 if array.dtype == types.boolean else array.dtype)


@intrinsic
def mutable(context, array):
    """An array as one whose type does not forbid writing, which egc's code does not do to arguments."""

    def generate(context, builder, signature, arguments):
        return impl_ret_borrowed(context, builder, signature.return_type, arguments[0])

    return array.copy(readonly=False)(array), generate


@intrinsic
def addressed(context, array):
    """An array as one whose type says C order, for what knows its strides and reads but its address."""

    def generate(context, builder, signature, arguments):
        return impl_ret_borrowed(context, builder, signature.return_type, arguments[0])

    return array.copy(layout="C")(array), generate


@intrinsic
def in_memory(context, address, shape):
    """An array in C order whose elements begin at an address. It does not keep them: numba's own `carray` compiles a function for
    each number of axes."""
    result = types.Array(address.dtype, len(shape), "C")

    def generate(context, builder, signature, arguments):
        lengths = [
            context.cast(builder, value, kind, types.intp)
            for value, kind in zip(cgutils.unpack_tuple(builder, arguments[1]), signature.args[1])
        ]
        steps = [context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(result.dtype)))]
        for length in reversed(lengths[1:]):
            steps.insert(0, builder.mul(steps[0], length))
        return _shaped(context, builder, result, arguments[0], lengths, steps, None)._getvalue()

    return result(address, shape), generate


@intrinsic
def allocate(context, shape, element):
    """A new array in C order of a shape and a numba type, or dtype, of elements. A large one takes its memory from `blocks`;
    one of rank 0 lasts as long as the calling function."""
    result = types.Array(element.dtype if isinstance(element, types.DType) else element.instance_type, len(shape), "C")

    def generate(context, builder, signature, arguments):
        if not len(shape):
            return _one_element(context, builder, signature.return_type)._getvalue()
        lengths = [
            context.cast(builder, value, kind, types.intp)
            for value, kind in zip(cgutils.unpack_tuple(builder, arguments[0]), signature.args[0])
        ]
        array = new_array(context, builder, signature.return_type, lengths)
        return impl_ret_new_ref(context, builder, signature.return_type, array._getvalue())

    return result(shape, element), generate


def new_array(context: Any, builder: Any, kind: Any, lengths: Any) -> Any:
    """numba's own way compiles several functions, which takes longer than all of a small driver."""
    word = context.get_value_type(types.intp)
    itemsize = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    size, too_big = itemsize, ir.IntType(1)(0)
    strides: list[Any] = []
    for length in reversed(lengths):
        strides.insert(0, size)
        product = builder.smul_with_overflow(size, length)
        size = builder.extract_value(product, 0)
        too_big = builder.or_(too_big, builder.extract_value(product, 1))
    with builder.if_then(too_big, likely=False):
        context.call_conv.return_user_exc(builder, ValueError, ("array is too big",))
    owner = builder.call(_memory(context, builder.module, word), [size])
    with builder.if_then(cgutils.is_null(builder, owner), likely=False):
        context.call_conv.return_user_exc(builder, MemoryError, ("a result does not fit into memory",))
    data = builder.bitcast(context.nrt.meminfo_data(builder, owner), context.get_data_type(kind.dtype).as_pointer())
    return _shaped(context, builder, kind, data, lengths, strides, owner)


def _shaped(context: Any, builder: Any, kind: Any, data: Any, lengths: Any, strides: Any, owner: Any) -> Any:
    """The array of numba with elements there."""
    word = context.get_value_type(types.intp)
    array = make_array(kind)(context, builder)
    shape, steps = (cgutils.pack_array(builder, values, ty=word) for values in (lengths, strides))
    populate_array(array, data=data, shape=shape, strides=steps, itemsize=strides[-1], meminfo=owner)
    return array


def _memory(context: Any, module: Any, word: Any) -> Any:
    """The function of a module that gives numba's owner of so many bytes, or null. Many bytes are what `blocks` gives and takes
    back."""
    pointer = cgutils.voidptr_t

    def declared(name: str, result: Any, *arguments: Any) -> Any:
        return cgutils.get_or_insert_function(module, ir.FunctionType(result, arguments), name)

    function = declared("egc_memory", pointer, word)
    if function.blocks:
        return function
    function.linkage = "linkonce_odr"
    function.attributes.add("noinline")
    builder, (size,) = ir.IRBuilder(function.append_basic_block()), function.args
    with builder.if_then(builder.icmp_unsigned("<", size, word(LEAST)), likely=True):
        builder.ret(context.nrt.meminfo_alloc_aligned_unchecked(builder, size, ALIGNED))
    block = builder.call(declared("egc_acquire", pointer, word), [size])
    with builder.if_then(cgutils.is_null(builder, block), likely=False):
        builder.ret(block)
    taker = builder.bitcast(declared("egc_give_back", ir.VoidType(), pointer), pointer)
    builder.ret(builder.call(declared("egc_owner", pointer, pointer, pointer), [block, taker]))
    return function


@intrinsic
def empty_scalar(context, value):
    """A new array of rank 0 that holds a value, and lasts as long as the calling function."""
    element = types.unliteral(value)
    result = types.Array(element, 0, "C")

    def generate(context, builder, signature, arguments):
        array = _one_element(context, builder, signature.return_type)
        given = context.cast(builder, arguments[0], signature.args[0], element)
        context.pack_value(builder, element, given, array.data)
        return array._getvalue()

    return result(value), generate


@intrinsic
def owned_scalar(context, value):
    """As `empty_scalar`, for an array that outlasts the calling function."""
    element = types.unliteral(value)

    def generate(context, builder, signature, arguments):
        array = _empty_nd_impl(context, builder, signature.return_type, [])
        given = context.cast(builder, arguments[0], signature.args[0], element)
        context.pack_value(builder, element, given, array.data)
        return impl_ret_new_ref(context, builder, signature.return_type, array._getvalue())

    return types.Array(element, 0, "C")(value), generate


def _one_element(context: Any, builder: Any, kind: Any) -> Any:
    """An array of rank 0 on the stack, which nobody owns."""
    data = cgutils.alloca_once(builder, context.get_data_type(kind.dtype))
    array = make_array(kind)(context, builder)
    none, itemsize = (
        cgutils.pack_array(builder, [], ty=context.get_value_type(types.intp)),
        context.get_constant(types.intp, context.get_abi_sizeof(data.type.pointee)),
    )
    populate_array(array, data=data, shape=none, strides=none, itemsize=itemsize, meminfo=None)
    return array


@intrinsic
def keep(context, array):
    """Does nothing, after everything before it: the array is not freed until then."""

    def generate(context, builder, signature, arguments):
        return context.get_dummy_value()

    return types.none(array), generate


@intrinsic
def is_at(context, pointer, other):
    """1 where two pointers are the same, else 0."""

    def generate(context, builder, signature, arguments):
        return builder.zext(builder.icmp_unsigned("==", *arguments), ir.IntType(64))

    return types.int64(pointer, other), generate


@intrinsic
def copy_to(context, pointer, array):
    """Copies an array's elements, which lie in C order, to where a pointer says."""

    def generate(context, builder, signature, arguments):
        source = make_array(signature.args[1])(context, builder, arguments[1])
        size = builder.mul(source.nitems, source.itemsize)
        cgutils.raw_memcpy(builder, arguments[0], source.data, size, 1)
        return context.get_dummy_value()

    return types.none(pointer, array), generate


def _floating_intrinsic(name: str) -> Any:
    def typed(context, a, b):
        def generate(context, builder, signature, arguments):
            kind = arguments[0].type
            declared = cgutils.get_or_insert_function(
                builder.module, _function_type(kind), f"llvm.{name}.f{64 if a == types.float64 else 32}"
            )
            return builder.call(declared, arguments)

        return a(a, a), generate

    return intrinsic(typed)


def _function_type(kind: Any) -> Any:
    return ir.FunctionType(kind, [kind, kind])


maximum = _floating_intrinsic("maximum")
minimum = _floating_intrinsic("minimum")


def _reassociable(operation: str) -> Any:
    """An operation of two floats, where the order of those of one loop is free: LLVM keeps many partial results."""

    def typed(context, total, value):
        def generate(context, builder, signature, arguments):
            return getattr(builder, operation)(*arguments, flags=("reassoc",))

        return total(total, total), generate

    return intrinsic(typed)


accumulate = _reassociable("fadd")
accumulate_product = _reassociable("fmul")


@intrinsic
def accumulate_product_of(context, total, a, b):
    """As `accumulate(total, a * b)`, rounded once where the processor can."""

    def generate(context, builder, signature, arguments):
        product = builder.fmul(*arguments[1:], flags=("contract",))
        return builder.fadd(arguments[0], product, flags=("reassoc", "contract"))

    return total(total, total, total), generate


@compiled
def rounding_error(a, b):
    """What `a + b` loses by rounding."""
    return sum_error(a, b, a + b)


@compiled
def compensated(total, error):
    """A compensated sum; where something overflowed the compensation means nothing."""
    return select_lane(abs(error) < math.inf, total + error, total)


@inner
def remainder_float(a, b):
    """The remainder with the sign of b, as NumPy's npy_math has it (npy_divmod)."""
    rest = np.fmod(a, b)
    if b == 0:
        return rest
    if rest == 0:
        return math.copysign(rest, b)
    return rest + b if (b < 0) != (rest < 0) else rest


@inner
def floor_divide_float(a, b):
    """The floor of the exact quotient, as NumPy's npy_math has it (npy_floor_divide)."""
    if b == 0:
        return a / b
    rest = np.fmod(a, b)
    quotient = (a - rest) / b
    if rest != 0 and (b < 0) != (rest < 0):
        quotient -= 1.0
    if quotient == 0:
        return math.copysign(0.0, a / b)
    floor = np.floor(quotient)
    return floor + 1.0 if quotient - floor > 0.5 else floor


@inner
def sign_float(x):
    if x > 0:
        return 1.0
    if x < 0:
        return -1.0
    return 0.0 if x == 0 else x


@inner
def heaviside(x, at_zero):
    if x > 0:
        return 1.0
    if x < 0:
        return 0.0
    return at_zero if x == 0 else x


@inner
def floor_divide_integer(a, b):
    """Rounded down; 0 where b is 0, and the least integer divided by -1 wraps around."""
    if b == 0:
        return b
    if b == -1:
        return b - b - a
    return a // b


@inner
def remainder_integer(a, b):
    """With the sign of b; 0 where b is 0."""
    return b - b if b == 0 or b == -1 else a % b


@inner
def fmod_integer(a, b):
    """With the sign of a; 0 where b is 0."""
    if b == 0 or b == -1:
        return b - b
    rest = a % b
    return rest - b if rest != 0 and (a < 0) != (b < 0) else rest


@inner
def power_integer(base, exponent, one):
    """By squaring, with wrap-around; the exponent is not negative."""
    result = one
    while exponent != 0:
        if exponent & one:
            result *= base
        base *= base
        exponent >>= one
    return result


@inner
def lcm_unsigned(a, b):
    """With wrap-around; 0 where an operand is 0."""
    divisor = np.gcd(a, b)
    return a // divisor * b if divisor != 0 else divisor


@inner
def left_shift(a, b, bits):
    return a << b if 0 <= b < bits else a - a


@inner
def right_shift_signed(a, b, bits):
    return a >> (b if 0 <= b < bits else 63)


@inner
def right_shift_unsigned(a, b, bits):
    return a >> b if b < bits else a - a


@inner
def bit_count(x):
    """The number of ones in a uint64 (Warren, Hacker's Delight, 5-1)."""
    x = x - ((x >> uint64(1)) & uint64(0x5555555555555555))
    x = (x & uint64(0x3333333333333333)) + ((x >> uint64(2)) & uint64(0x3333333333333333))
    x = (x + (x >> uint64(4))) & uint64(0x0F0F0F0F0F0F0F0F)
    return (x * uint64(0x0101010101010101)) >> uint64(56)


@inner
def divide_complex(a, b):
    """Smith's algorithm (Communications of the ACM 5, 1962, algorithm 116), with NumPy's result for b == 0."""
    if abs(b.real) >= abs(b.imag):
        if b.real == 0 and b.imag == 0:
            return complex(a.real / abs(b.real), a.imag / abs(b.real))
        ratio = b.imag / b.real
        scale = 1.0 / (b.real + b.imag * ratio)
        return complex((a.real + a.imag * ratio) * scale, (a.imag - a.real * ratio) * scale)
    ratio = b.real / b.imag
    scale = 1.0 / (b.imag + b.real * ratio)
    return complex((a.real * ratio + a.imag) * scale, (a.imag * ratio - a.real) * scale)


NAMES: dict[str, Any] = {
    name: value for name, value in globals().items() if callable(value) and hasattr(value, "py_func")
}
NAMES |= {"allocate": allocate, "empty_scalar": empty_scalar, "owned_scalar": owned_scalar, "accumulate": accumulate}
NAMES |= {"addressed": addressed}
NAMES |= {"accumulate_product_of": accumulate_product_of}
NAMES |= {"accumulate_product": accumulate_product, "rounding_error": rounding_error, "compensated": compensated}
NAMES |= {"block_product": block_product, "shifted": shifted, "turn": turn}
NAMES |= {
    "pointer": pointer,
    "keep": keep,
    "is_at": is_at,
    "copy_to": copy_to,
    "in_memory": in_memory,
    "select": select,
    "maximum": maximum,
    "minimum": minimum,
}
NAMES |= {name: getattr(math, name) for name in MATH}
NAMES |= {name: getattr(types, name) for name in TYPES}
NAMES |= {f"{name}_float64": function for name, function in vector.FLOAT64.items()}
NAMES |= {f"{name}_float32": function for name, function in vector.FLOAT32.items()}
NAMES |= {"np": np, "math": math, "inf": math.inf, "nan": math.nan}
"""What generated code may name."""
