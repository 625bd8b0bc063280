"""A point of the graph seen from a query: half the squared distance φ, its gradient, and when it is stationary."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, TypeVar

from geometry._namespace import Array, array_namespace, epsilon
from geometry._vectors import Slope, dot, length, slope, split

__all__ = [
    "Contact",
    "Status",
    "View",
    "choose",
    "distance_gradient",
    "half_square",
    "is_converged",
    "is_finite",
    "mark",
    "pull",
    "rounding",
    "scale_along",
    "unit_of",
    "view",
]

NOISE = 64  # rounding errors of f that are taken for granted, in units of the last place


class Status(IntEnum):
    """Why a point stopped."""

    CONVERGED = 0  #: the residual is zero to within the tolerance, or θ to within the precision of its dtype
    STEPS_USED = 1  #: the solver took all the steps it was given
    STALLED = 2  #: no step brings the point nearer in this precision, yet the residual exceeds the tolerance
    NOT_FINITE = 3  #: the query, the start or the surface there is NaN or infinite


class Contact(NamedTuple):
    """A point of the graph with what is known there."""

    theta: Array  # (..., d)
    value: Array  # (...)
    gradient: Array  # (..., d)


class View(NamedTuple):
    """A contact seen from a query (x, y), with all that a search asks of it."""

    theta: Array  # (..., d)
    value: Array  # (...)
    gradient: Array  # (..., d)
    offset: Array  # θ − x, (..., d)
    height: Array  # f − y, (...)
    direction: Array  # of the gradient, (..., d): its polar form
    steepness: Array  # |g|
    stretch: Array  # W
    force: Array  # G^(-1/2) ∇φ, (..., d)
    residual: Array  # its length: of the tangential part of query − contact
    across: Array  # |θ − x|
    distance: Array  # √(2φ)
    size: Array  # |θ| + |x|, which the rounding error of θ − x is a fraction of
    heights: Array  # |f| + |y|, the same of f − y

    @property
    def contact(self) -> Contact:
        return Contact(self.theta, self.value, self.gradient)

    @property
    def at(self) -> Slope:
        return Slope(self.direction, self.steepness, self.stretch)


def view(contact: Contact, query: Array, far: Array | None = None) -> View:
    """What a contact is, seen from a query; `far` is |x|, where it is known."""
    xp = array_namespace(query)
    x, y = query[..., :-1], query[..., -1]
    far = length(xp, x) if far is None else far
    at, offset, height = slope(xp, contact.gradient), contact.theta - x, contact.value - y
    force = scale_along(offset + height[..., None] * contact.gradient, at, -1)
    across = length(xp, offset)
    distance = xp.hypot(across, xp.abs(height))
    size, heights = length(xp, contact.theta) + far, xp.abs(contact.value) + xp.abs(y)
    return View(*contact, offset, height, *at, force, length(xp, force), across, distance, size, heights)


def half_square(seen: View, unit: Array) -> Array:
    """φ = ½|θ − x|² + ½(f − y)², with lengths counted in `unit`."""
    xp = array_namespace(unit)
    across = seen.offset / unit[..., None]
    return (dot(xp, across, across) + (seen.height / unit) ** 2) / 2


def unit_of(size: Array) -> Array:
    """A length to count in: 1, but where the squares of lengths of this size overflow or vanish, the size itself."""
    xp = array_namespace(size)
    large = float(xp.finfo(size.dtype).max) ** 0.375
    extreme = ((size > large) & (size < xp.inf)) | ((size < 1 / large) & (size > 0))
    return xp.where(extreme, size, xp.ones_like(size))


def distance_gradient(contact: Contact, query: Array) -> Array:
    """∇φ = (θ − x) + (f − y) g, the gradient of *half* the squared distance."""
    height = contact.value - query[..., -1]
    return (contact.theta - query[..., :-1]) + height[..., None] * contact.gradient


def pull(seen: View) -> Array:
    """The same ∇φ."""
    return seen.offset + seen.height[..., None] * seen.gradient


def scale_along(vector: Array, at: Slope, power: int) -> Array:
    """G^(power/2) v: the part of v along the slope, times W^power."""
    xp = array_namespace(vector)
    along, across = split(xp, vector, at.direction)
    return across + along * at.stretch[..., None] ** power * at.direction


def is_converged(seen: View, tolerance: float | None = None) -> Array:
    """Whether the residual is zero to within `tolerance` times the size of the coordinates and of the distance.

    Heights count as far as the surface is steep, since in a flat place their rounding does not move the residual. The
    rounding of θ alone moves it by up to ε W |θ|, so that much is always allowed.
    """
    xp = array_namespace(seen.size)
    eps = epsilon(xp, seen.size.dtype)
    scale = seen.size + seen.heights * (seen.steepness / seen.stretch) + xp.abs(seen.height)
    allowed = (eps**0.75 if tolerance is None else tolerance) * scale + 4 * eps * seen.stretch * seen.size
    return seen.residual <= allowed


def rounding(seen: View, unit: Array) -> Array:
    """The rounding error of φ that is taken for granted."""
    xp = array_namespace(unit)
    across = seen.across / unit * (seen.size / unit)
    heights = xp.abs(seen.height) / unit * (seen.heights / unit)
    return NOISE * epsilon(xp, unit.dtype) * (half_square(seen, unit) + across + heights)


def is_finite(contact: Contact, query: Array) -> Array:
    """Whether the contact, its height and gradient, and the query are all finite."""
    xp = array_namespace(query)
    vectors = (contact.theta, contact.gradient, query)
    result = xp.isfinite(contact.value)
    for vector in vectors:
        result = result & xp.all(xp.isfinite(vector), axis=-1)
    return result


Arrays = TypeVar("Arrays", bound=tuple)


def choose(where: Array, yes: Arrays, no: Arrays) -> Arrays:
    """Item by item, the arrays of `yes` or of `no`; vectors have one axis more than `where`."""
    xp = array_namespace(where)
    chosen = tuple(
        xp.where(where if a.ndim == where.ndim else where[..., None], a, b) for a, b in zip(yes, no, strict=True)
    )
    return type(yes)(*chosen) if hasattr(yes, "_fields") else chosen  # type: ignore[return-value]


def mark(status: Array, where: Array | None, code: int) -> Array:
    """`status` with `code` written wherever `where` holds (everywhere for None)."""
    xp = array_namespace(status)
    codes = xp.full_like(status, int(code))
    return codes if where is None else xp.where(where, codes, status)
