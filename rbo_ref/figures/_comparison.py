"""All optimizers on one landscape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy

from geometry import FunctionGraph
from rbo_ref import optimizers
from rbo_ref._canvas import INK, line_style, new_axes, styled
from rbo_ref.figures._ground import View, draw_contours
from rbo_ref.rolling_ball import RollingBall
from rbo_ref.run import Optimizer, trajectory

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["OPTIMIZERS", "Compared", "best_paths", "compared", "make_optimizer"]

RATES = tuple((10.0 ** numpy.arange(-4, 0.1, 0.5)).tolist())
STEPS, RADIUS = 200, 0.5

_BY_RATE: dict[str, Callable[[Any], Optimizer]] = {
    "gradient-descent": optimizers.GradientDescent,
    "adam": optimizers.Adam,
    "adamw": optimizers.AdamW,
    "muon": optimizers.Muon,
    "sam": optimizers.SAM,
    "entropy-sgd": lambda rate: optimizers.EntropySGD(1.0, inner_rate=rate, scope=1.0),
    "induced-metric": optimizers.InducedMetric,
    "alice": optimizers.Alice,
    "rmsprop": optimizers.RMSprop,
    "nadam": optimizers.NAdam,
    "lion": optimizers.Lion,
}
OPTIMIZERS = ("rolling-ball", *_BY_RATE)
"""The names under which `make_optimizer` knows them."""


def make_optimizer(name: str, rate: Any, *, radius: Any = RADIUS, solver: Any = None, d: int = 2) -> Optimizer:
    """An optimizer by its name, with a learning rate and the defaults of its paper.

    Parameters
    ----------
    name : str
        One of `OPTIMIZERS`.
    rate : float or array
        η. Of Entropy-SGD it is that of the inner loop, for the outer one is γη with a small scope γ; here γ = 1 and the
        outer rate is 1.
    radius, solver
        Of the rolling ball.
    d : int
        Dimension of θ, which for Muon is a matrix of one row.

    Returns
    -------
    RollingBall, GradientDescent, ...

    Raises
    ------
    ValueError
        For another name.

    Examples
    --------
    >>> make_optimizer("sam", 0.1).radius
    0.05
    """
    if name == "rolling-ball":
        return RollingBall(rate, radius, solver)
    if name not in _BY_RATE:
        raise ValueError(f"name must be one of {', '.join(OPTIMIZERS)}, got {name!r}")
    return optimizers.Muon(rate, shape=(1, d)) if name == "muon" else _BY_RATE[name](rate)


class Compared(NamedTuple):
    """The path of each optimizer with its best learning rate."""

    surface: FunctionGraph
    rate: dict[str, float]
    theta: dict[str, numpy.ndarray]  # (steps + 1, 2)
    height: dict[str, numpy.ndarray]  # (steps + 1,)


def best_paths(
    surface: FunctionGraph,
    start: Sequence[float],
    *,
    names: Sequence[str] = OPTIMIZERS,
    rates: Sequence[float] = RATES,
    steps: int = STEPS,
) -> Compared:
    """The path of each optimizer, with that of some learning rates with which it ends lowest.

    Parameters
    ----------
    surface : FunctionGraph
        With d = 2.
    start : sequence of float
    names : sequence of str
        Of `OPTIMIZERS`; default: all.
    rates : sequence of float
        Default: nine from 10⁻⁴ to 1.
    steps : int

    Returns
    -------
    Compared

    Notes
    -----
    Steps are counted, not gradients: Entropy-SGD takes 20 of them in a step, SAM two, and the ball one and those of its
    projection.

    Examples
    --------
    >>> from rbo_ref.landscapes import himmelblau
    >>> found = best_paths(himmelblau(), [0.0, 0.0], names=["gradient-descent", "adam"])
    >>> found.rate["gradient-descent"], found.theta["adam"][-1].round(3)
    (0.01, array([3., 2.]))
    """
    found = Compared(surface, {}, {}, {})
    starts = numpy.tile(numpy.asarray(start, dtype=float), (len(rates), 1))
    for name in names:
        with numpy.errstate(all="ignore"):  # where a rate is too large
            path = trajectory(make_optimizer(name, numpy.asarray(rates), d=len(start)), surface, starts, steps)
        best = int(numpy.argmin(numpy.where(numpy.isfinite(path.height[-1]), path.height[-1], numpy.inf)))
        found.rate[name] = float(rates[best])
        found.theta[name], found.height[name] = path.theta[:, best], path.height[:, best]
    return found


@styled
def compared(found: Compared, view: View, minima: Sequence[Sequence[float]] = (), *, ax: Axes | None = None) -> Axes:
    """The paths from above, each with a dot where it ends, and crosses at the minima.

    Parameters
    ----------
    found : Compared
    view : ((low, high), (low, high))
        Of θ₁ and of θ₂.
    minima : sequence of (float, float)
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
    >>> from rbo_ref.landscapes import himmelblau
    >>> found = best_paths(himmelblau(), [0.0, 0.0], names=["adam"])
    >>> compared(found, ((-1, 5), (-1, 5)), [[3.0, 2.0]]).get_title()  # doctest: +SKIP
    'himmelblau'
    """
    ax = new_axes(ax)
    ax.set(xlim=view[0], ylim=view[1])
    draw_contours(ax, found.surface, next(iter(found.theta.values()))[0], scale=False)
    for number, (name, path) in enumerate(found.theta.items()):
        style = line_style(number)
        ax.plot(*path.T, linewidth=1.6, label=name, **style)
        ax.plot(*path[-1], "o", color=style["color"], markersize=6, markeredgecolor="white")
    for place in minima:
        ax.plot(*place, "+", color=INK, markersize=14, markeredgewidth=2)
    ax.set_title(str(found.surface.name))
    return ax
