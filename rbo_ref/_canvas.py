"""What all pictures share: colours, type, size, and axes without a display.

The colours are those of Okabe and Ito, which people who are blind to red or green tell apart. Where there are more
curves than colours the lines are broken as well.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from io import BytesIO
from typing import Any, ParamSpec, TypeVar

__all__ = [
    "FAINT",
    "GROUND",
    "INK",
    "NEXT",
    "NOW",
    "PATHS",
    "as_file",
    "colormap",
    "line_style",
    "new_axes",
    "new_figure",
    "styled",
    "tidy",
]

P = ParamSpec("P")
R = TypeVar("R")

INK, GROUND, FAINT, NOW, NEXT = "#2b2b2b", "#efe9dd", "#8a8a8a", "#0072b2", "#d55e00"
PATHS = (NEXT, NOW, "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
BREAKS = ("-", (0, (4, 1.5)), (0, (1.2, 1.2)))
MAPS = {
    "heights": ("#8fbfe0", "#d8e9f4", "#fcfaf5"),  # low, middle, high
    "distances": ("#ffffff", "#cfe3f1", "#6ba6cf", "#0b4a7a"),
    "curvatures": ("#0072b2", "#9cc8e4", "#ffffff", "#f3b585", "#d55e00"),  # of a ridge, of a plain, of a valley
}
SIZE, DPI = (8.0, 5.0), 100  # inches, dots per inch
TYPE, SMALL = 13, 11  # points
STYLE = {
    "font.size": TYPE,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.titlesize": TYPE,
    "lines.solid_capstyle": "round",
    "svg.hashsalt": "rbo-ref",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def styled(function: Callable[P, R]) -> Callable[P, R]:
    """A function that draws, with the type of all pictures in place of what the reader's Matplotlib is set to."""

    @wraps(function)
    def draw(*arguments: P.args, **options: P.kwargs) -> R:
        with _matplotlib().rc_context(STYLE):
            return function(*arguments, **options)

    return draw


def line_style(number: int) -> dict[str, Any]:
    """Colour and breaks of the curve of that number, from 0 up."""
    return {"color": PATHS[number % len(PATHS)], "linestyle": BREAKS[number // len(PATHS) % len(BREAKS)]}


def colormap(name: str) -> Any:
    """A colour map of ours, by its name in `MAPS`."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list(name, MAPS[name])


def new_figure(
    panels: int = 1, layout: Any = None, *, rows: int = 1, size: tuple[float, float] | None = None
) -> tuple[Any, list[Any]]:
    """A figure without a display, and its axes, row after row."""
    _matplotlib()
    from matplotlib.figure import Figure

    columns = -(-panels // rows)
    figure = Figure(size or (SIZE[0] * (1 if columns == 1 else 0.75 * columns), SIZE[1]), DPI, layout=layout)
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for ax in axes:  # ticks are made when they are first drawn
        ax.tick_params(labelsize=SMALL, color=INK, labelcolor=INK)
    for ax in axes[panels:]:
        ax.remove()
    return figure, axes[:panels]


def new_axes(ax: Any, **margins: float) -> Any:
    """The axes asked for, or those of a new figure without a display."""
    if ax is not None:
        _matplotlib()
        return ax
    figure, (own,) = new_figure()
    figure.subplots_adjust(**margins)
    return own


def tidy(ax: Any, title: str | None = None) -> None:
    """Axes without a frame on top and at the right."""
    ax.spines[["top", "right"]].set_visible(False)
    if title is not None:
        ax.set_title(title)


def as_file(figure: Any, format: str, *, small: bool = False) -> bytes:
    """What a file of a figure holds; the same figure makes the same file. A small PNG has 256 colours."""
    content, dates = BytesIO(), {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with _matplotlib().rc_context(STYLE):
        figure.savefig(content, format=format, metadata=dates.get(format))
    return _small(content) if small and format == "png" else content.getvalue()


def _small(png: BytesIO) -> bytes:
    from PIL import Image

    content = BytesIO()
    with Image.open(png) as image:
        few = image.convert("RGB").quantize(256, kmeans=2, dither=Image.Dither.NONE)
        few.save(content, format="png", optimize=True)
    return content.getvalue()


def _matplotlib() -> Any:
    try:
        import matplotlib
        import matplotlib.figure
    except ModuleNotFoundError as error:
        raise ImportError('figures need matplotlib: pip install "rbo-ref[figures]"') from error
    return matplotlib
