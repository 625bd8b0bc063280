"""Which known mistake reproduces wrong answers?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from rbo_ref.oracle import dialects, optimizers
from rbo_ref.oracle.bits import decode
from rbo_ref.oracle.matrix import catalogue
from rbo_ref.oracle.report import Diagnosis, Result
from rbo_ref.oracle.suite import ROLLING_BALL
from rbo_ref.oracle.vectors.numbers import FLOAT64, Record
from rbo_ref.oracle.vectors.play import Answer, answer_of, right_port
from rbo_ref.oracle.vectors.reading import VectorSet

__all__ = ["Suspect", "named"]

SLACK = 20.0  # a mistake may amplify rounding more than the right step does
NEEDED = 0.9  # share of the answers that a mistake has to reproduce
ANSWERS = 6  # of either verdict, that it has to reproduce
PLAYED = ("run", "scripted", "trajectory")


class Suspect(NamedTuple):
    """What a port may be."""

    name: str
    description: str
    port: Any
    reading: Record  # the dialect, where it is another one


def named(stock: VectorSet, answers: Mapping[str, Answer], results: Sequence[Result]) -> Diagnosis | None:
    """The mistake, or the other reading of the paper, that explains wrong answers of one optimizer."""
    told = [r for r in results if r.id in answers and _is_played(stock.vectors[r.id])]
    wrong = [r.id for r in told if r.verdict == "fail"][:ANSWERS]
    chosen = wrong + [r.id for r in told if r.verdict == "pass"][:ANSWERS]
    if not wrong or len({stock.vectors[name]["optimizer"] for name in chosen}) > 1:
        return None
    first = stock.vectors[wrong[0]]
    for suspect in _suspects(first["optimizer"], first["dialect"]):
        hits = sum(_reproduces(stock, stock.vectors[name], suspect, answers[name]) for name in chosen)
        if hits >= NEEDED * len(chosen):
            return Diagnosis(suspect.name, suspect.description, f"it reproduces {hits} of {len(chosen)} of the answers")
    return None


def _is_played(vector: Record) -> bool:
    """Whether our own ports can answer it: NumPy has no bfloat16."""
    return vector["kind"] in PLAYED and vector["dtype"] != "bfloat16"


def _suspects(optimizer: str, dialect: str) -> Iterator[Suspect]:
    """The other dialects first, then the catalogue."""
    for other in dialects.DIALECTS if optimizer == ROLLING_BALL else optimizers.DIALECTS[optimizer]:
        if other != dialect:
            yield Suspect(f"dialect-{other}", "another reading of the paper", right_port(optimizer), {"dialect": other})
    for name, port in catalogue(optimizer).items():
        yield Suspect(name, port.description, port, {})


def _reproduces(stock: VectorSet, vector: Record, suspect: Suspect, answer: Answer) -> bool:
    try:
        twin = answer_of(
            vector | suspect.reading, stock.loss(vector), suspect.port, stock.trajectory(vector).get("theta")
        )
    except Exception:  # a wrong port may fail in any way
        return False
    one, other = (found["iterates"].astype(float) for found in (twin, answer))
    with numpy.errstate(all="ignore"):
        return bool((numpy.abs(one - other) <= SLACK * _tolerance(stock, vector)).all())


def _tolerance(stock: VectorSet, vector: Record) -> NDArray[numpy.float64]:
    """The tolerances of the iterates of a run."""
    if vector["kind"] == "trajectory":
        return stock.trajectory(vector)["tolerance"]
    return decode(vector["tolerance"]["iterates"]["bits"], FLOAT64)
