"""The face of an array of the array API standard, for numbers that know more than a float does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from numbers import Real
from typing import Any, ClassVar, Self

import numpy

from geometry.certified._intervals import Interval
from geometry.certified._truth import Truth, Undecided

__all__ = ["Face", "operand"]


class Face(ABC):
    """What arrays of forms and of jets have in common: operators, methods, and NumPy's protocols.

    Whatever is not written out here or in `_functions` raises a `TypeError`, and so does every argument that is not.
    """

    __slots__ = ("shared",)
    __array_priority__ = 2000.0
    __hash__: ClassVar[Any] = None
    namespace: ClassVar[Any] = None  # the module of functions, which enters itself here

    dtype: ClassVar[Any] = numpy.dtype(float)
    device: ClassVar[str] = "cpu"
    record: Any  # of the evaluation that this array takes part in: see `_forms.Record`
    shared: bool  # whether NumPy's array would be the argument, or share its memory with others by names of their own

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]: ...

    @abstractmethod
    def range(self) -> Interval:
        """An interval that holds all values, (...)."""

    @abstractmethod
    def flat(self, values: Interval) -> Any:
        """Intervals as numbers of the same evaluation that do not depend on θ."""

    @abstractmethod
    def constant(self, value: Any) -> Any:
        """Numbers as numbers of the same evaluation."""

    @abstractmethod
    def copy(self) -> Self: ...

    @abstractmethod
    def becomes(self, other: Any) -> None:
        """Take over what another array holds."""

    @abstractmethod
    def moved(self, move: Any, full: bool = True) -> Self:
        """`move`, which moves elements of arrays about and acts on trailing axes only, of all parts."""

    @abstractmethod
    def reshaped(self, shape: tuple[int, ...]) -> Self: ...

    @abstractmethod
    def spread_to(self, shape: tuple[int, ...]) -> Self:
        """Broadcast to a shape."""

    @abstractmethod
    def __getitem__(self, key: Any) -> Self: ...

    @abstractmethod
    def __neg__(self) -> Self: ...

    @abstractmethod
    def __add__(self, other: Any) -> Any: ...

    @abstractmethod
    def __mul__(self, other: Any) -> Any: ...

    @abstractmethod
    def __truediv__(self, other: Any) -> Any: ...

    # Protocols.

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        return self.namespace

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__":
            raise TypeError(f"numpy.{ufunc.__name__}.{method} is not known for intervals")
        if options:
            raise TypeError(f"numpy.{ufunc.__name__} of intervals does not know the arguments {', '.join(options)}")
        return self.namespace.__function__(ufunc)(*inputs)

    def __array_function__(self, function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self.namespace.__function__(function)(*args, **kwargs)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise Undecided("intervals cannot become an array of numbers; write the function in array functions throughout")

    def __float__(self) -> float:
        raise Undecided("an interval is not one number; use functions of arrays, not those of `math`")

    __int__ = __index__ = __complex__ = __float__

    def __bool__(self) -> bool:
        return bool(self != 0)

    # Attributes and methods.

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(numpy.prod(self.shape, dtype=int))

    @property
    def mT(self) -> Self:
        return self.moved(lambda end: numpy.swapaxes(end, -1, -2))

    @property
    def T(self) -> Any:
        return self.namespace.permute_dims(self, tuple(reversed(range(self.ndim))))

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def sum(self, *args: Any, **options: Any) -> Any:
        return self.namespace.sum(self, *args, **options)

    def mean(self, *args: Any, **options: Any) -> Any:
        return self.namespace.mean(self, *args, **options)

    def max(self, *args: Any, **options: Any) -> Any:
        return self.namespace.max(self, *args, **options)

    def min(self, *args: Any, **options: Any) -> Any:
        return self.namespace.min(self, *args, **options)

    def reshape(self, *shape: Any) -> Any:
        return self.namespace.reshape(self, shape[0] if len(shape) == 1 else shape)

    # Arithmetic.

    def __pos__(self) -> Self:
        return self.copy()

    def __abs__(self) -> Any:
        return self.namespace.abs(self)

    def __radd__(self, other: Any) -> Any:
        return self + other

    def __sub__(self, other: Any) -> Any:
        other = operand(other)
        return NotImplemented if other is None else self + -other

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __rmul__(self, other: Any) -> Any:
        return self * other

    def __rtruediv__(self, other: Any) -> Any:
        return self.namespace.reciprocal(self) * other

    def __pow__(self, power: Any) -> Any:
        return self.namespace.pow(self, power)

    def __rpow__(self, base: Any) -> Any:
        return NotImplemented if operand(base) is None else self.namespace.pow(base, self)

    def __matmul__(self, other: Any) -> Any:
        return self.namespace.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return self.namespace.matmul(other, self)

    # Arithmetic in place: other names for the same array see it as well.

    def _changed(self, result: Any) -> Any:
        if result is NotImplemented:
            return result
        if self.shared:
            raise TypeError(
                "the argument of the function, or a view, would be changed in place; write x = x + y for x += y"
            )
        if result.shape != self.shape:
            raise ValueError(f"an array of shape {self.shape} cannot take values of shape {result.shape}")
        self.becomes(result)
        return self

    def __iadd__(self, other: Any) -> Any:
        return self._changed(self + other)

    def __isub__(self, other: Any) -> Any:
        return self._changed(self - other)

    def __imul__(self, other: Any) -> Any:
        return self._changed(self * other)

    def __itruediv__(self, other: Any) -> Any:
        return self._changed(self / other)

    def __ipow__(self, other: Any) -> Any:
        return self._changed(self**other)

    def __imatmul__(self, other: Any) -> Any:
        return self._changed(self @ other)

    # Comparisons. Where one side is not defined they are false, whatever the range of values elsewhere. Where both
    # sides can be equal, what hangs on the outcome may have a kink or a jump, and on a border of the box as well.

    def _compared(self, other: Any) -> tuple[numpy.ndarray, numpy.ndarray]:
        difference = (self - other).range()  # what both have in common cancels
        self.record.irregular_where(~((difference.lo > 0) | (difference.hi < 0)))
        if self.record.partial:
            return numpy.full(difference.shape, -numpy.inf), numpy.full(difference.shape, numpy.inf)
        return difference.lo, difference.hi

    def __lt__(self, other: Any) -> Any:
        low, high = self._compared(other)
        return Truth(high < 0, low >= 0)

    def __le__(self, other: Any) -> Any:
        low, high = self._compared(other)
        return Truth(high <= 0, low > 0)

    def __gt__(self, other: Any) -> Any:
        low, high = self._compared(other)
        return Truth(low > 0, high <= 0)

    def __ge__(self, other: Any) -> Any:
        low, high = self._compared(other)
        return Truth(low >= 0, high < 0)

    def __eq__(self, other: Any) -> Any:
        low, high = self._compared(other)
        return Truth((low == 0) & (high == 0), (low > 0) | (high < 0))

    def __ne__(self, other: Any) -> Any:
        return ~(self == other)


def operand(value: Any) -> Any:
    """What stands beside one of ours: one of ours, or floats, as NumPy takes numbers; None for what is no number."""
    if isinstance(value, Face):
        return value
    if isinstance(value, Real):
        return float(value)
    array = numpy.asarray(value)
    return array.astype(float, copy=False) if array.dtype.kind in "biuf" else None
