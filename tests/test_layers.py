"""The layers: a module imports only from below, and heavy libraries load on first use."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = {"egc": "egc", "rules": "egc.rules", "backends": "egc.backends"}

LAYERS = [
    {"errors", "sizes", "types", "flow", "factors", "transformed", "custom"},
    {"ops"},
    {"ir"},
    set(
        """check layouts text backend cache stored views kinds expansion parts kernels rewrite costfiles costs costtable spec
        options data source trips ranges alternatives special overwritten rows""".split()
    ),
    {"capture", "transforms", "interpret", "egraph", "lower"},
    set(
        """calibration rulefiles rulecheck callpath compiled pipeline plans running verify dispatch nested interpreted sparse
        derivatives propagation mapped gradient_check explanation demo""".split()
    ),
    {"cli"},
]
"""From the bottom up. The packages of the fifth layer never import each other."""

SIBLINGS = LAYERS[4]
FOR_BACKENDS = {
    "errors",
    "factors",
    "sizes",
    "types",
    "ops",
    "ir",
    "backend",
    "cache",
    "costtable",
    "kernels",
    "kinds",
    "layouts",
    "parts",
    "ranges",
    "trips",
    "views",
    "lower",
}
FRONT_DOOR = {"errors", "flow", "rewrite", "spec"}
"""What `import egc` may load."""

LAZY = {"egc/__init__.py", "egc/pipeline.py", "egc/cli.py"}
"""Where egc's own modules may be imported inside functions: to load the compiler on first use."""

OWNERS = {
    "egglog": ("egc/egraph/",),
    "numba": ("egc/capture/", "backends/numba/"),
    "llvmlite": ("backends/numba/",),
    "jax": ("backends/jax/",),
    "jaxlib": ("backends/jax/",),
    "networkx": ("egc/capture/flow/", "egc/egraph/", "egc/lower/", "egc/transforms/derivatives/"),
    "typer": ("egc/cli.py",),
    "rich": ("egc/cli.py", "egc/demo.py"),
    "mpmath": ("egc/rulecheck/",),
    "threadpoolctl": ("backends/numba/one_thread.py",),
}
"""Who may import a library."""


@dataclass(frozen=True)
class Import:
    """One imported module, in a file, at the top or inside a function."""

    file: str
    line: int
    module: str
    top: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


