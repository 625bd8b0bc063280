"""The set of vectors: what its files contain, and writing them, the same to the bit wherever and whenever."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from geometry._files import write_whole
from rbo_ref.oracle.catalogue import catalogue
from rbo_ref.oracle.dialects import OPTIMIZERS, ROLLING_BALL
from rbo_ref.oracle.hunters import flags
from rbo_ref.oracle.losses import Loss
from rbo_ref.oracle.suite import frozen
from rbo_ref.oracle.vectors.footpoints import FOOTPOINT, LOCAL, MEDIAL, footpoint_vectors
from rbo_ref.oracle.vectors.loss_records import described, dimension, name_of
from rbo_ref.oracle.vectors.notation import Record
from rbo_ref.oracle.vectors.quantities import quantity_vectors
from rbo_ref.oracle.vectors.reading import ARRAYS, LOSSES, MANIFEST, NOTES, PASSED, SCHEMAS
from rbo_ref.oracle.vectors.runs import run_vectors
from rbo_ref.oracle.vectors.trajectories import trajectory_vectors

__all__ = [
    "FORMAT",
    "HUNTS",
    "MUST_PASS",
    "SUITE",
    "VECTORS",
    "contents",
    "generate",
    "line",
    "names",
    "notes",
    "npz",
    "packed",
    "vectors",
]

SUITE: str = frozen()["vectors"]
"""Version of the vectors, not of the package. A vector keeps its meaning within a major version."""
FORMAT = 1
"""Version of the schemas."""
MUST_PASS = Path(__file__).with_name("must_pass.txt")
HUNTS = Path(__file__).with_name("hunts.txt")
Arrays = dict[str, NDArray[Any]]


def generate(folder: str | Path, progress: Callable[[int], Any] | None = None) -> dict[str, int]:
    """Write the set into a folder.

    Parameters
    ----------
    folder : path
        Made if it is not there. Files of an earlier set are replaced.
    progress : callable, optional
        Called with the number of vectors made so far.

    Returns
    -------
    dict
        How many vectors each file has.

    Raises
    ------
    FileExistsError
        If the folder holds anything else.

    Examples
    --------
    ``generate("vectors")`` takes half a minute. A folder of anything else is left alone:

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "thesis.tex").touch()
    ...     generate(folder)
    Traceback (most recent call last):
    ...
    FileExistsError: ... holds 'thesis.tex', which is not of a set of vectors: give an empty folder
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    foreign = sorted({path.name for path in folder.iterdir()} - names())
    if foreign:
        raise FileExistsError(f"{folder} holds {foreign[0]!r}, which is not of a set of vectors: give an empty folder")
    made = contents(progress)
    for name, content in made.items():
        write_whole(folder / name, content)  # the manifest last: without it they are no set
    return {name: made[name].count(b"\n") for name in made if name in VECTORS}


VECTORS = tuple(f"{optimizer}.jsonl" for optimizer in (*OPTIMIZERS, FOOTPOINT))
COPIED = ("vector", "loss", "notes", "manifest")  # schemas


def names() -> set[str]:
    """The files of a set."""
    return {*VECTORS, LOSSES, NOTES, MANIFEST, PASSED, ARRAYS, *(f"{name}.schema.json" for name in COPIED)}


def contents(progress: Callable[[int], Any] | None = None) -> dict[str, bytes]:
    """The files of the set by name."""
    return packed(*vectors(progress), MUST_PASS.read_text(encoding="utf-8"))


def packed(records: list[Record], losses: Mapping[str, Loss], arrays: Arrays, must_pass: str) -> dict[str, bytes]:
    """The files of some vectors by name."""
    files = {
        name: "".join(line(record) for record in sorted(records, key=_id) if f"{record['optimizer']}.jsonl" == name)
        for name in VECTORS
    }
    files[LOSSES] = "".join(line(_loss(losses[name])) for name in sorted(losses))
    files[NOTES] = json.dumps(notes(records), indent=1) + "\n"
    files[PASSED] = must_pass
    files |= {f"{name}.schema.json": (SCHEMAS / f"{name}.json").read_text(encoding="utf-8") for name in COPIED}
    made = {name: text.encode() for name, text in files.items()} | {ARRAYS: npz(arrays)}
    return made | {MANIFEST: (json.dumps(_manifest(made), indent=1) + "\n").encode()}


