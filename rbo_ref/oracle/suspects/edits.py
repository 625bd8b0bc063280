"""What is in no catalogue: the right formula with a line that reads otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy

from rbo_ref.oracle.step_formats import Formats
from rbo_ref.oracle.suspects.courses import Make, floating, served
from rbo_ref.oracle.suspects.explain import EDITED, Explanation, certain, rest_of
from rbo_ref.oracle.suspects.judgement import FAILURES, Suspect
from rbo_ref.oracle.suspects.played import Played, elsewhere, examples
from rbo_ref.oracle.suspects.search import Changed, Lines, changes, lines_of
from rbo_ref.oracle.suspects.words import sentence

__all__ = ["by_edits"]

PROVEN = 24  # edits that are judged in full, of those that are near in floats


def by_edits(cls: type[Any], make: Make, runs: Sequence[Played], formats: Formats) -> Explanation | None:
    """The right formula with an edit, or two, that explains all that a port did."""
    chosen = examples(runs)
    lines = lines_of(cls, make, chosen)
    tried = len(lines.edits)
    found = sorted(islice(changes(lines, chosen), PROVEN), key=lambda changed: changed.rank)
    proven = []
    for changed in found:
        how = certain(_as_suspect(lines, changed), chosen, formats)
        if how is not None and how.is_evidence(tried ** len(changed.edits), len(changed.constants)):
            proven.append((changed, how))
    if not proven:
        return None
    (best, how), *others = proven
    others = [(other, fitted) for other, fitted in others if not _is_same(lines, best, other, chosen)]
    if others:
        rest = rest_of(runs, chosen)
        others = [pair for pair in others if certain(_as_suspect(lines, pair[0]), rest, formats)]
    twins = {sentence(other.edits, other.constants): _as_suspect(lines, other) for other, _ in others}
    return Explanation(_as_suspect(lines, best), how, tuple(twins.values()))


def _as_suspect(lines: Lines, changed: Changed) -> Suspect:
    name = "-and-".join(dict.fromkeys(f"{edit.method}" for edit in changed.edits)) + EDITED
    return Suspect(name, sentence(changed.edits, changed.constants), lines.maker(changed))


def _is_same(lines: Lines, one: Changed, other: Changed, runs: Sequence[Played]) -> bool:
    """Whether two ports are the same formula: they do the same at other places, and with other hyper-parameters."""
    for number, run in enumerate(runs):
        asked = elsewhere(run, number)
        answers = [_answers(lines.maker(changed), asked) for changed in (one, other)]
        for a, b in zip(*answers, strict=False):
            if not numpy.allclose(a, b, rtol=1e-7, atol=1e-9 * float(numpy.abs(a).max()), equal_nan=True):
                return False
    return True


def _answers(make: Make, run: Played) -> list[Any]:
    with numpy.errstate(all="ignore"):
        try:
            return list(floating(make, run, run.answers() if run.answers else served(run.loss)))
        except FAILURES:
            return []
