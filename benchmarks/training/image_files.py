"""The file formats of MNIST (idx) and of CIFAR-10 and CIFAR-100 in their binary version.

A file is read no farther than its own header, or the size of its records, allows; whatever does not fit is an error.
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy

from benchmarks.training.errors import DataError

__all__ = ["read_cifar", "read_idx"]

PIXELS = 3 * 32 * 32
LARGEST = 2**31  # bytes of one array


def read_idx(path: Path, dimensions: int) -> numpy.ndarray:
    """An array of bytes in the idx format, gzipped if the name ends in .gz.

    Parameters
    ----------
    path : Path
    dimensions : int
        How many the array must have: 3 for images, 1 for labels.

    Returns
    -------
    uint8 array

    Raises
    ------
    DataError
        If the file is not of this format, too short or too long.

    Notes
    -----
    The format: two zero bytes, the type (8 is unsigned bytes), the number of dimensions, the sizes as big-endian
    32-bit integers, the bytes in row-major order.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            header = file.read(4 + 4 * dimensions)
            shape = _idx_shape(path, header, dimensions)
            body = file.read(math.prod(shape) + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    if len(body) != math.prod(shape):
        least = "" if len(body) < math.prod(shape) else "at least "
        raise DataError(f"{path}: expected {math.prod(shape)} bytes for shape {shape}, got {least}{len(body)}")
    return numpy.frombuffer(body, numpy.uint8).reshape(shape)


def _idx_shape(path: Path, header: bytes, dimensions: int) -> tuple[int, ...]:
    magic = bytes([0, 0, 8, dimensions])
    if len(header) < 4 + 4 * dimensions or header[:4] != magic:
        raise DataError(f"{path}: expected an idx file that starts with bytes {magic.hex()}, got {header[:4].hex()!r}")
    shape = tuple(int(size) for size in numpy.frombuffer(header, ">u4", offset=4))
    if not 0 < math.prod(shape) <= LARGEST:
        raise DataError(f"{path}: expected between 1 and {LARGEST} bytes, got shape {shape}")
    return shape


def read_cifar(path: Path, label_bytes: int) -> tuple[numpy.ndarray, numpy.ndarray]:
    """One file of CIFAR's binary version: records of labels and pixels.

    Parameters
    ----------
    path : Path
    label_bytes : int
        1 for CIFAR-10; 2 for CIFAR-100, whose records begin with a coarse label, and the last one is the label.

    Returns
    -------
    images : uint8 array (n, 3, 32, 32)
    labels : uint8 array (n,)

    Raises
    ------
    DataError
        If the file does not consist of whole records.
    """
    try:
        body = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error}") from error
    size = label_bytes + PIXELS
    if not body or len(body) % size:
        raise DataError(f"{path}: expected records of {size} bytes, got {len(body)} bytes")
    records = numpy.frombuffer(body, numpy.uint8).reshape(-1, size)
    return records[:, label_bytes:].reshape(-1, 3, 32, 32), records[:, label_bytes - 1]
