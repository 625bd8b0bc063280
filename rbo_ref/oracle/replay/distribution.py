"""Are two samples along chaotic orbits drawn from one distribution? The energy distance, by permutation of blocks.

Successive points of an orbit depend on each other, so that blocks of them are permuted and not the points: blocks that
are long against the memory of the orbit are nearly independent, and under the hypothesis that both orbits follow one
map, and have forgotten where they began, exchanging blocks changes nothing. Then the rank of the distance among those
of permuted blocks is uniform, and a p-value of at most α has probability at most α.

G. J. Székely, M. L. Rizzo, "Energy statistics: A class of statistics based on distances" (2013), Section 3;
M. D. Ernst, "Permutation methods: a basis for exact inference" (2004).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy
from numpy.typing import NDArray

__all__ = ["Comparison", "compare_samples", "memory"]

Floats = NDArray[numpy.float64]


class Comparison(NamedTuple):
    """The outcome of a test.

    Attributes
    ----------
    distance : float
        Energy distance of the samples, in units of their spread.
    p_value : float
        Share of permutations, the samples themselves included, that are as far apart.
    blocks : tuple of int
        Number of blocks of the two samples.
    """

    distance: float
    p_value: float
    blocks: tuple[int, int]


def compare_samples(
    one: Floats, other: Floats, *, blocks: int = 20, permutations: int = 999, seed: int = 0
) -> Comparison:
    """Compare two samples, each in the order of its orbit.

    Parameters
    ----------
    one, other : array (n, k), (m, k)
        Points; every component counts in units of its median absolute deviation.
    blocks : int
        Number of blocks that each sample is cut into.
    permutations, seed : int

    Returns
    -------
    Comparison

    Examples
    --------
    >>> random = numpy.random.default_rng(0)
    >>> one, other = random.normal(size=(2, 400, 1))
    >>> compare_samples(one, other).p_value > 0.05
    True
    >>> compare_samples(one, other + 1).p_value
    0.001
    """
    from scipy.spatial.distance import cdist

    random = numpy.random.default_rng(seed)
    groups = [*numpy.array_split(one, blocks), *numpy.array_split(other, blocks)]
    points = numpy.concatenate(groups)
    middle = numpy.median(points, axis=0)
    scale = numpy.median(numpy.abs(points - middle), axis=0)
    points = (points - middle) / numpy.where(scale > 0, scale, 1.0)
    owner = numpy.repeat(numpy.arange(len(groups)), [len(group) for group in groups])
    member = (owner[:, None] == numpy.arange(len(groups))).astype(float)
    between = member.T @ cdist(points, points) @ member  # sums of the distances between blocks
    sizes = member.sum(axis=0)
    label = numpy.arange(len(groups)) < blocks
    found = _energy(between, sizes, label)
    permuted = [_energy(between, sizes, random.permutation(label)) for _ in range(permutations)]
    as_far = 1 + sum(distance >= found * (1 - 1e-12) for distance in permuted)
    return Comparison(found, as_far / (1 + permutations), (blocks, blocks))


def _energy(between: Floats, sizes: Floats, label: NDArray[numpy.bool_]) -> float:
    """2 E|X − Y| − E|X − X′| − E|Y − Y′| of the points with and without the label."""
    x, y = label / (sizes @ label), ~label / (sizes @ ~label)
    return float(2 * x @ between @ y - x @ between @ x - y @ between @ y)


def memory(sample: Floats) -> float:
    """The longest autocorrelation time of the components of a sample, 1 + 2 Σ r_k up to the first r_k below 0.05.

    Examples
    --------
    >>> memory(numpy.random.default_rng(0).normal(size=(1000, 2)))
    1.0
    """
    return max((_memory(component) for component in sample.T), default=1.0)


def _memory(component: Floats) -> float:
    n = len(component)
    deviation = component - component.mean()
    spectrum = numpy.abs(numpy.fft.rfft(deviation, 2 * n)) ** 2
    covariance = numpy.fft.irfft(spectrum)[:n]
    if not covariance[0] > 0:
        return 1.0
    correlation = covariance / covariance[0]
    end = int(numpy.argmax(correlation < 0.05)) or n
    return float(1 + 2 * correlation[1:end].sum())
