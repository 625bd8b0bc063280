"""Vectors of the parts of a step of the rolling ball, from the oracle's cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from numpy.typing import NDArray

from geometry.arithmetic.formats import Format, format_of, handing_over, rounded
from geometry.arithmetic.rounded import Arithmetic, Rounded
from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.dialects import READINGS, ROLLING_BALL
from rbo_ref.oracle.formulas import RollingBallFormula
from rbo_ref.oracle.formulas.evaluation import given
from rbo_ref.oracle.losses import Loss, correctly_rounded
from rbo_ref.oracle.vectors.answering import Evaluated
from rbo_ref.oracle.vectors.drafts import Draft, head_record, hyper_record, judged
from rbo_ref.oracle.vectors.loss_records import held, name_of
from rbo_ref.oracle.vectors.notation import Record, numbered
from rbo_ref.oracle.vectors.truths import Expected, certain, nearest_to, walked

__all__ = ["quantity_vectors"]

AUTHORS = READINGS[ROLLING_BALL][0]


def quantity_vectors() -> Iterator[Draft]:
    """All of them, each with the loss of its case."""
    for case in all_cases():
        if case.single and not case.id.startswith("drawn-"):
            loss = held(case.loss)
            for make, dtype in _asked(case):
                target = format_of(dtype)
                head = head_record(case, make.__name__.strip("_"), AUTHORS, target)
                yield head | make(case, loss, target), loss


Maker = Callable[[Case, Loss, Format], Record]


def _asked(case: Case) -> Iterator[tuple[Maker, str]]:
    """The kinds of vectors that are made of a case, in which formats."""
    yield from ((make, dtype) for dtype in ("float32", "float64") for make in (_primitives, _inner, _projection))
    if case.id.startswith("half-"):
        yield from ((make, dtype) for dtype in ("bfloat16", "float16") for make in (_primitives, _inner))


def _primitives(case: Case, loss: Loss, target: Format) -> Record:
    """From the contact, with f and ∇f, to the candidate."""
    start = rounded(case.theta, target)
    value, gradient = correctly_rounded(loss, tuple(start), target)
    names = ("normal", "tangent", "center", "candidate")
    parts = certain(lambda: [_ambient(_lift(case, loss, target)[name]) for name in names])
    given = {"theta": start, "value": value, "gradient": gradient}
    return _given(case, given, target, "learning_rate", "radius") | judged(
        dict(zip(names, parts, strict=True)), "given", target
    )


def _inner(case: Case, loss: Loss, target: Format) -> Record:
    """One iteration in the midst of the inner loop, with f and ∇f."""
    hyper = case.hyper(0)
    half = {**hyper, "projection_steps": hyper["projection_steps"] // 2}
    candidate = _candidate(case, loss, target)
    place = nearest_to(certain(lambda: [_projected(half, case, loss, candidate, target)])[0], target)
    value, gradient = correctly_rounded(loss, tuple(place), target)

    def iterated() -> list[Expected]:
        arithmetic = Arithmetic(target)
        theta, f, g, goal = (arithmetic.exact(numbers) for numbers in (place, value, gradient, candidate))
        ball = _ball(arithmetic, lambda _: (f, g), theta, {**hyper, "projection_steps": 1})
        return [_handed(place, ball.looped(goal, theta), target)]

    given = {"theta": place, "value": value, "gradient": gradient, "candidate": candidate}
    return _given(case, given, target, "projection_rate") | judged({"theta": certain(iterated)[0]}, "given", target)


def _projection(case: Case, loss: Loss, target: Format) -> Record:
    """The inner loop for a given candidate, of a port that evaluates the loss."""
    candidate = _candidate(case, loss, target)
    (truth,) = certain(lambda: [_projected(case.hyper(0), case, loss, candidate, target)])
    given = {"theta": rounded(case.theta, target), "candidate": candidate}
    told = _given(case, given, target, "projection_rate", "projection_steps") | {"loss": name_of(loss)}
    return told | judged({"theta": truth}, "evaluated", target, walked(given["theta"], [truth], target) == 1)


# --- the pieces of a step -------------------------------------------------------------------------------------------


def _given(case: Case, numbers: dict[str, Any], target: Format, *names: str) -> Record:
    """Numbers and hyper-parameters that a vector contains."""
    hyper = {name: case.hyper(0)[name] for name in names}
    return {"hyper": [hyper_record(hyper)]} | {name: numbered(value, target) for name, value in numbers.items()}


def _lift(case: Case, loss: Loss, target: Format) -> dict[str, Rounded]:
    """The quantities from the contact to the candidate."""
    start, arithmetic = rounded(case.theta, target), Arithmetic(target)
    value, gradient = correctly_rounded(loss, tuple(start), target)
    theta, f, g = (arithmetic.exact(numbers) for numbers in (start, value, gradient))
    ball = _ball(arithmetic, lambda _: (f, g), theta, case.hyper(0))
    ball.lifted(theta)
    return {name: getattr(ball, held) for name, held in ball.parts.items()}


def _ball(arithmetic: Arithmetic, loss: Any, theta: Rounded, hyper: Any) -> RollingBallFormula:
    """The formula of the authors at the beginning of a step, with the projection rate as it is told."""
    ball, told = RollingBallFormula(), given(arithmetic, hyper)
    ball.told(loss, theta, told)
    ball.gamma = told["projection_rate"]
    return ball


def _ambient(part: Rounded) -> Expected:
    """A vector of the ambient space, which is rounded once more where its entries are."""
    part = part.again()
    return Expected(part.value, part.radius)


def _candidate(case: Case, loss: Loss, target: Format) -> NDArray[Any]:
    """The true candidate, in the format."""
    return nearest_to(certain(lambda: [_ambient(_lift(case, loss, target)["candidate"])])[0], target)


def _projected(hyper: Any, case: Case, loss: Loss, candidate: NDArray[Any], target: Format) -> Expected:
    """Where the inner loop ends."""
    start, arithmetic = rounded(case.theta, target), Evaluated(target)
    theta, goal = arithmetic.exact(start), arithmetic.exact(candidate)
    ball = _ball(arithmetic, partial(arithmetic.evaluate, loss), theta, hyper)
    return _handed(start, ball.looped(goal, theta), target)


def _handed(old: NDArray[Any], new: Rounded, target: Format) -> Expected:
    """A new θ, which may be formed as θ + (θ' − θ)."""
    handed = new.doubted(handing_over(old.astype(float), new.middle, target))
    return Expected(handed.value, handed.radius)
