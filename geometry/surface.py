"""What the verbs ask of a surface, whatever its kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from geometry._namespace import Array
from geometry.graph import FunctionGraph
from geometry.level_set import LevelSet
from geometry.parametric import Parametric

__all__ = ["OfFunction", "Surface", "check_any_surface", "check_of_function"]

KINDS = (FunctionGraph, LevelSet, Parametric)
OfFunction = FunctionGraph | LevelSet


class Surface(Protocol):
    """A surface with parameters θ: a contact element at each, and ways from one to another.

    The parameters of a graph are the arguments of its function, those of a level set points of the ambient space. Of a
    level set any x will do for a place: `settled` tells of which point of the surface it is one.
    """

    name: str
    box: Any  # (low, high) of each parameter; None where all belong to the surface

    # The contact element.

    def point(self, theta: Array) -> Array: ...

    def normal(self, theta: Array) -> Array: ...

    def point_and_normal(self, theta: Array) -> tuple[Array, Array]: ...

    def curvatures(self, theta: Array) -> Array: ...

    def has_second_order(self, theta: Array) -> bool: ...

    # The chart: parameters and points.

    def dimension(self, theta: Array) -> int: ...

    def settled(self, theta: Array) -> Array: ...

    def place(self, theta: Array) -> Array: ...

    def parameters(self, theta: Array, points: Array) -> Array: ...

    def parameters_of(self, points: Array) -> Array: ...

    # Searches.

    def start_of(self, points: Array) -> Array: ...

    def around(self, query: Array, start: Array, offsets: Array) -> Array: ...

    def is_above(self, points: Array) -> Array: ...

    @property
    def function(self) -> Callable[[Array], Array]: ...

    def prepared(self, theta: Array, evaluations: int, order: int = 0) -> Any: ...

    def to_look(self, theta: Array, name: str) -> Any: ...


def check_any_surface(surface: Any) -> None:
    """Raise unless `surface` is one of the kinds of surface."""
    if not isinstance(surface, KINDS):
        raise TypeError(
            f"surface must be a FunctionGraph, got {surface!r}; a function f becomes one by FunctionGraph(f), and "
            "LevelSet, Parametric and SampledGraph are surfaces, too"
        )


def check_of_function(surface: Any) -> None:
    """Raise unless `surface` is given by one function, of which proofs can follow what it does."""
    check_any_surface(surface)
    if not isinstance(surface, OfFunction):
        raise TypeError(f"surface must be a FunctionGraph or a LevelSet, got {surface!r}")
