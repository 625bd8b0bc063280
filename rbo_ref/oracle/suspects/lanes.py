"""Arrays of many variants of a formula at once: each number is one in each lane, which no line of the formula sees.

The lanes are a hidden first axis; it has length 1 for what is alike in all of them.
"""

from __future__ import annotations

from collections import Counter
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
    >>> x.shape, (x - x[0]).x.tolist()
    ((2,), [[0.0, 1.0], [0.0, 1.0]])
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
        return _NAMESPACE

    def __getitem__(self, key: Any) -> Lanes:
        return Lanes(self.x[(slice(None), *(key if isinstance(key, tuple) else (key,)))])

    def __neg__(self) -> Lanes:
        return Lanes(-self.x)

    def __abs__(self) -> Lanes:
        return Lanes(numpy.abs(self.x))

    def __bool__(self) -> bool:
        raise TypeError("it may be so in some lanes")

    def minimum(self, other: Any) -> Lanes:
        return _applied(numpy.minimum, self, other)

    def maximum(self, other: Any) -> Lanes:
        return _applied(numpy.maximum, self, other)


def _numbers(x: Any) -> Numbers:
    return x.x if isinstance(x, Lanes) else numpy.asarray(x)[None]


def _applied(function: Callable[..., Any], *arguments: Any) -> Lanes:
    """A function of numbers in each lane; what has fewer axes gets its missing ones after the lanes."""
    arrays = [_numbers(x) for x in arguments]
    most = max(x.ndim for x in arrays)
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


def _reduced(function: Callable[..., Any]) -> Callable[..., Lanes]:
    def reduced(x: Any, axis: int | None = None, keepdims: bool = False) -> Lanes:
        numbers = _numbers(x)
        axes = tuple(range(1, numbers.ndim)) if axis is None else axis + (axis >= 0)
        return Lanes(function(numbers, axis=axes, keepdims=keepdims))

    return reduced


def _reshape(x: Any, shape: tuple[int, ...]) -> Lanes:
    numbers = _numbers(x)
    return Lanes(numbers.reshape(len(numbers), *shape))


def _concat(parts: Iterable[Any], axis: int = 0) -> Lanes:
    arrays = [_numbers(x) for x in parts]
    lanes = max(len(x) for x in arrays)
    arrays = [numpy.broadcast_to(x, (lanes, *x.shape[1:])) for x in arrays]
    return Lanes(numpy.concatenate(arrays, axis=axis + (axis >= 0)))


def _stack(parts: Iterable[Any]) -> Lanes:
    return _concat([_reshape(part, (1, *_numbers(part).shape[1:])) for part in parts])


class _Namespace:
    """Functions of whole arrays, and all others of NumPy: those of numbers."""

    __name__ = "lanes"  # by which namespaces are told apart
    sum, mean, max = map(staticmethod, (_reduced(numpy.sum), _reduced(numpy.mean), _reduced(numpy.max)))
    reshape, concat, stack = staticmethod(_reshape), staticmethod(_concat), staticmethod(_stack)
    arange, eye, finfo = staticmethod(numpy.arange), staticmethod(numpy.eye), staticmethod(numpy.finfo)

    def __getattr__(self, name: str) -> Callable[..., Lanes]:
        return _elementwise(getattr(numpy, name))


_NAMESPACE = _Namespace()


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
    """One value of those in several lanes; the lanes of values of another kind than most are added to the strange."""
    first = parts[0][1]
    is_one = all(value is first or (type(value) is type(first) and value == first) for _, value in parts[1:])
    if is_one and sum(len(at) for at, _ in parts) == lanes:
        return first
    kinds = [_kind(value) for _, value in parts]
    usual = Counter(kinds).most_common(1)[0][0]
    strange += [at for (at, _), kind in zip(parts, kinds, strict=True) if kind != usual]
    parts = [part for part, kind in zip(parts, kinds, strict=True) if kind == usual]
    first = parts[0][1]
    if isinstance(first, SimpleNamespace):
        return SimpleNamespace(**merged([(at, vars(value)) for at, value in parts], lanes, strange))
    if isinstance(first, dict | tuple):
        keys = range(len(first)) if isinstance(first, tuple) else first
        values = [merged([(at, value[key]) for at, value in parts], lanes, strange) for key in keys]
        return tuple(values) if isinstance(first, tuple) else dict(zip(first, values, strict=True))
    if not isinstance(first, Lanes | float | numpy.ndarray):
        return first
    numbers = numpy.full((lanes, *_numbers(first).shape[1:]), numpy.nan)
    for at, value in parts:
        numbers[at] = _numbers(value)
    return Lanes(numbers)


def _kind(value: Any) -> tuple[Any, ...]:
    """What values have in common that can be those of one quantity in several lanes."""
    if isinstance(value, Lanes | float | numpy.ndarray):
        numbers = _numbers(value)
        return "numbers", numbers.shape[1:], numbers.dtype.kind == "c"
    if isinstance(value, dict | tuple):
        return type(value), tuple(value) if isinstance(value, dict) else len(value)
    return type(value), value if isinstance(value, int | str) else None
