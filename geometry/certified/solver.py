"""The solver for `geometry.project` and the Rolling Ball Optimizer that finds *the* nearest point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy

from geometry._autodiff import is_differentiable, is_recorded
from geometry._contact import Status
from geometry._feet import Footpoints
from geometry._implicit import attached
from geometry._namespace import Array, array_namespace, device_of, positive, to_numpy, whole
from geometry.certified.enclosure import Regions
from geometry.certified.verbs import footpoint
from geometry.graph import FunctionGraph

__all__ = ["Certified"]


@dataclass(frozen=True)
class Certified:
    """The nearest of all points of a graph, found by a search that proves it.

    Where several are nearest to within the tolerance, on the medial axis, the one next to the start is taken: the ball
    stays where it is as long as it may.

    Parameters
    ----------
    tolerance : float
        The distance found exceeds the distance to the surface by no more than that; a length.
    max_boxes : int
        Budget for one query. A query that it does not suffice for has the status ``STEPS_USED``, and the best point
        found.

    Notes
    -----
    For function graphs whose functions can be recorded. The search is done on the processor in float64, whatever the
    library of the query; its result goes back there. `Footpoints.steps` counts boxes.

    Examples
    --------
    A ball of radius 2 over a valley of the sine wave does not touch its bottom:

    >>> import numpy as np
    >>> from geometry import FunctionGraph, Newton, project
    >>> wave = FunctionGraph(lambda t: np.sin(t[..., 0]), np.cos, lambda t: -np.sin(t)[..., None])
    >>> query = [-np.pi / 2 + 0.1, 1.3]
    >>> exact, local = (project(wave, query, s, start=[-3.2]) for s in (Certified(), Newton()))
    >>> exact.theta.round(4), bool(exact.converged), local.theta.round(4)
    (array([-0.0881]), True, array([-2.9404]))
    """

    tolerance: float = 1e-9
    max_boxes: int = 100_000

    def __post_init__(self) -> None:
        positive("tolerance", self.tolerance, zero=True)
        whole("max_boxes", self.max_boxes, least=1)

    def solve(self, surface: FunctionGraph, query: Array, theta: Array) -> Footpoints:
        """The footpoints of validated queries (..., d+1), from starts θ (..., d): see `geometry.project`."""
        xp, kind = array_namespace(query), {"dtype": query.dtype, "device": device_of(query)}
        start = to_numpy(theta).astype(float)
        options = {"tolerance": self.tolerance, "max_boxes": self.max_boxes}
        found = footpoint(surface, to_numpy(query), start=start, **options)  # type: ignore[arg-type]
        end = xp.asarray(_next_to(found, start), **kind)
        status = numpy.where(found.distance.closed, int(Status.CONVERGED), int(Status.STEPS_USED))
        status = numpy.where(numpy.isfinite(found.distance.upper), status, int(Status.NOT_FINITE))
        boxes, status = (xp.asarray(a, device=kind["device"]) for a in (found.distance.boxes, status))
        return _differentiated(Footpoints(surface, query, end, boxes, status=status))


def _next_to(found: Regions, start: numpy.ndarray) -> numpy.ndarray:
    """The middle of the region next to the start, if it is proven to hold a stationary point; or the best point."""
    theta = found.theta.reshape(-1, start.shape[-1]).copy()
    proven = numpy.flatnonzero(found.unique)
    query, middle = found.query[proven], found.lower[proven] / 2 + found.upper[proven] / 2
    away = ((middle - start.reshape(theta.shape)[query]) ** 2).sum(-1)
    order = numpy.lexsort((away, query))
    first = order[numpy.unique(query[order], return_index=True)[1]]
    theta[query[first]] = middle[first]
    return theta.reshape(start.shape)


def _differentiated(found: Footpoints) -> Footpoints:
    """Footpoints on a graph that were found by other means, with their derivatives where any may be wanted."""
    xp = array_namespace(found.theta)
    if not (is_differentiable(xp) and is_recorded(xp, found.query, *found.contact)):
        return found
    end = attached(found.surface, found.query, found.contact)
    return Footpoints(found.surface, found.query, end.theta, found.steps, end, found.status)
