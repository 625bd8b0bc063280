"""How functions are compiled: once, and then kept on disk where there is a place for it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy
from numba import config, njit
from numba.core.caching import FunctionCache, NullCache

__all__ = ["SOURCES", "compiled", "linked", "read_only", "remembered"]

if config.DISABLE_JIT:  # type: ignore[attr-defined]
    raise ImportError("numba is told not to compile (NUMBA_DISABLE_JIT), and the kernels are too slow uncompiled")

SOURCES = hashlib.blake2b(
    b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))), digest_size=16
).hexdigest()
"""Of all kernels: compiled code holds copies of what it calls, of which numba watches the one file only."""


def compiled(*signatures: Any, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorator: numba's ``njit(nogil=True, cache=True)``, for which a cache that is of no use is no cache.

    Without a directory to write into, with a full disk or a damaged file, the function is compiled anew. With
    signatures it is compiled for these at once, and for no others.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        dispatcher = njit(nogil=True, **options)(function)
        dispatcher._cache = remembered(function, dispatcher._cache)
        for signature in signatures:
            dispatcher.compile(signature)
        if signatures:
            dispatcher.disable_compile()
        return dispatcher

    return decorate


def linked(*functions: Callable[..., Any]) -> Any:
    """The last of functions that are plain Python and call those before them, all of them compiled."""
    known: dict[str, Any] = {}
    for function in functions:
        copy = FunctionType(function.__code__, function.__globals__ | known, function.__name__)
        copy.__module__, copy.__qualname__ = function.__module__, function.__qualname__
        known[function.__name__] = compiled()(copy)
    return known[functions[-1].__name__]


def read_only(array: numpy.ndarray) -> numpy.ndarray:
    """The same memory, not to be written to: one type, or numba would compile all anew for what the user locked."""
    view = array.view()
    view.flags.writeable = False
    return view


def remembered(function: Callable[..., Any], otherwise: Any = None) -> Any:
    """The cache of a function on disk; where no directory can be written, or there is no source file, the other."""
    try:
        return _Cache(function)
    except (RuntimeError, OSError, UnicodeError):  # the last of a path that the locale has no letters for
        return otherwise or NullCache()


class _Cache(FunctionCache):
    """numba's cache of a function, which raises whatever a damaged file makes pickle raise."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._cache_file._source_stamp = self._cache_file._source_stamp, SOURCES

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            found = super().load_overload(sig, target_context)
            if found is None or _is_of(found, self._py_func, sig):
                return found
        except Exception:
            pass
        with suppress(Exception):
            self.flush()
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        with suppress(Exception):
            super().save_overload(sig, data)


def _is_of(found: Any, function: Callable[..., Any], signature: Any) -> bool:
    """Whether a file holds what its name says: the code of this function for these types."""
    types = getattr(signature, "args", signature)
    return found.fndesc.qualname == function.__qualname__ and tuple(found.signature.args) == tuple(types)