def vectors(
    progress: Callable[[int], Any] | None = None, optimizers: Sequence[str] = OPTIMIZERS
) -> tuple[list[Record], dict[str, Loss], Arrays]:
    """The vectors of some optimizers, their losses by name, and the arrays of trajectories."""
    records: list[Record] = []
    losses: dict[str, Loss] = {}
    arrays: Arrays = {}
    for record, loss, more in _made(optimizers):
        records.append({"id": record["id"], "flags": list(flags(HUNTS).get(record["id"], ()))} | record)
        losses |= {record["loss"]: loss} if "loss" in record else {}
        arrays |= more
        if progress is not None:
            progress(len(records))
    return records, losses, arrays


def _made(optimizers: Sequence[str]) -> Iterator[tuple[Record, Loss, Arrays]]:
    of_the_ball = (quantity_vectors(), footpoint_vectors()) if ROLLING_BALL in optimizers else ()
    for drafts in (*of_the_ball, run_vectors(optimizers)):
        yield from ((record, loss, {}) for record, loss in drafts)
    if of_the_ball:
        yield from trajectory_vectors()


def _id(record: Record) -> str:
    return str(record["id"])


def line(record: Record) -> str:
    """A record on a line, in the only way to write it."""
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False) + "\n"


def _loss(loss: Loss) -> Record:
    return {"id": name_of(loss), "dimension": dimension(loss), "terms": described(loss)}


def _manifest(files: Mapping[str, bytes]) -> Record:
    def entry(name: str, content: bytes) -> Record:
        lines = {"lines": content.count(b"\n")} if name.endswith(".jsonl") else {}
        return {"path": name, "bytes": len(content)} | lines | {"sha256": sha256(content).hexdigest()}

    return {"suite": SUITE, "format": FORMAT, "files": [entry(name, files[name]) for name in sorted(files)]}


def npz(arrays: Arrays) -> bytes:
    """Arrays as an NPZ file without times and pickles, little end first.

    Examples
    --------
    >>> numpy.load(io.BytesIO(npz({"a": numpy.zeros(2)})), allow_pickle=False)["a"]
    array([0., 0.])
    """
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(arrays):
            member = zipfile.ZipInfo(f"{name}.npy")  # dated 1980
            member.create_system, member.external_attr = 3, 0o644 << 16
            content, array = io.BytesIO(), arrays[name]
            numpy.lib.format.write_array(content, array.astype(array.dtype.newbyteorder("<")), version=(1, 0))
            archive.writestr(member, content.getvalue())
    return file.getvalue()


# --- notes ----------------------------------------------------------------------------------------------------------

MEANINGS = {
    MEDIAL: "There are several nearest points: a port may return any, but not what lies between them",
    LOCAL: "The distance has other local minima: a solver that goes downhill from below the query may end in one",
}


def notes(records: Iterable[Record]) -> Record:
    """What each flag means, and which vectors have it."""
    flagged: dict[str, list[str]] = {}
    for record in records:
        for flag in record["flags"]:
            flagged.setdefault(flag, []).append(record["id"])
    meanings = {**MEANINGS, **_mistakes()}
    return {flag: {"description": meanings[flag], "vectors": sorted(flagged[flag])} for flag in sorted(flagged)}


def _mistakes() -> dict[str, str]:
    """What goes wrong, by flag: the optimizer and the name in the catalogue of mistakes."""
    return {f"{o}.{name}": cls.description for o in OPTIMIZERS for name, cls in catalogue(o).items()}
