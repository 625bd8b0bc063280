"""What is on disk while a comparison runs: an outcome for every finished run, the progress of every other.

Files are written beside their place and then moved there, so that whenever the command is killed each is there as a
whole or not at all. Each has a checksum of its contents and of all that its run depends on. A file that was changed, or
cannot be read, counts as missing, which is told: its run is made again.
"""

from __future__ import annotations

import io
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import numpy

from benchmarks.training.course import Mark, Outcome, Progress, Run
from benchmarks.training.errors import TrainingError
from geometry._files import write_whole
from geometry._namespace import array_namespace, device_of, is_array_api_obj, to_numpy
from rbo_ref._json import parsed_json
from rbo_ref._npy import read_archive
from rbo_ref._words import printable, text_of

__all__ = ["Records", "write"]

LARGEST = 2**33  # bytes, of the progress of a run
Loaded = TypeVar("Loaded")


class Records:
    """The outcomes and the progress of runs, in a folder.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrainingError(f"cannot make the folder {folder}: {error.strerror}") from error

    def load_outcome(self, run: Run) -> Outcome | None:
        """What came of a run, if it is finished."""
        return self._load(run, "json", _outcome)

    def _load(self, run: Run, suffix: str, read: Callable[[bytes, Run], Loaded]) -> Loaded | None:
        """What a file holds; of one that is damaged we tell, and it counts as missing."""
        path = self._path(run, suffix)
        try:
            return read(path.read_bytes(), run)
        except FileNotFoundError:
            return None
        except Exception as error:  # a damaged file may make json, zipfile and NumPy raise anything
            told = f"{path} is damaged, its run is made again: {text_of(error)[:200]}"
            print(f"training: {printable(told)}", file=sys.stderr)
            return None

    def save_outcome(self, run: Run, outcome: Outcome) -> None:
        """Keep what came of a run, and forget its progress."""
        marks = [[x if math.isfinite(x) else None for x in mark] for mark in outcome.marks]
        record: dict[str, Any] = {"run": asdict(run)} | outcome._asdict() | {"marks": marks}
        record["checksum"] = _checksum(json.dumps(record, sort_keys=True).encode())
        write(self._path(run, "json"), json.dumps(record, allow_nan=False).encode())
        self._path(run, "npz").unlink(missing_ok=True)

    def load_progress(self, run: Run, start: Progress) -> Progress | None:
        """Where a run stands, in the arrays and the structure of where it started; None if it has not begun."""
        return self._load(run, "npz", lambda content, run: _progress(content, run, start))

    def save_progress(self, run: Run, progress: Progress) -> None:
        """Keep where a run stands."""
        arrays = {f"state{i}": leaf for i, leaf in enumerate(_leaves(progress.state))}
        arrays |= {name: numpy.array(getattr(progress, name)) for name in ("steps", "evaluations", "seconds", "marks")}
        arrays["theta"] = to_numpy(progress.theta)
        body = io.BytesIO()
        numpy.savez(body, checksum=numpy.array(_checksum_of(run, arrays)), **arrays)  # type: ignore[arg-type]
        write(self._path(run, "npz"), body.getvalue())

    def _path(self, run: Run, suffix: str) -> Path:
        return self._folder / f"{run.name}.{suffix}"


def write(path: Path, content: bytes) -> None:
    """Write a file that is there as a whole or not at all."""
    try:
        write_whole(path, content)
    except OSError as error:
        raise TrainingError(f"cannot write {path}: {error.strerror}") from error


def _outcome(content: bytes, run: Run) -> Outcome:
    """The outcome in a record of a run."""
    record = parsed_json(content)
    if record.pop("checksum") != _checksum(json.dumps(record, sort_keys=True).encode()):
        raise ValueError("the checksum is that of something else")
    if record["run"] != json.loads(json.dumps(asdict(run))):
        raise ValueError("it is of another run")
    marks = tuple(Mark._make(math.inf if x is None else x for x in mark) for mark in record["marks"])
    return Outcome(marks, record["steps"], record["evaluations"], record["diverged"])


def _progress(content: bytes, run: Run, start: Progress) -> Progress:
    """The progress of a run, in the arrays and the structure of where it started."""
    arrays = read_archive(content, LARGEST)
    if str(arrays.pop("checksum")) != _checksum_of(run, arrays):
        raise ValueError("the checksum is that of something else, or of another run")
    parts = iter([arrays[f"state{i}"] for i in range(len(_leaves(start.state)))])
    progress = Progress(
        _like(start.theta, arrays["theta"]),
        _restored(start.state, parts),
        _count(arrays["steps"]),
        _count(arrays["evaluations"]),
        float(arrays["seconds"]),
        tuple(Mark(_count(mark[0]), *(float(x) for x in mark[1:])) for mark in arrays["marks"]),
    )
    if not (progress.marks and progress.seconds >= 0 and numpy.isfinite(to_numpy(progress.theta)).all()):
        raise ValueError("such progress cannot be")
    return progress


def _checksum_of(run: Run, arrays: Mapping[str, numpy.ndarray]) -> str:
    """Of the progress of a run, whatever order its arrays have."""
    parts = [json.dumps(asdict(run), sort_keys=True).encode()]
    for name in sorted(arrays):
        array = numpy.asarray(arrays[name])
        parts.append(f"{name} {array.dtype.str} {array.shape}\n".encode() + array.tobytes())
    return _checksum(*parts)


def _checksum(*parts: bytes) -> str:
    return sha256(b"".join(parts)).hexdigest()


def _count(number: numpy.ndarray) -> int:
    """A whole number that is not negative."""
    if not (number.ndim == 0 and number >= 0 and int(number) == number):
        raise ValueError(f"expected a count, got {number}")
    return int(number)


# States: nested tuples and lists of arrays and numbers. Where None stands there is nothing to keep.


def _leaves(state: Any) -> list[numpy.ndarray]:
    if state is None:
        return []
    if isinstance(state, list | tuple):
        return [leaf for part in state for leaf in _leaves(part)]
    return [to_numpy(state) if is_array_api_obj(state) else numpy.asarray(state)]


def _restored(template: Any, leaves: Iterator[numpy.ndarray]) -> Any:
    """The structure of `template`, with other leaves."""
    if template is None:
        return None
    if isinstance(template, list | tuple):
        parts = [_restored(part, leaves) for part in template]
        return type(template)(*parts) if hasattr(template, "_fields") else type(template)(parts)
    return _like(template, next(leaves))


def _like(template: Any, values: numpy.ndarray) -> Any:
    """The values in the library, dtype and device of `template`, and in its shape."""
    if values.shape != tuple(numpy.shape(template)):
        raise ValueError(f"expected numbers of shape {numpy.shape(template)}, got {values.shape}")
    if not is_array_api_obj(template):
        return type(template)(values)
    xp = array_namespace(template)
    return xp.asarray(values, dtype=template.dtype, device=device_of(template))
