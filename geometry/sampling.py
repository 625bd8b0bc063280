"""A quick search for the nearest point of a graph that looks everywhere and proves nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy

from geometry._feet import Footpoints
from geometry._namespace import Array, Namespace, array_namespace, device_of, not_compiling, to_numpy, whole
from geometry._spread import kronecker
from geometry._trees import Tree
from geometry._vectors import length
from geometry.footpoint import GaussNewton, Newton, Solver, nearest_of
from geometry.graph import FunctionGraph, check_graph_of

__all__ = ["Sampling"]

STEPS = 12  # samples are near already
TOGETHER = 2**12  # samples in one evaluation of the function
LARGE = 1e150  # coordinates that cannot be squared: such a query has its start only


@dataclass(frozen=True)
class Sampling(Tree):
    """The nearest of many samples of a graph, polished by a local solver. It proves nothing.

    A point of the graph nearer than the start's lies, in θ, within the start's distance of the query. The samples are
    spread evenly over a box that holds these balls of all queries of a call, so that it pays to ask for many queries of
    one region at once. From the samples nearest to a query, and from the start, the local solver goes on.

    Parameters
    ----------
    samples : int
        How many, for all queries together. A basin that no sample shows is missed.
    candidates : int
        From how many of the samples nearest to a query the solver starts.
    solver : GaussNewton or Newton, optional
        Default: a dozen steps of `Newton` where the surface has second derivatives, else of `GaussNewton`.

    Notes
    -----
    The distance found is that of a point of the graph, an upper bound. There is no lower bound: for one,
    `geometry.certified.distance`, and as a solver `geometry.certified.Certified`. For function graphs; the samples are
    searched on the processor.

    Examples
    --------
    A local solver stays in the valley of its start:

    >>> import numpy as np
    >>> from geometry import Newton, project
    >>> wave = FunctionGraph(lambda t: np.sin(t[..., 0]), np.cos, lambda t: -np.sin(t)[..., None])
    >>> query = [-np.pi / 2 + 0.1, 1.3]
    >>> [project(wave, query, s, start=[-3.2]).theta.round(4) for s in (Newton(), Sampling())]
    [array([-2.9404]), array([-0.0881])]
    """

    samples: int = 2**17
    candidates: int = 4
    solver: Solver | None = None

    def __post_init__(self) -> None:
        whole("samples", self.samples, least=1)
        whole("candidates", self.candidates, least=1)

    def solve(self, surface: FunctionGraph, query: Array, theta: Array) -> Footpoints:
        check_graph_of("Sampling", surface)
        not_compiling("Sampling")
        xp = array_namespace(theta)
        away = to_numpy(length(xp, query - surface.point(theta))).reshape(-1, 1)
        place = to_numpy(query).astype(float).reshape(-1, query.shape[-1])
        good = (abs(place) < LARGE).all(1) & (away[:, 0] < LARGE)
        starts = theta[None, ...]
        if good.any():
            x = place[good, :-1]
            near = self._nearest(
                xp,
                surface.prepared(theta, self.samples),
                theta,
                (x - away[good]).min(0),
                (x + away[good]).max(0),
                numpy.where(good[:, None], place, 0.0),
            )
            shape = (-1, *theta.shape)
            found = xp.asarray(near.reshape(shape), dtype=theta.dtype, device=device_of(theta))
            starts = xp.concat([starts, found], axis=0)
        local = Newton(max_steps=STEPS) if surface.has_second_order(theta) else GaussNewton(max_steps=STEPS)
        return nearest_of(surface, query, starts, self.solver or local)

    def _nearest(
        self, xp: Namespace, surface: FunctionGraph, like: Array, low: numpy.ndarray, high: numpy.ndarray, place: Array
    ) -> numpy.ndarray:
        """θ of the samples that are nearest to points (n, d+1): (k, n, d)."""
        from scipy.spatial import cKDTree

        theta = low + (high - low) * kronecker(len(low), 1, self.samples + 1)
        points = []
        for i in range(0, len(theta), TOGETHER):
            some = xp.asarray(theta[i : i + TOGETHER], dtype=like.dtype, device=device_of(like))
            points.append(to_numpy(surface.point(some)).astype(float))
        graph = numpy.concatenate(points)
        graph = graph[(abs(graph) < LARGE).all(1)]
        count = min(self.candidates, len(graph))
        if count == 0:
            return numpy.empty((0, *place[:, :-1].shape))
        which = cKDTree(graph).query(place, k=[*range(1, count + 1)], workers=-1)[1]
        return numpy.moveaxis(graph[which, :-1], 1, 0)
