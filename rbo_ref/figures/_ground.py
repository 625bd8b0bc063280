"""What pictures are drawn on: a graph from the side, contours from above; one scale, so that balls are round."""

from __future__ import annotations

from typing import Any

import numpy

from geometry import FunctionGraph
from geometry._namespace import Array, array_namespace, device_of, to_numpy
from rbo_ref._canvas import GROUND, INK, colormap

__all__ = [
    "View",
    "around",
    "between",
    "draw_ball",
    "draw_contours",
    "draw_graph",
    "finite",
    "heights_on",
    "look_at",
    "plain",
    "surface_of",
]

LARGEST = 1e100  # matplotlib multiplies coordinates
View = tuple[tuple[float, float], tuple[float, float]]  # of θ, or θ₁, and of heights, or θ₂


def surface_of(surface: Any) -> FunctionGraph:
    """The graph, of a plain function too."""
    return surface if isinstance(surface, FunctionGraph) else FunctionGraph(surface)


def plain(array: Array) -> numpy.ndarray:
    """In NumPy's float64, from any library."""
    return to_numpy(array).astype(float)


def finite(points: numpy.ndarray) -> numpy.ndarray:
    """Those of points (n, 2) that can be drawn."""
    return points[numpy.isfinite(points).all(axis=-1)]


def around(centers: Any, radius: float) -> numpy.ndarray:
    """Opposite corners of the squares around balls."""
    centers = numpy.asarray(centers)
    return numpy.concatenate([centers - radius, centers + radius])


def look_at(ax: Any, points: numpy.ndarray) -> None:
    """Limits at one scale that fill the axes and hold all finite points, with a margin for the labels."""
    points = finite(points)
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


def between(limits: tuple[float, float], count: int) -> numpy.ndarray:
    """Numbers from limit to limit, evenly."""
    return numpy.linspace(limits[0], limits[1], count)


def heights_on(surface: FunctionGraph, grid: numpy.ndarray, like: Array) -> numpy.ndarray:
    """f on a grid (rows, n, d), with NaN where it is not finite. Row after row: a value may need much memory."""
    xp = array_namespace(like)
    rows = [surface.value(xp.asarray(row, dtype=like.dtype, device=device_of(like))) for row in grid]
    heights = numpy.stack([plain(row) for row in rows])
    return numpy.where(numpy.isfinite(heights), heights, numpy.nan)


def draw_graph(ax: Any, surface: FunctionGraph, like: Array) -> numpy.ndarray:
    """The graph over the limits of the axes, and the ground under it; the points drawn, (n, 2)."""
    x = between(ax.get_xlim(), 2001)
    y = heights_on(surface, x[None, :, None], like)[0]
    ax.fill_between(x, y, ax.get_ylim()[0], color=GROUND, linewidth=0)
    ax.plot(x, y, color=INK, linewidth=1.6)
    return numpy.stack([x, y], axis=-1)


def draw_contours(ax: Any, surface: FunctionGraph, like: Array, *, scale: bool = True) -> None:
    """Filled contours at quantiles of the heights, with their scale."""
    from matplotlib.colors import BoundaryNorm

    x, y = between(ax.get_xlim(), 201), between(ax.get_ylim(), 126)
    heights = numpy.ma.masked_invalid(heights_on(surface, numpy.stack(numpy.meshgrid(x, y), axis=-1), like))
    if heights.count() == 0:
        return
    levels = numpy.unique(numpy.quantile(heights.compressed(), numpy.linspace(0, 1, 17)))
    if len(levels) < 2:  # a plain
        return
    colors = colormap("heights")
    filled = ax.contourf(x, y, heights, levels, cmap=colors, norm=BoundaryNorm(levels, colors.N), zorder=0)
    ax.contour(x, y, heights, levels, colors="white", linewidths=0.6, linestyles="solid", zorder=0)
    if scale:
        beside = ax.inset_axes((1.02, 0, 0.03, 1))
        beside.tick_params(labelsize="small")
        ax.figure.colorbar(filled, cax=beside, ticks=levels[::2], format="%.3g")


def draw_ball(ax: Any, center: numpy.ndarray, radius: float, color: str, **style: Any) -> None:
    """A circle, tinted inside."""
    from matplotlib.colors import to_rgba
    from matplotlib.patches import Circle

    style = {"facecolor": to_rgba(color, 0.12), "linewidth": 1.5} | style
    ax.add_patch(Circle(tuple(center.tolist()), radius, edgecolor=color, **style))
