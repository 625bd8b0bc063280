"""How far two right ports can be apart after t steps, and the horizon up to which they must agree.

Two ports that start at one θ_0 and each round by at most T_t in step t are apart by δ_t,

    δ_{t+1} = DΦ(θ_t) δ_t + r_t,    |r_t| ≤ 2 T_t,

along the orbit, to first order in δ: where the orbit is chaotic, δ grows exponentially. The set of all δ_t is held in a
box whose axes turn with the flow (Lohner's method: DΦ·Q = Q′·R), so that turning does not make it grow.

The horizon is the number of steps before δ exceeds a hundredth of how far the orbit has come. It is a lower bound:
ports may well agree for longer. It is one of first order: DΦ is taken on the orbit, not over the box around it.

R. J. Lohner, "Computation of guaranteed enclosures for the solutions of ordinary initial and boundary value problems"
(1992), Section 3.
"""

from __future__ import annotations

import numpy
from numpy.typing import NDArray

__all__ = ["Horizon"]

Floats = NDArray[numpy.float64]
SHARE = 1e-2  # of the orbit's extent: two ports that are farther apart no longer agree


class Horizon:
    """The spread of right ports along one recorded orbit, step by step.

    Attributes
    ----------
    steps : int
        Number of steps after which right ports must still agree, of those seen.
    is_reached : bool
        Whether the orbit went on beyond that.
    bounds : list of array (d,)
        How far apart two right ports may be after 0, 1, ..., `steps` steps; kept on request.

    Examples
    --------
    A map that doubles distances and rounds by 2⁻⁵³ reaches 1/100 of a move by 1 after 46 steps:

    >>> horizon = Horizon(numpy.zeros(1))
    >>> for t in range(60):
    ...     horizon.add(numpy.array([[2.0]]), numpy.array([2.0**-53]), numpy.array([(-1.0) ** t]))
    >>> horizon.steps, horizon.is_reached
    (45, True)
    """

    def __init__(self, start: Floats, keep: bool = False) -> None:
        self.start, self.keep = start.astype(numpy.float64), keep
        self.steps, self.is_reached = 0, False
        self.bounds = [numpy.zeros(len(start))]
        self._axes, self._box = numpy.eye(len(start)), numpy.zeros(len(start))
        self._extent = 0.0

    @numpy.errstate(all="ignore")
    def add(self, derivative: Floats, tolerance: Floats, after: Floats) -> None:
        """One step further: DΦ there, the tolerance of the step, and where it led."""
        if self.is_reached:
            return
        self._extent = max(self._extent, float(numpy.max(numpy.abs(after - self.start))))
        flow = derivative @ self._axes
        if not (numpy.isfinite(flow).all() and numpy.isfinite(tolerance).all() and numpy.isfinite(after).all()):
            self.is_reached = True
            return
        order = numpy.argsort(-numpy.linalg.norm(flow, axis=0) * self._box)  # the longest edge first
        axes, _ = numpy.linalg.qr(flow[:, order])
        self._box = numpy.abs(axes.T @ flow) @ self._box + numpy.abs(axes.T) @ (2 * tolerance)
        self._axes = axes
        bound = numpy.abs(axes) @ self._box
        if not bound.max() <= SHARE * self._extent:
            self.is_reached = True
            return
        self.steps += 1
        if self.keep:
            self.bounds.append(bound)
