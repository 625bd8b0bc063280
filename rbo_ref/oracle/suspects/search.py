"""The search for the edits that make a right port do what a wrong one did: in floats, many at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, compress, groupby
from typing import Any, NamedTuple, TypeVar

import numpy

from rbo_ref.oracle.calls import ServedLoss
from rbo_ref.oracle.formulas import Formula
from rbo_ref.oracle.losses import Loss
from rbo_ref.oracle.suspects.courses import floating, laned, served
from rbo_ref.oracle.suspects.judgement import FAILURES, NEAR, NEARER
from rbo_ref.oracle.suspects.played import Floats, Played
from rbo_ref.oracle.suspects.rewriting import all_edits
from rbo_ref.oracle.suspects.survey import surveyed
from rbo_ref.oracle.suspects.text import Edit, Text, text_of
from rbo_ref.oracle.suspects.tools import DECIDING, MEMORIES
from rbo_ref.oracle.suspects.variants import Changed, Flags, varied

__all__ = ["Lines", "answers", "changes", "compatible", "different", "effects", "lines_of", "surviving", "telling"]

# None of these gives a name: whatever is found here is judged in full, by its own tolerance. Too narrow, they lose
# names; too wide, they cost time.
ROUNDS = 12  # of the search for a constant: secants gain a factor of 1.6 in digits each, and start with one or two
ALONG = 0.25  # of the squares of an error a first step has to take away: what a constant does turns by 60° on its way
CLOSE = 1e-13  # relative, of a constant that is found: floats of an answer hold no more digits of it
PAIRS = 120_000  # that are tried, which takes about ten seconds of a processor
LANES = 4096  # at once: arrays of a few entries for each stay in the cache
ALONE = 2000  # variants in a search that are tried one by one, where lanes cannot hold them
PLAIN = 5  # the highest rank of the edits that are paired: those that people slip into
SHOWING = 4  # runs of which edits are told apart before they are paired
FEW = 3  # runs that have to agree with a constant before it is made sharper: with one constant one run agrees by itself
FAR = 1e4  # of a place: from there a constant shows in the last digits only

T = TypeVar("T")


class Lines(NamedTuple):
    """The lines of a right port, and all their edits."""

    text: Text
    edits: list[Edit]

    def maker(self, changed: Changed) -> Callable[[], Any]:
        """A maker of ports with edits."""
        return varied(self.text, [changed])


def lines_of(cls: type[Formula], runs: Sequence[Played]) -> Lines:
    """The edits of a formula, which show in runs like these."""
    text, first = text_of(cls), telling(runs)[0]  # type: ignore[arg-type]
    told = tuple((name, type(value)) for name, value in first.steps[0].hyper.items())
    return Lines(text, _edits(text, (first.steps[0].theta.shape, told), first))


_KNOWN: dict[Any, list[Edit]] = {}


def _edits(text: Text, kind: Any, run: Played) -> list[Edit]:
    """The edits of a text, made once for places of a shape and hyper-parameters of some types."""
    if (text, kind) not in _KNOWN:
        _KNOWN[text, kind] = all_edits(text, surveyed(text, run))
    return _KNOWN[text, kind]


def telling(runs: Sequence[Played]) -> list[Played]:
    """The wrong runs, those first that do not explode, that tell much, and cost little."""
    wrong = [run for run in runs if run.is_wrong and run.judged]
    return sorted(wrong, key=lambda run: (_explodes(run), run.judged[0].theta.size < 2, _cost(run)))


def _explodes(run: Played) -> bool:
    places = [number for step in run.judged for number in (step.answer, step.truth)]
    return not all(numpy.abs(place.astype(float)).max() < FAR for place in places)


def _cost(run: Played) -> float:
    def steps(hyper: Any) -> int:
        return 2 + max((value for value in hyper.values() if type(value) is int), default=0)

    return sum(steps(step.hyper) for step in run.judged) * (4 + run.judged[0].theta.size)


# --- the answers of many variants -----------------------------------------------------------------------------------


@numpy.errstate(all="ignore")
def answers(lines: Lines, changes: Sequence[Changed], run: Played) -> Floats:
    """Where variants go in the judged steps of a run, (variants, steps, entries); NaN where there is no answer.

    Those of several edits, which have most of them in common with others, are computed in lanes.
    """
    found = numpy.full((len(changes), len(run.judged), run.judged[0].theta.size), numpy.nan)
    single = numpy.array([len(changed.edits) == 1 for changed in changes], dtype=bool)
    for first in range(0, len(changes), LANES):
        some, rest = slice(first, first + LANES), single[first : first + LANES]
        if not rest.all():
            rest = _in_lanes(lines, changes[some], run, found[some])
        for number in numpy.flatnonzero(rest)[: len(changes) if single.all() else ALONE]:
            found[first + number] = _alone(lines, changes[first + number], run, found.shape[1:])
    return found


def _in_lanes(lines: Lines, changes: Sequence[Changed], run: Played, found: Floats) -> Flags:
    """The variants that lanes cannot hold; the answers of the others are found."""
    failed = numpy.zeros(len(changes), bool)
    try:
        for t, theta in enumerate(laned(varied(lines.text, changes, failed), run)):
            found[:, t] = theta.reshape(len(theta), -1)
    except FAILURES:
        failed[:] = True
    found[failed] = numpy.nan
    return failed


def _alone(lines: Lines, changed: Changed, run: Played, shape: tuple[int, ...]) -> Floats:
    """The answers of one variant by itself."""
    found = numpy.full(shape, numpy.nan)
    is_exact = any(edit.calls & DECIDING for edit in changed.edits)
    loss = ServedLoss(run.loss, numpy, run.judged[0].theta.shape) if is_exact else served(run.loss)
    try:
        for row, theta in zip(found, floating(lines.maker(changed), run, loss), strict=False):
            row[:] = theta.reshape(-1)
    except FAILURES:
        found[:] = numpy.nan
    return found


def _flat(run: Played, quantity: str) -> Floats:
    """A quantity of the judged steps of a run, (steps, entries)."""
    return numpy.stack([getattr(step, quantity).astype(float).reshape(-1) for step in run.judged])


@numpy.errstate(all="ignore")
def surviving(lines: Lines, changes: Sequence[Changed], runs: Sequence[Played]) -> list[Changed]:
    """The variants that go about where a port went in all runs: those are asked first where the right port does not."""
    left = list(changes)
    for run in sorted(runs, key=_has_the_right_port_near):
        if left:
            left = [changed for changed, near in zip(left, _near(answers(lines, left, run), run), strict=True) if near]
    return left


@numpy.errstate(all="ignore")
def _has_the_right_port_near(run: Played) -> bool:
    """In coarse formats much is: such a run excludes little."""
    return bool(_near(_flat(run, "truth")[None], run)[0])


def _near(found: Floats, run: Played) -> Any:
    """Of answers, whether they are about those of the port, where anything is known."""
    given, allowed = _flat(run, "answer"), NEAR * _flat(run, "tolerance")
    allowed = numpy.maximum(allowed, NEARER * _flat(run, "errors").max(axis=1, keepdims=True))
    known = numpy.array([step.is_known for step in run.judged])[:, None]
    near = (numpy.abs(found - given) <= allowed) | (numpy.isnan(found) & numpy.isnan(given)) | ~known
    return near.all(axis=(1, 2))


def changes(lines: Lines, runs: Sequence[Played]) -> list[Changed]:
    """Edits that go about where a port went, in all runs: single ones, those with a constant, or pairs."""
    ordered = [*telling(runs), *(run for run in runs if run.judged and not run.is_wrong)]
    plain = [Changed((edit,)) for edit in lines.edits if edit.start is None]
    found = [changed for some in _by_line(plain, lambda c: c.edits[0]) for changed in surviving(lines, some, ordered)]
    methods = {edit.method for changed in found for edit in changed.edits if edit.calls & MEMORIES}
    # what remembers for two steps may remember in several ways
    free = [edit for edit in lines.edits if edit.start is not None]
    found += _estimated(lines, [e for e in free if not found or (e.calls & MEMORIES and e.method in methods)], ordered)
    return found or _pairs(lines, ordered)


def _by_line(items: Sequence[T], edit: Callable[[T], Edit]) -> list[list[T]]:
    """Items, those of each line together."""
    lines: dict[str, list[T]] = {}
    for item in items:
        lines.setdefault(edit(item).method, []).append(item)
    return [*lines.values()]


# --- constants ------------------------------------------------------------------------------------------------------


class _Guess(NamedTuple):
    """An edit and where the search for its constant begins."""

    edit: Edit
    start: float


@numpy.errstate(all="ignore")
def _estimated(lines: Lines, edits: Sequence[Edit], runs: Sequence[Played]) -> list[Changed]:
    """Edits with the constants that the port's answers tell."""
    found: list[Changed] = []
    guesses = [_Guess(edit, start) for edit in edits for start in edit.grid or ((edit.start or 0.0) + 0.01,)]
    for some in _by_line(guesses, lambda guess: guess.edit):
        solved = _sharpest(lines, _solved(lines, some, runs[0]), runs)
        told = [
            Changed((guess.edit,), (value,), (uncertain,))
            for guess, constant, doubt in solved
            for value, uncertain in _readable(constant, doubt)
        ]
        near = surviving(lines, told, runs)
        found += {changed.edits: changed for changed in reversed(near)}.values()  # the first of each edit
    return found


