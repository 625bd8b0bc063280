"""Every library is judged in a process of its own, so that what one of them does to its process is one cell."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from signal import Signals
from threading import Event, Timer
from typing import NamedTuple

from rbo_ref.oracle.board.cells import Cell, failed
from rbo_ref.oracle.board.listing import Row

__all__ = ["Task", "cells_of"]


class Task(NamedTuple):
    """A row to be judged in a format."""

    number: int  # of the row in its table
    row: Row
    dtype: str


def cells_of(
    tasks: Sequence[Task], arguments: Callable[[Sequence[Task]], list[str]], limit: float = 600.0
) -> Iterator[Cell]:
    """The cells of tasks, one after the other.

    Parameters
    ----------
    tasks : sequence of Task
    arguments : callable
        Tasks → the arguments of a Python that writes one cell after the other to its standard output, as JSON Lines.
        One that ends early loses the cell that it was at; the others are asked of another one.
    limit : float
        Seconds that a cell may take.
    """
    for _, group in groupby(tasks, key=lambda task: task.row.library):
        todo = list(group)
        while todo:
            ending = yield from _answered(todo, [sys.executable, *arguments(todo)], limit)
            if todo:
                lost = todo.pop(0)
                yield failed(lost.row, lost.dtype, f"the process {ending} while this was judged")


def _answered(todo: list[Task], command: list[str], limit: float) -> Generator[Cell, None, str]:
    """The cells that a process answers, each taken off the list; returns how it ended."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8")
    assert process.stdout is not None
    late = Event()

    def stop() -> None:
        late.set()
        process.kill()

    try:
        while todo:
            timer = Timer(limit, stop)
            timer.start()
            try:
                line = process.stdout.readline()
            finally:
                timer.cancel()
            if not line.endswith("\n"):
                break
            yield _read(line)
            del todo[0]
        return f"ran for more than {limit:g} s" if late.is_set() else _how(process.wait())
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def _read(line: str) -> Cell:
    record = json.loads(line)
    return Cell(**{**record, "cases": tuple(record["cases"])})


def _how(ending: int) -> str:
    with suppress(ValueError):
        if ending < 0:
            return f"was killed by {Signals(-ending).name}"
    return f"ended itself with exit status {ending}"
