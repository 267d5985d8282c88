"""What of Python, NumPy and SciPy capture encodes, and what of NumPy it leaves to NumPy, with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import egc.capture.surface  # noqa: F401
from egc.capture.registry import DOCUMENTED, lookup

Group = tuple[str, list[str]]

MODULES = {"numpy": np, "numpy.linalg": np.linalg, "numpy.fft": np.fft}

REASONS = {
    "the shape of the result depends on data": """argwhere extract intersect1d mask_indices nonzero
        place setdiff1d setxor1d trim_zeros union1d unique unique_all unique_counts unique_inverse unique_values""",
    "the dtype of the result depends on data": "min_scalar_type real_if_close roots",
    "it calls a Python function on pieces": """apply_along_axis apply_over_axes fromfunction fromiter frompyfunc
        piecewise vectorize""",
    "it reads or writes text, files or bytes": """array2string array_repr array_str base_repr binary_repr
        format_float_positional format_float_scientific from_dlpack frombuffer fromfile fromregex fromstring genfromtxt
        load loadtxt packbits save savetxt savez savez_compressed unpackbits""",
    "it works on dates or strings": "busday_count busday_offset datetime_as_string datetime_data is_busday isnat",
    "it asks about or sets NumPy itself": """can_cast common_type get_include get_printoptions getbufsize geterr
        geterrcall info isdtype isfortran issubdtype may_share_memory mintypecode printoptions promote_types
        result_type set_printoptions setbufsize seterr seterrcall shares_memory show_config show_runtime test
        typename""",
    "it gives an iterator or a plan, not an array": "einsum_path iterable nested_iters",
    "it makes an object that is no plain array": "asmatrix bmat require",
}
"""Why functions are not encoded; every other one only lacks a composition of ops."""

OTHER = "no composition of ops is written for it"

REASON_OF = {name: reason for reason, names in REASONS.items() for name in names.split()}


def coverage() -> list[Group]:
    """The themes of the surface with the dotted names they encode.

    >>> "numpy.einsum" in dict(coverage())["products"]
    True
    """
    return [(theme, list(dict.fromkeys(names))) for theme, names in DOCUMENTED.items()]


def uncovered() -> list[Group]:
    """The public functions of NumPy that run as written, by the reason why.

    >>> "numpy.unique" in dict(uncovered())["the shape of the result depends on data"]
    True
    """
    groups: dict[str, list[str]] = {reason: [] for reason in (*REASONS, OTHER)}
    for module, name, function in public_functions():
        if not is_encoded(function):
            groups[REASON_OF.get(name, OTHER)].append(f"{module}.{name}")
    return [(reason, names) for reason, names in groups.items() if names]


def is_encoded(function: Any) -> bool:
    if isinstance(function, np.ufunc):
        return f"numpy.{function.__name__}" in DOCUMENTED["ufuncs"]
    return lookup(function) is not None


def public_functions() -> Iterator[tuple[str, str, Any]]:
    """Module, name and object of NumPy's public functions; classes and dtypes are none."""
    for module, namespace in MODULES.items():
        for name in sorted(namespace.__all__):
            function = getattr(namespace, name)
            if callable(function) and not isinstance(function, type):
                yield module, name, function
