"""Recorded runs of all optimizers but the ball, which may remember what they did.

Their steps are judged in batches. Those that a batch cannot decide, and those of a formula that does other things in
other steps, are judged step after step in ball arithmetic.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from geometry._namespace import array_namespace, to_numpy
from geometry.arithmetic.formats import format_of, rounded
from geometry.arithmetic.rounded import GENERATORS, Arithmetic
from rbo_ref.oracle.asking import NEUTRAL
from rbo_ref.oracle.calls import Outcome
from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.comparing import Verdict
from rbo_ref.oracle.diagnosis import diagnose
from rbo_ref.oracle.dialects import OPTIMIZERS, dialect_of
from rbo_ref.oracle.formulas import formula_of
from rbo_ref.oracle.judge import Run, replay
from rbo_ref.oracle.playing import Taken
from rbo_ref.oracle.replay.computed import Computed
from rbo_ref.oracle.replay.judging import judge_steps
from rbo_ref.oracle.replay.maps import NUMBERS_AT_ONCE, STEPS_AT_ONCE, Beside, Hypers, Map
from rbo_ref.oracle.replay.memory import Memory
from rbo_ref.oracle.replay.recording import Piece, Recording, RecordingError
from rbo_ref.oracle.replay.surfaces import surface_of
from rbo_ref.oracle.replay.tally import Tally
from rbo_ref.oracle.replay.told import TOLD, told
from rbo_ref.oracle.replay.verdict import FAIL, PASS, UNDECIDED, Judged, TrajectoryReport
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.step_formats import Formats

__all__ = ["RecordedRun", "judge_sequence"]

WALKED = 64  # steps by which mistakes are told apart


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
    surface, gradient = None if loss is None else surface_of(loss), columns.get("gradient")
    if surface is None and (gradient is None or optimizer not in TOLD):
        raise RecordingError(
            f"{name} does not say its loss: a run of {optimizer} is judged with one, or for {', '.join(TOLD)} by the "
            "gradients in the recording"
        )
    formula = formula_of(optimizer, dialect_of(metadata.get("dialect") if dialect is None else dialect, optimizer))
    run = RecordedRun(
        name,
        Map(surface, formula, target),
        places,
        _hypers(optimizer, hyper, metadata | columns, len(places) - 1),
        None if gradient is None else rounded(gradient, target),
        None if draws is None else numpy.asarray(to_numpy(draws), dtype=float),
    )
    tally = Tally("step")
    for piece, judged in run.judged():
        tally.add(piece, judged)
        if progress is not None:
            progress(tally.counts["steps"])
    tally.skip(len(places) - 1 - tally.counts["steps"])
    report = tally.report(f"{name} as {optimizer}", target, run.rule.formula.dialect)
    if surface is None:
        report.notes.append("judged by the gradients in the recording; without a loss no mistake is named")
    elif tally.first_wrong is not None and diagnosis:
        _name(report, run, tally.first_wrong)
    report.seconds = time.perf_counter() - began
    return report


def _name(report: TrajectoryReport, run: RecordedRun, wrong: int) -> None:
    """Name the mistake of a run, if its first wrong step is not too late for all suspects to walk so far."""
    if wrong < WALKED:
        report.diagnosis = diagnose([(report.failures[0], run.one_by_one(WALKED))], run.setting)
    else:
        report.notes.append(f"the first {WALKED} steps are right: no mistake is looked for in later ones")


class RecordedRun(NamedTuple):
    """A recorded run with all that it takes to judge it."""

    name: str
    rule: Map
    places: NDArray[Any]  # θ_0, ..., θ_T
    hypers: tuple[dict[str, Any], ...]  # of all steps, or of each
    gradient: NDArray[Any] | None
    draws: NDArray[Any] | None

    @property
    def length(self) -> int:
        """The number of steps up to the first place that is not finite, from which nothing can be judged."""
        finite = numpy.isfinite(self.places[:-1]).reshape(len(self.places) - 1, -1).all(axis=1)
        return int(numpy.argmin(finite)) if not finite.all() else len(finite)

    @property
    def setting(self) -> Setting:
        return Setting(array_namespace(numpy.zeros(1)), Formats(self.rule.target), self.rule.formula.dialect, numpy.inf)

    def judged(self) -> Iterator[tuple[Piece, Judged]]:
        """The verdicts, some steps at once."""
        slow, memory, formula = _OneByOne(self), Memory(self.rule), self.rule.formula
        size = self._at_once() if formula.is_steady else 1
        for start in range(0, self.length, size):
            stop = min(start + size, self.length)
            piece, beside = Piece(start, self.places[start : stop + 1], {}), self._beside(start, stop)
            hyper = self._hypers(start, stop)
            if not formula.is_steady:
                yield piece, slow.judged(start)
            elif formula.is_memoryless:
                yield piece, judge_steps(self.rule, piece, hyper, beside)
            else:
                beside = memory.along(piece.theta[:-1], hyper, beside)
                yield piece, judge_steps(self.rule, piece, hyper, beside, partial(slow, start))

    def _at_once(self) -> int:
        """As many steps as memory should hold the generators of."""
        d = self.places[0].size
        generators = 1 if self.rule.formula.optimizer in TOLD else 2 * d + GENERATORS
        return max(1, min(STEPS_AT_ONCE, NUMBERS_AT_ONCE // (d * generators)))

    def _hypers(self, start: int, stop: int) -> Hypers:
        some = [self.hypers[t % len(self.hypers)] for t in range(start, stop)]
        return Hypers({name: numpy.array([hyper[name] for hyper in some]) for name in some[0]})

    def _beside(self, start: int, stop: int) -> Beside:
        gradient, draws = (None if rows is None else rows[start:stop] for rows in (self.gradient, self.draws))
        return Beside(numpy.arange(start, stop) + 1, {}, gradient, draws)

    def one_by_one(self, steps: int) -> Run:
        """The first steps, as `judge` knows them, with their verdicts."""
        run, walk = self.taken(steps)
        run.verdicts = list(walk)
        return run

    def taken(self, steps: int) -> tuple[Run, Iterator[Verdict]]:
        """The first steps, as `judge` knows them, and their verdicts."""
        steps, loss = min(steps, self.length), self.rule.surface.loss if self.rule.surface else None
        case = Case(self.name, loss, self.places[0], self.hypers,  # type: ignore[arg-type]
                    optimizer=self.rule.formula.optimizer, draws=self.draws, walk=steps)  # fmt: skip
        pairs = enumerate(itertools.pairwise(self.places[: steps + 1]))
        taken = [Taken(here, case.hyper(t), there, Outcome(theta=there), is_alone=False) for t, (here, there) in pairs]
        run = Run(case, "walk", taken)
        return run, replay(run, self.setting, arithmetic=self._arithmetic())

    def _arithmetic(self) -> type[Arithmetic]:
        if self.rule.surface is not None:
            return Arithmetic if self.rule.is_served else Computed
        assert self.gradient is not None
        return told(self.places.astype(float), self.gradient.astype(float))


class _OneByOne:
    """The verdicts on the steps of a run in ball arithmetic, as far as they are asked for."""

    def __init__(self, run: RecordedRun) -> None:
        self._verdicts, self._known = run.taken(run.length)[1], list[Verdict]()

    def __call__(self, first: int, i: int) -> tuple[int, float, float]:
        """The verdict on step i after the first of a piece, its error and its tolerance."""
        t = first + i
        self._known += itertools.islice(self._verdicts, max(0, t + 1 - len(self._known)))
        verdict = self._known[t]
        return (FAIL if verdict.is_wrong else PASS if verdict.decidable else UNDECIDED), *verdict.worst

    def judged(self, t: int) -> Judged:
        """The same, as of a piece of one step."""
        verdict, error, tolerance = (numpy.array([entry]) for entry in self(t, 0))
        return Judged(verdict, error, tolerance, numpy.array([-1]), numpy.empty((0, 0)), numpy.empty((0, 0, 0)))


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
