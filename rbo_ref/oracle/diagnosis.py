"""Which known mistake reproduces a port's output?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy
from numpy.typing import NDArray

from rbo_ref.oracle.calls import Port, fresh
from rbo_ref.oracle.catalogue import catalogue, in_dialect, right_port
from rbo_ref.oracle.comparing import Verdict
from rbo_ref.oracle.dialects import DIALECTS, READINGS, ROLLING_BALL
from rbo_ref.oracle.excuses import held_to_rounding, nature_of
from rbo_ref.oracle.judge import LEVELS, Run, judge, replay, wrong_part
from rbo_ref.oracle.mistakes import MISTAKES, RightPort
from rbo_ref.oracle.playing import Taken, call, play
from rbo_ref.oracle.report import Diagnosis, Result
from rbo_ref.oracle.reproduction import Reproduction, spread
from rbo_ref.oracle.rounding import BFLOAT16_ROUNDED_ONCE, Format, coarse, error_of, format_of
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.truth import Truth

__all__ = ["diagnose"]

FEWEST = 5  # wrong steps of a coarse format, in which a few agree with a suspect by chance
SLACK = 20.0  # a mistake may amplify rounding more than the right step does
SMALL = 1e-2  # of the move: larger errors are no noise
ROOM = 4.0  # unit roundoffs of a guess that has to allow the errors it is made from
LIKE = 2.0  # bits by which the noise of a precision may differ from that of the catalogue's port
LEAST = 2.0**-3  # of the unit roundoff of a format: typical errors that are smaller, as shares of the move, are not its
JUMP = "at neighbouring places the errors jump as rounding does"
LOWER = ("float32", "tf32", "float16", "bfloat16")
Judged = list[tuple[Result, Run]]


@dataclass(frozen=True)
class _Known:
    """A step of the port that can be judged."""

    answer: NDArray[Any]
    verdict: Verdict
    is_alone: bool

    @property
    def wrongness(self) -> float:
        """The worst error in tolerances."""
        error, tolerance = self.verdict.worst
        return error / tolerance if error else 0.0

    @property
    def is_wrong(self) -> bool:
        return self.wrongness > 1

    @property
    def error(self) -> float:
        return float(self.verdict.errors.max())

    def apart(self, answer: NDArray[Any] | None) -> float:
        """How far from another answer to the same question, in tolerances; NaN agrees with NaN."""
        if answer is None:
            return numpy.inf
        with numpy.errstate(all="ignore"):
            apart = numpy.abs(answer.astype(float) - self.answer.astype(float)) / self.verdict.tolerances
        same = (answer == self.answer) | (numpy.isnan(answer) & numpy.isnan(self.answer))
        return float(numpy.nan_to_num(numpy.where(same, 0.0, apart), nan=numpy.inf).max())

    def slack(self, setting: Setting) -> float:
        """How far a suspect may be, in tolerances: much nearer than the truth, where the port is wrong.

        A mistake may amplify rounding more than the right step does. A coarse format cannot afford much of that.
        """
        if setting.coarsest.precision > 20:
            return min(SLACK, self.wrongness / 4) if self.is_wrong else SLACK
        if not self.is_alone:
            return max(1.0, self.wrongness / 4)
        return self.wrongness / 8 if self.is_wrong else 1.0


Record = tuple[Run, list[_Known | None]]


@numpy.errstate(over="ignore")  # a port may be anywhere
def diagnose(judged: Judged, setting: Setting, port: Port | None = None) -> Diagnosis | None:
    """The mistake, or the other reading of the paper, that explains the failures; None if none does.

    A lower precision is named only if the port can be asked again.
    """
    failures = [result for result, _ in judged if result.verdict == "fail"]
    if failures and all(result.level in ("primitives", "projection") for result in failures):
        return _intermediate(judged, setting)
    records: list[Record] = [(run, _known(run)) for run in _telling(judged)]
    if not records:
        return None
    optimizer = records[0][0].case.optimizer
    found: list[tuple[Reproduction, str, str]] = []
    fewest = 1 if setting.coarsest.precision > 20 or optimizer != ROLLING_BALL else FEWEST
    for name, description, make in _suspects(optimizer, setting.dialect):
        reproduction = _reproduction(make, records, setting)
        if reproduction.is_evidence and reproduction.hits[True] >= fewest:
            found.append((reproduction, name, description))
    if not found and port is not None:
        return _mixed(port, judged, records, setting) or _precision(port, judged, records, setting)
    if not found:
        return None
    best, name, description = max(found, key=lambda f: (f[0].fit, -f[0].worst))
    twins = [other for reproduction, other, _ in found if reproduction.fit == best.fit and other != name]
    evidence = f"it reproduces {best.counts('step')}, to within {best.worst:.2g} tolerances of rounding"
    return Diagnosis(name, description, evidence + (f"; so does {', '.join(twins)}" if twins else ""))


def _telling(judged: Judged) -> list[Run]:
    """The runs to explain: wrong ones, and right ones that a wrong explanation would fail."""
    badness: dict[int, float] = {}
    runs: dict[int, Run] = {}
    for result, run in judged:
        if result.level != "primitives" and run.verdicts and all(step.answer is not None for step in run.taken):
            worst = (result.ratio or numpy.inf) if result.verdict == "fail" else 0.0
            badness[id(run)] = max(worst, badness.get(id(run), 0.0))
            if result.verdict in ("pass", "fail"):
                runs[id(run)] = run
    if any(not run.taken[0].is_alone for run in runs.values()):  # the longest of each case
        kept = {run.case.id: i for i, run in runs.items()}
        runs = {i: runs[i] for i in kept.values()}

    def family(run: Run) -> tuple[str, bool]:
        return run.case.id.partition("-")[0], run.level == "walk"

    wrong, right = ([run for i, run in runs.items() if bool(badness[i]) == kind] for kind in (True, False))
    return [run for some in (wrong, right) for run in spread(some, family, lambda run: badness[id(run)])]


def _suspects(optimizer: str, dialect: str) -> Iterator[tuple[str, str, Callable[[], Port]]]:
    """Name, description and maker of everything a port may be: the other dialects first, then the catalogue."""
    for name in READINGS[optimizer]:
        if name != dialect:
            told = f"another reading of the paper: {DIALECTS[name].description}" if name in DIALECTS else ""
            suspect = in_dialect(right_port(optimizer), name)
            yield f"dialect-{name}", told or "another reading of the algorithm", suspect
    for cls in catalogue(optimizer).values():
        yield cls.name, cls.description, in_dialect(cls, dialect)


def _reproduction(make: Callable[[], Port], records: list[Record], setting: Setting) -> Reproduction:
    """How many of the steps of the runs a suspect takes as the port did."""
    judged = [port for _, known in records for port in known if port is not None]
    wrong, found = sum(port.is_wrong for port in judged), Reproduction()
    for run, known in records:
        for answer, port in zip(_answers(make, run, setting), known, strict=True):
            if port is not None:
                found.add(port.is_wrong, port.apart(answer), port.slack(setting))
        if found.is_hopeless(wrong, len(judged) - wrong):
            break
    return found


def _answers(make: Callable[[], Port], run: Run, setting: Setting) -> Iterator[NDArray[Any] | None]:
    """Where a suspect takes the steps of a run: in the dtype of the port, but not in less than float32."""
    suspect = make()
    if not isinstance(suspect, RightPort):
        ours = replace(setting.aside, time_limit=numpy.inf)  # what suspects evaluate is not the port's
        iterates = play(suspect, run.case, 1 if run.level == "step" else run.case.walk, ours).iterates
        yield from (iterates if iterates else [None] * len(run.verdicts))[: len(run.verdicts)]
        return
    dtype = numpy.promote_types(setting.inside.dtype, numpy.float32)
    for taken in run.taken[: len(run.verdicts)]:
        stepper = suspect if run.level == "walk" else fresh(suspect)
        yield call(stepper, run.case.loss, taken.theta.astype(dtype), taken.hyper, numpy.inf).theta


def _known(run: Run) -> list[_Known | None]:
    """What is known about each step, or None where the case decides nothing."""
    return [
        _Known(taken.answer, verdict, taken.is_alone) if taken.answer is not None and _tells(taken, verdict) else None
        for taken, verdict in zip(run.taken, run.verdicts, strict=False)
    ]


def _tells(taken: Taken, verdict: Verdict) -> bool:
    return verdict.decidable or (not taken.is_alone and bool(numpy.isfinite(verdict.tolerances).all()))


def _intermediate(judged: Judged, setting: Setting) -> Diagnosis | None:
    """Which of the quantities that are handed out is wrong, where the steps are right."""
    told = [(r, run) for r, run in judged if r.level == "primitives" and r.verdict in ("pass", "fail")]
    wrong = Counter(name for r, run in told if r.verdict == "fail" for name in [_wrong_part(run, setting)] if name)
    steps = sum(r.verdict == "pass" for r, _ in judged if r.level in LEVELS[3:])
    if not wrong or not steps:
        return None
    name, count = wrong.most_common(1)[0]
    evidence = (
        f"the {name} is the first that is wrong in {count} of {len(told)} cases; no step is wrong, {steps} are right"
    )
    return Diagnosis(f"{name}_handed_out", f"The steps are right, but the {name} that is handed out is wrong", evidence)


def _wrong_part(run: Run, setting: Setting) -> str | None:
    """The first intermediate quantity of a step that is wrong."""
    return wrong_part(run.outcome, Truth(run.case, setting).step(run.taken[0].theta), setting)


# --- precision ------------------------------------------------------------------------------------------------------


def _mixed(port: Port, judged: Judged, records: list[Record], setting: Setting) -> Diagnosis | None:
    """Whether Muon's orthogonalization in bfloat16 explains everything."""
    runs = _wrong(records)
    if not runs or runs[0].case.optimizer != "muon" or setting.inner is not None:
        return None
    if not all(any(v.errors.max() >= 2.0**-12 * v.move for v in run.verdicts if v.is_wrong) for run in runs):
        return None  # some run is too right for that
    declared = replace(setting.aside, inner=BFLOAT16_ROUNDED_ONCE)
    if not nature_of(port, runs, declared).is_rounding:
        return None
    right = _right_in(declared, port, judged)
    evidence = f"{JUMP}; declared, {right} results are right and none is wrong; inner_dtype='bfloat16' declares it"
    return Diagnosis("bfloat16_inside", "The matrix is orthogonalized in bfloat16", evidence) if right else None


