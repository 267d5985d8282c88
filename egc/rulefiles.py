"""Finds and loads rule files: modules whose top level defines rules.

A rule file is named by theme (`"linalg"`, a file of `egc.rules`), by dotted module name, by path (`"my_rules.py"`), or given
as a module. Nothing of a file is kept unless all of it is sound.
"""

from __future__ import annotations

import importlib.util
import inspect
import linecache
import sys
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from egc.errors import Line, RuleError
from egc.rewrite import Rule

PACKAGE = "egc.rules"
SHIPPED: Any = importlib.import_module(PACKAGE)


@dataclass(frozen=True)
class RuleFile:
    """A rule file: `name` is its theme or module name, `doc` its docstring, `rules` stand in order of definition."""

    name: str
    path: str
    doc: str
    rules: tuple[Rule, ...]


def themes() -> tuple[str, ...]:
    """The names of the rule files that ship with egc, the default ones first.

    >>> "linalg" in themes()
    True
    """
    found = sorted(path.stem for path in _folder().glob("*.py") if not path.stem.startswith("_"))
    chosen = default_themes()
    return (*chosen, *(name for name in found if name not in chosen))


def default_themes() -> tuple[str, ...]:
    """The themes that are used unless others are asked for."""
    return tuple(SHIPPED.DEFAULT)


def load(spec: Any = None) -> tuple[Rule, ...]:
    """The rules that `spec` names, in order: a theme, a module, a path, a Rule, or a list of these; None is the default.

    Raises RuleError, with file and line, for a file that does not import or holds no rules, and for two rules of one name.

    >>> [rule.name for rule in load("trigonometry")][:1]
    ['pythagorean_identity']
    """
    rules: dict[str, Rule] = {}
    for rule in (rule for part in parts(spec) for rule in _rules(part)):
        other = rules.setdefault(rule.name, rule)
        if other is not rule and (other.file, other.line) != (rule.file, rule.line):
            raise RuleError(f"there is another rule named {rule.name} at {other.place}", rule.place)
    return tuple(rules.values())


def parts(spec: Any = None) -> Iterator[str | Path | ModuleType | Rule]:
    """The files and rules that `spec` names, one by one. Raises RuleError for what names none."""
    if spec is None:
        yield from default_themes()
    elif isinstance(spec, (Rule, str, Path, ModuleType)):
        yield spec
    elif isinstance(spec, Iterable):
        for part in spec:
            if part is None:
                raise RuleError("rules are named by theme, module or path, not by None")
            yield from parts(part)
    else:
        raise RuleError(f"rules are named by theme, module or path, not by {spec!r}")


def ships(part: Any) -> bool:
    """Whether it names a rule file of egc's own, as it is on disk."""
    return (
        isinstance(part, str)
        and part.isidentifier()
        and f"{PACKAGE}.{part}" not in sys.modules
        and (_folder() / f"{part}.py").is_file()
    )


def _rules(part: str | Path | ModuleType | Rule) -> tuple[Rule, ...]:
    return (part,) if isinstance(part, Rule) else load_file(part).rules


def load_file(spec: str | Path | ModuleType) -> RuleFile:
    """One rule file, by theme, module name, path, or as a module. Raises RuleError."""
    if isinstance(spec, ModuleType):
        return _file(
            spec.__name__.removeprefix(f"{PACKAGE}."), vars(spec), getattr(spec, "__file__", None) or spec.__name__
        )
    text = str(spec)
    if isinstance(spec, Path) or text.endswith(".py") or "/" in text:
        path = Path(text)
        if not path.is_file():
            raise RuleError(f"there is no rule file {text}")
        return _execute(path, path.stem)
    name = text if "." in text or not (_folder() / f"{text}.py").is_file() else f"{PACKAGE}.{text}"
    if name in sys.modules:
        return load_file(sys.modules[name])
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        found = None
    if found is None or found.origin is None or not found.origin.endswith(".py"):
        raise RuleError(f"there is no rule file {text!r}; themes are {', '.join(themes())}")
    return _execute(Path(found.origin), name)


def _folder() -> Path:
    return Path(SHIPPED.__path__[0])


def _execute(path: Path, name: str) -> RuleFile:
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RuleError(f"cannot read the rule file: {error}", Line(str(path), 1)) from error
    return _execute_source(str(path), name, source)


@lru_cache(maxsize=256)
def _execute_source(path: str, name: str, source: str) -> RuleFile:
    """Runs a rule file in a namespace of its own, which `sys.modules` does not see."""
    linecache.checkcache(path)
    namespace = {"__name__": name, "__file__": path}
    try:
        code = _code(path, name, source)
        _refuse_duplicates(code, path)
        exec(code, namespace)
    except RuleError:
        raise
    except SyntaxError as error:
        raise RuleError(f"syntax error: {error.msg}", Line(path, error.lineno or 1)) from error
    except (Exception, SystemExit) as error:
        raise RuleError(f"{type(error).__name__}: {error}", _line_of(error, path)) from error
    return _file(name.removeprefix(f"{PACKAGE}."), namespace, path)


def _code(path: str, name: str, source: str) -> CodeType:
    """A file of egc's own is compiled once, as modules are."""
    if name.startswith(f"{PACKAGE}."):
        found = SourceFileLoader(name, path).get_code(name)
        if found is not None:
            return found
    return compile(source, path, "exec")


def _line_of(error: BaseException, path: str) -> Line:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return Line(path, (frames[-1].lineno or 1) if frames else 1)


def _refuse_duplicates(code: CodeType, path: str) -> None:
    """A second function of one name would silently replace the first."""
    seen: dict[str, int] = {}
    for constant in code.co_consts:
        if isinstance(constant, CodeType) and not constant.co_name.startswith(("<", "_")):
            first = seen.setdefault(constant.co_name, constant.co_firstlineno)
            if first != constant.co_firstlineno:
                place = Line(path, constant.co_firstlineno)
                raise RuleError(f"there is another rule named {constant.co_name} at {path}:{first}", place)


def _file(name: str, namespace: dict[str, Any], path: str) -> RuleFile:
    own = {
        rule.line: rule
        for rule in namespace.values()
        if isinstance(rule, Rule) and rule.function.__globals__ is namespace
    }
    if not own:
        raise RuleError("a rule file defines at least one rule, with @rule or @equation", Line(path, 1))
    return RuleFile(name, path, namespace.get("__doc__") or "", tuple(own[line] for line in sorted(own)))


def law(rule: Rule) -> str:
    """The docstring of a rule, or the comment over it; empty where there is none."""
    if rule.function.__doc__:
        return rule.function.__doc__.strip()
    lines = linecache.getlines(rule.file)
    above = lines[rule.line - 2].strip() if 2 <= rule.line <= len(lines) else ""
    return above.lstrip("# ") if above.startswith("#") else ""


def source(rule: Rule) -> str:
    """The lines of a rule file that define a rule, its decorator included."""
    lines = linecache.getlines(rule.file)[rule.line - 1 :]
    return "".join(inspect.getblock(lines)) if lines else ""


def two_sides(rule: Rule, result: Any) -> tuple[Any, Any]:
    """What a rule's function returned, as its two sides. Raises RuleError for anything but a pair."""
    if not isinstance(result, tuple) or len(result) != 2:
        count = f"{len(result)} expressions" if isinstance(result, tuple) else type(result).__name__
        raise RuleError(f"rule {rule.name} returns two expressions, (left, right), not {count}", rule.place)
    return result


def refuse(rule: Rule, message: str) -> RuleError:
    """The error for a rule that tracing or sampling found unsound."""
    return RuleError(f"rule {rule.name}: {message}", rule.place)
