"""Vectors of the Rolling Ball Optimizer, from the oracle's cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

from numpy.typing import NDArray

from rbo_ref.oracle.cases import Case, all_cases
from rbo_ref.oracle.dialects import DIALECTS, Dialect
from rbo_ref.oracle.losses import Loss
from rbo_ref.oracle.optimizers.rounded import Arithmetic, Rounded
from rbo_ref.oracle.optimizers.truth import Problem
from rbo_ref.oracle.rounding import Format, format_of, rounded
from rbo_ref.oracle.suite import ROLLING_BALL
from rbo_ref.oracle.tolerance import handing_over
from rbo_ref.oracle.truth import Hyper, correctly_rounded
from rbo_ref.oracle.vectors.arithmetic import Evaluated, Scripted, doubted
from rbo_ref.oracle.vectors.formulas import Ambient, Lift, inner_iteration, lifted, projection, walk
from rbo_ref.oracle.vectors.losses import held, name_of
from rbo_ref.oracle.vectors.numbers import Record, numbered
from rbo_ref.oracle.vectors.records import Draft, hyper_record, judged, run_record
from rbo_ref.oracle.vectors.truths import Truth, ambient, certain, nearest_to, walked

__all__ = ["rolling_ball_vectors"]

IN_ALL_DIALECTS = ("valley-1d", "bowl-jumps", "saddle-small", "crest-2d", "waves-3d", "waves-10d", "schedule-3d")


def rolling_ball_vectors() -> Iterator[Draft]:
    """All of them, each with the loss of its case."""
    for case in all_cases(0):
        if not case.id.startswith("drawn-"):
            loss = held(case.loss)
            for make, dialect, dtype in _asked(case):
                target = format_of(dtype)
                yield _head(make, case, dialect, target) | make(case, loss, dialect, target), loss


Maker = Callable[[Case, Loss, Dialect, Format], Record]


def _asked(case: Case) -> Iterator[tuple[Maker, Dialect, str]]:
    """The kinds of vectors that are made of a case, in which dialects and formats."""
    authors, *others = DIALECTS.values()
    single = (_primitives, _inner, _projection) if case.single else ()
    yield from ((make, authors, dtype) for dtype in ("float32", "float64") for make in (*single, _run, _scripted))
    if case.id in IN_ALL_DIALECTS:
        yield from ((make, dialect, "float64") for dialect in others for make in (_run, _scripted))
    if case.id.startswith("half-"):
        half = (_primitives, _inner, _run, _scripted)
        yield from ((make, authors, dtype) for dtype in ("bfloat16", "float16") for make in half)


def _head(make: Maker, case: Case, dialect: Dialect, target: Format) -> Record:
    kind = make.__name__.strip("_")
    return {
        "id": f"{ROLLING_BALL}.{kind}.{case.id}.{dialect.name}.{target.name}",
        "optimizer": ROLLING_BALL,
        "kind": kind,
        "dialect": dialect.name,
        "dtype": target.name,
        "note": case.note,
    }


def _run(case: Case, loss: Loss, dialect: Dialect, target: Format) -> Record:
    """Steps of a port that evaluates the loss."""
    return _steps(Evaluated, case, loss, dialect, target)


def _scripted(case: Case, loss: Loss, dialect: Dialect, target: Format) -> Record:
    """Steps of a port that is answered from a script."""
    return _steps(Scripted, case, loss, dialect, target)


def _steps(kind: Any, case: Case, loss: Loss, dialect: Dialect, target: Format) -> Record:
    start = rounded(case.theta, target)

    def begin(arithmetic: Any) -> Any:
        return walk(Problem(arithmetic, loss), arithmetic.exact(start), cycle(case.hypers), dialect)

    hyper = {"hyper": [hyper_record(hyper._asdict()) for hyper in case.hypers]}
    return hyper | run_record(begin, kind, loss, start, max(case.walk, 1), target)


def _primitives(case: Case, loss: Loss, dialect: Dialect, target: Format) -> Record:
    """From the contact, with f and ∇f, to the candidate."""
    start = rounded(case.theta, target)
    value, gradient = correctly_rounded(loss, tuple(start), target)
    parts = certain(lambda: [ambient(pair) for pair in _lift(case, loss, target)])
    given = {"theta": start, "value": value, "gradient": gradient}
    return _given(case, given, target, "learning_rate", "radius") | judged(
        dict(zip(Lift._fields, parts, strict=True)), "given", target
    )


def _inner(case: Case, loss: Loss, dialect: Dialect, target: Format) -> Record:
    """One iteration in the midst of the inner loop, with f and ∇f."""
    hyper = case.hypers[0]
    half, candidate = hyper._replace(projection_steps=hyper.projection_steps // 2), _candidate(case, loss, target)
    place = nearest_to(certain(lambda: [_projected(half, case, loss, candidate, target)])[0], target)
    value, gradient = correctly_rounded(loss, tuple(place), target)

    def iterated() -> list[Truth]:
        arithmetic = Arithmetic(target)
        theta, f, g = (arithmetic.exact(numbers) for numbers in (place, value, gradient))
        rate = arithmetic.given(hyper.projection_rate)
        return [_handed(place, inner_iteration(theta, f, g, _split(arithmetic, candidate), rate), target)]

    given = {"theta": place, "value": value, "gradient": gradient, "candidate": candidate}
    return _given(case, given, target, "projection_rate") | judged({"theta": certain(iterated)[0]}, "given", target)


def _projection(case: Case, loss: Loss, dialect: Dialect, target: Format) -> Record:
    """The inner loop for a given candidate, of a port that evaluates the loss."""
    candidate = _candidate(case, loss, target)
    (truth,) = certain(lambda: [_projected(case.hypers[0], case, loss, candidate, target)])
    given = {"theta": rounded(case.theta, target), "candidate": candidate}
    told = _given(case, given, target, "projection_rate", "projection_steps") | {"loss": name_of(loss)}
    return told | judged({"theta": truth}, "evaluated", target, walked(given["theta"], [truth], target) == 1)


# --- the pieces of a step -------------------------------------------------------------------------------------------


def _given(case: Case, numbers: dict[str, Any], target: Format, *names: str) -> Record:
    """Numbers and hyper-parameters that a vector contains."""
    hyper = {name: getattr(case.hypers[0], name) for name in names}
    return {"hyper": [hyper_record(hyper)]} | {name: numbered(value, target) for name, value in numbers.items()}


def _lift(case: Case, loss: Loss, target: Format) -> Lift:
    start, arithmetic = rounded(case.theta, target), Arithmetic(target)
    value, gradient = correctly_rounded(loss, tuple(start), target)
    theta, f, g = (arithmetic.exact(numbers) for numbers in (start, value, gradient))
    return lifted(arithmetic, theta, f, g, case.hypers[0])


def _candidate(case: Case, loss: Loss, target: Format) -> NDArray[Any]:
    """The true candidate, in the format."""
    return nearest_to(certain(lambda: [ambient(_lift(case, loss, target).candidate)])[0], target)


def _projected(hyper: Hyper, case: Case, loss: Loss, candidate: NDArray[Any], target: Format) -> Truth:
    """Where the inner loop ends."""
    start, arithmetic = rounded(case.theta, target), Evaluated(target)
    rate, split = arithmetic.given(hyper.projection_rate), _split(arithmetic, candidate)
    problem = Problem(arithmetic, loss)
    return _handed(start, projection(problem, arithmetic.exact(start), split, rate, hyper.projection_steps), target)


def _split(arithmetic: Arithmetic, vector: NDArray[Any]) -> Ambient:
    return arithmetic.exact(vector[:-1]), arithmetic.exact(vector[-1])


def _handed(old: NDArray[Any], new: Rounded, target: Format) -> Truth:
    """A new θ, which may be formed as θ + (θ' − θ)."""
    handed = doubted(new, handing_over(old.astype(float), new.middle, target))
    return Truth(handed.value, handed.radius)
