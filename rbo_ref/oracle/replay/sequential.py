"""Recorded runs of optimizers that remember, judged step after step by their formula in ball arithmetic."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy
from numpy.typing import NDArray

from geometry._namespace import array_namespace, to_numpy
from geometry.arithmetic.formats import format_of, rounded
from geometry.arithmetic.rounded import Arithmetic
from rbo_ref.oracle.asking import NEUTRAL
from rbo_ref.oracle.calls import Outcome
from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.comparing import Verdict
from rbo_ref.oracle.diagnosis import diagnose
from rbo_ref.oracle.dialects import OPTIMIZERS, dialect_of
from rbo_ref.oracle.judge import Run, replay
from rbo_ref.oracle.playing import Taken
from rbo_ref.oracle.replay.computed import Computed
from rbo_ref.oracle.replay.recording import Recording, RecordingError
from rbo_ref.oracle.replay.surfaces import surface_of
from rbo_ref.oracle.replay.told import TOLD, told
from rbo_ref.oracle.replay.verdict import NAMED, REASONS, TrajectoryReport
from rbo_ref.oracle.report import Result
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.step_formats import Formats

__all__ = ["judge_sequence"]


def judge_sequence(
    theta: Any,
    loss: Any,
    optimizer: str,
    hyper: Mapping[str, Any],
    draws: Any = None,
    *,
    dtype: str | None = None,
    dialect: str | None = None,
    diagnosis: bool = True,
    progress: Callable[[int], Any] | None = None,
) -> TrajectoryReport:
    """The report on a recorded run, see `check_trajectory`.

    Examples
    --------
    >>> plane = dict(learning_rate=0.5, momentum=0.5, nesterov=False)
    >>> path = [[3.0, -2.0], [2.625, -1.5], [2.0625, -0.75], [1.0, 0.0]]
    >>> judge_sequence(path, "plane", "gradient-descent", plane).first_wrong
    2
    """
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"optimizer must be one of {', '.join(OPTIMIZERS)}, got {optimizer!r}")
    began, metadata = time.perf_counter(), dict(getattr(theta, "metadata", {}))
    places, columns, name = _rows(theta)
    target = format_of(dtype or metadata.get("dtype") or places.dtype)
    places = rounded(places, target)
    if optimizer == "muon" and places.ndim != 3:
        raise RecordingError(f"{name}: every θ of muon must be a matrix, got shape {places.shape[1:]}")
    loss = metadata.get("loss") if loss is None else loss
    if loss is None and "gradient" in columns and optimizer in TOLD:
        known: Any = None
        arithmetic = told(places.astype(float), rounded(columns["gradient"], target).astype(float))
    elif loss is not None:
        surface = surface_of(loss)
        known, arithmetic = surface.loss, Arithmetic if surface.is_served else Computed
    else:
        raise RecordingError(
            f"{name} does not say its loss: a run of {optimizer} is judged with one, or for {', '.join(TOLD)} by the "
            "gradients in the recording"
        )
    hypers = _hypers(optimizer, hyper, metadata | columns, len(places) - 1)
    noise = None if draws is None else numpy.asarray(to_numpy(draws), dtype=float)
    case = Case(name, known, places[0], hypers, optimizer=optimizer, draws=noise, walk=len(places) - 1)
    setting = Setting(array_namespace(numpy.zeros(1)), Formats(target), dialect_of(dialect, optimizer), numpy.inf)
    run = Run(case, "walk", list(_taken(case, places)))
    for verdict in replay(run, setting, arithmetic=arithmetic):
        run.verdicts.append(verdict)
        if progress is not None:
            progress(len(run.verdicts))
    report = _report(name, run, setting)
    if known is None:
        report.notes.append("judged by the gradients in the recording; without a loss no mistake is named")
    elif report.failures and diagnosis:
        report.diagnosis = diagnose([(result, run) for result in report.failures[:1]], setting)
    report.seconds = time.perf_counter() - began
    return report


def _rows(theta: Any) -> tuple[NDArray[Any], dict[str, NDArray[Any]], str]:
    """θ_0, ..., θ_T, what was recorded beside them, and what the run is called."""
    if isinstance(theta, Recording):
        pieces = list(theta.pieces(2**16))
        rows = [pieces[0].theta[:1], *(piece.theta[1:] for piece in pieces)]
        fields = {name: numpy.concatenate([piece.fields[name] for piece in pieces]) for name in pieces[0].fields}
        return numpy.concatenate(rows), fields, str(theta.metadata.get("port", theta.name))
    places = to_numpy(theta) if hasattr(theta, "__array_namespace__") else numpy.asarray(theta)
    if places.ndim < 2 or len(places) < 2 or places.dtype.kind != "f":
        raise RecordingError(f"theta must hold θ_0, ..., θ_T in floating numbers, got shape {places.shape}")
    return places, {}, "recording"


def _hypers(
    optimizer: str, given: Mapping[str, Any], recorded: Mapping[str, Any], length: int
) -> tuple[dict[str, Any], ...]:
    """The hyper-parameters of each step, or of all: lists and arrays have one for each."""
    known = all_cases(optimizer)[0].hyper(0)
    given = {name: value for name, value in given.items() if value is not None}
    if unknown := [name for name in given if name not in known]:
        raise TypeError(f"{optimizer} has no {', '.join(unknown)}, but {', '.join(known)}")
    found = {name: NEUTRAL[name] for name in known if name in NEUTRAL and name != "epsilon"}
    found |= {name: recorded[name] for name in known if name in recorded} | given
    if missing := [name for name in known if name not in found]:
        raise RecordingError(f"{', '.join(missing)} must be given for {optimizer}")
    columns = {name: _column(name, value, known[name], length) for name, value in found.items()}
    count = length if any(len(column) > 1 for column in columns.values()) else 1
    return tuple({name: column[t % len(column)] for name, column in columns.items()} for t in range(count))


def _column(name: str, value: Any, like: Any, length: int) -> list[Any]:
    """A hyper-parameter of all steps, or one for each, in the kinds of numbers that the formula has."""
    is_schedule = numpy.ndim(value) > numpy.ndim(like) and not isinstance(value, str)
    values = list(value) if is_schedule else [value]
    if is_schedule and len(values) != length:
        raise ValueError(f"{name} must have one number for each of the {length} steps, got {len(values)}")
    try:
        return [tuple(map(float, v)) if isinstance(like, tuple) else type(like)(v) for v in values]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be {type(like).__name__}, got {str(value)[:60]}") from error


def _taken(case: Case, places: NDArray[Any]) -> Iterable[Taken]:
    """The steps, up to the first place that is not finite."""
    for t, (here, there) in enumerate(itertools.pairwise(places)):
        if not numpy.isfinite(here).all():
            return
        yield Taken(here, case.hyper(t), there, Outcome(theta=there), is_alone=False)


def _verdict(verdict: Verdict) -> str:
    return "fail" if verdict.is_wrong else "pass" if verdict.decidable else "undecidable"


def _report(name: str, run: Run, setting: Setting) -> TrajectoryReport:
    """The first wrong steps, the step nearest to its tolerance, and counts of all."""
    told, steps = [_verdict(verdict) for verdict in run.verdicts], run.case.walk
    counts = {kind: told.count(kind) for kind in ("pass", "fail", "undecidable")}
    counts |= {"skipped": steps - len(told), "steps": steps}

    def result(t: int) -> Result:
        verdict = run.verdicts[t]
        times = f"{verdict.ratio:.3g} times the tolerance"
        off = f"step {t} is wrong: off by {verdict.worst[0]:.3g}, which is {times}" if told[t] == "fail" else ""
        return Result(f"step {t}", "step", told[t], *verdict.worst, off)

    wrong, right = ([t for t, kind in enumerate(told) if kind == wanted] for wanted in ("fail", "pass"))
    results = [result(t) for t in wrong[:NAMED]]
    results += [result(max(right, key=lambda t: run.verdicts[t].ratio))] if right else []
    results += [
        Result(f"{counts[kind]} steps", "step", kind, None, None, reason.format(counts[kind]))
        for kind, reason in REASONS.items()
        if counts[kind]
    ]
    return TrajectoryReport(
        f"{name} as {run.case.optimizer}",
        "numpy",
        setting.target.name,
        setting.dialect,
        results,
        counts=counts,
        steps=steps,
        first_wrong=wrong[0] if wrong else None,
    )
