"""Recordings as text: CSV and JSON Lines, numbers in decimal or as IEEE bit patterns."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.formats import Format, format_of
from rbo_ref._json import parsed_json
from rbo_ref.oracle.bits import decode, encode
from rbo_ref.oracle.replay.recording import FIELDS, HYPERS, Recording, RecordingError, Rows, verified

__all__ = ["open_csv", "open_json_lines", "write_csv", "write_json_lines"]

LONGEST_LINE = 2**26  # characters
HEADER = {"format": "rbo-recording", "version": 1}


def _lines(file: IO[str]) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, numbered from 1."""
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE:
            raise RecordingError(f"line {number} is longer than {LONGEST_LINE} characters")
        if line.strip():
            yield number, line


def _batches(rows: Iterable[dict[str, Any]], size: int, shapes: dict[str, tuple[int, ...]]) -> Iterator[Rows]:
    """Rows, put together."""
    rows = iter(rows)
    while batch := list(islice(rows, size)):
        yield {name: numpy.stack([_of_row(row.get(name), shape) for row in batch]) for name, shape in shapes.items()}


def _of_row(numbers: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    return numpy.full(shape, numpy.nan) if numbers is None else numbers


def _complete(
    rows: Iterator[tuple[int, dict[str, Any]]], shapes: dict[str, tuple[int, ...]]
) -> Iterator[dict[str, Any]]:
    """The rows, each checked for its shapes; all but the last one must have all fields."""
    last: tuple[int, dict[str, Any]] | None = None
    for number, row in rows:
        if last is not None and (missing := shapes.keys() - last[1].keys()):
            raise RecordingError(f"line {last[0]} lacks {', '.join(sorted(missing))}")
        for name, numbers in row.items():
            if name not in shapes:
                raise RecordingError(f"line {number} has {name}, which the first row has not")
            if numbers.shape != shapes[name]:
                raise RecordingError(f"line {number}: {name} has shape {numbers.shape}, expected {shapes[name]}")
        yield row
        last = number, row
    if last is not None and "theta" not in last[1]:
        raise RecordingError(f"line {last[0]} lacks theta")


def _number(text: str, target: Format) -> float:
    """A number from decimal text or from a bit pattern."""
    if "_" in text or not text.isascii():  # Python's float takes 1_000 and the digits of other scripts
        raise ValueError(f"could not convert string to float: {text!r}")
    return float(decode(text, target)) if text.startswith("0x") else float(text)


# JSON Lines.


def open_json_lines(path: Path) -> Recording:
    """The recording in a file of JSON Lines: an object of metadata, then one object for each row."""
    with path.open(encoding="utf-8-sig") as file:
        lines = _lines(file)
        metadata = verified(_object(*next(lines)))
        first = next(lines, None)
    if first is None:
        raise RecordingError("there are no rows after the metadata")
    target = format_of(metadata["dtype"])
    shapes = {name: numbers.shape for name, numbers in _fields(*first, target).items()}

    def rows(size: int) -> Iterator[Rows]:
        with path.open(encoding="utf-8-sig") as file:
            numbered = ((number, _fields(number, line, target)) for number, line in islice(_lines(file), 1, None))
            yield from _batches(_complete(numbered, shapes), size, shapes)

    return Recording.of_rows(metadata, shapes, rows)


def _object(number: int, line: str) -> dict[str, Any]:
    try:
        found = parsed_json(line, beyond=True)
    except ValueError as error:
        raise RecordingError(f"line {number} is {error}") from error
    if not isinstance(found, dict):
        raise RecordingError(f"line {number} must be a JSON object")
    return found


def _fields(number: int, line: str, target: Format) -> dict[str, NDArray[Any]]:
    """The fields of one row."""
    fields, plain = {}, "true" not in line and "false" not in line  # which NumPy would take for numbers among others
    for name, value in _object(number, line).items():
        if name not in FIELDS:
            raise RecordingError(f"line {number}: unknown field {name!r}; there are {', '.join(FIELDS)}")
        try:
            fields[name] = _numbers(value, target, plain)
        except (ValueError, TypeError, OverflowError) as error:
            raise RecordingError(f"line {number}: {name} must hold numbers or bit patterns ({error})"[:200]) from error
        if fields[name].ndim != len(FIELDS[name]):
            raise RecordingError(f"line {number}: {name} must be {_depth(len(FIELDS[name]))}")
    return fields


def _depth(dimensions: int) -> str:
    return ("a number", "a list of numbers", "a list of lists of numbers")[dimensions]


def _numbers(value: Any, target: Format, plain: bool) -> NDArray[Any]:
    """An array of numbers and bit patterns in lists."""
    array = numpy.array(value)
    if plain and array.dtype.kind in "if":
        return array.astype(float)
    mixed = numpy.array(value, dtype=object)
    numbers = [_number(x, target) if isinstance(x, str) else _real(x) for x in mixed.reshape(-1)]
    return numpy.array(numbers, dtype=float).reshape(mixed.shape)


def _real(x: Any) -> float:
    if isinstance(x, bool) or not isinstance(x, int | float):
        raise TypeError(f"got {x!r}")
    return float(x)


def write_json_lines(recording: Recording, file: IO[bytes], bits: bool) -> None:
    """Write JSON Lines."""
    for row in chain([HEADER | recording.metadata], _written(recording, bits)):
        file.write(f"{json.dumps(row)}\n".encode())


def _written(recording: Recording, bits: bool) -> Iterator[dict[str, Any]]:
    """The rows in numbers that text holds; the last one is θ alone."""
    held: Rows | None = None
    for rows in recording.rows(1024):
        for i in range(len(rows["theta"])):
            if held is not None:
                yield {name: _text(name, numbers, recording.target, bits) for name, numbers in held.items()}
            held = {name: array[i] for name, array in rows.items()}
    if held is not None:
        yield {"theta": _text("theta", held["theta"], recording.target, bits)}


def _text(name: str, numbers: NDArray[Any], target: Format, bits: bool) -> Any:
    """Numbers as JSON holds them: the shortest decimals that only they are nearest to, or bit patterns."""
    if name == "projection_steps":
        return int(numbers)
    if name in HYPERS:
        return float(numbers)
    if bits:
        return encode(numbers, target)
    if numbers.ndim:
        return [_text(name, row, target, bits) for row in numbers]
    return float(str(numbers))


# CSV.


def open_csv(path: Path) -> Recording:
    """The recording in a CSV file: comments ``# key: value`` for metadata, a header, and a line for each row."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        metadata, (number, header) = _preamble(_lines(file))
    columns = [name.strip() for name in next(csv.reader([header], strict=True))]
    fields = _columns(columns, number)
    metadata = verified({"dtype": "float64", **metadata})
    shapes: dict[str, tuple[int, ...]] = {
        name: (len(places),) if FIELDS[name] else () for name, places in fields.items()
    }

    def rows(size: int) -> Iterator[Rows]:
        target = format_of(metadata["dtype"])
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = _lines(file)
            _preamble(lines)
            numbered = ((number, _csv_row(number, line, columns, fields, target)) for number, line in lines)
            yield from _batches(_complete(numbered, shapes), size, shapes)

    return Recording.of_rows(metadata, shapes, rows)


def _preamble(lines: Iterator[tuple[int, str]]) -> tuple[dict[str, Any], tuple[int, str]]:
    """The metadata in the comments, and the line after them."""
    metadata: dict[str, Any] = {}
    for number, line in lines:
        if not line.startswith("#"):
            return metadata, (number, line)
        key, colon, value = line[1:].partition(":")
        if colon:
            if key.strip() in metadata:
                raise RecordingError(f"line {number}: there are two values of {key.strip()[:40]!r}")
            metadata[key.strip()] = _value(value.strip())
    raise RecordingError("there is no header theta_0,theta_1,...")


def _value(text: str) -> Any:
    try:
        return parsed_json(text, beyond=True)
    except ValueError:
        return text


def _columns(header: list[str], number: int) -> dict[str, list[int]]:
    """The columns of each field, in order."""
    fields: dict[str, dict[int, int]] = {}
    for place, column in enumerate(header):
        name, _, index = column.rpartition("_")
        scalar = column in FIELDS and not FIELDS[column]
        vector = name in FIELDS and FIELDS[name] == ("d",) and index.isascii() and index.isdigit() and len(index) < 9
        if ";" in column or "\t" in column:
            raise RecordingError(f"line {number}: cells are parted by commas, and numbers have a decimal point")
        if not (scalar or vector or column == "step"):
            raise RecordingError(
                f"line {number}: unknown column {column[:40]!r}; a recording has theta_0, theta_1, ... and may have "
                f"step, {', '.join(HYPERS)}, value, gradient_0, ..."
            )
        if column != "step":
            places = fields.setdefault(column if scalar else name, {})
            if places.setdefault(0 if scalar else int(index), place) != place:
                raise RecordingError(f"line {number}: there are two columns {column}")
    for name, places in fields.items():
        if sorted(places) != list(range(len(places))):
            raise RecordingError(f"line {number}: the columns of {name} must be numbered 0, 1, ..., {len(places) - 1}")
    return {name: [places[i] for i in range(len(places))] for name, places in fields.items()}


def _csv_row(
    number: int, line: str, header: list[str], fields: dict[str, list[int]], target: Format
) -> dict[str, NDArray[Any]]:
    """The fields of one row; a field of empty cells is missing."""
    cells = [cell.strip() for cell in next(csv.reader([line], strict=True))]
    if len(cells) != len(header):
        raise RecordingError(f"line {number} has {len(cells)} cells, expected {len(header)}")
    row = {}
    for name, places in fields.items():
        texts = [cells[place] for place in places]
        if not any(texts):
            continue
        try:
            numbers = numpy.array([_number(text, target) for text in texts])
        except ValueError as error:
            raise RecordingError(f"line {number}: {name} must hold numbers or bit patterns ({error})"[:200]) from error
        row[name] = numbers if FIELDS[name] else numbers[0]
    return row


def write_csv(recording: Recording, file: IO[bytes], bits: bool) -> None:
    """Write CSV; inner iterates do not fit into it."""
    if unfit := [name for name in recording.shapes if "P" in FIELDS[name]]:
        raise ValueError(f"CSV cannot hold {', '.join(unfit)}; write JSON Lines or NPZ")
    for key, value in (HEADER | recording.metadata).items():
        file.write(f"# {key}: {json.dumps(value)}\n".encode())
    names = {
        name: [f"{name}_{i}" for i in range(shape[0])] if shape else [name] for name, shape in recording.shapes.items()
    }
    _write_cells(chain.from_iterable(names.values()), file)
    for row in _written(recording, bits):
        _write_cells(chain.from_iterable(_cells(row.get(name), columns) for name, columns in names.items()), file)


def _write_cells(cells: Iterable[Any], file: IO[bytes]) -> None:
    file.write(f"{','.join(map(str, cells))}\n".encode())


def _cells(value: Any, columns: list[str]) -> list[Any]:
    return [""] * len(columns) if value is None else value if isinstance(value, list) else [value]
