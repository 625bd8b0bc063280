"""Lengths, inner products and the metric G = I + g gᵀ of a graph, for batches of vectors (..., d).

G has the eigenvalue W² = 1 + |g|² along g and 1 across, so each of its powers costs O(d): split a vector into the
parts along and across the unit slope n = g/|g| and scale the first. Nothing here squares a number before it is scaled,
so slopes from the smallest to the largest number of the dtype survive.
"""

from __future__ import annotations

from typing import NamedTuple

from geometry._namespace import Array, Namespace

__all__ = ["Slope", "dot", "length", "slope", "split"]


def dot(xp: Namespace, a: Array, b: Array) -> Array:
    """Inner product over the last axis."""
    return xp.sum(a * b, axis=-1)


def _size(xp: Namespace, vector: Array) -> Array:
    """What to divide a vector by before its components are squared, (..., 1): the size of the largest, or 1 for zero.

    Large ones count a quarter: compilers multiply by the reciprocal, and a subnormal reciprocal may be flushed to zero.
    """
    size = xp.max(xp.abs(vector), axis=-1, keepdims=True)
    size = xp.where(size > 1, size / 4, size)
    return xp.where((size > 0) & (size < xp.inf), size, xp.ones_like(size))


def length(xp: Namespace, vector: Array) -> Array:
    """Euclidean length over the last axis, safe against overflow and underflow of squares."""
    safe = _size(xp, vector)
    return safe[..., 0] * _root(xp, xp.sum((vector / safe) ** 2, axis=-1))


def _root(xp: Namespace, square: Array) -> Array:
    """√ with the derivative 0 at 0, where that of the library would be infinite, and NaN once multiplied by zero."""
    positive = square != 0
    return xp.where(positive, xp.sqrt(xp.where(positive, square, xp.ones_like(square))), square)


class Slope(NamedTuple):
    """A gradient in polar form."""

    direction: Array  # n = g/|g|, shape (..., d); zero where g is zero
    steepness: Array  # |g|, shape (...)
    stretch: Array  # W = √(1 + |g|²), shape (...)


def slope(xp: Namespace, gradient: Array) -> Slope:
    """Direction, length and stretch factor W of a gradient."""
    safe = _size(xp, gradient)
    scaled = gradient / safe
    norm = _root(xp, xp.sum(scaled**2, axis=-1, keepdims=True))
    direction = scaled / xp.where(norm > 0, norm, xp.ones_like(norm))
    steepness = (safe * norm)[..., 0]
    return Slope(direction, steepness, xp.hypot(xp.ones_like(steepness), steepness))


def split(xp: Namespace, vector: Array, direction: Array) -> tuple[Array, Array]:
    """The coefficient (..., 1) of `vector` along a unit (or zero) direction, and the part across it."""
    along = dot(xp, vector, direction)[..., None]
    return along, vector - along * direction
