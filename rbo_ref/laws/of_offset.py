"""Laws of the offset function f_ρ(θ) = max over |s| ≤ ρ of f(θ + s) + √(ρ² − |s|²), the height of a ball that rests."""

from __future__ import annotations

import math
from typing import Any

import numpy
from hypothesis import strategies as st

from rbo_ref.laws.law import BATCHES, Draw, Numbers, Trial, law
from rbo_ref.strategies import Bump, Landscape, batch_shapes, coordinates, landscapes, planes, radii

__all__: list[str] = []

DIMENSIONS, SLOPE = st.integers(1, 2), 2.0
PAPER = "Belgoumri et al. (2025), Section 4.2"
DILATION = f"{PAPER}: f_ρ is a dilation, a maximum over translates"
GENTLE = "f with slopes up to 2, d ≤ 2, ρ below 4"


def _found(trial: Trial, landscape: Landscape, theta: Any, radius: float) -> Numbers:
    given = _told(landscape, theta, radius)
    return trial.answer(landscape.graph, trial.array(theta), radius, given=given)


def _told(landscape: Landscape, theta: Any, radius: float, **further: Any) -> dict[str, Any]:
    return {"f(θ)": landscape, "θ": theta, "ρ": radius, **further}


def _drawn(draw: Draw) -> tuple[Landscape, Numbers, float]:
    landscape = draw(landscapes(draw(DIMENSIONS), max_slope=SLOPE))
    return landscape, numpy.asarray(draw(coordinates(landscape.dimension))), draw(radii(above=0.0625, below=4.0))


def _rounding(trial: Trial, landscape: Landscape, theta: Numbers, radius: float) -> float:
    """A maximum is known to the rounding of the function, of its argument and of the sum, wherever it is attained."""
    e_value, _ = landscape.rounding(numpy.abs(theta) + radius, trial.unit)
    height = abs(float(landscape.graph.value(theta))) + (1 + landscape.slope_bound) * radius
    argument = (1 + landscape.slope_bound) * (float(numpy.linalg.norm(theta)) + radius)
    return 4 * e_value + 64 * trial.unit * (height + argument) + trial.tolerance


@law("offset_function", domain=GENTLE, source="s = 0, and the maximum of a slope against a circle")
def lifted_by_the_radius(trial: Trial, draw: Draw) -> None:
    """The ball's centre is above the ground by the radius at least, on a slope by more: ρ ≤ f_ρ − f ≤ ρ√(1 + s²)."""
    landscape, theta, radius = _drawn(draw)
    found = _found(trial, landscape, theta, radius) - landscape.graph.value(theta)
    rounding, told = _rounding(trial, landscape, theta, radius), _told(landscape, theta, radius)
    trial.at_most("ρ", radius, found, rounding, told)
    trial.at_most("f_ρ − f", found, radius * math.hypot(1, landscape.slope_bound), rounding, told)


@law("offset_function", domain="affine f, every θ and ρ", source="the maximum of a slope against a circle")
def offset_plane(trial: Trial, draw: Draw) -> None:
    """Over a plane of slope a the centre stays on a plane: f_ρ = f + ρ√(1 + |a|²)."""
    landscape = draw(planes(draw(DIMENSIONS)))
    theta, radius = numpy.asarray(draw(coordinates(landscape.dimension))), draw(radii(above=0.0625, below=16.0))
    stretch = math.hypot(1, *landscape.graph.gradient(theta))
    expected = landscape.graph.value(theta) + radius * stretch
    rounding = _rounding(trial, landscape, theta, radius)
    trial.same("f_ρ", _found(trial, landscape, theta, radius), expected, rounding, _told(landscape, theta, radius))


@law(
    "offset_function",
    domain=f"{GENTLE}; ρh ≤ W for the bound h of ‖∇²f‖",
    source=f"{PAPER}: below the critical radius f_ρ is the parallel surface",
)
def parallel_surface(trial: Trial, draw: Draw) -> None:
    """A ball that fits everywhere touches where it is put: f_ρ(θ − ρg/W) = f(θ) + ρ/W."""
    landscape, theta, radius = _drawn(draw)
    value, g = landscape.graph.value_and_gradient(theta)
    stretch, h = math.hypot(1, *g), landscape.curvature_bound
    if radius * h > stretch:
        radius = 2.0 ** math.floor(math.log2(stretch / h))
    under = trial.rounded(theta - radius * g / stretch)
    rounding = _rounding(trial, landscape, under, radius)
    found = _found(trial, landscape, under, radius)
    trial.same("f_ρ(θ − ρg/W)", found, value + radius / stretch, rounding, _told(landscape, theta, radius))


