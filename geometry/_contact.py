"""A point of the graph seen from a query: half the squared distance φ, its gradient, and when it is stationary."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, TypeVar

from geometry._namespace import Array, array_namespace, epsilon
from geometry._vectors import Slope, dot, length, slope, split

__all__ = [
    "Contact",
    "Status",
    "choose",
    "distance",
    "distance_gradient",
    "half_square",
    "is_converged",
    "is_finite",
    "mark",
    "residual",
    "scale_along",
    "unit_of",
]


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


def half_square(contact: Contact, query: Array, unit: Array) -> Array:
    """φ = ½|θ − x|² + ½(f − y)², with lengths counted in `unit`."""
    xp = array_namespace(query)
    across = (contact.theta - query[..., :-1]) / unit[..., None]
    return (dot(xp, across, across) + ((contact.value - query[..., -1]) / unit) ** 2) / 2


def distance(contact: Contact, query: Array) -> Array:
    """√(2φ)."""
    xp = array_namespace(query)
    return xp.hypot(length(xp, contact.theta - query[..., :-1]), xp.abs(contact.value - query[..., -1]))


def unit_of(size: Array) -> Array:
    """A length to count in: 1, but where the squares of lengths of this size overflow or vanish, the size itself."""
    xp = array_namespace(size)
    large = float(xp.finfo(size.dtype).max) ** 0.375
    extreme = (size > large) | ((size < 1 / large) & (size > 0))
    return xp.where(extreme & xp.isfinite(size), size, xp.ones_like(size))


def distance_gradient(contact: Contact, query: Array) -> Array:
    """∇φ = (θ − x) + (f − y) g, the gradient of *half* the squared distance."""
    height = contact.value - query[..., -1]
    return (contact.theta - query[..., :-1]) + height[..., None] * contact.gradient


def scale_along(vector: Array, at: Slope, power: int) -> Array:
    """G^(power/2) v: the part of v along the slope, times W^power."""
    xp = array_namespace(vector)
    along, across = split(xp, vector, at.direction)
    return across + along * at.stretch[..., None] ** power * at.direction


def residual(contact: Contact, query: Array) -> Array:
    """Length of the tangential part of query − contact: |G^(-1/2) ∇φ|."""
    xp = array_namespace(query)
    return length(xp, scale_along(distance_gradient(contact, query), slope(xp, contact.gradient), -1))


def is_converged(contact: Contact, query: Array, tolerance: float | None = None) -> Array:
    """Whether the residual is zero to within `tolerance` times the size of the coordinates and of the distance.

    Heights count as far as the surface is steep, since in a flat place their rounding does not move the residual. The
    rounding of θ alone moves it by up to ε W |θ|, so that much is always allowed.
    """
    xp = array_namespace(query)
    eps = epsilon(xp, query.dtype)
    at = slope(xp, contact.gradient)
    size = length(xp, contact.theta) + length(xp, query[..., :-1])
    heights = (xp.abs(contact.value) + xp.abs(query[..., -1])) * (at.steepness / at.stretch)
    scale = size + heights + xp.abs(contact.value - query[..., -1])
    allowed = (eps**0.75 if tolerance is None else tolerance) * scale + 4 * eps * at.stretch * size
    return residual(contact, query) <= allowed


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
