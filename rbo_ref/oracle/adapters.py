"""Adapters: from the shape that a framework's users write to the step that `check` takes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from copy import copy
from functools import cached_property
from typing import Any, ClassVar, Self

from geometry._namespace import Array
from rbo_ref.oracle.asking import name_of, needed, signature_of
from rbo_ref.oracle.calls import Skip
from rbo_ref.oracle.parts import entry_name, joined, leaf_of, shapes, split

__all__ = ["APART", "SPELLINGS", "Adapter", "OptaxPort", "TorchPort", "parameters", "tree"]

Loss = Callable[[Array], tuple[Array, Array]]
SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "learning_rate": ("lr", "eta", "step_size", "learning_rate_init"),
    "radius": ("rho", "ball_radius"),
    "projection_rate": ("projection_lr", "gamma", "inner_lr", "inner_learning_rate", "projection_step_size"),
    "projection_steps": ("inner_steps", "num_steps", "n_steps", "n_projection_steps", "steps", "P"),
    "epsilon": ("eps", "perturb_eps"),
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
UNEXPECTED = re.compile(r"unexpected keyword argument '(\w+)'")


class Adapter:
    """A stepper made of a factory of optimizers, which spells hyper-parameters in its own way.

    Attributes
    ----------
    kind : str
        What the factory is taken for.
    own : mapping
        How the library spells hyper-parameters: so they are handed to a factory that takes any.
    parts : tuple of str
        Attributes of what the factory returns; none: it is not tried before it is asked.
    """

    is_stepper: ClassVar[bool] = True
    library: ClassVar[str] = "numpy"
    kind: ClassVar[str] = "a factory of optimizers"
    own: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    parts: ClassVar[tuple[str, ...]] = ()

    def __init__(self, factory: Callable[..., Any]) -> None:
        self.factory, self.name = factory, name_of(factory).rpartition(".")[2]
        self._refused: set[str] = set()  # by a factory that seemed to take any
        self._like: Any = None  # shape and dtype of the θ that the state was made for

    def fresh(self) -> Self:
        """The same without memory."""
        other = copy(self)
        other._like = None
        return other

    @cached_property
    def known(self) -> Mapping[str, inspect.Parameter]:
        """The parameters of the factory."""
        return inspect.signature(self.factory).parameters

    def spellings(self, name: str) -> tuple[str, ...]:
        """The parameter of the factory for a hyper-parameter; several for a tuple that it takes apart; none."""
        some = [*((s,) for s in (name, *SPELLINGS.get(name, ()))), *APART.get(name, ())]
        if any(p.kind is p.VAR_KEYWORD for p in self.known.values()):
            named = next((names for names in some if set(names) <= set(self.known)), self.own.get(name, (name,)))
            return () if self._refused & set(named) else named
        return next((names for names in some if set(names) <= set(self.known)), ())

    def lacks(self, arguments: Mapping[str, Any]) -> list[str]:
        """The hyper-parameters among the arguments that the factory has no parameter for."""
        return [n for n in needed(arguments, lambda name: bool(self.spellings(name))) if not self.spellings(n)]

    def spelled(self, hyper: Mapping[str, Any]) -> dict[str, Any]:
        """Hyper-parameters as the factory spells them, without those that it has no name for."""
        found: dict[str, Any] = {}
        for name, value in hyper.items():
            names = self.spellings(name)
            found |= {names[0]: value} if len(names) == 1 else dict(zip(names, value, strict=True)) if names else {}
        return found

    def understood(self, hyper: Mapping[str, Any]) -> str:
        """What the factory was taken for, in a sentence."""
        given = ", ".join(self.spelled(hyper)) or "nothing"
        return f"{self.name} was taken for {self.kind}, and given {given}"

    def wanted(self, hyper: Mapping[str, Any]) -> list[str]:
        """Under which names hyper-parameters would be understood that the factory has no parameter for."""
        named = ((name, SPELLINGS.get(name, ())) for name in self.lacks(hyper))
        return [f"{name} may also be called {', '.join(others)}" for name, others in named if others]

    def prove(self, theta: Array, hyper: Mapping[str, Any]) -> None:
        """Make an optimizer, to see whether the factory is what it was taken for.

        Raises
        ------
        TypeError
            If it cannot be called so, or what it returns is no optimizer of this kind.
        """
        while self.parts:
            given = self.spelled(hyper)
            try:
                made = self.made(theta, given)
            except TypeError as error:
                refused = UNEXPECTED.search(str(error))
                if refused is None or refused[1] in self.known or refused[1] not in given:
                    raise TypeError(f"{self.understood(hyper)}, which fails: {error}") from error
                self._refused.add(refused[1])
                continue
            if not all(hasattr(made, name) for name in self.parts):
                absent = ", ".join(name for name in self.parts if not hasattr(made, name))
                raise TypeError(f"{self.understood(hyper)}, and returned {type(made).__name__}, which has no {absent}")
            return

    def made(self, theta: Array, named: Mapping[str, Any]) -> Any:
        """An optimizer for a θ, of hyper-parameters as the factory spells them."""
        return self.factory(**named)

    def entry(self, index: int, theta: tuple[int, ...]) -> str:
        """What an entry of θ is called in the optimizer's own parameters."""
        number, place, shape = leaf_of(index, theta)
        return entry_name(place, shape, self._leaf(number, len(shapes(theta))))

    def _leaf(self, number: int, count: int) -> str:
        """What a parameter is called."""
        return f"params[{number}]"

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
    A step goes as in a loop of training: the gradients are zeroed and computed, then ``step(closure)`` is called, or
    ``step()`` where it takes no closure. So an optimizer that expects gradients finds them, as SAM does in most
    collections; one that begins by calling the closure at the same place has asked for the loss once, not twice. The
    closure is PyTorch's own: it zeroes the gradients, evaluates the loss, calls ``backward()`` and returns the loss. A
    vector of an even number of entries is handed over as several parameters of different shapes, in two groups where
    they are three; one of an odd number, and a matrix, as a single one. Where the number of parameters or the dtype
    changes, a new optimizer is made.

    Examples
    --------
    ``oracle.check(MyRollingBall)`` judges an optimizer, however it spells its parameters, and
    ``oracle.check(torch.optim.AdamW, optimizer="adamw")`` PyTorch's own. `TorchPort` is what they are taken for:

    >>> def my_rolling_ball(params, lr, rho, gamma, inner_steps): ...
    >>> TorchPort(my_rolling_ball).spellings("projection_rate")
    ('gamma',)
    """

    library: ClassVar[str] = "torch"
    kind: ClassVar[str] = "an optimizer of PyTorch"
    own: ClassVar[Mapping[str, tuple[str, ...]]] = {"learning_rate": ("lr",), "epsilon": ("eps",)}
    parts: ClassVar[tuple[str, ...]] = ("step", "zero_grad", "param_groups")

    def __init__(self, factory: Callable[..., Any]) -> None:
        super().__init__(factory)
        self._optimizer: Any = None
        self._parameters: list[Any] = []
        self._hyper: dict[str, Any] = {}
        self._shares: tuple[float, ...] = ()

    def with_rates(self, *shares: float) -> Self:
        """The same without memory, where each group of parameters has such a share of the learning rate."""
        other = self.fresh()
        other._shares = shares
        return other

    def made(self, theta: Array, named: Mapping[str, Any]) -> Any:
        self._parameters, groups = parameters(theta)
        return self.factory(groups, **named)

    def __call__(self, loss: Loss, theta: Array, **hyper: Any) -> Array:
        import torch

        named = self.spelled(hyper)
        if self._is_new(theta):
            self._optimizer, self._hyper = self.made(theta, named), named
            self._share_rates()
        with torch.no_grad():
            for parameter, part in zip(self._parameters, split(theta), strict=True):
                parameter.copy_(part)
        self._reschedule(named)
        with torch.enable_grad():
            closure = self._closure(_asked_once(loss))
            closure()
            self._optimizer.step(*([closure] if _takes_closure(self._optimizer) else []))
        return joined([parameter.detach() for parameter in self._parameters]).clone()

    def _share_rates(self) -> None:
        groups = self._optimizer.param_groups
        for group, share in zip(groups[: len(self._shares)], self._shares, strict=False):
            name = next((n for n in (*self.spellings("learning_rate"), "lr") if n in group), None)
            if name is None or len(groups) < len(self._shares):
                raise Skip("its groups of parameters have no rates of their own")
            group[name] *= share

    def _leaf(self, number: int, count: int) -> str:
        group, place = (1, number - 1) if count > 2 and number else (0, number)
        return f"param_groups[{group}]['params'][{place}]"

    def _reschedule(self, named: dict[str, Any]) -> None:
        """Write what has changed into the groups."""
        changed = {name: value for name, value in named.items() if self._hyper[name] != value}
        self._hyper = named
        for group in self._optimizer.param_groups:
            if missing := [name for name in changed if name not in group]:
                raise Skip(f"its param_groups hold no {', '.join(missing)}, which changes from step to step")
            group.update(changed)

    def _closure(self, loss: Loss) -> Callable[[], Array]:
        """What ``optimizer.step`` is given."""

        def closure() -> Array:
            self._optimizer.zero_grad()
            value = _served().apply(joined(self._parameters), loss)
            value.backward()
            return value

        return closure


def _asked_once(loss: Loss) -> Loss:
    """The loss, which gives its first answer again where the second question is the same."""
    first: list[tuple[Array, Any]] = []

    def served(theta: Array) -> tuple[Array, Array]:
        is_same = len(first) == 1 and bool((first[0][0] == theta).all())
        answer = first[0][1] if is_same else loss(theta)
        if len(first) < 2:
            first.append((theta.clone(), answer))
        return answer

    return served


def _takes_closure(optimizer: Any) -> bool:
    signature = signature_of(optimizer.step)
    try:
        return signature is None or bool(signature.bind(None))
    except TypeError:
        return False


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

    Hyper-parameters that change from step to step are written into the state of ``optax.inject_hyperparams``; of any
    other factory the next transformation is made with them, and given the state of the one before.

    Examples
    --------
    ``oracle.check(my_rolling_ball)`` judges a transformation, and ``oracle.check(optax.adam, optimizer="adam")`` that
    of Optax. `OptaxPort` is what they are taken for:

    >>> def my_rolling_ball(learning_rate, radius, projection_rate, projection_steps): ...
    >>> OptaxPort(my_rolling_ball).name
    'my_rolling_ball'
    """

    library: ClassVar[str] = "jax"
    kind: ClassVar[str] = "a factory of Optax's transformations"
    own: ClassVar[Mapping[str, tuple[str, ...]]] = {"betas": ("b1", "b2"), "epsilon": ("eps",)}
    parts: ClassVar[tuple[str, ...]] = ("init", "update")

    def __init__(self, factory: Callable[..., Any], *, jit: bool = False) -> None:
        super().__init__(factory)
        self.jit, self._state = jit, None

    def __call__(self, loss: Loss, theta: Array, **hyper: Any) -> Array:
        import jax
        import optax

        named = self.spelled(hyper)
        transformation = optax.with_extra_args_support(self.made(theta, named))
        params, served = tree(theta), _tree_loss(loss)
        if self._is_new(theta):
            self._state = transformation.init(params)
        injected = getattr(self._state, "hyperparams", {})
        injected.update({n: jax.numpy.asarray(named[n], dtype=injected[n].dtype) for n in injected if n in named})

        def update(state: Any, params: Any) -> tuple[Any, Any]:
            value, gradient = served(params)
            updates, state = transformation.update(gradient, state, params, value=value, value_and_grad_fn=served)
            return optax.apply_updates(params, updates), state

        params, self._state = (jax.jit(update) if self.jit else update)(self._state, params)
        return joined(_leaves(params))

    def _leaf(self, number: int, count: int) -> str:
        return f"params[{NAMES[number - count]!r}]" if count > 1 else "params"


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
