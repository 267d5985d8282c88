"""Rule files load by theme, module or path; broken ones are refused with file and line, and leave nothing behind."""

import sys
import types

import numpy as np
import pytest

import egc.rules.linalg as linalg_module
from egc import rule
from egc.errors import RuleError
from egc.rulefiles import default_themes, law, load, load_file, source, themes

HEAD = '"""My rules."""\nimport numpy as np\nfrom egc import Axes, equation, require, rule\n\n'
GOOD = "@rule\ndef second_rule(x):\n    return np.log(np.exp(x)), x\n\n@rule\ndef a_rule(x):\n    return x + x, 2 * x\n"


@pytest.fixture
def write(tmp_path):
    def write_file(body, name="my_rules.py"):
        path = tmp_path / name
        path.write_text(HEAD + body)
        return path

    return write_file


def names(rules):
    return [rule.name for rule in rules]


def test_a_theme_loads_by_name_module_and_dotted_name():
    assert names(load("linalg")) == names(load(linalg_module)) == names(load("egc.rules.linalg"))


def test_a_path_loads_in_order_of_definition(write):
    assert names(load(str(write(GOOD)))) == names(load(write(GOOD))) == ["second_rule", "a_rule"]


def test_a_list_loads_in_order(write):
    @rule
    def own(x):
        return x + x, 2 * x

    assert names(load([own, write(GOOD), ["trigonometry"]]))[:3] == ["own", "second_rule", "a_rule"]


def test_none_is_the_default():
    assert load() == load(list(default_themes()))
    assert set(default_themes()) < set(themes())


def test_loading_twice_gives_the_same_rules(write):
    path = write(GOOD)
    assert load([path, path]) == load(path)
    assert load(path)[0] is load(path)[0]


def test_a_changed_file_is_read_again(write):
    first = load(write(GOOD))
    assert names(load(write(GOOD.replace("a_rule", "new_rule")))) == ["second_rule", "new_rule"]
    assert names(first) == ["second_rule", "a_rule"]


def test_a_file_knows_its_name_and_docstring(write):
    file = load_file(write(GOOD))
    assert (file.name, file.doc) == ("my_rules", "My rules.")


@pytest.mark.parametrize(
    "body, line, words",
    [
        ("@rule\ndef broken(x):\n    return (x,\n", 7, "syntax error"),
        ("import no_such_module_anywhere\n", 5, "no_such_module_anywhere"),
        ("x = 1\n", 1, "at least one rule"),
        ("@rule\ndef odd(x: int):\n    return x + x, 2 * x\n", 5, "annotation"),
        ("anonymous = rule(lambda x: (x + x, 2 * x))\n", 5, "name"),
        ("@rule(precision='sloppy')\ndef odd(x):\n    return x + x, 2 * x\n", 5, "precision"),
        ("@rule(dtypes='string')\ndef odd(x):\n    return x + x, 2 * x\n", 5, "dtypes"),
        ("@rule(precision='approx')\ndef odd(x):\n    return x + x, 2 * x\n", 5, "error_bound"),
        (GOOD + GOOD, 12, "another rule named second_rule"),
        ("1 / 0\n", 5, "ZeroDivisionError"),
        ("raise SystemExit\n", 5, "SystemExit"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(write, body, line, words):
    path = write(body)
    before = set(sys.modules)
    with pytest.raises(RuleError, match=words) as caught:
        load(path)
    assert (caught.value.line.file, caught.value.line.number) == (str(path), line)
    assert set(sys.modules) == before


def test_nothing_of_a_list_is_loaded_when_one_file_is_broken(write):
    good, broken = write(GOOD, "good.py"), write("1 / 0\n", "broken.py")
    with pytest.raises(RuleError):
        load([good, broken])


def test_two_rules_of_one_name_are_refused(write):
    first, second = write(GOOD, "first.py"), write(GOOD, "second.py")
    with pytest.raises(RuleError, match=r"second.py:5: there is another rule named second_rule at .*first.py:5"):
        load([first, second])


@pytest.mark.parametrize("spec", ["no_such_theme", "no/such/file.py", "no_such.module", "json"])
def test_an_unknown_name_is_refused(spec):
    with pytest.raises(RuleError):
        load(spec)


def test_something_else_is_refused():
    with pytest.raises(RuleError, match="theme, module or path"):
        load([3])


def test_a_module_without_rules_is_refused():
    with pytest.raises(RuleError, match="at least one rule"):
        load(types.ModuleType("empty"))


def test_imported_rules_are_not_a_files_own(write):
    path = write("from egc.rules.linalg import dot_commutes\n" + GOOD)
    assert names(load(path)) == ["second_rule", "a_rule"]


def test_law_and_source_are_the_files_text(write):
    path = write("# log and exp undo each other\n@rule\ndef undo(x):\n    return np.log(np.exp(x)), x\n\ny = np.pi\n")
    (undo,) = load(path)
    assert law(undo) == "log and exp undo each other"
    assert source(undo) == "@rule\ndef undo(x):\n    return np.log(np.exp(x)), x\n"


def test_a_rule_runs_on_arrays():
    left, right = load("exponentials")[0](np.array([0.5, -2.0]))
    np.testing.assert_allclose(left, right)
