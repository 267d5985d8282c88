"""The `egc` command: explain, run, rules, backends, cache, coverage, demo. It prints; the work is done elsewhere."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import sys
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.markup import escape
from rich.syntax import Syntax
from rich.table import Column, Table

import egc
from egc import backend as backends
from egc import cache, rulecheck, rulefiles
from egc.calibration import calibrate_file
from egc.capture.coverage import coverage as covered
from egc.capture.coverage import uncovered
from egc.costfiles import table_in_use, table_path
from egc.demo import demonstrate
from egc.errors import EgcError
from egc.explanation import Explanation
from egc.options import Options, backend_name
from egc.spec import spec
from egc.types import DTYPES

app = typer.Typer(no_args_is_help=True, add_completion=False, help=egc.__doc__.splitlines()[0] if egc.__doc__ else "")
rules_app = typer.Typer(no_args_is_help=True, help="List, show and check rules.")
app.add_typer(rules_app, name="rules")
backends_app = typer.Typer(invoke_without_command=True, help="List the backends; measure their costs.")
app.add_typer(backends_app, name="backends")
cache_app = typer.Typer(no_args_is_help=True, help="What is kept on disk for later processes.")
app.add_typer(cache_app, name="cache")

console = Console(highlight=False, soft_wrap=True)


class Format(StrEnum):
    text = "text"
    json = "json"


Target = Annotated[str, typer.Argument(help="MODULE:FUNCTION or FILE.py:FUNCTION")]
Arguments = Annotated[list[str] | None, typer.Option("--arg", help='an argument, as "x=f64[1000,50]" or "k=3"')]
Call = Annotated[str | None, typer.Option("--call", help='a call, as "f(np.ones(3), 2)"')]
BackendName = Annotated[str | None, typer.Option("--backend", help="numba, jax, reference, ...")]
RuleNames = Annotated[list[str] | None, typer.Option("--rules", help="rule libraries or files, one each; default: all")]
Precision = Annotated[str, typer.Option("--precision", help="exact, real, finite or approx")]


def load_module(place: str) -> Any:
    """A module by file or dotted name; the working folder is on the path."""
    if place.endswith(".py"):
        path = Path(place)
        found = importlib.util.spec_from_file_location(path.stem, path)
        if found is None or found.loader is None or not path.exists():
            raise typer.BadParameter(f"no file {place}")
        module = importlib.util.module_from_spec(found)
        sys.modules[path.stem] = module
        found.loader.exec_module(module)
        return module
    sys.path.insert(0, "")
    try:
        return importlib.import_module(place)
    except ModuleNotFoundError as error:
        raise typer.BadParameter(f"no module {place}: {error}") from error


def load_function(target: str) -> tuple[Any, Callable[..., Any]]:
    place, separator, name = target.rpartition(":")
    if not separator:
        raise typer.BadParameter("write MODULE:FUNCTION or FILE.py:FUNCTION")
    module = load_module(place)
    function: Any = module
    for part in name.split("."):
        function = getattr(function, part, None)
    if not callable(function):
        raise typer.BadParameter(f"{place} has no function {name}")
    return module, function


def parse_argument(text: str) -> tuple[str, Any]:
    """`x=f64[1000,50]` names a Spec; any other right side is a Python literal."""
    name, separator, value = text.partition("=")
    if not separator or not name.strip().isidentifier():
        raise typer.BadParameter(f"--arg {text!r}: write NAME=f64[1000,50] or NAME=3")
    head = value.partition("[")[0].split()
    if head and head[-1] in DTYPES:
        return name.strip(), spec(value.strip())
    try:
        return name.strip(), ast.literal_eval(value.strip())
    except (ValueError, SyntaxError) as error:
        raise typer.BadParameter(f"--arg {text!r}: not a type and not a Python literal") from error


def recorded_call(module: Any, name: str, expression: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call written as text, evaluated among the names of the function's module."""
    seen: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    names = {"np": np, **vars(module), name: lambda *args, **kwargs: seen.append((args, kwargs))}
    try:
        eval(compile(expression, "--call", "eval"), names)
    except Exception as error:
        raise typer.BadParameter(f"--call {expression!r}: {type(error).__name__}: {error}") from error
    if len(seen) != 1:
        raise typer.BadParameter(f"--call must call {name} once")
    return seen[0]


