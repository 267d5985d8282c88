"""An e-graph of egglog and the rules it has loaded, kept and used again: `push`, work, `pop`.

The only module that talks to egglog.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from egc.egraph import facts, native, schema
from egc.egraph.bindings import EggSmolError, EGraph
from egc.egraph.directions import Compiled, Directed, directions
from egc.egraph.relevance import Link, relevant
from egc.egraph.rulesets import compile_direction
from egc.errors import SaturationError
from egc.ir import Node, Program
from egc.rewrite import Rewrite
from egc.types import SHORT, ArrayType

Scopes = Mapping[str, Sequence[Rewrite]]

MOST_LOADED = 6_000
"""Commands that an e-graph keeps loaded, at some 50 kB each, before it is begun anew: Programs of many kinds add up."""

TERM = re.compile(r"op-(\w+?)(?:-\d+)?")
SIZE = re.compile(rf"\({TERM.pattern} (\d+)\)")
"""The name of a constructor of terms, and how egglog prints the number of them."""

LOADED_AT_ONCE = 1000
"""Characters that are given to egglog together: its time to read a text grows faster than the text."""


class Engine:
    """An e-graph for one choice of rewrites, for use by one thread.

    A rewrite's rules are compiled and loaded when asked for. What is loaded while a Program is in the e-graph goes with it;
    `used` are the directions that this happened to.
    """

    def __init__(self, rewrites: Sequence[Rewrite], scoped: Scopes | None = None, recorded: bool = False):
        pairs: list[tuple[Rewrite, str | None]] = [(rewrite, None) for rewrite in rewrites]
        pairs += [(rewrite, scope) for scope, limited in (scoped or {}).items() for rewrite in limited]
        self.scopes: dict[Directed, str | None] = {}
        for index, (rewrite, scope) in enumerate(pairs):
            self.scopes.update((directed, scope) for directed in directions(rewrite, str(index)))
        self.recorded = recorded
        self.compiled: dict[tuple[Directed, frozenset[str]], Compiled] = {}
        self.egraph: Any = None
        self.loaded: set[str] = set()
        self.loaded_after_push: set[str] = set()
        self.used: set[Directed] = set()
        self.pushed = False
        self.stale = False

    def load(
        self,
        active: Iterable[Directed] = (),
        dtypes: frozenset[str] = frozenset(),
        ops: Collection[str] = frozenset(),
        predicates: Collection[str] = (),
    ) -> dict[Directed, Compiled]:
        """Makes the e-graph ready for terms with these dtypes and ops, with the rules of these directions, and to infer
        these predicates besides those that the rules need."""
        self.settle()
        if self.egraph is None:
            self.egraph, self.pushed, self.loaded = EGraph(), False, set()
            self.add([*schema.declarations(), "(ruleset analysis)", f"(ruleset {schema.MARKS})", *native.rules()])
        compiled = {directed: self.compile(directed, dtypes) for directed in active}
        self.add(declaration for each in compiled.values() for declaration in each.declarations)
        if "slice" in ops:
            self.add(native.slices())
        needed = {*predicates, *(name for each in compiled.values() for name in each.predicates)}
        self.add(facts.inference(needed, ops))
        self.add(rule for each in compiled.values() for rule in each.rules)
        if self.pushed:
            self.used.update(compiled)
        return compiled

    def compile(self, directed: Directed, dtypes: frozenset[str]) -> Compiled:
        key = directed, dtypes
        if key not in self.compiled:
            self.compiled[key] = compile_direction(directed, self.scopes[directed], self.recorded, dtypes)
        return self.compiled[key]

    def add(self, commands: Iterable[str]) -> None:
        """Runs the commands that have not been run yet on what is in the e-graph."""
        new = (each for each in commands if each not in self.loaded and each not in self.loaded_after_push)
        missing = list(dict.fromkeys(new))
        for text in _batches(missing):
            self.run(text)
        (self.loaded_after_push if self.pushed else self.loaded).update(missing)

    def run(self, text: str) -> list[Any]:
        """Runs commands; a failure of egglog becomes a SaturationError and the e-graph is given up."""
        assert self.egraph is not None
        try:
            return self.egraph.run_program(*self.egraph.parse_program(text))
        except EggSmolError as error:
            self.egraph = None
            raise SaturationError(f"the e-graph refused a command: {error}") from error
        except BaseException as error:
            self.egraph = None
            if type(error).__name__ == "PanicException":
                raise SaturationError(f"the e-graph engine failed: {error}") from error
            raise

    def predicates(self, program: Program) -> frozenset[str]:
        """What the rules that could match need to know of a Program's terms."""
        active, _ = relevant(list(program.nodes()), list(self.scopes))
        types = dtypes(program.nodes())
        return frozenset(name for each in active for name in self.compile(each, types).predicates)

    def push(self, commands: Iterable[str]) -> None:
        """Adds a Program, until `release`."""
        self.settle()
        self.run("(push)")
        self.pushed = True
        for text in _batches(commands):
            self.run(text)

    def release(self) -> None:
        """Ends work on a Program. It is taken away when the next one comes: taking it away takes time."""
        self.stale = self.egraph is not None and (self.stale or self.pushed)
        self.pushed = False
        self.loaded_after_push = set()
        if len(self.loaded) > MOST_LOADED:
            self.egraph, self.stale = None, False
            self.compiled.clear()

    def settle(self) -> None:
        """Takes a Program away that no work is done on any more."""
        if self.stale and self.egraph is not None:
            self.run("(pop)")
        self.stale = False

    def freeze(self) -> Any:
        """The rows of the e-graph."""
        assert self.egraph is not None
        return self.egraph.freeze()

    def links(self) -> frozenset[Link]:
        """Which ops have which other ones as operands."""
        functions = self.freeze().functions
        rows = [
            (found[1], row) for name in functions if (found := TERM.fullmatch(name)) for row in functions[name].rows
        ]
        ops: dict[Any, set[str]] = {}
        for op, row in rows:
            ops.setdefault(row.output, set()).add(op)
        return frozenset(
            (op, place, other)
            for op, row in rows
            for place, each in enumerate(row.inputs)
            for other in ops.get(each, ())
        )

    def sizes(self) -> dict[str, int]:
        """The number of e-nodes by op."""
        found: dict[str, int] = {}
        for op, count in SIZE.findall(str(self.run("(print-size)")[0])):
            if count != "0":
                found[op] = found.get(op, 0) + int(count)
        return found


