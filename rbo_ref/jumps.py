"""Where a ball went through a mountain: steps whose projection found a point on the other side."""

from __future__ import annotations

from collections.abc import Callable

import numpy

from geometry import FunctionGraph
from geometry._namespace import Array, quietly, to_numpy, whole
from rbo_ref.run import Trajectory

__all__ = ["jumps"]


@quietly
def jumps(
    surface: FunctionGraph | Callable[[Array], Array], trajectory: Trajectory, *, samples: int = 257
) -> numpy.ndarray:
    """Which steps take the centre of the ball through a mountain.

    A step is a jump if the straight way from its centre c_t to the next, c_{t+1}, passes below the graph.

    Parameters
    ----------
    surface : FunctionGraph or callable
        The landscape of the trajectory.
    trajectory : Trajectory
        Of an optimizer with a ball.
    samples : int
        Places of each way to look at, both ends among them; at least 2.

    Returns
    -------
    numpy.ndarray
        Of bool, (steps, ...).

    Raises
    ------
    TypeError, ValueError
        For a trajectory without centres, and for arguments of the wrong kind.

    Notes
    -----
    What is found is a jump, up to rounding: a place of the way is below the graph. What is not found may be a mountain
    narrower than the distance of the samples.

    A step whose first or last centre is itself below the graph is a jump too: there the ball does not fit, and its
    contact is one that it cannot touch. On a convex f no other step is one, however long, for with any two points the
    set above the graph contains all between them. What is not finite is no jump.

    Examples
    --------
    A rate that is too large takes a small ball through the crest of a wave into another valley:

    >>> from rbo_ref import RollingBall, trajectory
    >>> from rbo_ref.landscapes import sine
    >>> jumps(sine(), trajectory(RollingBall([0.1, 6.0], 0.1), sine(), [[0.5], [0.5]], steps=1))
    array([[False,  True]])
    """
    if not isinstance(trajectory, Trajectory):
        raise TypeError(f"trajectory must be a Trajectory, got {trajectory!r}")
    if trajectory.center is None:
        raise ValueError("trajectory must be that of a ball, with centres, got one without")
    graph = surface if isinstance(surface, FunctionGraph) else FunctionGraph(surface)
    centers, shares = trajectory.center, numpy.linspace(0, 1, whole("samples", samples, 2)).tolist()
    steps = [_crosses(graph, centers[t, ...], centers[t + 1, ...], shares) for t in range(centers.shape[0] - 1)]
    return numpy.stack(steps) if steps else numpy.zeros((0, *trajectory.height.shape[1:]), bool)


def _crosses(surface: FunctionGraph, here: Array, there: Array, shares: list[float]) -> numpy.ndarray:
    """Whether the way between centres (..., d+1) passes below the graph, (...). A place at a time: f may be dear."""
    places = ((1 - share) * here + share * there for share in shares)
    below = [to_numpy(surface.value(at[..., :-1]) > at[..., -1]) for at in places]
    return numpy.any(below, axis=0)
