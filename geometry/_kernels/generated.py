"""Searches compiled with a recorded function: the text of both in one file, which is kept on disk where it can be."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Protocol

import numba
import numpy

from geometry._kernels import search as text
from geometry._kernels.shares import available_cores, shared

__all__ = ["search"]

EXAMPLE = "from geometry._kernels.example import D, value_and_gradient, value_gradient_hessian\n"
TASKS, LEAST = 8, 64
"""Shares of the work for each thread, of so many queries at least."""


class Function(Protocol):
    """What is compiled: `geometry.expressions.Expression`."""

    d: int

    def __hash__(self) -> int: ...

    def source(self, language: str, *, order: int, name: str) -> str: ...


def search(
    function: Function,
    queries: numpy.ndarray,
    starts: numpy.ndarray,
    newton: bool,
    tolerance: float | None,
    max_steps: int,
    *,
    workers: int | None = None,
) -> tuple[numpy.ndarray, ...]:
    """As `geometry._search.descend`, for a recorded function of d variables.

    Parameters
    ----------
    function : Expression
    queries : array (n, d+1), float64
    starts : array (n, d), float64
    newton : bool
        Newton's direction, or Gauss and Newton's.
    tolerance, max_steps
        As in `Newton`.
    workers : int, optional
        Number of threads; default: as many as there are cores.

    Returns
    -------
    theta (n, d), value (n,), gradient (n, d), steps (n,), status (n,)
        The same to the bit for any number of workers, and whatever else is in the batch.
    """
    n, d = starts.shape
    module = _module(_program(function, d))
    queries, starts = (numpy.ascontiguousarray(array, dtype=numpy.float64) for array in (queries, starts))
    results = (numpy.empty((n, d)), numpy.empty(n), numpy.empty((n, d)), *numpy.empty((2, n), numpy.int64))
    settings = newton, -1.0 if tolerance is None else float(tolerance), max_steps

    def task(first: int, stop: int) -> None:
        module.search(queries, starts, *settings, first, stop, *results)

    workers = workers or available_cores()
    shared(task, n, workers, max(LEAST, -(-n // (TASKS * workers))))
    return results


@lru_cache(maxsize=128)
def _program(function: Function, d: int) -> str:
    """The whole text of a module: the function in two orders, and the search."""
    own = Path(text.__file__).read_text(encoding="utf-8")
    if EXAMPLE not in own:
        raise RuntimeError("the text of the search has no place for a function")
    parts = [f"D = {d}\n"]
    for order, name in ((1, "value_and_gradient"), (2, "value_gradient_hessian")):
        source = function.source("numba", order=order, name=name)
        parts.append(source.replace(f"def {name}(", f"@_function\ndef {name}("))
    return own.replace(EXAMPLE, '_function = compiled(error_model="numpy")\n' + "\n".join(parts))


@lru_cache(maxsize=128)
def _module(program: str) -> ModuleType:
    """The module of a text, from a file named by the text and the versions, so that numba's cache holds for it."""
    key = hashlib.blake2b(f"{program}{numba.__version__}{numpy.__version__}".encode(), digest_size=16).hexdigest()
    path = _kept(f"search_{key}.py", program)
    spec = importlib.util.spec_from_file_location(f"geometry_search_{key}", path)
    assert spec is not None and spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)  # the cache looks for it there
    exec(compile(program, str(path), "exec"), module.__dict__)
    return module


def _kept(name: str, program: str) -> Path:
    """Where a text is, or was last, on disk; a text that cannot be written is compiled anew in every process."""
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or Path(__file__).parent / "__pycache__") / "searches"
    path = folder / name
    with suppress(OSError):
        if not path.is_file() or path.read_text(encoding="utf-8") != program:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".new", delete=False, encoding="utf-8") as file:
                file.write(program)
            os.replace(file.name, path)
    return path
