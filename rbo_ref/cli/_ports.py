"""The port behind what a user names: MODULE:ATTRIBUTE, on an array library."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module, util
from operator import attrgetter
from pathlib import Path
from typing import Any

from rbo_ref import oracle
from rbo_ref._words import text_of
from rbo_ref.cli._common import CouldNotRun
from rbo_ref.cli._guard import going_on
from rbo_ref.oracle import OPTIMIZERS
from rbo_ref.oracle.calls import attribute_of
from rbo_ref.oracle.dialects import ROLLING_BALL, optimizer_of

__all__ = ["as_port", "load", "named_port", "prepare"]


def named_port(name: str, xp: str | None, dtype: str, optimizer: str | None) -> tuple[Any, str]:
    """The port of this name, and its array library: the one asked for, or the port's own, or NumPy."""
    optimizer = optimizer_of(optimizer or ROLLING_BALL)
    if optimizer not in OPTIMIZERS:
        raise CouldNotRun(f"optimizer must be one of {', '.join(OPTIMIZERS)}, got {optimizer!r}")
    port = as_port(load(name), name)
    library = xp or attribute_of(port, "library", "numpy")
    if not isinstance(library, str):
        raise CouldNotRun(f"the library of {name} must be the name of one, got {library!r}")
    prepare(library, dtype)
    return port, library


def as_port(port: Any, name: str) -> Any:
    """The port behind what the user names, with a sentence for what cannot be one."""
    with _code_of_others(f"{name} is no port"):
        return oracle.as_port(port)


def load(name: str) -> Any:
    """The object behind MODULE:ATTRIBUTE, where MODULE is a dotted name or a path."""
    place, colon, attribute = name.rpartition(":")
    if not colon or not place or not attribute:
        raise CouldNotRun(f"expected MODULE:ATTRIBUTE, got {name!r}")
    sys.path.insert(0, os.getcwd())
    going_on(f"{place} was imported")
    with _code_of_others(f"cannot import {place}"):
        found = _load_file(Path(place)) if place.endswith(".py") else import_module(place)
    absent = f"{place} has no attribute {attribute!r}"
    with _code_of_others(absent):
        try:
            return attrgetter(attribute)(found)
        except AttributeError as error:
            raise CouldNotRun(absent) from error


@contextmanager
def _code_of_others(what: str) -> Iterator[None]:
    """Whatever it raises, SystemExit too, is a sentence."""
    try:
        yield
    except (KeyboardInterrupt, CouldNotRun):
        raise
    except TypeError as error:  # of ours, in words
        raise CouldNotRun(f"{what}: {text_of(error)}") from error
    except BaseException as error:
        raise CouldNotRun(f"{what}: {type(error).__name__}: {text_of(error)}") from error


def _load_file(path: Path) -> Any:
    spec = util.spec_from_file_location(path.stem, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise FileNotFoundError(f"no file {path}")
    module = util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    spec.loader.exec_module(module)
    return module


def prepare(xp: str, dtype: str) -> None:
    """Make sure that the library is there, and that JAX does not quietly drop to float32."""
    try:
        found = util.find_spec(xp.partition(".")[0])
    except (ValueError, ImportError):  # no name of a module
        found = None
    if found is None:
        raise CouldNotRun(f"{xp} is not installed")
    if xp.partition(".")[0] == "jax" and dtype == "float64":
        import jax

        jax.config.update("jax_enable_x64", True)
