"""An abstract interpreter of Python functions, over numba's IR of their bytecode.

Concrete Python values are computed; traced ones become Nodes. What cannot be expressed raises NotEncodable with the
user's line, and the caller then runs the function as written.
"""

from __future__ import annotations

import dataclasses
import inspect
import operator
import types
from collections.abc import Sequence
from typing import Any

import numpy as np
from numba.core import ir as numba_ir

from egc.capture import builtins as python_builtins
from egc.capture import stretches, transformations
from egc.capture.array import Array, BoundMethod, has_traced
from egc.capture.bounds import mentions
from egc.capture.builtins import PURE, PURE_MODULES, concretized, is_pure
from egc.capture.bytecode import Closure, Enclosed, bytecode_ir
from egc.capture.context import Choose, current
from egc.capture.expressions import EXPRESSIONS, apply_operator, external, outside
from egc.capture.flow.branch import Outcome, two_way
from egc.capture.flow.containers import CONTAINERS, is_container, reached
from egc.capture.flow.graph import RESULT, RETURN, Loop, graph_of
from egc.capture.flow.iteration import Iterating
from egc.capture.flow.loop import capture_loop
from egc.capture.flow.rounds import Rounds
from egc.capture.registry import dotted_name, lookup
from egc.capture.scopes import Scope
from egc.capture.selections import Selection, is_selectable
from egc.capture.stretches import Stretch
from egc.capture.ufuncs import call_ufunc
from egc.custom import CustomDerivative
from egc.errors import Line, NotEncodable
from egc.ir import Node
from egc.rewrite import Rule
from egc.sizes import Size

WHOLE, UNROLLED, LONG = "whole", "unrolled", "long"
"""Ways to capture a loop: for all iterations at once, or one after the other; at once, if that can be, since it is long."""

MOST_UNROLLED = 128
"""Iterations that are captured one after the other where a loop cannot be captured as a whole, at most."""

CALL_DEPTH = 64
RECURSIONS = 300
"""Calls, on what is not known at capture, of functions that have not ended: if each makes two more, their number doubles with
each level."""

MOST_NESTED = 12
"""Loops inside of one another, those of functions that are called in them included; Python compiles 20 of them."""

STATEMENTS = 60_000

CONTAINER_READS = frozenset("get keys values items copy index count union intersection difference".split())
FROZEN = -1
"""When a container was made that may not be changed."""

SCALARS = (int, float, complex, Size, np.generic, np.ndarray, str, type(None))

Environment = dict[str, Any]


def _random(name: str) -> NotEncodable:
    return NotEncodable(f"a call of {name}", "random numbers change from call to call", current().line)


