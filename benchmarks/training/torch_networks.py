"""PyTorch's networks as functions of one flat vector of parameters: a perceptron, small ResNets and a VGG.

The paper (v3) names MLP, ResNet-6, ResNet-8 and VGG-9 without their widths; here they are the common small ones. They
are normalized by groups of channels, not by batches: without running averages the loss of a batch is a function of θ
and of nothing else, as Γ must be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy

from benchmarks.training.errors import TrainingError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["TorchNetwork", "build"]

GROUPS = 8
STAGES = {"resnet-6": (16, 32), "resnet-8": (16, 32, 64)}


def build(name: str, shape: tuple[int, ...], classes: int, hidden: tuple[int, ...] = (32,)) -> nn.Module:
    """A network for inputs of shape (channels, height, width).

    Parameters
    ----------
    name : str
        "torch-mlp": hidden layers of `hidden` units with ReLU. "resnet-6", "resnet-8": a convolution, then two or three
        residual blocks of two convolutions with 16, 32 (and 64) channels, each block after the first halving the image,
        then the mean and a linear layer. "vgg-9": three pairs of convolutions with 32, 64 and 128 channels, each
        followed by max-pooling, then three linear layers.
    shape, classes, hidden

    Returns
    -------
    torch.nn.Module

    Raises
    ------
    TrainingError
        For other names, or images too small for the network.
    """
    if name == "torch-mlp":
        return _perceptron(int(numpy.prod(shape)), hidden, classes)
    if name in STAGES:
        return _resnet(shape[0], STAGES[name], classes)
    if name == "vgg-9":
        if min(shape[1:]) < 8:
            raise TrainingError(f"vgg-9 needs images of at least 8 x 8 pixels, got {shape[1]} x {shape[2]}")
        return _vgg(shape, (32, 64, 128), classes)
    raise TrainingError(f"no network {name!r} in PyTorch")


def _perceptron(inputs: int, hidden: tuple[int, ...], classes: int) -> nn.Module:
    from torch import nn

    layers: list[nn.Module] = [nn.Flatten()]
    for units in hidden:
        layers += [nn.Linear(inputs, units), nn.ReLU()]
        inputs = units
    return nn.Sequential(*layers, nn.Linear(inputs, classes))


def _convolution(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    from torch import nn

    return [nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False), nn.GroupNorm(GROUPS, outputs)]


def _resnet(channels: int, stages: tuple[int, ...], classes: int) -> nn.Module:
    from torch import nn

    class Block(nn.Module):
        """max(0, body(x) + shortcut(x)), where the shortcut takes every second pixel and pads with channels of 0."""

        def __init__(self, inputs: int, outputs: int) -> None:
            super().__init__()
            self.stride, self.padding = (1 if inputs == outputs else 2), outputs - inputs
            first, second = _convolution(inputs, outputs, self.stride), _convolution(outputs, outputs)
            self.body = nn.Sequential(*first, nn.ReLU(), *second)

        def forward(self, x: Any) -> Any:
            shortcut = nn.functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.padding))
            return nn.functional.relu(self.body(x) + shortcut)

    width = stages[0]
    layers = [*_convolution(channels, width), nn.ReLU()]
    for outputs in stages:
        layers.append(Block(width, outputs))
        width = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))


def _vgg(shape: tuple[int, ...], widths: tuple[int, ...], classes: int) -> nn.Module:
    from torch import nn

    channels, height, width = shape
    layers: list[nn.Module] = []
    for outputs in widths:
        layers += [*_convolution(channels, outputs), nn.ReLU(), *_convolution(outputs, outputs), nn.ReLU()]
        layers.append(nn.MaxPool2d(2))
        channels, height, width = outputs, height // 2, width // 2
    units = channels * height * width
    head = [nn.Flatten(), nn.Linear(units, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, classes)]
    return nn.Sequential(*layers, *head)


class TorchNetwork:
    """A PyTorch module as a function of one vector, with the methods of `Perceptron`; the loss is the mean
    cross-entropy.

    Parameters
    ----------
    name, shape, classes, hidden
        As in `build`.
    dtype : str
    device : str
        "cpu", "cuda", ...: where the parameters live and the work is done.
    """

    def __init__(
        self,
        name: str,
        shape: tuple[int, ...],
        classes: int,
        hidden: tuple[int, ...] = (32,),
        dtype: str = "float32",
        device: str = "cpu",
    ) -> None:
        import torch

        self._make = lambda: build(name, shape, classes, hidden)
        self._dtype = getattr(torch, dtype)
        try:
            self._device = torch.device(device)
            torch.empty(0, device=self._device)
        except (RuntimeError, AssertionError) as error:
            raise TrainingError(f"PyTorch cannot use the device {device!r}: {str(error).splitlines()[0]}") from error
        with torch.random.fork_rng(devices=[]):
            self._module = self._make().to(self._device, self._dtype)
        self._shapes = {key: p.shape for key, p in self._module.named_parameters()}

    @property
    def dimension(self) -> int:
        """Number of parameters d."""
        return sum(shape.numel() for shape in self._shapes.values())

    def initial(self, seed: int) -> Any:
        """Parameters (d,) to start from, by the rules of PyTorch's layers; the same seed draws the same."""
        import torch

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            fresh = self._make().to(self._dtype)
        return torch.cat([p.detach().reshape(-1) for p in fresh.parameters()]).to(self._device)

    def value_and_gradient(self, theta: Any, inputs: numpy.ndarray, labels: numpy.ndarray) -> tuple[Any, Any]:
        """The loss f(θ) on a batch, shape (), and its gradient (d,)."""
        import torch

        leaf = theta.detach().requires_grad_(True)
        value = torch.nn.functional.cross_entropy(self._logits(leaf, inputs), self._there(labels))
        (gradient,) = torch.autograd.grad(value, leaf)
        return value.detach(), gradient

    def measure(self, theta: Any, inputs: numpy.ndarray, labels: numpy.ndarray) -> tuple[float, float]:
        """Loss and accuracy, in batches of 1000."""
        import torch

        loss, right = 0.0, 0
        with torch.no_grad():
            for first in range(0, len(labels), 1000):
                answers = self._there(labels[first : first + 1000])
                logits = self._logits(theta, inputs[first : first + 1000])
                loss += float(torch.nn.functional.cross_entropy(logits, answers, reduction="sum"))
                right += int((logits.argmax(dim=1) == answers).sum())
        return loss / len(labels), right / len(labels)

    def _logits(self, theta: Any, inputs: numpy.ndarray) -> Any:
        import torch

        parts = torch.split(theta, [shape.numel() for shape in self._shapes.values()])
        parameters = {key: part.view(shape) for (key, shape), part in zip(self._shapes.items(), parts, strict=True)}
        return torch.func.functional_call(self._module, parameters, (self._there(inputs),))

    def _there(self, array: numpy.ndarray) -> Any:
        import torch

        return torch.as_tensor(array, device=self._device)
