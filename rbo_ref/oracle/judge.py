"""Judging a port at every level, from one quantity of a step to a walk of many, each step from where the port stood."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.formats import storing
from geometry.arithmetic.rounded import Arithmetic
from rbo_ref.oracle.adapters import Adapter
from rbo_ref.oracle.calls import Outcome, Port
from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.comparing import Trail, Verdict, compared, projection, verdict_on
from rbo_ref.oracle.formulas import LOOPS
from rbo_ref.oracle.parts import entry_name
from rbo_ref.oracle.playing import Taken, takes
from rbo_ref.oracle.report import Entry, Result
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.truth import TrueStep, Truth

__all__ = ["LEVELS", "Run", "judge", "levels_of", "replay", "result_of", "unanswered", "wrong_part"]

LEVELS = ("primitives", "inner", "projection", "step", "restarted", "walk")
ENTRIES = 10  # wrong numbers that are named
FURTHER = 1  # steps that are judged after the first wrong one, for the diagnosis
UNCERTAIN = "rounding is amplified until it is as large as the move: no verdict is possible here"


def levels_of(optimizer: str, case: Case | None = None) -> tuple[str, ...]:
    """The levels at which an optimizer, or one of its cases, is judged.

    Examples
    --------
    >>> from rbo_ref.oracle.cases import select
    >>> levels_of("adam"), levels_of("rolling-ball", select("rolling-ball", "walk-2d")[0])
    (('step', 'walk'), ('restarted', 'walk'))
    """
    known = LEVELS if optimizer in LOOPS else ("step", "walk")
    if case is None:
        return known
    return tuple(level for level in known if (case.walk if level in LEVELS[4:] else case.single))


@dataclass
class Run:
    """A run of a port, as it went."""

    case: Case
    level: str
    taken: list[Taken] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)  # on the steps that were answered
    name: Callable[[int, tuple[int, ...]], str] | None = None  # of an entry of θ, where it is not "theta[...]"

    @property
    def outcome(self) -> Outcome:
        """Of the last call."""
        return self.taken[-1].outcome

    @property
    def iterates(self) -> list[NDArray[Any]]:
        """Where the steps led, as far as they were answered."""
        return [step.answer for step in self.taken if step.answer is not None]

    @property
    def wrong(self) -> int | None:
        """Index of the first wrong step."""
        return next((t for t, verdict in enumerate(self.verdicts) if verdict.is_wrong), None)


def replay(run: Run, setting: Setting, arithmetic: type[Arithmetic] = Arithmetic) -> Iterator[Verdict]:
    """The verdict on each step of a run.

    Ends where the run is no longer finite.
    """
    truth = Truth(run.case, setting, arithmetic=arithmetic)
    for t, taken in enumerate(run.taken):
        if taken.answer is None:
            return
        if t and run.level == "restarted":
            truth = Truth(run.case, setting, at=t, arithmetic=arithmetic)
        yield verdict_on(taken.theta, taken.answer, truth.step(taken.theta, taken.kept), setting)
        if not numpy.isfinite(taken.answer).all():
            return


# --- levels ---------------------------------------------------------------------------------------------------------


def judge(port: Port, case: Case, setting: Setting, levels: Sequence[str]) -> Iterator[tuple[Result, Run]]:
    """The results of one case at the wanted levels, each with the run that it rests on."""
    mine = [level for level in levels_of(case.optimizer, case) if level in levels]
    single = [level for level in mine if level in LEVELS[:4]]
    name = port.entry if isinstance(port, Adapter) else None
    if single:
        run, truth = Run(case, "step", name=name), Truth(case, setting)
        step = _played(run, port, setting, truth)[0]
        for level in single:
            yield _JUDGES[level](run, step, setting), run
    for level in mine[len(single) :]:
        run = Run(case, level, name=name)
        steps = _played(run, port, setting, Truth(case, setting))
        yield _conclusion(run, steps), run


def _played(run: Run, port: Port, setting: Setting, truth: Truth) -> list[TrueStep]:
    """The true steps of a run, which is played as far as it can be judged."""
    steps: list[TrueStep] = []
    for taken in takes(port, run.case, run.level, setting, lambda: steps[-1].rounded(setting.target)):
        run.taken.append(taken)
        step = truth.step(taken.theta, taken.kept)
        steps.append(step)
        if taken.answer is None:
            break
        setting.needed += step.evaluations
        run.verdicts.append(verdict_on(taken.theta, taken.answer, step, setting))
        if not numpy.isfinite(taken.answer).all() or (taken.is_alone and not step.is_bounded):
            break  # from here on, right ports may be anywhere
        if run.wrong is not None and len(run.verdicts) > run.wrong + FURTHER:
            break
    return steps


def _conclusion(run: Run, steps: list[TrueStep]) -> Result:
    """Of a trajectory: the first wrong step; or the worst of those that can be judged; or none."""
    case, level, last, number = run.case, run.level, run.taken[-1], len(run.taken)
    if last.answer is None and (run.wrong is None):
        told = unanswered(run, level, last.outcome, steps[-1])
        if told.verdict == "skipped" or (number == 1 and not last.is_alone):
            return told
        if told.verdict == "fail":
            return Result(case.id, level, "fail", None, None, f"step {number}: {last.outcome.problem}")
    return result_of(run)


def result_of(run: Run) -> Result:
    """The first wrong step; or the worst of those that can be judged; or none."""
    case, level, verdicts = run.case, run.level, run.verdicts
    if run.wrong is not None:
        length = 1 if level == "step" else case.walk
        return _result(run, level, verdicts[run.wrong], f"step {run.wrong + 1} of {length} is wrong")
    moving = [verdict for verdict in verdicts if verdict.move > 0] or verdicts
    decided = [verdict for verdict in moving if verdict.decidable]
    if decided:
        return _result(run, level, max(decided, key=lambda verdict: verdict.ratio), "")
    if verdicts:
        return _result(run, level, verdicts[-1], "")
    return Result(case.id, level, "undecidable", None, None, UNCERTAIN)


def _result(run: Run, level: str, verdict: Verdict, wrong: str, part: str = "theta") -> Result:
    case = run.case
    if not verdict.decidable:
        return Result(case.id, level, "undecidable", *verdict.worst, UNCERTAIN)
    if not verdict.is_wrong:
        return Result(case.id, level, "pass", *verdict.worst, "")
    beyond, shape = verdict.beyond, verdict.errors.shape
    own = run.name if run.name and part == "theta" else partial(entry_name, part=part)
    entries = tuple(Entry(own(i, shape), *numbers) for i, *numbers in beyond[:ENTRIES])
    finite = numpy.isfinite(verdict.errors).all()
    off = f"off by {verdict.ratio:.3g} times the tolerance" if finite else "it is NaN or infinite"
    return Result(case.id, level, "fail", *verdict.worst, f"{wrong}: {off}", entries=entries)


def unanswered(run: Run, level: str, outcome: Outcome, step: TrueStep) -> Result:
    """The verdict on a call without a usable answer; where rounding has no bound, a right port may overflow."""
    blameless = not outcome.hung and not step.is_bounded
    verdict = "skipped" if outcome.skipped else "undecidable" if blameless else "fail"
    return Result(run.case.id, level, verdict, None, None, outcome.problem or "", outcome.declined)


def _skipped(run: Run, level: str, reason: str) -> Result:
    return Result(run.case.id, level, "skipped", None, None, reason)


def _answered(
    judged: Callable[[Run, TrueStep, Setting], Result], level: str
) -> Callable[[Run, TrueStep, Setting], Result]:
    """A judge of a level, which is not called where there is no answer."""

    def judge(run: Run, step: TrueStep, setting: Setting) -> Result:
        if run.taken[0].answer is None:
            return unanswered(run, level, run.outcome, step)
        return judged(run, step, setting)

    return judge


def _step(run: Run, step: TrueStep, setting: Setting) -> Result:
    wrong = "the new theta is wrong" if run.taken[0].is_alone else "step 1 of 1 is wrong"
    return _result(run, "step", run.verdicts[0], wrong)


# --- quantities of a step -------------------------------------------------------------------------------------------


def _compared_parts(outcome: Outcome, step: TrueStep, setting: Setting) -> dict[str, Verdict]:
    """The verdict on each quantity that is handed out."""
    verdicts = {}
    for name, numbers in outcome.parts.items():
        part = step.parts[name]
        with numpy.errstate(all="ignore"):
            tolerance = part.radius + storing(part.middle, setting.target, setting.formats.inside)
        verdicts[name] = compared(numbers, part.value, tolerance)
    return verdicts


def wrong_part(outcome: Outcome, step: TrueStep, setting: Setting) -> str | None:
    """The first of the quantities that are handed out that is wrong."""
    verdicts = _compared_parts(outcome, step, setting)
    return next((name for name in verdicts if verdicts[name].is_wrong), None)


def _primitives(run: Run, step: TrueStep, setting: Setting) -> Result:
    if not run.outcome.parts:
        return _skipped(run, "primitives", "the port hands out no intermediates")
    verdicts = _compared_parts(run.outcome, step, setting)
    first_wrong = next((name for name in verdicts if verdicts[name].is_wrong), None)
    name = first_wrong or max(verdicts, key=lambda n: numpy.nan_to_num(verdicts[n].ratio, nan=-1.0))
    return _result(run, "primitives", verdicts[name], f"the {name} is wrong", name)


def _projection(run: Run, step: TrueStep, setting: Setting) -> Result:
    verdict = projection(run.case, run.taken[0], setting)
    if verdict is None:
        return _skipped(run, "projection", f"the port hands out no {LOOPS[run.case.optimizer].goal}")
    return _result(run, "projection", verdict, "the projection of the port's own candidate is wrong")


def _inner(run: Run, step: TrueStep, setting: Setting) -> Result:
    """Every inner iteration judged by itself, from where the port itself asked for the loss.

    A port whose queries do not show its iterates is judged by its result, if that can be judged.
    """
    taken, loop = run.taken[0], LOOPS[run.case.optimizer]
    trail = Trail(run.case, taken.hyper, step, setting)
    wrong, worst = trail.follow(taken)
    if wrong is None:
        decided = worst if trail.decided else Verdict(worst.errors, worst.tolerances, decidable=False)
        return _result(run, "inner", decided, "")
    if _step(run, step, setting).verdict == "pass":
        return _skipped(run, "inner", "the queries do not show the inner iterates")
    return _result(run, "inner", worst, f"inner iterate {wrong} of {taken.hyper[loop.steps]} is wrong")


_JUDGES = {
    name: _answered(judged, name)
    for name, judged in {
        "primitives": _primitives,
        "inner": _inner,
        "projection": _projection,
        "step": _step,
    }.items()
}