def _residuals(lines: Lines, guesses: Sequence[_Guess], constants: Floats, run: Played) -> Floats:
    """How far edits with constants are from the port in the known steps of a run, in tolerances."""
    changes = [Changed((guess.edit,), (float(c),)) for guess, c in zip(guesses, constants, strict=True)]
    return _told(run, answers(lines, changes, run))


def _told(run: Played, found: Floats) -> Floats:
    """How far answers are from the port in the known steps of a run, in tolerances."""
    known = numpy.array([step.is_known for step in run.judged])
    off = ((found - _flat(run, "answer")) / _flat(run, "tolerance"))[..., known, :]
    return off.reshape(len(found), known.sum() * off.shape[-1])


def _solved(lines: Lines, guesses: list[_Guess], run: Played) -> list[tuple[_Guess, float]]:
    """The edits that do what the port did in a run with some constants, and these: by secants."""
    gridded = [bool(guess.edit.grid) for guess in guesses]
    new = numpy.array([guess.start for guess in guesses])
    old = numpy.where(gridded, new * 1.01, [guess.edit.start or 0.0 for guess in guesses])
    here, before = _residuals(lines, guesses, new, run), _told(run, _flat(run, "truth")[None]).repeat(len(guesses), 0)
    if any(gridded):
        before[gridded] = _residuals(lines, [*compress(guesses, gridded)], old[gridded], run)
    first, constants, left = _worst(before), numpy.full(len(guesses), numpy.nan), numpy.arange(len(guesses))
    for number in range(ROUNDS):
        if not left.size:
            break
        slope = (here - before) / (new - old)[:, None]
        squares = (slope * slope).sum(axis=1)
        on = (squares > 0) & numpy.isfinite(squares) & (number > 0 or _is_along(before, slope))
        left, old, before, slope, squares = left[on], new[on], here[on], slope[on], squares[on]
        new = constants[left] = old - (slope * before).sum(axis=1) / squares
        here = _residuals(lines, [guesses[i] for i in left], new, run)
        far = _worst(here)
        lost = ~(far <= (0.5 if number else numpy.inf) * first[left])
        constants[left[lost]] = numpy.nan
        on = ~lost & (far > 1) & (numpy.abs(new - old) > CLOSE * numpy.abs(new))
        constants[left[~on & (far > numpy.maximum(NEAR, NEARER * first[left]))]] = numpy.nan
        left, old, new, before, here = left[on], old[on], new[on], before[on], here[on]
    return [(guess, float(c)) for guess, c in zip(guesses, constants, strict=True) if numpy.isfinite(c)]