def _precision(port: Port, judged: Judged, records: list[Record], setting: Setting) -> Diagnosis | None:
    """Errors that jump like rounding, are as large as those of a format, and are right in it in every case."""
    calls = [known for _, several in records for known in several if known is not None]
    level = max((known.wrongness for known in calls), default=0.0) * setting.inside.unit
    every = [known for r, run in judged if r.verdict == "fail" for known in _known(run) if known is not None]
    small = all(known.error <= SMALL * known.verdict.move for known in every if known.is_wrong)
    is_ball = records[0][0].case.optimizer == ROLLING_BALL
    if not (setting.inside.unit < level < 1 if is_ball else small and calls):
        return None  # a mistake of the mathematics, not of the precision
    named = (_named_of_ball if is_ball else _named)(records, every, setting)
    guess = named or coarse(min(ROOM * level, 0.25), setting.target)
    if not nature_of(port, _wrong(records), replace(setting.aside, compute=guess)).is_rounding:
        return None
    evidence = (
        f"the largest error is as if the unit roundoff were {level:.1e} instead of {setting.inside.unit:.1e}; {JUMP}"
    )
    if named and (right := _right_in(replace(setting.aside, compute=named), port, judged)):
        evidence += f"; they are as large as those of a right port with {named.name} inside, and declared, {right} "
        evidence += f"results are right and none is wrong; compute_dtype={named.name!r} declares it"
        known = catalogue(records[0][0].case.optimizer)[f"{named.name}_inside"]
        return Diagnosis(known.name, known.description, evidence)
    if small:
        description = "Something is computed in a lower precision inside"
        description = MISTAKES["low_precision"].description if is_ball else description
        return Diagnosis("low_precision", description, f"all errors are small; {evidence}")
    return None


