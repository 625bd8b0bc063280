"""Reading vectors: every line that is not one is told in a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from geometry.arithmetic.formats import Format, format_of
from rbo_ref._json import parsed_json
from rbo_ref._npy import read_archive
from rbo_ref._words import Quoting
from rbo_ref.oracle.bits import decode
from rbo_ref.oracle.losses import Loss
from rbo_ref.oracle.vectors.loss_records import loss_of
from rbo_ref.oracle.vectors.notation import FLOAT64, Record

__all__ = [
    "ARRAYS",
    "LOSSES",
    "MANIFEST",
    "NOTES",
    "PASSED",
    "SCHEMAS",
    "VectorError",
    "VectorSet",
    "numbers_of",
    "parsed",
    "read_arrays",
    "read_vector",
    "settings_of",
    "target_of",
    "validator",
]

ARRAYS = "trajectories.npz"
LOSSES = "losses.jsonl"
MANIFEST = "manifest.json"
NOTES = "notes.json"
PASSED = "must_pass.txt"
LARGEST = 2**28  # bytes, of all arrays
SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"


class VectorError(Quoting, ValueError):
    """What is wrong with a file of vectors, in a sentence."""


@cache
def validator(schema: str) -> Callable[[Any], Any]:
    """The compiled schema of a name: vector, loss or manifest."""
    import fastjsonschema

    definition = json.loads((SCHEMAS / f"{schema}.json").read_text(encoding="utf-8"))
    return fastjsonschema.compile(definition)


def parsed(text: bytes | str, schema: str) -> Record:
    """The JSON object of a line or a file.

    Raises
    ------
    VectorError
        If it is not JSON, or not as the schema says.
    """
    import fastjsonschema

    try:
        record = parsed_json(text)
    except ValueError as error:
        raise VectorError(str(error)) from error
    try:
        validator(schema)(record)
    except fastjsonschema.JsonSchemaException as error:
        raise VectorError(f"not as the schema says: {_short(str(error))}") from error
    except RecursionError as error:
        raise VectorError("not as the schema says: nested too deeply") from error
    return record


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 200 else text[:200] + " ..."


def read_vector(text: bytes | str) -> Record:
    """The vector of a line.

    Raises
    ------
    VectorError
        If it is none.

    Examples
    --------
    >>> read_vector('{"id": 3}')
    Traceback (most recent call last):
    ...
    rbo_ref.oracle.vectors.reading.VectorError: not as the schema says: data must contain [...] properties
    """
    return parsed(text, "vector")


def target_of(vector: Record) -> Format:
    """The format of a vector's numbers."""
    return format_of(vector["dtype"])


def numbers_of(vector: Record, name: str) -> NDArray[Any]:
    """Numbers that a vector contains, in its dtype."""
    return decode(vector[name]["bits"], target_of(vector))


def settings_of(vector: Record) -> list[dict[str, Any]]:
    """The hyper-parameters, one mapping for each step of a schedule."""
    return [{name: _setting(value) for name, value in hyper.items()} for hyper in vector["hyper"]]


def _setting(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    numbers = decode(value["bits"], FLOAT64)
    return tuple(numbers.tolist()) if numbers.ndim else float(numbers)


def read_arrays(content: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of an NPZ file, none of them pickled.

    Raises
    ------
    VectorError
        If it is no such file.
    """
    try:
        return read_archive(content, LARGEST)
    except ValueError as error:
        raise VectorError(str(error)) from error


@dataclass(frozen=True)
class VectorSet:
    """A folder of vectors, with its checksums verified.

    Attributes
    ----------
    vectors : dict
        By id.
    losses : dict of Loss
        By id.
    arrays : dict
        Of trajectories.
    must_pass : frozenset
        Ids.

    Examples
    --------
    >>> VectorSet({}, {}, {}, frozenset()).loss({"id": "without a loss"}) is None
    True
    """

    vectors: dict[str, Record]
    losses: dict[str, Loss]
    arrays: dict[str, NDArray[Any]]
    must_pass: frozenset[str]

    @classmethod
    def open(cls, folder: str | Path) -> VectorSet:
        """Read a folder.

        Raises
        ------
        VectorError
            If it is none, or was changed since it was written.
        """
        files = dict(_verified(Path(folder)))
        records = [
            record for name, content in files.items() if name.endswith(".jsonl") for record in _read(name, content)
        ]
        arrays = [read_arrays(content) for name, content in files.items() if name.endswith(".npz")]
        return cls(
            {record["id"]: record for record in records if "kind" in record},
            {record["id"]: loss_of(record["terms"]) for record in records if "terms" in record},
            {name: array for some in arrays for name, array in some.items()},
            frozenset(files.get(PASSED, b"").decode(errors="replace").split()),
        )

    def loss(self, vector: Record) -> Loss | None:
        """The loss that a vector names."""
        return self.losses[vector["loss"]] if "loss" in vector else None

    def trajectory(self, vector: Record) -> dict[str, NDArray[Any]]:
        """The arrays of a vector: theta, one row more than steps, and tolerance; none if it has no arrays."""
        names = vector.get("arrays", {})
        return {name: self.arrays[names[name]] for name in ("theta", "tolerance") if names}


def _read(name: str, content: bytes) -> Iterator[Record]:
    """The records of a file of lines."""
    for number, text in enumerate(content.splitlines(), 1):
        try:
            yield parsed(text, "loss" if name == LOSSES else "vector")
        except VectorError as error:
            raise VectorError(f"{name}:{number}: {error}") from error


def _verified(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The files of a manifest, each with its checksum."""
    try:
        manifest = parsed((folder / MANIFEST).read_bytes(), "manifest")
        for entry in manifest["files"]:
            content = (folder / entry["path"]).read_bytes()
            if sha256(content).hexdigest() != entry["sha256"]:
                raise VectorError(f"{folder / entry['path']} was changed: write the vectors again, or see --lint")
            yield entry["path"], content
    except OSError as error:
        raise VectorError(
            f"{folder} is no folder of vectors: cannot read {error.filename}: {error.strerror}"
        ) from error
