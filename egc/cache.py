"""What later processes use again: bytes by key, in files of the user's own that are checked before they are believed.

An entry is a file with a digest of its name and content in front. It appears whole or not at all (a temporary file,
renamed), so writers need no lock. Whatever goes wrong with the folder or a file, nothing is found there and nothing kept.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

MAGIC = b"egc cache 1\n"
FOLDER = "v1"
"""The part of the cache folder that is egc's alone."""

LIMIT = 512 * 2**20
"""Bytes that the entries may take together; those not used for longest go first."""

LARGEST = 4
"""One entry takes at most this part of the limit."""

TRIM = 16
"""The folder's size is looked at whenever this part of the limit has been written, and at a process's first write."""

ABANDONED = 3600.0
"""Seconds after which a temporary file is taken for a dead writer's."""

ENTRY = re.compile(r"[0-9a-f]{64}\.(\w+)")
TEMPORARY = "writing-"
SOURCES = ("egc", "egc.rules", "egc.backends")
SUFFIXES = (".py", ".json")
"""Source, and the cost tables that ship."""

OFF = ("", "off")
STARTED = time.time()
OPEN = os.O_RDONLY | sum(getattr(os, flag, 0) for flag in ("O_BINARY", "O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK"))


@dataclass(frozen=True)
class Entry:
    """A file of the store: what kind of thing it keeps, its size in bytes, and when it was last used."""

    path: Path
    kind: str
    size: int
    used: float


class Store:
    """Bytes by kind and key in a folder. No method raises for what may be wrong with a disk.

    Only files and folders that belong to the user and that nobody else may write are read.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Store(Path(folder) / "v1")
    ...     key = digest(["a question"])
    ...     store.write("answer", key, b"42"), store.read("answer", key), store.read("answer", digest(["another"]))
    (True, b'42', None)
    """

    def __init__(self, folder: Path, limit: int = LIMIT):
        self.folder, self.limit = folder, limit
        self._unseen = limit

    def refusal(self) -> str:
        """Why the folder is not used; empty when it is, or will be made at the first write."""
        try:
            return _distrust(os.stat(self.folder), stat.S_ISDIR, "folder")
        except FileNotFoundError:
            return ""
        except OSError as error:
            return str(error)

    def read(self, kind: str, key: str) -> bytes | None:
        """What was written under the key, or None."""
        name = f"{key}.{kind}"
        try:
            if self.refusal():
                return None
            descriptor = os.open(self.folder / name, OPEN)
        except OSError:
            return None
        try:
            status = os.fstat(descriptor)
            if _distrust(status, stat.S_ISREG, "file") or status.st_size > self.limit:
                return None
            with open(descriptor, "rb", closefd=False) as file:
                content = file.read()
        except (OSError, MemoryError):
            return None
        finally:
            os.close(descriptor)
        head, payload = content[: len(MAGIC) + 32], content[len(MAGIC) + 32 :]
        if head != MAGIC + _checksum(name, payload):
            return None
        with suppress(OSError):
            os.utime(self.folder / name)
        return payload

    def write(self, kind: str, key: str, payload: bytes) -> bool:
        """Keeps bytes under the key; whether that worked."""
        name = f"{key}.{kind}"
        if len(payload) > self.limit // LARGEST:
            return False
        temporary = None
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.refusal():
                return False
            descriptor, temporary = tempfile.mkstemp(prefix=TEMPORARY, dir=self.folder)
            with open(descriptor, "wb") as file:
                file.write(MAGIC + _checksum(name, payload) + payload)
            os.replace(temporary, self.folder / name)
        except OSError:
            if temporary is not None:
                with suppress(OSError):
                    os.unlink(temporary)
            return False
        self._unseen += len(payload)
        if self._unseen > self.limit // TRIM:
            self._unseen = 0
            self._trim()
        return True

    def entries(self) -> list[Entry]:
        """What the store keeps, the longest unused first."""
        if self.refusal():
            return []
        found = [
            Entry(path, kind[1], status.st_size, status.st_mtime)
            for path, status in self._files()
            if (kind := ENTRY.fullmatch(path.name))
        ]
        return sorted(found, key=lambda entry: (entry.used, entry.path.name))

    def clear(self) -> int:
        """Removes all entries, and returns how many."""
        removed = sum(map(_remove, [entry.path for entry in self.entries()]))
        self._remove_abandoned(0.0)
        return removed

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        try:
            listing = list(os.scandir(self.folder))
        except OSError:
            return
        for item in listing:
            with suppress(OSError):
                status = item.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    yield Path(item.path), status

    def _trim(self) -> None:
        entries = self.entries()
        excess = sum(entry.size for entry in entries) - self.limit
        for entry in entries:
            if excess <= 0:
                break
            excess -= entry.size
            _remove(entry.path)
        self._remove_abandoned(ABANDONED)

    def _remove_abandoned(self, age: float) -> None:
        for path, status in self._files():
            if path.name.startswith(TEMPORARY) and time.time() - status.st_mtime >= age:
                _remove(path)


def _distrust(status: os.stat_result, is_kind: object, what: str) -> str:
    """Why something on disk is not to be believed; empty where it is."""
    assert callable(is_kind)
    if not is_kind(status.st_mode):
        return f"it is not a {what}"
    if hasattr(os, "geteuid"):
        if status.st_uid != os.geteuid():
            return f"the {what} belongs to another user"
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return f"others may write to the {what}"
    return ""


def _checksum(name: str, payload: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\0" + payload).digest()


def _remove(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    return True


def digest(parts: Iterable[str]) -> str:
    """The key of a list of texts, in hexadecimal.

    >>> digest(["ab", "c"]) == digest(["a", "bc"])
    False
    """
    found = hashlib.sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        found.update(f"{len(encoded)}:".encode() + encoded)
    return found.hexdigest()


@lru_cache(maxsize=1)
def versions() -> tuple[str, ...] | None:
    """What every key has in it: egc's own source, rules and backends included, Python and NumPy.

    None where egc's source files cannot be read, or have changed since they were loaded: what this process makes could not
    be told from what the files on disk would make.
    """
    found = hashlib.sha256()
    for package in SOURCES:
        spec = find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            for path in _sources(folder):
                try:
                    with open(path, "rb") as file:
                        source, changed = file.read(), os.fstat(file.fileno()).st_mtime
                except OSError:
                    return None
                if changed > STARTED:
                    return None
                found.update(f"{package}{path[len(folder) :]}:{len(source)}:".encode() + source)
    if found.digest() == hashlib.sha256().digest():
        return None
    return found.hexdigest(), sys.version, sys.implementation.cache_tag or "", np.__version__


def _sources(folder: str) -> Iterator[str]:
    for root, folders, names in os.walk(folder):
        folders.sort()
        yield from (os.path.join(root, name) for name in sorted(names) if name.endswith(SUFFIXES))


def base_folder() -> Path | None:
    """EGC_CACHE_DIR, or the platform's cache folder for egc; None where it is switched off by `EGC_CACHE_DIR=off`."""
    import platformdirs

    given = os.environ.get("EGC_CACHE_DIR")
    if given is not None:
        return None if given.strip().lower() in OFF else Path(given).expanduser().absolute()
    folder = Path(platformdirs.user_cache_dir("egc"))
    return folder if folder.is_absolute() else None


def shared() -> Store | None:
    """The user's store; None where it is switched off."""
    folder = base_folder()
    return None if folder is None or versions() is None else _at(folder / FOLDER)


@lru_cache(maxsize=8)
def _at(folder: Path) -> Store:
    return Store(folder)
