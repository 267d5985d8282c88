"""The README's commands are the project's commands."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import egc
from egc import rulecheck, rulefiles

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
INSTALL = "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/egc demo"
TEST = "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/python -m pytest"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_readme_has_exactly_two_set_up_commands():
    lines = [line for block in blocks("sh") for line in block.splitlines() if "venv" in line]
    assert lines == [INSTALL, TEST]


def test_continuous_integration_runs_the_readmes_test_command():
    pattern = re.search(r"grep -m 1 -E '(.*?)' README.md", (ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    assert pattern and [line for line in README.splitlines() if re.search(pattern[1], line)][:1] == [TEST]


def test_the_readmes_example_runs(capsys):
    example = next(block for block in blocks("python") if "egc.optimize" in block)
    scope: dict[str, Any] = {}
    exec(compile(example, "README.md", "exec"), scope)
    assert capsys.readouterr().out.startswith("1000.693")


def test_the_readmes_examples_of_compiled_callers_hold():
    (example,) = [block for block in blocks("python") if "LowLevelCallable" in block]
    exec(compile(example, "README.md", "exec"), {})


def test_the_readmes_rule_holds(tmp_path):
    example = next(block for block in blocks("python") if "@rule" in block)
    path = tmp_path / "my_rules.py"
    path.write_text(example, encoding="utf-8")
    (rule,) = rulefiles.load(path)
    report = rulecheck.check(rule)
    assert report.passed, str(report)


def test_versions_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == egc.__version__
    assert f"## {egc.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_package_is_installed():
    """The list of packages that `pip install` takes names each folder that has an `__init__.py`."""
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    found = set()
    for folder, package in (("egc", "egc"), ("rules", "egc.rules"), ("backends", "egc.backends")):
        for path in (ROOT / folder).rglob("__init__.py"):
            found.add(".".join((package, *path.parent.relative_to(ROOT / folder).parts)))
    assert found == listed
