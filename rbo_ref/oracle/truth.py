"""The truth: the steps of a formula, enclosed more tightly than numbers of a format can tell, with their tolerances."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache, partial
from hashlib import blake2b
from itertools import count
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.ball_arrays import radii
from geometry.arithmetic.formats import Format, handing_over, nearest_middle, rounded
from geometry.arithmetic.precision import working_precision
from geometry.arithmetic.rounded import Arithmetic, Rounded
from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.dialects import ROLLING_BALL, Dialect, dialect_of
from rbo_ref.oracle.formulas import formula_of
from rbo_ref.oracle.formulas.evaluation import given, mixed, steps_of, watched
from rbo_ref.oracle.losses import Loss
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.step_formats import Formats

__all__ = ["PRECISIONS", "TrueStep", "Truth", "iterated", "true_step"]

Floats = NDArray[numpy.float64]
PRECISIONS = tuple(2**k for k in range(7, 15))  # bits
REMEMBERED = 4096  # steps of walks


class TrueStep(NamedTuple):
    """One true step, with what rounding may do to it in a port.

    Attributes
    ----------
    theta : Rounded
        Where it leads.
    parts : dict
        The quantities that the paper names on the way.
    inner : list of arrays
        θ^(0), θ^(1), ... of its inner loop, in balls.
    evaluations : int
        That it takes.
    tolerance : array
        How far from the truth the θ of a right port may be, once it is handed out; infinite where nothing is known.
    is_tight : bool
        Whether the enclosures are narrow. A step that even the largest precision cannot follow, because it explodes, is
        not.
    """

    theta: Rounded
    parts: Mapping[str, Rounded]
    inner: Sequence[NDArray[Any]]
    evaluations: int
    tolerance: Floats
    is_tight: bool

    @property
    def is_bounded(self) -> bool:
        """Whether right ports are anywhere near the truth."""
        return bool(numpy.isfinite(self.tolerance).all())

    def rounded(self, target: Format) -> NDArray[Any]:
        """The true θ in a format."""
        return nearest_middle(self.theta.value.reshape(-1), target).reshape(self.theta.shape)


class _Asked(NamedTuple):
    """What is asked for the truth of."""

    case: Case
    dialect: str
    formats: Formats


class _Walk:
    """A formula on its way, at one precision."""

    def __init__(self, asked: _Asked, bits: int, at: int = 0, kind: type[Arithmetic] = Arithmetic) -> None:
        self.case, self.dialect, self.formats = asked
        self.bits, self.taken, self.arithmetic = bits, 0, kind(self.formats.inside)
        self.formula = mixed(formula_of(self.case.optimizer, self.dialect)(), self.arithmetic, self.formats.inner)
        self.inner = watched(self.formula)
        draws = None if self.case.draws is None else rounded(self.case.draws[at:], self.formats.coarsest)
        hypers = (self.case.hyper(t) for t in count(at))
        self.steps = steps_of(self.formula, self.arithmetic, self.case.loss, hypers, draws)
        next(self.steps)

    def step(self, here: NDArray[Any], kept: bool) -> TrueStep:
        """The next step, from where the port stood; one that kept its θ may hold it more precisely."""
        with working_precision(self.bits), numpy.errstate(all="ignore"):
            before, self.taken = self.arithmetic.evaluations, self.taken + 1
            self.inner.clear()
            theta = self.steps.send(self._held(self.arithmetic.exact(here), kept))
            parts = {name: getattr(self.formula, held).again() for name, held in self.formula.parts.items()}
            inner = [iterate.value.reshape(-1) for iterate in self.inner]
            evaluations = self.arithmetic.evaluations - before
            is_tight = all(
                _are_narrow(balls, self.formats.target)
                for balls in (*inner, theta.value.reshape(-1), *([b] for p in parts.values() for b in p.value))
            )
            tolerance = _tolerance(here.astype(float), theta if is_tight else theta.lost(), self.formats.coarsest)
            parts = {name: part.boxed() if is_tight else part.lost() for name, part in parts.items()}
        return TrueStep(theta.boxed(), parts, inner, evaluations, tolerance, is_tight)  # generators are large

    def _held(self, theta: Rounded, kept: bool) -> Rounded:
        """θ as a port that computes in another format holds it: rounded to a coarser one, or not yet rounded."""
        if self.formats.compute is None or not (kept or self.formats.inside == self.formats.coarsest):
            return theta
        with self.arithmetic.within(self.formats.coarsest):
            return theta.again()


def _tolerance(old: Floats, theta: Rounded, coarsest: Format) -> Floats:
    return theta.radius + handing_over(old, theta.middle, coarsest) + 2 * radii(theta.value)


def _are_narrow(balls: Any, target: Format) -> bool:
    """Whether each of some balls is 2^20 times narrower than the rounding of the largest."""
    from flint import arb

    rounding = max(abs(ball.mid()) for ball in balls) * target.unit + arb((1, target.least))
    return all(ball.is_finite() and ball.rad() <= rounding * 2.0**-20 for ball in balls)


class Truth:
    """The true steps of a case, from where a port stood.

    Parameters
    ----------
    case : Case
    setting : Setting
    at : int
        The step of the case with which the formula begins.
    arithmetic : type of Arithmetic
        Which knows how a port gets the loss.
    """

    def __init__(self, case: Case, setting: Setting, at: int = 0, arithmetic: type[Arithmetic] = Arithmetic) -> None:
        self.asked, self.at, self.arithmetic = _Asked(case, setting.dialect, setting.formats), at, arithmetic
        self.is_usual = arithmetic is Arithmetic
        self.places: list[tuple[NDArray[Any], bool]] = []
        self._walk: _Walk | None = None
        self._way = blake2b(digest_size=32)  # of the places: the same way has the same next step, whoever goes it

    def step(self, here: NDArray[Any], kept: bool = False) -> TrueStep:
        """The next step from here; `kept`: the port has gone on with the θ that it holds, and did not get this one."""
        self.places.append((here, kept))
        self._way.update(f"{here.dtype} {kept} ".encode() + here.tobytes())
        if self.is_usual and formula_of(self.asked.case.optimizer).is_memoryless:
            return self._alone(here, kept)
        if len(self.places) == 1 and not self.at and self.is_usual:
            return _first(self.asked, here.tobytes(), here.dtype)
        return self._remembered()

    def _alone(self, here: NDArray[Any], kept: bool) -> TrueStep:
        """A step of an optimizer without memory: the same question has the same answer, whoever asks."""
        case, dialect, formats = self.asked
        hyper = tuple(case.hyper(self.at + len(self.places) - 1).items())
        return _alone(case.optimizer, case.loss, tuple(here.reshape(-1)), here.shape, hyper, kept, dialect, formats)

    def _remembered(self) -> TrueStep:
        """The last of the places' steps, which diagnosis asks for after judgement."""
        way = self.asked, self.at, self.arithmetic, self._way.digest()
        if (known := _walked.get(way)) is None:
            known = _walked[way] = self._continued()
            if len(_walked) > REMEMBERED:
                _walked.popitem(last=False)
        return known

    def _continued(self) -> TrueStep:
        """The last of the places' steps, at the lowest precision at which it is tight."""
        some = PRECISIONS if self._walk is None else [bits for bits in PRECISIONS if bits >= self._walk.bits]
        for bits in some:
            if self._walk is None or self._walk.bits != bits:
                self._walk = _Walk(self.asked, bits, self.at, self.arithmetic)
            while self._walk.taken < len(self.places):
                step = self._walk.step(*self.places[self._walk.taken])
            if step.is_tight:
                break
        return step


