"""What the search for edits finds of a port, and whether it is true: elsewhere, where nobody asked."""

from unittest import mock

import numpy as np

from geometry.arithmetic.formats import format_of
from rbo_ref.oracle import check, diagnosis
from rbo_ref.oracle.calls import ServedLoss
from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.step_formats import Formats
from rbo_ref.oracle.suspects.courses import certified, floating
from rbo_ref.oracle.suspects.judgement import apart
from rbo_ref.oracle.suspects.played import Played, Step, elsewhere

FORMATS = Formats(format_of("float64"))


def explained(port, optimizer, cases=None, *, catalogue=False):
    """The report on a port, and the edits that explain it; without the catalogue, if that is not asked for."""
    found = []

    def by_edits(*given):
        found.append(searched(*given))
        return found[-1]

    searched, known = diagnosis.by_edits, diagnosis.suspects_of
    suspects = known if catalogue else lambda *_: []
    with mock.patch.object(diagnosis, "by_edits", by_edits), mock.patch.object(diagnosis, "suspects_of", suspects):
        report = check(port, optimizer=optimizer, cases=cases, time_limit=np.inf)
    return report, found[0] if found else None


def catalogue_alone():
    """Within this context a port is named by the catalogue or not at all: no edits are searched."""
    return mock.patch.object(diagnosis, "by_edits", return_value=None)


def is_true(explanation, make, optimizer):
    """Whether a formula, or one that it cannot be told apart from, does what a port does at other places."""
    return any(_is_same(suspect.make, make, optimizer) for suspect in (explanation.suspect, *explanation.twins))


def _is_same(suspect, make, optimizer):
    for number, case in enumerate(all_cases(optimizer)):
        moved = elsewhere(asked(case), number)
        try:
            with np.errstate(all="ignore"):
                answers = list(floating(make, moved, ServedLoss(case.loss, np, case.theta.shape)))
        except ValueError:  # of shapes, where the port itself has no answer
            continue
        for answer, enclosed in zip(answers, certified(suspect, moved, FORMATS), strict=True):
            if np.isfinite(answer).all() and (apart(answer, enclosed) > enclosed.tolerance).any():
                return False
    return True


def asked(case, tolerance=0.0):
    """The questions of a case; all answers are where it starts, up to a tolerance, and wrong."""
    start = case.start(format_of("float64"))
    draws = [None] * max(case.walk, 1) if case.draws is None else case.draws
    steps = [
        Step(start, case.hyper(t), draws[t], start, start, np.full_like(start, tolerance), True)
        for t in range(min(len(draws), 3))
    ]
    return Played(case.id, case.loss, steps, alone=False)
