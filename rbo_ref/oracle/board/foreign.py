"""Ports of optimizers that neither PyTorch's nor Optax's adapter can take as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ClassVar

import numpy

from geometry._namespace import Array
from rbo_ref.oracle.adapters import Adapter, TorchPort
from rbo_ref.oracle.parts import joined, split

__all__ = [
    "AutogradPort",
    "ExamplePort",
    "KerasPort",
    "MlxPort",
    "SklearnPort",
    "always_nesterov",
    "autograd_adam",
    "autograd_rmsprop",
    "autograd_sgd",
    "eager_heavyball",
    "grouped_muon",
    "heavyball_sgd",
    "itself",
    "keras_nadam",
    "mlx_muon",
    "optax_nadam",
    "optax_sam",
    "pytorch_optimizer_muon",
    "pytorch_optimizer_sam",
]

Loss = Callable[[Array], tuple[Array, Array]]


def itself(port: Any) -> Any:
    """What is a port already."""
    return port


# --- on PyTorch -----------------------------------------------------------------------------------------------------


def pytorch_optimizer_sam(params: Any, lr: float, rho: float, adaptive: bool, eps: float) -> Any:
    """SAM of pytorch_optimizer around PyTorch's SGD."""
    import pytorch_optimizer
    import torch

    return pytorch_optimizer.SAM(params, torch.optim.SGD, rho=rho, adaptive=adaptive, perturb_eps=eps, lr=lr)


def pytorch_optimizer_muon(
    params: Any,
    lr: float,
    momentum: float,
    nesterov: bool,
    weight_decay: float,
    ns_steps: int,
    ns_coeffs: tuple[float, float, float],
    eps: float,
) -> Any:
    """Muon of pytorch_optimizer, whose ε cannot be chosen."""
    import pytorch_optimizer

    if eps != 1e-7:
        raise ValueError(f"its epsilon is 1e-7, got {eps}")
    named = {"nesterov": nesterov, "weight_decay": weight_decay, "ns_steps": ns_steps, "ns_coeffs": ns_coeffs}
    return pytorch_optimizer.Muon([{"params": params, "use_muon": True}], lr, momentum, **named)


def grouped_muon(factory: Callable[..., Any]) -> TorchPort:
    """A Muon that is told by a key of each group whether the parameters are its own."""

    @wraps(factory)
    def made(params: Any, **hyper: Any) -> Any:
        return factory([{"params": params, "use_muon": True}], **hyper)

    return TorchPort(made)


def eager_heavyball(factory: Callable[..., Any]) -> TorchPort:
    """One of heavyball, whose first step would be a compilation of some 20 s."""
    from heavyball import utils

    utils.compile_mode = None
    return TorchPort(factory)


def heavyball_sgd(params: Any, lr: float, beta: float) -> Any:
    """SGD of heavyball, which refuses what it does not know only when it is called."""
    from heavyball import SGD

    return SGD(params, lr=lr, beta=beta)


class KerasPort(Adapter):
    """A Keras optimizer on PyTorch, with all of Keras in the format of θ.

    Keras keeps the learning rate in a variable of ``floatx``, which is float32 unless it is told otherwise.
    """

    library: ClassVar[str] = "torch"

    def __init__(self, factory: Callable[..., Any]) -> None:
        super().__init__(factory)
        self._optimizer: Any = None
        self._variables: list[Any] = []

    def __call__(self, loss: Loss, theta: Array, **hyper: Any) -> Array:
        import keras

        parts = split(theta)
        if self._is_new(theta):
            keras.config.set_floatx(str(theta.dtype).rpartition(".")[2])
            self._variables = [keras.Variable(part.clone()) for part in parts]
            self._optimizer = self.factory(**self.spelled(hyper))
            self._optimizer.build(self._variables)
        for variable, part in zip(self._variables, parts, strict=True):
            variable.assign(part)
        for name, value in self.spelled(hyper).items():
            if name == "learning_rate":
                self._optimizer.learning_rate = value
        self._optimizer.apply(split(loss(theta)[1]), self._variables)
        return joined([variable.value.detach() for variable in self._variables]).clone()


def keras_nadam(learning_rate: float, beta_1: float, beta_2: float, epsilon: float, momentum_decay: float) -> Any:
    """NAdam of Keras, of which the schedule cannot be chosen."""
    import keras

    return keras.optimizers.Nadam(learning_rate, beta_1, beta_2, epsilon)


# --- runs of many steps ---------------------------------------------------------------------------------------------


class _Runner(Adapter):
    """One that is asked for all steps at once, since its state cannot be given another θ."""

    is_stepper: ClassVar[bool] = False

    def lacks(self, arguments: Mapping[str, Any]) -> list[str]:
        return super().lacks({name: value for name, value in arguments.items() if name != "iterations"})


class SklearnPort(_Runner):
    """One of the optimizers behind scikit-learn's multilayer perceptron."""

    library: ClassVar[str] = "numpy"

    def __call__(self, loss: Loss, theta: Array, *, iterations: int, **hyper: Any) -> list[Array]:
        params = [numpy.array(part) for part in split(theta)]
        optimizer, path = self.factory(params, **self.spelled(hyper)), []
        for _ in range(iterations):
            optimizer.update_params(params, split(loss(joined(params))[1]))
            path.append(joined(params).copy())  # one parameter is θ itself, which is updated in place
        return path