_walked = OrderedDict[Hashable, TrueStep]()  # the latest


@lru_cache(maxsize=4096)
def _alone(
    optimizer: str,
    loss: Loss,
    theta: tuple[Any, ...],
    shape: tuple[int, ...],
    hyper: tuple[tuple[str, Any], ...],
    kept: bool,
    dialect: str,
    formats: Formats,
) -> TrueStep:
    here = numpy.array(theta).reshape(shape)
    case = Case("asked", loss, here, (dict(hyper),), optimizer=optimizer)
    return _tightest(_Asked(case, dialect, formats), here, kept)


@lru_cache(maxsize=1024)
def _first(asked: _Asked, here: bytes, dtype: numpy.dtype) -> TrueStep:
    """The first step is the same for all ports."""
    return _tightest(asked, numpy.frombuffer(here, dtype=dtype).reshape(asked.case.theta.shape), False)


def _tightest(asked: _Asked, here: NDArray[Any], kept: bool) -> TrueStep:
    for bits in PRECISIONS:
        step = _Walk(asked, bits).step(here, kept)
        if step.is_tight:
            break
    return step


def true_step(
    loss: Loss,
    theta: Sequence[Any],
    hyper: Mapping[str, Any],
    dialect: Dialect | str | None,
    target: Format,
    inside: Format | None = None,
    *,
    optimizer: str = ROLLING_BALL,
) -> TrueStep:
    """The first step from an exact θ of an optimizer without memory, its numbers being of one floating dtype.

    Examples
    --------
    >>> from rbo_ref.oracle.cases import select
    >>> from geometry.arithmetic.formats import format_of
    >>> (case,) = select("rolling-ball", "plane")
    >>> step = true_step(case.loss, tuple(case.theta), case.hyper(0), "authors", format_of("float64"))
    >>> step.theta.middle.round(3), bool(step.tolerance.max() < 1e-13)
    (array([ 2.662, -1.549]), True)
    """
    theta = tuple(theta)
    formats = Formats(target, None if inside == target else inside)
    told = (tuple(hyper.items()), False, dialect_of(dialect, optimizer), formats)
    return _alone(optimizer, loss, theta, (len(theta),), *told)


