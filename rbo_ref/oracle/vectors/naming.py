"""Which known mistake reproduces wrong answers?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from rbo_ref.oracle.bits import decode
from rbo_ref.oracle.catalogue import catalogue, right_port
from rbo_ref.oracle.dialects import READINGS
from rbo_ref.oracle.report import Diagnosis, Result
from rbo_ref.oracle.reproduction import Reproduction, spread
from rbo_ref.oracle.vectors.numbers import FLOAT64, Record
from rbo_ref.oracle.vectors.play import Answer, answer_of
from rbo_ref.oracle.vectors.reading import VectorSet

__all__ = ["Suspect", "named"]

SLACK = 20.0  # a mistake may amplify rounding more than the right step does
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
    wrong, right = (_examples(r for r in told if r.verdict == verdict) for verdict in ("fail", "pass"))
    if not wrong or len({stock.vectors[name]["optimizer"] for name in wrong + right}) > 1:
        return None
    first, found = stock.vectors[wrong[0]], []
    for suspect in _suspects(first["optimizer"], first["dialect"]):
        reproduction = Reproduction()
        for name in wrong + right:
            distance = _distance(stock, stock.vectors[name], suspect, answers[name])
            reproduction.add(name in wrong, distance, SLACK)
            if reproduction.is_hopeless(len(wrong), len(right)):
                break
        if reproduction.is_evidence:
            found.append((reproduction, suspect))
    if not found:
        return None
    best, suspect = max(found, key=lambda pair: pair[0].fit)
    return Diagnosis(suspect.name, suspect.description, f"it reproduces {best.counts('answer')}")


def _examples(results: Iterable[Result]) -> list[str]:
    """Ids of answers of different kinds, cases and formats, the worst and the mildest among them."""

    def family(result: Result) -> tuple[str, str]:
        parts = result.id.split(".")
        return parts[1], parts[2].partition("-")[0]

    return [result.id for result in spread(results, family, lambda result: result.ratio or 0.0)]


def _is_played(vector: Record) -> bool:
    """Whether our own ports can answer it: NumPy has no bfloat16."""
    return vector["kind"] in PLAYED and vector["dtype"] != "bfloat16"


def _suspects(optimizer: str, dialect: str) -> Iterator[Suspect]:
    """The other dialects first, then the catalogue."""
    for other in READINGS[optimizer]:
        if other != dialect:
            yield Suspect(f"dialect-{other}", "another reading of the paper", right_port(optimizer), {"dialect": other})
    for name, port in catalogue(optimizer).items():
        yield Suspect(name, port.description, port, {})


def _distance(stock: VectorSet, vector: Record, suspect: Suspect, answer: Answer) -> float:
    """How far the answer of a suspect is from that of the port, in tolerances; NaN agrees with NaN."""
    try:
        twin = answer_of(
            vector | suspect.reading, stock.loss(vector), suspect.port, stock.trajectory(vector).get("theta")
        )
    except Exception:  # a wrong port may fail in any way
        return numpy.inf
    one, other = (found["iterates"].astype(float) for found in (twin, answer))
    with numpy.errstate(all="ignore"):
        apart = numpy.abs(one - other) / _tolerance(stock, vector)
    same = (one == other) | (numpy.isnan(one) & numpy.isnan(other))
    return float(numpy.nan_to_num(numpy.where(same, 0.0, apart), nan=numpy.inf).max())


def _tolerance(stock: VectorSet, vector: Record) -> NDArray[numpy.float64]:
    """The tolerances of the iterates of a run."""
    if vector["kind"] == "trajectory":
        return stock.trajectory(vector)["tolerance"]
    return decode(vector["tolerance"]["iterates"]["bits"], FLOAT64)