class ExamplePort(_Runner):
    """One of ``jax.example_libraries.optimizers``: three functions, that begin, update and read a state."""

    library: ClassVar[str] = "jax"

    def __call__(self, loss: Loss, theta: Array, *, iterations: int, **hyper: Any) -> list[Array]:
        begin, update, read = self.factory(**self.spelled(hyper))
        state, path = begin(split(theta)), [theta]
        for step in range(iterations):
            state = update(step, split(loss(path[-1])[1]), state)
            path.append(joined(read(state)))
        return path[1:]


def always_nesterov(factory: Callable[..., Any]) -> ExamplePort:
    """One that looks ahead without being asked to."""

    def made(step_size: float, mass: float, nesterov: bool) -> Any:
        return factory(step_size, mass)

    return ExamplePort(made)


class AutogradPort(_Runner):
    """One of ``autograd.misc.optimizers``, which call back before every step; the signature of theirs shows nothing."""

    library: ClassVar[str] = "numpy"

    def __call__(self, loss: Loss, theta: Array, *, iterations: int, **hyper: Any) -> list[Array]:
        path: list[Array] = []

        def gradient(parts: list[Array], step: int) -> list[Array]:
            return split(loss(joined(parts))[1])

        def seen(parts: list[Array], step: int, slope: Any) -> None:
            path.append(joined(parts))

        end = self.factory(gradient, split(theta), seen, iterations, **self.spelled(hyper))
        return [*path[1:], joined(end)]


class MlxPort(_Runner):
    """One of ``mlx.optimizers``, whose arrays are not of the array API: NumPy's go in and come out."""

    library: ClassVar[str] = "numpy"

    def __call__(self, loss: Loss, theta: Array, *, iterations: int, **hyper: Any) -> list[Array]:
        import mlx.core as mx

        def named(parts: list[Array]) -> dict[str, Any]:
            return dict(zip("abc", map(mx.array, parts), strict=False))

        optimizer, path = self.factory(**self.spelled(hyper)), [theta]
        params = named(split(theta))
        for _ in range(iterations):
            params = optimizer.apply_gradients(named(split(loss(path[-1])[1])), params)
            path.append(joined([numpy.array(params[name]) for name in sorted(params)]))
        return path[1:]


def mlx_muon(
    learning_rate: float,
    momentum: float,
    nesterov: bool,
    weight_decay: float,
    steps: int,
    coefficients: tuple[float, float, float],
    epsilon: float,
) -> Any:
    """Muon of MLX, whose coefficients and ε cannot be chosen."""
    from mlx.optimizers import Muon

    if (coefficients, epsilon) != ((3.4445, -4.775, 2.0315), 1e-7):
        raise ValueError(f"it has coefficients and an epsilon of its own, got {coefficients} and {epsilon}")
    return Muon(learning_rate, momentum, weight_decay, nesterov, steps)


def autograd_sgd(gradient: Any, theta: Any, callback: Any, count: int, step_size: float, mass: float) -> Any:
    """``sgd`` of autograd, with a signature."""
    from autograd.misc.optimizers import sgd

    return sgd(gradient, theta, callback, count, step_size, mass)


def autograd_adam(
    gradient: Any, theta: Any, callback: Any, count: int, step_size: float, b1: float, b2: float, eps: float
) -> Any:
    """``adam`` of autograd, with a signature."""
    from autograd.misc.optimizers import adam

    return adam(gradient, theta, callback, count, step_size, b1, b2, eps)


def autograd_rmsprop(
    gradient: Any, theta: Any, callback: Any, count: int, step_size: float, gamma: float, eps: float
) -> Any:
    """``rmsprop`` of autograd, with a signature."""
    from autograd.misc.optimizers import rmsprop

    return rmsprop(gradient, theta, callback, count, step_size, gamma, eps)


# --- Optax ----------------------------------------------------------------------------------------------------------


def optax_sam(learning_rate: float, radius: float, epsilon: float) -> Any:
    """SAM of ``optax.contrib`` as its documentation sets it up, in one update: normalized ascent, descent by SGD.

    It has no ε.
    """
    import optax
    from optax.contrib import normalize, sam

    opaque = sam(optax.sgd(learning_rate), optax.chain(normalize(), optax.sgd(radius)), opaque_mode=True)

    def update(updates: Any, state: Any, params: Any = None, *, value_and_grad_fn: Any, **more: Any) -> Any:
        return opaque.update(updates, state, params, grad_fn=lambda place, _: value_and_grad_fn(place)[1])

    return optax.GradientTransformationExtraArgs(opaque.init, update)


def optax_nadam(learning_rate: float, b1: float, b2: float, eps: float, momentum_decay: float) -> Any:
    """NAdam of Optax, of which the momentum has no schedule."""
    import optax

    return optax.nadam(learning_rate, b1, b2, eps)
