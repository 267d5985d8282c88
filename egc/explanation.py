"""What egc did to a function and why, as an object, as text and as JSON."""

from __future__ import annotations

import dataclasses
import html
import inspect
import json
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from egc import backend as backends
from egc import ir, sizes
from egc.capture import Captured
from egc.costfiles import costs_of
from egc.costs import program_cost
from egc.errors import Line, NotEncodable
from egc.ir import Node, Program
from egc.options import Options, backend_name
from egc.pipeline import Plan, explained_steps, make_plan
from egc.source import expression_source, numpy_source
from egc.spec import Spec


@dataclass(frozen=True)
class Opaque:
    """Why a function, or a part of it, runs as written."""

    line: Line | None
    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.line}: {self.what}: {self.why}" if self.line else f"{self.what}: {self.why}"


@dataclass(frozen=True)
class Step:
    """One rule that mattered: where it stands, the subterm it changed, and the cost in ns without it minus with it.

    precision: what the rule keeps, one of `exact`, `real`, `finite`, `approx`; see `rules/README.md`.
    """

    rule: str
    file: str
    line: int
    before: str
    after: str
    saved: float
    precision: str


@dataclass(frozen=True)
class Backward:
    """How a loop runs backward for derivatives: by which method, and how many bytes that keeps at these sizes.

    drift: how far the states on the way back may be from those that were, a key of DRIFTS: `none` where they are the same.
    """

    line: Line | None
    method: str
    memory: int
    drift: str = "none"

    def __str__(self) -> str:
        where = f"the loop at {self.line}" if self.line else "a loop"
        return f"{where}: {self.method}, {self.memory:,} bytes, {DRIFTS[self.drift]}"


DRIFTS = {
    "none": "the same states",
    "reversible": "states that are off by a rounding error for each iteration",
    "compensated": "states that are off by at most 2**-104 of themselves for each iteration, below the last bit",
}
"""How far a loop that runs backward goes from the states that were."""


