"""The sweep: tasks of fixed size under keys, those that are missing given to an executor, the table of all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from hashlib import sha256
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy

from geometry import FunctionGraph
from geometry._namespace import whole
from rbo_ref.sweeps.finished import Part, Records
from rbo_ref.sweeps.identity import identity_of, identity_of_loss, identity_of_versions
from rbo_ref.sweeps.labelled import SweepTable
from rbo_ref.sweeps.task import run_task

__all__ = ["Cost", "Sweep", "sweep"]

AHEAD = 256  # tasks that wait in the executor, so that a million of them need no memory there


class Cost(NamedTuple):
    """What a sweep costs, in points: one optimizer on one loss from one start."""

    points: int
    done: int
    seconds: float
    """Of one worker, for the points that are left; from those of the same optimizer and loss that were measured, NaN
    where there are none."""

    @property
    def left(self) -> int:
        """How many points are not computed yet."""
        return self.points - self.done

    def __str__(self) -> str:
        time = "unknown: nothing is measured" if self.seconds != self.seconds else f"about {self.seconds:.3g} s"
        return f"{self.points} points, {self.done} done, {self.left} left; time of one worker for them {time}"


class _Task(NamedTuple):
    """Some starts of one pair."""

    optimizer: str
    loss: str
    first: int
    stop: int
    key: str


class Sweep:
    """Every optimizer on every loss from every start, for so many steps. Nothing is computed before `run`.

    Parameters
    ----------
    optimizers : mapping of str to optimizer
        Their hyper-parameters are numbers: one optimizer for each setting.
    losses : mapping of str to FunctionGraph or callable
        Of arrays (..., d).
    starts : array (n, d)
    steps : int
        At least 1.
    out : path, optional
        A folder for what is finished; without it that is forgotten at the end.
    chunk : int
        Starts in a task. Those of a ball, and of all optimizers of this package but `Muon` and those that draw, are
        rolled as one batch.
    labels : mapping of str to str, optional
        For losses and optimizers, by name, that no key can be made of: a text that you change with their code.

    Raises
    ------
    TypeError, ValueError
        For other arguments, and where a loss cannot be recorded, or an optimizer is not of this package, and has no
        label.

    Notes
    -----
    A task has a key: the recorded formula of the loss, the optimizer with all it holds, the starts, the steps, the
    version and sources of this package, and the versions of NumPy, SciPy and Numba. Tasks do not depend on the
    executor, and so neither do results, on machines whose processors round alike.

    Examples
    --------
    >>> import numpy as np
    >>> from rbo_ref import GradientDescent, RollingBall
    >>> wave = FunctionGraph(lambda t: np.sin(t[..., 0]))
    >>> both = {"ball": RollingBall(0.1, 0.5), "descent": GradientDescent(0.1)}
    >>> plan = Sweep(both, {"wave": wave}, np.linspace(-1, 1, 5)[:, None], 200)
    >>> print(plan.explain())
    10 points, 0 done, 10 left; time of one worker for them unknown: nothing is measured
    >>> plan.run().at("height", optimizer="ball", loss="wave").round(6)
    array([-1., -1., -1., -1., -1.])
    """

    def __init__(
        self,
        optimizers: Mapping[str, Any],
        losses: Mapping[str, Any],
        starts: Any,
        steps: int,
        *,
        out: str | PathLike[str] | None = None,
        chunk: int = 1000,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        self._optimizers = _named("optimizers", optimizers)
        self._losses = {
            name: loss if isinstance(loss, FunctionGraph) else FunctionGraph(loss)
            for name, loss in _named("losses", losses).items()
        }
        self._starts = numpy.array(starts, float)
        if self._starts.ndim != 2 or 0 in self._starts.shape:
            raise ValueError(f"starts must be an array (n, d), not empty, got shape {self._starts.shape}")
        self._steps, self._chunk = whole("steps", steps, 1), whole("chunk", chunk, 1)
        self._labels = dict(labels or {})
        self._records = Records(None if out is None else Path(out))
        self._tasks = list(self._made())

    def explain(self) -> Cost:
        """How many points there are, how many are done, and what the rest would cost."""
        measured: dict[tuple[str, str], list[float]] = {}
        left: dict[tuple[str, str], int] = {}
        done = 0
        for task in self._tasks:
            pair, count = (task.optimizer, task.loss), task.stop - task.first
            if (part := self._records[task.key]) is None:
                left[pair] = left.get(pair, 0) + count
            else:
                done += count
                measured.setdefault(pair, []).append(part.seconds / count)
        seconds = sum(n * float(numpy.mean(measured.get(pair, [numpy.nan]))) for pair, n in left.items())
        return Cost(done + sum(left.values()), done, seconds)

    def run(self, executor: Any = None) -> SweepTable:
        """Compute what is missing; what is finished is on disk at once.

        Parameters
        ----------
        executor : optional
            Anything with ``submit(function, *arguments)`` that returns futures: of `concurrent.futures`, or a
            ``distributed.Client``. Default: this process, one task after the other.

        Returns
        -------
        SweepTable

        Raises
        ------
        OSError, MemoryError, ImportError
            Of a task: the machine failed, not the point. So does whatever the executor raises; what is finished stays.
        TypeError
            For an executor without `submit`.
        """
        if executor is not None and not callable(getattr(executor, "submit", None)):
            raise TypeError(f"executor must have a method submit, got {executor!r}")
        with self._records.alone():
            missing = (task for task in self._tasks if self._records[task.key] is None)
            for task, part in self._parts(missing, executor):
                self._records[task.key] = part
            return self._table()

    def _made(self) -> Iterator[_Task]:
        """The tasks with their keys."""
        shared = [identity_of_versions(), self._steps]
        starts, n = self._starts, len(self._starts)
        losses = {
            name: self._identity(name, identity_of_loss, loss, starts.shape[1]) for name, loss in self._losses.items()
        }
        for name, optimizer in self._optimizers.items():
            known = self._identity(name, identity_of, optimizer)
            for loss, formula in losses.items():
                for first in range(0, n, self._chunk):
                    stop = min(first + self._chunk, n)
                    words = json.dumps([shared, known, formula, identity_of(starts[first:stop])])
                    yield _Task(name, loss, first, stop, sha256(words.encode()).hexdigest()[:40])

    def _identity(self, name: str, identify: Any, *arguments: Any) -> Any:
        """What identifies a loss or an optimizer: its label, or all that it is."""
        if name in self._labels:
            return ["label", name, self._labels[name]]
        try:
            return identify(*arguments)
        except TypeError as error:
            raise TypeError(f"{name}: no key can be made of it, give it one of labels: {error}") from error

    def _parts(self, tasks: Iterator[_Task], executor: Any) -> Iterator[tuple[_Task, Part]]:
        """The tasks with what came of them, in whatever order they end."""
        waiting: dict[Any, _Task] = {}
        try:
            for task in tasks:
                work = self._optimizers[task.optimizer], self._losses[task.loss], self._starts[task.first : task.stop]
                if executor is None:
                    yield task, run_task(*work, self._steps)
                    continue
                waiting[executor.submit(run_task, *work, self._steps)] = task
                if len(waiting) >= AHEAD:
                    yield from _ended(waiting)
            while waiting:
                yield from _ended(waiting)
        finally:
            for future in waiting:
                future.cancel()

    def _table(self) -> SweepTable:
        names, losses, (n, d) = tuple(self._optimizers), tuple(self._losses), self._starts.shape
        shape = len(names), len(losses), n
        theta, height, status = numpy.empty((*shape, d)), numpy.empty(shape), numpy.empty(shape, numpy.int8)
        messages = {}
        for task in self._tasks:
            part = self._records[task.key]
            assert part is not None  # every task is done
            place = names.index(task.optimizer), losses.index(task.loss), slice(task.first, task.stop)
            theta[place], height[place], status[place] = part.theta, part.height, part.status
            for i in numpy.flatnonzero(part.messages != ""):
                messages[task.optimizer, task.loss, task.first + int(i)] = str(part.messages[i])
        return SweepTable(names, losses, self._starts, theta, height, status, messages)


def sweep(
    optimizers: Mapping[str, Any],
    losses: Mapping[str, Any],
    starts: Any,
    steps: int,
    *,
    executor: Any = None,
    out: str | PathLike[str] | None = None,
    chunk: int = 1000,
    labels: Mapping[str, str] | None = None,
) -> SweepTable:
    """Roll every optimizer on every loss from every start: `Sweep` with these arguments, and its `run`.

    Parameters
    ----------
    optimizers, losses, starts, steps, out, chunk, labels
        As of `Sweep`.
    executor : optional
        As of `Sweep.run`.

    Returns
    -------
    SweepTable

    Raises
    ------
    TypeError, ValueError, OSError, MemoryError, ImportError
        As `Sweep` and its `run`.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from rbo_ref import RollingBall, landscapes
    >>> balls = {f"{radius}": RollingBall(0.1, radius) for radius in (0.1, 0.5)}
    >>> with ThreadPoolExecutor(2) as pool:
    ...     table = sweep(balls, {"sine": landscapes.sine()}, [[1.0], [1.2]], 100, executor=pool)
    >>> table.theta.shape, table.status.max()
    ((2, 1, 2, 1), np.int8(0))
    """
    return Sweep(optimizers, losses, starts, steps, out=out, chunk=chunk, labels=labels).run(executor)


def _named(argument: str, given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping) or not given or not all(isinstance(name, str) for name in given):
        raise TypeError(f"{argument} must be a mapping of names, and not empty, got {given!r}")
    return dict(given)


def _ended(waiting: dict[Any, _Task]) -> Iterator[tuple[_Task, Part]]:
    """Those of the futures that are done, at least one of them."""
    if all(isinstance(future, Future) for future in waiting):
        done = wait(waiting, return_when=FIRST_COMPLETED).done
    else:  # futures of others have a result, which waits, and done
        first = next(iter(waiting))
        first.result()
        done = {future for future in waiting if future.done()} | {first}
    for future in done:
        task = waiting.pop(future)
        yield task, future.result()
