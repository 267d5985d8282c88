"""Functions of thousands of operations go through every stage: nothing recurses through a program, or gives up on it."""

import numpy as np
import pytest

import egc
from benchmarks.generated import CHAIN, MIXED, OUTPUTS, SHAPES
from egc.kernels import MOST_WEIGHT, group
from egc.text import parse_program, print_program


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_generated_program_has_so_many_operations_and_gives_finite_numbers(shape):
    for count in (10, 50):
        assert count <= shape.source(count).count(" = ") <= 1.3 * count + 3 or shape is OUTPUTS
    results = shape.function(200)(*shape.arguments())
    assert all(np.all(np.isfinite(each)) for each in (results if isinstance(results, tuple) else (results,)))


def test_a_function_of_thousands_of_operations_is_optimized_and_equal():
    function, arguments = CHAIN.function(2_000), CHAIN.arguments()
    plan = egc.optimize(function, backend="reference").plan(*arguments)
    (found,) = plan.compiled.run(*(arguments[leaf] for leaf in plan.captured.leaf_inputs))
    np.testing.assert_allclose(found, function(*arguments), rtol=1e-9)
    assert parse_program(print_program(plan.program)) == plan.program


@pytest.mark.parametrize(("shape", "count"), [(MIXED, 300), (OUTPUTS, 1_000)], ids=["mixed", "many outputs"])
def test_long_programs_of_other_shapes_are_optimized_and_equal(shape, count):
    function, arguments = shape.function(count), shape.arguments()
    optimized = egc.optimize(function, backend="reference")
    for found, expected in zip(optimized(*arguments), function(*arguments)):
        np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert not optimized.statistics.as_written


def test_a_long_program_is_explained_piece_by_piece():
    explanation = egc.optimize(CHAIN.function(420), backend="reference").explain(*CHAIN.arguments())
    assert "pieces" in explanation.stop_reason and explanation.steps
    assert explanation.cost_after < explanation.cost_before


@pytest.mark.parametrize("shape", [CHAIN, OUTPUTS], ids=lambda shape: shape.name)
def test_no_kernel_is_larger_than_compilers_like(shape):
    program = egc.optimize(shape.function(1_000), backend="reference", rules=[]).plan(*shape.arguments()).program
    kernels = group(program)
    assert len(kernels) > 1 and max(len(kernel.nodes) for kernel in kernels) <= MOST_WEIGHT
