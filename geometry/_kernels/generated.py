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

from geometry._kernels import lanes as compiled_lanes
from geometry._kernels import search as compiled_search
from geometry._kernels.compiling import SOURCES
from geometry._kernels.shares import available_cores, shared

__all__ = ["Function", "Pointer", "functions", "search", "searching"]

TASKS, LEAST = 8, 64
"""Shares of the work for each thread, of so many queries or lanes full of them at least."""
HEAD = "@compiled(FUNCTION, error_model='numpy', no_cpython_wrapper=True)\n"
IMPORTS = """\
from geometry._kernels.compiling import compiled
from geometry._kernels.elementary import cos, exp, is_far, plus, sin
from geometry._kernels.lanes import FUNCTION as LANES_FUNCTION, LANES
from geometry._kernels.pointers import at
from geometry._kernels.search import FUNCTION
"""
LANES_HEAD = """
@compiled(LANES_FUNCTION, error_model='numpy', no_cpython_wrapper=True)
def lanes_{order}(w):
    for k in range(LANES):
        far = 0
"""
LANES_TAIL = """\
        w[LANES + k] = {result}
        w[4 * LANES + k] = float(far)
    for k in range(LANES):
        if w[4 * LANES + k] > 0:
            w[LANES + k] = {name}(at(w, k), at(w, 2 * LANES + k), at(w, 3 * LANES + k))
"""
ENTRIES = {"x[0]": "w[k]", "g[0]": "w[2 * LANES + k]", "h[0]": "w[3 * LANES + k]"}
SUM = re.compile(r"^( +)(t\d+) = \2 \+ (\S+)$", re.MULTILINE)
EXP = re.compile(r"^( {8,})(t\d+) = np\.exp\((.+)\)$", re.MULTILINE)  # in a loop
WAVE = re.compile(r"^( {8,})(t\d+) = np\.(sin|cos)\((.+)\)$", re.MULTILINE)


class Function(Protocol):
    """What is compiled: `geometry.expressions.Expression`."""

    d: int
    cost: int

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
    """As `geometry._safeguarded.descend`, for a recorded function of d variables.

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
    queries, starts = (numpy.require(array, numpy.float64, ["C", "W"]) for array in (queries, starts))
    results = (numpy.empty((n, d)), numpy.empty(n), numpy.empty((n, d)), *numpy.empty((2, n), numpy.int64))
    settings = compiled_search.ENOUGH if tolerance is None else float(tolerance), max_steps
    order = 2 if newton else 1
    if d == 1 and (lanes := _lanes(function, order)):
        arguments: tuple[Any, ...] = lanes, queries, starts, *settings
        loop, kind, least = _loop_over_lanes(newton), newton, LEAST * compiled_lanes.LANES
    else:
        arguments = *functions(function, order, order), queries, starts, newton, *settings  # of two it calls one
        loop, kind, least = _loop(d), d, LEAST

    def task(first: int, stop: int) -> None:
        loop(*arguments, first, stop, *results, kind)

    workers = workers or available_cores()
    shared(task, n, workers, max(least, -(-n // (TASKS * workers))))
    return results


@cache
def _loop(d: int) -> Any:
    """The search for d variables."""
    return compiled_search.search.compile(compiled_search.signature(d))


@cache
def _loop_over_lanes(newton: bool) -> Any:
    return compiled_lanes.search.compile(compiled_lanes.signature(newton))


class Pointer(types.WrapperAddressProtocol):
    """A compiled function as an argument of compiled code, with its address at hand."""

    def __init__(self, function: Any, signature: Any = None, told: Any = None) -> None:
        self.function = function  # which must live as long as its address
        results = function.overloads.values() if signature is None else [function.get_compile_result(signature)]
        (result,) = results
        self.address = result.library.get_pointer_to_function(result.fndesc.llvm_cfunc_wrapper_name)
        self.kind = told or result.signature

    def __wrapper_address__(self) -> int:
        return self.address

    def signature(self) -> Any:
        return self.kind


@cache
def searching(d: int) -> Pointer:
    """The search for d variables, told to take any number as d: in machine code a literal is a number like others."""
    _loop(d)
    return Pointer(compiled_search.search, compiled_search.signature(d), compiled_search.ANY)


@lru_cache(maxsize=128)
def functions(function: Function, *orders: int) -> tuple[Pointer, ...]:
    """f with its gradient (order 1), or with its Hessian too (order 2), compiled: see `search.FUNCTION`."""
    compiled = [getattr(_module(_text(function, order)), f"order_{order}") for order in orders]
    return tuple(map(Pointer, compiled))


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


@lru_cache(maxsize=256)
def _lanes(function: Function, order: int) -> Pointer | None:
    """f of one variable with so many derivatives, for LANES of them: see `lanes.FUNCTION`. None for one with loops."""
    text = _text_for_lanes(function, order)
    return Pointer(getattr(_module(text), f"lanes_{order}")) if text else None


def _text_for_lanes(function: Function, order: int) -> str:
    """All lanes in a loop; those where an argument of a sine is large again, one by one."""
    name = f"order_{order}"
    tables, _, body = function.source("numba", order=order, name=name).partition(f"def {name}(")
    lines, _, result = body.rstrip().partition(":\n")[2].rpartition("    return ")
    if "    for " in lines:
        return ""
    for entry, place in ENTRIES.items():
        lines = lines.replace(entry, place)
    lines = EXP.sub(r"\1\2 = exp(\3)", "".join(f"    {line}\n" for line in lines.splitlines()))
    lines = WAVE.sub(r"\1far = far | is_far(\4)\n\1\2 = \3(\4)", lines)
    head, tail = LANES_HEAD.format(order=order), LANES_TAIL.format(name=name, result=result)
    return f"{tables}{HEAD}def {name}({body}{head}{lines}{tail}"


@lru_cache(maxsize=256)
def _module(text: str) -> ModuleType:
    """The module of a text, in a file named by all that it is compiled from, so that numba's cache holds for it."""
    sources = f"{text}{SOURCES}{numba.__version__}{numpy.__version__}"
    key = hashlib.blake2b(sources.encode(), digest_size=16).hexdigest()
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
