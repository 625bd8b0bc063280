"""A small and a large ball on a wrinkled hillside."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy

from geometry import FunctionGraph
from rbo_ref._canvas import GROUND, INK, NEXT, NOW, new_figure, styled
from rbo_ref.figures._ground import draw_ball
from rbo_ref.figures._proven import Rolled, rolled_to_the_nearest

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["hillside", "two_balls"]

VIEW = (-0.42, 4.62), (-1.2, 1.824)
SMALL, LARGE = 0.06, 0.5
STEPS, RATE, START = 330, 0.02, 0.49
SHOWN = 5  # pictures of the large ball


class _Hillside(NamedTuple):
    """The landscape, and how two balls roll on it."""

    surface: FunctionGraph
    radii: tuple[float, float]
    path: Rolled  # of shape (STEPS + 1, 2)


@cache
def hillside() -> _Hillside:
    """A cosine under two finer waves, and a small and a large ball that start at one contact.

    Returns
    -------
    surface : FunctionGraph
        f(θ) = cos θ + 0.05 sin(17θ + ½) + 0.02 sin 41θ.
    radii : (float, float)
    path : Rolled
        Of both balls; each footpoint is proven to be the nearest.

    Examples
    --------
    The small ball stays on the hill, the large one comes to the bottom of the valley, at π:

    >>> hillside().path.center[-1, :, 0].round(1)
    array([0.7, 3.1])
    """
    surface = FunctionGraph(_wrinkled_hill, name="hillside")
    return _Hillside(surface, (SMALL, LARGE), rolled_to_the_nearest(surface, RATE, (SMALL, LARGE), START, STEPS))


def _wrinkled_hill(theta: Any) -> Any:
    x = theta[..., 0]
    return numpy.cos(x) + 0.05 * numpy.sin(17 * x + 0.5) + 0.02 * numpy.sin(41 * x)


@styled
def two_balls(*, ax: Axes | None = None) -> Axes:
    """A small ball, which stays in the first wrinkle, and a large one, which rolls over all of them into the valley.

    Parameters
    ----------
    ax : matplotlib.axes.Axes, optional
        Where to draw; default: a new figure of 1000 × 600 pixels.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> ax = two_balls()  # doctest: +SKIP
    >>> [line.get_label() for line in ax.lines][1:]  # doctest: +SKIP
    ['large', 'small']
    """
    surface, radii, path = hillside()
    ax = _wide() if ax is None else ax
    ax.axis("off")
    ax.set(xlim=VIEW[0], ylim=VIEW[1], aspect="equal")
    x = numpy.linspace(*VIEW[0], 4001)
    y = surface.value(x[:, None])
    ax.fill_between(x, y, VIEW[1][0], color=GROUND, linewidth=0)
    ax.plot(x, y, color=INK, linewidth=2.2)
    for number, color, name in ((1, NOW, "large"), (0, NEXT, "small")):
        ax.plot(*path.center[:, number].T, color=color, linewidth=2.4, label=name, zorder=4)
    for center in _on_the_way(path.center[:, 1]):
        draw_ball(ax, center, radii[1], "#7fb8d8", linewidth=1.2)
    for number, color in ((1, NOW), (0, NEXT)):
        draw_ball(ax, path.center[-1, number], radii[number], color, linewidth=2.4)
    _name(ax, path.center[-1, 0] - [0.12, 0.36], "ρ = 0.06", NEXT, "right")
    _name(ax, path.center[-1, 1] - [0.0, 0.28], "ρ = 0.5", NOW, "center")
    return ax


def _name(ax: Any, place: numpy.ndarray, text: str, color: str, side: str) -> None:
    ax.text(*place, text, color=color, fontsize=24, horizontalalignment=side, zorder=5)


def _wide() -> Any:
    figure, (ax,) = new_figure(size=(10, 6))
    figure.subplots_adjust(left=0, right=1, bottom=0, top=1)
    return ax


def _on_the_way(centers: numpy.ndarray) -> numpy.ndarray:
    """Some centres before the last, evenly from left to right."""
    places = numpy.linspace(centers[0, 0], centers[-1, 0], SHOWN)[:-1]
    return centers[numpy.argmax(centers[:, :1] >= places, axis=0)]
