"""The cache on disk: what it promises whatever happens to its files."""

import errno
import os
import stat
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from egc import cache
from egc.cache import Store, digest

KEY, OTHER = digest(["a question"]), digest(["another"])
PAYLOAD = bytes(range(256)) * 4
HEAD = len(cache.MAGIC) + 32


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "v1")


@pytest.fixture
def entry(store):
    assert store.write("answer", KEY, PAYLOAD)
    return store.folder / f"{KEY}.answer"


def test_what_is_written_is_found_under_its_kind_and_key_only(store, entry):
    assert store.read("answer", KEY) == PAYLOAD
    assert store.read("answer", OTHER) is None and store.read("question", KEY) is None


def test_the_last_writer_wins(store, entry):
    store.write("answer", KEY, b"new")
    assert store.read("answer", KEY) == b"new" and len(store.entries()) == 1


def test_folder_and_entries_are_the_users_own(store, entry):
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(entry.stat().st_mode) == 0o600


@pytest.mark.parametrize("position", [0, len(cache.MAGIC), HEAD - 1, HEAD, HEAD + len(PAYLOAD) - 1])
def test_a_changed_byte_is_noticed(store, entry, position):
    content = bytearray(entry.read_bytes())
    content[position] ^= 1
    entry.write_bytes(content)
    assert store.read("answer", KEY) is None
    assert store.write("answer", KEY, PAYLOAD) and store.read("answer", KEY) == PAYLOAD


@pytest.mark.parametrize("length", [0, 1, HEAD - 1, HEAD, HEAD + 1])
def test_a_torn_entry_is_noticed(store, entry, length):
    entry.write_bytes(entry.read_bytes()[:length])
    assert store.read("answer", KEY) is None


def test_an_entry_under_another_name_is_foreign(store, entry):
    entry.rename(store.folder / f"{OTHER}.answer")
    assert store.read("answer", OTHER) is None


def _owned_by_another(function):
    def changed(*arguments, **named):
        status = function(*arguments, **named)
        fields = list(status)
        fields[4] += 1
        return os.stat_result(fields)

    return changed


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no owner here")
def test_a_file_of_another_user_is_not_believed(store, entry, monkeypatch):
    monkeypatch.setattr(os, "fstat", _owned_by_another(os.fstat))
    assert store.read("answer", KEY) is None


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no owner here")
def test_a_folder_of_another_user_is_not_used(store, entry, monkeypatch):
    monkeypatch.setattr(os, "stat", _owned_by_another(os.stat))
    assert store.read("answer", KEY) is None
    assert not store.write("answer", OTHER, PAYLOAD)
    assert "another user" in store.refusal() and store.entries() == [] and store.clear() == 0
    monkeypatch.undo()
    assert store.read("answer", OTHER) is None


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no owner here")
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_is_not_believed(store, entry, mode):
    entry.chmod(mode)
    assert store.read("answer", KEY) is None


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no owner here")
@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
def test_a_folder_that_others_may_write_is_not_used(store, entry, mode):
    store.folder.chmod(mode)
    assert store.read("answer", KEY) is None and not store.write("answer", OTHER, PAYLOAD)
    assert "others may write" in store.refusal()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
@pytest.mark.parametrize("make", ["pipe", "folder", "link"])
def test_what_is_no_plain_file_is_not_read(store, entry, tmp_path, make):
    content = entry.read_bytes()
    entry.unlink()
    if make == "pipe":
        os.mkfifo(entry)
    elif make == "folder":
        entry.mkdir()
    else:
        (tmp_path / "elsewhere").write_bytes(content)
        entry.symlink_to(tmp_path / "elsewhere")
    assert store.read("answer", KEY) is None
    store.write("answer", KEY, PAYLOAD)
    store.clear()


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_file_where_the_folder_should_be_is_survived(tmp_path, below):
    (tmp_path / "v1").write_text("not a folder")
    store = Store(tmp_path / "v1" / below)
    assert store.read("answer", KEY) is None and not store.write("answer", KEY, PAYLOAD)
    assert store.refusal() and store.entries() == [] and store.clear() == 0


class FullFile:
    """A file on a full disk: a part is written, then an error."""

    def __init__(self, descriptor, mode):
        self.descriptor = descriptor

    def __enter__(self):
        return self

    def __exit__(self, *error):
        os.close(self.descriptor)

    def write(self, content):
        os.write(self.descriptor, content[:100])
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_survived_and_leaves_nothing(store, entry, monkeypatch):
    monkeypatch.setattr(cache, "open", FullFile, raising=False)
    assert not store.write("answer", KEY, b"new") and not store.write("answer", OTHER, PAYLOAD)
    monkeypatch.undo()
    assert store.read("answer", KEY) == PAYLOAD and os.listdir(store.folder) == [entry.name]


