"""The pictures of this project by name: ``rbo-ref figures NAME`` writes them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy

from geometry import FunctionGraph, dilate
from rbo_ref._canvas import new_figure, styled
from rbo_ref.figures._centers import centers, roll_on_wrinkles
from rbo_ref.figures._comparison import best_paths, compared
from rbo_ref.figures._exploration import INNER_STARTS, exploration, explore
from rbo_ref.figures._fields import (
    curvature_map,
    distance_field,
    largest_ball,
    medial_axes,
    reachable_points,
)
from rbo_ref.figures._hero import two_balls
from rbo_ref.figures._ironing import ironed, ranges
from rbo_ref.figures._samples import balls_on_a_profile, contact_map
from rbo_ref.figures._step import one_step
from rbo_ref.ironed import ironing, ironing_of_sine
from rbo_ref.landscapes import by_name, gaussians, paraboloid, sine
from rbo_ref.rolling_ball import RollingBall

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["GALLERY", "Picture", "draw", "terrain", "two_valleys"]

WAVES = ((-6.5, 6.5), (-1.8, 4.6))
VALLEYS = ((-1.9, 1.9), (-0.7, 1.7))
SIGMAS = (0.05, 0.1, 0.2)
CLASSICAL: dict[str, tuple[Any, Any, Any]] = {  # where to start, what to look at, minima
    "beale": ((0, 0), ((-1.6, 4.4), (-1.6, 2)), [(3, 0.5)]),
    "rosenbrock": ((0, 0), ((-0.4, 1.3), (-0.3, 1.2)), [(1, 1)]),
    "himmelblau": ((0, 0), ((-0.8, 4.8), (-2.6, 3.4)), [(3, 2), (3.584428, -1.848127)]),
    "ackley": ((2, 1.5), ((-1.7, 2.7), (-1.5, 2.3)), [(0, 0)]),
    "rastrigin": ((2, 1.5), ((-1.7, 2.7), (-1.5, 2.3)), [(0, 0)]),
}


class Picture(NamedTuple):
    """A figure of the gallery."""

    about: str
    draw: Callable[[], Figure]


@styled
def draw(name: str) -> Figure:
    """A figure of the gallery.

    Parameters
    ----------
    name : str
        One of `GALLERY`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError
        Without matplotlib.
    ValueError
        For another name.

    Examples
    --------
    >>> draw("step").savefig("step.png")  # doctest: +SKIP
    """
    if name not in GALLERY:
        raise ValueError(f"no figure is called {name!r}; there are {', '.join(GALLERY)}")
    return GALLERY[name].draw()


def two_valleys() -> FunctionGraph:
    """The curve f(θ) = (θ² − 1)².

    Its reach from above is 0.12228567846745, at \\|θ\\| = 1.01444, not at the minima.

    Examples
    --------
    >>> two_valleys().value([1.0])
    np.float64(0.0)
    """
    return FunctionGraph(lambda theta: (theta[..., 0] ** 2 - 1) ** 2, name="(θ² − 1)²")


def terrain(size: int = 192, seed: int = 1) -> numpy.ndarray:
    """A rough height map, periodic, with a standard deviation of 6: noise with amplitudes like k⁻².

    Examples
    --------
    >>> terrain().std().round(12), terrain().shape
    (np.float64(6.0), (192, 192))
    """
    noise = numpy.random.RandomState(seed).standard_normal((size, size))
    frequency = numpy.hypot(numpy.fft.fftfreq(size)[:, None], numpy.fft.fftfreq(size))
    frequency[0, 0] = math.inf
    heights = numpy.fft.ifft2(numpy.fft.fft2(noise) * frequency**-2.0).real
    return 6 * heights / heights.std()


def _own(ax: Any) -> Figure:
    return ax.figure


def _step() -> Figure:
    return _own(one_step(paraboloid(), [-1.6], RollingBall(0.35, 0.6)))


def _ironing() -> Figure:
    figure, (left, right) = new_figure(2, layout="constrained", rows=2, size=(8, 9))
    x = numpy.linspace(-3 * math.pi, 3 * math.pi, 2001)
    wide = (x[1] - x[0]) * numpy.arange(-6000, 6001)
    radii, middle = (0.5, 1.0, 2.0, 4.0, 10.0), slice(5000, 7001)
    rolled = [(rho, dilate(numpy.sin(wide), rho, spacing=x[1] - x[0])[middle]) for rho in radii]
    ironed(x, numpy.sin(x), rolled, ax=left)
    curve = ironing(sine(), numpy.geomspace(0.1, 100, 25), [(-3 * math.pi, 3 * math.pi)])
    ranges(curve, exact=ironing_of_sine, asymptote=math.pi**2 / 2, ax=right)
    return figure


def _centers() -> Figure:
    found = roll_on_wrinkles()
    figure, (first, *others) = new_figure(len(found.radius) + 1, layout="constrained", rows=3, size=(8, 9.5))
    for number, ax in enumerate(others):
        centers(found, number, ax=ax)
    _keys(first, others[0])
    return figure


def _exploration() -> Figure:
    figure, axes = new_figure(len(SIGMAS) * 2, layout="constrained", rows=len(SIGMAS), size=(8, 12.5))
    for number, ax in enumerate(axes):
        sigma, inner_start = SIGMAS[number // 2], INNER_STARTS[number % 2]
        exploration(explore(sigma, inner_start), ax=ax)
        ax.set_title(f"σ = {sigma:g}, from the {inner_start}", fontsize="medium")
    handles = axes[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=3, frameon=False)
    return figure


def _reach() -> Figure:
    figure, (left, right) = new_figure(2, layout="constrained", rows=2, size=(8, 9))
    reachable_points(sine(), 2.0, WAVES, -math.pi / 2, ax=left)
    left.legend(frameon=False, ncols=3, loc="upper center")
    largest_ball(two_valleys(), VALLEYS, ax=right)
    return figure


def _contacts() -> Figure:
    figure, axes = new_figure(4, layout="constrained", rows=2, size=(8, 8.6))
    for radius, ax in zip((5.0, 15.0, 50.0, 150.0), axes, strict=True):
        contact_map(terrain(), radius, ax=ax)
    return figure


def _distances() -> Figure:
    _, (ax,) = new_figure(layout="constrained", size=(8, 5.4))
    return _own(distance_field(two_valleys(), VALLEYS, ax=ax))


def _curvature() -> Figure:
    figure, (ax,) = new_figure(layout="constrained", size=(8, 5.4))
    curvature_map(gaussians(0.8, 12, 3), ((-3.3, 3.3), (-2.2, 2.2)), (0.25, 0.5, 1.0), ax=ax)
    ax.legend(frameon=False, loc="lower left", fontsize="small")
    return figure


def _medial_axis() -> Figure:
    figure, (left, right) = new_figure(2, layout="constrained", rows=2, size=(8, 9))
    medial_axes(sine(), WAVES, ax=left)
    medial_axes(two_valleys(), VALLEYS, ax=right)
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=3, frameon=False, markerscale=4)
    return figure


def _optimizers() -> Figure:
    figure, axes = new_figure(len(CLASSICAL) + 1, layout="constrained", rows=3, size=(8, 11))
    for ax, (name, (start, view, minima)) in zip(axes, CLASSICAL.items(), strict=False):
        compared(best_paths(by_name(name), start), view, minima, ax=ax)
    _keys(axes[-1], axes[0])
    return figure


def _profile() -> Figure:
    figure, (ax,) = new_figure(layout="constrained", size=(8, 3.8))
    spacing = 0.005
    x = numpy.arange(0, 4, spacing)
    heights = 0.25 * numpy.sin(2 * x) + 0.12 * numpy.sin(9 * x) + 0.5 * numpy.exp(-(((x - 2.6) / 0.05) ** 2))
    balls_on_a_profile(heights, 0.35, spacing=spacing, places=(1.25, 2.6), ax=ax)
    figure.legend(loc="outside upper center", ncols=2, frameon=False, fontsize="small")
    return figure


def _keys(ax: Any, drawn: Any) -> None:
    """A legend on axes of its own, of the curves that others hold."""
    ax.axis("off")
    ax.legend(*drawn.get_legend_handles_labels(), frameon=False, loc="center", markerscale=6)


GALLERY: dict[str, Picture] = {
    "balls": Picture("a small and a large ball on a wrinkled hillside", lambda: _own(two_balls())),
    "step": Picture("one step of the ball (Figure 1 of the paper)", _step),
    "ironing": Picture("what balls leave of a sine, and its range (Figure 2)", _ironing),
    "centers": Picture("paths of centres on the wrinkled wave (Figure 3)", _centers),
    "exploration": Picture("gradient descent and balls on a dented bowl (Figure 4)", _exploration),
    "reach": Picture("points out of reach, and the ball that touches all", _reach),
    "contacts": Picture("which samples of a height map balls touch", _contacts),
    "distances": Picture("lines of equal distance to a curve", _distances),
    "curvature": Picture("the largest curvature of a landscape", _curvature),
    "medial-axis": Picture("centres of the largest balls that touch a curve", _medial_axis),
    "optimizers": Picture("every optimizer on the classical functions", _optimizers),
    "profile": Picture("a profile, its closing and its opening", _profile),
}
"""All figures by name."""