@law(
    "offset_function",
    domain=f"{GENTLE}; σ below 4",
    source="the semigroup (f_ρ)_σ = f_{ρ+σ}, and f_ρ is as gentle as f",
)
def larger_radius(trial: Trial, draw: Draw) -> None:
    """A larger ball rides higher, on a slope by more than its radius: σ ≤ f_{ρ+σ} − f_ρ ≤ σ√(1 + s²)."""
    landscape, theta, radius = _drawn(draw)
    further = draw(radii(above=0.0625, below=4.0))
    rise = _found(trial, landscape, theta, radius + further) - _found(trial, landscape, theta, radius)
    rounding = 2 * _rounding(trial, landscape, theta, radius + further)
    told = _told(landscape, theta, radius, σ=further)
    trial.at_most("σ", further, rise, rounding, told)
    trial.at_most("f_{ρ+σ} − f_ρ", rise, further * math.hypot(1, landscape.slope_bound), rounding, told)


@law("offset_function", domain=GENTLE, source=DILATION)
def offset_translated(trial: Trial, draw: Draw) -> None:
    """The centre follows the ground: f(· − a) + b has the offset function f_ρ(· − a) + b."""
    landscape, theta, radius = _drawn(draw)
    by = numpy.asarray(draw(coordinates(landscape.dimension + 1)))
    moved = landscape.moved(by[:-1]).lifted(float(by[-1]))
    found = _found(trial, moved, theta + by[:-1], radius)
    expected = _found(trial, landscape, theta, radius) + by[-1]
    rounding = _rounding(trial, moved, theta + by[:-1], radius) + _rounding(trial, landscape, theta, radius)
    trial.same("f_ρ moved", found, expected, rounding, _told(landscape, theta, radius, moved=by))


@law("offset_function", domain=GENTLE, source="similarity")
def offset_scaled(trial: Trial, draw: Draw) -> None:
    """There is no unit of length: λf(θ/λ) has at λθ, for λρ, the offset λf_ρ(θ)."""
    landscape, theta, radius = _drawn(draw)
    factor = draw(st.sampled_from([2.0, 0.5, 8.0, 0.125]))
    found = _found(trial, landscape.scaled(factor), factor * theta, factor * radius)
    expected = factor * _found(trial, landscape, theta, radius)
    rounding = 2 * factor * _rounding(trial, landscape, theta, radius) + trial.tolerance
    trial.same("f_ρ scaled", found, expected, rounding, _told(landscape, theta, radius, λ=factor))


@law("offset_function", domain=f"{GENTLE}, and a bump on it", source=DILATION)
def offset_of_a_bump(trial: Trial, draw: Draw) -> None:
    """A higher ground lifts the ball, by no more than it rises: f ≤ g implies f_ρ ≤ g_ρ ≤ f_ρ + max(g − f)."""
    landscape, theta, radius = _drawn(draw)
    center = theta + numpy.asarray(draw(coordinates(landscape.dimension, 2.0)))
    height = draw(st.sampled_from([1.0, 0.5, 2.0]))
    higher = Landscape((*landscape.terms, Bump(height, tuple(center.tolist()), 1.0)))
    low, high = (_found(trial, f, theta, radius) for f in (landscape, higher))
    rounding = 2 * _rounding(trial, higher, theta, radius)
    told = _told(landscape, theta, radius, g=higher)
    trial.at_most("f_ρ", low, high, rounding, told)
    trial.at_most("g_ρ", high, low + height, rounding, told)


@law("offset_function", domain=f"{GENTLE}; {BATCHES}", source="leading dimensions are a batch")
def offset_batches(trial: Trial, draw: Draw) -> None:
    """A batch is its items, in whatever shape they are given."""
    landscape, theta, radius = _drawn(draw)
    thetas = [theta, *(numpy.asarray(draw(coordinates(landscape.dimension))) for _ in range(2))]
    rounding = 2 * max(_rounding(trial, landscape, t, radius) for t in thetas)
    shape, told = draw(batch_shapes()), _told(landscape, theta, radius)
    trial.batched(lambda t: _found(trial, landscape, t, radius), thetas, shape, rounding, told)


@law("offset", domain=f"every f, θ and ρ; {BATCHES}", source=f"{PAPER}: the centre of a ball that touches")
def along_the_normal(trial: Trial, draw: Draw) -> None:
    """The centre is on the normal, at the distance of the radius: c = p + ρν(p)."""
    landscape, shape, radius = draw(landscapes()), draw(batch_shapes()), draw(radii(below=16.0))
    drawn = [numpy.asarray(draw(coordinates(landscape.dimension))) for _ in range(2)]
    thetas = numpy.stack(drawn)[numpy.resize([0, 1], shape)]
    expected = landscape.graph.point(thetas) + radius * landscape.graph.normal(thetas)
    e_value, e_gradient = numpy.max([landscape.rounding(theta, trial.unit) for theta in drawn], axis=0)
    size = float(numpy.max(numpy.abs(expected), initial=0)) + 2 * radius
    rounding = 2 * e_value + 2 * radius * e_gradient + 16 * trial.unit * size + trial.tolerance
    trial.same("c", _found(trial, landscape, thetas, radius), expected, rounding, _told(landscape, thetas, radius))
