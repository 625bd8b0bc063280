"""Recorded functions as compiled ones: their text in a file, which is kept on disk where it can be."""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
from contextlib import suppress
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numba
import numpy
from numba import types

from geometry._kernels import search as compiled_search
from geometry._kernels.shares import available_cores, shared

__all__ = ["search"]

TASKS, LEAST = 8, 64
"""Shares of the work for each thread, of so many queries at least."""
HEAD = "@compiled(FUNCTION, error_model='numpy', no_cpython_wrapper=True)\n"
IMPORTS = """\
from geometry._kernels.compiling import compiled
from geometry._kernels.elementary import cos, exp, is_far, plus, sin
from geometry._kernels.search import FUNCTION
"""
SUM = re.compile(r"^( +)(t\d+) = \2 \+ (\S+)$", re.MULTILINE)
EXP = re.compile(r"^( {8,})(t\d+) = np\.exp\((.+)\)$", re.MULTILINE)  # in a loop
WAVE = re.compile(r"^( {8,})(t\d+) = np\.(sin|cos)\((.+)\)$", re.MULTILINE)


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
    functions = _functions(function)
    queries, starts = (numpy.require(array, numpy.float64, ["C", "W"]) for array in (queries, starts))
    results = (numpy.empty((n, d)), numpy.empty(n), numpy.empty((n, d)), *numpy.empty((2, n), numpy.int64))
    settings = newton, -1.0 if tolerance is None else float(tolerance), max_steps
    loop = _loop(d)

    def task(first: int, stop: int) -> None:
        loop(*functions, queries, starts, *settings, first, stop, *results, d)

    workers = workers or available_cores()
    shared(task, n, workers, max(LEAST, -(-n // (TASKS * workers))))
    return results


@cache
def _loop(d: int) -> Any:
    """The search for d variables."""
    return compiled_search.search.compile(compiled_search.signature(d))


class Pointer(types.WrapperAddressProtocol):
    """A compiled function as an argument of compiled code, with its address at hand."""

    def __init__(self, function: Any) -> None:
        self.function = function  # which must live as long as its address
        result = function.get_compile_result(compiled_search.FUNCTION)
        self.address = result.library.get_pointer_to_function(result.fndesc.llvm_cfunc_wrapper_name)

    def __wrapper_address__(self) -> int:
        return self.address

    def signature(self) -> Any:
        return compiled_search.FUNCTION


@lru_cache(maxsize=128)
def _functions(function: Function) -> tuple[Pointer, Pointer]:
    """f with its gradient, and with its Hessian, compiled: see `search.FUNCTION`."""
    module = _module("".join(_text(function, order) for order in (1, 2)))
    return Pointer(module.order_1), Pointer(module.order_2)


def _text(function: Function, order: int) -> str:
    """The text of a function, with loops that LLVM can vectorise.

    Only sums are made in another order, and exp, sin and cos are taken without branches. Where an argument of a sine
    turns out to be too large for that, all is done again, with those of the system.
    """
    name = f"order_{order}"
    tables, _, body = function.source("numba", order=order, name=name).partition(f"def {name}(")
    careful = SUM.sub(r"\1\2 = plus(\2, \3)", body)
    careful = EXP.sub(r"\1\2 = exp(\3)", careful)
    quick = WAVE.sub(r"\1far = far | is_far(\4)\n\1\2 = \3(\4)", careful)
    if quick == careful:
        return f"{tables}{HEAD}def {name}({careful}"
    start, _, result = quick.rstrip().partition(":\n")[2].rpartition("    return ")
    again = f"careful_{order}(x, g, h)"
    return (
        f"{tables}{HEAD}def careful_{order}({careful}{HEAD}def {name}(x, g, h):\n    far = 0\n{start}"
        f"    return {again} if far else {result}\n"
    )


@lru_cache(maxsize=128)
def _module(text: str) -> ModuleType:
    """The module of a text, in a file named by the text and the versions, so that numba's cache holds for it."""
    key = hashlib.blake2b(f"{text}{numba.__version__}{numpy.__version__}".encode(), digest_size=16).hexdigest()
    path = _kept(f"function_{key}.numba", IMPORTS + text)
    module = sys.modules[f"geometry_function_{key}"] = ModuleType(f"geometry_function_{key}")  # the cache looks there
    exec(compile(IMPORTS + text, str(path), "exec"), module.__dict__)
    return module


def _kept(name: str, text: str) -> Path:
    """Where a text is on disk. One that cannot be written is compiled anew in every process."""
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or Path(__file__).parent / "__pycache__") / "functions"
    path = folder / name
    with suppress(OSError):
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".new", delete=False, encoding="utf-8") as file:
                file.write(text)
            os.replace(file.name, path)
    return path
