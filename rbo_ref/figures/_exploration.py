"""Gradient descent and balls on a bowl with a thousand dents, as in Figure 4 of Belgoumri et al. (2025)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy

from geometry import Descent, FunctionGraph, project
from geometry._namespace import Array
from rbo_ref._canvas import INK, line_style, new_axes, styled
from rbo_ref.figures._ground import draw_contours
from rbo_ref.landscapes import gaussians
from rbo_ref.optimizers import GradientDescent
from rbo_ref.rolling_ball import RollingBall, Step
from rbo_ref.run import trajectory

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Exploration", "exploration", "explore"]

RADII = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
STARTS = ((2.0, 0.0), (2.0, 0.1))
RATE, GAMMA, INNER = 0.01, 1e-3, 100
INNER_STARTS = ("contact", "candidate")


class Exploration(NamedTuple):
    """Paths of gradient descent and of balls of n radii from m starts."""

    surface: FunctionGraph
    radius: numpy.ndarray  # (n,)
    descent: numpy.ndarray  # (steps + 1, m, 2)
    balls: numpy.ndarray  # (steps + 1, m, n, 2)

    def ends(self) -> tuple[numpy.ndarray, numpy.ndarray]:
        """Distance of each end from the middle of the bowl: (m,) of gradient descent, (m, n) of the balls."""
        return numpy.linalg.norm(self.descent[-1], axis=-1), numpy.linalg.norm(self.balls[-1], axis=-1)


class _FromBelow(NamedTuple):
    """The paper's ball, whose inner loop starts below the candidate instead of at the contact."""

    ball: RollingBall

    def init(self, theta: Array) -> Any:
        return self.ball.init(theta)

    def step(self, loss: Any, theta: Array, state: Any) -> Step:
        step = replace(self.ball, solver=Descent(GAMMA, 0)).step(loss, theta, state)
        feet = project(loss, step.candidate, self.ball.solver, start=step.candidate[..., :-1])
        return step._replace(theta=feet.theta, footpoints=feet)


def explore(
    sigma: float = 0.1,
    inner_start: str = "contact",
    *,
    convention: str = "authors",
    radii: Sequence[float] = RADII,
    starts: Sequence[tuple[float, float]] = STARTS,
    steps: int = 300,
) -> Exploration:
    """Paths on f(θ) = |θ|² − Σ exp(−|θ − θ_k|²/σ²) with the paper's rates: η = 0.01, γ = 10⁻³, P = 100.

    Parameters
    ----------
    sigma : float
        σ, which the paper does not print; 0.1 in the authors' code.
    inner_start : "contact" or "candidate"
        Where the inner loop starts.
    convention : "paper" or "authors"
        The denominator, σ² or 2σ²: see `rbo_ref.landscapes.gaussians`.
    radii : sequence of float
    starts : sequence of (float, float)
        Default: (2, 0) and (2, 0.1), as in the authors' code.
    steps : int

    Returns
    -------
    Exploration

    References
    ----------
    Belgoumri et al., "Rolling Ball Optimizer" (2025), Section 5.2 and Figure 4.

    Examples
    --------
    >>> found = explore(steps=3, radii=[1.0])
    >>> found.descent.shape, found.balls.shape
    ((4, 2, 2), (4, 2, 1, 2))
    """
    if inner_start not in INNER_STARTS:
        raise ValueError(f"inner_start must be 'contact' or 'candidate', got {inner_start!r}")
    surface, radius = gaussians(sigma, convention=convention), numpy.asarray(radii, dtype=float)
    start = numpy.asarray(starts, dtype=float)
    ball: Any = RollingBall(RATE, radius, Descent(GAMMA, INNER))
    balls = trajectory(ball if inner_start == "contact" else _FromBelow(ball), surface, start[:, None], steps)
    descent = trajectory(GradientDescent(RATE), surface, start, steps)
    return Exploration(surface, radius, descent.theta, balls.theta)


@styled
def exploration(found: Exploration, *, ax: Axes | None = None) -> Axes:
    """The paths from above: gradient descent in black, balls in colours, and a cross in the middle of the bowl.

    Parameters
    ----------
    found : Exploration
    ax : matplotlib.axes.Axes, optional
        Where to draw; default: a new figure of 800 × 500 pixels.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> ax = exploration(explore(steps=3))  # doctest: +SKIP
    >>> len(ax.lines)  # doctest: +SKIP
    29
    """
    ax = new_axes(ax)
    ax.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal")
    draw_contours(ax, found.surface, found.descent[0], scale=False)
    for number, radius in enumerate(found.radius):
        _draw(ax, found.balls[:, :, number], f"ρ = {radius:.3g}", linewidth=0.9, **line_style(number))
    _draw(ax, found.descent, "gradient descent", linewidth=2, color=INK, zorder=3)
    ax.plot(0, 0, "+", color=INK, markersize=12, markeredgewidth=2)
    return ax


def _draw(ax: Any, paths: numpy.ndarray, name: str, **style: Any) -> None:
    """Paths (steps + 1, m, 2), with a dot where each ends."""
    for start in range(paths.shape[1]):
        ax.plot(*paths[:, start].T, label=name if start == 0 else None, **style)
        ax.plot(*paths[-1, start], "o", color=style["color"], markersize=5, markeredgecolor="white")
