"""Products that compiled drivers compute without a library, or with BLAS where that is faster."""

from __future__ import annotations

from functools import partial
from typing import Any

from llvmlite import ir
from numba import njit, typeof, types
from numba.core import cgutils
from numba.extending import intrinsic, overload
from numba.np.linalg import ensure_blas

from egc.backends.numba.blas import (
    cast_values,
    matrix_product,
    multiply,
    multiply_block,
    multiply_vector,
    of_addresses,
    shifted,
)
from egc.backends.numba.fortran import LETTERS
from egc.backends.numba.functions import accumulate_product_of, allocate, pointer
from egc.backends.numba.instructions import Code, Value, added_product, outlined, product
from egc.backends.numba.linked import HELPER, WITHOUT_WRAPPERS, UnaliasedHelper
from egc.backends.numba.operands import Array, raise_where
from egc.backends.numba.threads import sharing

FUSED: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract"}}
"""Multiplies and adds may round once."""

fused = njit(pipeline_class=UnaliasedHelper, **FUSED, **WITHOUT_WRAPPERS)
"""Results are not operands."""

SMALL = 32
"""Multiplications of one matrix product below which BLAS's start costs more than its speed gains."""

SMALL_DOTS = 4 * SMALL
"""The same where the rows of both matrices are multiplied, for which BLAS takes three times as long."""

FEW, MANY = 17, 512
"""Elements of a row, at least and at most, for which a product with a vector is a sum for each row. BLAS takes several rows at
a time: memory is fetched ahead of one walk, not of several short ones."""

LONGEST = 2**31 - 1
"""Elements of a vector, at most, for BLAS, which has C's integers."""

ELEMENT = 0.2
"""Nanoseconds that such a product takes for each element."""


@fused
def _dots(start, stop, left, down, right, out, inner, zero):
    """The sums of products of rows with a vector."""
    for i in range(start, stop):
        total = zero
        for j in range(inner):
            total = accumulate_product_of(total, left[i * down + j], right[j])
        out[i] = total


@intrinsic
def matmul(context, a, b):
    """The product of two arrays of one or two axes, in memory from `blocks` where it is an array."""
    dtype = a.dtype
    if a.ndim == b.ndim == 1:
        return of_vectors(context, a, b)
    shared = _shared(context, dtype) if a.ndim > b.ndim else None
    write = _times_matrix if a.ndim == b.ndim else partial(_times_vector, shared)

    def generate(context, builder, signature, arguments):
        code = Code(context, builder, LETTERS[dtype.name])
        return write(code, *(Array.given(code, *given) for given in zip(signature.args, arguments)))

    return types.Array(dtype, a.ndim + b.ndim - 2, "C")(a, b), generate


def _times_matrix(code: Code, a: Array, b: Array) -> Any:
    x, y = a.addressable(), b.addressable()
    (rows, inner), columns = a.lengths, b.lengths[1]
    result = Array.new(code, a.dtype, rows, columns)
    product_of_matrices(code, rows, inner, columns, x.place, *x.steps, y.place, *y.steps, result.place)
    x.release()
    y.release()
    return result.result()


def _times_vector(shared: Shared | None, code: Code, a: Array, b: Array) -> Any:
    """A vector from the left is one from the right of the transpose."""
    matrix, vector = (a, b) if len(a.lengths) == 2 else (b.turned, a)
    x, y = matrix.addressable(), vector.addressable()
    rows, inner = matrix.lengths
    result = Array.new(code, a.dtype, rows)
    (down, along), (step,) = x.steps, y.steps
    _write_vector(code, shared, rows, inner, x.place, down, along, y.place, step, result.place)
    x.release()
    y.release()
    return result.result()


def _write_vector(
    code: Code, shared: Shared | None, rows: Value, inner: Value, left: Value, down: Value, along: Value, right: Value,
    step: Value, out: Value,
) -> None:  # fmt: skip
    given = rows, inner, left, down, along, right, step, out
    if shared is None:
        product_with_vector(code, *given)
        return
    in_rows = (along == 1) & (step == 1) & (inner >= FEW) & (inner <= MANY)
    with code.either(in_rows) as (sums, others):
        with sums:
            shared.write(code, rows, inner, left, down, right, out)
        with others:
            product_with_vector(code, *given)


@intrinsic
def vector_product_at(context, rows, inner, left, down, along, right, out):
    """Writes the product of a matrix and a vector, whose elements are neighbours, to `out`. Arguments: numbers and addresses."""
    shared = _shared(context, out.dtype)

    def generate(context, builder, signature, arguments):
        code = Code(context, builder, LETTERS[out.dtype.name])
        count, length, matrix, below, beside, vector, place = cast_values(code, signature.args, arguments)
        _write_vector(code, shared, count, length, matrix, below, beside, vector, code.value(1), place)
        return context.get_dummy_value()

    return types.none(*map(types.unliteral, (rows, inner, left, down, along, right, out))), generate


