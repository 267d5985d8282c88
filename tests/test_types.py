"""Types print and parse; shapes broadcast as NumPy's do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from egc import sizes, types
from egc.errors import ProgramError, ShapeError
from egc.types import DTYPES, ArrayType, TupleType, broadcast_shapes, concrete, parse_type

N, M = sizes.symbol("n"), sizes.symbol("m")
DIMS = st.sampled_from([0, 1, 5, N, M, 2 * N + 1, sizes.maximum(N, M - 3), N // 2])
TYPES = st.builds(ArrayType, st.sampled_from(list(DTYPES.values())), st.lists(DIMS, max_size=4).map(tuple))


@given(TYPES)
def test_the_text_of_a_type_parses_to_the_type(type):
    assert parse_type(str(type)) == type


@given(st.lists(st.lists(st.integers(0, 3), max_size=3).map(tuple), min_size=1, max_size=3))
def test_plain_shapes_broadcast_as_in_numpy(shapes):
    try:
        expected = np.broadcast_shapes(*shapes)
    except ValueError:
        with pytest.raises(ShapeError, match="could not be broadcast together"):
            broadcast_shapes(*shapes)
    else:
        assert broadcast_shapes(*shapes) == expected


def test_equal_symbolic_sizes_broadcast_and_different_ones_do_not():
    assert broadcast_shapes((N, 1), (M,)) == (N, M)
    with pytest.raises(ShapeError):
        broadcast_shapes((N,), (M,))


@pytest.mark.parametrize("name", sorted(DTYPES))
def test_dtypes_have_a_short_name_and_numpys(name):
    assert types.dtype(name) == types.dtype(DTYPES[name].name) == types.dtype(DTYPES[name]) == DTYPES[name]


@pytest.mark.parametrize("name", ["float16", "object", "U3", "nonsense", "datetime64[s]"])
def test_other_dtypes_are_refused(name):
    with pytest.raises(ProgramError, match="dtype"):
        types.dtype(name)


@pytest.mark.parametrize("text", ["", "f64[n", "x[n]", "f64[n +]", "f16[3]"])
def test_what_is_no_type_is_refused(text):
    with pytest.raises(ProgramError):
        parse_type(text)


def test_a_scalar_may_leave_out_its_brackets():
    assert parse_type("f64") == parse_type("f64[]") == ArrayType(DTYPES["f64"], ())


def test_a_concrete_type_has_integer_sizes():
    assert concrete(parse_type("f64[n, 2*n]"), {"n": 3}).shape == (3, 6)


def test_the_size_of_a_type_is_the_product_of_its_lengths():
    assert parse_type("f64[n, 3]").size == 3 * N and parse_type("f64").size == 1


def test_a_tuple_type_prints_its_items():
    assert str(TupleType((parse_type("f64[n]"), parse_type("i64")))) == "(f64[n], i64[])"
