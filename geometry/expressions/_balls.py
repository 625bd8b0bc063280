"""Operations on python-flint's balls, where its own methods do not say all.

Comparisons of balls are true, false, or None where the balls do not tell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = [
    "atan2",
    "both",
    "chosen",
    "compared",
    "either",
    "method",
    "negation",
    "power",
    "rounded",
    "truncated",
]

OPPOSITES = {
    "__lt__": "__ge__",
    "__le__": "__gt__",
    "__gt__": "__le__",
    "__ge__": "__lt__",
    "__eq__": "__ne__",
    "__ne__": "__eq__",
}


def method(name: str) -> Callable[[Any], Any]:
    """A method of a ball as a function."""
    return lambda x: getattr(x, name)()


def compared(name: str) -> Callable[[Any, Any], bool | None]:
    """A comparison, by the name of its method."""

    def compare(x: Any, y: Any) -> bool | None:
        if getattr(x, name)(y):
            return True
        return False if getattr(x, OPPOSITES[name])(y) else None

    return compare


def both(x: bool | None, y: bool | None) -> bool | None:
    return False if x is False or y is False else None if x is None or y is None else True


def either(x: bool | None, y: bool | None) -> bool | None:
    return True if x is True or y is True else None if x is None or y is None else False


def negation(x: bool | None) -> bool | None:
    return None if x is None else not x


def chosen(condition: bool | None, x: Any, y: Any) -> Any:
    """x or y; the hull of both where the condition is not decided."""
    return x.union(y) if condition is None else x if condition else y


def power(x: Any, p: Any) -> Any:
    """x^p of real numbers: whole powers of any x, others of x ≥ 0, where 0^p is 0 for p > 0."""
    if p.is_integer():
        return x ** int(p.unique_fmpz())
    return x * 0 if x.is_zero() and p > 0 else x**p


def atan2(y: Any, x: Any) -> Any:
    return type(y).atan2(y, x)


def truncated(x: Any) -> Any:
    return chosen(compared("__ge__")(x, x * 0), x.floor(), x.ceil())


def rounded(x: Any) -> Any:
    """Half to even: of an exact number, or of a ball that holds no place where it jumps."""
    half = type(x)(1) / 2
    up = (x + half).floor()
    tie = (x + half) - up
    if not (tie.is_zero() and up.is_integer()):
        return up
    return up if int(up.unique_fmpz()) % 2 == 0 else up - 1
