"""Backends are found by name."""

from __future__ import annotations

import importlib.metadata
from importlib.util import find_spec

import pytest

from egc import backend
from egc.errors import BackendError


def test_built_in_backends_are_available():
    assert set(backend.available()) >= {"reference", "numba", "jax"}


@pytest.mark.parametrize("name", ["reference", "numba", "jax"])
def test_backends_know_their_names(name):
    if name != "reference" and find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    assert backend.load(name).name == name


def test_an_unknown_backend_is_refused_with_the_known_ones():
    with pytest.raises(BackendError, match="there are reference, numba, jax"):
        backend.load("fortran")


def test_an_absent_library_is_named_with_its_extra(monkeypatch):
    monkeypatch.setattr(backend, "find_spec", lambda name: None)
    with pytest.raises(BackendError, match=r"pip install egc\[jax\]"):
        backend.load("jax")


@pytest.mark.parametrize("target", ["egc.backends.reference", "egc.backends.reference:BACKEND"])
def test_entry_points_add_backends(monkeypatch, target):
    point = importlib.metadata.EntryPoint("other", target, backend.ENTRY_POINTS)

    def entry_points(**selection):
        return importlib.metadata.EntryPoints([point]).select(**selection)

    monkeypatch.setattr(backend, "entry_points", entry_points)
    assert "other" in backend.available()
    assert backend.load("other").name == "reference"
