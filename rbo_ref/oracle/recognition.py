"""What a user names as a port: a port, an optimizer of PyTorch, a transformation of Optax, or a factory of one."""

from __future__ import annotations

import inspect
from functools import cache, partial
from itertools import chain, takewhile
from typing import Any

from rbo_ref.oracle.adapters import APART, SPELLINGS, OptaxPort, TorchPort
from rbo_ref.oracle.asking import name_of, signature_of
from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.dialects import OPTIMIZERS

__all__ = ["as_port"]

MADE = "is made already: name its class or factory, with functools.partial for what is to stay as it is"


def as_port(port: Any) -> Any:
    """What a user names, as a port.

    A subclass of ``torch.optim.Optimizer`` is one of PyTorch; a class that needs no argument is made; what has two
    parameters before its hyper-parameters, ``port(loss, theta, ...)``, is a port, and so is what has none of these;
    what has one, ``make(params, ...)``, is a factory of PyTorch's optimizers; what has none, ``make(learning_rate,
    ...)``, is one of Optax's transformations. ``functools.partial`` and lambdas likewise. `check` says what it took a
    port for, and makes sure of it.

    Raises
    ------
    TypeError
        If it cannot be called.

    Examples
    --------
    >>> def step(loss, theta, *, learning_rate, radius, projection_rate, projection_steps): ...
    >>> as_port(step) is step
    True
    >>> type(as_port(lambda params, lr, betas, eps: None)).__name__, type(as_port(lambda lr, **more: None)).__name__
    ('TorchPort', 'OptaxPort')
    """
    if not callable(port):
        is_made = hasattr(port, "param_groups") or (hasattr(port, "init") and hasattr(port, "update"))
        raise TypeError(f"a port must be callable, got {type(port).__name__}" + (f", which {MADE}" if is_made else ""))
    origin = port
    while isinstance(origin, partial):
        origin = origin.func
    if any(f"{c.__module__}.{c.__qualname__}" == "torch.optim.optimizer.Optimizer" for c in _ancestors(origin)):
        return TorchPort(port)
    if inspect.isclass(port):
        return _instance(port)
    if not inspect.isroutine(origin) and not inspect.isclass(origin):  # an object that can be called: a port
        return port
    return _by_its_parameters(port)


def _ancestors(thing: Any) -> tuple[Any, ...]:
    return inspect.getmro(thing) if inspect.isclass(thing) else ()


def _instance(port: Any) -> Any:
    """A port of a class, or what makes one if the class needs arguments."""
    signature = signature_of(port)
    if signature is not None and any(_is_needed(p) for p in signature.parameters.values()):
        return _by_its_parameters(port)
    made = port()
    if not callable(made):
        raise TypeError(f"{name_of(port)} is no optimizer of PyTorch, and its instances cannot be called")
    return made


def _is_needed(parameter: inspect.Parameter) -> bool:
    is_open = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    return parameter.default is parameter.empty and not is_open


def _by_its_parameters(port: Any) -> Any:
    """A function by how many parameters it has before its hyper-parameters."""
    signature = signature_of(port)
    if signature is None:
        return port
    known = signature.parameters
    before = list(takewhile(lambda name: not _is_hyper_parameter(known[name]), known))
    if len(before) > 1 or len(before) == len(known) or any(_is_positional(known[name]) for name in before):
        return port
    return TorchPort(port) if before else OptaxPort(port)


def _is_hyper_parameter(parameter: inspect.Parameter) -> bool:
    return parameter.name in _hyper_parameters() or parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_KEYWORD)


def _is_positional(parameter: inspect.Parameter) -> bool:
    """Whether it takes arguments without a name, one or many."""
    return parameter.kind is not parameter.POSITIONAL_OR_KEYWORD


@cache
def _hyper_parameters() -> set[str]:
    """All names of hyper-parameters, in all spellings."""
    own = chain.from_iterable(all_cases(optimizer)[0].hyper(0) for optimizer in OPTIMIZERS)
    apart = chain.from_iterable(chain.from_iterable(APART.values()))
    return {*own, *chain.from_iterable(SPELLINGS.values()), *apart}