def _wrong(records: list[Record]) -> list[Run]:
    return [run for run, several in records if any(known is not None and known.is_wrong for known in several)]


def _named(records: list[Record], every: list[_Known], setting: Setting) -> Format | None:
    """float32, if the errors are allowed in it, and typically as large as its rounding of the move."""
    lower, wrong = format_of("float32"), [known.verdict for known in every if known.is_wrong]
    if setting.inside.precision <= lower.precision or not wrong:
        return None
    if numpy.median([v.errors.max() / v.move for v in wrong]) < LEAST * lower.unit:
        return None
    declared = replace(setting.aside, compute=lower)
    return None if any(v.is_wrong for run, _ in records for v in replay(run, declared)) else lower


def _named_of_ball(records: list[Record], every: list[_Known], setting: Setting) -> Format | None:
    """The format with which the catalogue's port errs about as much."""
    lower = [format_of(name) for name in LOWER if format_of(name).precision < setting.inside.precision]
    alike = [
        (abs(_bits_more(target, records, setting)), target) for target in lower if _allows(target, records, setting)
    ]
    bits, target = min(alike, key=lambda pair: pair[0], default=(numpy.inf, setting.inside))
    return target if bits <= LIKE else None


def _right_in(declared: Setting, port: Port, judged: Judged) -> int:
    """How many results are right as a port declares, provided that none is wrong and its errors are rounding."""
    levels = tuple(dict.fromkeys(result.level for result, _ in judged))
    again: Judged = []
    for case in dict.fromkeys(run.case for _, run in judged):
        again += judge(port, case, declared, levels)
        if any(result.verdict == "fail" for result, _ in again):
            return 0
    verdicts = [result.verdict for result, _ in held_to_rounding(port, again, declared)]
    return 0 if "fail" in verdicts else verdicts.count("pass")


def _allows(inside: Format, records: list[Record], setting: Setting) -> bool:
    """Whether the port would be right, and something decided, if it declared to compute in this format."""
    decided = False
    for run, several in records:
        for verdict, known in zip(replay(run, replace(setting.aside, compute=inside)), several, strict=False):
            if known is not None and (verdict.errors > verdict.tolerances).any():
                return False
            decided = decided or (known is not None and verdict.decidable)
    return decided


def _bits_more(inside: Format, records: list[Record], setting: Setting) -> float:
    """How much larger the errors of the port are than those of the catalogue's port of this precision, in bits."""
    make = in_dialect(MISTAKES[f"{inside.name}_inside"], setting.dialect)
    more = []
    for run, known in records:
        truth = Truth(run.case, setting.undeclared)
        for taken, answer, port in zip(run.taken, _answers(make, run, setting), known, strict=False):
            step = truth.step(taken.theta, taken.kept)
            if port is None or answer is None:
                continue
            usual = float(error_of(answer, step.theta.value).max())
            if usual and port.error:
                more.append(numpy.log2(port.error / usual))
    return float(numpy.mean(more)) if more else numpy.inf
