"""The same function gives the same program in every process, whatever Python's hash seed.

The search's clock, which stops it on a machine that is far too slow, is put
off here: the machine may be busy.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SCRIPT = """
import json
import numpy as np
import egc
from egc.egraph.saturate import Budget
from tests.laws.programs import generate

nodes, seconds, iterations, piece = Budget.__init__.__defaults__
Budget.__init__.__defaults__ = nodes, 600.0, iterations, piece

def posterior(b, X, y):
    p = 1 / (1 + np.exp(-X @ b))
    return np.sum(y * np.log(p) + (1 - y) * np.log(1 - p)) - 0.5 * np.sum(b**2)

def residual(X, U, V):
    return np.sum((X - U @ V.T) ** 2)

X = np.linspace(-1, 1, 60).reshape(20, 3)
calls = [(posterior, (np.ones(3), X, np.ones(20))), (residual, (X @ X.T, X, X))]
calls += [(p.function(), p.values()) for p in map(generate, (7, 21, 40))]
found = [egc.optimize(f).explain(*given).as_dict() for f, given in calls]
for explanation in found:
    del explanation["seconds"]
print(json.dumps(found, default=str))
"""


def explanations(seed: str) -> list[dict]:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "EGC_RAISE": "1"}
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return json.loads(run.stdout)


@pytest.mark.slow
def test_explanations_do_not_depend_on_the_hash_seed():
    first, second = explanations("1"), explanations("2")
    for one, other in zip(first, second):
        assert one == other
    assert any(explanation["steps"] for explanation in first)
