"""Program -> loop program: kernels become loop nests and library calls, views become addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import count, groupby

from egc.expansion import expand
from egc.ir import Node, Program
from egc.kernels import Kernel, group
from egc.kinds import INLINE_LEAVES, Fusible, Piece
from egc.lower.collapse import collapse
from egc.lower.handed import handed_on
from egc.lower.loops import Branch, Call, Loop, LoopProgram, Repeat, Step
from egc.lower.names import mentioned
from egc.lower.nest import Fresh, loop_of
from egc.lower.order import in_memory_order
from egc.lower.proved import proved
from egc.lower.regions import flow_of, with_copies
from egc.lower.repeated import repeated_inside
from egc.lower.reuse import reuse
from egc.lower.statements import reads
from egc.lower.stores import stored
from egc.lower.together import together
from egc.ops import OPS
from egc.ranges import Ranges, ranges_of
from egc.sizes import Dim, SizeGuard


def _any(call: Call) -> bool:
    return True


def lower(
    program: Program,
    fusible: Fusible | None = None,
    runs: Callable[[Call], bool] = _any,
    strides: Mapping[str, tuple[Dim, ...]] = {},
    stores: Mapping[int, str] = {},
    guards: Iterable[SizeGuard] = (),
    checked: bool = False,
) -> LoopProgram:
    """The loop program of a Program. Elementwise Nodes that are not `fusible` become library calls, and so do loops and
    branches with calls that `runs` says code cannot make. `strides` are those of inputs whose elements have gaps; such a
    one in order is an array of its own, see `access.ordered`. A Program with loops or branches has none of them.
    `stores` are outputs, by number, that may take the place of inputs; they do where no element is overwritten too early.
    `guards` are known to hold of the sizes. checked: callers may refuse the outcome, and want the inputs as they were.

    >>> from egc import ir
    >>> from egc.types import parse_type
    >>> x = ir.input("x", parse_type("f64[n, 3]"))
    >>> print(lower(Program((x,), (ir.make("sum", ir.make("exp", x), axes=(0, 1)),))))
    program(x: f64[n, 3])
    make a0: f64[]
        for i0 < 3*n
            v0: f64 = x[i0]
            v1: f64 = exp(v0)
            v2: f64 = sum(v1) inside 0 loops
        a0[0] = v2
    return a0
    """
    program = with_copies(repeated_inside(in_memory_order(expand(program))))
    names = {node: node.params["name"] for node in program.inputs}
    lowering = Lowering(fusible, runs, set(names.values()), strides, known_sizes(program, guards))
    steps = lowering.steps(program, names)
    inputs = tuple((names[node], node.type) for node in program.inputs)
    outputs = tuple(names[node] for node in program.outputs)
    steps, outputs = handed_on(proved(steps, lowering.ranges), outputs)
    wanted = {k: (given, dict(inputs)[given]) for k, given in stores.items()}
    steps, outputs, saved = stored(steps, outputs, wanted, checked)
    places = frozenset(k for k, given in stores.items() if outputs[k] == given)
    steps, outputs = reuse(steps, outputs)
    return LoopProgram(program.name, inputs, tuple(_with_locals(steps, outputs)), outputs, strides, places, saved)


class Lowering:
    """Makes the steps of a Program and of the regions inside it, in which no two arrays have one name."""

    def __init__(
        self,
        fusible: Fusible | None,
        runs: Callable[[Call], bool],
        taken: set[str],
        strides: Mapping[str, tuple[Dim, ...]],
        ranges: Ranges,
    ):
        self.ranges = ranges
        self.fusible, self.runs, self.values, self.strides = fusible, runs, Fresh(), strides
        self.arrays = (name for k in count() if (name := f"a{k}") not in taken)

    def steps(self, program: Program, names: dict[Node, str], inside: bool = False) -> list[Step]:
        """The steps of a Program. `names` has those of its inputs, and then of all values that are arrays; `inside` of a
        region names of loops' values are distinct too."""
        kernels = group(program, self.fusible)
        needed = _needed_arrays(program, kernels)
        flows = {node: flow_of(self, node) for node in program.nodes() if OPS[node.op].kind == "region"}
        for node in program.nodes():
            flow = flows.get(node.inputs[0]) if node.op == "item" else None
            if node not in names and flow is not None:
                names[node] = flow.result(node.params["index"], names)
            elif node in needed and node not in names:
                names[node] = next(self.arrays)
        steps: list[Step] = [
            Call(names[node], (), node, False)
            for node in program.nodes()
            if node in needed and node.op in INLINE_LEAVES
        ]
        made: set[str] = set()
        for kernel in kernels:
            (node, *_) = kernel.nodes
            if kernel.kind == "fused":
                for step in loop_of(kernel, names, self.values if inside else None, self.strides, self.ranges):
                    if isinstance(step, Loop):
                        step = replace(collapse(step), results=tuple(r for r in step.results if r[0] not in made))
                        made.update(name for name, _ in step.results)
                    steps.append(step)
            elif (flow := flows.get(node)) is not None:
                steps.append(flow.step(names))
            elif kernel.kind == "join" or (node.op == "item" and flows.get(node.inputs[0]) is not None):
                continue
            elif kernel.kind == "call" or node in needed:
                steps.append(Call(names[node], tuple(names[x] for x in node.inputs), node, kernel.kind == "view"))
        return steps


def known_sizes(program: Program, guards: Iterable[SizeGuard]) -> Ranges:
    """What is known of the sizes of a Program whose guards hold."""
    facts: list[Dim] = []
    for guard in guards:
        facts += [guard.size] if guard.relation == ">=" else []
        facts += [guard.size, -guard.size] if guard.relation == "==" else []
    return replace(ranges_of(program), facts=tuple(facts))


def _needed_arrays(program: Program, kernels: Iterable[Kernel]) -> set[Node]:
    """The values that must exist as arrays: what a library reads, what loops address, and the outputs."""
    needed = set(program.outputs)
    for kernel in reversed(tuple(kernels)):
        if kernel.kind == "fused":
            needed.update(node for node in kernel.outputs if not isinstance(node, Piece))
            needed.update({base for part in kernel.parts for base in part.reads}.difference(kernel.nodes))
        elif kernel.kind == "join":
            needed.update(kernel.nodes)
        elif kernel.kind == "call" or kernel.nodes[0] in needed:
            needed.update(kernel.nodes)
            needed.update(kernel.nodes[0].inputs)
    return needed


def _with_locals(steps: list[Step], outputs: tuple[str, ...]) -> list[Step]:
    """Scalars that only loops of the same segment read are no arrays."""
    segments = [list(group) for _, group in groupby(steps, lambda step: isinstance(step, (Call, Repeat, Branch)))]
    readers: dict[str, set[int]] = {name: {-1} for name in outputs}
    for number, segment in enumerate(segments):
        for step in segment:
            for name in _read(step):
                readers.setdefault(name, set()).add(number)
    result: list[Step] = []
    for number, segment in enumerate(segments):
        for step in segment:
            if isinstance(step, Loop):
                inner = {name for name, type in step.results if not type.rank and readers.get(name, set()) <= {number}}
                step = replace(
                    step,
                    results=tuple((name, type) for name, type in step.results if name not in inner),
                    locals=tuple((name, type.dtype) for name, type in step.results if name in inner),
                )
                step = together(step)
            result.append(step)
    return result


def _read(step: Step) -> Iterable[str]:
    match step:
        case Call(operands=operands):
            return operands
        case Repeat() | Branch():
            return mentioned(step)
        case Loop():
            return [access.array for statement in step.statements() for access in reads(statement)]
    return ()
