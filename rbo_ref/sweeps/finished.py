"""What is on disk of a sweep: a file of arrays for each finished task, under the key of all that it depends on."""

from __future__ import annotations

import io
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy

from geometry._files import write_whole
from rbo_ref._npy import read_archive

__all__ = ["Part", "Records"]

LARGEST = 2**36  # bytes of a file


class Part(NamedTuple):
    """What came of a task, over its n starts."""

    theta: numpy.ndarray  # (n, d), NaN where there is none
    height: numpy.ndarray  # (n,)
    status: numpy.ndarray  # (n,), int8: `Status`
    messages: numpy.ndarray  # (n,), text
    seconds: float  # that it took


class Records:
    """The finished tasks, in a folder that is made if it is not there; without a folder in memory.

    Raises
    ------
    OSError
        If the folder cannot be made.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._loaded: dict[str, Part] = {}
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def __getitem__(self, key: str) -> Part | None:
        """The part under a key; of a file that is damaged we tell, and it counts as missing."""
        if key not in self._loaded and self._folder is not None:
            path = self._folder / f"{key}.npz"
            try:
                self._loaded[key] = _part(path.read_bytes(), key)
            except FileNotFoundError:
                pass
            except ValueError as error:
                warnings.warn(f"{path.name} is damaged, its task is computed again: {error}", stacklevel=2)
        return self._loaded.get(key)

    def __setitem__(self, key: str, part: Part) -> None:
        if self._folder is not None:
            body = io.BytesIO()
            arrays = {name: numpy.asarray(array) for name, array in part._asdict().items()}
            numpy.savez(body, key=numpy.array(f"{key} {_checksum(arrays)}"), **arrays)  # type: ignore[arg-type]
            write_whole(self._folder / f"{key}.npz", body.getvalue())
        self._loaded[key] = part

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no other process sweeps into this folder; the system lets go of the lock if a process is killed.

        Where the system or the disk has no such locks, two processes may compute the same, and write the same bits.
        """
        if self._folder is None:
            yield
            return
        with (self._folder / "lock").open("ab") as file:
            try:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX)
            except (ImportError, OSError):
                pass
            yield


def _part(content: bytes, key: str) -> Part:
    arrays = read_archive(content, LARGEST)
    if str(arrays.pop("key", None)) != f"{key} {_checksum(arrays)}" or set(arrays) != set(Part._fields):
        raise ValueError("it is not what was written under this name")
    seconds = float(arrays.pop("seconds"))
    return Part(**arrays, seconds=seconds)


def _checksum(arrays: dict[str, numpy.ndarray]) -> int:
    found = 0
    for name in sorted(arrays):
        array = arrays[name]
        found = zlib.crc32(f"{name} {array.dtype.str} {array.shape}".encode() + array.tobytes(), found)
    return found
