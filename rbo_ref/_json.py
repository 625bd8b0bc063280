"""JSON from others, read strictly: what two readers may understand differently is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

__all__ = ["parsed_json"]


def parsed_json(text: bytes | str, *, beyond: bool = False) -> Any:
    """What a JSON text holds. Integers that do not fit in 64 bits are floating numbers.

    Parameters
    ----------
    text : bytes or str
        Bytes are UTF-8.
    beyond : bool
        Take NaN and Infinity for numbers, which JSON has not.

    Raises
    ------
    ValueError
        If it is no JSON, an object has a key twice, or it is nested too deeply; the text says what it is instead.

    Examples
    --------
    >>> parsed_json('{"theta": [1, 0.5]}')
    {'theta': [1, 0.5]}
    >>> parsed_json('{"theta": 1, "theta": 2}')
    Traceback (most recent call last):
    ValueError: not JSON: a key occurs twice
    """
    constant: Callable[[str], float] = float if beyond else _refused
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        return json.loads(decoded, object_pairs_hook=_unique, parse_constant=constant, parse_int=_integer)
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8: {error.reason} at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg}") from None
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None
    except RecursionError:
        raise ValueError("not JSON that can be read: it is nested too deeply") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _refused(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _integer(digits: str) -> float:
    return int(digits) if len(digits) < 19 else float(digits)
