"""Trajectories on their landscapes, for d = 1 and d = 2."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy

from geometry import FunctionGraph, offset
from geometry._namespace import Array, floating, positive, quietly
from rbo_ref._canvas import INK, line_style, new_axes, styled
from rbo_ref.figures._ground import around, draw_ball, draw_contours, draw_graph, finite, look_at, plain, surface_of
from rbo_ref.jumps import jumps
from rbo_ref.run import Trajectory

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["rolling"]


@styled
@quietly
def rolling(
    surface: FunctionGraph | Callable[[Array], Array],
    trajectory: Trajectory | Mapping[str, Trajectory],
    radius: Array | None = None,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Trajectories on their landscape: from the side for d = 1, from above, on contours of equal height, for d = 2.

    For d = 1 there are the contacts and, if the optimizer has a ball, the path of its centre; for d = 2 the path of the
    contacts. A hollow dot marks the start. Trajectories of a batch have colours in turn. A cross marks where a ball
    goes through a mountain: see `rbo_ref.jumps`.

    Parameters
    ----------
    surface : FunctionGraph or callable
    trajectory : Trajectory or mapping of names to Trajectory
        With d = 1 or d = 2. Names are shown in a legend.
    radius : float or array, optional
        ρ, which broadcasts against the batch: the first and the last ball of each path are drawn. Under a name it is
        only drawn where the optimizer has a ball.
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
    >>> from rbo_ref import RollingBall, trajectory
    >>> from rbo_ref.landscapes import sine
    >>> path = trajectory(RollingBall(0.1, 0.5), sine(), [[0.5], [1.0]], steps=20)
    >>> ax = rolling(sine(), path, radius=0.5)  # doctest: +SKIP
    >>> len(ax.patches)  # doctest: +SKIP
    4
    """
    surface, named = surface_of(surface), trajectory if isinstance(trajectory, Mapping) else {"": trajectory}
    if not named:
        raise ValueError("trajectory must have a path, got none")
    paths = [path for name, one in named.items() for path in _paths(surface, name, one, radius)]
    theta = next(iter(named.values())).theta
    from_the_side = theta.shape[-1] == 1
    ax = new_axes(ax, left=0.1, bottom=0.14, right=0.97 if from_the_side else 0.83, top=0.92)
    look_at(ax, numpy.concatenate([path.extent() for path in paths]))
    (draw_graph if from_the_side else draw_contours)(ax, surface, theta)
    for number, path in enumerate(paths):
        style = line_style(number)
        for center in path.balls():
            draw_ball(ax, center, path.radius or 0, style["color"])
        (_draw_contacts if from_the_side else _draw_trace)(ax, path, style)
    x, y = ("θ", "f(θ)") if from_the_side else ("θ₁", "θ₂")
    ax.set(xlabel=x, ylabel=y)
    ax.set_title(str(surface.name), loc="right", fontsize="medium")
    if any(named):
        ax.legend(frameon=True, framealpha=0.85, edgecolor="none", fontsize="small")
    return ax


class _Path(NamedTuple):
    """One trajectory in the plane: (θ, height) from the side, (θ₁, θ₂) from above."""

    name: str
    contacts: numpy.ndarray  # (steps+1, 2)
    centers: numpy.ndarray | None  # (steps+1, 2)
    radius: float | None
    jumps: numpy.ndarray | None  # (steps,)

    def balls(self) -> numpy.ndarray:
        """The first and the last centre, (≤ 2, 2), if balls are to be drawn."""
        if self.centers is None or self.radius is None:
            return numpy.empty((0, 2))
        seen = finite(self.centers)
        return numpy.concatenate([seen[:1], seen[-1:]])

    def extent(self) -> numpy.ndarray:
        """Points that must be in view, (n, 2)."""
        centers = self.contacts if self.centers is None else self.centers
        return numpy.concatenate([self.contacts, centers, around(self.balls(), self.radius or 0)])

    def crossings(self) -> numpy.ndarray:
        """The middles of the ways of the centre through mountains, (n, 2)."""
        if self.centers is None or self.jumps is None:
            return numpy.empty((0, 2))
        return ((self.centers[:-1] + self.centers[1:]) / 2)[self.jumps]


def _paths(surface: FunctionGraph, name: str, trajectory: Trajectory, radius: Any) -> list[_Path]:
    if not isinstance(trajectory, Trajectory):
        raise TypeError(f"trajectory must be a Trajectory, got {trajectory!r}")
    theta, height, center = trajectory
    if theta.ndim < 2 or theta.shape[-1] not in (1, 2):
        raise ValueError(f"trajectory must be of d = 1 or d = 2, got theta of shape {tuple(theta.shape)}")
    radii = None if radius is None or (name and center is None) else _radii(radius, tuple(theta.shape[1:-1]))
    if center is None and radii is not None:
        center = offset(surface, theta, radii)
    contacts = _side_by_side(numpy.concatenate([plain(theta), plain(height)[..., None]], axis=-1))
    if contacts.size == 0 or not numpy.isfinite(contacts[:, 0]).all():
        raise ValueError(f"trajectory must start at finite points, got {contacts[:, 0].tolist()}")
    centers = repeat(None) if center is None else _side_by_side(plain(center))
    each_radius = repeat(None) if radii is None else radii.ravel().tolist()
    crossed = repeat(None) if center is None else _crossed(surface, Trajectory(theta, height, center), len(contacts))
    return [_Path(name, *parts) for parts in zip(contacts, centers, each_radius, crossed, strict=False)]


def _crossed(surface: FunctionGraph, trajectory: Trajectory, paths: int) -> numpy.ndarray:
    return jumps(surface, trajectory).reshape(-1, paths).T


def _radii(radius: Any, batch: tuple[int, ...]) -> numpy.ndarray:
    positive("radius", radius)
    radii = plain(floating("radius", radius)[1])
    try:
        return numpy.broadcast_to(radii, batch)
    except ValueError as error:
        raise ValueError(f"radius must broadcast against the batch {batch}, got shape {radii.shape}") from error


def _side_by_side(points: numpy.ndarray) -> numpy.ndarray:
    """One path after the other, (paths, steps+1, 2), from (steps+1, ..., ≥ 2)."""
    return numpy.moveaxis(points[..., :2].reshape(len(points), -1, 2), 1, 0)


def _draw_contacts(ax: Any, path: _Path, style: dict[str, Any]) -> None:
    """From the side: contacts, and the way of the centre."""
    if path.centers is not None:
        ax.plot(*path.centers.T, marker=".", linewidth=1, markersize=4, label=_shown(path.name), **style)
    ax.plot(*path.contacts.T, "o", color=style["color"], markersize=4, label=_shown(path.name, path.centers is None))
    _draw_ends(ax, path, style["color"])


def _draw_trace(ax: Any, path: _Path, style: dict[str, Any]) -> None:
    """From above: the way of the contact."""
    ax.plot(*path.contacts.T, marker=".", linewidth=1.5, markersize=5, label=_shown(path.name), **style)
    _draw_ends(ax, path, style["color"])


def _shown(name: str, wanted: bool = True) -> str | None:
    return name if name and wanted else None


def _draw_ends(ax: Any, path: _Path, color: str) -> None:
    """Where the path begins, and where it breaks off to go on behind a mountain."""
    if len(path.crossings()):
        ax.plot(*path.crossings().T, "X", color=INK, markersize=9, markeredgecolor="white")
    ax.plot(*path.contacts[0], "o", color=color, markerfacecolor="white", markersize=7)
