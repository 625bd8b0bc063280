"""Arrays of many variants of a formula at once: each number is one in each lane, which no line of the formula sees.

The lanes are a hidden first axis; it has length 1 for what is alike in all of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import numpy
from numpy.typing import NDArray

__all__ = ["Lanes", "merged", "of_lanes"]

Numbers = NDArray[Any]
Where = NDArray[numpy.intp]


class Lanes:
    """An array of the shape that it shows, in each of several lanes.

    Examples
    --------
    >>> x = Lanes(numpy.array([[1.0, 2.0], [3.0, 4.0]]))
    >>> x.shape, (x - sum(x)).x.tolist()
    ((2,), [[-2.0, -1.0], [-4.0, -3.0]])
    """

    __array_ufunc__ = None  # NumPy leaves the operations to this class

    def __init__(self, x: Numbers) -> None:
        self.x = x

    @property
    def shape(self) -> tuple[int, ...]:
        return self.x.shape[1:]

    @property
    def T(self) -> Lanes:
        return Lanes(self.x.swapaxes(1, 2))

    def __array_namespace__(self, api_version: Any = None) -> Any:
        return sys.modules[__name__]

    def __getitem__(self, key: Any) -> Lanes:
        return Lanes(self.x[(slice(None), *(key if isinstance(key, tuple) else (key,)))])

    def __neg__(self) -> Lanes:
        return Lanes(-self.x)

    def __abs__(self) -> Lanes:
        return Lanes(numpy.abs(self.x))

    def __bool__(self) -> bool:
        raise TypeError("it may be so in some lanes")

    def minimum(self, other: Any) -> Lanes:
        return minimum(self, other)

    def maximum(self, other: Any) -> Lanes:
        return maximum(self, other)


def _numbers(x: Any) -> Numbers:
    return x.x if isinstance(x, Lanes) else numpy.asarray(x)[None]


def _applied(function: Callable[..., Any], *arguments: Any) -> Lanes:
    """A function of numbers in each lane; what has fewer axes gets its missing ones after the lanes."""
    arrays = [_numbers(x) for x in arguments]
    most = numpy.max([x.ndim for x in arrays])
    return Lanes(function(*(x.reshape(len(x), *(1,) * (most - x.ndim), *x.shape[1:]) for x in arrays)))


def _elementwise(function: Callable[..., Any]) -> Callable[..., Lanes]:
    return lambda *arguments: _applied(function, *arguments)


for _name, _function in {
    "add": numpy.add,
    "sub": numpy.subtract,
    "mul": numpy.multiply,
    "truediv": numpy.divide,
    "pow": numpy.power,
    "matmul": numpy.matmul,
}.items():
    setattr(Lanes, f"__{_name}__", lambda self, other, f=_function: _applied(f, self, other))
    setattr(Lanes, f"__r{_name}__", lambda self, other, f=_function: _applied(f, other, self))
for _name, _function in {"lt": numpy.less, "gt": numpy.greater}.items():
    setattr(Lanes, f"__{_name}__", lambda self, other, f=_function: _applied(f, self, other))

# --- the array functions that lines call ----------------------------------------------------------------------------

arange = numpy.arange
sqrt, abs, sign = _elementwise(numpy.sqrt), _elementwise(numpy.abs), _elementwise(numpy.sign)
sin, exp, round = _elementwise(numpy.sin), _elementwise(numpy.exp), _elementwise(numpy.round)
maximum, minimum = _elementwise(numpy.maximum), _elementwise(numpy.minimum)
where, clip = _elementwise(numpy.where), _elementwise(numpy.clip)
ones_like, zeros_like = _elementwise(numpy.ones_like), _elementwise(numpy.zeros_like)


def _reduced(function: Callable[..., Any]) -> Callable[..., Lanes]:
    def reduced(x: Any, axis: int | None = None, keepdims: bool = False) -> Lanes:
        numbers = _numbers(x)
        axes = tuple(range(1, numbers.ndim)) if axis is None else axis + (axis >= 0)
        return Lanes(function(numbers, axis=axes, keepdims=keepdims))

    return reduced


sum, mean, max = _reduced(numpy.sum), _reduced(numpy.mean), _reduced(numpy.max)


def reshape(x: Any, shape: tuple[int, ...]) -> Lanes:
    """The same entries in another shape."""
    numbers = _numbers(x)
    return Lanes(numbers.reshape(len(numbers), *shape))


def concat(parts: Iterable[Any], axis: int = 0) -> Lanes:
    """One array of several, end to end."""
    arrays = [_numbers(x) for x in parts]
    lanes = numpy.max([len(x) for x in arrays])
    arrays = [numpy.broadcast_to(x, (lanes, *x.shape[1:])) for x in arrays]
    return Lanes(numpy.concatenate(arrays, axis=axis + (axis >= 0)))


def stack(parts: Iterable[Any]) -> Lanes:
    """One array of several, along an axis in front."""
    return concat([reshape(part, (1, *_numbers(part).shape[1:])) for part in parts])


# --- some of the lanes ----------------------------------------------------------------------------------------------


def of_lanes(value: Any, at: Where) -> Any:
    """A value, or what it is made of, in some lanes."""
    if isinstance(value, Lanes):
        return value if len(value.x) == 1 else Lanes(value.x[at])
    if isinstance(value, SimpleNamespace):
        return SimpleNamespace(**of_lanes(vars(value), at))
    if isinstance(value, dict):
        return {name: of_lanes(one, at) for name, one in value.items()}
    return tuple(of_lanes(one, at) for one in value) if isinstance(value, tuple) else value


def merged(parts: list[tuple[Where, Any]], lanes: int, strange: list[Where]) -> Any:
    """One value of those in several lanes; the lanes of values that are of another kind are added to the strange."""
    first = parts[0][1]
    if all(value is first or (type(value) is type(first) and value == first) for _, value in parts[1:]):
        return first
    if isinstance(first, SimpleNamespace):
        return SimpleNamespace(**merged([(at, vars(value)) for at, value in parts], lanes, strange))
    if isinstance(first, dict | tuple):
        fits = [(at, value) for at, value in parts if type(value) is type(first) and len(value) == len(first)]
        strange += [at for at, value in parts if type(value) is not type(first) or len(value) != len(first)]
        keys = range(len(first)) if isinstance(first, tuple) else first
        values = [merged([(at, value[key]) for at, value in fits], lanes, strange) for key in keys]
        return tuple(values) if isinstance(first, tuple) else dict(zip(first, values, strict=True))
    if not isinstance(first, Lanes | float | numpy.ndarray):
        strange += [at for at, value in parts if value is not first]
        return first
    shape = _numbers(first).shape[1:]
    numbers = numpy.full((lanes, *shape), numpy.nan)
    for at, value in parts:
        if isinstance(value, Lanes | float | numpy.ndarray) and _numbers(value).shape[1:] == shape:
            numbers[at] = _numbers(value)
        else:
            strange.append(at)
    return Lanes(numbers)