def _shared(typing: Any, dtype: Any) -> Shared | None:
    return Shared(typing, dtype) if isinstance(dtype, types.Float) else None


class Shared:
    """Products with a vector as a sum for each row, which threads share."""

    def __init__(self, typing: Any, dtype: Any):
        place = types.CPointer(dtype)
        self.kinds = types.Tuple((place, types.int64, place, place, types.int64, dtype))
        self.generate = sharing(typing, typeof(_dots), self.kinds)

    def write(
        self, code: Code, rows: Value, inner: Value, left: Value, down: Value, right: Value, out: Value
    ) -> None:  # fmt: skip
        builder, element = code.builder, out.value.type.pointee
        cost = builder.sitofp((rows * inner).value, ir.DoubleType())
        nanoseconds = builder.fmul(cost, ir.Constant(ir.DoubleType(), ELEMENT))
        values = left, down, right, out, inner, code.element(element, 0)
        packed = code.context.make_tuple(builder, self.kinds, [each.value for each in values])
        self.generate(code.context, builder, None, (None, rows.value, ir.IntType(64)(0), nanoseconds, packed))


@outlined()
def product_of_matrices(
    code: Code, rows: Value, inner: Value, columns: Value, left: Value, down: Value, along: Value, right: Value,
    across: Value, near: Value, out: Value,
) -> None:  # fmt: skip
    """Writes a product to memory in C order. Matrices are told by their addresses and steps, one of which is 1."""
    most = code.select((along == 1) & (near != 1), SMALL_DOTS, SMALL)
    with code.either(rows * inner * columns <= most) as (small, large):
        with small:
            small_product(code, rows, inner, columns, left, down, along, right, across, near, out)
        with large:
            left_turned, right_turned = along != 1, near != 1
            before = code.select(left_turned, code.larger(along, rows), code.larger(down, inner))
            after = code.select(right_turned, code.larger(near, inner), code.larger(across, columns))
            multiply(
                code, rows, columns, inner, left, before, left_turned, right, after, right_turned, out, columns
            )  # fmt: skip


@outlined()
def product_of_block(
    code: Code, rows: Value, columns: Value, inner: Value, left: Value, left_step: Value, left_turned: Value,
    right: Value, right_step: Value, right_turned: Value, out: Value, out_step: Value, several: Value,
) -> None:  # fmt: skip
    """As `multiply_block`, for small products too."""
    small = (out_step == columns) & ~several & (rows * columns * inner <= SMALL_DOTS)
    with code.either(small) as (here, library):
        with here:
            steps = code.select(left_turned, 1, left_step), code.select(left_turned, left_step, 1)
            other = code.select(right_turned, 1, right_step), code.select(right_turned, right_step, 1)
            product_of_matrices(code, rows, inner, columns, left, *steps, right, *other, out)
        with library:
            given = left, left_step, left_turned, right, right_step, right_turned, out, out_step
            multiply_block(code, rows, columns, inner, *given, several)


@outlined()
def product_with_vector(
    code: Code, rows: Value, inner: Value, left: Value, down: Value, along: Value, right: Value, step: Value, out: Value
) -> None:
    with code.either(rows * inner <= SMALL) as (small, large):
        with small:
            small_product(code, rows, inner, 1, left, down, along, right, step, 0, out)
        with large:
            multiply_vector(code, rows, inner, left, down, along, right, step, out)


@outlined()
def small_product(
    code: Code, rows: Value, inner: Value, columns: Value, left: Value, down: Value, along: Value, right: Value,
    across: Value, near: Value, out: Value,
) -> None:  # fmt: skip
    """A product by its steps, element by element; zeros where there is nothing to be added."""
    with code.range(0, rows) as i, code.range(0, columns) as j:
        before, after = left + i * down, right + j * near
        total = code.cell(out.value.type.pointee)
        with code.either(inner == 0) as (nothing, something):
            with nothing:
                total[0] = code.element(out.value.type.pointee, 0)
            with something:
                total[0] = product(before[0], after[0])
        with code.range(1, inner) as m:
            total[0] = added_product(total[0], before[m * along], after[m * across])
        out[i * columns + j] = total[0]


