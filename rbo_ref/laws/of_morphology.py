"""Laws of balls that roll over and under sampled functions.

A sample s carries a ball over the sample θ at the height f(s) + √(ρ² − |θ − s|²): the dilation δ is the largest of
these, the erosion ε the least of f(s) − √(ρ² − |θ − s|²), the closing εδ and the opening δε. All of it is exact on the
grid; what is added to a height may round.
"""

from __future__ import annotations

from typing import Any

import numpy
from hypothesis import strategies as st

from rbo_ref.laws.law import Draw, Numbers, Trial, law
from rbo_ref.strategies import Samples, dyadics, samples

__all__: list[str] = []

ALL = ("dilate", "erode", "closing", "opening")
SERRA = "J. Serra, Image Analysis and Mathematical Morphology (1982)"
ROUNDINGS = 8.0  # a table entry of √, a sum, and the same again in the second pass, on either side of a comparison
EVERYWHERE = "every array, ball, spacing and boundary"


def _rolled(trial: Trial, case: Samples, heights: Any = None, radius: float | None = None, **told: Any) -> Numbers:
    """What the implementation makes of the case, or of other heights or another radius."""
    heights = case.heights if heights is None else heights
    radius = case.radius if radius is None else radius
    given = {"heights": heights, "radius": radius, **case.options(), **told}
    return trial.answer(trial.array(heights), radius, given=given, **case.options())


def _rounding(trial: Trial, case: Samples, *others: Any) -> float:
    size = max(float(numpy.max(numpy.abs(a))) for a in (case.heights, *others))
    return ROUNDINGS * trial.unit * (size + 2 * case.radius)


def _told(case: Samples, **further: Any) -> dict[str, Any]:
    return {**case._asdict(), **further}


def _others(draw: Draw, case: Samples) -> Numbers:
    """A second function on the same grid."""
    numbers = draw(st.lists(dyadics(-8, 8), min_size=case.heights.size, max_size=case.heights.size))
    return numpy.reshape(numpy.asarray(numbers), case.heights.shape)


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
    larger = Samples(factor * case.heights, factor * case.radius, factor * case.spacing, case.boundary)
    found, expected = _rolled(trial, larger), factor * _rolled(trial, case)
    trial.same("ψ(λf)", found, expected, _rounding(trial, larger), _told(case, λ=factor))


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
    case = case._replace(radius=case.spacing * draw(st.sampled_from([0.5, 0.75, 0.25])))
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


@law("dilate", domain="one sample above the others by 2ρ at least", source="definition")
def lone_peak(trial: Trial, draw: Draw) -> None:
    """A lone peak carries the ball wherever it reaches: δ(f)(θ) = f(s) + √(ρ² − |θ − s|²) for |θ − s| ≤ ρ."""
    _peak(trial, draw, 1.0)


@law("erode", domain="one sample below the others by 2ρ at least", source="definition")
def lone_pit(trial: Trial, draw: Draw) -> None:
    """A lone pit holds the ball down wherever it reaches: ε(f)(θ) = f(s) − √(ρ² − |θ − s|²) for |θ − s| ≤ ρ."""
    _peak(trial, draw, -1.0)


def _peak(trial: Trial, draw: Draw, sign: float) -> None:
    case = draw(samples())._replace(boundary="none")
    heights = case.heights.copy()
    place = numpy.unravel_index(draw(st.integers(0, heights.size - 1)), heights.shape)
    heights[place] = sign * (8 + 2 * case.radius)
    case = case._replace(heights=heights)
    steps = numpy.indices(heights.shape) - numpy.reshape(place, (-1, *[1] * heights.ndim))
    left = case.radius**2 - numpy.sum((case.spacing * steps) ** 2, axis=0)
    reached = left >= 0
    found = _rolled(trial, case)
    expected = heights[place] + sign * numpy.sqrt(left[reached])
    trial.same("ψ(f)", found[reached], expected, _rounding(trial, case), _told(case, s=place))


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
