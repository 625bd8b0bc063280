"""Global maxima of many functions at once, from values alone: sampled over a ball or a box, then climbed.

The functions may have kinks, creases and jumps, and several maxima of the same height. Finding the highest of all
maxima is left to the samples: what falls between them is not seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy

from geometry._kernels import kernel
from geometry._namespace import (
    Array,
    Namespace,
    array_namespace,
    count_dtype,
    device_of,
    epsilon,
    is_traced,
    not_compiling,
    while_loop,
)
from geometry._spread import kronecker
from geometry._vectors import length

__all__ = [
    "CHILDREN",
    "Compiled",
    "Samples",
    "Starts",
    "alike",
    "climb",
    "deviates",
    "highest",
    "in_chunks",
    "join",
    "sampled",
    "samples_of_the_ball",
    "samples_of_the_cube",
    "strategy",
]

CHILDREN, ELITE, GENERATIONS = 32, 16, 200  # of the evolution strategy
LONGEST = math.pi  # stride, in units of the first
OVERLAP = 2.0  # starts that are closer than this, in units of their spacing, are one
BLOCK, PEAKS, STARTS = 2**13, 4, 32  # samples of a box at a time, starts that they offer, starts that are climbed from


class Samples(NamedTuple):
    """Points of the unit ball, evenly spread, with their neighbours."""

    points: numpy.ndarray  # (n, d)
    neighbors: numpy.ndarray  # (n, k) of int: the nearest ones, each point among its own
    spacing: float


@lru_cache(maxsize=32)
def samples_of_the_ball(d: int, count: int, block: int) -> Samples:
    """The `block`-th `count` points of an additive recurrence (Kronecker sequence): blocks fill each other's gaps.

    The cube is mapped to the ball along its rays. Point 0 of block 0 is the centre.
    """
    cube = _block(d, count, block)
    size = numpy.linalg.norm(cube, axis=-1, keepdims=True)
    return _with_neighbors(cube * numpy.abs(cube).max(axis=-1, keepdims=True) / numpy.where(size > 0, size, 1))


@lru_cache(maxsize=32)
def samples_of_the_cube(d: int, count: int, block: int) -> Samples:
    """The same for the cube [−1, 1]ᵈ."""
    return _with_neighbors(_block(d, count, block))


def _block(d: int, count: int, block: int) -> numpy.ndarray:
    return 2 * kronecker(d, block * count, (block + 1) * count) - 1


def _with_neighbors(points: numpy.ndarray) -> Samples:
    not_compiling("the search for a maximum")
    from scipy.spatial import cKDTree

    count, d = points.shape
    neighbors = cKDTree(points).query(points, k=range(1, min(4 * d + 1, count) + 1))[1]
    return Samples(points, neighbors, count ** (-1 / d))


class Starts(NamedTuple):
    """From where to climb: k places an item, with what is known there."""

    values: Array  # (b, k)
    places: Array  # (b, k, d)
    spacing: Array  # (b, k): of the samples around

    def take(self, index: Array) -> Starts:
        """Those at the indices (b, j)."""
        xp = array_namespace(index)
        (b, k), (_, j) = self.values.shape, index.shape
        rows = k * xp.arange(b, dtype=index.dtype, device=device_of(index))
        flat = xp.reshape(rows[:, None] + index, (-1,))
        return Starts(*(xp.reshape(xp.take(_rows(a), flat, axis=0), (b, j, *a.shape[2:])) for a in self))


def _rows(array: Array) -> Array:
    """The first two axes as one."""
    return array_namespace(array).reshape(array, (-1, *array.shape[2:]))


def alike(like: Array, values: Any) -> Array:
    """Numbers as an array of the library, the device and the dtype of another."""
    return array_namespace(like).asarray(values, dtype=like.dtype, device=device_of(like))


def sampled(sweeps: Iterable[tuple[Samples, Starts]], peaks: int, count: int) -> Starts:
    """From where to climb: of the `peaks` highest samples of each sweep that no neighbour exceeds the best `count`."""
    return _distinct(join([_local_maxima(seen, samples.neighbors, peaks) for samples, seen in sweeps]), count)


def _local_maxima(samples: Starts, neighbors: numpy.ndarray, count: int) -> Starts:
    """The highest samples that no neighbour exceeds, highest first."""
    values = samples.values
    xp = array_namespace(values)
    flat = xp.asarray(neighbors.reshape(-1), device=device_of(values))
    around = xp.reshape(xp.take(values, flat, axis=1), (*values.shape, neighbors.shape[-1]))
    peaks = xp.where(values >= xp.max(around, axis=-1), values, -xp.inf)
    index = xp.arange(values.shape[1], dtype=count_dtype(xp, values), device=device_of(values))
    found = []
    for _ in range(count):
        found.append(xp.argmax(peaks, axis=1, keepdims=True))
        peaks = xp.where(index == found[-1], -xp.inf, peaks)
    return samples.take(xp.concat(found, axis=1))


def _distinct(starts: Starts, count: int) -> Starts:
    """The highest starts, no two of them so close that they are seen from one another."""
    xp = array_namespace(starts.values)
    values, found = starts.values, []
    for _ in range(count):
        best = starts.take(xp.argmax(values, axis=1, keepdims=True))
        near = length(xp, starts.places - best.places) <= OVERLAP * xp.maximum(starts.spacing, best.spacing)
        values = xp.where(near, -xp.inf, values)
        found.append(best)
    return join(found)


def join(parts: list[Starts]) -> Starts:
    """Side by side."""
    xp = array_namespace(parts[0].values)
    return Starts(*(xp.concat(arrays, axis=1) for arrays in zip(*parts, strict=True)))


class _State(NamedTuple):
    generation: Array  # ()
    mean: Array  # (m, d)
    stretch: Array  # (m, d, d): the matrix that adapts to creases and to curvatures of different size
    path: Array  # (m, d)
    stride: Array  # (m,)
    best: Array  # (m,)
    place: Array  # (m, d)
    running: Array  # (m,)


class Compiled(NamedTuple):
    """What is maximised, as compiled code knows it."""

    kind: str  # of objectives: see `geometry._kernels.maxima`
    function: Any  # the recorded f
    items: numpy.ndarray  # (b, m)


def climb(
    function: Callable[[Array], Array], starts: Starts, resolution: Array, compiled: Compiled | None = None
) -> Starts:
    """The highest values that an evolution strategy meets on its way from each start, and their places.

    Parameters
    ----------
    function : callable
        Array (b, n, d) → array (b, n) without NaN; −inf where there is nothing.
    starts : Starts
        k for each of b items; the first generations spread by their spacing.
    resolution : array (b, k)
        A climb stops when the better half of a generation agrees to within this. It has no part in others.
    compiled : Compiled, optional
        The same function for compiled climbs.

    Notes
    -----
    The matrix adaptation of Beyer and Sendhoff, with recombination: ranks of values alone decide, so that kinks and
    jumps do no harm, and the matrix makes the method blind to linear maps of the places, so that creases and
    ill-conditioned maxima do not stop it. Normal deviates come from one fixed table.

    References
    ----------
    H.-G. Beyer, B. Sendhoff, "Simplify your covariance matrix adaptation evolution strategy", IEEE Trans. Evolutionary
    Computation 21 (2017), 746–759.
    """
    xp, (b, k, d) = array_namespace(starts.places), starts.places.shape
    if compiled is not None and (run := kernel("climb", xp)) is not None:
        return Starts(*run(*compiled, starts, resolution, deviates(d), WEIGHTS, strategy(d)))
    start, stride, best, resolution = map(_rows, (starts.places, starts.spacing, starts.values, resolution))
    rates, nothing, longest = strategy(d), -float(xp.finfo(start.dtype).max) / 4, LONGEST * stride
    normals, weights, one = (alike(start, array) for array in (deviates(d), WEIGHTS, numpy.eye(d)))
    index = xp.arange(CHILDREN, dtype=count_dtype(xp, start), device=device_of(start))

    def evolve(state: _State) -> _State:
        z = xp.take(normals, xp.reshape(state.generation, (1,)), axis=0)[0, ...]  # (CHILDREN, d)
        step = xp.matmul(z, xp.matrix_transpose(state.stretch))
        children = state.mean[:, None, :] + state.stride[:, None, None] * step
        values = xp.reshape(function(xp.reshape(children, (b, -1, d))), children.shape[:-1])
        values = xp.maximum(values, nothing)  # so that a climb in the void ends
        elite = xp.argsort(values, axis=1, descending=True)[:, :ELITE]
        chosen = xp.reshape(xp.take(z, _rows(elite), axis=0), (*elite.shape, d))
        weighted = weights[:, None] * chosen
        drift = xp.sum(weighted, axis=1)
        path = (1 - rates.path) * state.path + rates.drift * drift
        spread = xp.matmul(xp.matrix_transpose(weighted), chosen)
        turn = rates.one * (path[:, :, None] * path[:, None, :] - one) + rates.many * (spread - one)
        ranked = xp.sort(values, axis=1)
        first = xp.sum(xp.where(index[:, None] == elite[:, :1, None], children, 0.0), axis=1)
        higher = state.running & (ranked[:, -1] > state.best)
        return _State(
            state.generation + 1,
            state.mean + state.stride[:, None] * xp.matmul(state.stretch, drift[..., None])[..., 0],
            xp.matmul(state.stretch, one + turn),
            path,
            xp.minimum(state.stride * xp.exp(rates.stride * (length(xp, path) / rates.normal - 1)), longest),
            xp.where(higher, ranked[:, -1], state.best),
            xp.where(higher[:, None], first, state.place),
            state.running & ~(ranked[:, -1] - ranked[:, -ELITE] <= resolution),
        )

    zero = xp.zeros((), dtype=count_dtype(xp, start), device=device_of(start))
    stretch, still = one + xp.zeros_like(start)[..., None], xp.zeros_like(start)
    state = _State(zero, start, stretch, still, stride, xp.maximum(best, nothing), start, best == best)
    end = while_loop(
        lambda s: xp.any(s[-1]) & (s[0] < GENERATIONS), lambda s: tuple(evolve(_State(*s))), tuple(state), start
    )
    best, place = xp.reshape(_State(*end).best, (b, k)), xp.reshape(_State(*end).place, (b, k, d))
    return Starts(xp.where(best > nothing, best, -xp.inf), place, starts.spacing)


class _Rates(NamedTuple):
    path: float
    drift: float
    one: float  # half the rate of the matrix for the path, and for the elite
    many: float
    stride: float
    normal: float  # expected length of a standard normal vector


WEIGHTS = numpy.log((CHILDREN + 1) / 2) - numpy.log(numpy.arange(1, ELITE + 1))
WEIGHTS /= WEIGHTS.sum()


def strategy(d: int) -> _Rates:
    """The strategy's constants, as its authors set them."""
    mass = float(1 / (WEIGHTS**2).sum())
    path = (mass + 2) / (d + mass + 5)
    damping = 1 + path + 2 * max(0.0, math.sqrt((mass - 1) / (d + 1)) - 1)
    one = 2 / ((d + 1.3) ** 2 + mass)
    many = min(1 - one, 2 * (mass - 2 + 1 / mass) / ((d + 2) ** 2 + mass))
    normal = math.sqrt(d) * (1 - 1 / (4 * d) + 1 / (21 * d * d))
    return _Rates(path, math.sqrt(mass * path * (2 - path)), one / 2, many / 2, path / damping, normal)


