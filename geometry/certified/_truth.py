"""What is known of a comparison over a box: that it holds, that it does not, or neither."""

from __future__ import annotations

from typing import Any

import numpy

__all__ = ["Truth", "Undecided", "as_truth"]


class Undecided(TypeError):
    """A function asks for one truth value, or one number, where a box holds several."""


class Truth:
    """What is known of comparisons over boxes: `yes` where they certainly hold, `no` where they certainly do not.

    The logic is Kleene's: an operation is decided where it has one outcome whatever its undecided parts are.
    """

    __array_ufunc__ = None

    def __init__(self, yes: Any, no: Any) -> None:
        self.yes, self.no = numpy.broadcast_arrays(numpy.asarray(yes, dtype=bool), numpy.asarray(no, dtype=bool))

    @property
    def shape(self) -> tuple[int, ...]:
        return self.yes.shape

    @property
    def ndim(self) -> int:
        return self.yes.ndim

    def __invert__(self) -> Truth:
        return Truth(self.no, self.yes)

    def __and__(self, other: Any) -> Truth:
        other = as_truth(other)
        return Truth(self.yes & other.yes, self.no | other.no)

    def __or__(self, other: Any) -> Truth:
        other = as_truth(other)
        return Truth(self.yes | other.yes, self.no & other.no)

    def __xor__(self, other: Any) -> Truth:
        other = as_truth(other)
        return Truth((self.yes & other.no) | (self.no & other.yes), (self.yes & other.yes) | (self.no & other.no))

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __ne__(self, other: Any) -> Any:
        return self ^ other

    def __eq__(self, other: Any) -> Any:
        return ~(self ^ other)

    __hash__ = None  # type: ignore[assignment]

    def __getitem__(self, key: Any) -> Truth:
        return Truth(self.yes[key], self.no[key])

    def __bool__(self) -> bool:
        if self.yes.all() or self.no.all():
            return bool(self.yes.all())
        raise Undecided("a comparison has different outcomes within a box; choose with where(condition, a, b)")

    def any(self, axis: Any = None) -> Truth:
        return Truth(self.yes.any(axis), self.no.all(axis))

    def all(self, axis: Any = None) -> Truth:
        return Truth(self.yes.all(axis), self.no.any(axis))


def as_truth(value: Any) -> Truth:
    """Truth values as what is known of them; numbers are none, since NumPy's & of numbers is another operation."""
    if isinstance(value, Truth):
        return value
    if numpy.asarray(value).dtype != bool:
        raise TypeError(f"truth values go with comparisons of intervals, got {value!r:.80}")
    return Truth(value, ~numpy.asarray(value))
