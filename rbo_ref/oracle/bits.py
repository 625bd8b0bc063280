"""Floating numbers as IEEE bit patterns in text, which every language reads back to the last bit."""

from __future__ import annotations

import re
from typing import Any

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.formats import Format

__all__ = ["decode", "encode"]


def encode(numbers: Any, target: Format) -> Any:
    """Numbers of a format as nested lists of strings, "0x" and the digits of the pattern; one number as a string.

    Examples
    --------
    >>> from geometry.arithmetic.formats import format_of
    >>> encode([1.5, -0.0], format_of("float64"))
    ['0x3ff8000000000000', '0x8000000000000000']
    >>> encode(1.5, format_of("bfloat16"))
    '0x3fc0'
    """
    numbers = numpy.asarray(numbers, dtype=target.dtype)
    if numbers.ndim:
        return [encode(row, target) for row in numbers]
    return f"0x{int(numbers.view(_word(target))) >> _unused(target):0{_digits(target)}x}"


def decode(patterns: Any, target: Format) -> NDArray[Any]:
    """The array of nested lists of bit patterns.

    Raises
    ------
    ValueError
        If a pattern is not one of the format, or the lists are ragged.

    Examples
    --------
    >>> from geometry.arithmetic.formats import format_of
    >>> decode(["0x3ff8000000000000", "0xfff0000000000000"], format_of("float64"))
    array([ 1.5, -inf])
    """
    try:
        texts = numpy.array(patterns, dtype=object)
    except ValueError as error:
        raise ValueError("bit patterns must form a rectangular array") from error
    words = [_pattern(text, target) << _unused(target) for text in texts.reshape(-1)]
    return numpy.array(words, dtype=_word(target)).view(target.dtype).reshape(texts.shape)


def _pattern(text: Any, target: Format) -> int:
    digits = _digits(target)
    if not isinstance(text, str) or not re.fullmatch(rf"0x[0-9a-fA-F]{{{digits}}}", text):
        raise ValueError(
            f"a bit pattern of {target.name} is 0x and {digits} hexadecimal digits, got {str(text)[:40]!r}"
        )
    return int(text, 16)


def _word(target: Format) -> numpy.dtype:
    """The unsigned integers as wide as the numbers of the arrays."""
    return numpy.dtype(f"u{target.dtype.itemsize}")


def _digits(target: Format) -> int:
    return 4 if target.name == "bfloat16" else 2 * target.dtype.itemsize


def _unused(target: Format) -> int:
    """Bits of the array's numbers below those of the format: bfloat16 is the upper half of float32."""
    return 8 * target.dtype.itemsize - 4 * _digits(target)
