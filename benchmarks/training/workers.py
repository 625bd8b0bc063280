"""Runs in several processes, one thread of linear algebra each, so that results do not depend on how many there are."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import lru_cache
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.training.course import Network, Outcome, Run, drive
from benchmarks.training.data import DataSet, load
from benchmarks.training.errors import TrainingError
from benchmarks.training.networks import Perceptron
from benchmarks.training.records import Records
from rbo_ref._processes import started_quietly

__all__ = ["MODELS", "Crew", "Place", "crew", "execute", "network_for"]

MODELS = ("mlp", "torch-mlp", "resnet-6", "resnet-8", "vgg-9")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
GLANCE = 0.2  # seconds between two looks at the progress


class Place(NamedTuple):
    """Where a run finds its data and keeps its records."""

    data: str | None  # a folder, for data sets that need one
    records: str


class _Stopped(Exception):
    """The command was interrupted."""


def network_for(run: Run, data: DataSet) -> Network:
    """The network of a run."""
    if run.model == "mlp":
        pixels = data.shape[0] * data.shape[1] * data.shape[2]
        return Perceptron((pixels, *run.hidden, data.classes), run.activation, run.dtype)
    try:
        import torch
    except ImportError as error:
        raise TrainingError(f"the model {run.model} needs PyTorch: pip install torch") from error
    from benchmarks.training.torch_networks import TorchNetwork

    torch.set_num_threads(run.threads)
    return TorchNetwork(run.model, data.shape, data.classes, run.hidden, run.dtype, run.device)


class Crew(NamedTuple):
    """Processes at work."""

    pool: ProcessPoolExecutor
    spent: Any  # evaluations, by all of them; shared memory
    interrupted: threading.Event  # by the user

    def outcomes(self, futures: Collection[Future[Outcome]], tell: Callable[[int], None]) -> Iterator[Future[Outcome]]:
        """The futures as they are done; `tell` hears now and then of the evaluations."""
        waiting = set(futures)
        while waiting:
            done, waiting = wait(waiting, GLANCE, FIRST_COMPLETED)
            yield from done
            tell(self.spent.value)
            if self.interrupted.is_set():
                raise KeyboardInterrupt

    def spend(self, evaluations: int) -> None:
        """Count evaluations that nobody has to make."""
        with self.spent.get_lock():
            self.spent.value += evaluations


@contextmanager
def crew(jobs: int, threads: int) -> Iterator[Crew]:
    """Fresh processes, `jobs` at most, which read the number of threads from the environment when they import NumPy.

    At the end, also by an exception, they are stopped after the step that they are at.

    Raises
    ------
    TrainingError
        If a process dies; what was recorded stays.
    """
    context = get_context("spawn")
    spent, stop = context.Value("q", 0), context.Event()
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, str(threads)))
    pool = ProcessPoolExecutor(jobs, context, _begin, (spent, stop))
    try:
        with _deferred_interrupt() as interrupted:
            yield Crew(pool, spent, interrupted)
    except BrokenProcessPool as error:
        raise TrainingError("a worker process died; run the command again to go on from its last epoch") from error
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


@contextmanager
def _deferred_interrupt() -> Iterator[threading.Event]:
    """An event instead of a KeyboardInterrupt, which might strike while we hold a lock that the workers wait for."""
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # where signals do not arrive
        yield interrupted
        return
    before = signal.signal(signal.SIGINT, lambda *_: interrupted.set())
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


def execute(
    runs: Sequence[Run], place: Place, crew: Crew, tell: Callable[[int], None] = lambda spent: None
) -> dict[str, Outcome]:
    """Make the runs that are not yet recorded.

    Parameters
    ----------
    runs : sequence of Run
    place : Place
    crew : Crew
    tell : callable, optional
        Called now and then with the number of evaluations that the crew has spent so far, or found on record.

    Returns
    -------
    dict
        The outcomes under the names of the runs.
    """
    records = Records(Path(place.records))
    found = {run.name: records.load_outcome(run) for run in runs}
    outcomes = {name: outcome for name, outcome in found.items() if outcome is not None}
    missing = {run.name: run for run in runs if run.name not in outcomes}
    crew.spend(sum(run.evaluations for run in runs) - sum(run.evaluations for run in missing.values()))
    with started_quietly():
        futures = {crew.pool.submit(_work, run, place): name for name, run in missing.items()}
    tell(crew.spent.value)
    outcomes |= {futures[future]: future.result() for future in crew.outcomes(futures, tell)}
    return {run.name: outcomes[run.name] for run in runs}


# Inside a worker.

_spent: Any  # evaluations, by all workers
_stop: Any  # an event


def _begin(*shared: Any) -> None:
    global _spent, _stop
    _spent, _stop = shared
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent answers it, and stops us
    threading.Thread(target=_follow_the_parent, daemon=True).start()


def _follow_the_parent() -> None:
    """End with the parent, even if it is killed."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _work(run: Run, place: Place) -> Outcome:
    records, data = Records(Path(place.records)), _load(run.data, place.data, run.dtype)
    outcome = drive(run, network_for(run, data), data, records, _spend)
    records.save_outcome(run, outcome)
    return outcome


def _spend(evaluations: int) -> None:
    if _stop.is_set():
        raise _Stopped
    with _spent.get_lock():
        _spent.value += evaluations


_load = lru_cache(maxsize=1)(load)
