"""Which known mistake reproduces a port's output?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy
from numpy.typing import NDArray

from rbo_ref.oracle.calls import Port, call, fresh
from rbo_ref.oracle.dialects import DIALECTS, Dialect
from rbo_ref.oracle.levels import Experiment
from rbo_ref.oracle.mistakes import MISTAKES, RightPort
from rbo_ref.oracle.report import Diagnosis, Result
from rbo_ref.oracle.rounding import Format, format_of
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.tolerance import budget_of
from rbo_ref.oracle.truth import Hyper, TrueStep, error_of, midpoints, true_step

__all__ = ["diagnose", "in_dialect"]

EXPERIMENTS = 6  # of either verdict, that a mistake has to reproduce
SLACK = 20.0  # a mistake may amplify rounding more than the right step does
SAME = 0.1  # of the slack: suspects that are nearer than this on average fit equally well
NEEDED = 0.9  # share of the calls that a mistake has to reproduce
LIKE = 2.0  # bits by which the noise of a precision may differ from that of the catalogue's port
LOWER = ("float32", "tf32", "float16", "bfloat16")


@dataclass(frozen=True)
class _Known:
    """A call of the port whose result can be judged."""

    experiment: Experiment
    theta: NDArray[Any]
    hyper: Hyper
    answer: NDArray[Any]
    truth: TrueStep
    tolerance: NDArray[numpy.float64]

    @cached_property
    def errors(self) -> NDArray[numpy.float64]:
        return error_of(self.answer, self.truth.theta)

    @property
    def error(self) -> float:
        return float(self.errors.max())

    @property
    def wrongness(self) -> float:
        """The worst error in tolerances."""
        return float((self.errors / self.tolerance).max())

    @property
    def move(self) -> float:
        return float(numpy.abs(midpoints(self.truth.theta) - self.theta.astype(float)).max())

    def apart(self, answer: NDArray[Any] | None) -> float:
        """How far from another answer to the same call, in tolerances."""
        if answer is None:
            return numpy.inf
        return float((numpy.abs(answer.astype(float) - self.answer.astype(float)) / self.tolerance).max())

    def slack(self, setting: Setting) -> float:
        """How far a suspect may be, in tolerances: much nearer than the truth, where the port is wrong.

        A mistake may amplify rounding more than the right step does. A coarse format cannot afford much of that.
        """
        if setting.coarsest.precision > 20:
            return min(SLACK, self.wrongness / 4) if self.wrongness > 1 else SLACK
        return self.wrongness / 8 if self.wrongness > 1 else 1.0


Reproduction = tuple[int, int, float, float]  # calls reproduced, in all, worst distance in tolerances, mean in slacks
Record = tuple[Experiment, list[_Known | None]]
Judged = list[tuple[Result, Experiment]]


@numpy.errstate(over="ignore")  # a port may be anywhere
def diagnose(judged: Judged, setting: Setting) -> Diagnosis | None:
    """The mistake, or the other reading of the paper, that explains the failures; None if none does."""
    experiments = _telling(judged)
    if not experiments:
        return None
    records = [(e, _known(e, setting)) for e in experiments]
    found: list[tuple[tuple[float, float], str, str, Reproduction]] = []
    for name, description, port in _suspects(setting):
        counts = _reproduction(port, records, setting)
        if counts[0] >= NEEDED * max(counts[1], 1):
            fit = (counts[0] / counts[1], -max(counts[3], SAME))
            found.append((fit, name, description, counts))
    if not found:
        return _precision(records, setting)
    best, name, description, (hit, total, worst, _) = max(found, key=lambda f: f[0])
    twins = [other for fit, other, *_ in found if fit == best and other != name]
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
    return suspects + [(cls.name, cls.description, in_dialect(cls, setting.dialect)) for cls in MISTAKES.values()]


def _reader(dialect: Dialect) -> Callable[[], Port]:
    return in_dialect(RightPort, dialect)


def in_dialect(cls: type[RightPort], dialect: Dialect) -> Callable[[], Port]:
    """A maker of ports of the class that read the paper as the dialect does."""

    class InDialect(cls):  # type: ignore[misc, valid-type]
        def tuned(self, eta: float, rho: float, gamma: float, steps: int) -> tuple[float, float, float, int]:
            return super().tuned(eta, rho, gamma * dialect.factor, steps)

        def start(self) -> Any:
            return self.candidate[:-1] if dialect.start == "candidate" else super().start()

    return InDialect


def _reproduction(make: Callable[[], Port], records: list[Record], setting: Setting) -> Reproduction:
    """How many of the calls of the experiments a suspect answers as the port did."""
    hit, total, worst, fits = 0, 0, 0.0, [0.0]
    for experiment, known in records:
        for answer, port in zip(_answers(make, experiment, setting), known, strict=True):
            if port is None:
                continue
            total += 1
            ratio = port.apart(answer)
            if ratio <= port.slack(setting):
                hit, worst, fits = hit + 1, max(worst, ratio), [*fits, ratio / port.slack(setting)]
        if total >= 3 and hit < total / 2:
            break  # this is not it
    return hit, total, worst, sum(fits) / len(fits)


def _answers(make: Callable[[], Port], experiment: Experiment, setting: Setting) -> Iterator[NDArray[Any] | None]:
    """What a suspect answers to the calls of an experiment: in the dtype of the port, but not in less than float32."""
    dtype = numpy.promote_types(setting.inside.dtype, numpy.float32)
    stepper = make()
    for theta, hyper, _ in experiment.calls:
        suspect = stepper if experiment.level == "walk" else fresh(stepper)
        yield call(suspect, experiment.case.loss, theta.astype(dtype), hyper, setting.time_limit).theta


def _known(experiment: Experiment, setting: Setting) -> list[_Known | None]:
    """What is known about each call, or None where the case decides nothing."""
    found: list[_Known | None] = []
    for theta, hyper, outcome in experiment.calls:
        loss = experiment.case.loss
        truth = true_step(loss, tuple(theta), hyper, setting.dialect, setting.target)
        budget = budget_of(loss, truth, hyper, setting.dialect, setting.target, setting.inside)
        if outcome.theta is None or not numpy.isfinite(budget.theta).all():
            found.append(None)
            continue
        known = _Known(experiment, theta, hyper, outcome.theta, truth, budget.theta)
        found.append(known if budget.is_decidable or known.wrongness > 1 else None)
    return found


def _precision(records: list[Record], setting: Setting) -> Diagnosis | None:
    """Errors that declaring a lower precision would allow are its noise; of several the one with errors as large."""
    calls = [port for _, known in records for port in known if port is not None]
    if not calls:
        return None
    level = max(port.wrongness for port in calls) * setting.inside.unit
    evidence = f"all {len(calls)} errors are small, the largest as if the unit roundoff were {level:.1e}"
    lower = [format_of(name) for name in LOWER if format_of(name).precision < setting.inside.precision]
    found = [
        (abs(_bits_more(target, records, setting)), target.name) for target in lower if _allows(target, calls, setting)
    ]
    bits, name = min(found, default=(numpy.inf, ""))
    if bits <= LIKE:
        evidence += f", as large as those of a right port with {name} inside; compute_dtype={name!r} declares it"
        return Diagnosis(f"{name}_inside", MISTAKES[f"{name}_inside"].description, evidence)
    if all(port.error <= 1e-2 * port.move for port in calls):
        evidence += f" instead of {setting.inside.unit:.1e}"
        return Diagnosis("low_precision", MISTAKES["low_precision"].description, evidence)
    return None  # a mistake of the mathematics, not of the precision


def _allows(inside: Format, calls: list[_Known], setting: Setting) -> bool:
    """Whether the port would be right, and something decided, if it declared to compute in this format."""
    decided = False
    for known in calls:
        loss = known.experiment.case.loss
        budget = budget_of(loss, known.truth, known.hyper, setting.dialect, setting.target, inside)
        if (known.errors > budget.theta).any():
            return False
        decided = decided or budget.is_decidable
    return decided


def _bits_more(inside: Format, records: list[Record], setting: Setting) -> float:
    """How much larger the errors of the port are than those of the catalogue's port of this precision, in bits."""
    make = in_dialect(MISTAKES[f"{inside.name}_inside"], setting.dialect)
    more = []
    for experiment, known in records:
        for answer, port in zip(_answers(make, experiment, setting), known, strict=True):
            if port is None or answer is None:
                continue
            usual = float(error_of(answer, port.truth.theta).max())
            if usual and port.error:
                more.append(numpy.log2(port.error / usual))
    return float(numpy.mean(more)) if more else numpy.inf
