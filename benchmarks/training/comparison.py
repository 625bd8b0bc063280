"""The comparison: equal budgets of tuning for every hyper-parameter that is searched, then of every run."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import NamedTuple, TypeVar

from benchmarks.training.contenders import CONTENDERS
from benchmarks.training.course import Outcome, Run
from benchmarks.training.data import DataSet, load
from benchmarks.training.errors import TrainingError
from benchmarks.training.tuning import candidates
from benchmarks.training.versions import versions
from benchmarks.training.workers import MODELS, Crew, Place, crew, execute, network_for

__all__ = ["AIMS", "Comparison", "Finished", "Plan", "Trial", "best", "finalists", "score"]

AIMS = ("loss", "accuracy")  # what hyper-parameters are chosen for: see `score`
TUNING_SEEDS = (1000, 1001, 1002)  # of the trials; the runs that count have the seeds 0, 1, ...
FINALISTS = 3  # trials that are made from all these seeds, for each aim

Key = TypeVar("Key")


@dataclass(frozen=True)
class Plan:
    """What is compared, on what, and for how long.

    Parameters
    ----------
    data, folder, dtype
        As in `benchmarks.training.load`.
    model : str
        "mlp", in NumPy; with PyTorch "torch-mlp", "resnet-6", "resnet-8", "vgg-9".
    hidden : tuple of int
        Numbers of hidden units of the perceptrons.
    activation : "relu" or "tanh"
        Of "mlp".
    device : str
        Of PyTorch's models.
    batch : int
        Examples in a mini-batch. One mini-batch serves all evaluations of a step.
    optimizers : tuple of str
        Names in `CONTENDERS`.
    evaluations : int
        Of a gradient on a mini-batch, in each run, those of the tuning too.
    trials : int
        Points that are tried for each hyper-parameter searched: with 100 gradient descent has 100 trials, and the ball,
        which has four, 400, all from one seed. For each of two aims, the training loss and the validation accuracy, the
        best three are then tried from two further seeds, and the best mean decides.
    seeds : int
        How many runs count.
    target : float
        A training loss; the evaluations until it is reached are reported.
    jobs, threads : int
        Processes, and threads of linear algebra in each.

    Raises
    ------
    TrainingError
        For values that make no comparison.

    Examples
    --------
    >>> plan = Plan(optimizers=("sgd", "rbo"), seeds=5)
    >>> plan.data, plan.evaluations
    ('digits', 2000)
    """

    data: str = "digits"
    folder: str | None = None
    model: str = "mlp"
    hidden: tuple[int, ...] = (32,)
    activation: str = "relu"
    dtype: str = "float64"
    device: str = "cpu"
    batch: int = 64
    optimizers: tuple[str, ...] = tuple(CONTENDERS)
    evaluations: int = 2000
    trials: int = 24
    seeds: int = 10
    target: float = 0.1
    jobs: int = 1
    threads: int = 1

    def __post_init__(self) -> None:
        for name in ("batch", "evaluations", "trials", "seeds", "jobs", "threads"):
            if getattr(self, name) < 1:
                raise TrainingError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not (math.isfinite(self.target) and self.target > 0):
            raise TrainingError(f"target must be finite and positive, got {self.target}")
        if self.model not in MODELS:
            raise TrainingError(f"model must be one of {', '.join(MODELS)}, got {self.model!r}")
        if not self.hidden or min(self.hidden) < 1:
            raise TrainingError(f"hidden must be positive numbers of units, got {self.hidden}")
        for name in self.optimizers:
            if name not in CONTENDERS:
                raise TrainingError(f"optimizer must be one of {', '.join(CONTENDERS)}, got {name!r}")
        if not self.optimizers or len(set(self.optimizers)) < len(self.optimizers):
            raise TrainingError(f"optimizers must be different, and at least one, got {', '.join(self.optimizers)}")

    def points(self, optimizer: str) -> int:
        """How many trials an optimizer has: so many for each hyper-parameter that is searched."""
        return self.trials * len(CONTENDERS[optimizer].ranges)


class Trial(NamedTuple):
    """A run with what came of it."""

    run: Run
    outcome: Outcome


class Finished(NamedTuple):
    """A comparison that has been made."""

    plan: Plan
    dimension: int  # number of parameters of the network
    examples: tuple[int, int, int]  # in the three parts of the data
    trials: dict[str, list[Trial]]  # by optimizer; those of the finalists from all seeds
    runs: dict[str, dict[str, list[Trial]]]  # by aim and optimizer; one for each seed


class Comparison:
    """A comparison that can be made, in parts if need be.

    Parameters
    ----------
    plan : Plan
    folder : Path
        Where records are kept. Runs that are recorded there, by this or by another comparison, are not made again.

    Raises
    ------
    TrainingError
        If the data, the network or the optimizers of the plan cannot be had.

    Examples
    --------
    >>> from pathlib import Path
    >>> finished = Comparison(Plan(jobs=2), Path("records")).make()  # doctest: +SKIP
    """

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self._place = Place(plan.folder, str(folder / "runs"))
        self._data: DataSet = load(plan.data, plan.folder, plan.dtype)
        if plan.batch > self._data.training.size:
            raise TrainingError(f"batch must be at most {self._data.training.size} (training part), got {plan.batch}")
        network = network_for(self._run(plan.optimizers[0], {}, 0), self._data)
        self._dimension = len(network.initial(0))

    @property
    def evaluations(self) -> int:
        """How many the whole comparison takes."""
        plan = self.plan
        runs = 0
        for name in plan.optimizers:
            count = plan.points(name)
            runs += count + len(AIMS) * (min(FINALISTS, count) * len(TUNING_SEEDS) + plan.seeds)
        return runs * plan.evaluations

    def make(self, tell: Callable[[int], None] = lambda spent: None) -> Finished:
        """Make all runs that are not recorded yet.

        Parameters
        ----------
        tell : callable, optional
            Called now and then with the number of evaluations spent so far.

        Returns
        -------
        Finished
        """
        plan = self.plan
        with crew(plan.jobs, plan.threads) as workers:
            execute = partial(self._execute, workers=workers, tell=tell)
            tried = execute(self._trials())
            finals = execute(self._finals(tried))
            made = execute(self._runs(finals))
        for (_, name, _), group in finals.items():
            tried[name] += [trial for trial in group if trial not in tried[name]]
        by_aim = {aim: {name: made[aim, name] for name in plan.optimizers} for aim in AIMS}
        parts = (self._data.training.size, self._data.validation.size, self._data.test.size)
        return Finished(plan, self._dimension, parts, tried, by_aim)

    def _trials(self) -> dict[str, list[Run]]:
        """The first runs, by optimizer."""
        seed, plan = TUNING_SEEDS[0], self.plan
        return {
            name: [
                self._run(name, point, seed) for point in candidates(CONTENDERS[name].ranges, plan.points(name), seed)
            ]
            for name in plan.optimizers
        }

    def _finals(self, tried: dict[str, list[Trial]]) -> dict[tuple[str, str, int], list[Run]]:
        """The best of them from all seeds, by aim, optimizer and place."""
        return {
            (aim, name, place): [replace(trial.run, seed=seed) for seed in TUNING_SEEDS]
            for aim in AIMS
            for name in self.plan.optimizers
            for place, trial in enumerate(finalists(tried[name], aim))
        }

    def _runs(self, finals: dict[tuple[str, str, int], list[Trial]]) -> dict[tuple[str, str], list[Run]]:
        """The runs that count, by aim and optimizer."""
        groups: dict[tuple[str, str], list[list[Trial]]] = {}
        for (aim, name, _), group in finals.items():
            groups.setdefault((aim, name), []).append(group)
        chosen = {(aim, name): best(group, aim) for (aim, name), group in groups.items()}
        return {
            key: [replace(run, seed=seed, held_out="test") for seed in range(self.plan.seeds)]
            for key, run in chosen.items()
        }

    def _execute(
        self, runs: dict[Key, list[Run]], workers: Crew, tell: Callable[[int], None]
    ) -> dict[Key, list[Trial]]:
        """The outcomes of groups of runs, group by group."""
        every = [run for group in runs.values() for run in group]
        outcomes = execute(every, self._place, workers, tell)
        return {key: [Trial(run, outcomes[run.name]) for run in group] for key, group in runs.items()}

    def _run(self, optimizer: str, point: dict[str, float], seed: int) -> Run:
        plan = self.plan
        return Run(
            data=plan.data,
            digest=self._data.digest,
            model=plan.model,
            hidden=plan.hidden,
            activation=plan.activation,
            dtype=plan.dtype,
            device=plan.device,
            threads=plan.threads,
            batch=plan.batch,
            optimizer=optimizer,
            hyper_parameters=point,
            seed=seed,
            evaluations=plan.evaluations,
            held_out="validation",
            version=versions(plan.model),
        )


def score(trials: Sequence[Trial], aim: str) -> tuple[float, ...]:
    """How badly hyper-parameters serve an aim, from one or more seeds, to be compared lexicographically.

    Parameters
    ----------
    trials : sequence of Trial
    aim : "loss" or "accuracy"

    Returns
    -------
    tuple of float
        The number of runs that diverged; then the mean training loss at the end, or minus the mean accuracy on the
        validation part and the mean loss there.
    """
    ends = [trial.outcome.marks[-1] for trial in trials]
    if aim == "loss":
        goals = [fmean(end.loss for end in ends)]
    else:
        goals = [-fmean(end.accuracy for end in ends), fmean(end.held_out_loss for end in ends)]
    diverged = sum(trial.outcome.diverged for trial in trials)
    return diverged, *(x if math.isfinite(x) else math.inf for x in goals)


def finalists(trials: Sequence[Trial], aim: str) -> list[Trial]:
    """The few trials that serve an aim best, the best one first."""
    return sorted(trials, key=lambda trial: score([trial], aim))[:FINALISTS]


def best(groups: Sequence[Sequence[Trial]], aim: str) -> Run:
    """Of groups of trials from several seeds the first run of that which serves an aim best."""
    return min(groups, key=lambda group: score(group, aim))[0].run
