"""A ball that rolls, as a film."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy

from geometry import FunctionGraph, offset
from geometry._namespace import Array, positive, quietly, whole
from rbo_ref._canvas import FAINT, INK, NEXT, NOW, new_figure, styled
from rbo_ref.figures._ground import around, draw_ball, draw_graph, finite, look_at, plain, surface_of
from rbo_ref.run import Trajectory

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["film"]

SIZE = (6.4, 4.0)  # inches
COLORS = 64


@styled
@quietly
def film(
    surface: FunctionGraph | Callable[[Array], Array], trajectory: Trajectory, radius: float, *, frames: int = 120
) -> list[Image]:
    """Pictures of a ball that rolls on a landscape of one dimension, with its contact and the path of its centre.

    Parameters
    ----------
    surface : FunctionGraph or callable
    trajectory : Trajectory
        Of one ball, d = 1. Steps that are not finite, and those after them, are left out.
    radius : float
        ρ.
    frames : int
        How many pictures at most; they show steps evenly, the first and the last among them.

    Returns
    -------
    list of PIL.Image.Image
        Of 640 × 400 pixels, in 64 colours. ``first.save(file, save_all=True, append_images=others)`` writes a film.

    Raises
    ------
    ImportError
        Without matplotlib.
    TypeError, ValueError
        For arguments of the wrong kind or shape, and for a path that does not start at a finite point.

    Notes
    -----
    The spokes of the ball turn as if it did not slip: by the way of its centre along the tangent, over ρ.

    Examples
    --------
    >>> from rbo_ref import RollingBall, trajectory
    >>> from rbo_ref.landscapes import sine
    >>> path = trajectory(RollingBall(0.1, 0.5), sine(), [1.2], steps=20)
    >>> len(film(sine(), path, 0.5)), film(sine(), path, 0.5, frames=3)[0].size  # doctest: +SKIP
    (21, (640, 400))
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    graph = surface_of(surface)
    roll = _roll(graph, trajectory, radius)
    figure, (ax,) = new_figure(size=SIZE)
    figure.subplots_adjust(left=0, right=1, bottom=0, top=1)
    ax.axis("off")
    look_at(ax, numpy.concatenate([around(roll.centers, radius), roll.contacts]))
    draw_graph(ax, graph, trajectory.theta)
    canvas, scene, images = FigureCanvasAgg(figure), _Scene(ax, roll, radius), []
    for step in numpy.unique(numpy.linspace(0, len(roll.centers) - 1, whole("frames", frames, 1)).round().astype(int)):
        scene.show(int(step))
        canvas.draw()
        images.append(Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba()).convert("RGB"))
    colors = images[len(images) // 2].quantize(COLORS)
    return [image.quantize(palette=colors, dither=Image.Dither.NONE) for image in images]


class _Roll(NamedTuple):
    """What there is to see of one ball in n steps."""

    contacts: numpy.ndarray  # (n, 2)
    centers: numpy.ndarray  # (n, 2)
    turned: numpy.ndarray  # (n,): the angle by which the ball has turned, counterclockwise


def _roll(surface: FunctionGraph, trajectory: Trajectory, radius: float) -> _Roll:
    if not isinstance(trajectory, Trajectory):
        raise TypeError(f"trajectory must be a Trajectory, got {trajectory!r}")
    if trajectory.theta.ndim != 2 or trajectory.theta.shape[-1] != 1:
        raise ValueError(f"trajectory must be of one ball, d = 1, got theta of shape {tuple(trajectory.theta.shape)}")
    positive("radius", radius)
    theta, height, center = trajectory
    center = offset(surface, theta, radius) if center is None else center
    points = numpy.concatenate([plain(theta), plain(height)[:, None], plain(center)], axis=-1)
    seen = numpy.isfinite(points).all(axis=-1)
    points = points if seen.all() else points[: seen.argmin()]
    if not len(finite(points)):
        raise ValueError(f"trajectory must start at a finite point, got {plain(theta)[0].tolist()}")
    contacts, centers = points[:, :2], points[:, 2:]
    return _Roll(contacts, centers, _turned(contacts, centers, float(radius)))


def _turned(contacts: numpy.ndarray, centers: numpy.ndarray, radius: float) -> numpy.ndarray:
    normal = (centers - contacts) / radius
    tangent = numpy.stack([normal[:, 1], -normal[:, 0]], axis=-1)
    way = ((tangent[1:] + tangent[:-1]) / 2 * numpy.diff(centers, axis=0)).sum(axis=-1)
    return -numpy.concatenate([[0], numpy.cumsum(way)]) / radius


class _Scene:
    """What moves in the picture."""

    def __init__(self, ax: Any, roll: _Roll, radius: float) -> None:
        self.roll, self.radius = roll, radius
        (self.path,) = ax.plot([], [], color=NOW, linewidth=1.8)
        draw_ball(ax, roll.centers[0], radius, NEXT, linewidth=2)
        self.ball = ax.patches[-1]
        self.spokes = [ax.plot([], [], color=FAINT, linewidth=1)[0] for _ in range(2)]
        (self.contact,) = ax.plot([], [], "o", color=INK, markersize=6)

    def show(self, step: int) -> None:
        """Move everything to where it is after a step."""
        center, angle = self.roll.centers[step], self.roll.turned[step]
        self.path.set_data(*self.roll.centers[: step + 1].T)
        self.ball.set_center(tuple(center.tolist()))
        self.contact.set_data(*self.roll.contacts[step, :, None])
        for number, spoke in enumerate(self.spokes):
            turn = angle + number * math.pi / 2
            reach = self.radius * numpy.array([math.cos(turn), math.sin(turn)])
            spoke.set_data(*numpy.stack([center - reach, center + reach]).T)
