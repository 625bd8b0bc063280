"""The geometry of functions: which points balls touch, distances, curvature, medial axes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any, Literal

import numpy

from geometry import FunctionGraph, certified, medial_axis, offset, offset_function, reach, reachable
from rbo_ref._canvas import FAINT, GROUND, INK, NEXT, NOW, colormap, new_axes, styled, tidy
from rbo_ref.figures._ground import View, draw_ball, surface_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["curvature_map", "distance_field", "largest_ball", "medial_axes", "reachable_points"]

ALONG, ACROSS = 801, (241, 161)  # samples of a curve, and of a field


@styled
def reachable_points(
    surface: FunctionGraph, radius: float, view: View, rests: float, *, ax: Axes | None = None
) -> Axes:
    """Which points of a graph over a line a ball touches, with the offset function and a ball at rest.

    Parameters
    ----------
    surface : FunctionGraph
        With d = 1.
    radius : float
        ρ.
    view : ((low, high), (low, high))
        Of θ and of heights.
    rests : float
        θ of the centre of the ball that is drawn.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default: a new figure of 800 × 500 pixels.

    Returns
    -------
    matplotlib.axes.Axes
        Its lines are the points that are touched, those that are not, and f_ρ.

    Raises
    ------
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> from rbo_ref.landscapes import sine
    >>> ax = reachable_points(sine(), 2.0, ((-6, 6), (-2, 4)), -1.5708)  # doctest: +SKIP
    >>> float(ax.lines[2].get_ydata().min()) > 1.258  # doctest: +SKIP
    True
    """
    ax, surface = _side_view(ax, surface, view), surface_of(surface)
    theta = numpy.linspace(*view[0], ALONG)
    height, touched = surface.value(theta[:, None]), reachable(surface, theta[:, None], radius)
    ax.plot(theta, numpy.where(touched, height, numpy.nan), color=INK, linewidth=2.5, label="touched")
    missed = numpy.where(touched, numpy.nan, height)
    ax.plot(theta, missed, color=NEXT, linewidth=4, solid_capstyle="butt", label="out of reach")
    ax.plot(theta, offset_function(surface, theta[:, None], radius), color=NOW, linewidth=1.6, label="$f_ρ$")
    draw_ball(ax, numpy.array([rests, float(offset_function(surface, [rests], radius))]), radius, NOW)
    return ax


@styled
def largest_ball(surface: FunctionGraph, view: View, *, ax: Axes | None = None) -> Axes:
    """The largest ball that touches every point of a graph over a line from above, where the graph is most curved.

    Parameters
    ----------
    surface : FunctionGraph
        With d = 1.
    view : ((low, high), (low, high))
        Of θ and of heights.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default: a new figure of 800 × 500 pixels.

    Returns
    -------
    matplotlib.axes.Axes
        Its patch is the ball, whose radius is the reach from above.

    Raises
    ------
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> from rbo_ref.landscapes import paraboloid
    >>> largest_ball(paraboloid(2.0), ((-1, 1), (-0.5, 1))).get_title()  # doctest: +SKIP
    'reach from above 0.500000, at θ = 0.00000'
    """
    ax, surface = _side_view(ax, surface, view), surface_of(surface)
    found = reach(surface, [view[0]], side="above")
    theta = numpy.linspace(*view[0], ALONG)
    ax.plot(theta, surface.value(theta[:, None]), color=INK, linewidth=2.5)
    draw_ball(ax, offset(surface, found.theta, found.value), float(found.value), NEXT, linewidth=2)
    ax.plot(*surface.point(found.theta), "o", color=NEXT, markersize=5)
    ax.set_title(f"reach from above {float(found.value):.6f}, at θ = {float(found.theta[0]):.5f}")
    return ax


@styled
def distance_field(surface: FunctionGraph, view: View, *, ax: Axes | None = None) -> Axes:
    """Distances of points of the plane to a graph over a line, with lines of equal distance.

    Parameters
    ----------
    surface : FunctionGraph
        With d = 1; its functions can be recorded.
    view : ((low, high), (low, high))
        Of θ and of heights.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default: a new figure of 800 × 500 pixels.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ImportError
        Without matplotlib.

    Notes
    -----
    Each distance is proven to 10⁻⁴.

    Examples
    --------
    >>> from rbo_ref.landscapes import sine
    >>> ax = distance_field(sine(), ((-3, 3), (-2, 2)))  # doctest: +SKIP
    """
    ax, surface = _side_view(ax, surface, view, ground=False), surface_of(surface)
    points = _grid(view)
    distances = certified.distance(surface, points, tolerance=1e-4).upper
    levels = numpy.linspace(0, distances.max(), 15)
    x, y = points[0, :, 0], points[:, 0, 1]
    ax.contourf(x, y, distances, levels, cmap=colormap("distances"))
    ax.contour(x, y, distances, levels[1:], colors="white", linewidths=0.7)
    theta = numpy.linspace(*view[0], ALONG)
    ax.plot(theta, surface.value(theta[:, None]), color=INK, linewidth=2.5, label="Γ")
    return ax


@styled
def medial_axes(surface: FunctionGraph, view: View, *, samples: int = 1500, ax: Axes | None = None) -> Axes:
    """The medial axes above and below a graph over a line: centres of the largest balls that touch it.

    Parameters
    ----------
    surface : FunctionGraph
        With d = 1.
    view : ((low, high), (low, high))
        Of θ and of heights.
    samples : int
        Balls on each side.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default: a new figure of 800 × 500 pixels.

    Returns
    -------
    matplotlib.axes.Axes
        Its lines are the graph, and the centres above and below.

    Raises
    ------
    ImportError
        Without matplotlib.

    Examples
    --------
    Over a trough of the sine, from its centre of curvature at height 0 up:

    >>> from rbo_ref.landscapes import sine
    >>> ax = medial_axes(sine(), ((-3, 0), (-2, 3)), samples=100)  # doctest: +SKIP
    >>> set(ax.lines[1].get_xdata().round(3).tolist())  # doctest: +SKIP
    {-1.571}
    """
    ax, surface = _side_view(ax, surface, view), surface_of(surface)
    theta = numpy.linspace(*view[0], ALONG)
    ax.plot(theta, surface.value(theta[:, None]), color=INK, linewidth=2.5, label="Γ")
    sides: tuple[tuple[Literal["above", "below"], str], ...] = (("above", NOW), ("below", NEXT))
    for side, color in sides:
        points, radii = medial_axis(surface, [view[0]], side=side, samples=samples)
        ax.plot(*points[numpy.isfinite(radii)].T, ".", color=color, markersize=3, label=f"medial axis {side}")
    return ax


@styled
def curvature_map(surface: FunctionGraph, view: View, radii: Sequence[float] = (), *, ax: Axes | None = None) -> Axes:
    """The largest principal curvature of a graph over a plane, w.r.t. the upward normal: positive in valleys.

    Parameters
    ----------
    surface : FunctionGraph
        With d = 2.
    view : ((low, high), (low, high))
        Of θ₁ and of θ₂.
    radii : sequence of float
        Of balls: a line goes around the places that are too curved for each.
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
    >>> from rbo_ref.landscapes import gaussian_well
    >>> ax = curvature_map(gaussian_well(), ((-3, 3), (-3, 3)), [2.0])  # doctest: +SKIP
    """
    ax, surface = new_axes(ax, left=0.1, right=0.84, bottom=0.13), surface_of(surface)
    points = _grid(view)
    largest = surface.curvatures(points)[..., -1]
    x, y, extent = points[0, :, 0], points[:, 0, 1], float(numpy.abs(largest).max())
    levels = numpy.linspace(-extent, extent, 25)
    drawn = ax.contourf(x, y, largest, levels, cmap=colormap("curvatures"))
    ax.contour(x, y, surface.value(points), 14, colors=FAINT, linewidths=0.5)
    for radius, line in zip(radii, cycle(("-", "--", ":")), strict=False):
        ax.contour(x, y, largest, [1 / radius], colors=INK, linewidths=2, linestyles=[line])
        ax.plot([], [], color=INK, linestyle=line, linewidth=2, label=f"too curved for ρ = {radius:g}")
    ax.figure.colorbar(drawn, ax=ax, ticks=[-extent, 0, extent], format="%.2g", label="largest curvature")
    ax.set(xlabel="θ₁", ylabel="θ₂", aspect="equal")
    return ax


def _side_view(ax: Any, surface: Any, view: View, *, ground: bool = True) -> Any:
    """Axes of one scale, with the ground below a graph."""
    ax = new_axes(ax, left=0.09, right=0.98, bottom=0.12, top=0.92)
    ax.set(xlim=view[0], ylim=view[1], aspect="equal", xlabel="θ", ylabel="height")
    tidy(ax)
    if ground:
        theta = numpy.linspace(*view[0], ALONG)
        ax.fill_between(theta, surface_of(surface).value(theta[:, None]), view[1][0], color=GROUND, linewidth=0)
    return ax


def _grid(view: View) -> numpy.ndarray:
    """Points (rows, columns, 2) all over the view."""
    return numpy.stack(numpy.meshgrid(*map(numpy.linspace, *zip(*view, strict=True), ACROSS)), axis=-1)