class Interpreter:
    """One capture's machine: `call` applies any callable to concrete and traced values."""

    def __init__(self) -> None:
        self.depth = 0
        self.statements = 0
        self.recursions = 0
        self.owned: dict[int, tuple[Any, int]] = {}
        self.frames: list[Frame] = []
        self.rules: list[CustomDerivative] = []

    def own(self, container: Any) -> Any:
        """Marks a container as made during the capture, so that it may be changed."""
        self.owned[id(container)] = container, current().tick()
        return container

    def own_all(self, value: Any, free: bool = True) -> Any:
        """Marks the containers of a value, as ones that may not be changed unless they are free."""
        for part in filter(is_container, reached([value])):
            self.own(part)
            if not free:
                self.freeze(part)
        return value

    def is_owned(self, container: Any) -> bool:
        return id(container) in self.owned

    def is_free(self, container: Any) -> bool:
        return self.is_owned(container) and self.owned[id(container)][1] != FROZEN

    def freeze(self, container: Any) -> None:
        if self.is_owned(container):
            self.owned[id(container)] = container, FROZEN

    def may_change(self, container: Any) -> bool:
        """Whether a container was made during the capture. NotEncodable inside of a loop or branch that is captured as a
        whole, where it was made before."""
        if not self.is_owned(container):
            return False
        if not self.is_free(container):
            raise NotEncodable(
                f"changing a {type(container).__name__} after a loop or branch on data",
                "it may be one that another variable has",
                current().line,
            )
        if self.owned[id(container)][1] < current().started():
            raise NotEncodable(
                f"changing a {type(container).__name__} in a loop or branch on data",
                "only arrays and numbers change there",
                current().line,
            )
        return True

    def call(self, function: Any, arguments: Sequence[Any] = (), options: dict[str, Any] | None = None) -> Any:
        """`function(*arguments, **options)`."""
        options = options or {}
        if any(isinstance(argument, Stretch) for argument in arguments) and stretches.knows(function):
            return stretches.apply(function, arguments, options)
        if any(isinstance(argument, Selection) for argument in arguments) and is_selectable(function):
            return function(*arguments, **options)
        found = transformations.call(self, function, arguments, options)
        if found is not transformations.ORDINARY:
            return found
        meaning = lookup(function)
        if meaning is not None:
            return meaning(*arguments, **options)
        if isinstance(function, np.ufunc):
            return call_ufunc(function, "__call__", tuple(arguments), options)
        if isinstance(function, BoundMethod):
            return function(*arguments, **options)
        if isinstance(function, Closure):
            function = function.function()
        if isinstance(function, Rule):
            function = function.function
        if isinstance(function, types.FunctionType):
            return self._call_python(function, arguments, options)
        if isinstance(function, types.MethodType):
            if isinstance(function.__self__, Selection):
                return function(*arguments, **options)
            return self.call(function.__func__, (function.__self__, *arguments), options)
        if getattr(function, "__egc_plain__", None) is not None:
            return self.call(function.__egc_plain__, arguments, options)
        return self._call_native(function, arguments, options)

    def _call_python(self, function: types.FunctionType, arguments: Sequence[Any], options: dict[str, Any]) -> Any:
        module = getattr(function, "__module__", None) or ""
        if module.split(".")[0] in ("numpy", "scipy"):
            return self._call_library(function, arguments, options)
        plain = getattr(function, "__egc_plain__", None)
        return self.run(plain or function, arguments, options)

    def _call_library(self, function: Any, arguments: Sequence[Any], options: dict[str, Any]) -> Any:
        name = dotted_name(function)
        if "random" in name:
            raise _random(name)
        if has_traced([*arguments, *options.values()]):
            raise NotEncodable(f"a call of {name}", "egc has no ops for it", current().line)
        return function(*arguments, **options)

    def _call_native(self, function: Any, arguments: Sequence[Any], options: dict[str, Any]) -> Any:
        owner = getattr(function, "__self__", None)
        module = getattr(function, "__module__", None) or ""
        if isinstance(owner, np.ufunc):
            return call_ufunc(owner, function.__name__, tuple(arguments), options)
        if isinstance(owner, CONTAINERS) and function.__name__ not in CONTAINER_READS and not self.may_change(owner):
            raise NotEncodable(
                f"{type(owner).__name__}.{function.__name__}", "it changes a value from outside", current().line
            )
        if isinstance(owner, np.random.Generator) or "random" in module:
            raise _random(function.__name__)
        if _is_operator(function):
            return apply_operator(function, *arguments)
        if isinstance(function, type):
            return self._construct(function, arguments, options)
        if isinstance(function, np.vectorize):
            raise NotEncodable("a call of np.vectorize", "egc has no ops for it", current().line)
        if module.split(".")[0] == "numpy":
            return self._call_library(function, arguments, options)
        if is_pure(function) or module in PURE_MODULES or isinstance(owner, (str, bytes, *CONTAINERS, tuple)):
            if isinstance(owner, CONTAINERS) and self.is_owned(owner):
                return function(*arguments, **options)
            return function(*map(self._callable, map(concretized, arguments)), **concretized(options))
        called = vars(type(function)).get("__call__")
        if isinstance(called, types.FunctionType) and not called.__module__.startswith("numba."):
            return self.call(called, (function, *arguments), options)
        raise NotEncodable(f"a call of {dotted_name(function)}", "egc cannot see into it", current().line)

    def _construct(self, kind: type, arguments: Sequence[Any], options: dict[str, Any]) -> Any:
        if kind in PURE or issubclass(kind, BaseException) or kind.__module__ in PURE_MODULES:
            made = kind(*map(self._callable, arguments), **options)
            return self.own(made) if isinstance(made, CONTAINERS) else made
        if issubclass(kind, tuple) and hasattr(kind, "_fields"):
            return kind(*arguments, **options)
        if dataclasses.is_dataclass(kind) and not hasattr(kind, "__post_init__"):
            return self.own(kind(*arguments, **options))
        if issubclass(kind, (np.generic, np.dtype)):
            return kind(*concretized(list(arguments)), **options)
        raise NotEncodable(f"making a {kind.__qualname__}", "egc does not see into classes", current().line)

    def _callable(self, value: Any) -> Any:
        """A function argument of a builtin such as `map`, wrapped so that calls of it are interpreted."""
        if isinstance(value, (Closure, types.FunctionType, types.MethodType)):
            return lambda *arguments, **options: self.call(value, arguments, options)
        return value

    def run(self, function: types.FunctionType, arguments: Sequence[Any], options: dict[str, Any]) -> Any:
        """Interprets a Python function."""
        code = bytecode_ir(function)
        bound = inspect.signature(function).bind(*arguments, **options)
        bound.apply_defaults()
        again = any(frame.function.__code__ is function.__code__ for frame in self.frames)
        self.recursions += again and has_traced([*arguments, *options.values()])
        if self.depth >= CALL_DEPTH or self.recursions > RECURSIONS:
            most = f"deeper than {CALL_DEPTH}" if self.depth >= CALL_DEPTH else f"more than {RECURSIONS}"
            raise NotEncodable(f"the recursion of {function.__name__}", f"{most} calls", current().line)
        self.depth += 1
        line, scopes = current().line, current().scopes
        self.frames.append(Frame(self, function, code, dict(bound.arguments)))
        try:
            return self.frames[-1].run()
        finally:
            self.frames.pop()
            self.depth -= 1
            current().line, current().scopes = line, scopes


