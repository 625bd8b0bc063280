"""``rbo-ref board``: judge the optimizers of all libraries that are installed."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rbo_ref._words import printable
from rbo_ref.cli._common import COULD_NOT_RUN, RIGHT, UNDECIDED, WRONG, CouldNotRun
from rbo_ref.cli._optimizer import add_optimizer
from rbo_ref.cli._output import ALONE, add_file, check_files, write_text
from rbo_ref.cli._ports import load
from rbo_ref.cli._streams import say
from rbo_ref.oracle.board import ROWS, Cell, Row, changes, judged, read, to_json, to_rst
from rbo_ref.oracle.board.cells import MISSING, VARIANT
from rbo_ref.oracle.board.processes import Task, cells_of
from rbo_ref.oracle.checking import DTYPES

__all__ = ["add"]


def add(board: argparse.ArgumentParser) -> None:
    """Add the options to the command's parser."""
    board.description = _board.__doc__
    board.add_argument("--library", action="append", metavar="NAME", help="only rows of this one (may be repeated)")
    add_optimizer(board, "only rows judged as this, likewise", action="append")
    board.add_argument("--dtype", action="append", choices=DTYPES, help="only in this format, likewise")
    board.add_argument("--table", metavar="MODULE:ATTRIBUTE", help="rows of your own; MODULE may be a .py file")
    board.add_argument("--time-limit", type=float, default=60.0, metavar="SECONDS", help="for one step")
    add_file(board, "--json", "write the board as JSON", ALONE)
    add_file(board, "--rst", "write it as a page, likewise")
    board.add_argument("--compare", nargs=2, metavar="FILE", help="judge nothing: say what changed between two in JSON")
    board.add_argument("--cells", help=argparse.SUPPRESS)  # of a process that judges: NUMBER:DTYPE,...
    board.set_defaults(run=_board)


def _board(options: argparse.Namespace) -> int:
    """Judge the optimizers of all libraries that are installed, row by row of a table."""
    if options.compare:
        return _compare(*options.compare)
    check_files(json=options.json, rst=options.rst)
    rows = _rows(options.table)
    if options.cells:
        return _answer(rows, options)
    tasks = _wanted(rows, options)
    quiet, cells = "-" in (options.json, options.rst), []
    for cell in cells_of(tasks, lambda todo: _arguments(todo, options)):
        cells.append(cell)
        if not quiet:
            say(_line(cell), flush=True)
    if options.json:
        write_text(to_json(cells), options.json)
    if options.rst:
        write_text(to_rst(cells, "rbo-ref board --rst FILE"), options.rst)
    if not quiet:
        counts = Counter(cell.verdict for cell in cells)
        say(f"\n{len(cells)} cells: {', '.join(f'{count} {verdict}' for verdict, count in counts.items())}")
    return _status(cells)


def _rows(table: str | None) -> Sequence[Row]:
    rows = load(table) if table else ROWS
    if not isinstance(rows, list | tuple) or not all(isinstance(row, Row) for row in rows):
        raise CouldNotRun(f"{table} must be a list of rbo_ref.oracle.board.Row")
    return rows


def _wanted(rows: Sequence[Row], options: argparse.Namespace) -> list[Task]:
    """The rows asked for, each in the formats asked for that it has."""

    def admits(chosen: list[str] | None, name: str) -> bool:
        return not chosen or name in chosen

    for name in options.library or ():
        if name not in {row.library for row in rows}:
            raise CouldNotRun(f"no row is of {name}, only of {', '.join(sorted({row.library for row in rows}))}")
    chosen = [
        Task(number, row, dtype)
        for number, row in enumerate(rows)
        for dtype in row.dtypes
        if admits(options.library, row.library) and admits(options.optimizer, row.optimizer)
        if admits(options.dtype, dtype)
    ]
    if not chosen:
        raise CouldNotRun("the table has no such row")
    return chosen


def _arguments(todo: Sequence[Task], options: argparse.Namespace) -> list[str]:
    """The arguments of the Python that judges these."""
    cells = ",".join(f"{task.number}:{task.dtype}" for task in todo)
    table = ["--table", options.table] if options.table else []
    return ["-m", "rbo_ref.cli", "board", *table, f"--time-limit={options.time_limit}", f"--cells={cells}"]


def _answer(rows: Sequence[Row], options: argparse.Namespace) -> int:
    """Judge and write cells, one after the other."""
    for part in options.cells.split(","):
        number, _, dtype = part.partition(":")
        say(json.dumps(asdict(judged(rows[int(number)], dtype, options.time_limit))), flush=True)
    return RIGHT


def _line(cell: Cell) -> str:
    about = f"{cell.library} {cell.name} as {cell.optimizer}"
    told = cell.difference["name"] if cell.difference else "" if cell.verdict in ("RIGHT", VARIANT) else cell.message
    verdict = f"{cell.verdict} {cell.share}"
    return printable(f"{about:<56} {cell.dtype:<9} {verdict:<24} {told}".rstrip(), 300)


def _status(cells: Sequence[Cell]) -> int:
    found = {cell.verdict for cell in cells} - {MISSING}
    if "WRONG" in found:
        return WRONG
    if not found or "COULD NOT RUN" in found:
        return COULD_NOT_RUN
    return RIGHT if found <= {"RIGHT", VARIANT} else UNDECIDED


def _compare(before: str, after: str) -> int:
    found = changes(_read(before), _read(after))
    for change in found:
        say(f"changed: {change}")
    say(f"{len(found)} cells changed")
    return WRONG if found else RIGHT


def _read(file: str) -> list[Any]:
    try:
        return read(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CouldNotRun(f"cannot read {file}: {printable(error)}") from error
