"""How linear algebra, and the picking of one of several results, are written as NumPy source."""

from __future__ import annotations

from typing import Any

from egc.ir import Node
from egc.source import syntax as syntax
from egc.source.ops import written
from egc.source.syntax import Expression, after, call, quoted
from egc.source.writer import Writer

RESULTS = {
    "lu": ("triangles", "pivots"),
    "qr": ("q", "r"),
    "slogdet": ("sign", "logdet"),
    "svd": ("u", "s", "vh"),
    "eigh": ("values", "vectors"),
    "eig": ("values", "vectors"),
    "lstsq": ("solution", "rank", "singular"),
}
"""Names for the results of ops that have several."""

REGIONS = ("loop", "cond")
"""Ops whose results are variables of their own."""


@written("inv", "det", "slogdet", "svdvals", "eig")
def _plain(w: Writer, node: Node) -> Expression:
    return call(f"np.linalg.{node.op}", w.value(node.inputs[0]))


@written("eigvals")
def _eigvals(w: Writer, node: Node) -> Expression:
    return _complex(w, call("np.linalg.eigvals", w.value(node.inputs[0])), node.inputs[0], node)


def _complex(w: Writer, found: Expression, operand: Node, node: Node) -> Expression:
    """NumPy gives real eigenvalues of a real matrix as real numbers, a Program always as complex ones."""
    if operand.type.dtype.kind == "c":
        return found
    return after(found, f".astype({syntax.dtype_text(node.type.dtype)})")


@written("expm")
def _expm(w: Writer, node: Node) -> Expression:
    return call(f"{w.module('linalg')}.expm", w.value(node.inputs[0]))


@written("cholesky")
def _cholesky(w: Writer, node: Node) -> Expression:
    return call("np.linalg.cholesky", w.value(node.inputs[0]), **({"upper": True} if node.params["upper"] else {}))


@written(
    "cholesky_or_nan", "cholesky_inverse", "lu_factors", "lu", "lu_solve", "gram", "triangular_product",
    "tridiagonal_solve", "banded_solve", "symmetric_solve", "linear_recurrence",
)  # fmt: skip
def _factors(w: Writer, node: Node) -> Expression:
    """The function of that name in `egc.factors`: parameters are options, and those that are left out are false."""
    options = {name: value for name, value in node.params.items() if value}
    return call(f"{w.module('factors')}.{node.op}", *map(w.value, node.inputs), **options)


@written("solve")
def _solve(w: Writer, node: Node) -> Expression:
    return call("np.linalg.solve", *map(w.value, node.inputs))


@written("solve_triangular")
def _solve_triangular(w: Writer, node: Node) -> Expression:
    a, b = node.inputs
    options: dict[str, Any] = {"lower": True} if node.params["lower"] else {}
    options |= {"trans": 1} if node.params["transposed"] else {}
    options |= {"unit_diagonal": True} if node.params["unit_diagonal"] else {}
    options["check_finite"] = False
    solver = f"{w.module('linalg')}.solve_triangular"
    if a.type.rank == 2 and b.type.rank <= 2:
        return call(solver, w.value(a), w.value(b), **options)
    one = call(solver, "a", "b", **options)
    signature = quoted("(n,n),(n)->(n)" if b.type.rank == 1 else "(n,n),(n,k)->(n,k)")
    kind = f"[{syntax.dtype_text(node.type.dtype)}]"
    batched = call("np.vectorize", f"lambda a, b: {one.text}", otypes=kind, signature=signature)
    return after(batched, f"({w.value(a).text}, {w.value(b).text})")


@written("qr")
def _qr(w: Writer, node: Node) -> Expression:
    mode = node.params["mode"]
    return call("np.linalg.qr", w.value(node.inputs[0]), **({} if mode == "reduced" else {"mode": quoted(mode)}))


@written("svd")
def _svd(w: Writer, node: Node) -> Expression:
    thin = {} if node.params["full_matrices"] else {"full_matrices": False}
    return call("np.linalg.svd", w.value(node.inputs[0]), **thin)


@written("eigh", "eigvalsh")
def _eigh(w: Writer, node: Node) -> Expression:
    upper = {} if node.params["lower"] else {"UPLO": quoted("U")}
    return call(f"np.linalg.{node.op}", w.value(node.inputs[0]), **upper)


@written("pinv")
def _pinv(w: Writer, node: Node) -> Expression:
    rcond = {} if node.params["rcond"] is None else {"rcond": node.params["rcond"]}
    return call("np.linalg.pinv", w.value(node.inputs[0]), **rcond)


@written("lstsq")
def _lstsq(w: Writer, node: Node) -> Expression:
    rcond = {} if node.params["rcond"] is None else {"rcond": node.params["rcond"]}
    return call("np.linalg.lstsq", *map(w.value, node.inputs), **rcond)


@written("item")
def _item(w: Writer, node: Node) -> Expression:
    several, k = node.inputs[0], node.params["index"]
    if several.op in REGIONS:
        value = w.value(several)
        return value if w.counting else after(value, f"[{k}]") if w.inline else Expression(w.parts[several][k])
    if several.op == "qr" and several.params["mode"] == "r":
        return w.value(several)
    picked = sorted(set(w.picked[several]))
    if len(picked) > 1 and not w.inline:
        found = _unpacked(w, several, picked)[k]
    else:
        found = after(w.value(several), f"[{_position(several, k)}]")
    if several.op == "eig":
        found = _complex(w, found, several.inputs[0], node)
    return call("np.int32", found) if several.op == "lstsq" and k == 1 else found


def _position(several: Node, k: int) -> int:
    """Where NumPy's result has it: lstsq's residuals are left out of a Program."""
    return k + 1 if several.op == "lstsq" and k else k


def _unpacked(w: Writer, several: Node, picked: list[int]) -> dict[int, Expression]:
    """A statement that names each result, the first time it is asked for."""
    value = w.value(several)
    if w.counting:
        return {k: Expression("_") for k in picked}
    if several not in w.parts:
        names = {k: w.free.new(RESULTS[several.op][k]) for k in picked}
        places = ["_"] * (len(several.type.items) + (several.op == "lstsq"))
        for k in picked:
            places[_position(several, k)] = names[k]
        w.state(f"{', '.join(places)} = {value.text}")
        w.parts[several] = names
    return {k: Expression(name) for k, name in w.parts[several].items()}
