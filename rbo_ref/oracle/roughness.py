"""Rounding or formula? The errors of a port along a short line of neighbouring places tell.

The error of a formula is a smooth function of θ and the hyper-parameters: along a line that is short against both it is
nearly a constant, and what little it changes is straight. A rounding error changes by its own size wherever the numbers
that are rounded move by a unit in the last place: along a line that is long against that it jumps.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy
from numpy.typing import ArrayLike, NDArray

__all__ = ["ABOVE", "Course", "Line", "Nature", "courses_of"]

Floats = NDArray[numpy.float64]
FIRST, POINTS = 4, 9  # places: the first few show most rounding for what it is
LONG = 64.0  # unit roundoffs that the line is long: all that is rounded moves by several units in the last place
SHORTEST, LONGEST = 2.0**-10, 2.0**-3  # bounds of the length, relative to the numbers
HYPER = 0.125  # length along the hyper-parameters: the move depends on them more than on θ
ABOVE = 4.0  # tolerances of the port's own format by which an error has to exceed it to be looked at

# Of independent errors at nine places a straight line leaves the share J of the squares, P(J < x) = x^(7/2): one in
# 3·10¹⁰ falls below SMOOTH. Right ports with float32, tf32, float16 and bfloat16 inside leave 0.013 or more in every
# case of the suite, most of them more than half; formulas that are off by 10⁻⁷ to 10⁻² leave 10⁻¹⁵ to 10⁻⁴ in most.
SMOOTH = 1e-3
ROUGH = 0.1
LEVEL = 0.9  # of the squares are in the mean: not so where a port, right here, does not follow a hyper-parameter
FEW = 1 / 8  # share of the cases in which rounding may happen to look like a formula
AGREEING = 2  # cases that have to show a formula, if so many err at all


class Line:
    """A line of places through a case: `places` are the distances from the case, in lengths of the line.

    Examples
    --------
    >>> line = Line("waves-3d", 2.0**-24)
    >>> float(line.places[0]), line.through([1.0, -2.0]).shape
    (0.0, (9, 2))
    """

    def __init__(self, name: str, unit: float) -> None:
        self._random = numpy.random.RandomState(zlib.crc32(name.encode()))
        self.length = min(max(LONG * unit, SHORTEST), LONGEST)
        steps = numpy.arange(POINTS - 1) + self._random.uniform(0.5, 1, POINTS - 1)
        self.places = numpy.concatenate([[0.0], steps / (POINTS - 1)])

    def through(self, numbers: ArrayLike) -> Floats:
        """An array of numbers at each of the places, each number in a direction of its own."""
        numbers = numpy.asarray(numbers, dtype=float)
        size = numpy.abs(numbers)
        size = numpy.where(size == 0, size.max(initial=0.0) / 4, size)
        return self._moved(numbers, self.length * size * self._random.choice([-1.0, 1.0], numbers.shape))

    def lowered(self, number: float) -> Floats:
        """A hyper-parameter at each of the places: a little smaller, so that no rate below 1 leaves its range."""
        return self._moved(numpy.asarray(number, dtype=float), numpy.asarray(-self.length * HYPER * number))

    def _moved(self, numbers: Floats, reach: Floats) -> Floats:
        way = reach * self._random.uniform(0.5, 1, numbers.shape)
        return numbers + self.places.reshape(-1, *(1,) * numbers.ndim) * way


class Course(NamedTuple):
    """How the errors of one step go along a line."""

    jumps: float  # share of their squares that a straight line leaves
    level: float  # share that is in their means
    ratio: float = 0.0  # the error as a share of the move

    @property
    def is_formula(self) -> bool:
        return self.jumps < SMOOTH and self.level >= LEVEL


def courses_of(line: Line, ask: Callable[[int], Floats], ratios: Floats) -> list[Course]:
    """The courses of the steps that err.

    Parameters
    ----------
    line : Line
    ask : callable
        k → the errors of all steps at the k-th place, in tolerances of the port's own format, (steps, entries); NaN
        where the port gave no answer.
    ratios : array (steps,)
        The errors as shares of the moves.
    """
    errors = numpy.stack([ask(k) for k in range(FIRST)])
    erring = [t for t in range(errors.shape[1]) if numpy.nanmax(numpy.abs(errors[0, t]), initial=0.0) > ABOVE]
    courses = [_course(line, errors[:, t], ratios[t]) for t in erring]
    if any(course.jumps < ROUGH for course in courses):
        errors = numpy.concatenate([errors, numpy.stack([ask(k) for k in range(FIRST, POINTS)])])
        courses = [_course(line, errors[:, t], ratios[t]) for t in erring]
    return [course for course in courses if numpy.isfinite(course.jumps)]


def _course(line: Line, errors: Floats, ratio: float) -> Course:
    if not numpy.isfinite(errors).all():
        return Course(numpy.nan, numpy.nan)
    errors = errors / numpy.abs(errors).max()  # squares of large errors overflow
    straight = numpy.vander(line.places[: len(errors)], 2)
    left = errors - straight @ numpy.linalg.lstsq(straight, errors, rcond=None)[0]
    squares, means = (errors**2).sum(), errors.mean(axis=0)
    return Course(float((left**2).sum() / squares), float(len(errors) * (means**2).sum() / squares), float(ratio))


@dataclass
class Nature:
    """What the errors of a port are, from their courses in many cases.

    Examples
    --------
    >>> nature = Nature()
    >>> nature.add("bowl", [Course(jumps=1e-9, level=1.0)])
    >>> nature.add("plane", [Course(jumps=1e-7, level=1.0)])
    >>> nature.is_formula, nature.is_rounding
    (True, False)
    """

    formulas: dict[str, Course] = field(default_factory=dict)  # by case, where the errors are those of a formula
    jumps: list[float] = field(default_factory=list)
    cases: int = 0

    def add(self, case: str, courses: list[Course]) -> None:
        """The courses of the steps of one case."""
        self.cases += bool(courses)
        self.jumps += [course.jumps for course in courses]
        smooth = [course for course in courses if course.is_formula]
        if smooth:
            self.formulas[case] = max(smooth, key=lambda course: course.ratio)

    @property
    def is_formula(self) -> bool:
        """Some errors are certainly no rounding."""
        return len(self.formulas) >= min(AGREEING, max(self.cases, 1))

    @property
    def is_rounding(self) -> bool:
        """Errors jump as rounding does, in nearly all cases; neither this nor the other: undecided."""
        some_jump = bool(self.jumps) and float(numpy.median(self.jumps)) >= ROUGH
        return some_jump and not self.is_formula and len(self.formulas) <= FEW * self.cases
