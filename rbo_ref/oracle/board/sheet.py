"""A board in files: JSON for machines, reStructuredText for people."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import cache
from importlib import resources
from typing import Any

from rbo_ref._json import parsed_json
from rbo_ref._words import printable
from rbo_ref.oracle.board.cells import MISSING, Cell

__all__ = ["read", "to_json", "to_rst"]

FORMAT = "rbo-board-1"


def to_json(cells: Iterable[Cell]) -> str:
    """The board as JSON text, which follows ``schemas/board.json``.

    Examples
    --------
    >>> cell = Cell("torch", "SGD", "gradient-descent", "paper", "float64", "RIGHT")
    >>> read(to_json([cell])) == [cell]
    True
    """
    about = {"format": FORMAT, "python": platform.python_version()}
    return json.dumps(about | {"cells": [asdict(cell) for cell in cells]}, indent=1, ensure_ascii=False) + "\n"


def read(text: str) -> list[Cell]:
    """The cells of a board in JSON.

    Raises
    ------
    ValueError
        If it is no board, with a sentence.

    Examples
    --------
    >>> read('{"format": "rbo-board-1", "python": "3.11.7", "cells": {}}')
    Traceback (most recent call last):
    ...
    ValueError: no board: data.cells must be array
    """
    import fastjsonschema

    try:
        found = parsed_json(text)
        _validate()(found)
    except fastjsonschema.JsonSchemaValueException as error:
        raise ValueError(f"no board: {printable(error, 300)}") from error
    return [Cell(**{**cell, "cases": tuple(cell["cases"])}) for cell in found["cells"]]


@cache
def _validate() -> Callable[[Any], Any]:
    import fastjsonschema

    text = resources.files("rbo_ref.oracle").joinpath("schemas/board.json").read_text(encoding="utf-8")
    return fastjsonschema.compile(json.loads(text))


def to_rst(cells: Sequence[Cell], command: str) -> str:
    """The board as a page: versions, a table, and what there is to say about every cell that is not RIGHT.

    Parameters
    ----------
    cells : sequence of Cell
    command : str
        What repeats it.

    Examples
    --------
    >>> cell = Cell("torch", "SGD", "gradient-descent", "paper", "float64", "RIGHT", {"results": 28, "pass": 28})
    >>> "RIGHT, 28 of 28" in to_rst([cell], "rbo-ref board --rst board.rst")
    True
    """
    return "\n".join([*_head(command), *_versions(cells), *_table(cells), *_details(cells)])


HEAD = """
The board
=========

Optimizers of the libraries below, as they are installed, judged by the oracle. Each cell says in how many judgements an
optimizer is what the verdict says; the others passed, or could not be decided in that format. It is judged by the cases
that it has the parameters for.

VARIANT: wrong by the definition that it was judged by, but by nothing but one difference, which its documentation or
its source states. NO DIALECT: by its documentation another definition, which the oracle does not have.

The page is repeated by::
"""


def _head(command: str) -> Iterator[str]:
    yield from (*HEAD.strip().splitlines(), "", f"    {command}", "")


def _versions(cells: Sequence[Cell]) -> Iterator[str]:
    found = dict(sorted({name: version for cell in cells for name, version in cell.versions.items()}.items()))
    yield (
        f"Python {platform.python_version()}, " + ", ".join(f"{_plain(n)} {_plain(v)}" for n, v in found.items()) + "."
    )
    yield ""


def _table(cells: Sequence[Cell]) -> Iterator[str]:
    yield from (".. list-table::", "   :header-rows: 1", "")
    rows = [("library", "optimizer", "judged as", "dialect", "dtype", "cases", "verdict", "difference")]
    for cell in cells:
        verdict = f"{cell.verdict}, {cell.share}" if cell.share else cell.verdict
        difference = cell.difference["name"] if cell.difference else "not named" if cell.verdict == "WRONG" else ""
        about = (cell.library, cell.name, cell.optimizer, cell.dialect, cell.dtype)
        rows.append((*about, " ".join(cell.cases) or "all", verdict, difference))
    for row in rows:
        yield from (f"   {'*' if not i else ' '} - {_plain(text)}".rstrip() for i, text in enumerate(row))
    yield ""


def _details(cells: Sequence[Cell]) -> Iterator[str]:
    for cell in cells:
        if cell.verdict == "RIGHT" or (cell.verdict == MISSING and not cell.message):
            continue
        title = _plain(f"{cell.library} {cell.name} as {cell.optimizer}, {cell.dtype}: {cell.verdict}")
        yield from (title, "-" * len(title), "")
        if cell.difference:
            told = cell.difference
            yield from (_plain(f"{told['name']}: {told['description']}; {told['evidence']}."), "")
        for text in (cell.message, cell.note and f"By the source: {cell.note}."):
            yield from (_plain(text), "") if text else ()
        if cell.reproduction:
            yield from ("::", "", *(f"    {line}" for line in cell.reproduction.splitlines()), "")


def _plain(text: str) -> str:
    """Text without meaning to reStructuredText."""
    shown = "".join(f"\\{c}" if c in "\\*`|_" else c for c in printable(text))
    return shown.replace("::", "\\:\\:")
