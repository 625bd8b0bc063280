"""What a certified answer looks like: bounds that contain the truth."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy

from geometry._namespace import Array, array_namespace, device_of, to_numpy
from geometry._results import comparable

__all__ = ["Decision", "Enclosure", "Regions"]


@comparable
@dataclass(frozen=True, eq=False)
class Enclosure:
    """Numbers that are proven to lie between two bounds.

    Attributes
    ----------
    lower, upper : array (...)
        lower ≤ truth ≤ upper, always.
    closed : array (...) of bool
        Whether upper − lower is within the tolerance. Where it is not, the budget of boxes ended first, or the
        numbers themselves have too few digits.
    boxes : array (...) of int
        How many boxes were examined.
    theta : array (..., d)
        Where the value is nearly taken: the point of the surface that is near, that touches, or that bends. It is a
        good start for a similar question.
    side : str or None
        Of `reach`: on which side of the surface the ball of the upper bound gets stuck.

    Examples
    --------
    >>> import numpy as np
    >>> found = Enclosure(np.array(1.0), np.array(1.5), np.array(False), np.array(100), np.array([0.3]))
    >>> found.width
    np.float64(0.5)
    >>> 1.25 in found, 2.0 in found
    (True, False)
    """

    lower: Array
    upper: Array
    closed: Array
    boxes: Array
    theta: Array
    side: str | None = None

    @property
    def width(self) -> Array:
        """upper − lower, shape (...)."""
        return self.upper - self.lower

    def __contains__(self, truth: Array) -> bool:
        xp = array_namespace(self.lower)
        return bool(xp.all((self.lower <= truth) & (truth <= self.upper)))


@comparable
@dataclass(frozen=True, eq=False)
class Decision:
    """Yes or no, where one of them is proven.

    Attributes
    ----------
    yes, no : array (...) of bool
        Never both; neither where nothing is proven.
    boxes : array (...) of int
        How many boxes were examined.

    Examples
    --------
    >>> import numpy as np
    >>> Decision(np.array([True, False]), np.array([False, False]), np.array([3, 10])).open
    array([False,  True])
    """

    yes: Array
    no: Array
    boxes: Array

    @property
    def open(self) -> Array:
        """Where nothing is proven."""
        return ~(self.yes | self.no)


@comparable
@dataclass(frozen=True, eq=False)
class Regions:
    """Where nearest points can be: boxes in θ, all of them together for each query.

    Attributes
    ----------
    distance : Enclosure
        Of the distance of each query to the surface, shape (...).
    lower, upper : array (k, d)
        The regions, sorted by query. Every nearest point of query i is in a region of i: where no point of the surface
        was found, that is everything.
    query : array (k,) of int
        To which query a region belongs, counted in the flattened batch.
    unique : array (k,) of bool
        Whether the region is proven to hold exactly one stationary point of the distance.
    theta : array (..., d)
        A point of the surface no farther than the upper bound, up to the rounding of θ.

    Examples
    --------
    Above the middle of a valley of the sine wave a large ball touches both sides:

    >>> from geometry import FunctionGraph
    >>> from geometry.certified import footpoint
    >>> import numpy as np
    >>> wave = FunctionGraph(lambda t: np.sin(t[..., 0]))
    >>> found = footpoint(wave, [[-np.pi / 2, 1.25833], [0.0, 0.5]])
    >>> found.count
    array([2, 1])
    >>> lower, upper, unique = found.of(0)
    >>> lower.round(3)
    array([[-2.975],
           [-0.166]])
    >>> unique
    array([ True,  True])
    """

    distance: Enclosure
    lower: Array
    upper: Array
    query: Array
    unique: Array
    theta: Array

    @property
    def count(self) -> Array:
        """How many regions each query has, shape (...)."""
        shape = tuple(self.distance.lower.shape)
        found = numpy.bincount(to_numpy(self.query), minlength=math.prod(shape)).reshape(shape)
        return array_namespace(self.query).asarray(found, device=device_of(self.query))

    def of(self, *index: int) -> tuple[Array, Array, Array]:
        """Lower and upper ends and `unique` of the regions of the query at an index of the batch."""
        shape = tuple(self.distance.lower.shape)
        number = int(numpy.ravel_multi_index(index, shape)) if shape else 0
        first, last = numpy.searchsorted(to_numpy(self.query), [number, number + 1]).tolist()
        return self.lower[first:last, ...], self.upper[first:last, ...], self.unique[first:last]