@lru_cache(maxsize=8)
def deviates(d: int) -> numpy.ndarray:
    """Normal deviates for all generations, (generations, children, d)."""
    return numpy.random.default_rng(0).standard_normal((GENERATIONS, CHILDREN, d))


def highest(
    function: Callable[[Array], Array],
    center: Array,
    half: Array,
    samples: int,
    units: float = 16,
    compiled: Compiled | None = None,
) -> tuple[Array, Array]:
    """The highest values of `function` in boxes, (b,), and their places, (b, d).

    Parameters
    ----------
    function : callable
        Array (b, k, d) → array (b, k); −inf where there is nothing.
    center, half : array (b, d)
        The middles of the boxes, and half their sides.
    samples : int
        How many points of each box are looked at. The highest that no neighbour exceeds are climbed from.
    units : float
        The precision of the values, in units of the last place.
    compiled : Compiled, optional
        The same function for compiled searches, of places in [−1, 1]ᵈ.
    """
    xp, (b, d) = array_namespace(center), center.shape
    look = kernel("look", xp) if compiled else None
    blocks = -(-samples // BLOCK)

    def places(v: Array) -> Array:
        return center[:, None, :] + half[:, None, :] * xp.clip(v, -1.0, 1.0)

    def sweeps() -> Iterator[tuple[Samples, Starts]]:
        for block in range(blocks):
            seen = samples_of_the_cube(d, -(-samples // blocks), block)
            v = xp.broadcast_to(alike(center, seen.points), (b, *seen.points.shape))
            values = look(*compiled, seen.points) if look and compiled else function(places(v))
            yield seen, Starts(values, v, xp.full_like(values, 2 * seen.spacing))

    starts = sampled(sweeps(), PEAKS, STARTS)
    resolution = units * epsilon(xp, center.dtype) * xp.abs(starts.values)
    finer = starts._replace(spacing=starts.spacing * blocks ** (-1 / d))
    ends = climb(lambda v: function(places(v)), finer, resolution, compiled)
    best = ends.take(xp.argmax(ends.values, axis=1, keepdims=True))
    return best.values[:, 0], places(best.places)[:, 0, :]


def in_chunks(
    xp: Namespace, function: Callable[..., tuple[Array, ...]], size: int, *arrays: Array
) -> tuple[Array, ...]:
    """``function(*arrays)``, `size` items (but at least one) of the first axis at a time."""
    count, size = arrays[0].shape[0], max(size, 1)
    if count <= size:
        return function(*arrays)
    if is_traced(*arrays):
        import jax

        def one(item: tuple[Array, ...]) -> tuple[Array, ...]:
            return tuple(result[0] for result in function(*(a[None] for a in item)))

        return jax.lax.map(one, arrays, batch_size=size)
    parts = [function(*(a[i : min(i + size, count), ...] for a in arrays)) for i in range(0, count, size)]
    return tuple(xp.concat(results, axis=0) for results in zip(*parts, strict=True))
