"""Whether a port can be asked at all, which its signature shows: what cannot be called is neither right nor wrong."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Any

from rbo_ref.oracle.calls import attribute_of
from rbo_ref.oracle.dialects import ROLLING_BALL

__all__ = ["asked", "is_stepper", "needed", "refuse_unaskable", "refuse_uncalled"]

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
    signature = _signature(port)
    if signature is None or any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values()):
        return optimizer == ROLLING_BALL and (signature is None or "iterations" not in signature.parameters)
    return "iterations" not in signature.parameters


def refuse_unaskable(name: str, port: Any, questions: Mapping[str, Mapping[str, Any]], hint: str = "") -> None:
    """Raise where the signature shows that a port cannot be called with the arguments of some of its cases.

    A port that passes its arguments on to something else tells by a method ``lacks(arguments)`` what that has no
    parameter for.

    Raises
    ------
    TypeError
        With the names of the parameters that it lacks, and the cases that do without.

    Examples
    --------
    >>> def port(loss, theta, *, learning_rate): ...
    >>> questions = {"plain": {"learning_rate": 1.0, "momentum": 0.0}, "heavy": {"learning_rate": 1.0, "momentum": 0.5}}
    >>> refuse_unaskable("port", port, questions)
    Traceback (most recent call last):
    ...
    TypeError: port has no parameter for momentum, which heavy needs: give it one, or choose ...: plain
    """
    lacks = attribute_of(port, "lacks", None) or (lambda arguments: _lacks(port, arguments))
    missing = {case: names for case, arguments in questions.items() if (names := lacks(arguments))}
    if missing:
        names = ", ".join(dict.fromkeys(chain.from_iterable(missing.values())))
        others = [case for case in questions if case not in missing]
        advice = f", or choose the cases that do without: {', '.join(others)}" if others else hint
        raise TypeError(f"{name} has no parameter for {names}, which {_some(list(missing))}: give it one{advice}")
    for arguments in questions.values():
        _refuse_call(name, port, asked(port, arguments), hint)


def _some(cases: list[str]) -> str:
    more = f" and {len(cases) - 3} more" if len(cases) > 3 else ""
    return f"{', '.join(cases[:3])}{more} {'need' if len(cases) > 1 else 'needs'}"


def _signature(port: Any) -> inspect.Signature | None:
    """None where it cannot be read, as of some compiled functions."""
    try:
        return inspect.signature(port)
    except Exception:  # whatever its attributes raise
        return None


def _takes(port: Any) -> Callable[[str], bool]:
    """Whether a port has a parameter of a name; one of which nothing is known is given the benefit of the doubt."""
    signature = _signature(port)
    if signature is None or any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values()):
        return lambda name: True
    return {name for name, p in signature.parameters.items() if p.kind is not p.POSITIONAL_ONLY}.__contains__


def _lacks(port: Any, arguments: Mapping[str, Any]) -> list[str]:
    takes = _takes(port)
    return [name for name in needed(arguments, takes) if not takes(name)]


def _refuse_call(name: str, port: Any, arguments: Mapping[str, Any], hint: str) -> None:
    signature = _signature(port)
    if signature is None:
        return
    try:
        signature.bind(None, None, **arguments)
    except TypeError as error:
        call = f"(loss, theta, *, {', '.join(arguments)})"
        raise TypeError(f"{name} cannot be called with {call}: {error}{hint}") from None


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
