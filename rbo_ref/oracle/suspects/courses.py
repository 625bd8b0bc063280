"""A suspect's own answers to the questions of a run: in floats, and in numbers that know what rounding may do.

A suspect is a class of the catalogues, or one with a changed line. Each of its steps starts where the port stood. One
that changes what is delivered, and not where it goes, walks by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from geometry.arithmetic import number_arrays as arrays
from geometry.arithmetic.ball_arrays import radii
from geometry.arithmetic.formats import format_of, handing_over, rounded
from geometry.arithmetic.precision import working_precision
from geometry.arithmetic.rounded import Rounded
from rbo_ref.oracle.formulas.evaluation import given, mixed
from rbo_ref.oracle.losses import Loss, correctly_rounded, evaluate
from rbo_ref.oracle.step_formats import Formats
from rbo_ref.oracle.suspects.lanes import Lanes
from rbo_ref.oracle.suspects.played import Floats, Played, Step

__all__ = ["Certified", "Floating", "Make", "certified", "floating", "laned", "served"]

PRECISION = 256  # bits of the true values
Make = Callable[[], Any]
Place = NDArray[Any]


class Certified(NamedTuple):
    """Where a suspect goes, enclosed, and how far from there a port may be that is right by its formula."""

    value: NDArray[Any]  # balls
    middle: Floats
    tolerance: Floats


def certified(make: Make, run: Played, formats: Formats) -> Iterator[Certified]:
    """The certified answers of a suspect.

    Raises
    ------
    AttributeError
        If it does what only floats can.
    """
    arithmetic = run.arithmetic(formats.inside)
    assert arrays is Rounded.namespace

    def start(step: Step) -> Rounded:
        """θ as a port that computes in another format holds it: rounded to a coarser one, or not yet rounded."""
        theta = arithmetic.exact(step.theta)
        if formats.compute is None or not (step.kept or formats.inside == formats.coarsest):
            return theta
        with arithmetic.within(formats.coarsest):
            return theta.again()

    def draws(draw: Place) -> Rounded:
        return arithmetic.exact(rounded(draw, formats.coarsest))

    def enclosed(theta: Rounded, before: Place) -> Certified:
        handed = handing_over(before.astype(float), theta.middle, formats.coarsest)
        allowed = theta.radius + handed + 2 * radii(theta.value)
        return Certified(theta.value, theta.middle, allowed)

    def evaluated(theta: Rounded) -> tuple[Rounded, Rounded]:
        return arithmetic.evaluate(run.loss, theta)

    def handed(theta: Rounded, before: Any) -> Rounded:
        error = handing_over(before.middle, theta.middle, formats.coarsest)
        return theta.doubted(error)

    def made() -> Any:
        """The suspect, with what is uncertain in its constants."""
        port = make()
        for name, doubt in getattr(port, "doubts", {}).items():
            value = arithmetic.exact(getattr(port, name))
            value.rest = value.rest + doubt
            setattr(port, name, value)
        return port

    steps = _steps(
        lambda: mixed(made(), arithmetic, formats.inner),
        run,
        evaluated,
        start,
        partial(given, arithmetic),
        draws,
        handed,
    )
    while True:
        with working_precision(PRECISION), numpy.errstate(all="ignore"):
            found = next(steps, None)
            if found is None:
                return
            answer = enclosed(*found)
        yield answer


def floating(make: Make, run: Played, loss: Any, dtype: Any = float) -> Iterator[NDArray[Any]]:
    """The answers of a suspect in floats."""

    def held(numbers: Place) -> Place:
        return numbers.astype(dtype)

    steps = _steps(make, run, loss, lambda step: held(step.theta), dict, held, lambda theta, _: theta)
    return (theta for theta, _ in steps)


def laned(make: Make, run: Played) -> Iterator[Floats]:
    """The answers in floats of many suspects at once, one in each lane."""

    def held(numbers: Place) -> Lanes:
        return Lanes(numbers.astype(float)[None])

    def answered(theta: Lanes) -> tuple[Lanes, Lanes]:
        places = theta.x.reshape(len(theta.x), -1)
        f, g = run.loss.first(places, numpy) if isinstance(run.loss, Loss) else _one_by_one(run.loss, places)
        return Lanes(f), Lanes(g.reshape(theta.x.shape))

    steps = _steps(make, run, answered, lambda step: held(step.theta), dict, held, lambda theta, _: theta)
    return (theta.x for theta, _ in steps)


def _steps(
    make: Make, run: Played, loss: Any, start: Any, given: Any, draws: Any, handed: Any
) -> Iterator[tuple[Any, NDArray[Any]]]:
    """Where a suspect goes, and where the port stood."""
    port, theta = make(), None
    iterates: list[Any] = []
    walks = run.walks or port.walks
    for step in run.steps if walks else run.judged:
        if run.alone:
            port = make()
        theta = start(step) if theta is None or not walks else theta
        iterates = iterates or [theta]
        new = port.advance(loss, theta, given(step.hyper), None if step.draw is None else draws(step.draw))
        if new.shape != step.theta.shape or numpy.iscomplexobj(new):
            raise ValueError("no place")
        theta = handed(new, theta) if walks else new
        iterates.append(theta)
        if not walks:
            yield theta, step.theta
    if walks:
        yield from ((theta, step.theta) for theta, step in zip(port.delivered(iterates), run.steps, strict=True))


def _one_by_one(loss: Any, places: Floats) -> tuple[Floats, Floats]:
    answers = [served(loss)(place) for place in places]
    return numpy.array([f for f, _ in answers]), numpy.array([g for _, g in answers])


@lru_cache(maxsize=256)
def served(loss: Loss) -> Floating:
    """A loss as floats are answered."""
    return Floating(loss)


class Floating:
    """A loss in float64 that remembers its last places: suspects ask mostly where others asked."""

    def __init__(self, loss: Loss) -> None:
        self.loss, self.known = loss, dict[bytes, tuple[Any, Floats]]()

    def __call__(self, theta: Floats) -> tuple[Any, Floats]:
        key = theta.tobytes()
        if key not in self.known:
            if len(self.known) > 4096:
                self.known.clear()
            self.known[key] = self._evaluated(theta)
        return self.known[key]

    def _evaluated(self, theta: Floats) -> tuple[Any, Floats]:
        """In floats, where the loss has such a text; others are known in balls alone."""
        if isinstance(self.loss, Loss):
            return evaluate(self.loss, theta)
        value, gradient = correctly_rounded(self.loss, tuple(theta.reshape(-1)), format_of("float64"))
        return value, gradient.reshape(theta.shape)
