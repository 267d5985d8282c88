"""egglog's engine without egglog's Python interface, whose imports take twenty times as long.

The interface can be imported before or after; both then have the same module.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import Any

NAME = "egglog.bindings"


def _load() -> Any:
    package = find_spec("egglog") if "egglog" not in sys.modules else None
    spec = PathFinder.find_spec(NAME, package.submodule_search_locations) if package is not None else None
    if spec is None or spec.loader is None:
        from egglog import bindings

        return bindings
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules.pop(NAME, None)
    return module


_bindings = _load()
EGraph: Any = _bindings.EGraph
EggSmolError: type[Exception] = _bindings.EggSmolError
