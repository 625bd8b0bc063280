"""The search for the edits that make a right port do what a wrong one did: in floats, from the simplest on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy

from rbo_ref.oracle.suspects.courses import floating, served
from rbo_ref.oracle.suspects.judgement import FAILURES, NEAR, likely
from rbo_ref.oracle.suspects.kinds import all_edits
from rbo_ref.oracle.suspects.played import Floats, Played, Step
from rbo_ref.oracle.suspects.survey import surveyed
from rbo_ref.oracle.suspects.text import Edit, Text, ported, text_of

__all__ = ["Changed", "Lines", "acts", "changes", "compatible", "different", "lines_of"]

ROUNDS = 12  # of the search for a constant
ALONG = 0.25  # share of the squares of an error that the first step towards a constant has to take away
CLOSE = 1e-13  # relative, of a constant that is found
PAIRS = 100_000  # that are tried, and no more,
FURTHER = 3_000  # or so many after one that explains a port
PLAIN = 5  # the highest rank of the edits that are paired
FAR = 1e4  # of a place: constants are hard to see from there
SAME = 1e-9  # relative: edits that differ by less in a run are one


class Changed(NamedTuple):
    """A right port with edits, and the constants that they have: values, and how uncertain they are."""

    edits: tuple[Edit, ...]
    constants: tuple[float, ...] = ()
    doubts: tuple[float, ...] = ()

    @property
    def rank(self) -> int:
        return sum(edit.rank for edit in self.edits) + 100 * (len(self.edits) - 1)


class Lines(NamedTuple):
    """The lines of a right port, and all their edits."""

    text: Text
    make: Callable[[], Any]
    edits: list[Edit]

    def port(self, changed: Changed) -> Any:
        """A port with edits."""
        port = ported(self.text, self.make, *changed)
        port.fresh = self.maker(changed)
        return port

    def maker(self, changed: Changed) -> Callable[[], Any]:
        return partial(self.port, changed)


def lines_of(cls: type[Any], make: Callable[[], Any], runs: Sequence[Played]) -> Lines:
    """The edits of a port class, which show in runs like these."""
    text, first = text_of(cls), _telling(runs)[0]  # type: ignore[arg-type]
    told = tuple((name, type(value)) for name, value in first.steps[0].hyper.items())
    return Lines(text, make, _edits(text, (first.steps[0].theta.shape, told), make, first))


_KNOWN: dict[Any, list[Edit]] = {}


def _edits(text: Text, kind: Any, make: Callable[[], Any], run: Played) -> list[Edit]:
    """The edits of a text, made once for places of a shape and hyper-parameters of some types."""
    if (text, kind) not in _KNOWN:
        _KNOWN[text, kind] = all_edits(text, surveyed(text, make, run))
    return _KNOWN[text, kind]


def _telling(runs: Sequence[Played]) -> list[Played]:
    """The wrong runs, those first that do not explode, that tell much, and cost little."""
    wrong = [run for run in runs if run.is_wrong]
    return sorted(wrong, key=lambda run: (_explodes(run), run.judged[0].theta.size < 2, _cost(run)))


def _explodes(run: Played) -> bool:
    places = [number for step in run.judged for number in (step.answer, step.truth)]
    return not all(numpy.abs(place.astype(float)).max() < FAR for place in places)


def _cost(run: Played) -> float:
    def steps(hyper: Any) -> int:
        return 2 + max((value for value in hyper.values() if type(value) is int), default=0)

    return sum(steps(step.hyper) for step in run.judged) * (4 + run.judged[0].theta.size)


def changes(lines: Lines, runs: Sequence[Played]) -> Iterator[Changed]:
    """Edits that go about where a port went, in all runs: single ones, those with a constant, and pairs."""
    ordered = [*_telling(runs), *(run for run in runs if not run.is_wrong)]
    plain = [Changed((edit,)) for edit in lines.edits if edit.start is None]
    found, methods = False, set[str]()
    for changed in plain:
        if likely(lines.maker(changed), ordered):
            found = True
            methods |= {edit.method for edit in changed.edits if edit.remembers}
            yield changed
    for edit in lines.edits:  # what remembers for two steps may remember in several ways
        if edit.start is not None and (not found or (edit.remembers and edit.method in methods)):
            for changed in _estimated(lines, edit, ordered):
                found = True
                yield changed
    if not found:
        yield from _pairs(lines, ordered)


# --- constants ------------------------------------------------------------------------------------------------------


def _estimated(lines: Lines, edit: Edit, runs: Sequence[Played]) -> Iterator[Changed]:
    """An edit with the constant that the port's answers tell."""
    first = runs[0]
    assert edit.start is not None
    for start in edit.grid or (edit.start + 0.01,):
        constant = _solved(lines, edit, first, start)
        if constant is None:
            continue
        constant, doubt = _sharpest(lines, edit, runs, constant)
        for value, uncertain in _readable(constant, doubt):
            changed = Changed((edit,), (value,), (uncertain,))
            if likely(lines.maker(changed), runs):
                yield changed
                return


