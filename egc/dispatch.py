"""The function object that `egc.optimize` returns: finds or makes the Plan for the arguments, and runs it."""

from __future__ import annotations

import contextlib
import copy
import functools
import gc
import inspect
import threading
import types
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from egc import sizes
from egc.callpath import direct_call, window
from egc.capture import bind_arguments, flatten_arguments
from egc.capture.arguments import ARRAY, FIXED, Tree, kind_of
from egc.capture.context import ValueGuard
from egc.capture.function import LEAST_SYMBOLIC
from egc.compiled import export
from egc.errors import BackendError, EgcError, InternalError, NotEncodable, ProgramError, RuleError
from egc.explanation import Opaque, explain
from egc.layouts import layout_of
from egc.nested import is_simple, missed, nested_call
from egc.options import Options, raises_internal_failures
from egc.pipeline import Plan, make_plan
from egc.plans import SizedPlans
from egc.rewrite import check_assumption, checking_assumptions
from egc.running import Mismatch, Torn, leaf_bindings, outputs_share, runner
from egc.sizes import SizeGuard
from egc.spec import Spec
from egc.verify import require_equal

PLANS_PER_KIND = 32

MISSES = 32
"""Calls for which direct ways of one Entry may be made, or may fail, before they are given up."""

DIRECT_WAYS = 4
"""Kinds of arguments that calls meet without the long way: those of the last long ways."""


@dataclass
class Entry:
    """A Plan, or the reason why there is none, with what must hold for it to apply.

    misses: how many calls that its direct ways could have taken went the long way.
    """

    applies: Callable[[Sequence[Any]], bool]
    run: Variants | None = None
    keep: Any = None
    misses: int = 0
    verified: bool = False
    suspicion: Exception | None = None


@dataclass(frozen=True)
class Variant:
    """A Plan, and what runs it."""

    plan: Plan
    run: Callable[[Sequence[Any]], Any]


@dataclass(frozen=True)
class DirectWay:
    """A direct way for an Entry and windows of sizes. `make` gives the callable, which takes what it does not fit to `slow`."""

    entry: Entry
    windows: tuple[range | None, ...]
    make: Callable[[Callable[..., Any]], Callable[..., Any] | None]

    def serves(self, other: DirectWay) -> bool:
        """Whether it is for the same calls."""
        return self.entry is other.entry and self.windows == other.windows


