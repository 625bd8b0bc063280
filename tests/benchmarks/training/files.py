"""Small files in the formats of MNIST and CIFAR, made here from their published descriptions."""

from __future__ import annotations

import gzip
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


def write_cifar10(folder: Path) -> None:
    """Six files of four images each."""
    for i, name in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]):
        images, labels = examples(i, 4, (3, 32, 32), 10)
        records = (cifar_record([label], image) for label, image in zip(labels.tolist(), images, strict=True))
        (folder / f"{name}.bin").write_bytes(b"".join(records))


def write_cifar100(folder: Path) -> None:
    for name, count, seed in (("train", 20, 0), ("test", 5, 1)):
        images, labels = examples(seed, count, (3, 32, 32), 100)
        pairs = zip(labels.tolist(), images, strict=True)
        (folder / f"{name}.bin").write_bytes(b"".join(cifar_record([y // 5, y], image) for y, image in pairs))
