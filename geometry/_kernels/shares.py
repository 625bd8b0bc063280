"""Work of compiled code in shares for threads."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

__all__ = ["available_cores", "shared"]

TASKS = 8  # per worker, so that nobody waits long for the last


def available_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def shared(function: Callable[[int, int], Any], count: int, workers: int, size: int | None = None) -> list[Any]:
    """function(first, stop) for all of range(count), `size` at a time. Compiled code lets other threads run.

    The calling thread is one of the workers: a task costs as little as a call, and another thread is all that two need.
    """
    size = size or -(-count // (TASKS * workers))
    parts = [(first, min(first + size, count)) for first in range(0, count, size)]
    left, results = deque(range(len(parts))), [None] * len(parts)

    def work() -> None:
        while left:
            try:
                number = left.popleft()
            except IndexError:  # another thread was quicker
                return
            results[number] = function(*parts[number])

    others = min(workers, len(parts)) - 1
    if others < 1:
        work()
        return results
    with ThreadPoolExecutor(others) as pool:
        tasks = [pool.submit(work) for _ in range(others)]
        try:
            work()
        except BaseException:
            left.clear()
            raise
        for task in tasks:
            task.result()
    return results
