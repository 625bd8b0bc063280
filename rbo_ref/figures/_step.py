"""One step of the ball, as in Figure 1 of Belgoumri et al. (2025)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy

from geometry import FunctionGraph, offset
from geometry._namespace import Array, floating, quietly
from rbo_ref._canvas import FAINT, INK, NEXT, NOW, new_axes, styled
from rbo_ref.figures._ground import around, draw_ball, draw_graph, look_at, plain, surface_of
from rbo_ref.rolling_ball import RollingBall

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["one_step"]


@styled
@quietly
def one_step(
    surface: FunctionGraph | Callable[[Array], Array], theta: Array, ball: RollingBall, *, ax: Axes | None = None
) -> Axes:
    """One step of the ball for d = 1: p_t, c_t, the candidate c̃_{t+1}, its footpoint p_{t+1} and the ball there.

    Parameters
    ----------
    surface : FunctionGraph or callable
    theta : array (1,)
        θ_t.
    ball : RollingBall
        One ball, in the variant "footpoint".
    ax : matplotlib.axes.Axes, optional
        Where to draw; default: a new figure of 800 × 500 pixels.

    Returns
    -------
    matplotlib.axes.Axes
        Its patches are three circles of radius ρ, around c_t, c̃_{t+1} (dashed) and c_{t+1} = p_{t+1} + ρν(p_{t+1}).
        ``figure.savefig(file)`` writes the picture.

    Raises
    ------
    ImportError
        Without matplotlib.
    TypeError, ValueError
        For arguments of the wrong kind or shape, and for a step that is not finite.

    References
    ----------
    Belgoumri et al., "Rolling Ball Optimizer" (2025), Section 3.1 and Figure 1.

    Examples
    --------
    >>> from rbo_ref.landscapes import paraboloid
    >>> ax = one_step(paraboloid(), [0.75], RollingBall(0.1, radius=0.5))  # doctest: +SKIP
    >>> ax.patches[0].center  # doctest: +SKIP
    (0.45, 0.68125)
    """
    surface = surface_of(surface)
    _, theta = floating("theta", theta)
    scene = _scene(surface, theta, ball)
    ax = new_axes(ax, left=0, bottom=0, right=1, top=1)
    ax.axis("off")
    look_at(ax, around([scene.c, scene.candidate, scene.center], scene.radius))
    graph = draw_graph(ax, surface, theta)
    _draw_step(ax, scene)
    _label_step(ax, scene, graph)
    return ax


class _Scene(NamedTuple):
    """The points of one step in the plane, each of shape (2,)."""

    radius: float
    p: numpy.ndarray  # p_t
    c: numpy.ndarray  # c_t
    candidate: numpy.ndarray  # c̃_{t+1}
    foot: numpy.ndarray  # p_{t+1}
    center: numpy.ndarray  # c_{t+1}


def _scene(surface: FunctionGraph, theta: Array, ball: RollingBall) -> _Scene:
    if not isinstance(ball, RollingBall):
        raise TypeError(f"ball must be a RollingBall, got {ball!r}")
    if ball.variant != "footpoint":
        raise ValueError(f"ball must be of the variant 'footpoint', Algorithm 1, got {ball.variant!r}")
    if tuple(theta.shape) != (1,):
        raise ValueError(f"theta must have shape (1,), one contact for d = 1, got {tuple(theta.shape)}")
    step = ball.step(surface, theta)
    if tuple(step.theta.shape) != (1,):
        raise ValueError(f"ball must be one ball, got a batch of {tuple(step.theta.shape[:-1])}")
    centers = step.center, step.candidate, offset(surface, step.theta, ball.radius)
    c, candidate, center = (plain(point) for point in centers)
    p, foot = plain(surface.point(theta)), plain(surface.point(step.theta))
    scene = _Scene(float(ball.radius), p, c, candidate, foot, center)
    if not numpy.isfinite(scene[1:]).all():
        raise ValueError(f"the step from theta = {p[0]} is not finite: candidate {candidate}, next contact {foot}")
    return scene


def _draw_step(ax: Any, scene: _Scene) -> None:
    p, c, candidate, foot, center = scene[1:]
    draw_ball(ax, c, scene.radius, NOW)
    draw_ball(ax, candidate, scene.radius, FAINT, facecolor="none", linestyle=(0, (4, 3)))
    draw_ball(ax, center, scene.radius, NEXT)
    for start, end, color, style in ((p, c, NOW, "-"), (foot, center, NEXT, "-"), (foot, candidate, FAINT, ":")):
        ax.plot(*zip(start, end, strict=True), color=color, linewidth=1, linestyle=style)
    ax.annotate("", candidate, c, arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1.3})
    for point, color in ((p, NOW), (c, NOW), (candidate, FAINT), (foot, NEXT), (center, NEXT)):
        ax.plot(*point, "o", color=color, markersize=5)


def _label_step(ax: Any, scene: _Scene, graph: numpy.ndarray) -> None:
    """Names beside the points. Each leaves its point in a direction of its own: points may be close, or on one line."""
    p, c, candidate, foot, center = scene[1:]
    up, next_up = (c - p) / scene.radius, (center - foot) / scene.radius
    sense = 1 if candidate[0] >= c[0] else -1
    ahead, next_ahead = (sense * numpy.array([y, -x]) for x, y in (up, next_up))
    above, below = next_ahead + next_up, 2 * next_ahead - next_up
    height = (candidate - foot) @ next_up / scene.radius  # of the candidate on the line from p_{t+1}, 0, to c_{t+1}, 1
    _label(ax, "$p_t$", p, -up - ahead, NOW)
    _label(ax, "$c_t$", c, -ahead, NOW)
    _label(ax, r"$\rho$", (p + c) / 2, -ahead, NOW)
    _label(ax, r"$\tilde{c}_{t+1}$", candidate, above if height > 1 or 0 <= height < 0.5 else below, INK)
    _label(ax, "$c_{t+1}$", center, below if height > 1 else above, NEXT)
    _label(ax, "$p_{t+1}$", foot, above if -0.5 < height < 0 else next_ahead - next_up, NEXT)
    if numpy.linalg.norm(candidate - c) > scene.radius / 20:
        _label(ax, r"$-\eta\,\tau(p_t)$", 0.6 * c + 0.4 * candidate, up, INK)
    _label(ax, r"$\Gamma$", *_free_spot(ax, graph, scene), INK)


def _free_spot(ax: Any, graph: numpy.ndarray, scene: _Scene) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The visible point of the graph that is farthest from the balls, and the direction into the ground there."""
    low, high = numpy.stack([ax.get_xlim(), ax.get_ylim()], axis=-1)
    inside = (numpy.abs(graph - (low + high) / 2) < 0.45 * (high - low)).all(axis=-1)
    away = numpy.linalg.norm(graph[:, None] - numpy.stack(scene[2:]), axis=-1).min(axis=-1)
    return graph[numpy.argmax(numpy.where(inside, away, -1))], numpy.array([0.0, -1.0])


def _label(ax: Any, text: str, point: numpy.ndarray, direction: numpy.ndarray, color: str) -> None:
    """Text beside a point: the nearest edge or corner of the text stands 9 points away from it."""
    from matplotlib.patheffects import withStroke

    x, y = direction / numpy.linalg.norm(direction)
    ax.annotate(
        text,
        point,
        (9 * x, 9 * y),
        textcoords="offset points",
        horizontalalignment="left" if x > 0.3 else "right" if x < -0.3 else "center",
        verticalalignment="bottom" if y > 0.4 else "top" if y < -0.4 else "center",
        color=color,
        fontsize=15,
        path_effects=[withStroke(linewidth=3, foreground="white", alpha=0.7)],
    )