def _worst(off: Floats) -> Floats:
    return numpy.abs(off).max(axis=1, initial=0.0)


def _is_along(error: Floats, slope: Floats) -> Any:
    """Whether some constant takes away much of an error: whether they have one direction."""
    one, other = (numbers / numpy.abs(numbers).max(axis=1, keepdims=True) for numbers in (error, slope))
    return (one * other).sum(axis=1) ** 2 >= ALONG * (one * one).sum(axis=1) * (other * other).sum(axis=1)


def _sharpest(
    lines: Lines, solved: list[tuple[_Guess, float]], runs: Sequence[Played]
) -> list[tuple[_Guess, float, float]]:
    """The constants as the wrong run tells each that tells it best, and how uncertain they are."""
    near = surviving(lines, [Changed((guess.edit,), (constant,)) for guess, constant in solved], runs[:FEW])
    told = {(changed.edits[0], *changed.constants) for changed in near}
    solved = [(guess, constant) for guess, constant in solved if (guess.edit, constant) in told]
    if not solved:
        return []
    guesses = [guess for guess, _ in solved]
    known = numpy.array([constant for _, constant in solved])
    best, doubts, by = known.copy(), numpy.full(len(known), numpy.inf), numpy.zeros(len(known), dtype=int)
    for number, run in enumerate(runs):
        if run.is_wrong:
            constants, uncertain = _told_by(lines, guesses, known, run)
            better = uncertain < doubts
            best[better], doubts[better], by[better] = constants[better], uncertain[better], number
    for number in set(by.tolist()):  # the way from the first run's constant may bend: once more, from where it led
        own = numpy.flatnonzero(by == number)
        best[own], doubts[own] = _told_by(lines, [guesses[i] for i in own], best[own], runs[number])
    return [*zip(guesses, best.tolist(), doubts.tolist(), strict=True)]


