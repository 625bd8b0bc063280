"""Pictures of the ironing property: Δ(ρ), as in Figure 2 of Belgoumri et al. (2025), and the ironed functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy

from rbo_ref._canvas import FAINT, GROUND, INK, NEXT, NOW, line_style, new_axes, styled, tidy
from rbo_ref.ironed import Ironing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ironed", "ranges"]


@styled
def ranges(
    result: Ironing,
    *,
    exact: Callable[[Any], Any] | None = None,
    asymptote: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Δ(ρ) on logarithmic axes.

    Parameters
    ----------
    result : Ironing
        At least one positive radius.
    exact : callable, optional
        Δ as a function of an array of radii: a line behind the points.
    asymptote : float, optional
        c of a dashed line c/ρ.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default: a new figure of 800 × 500 pixels.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ImportError
        Without matplotlib.
    ValueError
        Without a positive radius.

    Examples
    --------
    >>> from rbo_ref.ironed import ironing, ironing_of_sine
    >>> from rbo_ref.landscapes import sine
    >>> curve = ironing(sine(), [0.5, 2.0, 10.0], [(-3.2, 3.2)])
    >>> ranges(curve, exact=ironing_of_sine).get_xscale()  # doctest: +SKIP
    'log'
    """
    drawn = result.radius > 0
    if not drawn.any():
        raise ValueError("a curve needs a positive radius")
    ax = new_axes(ax)
    radius = result.radius[drawn]
    line = numpy.geomspace(radius.min(), radius.max(), 400) if len(radius) > 1 else radius
    if exact is not None:
        ax.plot(line, exact(line), color=NOW, linewidth=1.5, label="exact")
    if asymptote is not None:
        far = line[asymptote / line <= 1.5 * result.range[drawn].max()]
        ax.plot(far, asymptote / far, color=FAINT, linestyle="--", linewidth=1, label=f"{asymptote:.4g}/ρ")
    ax.plot(radius, result.range[drawn], "o", color=NEXT, markersize=4, label="computed")
    ax.set(xscale="log", yscale="log", xlabel="radius ρ", ylabel="Δ(ρ) = max $f_ρ$ − min $f_ρ$")
    _finish(ax)
    return ax


@styled
def ironed(places: Any, heights: Any, rolled: Sequence[tuple[float, Any]], *, ax: Axes | None = None) -> Axes:
    """A function of one variable, and its offset functions f_ρ − ρ: what balls of several radii leave of it.

    Parameters
    ----------
    places, heights : array (n,)
        The function's samples.
    rolled : sequence of (radius, array (n,))
        The offset functions f_ρ there.
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
    >>> import numpy as np
    >>> from geometry import dilate
    >>> x = 0.01 * np.arange(1000)
    >>> ax = ironed(x, np.sin(x), [(2.0, dilate(np.sin(x), 2.0, spacing=0.01))])  # doctest: +SKIP
    """
    ax = new_axes(ax)
    places, heights = numpy.asarray(places), numpy.asarray(heights)
    finite = numpy.isfinite(heights)
    floor = heights[finite].min() if finite.any() else 0.0
    ax.fill_between(places, floor, numpy.where(finite, heights, floor), color=GROUND)
    ax.plot(places, heights, color=INK, linewidth=1, label="f")
    for number, (radius, offset) in enumerate(rolled):
        left = numpy.asarray(offset) - radius
        ax.plot(places, left, linewidth=1.3, label=f"ρ = {radius:.3g}", **line_style(number))
    ax.set(xlabel="θ", ylabel="$f_ρ$ − ρ")
    _finish(ax)
    return ax


def _finish(ax: Any) -> None:
    tidy(ax)
    ax.legend(
        frameon=False,
        fontsize="small",
        ncols=4,
        columnspacing=1.2,
        handlelength=1.4,
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
    )
