"""Which known mistake reproduces the runs of a port?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy

from rbo_ref.oracle.calls import Port
from rbo_ref.oracle.optimizers.cases import DIALECTS
from rbo_ref.oracle.optimizers.judge import Run, Setting, Verdict, play, replay
from rbo_ref.oracle.optimizers.mistakes import MISTAKES, RIGHT_PORTS
from rbo_ref.oracle.report import Diagnosis, Result
from rbo_ref.oracle.rounding import Format

__all__ = ["BFLOAT16", "diagnose"]

BFLOAT16 = Format(numpy.dtype(numpy.float32), 8, -133, 128, 2.0**-9)  # half of its unit: results are rounded once
SLACK = 20.0  # a mistake may amplify rounding more than the right step does
RUNS = 6  # of either verdict, that a mistake has to reproduce
NEEDED = 0.9  # share of the steps that a mistake has to reproduce
Judged = list[tuple[Result, Run]]
Reproduction = tuple[int, int, float]  # steps reproduced, steps in all, worst error in tolerances among the reproduced


def diagnose(judged: Judged, setting: Setting) -> Diagnosis | None:
    """The mistake, or the other reading, that explains the failures; None if none does."""
    runs = _telling(judged)
    if not runs:
        return None
    optimizer = runs[0].case.optimizer
    found = []
    for name, description, suspect in _suspects(optimizer, setting):
        hit, total, worst = _reproduction(suspect, runs, setting)
        if total and hit >= NEEDED * total:
            found.append((hit / total, -worst, name, description, f"{hit} of {total}"))
    if not found:
        return _mixed(runs, setting) or _precision(runs, setting, optimizer)
    share, worst, name, description, count = max(found)
    twins = [other for other_share, _, other, *_ in found if other_share == share and other != name]
    evidence = f"it reproduces {count} of the port's steps, to within {-worst:.2g} tolerances of rounding"
    return Diagnosis(name, description, evidence + (f"; so does {', '.join(twins)}" if twins else ""))


def _telling(judged: Judged) -> list[Run]:
    """The runs to explain, the longest of a case: failed ones, then passed ones that a wrong explanation would fail."""
    chosen: dict[str, list[Run]] = {"fail": [], "pass": []}
    longest = {run.case.id: (result, run) for result, run in judged if run.verdicts}
    for result, run in longest.values():
        if result.verdict in chosen and len(chosen[result.verdict]) < RUNS:
            chosen[result.verdict].append(run)
    return chosen["fail"] and chosen["fail"] + chosen["pass"]


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
    total = sum(bool(numpy.isfinite(verdict.tolerances).all()) for run in runs for verdict in run.verdicts)
    missed, worst = 0, 0.0
    ours = replace(setting, hangs=0, time_limit=numpy.inf)  # what suspects evaluate is not the port's
    for run in runs:
        twin = play(make(), run.case, run.length, ours)
        for t, verdict in enumerate(run.verdicts):
            if not numpy.isfinite(verdict.tolerances).all():
                continue
            ratio = _distance(run.outcome.iterates[t], twin.iterates[t] if twin.iterates else None, verdict.tolerances)
            slack = _slack(verdict, setting)
            missed, worst = missed + (ratio > slack), max(worst, ratio) if ratio <= slack else worst
        if total - missed < NEEDED * total:
            break  # this is not it
    return total - missed, total, worst


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


def _mixed(runs: list[Run], setting: Setting) -> Diagnosis | None:
    """Whether Muon's orthogonalization in bfloat16 explains everything."""
    if runs[0].case.optimizer != "muon" or setting.inner is not None:
        return None
    errors = [v.errors.max() / v.move for run in runs for v in run.verdicts if v.decidable and v.move]
    if max(errors, default=0.0) < 2.0**-12:
        return None  # too right for that
    decided = 0
    for run in runs:
        for verdict, _ in replay(run.case, run.outcome.iterates, replace(setting, inner=BFLOAT16)):
            decided += verdict.decidable
            if verdict.decidable and verdict.ratio > 1:
                return None
    if not decided:
        return None
    evidence = f"the {decided} steps that can be judged then are right; inner_dtype='bfloat16' declares it"
    return Diagnosis("bfloat16_inside", "The matrix is orthogonalized in bfloat16", evidence)


def _precision(runs: list[Run], setting: Setting, optimizer: str) -> Diagnosis | None:
    """Errors that are small everywhere are noise of a lower precision."""
    effective = []
    for run in runs:
        for verdict in run.verdicts:
            if not verdict.decidable or not numpy.isfinite(verdict.errors).all():
                continue
            if verdict.errors.max() > 1e-2 * verdict.move:
                return None  # a mistake of the mathematics, not of the precision
            effective.append(verdict.ratio * setting.inside.unit)
    level = max(effective, default=0.0)
    if level <= setting.inside.unit:
        return None
    evidence = f"all {len(effective)} errors are small, the largest as if the unit roundoff were {level:.1e}"
    if setting.inside.unit < 2.0**-30 and 2.0**-34 < level <= 2.0**-14:
        return Diagnosis("float32_inside", MISTAKES[optimizer]["float32_inside"].description, evidence)
    return Diagnosis("low_precision", "Something is computed in a lower precision inside", evidence)