OPERATOR_FUNCTIONS = {function for name, function in vars(operator).items() if callable(function)}


def _is_operator(function: Any) -> bool:
    try:
        return function in OPERATOR_FUNCTIONS
    except TypeError:
        return False


class Frame:
    """The execution of one function body."""

    def __init__(self, machine: Interpreter, function: types.FunctionType, code: Any, arguments: dict[str, Any]):
        self.machine, self.function, self.code, self.arguments = machine, function, code, arguments
        self.values: Environment = {}
        self.graph = graph_of(code)
        self.whole_loops: list[int] = []
        self.rounds = Rounds()
        self.file = code.loc.filename

    def run(self) -> Any:
        self.flow(min(self.code.blocks), frozenset())
        return self.values[RESULT]

    def flow(self, label: int, stops: frozenset[int], started: bool = False) -> Outcome:
        """Executes from a block on until the function returns or comes to one of `stops`, in every case that data may bring;
        not at once where it has `started` at one."""
        while True:
            if label == RETURN or (label in stops and not started):
                return {label: None}
            loop = self.graph.loops.get(label)
            if loop is not None and not started and self.whole(loop):
                outcome = self.loop(loop)
            else:
                if loop is not None and loop.iterator is None:
                    self.round(loop)
                outcome = self.block(label, stops)
            started = False
            join = self.graph.common(outcome) if len(outcome) > 1 else None
            if join is not None and join not in stops:
                outcome = self._until(outcome, stops | {join})
            if len(outcome) == 1:
                (label,) = outcome
                continue
            return self._until(outcome, stops)

    def _until(self, outcome: Outcome, stops: frozenset[int]) -> Outcome:
        """The outcome after going on from all labels that are reached, until the function returns or comes to `stops`."""
        while rest := [target for target in outcome if target not in stops and target != RETURN]:
            outcome = self._further(outcome, self.graph.earliest(rest), stops)
        return outcome

    def _further(self, outcome: Outcome, target: int, stops: frozenset[int]) -> Outcome:
        """The outcome after going on from one of the labels that were reached."""
        others = {label: condition for label, condition in outcome.items() if label != target}
        condition = outcome[target]
        if not others or condition is None:
            return self.flow(target, stops)
        staying = others if len(others) > 1 else dict.fromkeys(others)
        further = stops | others.keys() | {loop.header for loop in self.graph.around[target] if loop.header != target}
        return two_way(self, condition, lambda: self.flow(target, further), lambda: staying)

    def block(self, label: int, stops: frozenset[int]) -> Outcome:
        """Executes one block; where it leads."""
        for statement in self.code.blocks[label].body:
            current().line = Line(self.file, statement.loc.line)
            self.machine.statements += 1
            if self.machine.statements > STATEMENTS:
                raise NotEncodable("a long loop", f"more than {STATEMENTS} steps at capture", current().line)
            match statement:
                case numba_ir.Return():
                    self.values[RESULT] = self[statement.value]
                    return {RETURN: None}
                case numba_ir.Jump():
                    return {statement.target: None}
                case numba_ir.Branch():
                    return self.branch(label, statement, stops)
                case _:
                    self.execute(statement)
        raise AssertionError("a block ends with a jump")

    def branch(self, label: int, statement: Any, stops: frozenset[int]) -> Outcome:
        truth = self[statement.cond]
        if isinstance(truth, Size):
            truth = python_builtins.traced_bool(truth)
        if not isinstance(truth, Array):
            return {statement.truebr if truth else statement.falsebr: None}
        join = self.graph.joins[label]
        further = stops | self.graph.crossings[label] | ({join} if join is not None else set())
        for loop in self.graph.around[label]:
            if loop.header in self.whole_loops:
                break
            if join is None or join not in loop.body:
                if loop.iterator is None:
                    raise Choose((self.function.__code__, loop.header), WHOLE)
                further |= {loop.header}
        return two_way(
            self,
            python_builtins.truth_of(truth),
            lambda: self.flow(statement.truebr, further),
            lambda: self.flow(statement.falsebr, further),
        )

    def round(self, loop: Loop) -> None:
        """Another iteration of a `while` loop that is gone through."""
        key = self.function.__code__, loop.header
        long = self.rounds.another(loop.header, len(current().size_guards))
        if long and loop.header not in self.whole_loops and key not in current().ways:
            raise Choose(key, LONG)

    def whole(self, loop: Loop) -> bool:
        """Whether a loop is to be captured for all iterations at once."""
        way = current().ways.get((self.function.__code__, loop.header))
        if loop.header in self.whole_loops or way == UNROLLED:
            return False
        if loop.iterator is None:
            return way in (WHOLE, LONG)
        iterating = self.values.get(loop.iterator)
        return isinstance(iterating, Iterating) and iterating.sequence is not None and iterating.fresh

    def loop(self, loop: Loop) -> Outcome:
        """Captures a loop for all iterations at once. Where that fails, capture begins again and goes through its
        iterations, if their number is known then."""
        if sum(len(frame.whole_loops) for frame in self.machine.frames) >= MOST_NESTED:
            raise NotEncodable("loops inside of one another", f"deeper than {MOST_NESTED}", current().line)
        self.whole_loops.append(loop.header)
        try:
            return capture_loop(self, loop)
        except NotEncodable:
            key = self.function.__code__, loop.header
            if current().ways.get(key) == LONG:
                raise Choose(key, UNROLLED) from None
            sequence = self.values[loop.iterator].sequence if loop.iterator in self.values else None
            if loop.iterator is None or sequence is None or isinstance(sequence.length, Node):
                raise
            if mentions(sequence.length, current().ranges) or current().value(sequence.length) > MOST_UNROLLED:
                raise
            raise Choose(key, UNROLLED) from None
        finally:
            self.whole_loops.pop()

    def execute(self, statement: Any) -> None:
        match statement:
            case numba_ir.Assign():
                self.values[statement.target.name] = self.evaluate(statement.value)
            case numba_ir.SetItem():
                self.set_item(self[statement.target], self[statement.index], self[statement.value])
            case numba_ir.StaticSetItem():
                self.set_item(self[statement.target], statement.index, self[statement.value])
            case numba_ir.StoreMap():
                self.set_item(self[statement.dct], self[statement.key], self[statement.value])
            case numba_ir.DelItem():
                target = self[statement.target]
                if not self.machine.may_change(target):
                    raise outside("del of an item")
                del target[concretized(self[statement.index])]
            case numba_ir.SetAttr():
                target = self[statement.target]
                if not self.machine.may_change(target):
                    raise NotEncodable(
                        f"setting the attribute {statement.attr}", "it changes an outer object", current().line
                    )
                setattr(target, statement.attr, self[statement.value])
            case numba_ir.Del():
                for name in [name for name in self.values if name.partition(".")[0] == statement.value]:
                    del self.values[name]
            case numba_ir.EnterWith():
                self.enter(self[statement.contextmanager])
            case numba_ir.PopBlock():
                current().scopes = current().scopes[:-1]
            case numba_ir.StaticRaise():
                raise UserError(statement.exc_class, statement.exc_args or ())
            case numba_ir.DynamicRaise():
                raise UserError(statement.exc_class, statement.exc_args or ())
            case numba_ir.Raise():
                raise UserError(self[statement.exception] if statement.exception else RuntimeError, ())
            case _:
                raise NotEncodable(type(statement).__name__, "egc does not encode this statement", current().line)

    def __getitem__(self, variable: Any) -> Any:
        return self.read(variable.name)

    def read(self, name: str) -> Any:
        if name not in self.values:
            raise NotEncodable(f"the variable {name}", "it may be read before it has a value", current().line)
        return self.values[name]

    def enter(self, manager: Any) -> None:
        """A `with` block: `egc.scope` names a part of the Program; NumPy's error state does not matter to it."""
        if isinstance(manager, Scope):
            current().scopes = (*current().scopes, manager.name)
        elif isinstance(manager, np.errstate):
            current().scopes = (*current().scopes, "")
        else:
            raise NotEncodable(
                f"with {type(manager).__name__}", "only egc.scope and np.errstate are encoded", current().line
            )

    def set_item(self, target: Any, index: Any, value: Any) -> None:
        if isinstance(target, (Array, Stretch)):
            target[index] = value
        elif self.machine.may_change(target):
            operator.setitem(target, concretized(index), value)
        else:
            raise outside("assignment to an item")

    def evaluate(self, value: Any) -> Any:
        match value:
            case numba_ir.Const():
                return value.value
            case numba_ir.Arg():
                return self.arguments[value.name]
            case numba_ir.Var():
                return self.read(value.name)
            case numba_ir.Global():
                return self.read_global(value.name, value.value)
            case numba_ir.FreeVar():
                return self.read_cell(value.name)
            case numba_ir.Expr():
                handler = EXPRESSIONS.get(value.op)
                if handler is None:
                    raise NotEncodable(f"the expression {value.op}", "egc does not encode it", current().line)
                return handler(self, value)
        raise NotEncodable(type(value).__name__, "egc does not encode it", current().line)

    def read_global(self, name: str, value: Any) -> Any:
        namespace = self.function.__globals__
        if name in namespace:
            return external(current().read_global(namespace, name))
        if value is numba_ir.UNDEFINED:
            raise NameError(f"name {name!r} is not defined")
        return value

    def read_cell(self, name: str) -> Any:
        cell = self._cell(name)
        value = cell.cell_contents
        if isinstance(value, Enclosed):
            return value.frame.read(value.name)
        return external(current().read(f"closure variable {name}", (id(cell),), lambda: cell.cell_contents))

    def enclosed(self, name: str) -> types.CellType:
        """What a function defined here holds of a variable: it reads the variable whenever it runs."""
        if name in self.function.__code__.co_freevars:
            return self._cell(name)
        return types.CellType(Enclosed(self, name))

    def _cell(self, name: str) -> types.CellType:
        assert self.function.__closure__ is not None
        return self.function.__closure__[self.function.__code__.co_freevars.index(name)]


class UserError(Exception):
    """The user's own `raise`, reached at capture; running the function as written raises it again."""

    def __init__(self, kind: Any, arguments: Any):
        self.kind = kind
        super().__init__(f"{kind}{arguments}")
