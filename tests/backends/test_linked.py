"""Loops work on several vectors at a time where they are long: those that stand alone."""

import numpy as np
import pytest

import egc
from egc.backends.numba import linked, machine

ALONE = """define void @f() {
entry:
  br label %"B0"
B0:
  br label %"B10"
B10:
  br i1 true, label %"B12", label %"B30"
B12:
  br label %"B12.endif"
B12.endif:
  br label %"B10"
B30:
  br label %"B40"
B40:
  br i1 true, label %"B42", label %"B60"
B42:
  br i1 true, label %"B44", label %"B50"
B44:
  br label %"B42"
B50:
  br label %"B40"
B60:
  ret void
}
"""


def test_only_a_jump_back_of_a_loop_that_stands_alone_is_marked():
    marked = [line for line in linked.interleaved(ALONE).splitlines() if "!llvm.loop " in line]
    assert [line.split(",")[0].strip() for line in marked] == ['br label %"B10"']


def test_a_loop_that_says_so_is_marked_within_others():
    text = ALONE.replace("B44:\n", f"B44:\n  {linked.MARK}\n")
    marked = [line for line in linked.interleaved(text).splitlines() if "!llvm.loop " in line]
    assert [line.split(",")[0].strip() for line in marked] == ['br label %"B10"', 'br label %"B42"']


def test_a_long_loop_is_not_marked():
    assert "!llvm.loop" not in linked.interleaved(
        ALONE.replace("B12:\n", "B12:\n" + "  ; nothing\n" * linked.MOST_LINES)
    )


def test_code_without_loops_stays_as_it_is():
    text = "define void @f() {\nB0:\n  ret void\n}\n"
    assert linked.interleaved(text) == text


@pytest.mark.parametrize("length", [2, 7, 31, 32, 33, 100])
def test_marked_code_compiles_and_gives_what_the_function_gives(length, monkeypatch):
    seen = []
    mark = linked.interleaved
    monkeypatch.setattr(linked, "interleaved", lambda text: seen.append(mark(text)) or seen[-1])
    machine.machine_code.cache_clear()
    x = np.linspace(-3, 3, length)
    np.testing.assert_allclose(egc.optimize(lambda x: np.exp(x) * x)(x), np.exp(x) * x, rtol=1e-15)
    assert all("!llvm.loop" in text for text in seen)
