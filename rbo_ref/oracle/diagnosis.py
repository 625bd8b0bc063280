"""Which known mistake reproduces a port's output?"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy

from geometry.arithmetic.formats import BFLOAT16_ROUNDED_ONCE, Format, coarse, deviation_of, format_of
from rbo_ref.oracle.calls import Port, ServedLoss
from rbo_ref.oracle.cases import Case
from rbo_ref.oracle.catalogue import MISTAKES, suspects_of
from rbo_ref.oracle.comparing import Verdict
from rbo_ref.oracle.excuses import held_to_rounding, nature_of
from rbo_ref.oracle.formulas import LOOPS, Formula, formula_of
from rbo_ref.oracle.formulas.machines import inside, over, within
from rbo_ref.oracle.judge import LEVELS, Run, judge, replay, wrong_part
from rbo_ref.oracle.mistakes.mistake import PRECISIONS
from rbo_ref.oracle.report import Diagnosis, Result
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.suspects.courses import Make, floating
from rbo_ref.oracle.suspects.edits import by_edits
from rbo_ref.oracle.suspects.explain import Explanation, by_known
from rbo_ref.oracle.suspects.facts import facts
from rbo_ref.oracle.suspects.played import Played, Step, examples
from rbo_ref.oracle.tolerance import DECIDABLE
from rbo_ref.oracle.truth import Truth

__all__ = ["diagnose", "observed"]

ROOM = 4.0  # of the unit roundoff that would just allow the worst error: what is not linear in it needs some more

LOWER = ("float32", "tf32", "float16", "bfloat16")

# Of two independent errors of normal distribution the larger one is 1.65 bits larger on average, and less where each is
# the largest of several entries; the units of two formats are equal, or 3 bits apart or more.
LIKE = 3.0  # bits by which the noise of a precision may differ from that of a right port in it, on average

# A number that is rounded once is off by 0.35 units on average: a port whose errors are typically below a third of that
# rounds nothing of the size of its move to the format.
LEAST = 2.0**-3  # of the unit roundoff of a format, as a share of the move
PRECISE = {f"{name}_inside" for name in LOWER}  # of which it is tried whether a declaration helps
NOISE = MISTAKES["low_precision"].description
JUMP = "at neighbouring places the errors jump as rounding does"
Judged = list[tuple[Result, Run]]


Record = tuple[Run, Played]


@numpy.errstate(all="ignore")  # a port may be anywhere
def diagnose(judged: Judged, setting: Setting, port: Port | None = None) -> Diagnosis | None:
    """The mistake, or the other reading of the paper, that explains the failures; None if none does.

    A lower precision is named only if the port can be asked again.
    """
    failures = [result for result, _ in judged if result.verdict == "fail"]
    if failures and all(result.level in ("primitives", "projection") for result in failures):
        return _intermediate(judged, setting)
    records: list[Record] = [(run, _played(run, setting)) for run in _telling(judged)]
    runs = [played for _, played in records]
    if not any(played.is_wrong for played in runs):
        return None
    optimizer, dialect = records[0][0].case.optimizer, setting.dialect
    known = _named(by_known(suspects_of(optimizer, dialect), runs, setting.formats))
    if known and known.name not in PRECISE:
        return known
    chosen = {id(played) for played in examples(runs)}
    told = [(run, played) for run, played in records if id(played) in chosen]
    noise = port and (_mixed(port, judged, told, setting) or _precision(port, judged, records, setting))
    return noise or known or _named(by_edits(formula_of(optimizer, dialect), runs, setting.formats))


@numpy.errstate(over="ignore")
def observed(judged: Judged, setting: Setting) -> list[str]:
    """What is known of failures that nothing explains: where a port differs first, and what its errors are like."""
    runs = _telling(judged)
    wrong = [run for run in runs if run.wrong is not None and run.level == "step"]
    parts = Counter(part for run in wrong if (part := _wrong_part(run, setting)))
    told = [f"the {part} handed out is the first that differs in {n} failing steps" for part, n in parts.items()]
    places = Counter(place for run in wrong if run.case.optimizer in LOOPS and (place := _first_place(run, setting)))
    told += [f"{place} in {count} of {places.total()} failing steps" for place, count in places.most_common(1)]
    return told + facts([_played(run, setting) for run in runs])


def _first_place(run: Run, setting: Setting) -> str | None:
    """The first inner iterate of a step that the port did not go through: it asked for the loss elsewhere."""
    taken = run.taken[0]
    step = Truth(run.case, setting).step(taken.theta, taken.kept)
    for k, place in enumerate(step.inner[:-1]):
        gaps = [deviation_of(query, place) for query in taken.outcome.queries]
        if not any((abs(gap) <= step.tolerance.reshape(-1)).all() for gap in gaps):
            return f"θ^({k}) of the inner loop is the first place that differs"
    return "the loss is asked in the right places, and what differs comes after them," if step.inner[1:] else None


def _named(found: Explanation | None) -> Diagnosis | None:
    return found and Diagnosis(found.suspect.name, found.suspect.description, found.evidence)


def _telling(judged: Judged) -> list[Run]:
    """The runs to explain; of ports that take many steps at once, the longest of each case."""
    runs: dict[int, Run] = {}
    for result, run in judged:
        answered = run.verdicts and all(step.answer is not None for step in run.taken)
        if result.level != "primitives" and answered and result.verdict in ("pass", "fail"):
            runs[id(run)] = run
    if any(not run.taken[0].is_alone for run in runs.values()):
        runs = {i: runs[i] for i in {run.case.id: i for i, run in runs.items()}.values()}
    return list(runs.values())


def _played(run: Run, setting: Setting) -> Played:
    """A run as suspects are asked about it."""
    truth, case = Truth(run.case, setting), run.case
    steps = [_step(case, t, taken.theta, taken.answer) for t, taken in enumerate(run.taken)]
    for t, (taken, verdict) in enumerate(zip(run.taken, run.verdicts, strict=False)):
        known = verdict.decidable or (not taken.is_alone and bool(numpy.isfinite(verdict.tolerances).all()))
        steps[t] = steps[t]._replace(
            truth=truth.step(taken.theta, taken.kept).theta.middle,
            tolerance=verdict.tolerances if known else steps[t].tolerance,
            wrong=verdict.is_wrong,
            kept=taken.kept,
        )
    for t in range(len(steps), len(run.outcome.iterates)):  # which nobody judged
        steps.append(_step(case, t, steps[-1].answer, run.outcome.iterates[t]))
    badness = float(numpy.nanmax([0.0, *(verdict.ratio for verdict in run.verdicts)]))
    return Played(case.id, case.loss, steps, run.taken[0].is_alone and run.level != "walk", badness)


def _step(case: Case, t: int, theta: Any, answer: Any) -> Step:
    """A step of which nothing is known."""
    unknown = numpy.full(case.theta.shape, numpy.inf)
    draw = None if case.draws is None else case.draws[t]
    return Step(theta, case.hyper(t), draw, answer, unknown, unknown, wrong=False)


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
    if not runs or runs[0].case.optimizer != "muon" or setting.formats.inner is not None:
        return None
    if not all(any(v.errors.max() >= 2.0**-12 * v.move for v in run.verdicts if v.is_wrong) for run in runs):
        return None  # some run is too right for that
    if not _is_orthogonalized_in_bfloat16(records, setting):
        return None
    declared = setting.declaring(inner=BFLOAT16_ROUNDED_ONCE)
    if not nature_of(port, runs, declared).is_rounding:
        return None
    right = _right_in(declared, port, judged)
    evidence = f"{JUMP}; declared, {right} results are right and none is wrong; inner_dtype='bfloat16' declares it"
    return Diagnosis("bfloat16_inside", "The matrix is orthogonalized in bfloat16", evidence) if right else None


def _is_orthogonalized_in_bfloat16(records: list[Record], setting: Setting) -> bool:
    """Whether a right port that does that errs more alike than one that computes in another format."""
    alike = _bits_of(within(_formula(records, setting), inside("bfloat16")[0]), records, setting)
    return all(alike < _bits_apart(format_of(name), records, setting) for name in LOWER if name != "bfloat16")


def _precision(port: Port, judged: Judged, records: list[Record], setting: Setting) -> Diagnosis | None:
    """Errors that jump like rounding, are as large as those of a format, and are right in it in every case."""
    worst = [verdict.worst for run, _ in records for verdict in run.verdicts if _decides(verdict)]
    unit = setting.formats.inside.unit
    level = max((error / tolerance for error, tolerance in worst if 0 < error < numpy.inf), default=0.0) * unit
    wrong = [v for r, run in judged if r.verdict == "fail" for v in run.verdicts if v.is_wrong]
    small = bool(wrong) and all(v.errors.max() <= DECIDABLE * v.move for v in wrong)  # larger ones are no noise
    named = _format_of(records, wrong, setting)
    if not (named or small or unit < level < 1):
        return None  # a mistake of the mathematics, not of the precision
    guess = named or coarse(min(ROOM * level, 0.25), setting.target)
    if not nature_of(port, _wrong(records), setting.declaring(compute=guess)).is_rounding:
        return None
    evidence = f"the largest error is as if the unit roundoff were {level:.1e} instead of {unit:.1e}; {JUMP}"
    if named and (right := _right_in(setting.declaring(compute=named), port, judged)):
        evidence += f"; they are as large as those of a right port with {named.name} inside, and declared, {right} "
        evidence += f"results are right and none is wrong; compute_dtype={named.name!r} declares it"
        return Diagnosis(f"{named.name}_inside", PRECISIONS[named.name], evidence)
    if small:
        return Diagnosis("low_precision", NOISE, f"all errors are small; {evidence}")
    return None


def _decides(verdict: Verdict) -> bool:
    return verdict.decidable or verdict.is_wrong


def _wrong(records: list[Record]) -> list[Run]:
    return [run for run, played in records if played.is_wrong]


def _format_of(records: list[Record], wrong: list[Verdict], setting: Setting) -> Format | None:
    """The format that allows the errors, and in which a right port errs about as much.

    In float32 a few numbers alone may be held: then it is that, if the errors are as large as its rounding of the move.
    """
    lower = [format_of(name) for name in LOWER if format_of(name).precision < setting.formats.inside.precision]
    alike = {target: _bits_apart(target, records, setting) for target in lower if _allows(target, records, setting)}
    nearest, single = min(alike, key=alike.__getitem__, default=None), format_of("float32")
    if nearest and alike[nearest] <= LIKE:
        return nearest
    typical = numpy.median([v.errors.max() / v.move for v in wrong])
    return single if single in alike and typical >= LEAST * single.unit else None


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
    for run, played in sorted(records, key=lambda record: -record[1].badness):  # which forbids it soonest
        for verdict, step in zip(replay(run, setting.declaring(compute=inside)), played.steps, strict=False):
            if step.is_known and (verdict.errors > verdict.tolerances).any():
                return False
            decided = decided or (step.is_known and verdict.decidable)
    return decided


def _bits_apart(target: Format, records: list[Record], setting: Setting) -> float:
    """By how many bits the errors of a step differ from those of the right formula in a format, on average.

    Those of two ports of one precision are alike in every step; others may be so on average.
    """
    cls = _formula(records, setting)
    return min(_bits_of(over(cls, kind), records, setting) for kind in inside(target.name))


def _formula(records: list[Record], setting: Setting) -> type[Formula]:
    return formula_of(records[0][0].case.optimizer, setting.dialect)


def _bits_of(make: Make, records: list[Record], setting: Setting) -> float:
    """By how many bits the errors of a step differ from those of another port, on average."""
    bits, dtype = [], numpy.promote_types(setting.formats.inside.dtype, numpy.float32)
    for run, played in records:
        loss = ServedLoss(run.case.loss, numpy, run.case.theta.shape)
        for step, answer in zip(played.steps, floating(make, played, loss, dtype), strict=False):
            usual, error = (_error(x, step) for x in (answer, step.answer))
            if step.is_known and usual and error and (usual < numpy.inf or error < numpy.inf):
                bits.append(abs(numpy.log2(error / usual)))
    return float(numpy.mean(bits)) if bits else numpy.inf


def _error(answer: Any, step: Step) -> float:
    """How far an answer is off; without bound where it is out of range."""
    return float(numpy.nan_to_num(numpy.abs(answer.astype(float) - step.truth).max(), nan=numpy.inf, posinf=numpy.inf))
