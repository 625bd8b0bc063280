"""Arrays of numbers of a foreign arithmetic, with the face of an array of the array API standard.

A function written for arrays runs on them. The arithmetics are `running` (midpoint and radius in float64) and
`certified` (the balls of python-flint).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

import numpy
from numpy.typing import NDArray

__all__ = ["Arithmetic", "Numbers", "Part", "Parts", "Truth", "as_numbers"]

Part = NDArray[Any]
Parts = tuple[Part, ...]  # of one shape


class Arithmetic(Protocol):
    """What numbers are made of, and how to reckon with them."""

    def constant(self, value: NDArray[numpy.float64]) -> Parts: ...

    def negative(self, a: Parts) -> Parts: ...

    def add(self, a: Parts, b: Parts) -> Parts: ...

    def multiply(self, a: Parts, b: Parts) -> Parts: ...

    def divide(self, a: Parts, b: Parts) -> Parts: ...

    def power(self, a: Parts, exponent: int) -> Parts: ...

    def function(self, name: str, a: Parts) -> Parts: ...

    def largest(self, a: Parts, b: Parts) -> Parts: ...

    def sum(self, a: Parts, axis: int) -> Parts: ...

    def is_less(self, a: Parts, b: Parts) -> Truth: ...

    def is_finite(self, a: Parts) -> Truth: ...

    def choose(self, truth: Truth, a: Parts, b: Parts) -> Parts: ...


class Truth:
    """What is known of comparisons: their likely outcome, and where it is in doubt."""

    __array_ufunc__ = None

    def __init__(self, yes: Any, doubt: Any = False) -> None:
        self.yes, self.doubt = numpy.broadcast_arrays(numpy.asarray(yes, dtype=bool), numpy.asarray(doubt, dtype=bool))

    @property
    def shape(self) -> tuple[int, ...]:
        return self.yes.shape

    @property
    def ndim(self) -> int:
        return self.yes.ndim

    def __invert__(self) -> Truth:
        return Truth(~self.yes, self.doubt)

    def __and__(self, other: Any) -> Truth:
        other = other if isinstance(other, Truth) else Truth(other)
        possible = (self.yes | self.doubt) & (other.yes | other.doubt)
        return Truth(self.yes & other.yes, possible & (self.doubt | other.doubt))

    def __or__(self, other: Any) -> Truth:
        return ~(~self & ~(other if isinstance(other, Truth) else Truth(other)))

    __rand__, __ror__ = __and__, __or__

    def __getitem__(self, key: Any) -> Truth:
        return Truth(self.yes[key], self.doubt[key])

    def __bool__(self) -> bool:
        if self.doubt.any() or not (self.yes.all() or not self.yes.any()):
            raise TypeError("a comparison has several outcomes here; choose with where(condition, a, b)")
        return bool(self.yes.all())


class Numbers:
    """An array of numbers of an arithmetic.

    Attributes
    ----------
    arithmetic : Arithmetic
    parts : tuple of array
        All of the shape of the array.
    """

    __slots__ = ("arithmetic", "parts")
    __hash__: ClassVar[Any] = None
    namespace: ClassVar[Any] = None  # the module of functions of such arrays, which enters itself here
    dtype: ClassVar[Any] = numpy.dtype(float)
    device: ClassVar[str] = "cpu"

    def __init__(self, arithmetic: Arithmetic, *parts: Part) -> None:
        self.arithmetic, self.parts = arithmetic, parts

    # The face of an array.

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        return self.namespace

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options:
            raise TypeError(f"numpy.{ufunc.__name__}.{method} with {options} is not known for {self._kind}")
        return self.namespace.__function__(ufunc.__name__)(*inputs)

    def __array_function__(self, function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self.namespace.__function__(function.__name__)(*args, **kwargs)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("these cannot become an array of floats; write the function in array functions throughout")

    def __float__(self) -> float:
        raise TypeError("this is not one float; use functions of arrays, not those of `math`")

    @property
    def _kind(self) -> str:
        return f"arrays of {type(self.arithmetic).__name__} numbers"

    @property
    def shape(self) -> tuple[int, ...]:
        return self.parts[0].shape

    @property
    def ndim(self) -> int:
        return self.parts[0].ndim

    @property
    def size(self) -> int:
        return self.parts[0].size

    @property
    def mT(self) -> Numbers:
        return self.namespace.matrix_transpose(self)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Numbers:
        return self.moved(lambda part: part[key])

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def sum(self, axis: Any = None, keepdims: bool = False) -> Numbers:
        return self.namespace.sum(self, axis, keepdims)

    def moved(self, move: Callable[[Part], Part]) -> Numbers:
        """`move` of every part."""
        return self.new(tuple(numpy.asarray(move(part)) for part in self.parts))

    def new(self, parts: Parts) -> Numbers:
        return Numbers(self.arithmetic, *parts)

    def constant(self, value: Any) -> Numbers:
        """Floats as numbers of the same arithmetic."""
        return self.new(self.arithmetic.constant(numpy.asarray(value, dtype=float)))

    # Arithmetic.

    def __neg__(self) -> Numbers:
        return self.new(self.arithmetic.negative(self.parts))

    def __pos__(self) -> Numbers:
        return self

    def __abs__(self) -> Numbers:
        return self.new(self.arithmetic.largest(self.parts, (-self).parts))

    def __add__(self, other: Any) -> Numbers:
        return self.new(self.arithmetic.add(*_both(self, other)))

    def __sub__(self, other: Any) -> Numbers:
        return self + -_like(self, other)

    def __mul__(self, other: Any) -> Numbers:
        return self.new(self.arithmetic.multiply(*_both(self, other)))

    def __truediv__(self, other: Any) -> Numbers:
        return self.new(self.arithmetic.divide(*_both(self, other)))

    def __rsub__(self, other: Any) -> Numbers:
        return _like(self, other) - self

    def __rtruediv__(self, other: Any) -> Numbers:
        return _like(self, other) / self

    __radd__, __rmul__ = __add__, __mul__

    def __pow__(self, exponent: Any) -> Numbers:
        if isinstance(exponent, int | float | numpy.number) and float(exponent).is_integer():
            return self.new(self.arithmetic.power(self.parts, int(exponent)))
        return self.namespace.exp(self.namespace.log(self) * exponent)

    def __rpow__(self, base: Any) -> Numbers:
        return self.namespace.exp(self.namespace.log(_like(self, base)) * self)

    def __matmul__(self, other: Any) -> Numbers:
        return self.namespace.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Numbers:
        return self.namespace.matmul(other, self)

    def __lt__(self, other: Any) -> Truth:
        return self.arithmetic.is_less(*_both(self, other))

    def __gt__(self, other: Any) -> Truth:
        return _like(self, other) < self

    def __le__(self, other: Any) -> Truth:
        return ~(self > other)

    def __ge__(self, other: Any) -> Truth:
        return ~(self < other)

    def __eq__(self, other: Any) -> Any:
        return (self <= other) & (self >= other)

    def __ne__(self, other: Any) -> Any:
        return ~(self == other)


def _like(one: Numbers, other: Any) -> Numbers:
    return other if isinstance(other, Numbers) else one.constant(other)


def _both(a: Numbers, b: Any) -> tuple[Parts, Parts]:
    return a.parts, _like(a, b).parts


def as_numbers(*arrays: Any) -> list[Numbers]:
    """All arrays as numbers of the arithmetic of the one that is."""
    one = next(a for a in arrays if isinstance(a, Numbers))
    return [_like(one, a) for a in arrays]
