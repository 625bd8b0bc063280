"""What is known of comparisons of numbers that are no floats."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

__all__ = ["Compared"]


class Compared(NamedTuple):
    """What is known of comparisons, entry by entry."""

    surely: NDArray[Any]
    possibly: NDArray[Any]

    @classmethod
    def certain(cls, holds: Any) -> Compared:
        return cls(numpy.asarray(holds), numpy.asarray(holds))

    def __bool__(self) -> bool:
        if (self.surely != self.possibly).any():
            raise ArithmeticError("rounding decides a comparison")
        return bool(self.surely)

    def __invert__(self) -> Compared:
        return Compared(~self.possibly, ~self.surely)

    def __and__(self, other: Any) -> Compared:
        other = other if isinstance(other, Compared) else Compared.certain(other)
        return Compared(self.surely & other.surely, self.possibly & other.possibly)

    def __or__(self, other: Any) -> Compared:
        return ~(~self & ~(other if isinstance(other, Compared) else Compared.certain(other)))
