"""What all pictures share: colours, size, and axes without a display."""

from __future__ import annotations

from typing import Any

__all__ = ["FAINT", "GROUND", "INK", "NEXT", "NOW", "PATHS", "new_axes", "new_figure"]

INK, GROUND, FAINT, NOW, NEXT = "#333333", "#f3efe7", "#8a8a8a", "#3f7fbf", "#c8711b"
PATHS = (NEXT, NOW, "#4d8f4d", "#a04ba0", "#b8433f", "#7a6a3a")
SIZE, DPI = (8.0, 5.0), 100  # inches, dots per inch


def new_figure(panels: int = 1, layout: Any = None) -> tuple[Any, list[Any]]:
    """A figure without a display, and its axes side by side."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ImportError('figures need matplotlib: pip install "rbo-ref[figures]"') from error
    figure = Figure((SIZE[0] * (1 if panels == 1 else 0.75 * panels), SIZE[1]), DPI, layout=layout)
    return figure, list(figure.subplots(1, panels, squeeze=False)[0])


def new_axes(ax: Any, **margins: float) -> Any:
    """The axes asked for, or those of a new figure without a display."""
    figure, (own,) = new_figure()
    figure.subplots_adjust(**margins)
    return own if ax is None else ax
