"""Calling a port: the loss that it is served, the limit on its time, and what came back."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import inf
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar
from weakref import WeakValueDictionary

import numpy
from numpy.typing import NDArray

from geometry._namespace import (
    Array,
    Namespace,
    array_namespace,
    device_of,
    is_array_api_obj,
    is_traced,
    library,
    to_numpy,
)
from geometry.arithmetic.formats import Format, format_of
from rbo_ref._words import Quoting, printable, text_of
from rbo_ref.oracle.copies import CameBackTwice, without_copies
from rbo_ref.oracle.losses import Loss, correctly_rounded
from rbo_ref.oracle.time_limit import within

__all__ = ["Outcome", "PortError", "ServedLoss", "Skip", "attribute_of", "called", "fresh", "misfit"]

Port = Callable[..., Any]
PACKAGE = str(Path(__file__).resolve().parents[1])
LONGEST = 200  # characters, of a port's own words


class PortError(Quoting):
    """What went wrong inside a port, as a sentence that is the message of the verdict."""


class Skip(Exception):
    """Raised by a port that does not take part in a case; the reason is shown.

    Nothing skipped counts as passed: a check in which a port skipped something is INCOMPLETE at best. Who wants to be
    judged by some cases only chooses these.

    Examples
    --------
    >>> from rbo_ref.oracle import RightPort, check
    >>> def port(loss, theta, **hyper):
    ...     if theta.shape[0] > 1:
    ...         raise Skip("not written yet")
    ...     return RightPort()(loss, theta, **hyper)
    >>> check(port, cases=["plane", "valley-1d"], levels="step").verdict
    'INCOMPLETE'
    >>> check(port, cases="valley-1d", levels="step").verdict
    'RIGHT'
    """


def fresh(port: Port) -> Port:
    """The port without memory of earlier steps: what its method ``fresh()`` returns, or itself if it has none.

    What that raises is raised by the port that is returned, when it is called.
    """
    try:
        return port.fresh() if hasattr(port, "fresh") else port
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return _raising(error)


def _raising(error: BaseException) -> Port:
    def port(*_: Any, **__: Any) -> Any:
        raise error

    return port


def attribute_of(thing: Any, name: str, default: Any) -> Any:
    """``getattr`` that has the default for an attribute that raises, too."""
    try:
        return getattr(thing, name, default)
    except KeyboardInterrupt:
        raise
    except BaseException:
        return default


class ServedLoss:
    """loss(theta) → (value, gradient), correctly rounded from the truth, in the arrays and the dtype of the query.

    Every query is recorded. Under ``jax.jit`` the query is a tracer, and the loss is called back at run time; what was
    compiled with one, as a static argument, asks the latest of the same loss and shape, which is equal to it. After so
    many seconds there is no answer: so a compiled loop that asks comes to its end, too.
    """

    latest: ClassVar[WeakValueDictionary[Any, ServedLoss]] = WeakValueDictionary()

    def __init__(self, loss: Loss, xp: Namespace, shape: tuple[int, ...], seconds: float = inf) -> None:
        self.loss, self.xp, self.shape = loss, xp, shape
        self.seconds, self.deadline = seconds, monotonic() + seconds
        self.queries: list[NDArray[Any]] = []
        self.formats: set[Format] = set()
        self.latest[loss, shape] = self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ServedLoss) and (self.loss, self.shape) == (other.loss, other.shape)

    def __hash__(self) -> int:
        return hash((self.loss, self.shape))

    def __call__(self, theta: Array) -> tuple[Array, Array]:
        if not is_array_api_obj(theta):
            raise TypeError(f"the loss was called with {type(theta).__name__}, not an array")
        if tuple(theta.shape) != self.shape:
            raise ValueError(f"the loss was called with shape {tuple(theta.shape)}, expected {self.shape}")
        if is_traced(theta):
            return self._call_back(theta)
        xp = array_namespace(theta)
        value, gradient = self._answer(to_numpy(theta), _format(theta.dtype))
        if isinstance(theta, numpy.ndarray):
            return value, gradient
        like = {"dtype": theta.dtype, "device": device_of(theta)}
        return xp.asarray(numpy.asarray(value), **like), xp.asarray(gradient, **like)

    def _call_back(self, theta: Array) -> tuple[Array, Array]:
        import jax

        def answered(place: Any) -> tuple[Any, Any]:
            asked = self.latest.get((self.loss, self.shape), self)  # which may be gone while this one is asked
            value, gradient = asked._answer(to_numpy(place), _format(theta.dtype))
            return value.astype(theta.dtype), gradient.astype(theta.dtype)

        value = jax.ShapeDtypeStruct((), theta.dtype)
        gradient = jax.ShapeDtypeStruct(theta.shape, theta.dtype)
        return jax.pure_callback(answered, (value, gradient), theta)

    @numpy.errstate(all="ignore")
    def _answer(self, theta: NDArray[Any], target: Format) -> tuple[Any, NDArray[Any]]:
        if monotonic() > self.deadline:
            raise TimeoutError(f"no answer within {self.seconds:g} s")
        self.queries.append(theta)
        self.formats.add(target)
        if not numpy.isfinite(theta).all():
            return target.dtype.type(numpy.nan), numpy.full_like(theta, numpy.nan)
        value, gradient = correctly_rounded(self.loss, tuple(theta.reshape(-1)), target)
        return value, gradient.reshape(theta.shape).copy()


@lru_cache(maxsize=None, typed=True)  # dtypes of two libraries may be equal, or refuse to be compared
def _format(dtype: Any) -> Format:
    """The format of a dtype of whatever library."""
    return format_of(str(dtype).rpartition(".")[2])


@dataclass
class Outcome:
    """What one call of a port gave."""

    theta: NDArray[Any] | None = None  # None: see `problem`
    problem: str | None = None
    hung: bool = False
    skipped: bool = False  # `problem` is the reason,
    declined: bool = False  # which is the port's
    raw: Any = None  # theta as the port returned it
    parts: dict[str, NDArray[Any]] = field(default_factory=dict)
    inner: list[NDArray[Any]] | None = None
    iterates: list[NDArray[Any]] = field(default_factory=list)  # of a port that takes many steps
    queries: list[NDArray[Any]] = field(default_factory=list)
    formats: set[Format] = field(default_factory=set)  # of the queries

    def held_to(self, compute: Format | None) -> Outcome:
        """The same, if the port asked for the loss in no lower a format than the one it declares to compute in."""
        lower = [asked.name for asked in self.formats if compute is not None and asked.precision < compute.precision]
        if compute is None or not lower:
            return self
        problem = f"asked for the loss in {lower[0]}, although it declares to compute in {compute.name}"
        return replace(self, theta=None, iterates=[], problem=problem)


def called(
    port: Port,
    loss: Loss,
    theta: Array,
    arguments: Mapping[str, Any],
    seconds: float,
    read: Callable[[Any, Array, Namespace], Outcome],
) -> Outcome:
    """A call of a port with these keyword arguments; `read` makes an outcome of what it returns.

    It runs in this thread. What a port returns may run its code when it is read: that is done within the limit, too.
    """
    xp = array_namespace(theta)
    served = ServedLoss(loss, xp, tuple(theta.shape), seconds)
    before = to_numpy(theta)

    def run() -> Outcome:
        outcome = read(port(served, theta, **arguments), theta, xp)
        outcome.formats = served.formats
        changed = outcome.problem is None and not numpy.array_equal(before, to_numpy(theta), equal_nan=True)
        return Outcome(problem="changed its input theta in place") if changed else outcome

    try:
        with without_copies():
            outcome = within(seconds, run)
    except TimeoutError as error:
        outcome = Outcome(problem=printable(error) or "raised TimeoutError", hung=True)
    except Skip as reason:
        outcome = Outcome(problem=printable(reason, LONGEST), skipped=True, declined=True)
    except (PortError, CameBackTwice) as error:
        outcome = Outcome(problem=str(error))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        outcome = Outcome(problem=_told(error))
    outcome.queries = served.queries
    return outcome


def _told(error: BaseException) -> str:
    """An exception in one line, with the place in the port where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not f.filename.startswith(PACKAGE) and "site-packages" not in f.filename]
    place = f" (line {own[-1].lineno} of {own[-1].filename.rsplit('/', 1)[-1]})" if own else ""
    words = printable(text_of(error).strip().partition("\n")[0], LONGEST)
    return printable(f"raised {attribute_of(type(error), '__name__', 'an exception')}: {words}{place}")


def misfit(name: str, array: Any, theta: Array, shape: tuple[int, ...], xp: Namespace) -> str | None:
    """What is wrong with the kind, library, shape or dtype of a result, or None."""
    if not is_array_api_obj(array) or isinstance(array, numpy.ma.MaskedArray):
        return f"returned {name} as {type(array).__name__}, not as an array"
    if array_namespace(array) is not xp:
        return f"returned {name} as an array of {library(array_namespace(array))}, not of {library(xp)}"
    if tuple(array.shape) != shape:
        return f"returned {name} of shape {tuple(array.shape)}, expected {shape}"
    if array.dtype != theta.dtype:
        return f"returned {name} as {array.dtype}, asked for {theta.dtype}"
    return None
