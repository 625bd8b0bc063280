"""Verdicts on recorded steps: the defect e_t = θ_{t+1} − Φ(θ_t) against what rounding can do.

Most steps are decided in batches, of which every error is bounded: where θ_{t+1} is within the tolerance to first
order, or beyond the whole one, whatever the floats of the batch have rounded. All others are judged as `check` does it,
one by one, by the formula in ball arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

import numpy
from numpy.typing import NDArray

from geometry._namespace import array_namespace
from geometry.arithmetic.batched import WHOLE, WIDE
from geometry.arithmetic.formats import Format, error_of, handing_over, rounding
from geometry.arithmetic.rounded import Arithmetic, Rounded
from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.formulas import RollingBallFormula
from rbo_ref.oracle.replay.computed import Computed
from rbo_ref.oracle.replay.maps import Beside, Hypers, Map, errors_of, wide
from rbo_ref.oracle.replay.recording import Piece
from rbo_ref.oracle.replay.verdict import FAIL, PASS, SKIPPED, UNDECIDED, Judged
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.step_formats import Formats
from rbo_ref.oracle.tolerance import share_of
from rbo_ref.oracle.truth import Truth

__all__ = ["judge_iterates", "judge_steps"]

Floats = NDArray[numpy.float64]
Certified = Callable[[int], tuple[int, float, float]]
MARGIN = 2.0**-10  # of a tolerance: bounds are rounded to nearest, and follow from numbers that are rounded to float64


def _is_decidable(tolerance: Floats, move: Floats, target: Format) -> NDArray[numpy.bool_]:
    """For each step whether a wrong one would stand out from rounding, as `verdict_on` has it."""
    largest, bounded = numpy.max(numpy.abs(move), axis=-1), numpy.isfinite(tolerance).all(axis=-1)
    return bounded & ((largest == 0) | (numpy.max(tolerance, axis=-1) <= share_of(target) * largest))


def _worst(error: Floats, tolerance: Floats) -> tuple[Floats, Floats]:
    """Error and tolerance of the component that is worst in each step."""
    ratio = numpy.where(error == 0, 0.0, numpy.nan_to_num(error / tolerance, nan=numpy.inf))
    at = numpy.argmax(ratio, axis=-1)[:, None]
    return numpy.take_along_axis(error, at, -1)[:, 0], numpy.take_along_axis(tolerance, at, -1)[:, 0]


@numpy.errstate(all="ignore")
def judge_steps(
    rule: Map, piece: Piece, hyper: Hypers, beside: Beside | None = None, certified: Certified | None = None
) -> Judged:
    """Every step judged by where it leads.

    `certified` judges one step by enclosures; by default one of a formula without memory.
    """
    n, remembers = len(piece), not rule.formula.is_memoryless
    theta, after = (places.reshape(n, -1) for places in (piece.theta[:-1], piece.theta[1:]))
    images = rule.images(piece.theta[:-1], hyper, beside)
    error, move = _distance(after, images.theta), _floats(images.theta) - _floats(theta)
    low, high = (1 - MARGIN) * images.first, (1 + MARGIN) * images.whole
    within = (error + images.doubt <= low).all(axis=-1)
    beyond = (error - images.doubt > high).any(axis=-1)
    least, most = (images.whole, images.whole) if remembers else (low, high)  # for which one more digit costs a run
    decided, hopeless = _is_decidable(most, move, rule.target), ~_is_decidable(least, move, rule.target)
    bounded = numpy.isfinite(images.whole).all(axis=-1) & numpy.isfinite(images.doubt).all(axis=-1)
    usable = numpy.isfinite(theta).all(axis=-1)
    verdict = numpy.full(n, UNDECIDED, dtype=numpy.int8)
    verdict[bounded & within & decided] = PASS
    verdict[bounded & beyond] = FAIL
    verdict[~usable] = SKIPPED
    worst_error, worst_tolerance = _worst(error, images.whole)
    alone = certified or partial(_certified, rule, piece, hyper, beside.draws if beside else None)
    for i in numpy.flatnonzero(usable & bounded & ~beyond & ~(within & (decided | hopeless))).tolist():
        verdict[i], worst_error[i], worst_tolerance[i] = alone(i)
    return Judged(verdict, worst_error, worst_tolerance, numpy.full(n, -1), images.first, images.derivative)


def _certified(rule: Map, piece: Piece, hyper: Hypers, draws: Any, i: int) -> tuple[int, float, float]:
    """Verdict, error and tolerance of one step, from an enclosure of Φ(θ)."""
    assert rule.surface is not None
    theta, after, draw = piece.theta[i], piece.theta[i + 1], None if draws is None else draws[i : i + 1]
    case = Case("recorded", rule.surface.loss, theta, (hyper.one(i),), optimizer=rule.formula.optimizer, draws=draw)
    setting = Setting(array_namespace(numpy.zeros(1)), Formats(rule.target), rule.formula.dialect, numpy.inf)
    truth = Truth(case, setting, arithmetic=Arithmetic if rule.is_served else Computed).step(theta)
    if not truth.is_tight:
        return UNDECIDED, numpy.nan, numpy.nan
    error = error_of(after, truth.theta.value.reshape(-1))[None]
    tolerance, move = (numbers.reshape(1, -1) for numbers in (truth.tolerance, truth.theta.middle - _floats(theta)))
    decidable = _is_decidable(tolerance, move, rule.target)
    worst_error, worst_tolerance = _worst(error, tolerance)
    return int(_outcome(error, tolerance, decidable)[0]), float(worst_error[0]), float(worst_tolerance[0])


def _outcome(error: Floats, tolerance: Floats, decidable: NDArray[numpy.bool_]) -> NDArray[numpy.int8]:
    """An error beyond a tolerance is wrong even where one within it would not be decidable."""
    beyond = (error > tolerance).any(axis=-1)
    unknown = ~numpy.isfinite(tolerance).all(axis=-1)
    return numpy.where(unknown, UNDECIDED, numpy.where(beyond, FAIL, numpy.where(decidable, PASS, UNDECIDED)))


@numpy.errstate(all="ignore")
def judge_iterates(rule: Map, piece: Piece, hyper: Hypers) -> Judged:
    """Every step judged by its inner iterations, each from where the port itself stood.

    Without a surface, values and gradients are those that were recorded.
    """
    theta, after = piece.theta[:-1], piece.theta[1:]
    iterates = numpy.concatenate([piece.fields.get("inner", theta[:, None]), after[:, None]], axis=1)
    last = numpy.minimum(hyper["projection_steps"], iterates.shape[1] - 1)
    iterates[numpy.arange(len(theta)), last] = after
    loop = _Loop(rule, piece, hyper)
    trail = _Trail(len(theta))
    trail.add(0, last > 0, *_compared(iterates[:, 0], loop.start(), rule.target), last < 0)
    for k in range(int(last.max(initial=0))):
        place = iterates[:, k]
        there = loop.iterated(place, k)
        error, tolerance = _compared(iterates[:, k + 1], there, rule.target)
        handed = handing_over(_floats(theta), _floats(wide(there)), rule.target)
        tolerance = tolerance + numpy.where((last == k + 1)[:, None], handed, 0.0)
        decidable = _is_decidable(tolerance, _floats(wide(there) - place), rule.target)
        trail.add(k + 1, last > k, error, tolerance, decidable)
    vars(loop.formula).clear()  # as in `Map.images`
    verdict = numpy.where(trail.wrong >= 0, FAIL, numpy.where(trail.decided, PASS, UNDECIDED))
    verdict = numpy.where(numpy.isfinite(theta).all(axis=-1), verdict, SKIPPED).astype(numpy.int8)
    return Judged(verdict, trail.error, trail.tolerance, trail.wrong, numpy.empty((0, 0)), numpy.empty((0, 0, 0)))


def _compared(found: NDArray[Any], truth: Rounded, target: Format) -> tuple[Floats, Floats]:
    """The errors of vectors, and their tolerances once they are handed out."""
    errors = errors_of(truth)
    doubt = (1 + MARGIN) * errors[WHOLE] + errors[WIDE]
    return _distance(found, wide(truth)), doubt + rounding(_floats(wide(truth)), target)


class _Loop:
    """The inner loops of n steps, to candidates that are known."""

    def __init__(self, rule: Map, piece: Piece, hyper: Hypers) -> None:
        self.rule, self.fields, self.batch = rule, piece.fields, rule.batch()
        self.formula = cast(RollingBallFormula, rule.formula())
        self.theta, self.hyper = self.batch.along(piece.theta[:-1]), hyper
        self._told(-1, 0)
        self.goal = self.formula.lifted(self.theta).boxed()

    def _told(self, k: int, steps: int) -> None:
        hyper = self.hyper.given(self.batch) | {"projection_steps": steps}
        self.formula.told(partial(self._evaluated, k), self.theta, hyper)

    def start(self) -> Rounded:
        """θ^(0)."""
        return self.formula.looped(self.goal)

    def iterated(self, place: NDArray[Any], k: int) -> Rounded:
        """One iteration from the k-th place, which a port may hold more precisely than it was recorded."""
        self._told(k, 1)
        return self.formula.looped(self.goal, self.batch.along(place).again())

    def _evaluated(self, k: int, theta: Rounded) -> tuple[Rounded, Rounded]:
        """The function there, or what was recorded of it at inner iterates k (−1: at the contacts)."""
        if self.rule.surface is not None:
            return self.batch.evaluate(self.rule.surface.loss, theta)
        if k < 0 or "inner_value" not in self.fields:
            told = self.fields["value"], self.fields["gradient"]
        else:
            told = self.fields["inner_value"][:, k], self.fields["inner_gradient"][:, k]
        value, gradient = (self.batch.along(numbers).again() for numbers in told)
        return value, gradient


class _Trail:
    """What is known of n steps after some of their inner iterates."""

    def __init__(self, n: int) -> None:
        self.wrong = numpy.full(n, -1)  # the first wrong iterate
        self.decided = numpy.zeros(n, dtype=bool)  # whether some iteration moved far enough to be judged
        self.error, self.tolerance = numpy.zeros(n), numpy.ones(n)  # of the worst iterate, up to the first wrong one

    def add(self, j: int, active: Any, error: Floats, tolerance: Floats, decidable: Any) -> None:
        """Iterate j, where it is there to be judged."""
        known = active & (self.wrong < 0) & numpy.isfinite(tolerance).all(axis=-1)
        worst_error, worst_tolerance = _worst(error, tolerance)
        worse = known & (worst_error * self.tolerance > self.error * worst_tolerance)
        self.error = numpy.where(worse, worst_error, self.error)
        self.tolerance = numpy.where(worse, worst_tolerance, self.tolerance)
        self.wrong = numpy.where(known & (error > tolerance).any(axis=-1), j, self.wrong)
        self.decided |= known & decidable


def _floats(numbers: NDArray[Any]) -> Floats:
    return numbers.astype(numpy.float64)


def _distance(found: NDArray[Any], truth: NDArray[Any]) -> Floats:
    """|found − truth|, infinite where nothing finite was found."""
    return numpy.where(numpy.isfinite(found), numpy.abs(found - truth).astype(numpy.float64), numpy.inf)
