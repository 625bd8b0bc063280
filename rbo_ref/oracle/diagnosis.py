"""Which known mistake reproduces a port's output?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy
from numpy.typing import NDArray

from rbo_ref.oracle.calls import Port, call, fresh
from rbo_ref.oracle.dialects import DIALECTS, Dialect
from rbo_ref.oracle.excuses import held_to_rounding, nature_of
from rbo_ref.oracle.levels import Experiment, judge, wrong_part
from rbo_ref.oracle.mistakes import MISTAKES, RightPort
from rbo_ref.oracle.report import Diagnosis, Result
from rbo_ref.oracle.reproduction import Reproduction, spread
from rbo_ref.oracle.rounding import Format, coarse, format_of
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.tolerance import budget_of
from rbo_ref.oracle.truth import Hyper, TrueStep, error_of, midpoints, true_step

__all__ = ["diagnose", "in_dialect"]

FEWEST = 5  # wrong steps of a coarse format, in which a few agree with a suspect by chance
SLACK = 20.0  # a mistake may amplify rounding more than the right step does
SMALL = 1e-2  # of the move: larger errors are no noise
ROOM = 4.0  # unit roundoffs of a guess that has to allow the errors it is made from
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


Record = tuple[Experiment, list[_Known | None]]
Judged = list[tuple[Result, Experiment]]


@numpy.errstate(over="ignore")  # a port may be anywhere
def diagnose(judged: Judged, setting: Setting, port: Port | None = None) -> Diagnosis | None:
    """The mistake, or the other reading of the paper, that explains the failures; None if none does.

    A lower precision is named only if the port can be asked again.
    """
    failures = [result for result, _ in judged if result.verdict == "fail"]
    if failures and all(result.level in ("primitives", "projection") for result in failures):
        return _intermediate(judged, setting)
    records = [(e, _known(e, setting)) for e in _telling(judged)]
    found: list[tuple[Reproduction, str, str]] = []
    fewest = 1 if setting.coarsest.precision > 20 else FEWEST
    for name, description, make in _suspects(setting):
        reproduction = _reproduction(make, records, setting)
        if reproduction.is_evidence and reproduction.hits[True] >= fewest:
            found.append((reproduction, name, description))
    if not found:
        return _precision(port, judged, records, setting) if port is not None else None
    best, name, description = max(found, key=lambda f: f[0].fit)
    twins = [other for reproduction, other, _ in found if reproduction.fit == best.fit and other != name]
    evidence = f"it reproduces {best.counts('step')}, to within {best.worst:.2g} tolerances of rounding"
    return Diagnosis(name, description, evidence + (f"; so does {', '.join(twins)}" if twins else ""))


def _telling(judged: Judged) -> list[Experiment]:
    """The experiments to explain: wrong ones, and right ones that a wrong explanation would fail."""
    badness: dict[int, float] = {}
    experiments: dict[int, Experiment] = {}
    for result, experiment in judged:
        if result.level != "primitives" and all(o.theta is not None for *_, o in experiment.calls):
            worst = (result.ratio or numpy.inf) if result.verdict == "fail" else 0.0
            badness[id(experiment)] = max(worst, badness.get(id(experiment), 0.0))
            if result.verdict in ("pass", "fail"):
                experiments[id(experiment)] = experiment

    def family(experiment: Experiment) -> tuple[str, bool]:
        return experiment.case.id.partition("-")[0], experiment.level == "walk"

    wrong, right = ([e for i, e in experiments.items() if bool(badness[i]) == kind] for kind in (True, False))
    return [e for some in (wrong, right) for e in spread(some, family, lambda e: badness[id(e)])]


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
    judged = [port for _, known in records for port in known if port is not None]
    wrong, found = sum(port.wrongness > 1 for port in judged), Reproduction()
    for experiment, known in records:
        for answer, port in zip(_answers(make, experiment, setting), known, strict=True):
            if port is not None:
                found.add(port.wrongness > 1, port.apart(answer), port.slack(setting))
        if found.is_hopeless(wrong, len(judged) - wrong):
            break
    return found


def _answers(make: Callable[[], Port], experiment: Experiment, setting: Setting) -> Iterator[NDArray[Any] | None]:
    """What a suspect answers to the calls of an experiment: in the dtype of the port, but not in less than float32."""
    dtype = numpy.promote_types(setting.inside.dtype, numpy.float32)
    stepper = make()
    for theta, hyper, _ in experiment.calls:
        suspect = stepper if experiment.level == "walk" else fresh(stepper)
        yield call(suspect, experiment.case.loss, theta.astype(dtype), hyper, numpy.inf).theta


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


def _intermediate(judged: Judged, setting: Setting) -> Diagnosis | None:
    """Which of the quantities that are handed out is wrong, where the steps are right."""
    told = [(r, e) for r, e in judged if r.level == "primitives" and r.verdict in ("pass", "fail")]
    wrong = Counter(name for r, e in told if r.verdict == "fail" for name in [_wrong_part(e, setting)] if name)
    steps = sum(r.verdict == "pass" for r, _ in judged if r.level in ("step", "restarted", "walk"))
    if not wrong or not steps:
        return None
    name, count = wrong.most_common(1)[0]
    evidence = (
        f"the {name} is the first that is wrong in {count} of {len(told)} cases; no step is wrong, {steps} are right"
    )
    return Diagnosis(f"{name}_handed_out", f"The steps are right, but the {name} that is handed out is wrong", evidence)


def _wrong_part(experiment: Experiment, setting: Setting) -> str | None:
    """The first intermediate quantity of a step that is wrong."""
    theta, hyper, outcome = experiment.calls[0]
    truth = true_step(experiment.case.loss, tuple(theta), hyper, setting.dialect, setting.target)
    budget = budget_of(experiment.case.loss, truth, hyper, setting.dialect, setting.target, setting.inside)
    return wrong_part(outcome, truth, budget, setting)


# --- precision ------------------------------------------------------------------------------------------------------


def _precision(port: Port, judged: Judged, records: list[Record], setting: Setting) -> Diagnosis | None:
    """Errors that jump like rounding, are as large as those of a format, and are right in it in every case."""
    calls = [known for _, several in records for known in several if known is not None]
    level = max((known.wrongness for known in calls), default=0.0) * setting.inside.unit
    if not setting.inside.unit < level < 1:
        return None
    lower = [format_of(name) for name in LOWER if format_of(name).precision < setting.inside.precision]
    alike = [(abs(_bits_more(target, records, setting)), target) for target in lower if _allows(target, calls, setting)]
    bits, target = min(alike, key=lambda pair: pair[0], default=(numpy.inf, setting.inside))
    named = target if bits <= LIKE else None
    wrong = [e for e, several in records if any(known is not None and known.wrongness > 1 for known in several)]
    guess = named or coarse(min(ROOM * level, 0.25), setting.target)
    if not nature_of(port, wrong, replace(setting.aside, compute=guess)).is_rounding:
        return None
    evidence = (
        f"the largest error is as if the unit roundoff were {level:.1e} instead of {setting.inside.unit:.1e}; at "
    )
    evidence += "neighbouring places the errors jump as rounding does"
    if named and (right := _right_in(named, port, judged, setting)):
        evidence += f"; they are as large as those of a right port with {named.name} inside, and declared, {right} "
        evidence += f"results are right and none is wrong; compute_dtype={named.name!r} declares it"
        return Diagnosis(f"{named.name}_inside", MISTAKES[f"{named.name}_inside"].description, evidence)
    every = [known for r, e in judged if r.verdict == "fail" for known in _known(e, setting) if known is not None]
    if all(known.error <= SMALL * known.move for known in every):
        return Diagnosis("low_precision", MISTAKES["low_precision"].description, f"all errors are small; {evidence}")
    return None


def _right_in(inside: Format, port: Port, judged: Judged, setting: Setting) -> int:
    """How many results are right if the port declares this format, provided that none is wrong then."""
    declared = replace(setting.aside, compute=inside)
    levels = tuple(dict.fromkeys(result.level for result, _ in judged))
    again: Judged = []
    for case in dict.fromkeys(experiment.case for _, experiment in judged):
        again += judge(port, case, declared, levels)
        if any(result.verdict == "fail" for result, _ in again):
            return 0
    verdicts = [result.verdict for result, _ in held_to_rounding(port, again, declared)]
    return 0 if "fail" in verdicts else verdicts.count("pass")


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
