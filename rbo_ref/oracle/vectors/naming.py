"""Which known mistake reproduces wrong answers?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import cycle
from typing import Any

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.formats import Format
from geometry.arithmetic.rounded import Arithmetic, Rounded
from rbo_ref.oracle.bits import decode
from rbo_ref.oracle.catalogue import suspects_of
from rbo_ref.oracle.losses import Loss
from rbo_ref.oracle.report import Diagnosis, Result
from rbo_ref.oracle.step_formats import Formats
from rbo_ref.oracle.suspects.explain import by_known
from rbo_ref.oracle.suspects.played import Played, Step, spread
from rbo_ref.oracle.vectors.answering import Evaluated
from rbo_ref.oracle.vectors.notation import FLOAT64, Record
from rbo_ref.oracle.vectors.play import Answer, asked
from rbo_ref.oracle.vectors.reading import VectorSet, numbers_of, settings_of, target_of

__all__ = ["as_played", "named"]

PLAYED = ("run", "scripted", "trajectory")


def named(stock: VectorSet, answers: Mapping[str, Answer], results: Sequence[Result]) -> Diagnosis | None:
    """The mistake, or the other reading of the paper, that explains wrong answers of one optimizer in one format."""
    told = [r for r in results if r.id in answers and stock.vectors[r.id]["kind"] in PLAYED]
    wrong, right = (_examples(r for r in told if r.verdict == verdict) for verdict in ("fail", "pass"))
    if not wrong or len({stock.vectors[name]["optimizer"] for name in wrong + right}) > 1:
        return None
    first = stock.vectors[wrong[0]]
    alike = [name for name in wrong + right if stock.vectors[name]["dtype"] == first["dtype"]]
    runs = [as_played(stock, stock.vectors[name], answers[name]["iterates"]) for name in alike]
    found = by_known(suspects_of(first["optimizer"], first["dialect"]), runs, Formats(target_of(first)))
    return found and Diagnosis(found.suspect.name, found.suspect.description, found.evidence)


def _examples(results: Iterable[Result]) -> list[str]:
    """Ids of answers of different kinds, cases and formats, the worst and the mildest among them."""

    def family(result: Result) -> tuple[str, str]:
        parts = result.id.split(".")
        return parts[1], parts[2].partition("-")[0]

    return [result.id for result in spread(results, family, lambda result: result.ratio or 0.0)]


def as_played(stock: VectorSet, vector: Record, iterates: NDArray[Any]) -> Played:
    """A vector and its answer as suspects are asked about them."""
    theta, loss = numbers_of(vector, "theta"), stock.loss(vector)
    truth, tolerance = _expected(stock, vector)
    starts = stock.trajectory(vector)["theta"] if vector["kind"] == "trajectory" else [theta, *iterates]
    draws = numbers_of(vector, "draws") if "draws" in vector else [None] * len(iterates)
    hypers = [hyper for hyper, _ in zip(cycle(settings_of(vector)), iterates, strict=False)]
    with numpy.errstate(all="ignore"):
        wrong = [bool((numpy.abs(a - t) > e).any()) for a, t, e in zip(iterates, truth, tolerance, strict=True)]
    columns = zip(starts, hypers, draws, iterates, truth, tolerance, wrong, strict=False)
    return Played(
        vector["id"],
        loss,  # type: ignore[arg-type]
        [Step(*row) for row in columns],
        alone=False,
        badness=float(any(wrong)),
        walks=vector["kind"] != "trajectory",
        arithmetic=Evaluated if loss is not None else partial(_Answered, vector),
        answers=partial(asked, vector, loss),
    )


def _expected(stock: VectorSet, vector: Record) -> tuple[NDArray[Any], NDArray[Any]]:
    """The true iterates, and their tolerances."""
    if vector["kind"] == "trajectory":
        arrays = stock.trajectory(vector)
        return arrays["theta"][1:].astype(float), arrays["tolerance"]
    texts = numpy.array(vector["expected"]["iterates"]["decimal"], dtype=object)
    return texts.astype(float), decode(vector["tolerance"]["iterates"]["bits"], FLOAT64)


class _Answered(Arithmetic):
    """The loss is answered from a script, wherever it is asked for."""

    def __init__(self, vector: Record, target: Format) -> None:
        super().__init__(target)
        self.rows = asked(vector, None)

    def evaluate(self, loss: Loss, theta: Rounded) -> tuple[Rounded, Rounded]:
        value, gradient = self.rows(theta)  # type: ignore[arg-type]
        return self.exact(value), self.exact(gradient)
