"""NumPy's files from others: no pickles, and nothing that headers ask for is made before it is known to be there."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
import zlib
from math import prod
from tokenize import TokenError
from typing import IO, Any

import numpy
from numpy.lib import format as npy
from numpy.typing import NDArray

__all__ = ["array_header", "read_archive", "read_array"]

LONGEST_HEADER = 10_000  # bytes: NumPy refuses longer ones as well, once it has read them
DAMAGES = (ValueError, OSError, EOFError, KeyError, RuntimeError, NotImplementedError, OverflowError, zlib.error)


def array_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, numpy.dtype[Any]]:
    """Shape, whether it is stored column by column, and dtype of the array that begins here.

    Raises
    ------
    ValueError
        If none begins here, or its elements are objects.

    Examples
    --------
    >>> file = io.BytesIO()
    >>> numpy.save(file, numpy.zeros((2, 3)))
    >>> array_header(io.BytesIO(file.getvalue()))
    ((2, 3), False, dtype('float64'))
    """
    version = npy.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"version {version} of the NPY format is not known")
    read, kind = (npy.read_array_header_1_0, "<H") if version == (1, 0) else (npy.read_array_header_2_0, "<I")
    size = stream.read(struct.calcsize(kind))
    if len(size) < struct.calcsize(kind) or (length := struct.unpack(kind, size)[0]) > LONGEST_HEADER:
        raise ValueError("a damaged header")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a file is from Python 2
            shape, is_fortran, dtype = read(io.BytesIO(size + stream.read(length)))
    except (ValueError, TypeError, TokenError, SyntaxError, RecursionError, MemoryError) as error:  # a Python literal
        raise ValueError("a damaged header") from error
    if dtype.hasobject:
        raise ValueError(f"objects instead of numbers (dtype {dtype})")
    return shape, is_fortran, dtype


def read_array(stream: IO[bytes], most: int) -> NDArray[Any]:
    """The array that begins here, of at most so many bytes.

    Raises
    ------
    ValueError
        If there is none, or it is larger, or ends too early.
    """
    shape, is_fortran, dtype = array_header(stream)
    size = prod(shape) * dtype.itemsize
    if size > most:
        raise ValueError(f"an array of shape {shape}, of which only {most} bytes can be there"[:200])
    body = stream.read(size)
    if len(body) < size:
        raise ValueError(f"an array of shape {shape} that ends after {len(body)} bytes"[:200])
    return numpy.frombuffer(body, dtype).reshape(shape, order="F" if is_fortran else "C").copy()


def read_archive(content: bytes, most: int) -> dict[str, NDArray[Any]]:
    """The arrays of an NPZ archive, of at most so many bytes together.

    Raises
    ------
    ValueError
        If it is no such archive.

    Examples
    --------
    >>> file = io.BytesIO()
    >>> numpy.savez(file, a=numpy.zeros(2))
    >>> read_archive(file.getvalue(), most=1000)
    {'a': array([0., 0.])}
    """
    found: dict[str, NDArray[Any]] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                name = member.filename.removesuffix(".npy")
                if name in found or member.file_size > most:
                    raise ValueError(f"{name[:40]!r} is there twice, or too large")
                most -= member.file_size
                with archive.open(member) as stream:
                    found[name] = read_array(stream, member.file_size)
                    if stream.read(1):  # at the end its checksum is verified
                        raise ValueError(f"more in {name[:40]!r} than its array")
    except (*DAMAGES, zipfile.BadZipFile, struct.error) as error:
        raise ValueError(f"not a file of arrays: {str(error)[:100]}") from error
    return found
