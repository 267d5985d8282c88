"""Sizes in generated code: equal to what they are, computed once, in few operations; and calls with many arguments."""

import random
import re

import numba
import numpy as np
import pytest

import egc
from egc.backends.numba.measures import few_operations, quotient
from egc.backends.numba.phases import call_text
from egc.backends.numba.threads import call
from egc.sizes import Size, evaluate, symbol

NAMES = "nmkab"
SYMBOLS = [symbol(name) for name in NAMES]


def polynomial(rng):
    total = rng.randint(-2, 3)
    for _ in range(rng.randint(1, 3)):
        term = rng.choice([1, 1, 2, -1, 3])
        for _ in range(rng.randint(0, 2)):
            term = term * rng.choice(SYMBOLS)
        total = total + term
    return total


@pytest.mark.parametrize("seed", range(120))
def test_the_text_of_a_size_is_its_value(seed):
    rng = random.Random(seed)
    value = polynomial(rng) * polynomial(rng)
    known = {}
    for number in range(rng.randint(0, 3)):
        part = polynomial(rng)
        if isinstance(part, Size) and len(part.terms) > 1:
            known[part] = f"z{number}"
            value = value * part if rng.random() < 0.4 else value
    numbers = {name: rng.randint(1, 9) for name in NAMES}
    names = numbers | {name: evaluate(part, numbers) for part, name in known.items()}
    text = few_operations(value, known)
    assert "**" not in text and eval(text, names) == evaluate(value, numbers)


def test_a_product_is_divided_by_its_factors_alone():
    n, m, k, *_ = SYMBOLS
    assert quotient((n - m + 1) * (k + 2), n - m + 1) == k + 2
    assert quotient((n - m + 1) * (k + 2) + 1, n - m + 1) is None
    assert quotient(n * n * m, 2 * n * m) is None


def test_a_product_of_known_lengths_takes_one_operation_for_each():
    n, m, k, *_ = SYMBOLS
    rows, columns = n - m + 1, k - m + 1
    assert few_operations(rows * columns * k, {rows: "rows", columns: "columns"}).count("*") == 2


def test_a_driver_computes_a_size_once():
    def pooled(image, kernel):
        rows, columns = image.shape[0] - len(kernel) + 1, image.shape[1] - len(kernel) + 1
        out = np.zeros((rows // 2, columns // 2))
        for i in range(rows // 2):
            for j in range(columns // 2):
                out[i, j] = np.max(image[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]) * kernel[0, 0]
        return np.exp(out), out.sum(axis=0)

    optimized = egc.optimize(pooled, backend="numba")
    for shape in ((9, 8), (5, 12)):
        image = np.random.default_rng(0).normal(size=shape)
        for ours, theirs in zip(optimized(image, np.ones((3, 3))), pooled(image, np.ones((3, 3)))):
            np.testing.assert_allclose(ours, theirs, rtol=1e-13)
    code = optimized.plan(np.ones((9, 8)), np.ones((3, 3))).compiled.code
    found = re.findall(r"^    size_\d+ = (.*)$", code, re.MULTILINE)
    assert found and len(found) == len(set(found))
    assert sum("//2" in text for text in found) == 2


def test_a_function_is_called_with_many_arguments():
    """Python passes more than thirty arguments in another way than fewer, for which numba takes a second."""
    names = [f"x{number}" for number in range(40)]
    weighted = " + ".join(f"{number + 1} * {name}" for number, name in enumerate(names))
    text = call_text("weighted", names)
    assert text.startswith("call(weighted, ((x0,") and call_text("f", names[:3]) == "f(x0, x1, x2)"
    lines = [
        f"def weighted({', '.join(names)}):",
        f"    return {weighted}",
        "weighted = njit(weighted)",
        "def run(x):",
        f"    {', '.join(names)} = {', '.join(f'x + {number}' for number in range(40))}",
        f"    return {text}",
    ]
    namespace = {"njit": numba.njit, "call": call}
    exec("\n".join(lines), namespace)
    assert numba.njit(namespace["run"])(2) == sum((k + 1) * (2 + k) for k in range(40))
    assert numba.njit(namespace["run"])(0.5) == sum((k + 1) * (0.5 + k) for k in range(40))
