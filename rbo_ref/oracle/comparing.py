"""What a port gave beside the truth: numbers, steps, and inner loops, iterate by iterate or as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.formats import error_of, handing_over, rounding, storing
from geometry.arithmetic.rounded import Arithmetic, Rounded
from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.dialects import DIALECTS
from rbo_ref.oracle.formulas import LOOPS
from rbo_ref.oracle.playing import Taken
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.tolerance import UNDECIDABLE, is_decidable, share_of
from rbo_ref.oracle.truth import TrueStep, iterated

__all__ = ["Trail", "Verdict", "compared", "projection", "verdict_on"]

Floats = NDArray[numpy.float64]


@dataclass(frozen=True)
class Verdict:
    """One comparison: how far from the truth, how far rounding may lead, and how far the truth moved."""

    errors: NDArray[numpy.float64]
    tolerances: NDArray[numpy.float64]
    move: float = numpy.inf
    decidable: bool = True

    @cached_property
    def worst(self) -> tuple[float, float]:
        """Error and tolerance of the worst entry."""
        with numpy.errstate(all="ignore"):
            entry = int(numpy.argmax(numpy.where(self.errors == 0, 0.0, self.errors / self.tolerances)))
        return float(self.errors.reshape(-1)[entry]), float(self.tolerances.reshape(-1)[entry])

    @cached_property
    def ratio(self) -> float:
        """The worst error in tolerances; NaN where nothing can be said."""
        if not self.decidable:
            return numpy.nan
        error, tolerance = self.worst
        return error / tolerance if error else 0.0

    @property
    def is_wrong(self) -> bool:
        return self.ratio > 1

    @property
    def beyond(self) -> list[tuple[int, float, float]]:
        """Number, error and tolerance of the entries that are wrong, the worst first."""
        errors, tolerances = self.errors.reshape(-1), self.tolerances.reshape(-1)
        with numpy.errstate(all="ignore"):
            excess = numpy.where(numpy.isfinite(errors), errors / tolerances, numpy.inf)
        order = [int(i) for i in numpy.argsort(-excess, kind="stable") if not errors[i] <= tolerances[i]]
        return [(i, float(errors[i]), float(tolerances[i])) for i in order]


def compared(numbers: NDArray[Any], truth: Iterable[Any], tolerances: NDArray[Any]) -> Verdict:
    """A quantity beside its enclosure."""
    errors = error_of(numbers, truth)
    return Verdict(errors, tolerances, decidable=bool(numpy.isfinite(tolerances).all()))


def verdict_on(here: NDArray[Any], there: NDArray[Any], step: TrueStep, setting: Setting) -> Verdict:
    """The verdict on a step. An error beyond the tolerance is wrong even where one within it would decide nothing."""
    errors = error_of(there, step.theta.value.reshape(-1)).reshape(there.shape)
    with numpy.errstate(all="ignore"):
        move = float(numpy.abs(step.theta.middle - here.astype(float)).max())
        share = UNDECIDABLE if setting.formats.inner else share_of(setting.formats.coarsest)
        small = move == 0 or step.tolerance.max() <= share * move or (errors > step.tolerance).any()
    return Verdict(errors, step.tolerance, move, step.is_bounded and bool(small))


# --- inner loops ----------------------------------------------------------------------------------------------------


def projection(case: Case, taken: Taken, setting: Setting) -> Verdict | None:
    """The whole loop judged by the goal that the port itself found; None if it does not hand that out."""
    loop = LOOPS[case.optimizer]
    if loop.goal not in taken.outcome.parts or taken.answer is None:
        return None
    arithmetic = Arithmetic(setting.formats.inside)
    given, starts_there = taken.outcome.parts[loop.goal], DIALECTS[setting.dialect].start == loop.goal
    goal = arithmetic.exact(given)
    goal.rest = storing(goal.middle, setting.target, setting.formats.inside)
    held = setting.formats.inside if setting.formats.inside.precision < setting.target.precision else None
    after = iterated(case, taken.hyper, None if starts_there else taken.theta, goal, setting, held)
    tolerance = _handed(taken, after, setting)
    move = after.middle - taken.theta.astype(float)
    verdict = compared(taken.answer, after.value, tolerance)
    return _decided(verdict, is_decidable(tolerance, move, setting.formats.coarsest))


def _handed(taken: Taken, after: Rounded, setting: Setting) -> Floats:
    """The tolerance of what the last iteration hands out."""
    with numpy.errstate(all="ignore"):
        return after.radius + handing_over(taken.theta.astype(float), after.middle, setting.formats.coarsest)


def _decided(verdict: Verdict, decidable: bool) -> Verdict:
    """An error beyond the tolerance is wrong even where one within it would not be decidable."""
    return Verdict(verdict.errors, verdict.tolerances, decidable=verdict.decidable and (decidable or verdict.is_wrong))


class Trail:
    """The inner iterates of a port, found among its queries.

    The queries may hold more than the iterates: the next iterate is the first later query that is right.
    """

    def __init__(self, case: Case, hyper: Mapping[str, Any], step: TrueStep, setting: Setting) -> None:
        self.case, self.setting, loop = case, setting, LOOPS[case.optimizer]
        self.goal, self.once, self.count = step.parts[loop.goal], {**hyper, loop.steps: 1}, hyper[loop.steps]
        self.starts_at_goal = DIALECTS[setting.dialect].start == loop.goal
        self.shown = setting.formats.inside  # the format of the iterates that are seen
        self.decided = False  # some iteration moved far enough to be judged
        self.certain = True  # no query can be taken for the iterate before or after it

    def follow(self, taken: Taken) -> tuple[int | None, Verdict]:
        """The number of the first wrong iterate (None: all are right) and the worst comparison."""
        assert taken.answer is not None
        outcome, current = taken.outcome, taken.theta
        places, worst = list(outcome.inner or outcome.queries), _nothing(taken.theta)
        self.shown = self.setting.formats.coarsest if outcome.inner else self.setting.formats.inside
        if self.starts_at_goal:
            current, worst = self._start(places, list(outcome.queries))
            if worst.is_wrong:
                return 0, worst
        for k in range(1, self.count + 1):
            after = iterated(self.case, self.once, current, self.goal, self.setting, self.shown)
            with numpy.errstate(all="ignore"):
                tolerance = after.radius + rounding(after.middle, self.shown)
            if k == self.count:
                tolerance = _handed(taken, after, self.setting) + rounding(after.middle, self.shown)
            move = numpy.abs(after.middle - current.astype(float)).max()
            place, found = _pick([taken.answer] if k == self.count else places, after.value, tolerance)
            if found.is_wrong and k < self.count:  # at a fixed point there is nothing to ask
                rests = compared(current, after.value, tolerance)
                place, found = (current, rests) if rests.ratio <= 1 else (place, found)
            if found.is_wrong:
                return (k, found) if self.certain else (None, worst)
            worst = found if not worst.ratio >= found.ratio else worst
            self.decided = self.decided or is_decidable(tolerance, move, self.setting.formats.coarsest)
            self.certain = self.certain and tolerance.max() < move / 4
            current = place
        return None, worst

    def _start(self, places: list[NDArray[Any]], queries: list[NDArray[Any]]) -> tuple[NDArray[Any], Verdict]:
        """θ^(0) below the goal: a list of iterates that was handed out may begin after it."""
        goal = self.goal[:-1]
        place, found = _pick(places, goal.value, goal.radius)
        return (place, found) if found.ratio <= 1 else _pick(queries, goal.value, goal.radius)


def _nothing(theta: NDArray[Any]) -> Verdict:
    """The comparison of nothing."""
    return Verdict(numpy.zeros(theta.shape), numpy.zeros(theta.shape))


def _pick(places: list[NDArray[Any]], truth: Any, tolerance: Floats) -> tuple[NDArray[Any], Verdict]:
    """The first place that agrees with the truth, or a better one right after it; it and all before it are used up.

    Without one, the nearest place and its verdict, and nothing is used up.
    """
    wrong = Verdict(numpy.full_like(tolerance, numpy.inf), tolerance)
    if not places:
        return numpy.full_like(tolerance, numpy.nan), wrong

    def judged(place: NDArray[Any]) -> Verdict:
        usable = place.shape == tolerance.shape and numpy.isfinite(place).all()
        return compared(place, truth, tolerance) if usable else wrong

    verdicts: list[Verdict] = []
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