def files() -> list[Path]:
    return [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def part(module: str) -> str:
    """The piece of egc that a module is in: `capture` for egc.capture.array, `` for egc itself."""
    return (module.split(".") + [""])[1]


def own_module(path: Path) -> str:
    folder, *rest = path.relative_to(ROOT).with_suffix("").parts
    return ".".join([FOLDERS[folder], *(piece for piece in rest if piece != "__init__")])


def is_module(name: str) -> bool:
    place = ROOT / name.replace(".", "/").replace("egc/rules", "rules").replace("egc/backends", "backends")
    return place.is_dir() or place.with_suffix(".py").is_file()


@cache
def imports() -> tuple[Import, ...]:
    return tuple(found for path in files() for found in _imports(path))


def _imports(path: Path) -> Iterator[Import]:
    top = {id(node) for node in tree(path).body}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{relative(path)}:{node.lineno} has a relative import"
            base = node.module or ""
            modules = [f"{base}.{alias.name}" if is_module(f"{base}.{alias.name}") else base for alias in node.names]
        else:
            continue
        for module in modules:
            yield Import(relative(path), node.lineno, module, id(node) in top)


def egc_imports(folder: str) -> Iterator[tuple[str, str, Import]]:
    """The part a file is in, the part it imports, and the import."""
    for found in imports():
        if found.file.startswith(f"{folder}/") and found.module.split(".")[0] == "egc":
            yield part(own_module(ROOT / found.file)), part(found.module), found


def level(name: str) -> int:
    return next(k for k, names in enumerate(LAYERS) if name in names)


def test_every_module_has_a_layer():
    parts = {part(own_module(path)) for path in files() if relative(path).startswith("egc/")} - {""}
    assert parts <= set().union(*LAYERS), sorted(parts - set().union(*LAYERS))
    assert set().union(*LAYERS) <= parts, "a layer names a module that does not exist"


def test_modules_import_only_from_below():
    wrong = []
    for own, other, found in egc_imports("egc"):
        if not own:
            allowed = other in FRONT_DOOR or not found.top
        elif own == other:
            allowed = True
        elif other == "":
            allowed = level(own) >= level("pipeline")
        elif other in ("rules", "backends"):
            allowed = (own, other) == ("rulefiles", "rules")
        else:
            allowed = level(other) <= level(own) and not {own, other} <= SIBLINGS
        if not allowed:
            wrong.append(str(found))
    assert not wrong, "\n".join(wrong)


def test_a_backend_imports_its_own_files_and_the_layers_for_backends():
    wrong = []
    for _, other, found in egc_imports("backends"):
        own = ".".join(own_module(ROOT / found.file).split(".")[:3])
        inside = found.module == own or found.module.startswith(f"{own}.")
        if not (
            inside or other in FOR_BACKENDS or (own, found.module) == ("egc.backends.numba", "egc.backends.reference")
        ):
            wrong.append(str(found))
    assert not wrong, "\n".join(wrong)


def test_rule_files_import_the_front_door_and_the_libraries_they_speak_of():
    allowed = {
        "egc",
        "egc.factors",
        "egc.special",
        "math",
        "numpy",
        "scipy",
        "scipy.special",
        "scipy.linalg",
        "__future__",
    }
    wrong = [str(found) for found in imports() if found.file.startswith("rules/") and found.module not in allowed]
    assert not wrong, "\n".join(wrong)


def test_no_import_inside_a_function_breaks_a_cycle():
    wrong = [
        str(found)
        for folder in FOLDERS
        for _, _, found in egc_imports(folder)
        if not found.top and found.file not in LAZY and not _under_type_checking(found)
    ]
    assert not wrong, "\n".join(wrong)


def _under_type_checking(found: Import) -> bool:
    tests = [
        n for n in tree(ROOT / found.file).body if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING"
    ]
    return any(child.lineno == found.line for n in tests for child in ast.walk(n) if isinstance(child, ast.ImportFrom))


@pytest.mark.parametrize("library", sorted(OWNERS))
def test_a_library_is_imported_only_by_its_owners(library):
    wrong = [
        str(found)
        for found in imports()
        if found.module.split(".")[0] == library and not found.file.startswith(OWNERS[library])
    ]
    assert not wrong, "\n".join(wrong)


def test_only_installed_requirements_are_imported():
    known = {"egc", "numpy", "scipy", "platformdirs", *OWNERS, *sys.stdlib_module_names}
    wrong = [str(found) for found in imports() if found.module.split(".")[0] not in known]
    assert not wrong, "\n".join(wrong)


def test_importing_egc_loads_no_heavy_library():
    code = "import sys, egc; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    heavy = {"egglog", "numba", "llvmlite", "jax", "scipy", "networkx", "rich", "typer", "mpmath", "matplotlib"}
    assert "egc" in result.stdout.split() and not heavy & set(result.stdout.split())


def test_rules_of_libraries_are_traced_without_them():
    code = """
import sys
from egc import pipeline, rulefiles
for rule in rulefiles.load():
    pipeline.traced_rule(rule, 2)
print("scipy.special" in sys.modules, "scipy.linalg" in sys.modules)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("folder", [*FOLDERS, "tests", "benchmarks"])
def test_files_hold_one_idea(folder):
    long = {relative(p): n for p in (ROOT / folder).rglob("*.py") if (n := len(p.read_text().splitlines())) > 500}
    assert not long


def test_no_function_rebinds_a_module_level_name():
    wrong = [
        f"{relative(path)}:{node.lineno}"
        for path in files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Global)
    ]
    assert not wrong