def _from_truth(run: Played) -> Floats:
    """How far the right formula is from the port in the steps of a run, in tolerances."""
    known = [step for step in run.judged if step.is_known]
    off = [(step.truth - step.answer.astype(float)) / step.tolerance for step in known]
    return numpy.concatenate([numbers.reshape(-1) for numbers in off])


def _unlike(error: Floats, slope: Floats) -> bool:
    """Whether no constant takes away much of an error: they have not one direction."""
    one, other = (numbers / numpy.abs(numbers).max() for numbers in (error, slope))
    return bool((one @ other) ** 2 < ALONG * (one @ one) * (other @ other))


def _residuals(lines: Lines, edit: Edit, run: Played, constant: float) -> Floats | None:
    """How far an edit with a constant is from the port in the steps of a run, in tolerances."""
    with numpy.errstate(all="ignore"):
        try:
            answers = [*floating(lines.maker(Changed((edit,), (constant,))), run, served(run.loss))]
        except FAILURES:
            return None
    known = [(step, answer) for step, answer in zip(run.judged, answers, strict=False) if step.is_known]
    if not known:
        return None
    off = numpy.concatenate([(answer - step.answer.astype(float)).reshape(-1) for step, answer in known])
    allowed = numpy.concatenate([step.tolerance.reshape(-1) for step, _ in known])
    return off / allowed if numpy.isfinite(off).all() else None


@numpy.errstate(all="ignore")
def _solved(lines: Lines, edit: Edit, run: Played, start: float) -> float | None:
    """The constant with which an edit does what the port did in a run, by secants."""
    right = None if edit.start is None or edit.grid else _from_truth(run)
    old = start * 1.01 if right is None or edit.start is None else edit.start
    new = start
    last = _residuals(lines, edit, run, new)
    before = right if right is not None or last is None else _residuals(lines, edit, run, old)
    if last is None or before is None:
        return None
    here = last
    first = float(numpy.abs(before).max())
    for number in range(ROUNDS):
        slope = (here - before) / (new - old)
        if not (slope @ slope > 0) or not numpy.isfinite(slope @ slope):
            return None
        if number == 0 and _unlike(before, slope):
            return None
        old, new, before = new, float(new - slope @ here / (slope @ slope)), here
        if old == new or abs(new - old) <= CLOSE * abs(new):
            return new
        found = _residuals(lines, edit, run, new)
        if found is None:
            return None
        here = found
        far = float(numpy.abs(here).max())
        if far <= 1:
            return new
        if number >= 1 and far > 0.5 * first:
            return None
    return new


