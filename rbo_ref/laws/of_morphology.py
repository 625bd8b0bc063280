"""Laws of balls that roll over and under sampled functions.

A sample s carries a ball over the sample θ at the height f(s) + √(ρ² − |θ − s|²): the dilation δ is the largest of
these, the erosion ε the least of f(s) − √(ρ² − |θ − s|²), the closing εδ and the opening δε. The laws of what they are
compare all pairs of samples; a height and a cap may round.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy
from hypothesis import strategies as st

from rbo_ref.laws.law import Draw, Numbers, Trial, law
from rbo_ref.strategies import Samples, dyadics, heights, samples

__all__ = ["cap_table"]

ALL = ("dilate", "erode", "closing", "opening")
SERRA = "J. Serra, Image Analysis and Mathematical Morphology (1982)"
ROUNDINGS = 8.0  # a table entry of √, a sum, and the same again in the second pass, on either side of a comparison
EVERYWHERE = "every array, ball, spacing and boundary"


def _rolled(trial: Trial, case: Samples, heights: Any = None, radius: float | None = None, **how: Any) -> Numbers:
    """What the implementation makes of the case, or of other heights or another radius."""
    heights = case.heights if heights is None else heights
    radius = case.radius if radius is None else radius
    options = {**case.options(), **how.pop("options", {})}
    given = {"heights": heights, "radius": radius, **options}
    return trial.answer(trial.array(heights), radius, given=given, **options, **how)


def _rounding(trial: Trial, case: Samples, *others: Any) -> float:
    size = max(float(numpy.max(numpy.abs(a), where=numpy.isfinite(a), initial=0)) for a in (case.heights, *others))
    return ROUNDINGS * trial.unit * (size + 2 * case.radius) + 2 * trial.tolerance


def _told(case: Samples, **further: Any) -> dict[str, Any]:
    return {**case._asdict(), **further}


def _others(draw: Draw, case: Samples) -> Numbers:
    """A second function on the same grid."""
    return draw(heights(case.heights.shape))


def cap_table(case: Samples) -> Numbers:
    """√(ρ² − |θ − s|²) for all samples θ and s, from the nearest of a periodic array's; NaN beyond the ball.

    Examples
    --------
    >>> cap_table(Samples(numpy.zeros(3), 1.0, 1.0, "none"))
    array([[ 1.,  0., nan],
           [ 0.,  1.,  0.],
           [nan,  0.,  1.]])
    """
    shape = numpy.reshape(case.heights.shape, (-1, 1, 1))
    places = numpy.indices(case.heights.shape).reshape(len(shape), -1)
    away = numpy.abs(places[:, :, None] - places[:, None, :])
    away = numpy.minimum(away, shape - away) if case.boundary == "periodic" else away
    left = case.radius**2 - numpy.sum((case.steps[:, None, None] * away) ** 2, axis=0)
    return numpy.sqrt(numpy.where(left >= 0, left, math.nan))


def _rim(trial: Trial, caps: Numbers) -> float:
    """The rounding of ρ√(1 − |s|²/ρ²), another right way to a cap, which near the rim is large."""
    return 4 * trial.unit * float(numpy.nanmax(caps)) ** 2 / float(numpy.min(caps, where=caps > 0, initial=math.inf))


def _over(caps: Numbers, heights: Numbers) -> Numbers:
    return numpy.reshape(numpy.fmax.reduce(heights.reshape(-1) + caps, axis=-1), heights.shape)


def _under(caps: Numbers, heights: Numbers) -> Numbers:
    return -_over(caps, -heights)


def _defined(trial: Trial, case: Samples, truth: Callable[[Numbers, Numbers], Numbers], **options: Any) -> None:
    caps = cap_table(case)
    rounding = _rounding(trial, case) + 2 * _rim(trial, caps)
    trial.same("ψ(f)", _rolled(trial, case, options=options), truth(caps, case.heights), rounding, _told(case))


# What they are.

HOLED = f"{EVERYWHERE}; some samples missing"


@law("dilate", domain=f"{HOLED} (−∞)", source="definition")
def dilation(trial: Trial, draw: Draw) -> None:
    """The ball rests on the sample that carries it highest: δ(f)(θ) = max over s of f(s) + √(ρ² − |θ − s|²)."""
    _defined(trial, draw(samples(hole=-math.inf)), _over)


@law("erode", domain=f"{HOLED} (+∞)", source="definition")
def erosion(trial: Trial, draw: Draw) -> None:
    """The ball hangs under the sample that holds it lowest: ε(f)(θ) = min over s of f(s) − √(ρ² − |θ − s|²)."""
    _defined(trial, draw(samples(hole=math.inf)), _under)


@law("closing", domain=f"{HOLED} (−∞)", source="definition")
def closing_of_samples(trial: Trial, draw: Draw) -> None:
    """A closing is the underside of the balls that rest on the samples: φ(f) = ε(δ(f))."""
    _defined(trial, draw(samples(hole=-math.inf)), lambda caps, f: _under(caps, _over(caps, f)))


@law("opening", domain=f"{HOLED} (+∞)", source="definition")
def opening_of_samples(trial: Trial, draw: Draw) -> None:
    """An opening is the upper side of the balls that hang under the samples: γ(f) = δ(ε(f))."""
    _defined(trial, draw(samples(hole=math.inf)), lambda caps, f: _over(caps, _under(caps, f)))


@law("dilate+nan", domain=f"{HOLED} (NaN)", source="definition")
def omitted_samples(trial: Trial, draw: Draw) -> None:
    """What is not a number carries no ball; where nothing else is in reach, the result is none."""
    _defined(trial, draw(samples(hole=math.nan)), _over, nan="omit")


@law("dilate+mask", domain=f"{HOLED} (masked)", source="definition")
def masked_samples(trial: Trial, draw: Draw) -> None:
    """What is masked carries no ball, whatever number stands there; where nothing else is in reach, there is none."""
    case = draw(samples(hole=math.nan))
    missing = numpy.isnan(case.heights)
    filled = case._replace(heights=numpy.where(missing, 64.0, case.heights))
    caps, told = cap_table(case), _told(filled, mask=missing)
    found = _rolled(trial, filled, options={"mask": trial.xp.asarray(missing)})
    trial.same("δ(f)", found, _over(caps, case.heights), _rounding(trial, case) + 2 * _rim(trial, caps), told)


@law("dilate+axes", domain="every array of two or three axes, ball, spacing and boundary", source="definition")
def slices(trial: Trial, draw: Draw) -> None:
    """A ball that spans some axes only rolls over each slice along them by itself."""
    case = draw(samples(ndim=draw(st.integers(2, 3))))
    axis = draw(st.integers(0, case.heights.ndim - 1))  # that it does not span
    axes = tuple(a for a in range(case.heights.ndim) if a != axis)
    spacing = tuple(case.steps[list(axes)].tolist())
    parts = [case._replace(heights=part, spacing=spacing) for part in numpy.moveaxis(case.heights, axis, 0)]
    caps = cap_table(parts[0])
    expected = numpy.stack([_over(caps, part.heights) for part in parts], axis=axis)
    given = case._replace(spacing=spacing)
    found, told = _rolled(trial, given, options={"axes": axes}), _told(given, axes=axes)
    trial.same("δ(f)", found, expected, _rounding(trial, case) + 2 * _rim(trial, caps), told)


@law("dilate+x", domain="every profile and ball, at increasing positions", source="definition")
def uneven_profile(trial: Trial, draw: Draw) -> None:
    """Wherever the samples lie: δ(f)(xᵢ) = max over j of f(xⱼ) + √(ρ² − (xᵢ − xⱼ)²)."""
    case = draw(samples(ndim=1))
    gaps = numpy.resize(
        draw(st.lists(st.sampled_from([1.0, 0.25, 3.0, 0.5]), min_size=1, max_size=5)), case.heights.size
    )
    x = numpy.cumsum(gaps) - draw(dyadics(-8, 8))
    left = case.radius**2 - (x[:, None] - x) ** 2
    caps = numpy.sqrt(numpy.where(left >= 0, left, math.nan))
    told = {"heights": case.heights, "radius": case.radius, "x": x}
    found = trial.answer(trial.array(case.heights), case.radius, x=trial.array(x), given=told)
    trial.same("δ(f)", found, _over(caps, case.heights), _rounding(trial, case) + 2 * _rim(trial, caps), told)


@law("dilate+contact", domain=f"{HOLED} (−∞)", source="definition")
def contacts(trial: Trial, draw: Draw) -> None:
    """The ball touches the sample that it is said to touch: δ(f)(θ) = f(s) + √(ρ² − |θ − s|²); −1 is none in reach."""
    case = draw(samples(hole=-math.inf))
    caps, f = cap_table(case), case.heights.reshape(-1)
    index = _rolled(trial, case, of=1, kind="int", options={"return_contact": True}).astype(int)
    trial.same("shape of contacts", index.shape, case.heights.shape, 0.0, _told(case))
    touched = numpy.reshape(numpy.clip(index, 0, f.size - 1), (-1, 1))
    carried = numpy.reshape(f[touched] + numpy.take_along_axis(caps, touched, axis=-1), index.shape)
    rounding = _rounding(trial, case) + 2 * _rim(trial, caps)
    found = numpy.where(index == -1, -math.inf, carried)
    trial.same("f(s) + √(ρ² − |θ − s|²)", found, _over(caps, case.heights), rounding, _told(case, s=index))


@law(
    "rolling_ball", domain="every array, ball and spacing", source="S. R. Sternberg, Biomedical image processing (1983)"
)
def background(trial: Trial, draw: Draw) -> None:
    """The background is where the apex of a ball under the image can be: min over s of f(s) + ρ − √(ρ² − |θ − s|²)."""
    case = draw(samples())._replace(boundary="none")
    caps = cap_table(case)
    given, rounding = _told(case), _rounding(trial, case) + 2 * _rim(trial, caps)
    found = trial.answer(trial.array(case.heights), case.radius, spacing=case.spacing, given=given)
    trial.same("background", found, _under(caps, case.heights) + case.radius, rounding, given)


@law("closing", domain="level ground with a groove of one sample along an axis; ρ from its width", source="Pythagoras")
def groove(trial: Trial, draw: Draw) -> None:
    """Into a groove one sample wide a ball sinks until it lies on both rims: by ρ − √(ρ² − h²), or to the bottom."""
    _grooved(trial, draw, -1.0)


@law("opening", domain="level ground with a ridge of one sample along an axis; ρ from its width", source="Pythagoras")
def thin_ridge(trial: Trial, draw: Draw) -> None:
    """Into a ridge one sample wide a ball under it rises until it meets both feet: by ρ − √(ρ² − h²), or to the top."""
    _grooved(trial, draw, 1.0)


def _grooved(trial: Trial, draw: Draw, sign: float) -> None:
    case, depth = draw(samples().filter(lambda case: max(case.heights.shape) > 1)), draw(st.sampled_from([8.0, 0.125]))
    shape = case.heights.shape
    axis = draw(st.sampled_from([a for a, n in enumerate(shape) if n > 1]))
    place = draw(st.integers(0, shape[axis] - 1))
    along = numpy.moveaxis(numpy.zeros(shape), axis, 0)
    along[place] = sign
    width = float(case.steps[axis])
    radius = width * draw(st.sampled_from([1.0, 1.25, 2.0, 5.0]))
    case = Samples(depth * numpy.moveaxis(along, 0, axis), radius, case.spacing, case.boundary)
    sunk = min(depth, radius - math.sqrt(radius**2 - width**2))
    found = numpy.moveaxis(_rolled(trial, case), axis, 0)
    trial.same("ψ(f)", found, sunk * along, _rounding(trial, case), _told(case))


# How they behave.


@law(*ALL, domain=EVERYWHERE, source=SERRA)
def monotony(trial: Trial, draw: Draw) -> None:
    """What lies lower is rolled lower: f ≤ g implies ψ(f) ≤ ψ(g)."""
    case = draw(samples())
    higher = numpy.maximum(case.heights, _others(draw, case))
    low, high = _rolled(trial, case), _rolled(trial, case, higher)
    trial.at_most("ψ(f)", low, high, _rounding(trial, case, higher), _told(case, g=higher))


@law(*ALL, domain=EVERYWHERE, source=SERRA)
def nonexpansiveness(trial: Trial, draw: Draw) -> None:
    """No difference grows: max |ψ(f) − ψ(g)| ≤ max |f − g|."""
    case = draw(samples())
    other = _others(draw, case)
    gap = numpy.max(numpy.abs(_rolled(trial, case) - _rolled(trial, case, other)))
    most = numpy.max(numpy.abs(case.heights - other))
    trial.at_most("max |ψ(f) − ψ(g)|", gap, most, _rounding(trial, case, other), _told(case, g=other))


@law(*ALL, domain=EVERYWHERE, source=SERRA)
def samples_lifted(trial: Trial, draw: Draw) -> None:
    """A constant passes through: ψ(f + b) = ψ(f) + b."""
    case, by = draw(samples()), draw(dyadics(-8, 8))
    lifted = case.heights + by
    found = _rolled(trial, case, lifted)
    trial.same("ψ(f + b)", found, _rolled(trial, case) + by, _rounding(trial, case, lifted), _told(case, b=by))


@law(*ALL, domain="every array with a periodic boundary", source=SERRA)
def samples_shifted(trial: Trial, draw: Draw) -> None:
    """The grid has no first sample: ψ(f(· − s)) = ψ(f)(· − s) for a periodic f."""
    case = draw(samples())._replace(boundary="periodic")
    by, axes = draw(st.integers(1, 4)), tuple(range(case.heights.ndim))
    found = _rolled(trial, case, numpy.roll(case.heights, by, axes))
    expected = numpy.roll(_rolled(trial, case), by, axes)
    trial.same("ψ(shifted f)", found, expected, _rounding(trial, case), _told(case, s=by))


@law(*ALL, domain=EVERYWHERE, source=SERRA)
def samples_reflected(trial: Trial, draw: Draw) -> None:
    """A ball has no handedness: ψ(f(−·)) = ψ(f)(−·), along each axis."""
    case = draw(samples())
    axis = draw(st.integers(0, case.heights.ndim - 1))
    found = _rolled(trial, case, numpy.flip(case.heights, axis))
    expected = numpy.flip(_rolled(trial, case), axis)
    trial.same("ψ(reflected f)", found, expected, _rounding(trial, case), _told(case, axis=axis))


@law(*ALL, domain=EVERYWHERE, source="similarity")
def samples_scaled(trial: Trial, draw: Draw) -> None:
    """There is no unit of length: heights, radius and spacing times λ give λψ(f)."""
    case, factor = draw(samples()), draw(st.sampled_from([2.0, 0.5, 64.0, 0.015625]))
    larger = case.scaled(factor)
    found, expected = _rolled(trial, larger), factor * _rolled(trial, case)
    rounding = _rounding(trial, larger) + factor * trial.tolerance
    trial.same("ψ(λf)", found, expected, rounding, _told(case, λ=factor))


@law("closing", "opening", domain=EVERYWHERE, source=f"{SERRA}: δεδ = δ and εδε = ε")
def idempotence(trial: Trial, draw: Draw) -> None:
    """Once is enough: ψ(ψ(f)) = ψ(f)."""
    case = draw(samples())
    once = _rolled(trial, case)
    trial.same("ψ(ψ(f))", _rolled(trial, case, once), once, _rounding(trial, case), _told(case))


@law("closing", domain=EVERYWHERE, source=SERRA)
def closing_between(trial: Trial, draw: Draw) -> None:
    """A closing fills valleys, and no higher than the highest sample: f ≤ φ(f) ≤ max f."""
    case = draw(samples())
    closed, rounding = _rolled(trial, case), _rounding(trial, case)
    trial.at_most("f", case.heights, closed, rounding, _told(case))
    trial.at_most("φ(f)", closed, numpy.max(case.heights), rounding, _told(case))


@law("opening", domain=EVERYWHERE, source=SERRA)
def opening_between(trial: Trial, draw: Draw) -> None:
    """An opening cuts peaks off, and no lower than the lowest sample: min f ≤ γ(f) ≤ f."""
    case = draw(samples())
    opened, rounding = _rolled(trial, case), _rounding(trial, case)
    trial.at_most("γ(f)", opened, case.heights, rounding, _told(case))
    trial.at_most("min f", numpy.min(case.heights), opened, rounding, _told(case))


@law("closing", "opening", domain="every array; ρ below the spacing", source="the ball holds one sample")
def ball_between_samples(trial: Trial, draw: Draw) -> None:
    """A ball narrower than the grid reaches every sample: ψ(f) = f."""
    case = draw(samples())
    case = case._replace(radius=float(min(case.steps)) * draw(st.sampled_from([0.5, 0.75, 0.25])))
    trial.same("ψ(f)", _rolled(trial, case), case.heights, _rounding(trial, case), _told(case))


@law("dilate", domain=EVERYWHERE, source=f"{SERRA}: a dilation is what commutes with the maximum")
def maxima(trial: Trial, draw: Draw) -> None:
    """The higher of two grounds carries the ball: δ(max(f, g)) = max(δ(f), δ(g))."""
    case = draw(samples())
    other = _others(draw, case)
    found = _rolled(trial, case, numpy.maximum(case.heights, other))
    expected = numpy.maximum(_rolled(trial, case), _rolled(trial, case, other))
    trial.same("δ(max(f, g))", found, expected, _rounding(trial, case, other), _told(case, g=other))


@law("erode", domain=EVERYWHERE, source=f"{SERRA}: an erosion is what commutes with the minimum")
def minima(trial: Trial, draw: Draw) -> None:
    """The lower of two ceilings holds the ball down: ε(min(f, g)) = min(ε(f), ε(g))."""
    case = draw(samples())
    other = _others(draw, case)
    found = _rolled(trial, case, numpy.minimum(case.heights, other))
    expected = numpy.minimum(_rolled(trial, case), _rolled(trial, case, other))
    trial.same("ε(min(f, g))", found, expected, _rounding(trial, case, other), _told(case, g=other))


@law("dilate", domain=EVERYWHERE, source="√(ρ² − |s|²) + √(σ² − |t|²) ≤ √((ρ + σ)² − |s + t|²)")
def semigroup(trial: Trial, draw: Draw) -> None:
    """Two balls in turn do not rise above one of both radii: δ_ρ(f) + σ ≤ δ_σ(δ_ρ(f)) ≤ δ_{ρ+σ}(f)."""
    case, further = draw(samples()), draw(st.sampled_from([1.0, 0.5, 2.0, 4.0]))
    first = _rolled(trial, case)
    twice = _rolled(trial, case, first, further)
    rounding = _rounding(trial, case, first) + ROUNDINGS * trial.unit * further
    trial.at_most("δ_ρ(f) + σ", first + further, twice, rounding, _told(case, σ=further))
    at_once = _rolled(trial, case, radius=case.radius + further)
    trial.at_most("δ_σ(δ_ρ(f))", twice, at_once, rounding, _told(case, σ=further))
