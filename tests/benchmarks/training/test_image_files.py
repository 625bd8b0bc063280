"""MNIST's and CIFAR's formats: what the files hold comes out, and what is no such file is an error."""

import gzip
import struct

import numpy as np
import pytest

from benchmarks.training.errors import DataError
from benchmarks.training.image_files import read_cifar, read_idx
from tests.benchmarks.training.files import examples, idx

# idx.


@pytest.mark.parametrize("shape", [(3,), (4, 5, 6), (2, 1, 1)])
@pytest.mark.parametrize("end", ["", ".gz"])
def test_an_idx_file_holds_its_array(tmp_path, shape, end):
    array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    path = tmp_path / f"array-ubyte{end}"
    path.write_bytes(gzip.compress(idx(array)) if end else idx(array))
    read = read_idx(path, len(shape))
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, array)


def test_sizes_are_big_endian(tmp_path):
    path = tmp_path / "labels"
    path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 1, 2]) + bytes(258))
    assert read_idx(path, 1).shape == (258,)


IMAGES = idx(np.arange(24).reshape(2, 3, 4))


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "expected an idx file"),
        (IMAGES[:10], "expected an idx file"),
        (b"\x00\x00\x0d\x03" + IMAGES[4:], "starts with bytes 00000803"),
        (IMAGES[:-1], r"expected 24 bytes for shape \(2, 3, 4\), got 23"),
        (IMAGES + b"x", "got at least 25"),
        (idx(np.arange(3)), "starts with bytes 00000803"),
        (struct.pack(">4B3I", 0, 0, 8, 3, 2**31, 2**31, 9), "between 1 and"),
        (struct.pack(">4B3I", 0, 0, 8, 3, 0, 3, 4), "between 1 and"),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_what_is_no_idx_file_is_an_error(tmp_path, body, sentence, zipped):
    path = tmp_path / ("images.gz" if zipped else "images")
    path.write_bytes(gzip.compress(body) if zipped else body)
    with pytest.raises(DataError, match=sentence):
        read_idx(path, 3)


@pytest.mark.parametrize(
    "body",
    [IMAGES, gzip.compress(IMAGES)[:-12], gzip.compress(IMAGES)[:20] + b"\xff" * 30],
    ids=["plain", "cut", "spoiled"],
)
def test_what_is_no_gzip_file_is_an_error(tmp_path, body):
    (tmp_path / "images.gz").write_bytes(body)
    with pytest.raises(DataError, match="images"):
        read_idx(tmp_path / "images.gz", 3)


def test_a_gzip_bomb_is_read_no_farther_than_its_header_says(tmp_path):
    (tmp_path / "images.gz").write_bytes(gzip.compress(IMAGES + bytes(10**7)))
    with pytest.raises(DataError, match="got at least 25"):
        read_idx(tmp_path / "images.gz", 3)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(DataError, match="cannot read"):
        read_idx(tmp_path / "nothing", 3)
    with pytest.raises(DataError, match="cannot read"):
        read_cifar(tmp_path / "nothing", 1)


# CIFAR, binary version.


@pytest.mark.parametrize("label_bytes", [1, 2])
def test_a_binary_file_holds_labels_and_planes_of_colour(tmp_path, label_bytes):
    images, labels = examples(0, 3, (3, 32, 32), 10)
    path = tmp_path / "batch.bin"
    coarse = [77] * (label_bytes - 1)
    path.write_bytes(b"".join(bytes([*coarse, y]) + x.tobytes() for x, y in zip(images, labels.tolist(), strict=True)))
    read = read_cifar(path, label_bytes)
    np.testing.assert_array_equal(read[0], images)
    np.testing.assert_array_equal(read[1], labels)


@pytest.mark.parametrize("size", [0, 3072, 3074, 2 * 3073 - 1])
def test_records_must_be_whole(tmp_path, size):
    (tmp_path / "batch.bin").write_bytes(bytes(size))
    with pytest.raises(DataError, match=f"records of 3073 bytes, got {size}"):
        read_cifar(tmp_path / "batch.bin", 1)
