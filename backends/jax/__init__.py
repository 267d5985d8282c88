"""The jax backend: a Program as one jitted XLA computation, on CPU or GPU.

Everything runs with 64-bit types enabled, inside and only inside the backend's own calls. What NumPy reports by an
exception that depends on data (an index out of range, a singular matrix) is computed as a hidden bool output, and
raised once the results are on the host.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from egc.backend import PLAIN, Compiled, Demands, Missing, bind_arguments, require_supported
from egc.backends.jax import recurrences as recurrences
from egc.backends.jax.regions import emit, gaps
from egc.backends.jax.scope import Scope
from egc.backends.jax.table import Errors
from egc.costtable import read_table
from egc.ir import Node, Program

EXCEPTIONS: Mapping[str, type[Exception]] = {
    kind.__name__: kind for kind in (IndexError, ValueError, np.linalg.LinAlgError)
}


def _enable_x64() -> Any:
    """A context manager in which JAX keeps 64-bit types; its place depends on the JAX version."""
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)
    return import_module("jax.experimental").enable_x64(True)


def _emit_program(program: Program, arguments: Sequence[Any]) -> tuple[tuple[Any, ...], dict[tuple[str, str], Any]]:
    """The outputs as traced values, and a flag for each exception that NumPy may raise."""
    errors = Errors()
    values: dict[Node, Any] = {
        node: jnp.asarray(value, node.type.dtype) for node, value in zip(program.inputs, arguments)
    }
    results = emit(errors, program, values, Scope(program.bind(arguments)))
    return results, errors.flags


class JaxBackend:
    """Runs Programs through `jax.jit`. A new combination of sizes is traced and compiled anew, by XLA's design.

    `raw` is a plain traceable function of jnp arrays that leaves data-dependent exceptions out; call it where 64-bit
    types are enabled. `details["jaxpr"]` is a function of arguments that returns the jaxpr as text.
    """

    name = "jax"
    description = "XLA through jax.jit, on CPU or GPU, with 64-bit types"
    costs = read_table(Path(__file__).parents[1] / "costs" / "jax.json")

    def missing(self, program: Program) -> Sequence[Missing]:
        return [Missing(node.op, why, node.line) for node, why in gaps(program, jax.default_backend())]

    def compile(self, program: Program, demands: Demands = PLAIN) -> Compiled:
        require_supported(self, program)
        static = [k for k, node in enumerate(program.inputs) if node.params["name"] in program.size_inputs]

        def traced(*arguments: Any) -> Any:
            return _emit_program(program, arguments)

        traced.__name__ = program.name if program.name.isidentifier() else "program"
        jitted = jax.jit(traced, static_argnums=static)

        def concrete(arguments: Sequence[Any]) -> list[Any]:
            arrays, _bindings = bind_arguments(program, arguments)
            return [int(array) if k in static else array for k, array in enumerate(arrays)]

        def run(*arguments: Any) -> tuple[np.ndarray, ...]:
            with _enable_x64():
                results, flags = jax.device_get(jitted(*concrete(arguments)))
            for kind, message in flags:
                if flags[kind, message]:
                    raise EXCEPTIONS[kind](message)
            return tuple(np.array(result) for result in results)

        def jaxpr(*arguments: Any) -> str:
            with _enable_x64():
                return str(jax.make_jaxpr(traced, static_argnums=static)(*concrete(arguments)))

        return Compiled(
            run,
            kernels=(f"xla {program.name}",),
            native=lambda: lambda *arguments: _emit_program(program, arguments)[0],
            details={"jaxpr": jaxpr},
        )


BACKEND = JaxBackend()
