"""The backend written in backends/README.md works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import egc.backends
from egc import ir
from egc.errors import BackendError
from egc.types import parse_type

README = Path(egc.backends.__file__).with_name("README.md")


def test_the_readme_backend_runs_and_names_what_it_lacks():
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert len(blocks) == 2
    namespace: dict = {}
    for block in blocks:
        exec(block, namespace)
    x = ir.input("x", parse_type("f64"))
    with pytest.raises(BackendError, match="has no log: no template"):
        namespace["BACKEND"].compile(ir.Program((x,), (ir.make("log", x),)))
