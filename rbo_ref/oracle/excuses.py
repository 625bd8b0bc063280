"""What a declared precision excuses has to be rounding: an error of the formula is wrong in every format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy
from numpy.typing import NDArray

from rbo_ref.oracle.calls import Port, call, fresh
from rbo_ref.oracle.levels import Experiment
from rbo_ref.oracle.losses import Loss
from rbo_ref.oracle.report import Result
from rbo_ref.oracle.roughness import ABOVE, Course, Line, Nature, courses_of
from rbo_ref.oracle.rounding import Format, rounded
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.tolerance import budget_of
from rbo_ref.oracle.truth import Hyper, deviation_of, midpoints, true_step

__all__ = ["held_to_rounding", "is_held", "nature_of", "unlimited", "verdicts_held"]

Judged = list[tuple[Result, Experiment]]
Floats = NDArray[numpy.float64]


def held_to_rounding(port: Port, judged: Judged, setting: Setting) -> Judged:
    """The results, with failures where a port that declares a lower precision errs by a formula."""
    if not setting.excuse or any(result.verdict == "fail" for result, _ in judged):
        return judged
    nature = nature_of(port, [experiment for _, experiment in judged], setting)
    return verdicts_held(judged, nature, setting.excuse) if nature.is_formula else judged


def verdicts_held(judged: list[tuple[Result, Any]], nature: Nature, excuse: str) -> list[tuple[Result, Any]]:
    """Results that are failures where the nature of the errors is that of a formula."""
    held = []
    for result, played in judged:
        course = nature.formulas.get(_key(played))
        if course is not None and result.level in ("inner", played.level) and result.verdict != "skipped":
            message = (
                f"the errors that {excuse} excuses are no rounding: they are {course.ratio:.3g} of the move at "
                "neighbouring places too"
            )
            result = replace(result, verdict="fail", tolerance=None, message=message)
        held.append((result, played))
    return held


def unlimited(inside: Format) -> Format:
    """A format as precise, in which nothing is too small or too large.

    What falls below the smallest numbers of a format is lost, and that is no rounding that jumps.
    """
    return inside._replace(dtype=numpy.dtype(numpy.float64), least=-1070, most=1024)


def is_held(answer: NDArray[Any], errors: Floats, inside: Format) -> bool:
    """Whether an answer is in numbers of the format, and no farther off than their distance.

    A move that is smaller is lost, wherever it is made from such numbers, and that does not jump either.
    """
    given = answer.astype(float).reshape(-1)
    return numpy.array_equal(given, rounded(given, inside)) and bool(
        (errors <= 2 * inside.unit * numpy.abs(given)).all()
    )


@numpy.errstate(all="ignore")
def nature_of(port: Port, experiments: list[Experiment], setting: Setting) -> Nature:
    """What the errors are that the format which the setting declares allows, and the port's own format does not."""
    nature, setting = Nature(), setting.aside
    for experiment in {(e.case.id, e.level == "step"): e for e in experiments}.values():  # a walk for a restarted one
        nature.add(_key(experiment), _courses(port, experiment, setting))
    return nature


def _key(played: Any) -> str:
    return f"{played.case.id} {played.level}"


def _courses(port: Port, experiment: Experiment, setting: Setting) -> list[Course]:
    """The courses of the errors of one experiment; none where they are within the port's own format."""
    calls = [(theta, hyper, outcome.theta) for theta, hyper, outcome in experiment.calls if outcome.theta is not None]
    excused = [_excused(experiment.case.loss, *call, setting) for call in calls]
    if not any(ratio for _, ratio in excused):
        return []
    line = Line(experiment.case.id, setting.inside.unit)
    starts = [line.through(theta) for theta, *_ in calls]
    rates = [[line.lowered(number) for number in hyper[:3]] for _, hyper, _ in calls]

    def ask(k: int) -> Floats:
        hypers = [
            Hyper(float(eta[k]), float(rho[k]), float(gamma[k]), hyper.projection_steps)
            for (eta, rho, gamma), (_, hyper, _) in zip(rates, calls, strict=True)
        ]
        errors = _errors(port, experiment, [start[k] for start in starts], hypers, setting)
        return numpy.array([error / scale for error, (scale, _) in zip(errors, excused, strict=True)])

    return courses_of(line, ask, numpy.array([ratio for _, ratio in excused]))


def _excused(
    loss: Loss, theta: NDArray[Any], hyper: Hyper, answer: NDArray[Any], setting: Setting
) -> tuple[Floats, float]:
    """The tolerances of the port's own format, and the error as a share of the move if it is excused, else 0."""
    truth = true_step(loss, tuple(theta), hyper, setting.dialect, setting.target)
    own, allowed = (
        budget_of(loss, truth, hyper, setting.dialect, setting.target, inside).theta
        for inside in (setting.target, unlimited(setting.inside))
    )
    errors = numpy.abs(deviation_of(answer, truth.theta))
    held = is_held(answer, errors, setting.inside)
    if held or not ((errors > ABOVE * own).any() and (errors <= allowed).all()):
        return numpy.full_like(own, numpy.inf), 0.0
    return own, float(errors.max() / numpy.abs(midpoints(truth.theta) - theta.astype(float)).max())


def _errors(
    port: Port, experiment: Experiment, starts: list[Floats], hypers: list[Hyper], setting: Setting
) -> Iterator[Floats]:
    """The errors of the steps of an experiment that is made at another place."""
    loss, stepper = experiment.case.loss, fresh(port)
    given = theta = None
    for start, hyper in zip(starts, hypers, strict=True):
        if theta is None or experiment.level != "walk":
            theta, stepper = rounded(start, setting.target), fresh(port)
            given = setting.array(theta)
        outcome = setting.count(1, partial(call, stepper, loss, given, hyper, setting.time_limit))
        if outcome.theta is None:
            yield numpy.full(theta.shape, numpy.nan)
            continue
        truth = true_step(loss, tuple(theta), hyper, setting.dialect, setting.target)
        yield deviation_of(outcome.theta, truth.theta)
        theta, given = outcome.theta, outcome.raw
