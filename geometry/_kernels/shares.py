"""Work of compiled code in shares for threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

__all__ = ["available_cores", "shared"]

TASKS = 8  # per worker, so that nobody waits long for the last


def available_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def shared(function: Callable[[int, int], Any], count: int, workers: int, size: int | None = None) -> list[Any]:
    """function(first, stop) for all of range(count), `size` at a time. Compiled code lets other threads run."""
    size = size or -(-count // (TASKS * workers))
    parts = [(first, min(first + size, count)) for first in range(0, count, size)]
    if workers == 1 or len(parts) < 2:
        return [function(*part) for part in parts]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda part: function(*part), parts))
