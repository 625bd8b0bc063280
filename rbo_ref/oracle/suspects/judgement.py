"""Is a port right by another formula? It is judged by that as by the right one, with a tolerance of its own.

A suspect explains a port if every answer, the wrong and the right ones, is within its tolerance, and if that is no
accident: an answer that is off by e and within t of a suspect is so by chance about once in e/t, which are log₂(e/t)
bits of evidence for it. The more suspects are asked, the more of them is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy

from geometry.arithmetic.formats import exact
from geometry.arithmetic.precision import working_precision
from rbo_ref.oracle.calls import ServedLoss
from rbo_ref.oracle.step_formats import Formats
from rbo_ref.oracle.suspects.courses import Certified, Make, certified, floating, served
from rbo_ref.oracle.suspects.played import Floats, Played, Step

__all__ = ["FAILURES", "Fit", "Suspect", "alike", "apart", "fit", "likely"]

# Which suspects are worth a judgement; the judgement itself knows no such number.
NEAR = 1e3  # tolerances of the right formula, within which a suspect in floats may be what a port is: it may amplify
# rounding a thousand times more,
NEARER = 2.0**-8  # or this share of the error: one suspect in 256 is that near by chance, and is judged in vain
FAILURES = (Exception,)  # a wrong formula may fail in any way, and an edited line may be none at all
MOST = 64.0  # bits of a number: none holds more evidence
CERTAIN = 20.0  # bits of evidence that are left when all suspects are asked: once in a million


class Suspect(NamedTuple):
    """Another formula that a port may follow."""

    name: str
    description: str
    make: Make


@dataclass
class Fit:
    """How a suspect explains a port."""

    wrong: int = 0  # wrong steps that it takes alike
    right: int = 0
    undecided: int = 0  # wrong steps about which it says nothing
    worst: float = 0.0  # distance, in its own tolerances
    bits: tuple[float, ...] = ()  # of evidence, of each wrong step

    @property
    def counts(self) -> str:
        """The counts in words."""
        wrong = f"{self.wrong} of {self.wrong + self.undecided} failing steps"
        return f"{wrong} and {self.right} of {self.right} right ones" if self.right else wrong

    def __add__(self, other: Fit) -> Fit:
        wrong, right, undecided = self.wrong + other.wrong, self.right + other.right, self.undecided + other.undecided
        return Fit(wrong, right, undecided, max(self.worst, other.worst), self.bits + other.bits)

    def is_evidence(self, suspects: int, constants: int = 0) -> bool:
        """Whether so many suspects, fitted with so many constants, would hardly explain as much by chance."""
        needed = CERTAIN + numpy.log2(max(suspects, 1))
        told = sorted(self.bits)[: len(self.bits) - constants]  # by the others the constants are known
        return self.wrong > self.undecided and sum(told) >= needed


def likely(make: Make, runs: Iterable[Played]) -> bool:
    """Whether a suspect, in floats, goes about where the port went."""
    with numpy.errstate(all="ignore"):
        try:
            return all(_is_near(step, answer) for run in runs for step, answer in _pairs(make, run))
        except FAILURES:
            return False


def _pairs(make: Make, run: Played) -> Iterator[tuple[Step, Floats]]:
    loss = run.answers() if run.answers else served(run.loss)
    return zip(run.steps, floating(make, run, loss), strict=False)


def _is_near(step: Step, answer: Floats) -> bool:
    if not step.is_known:
        return True
    given = step.answer.astype(float)
    near = numpy.abs(answer - given) <= numpy.maximum(NEAR * step.tolerance, NEARER * step.errors.max())
    return bool((near | (numpy.isnan(answer) & numpy.isnan(given))).all())


@numpy.errstate(all="ignore")
def alike(make: Make, runs: Iterable[Played], formats: Formats) -> Fit | None:
    """How a suspect that only floats know explains runs of a port, given the same loss: by its very numbers.

    Its distance is held to the tolerances of the right formula.
    """
    found, dtype = Fit(), numpy.promote_types(formats.inside.dtype, numpy.float32)
    try:
        for run in runs:
            loss = run.answers() if run.answers else ServedLoss(run.loss, numpy, run.steps[0].theta.shape)
            for step, numbered in zip(run.steps, floating(make, run, loss, dtype), strict=False):
                answer, given = numbered.astype(float), step.answer.astype(float)
                gaps = numpy.where((answer == given) | (numpy.isnan(answer) & numpy.isnan(given)), 0.0, answer - given)
                if step.is_known and not _agrees(step, numpy.abs(gaps), answer, step.tolerance, 0.0, found):
                    return None
    except FAILURES:
        return None
    return found


def fit(make: Make, runs: Iterable[Played], formats: Formats) -> Fit | None:
    """How a suspect explains runs of a port; None if some step is not right by it.

    Raises
    ------
    AttributeError
        If the suspect does what only floats can.
    """
    found = Fit()
    for run in runs:
        try:
            for step, answer in zip(run.steps, certified(make, run, formats), strict=False):
                gaps = apart(step.answer, answer)
                if step.is_known and not _agrees(step, gaps, answer.middle, answer.tolerance, 1.0, found):
                    return None
        except AttributeError:
            raise
        except FAILURES:
            return None
    return found


@numpy.errstate(all="ignore")
def _agrees(step: Step, gaps: Floats, middle: Floats, tolerance: Floats, doubt: float, found: Fit) -> bool:
    """Whether a port is right by a suspect here; what that shows is added to what was found.

    The suspect goes to the middle, up to so many tolerances.
    """
    ratio = float(numpy.max(numpy.where(gaps == 0, 0.0, gaps / tolerance)))
    off = numpy.nan_to_num(numpy.abs(middle - step.truth), nan=numpy.inf if doubt == 0 else 0.0)
    excluded = off > doubt * tolerance + step.tolerance
    if not ratio <= 1:
        return False
    if not step.wrong:
        found.right += bool(numpy.isfinite(tolerance).all())
    elif excluded.any():
        found.wrong += 1
        found.worst = max(found.worst, ratio)
        found.bits += (float(numpy.minimum(numpy.log2(off / tolerance), MOST)[excluded].sum()),)
    else:
        found.undecided += 1
    return True


def apart(answer: Any, other: Certified) -> Floats:
    """The distance from a certified answer, computed exactly; 0 where neither is a number, infinite where one is."""

    def gap(number: Any, ball: Any) -> float:
        if not numpy.isfinite(number):
            return numpy.inf if ball.is_finite() else 0.0
        return float(abs(exact(number) - ball).mid()) if ball.is_finite() else numpy.inf

    with working_precision(256):
        gaps = [gap(x, ball) for x, ball in zip(answer.reshape(-1), other.value.reshape(-1), strict=True)]
    return numpy.array(gaps).reshape(answer.shape)
