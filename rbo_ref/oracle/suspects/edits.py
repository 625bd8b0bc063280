"""What is in no catalogue: the right formula with a line that reads otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from rbo_ref.oracle.formulas import Formula
from rbo_ref.oracle.step_formats import Formats
from rbo_ref.oracle.suspects.explain import EDITED, Explanation, certain, rest_of
from rbo_ref.oracle.suspects.judgement import Suspect
from rbo_ref.oracle.suspects.played import Played, elsewhere, examples
from rbo_ref.oracle.suspects.search import Lines, answers, changes, lines_of
from rbo_ref.oracle.suspects.variants import Changed
from rbo_ref.oracle.suspects.words import sentence

__all__ = ["by_edits"]

NEAREST = 256  # edits, of those that are near in floats, of which is asked whether they are one formula
PROVEN = 24  # formulas that are judged in full


def by_edits(cls: type[Formula], runs: Sequence[Played], formats: Formats) -> Explanation | None:
    """The right formula with an edit, or two, that explains all that a port did."""
    chosen = examples(runs)
    lines = lines_of(cls, chosen)
    tried = len(lines.edits)
    found = sorted(changes(lines, chosen), key=lambda changed: changed.rank)[:NEAREST]
    proven = []
    for changed in _formulas(lines, found, chosen)[:PROVEN]:
        how = certain(_as_suspect(lines, changed), chosen, formats)
        if how is not None and how.is_evidence(tried ** len(changed.edits), len(changed.constants)):
            proven.append((changed, how))
    if not proven:
        return None
    (best, how), *others = proven
    if others:
        rest = rest_of(runs, chosen)
        others = [pair for pair in others if certain(_as_suspect(lines, pair[0]), rest, formats)]
    twins = {sentence(other.edits, other.constants): _as_suspect(lines, other) for other, _ in others}
    return Explanation(_as_suspect(lines, best), how, tuple(twins.values()))


def _as_suspect(lines: Lines, changed: Changed) -> Suspect:
    name = "-and-".join(dict.fromkeys(f"{edit.method}" for edit in changed.edits)) + EDITED
    return Suspect(name, sentence(changed.edits, changed.constants), lines.maker(changed))


@numpy.errstate(all="ignore")
def _formulas(lines: Lines, found: Sequence[Changed], runs: Sequence[Played]) -> list[Changed]:
    """The first edits of each formula: those of one do the same at other places, and with other hyper-parameters."""
    moved = [elsewhere(run, number) for number, run in enumerate(runs) if run.judged]
    asked = numpy.concatenate([answers(lines, found, run).reshape(len(found), -1) for run in moved], axis=1)
    sizes = numpy.concatenate([_size(run) for run in moved])
    chosen: list[int] = []
    for number, row in enumerate(asked):
        gaps = [numpy.abs(row - asked[other]) - 1e-7 * numpy.abs(row) - 1e-9 * sizes for other in chosen]
        unlike = [numpy.isnan(row) != numpy.isnan(asked[other]) for other in chosen]
        if not any(
            (gap <= 0).any() and not (gap > 0).any() and not u.any() for gap, u in zip(gaps, unlike, strict=True)
        ):
            chosen.append(number)
    return [found[number] for number in chosen]


def _size(run: Played) -> Any:
    """How large the entries of the places of a run are."""
    return numpy.concatenate([numpy.full(step.theta.size, numpy.abs(step.theta).max()) for step in run.judged])
