"""Which known mistake reproduces a port's output?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
from numpy.typing import NDArray

from rbo_ref.oracle.calls import Port, call, fresh
from rbo_ref.oracle.dialects import DIALECTS, Dialect
from rbo_ref.oracle.levels import Experiment, Setting
from rbo_ref.oracle.mistakes import MISTAKES, RightPort
from rbo_ref.oracle.report import Diagnosis, Result
from rbo_ref.oracle.tolerance import budget_of
from rbo_ref.oracle.truth import error_of, midpoints, true_step

__all__ = ["diagnose"]

EXPERIMENTS = 6  # of either verdict, that a mistake has to reproduce
SLACK = 20.0  # a mistake may amplify rounding more than the right step does
NEEDED = 0.9  # share of the calls that a mistake has to reproduce
Reproduction = tuple[int, int, float]  # calls reproduced, calls in all, worst error in tolerances among the reproduced
Record = tuple[Experiment, list[NDArray[Any] | None]]  # an experiment and the tolerance of each of its calls
Judged = list[tuple[Result, Experiment]]


def diagnose(judged: Judged, setting: Setting) -> Diagnosis | None:
    """The mistake, or the other reading of the paper, that explains the failures; None if none does."""
    experiments = _telling(judged)
    if not experiments:
        return None
    records = [(e, [_tolerance(e, theta, hyper, setting) for theta, hyper, _ in e.calls]) for e in experiments]
    found: list[tuple[float, str, str, Reproduction]] = []
    for name, description, port in _suspects(setting):
        counts = _reproduction(port, records, setting)
        if counts[0] >= NEEDED * max(counts[1], 1):
            found.append((counts[0] / counts[1], name, description, counts))
    if not found:
        return _precision(records, setting)
    share, name, description, (hit, total, worst) = max(found, key=lambda f: f[0])
    twins = [other for other_share, other, *_ in found if other_share == share and other != name]
    evidence = f"it reproduces {hit} of {total} of the port's steps, to within {worst:.2g} tolerances of rounding"
    return Diagnosis(name, description, evidence + (f"; so does {', '.join(twins)}" if twins else ""))


def _telling(judged: Judged) -> list[Experiment]:
    """The experiments to explain: failed ones, and passed ones that a wrong explanation would fail."""
    chosen: dict[int, Experiment] = {}
    for verdict in ("fail", "pass"):
        found = {id(e): e for r, e in judged if r.verdict == verdict and all(o.theta is not None for *_, o in e.calls)}
        chosen |= dict(list(found.items())[:EXPERIMENTS])
    failed = any(r.verdict == "fail" and r.level != "inner" and id(e) in chosen for r, e in judged)
    return list(chosen.values()) if failed else []


def _suspects(setting: Setting) -> list[tuple[str, str, Callable[[], Port]]]:
    """Name, description and maker of everything a port may be: the other dialects first, then the catalogue."""
    dialects = [d for d in DIALECTS.values() if d != setting.dialect]
    suspects = [(f"dialect-{d.name}", f"another reading of the paper: {d.description}", _reader(d)) for d in dialects]
    return suspects + [(cls.name, cls.description, _in_dialect(cls, setting.dialect)) for cls in MISTAKES.values()]


def _reader(dialect: Dialect) -> Callable[[], Port]:
    return _in_dialect(RightPort, dialect)


def _in_dialect(cls: type[RightPort], dialect: Dialect) -> Callable[[], Port]:
    """A maker of ports of the class that read the paper as the dialect does."""

    class InDialect(cls):  # type: ignore[misc, valid-type]
        def tuned(self, eta: float, rho: float, gamma: float, steps: int) -> tuple[float, float, float, int]:
            return super().tuned(eta, rho, gamma * dialect.factor, steps)

        def start(self) -> Any:
            return self.candidate[:-1] if dialect.start == "candidate" else super().start()

    return InDialect


def _reproduction(make: Callable[[], Port], records: list[Record], setting: Setting) -> Reproduction:
    """How many of the calls of the experiments a suspect answers as the port did."""
    hit, total, worst = 0, 0, 0.0
    for experiment, tolerances in records:
        stepper = make()
        for (theta, hyper, outcome), tolerance in zip(experiment.calls, tolerances, strict=True):
            suspect = stepper if experiment.level == "walk" else fresh(stepper)
            twin = call(suspect, experiment.case.loss, theta.copy(), hyper, setting.time_limit)
            if tolerance is None or outcome.theta is None:
                continue
            total += 1
            if twin.theta is None:
                continue
            ratio = float(numpy.max(numpy.abs(twin.theta - outcome.theta).astype(float) / tolerance))
            if ratio <= SLACK:
                hit, worst = hit + 1, max(worst, ratio)
        if total >= 3 and hit < total / 2:
            break  # this is not it
    return hit, total, worst


def _tolerance(experiment: Experiment, theta: NDArray[Any], hyper: Any, setting: Setting) -> NDArray[Any] | None:
    """The tolerance of a call's result, or None where the case decides nothing."""
    loss = experiment.case.loss
    truth = true_step(loss, tuple(theta), hyper, setting.dialect, setting.target)
    budget = budget_of(loss, truth, hyper, setting.dialect, setting.target)
    return budget.theta if budget.is_decidable else None


def _precision(records: list[Record], setting: Setting) -> Diagnosis | None:
    """Errors that are small everywhere are noise of a lower precision."""
    effective = []
    for experiment, tolerances in records:
        for (theta, hyper, outcome), tolerance in zip(experiment.calls, tolerances, strict=True):
            if tolerance is None or outcome.theta is None:
                continue
            truth = true_step(experiment.case.loss, tuple(theta), hyper, setting.dialect, setting.target)
            move = numpy.abs(midpoints(truth.theta) - theta.astype(float)).max()
            error = error_of(outcome.theta, truth.theta)
            if error.max() > 1e-2 * move:
                return None  # a mistake of the mathematics, not of the precision
            effective.append(float((error / tolerance).max()) * setting.target.unit)
    level = max(effective, default=0.0)
    if level <= setting.target.unit:
        return None
    suspect = "float32_inside" if 2.0**-34 < level <= 2.0**-20 and setting.target.unit < 2.0**-30 else "low_precision"
    evidence = f"all {len(effective)} errors are small, the largest as if the unit roundoff were {level:.1e}"
    return Diagnosis(suspect, MISTAKES[suspect].description, f"{evidence} instead of {setting.target.unit:.1e}")
