"""Every rule that ships holds on samples, has a name and a law, and traces; the README names every theme."""

import re
from pathlib import Path

import pytest

import egc.rules
from egc.capture.rules import rewrites
from egc.ir import topological
from egc.rulecheck import check
from egc.rulefiles import law, load, load_file, themes

SHIPPED = load(list(themes()))
README = Path(egc.rules.__file__).with_name("README.md").read_text()
THEMES = README[README.index("## Themes") :]


@pytest.mark.parametrize("rule", SHIPPED, ids=lambda rule: rule.name)
def test_rule_holds_on_samples(rule):
    report = check(rule, samples=100)
    assert report.passed, str(report)


@pytest.mark.slow
@pytest.mark.parametrize("rule", SHIPPED, ids=lambda rule: rule.name)
def test_rule_holds_on_many_samples(rule):
    report = check(rule, samples=400)
    assert report.passed, str(report)


@pytest.mark.parametrize("theme", themes())
def test_rules_of_a_theme_trace(theme):
    assert all(len(rewrites(rule)) >= 1 for rule in load_file(theme).rules if not rule.of_loops)


def rank(sides):
    return max(len(getattr(node.type, "shape", ())) for node in topological(sides))


def test_no_rule_makes_matrices_of_what_has_none():
    """Programs without matrices are searched without the rules of matrices."""
    for rule in (rule for rule in load(list(themes())) if not rule.of_loops):
        for each in rewrites(rule, 2):
            assert rank([each.right]) < 2 or rank([each.left]) >= 2, rule.name
            assert not rule.both_ways or rank([each.left]) < 2 or rank([each.right]) >= 2, rule.name


def test_there_are_enough_rules():
    assert len(load()) >= 150


def test_every_rule_states_its_law():
    assert [rule.name for rule in SHIPPED if not law(rule)] == []


def test_names_are_unique_over_all_themes():
    names = [rule.name for theme in themes() for rule in load_file(theme).rules]
    assert len(names) == len(set(names))


def test_the_readme_lists_exactly_the_themes():
    listed = re.findall(r"^\| `(\w+)` \|", THEMES, flags=re.MULTILINE)
    assert sorted(listed) == sorted(themes())


def test_the_readme_marks_what_is_not_loaded_by_default():
    marked = re.findall(r"^\| `(\w+)` \|.*not loaded by default", THEMES, flags=re.MULTILINE)
    assert sorted(marked) == sorted(set(themes()) - set(egc.rules.DEFAULT))


def test_the_example_of_the_readme_holds():
    source = re.search(r"```python\n(.*?)```", README, flags=re.DOTALL).group(1)
    path = Path(egc.rules.__file__).with_name("README.md")
    namespace: dict = {}
    exec(compile(source, str(path), "exec"), namespace)
    assert check(namespace["log_of_product"]).passed
