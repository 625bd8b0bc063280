"""The truth: the steps of a formula, enclosed more tightly than numbers of a format can tell, with their tolerances."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.formats import Format, coarser, handing_over, nearest_middle, rounded
from geometry.arithmetic.precision import working_precision
from geometry.arithmetic.rounded import Arithmetic, Rounded
from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.dialects import ROLLING_BALL, Dialect, dialect_of
from rbo_ref.oracle.formulas import FORMULAS, LOOPS, MEMORYLESS, Formula, Problem, hyper_parameters, scheduled
from rbo_ref.oracle.losses import Loss
from rbo_ref.oracle.setting import Setting

__all__ = ["PRECISIONS", "Rules", "Step", "Truth", "iterated", "true_step"]

Floats = NDArray[numpy.float64]
PRECISIONS = tuple(2**k for k in range(7, 15))  # bits


class Rules(NamedTuple):
    """By which a step is taken."""

    dialect: str
    target: Format
    compute: Format | None = None
    inner: Format | None = None

    @property
    def inside(self) -> Format:
        return self.compute or self.target

    @property
    def coarsest(self) -> Format:
        return coarser(self.target, self.inside)


class Step(NamedTuple):
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


class _Walk:
    """A formula on its way, at one precision."""

    def __init__(
        self, case: Case, formula: Formula, rules: Rules, bits: int, at: int = 0, kind: Any = Arithmetic
    ) -> None:
        self.case, self.rules, self.bits, self.formula = case, rules, bits, formula
        self.arithmetic = kind(rules.inside)
        draws = case.draws if case.draws is None else rounded(case.draws[at:], rules.coarsest)
        self.problem = Problem(self.arithmetic, case.loss, draws, rules.inner)
        self.steps: Generator[Rounded, Rounded, None] | None = None
        self.at, self.taken = at, 0

    def step(self, here: NDArray[Any], kept: bool) -> Step:
        """The next step, from where the port stood; one that kept its θ may hold it more precisely."""
        with working_precision(self.bits), numpy.errstate(all="ignore"):
            before = self.arithmetic.evaluations
            theta = self._advanced(self._held(self.arithmetic.exact(here), kept))
            parts = {name: part.again() for name, part in self.problem.parts.items()}
            inner = [iterate.value.reshape(-1) for iterate in self.problem.iterates]
            evaluations = self.arithmetic.evaluations - before
            is_tight = all(
                _are_narrow(balls, self.rules.target)
                for balls in (*inner, theta.value.reshape(-1), *([b] for p in parts.values() for b in p.value))
            )
            tolerance = _tolerance(here.astype(float), theta if is_tight else theta.lost(), self.rules.coarsest)
            parts = {name: part.boxed() if is_tight else part.lost() for name, part in parts.items()}
        return Step(theta.boxed(), parts, inner, evaluations, tolerance, is_tight)  # generators are large

    def _advanced(self, theta: Rounded) -> Rounded:
        self.taken += 1
        if self.steps is None:
            hypers = (self.case.hyper(t) for t in count(self.at))
            self.steps = scheduled(self.formula, self.problem, theta, hypers, self.rules.dialect)
            return next(self.steps)
        return self.steps.send(theta)

    def _held(self, theta: Rounded, kept: bool) -> Rounded:
        """θ as a port that computes in another format holds it: rounded to a coarser one, or not yet rounded."""
        if self.rules.compute is None or not (kept or self.rules.inside == self.rules.coarsest):
            return theta
        with self.arithmetic.within(self.rules.coarsest):
            return theta.again()


def _tolerance(old: Floats, theta: Rounded, coarsest: Format) -> Floats:
    doubt = numpy.array([float(ball.rad()) for ball in theta.value.reshape(-1)]).reshape(theta.shape)
    return theta.radius + handing_over(old, theta.middle, coarsest) + 2 * doubt


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
    formula : callable, optional
        Default: that of the case's optimizer.
    at : int
        The step of the case with which the formula begins.
    arithmetic : type of Arithmetic
        Which knows how a port gets the loss.
    """

    def __init__(
        self,
        case: Case,
        setting: Setting,
        formula: Formula | None = None,
        at: int = 0,
        arithmetic: type[Arithmetic] = Arithmetic,
    ) -> None:
        self.case, self.formula, self.at = case, formula or FORMULAS[case.optimizer], at
        self.arithmetic = arithmetic
        self.rules = Rules(setting.dialect, setting.target, setting.compute, setting.inner)
        self.is_usual = arithmetic is Arithmetic
        self.is_memoryless = self.is_usual and formula is None and case.optimizer in MEMORYLESS
        self.places: list[tuple[NDArray[Any], bool]] = []
        self._walk: _Walk | None = None

    def step(self, here: NDArray[Any], kept: bool = False) -> Step:
        """The next step from here; `kept`: the port has gone on with the θ that it holds, and did not get this one."""
        self.places.append((here, kept))
        if self.is_memoryless:
            return _alone(self.case, self.at + len(self.places) - 1, here, kept, self.rules)
        if len(self.places) == 1 and not self.at and self.is_usual:
            return _first(self.case, self.formula, here.tobytes(), here.dtype, self.rules)
        return self._continued()

    def _continued(self) -> Step:
        """The last of the places' steps, at the lowest precision at which it is tight."""
        some = PRECISIONS if self._walk is None else [bits for bits in PRECISIONS if bits >= self._walk.bits]
        for bits in some:
            if self._walk is None or self._walk.bits != bits:
                self._walk = _Walk(self.case, self.formula, self.rules, bits, self.at, self.arithmetic)
            while self._walk.taken < len(self.places):
                step = self._walk.step(*self.places[self._walk.taken])
            if step.is_tight:
                break
        return step


