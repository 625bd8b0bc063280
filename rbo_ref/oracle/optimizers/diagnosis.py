"""Which known mistake reproduces the runs of a port?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy

from rbo_ref.oracle.calls import Port
from rbo_ref.oracle.optimizers.cases import DIALECTS
from rbo_ref.oracle.optimizers.excuses import held_to_rounding, nature_of
from rbo_ref.oracle.optimizers.judge import Run, Setting, Verdict, judge, play, replay
from rbo_ref.oracle.optimizers.mistakes import MISTAKES, RIGHT_PORTS
from rbo_ref.oracle.report import Diagnosis, Result
from rbo_ref.oracle.reproduction import Reproduction, spread
from rbo_ref.oracle.rounding import Format, coarse, format_of

__all__ = ["BFLOAT16", "diagnose"]

BFLOAT16 = Format(numpy.dtype(numpy.float32), 8, -133, 128, 2.0**-9)  # half of its unit: results are rounded once
SLACK = 20.0  # a mistake may amplify rounding more than the right step does
LEAST = 2.0**-3  # of the unit roundoff of a format: typical errors that are smaller, as shares of the move, are not its
ROOM = 4.0  # unit roundoffs of a guess that has to allow the errors it is made from
JUMP = "at neighbouring places the errors jump as rounding does"
SMALL = 1e-2  # of the move: larger errors are no noise
Judged = list[tuple[Result, Run]]


def diagnose(judged: Judged, setting: Setting, port: Port | None = None) -> Diagnosis | None:
    """The mistake, or the other reading, that explains the failures; None if none does.

    A lower precision is named only if the port can be asked again.
    """
    runs = _telling(judged)
    if not runs:
        return None
    found = []
    for name, description, suspect in _suspects(runs[0].case.optimizer, setting):
        reproduction = _reproduction(suspect, runs, setting)
        if reproduction.is_evidence:
            found.append((reproduction, name, description))
    if not found and port is not None:
        return _mixed(port, judged, runs, setting) or _precision(port, judged, runs, setting)
    if not found:
        return None
    best, name, description = max(found, key=lambda f: (f[0].fit, -f[0].worst))
    twins = [other for reproduction, other, _ in found if reproduction.fit == best.fit and other != name]
    evidence = f"it reproduces {best.counts('step')}, to within {best.worst:.2g} tolerances of rounding"
    return Diagnosis(name, description, evidence + (f"; so does {', '.join(twins)}" if twins else ""))


def _telling(judged: Judged) -> list[Run]:
    """The runs to explain, the longest of a case: wrong ones, and right ones that a wrong explanation would fail."""
    longest = {run.case.id: (result, run) for result, run in judged if run.verdicts}

    def chosen(verdict: str) -> list[Run]:
        some = [pair for pair in longest.values() if pair[0].verdict == verdict]
        examples = spread(some, lambda pair: pair[1].case.id.partition("-")[0], lambda pair: pair[0].ratio or 0.0)
        return [run for _, run in examples]

    wrong = chosen("fail")
    return wrong and wrong + chosen("pass")


def _suspects(optimizer: str, setting: Setting) -> Iterator[tuple[str, str, Callable[[], Port]]]:
    """Name, description and maker of everything a port may be: other dialects first, then the catalogue."""
    for name in DIALECTS[optimizer]:
        if name != setting.dialect:
            yield f"dialect-{name}", "another reading of the algorithm", _in_dialect(RIGHT_PORTS[optimizer], name)
    for cls in MISTAKES[optimizer].values():
        yield cls.name, cls.description, _in_dialect(cls, setting.dialect)


def _in_dialect(cls: Callable[..., Port], dialect: str) -> Callable[[], Port]:
    return lambda: cls(dialect)


def _reproduction(make: Callable[[], Port], runs: list[Run], setting: Setting) -> Reproduction:
    """How many of the steps of the runs a suspect takes as the port did."""
    known = [verdict for run in runs for verdict in run.verdicts if numpy.isfinite(verdict.tolerances).all()]
    wrong, found = sum(map(_is_wrong, known)), Reproduction()
    ours = replace(setting.aside, time_limit=numpy.inf)  # what suspects evaluate is not the port's
    for run in runs:
        twin = play(make(), run.case, run.length, ours)
        for t, verdict in enumerate(run.verdicts):
            if numpy.isfinite(verdict.tolerances).all():
                suspect = twin.iterates[t] if twin.iterates else None
                distance = _distance(run.outcome.iterates[t], suspect, verdict.tolerances)
                found.add(_is_wrong(verdict), distance, _slack(verdict, setting))
        if found.is_hopeless(wrong, len(known) - wrong):
            break
    return found


def _is_wrong(verdict: Verdict) -> bool:
    return verdict.decidable and verdict.ratio > 1


def _slack(verdict: Verdict, setting: Setting) -> float:
    """How far a suspect may be, in tolerances; in a coarse format it has to be much nearer than the truth."""
    if setting.coarsest.precision > 20:
        return SLACK
    error, tolerance = verdict.worst
    return max(1.0, error / tolerance / 4) if tolerance else SLACK


def _distance(port: numpy.ndarray, suspect: numpy.ndarray | None, tolerances: numpy.ndarray) -> float:
    """In tolerances; NaN agrees with NaN."""
    if suspect is None:
        return numpy.inf
    with numpy.errstate(all="ignore"):
        apart = numpy.abs(suspect.astype(float) - port.astype(float)) / tolerances
    same = (suspect == port) | (numpy.isnan(suspect) & numpy.isnan(port))
    return float(numpy.nan_to_num(numpy.where(same, 0.0, apart), nan=numpy.inf).max())


# --- precision ------------------------------------------------------------------------------------------------------


def _mixed(port: Port, judged: Judged, runs: list[Run], setting: Setting) -> Diagnosis | None:
    """Whether Muon's orthogonalization in bfloat16 explains everything."""
    if runs[0].case.optimizer != "muon" or setting.inner is not None:
        return None
    if not all(any(v.errors.max() >= 2.0**-12 * v.move for v in run.verdicts if _is_wrong(v)) for run in _wrong(runs)):
        return None  # some run is too right for that
    declared = replace(setting.aside, inner=BFLOAT16)
    if not nature_of(port, _wrong(runs), declared).is_rounding:
        return None
    right = _right_in(declared, port, judged)
    evidence = f"{JUMP}; declared, {right} results are right and none is wrong; inner_dtype='bfloat16' declares it"
    return Diagnosis("bfloat16_inside", "The matrix is orthogonalized in bfloat16", evidence) if right else None


