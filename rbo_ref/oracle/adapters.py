"""Adapters: from the shape that a framework's users write to the ``step`` that `check` takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from geometry._namespace import Array
from rbo_ref.oracle.parts import joined, split

__all__ = ["OptaxPort", "TorchPort", "as_step", "closure_of", "leaves", "parameters", "tree", "tree_loss", "whole"]

Loss = Callable[[Array], tuple[Array, Array]]
SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "learning_rate": ("learning_rate", "lr", "eta", "step_size"),
    "radius": ("radius", "rho", "ball_radius"),
    "projection_rate": ("projection_rate", "projection_lr", "gamma", "inner_lr", "inner_learning_rate"),
    "projection_steps": ("projection_steps", "inner_steps", "num_steps", "n_steps", "steps", "P"),
}


def _spellings(factory: Callable[..., Any]) -> dict[str, str]:
    """How a factory spells the four hyper-parameters.

    Raises
    ------
    TypeError
        If it has no parameter for one of them.
    """
    parameters = inspect.signature(factory).parameters
    found = {}
    for name, spellings in SPELLINGS.items():
        found[name] = next((s for s in spellings if s in parameters), "")
        if not found[name]:
            raise TypeError(
                f"{getattr(factory, '__name__', factory)} has no parameter for the {name.replace('_', ' ')} "
                f"(looked for {', '.join(spellings)}); wrap it in a function that has"
            )
    return found


class TorchPort:
    """A port that is a ``torch.optim.Optimizer`` with a closure.

    Parameters
    ----------
    factory : callable
        ``factory(params, *, lr, radius, projection_rate, projection_steps)`` → optimizer; common other spellings are
        recognised. Hyper-parameters that change from step to step are written into ``param_groups``, as PyTorch's
        schedulers do.

    Notes
    -----
    The closure is PyTorch's own: it zeroes the gradients, evaluates the loss, calls ``backward()`` and returns the
    loss. θ of an even number of entries is handed over as several parameters of different shapes, in two groups where
    they are three; one of an odd number as a single one. Where the number of parameters or the dtype changes, a new
    optimizer is made.

    Examples
    --------
    ``oracle.check(oracle.TorchPort(MyRollingBall), xp="torch")`` judges an optimizer, however it spells its parameters:

    >>> def my_rolling_ball(params, lr, rho, gamma, inner_steps): ...
    >>> TorchPort(my_rolling_ball).spellings["projection_rate"]
    'gamma'
    """

    library: ClassVar[str] = "torch"

    def __init__(self, factory: Callable[..., Any]) -> None:
        self.factory, self.name = factory, getattr(factory, "__name__", type(factory).__name__)
        self.spellings = _spellings(factory)
        self._optimizer: Any = None
        self._parameters: list[Any] = []
        self._like: Any = None  # shape and dtype of the θ that the optimizer was made for

    def fresh(self) -> TorchPort:
        """A new optimizer at the next step."""
        return type(self)(self.factory)

    def __call__(self, loss: Loss, theta: Array, **hyper: Any) -> Array:
        import torch

        named = {self.spellings[name]: value for name, value in hyper.items()}
        if self._like != (theta.shape, theta.dtype):
            self._like, (self._parameters, groups) = (theta.shape, theta.dtype), parameters(theta)
            self._optimizer = self.factory(groups, **named)
        with torch.no_grad():
            for parameter, part in zip(self._parameters, split(theta), strict=True):
                parameter.copy_(part)
        for group in self._optimizer.param_groups:
            group.update({name: value for name, value in named.items() if name in group})
        self._optimizer.step(closure_of(self._optimizer, self._parameters, loss))
        return whole(self._parameters)


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


def closure_of(optimizer: Any, made: list[Any], loss: Loss) -> Callable[[], Array]:
    """What ``optimizer.step`` is given."""

    def closure() -> Array:
        optimizer.zero_grad()
        value = _served().apply(joined(made), loss)
        value.backward()
        return value

    return closure


def whole(made: list[Any]) -> Array:
    """θ where its parameters are.

    Examples
    --------
    >>> import pytest
    >>> torch = pytest.importorskip("torch")
    >>> whole([torch.ones(1), torch.tensor(2.0)])
    tensor([1., 2.])
    """
    return joined([parameter.detach() for parameter in made]).clone()


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


class OptaxPort:
    """A port that is an Optax ``GradientTransformationExtraArgs``.

    Parameters
    ----------
    factory : callable
        ``factory(*, learning_rate, radius, projection_rate, projection_steps)`` → transformation, of which
        ``update(updates, state, params, *, value, value_and_grad_fn)`` gets the gradient as updates, the value, and the
        function to evaluate further ones.
    jit : bool
        Whether to run the update under ``jax.jit``.

    Notes
    -----
    The verdict is on the parameters after ``optax.apply_updates``: x + (y − x) is not y in floating arithmetic, and the
    tolerance knows. θ of an even number of entries is handed over as a dictionary of arrays of different shapes; one of
    an odd number as the array that it is. Where the number of parameters or the dtype changes, the state is made anew.

    Examples
    --------
    ``oracle.check(oracle.OptaxPort(my_rolling_ball), xp="jax")`` judges a transformation:

    >>> def my_rolling_ball(learning_rate, radius, projection_rate, projection_steps): ...
    >>> OptaxPort(my_rolling_ball).name
    'my_rolling_ball'
    """

    library: ClassVar[str] = "jax"

    def __init__(self, factory: Callable[..., Any], *, jit: bool = False) -> None:
        self.factory, self.jit, self.name = factory, jit, getattr(factory, "__name__", type(factory).__name__)
        self.spellings = _spellings(factory)
        self._state: Any = None
        self._like: Any = None  # shape and dtype of the θ that the state was made for

    def fresh(self) -> OptaxPort:
        """A new state at the next step."""
        return type(self)(self.factory, jit=self.jit)

    def __call__(self, loss: Loss, theta: Array, **hyper: Any) -> Array:
        import jax
        import optax

        transformation = self.factory(**{self.spellings[name]: value for name, value in hyper.items()})
        params, served = tree(theta), tree_loss(loss)
        if self._like != (theta.shape, theta.dtype):
            self._like, self._state = (theta.shape, theta.dtype), transformation.init(params)

        def update(state: Any, params: Any) -> tuple[Any, Any]:
            value, gradient = served(params)
            updates, state = transformation.update(gradient, state, params, value=value, value_and_grad_fn=served)
            return optax.apply_updates(params, updates), state

        params, self._state = (jax.jit(update) if self.jit else update)(self._state, params)
        return joined(leaves(params))


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


def leaves(params: Any) -> list[Array]:
    """The arrays of parameters in the order of θ.

    Examples
    --------
    >>> import numpy as np
    >>> leaves({"scale": np.zeros(()), "bias": np.zeros(1)})
    [array([0.]), array(0.)]
    """
    return [params[name] for name in NAMES if name in params] if isinstance(params, dict) else [params]


def tree_loss(loss: Loss) -> Callable[[Any], tuple[Array, Any]]:
    """A loss of parameters by name, and its gradient likewise.

    Examples
    --------
    >>> import numpy as np
    >>> tree_loss(lambda theta: (theta @ theta, 2 * theta))({"bias": np.ones(1), "scale": np.array(2.0)})
    (np.float64(5.0), {'bias': array([2.]), 'scale': array(4.)})
    """

    def served(params: Any) -> tuple[Array, Any]:
        value, gradient = loss(joined(leaves(params)))
        return value, tree(gradient)

    return served


def as_step(port: Any) -> Any:
    """What a user names on the command line, as a step: optimizers are wrapped, classes of ports made, the rest kept.

    Raises
    ------
    TypeError
        If it cannot be called.

    Examples
    --------
    >>> def step(loss, theta, *, learning_rate, radius, projection_rate, projection_steps): ...
    >>> as_step(step) is step
    True
    """
    ancestors = [f"{c.__module__}.{c.__qualname__}" for c in getattr(port, "__mro__", ())]
    if "torch.optim.optimizer.Optimizer" in ancestors:
        return TorchPort(port)
    if not callable(port):
        raise TypeError(f"a port must be callable, got {type(port).__name__}")
    if inspect.isclass(port):
        return port()
    return OptaxPort(port) if _is_optax_factory(port) else port


def _is_optax_factory(port: Any) -> bool:
    """Whether the function takes the four hyper-parameters and nothing else."""
    try:
        return len(_spellings(port)) == len(inspect.signature(port).parameters)
    except (TypeError, ValueError):
        return False
