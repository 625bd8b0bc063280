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
PROVEN = 24  # formulas that are judged in full,
WRITTEN = 3  # in so many ways of writing each: some lose all digits


def by_edits(cls: type[Formula], runs: Sequence[Played], formats: Formats) -> Explanation | None:
    """The right formula with an edit, or two, that explains all that a port did."""
    chosen = examples(runs)
    lines = lines_of(cls, chosen)
    tried = len(lines.edits)
    found = sorted(changes(lines, chosen), key=lambda changed: changed.rank)[:NEAREST]
    proven, rest = [], rest_of(runs, chosen)
    for formula in _formulas(lines, found, chosen)[:PROVEN]:
        for changed in formula[:WRITTEN]:
            suspect = _as_suspect(lines, changed)
            how = certain(suspect, chosen, formats)
            if how is None:
                continue
            is_evidence = how.is_evidence(tried ** len(changed.edits), len(changed.constants))
            if is_evidence and certain(suspect, rest, formats) is not None:
                proven.append((suspect, how))
            break
    if not proven:
        return None
    (best, how), *others = proven
    return Explanation(best, how, tuple({other.description: other for other, _ in others}.values()))


def _as_suspect(lines: Lines, changed: Changed) -> Suspect:
    name = "-and-".join(dict.fromkeys(f"{edit.method}" for edit in changed.edits)) + EDITED
    return Suspect(name, sentence(changed.edits, changed.constants), lines.maker(changed))


@numpy.errstate(all="ignore")
def _formulas(lines: Lines, found: Sequence[Changed], runs: Sequence[Played]) -> list[list[Changed]]:
    """The edits of each formula: those of one do the same at other places, and with other hyper-parameters."""
    if not found:
        return []
    moved = [elsewhere(run, number) for number, run in enumerate(runs) if run.judged]
    asked = numpy.concatenate([answers(lines, found, run).reshape(len(found), -1) for run in moved], axis=1)
    sizes = numpy.concatenate([_size(run) for run in moved])
    formulas: list[list[int]] = []
    for number, row in enumerate(asked):
        allowed = 1e-7 * numpy.abs(row) + 1e-9 * sizes
        alike = [formula for formula in formulas if _is_same(row, asked[formula[0]], allowed)]
        if alike:
            alike[0].append(number)
        else:
            formulas.append([number])
    return [[found[number] for number in formula] for formula in formulas]


def _is_same(row: Any, other: Any, allowed: Any) -> bool:
    """Whether answers agree, as far as there are any; of those that are none nothing is known."""
    near = numpy.abs(row - other) <= allowed
    return bool(near.any() and (near | (numpy.isnan(row) & numpy.isnan(other))).all())


def _size(run: Played) -> Any:
    """How large the entries of the places of a run are."""
    return numpy.concatenate([numpy.full(step.theta.size, numpy.abs(step.theta).max()) for step in run.judged])
