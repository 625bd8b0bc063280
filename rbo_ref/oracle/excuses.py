"""What a declared precision excuses has to be rounding: an error of the formula is wrong in every format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.formats import Format, deviation_of, rounded
from rbo_ref.oracle.calls import Port
from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.judge import Run, replay
from rbo_ref.oracle.playing import takes
from rbo_ref.oracle.report import Result
from rbo_ref.oracle.roughness import ABOVE, Course, Line, Nature, courses_of
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.truth import Truth

__all__ = ["held_to_rounding", "nature_of"]

Judged = list[tuple[Result, Run]]
Floats = NDArray[numpy.float64]
COUNTED = {("alice", "betas")}  # a number of steps follows from them


def held_to_rounding(port: Port, judged: Judged, setting: Setting) -> Judged:
    """The results, with failures where a port that declares a lower precision errs by a formula."""
    if not setting.excuse or any(result.verdict == "fail" for result, _ in judged):
        return judged
    nature = nature_of(port, [run for _, run in judged], setting)
    return (
        [(_held(result, run, nature, setting.excuse), run) for result, run in judged] if nature.is_formula else judged
    )


def _held(result: Result, run: Run, nature: Nature, excuse: str) -> Result:
    """A result, which is a failure where the nature of the errors is that of a formula."""
    course = nature.formulas.get(_key(run))
    if course is None or result.level not in ("inner", run.level) or result.verdict == "skipped":
        return result
    message = (
        f"the errors that {excuse} excuses are no rounding: they are {course.ratio:.3g} of the move at "
        "neighbouring places too"
    )
    return replace(result, verdict="fail", tolerance=None, message=message)


def _key(run: Run) -> str:
    return f"{run.case.id} {run.level}"


@numpy.errstate(all="ignore")
def nature_of(port: Port, runs: list[Run], setting: Setting) -> Nature:
    """What the errors are that the format which the setting declares allows, and the port's own format does not."""
    nature, setting = Nature(), setting.aside
    longest = {(run.case.id, run.level == "step" and run.taken[0].is_alone): run for run in runs}
    for run in longest.values():  # a walk for a restarted one, and for the single step with which a run begins
        nature.add(_key(run), _courses(port, run, setting))
    return nature


def _courses(port: Port, run: Run, setting: Setting) -> list[Course]:
    """The courses of the errors of one run; none where they are within the port's own format."""
    excused = list(_excused(run, setting))
    if not any(ratio for _, ratio in excused):
        return []
    line = Line(run.case.id, (setting.formats.inner or setting.formats.inside).unit)
    elsewhere = _cases(run.case, line)
    starts = [line.through(taken.theta) for taken in run.taken[1:]]

    def ask(k: int) -> Floats:
        asked = iter(starts)
        taken = takes(port, elsewhere[k], run.level, setting, lambda: rounded(next(asked)[k], setting.target))
        moved = Run(elsewhere[k], run.level, list(islice(taken, len(excused))))
        errors = list(_errors(moved, setting))
        errors += [numpy.full(run.case.theta.size, numpy.nan)] * (len(excused) - len(errors))
        return numpy.array([error / scale for error, (scale, _) in zip(errors, excused, strict=True)])

    return courses_of(line, ask, numpy.array([ratio for _, ratio in excused]))


def _excused(run: Run, setting: Setting) -> Iterator[tuple[Floats, float]]:
    """For each step, tolerances of the port's own format, and the error as a share of the move if it is excused."""
    wide = setting.declaring(compute=_unlimited(setting.formats.inside)) if setting.formats.compute else setting
    judged = zip(run.iterates, replay(run, setting.undeclared), replay(run, wide), strict=False)
    for there, own, allowed in judged:
        sizes, scale = own.errors.reshape(-1), own.tolerances.reshape(-1)
        held = setting.formats.inner is None and _is_held(there, sizes, setting.formats.inside)
        if held or not ((sizes > ABOVE * scale).any() and (sizes <= allowed.tolerances.reshape(-1)).all()):
            yield numpy.full_like(scale, numpy.inf), 0.0
        else:
            yield scale, float(sizes.max() / own.move) if own.move else numpy.inf


def _unlimited(inside: Format) -> Format:
    """A format as precise, in which nothing is too small or too large.

    What falls below the smallest numbers of a format is lost, and that is no rounding that jumps.
    """
    return inside._replace(dtype=numpy.dtype(numpy.float64), least=-1070, most=1024)


def _is_held(answer: NDArray[Any], errors: Floats, inside: Format) -> bool:
    """Whether an answer is in numbers of the format, and no farther off than their distance.

    A move that is smaller is lost, wherever it is made from such numbers, and that does not jump either.
    """
    given = answer.astype(float).reshape(-1)
    return numpy.array_equal(given, rounded(given, inside)) and bool(
        (errors <= 2 * inside.unit * numpy.abs(given)).all()
    )


def _errors(run: Run, setting: Setting) -> Iterator[Floats]:
    """The errors of the steps of a run, each from where the run stood; NaN where there is no answer."""
    truth = Truth(run.case, setting)
    for t, taken in enumerate(run.taken):
        if t and run.level == "restarted":
            truth = Truth(run.case, setting, at=t)
        step = truth.step(taken.theta, taken.kept)
        if taken.answer is None:
            yield numpy.full(taken.theta.size, numpy.nan)
        else:
            yield deviation_of(taken.answer, step.theta.value.reshape(-1))
        if taken.answer is None or not numpy.isfinite(taken.answer).all():
            return


def _cases(case: Case, line: Line) -> list[Case]:
    """The case at each of the places of a line."""

    def moved(name: str, value: Any) -> list[Any]:
        if isinstance(value, tuple) and (case.optimizer, name) not in COUNTED:
            return list(zip(*(moved(name, x) for x in value), strict=True))
        if isinstance(value, float):
            return [float(x) for x in line.lowered(value)]
        return [value] * len(line.places)

    thetas = line.through(case.theta)
    hypers = [{name: moved(name, value) for name, value in hyper.items()} for hyper in case.hypers]
    draws = [None] * len(line.places) if case.draws is None else line.through(case.draws)
    return [
        replace(
            case,
            theta=thetas[k],
            hypers=tuple({name: values[k] for name, values in hyper.items()} for hyper in hypers),
            draws=draws[k],
        )
        for k in range(len(line.places))
    ]
