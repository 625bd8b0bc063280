"""Bottlenecks of a level set: pairs of points whose segment is normal to it at both ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from geometry._maximum import samples_of_the_cube
from geometry._namespace import Array, Namespace, array_namespace, device_of, epsilon, repeat
from geometry._vectors import dot, length

__all__ = ["narrowest"]

FACING = 0.95  # cosine of the angle between segment and normals from which on a pair of samples is a candidate
CANDIDATES, STEPS, NEARBY = 256, 40, 20
GROUP = 512  # rows of pairs at a time


def narrowest(surface: Any, low: Array, high: Array, signs: Sequence[float], samples: int) -> tuple[Array, Array]:
    """Half the length of the shortest bottleneck in a box, (), and its ends, (2, n)."""
    xp = array_namespace(low)
    p, q = _candidates(xp, surface, low, high, signs, samples)
    pairs = repeat(STEPS, lambda pairs: _step(xp, surface, pairs), xp.stack([p, q], axis=-2), low)
    ends = surface.point(pairs)
    p, q = ends[:, 0, :], ends[:, 1, :]
    away = q - p
    size = length(xp, away)
    scale = xp.max(high - low)
    slants = [_slant(xp, surface.normal(x), away, size) for x in (p, q)]
    good = (xp.maximum(*slants) <= epsilon(xp, low.dtype) ** 0.5) & (size > 1e-6 * scale)
    inside = xp.all((ends >= low) & (ends <= high), axis=(-2, -1))
    good = good & inside & _leaves(xp, surface, p, q, signs)
    radius = xp.where(good, size / 2, xp.inf)
    best = xp.argmin(radius)
    return xp.take(radius, xp.reshape(best, (1,)))[0], xp.take(ends, xp.reshape(best, (1,)), axis=0)[0, ...]


def _candidates(
    xp: Namespace, surface: Any, low: Array, high: Array, signs: Sequence[float], samples: int
) -> tuple[Array, Array]:
    """For each sample the nearest of those that it nearly faces, and the one that it faces best.

    Of the first pairs the shortest ones, of the second ones those with the least slant: where a surface narrows without
    a bottleneck, short pairs lead nowhere.
    """
    v = xp.asarray(samples_of_the_cube(low.shape[0], samples, 0).points, dtype=low.dtype, device=device_of(low))
    x = surface.point((low + high) / 2 + (high - low) / 2 * v, max_steps=NEARBY)
    x = xp.where(xp.all((x >= low) & (x <= high), axis=-1)[:, None], x, xp.nan)
    normals = surface.normal(x)
    lengths, nearest, slants, opposite = [], [], [], []
    for i in range(0, samples, GROUP):
        group = slice(i, min(i + GROUP, samples))
        here, rows = normals[group, :], x[group, :]
        size = xp.sqrt(xp.sum((x[None, :, :] - rows[:, None, :]) ** 2, axis=-1))
        up = xp.matmul(here, xp.matrix_transpose(x)) - dot(xp, here, rows)[:, None]
        down = xp.matmul(rows, xp.matrix_transpose(normals)) - dot(xp, normals, x)[None, :]
        cosine = xp.minimum(xp.abs(up), xp.abs(down)) / xp.where(size > 0, size, 1.0)
        allowed = (cosine >= FACING) & (size > 0) & _on_a_side(xp, up, down, signs)
        size, slant = xp.where(allowed, size, xp.inf), xp.where(allowed, 1 - cosine, xp.inf)
        lengths.append(xp.min(size, axis=1))
        nearest.append(xp.argmin(size, axis=1))
        slants.append(xp.min(slant, axis=1))
        opposite.append(xp.argmin(slant, axis=1))
    pairs = []
    for least, partners in ((lengths, nearest), (slants, opposite)):
        first = xp.argsort(xp.concat(least))[:CANDIDATES]
        pairs.append((first, xp.take(xp.concat(partners), first)))
    p, q = (xp.concat(ends) for ends in zip(*pairs, strict=True))
    return xp.take(x, p, axis=0), xp.take(x, q, axis=0)


def _slant(xp: Namespace, normal: Array, away: Array, size: Array) -> Array:
    """Sine of the angle between a unit normal and a segment."""
    size = xp.where(size > 0, size, 1.0)
    along = dot(xp, normal, away)[..., None]
    return length(xp, away - along * normal) / size


def _on_a_side(xp: Namespace, up: Array, down: Array, signs: Sequence[float]) -> Array:
    allowed = up != up
    for sign in signs:
        allowed = allowed | ((sign * up > 0) & (sign * down > 0))
    return allowed


def _leaves(xp: Namespace, surface: Any, p: Array, q: Array, signs: Sequence[float]) -> Array:
    """Whether a segment leaves both of its ends to an allowed side."""
    return _on_a_side(xp, dot(xp, q - p, surface.normal(p)), dot(xp, p - q, surface.normal(q)), signs)


def _step(xp: Namespace, surface: Any, pairs: Array) -> Array:
    """A damped Gauss–Newton step on (F(p)/|∇F|, F(q)/|∇F|, tangential parts of q − p at p and q), pairs (m, 2, n).

    The unit normal changes by −S per unit of tangent, so that the tangential part T = (I − ννᵀ)a of a = q − p has the
    derivative ∓(I − ννᵀ) + (a·ν) S_x, with S_x the shape operator as an n×n matrix.
    """
    n = pairs.shape[-1]
    p, q = pairs[:, 0, :], pairs[:, 1, :]
    blocks = [_conditions(xp, surface, p, q - p, -1), _conditions(xp, surface, q, q - p, 1)]
    values = xp.concat([blocks[0][0], blocks[1][0]], axis=-1)
    top = xp.concat([blocks[0][1], blocks[0][2]], axis=-1)
    bottom = xp.concat([blocks[1][2], blocks[1][1]], axis=-1)
    jacobian = xp.concat([top, bottom], axis=-2)
    transposed = xp.matrix_transpose(jacobian)
    normal = xp.matmul(transposed, jacobian)
    right = xp.matmul(transposed, values[..., None])
    good = xp.all(xp.isfinite(normal), axis=(-2, -1)) & xp.all(xp.isfinite(right), axis=(-2, -1))
    one = xp.eye(2 * n, dtype=pairs.dtype, device=device_of(pairs))
    damping = epsilon(xp, pairs.dtype) * (1 + xp.max(xp.abs(normal), axis=(-2, -1), keepdims=True))
    normal = xp.where(good[:, None, None], normal + damping * one, one)
    right = xp.where(good[:, None, None], right, xp.zeros_like(right))
    step = -xp.reshape(xp.linalg.solve(normal, right), pairs.shape)
    longest = length(xp, q - p)[:, None, None] / 4
    size = xp.max(length(xp, step), axis=-1)[:, None, None]
    return pairs + step * xp.minimum(xp.ones_like(size), longest / xp.where(size > 0, size, 1.0))


def _conditions(xp: Namespace, surface: Any, x: Array, away: Array, sign: int) -> tuple[Array, Array, Array]:
    """The conditions at one end, (m, 1 + n), and their derivatives by this end and by the other, (m, 1 + n, n)."""
    value, gradient = surface.value_and_gradient(x)
    size = length(xp, gradient)
    normal = gradient / size[:, None]
    one = xp.eye(x.shape[-1], dtype=x.dtype, device=device_of(x))
    project = one - normal[:, :, None] * normal[:, None, :]
    turn = xp.matmul(project, surface.hessian(x)) / size[:, None, None]  # derivative of the unit normal
    height = dot(xp, away, normal)
    across = away - height[:, None] * normal
    own = sign * project - height[:, None, None] * turn
    own = own - normal[:, :, None] * xp.matmul(across[:, None, :], turn)
    other = -sign * project
    values = xp.concat([(value / size)[:, None], across], axis=-1)
    by_own = xp.concat([normal[:, None, :], own], axis=-2)
    return values, by_own, xp.concat([xp.zeros_like(normal[:, None, :]), other], axis=-2)
