"""The numba backend: fused loop nests as native code, library calls for the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from egc.backend import PLAIN, Compiled, Demands, Interface, Missing, require_supported
from egc.backends.numba.calibrate import with_threads
from egc.backends.numba.compiled import compile_native, in_order, may_store
from egc.backends.numba.exports import Exported
from egc.backends.numba.flow import is_compiled
from egc.backends.numba.interpreted import generate
from egc.backends.numba.layouts import in_c_order, strides_of
from egc.backends.numba.native import is_native
from egc.backends.numba.scalars import fusible
from egc.backends.numba.threads import set_num_threads
from egc.backends.reference import EVALUATE
from egc.costtable import CostTable, read_table
from egc.ir import Program
from egc.lower import lower
from egc.ops import OPS
from egc.sizes import Dim


class NumbaBackend:
    """Runs Programs as loop nests that numba compiles once for all sizes."""

    name = "numba"
    description = "fused loops compiled by numba, BLAS and LAPACK for linear algebra"
    costs = read_table(Path(__file__).parents[1] / "costs" / "numba.json")

    def missing(self, program: Program) -> Sequence[Missing]:
        return [
            Missing(node.op, "it has neither a loop form nor a library function", node.line)
            for node in program.nodes()
            if node.op not in EVALUATE and node.op != "input"
        ]

    def calibrate(self, table: CostTable) -> CostTable:
        """A measured table, with what starting a thread takes."""
        return with_threads(table)

    def compile(self, program: Program, demands: Demands = PLAIN) -> Compiled:
        """The driver; machine code for its loops is made when they first run.

        >>> import numpy as np
        >>> from egc import ir
        >>> from egc.types import parse_type
        >>> x = ir.input("x", parse_type("f64[n]"))
        >>> compiled = BACKEND.compile(Program((x,), (ir.make("sum", ir.make("multiply", x, x), axes=(0,)),)))
        >>> float(compiled.run(np.array([1.0, 2.0, 3.0]))[0])
        14.0
        """
        require_supported(self, program)
        laid = in_c_order(program, demands.layouts)
        gaps, stores = _gaps(laid, demands), in_order(demands)
        loops = lower(laid, fusible, is_compiled, gaps, stores, demands.guards, bool(demands.checks))
        if is_native(laid, loops):
            if loops.stored and not may_store(laid, loops):
                loops = lower(laid, fusible, is_compiled, gaps, guards=demands.guards)
            return compile_native(program, laid, loops, demands)
        if demands.layouts or loops.stored:
            loops = lower(program, fusible, is_compiled, guards=demands.guards)
        run, driver = generate(program, loops, demands)
        return Compiled(run, tuple(driver.kernels), driver.code, details={"loops": str(loops)})

    def limit_threads(self, count: int | None) -> None:
        """See `threads.set_num_threads`; it holds for all code of this process."""
        set_num_threads(count)

    def export(self, compiled: Compiled, interface: Interface) -> Exported:
        """Code for callers other than Python: `raw` for `@njit` functions, `cfunc` and `address` for C."""
        return Exported(compiled, interface)


def _gaps(program: Program, demands: Demands) -> Mapping[str, tuple[Dim, ...]]:
    """The strides of inputs that loops read as they lie; loops and branches read all of them in order."""
    if any(OPS[node.op].kind == "region" for node in program.nodes()):
        return {}
    return strides_of(program, demands.layouts)


BACKEND = NumbaBackend()