@dataclass(frozen=True)
class Explanation:
    """What was rewritten and why. Displays itself in a notebook; `print` shows it as text; `json()` is the contract.

    before, after: the program as NumPy source that runs. time_before, time_after: predicted nanoseconds at these sizes.
    unstable_before, unstable_after: operations that lose values (overflow, cancellation) which a stabilizing rule keeps.
    cost_before, cost_after: what the search compares: the predicted time, and a penalty for each unstable operation.
    steps: the rules that mattered. stop_reason, nodes: how the search ended and how large the e-graph was.
    backward: how loops run backward, where a derivative needs it.
    seconds: time by stage. kernels, code: what runs. opaque: what runs as written, and why; empty when all was encoded.
    """

    name: str
    backend: str
    before: str
    after: str
    cost_before: float
    cost_after: float
    time_before: float = 0.0
    time_after: float = 0.0
    unstable_before: int = 0
    unstable_after: int = 0
    steps: tuple[Step, ...] = ()
    stop_reason: str = ""
    nodes: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    kernels: tuple[str, ...] = ()
    code: str = ""
    opaque: tuple[Opaque, ...] = ()
    backward: tuple[Backward, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The explanation as plain data."""
        found = dataclasses.asdict(self)
        found["opaque"] = [{"line": str(o.line) if o.line else None, "what": o.what, "why": o.why} for o in self.opaque]
        found["steps"], found["kernels"] = list(found["steps"]), list(found["kernels"])
        found["backward"] = [
            {"line": str(each.line) if each.line else None, "method": each.method, "memory": each.memory}
            for each in self.backward
        ]
        return found

    def json(self, indent: int | None = 2) -> str:
        return json.dumps(self.as_dict(), indent=indent)

    def text(self, code: bool = False) -> str:
        """The explanation as a page of plain text; `code` adds the generated source."""
        parts = [f"{self.name} on {self.backend}"]
        if self.opaque:
            parts.append("runs as written:\n" + _indented("\n".join(map(str, self.opaque))))
        if self.before:
            parts.append(f"before: {_predicted(self.time_before, self.unstable_before)}\n{_indented(self.before)}")
        if self.after and not self.opaque:
            parts.append(f"after: {_predicted(self.time_after, self.unstable_after)}\n{_indented(self.after)}")
        if self.steps:
            parts.append("steps:\n" + "\n".join(_indented(_step_text(step)) for step in self.steps))
        if self.backward:
            parts.append("run backward:\n" + _indented("\n".join(map(str, self.backward))))
        if self.stop_reason:
            parts.append(f"search: {self.nodes} nodes, {self.stop_reason}")
        if self.kernels:
            parts.append("kernels:\n" + _indented("\n".join(self.kernels)))
        if self.seconds:
            spent = ", ".join(f"{stage} {1000 * value:.1f} ms" for stage, value in self.seconds.items())
            parts.append(f"time: {spent}")
        if code and self.code:
            parts.append("code:\n" + _indented(self.code))
        return "\n\n".join(parts)

    __str__ = text

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.text())}</pre>"


def _indented(text: str) -> str:
    return textwrap.indent(text.strip("\n"), "    ")


def _predicted(time: float, unstable: int) -> str:
    lost = f", {unstable} operation{'s' * (unstable > 1)} that may overflow or cancel" if unstable else ""
    return f"{_nanoseconds(time)} predicted{lost}"


def _nanoseconds(value: float) -> str:
    for limit, unit, scale in ((1e3, "ns", 1.0), (1e6, "us", 1e3), (1e9, "ms", 1e6)):
        if value < limit:
            return f"{value / scale:.3g} {unit}"
    return f"{value / 1e9:.3g} s"


def _step_text(step: Step) -> str:
    saved = _nanoseconds(max(step.saved, 0.0))
    head = f"{step.rule} at {step.file}:{step.line}, saves {saved}, precision {step.precision}"
    return f"{head}\n    {step.before}\n    -> {step.after}"


def explain(
    function: Callable[..., Any], positional: Sequence[Any], named: Mapping[str, Any], options: Options
) -> Explanation:
    """The Explanation of a function for arguments, which may be Specs.

    Raises what the function itself raises for bad arguments, RuleError and BackendError for wrong options.
    """
    assumed = dict(options.assume)
    parameters = inspect.signature(function).bind_partial(*positional, **named).arguments
    for name, value in parameters.items():
        if isinstance(value, Spec) and value.facts:
            assumed[name] = (*assumed.get(name, ()), *value.facts)
    options = dataclasses.replace(options, assume=assumed)
    positional = [value.sample() if isinstance(value, Spec) else value for value in positional]
    named = {key: value.sample() if isinstance(value, Spec) else value for key, value in named.items()}
    name = getattr(function, "__name__", "function")
    try:
        plan = make_plan(function, positional, named, options, cached=False)
    except NotEncodable as error:
        source = _source(function)
        reason = Opaque(error.line, error.what, error.why)
        return Explanation(name, backend_name(options), source, source, 0.0, 0.0, opaque=(reason,))
    return of_plan(name, plan)


def _source(function: Callable[..., Any]) -> str:
    try:
        return textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        return ""


def of_plan(name: str, plan: Plan) -> Explanation:
    result = plan.trace.results.get("egraph")
    before = plan.trace.programs["captured"]
    costs, hints = costs_of(plan.backend), plan.captured.hints()
    time_before, time_after = program_cost(before, costs, hints), program_cost(plan.program, costs, hints)
    steps = tuple(map(_step, explained_steps(plan.trace)))
    return Explanation(
        name=name,
        backend=plan.backend.name,
        before=_program_source(before, plan.captured),
        after=_program_source(plan.program, plan.captured),
        cost_before=result.cost_before if result is not None else time_before,
        cost_after=result.cost_after if result is not None else time_after,
        time_before=time_before,
        time_after=time_after,
        unstable_before=result.unstable_before if result is not None else 0,
        unstable_after=result.unstable_after if result is not None else 0,
        steps=steps,
        stop_reason=result.stop_reason if result is not None else "no rules",
        nodes=result.nodes if result is not None else 0,
        seconds=dict(plan.trace.seconds),
        kernels=tuple(plan.compiled.kernels),
        code=plan.compiled.code,
        backward=tuple(_backward(remark, hints) for remark in plan.captured.remarks),
    )


def _backward(remark: Any, hints: Mapping[str, int]) -> Backward:
    """A remark with its bytes at these sizes; a size inside of another loop counts as one there."""
    known = {name: hints.get(name, 1) for name in sizes.symbols(remark.memory)}
    return Backward(remark.line, remark.method, sizes.evaluate(remark.memory, known), remark.drift)


def _program_source(program: Program, captured: Captured) -> str:
    """The Program's source, which also returns the views of arguments that the function does."""
    places = dict(zip(captured.leaf_inputs, captured.program.inputs))
    now = {places[leaf]: program.outputs[output] for leaf, output in captured.writes if leaf in places}

    def shown(node: Node) -> Node:
        return now.get(node, node) if not node.inputs else ir.rebuild(node, [shown(child) for child in node.inputs])

    views = [shown(result.value) for result in captured.results if result.kind == "view"]
    return numpy_source(program.with_outputs((*views, *program.outputs)), program.name)


def _step(step: Any) -> Step:
    before, after = _expression(step.before), _expression(step.after)
    return Step(step.rule, step.file, step.line, before, after, float(step.saved), step.precision)


def _expression(node: Node) -> str:
    return expression_source(node)


__all__ = ["Explanation", "Opaque", "Step", "backends", "explain"]
