"""Budgets, stop reasons, and what happens when the e-graph engine fails."""

import threading

import pytest

from egc.egraph import Budget, optimize_program
from egc.egraph.engine import Engine, engine
from egc.egraph.saturate import saturate
from egc.errors import SaturationError
from tests.egraph import rules as r
from tests.egraph import support as s
from tests.egraph.support import TABLE, n, p, program, var

x, y = var("x", p), var("y", p)
SIZES = {"p": 100}


def sum_of(count):
    total = var("t0", p)
    for i in range(1, count):
        total = s.add(total, var(f"t{i}", p))
    return program(s.exp(total))


def run(given, rewrites, **budget):
    return optimize_program(given, rewrites, TABLE, SIZES, Budget(**budget))


def test_a_finished_saturation_says_so():
    result = run(sum_of(3), [r.ADD_COMMUTES, r.ADD_ASSOCIATES])
    assert result.stop_reason == "saturated"
    assert result.nodes == 3 + 1 + 3 * 2 + 3 * 2


def test_the_node_limit_stops_a_blow_up():
    result = run(sum_of(12), [r.ADD_COMMUTES, r.ADD_ASSOCIATES], nodes=500)
    assert result.stop_reason == "node limit" and result.nodes <= 1000


def test_the_iteration_limit_stops():
    result = run(sum_of(8), [r.ADD_COMMUTES, r.ADD_ASSOCIATES], iterations=2)
    assert (result.stop_reason, result.iterations) == ("iteration limit", 2)


def test_the_time_limit_stops():
    assert run(sum_of(8), [r.ADD_COMMUTES, r.ADD_ASSOCIATES], seconds=0.0).stop_reason == "time limit"


def test_pausing_rules_come_back_until_saturation():
    count = 8
    result = run(sum_of(count), [r.ADD_COMMUTES, r.ADD_ASSOCIATES], nodes=100_000, iterations=60, seconds=60.0)
    splits = (3**count - 2 ** (count + 1) + 1) * 1
    assert result.stop_reason == "saturated" and result.nodes == splits + count + 1


def test_what_a_rule_makes_of_reshaped_values_alone_is_not_reshaped_for_ever():
    A = var("A", "n", "m")
    twice = s.law("negative_twice", s.negative(s.negative(A)), A, generic=False)
    reshaped = s.reshape(var("v", 6), shape=(2, 3))
    result = run(program(s.negative(s.negative(reshaped))), [twice])
    assert result.program.outputs == (reshaped,) and result.nodes < 100


def stencil_applied(times):
    def window(a, start):
        (length,) = a.type.shape
        return s.slice(a, start=(start,), size=(length - 1,), step=(1,))

    value = x
    for _ in range(times):
        value = s.multiply(window(value, 0), window(value, 1))
    return program(value)


@pytest.mark.parametrize("times, nodes", [(4, 60), (12, 40)])
def test_windows_of_a_stencil_that_is_applied_again_and_again_stay_few(times, nodes):
    """A window has one place, whichever way it was reached; where slices are nested deeply, there are those of the Program."""
    result = run(stencil_applied(times), [r.LOG_OF_EXP])
    assert result.stop_reason == "saturated"
    assert result.nodes <= nodes


def test_matches_are_counted_by_rule():
    result = run(program(s.log(s.exp(s.add(x, y)))), [r.ADD_COMMUTES, r.LOG_OF_EXP])
    assert result.fired["log_of_exp"] >= 1 and result.fired["add_commutes"] >= 1
    assert "log_of_product" not in run(program(s.add(x, y)), r.ALL).fired


def test_an_e_graph_is_used_again_and_forgets():
    running = engine([r.LOG_OF_EXP])
    first = s.saturated([r.LOG_OF_EXP], program(s.log(s.exp(x))))
    second = s.saturated([r.LOG_OF_EXP], program(s.exp(x)))
    assert engine([r.LOG_OF_EXP]) is running
    assert sum(map(len, second.enodes)) == 2 < sum(map(len, first.enodes))


def test_an_e_graph_with_too_much_loaded_is_begun_anew(monkeypatch):
    monkeypatch.setattr("egc.egraph.engine.MOST_LOADED", 0)
    running = engine([r.LOG_OF_EXP])
    run(program(s.log(s.exp(x))), [r.LOG_OF_EXP])
    assert running.egraph is None
    assert run(program(s.log(s.exp(x))), [r.LOG_OF_EXP]).program.outputs == (x,)


def test_a_panic_of_the_engine_is_a_typed_error_and_the_next_program_works():
    running = Engine([r.LOG_OF_EXP])
    running.load()
    with pytest.raises(SaturationError, match="engine failed"):
        running.run("(run no-such-ruleset 1)")
    state = saturate(running, program(s.log(s.exp(x))), Budget())
    assert state.stop_reason == "saturated"
    running.release()


def test_a_refused_command_is_a_typed_error():
    running = Engine([])
    running.load()
    with pytest.raises(SaturationError, match="refused"):
        running.run("(union 1)")


def test_an_interrupted_run_does_not_leave_its_program_behind(monkeypatch):
    running = Engine([r.LOG_OF_EXP])

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("egc.egraph.saturate._Search._iterate", interrupted)
        with pytest.raises(KeyboardInterrupt):
            saturate(running, program(s.log(s.exp(x))), Budget())
    state = saturate(running, program(s.exp(y)), Budget())
    assert state.nodes == 2
    running.release()


def test_threads_have_engines_of_their_own():
    found = []
    thread = threading.Thread(target=lambda: found.append(run(program(s.log(s.exp(x))), [r.LOG_OF_EXP])))
    thread.start()
    thread.join()
    assert found[0].program.outputs == (x,)
    assert run(program(s.log(s.exp(y))), [r.LOG_OF_EXP]).program.outputs == (y,)


def test_names_with_quotes_are_encoded():
    odd = var("""a"b\\c['d']""", p)
    assert run(program(s.log(s.exp(odd))), [r.LOG_OF_EXP]).program.outputs == (odd,)


def test_arrays_of_high_rank_and_many_operands_are_encoded():
    high = var("high", *[2] * 10)
    assert run(program(s.log(s.exp(high))), [r.LOG_OF_EXP]).program.outputs == (high,)
    joined = s.concatenate(*(s.log(s.exp(var(f"part{i}", n))) for i in range(7)), axis=0)
    result = optimize_program(program(joined), [r.LOG_OF_EXP], TABLE, {"n": 10})
    assert result.program.outputs == (s.concatenate(*(var(f"part{i}", n) for i in range(7)), axis=0),)
