"""Pictures of the ball: one step, as in Figure 1 of Belgoumri et al. (2025), and trajectories for d = 1 and d = 2.

They need matplotlib, the extra ``figures``, and no display. Both axes have one scale, so that balls are round.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle, repeat
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy

from geometry import FunctionGraph, offset
from geometry._namespace import Array, array_namespace, device_of, floating, positive, quietly, to_numpy
from rbo_ref._canvas import FAINT, GROUND, INK, NEXT, NOW, PATHS, new_axes
from rbo_ref.rolling_ball import RollingBall
from rbo_ref.run import Trajectory

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["one_step", "rolling"]

HEIGHTS = ("#a3cbe6", "#dcebf5", "#fcfaf5")  # low, middle, high
LARGEST = 1e100  # matplotlib multiplies coordinates


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
    surface = _surface(surface)
    _, theta = floating("theta", theta)
    scene = _scene(surface, theta, ball)
    ax = new_axes(ax, left=0, bottom=0, right=1, top=1)
    ax.axis("off")
    _look_at(ax, _around([scene.c, scene.candidate, scene.center], scene.radius))
    graph = _draw_graph(ax, surface, theta)
    _draw_step(ax, scene)
    _label_step(ax, scene, graph)
    return ax


@quietly
def rolling(
    surface: FunctionGraph | Callable[[Array], Array],
    trajectory: Trajectory,
    radius: Array | None = None,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Trajectories on their landscape: from the side for d = 1, from above, on contours of equal height, for d = 2.

    For d = 1 there are the contacts and, if the optimizer has a ball, the path of its centre; for d = 2 the path of the
    contacts. A hollow dot marks the start. Trajectories of a batch have colours in turn.

    Parameters
    ----------
    surface : FunctionGraph or callable
    trajectory : Trajectory
        With d = 1 or d = 2.
    radius : float or array, optional
        ρ, which broadcasts against the batch: the first and the last ball of each path are drawn.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default: a new figure of 800 × 500 pixels.

    Returns
    -------
    matplotlib.axes.Axes
        ``figure.savefig(file)`` writes the picture.

    Raises
    ------
    ImportError
        Without matplotlib.
    TypeError, ValueError
        For arguments of the wrong kind or shape, and for a path that does not start at a finite point.

    Notes
    -----
    The contours stand at quantiles of the heights in view, so that a steep rim does not take all the colours. What is
    not finite is left out.

    Examples
    --------
    >>> from rbo_ref import trajectory
    >>> from rbo_ref.landscapes import sine
    >>> path = trajectory(RollingBall(0.1, 0.5), sine(), [[0.5], [1.0]], steps=20)
    >>> ax = rolling(sine(), path, radius=0.5)  # doctest: +SKIP
    >>> len(ax.patches)  # doctest: +SKIP
    4
    """
    surface = _surface(surface)
    paths = _paths(surface, trajectory, radius)
    from_the_side = trajectory.theta.shape[-1] == 1
    ax = new_axes(ax, left=0.09, bottom=0.11, right=0.97 if from_the_side else 0.85, top=0.93)
    _look_at(ax, numpy.concatenate([path.extent() for path in paths]))
    (_draw_graph if from_the_side else _draw_contours)(ax, surface, trajectory.theta)
    for path, color in zip(paths, cycle(PATHS), strict=False):
        _draw_balls(ax, path, color)
        (_draw_contacts if from_the_side else _draw_trace)(ax, path, color)
    x, y = ("θ", "f(θ)") if from_the_side else ("θ₁", "θ₂")
    ax.set(xlabel=x, ylabel=y)
    ax.set_title(str(surface.name), loc="right", fontsize="medium")
    return ax


# The points to draw.


class _Scene(NamedTuple):
    """The points of one step in the plane, each of shape (2,)."""

    radius: float
    p: numpy.ndarray  # p_t
    c: numpy.ndarray  # c_t
    candidate: numpy.ndarray  # c̃_{t+1}
    foot: numpy.ndarray  # p_{t+1}
    center: numpy.ndarray  # c_{t+1}