def given_arguments(
    module: Any, target: str, function: Callable[..., Any], arguments: list[str] | None, call: str | None
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if call is not None:
        positional, named = recorded_call(module, target.rpartition(":")[2], call)
    else:
        positional, named = (), dict(map(parse_argument, arguments or ()))
    try:
        inspect.signature(function).bind(*positional, **named)
    except TypeError as error:
        raise typer.BadParameter(f"{target}{inspect.signature(function)}: {error}") from error
    return positional, named


def optimized_target(target: str, backend: str | None, rules: list[str] | None, precision: str) -> tuple[Any, Any]:
    module, function = load_function(target)
    plain = getattr(function, "__egc_plain__", function)
    return module, egc.optimize(plain, backend=backend, rules=rules, precision=precision)


@app.command()
def explain(
    target: Target,
    arg: Arguments = None,
    call: Call = None,
    backend: BackendName = None,
    rules: RuleNames = None,
    precision: Precision = "real",
    format: Annotated[Format, typer.Option("--format")] = Format.text,
    code: Annotated[bool, typer.Option("--code", help="show the generated code too")] = False,
) -> None:
    """Show what is rewritten in a function, and why."""
    module, optimized = optimized_target(target, backend, rules, precision)
    positional, named = given_arguments(module, target, optimized, arg, call)
    print_explanation(optimized.explain(*positional, **named), format, code)


def print_explanation(explanation: Explanation, format: Format, code: bool) -> None:
    if format is Format.json:
        typer.echo(explanation.json())
    else:
        console.print(escape(explanation.text(code=code)))


@app.command()
def run(
    target: Target,
    call: Annotated[str, typer.Option("--call", help='the call, as "f(np.ones(3), 2)"')],
    backend: BackendName = None,
    rules: RuleNames = None,
    precision: Precision = "real",
) -> None:
    """Run a function optimized, and print its result and the times of the first and of later calls."""
    module, optimized = optimized_target(target, backend, rules, precision)
    positional, named = given_arguments(module, target, optimized, None, call)
    seconds = []
    for _ in range(4):
        start = time.perf_counter()
        result = optimized(*positional, **named)
        seconds.append(time.perf_counter() - start)
    console.print(escape(repr(result)))
    console.print(f"first call {seconds[0]:.3g} s, later calls {min(seconds[1:]):.3g} s")
    for reason in optimized.statistics.reasons:
        console.print(escape(f"runs as written: {reason}"))


@rules_app.command("list")
def list_rules(
    files: Annotated[list[str] | None, typer.Argument(help="libraries or files; default: all")] = None,
) -> None:
    """List rules: name, precision, law."""
    table = Table(Column("rule", no_wrap=True), "precision", "law", "file")
    for rule in rulefiles.load(files):
        table.add_row(rule.name, rule.precision, escape(rulefiles.law(rule).partition("\n")[0]), Path(rule.file).name)
    console.print(table)


@rules_app.command("show")
def show_rule(
    name: str, files: Annotated[list[str] | None, typer.Option("--file", help="library or file")] = None
) -> None:
    """Show a rule: its source, where it stands, its precision."""
    for rule in rulefiles.load(files):
        if rule.name == name:
            console.print(escape(f"{rule.name} ({rule.precision}, {rule.dtypes}) at {rule.file}:{rule.line}"))
            console.print(Syntax(rulefiles.source(rule), "python", background_color="default"))
            return
    console.print(escape(f"no rule named {name}"))
    raise typer.Exit(1)


@rules_app.command("check")
def check_rules(
    files: Annotated[list[str] | None, typer.Argument(help="libraries or files; default: all")] = None,
    samples: Annotated[int, typer.Option(help="samples of each rule")] = 200,
    seed: Annotated[int, typer.Option(help="seed of the samples")] = 0,
) -> None:
    """Sample both sides of each rule; print the counterexample of each wrong one. Exit status 1 if there is one."""
    from egc.egraph import check_rewrite
    from egc.pipeline import traced_rule

    wrong = 0
    rules = rulefiles.load(files)
    for rule in rules:
        for rewrite in traced_rule(rule):
            check_rewrite(rewrite)
        report = rulecheck.check(rule, samples=samples, seed=seed)
        if not report.passed:
            wrong += 1
            console.print(escape(str(report)))
    console.print(f"{len(rules) - wrong} rules hold on at least {samples} samples each, {wrong} do not")
    if wrong:
        raise typer.Exit(1)


@backends_app.callback()
def list_backends(context: typer.Context) -> None:
    """List the backends, whether they can be used here, and where their cost tables come from."""
    if context.invoked_subcommand is not None:
        return
    table = Table("backend", "state", "description", "costs")
    for name in backends.available():
        try:
            found = backends.load(name)
            table.add_row(name, "ready", escape(found.description), escape(table_in_use(found).origin))
        except EgcError as error:
            table.add_row(name, "not usable", escape(str(error)), "")
    console.print(table)


@backends_app.command("calibrate")
def calibrate_backend(
    backend: BackendName = None,
    output: Annotated[Path | None, typer.Option("--output", help="the file to write instead")] = None,
) -> None:
    """Measure what a backend's operations take on this machine, and price programs by that from now on."""
    name = backends.load(backend_name(Options(backend=backend))).name
    path = output or table_path(name)
    calibrate_file(name, path)
    console.print(escape(f"wrote {path}"))


@cache_app.command("info")
def show_cache() -> None:
    """Show the cache's folder, whether it can be used, and what it holds."""
    folder, store = cache.base_folder(), cache.shared()
    if folder is None or store is None:
        reason = "EGC_CACHE_DIR" if folder is None else "egc's own files changed or cannot be read"
        console.print(f"the cache is off: {reason}")
        return
    console.print(escape(f"folder: {store.folder}"))
    console.print(escape(f"state: {f'not used: {refusal}' if (refusal := store.refusal()) else 'used'}"))
    sizes: dict[str, list[int]] = {}
    for entry in store.entries():
        sizes.setdefault(entry.kind, []).append(entry.size)
    for kind, found in sorted(sizes.items()):
        console.print(f"{kind}: {len(found)} entries, {sum(found) / 2**20:.1f} MiB")
    total = sum(map(sum, sizes.values()))
    console.print(f"total: {total / 2**20:.1f} of {store.limit / 2**20:.0f} MiB")


@cache_app.command("clear")
def clear_cache() -> None:
    """Remove everything that the cache holds."""
    store = cache.shared()
    console.print("the cache is off" if store is None else f"removed {store.clear()} entries")


@app.command()
def coverage(missing: Annotated[bool, typer.Option("--missing", help="list what is not covered")] = False) -> None:
    """Show which functions of Python, NumPy and SciPy are encoded."""
    table = Table("theme", "count", "functions")
    for theme, names in covered():
        table.add_row(theme, str(len(names)), escape(", ".join(names)))
    if missing:
        for reason, names in uncovered():
            table.add_row(f"not encoded: {reason}", str(len(names)), escape(", ".join(names)))
    console.print(table)


@app.command()
def demo(backend: BackendName = None) -> None:
    """Optimize a Bayesian logistic regression on real data, explain it, check it and time it."""
    demonstrate(lambda text: console.print(escape(text)), backend)


def main() -> None:
    """The command's entry point: errors of egc are printed without a traceback, with exit status 2."""
    try:
        app()
    except EgcError as error:
        console.print(escape(f"{type(error).__name__}: {error}"))
        sys.exit(2)
