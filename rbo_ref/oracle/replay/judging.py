"""Verdicts on recorded steps: the defect e_t = θ_{t+1} − Φ(θ_t) against what rounding can do.

A step whose defect is clearly within the tolerance to first order passes at once; one whose defect is beyond the
tolerance over boxes, a wider one, is wrong. All others are judged as `check` does it, by the formula in ball
arithmetic, which knows the truth and the tolerance; a port that evaluates the function itself is held to the one over
boxes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.formats import Format, error_of, handing_over, rounding
from rbo_ref.oracle.replay.recording import Piece, Rows
from rbo_ref.oracle.replay.steps import Evaluation, Hypers, Rules, wider
from rbo_ref.oracle.tolerance import share_of
from rbo_ref.oracle.truth import true_step

__all__ = ["Judged", "judge_iterates", "judge_steps"]

Floats = NDArray[numpy.float64]
PASS, FAIL, UNDECIDED, SKIPPED = range(4)
FIRST_ORDER = 0.99  # of the tolerance to first order: what is within it is within the tolerance over boxes
CLEARLY = 0.1  # of it: what is within that is within the tolerance of the formula, in which more cancels
AT_ONCE = 64  # steps whose boxes are held at the same time


class Judged(NamedTuple):
    """n verdicts; the entries are those of the worst component."""

    verdict: NDArray[numpy.int8]
    error: Floats
    tolerance: Floats
    wrong: NDArray[numpy.int64]  # the first wrong inner iterate, or −1
    spread: Floats  # tolerance of θ_{t+1} to first order, (n, d)
    derivative: Floats  # DΦ, (n, d, d); empty where it is not known


def _is_decidable(tolerance: Floats, move: Floats, target: Format) -> NDArray[numpy.bool_]:
    """For each step whether a wrong one would stand out from rounding: see `tolerance.is_decidable`."""
    largest = numpy.max(numpy.abs(move), axis=-1)
    return numpy.isfinite(tolerance).all(axis=-1) & (numpy.max(tolerance, axis=-1) <= share_of(target) * largest)


def _worst(error: Floats, tolerance: Floats) -> tuple[Floats, Floats]:
    """Error and tolerance of the component that is worst in each step."""
    ratio = numpy.where(error == 0, 0.0, numpy.nan_to_num(error / tolerance, nan=numpy.inf))
    at = numpy.argmax(ratio, axis=-1)[:, None]
    return numpy.take_along_axis(error, at, -1)[:, 0], numpy.take_along_axis(tolerance, at, -1)[:, 0]


@numpy.errstate(all="ignore")
def judge_steps(rules: Rules, piece: Piece, hyper: Hypers) -> Judged:
    """Every step judged by where it leads."""
    theta, after = piece.theta[:-1], piece.theta[1:]
    usable = numpy.isfinite(theta).all(axis=-1)
    orbit = rules.orbit(theta, hyper)
    error = _distance(after, orbit.theta)
    tolerance, doubt = orbit.tolerance, 2 * orbit.doubt
    move = (orbit.theta - theta).astype(numpy.float64)
    share = CLEARLY if rules.is_served else FIRST_ORDER
    within = (error + doubt <= share * tolerance).all(axis=-1)
    decidable = _is_decidable(tolerance, move, rules.target)
    verdict = numpy.where(within & decidable, PASS, UNDECIDED).astype(numpy.int8)
    verdict[~usable] = SKIPPED
    worst_error, worst_tolerance = _worst(error, tolerance)
    hopeless = within & ~_is_decidable(share * tolerance, move, rules.target)
    settled = within & decidable | hopeless if rules.is_served else within
    open_steps = numpy.flatnonzero(usable & ~settled & numpy.isfinite(tolerance).all(axis=-1))
    for some in numpy.array_split(open_steps, range(AT_ONCE, len(open_steps), AT_ONCE)):
        spread = rules.spread(theta[some], hyper.take(some))
        decidable = _is_decidable(spread, move[some], rules.target)
        verdict[some] = _outcome(error[some], spread, decidable)
        worst_error[some], worst_tolerance[some] = _worst(error[some], spread)
        is_right = (error[some] + doubt[some] <= spread).all(axis=-1)
        is_wrong = (error[some] - doubt[some] > spread).any(axis=-1)
        is_known = is_wrong if rules.is_served else is_right | is_wrong
        for i in some[~is_known & numpy.isfinite(spread).all(axis=-1)]:
            found = _certified(rules, theta[i], after[i], hyper.one(i), spread[some == i])
            verdict[i], worst_error[i], worst_tolerance[i] = found
    wrong = numpy.full(len(theta), -1)
    return Judged(verdict, worst_error, worst_tolerance, wrong, tolerance, orbit.derivative)


def _outcome(error: Floats, tolerance: Floats, decidable: NDArray[numpy.bool_]) -> NDArray[numpy.int8]:
    """An error beyond a tolerance is wrong even where one within it would not be decidable."""
    beyond = (error > tolerance).any(axis=-1)
    unknown = ~numpy.isfinite(tolerance).all(axis=-1)
    return numpy.where(unknown, UNDECIDED, numpy.where(beyond, FAIL, numpy.where(decidable, PASS, UNDECIDED)))


def _certified(
    rules: Rules, theta: NDArray[Any], after: NDArray[Any], hyper: dict[str, Any], tolerance: Floats
) -> tuple[int, float, float]:
    """Verdict, error and tolerance of one step, from an enclosure of Φ(θ); of a loss that is served, all by itself."""
    assert rules.surface is not None
    truth = true_step(rules.surface.loss, tuple(theta), hyper, rules.dialect, rules.target)
    if not truth.is_tight:
        return UNDECIDED, numpy.nan, numpy.nan
    tolerance = truth.tolerance[None] if rules.is_served else tolerance
    error = error_of(after, truth.theta.value)[None]
    move = truth.theta.middle[None] - theta.astype(numpy.float64)
    verdict = _outcome(error, tolerance, _is_decidable(tolerance, move, rules.target))[0]
    worst_error, worst_tolerance = _worst(error, tolerance)
    return int(verdict), float(worst_error[0]), float(worst_tolerance[0])


@numpy.errstate(all="ignore")
def judge_iterates(rules: Rules, piece: Piece, hyper: Hypers) -> Judged:
    """Every step judged by its inner iterations, each from where the port itself stood.

    Without a surface, values and gradients are those that were recorded.
    """
    theta, after = piece.theta[:-1], piece.theta[1:]
    start = theta.astype(wider(rules.target))
    iterates = numpy.concatenate([piece.fields.get("inner", theta[:, None]), after[:, None]], axis=1)
    iterates = iterates.astype(start.dtype)
    last = numpy.minimum(hyper.projection_steps, iterates.shape[1] - 1)
    iterates[numpy.arange(len(theta)), last] = after
    contact = rules.contact(start, _evaluated(rules, start, piece.fields, -1), hyper)
    trail = _Trail(len(theta))
    goal, slack = (start, 0.0) if rules.dialect.start == "contact" else (contact.goal, contact.e_candidate[:, :-1])
    trail.add(0, last > 0, _distance(iterates[:, 0], goal), slack + rounding(_floats(goal), rules.target), last < 0)
    for k in range(int(last.max(initial=0))):
        place, active = iterates[:, k], last > k
        iteration = rules.iterate(place, _evaluated(rules, place, piece.fields, k), contact, hyper)
        tolerance = iteration.local + rounding(_floats(iteration.after), rules.target)
        if iteration.jacobian is not None:  # the port may hold its iterate more precisely than it recorded it
            held = rounding(_floats(place), rules.target)
            tolerance += numpy.sum(numpy.abs(iteration.jacobian) * held[:, None, :], axis=-1)
        handed = handing_over(_floats(start), _floats(iteration.after), rules.target)
        handed = numpy.where((last == k + 1)[:, None], handed, 0.0)
        tolerance, error = tolerance + handed, _distance(iterates[:, k + 1], iteration.after)
        if rules.surface is not None:
            for i in numpy.flatnonzero(active & (error > FIRST_ORDER * tolerance).any(axis=-1)):
                one = hyper.take(slice(i, i + 1))
                tolerance[i] = rules.spread(theta[i : i + 1], one, place[i : i + 1])[0] + handed[i]
        decidable = _is_decidable(tolerance, _floats(iteration.after - place), rules.target)
        trail.add(k + 1, active, error, tolerance, decidable)
    verdict = numpy.where(trail.wrong >= 0, FAIL, numpy.where(trail.decided, PASS, UNDECIDED))
    verdict = numpy.where(numpy.isfinite(theta).all(axis=-1), verdict, SKIPPED).astype(numpy.int8)
    return Judged(verdict, trail.error, trail.tolerance, trail.wrong, numpy.empty((0, 0)), numpy.empty((0, 0, 0)))


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


def _evaluated(rules: Rules, place: NDArray[Any], fields: Rows, k: int) -> Evaluation:
    """The function at inner iterates k (−1: at the contacts), or what was recorded of it there."""
    if rules.surface is not None:
        return rules.evaluate(place)
    if k < 0 or "inner_value" not in fields:
        value, gradient = fields["value"], fields["gradient"]
    else:
        value, gradient = fields["inner_value"][:, k], fields["inner_gradient"][:, k]
    wide = gradient.astype(place.dtype)
    return Evaluation(value.astype(place.dtype), wide, None, numpy.zeros(len(wide)), numpy.zeros(wide.shape))


def _floats(numbers: NDArray[Any]) -> Floats:
    return numbers.astype(numpy.float64)


def _distance(found: NDArray[Any], truth: NDArray[Any]) -> Floats:
    """|found − truth|, infinite where nothing finite was found."""
    return numpy.where(numpy.isfinite(found), numpy.abs(found - truth).astype(numpy.float64), numpy.inf)
