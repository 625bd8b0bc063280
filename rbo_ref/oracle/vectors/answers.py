"""Judging a file of answers to vectors, from whatever language: nothing is run, nothing but the vectors is needed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.formats import Format, rounded
from rbo_ref._json import parsed_json
from rbo_ref._words import printable
from rbo_ref.oracle.bits import decode
from rbo_ref.oracle.report import Diagnosis, Result, verdict_of
from rbo_ref.oracle.vectors.linting import lint
from rbo_ref.oracle.vectors.naming import named
from rbo_ref.oracle.vectors.notation import FLOAT64, Record
from rbo_ref.oracle.vectors.reading import VectorError, VectorSet, target_of

__all__ = ["Judgement", "judge_answers", "verdict"]

Answer = dict[str, NDArray[Any]]
KEYS = ("optimizer", "dialect", "dtype")  # what a port claims by its answers


@dataclass
class Judgement:
    """The verdicts on a file of answers.

    Attributes
    ----------
    results : list of Result
        One for each line; `level` is the kind of the vector.
    vectors : int
        How many there are for the optimizers, dialects and dtypes that were answered.
    missing : list of str
        Must-pass vectors among them that were not answered.
    owed : list of str
        Those of them of a kind that was answered for the same optimizer, dialect and dtype: the file has broken off.
    verdict : "RIGHT", "WRONG", "INCOMPLETE" or "NOTHING DECIDED"
        INCOMPLETE where nothing is wrong, but something is owed.
    diagnosis : Diagnosis or None
        The known mistake that explains the wrong answers.

    Examples
    --------
    >>> Judgement([Result("rolling-ball.run.plane.authors.float64", "run", "pass", 1e-16, 4e-16, "")], vectors=1).passed
    True
    """

    results: list[Result] = field(default_factory=list)
    vectors: int = 0
    missing: list[str] = field(default_factory=list)
    owed: list[str] = field(default_factory=list)
    diagnosis: Diagnosis | None = None

    @property
    def failures(self) -> list[Result]:
        return [result for result in self.results if result.verdict == "fail"]

    @property
    def verdict(self) -> str:
        return verdict_of((result.verdict for result in self.results), len(self.owed))

    @property
    def passed(self) -> bool:
        """The verdict is RIGHT: nothing is wrong, something is right, and nothing is owed."""
        return self.verdict == "RIGHT"

    def to_json(self) -> str:
        """The verdicts as JSON text; numbers that JSON lacks (inf, nan) become null."""
        results = [{k: None if v in (numpy.inf, None) else v for k, v in asdict(r).items()} for r in self.results]
        record = {
            "passed": self.passed,
            "verdict": self.verdict,
            "vectors": self.vectors,
            "missing": self.missing,
            "owed": self.owed,
            "diagnosis": asdict(self.diagnosis) if self.diagnosis else None,
            "results": results,
        }
        return json.dumps(record, indent=1, allow_nan=False)

    def __str__(self) -> str:
        count = {kind: sum(r.verdict == kind for r in self.results) for kind in ("pass", "fail", "undecidable")}
        lines = [
            f"{self.verdict}: {len(self.results)} answers to {self.vectors} vectors: {count['pass']} right, "
            f"{count['fail']} wrong, {count['undecidable']} undecidable"
        ]
        if self.missing:
            some = self.owed or self.missing
            of_kinds = f", {len(self.owed)} of kinds that were answered" if self.owed else ", of other kinds"
            more = f" and {len(some) - 1} more" if len(some) > 1 else ""
            lines.append(f"must-pass vectors not answered: {len(self.missing)}{of_kinds}: {some[0]}{more}")
        if self.diagnosis:
            lines.append(f"diagnosis: {self.diagnosis}")
        lines += [f"FAIL {r.id}: {r.message}" for r in self.failures[:10]]
        hidden = len(self.failures) - 10
        return "\n".join([*lines, f"... and {hidden} more"] if hidden > 0 else lines)


def judge_answers(vectors: str | Path | VectorSet, answers: str | Path) -> Judgement:
    """Judge a file of answers, JSON Lines: ``{"id": ..., "iterates": [[...], ...]}``.

    An answer has the names of the vector's `expected` ("iterates" for a trajectory, "theta" for a footpoint), with
    numbers, or bit patterns in the vector's dtype, in lists of the same shape.

    Parameters
    ----------
    vectors : path or VectorSet
        A folder, or what `VectorSet.open` read from it, once for many files of answers.
    answers : path

    Raises
    ------
    VectorError
        If the folder is none of vectors, or `lint` finds a flaw in it. What is wrong with an answer is a verdict.
    OSError
        If the file of answers cannot be read.

    Examples
    --------
    >>> judge_answers("no such folder", "answers.jsonl")
    Traceback (most recent call last):
    ...
    rbo_ref.oracle.vectors.reading.VectorError: no such folder is no folder of vectors: ...
    """
    if isinstance(vectors, VectorSet):
        return _judged(vectors, Path(answers))
    stock = VectorSet.open(vectors)
    if flaws := lint(vectors).problems:  # though its checksums are right
        more = f" (and {len(flaws) - 1} more, see --lint)" if len(flaws) > 1 else ""
        raise VectorError(f"{vectors} is no set of vectors: {printable(flaws[0], 300)}{more}")
    return _judged(stock, Path(answers))


def _judged(stock: VectorSet, answers: Path) -> Judgement:
    judgement, read = Judgement(), dict[str, Answer]()
    for number, text in enumerate(answers.read_bytes().splitlines(), 1):
        if not text.strip():
            continue
        name = f"line {number}"
        try:
            name, answer = _read(text, stock, read)
            judgement.results.append(verdict(stock, name, answer))
            read[name] = answer
        except VectorError as error:
            judgement.results.append(Result(name, "answer", "fail", None, None, str(error)))
    claimed = {tuple(stock.vectors[name][key] for key in KEYS) for name in read}
    wanted = {name for name, vector in stock.vectors.items() if tuple(vector[key] for key in KEYS) in claimed}
    judgement.vectors, judgement.missing = len(wanted), sorted(wanted & stock.must_pass - read.keys())
    begun = {tuple(stock.vectors[name][key] for key in (*KEYS, "kind")) for name in read}
    judgement.owed = [n for n in judgement.missing if tuple(stock.vectors[n][key] for key in (*KEYS, "kind")) in begun]
    judgement.diagnosis = named(stock, read, judgement.results)
    return judgement


def _read(text: bytes, stock: VectorSet, read: Mapping[str, Answer]) -> tuple[str, Answer]:
    """The id of an answer, and its arrays."""
    try:
        record = parsed_json(text, beyond=True)  # NaN is a wrong answer, as infinity is
    except ValueError as error:
        raise VectorError(str(error)) from error
    if not isinstance(record, dict) or not isinstance(record.get("id"), str):
        raise VectorError("an answer is an object with an id, and the numbers by their names")
    vector = stock.vectors.get(record["id"])
    if vector is None:
        raise VectorError(f"there is no vector {record['id'][:100]!r}")
    if record["id"] in read:
        raise VectorError(f"{record['id']} is answered twice")
    shapes = _shapes(stock, vector)
    if record.keys() - {"id"} - shapes.keys() or len(record) < 2:
        raise VectorError(
            f"{record['id']}: expected {' or '.join(shapes)}, got {', '.join(record.keys() - {'id'}) or 'nothing'}"
        )
    return record["id"], {n: _numbers(n, record[n], shapes[n], target_of(vector)) for n in shapes if n in record}


def _shapes(stock: VectorSet, vector: Record) -> dict[str, tuple[int, ...]]:
    """What an answer to a vector contains."""
    if vector["kind"] == "trajectory":
        return {"iterates": stock.trajectory(vector)["tolerance"].shape}
    if vector["kind"] == "footpoint":
        return {"theta": numpy.shape(vector["expected"]["branches"][0]["lower"])}
    return {name: numpy.shape(expected["lower"]) for name, expected in vector["expected"].items()}


def _numbers(name: str, value: Any, shape: tuple[int, ...], target: Format) -> NDArray[Any]:
    """Nested lists of numbers, or of bit patterns, as an array of the format."""
    flat = list(_flat(value, shape))
    if None in flat:
        raise VectorError(f"{name}: expected lists of shape {shape}")
    if all(isinstance(x, str) for x in flat):
        try:
            return decode(flat, target).reshape(shape)
        except ValueError as error:
            raise VectorError(f"{name}: {error}") from error
    if not all(isinstance(x, int | float) and not isinstance(x, bool) for x in flat):
        raise VectorError(f"{name}: expected numbers, or bit patterns of {target.name}")
    return rounded(numpy.array([float(x) for x in flat]), target).reshape(shape)


def _flat(value: Any, shape: tuple[int, ...]) -> Iterator[Any]:
    """The entries of nested lists; None where they have another shape."""
    if not shape:
        yield None if isinstance(value, list) else value
    elif not isinstance(value, list) or len(value) != shape[0]:
        yield None
    else:
        for row in value:
            yield from _flat(row, shape[1:])


# --- comparison -----------------------------------------------------------------------------------------------------


def verdict(stock: VectorSet, name: str, answer: Answer) -> Result:
    """The verdict on an answer; an error beyond the tolerance is wrong even where one within it proves nothing."""
    vector = stock.vectors[name]
    wrong = {part: _error(stock, vector, part, numbers) for part, numbers in answer.items()}
    part, (ratio, error, tolerance) = max(wrong.items(), key=lambda item: item[1][0])
    if ratio <= 1:
        kind = "pass" if vector["decidable"] else "undecidable"
        return Result(name, vector["kind"], kind, error, tolerance, "")
    off = f"off by {ratio:.3g} times the tolerance" if numpy.isfinite(ratio) else "NaN or infinite"
    return Result(name, vector["kind"], "fail", error, tolerance, f"{part} is {off}")


Error = tuple[float, float, float]  # in tolerances, as it is, the tolerance


def _error(stock: VectorSet, vector: Record, part: str, numbers: NDArray[Any]) -> Error:
    if vector["kind"] == "trajectory":
        arrays = stock.trajectory(vector)
        return _worst(numbers, map(_exact, arrays["theta"][1:].reshape(-1)), arrays["tolerance"])
    tolerance = decode(vector["tolerance"][part]["bits"], FLOAT64)
    if vector["kind"] == "footpoint":
        branches = (branch["decimal"] for branch in vector["expected"]["branches"])
        return min(_worst(numbers, map(Fraction, texts), tolerance) for texts in branches)
    texts = numpy.array(vector["expected"][part]["decimal"], dtype=object)
    return _worst(numbers, map(Fraction, texts.reshape(-1)), tolerance)


def _worst(numbers: NDArray[Any], truths: Iterator[Fraction], tolerance: NDArray[Any]) -> Error:
    """Of the entry that is farthest off in tolerances."""
    bounds = numpy.broadcast_to(tolerance, numbers.shape).reshape(-1).tolist()
    errors = [
        float(abs(_exact(x) - truth)) if numpy.isfinite(x) else numpy.inf
        for x, truth in zip(numbers.reshape(-1), truths, strict=True)
    ]
    return max((_ratio(error, bound), error, bound) for error, bound in zip(errors, bounds, strict=True))


def _ratio(error: float, tolerance: float) -> float:
    if not numpy.isfinite(tolerance):
        return 0.0
    return error / tolerance if tolerance else numpy.inf * error


def _exact(number: Any) -> Fraction:
    return Fraction(*number.as_integer_ratio())
