"""Which cost table a backend's Programs are priced with: the one measured on this machine, or the one that ships."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from egc.backend import Backend
from egc.costtable import CostTable, read_table
from egc.options import option_file

SHIPPED = "shipped with the backend"


@dataclass(frozen=True)
class TableInUse:
    """A cost table and where it comes from."""

    table: CostTable
    origin: str


def table_path(name: str) -> Path:
    """The file of a backend's measured table: `NAME.json` in the folder that EGC_COSTS or `{"costs": ...}` in the option
    file names, or in the platform's data folder for egc."""
    import platformdirs

    given = os.environ.get("EGC_COSTS") or option_file().get("costs")
    folder = Path(given) if given else Path(platformdirs.user_data_dir("egc")) / "costs"
    return folder / f"{name}.json"


def table_in_use(backend: Backend) -> TableInUse:
    """The measured table of a backend where there is one, else its own. Raises BackendError for a broken file."""
    path = table_path(backend.name)
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        return TableInUse(backend.costs, SHIPPED)
    return TableInUse(_read(path, stamp), str(path))


def costs_of(backend: Backend) -> CostTable:
    return table_in_use(backend).table


@lru_cache(maxsize=16)
def _read(path: Path, stamp: int) -> CostTable:
    return read_table(path)