def _batches(commands: Iterable[str]) -> Iterator[str]:
    batch: list[str] = []
    size = 0
    for command in commands:
        if batch and size + len(command) > LOADED_AT_ONCE:
            yield " ".join(batch)
            batch, size = [], 0
        batch.append(command)
        size += len(command)
    if batch:
        yield " ".join(batch)


def dtypes(nodes: Iterable[Node]) -> frozenset[str]:
    """The short names of the dtypes of Nodes."""
    types = {part for node in nodes for part in _parts(node)}
    return frozenset(SHORT[type.dtype] for type in types)


def _parts(node: Node) -> tuple[ArrayType, ...]:
    return (node.type,) if isinstance(node.type, ArrayType) else node.type.items


KEPT_ENGINES = 8


class _Engines(threading.local):
    """The engines last used by a thread: egglog's e-graphs must stay in the thread that made them."""

    def __init__(self) -> None:
        self.kept: OrderedDict[Any, Engine] = OrderedDict()


_engines = _Engines()


def engine(rewrites: Sequence[Rewrite], scoped: Scopes | None = None) -> Engine:
    """An Engine for these rewrites, one that was used before where possible. Raises RuleError for a broken rewrite."""
    scopes = tuple((name, tuple(map(id, limited))) for name, limited in (scoped or {}).items())
    key = (tuple(map(id, rewrites)), scopes)
    found = _engines.kept.pop(key, None)
    if found is None:
        found = Engine(rewrites, scoped)
    _engines.kept[key] = found
    while len(_engines.kept) > KEPT_ENGINES:
        _engines.kept.popitem(last=False)
    return found
