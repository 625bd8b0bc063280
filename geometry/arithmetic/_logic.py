"""What is known of a comparison over a box: that it holds, that it does not, or neither."""

from __future__ import annotations

from typing import Any

import numpy

__all__ = ["Truth", "as_truth"]


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

    def __getitem__(self, key: Any) -> Truth:
        return Truth(self.yes[key], self.no[key])

    def __invert__(self) -> Truth:
        return Truth(self.no, self.yes)

    def __and__(self, other: Any) -> Truth:
        other = as_truth(other)
        return Truth(self.yes & other.yes, self.no | other.no)

    def __or__(self, other: Any) -> Truth:
        other = as_truth(other)
        return Truth(self.yes | other.yes, self.no & other.no)

    __rand__, __ror__ = __and__, __or__


def as_truth(value: Any) -> Truth:
    """Truth values as what is known of them."""
    return value if isinstance(value, Truth) else Truth(value, ~numpy.asarray(value, dtype=bool))
