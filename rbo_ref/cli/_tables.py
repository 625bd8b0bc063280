"""Heights in text files: a column of them, positions and heights, or the rows of an image. Nothing is guessed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy

__all__ = ["heights_in"]

LONGEST_LINE = 2**26  # characters
COMMENTS = ("#", "%", "//")


def heights_in(text: str) -> tuple[Any, Any]:
    """Heights and their positions, which are None where the text has none.

    Cells are parted by semicolons, tabs, commas or blanks; decimals have a point. Lines above the first one of numbers,
    and comments, are skipped. Two columns are positions and heights, more are an image.

    Raises
    ------
    ValueError
        If a line cannot be read in one way alone; it is named.

    Examples
    --------
    >>> heights_in("x,height\\n0.0,1.5\\n2.5,1.75\\n")
    (array([1.5 , 1.75]), array([0. , 2.5]))
    """
    header, rows = "", list[list[float]]()
    parted, pointed = None, False
    for number, line in _lines(text):
        if not rows:
            parted = next((mark for mark in ";\t," if mark in line), None)
        cells = [cell.strip() for cell in line.split(parted)] if parted else line.split()
        try:
            row = [_number(cell) for cell in cells]
        except ValueError as error:
            if rows or _number_like(cells[0]):
                raise ValueError(f"line {number}: {error}") from None
            header = line
            continue
        if rows and len(row) != len(rows[0]):
            raise ValueError(f"line {number} has {len(row)} cells, expected {len(rows[0])}")
        rows.append(row)
        pointed = pointed or "." in line
    if not rows:
        raise ValueError("there is no line of numbers")
    table = numpy.array(rows)
    if table.shape[1] == 1:
        return table[:, 0], None
    if table.shape[1] > 2:
        return table, None
    if parted == "," and not (pointed or "," in header):
        raise ValueError('"1,5" may be two numbers or one: write 1.5, or name two columns in a first line')
    if not (numpy.diff(table[:, 0]) > 0).all():
        raise ValueError("of two columns the first must be positions that increase, the second heights")
    return table[:, 1], table[:, 0]


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Those that are neither blank nor comments, numbered from 1."""
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > LONGEST_LINE:
            raise ValueError(f"line {number} is longer than {LONGEST_LINE} characters")
        if line.strip() and not line.lstrip().startswith(COMMENTS):
            yield number, line


def _number(cell: str) -> float:
    """What every language reads so."""
    if not cell.isascii() or "_" in cell:
        raise ValueError(f"expected a number, got {cell[:40]!r}")
    try:
        number = float(cell)
    except ValueError:
        raise ValueError(f"expected a number with a decimal point, got {cell[:40]!r}") from None
    if math.isinf(number):
        raise ValueError(f"expected a finite number, got {cell[:40]!r}")
    return number


def _number_like(cell: str) -> bool:
    return cell[:1].isdigit() or cell[:2].lstrip("+-.").isdigit()
