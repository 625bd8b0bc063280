"""The ironing property: how the range of the offset function f_ρ shrinks as the ball grows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from geometry import FunctionGraph, dilate
from geometry._namespace import Array, floating, positive, to_numpy, whole
from geometry._results import comparable
from geometry.graph import check_surface
from rbo_ref._resting import Seen, highest, lowest, raised, values

__all__ = ["Ironing", "ironing", "ironing_of_samples", "ironing_of_sine"]

Numbers = NDArray[numpy.float64]
MOST = 2**24  # samples to take of a function
ALONG = 2**21  # evaluations for a radius, for d = 1, more or less


@comparable
class Ironing(NamedTuple):
    """The range Δ(ρ) = max f_ρ − min f_ρ of the offset function, and where it is attained; n radii, d dimensions."""

    radius: Numbers  # (n,)
    range: Numbers  # (n,): Δ(ρ)
    lowest: Numbers  # (n,): min f_ρ
    highest: Numbers  # (n,): max f_ρ
    theta_lowest: Numbers  # (n, d)
    theta_highest: Numbers  # (n, d)


def ironing(
    surface: FunctionGraph, radius: Any, box: Sequence[tuple[float, float]], *, samples: int | None = None
) -> Ironing:
    """Δ(ρ) = max f_ρ − min f_ρ of a landscape over a box; the ball also rests on what lies outside of it.

    Parameters
    ----------
    surface : FunctionGraph
        Where f is NaN there is no surface.
    radius : float or sequence of float
        ρ ≥ 0. Δ(0) is the range of f itself.
    box : sequence of (low, high)
        One pair for each dimension of θ.
    samples : int, optional
        Samples along each side of the box. Default: 4001 for d = 1, 401 for d = 2, 81 for d = 3; fewer where the ball
        covers so much beyond the box that there would be more than 2²⁴ in all.

    Returns
    -------
    Ironing

    Raises
    ------
    TypeError, ValueError
        For arguments of the wrong kind or shape.

    Notes
    -----
    The extremes are sought among samples, with `geometry.dilate`. For d = 1 they are then followed to full precision:
    the lowest place of the samples, with each ball on the highest of the hills that 2¹⁶ samples of where it may rest
    show; and the highest hill of as many samples of the box, or what the ball meets over the ends of the box. For d ≥ 2
    they are those of samples, whose error is a multiple of the square of their spacing.

    Proven, but for rounding, is one thing: for d = 1 `highest` is at most max f_ρ, for it is the height of a ball that
    touches the landscape. That the ball touches no higher hill, and that no lower place exists, is what samples show:
    hills narrower than their spacing may be missed. `geometry.certified.ironing` encloses Δ.

    Up to the critical radius Δ is constant if f has a minimum and a maximum: both are touched. For large ρ it falls
    like 1/ρ if f is periodic, but not in general; the rate of the paper's Lemma 2 needs more than a bounded f.

    References
    ----------
    Belgoumri et al., "Rolling Ball Optimizer" (2025), Sections 4.2 and 5.1, Fig. 2.

    Examples
    --------
    >>> import numpy as np
    >>> from rbo_ref.landscapes import sine
    >>> ironing(sine(), [0.0, 0.5, 1.0, 2.0, 10.0], [(-np.pi, np.pi)]).range.round(8)
    array([2.        , 2.        , 2.        , 1.74167004, 0.45689225])
    """
    check_surface(surface)
    radii, (low, high) = _radii(radius), _corners(box)
    d = low.size
    count = {1: 4001, 2: 401, 3: 81}.get(d, 17) if samples is None else whole("samples", samples, 2)
    surface = surface.prepared(low, radii.size * (ALONG if d == 1 else count**d))
    if d == 1:
        return _of_one_variable(surface, radii, low, high, count)
    rolled = (_rolled(surface, rho, low, high, count) for rho in radii)
    return _result(radii, *_for_all(_extremes(one.heights, low, one.step) for one in rolled))


def _of_one_variable(surface: FunctionGraph, radii: Numbers, low: Numbers, high: Numbers, count: int) -> Ironing:
    """The extremes of samples, followed."""
    seen = [_rolled(surface, rho, low, high, count).raised(surface, rho, low).seen(low) for rho in radii]
    least, *ends = (list(places) for places in zip(*seen, strict=True))
    height, theta = lowest(surface, radii, least, low[0], high[0])
    top, at = highest(surface, radii, ends, low[0], high[0])
    return _result(radii, _Extreme(height, theta[:, None]), _Extreme(top, at[:, None]))


def ironing_of_samples(
    heights: Array, radius: Any, *, spacing: Any = 1.0, boundary: str = "none", nan: str = "raise", x: Any = None
) -> Ironing:
    """Δ(ρ) of a sampled function, such as an image or a measured profile.

    Parameters
    ----------
    heights, spacing, boundary, nan, x
        As in `geometry.dilate`.
    radius : float or sequence of float
        ρ ≥ 0, in the units of spacing and heights. Δ(0) is the range of the heights.

    Returns
    -------
    Ironing
        The places are multiples of the spacing, from the first sample; with `x` its entries.

    Examples
    --------
    >>> ironing_of_samples([0.0, 1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 100.0]).range.round(3)
    array([1.   , 1.   , 0.045])
    """
    _, heights = floating("heights", heights)
    if heights.ndim == 0 or 0 in heights.shape:
        raise ValueError(f"heights must have at least one sample along every axis, got shape {tuple(heights.shape)}")
    options = {"spacing": spacing, "boundary": boundary, "nan": nan}
    options |= {} if x is None else {"x": x}
    shape = (1,) * heights.ndim if x is None else tuple(heights.shape)
    dilate(numpy.zeros(shape), 1.0, **options)  # refuses wrong options, if only Δ(0) is wanted
    step = numpy.broadcast_to(to_numpy(floating("spacing", spacing)[1]), (heights.ndim,))
    origin, radii = numpy.zeros(heights.ndim), _radii(radius)
    rolled = (to_numpy(dilate(heights, rho, **options) if rho > 0 else heights) for rho in radii)
    lowest, highest = _for_all(_extremes(values, origin, step) for values in rolled)
    if x is not None:
        lowest, highest = (_at(extreme, to_numpy(floating("x", x)[1])) for extreme in (lowest, highest))
    return _result(radii, lowest, highest)


def _at(extreme: _Extreme, x: Numbers) -> _Extreme:
    """An extreme whose places are numbers of samples, at the positions of these."""
    places = numpy.where(numpy.isnan(extreme.theta), 0, extreme.theta).astype(int)
    return extreme._replace(theta=numpy.where(numpy.isnan(extreme.theta), numpy.nan, x[places]))


def ironing_of_sine(radius: Any) -> Numbers:
    """Δ(ρ) of the sine wave in closed form, up to one root: 2 up to the critical radius 1, then falling like π²/2ρ.

    Parameters
    ----------
    radius : float or array
        ρ ≥ 0.

    Returns
    -------
    numpy.ndarray
        Δ = 1 + ρ + cos s − ρ/√(1 + sin² s), where over a trough the ball touches at ±s: s√(1 + sin² s) = ρ sin s.

    Examples
    --------
    >>> ironing_of_sine([0.5, 1.0, 2.0, 100.0]).round(8)
    array([2.        , 2.        , 1.74167004, 0.0488711 ])
    """
    from scipy.optimize import brentq

    def one(rho: float) -> float:
        if rho <= 1:
            return 2.0
        # The quotient falls from 1 at s = 0 to 0 at π; below the root it exceeds 1/ρ.
        s = brentq(lambda s: numpy.sinc(s / math.pi) / math.hypot(1, math.sin(s)) - 1 / rho, 0.0, math.pi, xtol=1e-15)
        lift = math.hypot(1, math.sin(s))
        return 2 * math.cos(s / 2) ** 2 + rho * (math.sin(s) ** 2 / (lift * (1 + lift)))

    positive("radius", radius, zero=True)
    radii = to_numpy(floating("radius", radius)[1]).astype(float)
    return numpy.asarray([one(rho) for rho in radii.reshape(-1)]).reshape(radii.shape)


class _Extreme(NamedTuple):
    """The lowest or the highest height, and its place."""

    height: Any  # (...)
    theta: Any  # (..., d)


def _radii(radius: Any) -> Numbers:
    positive("radius", radius, zero=True)
    return to_numpy(floating("radius", radius)[1]).astype(float).reshape(-1)


def _corners(box: Any) -> tuple[Numbers, Numbers]:
    try:
        sides = numpy.asarray([(float(low), float(high)) for low, high in box])
    except (TypeError, ValueError) as error:
        raise ValueError(f"box must be a sequence of (low, high), one for each dimension, got {box!r}") from error
    if not (sides.size and numpy.isfinite(sides).all() and (sides[:, 0] < sides[:, 1]).all()):
        raise ValueError(f"box must have finite sides with low < high, got {box!r}")
    return sides[:, 0], sides[:, 1]


class _Rolled(NamedTuple):
    """f_ρ at samples of the box; on which places the ball rests there."""

    heights: Numbers  # (count, ..., count)
    contacts: Numbers  # the same shape, (..., d)
    top: float  # the greatest f that the ball meets
    step: Numbers  # (d,)
    margin: float  # how far beyond the box the ball may touch

    def raised(self, surface: FunctionGraph, rho: float, origin: Numbers) -> _Rolled:
        """With the hills that finer samples show, for d = 1."""
        theta = origin[0] + self.step[0] * numpy.arange(len(self.heights))
        return self._replace(heights=raised(surface, rho, theta, self.heights, self.margin))

    def seen(self, origin: Numbers) -> tuple[Seen, Seen, Seen]:
        """The lowest place, the first and the last, for d = 1."""
        shown = numpy.where(numpy.isnan(self.heights), numpy.inf, self.heights)
        places = (int(numpy.argmin(shown)), 0, len(self.heights) - 1)
        return tuple(self._at(i, origin[0]) for i in places)  # type: ignore[return-value]

    def _at(self, i: int, origin: float) -> Seen:
        near = numpy.clip([i - 1, i, i + 1], 0, len(self.heights) - 1)
        return Seen(origin + i * self.step[0], self.heights[i], self.contacts[near, 0], self.top, self.step[0])


def _rolled(surface: FunctionGraph, rho: float, low: Numbers, high: Numbers, count: int) -> _Rolled:
    """f_ρ at samples of the box."""
    step, around = _grid(rho, high - low, count)
    while math.prod(count + 2 * m for m in around) > MOST:
        if count == 2:
            raise ValueError(f"radius {rho} is too large beside a box of sides {(high - low).tolist()}")
        count = max(2, 3 * count // 4)
        step, around = _grid(rho, high - low, count)
    axes = [a + h * numpy.arange(-m, count + m) for a, h, m in zip(low, step, around, strict=True)]
    theta = numpy.stack(numpy.meshgrid(*axes, indexing="ij"), axis=-1)
    heights = values(surface, theta)
    top = _top(heights)
    margin = _touched(rho, float(numpy.linalg.norm(high - low)), top - _top(heights[_middle(around, count)]))
    narrow = [min(m, math.ceil(margin / h) + 1) for m, h in zip(around, step, strict=True)]
    crop = tuple(slice(m - n, m + count + n) for m, n in zip(around, narrow, strict=True))
    heights, theta = heights[crop], theta[crop]
    contact = numpy.arange(heights.size).reshape(heights.shape)
    if rho > 0:
        heights, contact = dilate(heights, rho, spacing=tuple(step), nan="omit", return_contact=True)
    inside = _middle(narrow, count)
    return _Rolled(heights[inside], theta.reshape(-1, low.size)[contact[inside]], top, step, margin)


def _middle(around: list[int], count: int) -> tuple[slice, ...]:
    """The samples of the box, without those around it."""
    return tuple(slice(m, m + count) for m in around)


def _top(heights: Numbers) -> float:
    return float(numpy.max(heights, initial=-numpy.inf, where=~numpy.isnan(heights)))


def _touched(rho: float, across: float, above: float) -> float:
    """How far from its centre a ball in the box may touch, if the highest place is `above` the highest of the box.

    On the latter it rests already, at most `across` away from its centre.
    """
    if not (across < rho and above < numpy.inf):
        return rho
    gap = above + across**2 / (rho + math.sqrt(rho**2 - across**2))
    return math.sqrt(gap * (2 * rho - gap)) if gap < rho else rho


def _grid(rho: float, sides: Numbers, count: int) -> tuple[Numbers, list[int]]:
    """The spacing of samples in the box, and how many of them the ball reaches beyond it."""
    step = sides / (count - 1)
    return step, [math.ceil(rho / h) for h in step]


def _extremes(heights: Numbers, origin: Numbers, step: Numbers) -> tuple[_Extreme, _Extreme]:
    """The lowest and the highest of samples, of which some may be NaN."""
    if numpy.isnan(heights).all():
        nowhere = _Extreme(numpy.nan, numpy.full_like(origin, numpy.nan))
        return nowhere, nowhere
    places = [numpy.unravel_index(best(heights), heights.shape) for best in (numpy.nanargmin, numpy.nanargmax)]
    lowest, highest = (_Extreme(heights[at], origin + step * numpy.asarray(at)) for at in places)
    return lowest, highest


def _result(radii: Numbers, lowest: _Extreme, highest: _Extreme) -> Ironing:
    with numpy.errstate(invalid="ignore"):  # a wall everywhere
        difference = highest.height - lowest.height
    return Ironing(radii, difference, lowest.height, highest.height, lowest.theta, highest.theta)


def _for_all(extremes: Iterable[tuple[_Extreme, _Extreme]]) -> list[_Extreme]:
    """All of the lowest, and all of the highest."""
    return [_Extreme(*map(numpy.stack, zip(*some, strict=True))) for some in zip(*extremes, strict=True)]