@numpy.errstate(all="ignore")
def _sharpest(lines: Lines, edit: Edit, runs: Sequence[Played], constant: float) -> tuple[float, float]:
    """The constant as the wrong run tells it that tells it best, and how uncertain it is."""
    best, doubt = constant, numpy.inf
    for run in runs:
        if not run.is_wrong:
            continue
        shift = 1e-6 * (abs(constant) or 1.0)
        here, there = (_residuals(lines, edit, run, constant + side * shift) for side in (0, 1))
        if here is None or there is None:
            continue
        slope = (there - here) / shift
        steepest, shift_to = float(numpy.abs(slope).max()), float(slope @ here / (slope @ slope))
        if 0 < steepest < numpy.inf and numpy.isfinite(shift_to) and 1 / steepest < doubt:
            best, doubt = constant - shift_to, 1 / steepest
    return best, doubt


def _readable(constant: float, doubt: float) -> Iterator[tuple[float, float]]:
    """Round numbers that the constant may be, and the constant as it is known."""
    if not numpy.isfinite(doubt):
        return
    near = 4 * doubt + 4 * numpy.finfo(float).eps * abs(constant)
    for digits in range(1, 5):
        for base, sign in ((0.0, 1.0), (1.0, 1.0), (1.0, -1.0)):
            value = base + sign * float(f"{sign * (constant - base):.{digits - 1}e}")
            if abs(value - constant) <= near:
                yield value, 0.0
                break
        else:
            continue
        break
    yield constant, 4 * doubt


# --- pairs ----------------------------------------------------------------------------------------------------------


def _pairs(lines: Lines, runs: Sequence[Played]) -> Iterator[Changed]:
    """Two plain edits at once, the simple ones first; not all, and few more once some explain what a port does."""
    if not PAIRS:
        return
    chosen, left = different(lines, runs), PAIRS
    for one, other in ((chosen[i], chosen[j]) for j in range(len(chosen)) for i in range(j)):
        if left and compatible(one, other):
            left -= 1
            changed = Changed((one, other))
            if likely(lines.maker(changed), runs):
                left = min(left, FURTHER)
                yield changed


def compatible(one: Edit, other: Edit) -> bool:
    """Whether neither stands within the other."""
    if one.method != other.method:
        return True
    length = min(len(one.path), len(other.path))
    return one.path[:length] != other.path[:length]


def different(lines: Lines, runs: Sequence[Played]) -> list[Edit]:
    """Plain edits, one of each effect in the first runs."""
    seen: set[tuple[Any, ...]] = set()
    chosen = []
    for edit in lines.edits:
        if edit.start is not None or edit.rank > PLAIN:
            continue
        effect = _effect(lines, (edit,), runs[:2])
        if effect is not None and effect not in seen:
            seen.add(effect)
            chosen.append(edit)
    return chosen


def acts(lines: Lines, edits: tuple[Edit, Edit], run: Played) -> bool:
    """Whether two edits do together what neither does alone, and no edit at all."""
    alone = [_effect(lines, (edit,), [run]) for edit in edits]
    together = _effect(lines, edits, [run])
    return together is not None and None not in alone and together not in alone


def _effect(lines: Lines, edits: tuple[Edit, ...], runs: Sequence[Played]) -> tuple[Any, ...] | None:
    """What edits do, in numbers that are alike where it does the same; None where nothing."""
    effects: list[Any] = []
    changed = False
    with numpy.errstate(all="ignore"):
        for run in runs:
            try:
                answers = [*floating(lines.maker(Changed(edits)), run, served(run.loss))]
            except FAILURES:
                return None
            for step, answer in zip(run.judged, answers, strict=False):
                changed = changed or not _is_same(answer, step)
                effects.append(tuple(_figures(x) for x in answer.reshape(-1)))
    return tuple(effects) if changed else None


def _is_same(answer: Floats, step: Step) -> bool:
    return bool((numpy.abs(answer - step.truth) <= NEAR * step.tolerance).all())


def _figures(x: float) -> str:
    return f"{x:.9e}"