def _precision(port: Port, judged: Judged, runs: list[Run], setting: Setting) -> Diagnosis | None:
    """Errors that jump like rounding and are small everywhere are noise of a lower precision."""
    wrong = [v for result, run in judged if result.verdict == "fail" for v in run.verdicts if _is_wrong(v)]
    if not wrong or not all(v.errors.max() <= SMALL * v.move for v in wrong):
        return None  # a mistake of the mathematics, not of the precision
    level = max(v.ratio for v in wrong) * setting.inside.unit
    single = replace(setting.aside, compute=format_of("float32"))
    alike = _is_alike(runs, wrong, single, setting)
    guess = single if alike else replace(setting.aside, compute=coarse(min(ROOM * level, 0.25), setting.target))
    if not nature_of(port, _wrong(runs), guess).is_rounding:
        return None
    evidence = f"all {len(wrong)} errors are small, the largest as if the unit roundoff were {level:.1e}; {JUMP}"
    if alike and (right := _right_in(single, port, judged)):
        evidence += f"; declared, {right} results are right and none is wrong; compute_dtype='float32' declares it"
        description = MISTAKES[runs[0].case.optimizer]["float32_inside"].description
        return Diagnosis("float32_inside", description, evidence)
    return Diagnosis("low_precision", "Something is computed in a lower precision inside", evidence)


def _is_alike(runs: list[Run], wrong: list[Verdict], lower: Setting, setting: Setting) -> bool:
    """Whether errors are allowed in a lower format, and typically as large as its rounding of the move."""
    if setting.inside.precision <= lower.inside.precision:
        return False
    if numpy.median([v.errors.max() / v.move for v in wrong]) < LEAST * lower.inside.unit:
        return False
    verdicts = (verdict for run in runs for verdict, _ in replay(run.case, run.outcome.iterates, lower))
    return not any(map(_is_wrong, verdicts))


def _wrong(runs: list[Run]) -> list[Run]:
    return [run for run in runs if any(map(_is_wrong, run.verdicts))]


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
