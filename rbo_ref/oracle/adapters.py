"""Adapters: from the shape that a framework's users write to the step that `check` takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, ClassVar, Self

from geometry._namespace import Array
from rbo_ref.oracle.asking import needed
from rbo_ref.oracle.dialects import ROLLING_BALL, Hyper
from rbo_ref.oracle.parts import joined, split

__all__ = ["SPELLINGS", "Adapter", "OptaxPort", "TorchPort", "as_port", "as_run", "as_step", "parameters", "tree"]

Loss = Callable[[Array], tuple[Array, Array]]
SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "learning_rate": ("lr", "eta", "step_size", "learning_rate_init"),
    "radius": ("rho", "ball_radius"),
    "projection_rate": ("projection_lr", "gamma", "inner_lr", "inner_learning_rate", "projection_step_size"),
    "projection_steps": ("inner_steps", "num_steps", "n_steps", "n_projection_steps", "steps", "P"),
    "epsilon": ("eps",),
    "momentum": ("mu", "beta", "beta1", "mass"),
    "weight_decay": ("wd", "decay"),
    "steps": ("ns_steps", "inner_steps", "n_steps", "num_steps", "L"),
    "coefficients": ("ns_coefficients", "ns_coeffs"),
    "inner_rate": ("inner_lr", "inner_learning_rate"),
    "averaging": ("alpha",),
    "scope": ("gamma", "g0"),
    "scoping": ("gamma1", "g1"),
    "beta_rms": ("beta_r",),
    "smoothing": ("alpha", "decay", "rho", "gamma"),
}
APART: Mapping[str, tuple[tuple[str, ...], ...]] = {  # what some take apart
    "betas": (("b1", "b2"), ("beta1", "beta2"), ("beta_1", "beta_2")),
    "coefficients": (("muon_a", "muon_b", "muon_c"),),
}


class Adapter:
    """A stepper made of a factory of optimizers, which spells hyper-parameters in its own way."""

    is_stepper: ClassVar[bool] = True

    def __init__(self, factory: Callable[..., Any]) -> None:
        self.factory, self.name = factory, getattr(factory, "__name__", type(factory).__name__)
        self._like: Any = None  # shape and dtype of the θ that the state was made for

    def fresh(self) -> Self:
        """The same without memory."""
        return type(self)(self.factory)

    @cached_property
    def _known(self) -> Mapping[str, inspect.Parameter]:
        return inspect.signature(self.factory).parameters

    def spellings(self, name: str) -> tuple[str, ...]:
        """The parameter of the factory for a hyper-parameter; several for a tuple that it takes apart; none."""
        single = next(((s,) for s in (name, *SPELLINGS.get(name, ())) if s in self._known), ())
        return single or next((names for names in APART.get(name, ()) if set(names) <= set(self._known)), ())

    def lacks(self, arguments: Mapping[str, Any]) -> list[str]:
        """The hyper-parameters among the arguments that the factory has no parameter for."""
        return [n for n in needed(arguments, lambda name: bool(self.spellings(name))) if not self.spellings(n)]

    def spelled(self, hyper: Mapping[str, Any]) -> dict[str, Any]:
        """Hyper-parameters as the factory spells them, without those that change nothing and have no name there.

        Raises
        ------
        TypeError
            If it has no parameter for one of them.
        """
        found: dict[str, Any] = {}
        for name, value in needed(hyper, lambda name: bool(self.spellings(name))).items():
            names = self.spellings(name)
            if not names:
                looked = ", ".join((name, *SPELLINGS.get(name, ())))
                raise TypeError(
                    f"{self.name} has no parameter for the {name.replace('_', ' ')} (looked for {looked}); wrap it in "
                    "a function that has"
                )
            found |= {names[0]: value} if len(names) == 1 else dict(zip(names, value, strict=True))
        return found

    def _is_new(self, theta: Array) -> bool:
        """Whether θ is of another kind than that of the step before."""
        before, self._like = self._like, (theta.shape, theta.dtype)
        return before != self._like


class TorchPort(Adapter):
    """A port that is a ``torch.optim.Optimizer`` with a closure.

    Parameters
    ----------
    factory : callable
        ``factory(params, **hyper)`` → optimizer, of which ``step(closure)`` is called; ``lr``, ``rho``, ``eps`` and
        other common spellings of the hyper-parameters are recognised. Hyper-parameters that change from step to step
        are written into ``param_groups``, as PyTorch's schedulers do.

    Notes
    -----
    The closure is PyTorch's own: it zeroes the gradients, evaluates the loss, calls ``backward()`` and returns the
    loss. A vector of an even number of entries is handed over as several parameters of different shapes, in two groups
    where they are three; one of an odd number, and a matrix, as a single one. Where the number of parameters or the
    dtype changes, a new optimizer is made.

    Examples
    --------
    ``oracle.check(oracle.TorchPort(MyRollingBall), xp="torch")`` judges an optimizer, however it spells its parameters,
    and ``oracle.check(oracle.TorchPort(torch.optim.AdamW), optimizer="adamw", xp="torch")`` PyTorch's own:

    >>> def my_rolling_ball(params, lr, rho, gamma, inner_steps): ...
    >>> TorchPort(my_rolling_ball).spellings("projection_rate")
    ('gamma',)
    """

    library: ClassVar[str] = "torch"

    def __init__(self, factory: Callable[..., Any]) -> None:
        super().__init__(factory)
        self._optimizer: Any = None
        self._parameters: list[Any] = []
        self._hyper: dict[str, Any] = {}

    def __call__(self, loss: Loss, theta: Array, **hyper: Any) -> Array:
        import torch

        named = self.spelled(hyper)
        if self._is_new(theta):
            self._parameters, groups = parameters(theta)
            self._optimizer, self._hyper = self.factory(groups, **named), named
        with torch.no_grad():
            for parameter, part in zip(self._parameters, split(theta), strict=True):
                parameter.copy_(part)
        for group in self._optimizer.param_groups:
            group.update({n: v for n, v in named.items() if n in group and self._hyper[n] != v})
        self._hyper = named
        self._optimizer.step(self._closure(loss))
        return joined([parameter.detach() for parameter in self._parameters]).clone()

    def _closure(self, loss: Loss) -> Callable[[], Array]:
        """What ``optimizer.step`` is given."""

        def closure() -> Array:
            self._optimizer.zero_grad()
            value = _served().apply(joined(self._parameters), loss)
            value.backward()
            return value

        return closure


def parameters(theta: Array) -> tuple[list[Any], list[Any]]:
    """θ as parameters of PyTorch, and the argument of an optimizer: these, or two groups of them where they are many.

    Examples
    --------
    >>> import pytest
    >>> torch = pytest.importorskip("torch")
    >>> [len(group["params"]) for group in parameters(torch.zeros(10))[1]]
    [1, 2]
    """
    import torch

    made = [torch.nn.Parameter(part.detach().clone()) for part in split(theta)]
    return made, made if len(made) < 3 else [{"params": made[:1]}, {"params": made[1:]}]


def _served() -> Any:
    """A differentiable function for PyTorch whose value and gradient are the served ones."""
    import torch

    class Served(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, theta: Array, loss: Loss) -> Array:
            value, gradient = loss(theta.detach())
            context.save_for_backward(gradient)
            return value

        @staticmethod
        def backward(context: Any, weight: Array) -> tuple[Array, None]:
            return weight * context.saved_tensors[0], None

    return Served


class OptaxPort(Adapter):
    """A port that is an Optax ``GradientTransformation``.

    Parameters
    ----------
    factory : callable
        ``factory(**hyper)`` → transformation, of which ``update(updates, state, params, *, value, value_and_grad_fn)``
        gets the gradient as updates and, if it takes more, the value, and the function to evaluate further ones. Common
        other spellings of the hyper-parameters are recognised.
    jit : bool
        Whether to run the update under ``jax.jit``.

    Notes
    -----
    The verdict is on the parameters after ``optax.apply_updates``: x + (y − x) is not y in floating arithmetic, and the
    tolerance knows. A vector of an even number of entries is handed over as a dictionary of arrays of different shapes;
    one of an odd number, and a matrix, as the array that it is. Where the number of parameters or the dtype changes,
    the state is made anew.

    Examples
    --------
    ``oracle.check(oracle.OptaxPort(my_rolling_ball), xp="jax")`` judges a transformation, and
    ``oracle.check(oracle.OptaxPort(optax.adam), optimizer="adam", xp="jax")`` Optax's own:

    >>> def my_rolling_ball(learning_rate, radius, projection_rate, projection_steps): ...
    >>> OptaxPort(my_rolling_ball).name
    'my_rolling_ball'
    """

    library: ClassVar[str] = "jax"

    def __init__(self, factory: Callable[..., Any], *, jit: bool = False) -> None:
        super().__init__(factory)
        self.jit, self._state = jit, None

    def fresh(self) -> Self:
        return type(self)(self.factory, jit=self.jit)

    def __call__(self, loss: Loss, theta: Array, **hyper: Any) -> Array:
        import jax
        import optax

        transformation = optax.with_extra_args_support(self.factory(**self.spelled(hyper)))
        params, served = tree(theta), _tree_loss(loss)
        if self._is_new(theta):
            self._state = transformation.init(params)

        def update(state: Any, params: Any) -> tuple[Any, Any]:
            value, gradient = served(params)
            updates, state = transformation.update(gradient, state, params, value=value, value_and_grad_fn=served)
            return optax.apply_updates(params, updates), state

        params, self._state = (jax.jit(update) if self.jit else update)(self._state, params)
        return joined(_leaves(params))


NAMES = ("weights", "bias", "scale")


def tree(theta: Array) -> Any:
    """θ as the parameters of a model in JAX: the array itself, or several by name.

    Examples
    --------
    >>> import numpy as np
    >>> {name: leaf.shape for name, leaf in tree(np.zeros(10)).items()}
    {'weights': (2, 3), 'bias': (3,), 'scale': ()}
    """
    parts = split(theta)
    return theta if len(parts) == 1 else dict(zip(NAMES[-len(parts) :], parts, strict=True))


def _leaves(params: Any) -> list[Array]:
    """The arrays of parameters in the order of θ."""
    return [params[name] for name in NAMES if name in params] if isinstance(params, dict) else [params]


def _tree_loss(loss: Loss) -> Callable[[Any], tuple[Array, Any]]:
    """A loss of parameters by name, and its gradient likewise."""

    def served(params: Any) -> tuple[Array, Any]:
        value, gradient = loss(joined(_leaves(params)))
        return value, tree(gradient)

    return served


def as_port(port: Any, optimizer: str = ROLLING_BALL) -> Any:
    """What a user names, as a port: optimizers are wrapped, classes of ports made, the rest kept.

    Raises
    ------
    TypeError
        If it cannot be called.

    Examples
    --------
    >>> def step(loss, theta, *, learning_rate, radius, projection_rate, projection_steps): ...
    >>> as_port(step) is step
    True
    """
    ancestors = [f"{c.__module__}.{c.__qualname__}" for c in getattr(port, "__mro__", ())]
    if "torch.optim.optimizer.Optimizer" in ancestors:
        adapter = TorchPort(port)
        if optimizer == ROLLING_BALL:
            adapter.spelled(dict.fromkeys(Hyper._fields))
        return adapter
    if not callable(port):
        raise TypeError(f"a port must be callable, got {type(port).__name__}")
    if inspect.isclass(port):
        return port()
    return OptaxPort(port) if _is_optax_factory(port, optimizer) else port


def as_step(port: Any) -> Any:
    """`as_port` of the rolling ball.

    Examples
    --------
    >>> def my_rolling_ball(learning_rate, radius, projection_rate, projection_steps): ...
    >>> type(as_step(my_rolling_ball)).__name__
    'OptaxPort'
    """
    return as_port(port)


def as_run(port: Any) -> Any:
    """`as_port` of any other optimizer.

    Examples
    --------
    >>> def port(loss, theta, *, iterations, **hyper): ...
    >>> as_run(port) is port
    True
    """
    return as_port(port, "")


def _is_optax_factory(port: Any, optimizer: str) -> bool:
    """Whether a function takes hyper-parameters and nothing else.

    One whose signature cannot be read is given the benefit of the doubt.
    """
    try:
        known = inspect.signature(port).parameters
    except (TypeError, ValueError):
        return False
    if optimizer == ROLLING_BALL:
        return len(known) == len(Hyper._fields) and not OptaxPort(port).lacks(dict.fromkeys(Hyper._fields))
    anything = any(p.kind is p.VAR_KEYWORD for p in known.values())
    return "iterations" not in known and not (anything and "loss" in known)
