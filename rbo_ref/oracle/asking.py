"""Whether a port can be asked at all, which its signature shows: what cannot be called is neither right nor wrong."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rbo_ref._words import printable, text_of
from rbo_ref.oracle.calls import attribute_of
from rbo_ref.oracle.dialects import ROLLING_BALL

__all__ = [
    "NEUTRAL",
    "acting",
    "asked",
    "is_stepper",
    "lacking",
    "name_of",
    "needed",
    "refuse_unaskable",
    "refuse_uncalled",
    "signature_of",
]

NEUTRAL: Mapping[str, Any] = {
    "momentum": 0.0,
    "nesterov": False,
    "weight_decay": 0.0,
    "adaptive": False,
    "centered": False,
    "epsilon": 0.0,
    "scoping": 0.0,
    "l1": 0.0,
    "l2": 0.0,
}
"""Values of hyper-parameters that are as if there were none."""

ABOUT_ARGUMENTS = re.compile(
    r"raised TypeError: .*"
    r"(unexpected keyword|positional argument|multiple values for|keyword-only argument|no arguments)"
)


def needed(hyper: Mapping[str, Any], takes: Callable[[str], bool]) -> dict[str, Any]:
    """Hyper-parameters without those that change nothing and that a port has no parameter for.

    Examples
    --------
    >>> needed({"learning_rate": 0.5, "momentum": 0.0}, {"learning_rate"}.__contains__)
    {'learning_rate': 0.5}
    >>> needed({"learning_rate": 0.5, "momentum": 0.5}, {"learning_rate"}.__contains__)
    {'learning_rate': 0.5, 'momentum': 0.5}
    """
    return {n: v for n, v in hyper.items() if takes(n) or n not in NEUTRAL or NEUTRAL[n] != v}


def asked(port: Any, hyper: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that a port is called with, by name.

    Examples
    --------
    >>> def port(loss, theta, *, iterations, learning_rate): ...
    >>> asked(port, {"iterations": 1, "learning_rate": 0.5, "momentum": 0.0})
    {'iterations': 1, 'learning_rate': 0.5}
    """
    return needed(hyper, _takes(port))


def is_stepper(port: Any, optimizer: str) -> bool:
    """Whether a port takes one step in a call, and not so many as its argument ``iterations`` says.

    A port tells by an attribute of this name, or by its signature. One that takes any arguments is what most ports of
    its optimizer are: a step of the rolling ball, a run of any other.

    Examples
    --------
    >>> def port(loss, theta, *, iterations, learning_rate): ...
    >>> is_stepper(port, "adam"), is_stepper(lambda loss, theta, **hyper: theta, "rolling-ball")
    (False, True)
    """
    told = attribute_of(port, "is_stepper", None)
    if isinstance(told, bool):
        return told
    signature = signature_of(port)
    if signature is None or any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values()):
        return optimizer == ROLLING_BALL and (signature is None or "iterations" not in signature.parameters)
    return "iterations" not in signature.parameters


def refuse_unaskable(port: Any, questions: Iterable[Mapping[str, Any]]) -> None:
    """Raise where the signature of a port shows that it cannot be called with the arguments of any case.

    Raises
    ------
    TypeError
        With the names of the parameters that it lacks.

    Examples
    --------
    >>> def port(loss, theta, *, learning_rate): ...
    >>> refuse_unaskable(port, [{"learning_rate": 1.0, "momentum": 0.0}, {"learning_rate": 1.0, "momentum": 0.5}])
    >>> refuse_unaskable(port, [{"learning_rate": 1.0, "radius": 0.5}])
    Traceback (most recent call last):
    ...
    TypeError: port has no parameter for radius
    """
    questions = list(questions)
    missing: list[list[str]] = [lacking(port, arguments) for arguments in questions]
    if missing and all(missing):
        fewest = min(missing, key=len)
        raise TypeError(f"{name_of(port)} has no parameter for {', '.join(fewest)}")
    signature = signature_of(port)
    if signature is None:
        return
    for arguments in (question for question, names in zip(questions, missing, strict=True) if not names):
        given = asked(port, arguments)
        try:
            signature.bind(None, None, **given)
        except TypeError as error:
            call = f"(loss, theta, *, {', '.join(given)})"
            raise TypeError(f"{name_of(port)} cannot be called with {call}: {error}") from None


def lacking(port: Any, arguments: Mapping[str, Any]) -> list[str]:
    """The arguments that a port has no parameter for, and that change something.

    A port that passes its arguments on to something else tells by a method ``lacks(arguments)``.

    Examples
    --------
    >>> def port(loss, theta, *, learning_rate): ...
    >>> lacking(port, {"learning_rate": 0.5, "momentum": 0.0}), lacking(port, {"learning_rate": 0.5, "momentum": 0.5})
    ([], ['momentum'])
    """
    told, takes = attribute_of(port, "lacks", None), _takes(port)
    return list(told(arguments)) if told else [name for name in needed(arguments, takes) if not takes(name)]


def acting(known: Mapping[str, inspect.Parameter], given: Iterable[str]) -> list[str]:
    """The parameters that are not given and whose defaults are numbers or switches that do something.

    Examples
    --------
    >>> def port(loss, theta, *, learning_rate, weight_decay=0.01, amsgrad=False): ...
    >>> acting(inspect.signature(port).parameters, ["learning_rate"])
    ['weight_decay=0.01']
    """
    left = {name: p.default for name, p in known.items() if name not in set(given) and p.default is not p.empty}
    return [f"{name}={text_of(value, repr)}" for name, value in left.items() if _is_number(value) and value]


def _is_number(value: Any) -> bool:
    return all(map(_is_number, value)) if isinstance(value, tuple) else isinstance(value, int | float)


def signature_of(port: Any) -> inspect.Signature | None:
    """None where it cannot be read, as of some compiled functions."""
    try:
        return inspect.signature(port)
    except KeyboardInterrupt:
        raise
    except BaseException:  # whatever its attributes raise
        return None


def name_of(port: Any) -> str:
    """What a port is called; one with some arguments filled in is called what it was before."""
    while isinstance(port, functools.partial):
        port = port.func
    named = attribute_of(port, "__qualname__", None) or attribute_of(port, "name", None)
    return printable(named or type(port).__qualname__)


def _takes(port: Any) -> Callable[[str], bool]:
    """Whether a port has a parameter of a name; one of which nothing is known is given the benefit of the doubt."""
    signature = signature_of(port)
    if signature is None or any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values()):
        return lambda name: True
    return {name for name, p in signature.parameters.items() if p.kind is not p.POSITIONAL_ONLY}.__contains__


def refuse_uncalled(name: str, problems: Iterable[str | None]) -> None:
    """Raise where every call of a port ended with one and the same complaint about its arguments.

    Raises
    ------
    TypeError
        With the complaint.

    Examples
    --------
    >>> refuse_uncalled("port", ["raised ZeroDivisionError: today", "raised ZeroDivisionError: today"])
    >>> refuse_uncalled("port", 2 * ["raised TypeError: port() got an unexpected keyword argument 'radius'"])
    Traceback (most recent call last):
    ...
    TypeError: port could not be called: each time it raised TypeError: port() got an unexpected keyword argument ...
    """
    told = set(problems)
    if len(told) == 1 and ABOUT_ARGUMENTS.match(problem := told.pop() or ""):
        raise TypeError(f"{name} could not be called: each time it {problem}")
