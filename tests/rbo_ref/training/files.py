"""Small files in the formats of MNIST and CIFAR, made here from their published descriptions."""

from __future__ import annotations

import gzip
import pickle
import struct
from pathlib import Path

import numpy as np


def idx(array: np.ndarray) -> bytes:
    """An array of bytes in the idx format."""
    sizes = b"".join(struct.pack(">I", size) for size in array.shape)
    return struct.pack(">BBBB", 0, 0, 8, array.ndim) + sizes + array.astype(np.uint8).tobytes()


def examples(seed: int, count: int, shape: tuple[int, ...], classes: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (count, *shape), dtype=np.uint8), random.integers(0, classes, count, dtype=np.uint8)


def write_mnist(folder: Path, zipped: bool = False, dot: bool = False) -> dict[str, np.ndarray]:
    """MNIST's four files, 30 and 7 images of 6 × 5 pixels; returns what they hold."""
    held = {}
    for part, count, seed in (("train", 30, 0), ("t10k", 7, 1)):
        images, labels = examples(seed, count, (6, 5), 10)
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            held[f"{part}-{kind}"] = array
            name = f"{part}-{kind.replace('-', '.') if dot else kind}-ubyte"
            body = gzip.compress(idx(array)) if zipped else idx(array)
            (folder / (name + ".gz" * zipped)).write_bytes(body)
    return held


def cifar_record(label: list[int], image: np.ndarray) -> bytes:
    return bytes(label) + image.tobytes()


def python2_pickle(pixels: np.ndarray, labels: list[int], key: bytes = b"labels") -> bytes:
    """A batch as Python 2 and its NumPy wrote it: protocol 2, module numpy.core.multiarray, strings of bytes."""

    def text(value: bytes) -> bytes:
        return b"U" + bytes([len(value)]) + value if len(value) < 256 else b"T" + struct.pack("<i", len(value)) + value

    def number(value: int) -> bytes:
        return b"J" + struct.pack("<i", value)

    array = b"cnumpy.core.multiarray\n_reconstruct\n" + b"(cnumpy\nndarray\n" + number(0) + b"\x85" + text(b"b") + b"tR"
    dtype = b"cnumpy\ndtype\n(" + text(b"u1") + number(0) + number(1) + b"tR"
    dtype += b"(" + number(3) + text(b"|") + b"NNN" + number(-1) + number(-1) + number(0) + b"tb"
    shape = b"".join(number(size) for size in pixels.shape) + b"\x86"
    array += b"(" + number(1) + shape + dtype + b"\x89" + text(pixels.tobytes()) + b"tb"
    listed = b"](" + b"".join(number(label) for label in labels) + b"e"
    return b"\x80\x02}(" + text(b"data") + array + text(key) + listed + b"u."


def python3_pickle(pixels: np.ndarray, labels: list[int], key: bytes = b"labels", protocol: int = 2) -> bytes:
    return pickle.dumps({b"data": pixels, key: labels, b"filenames": [b"a.png"] * len(labels)}, protocol)


def write_cifar10(folder: Path, version: str) -> None:
    """Six files of four images each, "binary", "python2" or "python3"."""
    for i, name in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]):
        images, labels = examples(i, 4, (3, 32, 32), 10)
        if version == "binary":
            records = (cifar_record([label], image) for label, image in zip(labels.tolist(), images, strict=True))
            (folder / f"{name}.bin").write_bytes(b"".join(records))
        else:
            write = python2_pickle if version == "python2" else python3_pickle
            (folder / name).write_bytes(write(images.reshape(4, -1), labels.tolist()))


def write_cifar100(folder: Path, version: str) -> None:
    for name, count, seed in (("train", 20, 0), ("test", 5, 1)):
        images, labels = examples(seed, count, (3, 32, 32), 100)
        if version == "binary":
            pairs = zip(labels.tolist(), images, strict=True)
            body = b"".join(cifar_record([label // 5, label], image) for label, image in pairs)
            (folder / f"{name}.bin").write_bytes(body)
        else:
            write = python2_pickle if version == "python2" else python3_pickle
            (folder / name).write_bytes(write(images.reshape(count, -1), labels.tolist(), b"fine_labels"))