def _told_by(lines: Lines, guesses: Sequence[_Guess], known: Floats, run: Played) -> tuple[Floats, Floats]:
    """One step from constants to those of a run, and how uncertain they are: without bound where it tells none."""
    shift = 1e-6 * numpy.where(known == 0, 1.0, numpy.abs(known))
    here, there = (_residuals(lines, guesses, known + side * shift, run) for side in (0, 1))
    slope = (there - here) / shift[:, None]
    moves, steepest = -(slope * here).sum(axis=1) / (slope * slope).sum(axis=1), _worst(slope)
    told = (steepest > 0) & numpy.isfinite(steepest) & numpy.isfinite(moves)
    return numpy.where(told, known + moves, known), numpy.where(told, 1 / steepest, numpy.inf)


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


def _pairs(lines: Lines, runs: Sequence[Played]) -> list[Changed]:
    """Two plain edits at once, of all pairs of the simplest; not where each answer of the loss costs much."""
    if not PAIRS or not isinstance(runs[0].loss, Loss):
        return []
    chosen = different(lines, runs[:SHOWING])[: int((2 * PAIRS) ** 0.5)]
    pairs = [Changed(pair) for pair in combinations(chosen, 2) if compatible(*pair)]
    pairs.sort(key=lambda pair: sorted(edit.method for edit in pair.edits))
    methods = groupby(pairs, key=lambda pair: sorted(edit.method for edit in pair.edits))
    return [changed for _, some in methods for changed in surviving(lines, [*some], runs)]


def compatible(one: Edit, other: Edit) -> bool:
    """Whether they are not of the same place, and the pattern of the outer one fits what the inner one leaves."""
    shorter = min(len(one.path), len(other.path))
    if one.method != other.method or one.path[:shorter] != other.path[:shorter]:
        return True
    try:
        return one.path != other.path and bool(one.text.edited(one.method, (one, other)))
    except LookupError:
        return False


def different(lines: Lines, runs: Sequence[Played]) -> list[Edit]:
    """Plain edits, the first of each effect in some runs."""
    chosen: dict[tuple[str, ...], Edit] = {}
    plain = [edit for edit in lines.edits if edit.start is None and edit.rank <= PLAIN]
    for some in _by_line(plain, lambda edit: edit):
        for edit, effect in zip(some, effects(lines, [Changed((edit,)) for edit in some], runs), strict=True):
            if effect is not None:
                chosen.setdefault(effect, edit)
    return sorted(chosen.values(), key=lambda edit: edit.rank)


@numpy.errstate(all="ignore")
def effects(lines: Lines, changes: Sequence[Changed], runs: Sequence[Played]) -> list[tuple[str, ...] | None]:
    """What variants do in some runs, alike where they do the same; None where nothing, or where one fails."""
    found = [answers(lines, changes, run) for run in runs]
    changed = numpy.zeros(len(changes), bool)
    for run, several in zip(runs, found, strict=True):
        gaps, tolerances = numpy.abs(several - _flat(run, "truth")), _flat(run, "tolerance")
        changed |= (gaps > NEAR * tolerances).any(axis=(1, 2))
    rows = numpy.concatenate([several.reshape(len(changes), -1) for several in found], axis=1)
    told = changed & numpy.isfinite(rows).all(axis=1)
    return [tuple(f"{x:.9e}" for x in row) if on else None for row, on in zip(rows, told, strict=True)]