def iterated(
    case: Case,
    hyper: Mapping[str, Any],
    theta: NDArray[Any] | None,
    goal: Rounded,
    setting: Setting,
    shown: Format | None = None,
) -> Rounded:
    """Where iterations of an inner loop lead, to a goal that is known, and how far from there rounding may lead.

    Parameters
    ----------
    case : Case
    hyper : mapping
        With the number of iterations.
    theta : array, optional
        θ^(0); None: it is below the goal.
    goal : Rounded
        Which the loop goes to.
    setting : Setting
    shown : Format, optional
        Of the numbers that are seen of θ^(0), where the port may hold others.
    """
    start = None if theta is None else (theta.tobytes(), theta.dtype, theta.shape)
    reading = case.optimizer, setting.dialect
    return _iterated(reading, setting.formats, case.loss, tuple(hyper.items()), start, goal, shown)


@lru_cache(maxsize=4096)
def _iterated(
    reading: tuple[str, str],
    formats: Formats,
    loss: Loss,
    hyper: tuple[tuple[str, Any], ...],
    place: tuple[bytes, numpy.dtype, tuple[int, ...]] | None,
    goal: Rounded,
    shown: Format | None,
) -> Rounded:
    """Those of all ports that begin here are the same."""
    for bits in PRECISIONS:
        with working_precision(bits), numpy.errstate(all="ignore"):
            arithmetic = Arithmetic(formats.inside)
            known, start = arithmetic.enclosed(goal.value, goal.radius), None
            if place is not None:
                numbers, dtype, shape = place
                start = arithmetic.exact(numpy.frombuffer(numbers, dtype).reshape(shape))
                with arithmetic.within(shown or formats.inside):
                    start = start.again() if shown else start
            formula = formula_of(*reading)()
            formula.told(partial(arithmetic.evaluate, loss), known, given(arithmetic, dict(hyper)))
            after = formula.looped(known, start)
            if _are_narrow(after.value, formats.target):
                return after
    return after.lost()
