"""Laws of samples that a ball can touch, wherever its centre is, and of results that the ends have no part in."""

from __future__ import annotations

import math
from typing import Any

import numpy
from hypothesis import strategies as st

from rbo_ref.laws.law import Draw, Numbers, Trial, law
from rbo_ref.laws.of_morphology import cap_table
from rbo_ref.strategies import Samples, samples

__all__: list[str] = []

PLANES = "every array of one or two axes, ball, spacing and boundary"
FEW = st.integers(1, 2)


def _touched(trial: Trial, case: Samples) -> Numbers:
    given = case._asdict()
    return trial.answer(trial.array(case.heights), case.radius, kind="bool", given=given, **case.options())


@law(
    "reachable_samples",
    domain="level ground with a groove of one sample along an axis: profiles, and periodic images",
    source="Pythagoras",
)
def bottom_of_a_groove(trial: Trial, draw: Draw) -> None:
    """A ball over a groove sinks between the samples of its rims: by √(ρ² − t²) − √(ρ² − h² − t²), t half a step."""
    case = draw(samples(ndim=draw(FEW)).filter(lambda case: max(case.heights.shape) > 1))
    shape = case.heights.shape
    axis = draw(st.sampled_from([a for a, n in enumerate(shape) if n > 1]))
    place, depth = draw(st.integers(0, shape[axis] - 1)), draw(st.sampled_from([8.0, 0.125, 0.0]))
    width = float(case.steps[axis])
    radius = width * draw(st.sampled_from([1.375, 0.5, 1.0625, 2.0, 5.0]))  # at 1 the rims are just reached, or not
    ground = numpy.moveaxis(numpy.zeros(shape), axis, 0)
    ground[place] = -depth
    boundary = case.boundary if ground.ndim == 1 else "periodic"  # a ball slips into the open end of a groove
    case = Samples(numpy.moveaxis(ground, 0, axis), radius, case.spacing, boundary)
    at_end = case.boundary == "none" and place in (0, shape[axis] - 1)
    beside = float(case.steps[1 - axis]) / 2 if ground.ndim == 2 else 0.0
    over, on_rims = radius**2 - beside**2, radius**2 - width**2 - beside**2
    sinks = on_rims < 0 or depth < math.sqrt(over) - math.sqrt(on_rims)
    expected = numpy.ones_like(ground)
    expected[place] = at_end or sinks
    trial.same("touched", _touched(trial, case), numpy.moveaxis(expected, 0, axis), 0.0, case._asdict())


@law("reachable_samples", domain=PLANES, source="its centre may be over a sample, too")
def carriers_are_touched(trial: Trial, draw: Draw) -> None:
    """The sample that carries a ball over a sample, higher than all others would, is touched."""
    case = draw(samples(ndim=draw(FEW)))
    carried = numpy.nan_to_num(case.heights.reshape(-1) + cap_table(case), nan=-math.inf)
    carriers = numpy.unique(numpy.argmax(carried, axis=-1)[_lead(carried) > 2.0**-6])
    found = _touched(trial, case).reshape(-1)
    trial.at_most("1", numpy.ones(len(carriers)), found[carriers], 0.0, {**case._asdict(), "s": carriers})


def _lead(carried: Numbers) -> Any:
    """By how much the highest of each row is above the second."""
    if carried.shape[-1] == 1:
        return numpy.full(len(carried), math.inf)
    two = numpy.partition(carried, -2, axis=-1)[:, -2:]
    return two[:, 1] - two[:, 0]


@law("reachable_samples", domain=PLANES, source="a smaller ball fits into a larger one, and touches where that does")
def larger_balls_touch_less(trial: Trial, draw: Draw) -> None:
    """What a ball touches, every smaller ball touches."""
    case, further = draw(samples(ndim=draw(FEW))), draw(st.sampled_from([1.0, 0.5, 4.0]))
    large = _touched(trial, case._replace(radius=case.radius + further))
    trial.at_most("touched by ρ + σ", large, _touched(trial, case), 0.0, {**case._asdict(), "σ": further})


@law("free_of_ends", domain="every array, ball and spacing", source="a ball of radius ρ reaches ⌊ρ/h⌋ samples")
def margin(trial: Trial, draw: Draw) -> None:
    """Beyond an end is what a ball reaches from there, or with the dual pass from as far again."""
    case, passes = draw(samples()), draw(st.integers(1, 2))
    expected = numpy.ones(case.heights.shape)
    for axis, (n, step) in enumerate(zip(case.heights.shape, case.steps, strict=True)):
        index, reached = numpy.arange(n), passes * math.floor(case.radius / step)
        line = (index >= reached) & (index < n - reached)
        expected *= numpy.expand_dims(line, [a for a in range(expected.ndim) if a != axis])
    told = {**case._asdict(), "passes": passes}
    options = {"spacing": case.spacing, "passes": passes}
    found = trial.answer(trial.array(case.heights), case.radius, kind="bool", given=told, **options)
    trial.same("free of ends", found, expected, 0.0, told)
