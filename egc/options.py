"""What a call may choose, and where the defaults come from: the argument, the environment, the option file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from egc.errors import ProgramError
from egc.rewrite import PRECISIONS


@dataclass(frozen=True)
class Options:
    """The options of `egc.optimize`; see there."""

    backend: str | None = None
    rules: Any = None
    precision: str = "real"
    assume: Mapping[str, Sequence[str]] = field(default_factory=dict)
    verify: bool = False

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ProgramError(f"precision is one of {', '.join(PRECISIONS)}, not {self.precision!r}")


def backend_name(options: Options) -> str:
    """The backend: the argument, then EGC_BACKEND, then `{"backend": ...}` in the option file, then numba."""
    return options.backend or os.environ.get("EGC_BACKEND") or option_file().get("backend") or "numba"


def thread_count() -> int | None:
    """How many threads a call may use: EGC_NUM_THREADS, then `{"threads": ...}` in the option file; None for the backend's own
    choice. Raises ProgramError for what is no positive integer."""
    given = os.environ.get("EGC_NUM_THREADS") or option_file().get("threads")
    if given is None:
        return None
    text = str(given)
    if not text.isdecimal() or int(text) < 1:
        raise ProgramError(f"the number of threads is a positive integer, not {given!r}")
    return int(text)


def option_path() -> Path:
    """The option file: EGC_OPTIONS, or `options.json` in the platform's configuration folder for egc."""
    import platformdirs

    given = os.environ.get("EGC_OPTIONS")
    return Path(given) if given else Path(platformdirs.user_config_dir("egc")) / "options.json"


def option_file() -> dict[str, Any]:
    path = option_path()
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        return {}
    return _read_options(path, stamp)


@lru_cache(maxsize=4)
def _read_options(path: Path, stamp: int) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except ValueError as error:
        raise ProgramError(f"the option file {path} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise ProgramError(f"the option file {path} must hold a JSON object")
    return found


def raises_internal_failures() -> bool:
    """EGC_RAISE=1: an internal failure raises instead of falling back to the plain function."""
    return os.environ.get("EGC_RAISE", "") not in ("", "0")
