"""PyTorch's networks as functions of a vector: the perceptron is NumPy's, gradients are finite differences'."""

import sys

import numpy as np
import pytest

from benchmarks.training import Perceptron, TrainingError

torch = pytest.importorskip("torch")

from benchmarks.training.torch_networks import TorchNetwork, build  # noqa: E402

SMALL = (3, 8, 8)


def batch(shape=SMALL, count=6, classes=10, dtype="float64"):
    random = np.random.default_rng(0)
    return random.normal(size=(count, *shape)).astype(dtype), random.integers(0, classes, count)


def test_the_perceptron_is_that_of_numpy():
    mine, theirs = Perceptron((192, 7, 10)), TorchNetwork("torch-mlp", SMALL, 10, (7,), "float64")
    theta = mine.initial(0)
    transposed = np.concatenate([part.ravel() for layer in mine.layers(theta) for part in (layer.matrix.T, layer.bias)])
    inputs, labels = batch()
    value, gradient = mine.value_and_gradient(theta, inputs, labels)
    other, vector = theirs.value_and_gradient(torch.tensor(transposed), inputs, labels)
    # 192 products of size 1 in a sum
    np.testing.assert_allclose(value, other.item(), rtol=1e-13)
    back = np.concatenate([part.T.ravel() for part in split(vector.numpy(), [(7, 192), (7,), (10, 7), (10,)])])
    np.testing.assert_allclose(gradient, back, atol=1e-13)
    assert theirs.measure(torch.tensor(transposed), inputs, labels) == pytest.approx(
        mine.measure(theta, inputs, labels), rel=1e-13
    )


def split(vector, shapes):
    ends = np.cumsum([np.prod(shape) for shape in shapes])
    return [part.reshape(shape) for part, shape in zip(np.split(vector, ends[:-1]), shapes, strict=True)]


@pytest.mark.parametrize(("name", "depth"), [("resnet-6", 6), ("resnet-8", 8), ("vgg-9", 9), ("torch-mlp", 2)])
def test_the_number_in_the_name_counts_the_layers_with_weights(name, depth):
    module = build(name, (3, 32, 32), 10)
    assert sum(isinstance(layer, torch.nn.Conv2d | torch.nn.Linear) for layer in module.modules()) == depth
    assert module(torch.zeros(2, 3, 32, 32)).shape == (2, 10)
    assert not list(module.buffers())  # no running averages


@pytest.mark.parametrize("name", ["torch-mlp", "resnet-6", "resnet-8", "vgg-9"])
def test_gradients_by_finite_differences(name):
    network = TorchNetwork(name, SMALL, 10, (16,), "float64")
    theta, (inputs, labels) = network.initial(1), batch()
    assert theta.shape == (network.dimension,)
    value, gradient = network.value_and_gradient(theta, inputs, labels)
    direction = torch.tensor(np.random.default_rng(2).normal(size=network.dimension))
    direction /= direction.norm()
    step = 1e-6
    up, down = (network.value_and_gradient(theta + s * direction, inputs, labels)[0] for s in (step, -step))
    # ε/step from rounding, step² from the third derivative, and the few kinks of ReLU within a step
    assert float((up - down) / (2 * step)) == pytest.approx(float(gradient @ direction), abs=1e-7)
    assert float(value) == pytest.approx(network.measure(theta, inputs, labels)[0], rel=1e-13)


@pytest.mark.parametrize("name", ["torch-mlp", "resnet-8"])
def test_an_image_does_not_see_the_others_of_its_batch(name):
    network = TorchNetwork(name, SMALL, 10, dtype="float64")
    theta, (inputs, labels) = network.initial(0), batch()
    single = [network.measure(theta, inputs[i : i + 1], labels[i : i + 1]) for i in range(6)]
    assert network.measure(theta, inputs, labels) == pytest.approx(tuple(np.mean(single, axis=0)), rel=1e-12)


def test_the_same_seed_draws_the_same_and_leaves_pytorchs_generator_alone():
    network = TorchNetwork("resnet-6", SMALL, 10)
    before = torch.random.get_rng_state()
    first, second, other = (network.initial(seed) for seed in (0, 0, 1))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert torch.equal(before, torch.random.get_rng_state())
    assert first.dtype == torch.float32


def test_large_parts_are_measured_in_pieces():
    network = TorchNetwork("torch-mlp", (1, 2, 2), 3, (4,), "float64")
    inputs, labels = batch((1, 2, 2), 2500, 3)
    theta = network.initial(0)
    loss = network.value_and_gradient(theta, inputs, labels)[0]
    assert network.measure(theta, inputs, labels)[0] == pytest.approx(float(loss), rel=1e-12)


def test_what_cannot_be_built():
    with pytest.raises(TrainingError, match="at least 8 x 8 pixels, got 6 x 9"):
        build("vgg-9", (1, 6, 9), 10)
    with pytest.raises(TrainingError, match="no network 'alexnet'"):
        build("alexnet", SMALL, 10)
    with pytest.raises(TrainingError, match="cannot use the device"):
        TorchNetwork("torch-mlp", SMALL, 10, device="nonsense")


def test_without_pytorch_it_is_named(monkeypatch):
    from benchmarks.training.comparison import Plan
    from benchmarks.training.workers import network_for

    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(TrainingError, match="the model resnet-6 needs PyTorch"):
        network_for(Plan(model="resnet-6"), None)
