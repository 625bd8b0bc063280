"""The run that tells most about a port, as a `Scene`: the simplest failure, or one that passed."""

from __future__ import annotations

from itertools import pairwise

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.formats import midpoints
from rbo_ref.oracle.formulas import LOOPS
from rbo_ref.oracle.judge import Run
from rbo_ref.oracle.report import Result, Scene
from rbo_ref.oracle.report.scene import heights_of
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.truth import Truth

__all__ = ["scene_of"]

Floats = NDArray[numpy.float64]


def scene_of(judged: list[tuple[Result, Run]], setting: Setting) -> Scene | None:
    """The path of a port in the run that tells most; None where it never moved."""
    answered = [(result, run) for result, run in judged if run.iterates]
    if not answered:
        return None
    result, run = min(answered, key=lambda pair: _telling(*pair))
    return (_loop if _is_loop(run) else _walk)(result, run, setting)


def _is_loop(run: Run) -> bool:
    return run.level == "step" and run.case.optimizer in LOOPS


def _telling(result: Result, run: Run) -> tuple[bool, bool, bool]:
    """Sorts first what tells most: a failure, in a dimension that can be drawn as it is, of a loop or a walk."""
    most = "step" if run.case.optimizer in LOOPS else "walk"
    return result.verdict != "fail", run.case.dimension > 2, run.level != most


def _titled(result: Result) -> str:
    """Which judgement a scene is of, and what came of it."""
    return f"{result.id} [{result.level}]: {result.message or 'right'}"


def _loop(result: Result, run: Run, setting: Setting) -> Scene:
    """The inner iterates of one step, as the port handed them out or asked for the loss there."""
    taken = run.taken[0]
    assert taken.answer is not None
    step = Truth(run.case, setting).step(taken.theta)
    inner = _walked([midpoints(iterate) for iterate in step.inner])
    shown = taken.outcome.inner or [query for query in taken.outcome.queries if query.shape == taken.theta.shape]
    port = _walked([taken.theta, *shown, taken.answer])
    ball = {name: step.parts[name].middle for name in ("center", "candidate")}
    wrong = _first_apart(port, inner, setting.target.unit) if result.verdict == "fail" else None
    return Scene(_titled(result), heights_of(run.case.loss), port, [inner], wrong, ball)


def _walk(result: Result, run: Run, setting: Setting) -> Scene:
    """The steps of a trajectory, with the true step from each place where the port stood."""
    truth, steps, port = Truth(run.case, setting), [], [run.taken[0].theta]
    for taken in run.taken[: len(run.verdicts)]:
        assert taken.answer is not None
        steps.append(_walked([taken.theta, truth.step(taken.theta, taken.kept).theta.middle]))
        port.append(taken.answer)
    path = _walked(port)
    wrong = None if run.wrong is None else min(run.wrong + 1, len(path) - 1)
    return Scene(_titled(result), heights_of(run.case.loss), path, steps, wrong)


def _walked(places: list[NDArray]) -> Floats:
    """The places, in float64 and flat, without those that are not finite or repeat the one before."""
    path = [place.reshape(-1).astype(float) for place in places if numpy.isfinite(place).all()]
    moved = [b for a, b in pairwise(path) if not numpy.array_equal(a, b)]
    return numpy.array([path[0], *moved])


def _first_apart(port: Floats, truth: Floats, unit: float) -> int:
    """Index of the first place that is none of the true ones, as far as can be seen; the last if none."""
    near = 1e-6 * numpy.abs(truth - truth[0]).max() + 16 * unit * numpy.abs(truth).max()
    apart = [numpy.abs(truth - place).max(axis=1).min() > near for place in port]
    return apart.index(True) if True in apart else len(port) - 1