def _surface(surface: Any) -> FunctionGraph:
    return surface if isinstance(surface, FunctionGraph) else FunctionGraph(surface)


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
    c, candidate, center = (_plain(point) for point in centers)
    p, foot = _plain(surface.point(theta)), _plain(surface.point(step.theta))
    scene = _Scene(float(ball.radius), p, c, candidate, foot, center)
    if not numpy.isfinite(scene[1:]).all():
        raise ValueError(f"the step from theta = {p[0]} is not finite: candidate {candidate}, next contact {foot}")
    return scene


class _Path(NamedTuple):
    """One trajectory in the plane: (θ, height) from the side, (θ₁, θ₂) from above."""

    contacts: numpy.ndarray  # (steps+1, 2)
    centers: numpy.ndarray | None  # (steps+1, 2)
    radius: float | None

    def balls(self) -> numpy.ndarray:
        """The first and the last centre, (≤ 2, 2), if balls are to be drawn."""
        if self.centers is None or self.radius is None:
            return numpy.empty((0, 2))
        finite = _finite(self.centers)
        return numpy.concatenate([finite[:1], finite[-1:]])

    def extent(self) -> numpy.ndarray:
        """Points that must be in view, (n, 2)."""
        centers = self.contacts if self.centers is None else self.centers
        return numpy.concatenate([self.contacts, centers, _around(self.balls(), self.radius or 0)])


def _paths(surface: FunctionGraph, trajectory: Trajectory, radius: Any) -> list[_Path]:
    if not isinstance(trajectory, Trajectory):
        raise TypeError(f"trajectory must be a Trajectory, got {trajectory!r}")
    theta, height, center = trajectory
    if theta.ndim < 2 or theta.shape[-1] not in (1, 2):
        raise ValueError(f"trajectory must be of d = 1 or d = 2, got theta of shape {tuple(theta.shape)}")
    radii = None if radius is None else _radii(radius, tuple(theta.shape[1:-1]))
    if center is None and radii is not None:
        center = offset(surface, theta, radii)
    contacts = _side_by_side(numpy.concatenate([_plain(theta), _plain(height)[..., None]], axis=-1))
    if contacts.size == 0 or not numpy.isfinite(contacts[:, 0]).all():
        raise ValueError(f"trajectory must start at finite points, got {contacts[:, 0].tolist()}")
    centers = repeat(None) if center is None else _side_by_side(_plain(center))
    each_radius = repeat(None) if radii is None else radii.ravel().tolist()
    return [_Path(*parts) for parts in zip(contacts, centers, each_radius, strict=False)]


def _radii(radius: Any, batch: tuple[int, ...]) -> numpy.ndarray:
    positive("radius", radius)
    radii = _plain(floating("radius", radius)[1])
    try:
        return numpy.broadcast_to(radii, batch)
    except ValueError as error:
        raise ValueError(f"radius must broadcast against the batch {batch}, got shape {radii.shape}") from error


def _plain(array: Array) -> numpy.ndarray:
    """In NumPy's float64, from any library."""
    return to_numpy(array).astype(float)


def _side_by_side(points: numpy.ndarray) -> numpy.ndarray:
    """One path after the other, (paths, steps+1, 2), from (steps+1, ..., ≥ 2)."""
    return numpy.moveaxis(points[..., :2].reshape(len(points), -1, 2), 1, 0)


def _finite(points: numpy.ndarray) -> numpy.ndarray:
    return points[numpy.isfinite(points).all(axis=-1)]


def _around(centers: Any, radius: float) -> numpy.ndarray:
    """Opposite corners of the squares around balls."""
    centers = numpy.asarray(centers)
    return numpy.concatenate([centers - radius, centers + radius])


# The paper under the ink.


def _look_at(ax: Any, points: numpy.ndarray) -> None:
    """Limits at one scale that fill the axes and hold all finite points, with a margin for the labels."""
    points = _finite(points)
    size = numpy.abs(points).max()
    if size > LARGEST:
        raise ValueError(f"a picture holds coordinates up to {LARGEST:g}, got {size:g}")
    low, high = points.min(axis=0), points.max(axis=0)
    middle, frame = (low + high) / 2, ax.get_window_extent()
    shape = numpy.array([frame.width, frame.height]) / frame.height
    half = 0.57 * ((high - low) / shape).max()
    if half <= 1e-9 * size:  # one point, and its rounding errors
        half = max(1.0, 1e-9 * size)
    left, bottom = middle - half * shape
    right, top = middle + half * shape
    ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")


