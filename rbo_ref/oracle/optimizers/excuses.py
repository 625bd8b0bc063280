"""What a declared precision excuses in the runs of a port has to be rounding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy
from numpy.typing import NDArray

from rbo_ref.oracle.calls import Port
from rbo_ref.oracle.excuses import is_held, unlimited, verdicts_held
from rbo_ref.oracle.optimizers.cases import Case
from rbo_ref.oracle.optimizers.judge import Run, Setting, play, replay
from rbo_ref.oracle.optimizers.rounded import PRECISION, Arithmetic
from rbo_ref.oracle.optimizers.truth import FORMULAS, Problem, hyper_parameters
from rbo_ref.oracle.report import Result
from rbo_ref.oracle.roughness import ABOVE, Course, Line, Nature, courses_of
from rbo_ref.oracle.rounding import Format, rounded
from rbo_ref.oracle.truth import deviation_of

__all__ = ["held_to_rounding", "nature_of"]

Judged = list[tuple[Result, Run]]
Floats = NDArray[numpy.float64]
EXACT = Format(numpy.dtype(numpy.float64), 53, -2000, 1024, 0.0)  # no operation rounds
COUNTED = {("alice", "betas")}  # a number of steps follows from them


def held_to_rounding(port: Port, judged: Judged, setting: Setting) -> Judged:
    """The results, with failures where a port that declares a lower precision errs by a formula."""
    if not setting.excuse or any(result.verdict == "fail" for result, _ in judged):
        return judged
    nature = nature_of(port, [run for _, run in judged], setting)
    return verdicts_held(judged, nature, setting.excuse) if nature.is_formula else judged


@numpy.errstate(all="ignore")
def nature_of(port: Port, runs: list[Run], setting: Setting) -> Nature:
    """What the errors are that the format which the setting declares allows, and the port's own format does not."""
    nature, setting = Nature(), setting.aside
    for run in {run.case.id: run for run in runs}.values():  # the longest
        nature.add(f"{run.case.id} {run.level}", _courses(port, run, setting))
    return nature


def _courses(port: Port, run: Run, setting: Setting) -> list[Course]:
    """The courses of the errors of one run; none where they are within the port's own format."""
    excused = list(_excused(run, setting))
    if not any(ratio for _, ratio in excused):
        return []
    line = Line(run.case.id, (setting.inner or setting.inside).unit)
    elsewhere = _cases(run.case, line)

    def ask(k: int) -> Floats:
        asked = elsewhere[k]
        iterates = play(port, asked, run.length, setting).iterates[: len(excused)]
        errors = [*_errors(asked, iterates, setting)]
        errors += [numpy.full(run.case.theta.size, numpy.nan)] * (len(excused) - len(errors))
        return numpy.array([error / scale for error, (scale, _) in zip(errors, excused, strict=True)])

    return courses_of(line, ask, numpy.array([ratio for _, ratio in excused]))


def _excused(run: Run, setting: Setting) -> Iterator[tuple[Floats, float]]:
    """For each step, tolerances of the port's own format, and the error as a share of the move if it is excused."""
    iterates = run.outcome.iterates
    wide = replace(setting, compute=unlimited(setting.inside)) if setting.compute else setting
    judged = zip(
        iterates,
        replay(run.case, iterates, setting.undeclared),
        replay(run.case, iterates, wide),
        _errors(run.case, iterates, setting),
        strict=False,
    )
    for there, (own, _), (allowed, _), errors in judged:
        sizes, scale = numpy.abs(errors), own.tolerances.reshape(-1)
        held = setting.inner is None and is_held(there, sizes, setting.inside)
        if held or not ((sizes > ABOVE * scale).any() and (sizes <= allowed.tolerances.reshape(-1)).all()):
            yield numpy.full_like(scale, numpy.inf), 0.0
        else:
            yield scale, float(sizes.max() / own.move) if own.move else numpy.inf


def _errors(case: Case, iterates: list[NDArray[Any]], setting: Setting) -> Iterator[Floats]:
    """The errors of the steps of a run, each from where the run stood."""
    from flint import ctx

    arithmetic = Arithmetic(EXACT)
    draws = case.draws if case.draws is None else rounded(case.draws, setting.coarsest)
    problem, hyper = Problem(arithmetic, case.loss, draws), hyper_parameters(arithmetic, case.hyper)
    here, walk = case.start(setting.target), None
    for there in iterates:
        with ctx.workprec(PRECISION):
            start = arithmetic.exact(here)
            if walk is None:
                walk = FORMULAS[case.optimizer](problem, start, hyper, setting.dialect)
                truth = next(walk)
            else:
                truth = walk.send(start)
        yield deviation_of(there, list(truth.value.reshape(-1)))
        if not numpy.isfinite(there).all():
            return
        here = there


def _cases(case: Case, line: Line) -> list[Case]:
    """The case at each of the places of a line."""

    def moved(name: str, value: Any) -> list[Any]:
        if isinstance(value, tuple) and (case.optimizer, name) not in COUNTED:
            return list(zip(*(moved(name, x) for x in value), strict=True))
        if isinstance(value, float):
            return [float(x) for x in line.lowered(value)]
        return [value] * len(line.places)

    thetas = line.through(case.theta)
    hypers = {name: moved(name, value) for name, value in case.hyper.items()}
    draws = [None] * len(line.places) if case.draws is None else line.through(case.draws)
    return [
        replace(case, theta=thetas[k], hyper={name: values[k] for name, values in hypers.items()}, draws=draws[k])
        for k in range(len(line.places))
    ]
