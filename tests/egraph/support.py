"""Rewrites and Programs built by hand, and the question whether rules prove two terms equal."""

from collections.abc import Iterable, Sequence

import numpy as np

from egc import ir, rewrite
from egc.backend import CostTable
from egc.costs import CostModel
from egc.egraph.decode import Graph
from egc.egraph.engine import engine
from egc.egraph.saturate import Budget, saturate
from egc.ir import Node, Program
from egc.rewrite import Condition, Rewrite
from egc.sizes import symbol
from egc.types import DTYPES, ArrayType

n, m, k, p, q = map(symbol, "nmkpq")

TABLE = CostTable(
    call=200.0,
    byte=0.1,
    default=0.5,
    elementwise={"exp": 5.0, "log": 5.0, "log1p": 6.0, "power": 20.0, "divide": 2.0},
    flop=0.05,
    linalg={"inv": 2.0, "solve": 0.7},
)

SIZES = {"p": 1000, "n": 50, "m": 20}


def var(name: str, *shape, dtype: str = "f64") -> Node:
    return ir.input(name, ArrayType(DTYPES[dtype], shape))


def const(value, *shape, dtype: str = "f64") -> Node:
    return ir.constant(value, DTYPES[dtype], shape)


def spread(node: Node, *shape) -> Node:
    """A scalar broadcast to a shape."""
    return ir.make("broadcast", node, shape=shape, axes=())


def transpose(a: Node) -> Node:
    return ir.make("transpose", a, axes=(1, 0))


def total(a: Node, *axes: int) -> Node:
    return ir.make("sum", a, axes=axes or tuple(range(a.type.rank)))


def reverse(a: Node) -> Node:
    (length,) = a.type.shape
    return ir.make("slice", a, start=(length - 1,), size=(length,), step=(-1,))


def __getattr__(name: str):
    """`support.exp(x)` is the Node of op exp."""
    if name.startswith("__"):
        raise AttributeError(name)
    return lambda *inputs, **params: ir.make(name, *inputs, **params)


def law(
    name: str,
    left: Node,
    right: Node,
    conditions: Iterable[Condition] = (),
    *,
    constants: Iterable[str] = (),
    generic: bool = True,
    both_ways: bool = False,
    **options,
) -> Rewrite:
    """The Rewrite of a rule whose parameters are the input Nodes of its sides."""
    inputs = dict.fromkeys(node for node in ir.topological([left, right]) if node.op == "input")
    namespace: dict = {}
    exec(f"def {name}({', '.join(node.params['name'] for node in inputs)}): pass", namespace)
    made = (rewrite.equation if both_ways else rewrite.rule)(namespace[name], **options)
    return Rewrite(made, left, right, tuple(inputs), frozenset(constants), tuple(conditions), generic)


def require(predicate: str, operand: Node) -> Condition:
    return Condition(predicate, operand)


def program(*outputs: Node) -> Program:
    inputs = dict.fromkeys(node for node in ir.topological(outputs) if node.op == "input")
    return Program(tuple(inputs), tuple(outputs))


def saturated(rewrites: Sequence[Rewrite], given: Program, budget: Budget | None = None, **scoped) -> Graph:
    running = engine(rewrites, scoped)
    state = saturate(running, given, budget or Budget())
    try:
        return Graph(given, state)
    finally:
        running.release()


def equal(rewrites: Sequence[Rewrite], left: Node, right: Node, **scoped) -> bool:
    """Whether the rules prove two terms equal."""
    graph = saturated(rewrites, program(left, right), **scoped)
    return graph.class_of[left] == graph.class_of[right]


def model(**bindings: int) -> CostModel:
    return CostModel(TABLE, bindings)


def float_array(*values) -> np.ndarray:
    return np.array(values, dtype=float)


def random_program(seed):
    """Two results of twelve random operations on three arrays."""
    choose = np.random.default_rng(seed)
    nodes = [*(var(name, p) for name in "xyz"), const(1.0, p), const(2.0, p), const(0.0, p)]
    for _ in range(12):
        op = choose.choice(["add", "multiply", "exp", "log", "absolute", "subtract", "power", "negative"])
        arity = 2 if op in ("add", "multiply", "subtract", "power") else 1
        nodes.append(ir.make(str(op), *(nodes[i] for i in choose.integers(len(nodes), size=arity))))
    return program(nodes[-1], total(nodes[-2]))
