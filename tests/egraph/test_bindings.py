"""The e-graph engine is loaded without the Python packages that egglog's own interface needs."""

import subprocess
import sys

import pytest

USE = "import egc.egraph.bindings as ours; e = ours.EGraph(); e.run_program(*e.parse_program('(sort A)'))"


def run(script: str) -> str:
    return subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.strip()


def test_egglogs_interface_is_not_loaded():
    assert run(f"{USE}; import sys; print('egglog' in sys.modules, 'black' in sys.modules)") == "False False"


@pytest.mark.parametrize("script", [f"{USE}; import egglog", f"import egglog; {USE}"])
def test_egglogs_interface_works_before_and_after_and_has_the_same_engine(script):
    check = "import egglog.bindings as theirs; print(egglog.EGraph().run(1).updated, theirs.EGraph is ours.EGraph)"
    assert run(f"{script}; {check}") == "False True"
