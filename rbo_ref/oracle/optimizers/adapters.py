"""Adapters: from a framework's optimizer classes and factories to the port that `check_optimizer` takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from geometry._namespace import Array
from rbo_ref.oracle.adapters import closure_of, leaves, parameters, tree, tree_loss, whole
from rbo_ref.oracle.asking import needed
from rbo_ref.oracle.parts import joined

__all__ = ["OptaxRun", "TorchRun", "as_run"]

Loss = Callable[[Array], tuple[Array, Array]]
SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "learning_rate": ("lr", "eta", "step_size"),
    "epsilon": ("eps",),
    "momentum": ("mu", "beta", "beta1"),
    "weight_decay": ("wd", "decay"),
    "radius": ("rho",),
    "steps": ("ns_steps", "inner_steps", "n_steps", "num_steps", "L"),
    "coefficients": ("ns_coefficients", "ns_coeffs"),
    "inner_rate": ("inner_lr", "inner_learning_rate"),
    "averaging": ("alpha",),
    "scope": ("gamma", "g0"),
    "scoping": ("gamma1", "g1"),
    "beta_rms": ("beta_r",),
}
PAIRS = (("b1", "b2"), ("beta1", "beta2"))


def _spelled(factory: Callable[..., Any], hyper: Mapping[str, Any]) -> dict[str, Any]:
    """Hyper-parameters under the names that a factory has for them, without those that change nothing and have none.

    Raises
    ------
    TypeError
        If it has no parameter for one of them.
    """
    found: dict[str, Any] = {}
    for name, value in needed(hyper, lambda name: bool(_spellings(factory, name))).items():
        spellings = _spellings(factory, name)
        if not spellings:
            raise TypeError(f"{factory.__name__} has no parameter for {name}: wrap it in a port that has")
        found |= {spellings[0]: value} if len(spellings) == 1 else dict(zip(spellings, value, strict=True))
    return found


def _spellings(factory: Callable[..., Any], name: str) -> tuple[str, ...]:
    """The parameter of a factory for a hyper-parameter; two for a pair that it takes apart; none."""
    known = inspect.signature(factory).parameters
    single = next(((s,) for s in (name, *SPELLINGS.get(name, ())) if s in known), ())
    return single or next((pair for pair in PAIRS if name == "betas" and set(pair) <= set(known)), ())


def _lacking(factory: Callable[..., Any], arguments: Mapping[str, Any]) -> list[str]:
    """The hyper-parameters among the arguments of a port that a factory has no parameter for."""
    hyper = {name: value for name, value in arguments.items() if name != "iterations"}
    return [n for n in needed(hyper, lambda name: bool(_spellings(factory, name))) if not _spellings(factory, n)]


class TorchRun:
    """A port that runs a ``torch.optim.Optimizer``.

    Parameters
    ----------
    factory : callable
        ``factory(params, **hyper)`` → optimizer, of which ``step(closure)`` is called. Common other spellings of the
        hyper-parameters are recognised.

    Notes
    -----
    Vectors and matrices are handed over as `TorchPort` does: a vector of an even number of entries as several
    parameters, a matrix as one.

    Examples
    --------
    ``check_optimizer(TorchRun(torch.optim.AdamW), "adamw", xp="torch")`` judges PyTorch's own:

    >>> def my_sgd(params, lr, momentum, nesterov): ...
    >>> TorchRun(my_sgd).name
    'my_sgd'
    """

    library: ClassVar[str] = "torch"

    def __init__(self, factory: Callable[..., Any]) -> None:
        self.factory, self.name = factory, getattr(factory, "__name__", type(factory).__name__)

    def lacks(self, arguments: Mapping[str, Any]) -> list[str]:
        """The hyper-parameters among the arguments that the factory has no parameter for."""
        return _lacking(self.factory, arguments)

    def __call__(self, loss: Loss, theta: Array, *, iterations: int, **hyper: Any) -> list[Array]:
        made, groups = parameters(theta)
        optimizer = self.factory(groups, **_spelled(self.factory, hyper))
        closure, iterates = closure_of(optimizer, made, loss), []
        for _ in range(iterations):
            optimizer.step(closure)
            iterates.append(whole(made))
        return iterates


class OptaxRun:
    """A port that runs an Optax ``GradientTransformation``.

    Parameters
    ----------
    factory : callable
        ``factory(**hyper)`` → transformation. Common other spellings of the hyper-parameters are recognised.

    Notes
    -----
    A vector of an even number of entries is handed over as a dictionary of arrays, as `OptaxPort` does.

    Examples
    --------
    ``check_optimizer(OptaxRun(optax.adam), "adam", xp="jax")`` judges Optax's own:

    >>> def my_adam(learning_rate, b1, b2, eps): ...
    >>> OptaxRun(my_adam).name
    'my_adam'
    """

    library: ClassVar[str] = "jax"

    def __init__(self, factory: Callable[..., Any]) -> None:
        self.factory, self.name = factory, getattr(factory, "__name__", type(factory).__name__)

    def lacks(self, arguments: Mapping[str, Any]) -> list[str]:
        """The hyper-parameters among the arguments that the factory has no parameter for."""
        return _lacking(self.factory, arguments)

    def __call__(self, loss: Loss, theta: Array, *, iterations: int, **hyper: Any) -> list[Array]:
        import optax

        transformation = self.factory(**_spelled(self.factory, hyper))
        params, served, iterates = tree(theta), tree_loss(loss), []
        state = transformation.init(params)
        for _ in range(iterations):
            updates, state = transformation.update(served(params)[1], state, params)
            params = optax.apply_updates(params, updates)
            iterates.append(joined(leaves(params)))
        return iterates


def as_run(port: Any) -> Any:
    """What a user names on the command line, as a port: optimizers are wrapped, classes made, the rest kept.

    Raises
    ------
    TypeError
        If it cannot be called.

    Examples
    --------
    >>> def port(loss, theta, *, iterations, **hyper): ...
    >>> as_run(port) is port
    True
    """
    ancestors = [f"{c.__module__}.{c.__qualname__}" for c in getattr(port, "__mro__", ())]
    if "torch.optim.optimizer.Optimizer" in ancestors:
        return TorchRun(port)
    if not callable(port):
        raise TypeError(f"a port must be callable, got {type(port).__name__}")
    if inspect.isclass(port):
        return port()
    return port if _takes_iterations(port) else OptaxRun(port)


def _takes_iterations(port: Any) -> bool:
    """Whether the signature is that of a port; one that cannot be read is given the benefit of the doubt."""
    try:
        parameters = inspect.signature(port).parameters
    except (TypeError, ValueError):
        return True
    anything = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    return "iterations" in parameters or (anything and "loss" in parameters)
