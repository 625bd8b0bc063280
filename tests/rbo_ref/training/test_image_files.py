"""MNIST's and CIFAR's formats: what the files hold comes out, and what is no such file is an error."""

import gzip
import pickle
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rbo_ref.training.errors import DataError
from rbo_ref.training.image_files import read_cifar, read_idx
from rbo_ref.training.pickles import read_cifar_pickle, read_pickle
from tests.rbo_ref.training.files import examples, idx, python2_pickle, python3_pickle

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
    with pytest.raises(DataError, match="cannot read"):
        read_cifar_pickle(tmp_path / "nothing", "labels")


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


# CIFAR, Python version.


PIXELS, LABELS = np.random.default_rng(0).integers(0, 256, (3, 3072), dtype=np.uint8), [3, 0, 9]


@pytest.mark.parametrize("protocol", range(5))
def test_a_pickle_of_this_python(tmp_path, protocol):
    (tmp_path / "batch").write_bytes(python3_pickle(PIXELS, LABELS, protocol=protocol))
    images, labels = read_cifar_pickle(tmp_path / "batch", "labels")
    np.testing.assert_array_equal(images, PIXELS.reshape(3, 3, 32, 32))
    np.testing.assert_array_equal(labels, LABELS)


def test_a_pickle_of_python_2(tmp_path):
    body = python2_pickle(PIXELS, LABELS)
    assert pickle.loads(body, encoding="bytes")[b"labels"] == LABELS  # it is one, says Python
    (tmp_path / "batch").write_bytes(body)
    images, labels = read_cifar_pickle(tmp_path / "batch", "labels")
    np.testing.assert_array_equal(images, PIXELS.reshape(3, 3, 32, 32))
    np.testing.assert_array_equal(labels, LABELS)


@pytest.mark.parametrize("dtype", ["u1", "<i4", ">i4", "<i8", ">f4", "<f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_any_plain_dtype_and_order(dtype, order):
    array = np.asarray(np.arange(6).reshape(2, 3), dtype, order=order)
    read = read_pickle(pickle.dumps({"a": array}, 2))["a"]
    assert read.dtype == array.dtype
    np.testing.assert_array_equal(read, array)


class Calls:
    """Pickled, a call of any function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def shout(*_):
    raise AssertionError("a pickle ran our code")


@pytest.mark.parametrize(
    "value",
    [
        Calls(shout),
        Calls(eval, "1 + 1"),
        Calls(getattr, np.ndarray, "tobytes"),
        {b"data": Calls(shout)},
        [PIXELS],
        shout,
        {"a": np.float64(1.0)},
        {"a": np.array([None, 1])},
        {"a": np.array(["text"])},
        {"a": np.ma.array([1])},
        {"a": 1j},
    ],
)
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_that_asks_for_more_is_refused(value, protocol):
    with pytest.raises(DataError, match="not a pickle of plain data"):
        read_pickle(pickle.dumps(value, protocol))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x80\x02.",
        python3_pickle(PIXELS, LABELS)[:-100],
        b"cnumpy\nndarray\n.",  # a stand-in itself
        b"cnumpy\ndtype\n(U\x02u1tR.",
        b"cos\nsystem\n(U\x04true\x74R.",
        b"cnumpy.core.multiarray\n_reconstruct\n(tR(K\x01K\x05NNNtb.",
        b"cnumpy\nndarray\nN}U\x09_functionU\x01xs\x86b.",  # sets an attribute of a stand-in
        b"](h\x00h\x00e.",
        b"}r\xff\xff\xff\x7f.",
        b"(" * 5,
        b"cnumpy.core.multiarray\n_reconstruct\n(tR(K\x01K\x02\x85cnumpy\ndtype\n(U\x02u1tR\x89U\x01xtb.",
    ],
)
def test_broken_pickles_are_refused(body):
    with pytest.raises(DataError, match="not a pickle of plain data"):
        read_pickle(body)


def test_a_pickle_that_unfolds_to_gigabytes_is_not_unfolded():
    nested = []
    for _ in range(64):
        nested = [nested, nested]
    assert list(read_pickle(pickle.dumps({"a": nested}, 2))) == ["a"]


@given(st.binary(max_size=60), st.integers(0, 200), st.integers(0, 255))
@settings(max_examples=200)
def test_bytes_change_and_nothing_worse_happens(noise, place, byte):
    good = bytearray(python3_pickle(PIXELS[:1, :3], [1]))
    good[place % len(good)] = byte
    for body in (noise, bytes(good)):
        try:
            read_pickle(body)
        except DataError:
            continue


@pytest.mark.parametrize(
    "value",
    [
        {b"labels": [1]},
        {b"data": PIXELS[:, :5], b"labels": LABELS},
        {b"data": PIXELS.astype(np.int32), b"labels": LABELS},
        {b"data": PIXELS.tolist(), b"labels": LABELS},
        {b"data": PIXELS},
        {b"data": PIXELS, b"labels": [1, 2]},
        {b"data": PIXELS, b"labels": [1, 2, 256]},
        {b"data": PIXELS, b"labels": [1, 2, True]},
        {b"data": PIXELS, b"labels": np.array(LABELS)},
    ],
)
def test_a_batch_without_images_and_labels_is_an_error(tmp_path, value):
    (tmp_path / "batch").write_bytes(pickle.dumps(value, 2))
    with pytest.raises(DataError, match=r"expected under '(data|labels)'"):
        read_cifar_pickle(tmp_path / "batch", "labels")


def test_a_shape_without_end_is_not_told():
    """A tuple of a tuple twice, and so on: a few bytes, and a text of 2^60 characters."""
    shape = b"\x88\x85" + b"2\x86" * 60
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01btR"
    with pytest.raises(DataError, match="an array of a shape that is none"):
        read_pickle(b"\x80\x02}U\x04data" + array + b"(K\x01" + shape + b"NNNtbs.")
