"""The Python version of CIFAR: pickles, read without running anything that they name.

A pickle may call whatever it can import. Here it can import four names only, those that a pickled array needs, and gets
stand-ins for them: an array is put together from its shape, its dtype and its bytes by this module, after a check.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy

from rbo_ref._words import quoted
from rbo_ref.training.errors import DataError

__all__ = ["read_cifar_pickle", "read_pickle"]

LARGEST = 2**31  # of the sizes of an array
PLAIN = ("u1", "i4", "i8", "f4", "f8")


class _Call:
    """A stand-in for a function or class that a pickle names."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)


class _Dtype:
    """The dtype of a pickled array: its name and its byte order."""

    def __init__(self, name: Any, *_: Any) -> None:
        self.name, self.order = _text(name), "="
        if self.name not in PLAIN:
            raise pickle.UnpicklingError(f"an array of dtype {quoted(self.name)}")

    def __setstate__(self, state: Any) -> None:
        order = _text(state[1])
        if order not in ("<", ">", "=", "|"):
            raise pickle.UnpicklingError(f"a dtype of byte order {quoted(order)}")
        self.order = order

    def native(self) -> numpy.dtype:
        return numpy.dtype(self.order + self.name)


class _Array:
    """A pickled array: empty until its state (version, shape, dtype, is_fortran, bytes) arrives."""

    def __init__(self, *_: Any) -> None:
        self.values: numpy.ndarray = numpy.empty(0)

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, is_fortran, body = state
        if not (isinstance(shape, tuple) and len(shape) <= 2 and all(map(_is_size, shape))):
            raise pickle.UnpicklingError("an array of a shape that is none")  # whose text may be without end
        body = body.encode("latin-1") if isinstance(body, str) else body
        if not isinstance(dtype, _Dtype) or not isinstance(body, bytes):
            raise pickle.UnpicklingError("an array without a plain dtype and bytes")
        flat = numpy.frombuffer(body, dtype.native())
        if flat.size != math.prod(shape):
            raise pickle.UnpicklingError(f"an array of shape {shape} from {flat.size} numbers")
        self.values = flat.reshape(shape, order="F" if is_fortran else "C")


def _is_size(size: Any) -> bool:
    return type(size) is int and 0 <= size <= LARGEST


def _text(name: Any) -> str:
    return name.decode("latin-1") if isinstance(name, bytes) else str(name)


def _encoded(text: Any, encoding: Any = "latin1") -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError("text in another encoding than Latin-1")
    return text.encode("latin-1")


class _Reader(pickle.Unpickler):
    """An unpickler that makes arrays, lists, tuples, dictionaries, bytes, text and numbers, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        allowed: dict[tuple[str, str], Callable[..., Any]] = {
            ("numpy", "ndarray"): _Array,
            ("numpy", "dtype"): _Dtype,
            ("numpy.core.multiarray", "_reconstruct"): _Array,
            ("numpy._core.multiarray", "_reconstruct"): _Array,
            ("_codecs", "encode"): _encoded,
        }
        if (module, name) not in allowed:
            raise pickle.UnpicklingError(f"it asks for {module[:60]}.{name[:60]}")
        return _Call(allowed[module, name])


def read_pickle(body: bytes) -> dict[str, Any]:
    """The dictionary in a pickle that holds arrays of numbers, lists, tuples, dictionaries, bytes, text and numbers.

    Parameters
    ----------
    body : bytes

    Returns
    -------
    dict
        Its keys as text. Strings of Python 2 among its values are bytes.

    Raises
    ------
    DataError
        If the pickle names anything else, holds no dictionary, or is broken.
    """
    try:
        _check_memo(body)
        found = _Reader(io.BytesIO(body), encoding="bytes").load()
        if not isinstance(found, dict):
            raise pickle.UnpicklingError(f"an object of type {type(found).__name__}")
        return {_text(key): item.values if isinstance(item, _Array) else item for key, item in found.items()}
    except Exception as error:  # a broken pickle can raise anything
        raise DataError(f"not a pickle of plain data: {error}") from error


def _check_memo(body: bytes) -> None:
    """Raise if a pickle remembers more than it has bytes: the unpickler makes room for the largest number it sees."""
    for opcode, argument, _ in pickletools.genops(body):
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and int(argument or 0) > len(body):
            raise pickle.UnpicklingError(f"it remembers an object number {argument}")


def read_cifar_pickle(path: Path, label_key: str) -> tuple[numpy.ndarray, numpy.ndarray]:
    """One file of CIFAR's Python version.

    Parameters
    ----------
    path : Path
    label_key : str
        "labels" for CIFAR-10, "fine_labels" for CIFAR-100.

    Returns
    -------
    images : uint8 array (n, 3, 32, 32)
    labels : uint8 array (n,)

    Raises
    ------
    DataError
        If the pickle holds anything but plain data, or not an image and a label for each example.
    """
    try:
        batch = read_pickle(path.read_bytes())
    except (OSError, DataError) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    pixels, labels = batch.get("data"), batch.get(label_key)
    if not (isinstance(pixels, numpy.ndarray) and pixels.dtype == numpy.uint8 and pixels.shape[1:] == (3072,)):
        raise DataError(f"{path}: expected under 'data' an array of bytes of shape (n, 3072)")
    if not (isinstance(labels, list) and len(labels) == len(pixels) and all(map(_is_label, labels))):
        raise DataError(f"{path}: expected under {label_key!r} a list of {len(pixels)} labels from 0 to 255")
    return pixels.reshape(-1, 3, 32, 32), numpy.array(labels, numpy.uint8)


def _is_label(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 256