def _between(limits: tuple[float, float], count: int) -> numpy.ndarray:
    return numpy.linspace(limits[0], limits[1], count)


def _heights(surface: FunctionGraph, grid: numpy.ndarray, like: Array) -> numpy.ndarray:
    """f on a grid (rows, n, d), with NaN where it is not finite. Row after row: a value may need much memory."""
    xp = array_namespace(like)
    rows = [surface.value(xp.asarray(row, dtype=like.dtype, device=device_of(like))) for row in grid]
    heights = numpy.stack([_plain(row) for row in rows])
    return numpy.where(numpy.isfinite(heights), heights, numpy.nan)


def _draw_graph(ax: Any, surface: FunctionGraph, like: Array) -> numpy.ndarray:
    """The graph over the limits of the axes, and the ground under it; the points drawn, (n, 2)."""
    x = _between(ax.get_xlim(), 2001)
    y = _heights(surface, x[None, :, None], like)[0]
    ax.fill_between(x, y, ax.get_ylim()[0], color=GROUND, linewidth=0)
    ax.plot(x, y, color=INK, linewidth=1.6)
    return numpy.stack([x, y], axis=-1)


def _draw_contours(ax: Any, surface: FunctionGraph, like: Array) -> None:
    """Filled contours at quantiles of the heights, with their scale."""
    from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap

    x, y = _between(ax.get_xlim(), 201), _between(ax.get_ylim(), 126)
    heights = numpy.ma.masked_invalid(_heights(surface, numpy.stack(numpy.meshgrid(x, y), axis=-1), like))
    if heights.count() == 0:
        return
    levels = numpy.unique(numpy.quantile(heights.compressed(), numpy.linspace(0, 1, 17)))
    if len(levels) < 2:  # a plain
        return
    colors = LinearSegmentedColormap.from_list("heights", HEIGHTS)
    filled = ax.contourf(x, y, heights, levels, cmap=colors, norm=BoundaryNorm(levels, colors.N), zorder=0)
    ax.contour(x, y, heights, levels, colors="white", linewidths=0.6, linestyles="solid", zorder=0)
    scale = ax.inset_axes((1.02, 0, 0.03, 1))
    ax.figure.colorbar(filled, cax=scale, ticks=levels[::2], format="%.3g")


# The ink.


def _draw_ball(ax: Any, center: numpy.ndarray, radius: float, color: str, **style: Any) -> None:
    from matplotlib.colors import to_rgba
    from matplotlib.patches import Circle

    style = {"facecolor": to_rgba(color, 0.12), "linewidth": 1.5} | style
    ax.add_patch(Circle(tuple(center.tolist()), radius, edgecolor=color, **style))


def _draw_step(ax: Any, scene: _Scene) -> None:
    p, c, candidate, foot, center = scene[1:]
    _draw_ball(ax, c, scene.radius, NOW)
    _draw_ball(ax, candidate, scene.radius, FAINT, facecolor="none", linestyle=(0, (4, 3)))
    _draw_ball(ax, center, scene.radius, NEXT)
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


def _draw_balls(ax: Any, path: _Path, color: str) -> None:
    for center in path.balls():
        assert path.radius is not None
        _draw_ball(ax, center, path.radius, color)


def _draw_contacts(ax: Any, path: _Path, color: str) -> None:
    """From the side: contacts, and the way of the centre."""
    if path.centers is not None:
        ax.plot(*path.centers.T, ".-", color=color, linewidth=1, markersize=4)
    ax.plot(*path.contacts.T, "o", color=color, markersize=4)
    _draw_start(ax, path, color)


def _draw_trace(ax: Any, path: _Path, color: str) -> None:
    """From above: the way of the contact."""
    ax.plot(*path.contacts.T, ".-", color=color, linewidth=1.3, markersize=5)
    _draw_start(ax, path, color)


def _draw_start(ax: Any, path: _Path, color: str) -> None:
    ax.plot(*path.contacts[0], "o", color=color, markerfacecolor="white", markersize=7)
