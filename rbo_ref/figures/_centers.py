"""Centres of balls on the wrinkled wave, as in Figure 3 of Belgoumri et al. (2025), beside what they should follow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy

from geometry import Descent, dilate
from rbo_ref._canvas import FAINT, GROUND, INK, NEXT, NOW, new_axes, styled, tidy
from rbo_ref.figures._ground import draw_ball
from rbo_ref.figures._proven import rolled_to_the_nearest
from rbo_ref.landscapes import wrinkled
from rbo_ref.rolling_ball import RollingBall
from rbo_ref.run import trajectory

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RollingCenters", "centers", "roll_on_wrinkles"]

RADII = (0.01, 10**-1.5, 0.1, 10**-0.5, 1.0)
RATE, START = 1e-3, 2.0
INNER = Descent(0.05, 20)
VIEW, FINE = (-0.8, 3.6), 2e-5  # of θ, and the distance of samples
SHOWN = 4000  # points of a curve


class RollingCenters(NamedTuple):
    """Centres of balls of n radii, in two ways."""

    radius: numpy.ndarray  # (n,)
    printed: numpy.ndarray  # (steps + 1, n, 2): with the inner loop that the paper prints
    nearest: numpy.ndarray  # (steps + 1, n, 2): with footpoints that are proven to be the nearest


def roll_on_wrinkles(steps: int = 2000, radii: Sequence[float] = RADII) -> RollingCenters:
    """Centres of balls on f = Σ sin(k²θ)/k² from θ = 2 with η = 10⁻³: the paper's inner loop, and exact footpoints.

    Parameters
    ----------
    steps : int
    radii : sequence of float
        Default: 10⁻², 10⁻¹·⁵, 10⁻¹, 10⁻⁰·⁵ and 1, as in the authors' code.

    Returns
    -------
    RollingCenters

    Notes
    -----
    The inner loop has the printed rate γ = 0.05 and P = 20 steps, from the contact. Slopes come to 100 here, and γ is
    stable below 2/(1 + f′²) only: what the loop ends at is no footpoint.

    References
    ----------
    Belgoumri et al., "Rolling Ball Optimizer" (2025), Section 5.1 and Figure 3.

    Examples
    --------
    >>> found = roll_on_wrinkles(steps=2, radii=[0.1])
    >>> found.nearest.shape, found.nearest[0].round(4)
    ((3, 1, 2), array([[1.9204, 1.1377]]))
    """
    surface, radius = wrinkled(), numpy.asarray(radii, dtype=float)
    start = numpy.full((len(radius), 1), START)
    printed = trajectory(RollingBall(RATE, radius, INNER), surface, start, steps)
    nearest = rolled_to_the_nearest(surface, RATE, radii, START, steps)
    assert printed.center is not None
    return RollingCenters(radius, printed.center, nearest.center)


@styled
def centers(found: RollingCenters, number: int, *, ax: Axes | None = None) -> Axes:
    """Where the centre of one ball goes, over the offset function f_ρ that it should follow.

    Parameters
    ----------
    found : RollingCenters
    number : int
        Which of its radii.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default: a new figure of 800 × 500 pixels.

    Returns
    -------
    matplotlib.axes.Axes
        Its lines are f, f_ρ, the printed loop's centres, and those with exact footpoints.

    Raises
    ------
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> ax = centers(roll_on_wrinkles(steps=2), 4)  # doctest: +SKIP
    >>> ax.get_title()  # doctest: +SKIP
    'ρ = 1'
    """
    ax, radius = new_axes(ax), float(found.radius[number])
    theta, heights, offsets = _profile(radius)
    ax.fill_between(theta, heights, heights.min() - 0.3, color=GROUND, linewidth=0)
    ax.plot(theta, heights, color=INK, linewidth=0.6, label="f")
    ax.plot(theta, offsets, color=NOW, linewidth=1.4, label="exact $f_ρ$")
    ax.plot(*found.printed[:, number].T, ".", color=FAINT, markersize=1.5, label="printed γ, P", zorder=1.5)
    ax.plot(*found.nearest[:, number].T, color=NEXT, linewidth=2, label="exact footpoints")
    draw_ball(ax, found.nearest[-1, number], radius, NEXT)
    ax.set(xlim=VIEW, ylim=(-0.6, 3.0), aspect="equal")
    tidy(ax, f"ρ = {radius:.3g}")
    return ax


def _profile(radius: float) -> tuple[Any, Any, Any]:
    """θ, f and f_ρ over the view."""
    margin = math.ceil(radius / FINE)
    theta = VIEW[0] + FINE * numpy.arange(-margin, round((VIEW[1] - VIEW[0]) / FINE) + margin + 1)
    heights = wrinkled().value(theta[:, None])
    inside = slice(margin, len(theta) - margin, (len(theta) - 2 * margin) // SHOWN)
    return theta[inside], heights[inside], dilate(heights, radius, spacing=FINE)[inside]
