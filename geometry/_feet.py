"""Where a surface is touched: footpoints, with what follows from them when it is asked for."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from geometry._autodiff import is_recorded, with_derivative_of
from geometry._contact import Contact, Status, is_converged, is_finite, mark, view
from geometry._namespace import Array, array_namespace, quietly
from geometry._results import same
from geometry._trees import Tree, once
from geometry._vectors import dot, length
from geometry.frames import upward_normal
from geometry.level_set import LevelSet
from geometry.parametric import Parametric

__all__ = ["Footpoints", "OnChart", "footpoints", "known_of", "parts_known"]


class Footpoints(Tree):
    """Where the queries touch the surface.

    Attributes
    ----------
    theta : array (..., d)
        Parameters of the footpoint; for a level set the footpoint itself.
    point : array (..., d+1)
        The footpoint (θ, f(θ)).
    normal : array (..., d+1)
        Unit normal of the surface there, upward.
    distance : array (...)
        Distance from the query: an upper bound of the distance to the surface.
    residual : array (...)
        Length of the tangential part of query − footpoint: 0 at a stationary point.
    steps : array (...) of int
        Evaluations of value and gradient after the first.
    status : array (...) of int
        A `Status`.
    converged : array (...) of bool
        ``status == Status.CONVERGED``.
    unique : array (...) of bool, or None
        Of solvers that look in several places, `MultiStart` and `Sampling`. False: another place is as near, a
        converged footpoint more than ε^(1/8) of the distance away of which the distance is the same to ε^(3/4) of the
        coordinates (in float64 1 % and 1.8e-12). True: none was met, which proves nothing, and means nothing where the
        search has not converged. None: of a local solver, which cannot know, and of dask arrays. What is proven is told
        by ``unique`` of `geometry.certified.footpoint`.

    Notes
    -----
    `point`, `distance`, `residual`, `status` and `converged` of the fixed loop `Descent` are evaluated when first asked
    for, so that projecting costs exactly the gradients that the paper counts.

    Examples
    --------
    >>> import numpy as np
    >>> from geometry import FunctionGraph, project
    >>> wave = FunctionGraph(lambda t: np.sin(t[..., 0]), np.cos)
    >>> feet = project(wave, [[np.pi / 2, 3.0], [np.nan, 0.0]])
    >>> feet.distance, feet.converged
    (array([ 2., nan]), array([ True, False]))
    >>> [Status(code).name for code in feet.status]
    ['CONVERGED', 'NOT_FINITE']
    """

    unique: Array | None = None

    def __init__(
        self,
        surface: Any,
        query: Array,
        theta: Array,
        steps: Array,
        contact: Contact | None = None,
        status: Array | None = None,
    ) -> None:
        self.surface, self.query, self.theta, self.steps = surface, query, theta, steps
        self._known, self._status, self._searched = contact, status, status is not None

    def _is_child(self, name: str, value: Any) -> bool:
        return value is not None and name not in ("surface", "_searched")

    def _split(self) -> Any:
        """Without what was evaluated since, which is evaluated again where it is asked for."""
        names = ("surface", "query", "theta", "steps", "residual", "unique", "_known", "_status", "_searched")
        plain = object.__new__(type(self))
        plain.__dict__.update((name, vars(self)[name]) for name in names if name in vars(self))
        return Tree._split(plain)

    def __eq__(self, other: object) -> bool:
        """Whether all attributes are the same, bit by bit; surfaces are not compared."""
        told = "query", "theta", "point", "residual", "steps", "status", "unique"
        alike = isinstance(other, Footpoints) and type(self) is type(other)
        return alike and all(same(getattr(self, name), getattr(other, name)) for name in told)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Footpoints(theta={self.theta!r}, distance={self.distance!r}, status={self.status!r})"

    @once
    @quietly
    def contact(self) -> Contact:
        return self._known or Contact(self.theta, *self.surface.value_and_gradient(self.theta))

    @once
    def point(self) -> Array:
        xp = array_namespace(self.theta)
        return xp.concat([self.theta, self.contact.value[..., None]], axis=-1)

    @property
    @quietly
    def normal(self) -> Array:
        """Unit normal of the surface at the footpoint, upward; shape (..., d+1)."""
        return upward_normal(self.contact.gradient)

    @once
    @quietly
    def distance(self) -> Array:
        return self._smoothed(length(array_namespace(self.theta), self.query - self.point), signed=False)

    @property
    @quietly
    def gradient(self) -> Array:
        """∇d(q) = (q − p)/|q − p|, shape (..., d+1): the normal towards the query, on the surface the upward one."""
        xp, normal = array_namespace(self.theta), self.normal
        above = dot(xp, self.query - self.point, normal) >= 0
        return xp.where(above[..., None], normal, -normal)

    @property
    @quietly
    def signed_distance(self) -> Array:
        """The distance, positive above the surface and negative below."""
        xp = array_namespace(self.theta)
        return self._smoothed(xp.where(self.surface.is_above(self.query), self.distance, -self.distance), signed=True)

    def _smoothed(self, distance: Array, signed: bool) -> Array:
        """A distance that has, at a converged footpoint, the derivatives of the height over its tangent plane.

        They are those of |q − p|, of which rounding leaves nothing next to the surface. On it they are from above.
        """
        xp = array_namespace(self.theta)
        if not (self._searched and is_recorded(xp, self.query, self.theta)):
            return distance
        height = dot(xp, self.query - self.point, self.normal)
        height = height if signed else xp.where(height >= 0, height, -height)
        return with_derivative_of(xp, distance, xp.where(self.converged, height, distance))

    @once
    @quietly
    def residual(self) -> Array:
        return view(self.contact, self.query).residual

    @once
    @quietly
    def status(self) -> Array:
        if self._status is not None:
            return self._status
        status = mark(self.steps, None, Status.STEPS_USED)
        status = mark(status, is_converged(view(self.contact, self.query)), Status.CONVERGED)
        return mark(status, ~is_finite(self.contact, self.query), Status.NOT_FINITE)

    @property
    def converged(self) -> Array:
        return self.status == int(Status.CONVERGED)


class OnChart(Footpoints):
    """Footpoints of which θ tells the point without another search: on a level set, or a parametric surface."""

    def __init__(self, surface: Any, query: Array, theta: Array, residual: Array, steps: Array, status: Array) -> None:
        super().__init__(surface, query, theta, steps, status=status)
        self.residual = residual

    @once
    @quietly
    def point(self) -> Array:
        return self.surface.place(self.theta)

    @property
    @quietly
    def normal(self) -> Array:
        return self.surface.normal(self.theta)


class OnParameters(OnChart):
    """On a parametric surface, which may have a rim, and more than one normal."""

    @property
    @quietly
    def gradient(self) -> Array:
        xp, away = array_namespace(self.theta), self.query - self.point
        size = length(xp, away)[..., None]
        return away / xp.where(size == 0, xp.ones_like(size), size)  # NaN stays NaN

    def _smoothed(self, distance: Array, signed: bool) -> Array:
        return distance


def known_of(found: Footpoints) -> tuple[Array, ...]:
    """What a search knows of footpoints: the contact on a graph, the parameters and the residual on others."""
    return (found.theta, found.residual) if isinstance(found, OnChart) else tuple(found.contact)


@singledispatch
def parts_known(surface: Any) -> int:
    """How many arrays those are."""
    return len(Contact._fields)


@parts_known.register(LevelSet)
@parts_known.register(Parametric)
def _(surface: Any) -> int:
    return 2


@singledispatch
def footpoints(surface: Any, query: Array, steps: Array, known: tuple[Array, ...], status: Array) -> Footpoints:
    """Footpoints from what is known of them."""
    return Footpoints(surface, query, known[0], steps, Contact(*known), status)


@footpoints.register
def _(surface: LevelSet, query: Array, steps: Array, known: tuple[Array, ...], status: Array) -> Footpoints:
    x, residual = known
    return OnChart(surface, query, x, residual, steps, status)


@footpoints.register
def _(surface: Parametric, query: Array, steps: Array, known: tuple[Array, ...], status: Array) -> Footpoints:
    theta, residual = known
    return OnParameters(surface, query, theta, residual, steps, status)
