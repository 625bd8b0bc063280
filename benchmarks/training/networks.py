"""A multilayer perceptron in NumPy: one flat vector of parameters, and a gradient by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy

from benchmarks.training.errors import TrainingError

__all__ = ["Layer", "Perceptron"]


class Layer(NamedTuple):
    """The affine map x ↦ xA + b; views into a vector of parameters."""

    matrix: numpy.ndarray  # A, (inputs, outputs)
    bias: numpy.ndarray  # b, (outputs,)


@dataclass(frozen=True)
class Perceptron:
    """A multilayer perceptron with the mean cross-entropy as its loss.

    With h₀ = x, for the layers k = 1, …, K and N examples of class y::

        z_k = h_{k-1} A_k + b_k,    h_k = max(z_k, 0) or tanh(z_k),    q = softmax(z_K)
        f(θ) = −(1/N) Σ log q_y

    and backwards, with 1_y the indicator of the class and ⊙ the product element by element::

        δ_K = (q − 1_y)/N,    δ_k = (δ_{k+1} A_{k+1}ᵀ) ⊙ h'_k,    ∂f/∂A_k = h_{k-1}ᵀ δ_k,    ∂f/∂b_k = Σ δ_k

    θ holds A_1, b_1, A_2, b_2, …, one after the other.

    Parameters
    ----------
    sizes : tuple of int
        Numbers of inputs, of hidden units layer by layer, and of classes.
    activation : "relu" or "tanh"
    dtype : str
        Of the parameters that `initial` draws.

    Examples
    --------
    At θ = 0 all classes are equally likely:

    >>> import numpy as np
    >>> net = Perceptron((2, 3, 4))
    >>> value, gradient = net.value_and_gradient(np.zeros(net.dimension), np.ones((5, 2)), np.zeros(5, int))
    >>> float(np.exp(value)), gradient[-4:]
    (4.0, array([-0.75,  0.25,  0.25,  0.25]))
    """

    sizes: tuple[int, ...]
    activation: str = "relu"
    dtype: str = "float64"

    def __post_init__(self) -> None:
        if len(self.sizes) < 2 or min(self.sizes) < 1:
            raise TrainingError(f"sizes must be at least two positive numbers, got {self.sizes}")
        if self.activation not in ("relu", "tanh"):
            raise TrainingError(f"activation must be 'relu' or 'tanh', got {self.activation!r}")

    @property
    def dimension(self) -> int:
        """Number of parameters d."""
        return sum((inputs + 1) * outputs for inputs, outputs in pairwise(self.sizes))

    def initial(self, seed: int) -> numpy.ndarray:
        """Parameters (d,) to start from: normal matrices of variance 2/inputs (ReLU) or 1/inputs (tanh), no biases.

        They are He's and LeCun's rules; the same seed draws the same.
        """
        random, theta = numpy.random.default_rng((seed, 0)), numpy.zeros(self.dimension, self.dtype)
        gain = 2 if self.activation == "relu" else 1
        for layer in self.layers(theta):
            layer.matrix[...] = random.normal(0, math.sqrt(gain / layer.matrix.shape[0]), layer.matrix.shape)
        return theta

    def layers(self, theta: numpy.ndarray) -> Iterator[Layer]:
        """The layers, as views into θ (d,)."""
        start = 0
        for inputs, outputs in pairwise(self.sizes):
            middle, end = start + inputs * outputs, start + (inputs + 1) * outputs
            yield Layer(theta[start:middle].reshape(inputs, outputs), theta[middle:end])
            start = end

    def value_and_gradient(
        self, theta: numpy.ndarray, inputs: numpy.ndarray, labels: numpy.ndarray
    ) -> tuple[numpy.ndarray, numpy.ndarray]:
        """The loss f(θ) on a batch, shape (), and its gradient (d,).

        Parameters
        ----------
        theta : array (d,)
        inputs : array (n, ...)
            Flattened after the first axis.
        labels : integer array (n,)
        """
        hidden, logits = self._forward(theta, inputs)
        value, delta = _cross_entropy(logits, labels)
        gradient = numpy.empty_like(theta)
        layers = zip(self.layers(theta), self.layers(gradient), hidden, strict=True)
        for layer, slot, below in reversed(list(layers)):
            numpy.matmul(below.T, delta, out=slot.matrix)
            delta.sum(axis=0, out=slot.bias)
            if below is not hidden[0]:
                delta = (delta @ layer.matrix.T) * self._slope(below)
        return value, gradient

    def measure(self, theta: numpy.ndarray, inputs: numpy.ndarray, labels: numpy.ndarray) -> tuple[float, float]:
        """Loss and accuracy (the fraction of inputs whose largest logit is that of their class) on a batch."""
        logits = self._forward(theta, inputs)[1]
        return float(_cross_entropy(logits, labels)[0]), float(numpy.mean(logits.argmax(axis=1) == labels))

    def _forward(self, theta: numpy.ndarray, inputs: numpy.ndarray) -> tuple[list[numpy.ndarray], numpy.ndarray]:
        """What goes into each layer, and what comes out of the last."""
        h = inputs.reshape(inputs.shape[0], -1)
        *hidden, last = self.layers(theta)
        into = [h]
        for matrix, bias in hidden:
            z = h @ matrix + bias
            h = numpy.tanh(z) if self.activation == "tanh" else numpy.where(z.real > 0, z, 0)
            into.append(h)
        return into, h @ last.matrix + last.bias

    def _slope(self, h: numpy.ndarray) -> numpy.ndarray:
        """The derivative of the activation, from its value h."""
        return 1 - h**2 if self.activation == "tanh" else (h > 0).astype(h.dtype)


def _cross_entropy(logits: numpy.ndarray, labels: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Mean cross-entropy, shape (), and its gradient in the logits. Differences to the largest logit never overflow."""
    rows = numpy.arange(len(labels))
    shifted = logits - logits.real.max(axis=1, keepdims=True)
    exponentials = numpy.exp(shifted)
    sums = exponentials.sum(axis=1, keepdims=True)
    value = (numpy.log(sums[:, 0]) - shifted[rows, labels]).mean()
    delta = exponentials / sums
    delta[rows, labels] -= 1
    return value, delta / len(labels)
