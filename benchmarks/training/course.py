"""One run: an optimizer with its hyper-parameters, from one seed, to the end of its budget."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import numpy

from benchmarks.training.budget import BudgetSpent, Meter
from benchmarks.training.contenders import CONTENDERS
from benchmarks.training.data import DataSet
from geometry._namespace import Array, array_namespace, quietly

__all__ = ["Journal", "Mark", "Network", "Outcome", "Progress", "Run", "batch", "drive"]


class Network(Protocol):
    """A loss of a vector of parameters and a batch."""

    def initial(self, seed: int) -> Array: ...

    def value_and_gradient(self, theta: Array, inputs: numpy.ndarray, labels: numpy.ndarray) -> tuple[Array, Array]: ...

    def measure(self, theta: Array, inputs: numpy.ndarray, labels: numpy.ndarray) -> tuple[float, float]: ...


@dataclass(frozen=True)
class Run:
    """All that the outcome of a run depends on."""

    data: str
    digest: str  # of the data
    model: str
    hidden: tuple[int, ...]
    activation: str
    dtype: str
    device: str
    threads: int
    batch: int  # examples in a mini-batch
    optimizer: str
    hyper_parameters: dict[str, float] = field(hash=False)
    seed: int  # of the initial parameters, of the order of the examples, and of the optimizer
    evaluations: int  # the budget
    held_out: str  # "validation" or "test": what the accuracy is measured on
    version: str = ""  # of the code: see `versions`

    @property
    def name(self) -> str:
        """A name for its files, another one for every other run."""
        text = json.dumps(asdict(self), sort_keys=True)
        return f"{self.optimizer}-{self.held_out}-{self.seed}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


class Mark(NamedTuple):
    """What is measured once an epoch: whenever as many evaluations are spent as there are mini-batches."""

    evaluations: int
    seconds: float  # of processor time, for the steps alone
    loss: float  # over the whole training part
    held_out_loss: float
    accuracy: float  # over the held-out part


class Progress(NamedTuple):
    """Where a run stands after some steps; all that is needed to go on."""

    theta: Array
    state: Any
    steps: int
    evaluations: int
    seconds: float
    marks: tuple[Mark, ...]


class Outcome(NamedTuple):
    """What came of a run."""

    marks: tuple[Mark, ...]
    steps: int
    evaluations: int
    diverged: bool  # θ became infinite or NaN; the run ended there


class Journal(Protocol):
    """Where a run keeps its progress."""

    def load_progress(self, run: Run, start: Progress) -> Progress | None: ...

    def save_progress(self, run: Run, progress: Progress) -> None: ...


def batch(seed: int, step: int, count: int, size: int) -> numpy.ndarray:
    """The indices of the examples of step 0, 1, ...: the examples are shuffled anew for every pass over them.

    A last batch that is not full is left out of the pass.
    """
    passed, place = divmod(step, count // size)
    return _order(seed, passed, count)[place * size : (place + 1) * size]


@lru_cache(maxsize=2)
def _order(seed: int, passed: int, count: int) -> numpy.ndarray:
    return numpy.random.default_rng((seed, 1, passed)).permutation(count)


@quietly
def drive(
    run: Run, network: Network, data: DataSet, journal: Journal, spend: Callable[[int], None] = lambda count: None
) -> Outcome:
    """Train from the start, or from where the journal stands, until the budget is spent.

    Parameters
    ----------
    run : Run
    network : Network
    data : DataSet
    journal : Journal
        Gets the progress once an epoch.
    spend : callable, optional
        Called after every step with the number of evaluations that it took; what it raises ends the run.

    Returns
    -------
    Outcome
    """
    optimizer = CONTENDERS[run.optimizer].make(**run.hyper_parameters, seed=run.seed)
    theta = network.initial(run.seed)
    start = Progress(theta, optimizer.init(theta), 0, 0, 0.0, ())
    progress = journal.load_progress(run, start) or _marked(start, network, data, run)
    spend(progress.evaluations)
    epoch, diverged = data.training.size // run.batch, False
    while progress.evaluations < run.evaluations and not diverged:
        before = progress.evaluations
        progress, diverged = _step(progress, optimizer, network, data, run)
        spend((run.evaluations if diverged else progress.evaluations) - before)
        is_over = diverged or progress.evaluations >= run.evaluations
        if not diverged and (is_over or progress.evaluations // epoch > before // epoch):
            progress = _marked(progress, network, data, run)
            if not is_over:
                journal.save_progress(run, progress)
    return Outcome(progress.marks, progress.steps, progress.evaluations, diverged)


def _step(progress: Progress, optimizer: Any, network: Network, data: DataSet, run: Run) -> tuple[Progress, bool]:
    """The progress after one more step, and whether it led out of the numbers."""
    inputs, labels = data.training.take(batch(run.seed, progress.steps, data.training.size, run.batch))
    meter = Meter(run.evaluations, progress.evaluations)
    begin = time.process_time()
    try:
        step = optimizer.step(
            meter.counted(lambda theta: network.value_and_gradient(theta, inputs, labels)),
            progress.theta,
            progress.state,
        )
    except BudgetSpent:
        return progress._replace(evaluations=run.evaluations), False
    xp = array_namespace(step.theta)
    diverged = not bool(xp.all(xp.isfinite(step.theta)))
    seconds = progress.seconds + time.process_time() - begin
    return Progress(step.theta, step.state, progress.steps + 1, meter.spent, seconds, progress.marks), diverged


def _marked(progress: Progress, network: Network, data: DataSet, run: Run) -> Progress:
    loss, _ = network.measure(progress.theta, *data.training)
    held_out = network.measure(progress.theta, *(data.test if run.held_out == "test" else data.validation))
    mark = Mark(progress.evaluations, progress.seconds, loss, *held_out)
    return progress._replace(marks=(*progress.marks, mark))
