"""Recordings in files: NPZ without pickles, CSV, JSON Lines. Read row by row, however long they are."""

from __future__ import annotations

import csv
import json
import os
import tempfile
import weakref
import zipfile
import zlib
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy
from numpy.typing import NDArray

from geometry._files import whole_file
from rbo_ref._json import parsed_json
from rbo_ref._npy import array_header
from rbo_ref.oracle.replay.recording import FIELDS, Recording, RecordingError, Rows, filled
from rbo_ref.oracle.replay.text_files import open_csv, open_json_lines, write_csv, write_json_lines

__all__ = ["open_recording", "save_recording"]

LONGEST_METADATA = 2**20  # bytes
LONGEST_PIPE = 2**30


def open_recording(path: str | Path) -> Recording:
    """The recording in a file; its kind is known by its contents.

    Rows are read when they are needed, and no more of them are held in memory than are asked for. What comes from a
    pipe is kept in a temporary file, at most 1 GiB.

    Raises
    ------
    RecordingError
        If the file is no recording, here or when the rows are read.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "run.jsonl"
    >>> save_recording(Recording([[1.0], [0.75]], radius=1.0), path)
    >>> print(path.read_text())
    {"format": "rbo-recording", "version": 1, "dtype": "float64", "radius": 1.0}
    {"theta": [1.0]}
    {"theta": [0.75]}
    >>> open_recording(path).metadata["radius"]
    1.0
    """
    path = Path(path)
    with _explained(path):
        if path.is_file() or path.is_dir():
            return _named(path, _opened(path))
        place = _kept(path)
        try:
            recording = _named(path, _opened(place))
        except BaseException:
            place.unlink()
            raise
        weakref.finalize(recording.raw_rows, place.unlink)
        return recording


def _opened(path: Path) -> Recording:
    with path.open("rb") as file:
        head = file.read(64).removeprefix(BOM_UTF8).lstrip()
    opener = _open_npz if head.startswith(b"PK") else open_json_lines if head.startswith(b"{") else open_csv
    return opener(path)


def _named(path: Path, recording: Recording) -> Recording:
    """A recording that tells what is wrong with its rows in a sentence with the name of its file."""
    rows = recording.rows

    def explained(size: int) -> Iterator[Rows]:
        empty = True
        with _explained(path):
            for part in rows(size):
                yield part
                empty = False
            if empty:
                raise RecordingError("the recording has no rows")

    return Recording.of_rows(recording.metadata, recording.shapes, explained, str(path))


def _kept(pipe: Path) -> Path:
    """A file of what comes from a pipe, which is read more than once."""
    with pipe.open("rb") as stream:
        descriptor, name = tempfile.mkstemp()
        try:
            with os.fdopen(descriptor, "wb") as file:
                left = LONGEST_PIPE
                while (part := stream.read(2**20)) and left >= 0:
                    left -= file.write(part)
                if left < 0:
                    raise RecordingError(f"more than {LONGEST_PIPE} bytes come from this pipe: record into a file")
        except BaseException:
            os.unlink(name)
            raise
    return Path(name)


