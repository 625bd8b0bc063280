"""The levels of judgement: from one vector to a walk of many steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy
from numpy.typing import NDArray

from geometry._namespace import Array
from rbo_ref.oracle.calls import Outcome, Port, call, fresh
from rbo_ref.oracle.cases import Case
from rbo_ref.oracle.precision import working_precision
from rbo_ref.oracle.report import Result
from rbo_ref.oracle.rounding import exact
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.tolerance import (
    Budget,
    budget_of,
    handing_over,
    inner_budget,
    is_decidable,
    projection_budget,
    storing,
)
from rbo_ref.oracle.truth import Hyper, TrueStep, error_of, inner_step, midpoints, true_step

__all__ = ["LEVELS", "Experiment", "judge", "wrong_part"]

LEVELS = ("primitives", "inner", "projection", "step", "restarted", "walk")


@dataclass
class Experiment:
    """A case as it went: the calls of one port, in order, for the diagnosis to repeat."""

    case: Case
    level: str
    calls: list[tuple[NDArray[Any], Hyper, Outcome]] = field(default_factory=list)


@dataclass(frozen=True)
class _Verdict:
    """One comparison: the worst error in units of its tolerance."""

    ratio: float
    error: float
    tolerance: float
    decidable: bool = True


def _compare(numbers: NDArray[Any], truth: list[Any], tolerance: NDArray[Any], decidable: bool = True) -> _Verdict:
    """An error beyond the tolerance is wrong even where one within it would not be decidable."""
    errors = error_of(numbers, truth)
    with numpy.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratios = numpy.where(errors == 0, 0.0, errors / tolerance)
    worst = int(numpy.argmax(ratios))
    if not numpy.isfinite(tolerance).all() or not (decidable or ratios[worst] > 1):
        return _Verdict(numpy.nan, float(errors.max()), float(tolerance.max()), False)
    return _Verdict(float(ratios[worst]), float(errors[worst]), float(tolerance[worst]))


def judge(port: Port, case: Case, setting: Setting, levels: tuple[str, ...]) -> Iterator[tuple[Result, Experiment]]:
    """The results of one case at the wanted levels, each with the calls that it rests on."""
    single = [level for level in LEVELS[:4] if level in levels]
    if single and case.single:
        yield from _single(port, case, setting, single)
    for level, play in (("restarted", _restarted), ("walk", _walk)):
        if level in levels and case.walk:
            yield play(port, case, setting)


def _truth_of(case: Case, theta: NDArray[Any], hyper: Hyper, setting: Setting) -> tuple[TrueStep, Budget]:
    step = true_step(case.loss, tuple(theta), hyper, setting.dialect, setting.target)
    return step, budget_of(case.loss, step, hyper, setting.dialect, setting.target, setting.inside)


def _called(port: Port, case: Case, theta: Array, hyper: Hyper, setting: Setting) -> Outcome:
    return setting.count(1, lambda: call(port, case.loss, theta, hyper, setting.time_limit))


def _single(port: Port, case: Case, setting: Setting, levels: list[str]) -> Iterator[tuple[Result, Experiment]]:
    """The levels that one call decides."""
    hyper = case.hypers[0]
    theta = case.start(setting.target)
    outcome = _called(fresh(port), case, setting.array(theta), hyper, setting)
    experiment = Experiment(case, "step", [(theta, hyper, outcome)])
    truth, budget = _truth_of(case, theta, hyper, setting)
    if outcome.theta is None:
        for level in levels:
            yield _unanswered(case, level, outcome, budget), experiment
        return
    judges: dict[str, Callable[..., Result]] = {
        "primitives": _primitives,
        "inner": _inner,
        "projection": _projection,
        "step": _step,
    }
    for level in levels:
        yield judges[level](case, theta, hyper, outcome, truth, budget, setting), experiment


def _result(case: Case, level: str, verdict: _Verdict, wrong: str) -> Result:
    if not verdict.decidable:
        message = "rounding is amplified until it is as large as the move: no verdict is possible here"
        return Result(case.id, level, "undecidable", verdict.error, verdict.tolerance, message)
    if verdict.ratio <= 1:
        return Result(case.id, level, "pass", verdict.error, verdict.tolerance, "")
    return Result(
        case.id,
        level,
        "fail",
        verdict.error,
        verdict.tolerance,
        f"{wrong}: off by {verdict.ratio:.3g} times the tolerance",
    )


def _unanswered(case: Case, level: str, outcome: Outcome, budget: Budget) -> Result:
    """The verdict on a call without a usable answer; where rounding has no bound, a right port may overflow."""
    blameless = not outcome.hung and not numpy.isfinite(budget.theta).all()
    verdict = "skipped" if outcome.skipped else "undecidable" if blameless else "fail"
    return Result(case.id, level, verdict, None, None, outcome.problem or "", outcome.skipped)


def _compared_parts(outcome: Outcome, truth: TrueStep, budget: Budget, setting: Setting) -> dict[str, _Verdict]:
    """The verdict on each quantity that is handed out."""
    verdicts = {}
    for name in outcome.parts:
        part, tolerance = getattr(truth, name), getattr(budget, name)
        tolerance = tolerance + storing(midpoints(part), setting.target, setting.inside)
        verdicts[name] = _compare(outcome.parts[name], part, tolerance)
    return verdicts


def wrong_part(outcome: Outcome, truth: TrueStep, budget: Budget, setting: Setting) -> str | None:
    """The first of the quantities that are handed out that is wrong."""
    verdicts = _compared_parts(outcome, truth, budget, setting)
    return next((name for name in verdicts if verdicts[name].ratio > 1), None)


def _primitives(
    case: Case, theta: NDArray[Any], hyper: Hyper, outcome: Outcome, truth: TrueStep, budget: Budget, setting: Setting
) -> Result:
    if not outcome.parts:
        return Result(case.id, "primitives", "skipped", None, None, "the port hands out no intermediates")
    verdicts = _compared_parts(outcome, truth, budget, setting)
    first_wrong = wrong_part(outcome, truth, budget, setting)
    name = first_wrong or max(verdicts, key=lambda n: numpy.nan_to_num(verdicts[n].ratio, nan=-1.0))
    return _result(case, "primitives", verdicts[name], f"the {name} is wrong")


def _step(
    case: Case, theta: NDArray[Any], hyper: Hyper, outcome: Outcome, truth: TrueStep, budget: Budget, setting: Setting
) -> Result:
    assert outcome.theta is not None
    verdict = _compare(outcome.theta, truth.theta, budget.theta, budget.is_decidable)
    return _result(case, "step", verdict, "the new theta is wrong")


def _projection(
    case: Case, theta: NDArray[Any], hyper: Hyper, outcome: Outcome, truth: TrueStep, budget: Budget, setting: Setting
) -> Result:
    """The inner loop judged by the candidate that the port itself found."""
    if "candidate" not in outcome.parts or outcome.theta is None:
        return Result(case.id, "projection", "skipped", None, None, "the port hands out no candidate")
    candidate = [exact(c) for c in outcome.parts["candidate"]]
    rate = hyper.projection_rate * setting.dialect.factor
    inner = [[exact(t) for t in theta] if setting.dialect.start == "contact" else candidate[:-1]]
    with working_precision(2048):
        for _ in range(hyper.projection_steps):
            inner.append(inner_step(case.loss, inner[-1], candidate, rate))
    old = theta.astype(numpy.float64)
    tolerance = projection_budget(
        case.loss, old, inner, candidate, hyper, setting.dialect, setting.target, setting.inside
    )
    decidable = is_decidable(tolerance, midpoints(inner[-1]) - old, setting.coarsest)
    verdict = _compare(outcome.theta, inner[-1], tolerance, decidable)
    return _result(case, "projection", verdict, "the projection of the port's own candidate is wrong")


def _inner(
    case: Case, theta: NDArray[Any], hyper: Hyper, outcome: Outcome, truth: TrueStep, budget: Budget, setting: Setting
) -> Result:
    """Every inner iteration judged by itself, from where the port itself asked for the loss.

    The queries may hold more than the iterates: the next iterate is the first later query that is right. A port whose
    queries do not show its iterates is judged by its result, if that can be judged.
    """
    assert outcome.theta is not None
    trail = _Trail(case, hyper, truth, budget, setting)
    wrong, worst = trail.follow(theta, outcome)
    if wrong is None:
        if trail.decided:
            return _result(case, "inner", worst, "")
        return _result(case, "inner", _Verdict(numpy.nan, worst.error, worst.tolerance, False), "")
    by_result = _step(case, theta, hyper, outcome, truth, budget, setting)
    if by_result.verdict == "pass":
        return Result(case.id, "inner", "skipped", None, None, "the queries do not show the inner iterates")
    return _result(case, "inner", worst, f"inner iterate {wrong} of {hyper.projection_steps} is wrong")


class _Trail:
    """The inner iterates of a port, found among its queries."""

    def __init__(self, case: Case, hyper: Hyper, truth: TrueStep, budget: Budget, setting: Setting) -> None:
        self.case, self.hyper, self.truth, self.budget, self.setting = case, hyper, truth, budget, setting
        self.rate = hyper.projection_rate * setting.dialect.factor
        self.shown = setting.inside  # the format of the iterates that are seen
        self.decided = False  # some iteration moved far enough to be judged
        self.certain = True  # no query can be taken for the iterate before or after it

    def follow(self, theta: NDArray[Any], outcome: Outcome) -> tuple[int | None, _Verdict]:
        """The number of the first wrong iterate (None: all are right) and the worst comparison."""
        assert outcome.theta is not None
        steps = self.hyper.projection_steps
        places = list(outcome.inner or outcome.queries)
        self.shown = self.setting.coarsest if outcome.inner else self.setting.inside
        current, worst = theta, _Verdict(0.0, 0.0, 0.0)
        if self.setting.dialect.start == "candidate":
            current, worst = self._start(places, outcome)
            if worst.ratio > 1:
                return 0, worst
        for k in range(1, steps + 1):
            after, tolerance = self._next(current)
            if k == steps:
                old = theta.astype(numpy.float64)
                tolerance = tolerance + handing_over(old, midpoints(after), self.setting.coarsest)
            move = numpy.abs(midpoints(after) - current.astype(numpy.float64)).max()
            place, found = _pick([outcome.theta] if k == steps else places, after, tolerance)
            if found.ratio > 1 and k < steps and _compare(current, after, tolerance).ratio <= 1:
                place, found = current, _compare(current, after, tolerance)  # at a fixed point there is nothing to ask
            if found.ratio > 1:
                return (k, found) if self.certain else (None, worst)
            worst = found if found.ratio > worst.ratio else worst
            self.decided = self.decided or is_decidable(tolerance, move, self.setting.coarsest)
            self.certain = self.certain and tolerance.max() < move / 4
            current = place
        return None, worst

    def _start(self, places: list[NDArray[Any]], outcome: Outcome) -> tuple[NDArray[Any], _Verdict]:
        """θ^(0) below the candidate: a list of iterates that was handed out may begin after it."""
        goal, tolerance = self.truth.candidate[:-1], self.budget.candidate[:-1]
        place, found = _pick(places, goal, tolerance)
        return (place, found) if found.ratio <= 1 else _pick(list(outcome.queries), goal, tolerance)

    def _next(self, current: NDArray[Any]) -> tuple[list[Any], NDArray[Any]]:
        """Where one right iteration leads, and its tolerance."""
        place, goal = [exact(t) for t in current], self.truth.candidate
        with working_precision(256):
            after = inner_step(self.case.loss, place, goal, self.rate)
        return after, inner_budget(
            self.case.loss, place, after, goal, self.budget.candidate, self.rate, self.shown, self.setting.inside
        )


def _pick(places: list[NDArray[Any]], truth: list[Any], tolerance: NDArray[Any]) -> tuple[NDArray[Any], _Verdict]:
    """The first place that agrees with the truth, or a better one right after it; it and all before it are used up.

    Without one, the nearest place and its verdict, and nothing is used up.
    """
    wrong = _Verdict(numpy.inf, numpy.inf, float(tolerance.max()))
    if not places:
        return numpy.full_like(tolerance, numpy.nan), wrong

    def judged(place: NDArray[Any]) -> _Verdict:
        usable = place.shape == tolerance.shape and numpy.isfinite(place).all()
        return _compare(place, truth, tolerance) if usable else wrong

    verdicts: list[_Verdict] = []
    while not (verdicts and verdicts[-1].ratio <= 1):
        if len(verdicts) == len(places):
            nearest = min(range(len(places)), key=lambda i: verdicts[i].ratio)
            return places[nearest], verdicts[nearest]
        verdicts.append(judged(places[len(verdicts)]))
    right, verdict = len(verdicts), verdicts[-1]
    while right < len(places) and (later := judged(places[right])).ratio < verdict.ratio:
        right, verdict = right + 1, later
    place = places[right - 1]
    del places[:right]
    return place, verdict


def _restarted(port: Port, case: Case, setting: Setting) -> tuple[Result, Experiment]:
    """A trajectory on which the oracle puts a fresh port at its own state each step."""
    return _trajectory("restarted", port, case, setting, restart=True)


def _walk(port: Port, case: Case, setting: Setting) -> tuple[Result, Experiment]:
    """A trajectory that one port walks alone; each step is judged from where the port itself stood."""
    return _trajectory("walk", port, case, setting, restart=False)


def _trajectory(level: str, port: Port, case: Case, setting: Setting, *, restart: bool) -> tuple[Result, Experiment]:
    stepper, theta = fresh(port), case.start(setting.target)
    given = setting.array(theta)
    experiment = Experiment(case, level)
    worst = _Verdict(0.0, 0.0, 0.0)
    decidable = False
    for t in range(case.walk):
        hyper = case.hypers[t % len(case.hypers)]
        outcome = _called(fresh(port) if restart else stepper, case, given, hyper, setting)
        experiment.calls.append((theta, hyper, outcome))
        truth, budget = _truth_of(case, theta, hyper, setting)
        if outcome.skipped:
            return _unanswered(case, level, outcome, budget), experiment
        unbounded = not numpy.isfinite(budget.theta).all()
        if outcome.theta is None and (outcome.hung or not unbounded):
            return Result(case.id, level, "fail", None, None, f"step {t + 1}: {outcome.problem}"), experiment
        if outcome.theta is None or unbounded:
            break  # from here on, right ports may be anywhere
        verdict = _compare(outcome.theta, truth.theta, budget.theta, budget.is_decidable)
        decidable = decidable or verdict.decidable
        if verdict.ratio > 1:
            return _result(case, level, verdict, f"step {t + 1} of {case.walk} is wrong"), experiment
        worst = verdict if verdict.ratio > worst.ratio else worst
        theta = case.rounded(truth, setting.target) if restart else outcome.theta
        given = setting.array(theta) if restart else outcome.raw
    return _result(case, level, _Verdict(worst.ratio, worst.error, worst.tolerance, decidable), ""), experiment