def of_vectors(context: Any, a: Any, b: Any) -> Any:
    """The sum of products of two vectors, by BLAS, as `np.dot` of numba's."""
    ensure_blas()

    def generate(context, builder, signature, arguments):
        code = Code(context, builder, LETTERS[a.dtype.name])
        x, y = (Array.given(code, kind, value) for kind, value in zip(signature.args, arguments))
        raise_where(code, x.lengths[0] != y.lengths[0], ValueError, "incompatible array sizes for np.dot(a, b)")
        raise_where(code, x.lengths[0] > LONGEST, OverflowError, "array size too large to fit in C int")
        whole = [each.contiguous() for each in (x, y)]
        total = code.cell(x.place.value.type.pointee)
        anything = ir.IntType(8).as_pointer()
        places = [builder.bitcast(each.value, anything) for each in (whole[0].place, whole[1].place, total)]
        kind = ir.FunctionType(ir.IntType(32), [ir.IntType(8), ir.IntType(8), ir.IntType(64), *[anything] * 3])
        dot = cgutils.get_or_insert_function(builder.module, kind, "numba_xxdot")
        builder.call(dot, [ir.IntType(8)(ord(code.letter)), ir.IntType(8)(0), x.lengths[0].value, *places])
        for each in whole:
            each.release()
        return total[0].value

    return a.dtype(a, b), generate


@intrinsic(prefer_literal=True)
def _tiny(context, left, right, out, rows, inner, columns):
    """The product of two matrices of known sizes, row by row in registers."""
    sizes = [size.literal_value for size in (rows, inner, columns)]

    def generate(context, builder, signature, arguments):
        element = context.get_value_type(signature.args[0].dtype)
        align = context.get_abi_sizeof(element)
        vector = ir.VectorType(element, sizes[2])
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), sizes[2]), [0] * sizes[2])

        def place(base: Any, index: int) -> Any:
            return builder.gep(base, [ir.IntType(64)(index)])

        def row(base: Any, index: int) -> Any:
            return builder.bitcast(place(base, index * sizes[2]), vector.as_pointer())

        lines = [builder.load(row(arguments[1], k), align=align) for k in range(sizes[1])]
        for i in range(sizes[0]):
            total = None
            for k, line in enumerate(lines):
                factor = builder.load(place(arguments[0], i * sizes[1] + k), align=align)
                single = builder.insert_element(ir.Constant(vector, ir.Undefined), factor, ir.IntType(32)(0))
                term = builder.fmul(builder.shuffle_vector(single, single, everywhere), line, flags=("contract",))
                total = term if total is None else builder.fadd(total, term, flags=("contract",))
            builder.store(total, row(arguments[2], i), align=align)
        return context.get_dummy_value()

    return types.none(left, right, out, rows, inner, columns), generate


def _squares(left: Any, right: Any, out: Any, count: int, steps: Any, size: int) -> None:
    """The products of stacks of square matrices of 2, 3 or 4 rows."""
    raise NotImplementedError


@overload(_squares, jit_options={"error_model": "numpy", **HELPER})
def _products_of_squares(left, right, out, count, steps, size):
    if not isinstance(left.dtype, types.Float):
        return lambda left, right, out, count, steps, size: _loops(left, right, out, count, steps, size, size, size)

    def products(left, right, out, count, steps, size):
        for k in range(count):
            a, b, c = shifted(left, k * steps[0]), shifted(right, k * steps[1]), shifted(out, k * size * size)
            if size == 2:
                _tiny(a, b, c, 2, 2, 2)
            elif size == 3:
                _tiny(a, b, c, 3, 3, 3)
            else:
                _tiny(a, b, c, 4, 4, 4)

    return products


_product = of_addresses(small_product, 3)
product_at = of_addresses(product_of_matrices, 3)
block_product_at = of_addresses(product_of_block, 3)


@njit(forceinline=True, **FUSED, **HELPER)
def _loops(left: Any, right: Any, out: Any, count: int, steps: Any, rows: int, inner: int, columns: int) -> None:
    """The products of stacks, element by element."""
    for k in range(count):
        a, b, c = shifted(left, k * steps[0]), shifted(right, k * steps[1]), shifted(out, k * rows * columns)
        _product(rows, inner, columns, a, inner, 1, b, columns, 1, c)


@fused
def matmul_stack(a: Any, b: Any) -> Any:
    """Products of two stacks of matrices in C order; a stack of one serves all of the other."""
    count = max(a.shape[0], b.shape[0])
    if a.shape[0] == 0 or b.shape[0] == 0:
        count = 0
    rows, inner, columns = a.shape[1], a.shape[2], b.shape[2]
    result = allocate((count, rows, columns), a.dtype)
    steps = (rows * inner if a.shape[0] > 1 else 0, inner * columns if b.shape[0] > 1 else 0)
    left, right, out = pointer(a), pointer(b), pointer(result)
    if rows == inner == columns and 2 <= rows <= 4:
        _squares(left, right, out, count, steps, rows)
    elif inner and rows * inner * columns <= SMALL:
        _loops(left, right, out, count, steps, rows, inner, columns)
    elif rows and columns:
        for k in range(count):
            given = shifted(left, k * steps[0]), inner, False, shifted(right, k * steps[1]), columns, False
            matrix_product(rows, columns, inner, *given, shifted(out, k * rows * columns), columns)
    return result
