"""How a port takes steps: a stepper is called for each of them, a runner for so many at once.

A stepper, ``port(loss, theta, **hyper)`` → the new theta, is given new hyper-parameters in every step. A runner,
``port(loss, theta, *, iterations, **hyper)`` → all iterates, has the same ones in all steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from geometry._namespace import Array, Namespace, to_numpy
from rbo_ref._words import printable
from rbo_ref.oracle.asking import asked, is_stepper, lacking
from rbo_ref.oracle.calls import Outcome, Port, called, fresh, misfit
from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.losses import Loss
from rbo_ref.oracle.setting import Setting

__all__ = ["Taken", "call", "play", "question", "takes"]

PARTS = ("normal", "tangent", "center", "candidate")
UNSCHEDULED = "hyper-parameters change from step to step, and the port is asked for all steps at once"


class Taken(NamedTuple):
    """A step that a port took.

    Attributes
    ----------
    theta : array
        Where it began.
    hyper : mapping
    answer : array or None
        Where it led; None: see the problem of the outcome.
    outcome : Outcome
        Of the call.
    is_alone : bool
        Whether the call was for this step alone.
    kept : bool
        Whether the port went on with the theta that it holds, which it may know more precisely.
    """

    theta: NDArray[Any]
    hyper: Mapping[str, Any]
    answer: NDArray[Any] | None
    outcome: Outcome
    is_alone: bool = True
    kept: bool = False


def question(port: Any, case: Case) -> dict[str, Any]:
    """The arguments of a port in a case, by name."""
    draws = {} if case.draws is None else {"draws": case.draws}
    count = {} if is_stepper(port, case.optimizer) else {"iterations": case.walk}
    return {**count, **case.hyper(0), **draws}


def takes(port: Port, case: Case, level: str, setting: Setting, truth: Callable[[], NDArray[Any]]) -> Iterator[Taken]:
    """The steps of a port, one after the other.

    At the level "restarted" a fresh port goes on from the true place, which is asked for when it is needed.
    """
    length = 1 if level == "step" else case.walk
    if missing := lacking(port, question(port, case)):
        reason = f"the port has no parameter for {', '.join(missing)}"
        outcome = Outcome(problem=reason, skipped=True, declined=True)
        yield Taken(case.start(setting.target), case.hyper(0), None, outcome, is_stepper(port, case.optimizer))
        return
    if not is_stepper(port, case.optimizer):
        yield from _run(port, case, length, setting)
        return
    stepper, theta = fresh(port), case.start(setting.target)
    given: Any = setting.array(theta)
    for t in range(length):
        outcome = _stepped(stepper, case, t, given, setting)
        yield Taken(theta, case.hyper(t), outcome.theta, outcome)
        if outcome.theta is None:
            return
        if level != "restarted":
            theta, given = outcome.theta, outcome.raw
        elif t + 1 < length:
            theta, stepper = truth(), fresh(port)
            given = setting.array(theta)


def _stepped(stepper: Port, case: Case, t: int, given: Array, setting: Setting) -> Outcome:
    arguments = asked(stepper, case.hyper(t))
    if case.draws is not None:
        arguments["draws"] = setting.array(case.draws[t])
    return setting.count(1, given, lambda seconds: called(stepper, case.loss, given, arguments, seconds, _read))


def _run(port: Port, case: Case, length: int, setting: Setting) -> Iterator[Taken]:
    """The steps of a runner."""
    outcome, theta = play(port, case, length, setting), case.start(setting.target)
    for t in range(length):
        answer = None if outcome.problem is not None else outcome.iterates[t]
        yield Taken(theta, case.hyper(t), answer, outcome, is_alone=False, kept=t > 0)
        if answer is None:
            return
        theta = answer


def play(port: Port, case: Case, length: int, setting: Setting) -> Outcome:
    """So many steps of a runner."""
    if length > 1 and len(case.hypers) > 1:
        return Outcome(problem=UNSCHEDULED, skipped=True)
    arguments = asked(port, {"iterations": length, **case.hyper(0)})
    if case.draws is not None:
        arguments["draws"] = setting.array(case.draws[:length])

    def read(result: Any, theta: Array, xp: Namespace) -> Outcome:
        return _read_iterates(result, theta, xp, length)

    start = setting.array(case.start(setting.target))
    return setting.count(length, start, lambda seconds: called(fresh(port), case.loss, start, arguments, seconds, read))


def call(port: Port, loss: Loss, theta: Array, hyper: Mapping[str, Any], time_limit: float) -> Outcome:
    """One step of a stepper. Whatever goes wrong is a sentence in the outcome, never an exception."""
    return called(port, loss, theta, hyper, time_limit, _read)


def _read(result: Any, theta: Array, xp: Namespace) -> Outcome:
    """The outcome of a result: an array, or a mapping with "theta" and intermediates."""
    named = dict(result) if isinstance(result, Mapping) else {"theta": result}
    if "theta" not in named:
        keys = ", ".join(printable(key, 40) for key in islice(named, 20))
        return Outcome(problem=f"returned a dict without 'theta' (its keys: {keys or 'none'})")
    new = named["theta"]
    problem = misfit("theta", new, theta, tuple(theta.shape), xp)
    if problem is None and not numpy.isfinite(to_numpy(new)).all():
        problem = "returned theta with NaN or infinite entries"
    if problem is not None:
        return Outcome(problem=problem)
    outcome = Outcome(theta=to_numpy(new), raw=new)
    for name in PARTS:
        if named.get(name) is not None:
            problem = problem or misfit(name, named[name], theta, (theta.shape[0] + 1,), xp)
            outcome.parts[name] = to_numpy(named[name]) if problem is None else numpy.empty(0)
    if named.get("inner") is not None and problem is None:
        problem, outcome.inner = _read_inner(named["inner"], theta, xp)
    return Outcome(problem=problem) if problem else outcome


def _read_inner(iterates: Any, theta: Array, xp: Namespace) -> tuple[str | None, list[NDArray[Any]] | None]:
    """What is wrong with a list of inner iterates, or the list."""
    if not isinstance(iterates, list | tuple):
        return f"returned inner as {type(iterates).__name__}, not as a list", None
    problems = [misfit("inner", iterate, theta, tuple(theta.shape), xp) for iterate in iterates]
    problem = next(filter(None, problems), None)
    return problem, None if problem else [to_numpy(iterate) for iterate in iterates]


def _read_iterates(result: Any, theta: Array, xp: Namespace, length: int) -> Outcome:
    """The iterates: a list of so many arrays, or one array with an axis for them."""
    if not isinstance(result, list | tuple):
        problem = misfit("iterates", result, theta, (length, *theta.shape), xp)
        if problem is not None:
            return Outcome(problem=f"{problem}, or a list of {length}")
        result = [result[t, ...] for t in range(length)]
    if len(result) != length:
        return Outcome(problem=f"returned {len(result)} iterates, expected {length}")
    problems = [misfit(f"iterate {t}", x, theta, tuple(theta.shape), xp) for t, x in enumerate(result, 1)]
    problem = next(filter(None, problems), None)
    return Outcome(problem=problem) if problem else Outcome(iterates=[to_numpy(x) for x in result])
