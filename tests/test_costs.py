"""Laws of the cost model."""

from dataclasses import replace

import numpy as np
import pytest

from egc import ir
from egc.backend import CostTable
from egc.costs import CostModel, node_cost, program_cost
from egc.errors import ProgramError
from egc.ops import OPS
from egc.sizes import symbol
from egc.text import parse_program
from egc.types import ArrayType

n, m = symbol("n"), symbol("m")
TABLE = CostTable(100.0, 0.1, 1.0, {"exp": 5.0}, 0.25, {"inv": 2.0, "solve": 1.0})
SIZES = {"n": 1000, "m": 10}


def var(name, *shape):
    return ir.input(name, ArrayType(np.dtype(float), shape))


def cost(*outputs, table=TABLE, bindings=SIZES):
    inputs = dict.fromkeys(node for node in ir.topological(outputs) if node.op == "input")
    return program_cost(ir.Program(tuple(inputs), outputs), table, bindings)


x, y, A, B = var("x", n), var("y", n), var("A", n, m), var("B", m, n)


def test_a_fused_kernel_moves_its_inputs_and_outputs_only():
    assert cost(ir.make("exp", x)) == 100 + 0.1 * 8 * 2000 + 5 * 1000
    assert cost(ir.make("exp", ir.make("exp", x))) == 100 + 0.1 * 8 * 2000 + 10 * 1000


def test_a_shared_value_is_computed_once():
    e = ir.make("exp", x)
    assert cost(ir.make("multiply", e, e)) == 100 + 0.1 * 8 * 2000 + 6 * 1000


def test_a_matrix_product_costs_its_multiply_adds():
    assert cost(ir.make("matmul", A, B)) == 100 + 0.1 * 8 * (10_000 * 2 + 1e6) + 0.25 * 1e7


def test_what_loops_over_rows_read_of_a_product_moves_no_bytes():
    product = ir.make("matmul", A, B)
    alone = cost(product)
    assert cost(ir.make("exp", product)) == pytest.approx(alone + 100 + 5 * 1e6)
    assert cost(ir.make("sum", product, axes=(1,))) == pytest.approx(alone + 100 + 1e6 + 0.1 * 8 * (1000 - 1e6))


def test_a_factorization_is_cubic():
    side = var("S", m, m)
    assert cost(ir.make("inv", side)) == 100 + 0.1 * 8 * 200 + 2.0 * 1000


def test_an_output_that_is_a_constant_is_stored():
    assert cost(ir.constant(1.0, np.dtype(float), (n,))) == 100 + 0.1 * 8 * 1000


def test_an_input_costs_nothing():
    assert cost(x) == 0


def test_a_size_without_a_value_is_an_error():
    with pytest.raises(ProgramError, match="no value"):
        cost(ir.make("exp", x), bindings={})


def test_every_fused_op_and_call_has_a_local_cost_above_zero():
    model = CostModel(TABLE, SIZES)
    square = var("S", m, m).type
    for name, row in OPS.items():
        assert model.local(name, [square] * (2 if row.arity is None else row.arity), square) > 0


def test_node_cost_grows_with_the_array():
    e = ir.make("exp", x)
    assert node_cost(e, TABLE, {"n": 10}) < node_cost(e, TABLE, {"n": 1000})


def loop_cost(n, body="multiply", table=TABLE):
    text = f"""
    f(x: f64[n], s: f64[]) -> %1
      %2 = size() {{value=n}} : i64[]
      %0 = loop(%2, s, x) {{counted=True, states=1}} : (f64[])
        update(_i1: size i64[], _s1_0: f64[], _c1_0: f64[n]) -> %2
          %0 = slice(_c1_0) {{size=(1,), start=(_i1,), step=(1,)}} : f64[1]
          %1 = reshape(%0) {{shape=()}} : f64[]
          %2 = {body}(_s1_0, %1) : f64[]
      %1 = item(%0) {{index=0}} : f64[]
    """
    return program_cost(parse_program(text), table, {"n": n})


def test_a_loop_costs_its_region_as_often_as_it_runs_and_numbers_start_no_kernels():
    assert loop_cost(2000) - loop_cost(1000) == pytest.approx(1000 * (TABLE.scalar + 1.0))
    assert loop_cost(2000, "power") - loop_cost(1000, "power") == pytest.approx(2000.0)


def test_a_loop_inside_of_another_costs_less_to_start_than_a_kernel():
    inside = """
    f(x: f64[n], s: f64[]) -> %1
      %2 = size() {value=n} : i64[]
      %0 = loop(%2, s, x) {counted=True, states=1} : (f64[])
        update(_i1: size i64[], _s1_0: f64[], _c1_0: f64[n]) -> %2
          %3 = size() {value=3} : i64[]
          %1 = loop(%3, _s1_0) {counted=True, states=1} : (f64[])
            update(_i2: size i64[], _s2_0: f64[]) -> %0
              %0 = multiply(_s2_0, _s2_0) : f64[]
          %2 = item(%1) {index=0} : f64[]
      %1 = item(%0) {index=0} : f64[]
    """
    costs = [program_cost(parse_program(inside), TABLE, {"n": n}) for n in (1000, 2000)]
    each = TABLE.scalar + TABLE.entering + 3 * (TABLE.scalar + 1.0)
    assert costs[1] - costs[0] == pytest.approx(1000 * each) and each < TABLE.inner


def test_where_ops_share_no_loop_what_is_inside_of_a_loop_starts_like_any_other():
    apart = replace(TABLE, fused=False)
    assert loop_cost(2000, table=apart) - loop_cost(1000, table=apart) > 1000 * apart.call
