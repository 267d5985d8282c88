"""Arrays of numba's in code that is written in `instructions`: where they lie, copies of them, and results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numba import types
from numba.core import cgutils
from numba.core.imputils import impl_ret_new_ref
from numba.np.arrayobj import make_array, populate_array

from egc.backends.numba.copies import Lying, copy_to, turn_into
from egc.backends.numba.fortran import LETTERS
from egc.backends.numba.functions import new_array
from egc.backends.numba.instructions import WORD, Code, Value, as_intrinsic, unpacked

OWNER = types.MemInfoPointer(types.voidptr)

TURNED = {"C": "F", "F": "C"}


class Array:
    """An array: its address, its lengths, its strides in bytes and, where it was made here, who owns its memory."""

    def __init__(
        self, code: Code, dtype: Any, layout: str, place: Value, lengths: Sequence[Value], strides: Sequence[Value],
        owner: Value | None = None,
    ):  # fmt: skip
        self.code, self.dtype, self.layout, self.place, self.owner = code, dtype, layout, place, owner
        self.lengths, self.strides = list(lengths), list(strides)
        self.size = code.context.get_abi_sizeof(place.value.type.pointee)

    @classmethod
    def given(cls, code: Code, kind: Any, value: Any) -> Array:
        """One that numba's code has."""
        struct = make_array(kind)(code.context, code.builder, value)
        parts = unpacked(code.builder, struct.shape), unpacked(code.builder, struct.strides)
        return cls(code, kind.dtype, kind.layout, Value(code.builder, struct.data), *parts)

    @classmethod
    def new(cls, code: Code, dtype: Any, *lengths: Any) -> Array:
        """One in C order, with any elements."""
        kind = types.Array(dtype, len(lengths), "C")
        struct = new_array(code.context, code.builder, kind, [code.value(each).value for each in lengths])
        made = cls.given(code, kind, struct._getvalue())
        made.owner = Value(code.builder, struct.meminfo)
        return made

    @property
    def turned(self) -> Array:
        """The transpose of a matrix."""
        layout = TURNED.get(self.layout, "A")
        return Array(
            self.code, self.dtype, layout, self.place, self.lengths[::-1], self.strides[::-1], self.owner
        )  # fmt: skip

    def first(self, rows: Value) -> Array:
        """The first rows of one in C order."""
        return Array(
            self.code, self.dtype, self.layout, self.place, [rows, *self.lengths[1:]], self.strides, self.owner
        )  # fmt: skip

    def copy_to(self, place: Value) -> None:
        """Writes its elements in C order from an address on."""
        lengths, strides = ([each.value for each in group] for group in (self.lengths, self.strides))
        lying = Lying(lengths, strides, self.place.value, self.layout)
        copy_to(self.code.context, self.code.builder, lying, place.value)

    def copied(self) -> Array:
        """A new one in C order."""
        made = Array.new(self.code, self.dtype, *self.lengths)
        self.copy_to(made.place)
        return made

    def release(self) -> None:
        """Gives the memory of one that was made here back."""
        release(self.code, self.owner)

    def result(self) -> Any:
        """What an intrinsic function returns of an array that was made here."""
        code, kind = self.code, types.Array(self.dtype, len(self.lengths), self.layout)
        array = make_array(kind)(code.context, code.builder)
        shape, strides = (
            cgutils.pack_array(code.builder, [each.value for each in group], ty=WORD)
            for group in (self.lengths, self.strides)
        )
        populate_array(
            array, data=self.place.value, shape=shape, strides=strides, itemsize=WORD(self.size),
            meminfo=self.owner.value if self.owner is not None else None,
        )  # fmt: skip
        return impl_ret_new_ref(code.context, code.builder, kind, array._getvalue())

    def steps(self) -> list[Value]:
        """The strides in elements."""
        return [stride // self.size for stride in self.strides]

    def addressable(self) -> Addressable:
        """Itself, unless neighbours along no axis, or rows that overlap, ask for a copy in C order."""
        if self.layout in "CF":
            return Addressable(self.code, self.place, self.lengths, self.steps())
        return self._where(self._vector_fits() if len(self.lengths) == 1 else self._matrix_fits())

    def contiguous(self) -> Addressable:
        """A vector whose elements lie side by side: itself, or a copy."""
        if self.layout in "CF":
            return Addressable(self.code, self.place, self.lengths, self.steps())
        return self._where((self.strides[0] == self.size) | (self.lengths[0] <= 1))

    def _vector_fits(self) -> Value:
        (stride,) = self.strides
        return (stride > 0) & (stride % self.size == 0)

    def _matrix_fits(self) -> Value:
        (rows, columns), (along, across), size = self.lengths, self.strides, self.size
        in_rows = (across == size) & (along >= columns * size) & (along % size == 0)
        in_columns = (along == size) & (across >= rows * size) & (across % size == 0)
        return in_rows | in_columns

    def _where(self, fits: Value) -> Addressable:
        """Itself where it fits, or a copy."""
        code = self.code
        place, owner = code.cell(self.place.value.type), code.cell(code.context.get_value_type(OWNER))
        steps = [code.cell(WORD) for _ in self.lengths]
        with code.either(fits) as (itself, copy):
            with itself:
                self._note(place, steps)
                owner[0] = Value(code.builder, owner.value.type.pointee(None))
            with copy:
                made = self.copied()
                made._note(place, steps)
                assert made.owner is not None
                owner[0] = made.owner
        return Addressable(code, place[0], self.lengths, [step[0] for step in steps], owner[0])

    def _note(self, place: Value, steps: Sequence[Value]) -> None:
        place[0] = self.place
        for cell, step in zip(steps, self.steps()):
            cell[0] = step


class Addressable:
    """An array for BLAS: its address, its lengths and its strides in elements, one of a matrix's 1; and who owns a copy."""

    def __init__(
        self, code: Code, place: Value, lengths: Sequence[Value], steps: Sequence[Value], owner: Value | None = None
    ):
        self.code, self.place, self.lengths, self.steps, self.owner = code, place, lengths, steps, owner

    def lies(self) -> tuple[Value, Value]:
        """The elements from a row, or a column, of a matrix for BLAS to the next; and whether it lies row by row."""
        code, (rows, columns), (down, along) = self.code, self.lengths, self.steps
        rowwise = (along == 1) & ((down != 1) | (rows == 1))
        return code.select(rowwise, code.larger(down, columns, 1), code.larger(along, rows, 1)), rowwise

    def release(self) -> None:
        """Gives the memory of a copy back."""
        release(self.code, self.owner)


def release(code: Code, owner: Value | None) -> None:
    """Gives memory back; nobody owns what was there before."""
    if owner is not None:
        code.context.nrt.decref(code.builder, OWNER, owner.value)


def replaced(b: Array, few: Value, write: Callable[[Value], Any]) -> Array:
    """A copy of a matrix that `write` replaces at an address: its columns one after the other where they are few, else its
    rows."""
    code, (n, count) = b.code, b.lengths
    result = Array.new(code, b.dtype, n, count)
    place, owner = code.cell(result.place.value.type), code.cell(code.context.get_value_type(OWNER))
    with code.either(few) as (columns, rows):
        with columns:
            turned = b.turned.copied()
            assert turned.owner is not None
            place[0], owner[0] = turned.place, turned.owner
        with rows:
            b.copy_to(result.place)
            place[0], owner[0] = result.place, Value(code.builder, owner.value.type.pointee(None))
    write(place[0])
    with code.when(few):
        given = n, count, place[0], n, result.place, count
        turn_into(code.context, code.builder, *(each.value for each in given))
        release(code, owner[0])
    return result


def of_arrays(result: Callable[..., Any], write: Callable[..., Any]) -> Any:
    """The intrinsic function of arrays, integers and truth values.

    result: of the types of the arguments, the first of which has the elements that the letter is for: the type of the result.
    write: of a `Code` and the arguments, an `Array` each that is one: the value.
    """

    def typed(context: Any, *kinds: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            code = Code(context, builder, LETTERS[kinds[0].dtype.name])
            given: list[Any] = []
            for kind, value in zip(signature.args, arguments):
                if isinstance(kind, types.Array):
                    given.append(Array.given(code, kind, value))
                else:
                    wanted = kind if isinstance(kind, types.Boolean) else types.int64
                    given.append(code.value(context.cast(builder, value, kind, wanted)))
            return write(code, *given)

        return result(*kinds)(*map(types.unliteral, kinds)), generate

    return as_intrinsic(typed, write)


def raise_where(code: Code, condition: Value, error: type[Exception], message: str) -> None:
    """numba's function that calls raises where the condition holds."""
    with code.when(condition):
        code.context.call_conv.return_user_exc(code.builder, error, (message,))
