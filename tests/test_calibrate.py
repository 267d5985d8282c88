"""Laws of calibration: prices are those that predict the times; a table's file is read as written or refused."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from egc import backend as backends
from egc import costfiles
from egc.calibration import calibrate, programs
from egc.calibration.clock import cache_sizes
from egc.calibration.fit import Fit
from egc.costs import CostModel
from egc.costtable import CostTable, price_class, read_table, write_table
from egc.errors import BackendError
from egc.ops import MASKED, OPS

CACHES = (32 << 10, 1 << 20)
TRUE = CostTable(
    call=300.0,
    byte=0.08,
    default=2.0,
    elementwise={
        "negative": 0.0,
        "add": 0.02,
        "multiply": 0.02,
        "exp": 0.7,
        "subtract": 0.03,
        "exp f32": 0.3,
        "cumsum": 1.5,
    },
    flop=0.03,
    linalg={"inv": 0.2},
    run=900.0,
    levels=((32 << 10, 0.01), (1 << 20, 0.02)),
    calls={"matmul": 800.0, "inv": 5000.0},
    work={"matmul": ((64.0, 40.0), (134217728.0, 4e6)), "inv": ((512.0, 600.0), (16777216.0, 3e6))},
)
OPS_TIMED = {"add", "multiply", "exp", "subtract", "cumsum", "matmul", "inv"}


def model_clock(table):
    """A machine on which everything takes exactly what a table says."""
    return lambda sample, n: CostModel(table, {"n": n}).program(sample.program)


@pytest.fixture(scope="module")
def fitted():
    return Fit(model_clock(TRUE), CACHES, True, OPS_TIMED).fitted()


def test_a_backend_that_starts_slowly_is_timed_at_larger_sizes():
    def rounded(sample, n):
        return float(round(model_clock(replace(TRUE, run=50_000.0))(sample, n), -2))

    found = Fit(rounded, CACHES, True, {"exp", "add"}).fitted()
    assert found.elementwise["exp"] == pytest.approx(0.7, rel=0.1)
    assert found.byte == pytest.approx(0.08, rel=0.1)


def test_memory_is_priced_by_cache(fitted):
    assert [capacity for capacity, _ in fitted.levels] == list(CACHES)
    assert [rate for _, rate in fitted.levels] == pytest.approx([0.01, 0.02], rel=0.1)
    assert fitted.byte == pytest.approx(0.08, rel=0.05)


def test_arithmetic_is_priced_beyond_memory(fitted):
    for name, price in {
        "exp": 0.7,
        "exp f32": 0.3,
        "add": 0.02,
        "subtract": 0.03,
        "cumsum": 1.5,
    }.items():
        assert fitted.elementwise[name] == pytest.approx(price, rel=0.1), name


def test_starts_are_apart_from_work(fitted):
    assert fitted.call == pytest.approx(TRUE.call, rel=0.1)
    assert fitted.run == pytest.approx(TRUE.run, rel=0.1)
    for op, start in TRUE.calls.items():
        assert fitted.calls[op] == pytest.approx(start, rel=0.05), op


def test_a_rate_that_depends_on_size_is_kept_by_size(fitted):
    for n in (10, 100, 500, 2000):
        for op in ("matmul", "inv"):
            found, true = (table.working(op, float(n**3), np.dtype(float)) for table in (fitted, TRUE))
            assert found == pytest.approx(true, rel=0.25), (op, n)


@pytest.mark.parametrize(("name", "priced"), [("reference", {"exp", "exp f32"}), ("numba", {"cumsum"})])
def test_a_backend_is_measured(name, priced):
    backend = backends.load(name)
    table = calibrate(backend, {key.partition(" ")[0] for key in priced})
    for price in ("scalar", "inner", "entering"):
        assert getattr(table, price) == getattr(backend.costs, price)
    assert table.fused == (name != "reference")
    assert table.call > 0 and table.byte > 0
    assert priced <= set(table.elementwise)


def test_an_op_that_a_backend_lacks_has_no_price():
    def lacks_exp(sample, n):
        return None if any(node.op == "exp" for node in sample.program.nodes()) else 1000.0 + n

    table = Fit(lacks_exp, CACHES, True, {"exp", "tanh"}).fitted()
    assert "tanh" in table.elementwise and "exp" not in table.elementwise


def test_more_costs_no_less():
    table = replace(TRUE, levels=((1000, 0.01), (5000, 0.02)))
    moved = [table.moving(amount) for amount in range(0, 10_000, 500)]
    worked = [table.working("matmul", 10.0**k, np.dtype(float)) for k in range(12)]
    assert moved == sorted(moved) and worked == sorted(worked) and moved[0] == 0


def test_dtypes_without_prices_take_those_of_float64():
    assert TRUE.element("exp", np.dtype(np.float32)) == 0.3
    assert TRUE.element("exp", np.dtype(np.complex128)) == TRUE.element("exp", np.dtype(float)) == 0.7
    assert [price_class(np.dtype(d)) for d in ("i4", "u8", "?", "c16", "f4")] == ["i64", "i64", "bool", "c128", "f32"]


def test_every_elementwise_op_has_operands_to_be_timed_with():
    for op, row in OPS.items():
        if row.kind == "elementwise" and op != "assume" and op not in MASKED:
            samples = [s for s in (programs.elementwise(op, mark) for mark in programs.CLASSES) if s is not None]
            assert samples, op
            for sample in samples:
                assert all(
                    array.dtype == node.type.dtype for array, node in zip(sample.arguments(3), sample.program.inputs)
                )


def test_caches_grow():
    sizes = cache_sizes()
    assert sizes == tuple(sorted(set(sizes))) and sizes[0] > 1000


def test_a_file_is_read_as_it_was_written(tmp_path):
    write_table(tmp_path / "deep" / "t.json", TRUE, {"processor": "any"})
    assert read_table(tmp_path / "deep" / "t.json") == TRUE
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["t.json"]


BROKEN = {
    "not JSON": lambda given: "{",
    "no object": lambda given: [given],
    "another format": lambda given: {**given, "format": 99},
    "an unknown entry": lambda given: {**given, "table": {**given["table"], "more": 1}},
    "a missing entry": lambda given: {**given, "table": {"call": 1.0}},
    "a negative price": lambda given: {**given, "table": {**given["table"], "byte": -1.0}},
    "a price that is text": lambda given: {**given, "table": {**given["table"], "elementwise": {"exp": "1"}}},
    "infinity": lambda given: {**given, "table": {**given["table"], "run": float("inf")}},
    "points out of order": lambda given: {**given, "table": {**given["table"], "levels": [[2, 1], [1, 1]]}},
    "no bool": lambda given: {**given, "table": {**given["table"], "fused": 1}},
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_refused_by_name(change, tmp_path):
    path = tmp_path / "t.json"
    write_table(path, TRUE, {})
    changed = change(json.loads(path.read_text()))
    path.write_text(changed if isinstance(changed, str) else json.dumps(changed))
    with pytest.raises(BackendError, match="t.json"):
        read_table(path)


def test_the_measured_table_is_the_one_in_use(tmp_path, monkeypatch):
    backend = backends.load("reference")
    monkeypatch.setenv("EGC_COSTS", str(tmp_path))
    assert costfiles.table_in_use(backend) == costfiles.TableInUse(backend.costs, costfiles.SHIPPED)
    write_table(tmp_path / "reference.json", TRUE, {})
    assert costfiles.table_in_use(backend) == costfiles.TableInUse(TRUE, str(tmp_path / "reference.json"))


def test_shipped_tables_price_every_elementwise_op():
    for name in ("reference", "numba"):
        table = backends.load(name).costs
        assert asdict(table)
        assert all(
            op in table.elementwise
            for op, row in OPS.items()
            if row.kind == "elementwise" and op != "assume" and op not in MASKED
        ), name
