"""Ports as their users write them, and the frameworks that they need."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from rbo_ref.oracle.suspects import search

PORTS = Path(__file__).parents[2] / "ports"


def example(name):
    spec = spec_from_file_location(name, PORTS / f"{name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def no_pairs(monkeypatch):
    """Edits are searched one by one: all pairs of them take seconds, where nothing is found."""
    monkeypatch.setattr(search, "PAIRS", 0)


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="torch is not installed")


@pytest.fixture
def jax():
    jax = pytest.importorskip("jax", reason="jax is not installed")
    pytest.importorskip("optax", reason="optax is not installed")
    jax.config.update("jax_enable_x64", True)
    return jax
