"""The messages of the protocol: lines of JSON that fit the schema, and the numbers in them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.formats import Format, rounded
from rbo_ref._json import parsed_json
from rbo_ref._words import printable, quoted
from rbo_ref.oracle.bits import decode, encode
from rbo_ref.oracle.calls import PortError

__all__ = ["SCHEMA", "VERSION", "Numbers", "line_of", "read"]

VERSION = 1
SCHEMA = Path(__file__).resolve().parents[1] / "schemas" / "protocol.json"
ANSWERS: Mapping[str, str] = {  # the key that tells what kind of message a port has sent
    "optimizers": "capabilities",
    "evaluate": "evaluate",
    "theta": "result",
    "iterates": "iterates",
    "skip": "skip",
    "error": "error",
}


def line_of(message: Mapping[str, Any]) -> bytes:
    """A message as the line that is sent."""
    return json.dumps(message, allow_nan=False).encode("ascii") + b"\n"


def read(line: bytes, *kinds: str) -> tuple[str, dict[str, Any]]:
    """Kind and content of a line from a program, which has to be of one of these kinds.

    Raises
    ------
    PortError
        For any other line, saying what is wrong with it.

    Examples
    --------
    >>> read(b'{"evaluate": ["0x3ff0000000000000"]}', "evaluate", "result")
    ('evaluate', {'evaluate': ['0x3ff0000000000000']})
    >>> read(b"Hello!", "capabilities")
    Traceback (most recent call last):
    rbo_ref.oracle.calls.PortError: printed 'Hello!', which is not JSON: Expecting value
    """
    message = _parsed(line)
    found = [kind for key, kind in ANSWERS.items() if key in message and kind in kinds]
    if len(found) != 1:
        keys = [repr(key) for key, kind in ANSWERS.items() if kind in kinds]
        raise PortError(f"printed {quoted(line)}, where a message with {' or '.join(keys)} was expected")
    _validate(found[0], message)
    return found[0], message


def _parsed(line: bytes) -> dict[str, Any]:
    """The JSON object on a line."""

    try:
        message = parsed_json(line)
    except ValueError as error:
        raise PortError(f"printed {quoted(line)}, which is {error}") from None
    if not isinstance(message, dict):
        raise PortError(f"printed {quoted(line)}, which is not a JSON object")
    return message


def _validate(kind: str, message: dict[str, Any]) -> None:
    """Raise unless the message fits its definition in the schema."""
    from fastjsonschema import JsonSchemaValueException

    try:
        _validator(kind)(message)
    except JsonSchemaValueException as error:
        raise PortError(f"printed a message that does not fit: {_reason(kind, error.message)}") from None


def _reason(kind: str, reason: str) -> str:
    return printable(reason.replace("data", kind, 1), 200)


@cache
def _validator(kind: str) -> Callable[[Any], Any]:
    import fastjsonschema

    definitions = json.loads(SCHEMA.read_text(encoding="utf-8"))["definitions"]
    return fastjsonschema.compile({"definitions": definitions, "$ref": f"#/definitions/{kind}"}, use_default=False)


class Numbers(NamedTuple):
    """How the numbers of a run are written.

    Attributes
    ----------
    target : Format
        Their dtype.
    style : "bits" or "decimal"

    Examples
    --------
    >>> from geometry.arithmetic.formats import format_of
    >>> Numbers(format_of("float32"), "bits").written([1.5, 0.0])
    ['0x3fc00000', '0x00000000']
    >>> Numbers(format_of("float64"), "decimal").read([0.1, "Infinity"])
    array([0.1, inf])
    """

    target: Format
    style: str

    def written(self, numbers: Any) -> list[Any]:
        """Numbers of any shape as a flat list, in row-major order."""
        flat = numpy.asarray(numbers).reshape(-1)
        return encode(flat, self.target) if self.style == "bits" else [_decimal(float(x)) for x in flat]

    def read(self, entries: list[Any]) -> NDArray[Any]:
        """The numbers in a list that fits the schema."""
        try:
            if self.style == "bits":
                return decode(entries, self.target)
            return rounded([float(entry) for entry in entries], self.target)
        except ValueError as error:
            raise PortError(f"printed a wrong number: {error}") from None


def _decimal(number: float) -> float | str:
    """The number; as a string if JSON has no such number."""
    if numpy.isfinite(number):
        return number
    return "NaN" if number != number else "Infinity" if number > 0 else "-Infinity"
