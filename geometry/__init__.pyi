# What an editor is told of the package: an array of the same kind comes out as went in, NumPy's for lists of numbers.
# (Its exact type: of integers, which become floating numbers, and of an array with fewer axes, it is a simplification.)

from collections.abc import Sequence
from typing import Any, Generic, Literal, NamedTuple, Protocol, overload

import numpy
from numpy.typing import NDArray
from typing_extensions import TypeVar

from geometry import certified as certified
from geometry import shapes as shapes
from geometry._contact import Status as Status
from geometry.derivatives import check_gradient as check_gradient
from geometry.footpoint import Descent as Descent
from geometry.footpoint import GaussNewton as GaussNewton
from geometry.footpoint import MultiStart as MultiStart
from geometry.footpoint import Newton as Newton
from geometry.footpoint import Solver as Solver
from geometry.graph import FunctionGraph as FunctionGraph
from geometry.level_set import LevelSet as LevelSet
from geometry.parametric import Parametric as Parametric
from geometry.sampled import SampledGraph as SampledGraph
from geometry.sampling import Sampling as Sampling
from geometry.surface import Surface

__version__: str

class ArrayObject(Protocol):
    @property
    def shape(self) -> Any: ...
    @property
    def dtype(self) -> Any: ...

A = TypeVar("A", bound=ArrayObject, default=NDArray[numpy.floating[Any]])
Numbers = Sequence[Any]
Box = Sequence[tuple[float, float]]
Side = Literal["above", "below"]
Sides = Literal["above", "below", "both"]
Boundary = Literal["none", "periodic", "reflect"]
Missing = Literal["raise", "omit", "propagate"]
Axes = int | Sequence[int] | None

class Footpoints(Generic[A]):
    surface: Any
    query: A
    theta: A
    steps: A
    residual: A
    unique: A | None
    @property
    def contact(self) -> Any: ...
    @property
    def point(self) -> A: ...
    @property
    def normal(self) -> A: ...
    @property
    def distance(self) -> A: ...
    @property
    def gradient(self) -> A: ...
    @property
    def signed_distance(self) -> A: ...
    @property
    def status(self) -> A: ...
    @property
    def converged(self) -> A: ...

class Reach(NamedTuple, Generic[A]):
    value: A
    theta: A
    side: Sides

class Bottleneck(NamedTuple, Generic[A]):
    radius: A
    points: A

class MedialAxis(NamedTuple, Generic[A]):
    points: A
    radii: A

def project(
    surface: Surface, points: A | Numbers, solver: Solver | None = ..., *, start: Any = ...
) -> Footpoints[A]: ...
def project_and_jacobian(
    surface: Surface, points: A | Numbers, solver: Solver | None = ..., *, start: Any = ...
) -> tuple[Footpoints[A], A]: ...
def distance(surface: Surface, points: A | Numbers, solver: Solver | None = ..., *, start: Any = ...) -> A: ...
def signed_distance(surface: Surface, points: A | Numbers, solver: Solver | None = ..., *, start: Any = ...) -> A: ...
def distance_gradient(surface: Surface, points: A | Numbers, solver: Solver | None = ..., *, start: Any = ...) -> A: ...
def offset(surface: Surface, theta: A | Numbers, radius: Any) -> A: ...
def offset_function(surface: FunctionGraph, theta: A | Numbers, radius: Any, *, samples: int | None = ...) -> A: ...
def upward_normal(gradient: A | Numbers) -> A: ...
def steepest_tangent(gradient: A | Numbers) -> A: ...
def shape_matrix(gradient: A | Numbers, hessian: Any) -> A: ...
def reach(surface: Surface, box: A | Box, *, side: Sides = ..., samples: int | None = ...) -> Reach[A]: ...
def critical_radius(surface: Surface, box: A | Box, *, samples: int | None = ...) -> A: ...
def bottleneck(surface: LevelSet, box: A | Box, *, side: Sides = ..., samples: int = ...) -> Bottleneck[A]: ...
def medial_radius(
    surface: Surface, theta: A | Numbers, *, side: Side = ..., box: Any = ..., samples: int | None = ...
) -> A: ...
def reachable(
    surface: Surface, theta: A | Numbers, radius: Any, *, side: Side = ..., box: Any = ..., samples: int | None = ...
) -> A: ...
def medial_axis(surface: Surface, box: A | Box, *, side: Side = ..., samples: int = ...) -> MedialAxis[A]: ...
@overload
def reach_from_points(
    points: Any, *, normals: Any = ..., neighbors: int | None = ..., per_point: Literal[False] = ...
) -> float: ...
@overload
def reach_from_points(
    points: A | Numbers, *, normals: Any = ..., neighbors: int | None = ..., per_point: Literal[True]
) -> A: ...

class Dilation(Protocol):
    @overload
    def __call__(
        self,
        heights: A | Numbers,
        radius: Any,
        *,
        spacing: Any = ...,
        boundary: Boundary = ...,
        nan: Missing = ...,
        return_contact: Literal[False] = ...,
        axes: Axes = ...,
        mask: Any = ...,
        x: Any = ...,
        out: Any = ...,
        workers: int | None = ...,
    ) -> A: ...
    @overload
    def __call__(
        self,
        heights: A | Numbers,
        radius: Any,
        *,
        spacing: Any = ...,
        boundary: Boundary = ...,
        nan: Missing = ...,
        return_contact: Literal[True],
        axes: Axes = ...,
        mask: Any = ...,
        x: Any = ...,
        out: Any = ...,
        workers: int | None = ...,
    ) -> tuple[A, Any]: ...

dilate: Dilation
erode: Dilation
opening: Dilation
closing: Dilation

def reachable_samples(
    heights: A | Numbers,
    radius: Any,
    *,
    spacing: Any = ...,
    boundary: Boundary = ...,
    nan: Missing = ...,
    side: Side = ...,
    axes: Axes = ...,
    mask: Any = ...,
    x: Any = ...,
) -> A: ...
def free_of_ends(
    heights: A | Numbers,
    radius: Any,
    *,
    spacing: Any = ...,
    nan: Missing = ...,
    axes: Axes = ...,
    mask: Any = ...,
    x: Any = ...,
    passes: int = ...,
) -> A: ...
def rolling_ball(
    image: A | Numbers,
    radius: Any = ...,
    *,
    spacing: Any = ...,
    nansafe: bool = ...,
    channel_axis: int | None = ...,
    mask: Any = ...,
    workers: int | None = ...,
    kernel: Any = ...,
    num_threads: Any = ...,
) -> A: ...
