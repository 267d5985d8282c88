"""Long products are made in the order that multiplies least or nearly so, and what is shared is made once."""

import functools
import itertools

import numpy as np
import pytest

from egc import sizes
from egc.options import Options
from egc.pipeline import evaluate_reference, make_plan

from ..sampling import crossed

REFERENCE = Options(backend="reference")


def product(*factors):
    return functools.reduce(np.matmul, factors)


def from_the_right(*factors):
    return functools.reduce(lambda right, left: left @ right, reversed(factors))


def shared(*factors):
    half = product(*factors[:6])
    return product(half, *factors[6:]), half


def multiplications(plan):
    bindings, total = plan.captured.hints(), 0
    for node in plan.program.nodes():
        if node.op == "matmul":
            a, b = ([sizes.evaluate(dim, bindings) for dim in child.type.shape] for child in node.inputs)
            total += int(np.prod(a)) * (b[1] if len(b) == 2 else 1)
    return total


def fewest(lengths):
    @functools.cache
    def best(first, last):
        if last - first == 1:
            return 0
        ends = lengths[first] * lengths[last]
        return min(best(first, at) + best(at, last) + ends * lengths[at] for at in range(first + 1, last))

    return best(0, len(lengths) - 1)


def chain(count, seed, left=False, right=False):
    random = np.random.default_rng(seed)
    lengths = random.integers(2, 60, count + 1)
    lengths[0], lengths[-1] = (1 if left else lengths[0]), (1 if right else lengths[-1])
    factors = [random.normal(size=pair) / np.sqrt(pair[0]) for pair in itertools.pairwise(lengths)]
    factors[0] = factors[0][0] if left else factors[0]
    factors[-1] = factors[-1][:, 0] if right else factors[-1]
    return [int(length) for length in lengths], factors


CHAINS = [(7, product), (30, product), (80, product), (24, from_the_right)]
VECTORS = [(False, False), (True, False), (False, True), (True, True)]


@pytest.mark.parametrize(("kind", "vectors"), crossed(CHAINS, VECTORS, 2))
def test_a_chain_is_multiplied_in_the_best_order(kind, vectors):
    (count, function), (left, right) = kind, vectors
    lengths, factors = chain(count, count + 2 * left + right, left, right)
    plan = make_plan(function, factors, {}, REFERENCE, cached=False)
    # A few more multiplications may cost less, with memory and calls counted.
    assert multiplications(plan) <= 1.05 * fewest(tuple(lengths))
    (found,) = evaluate_reference(plan.program, factors)
    np.testing.assert_allclose(found, product(*factors), rtol=1e-9, atol=1e-9 * np.max(np.abs(found)))


def test_what_another_result_needs_is_made_once():
    _, factors = chain(12, 5)
    plan = make_plan(shared, factors, {}, REFERENCE, cached=False)
    for found, wanted in zip(evaluate_reference(plan.program, factors), shared(*factors), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9 * np.max(np.abs(wanted)))
    assert sum(node.op == "matmul" for node in plan.program.nodes()) <= 11


def test_without_the_rule_a_chain_stays_as_it_was_written():
    lengths, factors = chain(12, 7)
    plan = make_plan(product, factors, {}, Options(backend="reference", rules=["algebra"]), cached=False)
    assert multiplications(plan) == lengths[0] * sum(a * b for a, b in itertools.pairwise(lengths[1:]))
