"""What a comparison says: means and spreads over the seeds, as text, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from statistics import fmean, median, stdev
from typing import Any, NamedTuple

from benchmarks.training import published
from benchmarks.training.comparison import AIMS, FINALISTS, TUNING_SEEDS, Finished, Plan, Trial
from benchmarks.training.contenders import CONTENDERS
from benchmarks.training.versions import versions

__all__ = ["Row", "Spread", "as_json", "report", "rows", "runs_csv", "summary_csv", "to_target"]


class Spread(NamedTuple):
    """Mean and standard deviation over the seeds; the deviation of a single number is not known, NaN."""

    mean: float
    deviation: float

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Spread:
        """Of some numbers."""
        if not all(map(math.isfinite, numbers)):
            return cls(math.inf, math.nan)
        return cls(fmean(numbers), stdev(numbers) if len(numbers) > 1 else math.nan)


class Row(NamedTuple):
    """One optimizer, with the hyper-parameters that serve one aim best, over all seeds."""

    optimizer: str
    aim: str
    hyper_parameters: dict[str, float]
    runs: int
    diverged: int
    loss: Spread  # training loss at the end; infinite if a run diverged
    accuracy: Spread  # test accuracy at the end
    to_target: float  # median of the evaluations until the training loss is at most the target; infinite: never
    reached: int  # runs that reached the target
    seconds: Spread  # processor time of a run
    steps: int  # of the first run
    evaluations: int  # largest number in a run


def rows(finished: Finished) -> list[Row]:
    """A row for every aim and optimizer.

    Parameters
    ----------
    finished : Finished

    Returns
    -------
    list of Row
    """
    target = finished.plan.target
    return [_row(aim, name, finished.runs[aim][name], target) for aim in AIMS for name in finished.plan.optimizers]


def _row(aim: str, name: str, trials: Sequence[Trial], target: float) -> Row:
    outcomes = [trial.outcome for trial in trials]
    ends = [outcome.marks[-1] for outcome in outcomes]
    arrivals = [to_target(trial, target) for trial in trials]
    return Row(
        optimizer=name,
        aim=aim,
        hyper_parameters=trials[0].run.hyper_parameters,
        runs=len(trials),
        diverged=sum(outcome.diverged for outcome in outcomes),
        loss=Spread.of([math.inf if o.diverged else end.loss for o, end in zip(outcomes, ends, strict=True)]),
        accuracy=Spread.of([end.accuracy for end in ends]),
        to_target=median(arrivals),
        reached=sum(map(math.isfinite, arrivals)),
        seconds=Spread.of([end.seconds for end in ends]),
        steps=outcomes[0].steps,
        evaluations=max(outcome.evaluations for outcome in outcomes),
    )


def to_target(trial: Trial, target: float) -> float:
    """Evaluations until the training loss, measured once an epoch, is at most `target`; infinite if it never is."""
    return next((mark.evaluations for mark in trial.outcome.marks if mark.loss <= target), math.inf)


# Text.


def report(finished: Finished) -> str:
    """The whole comparison as text: what was done, the table, the hyper-parameters, and the published table."""
    found = {(row.aim, row.optimizer): row for row in rows(finished)}
    names = finished.plan.optimizers
    lines = [*_heading(finished), "", HEADER, "-" * len(HEADER)]
    lines += [_line(found["loss", name], found["accuracy", name]) for name in names]
    lines += ["", "Searched:", *(_searched(finished.plan, name) for name in names)]
    lines += ["", "Chosen for the training loss / for the validation accuracy:"]
    lines += [_choice(found["loss", name], found["accuracy", name]) for name in names]
    return "\n".join([*lines, "", published.table(), ""])


COLUMNS = {"training loss": 22, "to target": 14, "test accuracy %": 18, "diverged": 10, "steps": 7, "CPU seconds": 16}
HEADER = " " * 20 + "".join(f"{name:>{width}}" for name, width in COLUMNS.items())


def _heading(finished: Finished) -> list[str]:
    plan, (training, validation, test) = finished.plan, finished.examples
    return [
        f"{plan.data}: {training} images to train on, {validation} to tune on, {test} to test on; "
        f"{plan.model}, {finished.dimension} parameters; mini-batches of {plan.batch}.",
        f"{plan.evaluations} gradient evaluations on a mini-batch in every run, counted call by call.",
        f"Tuning: {plan.trials} trials of that length for each hyper-parameter that is searched, on logarithmic scales "
        "between the ends below,",
        f"and the best {FINALISTS} from {len(TUNING_SEEDS) - 1} further seeds.",
        f"Mean ± standard deviation over {plan.seeds} seeds. Test accuracy: of the hyper-parameters with the",
        "best validation accuracy; all else that of those with the lowest training loss. To target: median of the",
        f"evaluations until the training loss is {plan.target:g}. Diverged: so many runs of the one and of the other.",
    ]


def _line(for_loss: Row, for_accuracy: Row) -> str:
    target = f"{for_loss.to_target:.0f}" if math.isfinite(for_loss.to_target) else "never"
    if 0 < for_loss.reached < for_loss.runs:
        target += f" ({for_loss.reached}/{for_loss.runs})"
    accuracy = Spread(*(100 * x for x in for_accuracy.accuracy))
    diverged = f"{for_loss.diverged}+{for_accuracy.diverged}" if for_loss.diverged + for_accuracy.diverged else "-"
    cells = (
        _pair(for_loss.loss, ".3g", ".2g"),
        target,
        _pair(accuracy, ".2f", ".2f"),
        diverged,
        str(for_loss.steps),
        _pair(for_loss.seconds, ".2f", ".2f"),
    )
    title = CONTENDERS[for_loss.optimizer].title
    return f"{title:<20}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, COLUMNS.values(), strict=True))


def _pair(spread: Spread, mean: str, deviation: str) -> str:
    if not math.isfinite(spread.mean):
        return "infinite"
    around = "" if math.isnan(spread.deviation) else f" ± {spread.deviation:{deviation}}"
    return f"{spread.mean:{mean}}{around}"


def _searched(plan: Plan, name: str) -> str:
    contender = CONTENDERS[name]
    ranges = ", ".join(f"{key} {low:g} to {high:g}" for key, (low, high) in contender.ranges.items())
    return f"  {contender.title:<20}{plan.points(name)} trials of {ranges}"


def _choice(for_loss: Row, for_accuracy: Row) -> str:
    def words(row: Row) -> str:
        return ", ".join(f"{name} {value:g}" for name, value in row.hyper_parameters.items())

    contender = CONTENDERS[for_loss.optimizer]
    fixed = f" ({contender.fixed})" if contender.fixed else ""
    return f"  {contender.title:<20}{words(for_loss)} / {words(for_accuracy)}{fixed}"


# Files.


def summary_csv(finished: Finished) -> str:
    """One line for every aim and optimizer."""
    return _csv(_flat(row) for row in rows(finished))


def runs_csv(finished: Finished) -> str:
    """One line for every run, the trials of the tuning included, with what was measured at its end."""
    kinds: list[tuple[str, dict[str, list[Trial]]]] = [("tuning", finished.trials), *finished.runs.items()]
    return _csv(
        {
            "purpose": purpose,
            "optimizer": trial.run.optimizer,
            "hyper_parameters": trial.run.hyper_parameters,
            "seed": trial.run.seed,
            "held_out": trial.run.held_out,
            "steps": trial.outcome.steps,
            "diverged": trial.outcome.diverged,
            "to_target": to_target(trial, finished.plan.target),
            **trial.outcome.marks[-1]._asdict(),
        }
        for purpose, groups in kinds
        for trials in groups.values()
        for trial in trials
    )


def as_json(finished: Finished) -> str:
    """The plan, the rows and the published table."""
    plan = {name: value for name, value in asdict(finished.plan).items() if name not in ("folder", "jobs")}
    record = {
        "version": versions(finished.plan.model),
        "plan": plan,
        "parameters": finished.dimension,
        "examples": dict(zip(("training", "validation", "test"), finished.examples, strict=True)),
        "rows": [_flat(row) for row in rows(finished)],
        "published": {
            "source": published.SOURCE,
            "rows": {name: dict(zip(published.OPTIMIZERS, row, strict=True)) for name, row in published.ROWS.items()},
        },
    }
    return json.dumps(_strict(record), indent=1, allow_nan=False) + "\n"


def _flat(row: Row) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row._asdict().items():
        if isinstance(value, Spread):
            flat |= {name: value.mean, f"{name}_deviation": value.deviation}
        else:
            flat[name] = value
    return flat


def _csv(records: Iterable[dict[str, Any]]) -> str:
    records = list(records)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]), lineterminator="\n")
    writer.writeheader()
    for record in records:
        cells = _strict(record)
        writer.writerow({name: json.dumps(x) if isinstance(x, dict) else x for name, x in cells.items()})
    return text.getvalue()


def _strict(value: Any) -> Any:
    """`value` without infinity and NaN, for which JSON has no words: None."""
    if isinstance(value, dict):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
