"""What all shapes with truths share: the base class, and array functions for writing their formulas."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from geometry._level_search import unit
from geometry._namespace import Array, Namespace, array_namespace, device_of, floating, repeat
from geometry._results import call
from geometry._sides import check_side
from geometry._vectors import length
from geometry.level_set import LevelSet

__all__ = ["Shape", "bordered", "constant", "diagonal", "direction", "outer", "root"]

BISECTIONS = 200  # enough to halve any interval of floats that matters here down to one number


class Shape(LevelSet, ABC):
    """A level set with its truths.

    Notes
    -----
    Where several points are nearest, on the medial axis, `true_footpoint` is one of them.
    """

    _written: tuple[tuple[Any, ...], dict[str, Any]]  # the arguments of the constructor

    def __new__(cls, *arguments: Any, **options: Any) -> Any:
        made: Any = super().__new__(cls)
        made._written = arguments, options
        return made

    def __repr__(self) -> str:
        return call(type(self), *self._written)

    def __init__(self) -> None:
        super().__init__(self._value, self._gradient, self._hessian, name=type(self).__name__.lower())

    @abstractmethod
    def true_footpoint(self, points: Array) -> Array:
        """The nearest point, (..., n)."""

    @abstractmethod
    def true_curvatures(self, x: Array) -> Array:
        """Principal curvatures at points of the surface, ascending, (..., n−1)."""

    @abstractmethod
    def true_reach(self, side: str = "both") -> float:
        """The reach from one side, or from both."""

    def true_distance(self, points: Array) -> Array:
        """Distance to the nearest point, (...)."""
        xp, points = floating("points", points)
        return length(xp, points - self.true_footpoint(points))

    @abstractmethod
    def _value(self, x: Array) -> Array: ...

    @abstractmethod
    def _gradient(self, x: Array) -> Array: ...

    @abstractmethod
    def _hessian(self, x: Array) -> Array: ...

    def of_sides(self, side: str, above: float, below: float) -> float:
        """The reach from a side, given those from both."""
        check_side("side", side, both=True)
        return {"above": above, "below": below, "both": min(above, below)}[side]


def root(function: Any, low: Array, high: Array) -> Array:
    """The root between low and high of functions that fall, by bisection."""
    xp = array_namespace(low)

    def halve(ends: Array) -> Array:
        low, high = ends[0, ...], ends[1, ...]
        middle = (low + high) / 2
        positive = function(middle) > 0
        return xp.stack([xp.where(positive, middle, low), xp.where(positive, high, middle)])

    ends = repeat(BISECTIONS, halve, xp.stack([low, high]), low)
    return (ends[0, ...] + ends[1, ...]) / 2


def constant(values: Any, like: Array) -> Array:
    return array_namespace(like).asarray(values, dtype=like.dtype, device=device_of(like))


def outer(vector: Array) -> Array:
    return vector[..., :, None] * vector[..., None, :]


def diagonal(values: Any, like: Array) -> Array:
    """A diagonal matrix for each vector of `like`."""
    xp: Namespace = array_namespace(like)
    one = xp.eye(len(values), dtype=like.dtype, device=device_of(like))
    return one * constant(values, like) + xp.zeros_like(outer(like))


def direction(vector: Array) -> Array:
    """v/|v|; zero for zero."""
    return unit(array_namespace(vector), vector)


def bordered(matrix: Array) -> Array:
    """A matrix with a row and a column of zeros after its last."""
    xp = array_namespace(matrix)
    wide = xp.concat([matrix, 0 * matrix[..., :1]], axis=-1)
    return xp.concat([wide, 0 * wide[..., :1, :]], axis=-2)
