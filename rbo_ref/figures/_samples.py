"""Balls on samples: height maps and profiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy

from geometry import closing, dilate, opening, rolling_ball
from rbo_ref._canvas import FAINT, INK, NEXT, NOW, new_axes, styled, tidy
from rbo_ref.figures._ground import draw_ball

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["balls_on_a_profile", "contact_map", "sampled_contacts"]


@styled
def balls_on_a_profile(
    heights: Any, radius: float, *, spacing: float = 1.0, places: Sequence[float] = (), ax: Axes | None = None
) -> Axes:
    """A profile, its closing and opening by a ball, and where the apex of a ball below it comes to.

    Parameters
    ----------
    heights : array (n,)
    radius : float
        ρ, in the units of heights and spacing.
    spacing : float
    places : sequence of float
        Where to draw a ball from below.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default: a new figure of 800 × 500 pixels.

    Returns
    -------
    matplotlib.axes.Axes
        Its lines are the profile, the closing, the opening, and `geometry.rolling_ball`.

    Raises
    ------
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> import numpy as np
    >>> ax = balls_on_a_profile(np.sin(0.1 * np.arange(100)), 1.5, spacing=0.1)  # doctest: +SKIP
    >>> len(ax.lines)  # doctest: +SKIP
    4
    """
    ax, heights = new_axes(ax), numpy.asarray(heights, dtype=float)
    x, apex = spacing * numpy.arange(len(heights)), rolling_ball(heights, radius, spacing=spacing)
    ax.plot(x, heights, color=INK, linewidth=1.2, label="profile")
    ax.plot(x, closing(heights, radius, spacing=spacing), color=NOW, label="closing: balls from above")
    ax.plot(x, opening(heights, radius, spacing=spacing), color=NEXT, label="opening: balls from below")
    ax.plot(x, apex, color=FAINT, linestyle="--", label="rolling_ball: apex of the ball below")
    for place in places:
        center = numpy.array([place, apex[round(place / spacing)] - radius])
        draw_ball(ax, center, radius, NEXT, linewidth=0.8)
    ax.set(aspect="equal", xlabel="position", ylabel="height")
    tidy(ax)
    return ax


def sampled_contacts(heights: Any, radius: float, *, spacing: float = 1.0) -> numpy.ndarray:
    """Which samples of a height map balls touch whose centres are over samples.

    Parameters
    ----------
    heights : array (rows, columns)
    radius : float
        ρ, in the units of heights and spacing.
    spacing : float

    Returns
    -------
    numpy.ndarray
        Of bool, of the shape of the heights.

    Examples
    --------
    A spike in a plain holds all the balls around it:

    >>> import numpy as np
    >>> heights = np.zeros((5, 5))
    >>> heights[2, 2] = 4.0
    >>> sampled_contacts(heights, 10.0).sum(), sampled_contacts(heights, 0.5).sum()
    (np.int64(1), np.int64(25))
    """
    heights = numpy.asarray(heights, dtype=float)
    _, contact = dilate(heights, radius, spacing=spacing, return_contact=True)
    touched = numpy.zeros(heights.size, bool)
    touched[numpy.ravel(contact)] = True
    return touched.reshape(heights.shape)


@styled
def contact_map(heights: Any, radius: float, *, spacing: float = 1.0, ax: Axes | None = None) -> Axes:
    """A height map under light from the side, and the samples that balls touch.

    Parameters
    ----------
    heights : array (rows, columns)
    radius : float
        ρ, in the units of heights and spacing.
    spacing : float
    ax : matplotlib.axes.Axes, optional
        Where to draw; default: a new figure of 800 × 500 pixels.

    Returns
    -------
    matplotlib.axes.Axes
        Its title has the share of samples that are touched.

    Raises
    ------
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> import numpy as np
    >>> contact_map(np.zeros((20, 20)), 3.0).get_title()  # doctest: +SKIP
    'ρ = 3: 100 % touched'
    """
    from matplotlib.colors import LightSource

    ax, heights = new_axes(ax), numpy.asarray(heights, dtype=float)
    touched = sampled_contacts(heights, radius, spacing=spacing)
    light = LightSource(azdeg=315, altdeg=45).hillshade(heights, dx=spacing, dy=spacing)
    ax.imshow(light, cmap="gray", vmin=-0.2, vmax=1.2, origin="lower")
    ax.imshow(numpy.ma.masked_where(~touched, touched), cmap=_one_color(NEXT), origin="lower", interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    tidy(ax, f"ρ = {radius:g}: {100 * touched.mean():.3g} % touched")
    return ax


def _one_color(color: str) -> Any:
    from matplotlib.colors import ListedColormap

    return ListedColormap([color])
