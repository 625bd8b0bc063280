"""What the page asks and judges by: vectors of the rolling ball in float64, and what each known mistake answers."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.precision import working_precision
from rbo_ref.oracle.bits import decode
from rbo_ref.oracle.catalogue import suspects_of
from rbo_ref.oracle.dialects import DIALECTS, ROLLING_BALL
from rbo_ref.oracle.losses import Loss
from rbo_ref.oracle.step_formats import Formats
from rbo_ref.oracle.suspects.courses import certified, floating
from rbo_ref.oracle.suspects.judgement import FAILURES, Suspect
from rbo_ref.oracle.suspects.played import Played
from rbo_ref.oracle.vectors import VectorSet, generation
from rbo_ref.oracle.vectors.loss_records import described
from rbo_ref.oracle.vectors.naming import as_played
from rbo_ref.oracle.vectors.notation import FLOAT64, Record
from rbo_ref.oracle.vectors.reading import numbers_of, settings_of, target_of

__all__ = ["COMPARED", "questions", "vectors_of_the_ball"]

DTYPE = "float64"
COMPARED = ("run", "scripted")  # kinds of vectors whose answers are compared with those of known mistakes
Floats = NDArray[numpy.float64]


def vectors_of_the_ball() -> VectorSet:
    """The vectors that the page holds."""
    records, losses, arrays = generation.vectors(optimizers=[ROLLING_BALL])
    chosen = {r["id"]: r for r in records if (r["optimizer"], r["dtype"]) == (ROLLING_BALL, DTYPE)}
    passed = generation.MUST_PASS.read_text(encoding="utf-8").split()
    return VectorSet(chosen, losses, arrays, frozenset(chosen.keys() & set(passed)))


def questions(stock: VectorSet, progress: Callable[[], Any] = lambda: None) -> Record:
    """Vectors as an object of JSON: what is given, the truth and its tolerance, and the answers of known mistakes.

    Parameters
    ----------
    stock : VectorSet
        Of the rolling ball in float64.
    progress : callable, optional
        Called after each vector.
    """
    suspects = {dialect: suspects_of(ROLLING_BALL, dialect) for dialect in DIALECTS}
    vectors = []
    for vector in stock.vectors.values():
        vectors.append(_question(stock, vector, suspects[vector["dialect"]]))
        progress()
    asked = {vector["loss"] for vector in vectors if "loss" in vector}
    return {
        "readings": {name: dialect.description for name, dialect in DIALECTS.items()},
        "losses": {name: _terms(stock.losses[name]) for name in sorted(asked)},
        "suspects": {d: [{"name": s.name, "description": s.description} for s in some] for d, some in suspects.items()},
        "vectors": vectors,
    }


def _question(stock: VectorSet, vector: Record, suspects: Sequence[Suspect]) -> Record:
    found = {
        "id": vector["id"],
        "kind": vector["kind"],
        "reading": vector["dialect"],
        "decidable": vector["decidable"],
        "must": vector["id"] in stock.must_pass,
        "parts": dict(_parts(stock, vector)),
    }
    if vector["kind"] == "run":
        given = {"loss": vector["loss"], "theta": numbers_of(vector, "theta").tolist()}
        found |= given | {"hyper": settings_of(vector), "iterations": vector["iterations"]}
    if vector["kind"] in COMPARED:
        found["suspects"] = _answers(as_played(stock, vector, numpy.zeros(_shape(vector))), vector, suspects)
    return found


def _shape(vector: Record) -> tuple[int, ...]:
    return numpy.shape(vector["expected"]["iterates"]["lower"])


def _terms(loss: Loss) -> list[Record]:
    """The terms of a loss with plain numbers."""

    def plain(value: Any) -> Any:
        return value if isinstance(value, str) else decode(value["bits"], FLOAT64).tolist()

    return [{name: plain(value) for name, value in term.items()} for term in described(loss)]


# --- the truth ------------------------------------------------------------------------------------------------------


def _parts(stock: VectorSet, vector: Record) -> Iterator[tuple[str, Record]]:
    """By the name of each part of an answer its shape, the truth as sums of two numbers, and the tolerance."""
    if vector["kind"] == "trajectory":
        arrays = stock.trajectory(vector)
        truth = arrays["theta"][1:].astype(float)
        yield "iterates", _part(truth, numpy.zeros_like(truth), arrays["tolerance"])
        return
    for name, expected in vector["expected"].items():
        exact = numpy.array(expected["decimal"], dtype=object)
        high = exact.astype(float)
        rest = [float(Fraction(text) - Fraction(x)) for text, x in zip(exact.flat, high.flat, strict=True)]
        yield name, _part(high, numpy.array(rest), decode(vector["tolerance"][name]["bits"], FLOAT64))


def _part(high: Floats, low: Floats, tolerance: Any) -> Record:
    allowed = numpy.broadcast_to(tolerance, high.shape)
    return {"shape": high.shape, "high": _packed(high), "low": _packed(low), "tolerance": _packed(allowed)}


def _packed(numbers: Any, dtype: str = "<f8") -> str:
    return b64encode(numpy.asarray(numbers).astype(dtype).tobytes()).decode()


# --- what known mistakes answer -------------------------------------------------------------------------------------


class _Answer(NamedTuple):
    """What a known mistake answers, flat."""

    floats: Floats
    shift: Floats | None = None  # of the true answer from that in floats; None where only floats can do it
    tolerance: Floats | None = None


def _answers(run: Played, vector: Record, suspects: Sequence[Suspect]) -> Mapping[str, str]:
    """A letter for each suspect, certified, floats or none, and the numbers of all of them one after another."""
    answers = [_answer(suspect, run, vector) for suspect in suspects]
    sure = [answer for answer in answers if answer and answer.shift is not None]
    return {
        "states": "".join("-" if a is None else "f" if a.shift is None else "c" for a in answers),
        "floats": _packed(numpy.concatenate([a.floats for a in answers if a] or [numpy.empty(0)])),
        "shifts": _halves([a.shift for a in sure], upward=False),
        "tolerances": _halves([a.tolerance for a in sure], upward=True),
    }


@numpy.errstate(all="ignore")
def _answer(suspect: Suspect, run: Played, vector: Record) -> _Answer | None:
    served = run.answers() if run.answers else run.loss
    try:
        floats = numpy.concatenate([theta.reshape(-1) for theta in floating(suspect.make, run, served)])
    except FAILURES:
        return None
    try:
        sure = list(certified(suspect.make, run, Formats(target_of(vector))))
    except FAILURES:
        return _Answer(floats)
    truth = numpy.concatenate([answer.value.reshape(-1) for answer in sure])
    with working_precision(256):
        shift = numpy.array([_shift(ball, x) for ball, x in zip(truth, floats, strict=True)])
    tolerance = numpy.concatenate([answer.tolerance.reshape(-1) for answer in sure])
    coarse = _half(shift, upward=False)
    allowed = numpy.nan_to_num(tolerance + numpy.abs(shift - coarse), nan=numpy.inf, posinf=numpy.inf)
    return _Answer(floats, shift, allowed)


def _shift(ball: Any, x: float) -> float:
    """How far the middle of a ball is from a number; 0 where neither is finite, NaN where one is."""
    if ball.is_finite() and numpy.isfinite(x):
        return float((ball - float(x)).mid())
    return numpy.nan if ball.is_finite() or numpy.isfinite(x) else 0.0


@numpy.errstate(over="ignore")
def _half(numbers: Floats, *, upward: bool) -> NDArray[numpy.float32]:
    """Numbers whose single-precision pattern has a lower half of zeros: the nearest, or for bounds the next above."""
    single = numpy.asarray(numbers).astype("<f4")
    bits = single.view("<u4").astype(numpy.uint64)
    held = (bits + (0x10001 if upward else 0x8000)) >> 16 << 16
    return numpy.where(numpy.isfinite(single), held, bits).astype("<u4").view("<f4")


def _halves(arrays: Sequence[Any], *, upward: bool) -> str:
    numbers = numpy.concatenate(arrays) if arrays else numpy.empty(0)
    return _packed(_half(numbers, upward=upward).view("<u4") >> 16, "<u2")