def save_recording(recording: Recording, path: str | Path, *, bits: bool = False) -> None:
    """Write a recording to a file: NPZ, CSV or JSON Lines, by its suffix .npz, .csv or .jsonl.

    Parameters
    ----------
    recording : Recording
    path : str or Path
    bits : bool
        Write IEEE bit patterns instead of decimal numbers, in text; both are exact.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "run.csv"
    >>> save_recording(Recording([[1.0, 0.5], [0.75, 0.25]], radius=1.0), path)
    >>> print(path.read_text())
    # format: "rbo-recording"
    # version: 1
    # dtype: "float64"
    # radius: 1.0
    theta_0,theta_1
    1.0,0.5
    0.75,0.25
    """
    path = Path(path)
    writers: dict[str, Callable[..., None]] = {".npz": _write_npz, ".csv": write_csv, ".jsonl": write_json_lines}
    if path.suffix not in writers:
        raise ValueError(f"path must end in {', '.join(writers)}, got {str(path)!r}")
    with whole_file(path) as file:
        writers[path.suffix](recording, file, bits)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """What may go wrong with a file, as a `RecordingError` that names it."""
    try:
        yield
    except RecordingError as error:
        text = str(error).removeprefix(f"{path}: ")
        raise RecordingError(f"{path}: {text[:300]}") from error
    except OSError as error:
        reason = error.strerror if error.filename is not None else f"a damaged file ({error.strerror or error})"
        raise RecordingError(f"{path}: {reason}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise RecordingError(f"{path}: a damaged archive ({str(error)[:100]})") from error
    except UnicodeDecodeError as error:
        raise RecordingError(f"{path}: neither an NPZ archive nor text in UTF-8") from error
    except RecursionError as error:
        raise RecordingError(f"{path}: nested too deeply") from error
    except (ValueError, csv.Error, RuntimeError, NotImplementedError, OverflowError, MemoryError) as error:
        raise RecordingError(f"{path}: {str(error).partition(chr(10))[0][:200]}") from error


# NPZ: a ZIP archive of arrays, each a member NAME.npy with a header of its own.


def _open_npz(path: Path) -> Recording:
    with zipfile.ZipFile(path) as archive:
        names = {Path(name).stem: name for name in archive.namelist() if name.endswith(".npy")}
        if len(names) < len(archive.namelist()):
            raise RecordingError("the archive holds something that is no array, or an array twice")
        metadata = _npz_metadata(archive, names.pop("metadata", None))
        headers = {}
        for name, member in names.items():
            if name not in FIELDS:
                raise RecordingError(f"unknown array {name!r}; a recording holds {', '.join(FIELDS)} and metadata")
            with archive.open(member) as stream:
                headers[name] = _header(name, stream)
    if "theta" not in headers:
        raise RecordingError(f"the archive holds no theta, only {', '.join(headers) or 'nothing'}")
    metadata.setdefault("dtype", headers["theta"][1].name)
    for name in [name for name, (shape, _) in headers.items() if shape == () and not FIELDS[name] and name != "value"]:
        metadata[name] = _scalar(path, names[name], headers.pop(name)[1])
    count = headers["theta"][0][0] if headers["theta"][0] else 0
    for name, (shape, _) in headers.items():
        if len(shape) != 1 + len(FIELDS[name]) or not count - 1 <= shape[0] <= count:
            expected = ", ".join((str(count if name == "theta" else count - 1), *FIELDS[name]))
            raise RecordingError(f"{name} must have shape ({expected}), got {shape}")

    def rows(size: int) -> Iterator[Rows]:
        with ExitStack() as stack:
            archive = stack.enter_context(zipfile.ZipFile(path))
            streams = {name: stack.enter_context(archive.open(names[name])) for name in headers}
            for name, stream in streams.items():
                _header(name, stream)
            for start in range(0, count, size):
                stop = min(start + size, count)
                yield {
                    name: filled(_read_rows(name, stream, *headers[name], start, stop), stop - start)
                    for name, stream in streams.items()
                }

    return Recording.of_rows(metadata, {name: shape[1:] for name, (shape, _) in headers.items()}, rows)


def _header(name: str, stream: IO[bytes]) -> tuple[tuple[int, ...], numpy.dtype[Any]]:
    """Shape and dtype of the array that begins here."""
    try:
        shape, is_fortran, dtype = array_header(stream)
    except ValueError as error:
        raise RecordingError(f"{name} has {error}"[:200]) from error
    if dtype.kind not in "fiuU":
        raise RecordingError(f"{name} must hold real numbers, got dtype {dtype}")
    if is_fortran and len(shape) > 1:
        raise RecordingError(f"{name} is stored column by column; save numpy.ascontiguousarray({name})")
    return shape, dtype


def _read_rows(
    name: str, stream: IO[bytes], shape: tuple[int, ...], dtype: numpy.dtype[Any], start: int, stop: int
) -> NDArray[Any]:
    """Rows `start` to `stop`, as far as there are any, from a stream that stands at `start`."""
    if dtype.kind == "U":
        raise RecordingError(f"{name} must hold real numbers, got dtype {dtype}")
    rows = max(min(stop, shape[0]) - start, 0)
    wanted = rows * prod(shape[1:]) * dtype.itemsize
    data = stream.read(wanted)
    if len(data) < wanted:
        raise RecordingError(f"{name} ends before its row {start + len(data) * rows // max(wanted, 1)} of {shape[0]}")
    array = numpy.frombuffer(data, dtype=dtype).reshape(rows, *shape[1:])
    return array.astype(dtype.newbyteorder("=") if dtype.kind == "f" else numpy.float64)


def _scalar(path: Path, member: str, dtype: numpy.dtype[Any]) -> Any:
    """The number in an array without dimensions."""
    with zipfile.ZipFile(path) as archive, archive.open(member) as stream:
        _header(member, stream)
        number = _read_rows(member, stream, (1,), dtype, 0, 1)[0].item()
    return int(number) if number == number and float(number).is_integer() and dtype.kind in "iu" else number


def _npz_metadata(archive: zipfile.ZipFile, member: str | None) -> dict[str, Any]:
    """The JSON text in the array `metadata`."""
    if member is None:
        return {}
    with archive.open(member) as stream:
        shape, dtype = _header("metadata", stream)
        if shape != () or dtype.kind != "U" or not 0 < dtype.itemsize <= LONGEST_METADATA:
            raise RecordingError("metadata must be an array without dimensions of at most 1 MiB of JSON text")
        data = stream.read(dtype.itemsize)
    if len(data) < dtype.itemsize:
        raise RecordingError("metadata ends too early")
    metadata = parsed_json(str(numpy.frombuffer(data, dtype=dtype)[0]), beyond=True)
    if not isinstance(metadata, dict):
        raise RecordingError("metadata must be a JSON object")
    return metadata


def _write_npz(recording: Recording, file: IO[bytes], bits: bool) -> None:
    """All rows are held in memory."""
    rows = list(recording.rows(4096))
    arrays = {name: numpy.concatenate([part[name] for part in rows]) for name in rows[0]}
    steps = {name: array if name == "theta" else array[:-1] for name, array in arrays.items()}
    numpy.savez_compressed(file, metadata=numpy.array(json.dumps(recording.metadata)), **steps)  # type: ignore[arg-type]