def _alone(case: Case, t: int, here: NDArray[Any], kept: bool, rules: Rules) -> Step:
    """A step of an optimizer without memory: the same question has the same answer, whoever asks."""
    hyper = tuple(case.hyper(t).items())
    return _asked(case.optimizer, case.loss, tuple(here.reshape(-1)), here.shape, hyper, kept, rules)


@lru_cache(maxsize=4096)
def _asked(
    optimizer: str,
    loss: Loss,
    theta: tuple[Any, ...],
    shape: tuple[int, ...],
    hyper: tuple[tuple[str, Any], ...],
    kept: bool,
    rules: Rules,
) -> Step:
    here = numpy.array(theta).reshape(shape)
    case = Case("asked", loss, here, (dict(hyper),), optimizer=optimizer)
    return _tightest(case, FORMULAS[optimizer], here, kept, rules)


@lru_cache(maxsize=1024)
def _first(case: Case, formula: Formula, here: bytes, dtype: numpy.dtype, rules: Rules) -> Step:
    """The first step is the same for all ports."""
    place = numpy.frombuffer(here, dtype=dtype).reshape(case.theta.shape)
    return _tightest(case, formula, place, False, rules)


def _tightest(case: Case, formula: Formula, here: NDArray[Any], kept: bool, rules: Rules) -> Step:
    for bits in PRECISIONS:
        step = _Walk(case, formula, rules, bits).step(here, kept)
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
) -> Step:
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
    rules = Rules(dialect_of(dialect, optimizer), target, None if inside == target else inside)
    return _asked(optimizer, loss, theta, (len(theta),), tuple(hyper.items()), False, rules)


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
    for bits in PRECISIONS:
        with working_precision(bits), numpy.errstate(all="ignore"):
            arithmetic = Arithmetic(setting.inside)
            problem, h = Problem(arithmetic, case.loss), hyper_parameters(arithmetic, hyper)
            known = arithmetic.enclosed(goal.value, goal.radius)
            start = None if theta is None else arithmetic.exact(theta)
            if start is not None and shown is not None:
                with arithmetic.within(shown):
                    start = start.again()
            after = LOOPS[case.optimizer].run(problem, start, known, h, setting.dialect)
            if _are_narrow(after.value, setting.target):
                return after
    return after.lost()
