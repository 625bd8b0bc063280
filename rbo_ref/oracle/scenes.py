"""The case that tells most about a port, as a `Scene`: the simplest failure, or one that passed."""

from __future__ import annotations

from itertools import pairwise

import numpy
from numpy.typing import NDArray

from rbo_ref.oracle.levels import Experiment
from rbo_ref.oracle.report import Result, Scene
from rbo_ref.oracle.report.scene import heights_of
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.truth import midpoints, true_step

__all__ = ["scene_of", "telling", "titled", "walked"]

Floats = NDArray[numpy.float64]


def scene_of(judged: list[tuple[Result, Experiment]], setting: Setting) -> Scene | None:
    """The path of a port in the case that tells most; None where it never moved."""
    answered = [(r, e) for r, e in judged if any(outcome.theta is not None for *_, outcome in e.calls)]
    if not answered:
        return None
    result, experiment = min(answered, key=lambda pair: telling(pair[0], pair[1].case.dimension, "step"))
    return (_loop if experiment.level == "step" else _walk)(result, experiment, setting)


def telling(result: Result, dimension: int, level: str) -> tuple[bool, bool, bool]:
    """Sorts first what tells most: a failure, in a dimension that can be drawn as it is, at a level."""
    return result.verdict != "fail", dimension > 2, result.level != level


def titled(result: Result) -> str:
    """Which judgement a scene is of, and what came of it."""
    return f"{result.id} [{result.level}]: {result.message or 'right'}"


def _loop(result: Result, experiment: Experiment, setting: Setting) -> Scene:
    """The inner iterates of one step, as the port handed them out or asked for the loss there."""
    theta, hyper, outcome = experiment.calls[0]
    assert outcome.theta is not None
    truth = true_step(experiment.case.loss, tuple(theta), hyper, setting.dialect, setting.target)
    inner = walked([midpoints(iterate) for iterate in truth.inner])
    shown = outcome.inner or [query for query in outcome.queries if query.shape == theta.shape]
    port = walked([theta, *shown, outcome.theta])
    ball = {"center": midpoints(truth.center), "candidate": midpoints(truth.candidate)}
    wrong = _first_apart(port, inner, setting.target.unit) if result.verdict == "fail" else None
    return Scene(titled(result), heights_of(experiment.case.loss), port, [inner], wrong, ball)


def _walk(result: Result, experiment: Experiment, setting: Setting) -> Scene:
    """The steps of a trajectory, with the true step from each place where the port stood."""
    loss = experiment.case.loss
    truth, port = [], [experiment.calls[0][0]]
    for theta, hyper, outcome in experiment.calls:
        if outcome.theta is not None:
            true = true_step(loss, tuple(theta), hyper, setting.dialect, setting.target)
            truth.append(walked([theta, midpoints(true.theta)]))
            port.append(outcome.theta)
    path = walked(port)
    return Scene(titled(result), heights_of(loss), path, truth, len(path) - 1 if result.verdict == "fail" else None)


def walked(places: list[NDArray]) -> Floats:
    """The places, in float64, without those that are not finite or repeat the one before."""
    path = [place.astype(float) for place in places if numpy.isfinite(place).all()]
    moved = [b for a, b in pairwise(path) if not numpy.array_equal(a, b)]
    return numpy.array([path[0], *moved])


def _first_apart(port: Floats, truth: Floats, unit: float) -> int:
    """Index of the first place that is none of the true ones, as far as can be seen; the last if none."""
    near = 1e-6 * numpy.abs(truth - truth[0]).max() + 16 * unit * numpy.abs(truth).max()
    apart = [numpy.abs(truth - place).max(axis=1).min() > near for place in port]
    return apart.index(True) if True in apart else len(port) - 1
