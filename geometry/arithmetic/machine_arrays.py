"""Arrays of floats with the operations of other machines: fused with an addition, or rounded to a coarse format."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.formats import Format, exact, format_of, nearest, rounded
from geometry.arithmetic.precision import working_precision

__all__ = ["PRODUCTS", "Coarse", "Fusing", "MachineArray", "MatrixUnit", "Multiplied", "fused"]

PRODUCTS = frozenset({"mul", "rmul", "truediv", "rtruediv", "pow", "rpow", "matmul", "rmatmul", "sqrt"})


class MachineArray:
    """An array of floats with operations of its own: here those of NumPy.

    Parameters
    ----------
    numbers : array
    """

    __array_ufunc__ = None  # NumPy arrays leave mixed operations to us
    __hash__: ClassVar[Any] = None
    functions: ClassVar[Any]

    def __init_subclass__(cls) -> None:
        cls.functions = _Functions(cls)

    def __init__(self, numbers: Any) -> None:
        self.numbers = numpy.asarray(numbers)

    @classmethod
    def result(cls, operation: str, numbers: Any) -> Self:
        """What an operation gives, or a machine is given: where that is rounded."""
        return cls(numbers)

    @classmethod
    def total(cls, array: Any) -> Self:
        """The sum of all entries."""
        return cls.result("sum", numpy.sum(_plain(array)))

    @property
    def shape(self) -> tuple[int, ...]:
        return self.numbers.shape

    @property
    def T(self) -> Self:
        return type(self)(self.numbers.T)

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        return self.functions

    def __getitem__(self, key: Any) -> Self:
        return type(self)(self.numbers[key])

    def __neg__(self) -> Self:
        return type(self)(-self.numbers)


def _plain(numbers: Any) -> Any:
    """The floats of such arrays, wherever they are."""
    if isinstance(numbers, list | tuple):
        return [_plain(one) for one in numbers]
    return numbers.numbers if isinstance(numbers, MachineArray) else numbers


def _operation(name: str) -> Callable[..., Any]:
    function = getattr(numpy.ndarray, f"__{name}__")
    return lambda self, *other: self.result(name, function(self.numbers, *map(_plain, other)))


for _name in ("add", "sub", "mul", "truediv", "pow", "matmul"):
    setattr(MachineArray, f"__{_name}__", _operation(_name))
    setattr(MachineArray, f"__r{_name}__", _operation(f"r{_name}"))
for _name in ("abs", "lt", "le", "gt", "ge"):
    setattr(MachineArray, f"__{_name}__", _operation(_name))


class _Functions:
    """Those of NumPy, but for the sum."""

    __name__ = __name__

    def __init__(self, cls: type[MachineArray]) -> None:
        self.sum = cls.total
        self._result = cls.result

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = getattr(numpy, name)
        return lambda *arguments, **options: self._result(name, function(*map(_plain, arguments), **options))


# --- rounded --------------------------------------------------------------------------------------------------------


class Coarse(MachineArray):
    """An array of which operations give numbers of a format: all of them, or products alone, whose sums are kept.

    Examples
    --------
    >>> single = Coarse.to(format_of("bfloat16"))
    >>> float((single.result("given", 1.0) + 2.0**-8).numbers)
    1.0
    """

    target: ClassVar[Format]
    operations: ClassVar[frozenset[str] | None]  # that are rounded; None: all

    @staticmethod
    def to(target: Format, operations: frozenset[str] | None = None) -> type[Coarse]:
        """The arrays of a format."""
        return type("Coarse", (Coarse,), {"target": target, "operations": operations})

    @classmethod
    def result(cls, operation: str, numbers: Any) -> Self:
        numbers = numpy.asarray(numbers)
        if numbers.dtype.kind == "f" and (cls.operations is None or operation in cls.operations):
            numbers = _held(numbers, cls.target)
        return cls(numbers)


def _held(numbers: NDArray[Any], target: Format) -> NDArray[Any]:
    """Numbers rounded to a format, in the dtype that they had."""
    return rounded(numbers, target).astype(numbers.dtype)


class Multiplied(MachineArray):
    """An array that knows the factors of which its numbers are the products, if it is one."""

    def __init__(self, numbers: Any, factors: tuple[Any, Any] | None = None) -> None:
        super().__init__(numbers)
        self.factors = factors

    def __mul__(self, other: Any) -> Self:
        factors = self.numbers, _plain(other)
        return type(self)(factors[0] * factors[1], factors)

    __rmul__ = __mul__


class MatrixUnit(Multiplied):
    """An array of which the products that are summed are those of numbers rounded to a format.

    Examples
    --------
    >>> x = MatrixUnit.of(format_of("tf32"))([1.0, 1 + 2.0**-12])
    >>> float(x.functions.sum(x * x).numbers), float((x @ x).numbers)
    (2.0, 2.0)
    """

    target: ClassVar[Format]

    @staticmethod
    def of(target: Format) -> type[MatrixUnit]:
        """The arrays whose products are those of a format."""
        return type("MatrixUnit", (MatrixUnit,), {"target": target})

    @classmethod
    def total(cls, array: Any) -> Self:
        if array.factors is None:
            return super().total(array)
        a, b = (_held(numpy.asarray(x), cls.target) for x in array.factors)
        return cls(numpy.sum(a * b))

    def __matmul__(self, other: Any) -> Self:
        return type(self)(_held(self.numbers, self.target) @ _held(_plain(other), self.target))

    def __rmatmul__(self, other: Any) -> Self:
        return type(self)(other) @ self


# --- fused ----------------------------------------------------------------------------------------------------------


def fused(a: Any, b: Any, c: Any) -> NDArray[Any]:
    """a·b + c, rounded once to the dtype of c.

    Examples
    --------
    >>> x = numpy.float32(1 + 2**-12)
    >>> float(fused(x, x, -x * x)) == float(x) ** 2 - float(x * x)  # what the product loses
    True
    """
    a, b, c = numpy.broadcast_arrays(*(numpy.asarray(x, dtype=c.dtype) for x in (a, b, c)))
    target = format_of(c.dtype)
    with working_precision(2200):  # every sum of such numbers is exact
        numbers = [
            nearest(exact(x) * exact(y) + exact(z), target) if numpy.isfinite([x, y, z]).all() else numpy.nan
            for x, y, z in zip(a.reshape(-1), b.reshape(-1), c.reshape(-1), strict=True)
        ]
    return numpy.array(numbers, dtype=c.dtype).reshape(c.shape)


class Fusing(Multiplied):
    """An array in which a product is fused with what is added to it; of a sum of two products the first.

    Parameters
    ----------
    numbers : array
    factors : pair of arrays, optional
        Of which the numbers are the product.

    Examples
    --------
    >>> x = Fusing(numpy.array([1 + 2.0**-30]))
    >>> float((x * x - 1).numbers[0]) == 2.0**-29 + 2.0**-60
    True
    """

    @classmethod
    def total(cls, array: Any) -> Self:
        """Each product is added to those before it."""
        if array.factors is None:
            return super().total(array)
        a, b = (x.reshape(-1) for x in numpy.broadcast_arrays(*array.factors))
        total = a[0] * b[0]
        for x, y in zip(a[1:], b[1:], strict=True):
            total = fused(x, y, total)
        return cls(total)

    def __neg__(self) -> Self:
        return type(self)(-self.numbers, self.factors and (-self.factors[0], self.factors[1]))

    def __add__(self, other: Any) -> Self:
        for one, rest in ((self, other), (other, self)):
            if isinstance(one, Fusing) and one.factors is not None:
                return type(self)(fused(*one.factors, numpy.asarray(_plain(rest), dtype=one.numbers.dtype)))
        return type(self)(self.numbers + _plain(other))

    __radd__ = __add__

    def __sub__(self, other: Any) -> Self:
        return self + -other

    def __rsub__(self, other: Any) -> Self:
        return -self + other