class Variants:
    """The Plans of one function and kind of arguments, by size. A call runs the one for its sizes."""

    def __init__(self, plan: Plan, options: Options):
        self._sized = SizedPlans(plan, options)
        self._variants = {id(plan): Variant(plan, runner(plan))}
        self._last = self._variants[id(plan)]

    def __call__(self, values: Sequence[Any]) -> Any:
        self._last = variant = self._at(values)
        return variant.run(values)

    def _at(self, values: Sequence[Any]) -> Variant:
        if not self._sized.symbols:
            return self._last
        leaves = self._sized.first.captured.leaves
        plan = self._sized.at(leaf_bindings([(leaf.name, value) for leaf, value in zip(leaves, values)]))
        found = self._variants.get(id(plan))
        return found if found is not None else self._variants.setdefault(id(plan), Variant(plan, runner(plan)))

    def direct(
        self,
        entry: Entry,
        values: Sequence[Any],
        parameters: Sequence[str],
        forest: Mapping[str, Tree] | None,
        name: str,
    ) -> DirectWay | None:
        """The direct way for calls of about the sizes of the one that has just run, where there is one. `forest` has the forms
        of the function's arguments where the values are their leaves; None where they are the arguments themselves."""
        variant = self._last
        plan = variant.plan
        if plan.compiled.direct is None or not plan.captured.leaves or outputs_share(plan):
            return None
        windows = tuple(map(window, values)) if self._sized.symbols else (None,) * len(values)
        examples = [
            leaf.value if leaf.kind == ARRAY else value
            for leaf, value in zip(plan.captured.leaves, values, strict=True)
        ]

        def make(slow: Callable[..., Any]) -> Callable[..., Any] | None:
            return direct_call(plan.captured, plan.compiled, examples, parameters, windows, slow)

        def make_nested(slow: Callable[..., Any]) -> Callable[..., Any] | None:
            inner = direct_call(plan.captured, plan.compiled, examples, ("",) * len(values), windows, missed)
            return None if inner is None or forest is None else nested_call(name, forest, inner, slow)

        return DirectWay(entry, windows, make if forest is None else make_nested)


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """Compiling makes many objects that live long, which the garbage collector would go through again and again: a tenth
    of the first call's time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@dataclass
class Statistics:
    """How often an optimized function compiled and fell back."""

    compilations: int = 0
    as_written: int = 0
    reasons: list[Opaque] = field(default_factory=list)


class Optimized:
    """An optimized function. Calls behave as calls of the plain function, which is `__wrapped__`.

    `statistics` counts compilations and calls that ran as written. Safe to call from several threads.
    """

    def __init__(self, function: Callable[..., Any], options: Options):
        functools.update_wrapper(self, function)
        self.__egc_plain__ = function
        self.options = options
        self.statistics = Statistics()
        self._signature = inspect.signature(function)
        self._names, self._simple = _positional_names(self._signature)
        self._entries: dict[Any, list[Entry]] = {}
        self._ways: tuple[DirectWay, ...] = ()
        self._lock = threading.RLock()
        self._warned: set[str] = set()

    def __new__(cls, function: Callable[..., Any], options: Options) -> Optimized:
        """Each has a class of its own, whose `__call__` is the direct way of its last calls."""
        return object.__new__(type(cls.__name__, (cls,), {"__module__": cls.__module__, "__doc__": cls.__doc__}))

    def __call__(self, *positional: Any, **named: Any) -> Any:
        return self._call(positional, named)

    def _long_way(self, *positional: Any, **named: Any) -> Any:
        """A call that no direct way has taken."""
        return self._call(positional, named)

    def _add_way(self, way: DirectWay) -> None:
        """Puts a direct way before the others; what it does not take goes to the next one. One that calls fail in again and
        again costs more than it saves."""
        with self._lock:
            way.entry.misses += 1
            others = tuple(other for other in self._ways if not way.serves(other))
            self._ways = (way, *others)[:DIRECT_WAYS] if way.entry.misses < MISSES else others
            call: Callable[..., Any] = self._long_way
            for each in reversed(self._ways):
                call = each.make(call) or call
            if call != self._long_way:
                bound = isinstance(call, types.FunctionType)
                type(self).__call__ = staticmethod(call) if bound else call  # type: ignore[method-assign,assignment]
            elif "__call__" in type(self).__dict__:
                del type(self).__call__

    def _call(self, positional: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """The long way: finds the Plan, or makes it."""
        function = self.__egc_plain__
        if (
            not named
            and positional
            and len(positional) == self._simple
            and all(type(v) in LEAF_TYPES for v in positional)
        ):
            values: Sequence[Any] = positional
            key: Any = tuple(map(_leaf_key, values))
        else:
            try:
                given = self._signature.bind(*positional, **named).arguments
            except TypeError:
                return function(*positional, **named)
            values = [value for _, value in flatten_arguments(given)[1]]
            key = (_structure(positional), _structure(named), tuple(map(_leaf_key, values)))
        entry = self._find(key, values)
        if entry is not None:
            return self._answer(entry, positional, named, values)
        with collector_paused():
            entry = self._add(key, positional, named, values)
            if entry.run is not None:
                return self._answer(entry, positional, named, values)
        return self._answer(entry, positional, named, values)

    def _answer(self, entry: Entry, positional: Sequence[Any], named: Mapping[str, Any], values: Sequence[Any]) -> Any:
        if entry.run is None:
            self.statistics.as_written += 1
            result = self.__egc_plain__(*positional, **named)
            if entry.suspicion is not None:
                error = entry.suspicion
                self._failed(InternalError("capture", f"{type(error).__name__}: {error}"), error)
            return result
        if self.options.verify and not entry.verified:
            return self._verify(entry, positional, named, values)
        result = self._run(entry, positional, named, values)
        if not self.options.verify and entry.misses < MISSES:
            leaves = self._are_leaves(positional, named, values)
            forest = None if leaves else self._forest(positional, named)
            if leaves or forest is not None:
                name = getattr(self.__egc_plain__, "__qualname__", "function")
                way = entry.run.direct(entry, values, self._names, forest, name)
                if way is not None:
                    self._add_way(way)
        return result

    def _forest(self, positional: Sequence[Any], named: Mapping[str, Any]) -> Mapping[str, Tree] | None:
        """The forms of the arguments of a call that gives all of them; None where one cannot be given by position and by name,
        or its form is none that a direct way takes apart."""
        if len(positional) + len(named) != self._simple or not all(self._names):
            return None
        forest, _ = flatten_arguments(self._signature.bind(*positional, **named).arguments)
        return forest if is_simple(forest) else None

    def _are_leaves(self, positional: Sequence[Any], named: Mapping[str, Any], values: Sequence[Any]) -> bool:
        """Whether the values are those of the first parameters, as they were given."""
        names = self._names[len(positional) : len(values)]
        if (
            len(positional) + len(named) != len(values)
            or len(values) > len(self._names)
            or not named.keys() <= set(names)
        ):
            return False
        return all(a is b for a, b in zip((*positional, *map(named.get, names)), values))

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def _run(self, entry: Entry, positional: Sequence[Any], named: Mapping[str, Any], values: Sequence[Any]) -> Any:
        assert entry.run is not None
        try:
            return entry.run(values)
        except Mismatch:
            self.statistics.as_written += 1
            return self.__egc_plain__(*positional, **named)
        except Torn:
            raise
        except Exception as error:
            result = self.__egc_plain__(*positional, **named)
            entry.misses = MISSES
            self._failed(InternalError("run", f"{type(error).__name__}: {error}"), error)
            return result

    def _find(self, key: Any, values: Sequence[Any]) -> Entry | None:
        for entry in self._entries.get(key, ()):
            if entry.applies(values):
                return entry
        return None

    def _add(self, key: Any, positional: Sequence[Any], named: Mapping[str, Any], values: Sequence[Any]) -> Entry:
        """Compiles for new arguments. An Entry without `run` says that the function must run as written."""
        with self._lock:
            found = self._find(key, values)
            if found is not None:
                return found
            if len(self._entries.get(key, ())) >= PLANS_PER_KIND:
                self._remember(Opaque(None, "this call", f"more than {PLANS_PER_KIND} variants by size"))
                return Entry(lambda values: False)
            keep = [value for value in values if kind_of(value) == FIXED]
            try:
                plan = make_plan(self.__egc_plain__, positional, named, self.options)
            except NotEncodable as error:
                self._remember(Opaque(error.line, error.what, error.why))
                given = bind_arguments(self.__egc_plain__, positional, named)
                names = [name for name, _ in flatten_arguments(given)[1]]
                entry = Entry(guard_function(names, values, error.size_guards, error.value_guards), keep=keep)
            except InternalError as error:
                self._failed(error, error.__cause__)
                self._remember(Opaque(error.line, f"stage {error.stage}", str(error)))
                entry = Entry(lambda values: True, keep=keep)
            except Exception as error:
                return self._suspect(error)
            else:
                self.statistics.compilations += 1
                captured = plan.captured
                names = [leaf.name for leaf in captured.leaves]
                entry = Entry(
                    guard_function(names, values, captured.size_guards, captured.value_guards),
                    Variants(plan, self.options),
                    keep,
                )
            self._entries.setdefault(key, []).append(entry)
            return entry

    def _suspect(self, error: Exception) -> Entry:
        """Capture met an error: the plain function, run next, is to raise it too. An error of options is raised."""
        if isinstance(error, (RuleError, BackendError)) or type(error) is ProgramError:
            raise error
        line = error.line if isinstance(error, EgcError) else None
        self._remember(Opaque(line, type(error).__name__, str(error)))
        return Entry(lambda values: False, suspicion=error)

    def _remember(self, reason: Opaque) -> None:
        if reason not in self.statistics.reasons:
            self.statistics.reasons.append(reason)

    def _failed(self, failure: InternalError, cause: BaseException | None) -> None:
        """One warning for a stage that failed, or the failure itself under EGC_RAISE."""
        if raises_internal_failures():
            raise failure from cause
        if failure.stage not in self._warned:
            self._warned.add(failure.stage)
            name = getattr(self.__egc_plain__, "__name__", "the function")
            warnings.warn(f"egc: {failure}; {name} runs as written", RuntimeWarning, stacklevel=4)

    def _verify(self, entry: Entry, positional: Sequence[Any], named: Mapping[str, Any], values: Sequence[Any]) -> Any:
        expected_arguments = copy.deepcopy((tuple(positional), dict(named)))
        given = {**dict(zip(self._names, positional)), **named}
        for name in self.options.assume.keys() & given.keys():
            check_assumption(given[name], self.options.assume[name], f"argument {name}", always=True)
        with checking_assumptions():
            plain = getattr(self.__egc_plain__, "expected", self.__egc_plain__)
            expected = plain(*expected_arguments[0], **expected_arguments[1])
        found = self._run(entry, positional, named, values)
        require_equal(found, expected, "the result")
        require_equal((tuple(positional), dict(named)), expected_arguments, "the arguments after the call")
        entry.verified = True
        return found

    def explain(self, *positional: Any, **named: Any) -> Any:
        """What was rewritten for these arguments and why: an `egc.Explanation`."""
        return explain(self.__egc_plain__, positional, named, self.options)

    def plan(self, *positional: Any, **named: Any) -> Plan:
        """The compiled Plan for these arguments. Raises NotEncodable when the function runs as written."""
        return make_plan(self.__egc_plain__, positional, named, self.options)

    def compile(self, *positional: Any, **named: Any) -> Any:
        """Machine code for arguments like these (values, or an `egc.spec`), for callers other than Python.

        On numba, `raw` is a dispatcher that `@njit` functions call, `cfunc` a C function and `address` its address.
        Raises NotEncodable when the function runs as written, and BackendError where it needs Python.

        >>> import numpy as np, egc
        >>> from numba import njit
        >>> norm = egc.optimize(lambda x: np.sqrt(np.sum(x * x))).compile(egc.spec("f64[n]")).raw
        >>> njit(lambda: norm(np.array([3.0, 4.0])))()
        5.0
        """
        positional, named = _samples(positional), dict(zip(named, _samples(tuple(named.values()))))
        return export(make_plan(self.__egc_plain__, positional, named, self.options, in_c_order=True))

    def __repr__(self) -> str:
        return f"<egc optimized {getattr(self.__egc_plain__, '__qualname__', 'function')}>"


def _samples(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(value.sample() if isinstance(value, Spec) else value for value in values)


LEAF_TYPES = frozenset([np.ndarray, float, int, complex])


def _positional_names(signature: inspect.Signature) -> tuple[tuple[str, ...], int]:
    """The names of the parameters that can be given by position, empty for those that cannot be given by name; and their
    number where there are no others and a call with all of them needs no binding, else -1."""
    kinds = {p.name: p.kind for p in signature.parameters.values()}
    both, only = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY
    names = tuple(name if kind is both else "" for name, kind in kinds.items() if kind in (both, only))
    return names, len(names) if len(names) == len(kinds) else -1


def guard_function(
    names: Sequence[str], values: Sequence[Any], size_guards: Sequence[SizeGuard], value_guards: Sequence[ValueGuard]
) -> Callable[[Sequence[Any]], bool]:
    """The guards as one function of flattened arguments."""
    symbols = {name for guard in size_guards for name in sizes.symbols(guard.size)}
    lines = ["def applies(values):"]
    for position, (name, value) in enumerate(zip(names, values)):
        axes = [f"{name}_{axis}" for axis in range(np.ndim(value))] if type(value) is np.ndarray else []
        if symbols.intersection(axes):
            lines.append(f"    {', '.join(axes)}, = values[{position}].shape")
        elif name in symbols:
            lines.append(f"    {name} = values[{position}]")
    conditions = [str(guard) for guard in size_guards]
    conditions += [f"guards[{position}].holds()" for position in range(len(value_guards))]
    lines.append(f"    return {' and '.join(conditions) or 'True'}")
    namespace: dict[str, Any] = {"guards": value_guards}
    exec("\n".join(lines), namespace)
    return namespace["applies"]


def _structure(value: Any) -> Any:
    """The container types of arguments, which leaves alone do not tell."""
    if isinstance(value, (tuple, list)):
        return (type(value), *map(_structure, value))
    if isinstance(value, dict):
        return (dict, *((key, _structure(part)) for key, part in value.items()))
    return type(value)


def _leaf_key(value: Any) -> Any:
    """What a Plan is made for: dtype, rank, order in memory and which axes have length 0 or 1; the type of a number; any other
    value itself."""
    kind = type(value)
    if kind is np.ndarray:
        lengths = tuple([length if length < LEAST_SYMBOLIC else LEAST_SYMBOLIC for length in value.shape])
        return value.dtype, layout_of(value), lengths
    if kind in (float, int, complex):
        return kind if kind_of(value) != FIXED else (kind, value)
    if isinstance(value, np.generic):
        return value.dtype, kind
    try:
        hash(value)
    except TypeError:
        return kind, id(value)
    return kind, value


__all__ = ["Opaque", "Optimized", "Statistics"]
