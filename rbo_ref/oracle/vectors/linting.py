"""`lint`: is a folder of vectors what it claims to be?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from rbo_ref._words import quoted
from rbo_ref.oracle.vectors.checks import flawed_loss, flawed_vector
from rbo_ref.oracle.vectors.generation import VECTORS, line, names
from rbo_ref.oracle.vectors.notation import Record
from rbo_ref.oracle.vectors.reading import (
    ARRAYS,
    LOSSES,
    MANIFEST,
    NOTES,
    PASSED,
    VectorError,
    numbers_of,
    parsed,
    read_arrays,
)

__all__ = ["Linted", "lint"]


@dataclass
class Linted:
    """What was found.

    Attributes
    ----------
    vectors : int
        How many were read and checked.
    problems : list of str
        Each with the file, and the line where there is one.

    Examples
    --------
    >>> found = Linted()
    >>> found.add("adam.jsonl:3", "not JSON")
    >>> found.problems
    ['adam.jsonl:3: not JSON']
    """

    vectors: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, place: str, flaw: str) -> None:
        """Enter a problem."""
        self.problems.append(f"{place}: {flaw}")


def lint(folder: str | Path) -> Linted:
    """Check a folder of vectors: schemas, ids, checksums, bits against decimals, enclosures, flags, the must-pass list.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     "manifest.json: missing" in lint(folder).problems
    True
    """
    folder, found = Path(folder), Linted()
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {folder}")
    present = {path.name: path for path in sorted(folder.iterdir())}
    for name in sorted(names() - present.keys()):
        found.add(name, "missing")
    for name in sorted(present.keys() - names()):
        found.add("unknown file", quoted(name))
    files = {name: path.read_bytes() for name, path in present.items() if name in names() and path.is_file()}
    _lint_manifest(files, found)
    dimensions = {loss["id"]: loss["dimension"] for loss in _lines(LOSSES, "loss", files, found, flawed_loss)}
    vectors = [vector for name in VECTORS for vector in _vectors(name, dimensions, files, found)]
    found.vectors = len(vectors)
    _lint_flags(vectors, files, found)
    _lint_passed(vectors, files, found)
    _lint_arrays(vectors, files, found)
    return found


Files = Mapping[str, bytes]


def _lint_manifest(files: Files, found: Linted) -> None:
    if MANIFEST not in files:
        return
    try:
        entries = {entry["path"]: entry for entry in parsed(files[MANIFEST], "manifest")["files"]}
    except VectorError as error:
        found.add(MANIFEST, str(error))
        return
    for name in sorted(entries.keys() - files.keys()):
        found.add(MANIFEST, f"lists {name}, which is not there")
    for name, content in files.items():
        entry = entries.get(name)
        if entry is None and name != MANIFEST:
            found.add(MANIFEST, f"does not list {name}")
        elif entry is not None and entry["sha256"] != sha256(content).hexdigest():
            found.add(name, "the checksum is not that of the manifest")
        elif entry is not None and entry["bytes"] != len(content):
            found.add(name, "has not as many bytes as the manifest says")


def _lines(name: str, schema: str, files: Files, found: Linted, flaws: Any) -> Iterator[Record]:
    """The records of a file that can be read, in order; what is wrong is entered."""
    last = ""
    for number, text in enumerate(files.get(name, b"").splitlines(keepends=True), 1):
        place = f"{name}:{number}"
        try:
            record = parsed(text, schema)
        except VectorError as error:
            found.add(place, str(error))
            continue
        for flaw in flaws(record):
            found.add(place, flaw)
        if line(record).encode("utf-8", "surrogatepass") != text:
            found.add(place, "not written in the canonical way")
        if record["id"] <= last:
            found.add(place, f"id {record['id']!r} is there twice, or not in order")
        last = record["id"]
        yield record


def _vectors(name: str, dimensions: Mapping[str, int], files: Files, found: Linted) -> Iterator[Record]:
    for vector in _lines(name, "vector", files, found, lambda vector: flawed_vector(vector, dimensions)):
        if f"{vector['optimizer']}.jsonl" != name:
            found.add(name, f"{vector['id']} belongs into {vector['optimizer']}.jsonl")
        yield vector


def _lint_flags(vectors: list[Record], files: Files, found: Linted) -> None:
    """Flags and notes name the same, and every flag has two vectors."""
    if NOTES not in files:
        return
    try:
        notes = parsed(files[NOTES], "notes")
    except VectorError as error:
        found.add(NOTES, str(error))
        return
    flagged: dict[str, set[str]] = {}
    for vector in vectors:
        for flag in vector["flags"]:
            flagged.setdefault(flag, set()).add(vector["id"])
    for flag in sorted(flagged.keys() | notes.keys()):
        if set(notes.get(flag, {}).get("vectors", ())) != flagged.get(flag, set()):
            found.add(NOTES, f"{flag!r} does not list the vectors that have this flag")
        elif len(flagged[flag]) < 2:
            found.add(NOTES, f"{flag!r} has one vector only")


def _lint_passed(vectors: list[Record], files: Files, found: Linted) -> None:
    """The must-pass list names vectors that are there, and decidable."""
    decidable = {vector["id"]: vector["decidable"] for vector in vectors}
    for number, text in enumerate(files.get(PASSED, b"").decode(errors="replace").splitlines(), 1):
        if not decidable.get(text):
            found.add(f"{PASSED}:{number}", f"{text!r} is not the id of a decidable vector")


def _lint_arrays(vectors: list[Record], files: Files, found: Linted) -> None:
    """Every trajectory has its arrays, of the right shapes and dtypes."""
    arrays: Mapping[str, NDArray[Any]] = {}
    if ARRAYS in files:
        try:
            arrays = read_arrays(files[ARRAYS])
        except VectorError as error:
            found.add(ARRAYS, str(error))
    for vector in vectors:
        if vector["kind"] == "trajectory":
            flaw = _flawed_arrays(vector, arrays)
            if flaw:
                found.add(ARRAYS, f"{vector['id']}: {flaw}")


def _flawed_arrays(vector: Record, arrays: Mapping[str, NDArray[Any]]) -> str | None:
    theta, tolerance = (arrays.get(vector["arrays"][name]) for name in ("theta", "tolerance"))
    if theta is None or tolerance is None:
        return "its arrays are missing"
    start, steps = numbers_of(vector, "theta"), vector["iterations"]
    if theta.dtype != start.dtype or theta.shape != (steps + 1, *start.shape):
        return f"theta is {theta.dtype} of shape {theta.shape}, expected {start.dtype} of {(steps + 1, *start.shape)}"
    if tolerance.dtype != numpy.float64 or tolerance.shape != (steps, *start.shape):
        return f"tolerance is {tolerance.dtype} of shape {tolerance.shape}, expected float64 of {(steps, *start.shape)}"
    if not (theta[0] == start).all() or not (numpy.isfinite(theta).all() and (tolerance > 0).all()):
        return "the trajectory does not start at theta, or has numbers that cannot be"
    return None