def test_a_read_only_folder_is_read(store, entry, monkeypatch):
    def refuse(*arguments, **named):
        raise OSError(errno.EROFS, "Read-only file system")

    for module, name in ((cache.tempfile, "mkstemp"), (os, "replace"), (os, "utime"), (os, "unlink")):
        monkeypatch.setattr(module, name, refuse)
    assert store.read("answer", KEY) == PAYLOAD
    assert not store.write("answer", OTHER, PAYLOAD)


WRITER = """
import sys
from pathlib import Path
from egc.cache import Store, digest
store, number = Store(Path(sys.argv[1])), int(sys.argv[2])
key = digest(["shared"])
for turn in range(150):
    store.write("answer", key, bytes([number]) * 50_000)
    found = store.read("answer", key)
    assert found is None or len(found) == 50_000 and len(set(found)) == 1, turn
    store.write("answer", digest([str(number), str(turn % 5)]), b"own")
    if number == 0 and turn % 50 == 25:
        store.clear()
"""


def test_writers_at_once_never_show_a_mixture(tmp_path):
    """One of them also clears now and then; a reader may find nothing, but nothing wrong."""
    arguments = [sys.executable, "-c", WRITER, str(tmp_path / "v1")]
    running = [subprocess.Popen([*arguments, str(number)], stderr=subprocess.PIPE, text=True) for number in range(3)]
    assert [process.communicate()[1] for process in running] == ["", "", ""]
    names = os.listdir(tmp_path / "v1")
    assert names and all(cache.ENTRY.fullmatch(name) for name in names)


def test_the_longest_unused_entries_go_first(tmp_path):
    store = Store(tmp_path / "v1", limit=10_000)
    keys = [digest([str(k)]) for k in range(7)]
    for age, key in enumerate(keys[:4]):
        store.write("answer", key, bytes(2000))
        os.utime(store.folder / f"{key}.answer", (time.time() - 1000 + age,) * 2)
    assert store.read("answer", keys[0]) is not None
    for key in keys[4:]:
        store.write("answer", key, bytes(2000))
    assert [k for k, key in enumerate(keys) if store.read("answer", key) is not None] == [0, 4, 5, 6]
    assert sum(entry.size for entry in store.entries()) <= store.limit


def test_an_entry_that_would_fill_the_store_is_not_kept(tmp_path):
    store = Store(tmp_path / "v1", limit=10_000)
    assert not store.write("answer", KEY, bytes(2501)) and store.write("answer", KEY, bytes(2500))


def test_temporary_files_of_dead_writers_go(store, entry):
    old, new = store.folder / f"{cache.TEMPORARY}old", store.folder / f"{cache.TEMPORARY}new"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 2 * cache.ABANDONED,) * 2)
    Store(store.folder).write("answer", OTHER, PAYLOAD)
    assert not old.exists() and new.exists()


def test_clearing_removes_entries_and_nothing_else(store, entry):
    foreign = store.folder / "notes.txt"
    foreign.write_text("mine")
    assert store.clear() == 1 and os.listdir(store.folder) == ["notes.txt"]


@pytest.mark.parametrize("value", ["", "off", "OFF"])
def test_the_environment_switches_the_cache_off(monkeypatch, value):
    monkeypatch.setenv("EGC_CACHE_DIR", value)
    assert cache.shared() is None


def test_the_environment_names_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("EGC_CACHE_DIR", str(tmp_path))
    found = cache.shared()
    assert found is not None and found.folder.parent == tmp_path


def test_without_the_environment_the_cache_is_the_platforms(monkeypatch):
    import platformdirs

    monkeypatch.delenv("EGC_CACHE_DIR")
    assert cache.base_folder() == Path(platformdirs.user_cache_dir("egc"))


@pytest.fixture
def sources(monkeypatch, tmp_path):
    """A package of one module and one table instead of egc's own files; calling it gives the versions."""

    def versions():
        cache.versions.cache_clear()
        return cache.versions()

    def change(name, text, when=cache.STARTED - 10):
        (tmp_path / name).write_text(text)
        os.utime(tmp_path / name, (when, when))

    package = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(cache, "find_spec", lambda name: package)
    change("module.py", "x = 1")
    change("table.json", "{}")
    yield versions, change
    cache.versions.cache_clear()


@pytest.mark.parametrize("name", ["module.py", "table.json", "new.py"])
def test_versions_follow_the_content_of_egcs_files(sources, name):
    versions, change = sources
    before = versions()
    change(name, "x = 2")
    after = versions()
    assert None not in (before, after) and before != after
    change(name, "x = 1")
    assert versions() != after


def test_source_that_changed_since_it_was_loaded_switches_the_cache_off(sources, monkeypatch, tmp_path):
    versions, change = sources
    change("module.py", "x = 1", cache.STARTED + 10)
    monkeypatch.setenv("EGC_CACHE_DIR", str(tmp_path))
    assert versions() is None and cache.shared() is None
