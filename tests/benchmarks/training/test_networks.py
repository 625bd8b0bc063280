"""The perceptron: its loss against mpmath and PyTorch, its gradient against complex steps and PyTorch."""

from itertools import pairwise

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.training import Perceptron, TrainingError

ACTIVATIONS = ["relu", "tanh"]
EPSILON = 2.0**-52


def problem(sizes, activation, seed=0, count=5, dtype="float64"):
    network, random = Perceptron(sizes, activation, dtype), np.random.default_rng(seed)
    theta = random.normal(0, 0.7, network.dimension).astype(dtype)
    inputs = random.normal(size=(count, sizes[0])).astype(dtype)
    return network, theta, inputs, random.integers(0, sizes[-1], count)


# The loss.


def loss_in_mpmath(sizes, activation, theta, inputs, labels):
    """Mean cross-entropy, term by term, from the definition."""
    parameters, total = iter(theta), mpmath.mpf(0)
    layers = []
    for m, n in pairwise(sizes):
        matrix = [[mpmath.mpf(next(parameters)) for _ in range(n)] for _ in range(m)]
        layers.append((matrix, [mpmath.mpf(next(parameters)) for _ in range(n)]))
    function = mpmath.tanh if activation == "tanh" else lambda z: max(z, mpmath.mpf(0))
    for x, y in zip(inputs, labels, strict=True):
        h = [mpmath.mpf(float(value)) for value in x]
        for k, (matrix, bias) in enumerate(layers):
            z = [b + mpmath.fsum(h[i] * matrix[i][j] for i in range(len(h))) for j, b in enumerate(bias)]
            h = z if k == len(layers) - 1 else [function(value) for value in z]
        total -= mpmath.log(mpmath.exp(h[y]) / mpmath.fsum(mpmath.exp(value) for value in h))
    return total / len(labels)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("sizes", [(3, 4), (2, 3, 4), (2, 3, 2, 3)])
def test_value_and_gradient_in_fifty_digits(sizes, activation):
    network, theta, inputs, labels = problem(sizes, activation)
    value, gradient = network.value_and_gradient(theta, inputs, labels)
    with mpmath.workdps(50):
        exact = [mpmath.mpf(t) for t in theta]
        truth = loss_in_mpmath(sizes, activation, exact, inputs, labels)
        # sums of at most 5 terms in at most 3 layers, all of size 1
        assert abs(value - truth) < 100 * EPSILON
        step = mpmath.mpf(10) ** -15
        for i in range(len(theta)):
            moved = [[t + s * (i == j) for j, t in enumerate(exact)] for s in (step, -step)]
            up, down = (loss_in_mpmath(sizes, activation, point, inputs, labels) for point in moved)
            assert abs(gradient[i] - (up - down) / (2 * step)) < 100 * EPSILON


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_huge_logits_do_not_overflow(activation):
    network = Perceptron((1, 3), activation)
    theta = np.array([1e3, -1e3, 2e3, 0.0, 0.0, 0.0])
    value, gradient = network.value_and_gradient(theta, np.array([[1.0]]), np.array([1]))
    assert value == 3000
    np.testing.assert_array_equal(gradient[3:], [0, -1, 1])


# The gradient.


@given(st.integers(0, 10**6), st.sampled_from(ACTIVATIONS), st.sampled_from([(3, 2), (4, 5, 3), (3, 6, 5, 4)]))
@settings(max_examples=25)
def test_gradient_by_complex_steps(seed, activation, sizes):
    network, theta, inputs, labels = problem(sizes, activation, seed)
    gradient = network.value_and_gradient(theta, inputs, labels)[1]
    step = 1e-30
    for i in range(len(theta)):
        moved = theta.astype(complex)
        moved[i] += 1j * step
        value = network.value_and_gradient(moved, inputs, labels)[0]
        assert abs(value.imag / step - gradient[i]) < 200 * EPSILON * max(1, abs(inputs).max()) ** 3


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-14), ("float32", 5e-6)])  # 50 ε
def test_pytorch_agrees(activation, dtype, tolerance):
    torch = pytest.importorskip("torch")
    sizes = (20, 16, 12, 10)
    network, theta, inputs, labels = problem(sizes, activation, count=30, dtype=dtype)
    leaf = torch.tensor(theta, requires_grad=True)
    h, start = torch.tensor(inputs), 0
    for k, (m, n) in enumerate(pairwise(sizes)):
        matrix, bias = leaf[start : start + m * n].view(m, n), leaf[start + m * n : start + m * n + n]
        h = h @ matrix + bias if k == 0 else getattr(torch, activation)(h) @ matrix + bias
        start += m * n + n
    loss = torch.nn.functional.cross_entropy(h, torch.tensor(labels))
    loss.backward()
    value, gradient = network.value_and_gradient(theta, inputs, labels)
    assert gradient.dtype == dtype
    np.testing.assert_allclose(value, loss.item(), rtol=tolerance)
    np.testing.assert_allclose(gradient, leaf.grad.numpy(), atol=tolerance)
    measured = network.measure(theta, inputs, labels)
    assert measured == (float(value), float((h.argmax(1).numpy() == labels).mean()))


def test_a_batch_is_the_mean_of_its_examples():
    network, theta, inputs, labels = problem((4, 5, 3), "relu", count=7)
    value, gradient = network.value_and_gradient(theta, inputs, labels)
    single = [network.value_and_gradient(theta, inputs[i : i + 1], labels[i : i + 1]) for i in range(7)]
    np.testing.assert_allclose(value, np.mean([v for v, _ in single]), rtol=1e-14)
    np.testing.assert_allclose(gradient, np.mean([g for _, g in single], axis=0), atol=1e-15)


# Parameters.


@pytest.mark.parametrize(("activation", "gain"), [("relu", 2), ("tanh", 1)])
def test_initial_parameters_have_the_variance_of_their_rule(activation, gain):
    network = Perceptron((100, 200, 10), activation)
    first, second = network.layers(network.initial(3))
    # a variance from n samples is right to √(2/n): 5 deviations
    for layer, inputs in ((first, 100), (second, 200)):
        assert abs(layer.matrix.var() * inputs / gain - 1) < 5 * np.sqrt(2 / layer.matrix.size)
        assert not layer.bias.any()
    np.testing.assert_array_equal(network.initial(3), network.initial(3))
    assert (network.initial(3) != network.initial(4)).any()


def test_images_are_flattened_and_nothing_is_changed():
    network, theta, inputs, labels = problem((12, 5, 3), "relu")
    before = theta.copy(), inputs.copy()
    flat = network.value_and_gradient(theta, inputs, labels)
    images = network.value_and_gradient(theta, inputs.reshape(5, 3, 2, 2), labels)
    np.testing.assert_array_equal(flat[1], images[1])
    np.testing.assert_array_equal(theta, before[0])
    np.testing.assert_array_equal(inputs, before[1])


@pytest.mark.parametrize("arguments", [((3,),), ((3, 0, 2),), ((3, 2), "sine")])
def test_bad_networks(arguments):
    with pytest.raises(TrainingError, match=r"sizes must|activation must"):
        Perceptron(*arguments)
