"""The fast judge of many steps against the slow one: the truth and the tolerances of `check`."""

from __future__ import annotations

import numpy as np
import pytest

from geometry.arithmetic.formats import error_of, format_of
from rbo_ref.oracle.formulas import formula_of
from rbo_ref.oracle.replay.judging import judge_steps
from rbo_ref.oracle.replay.maps import Map
from rbo_ref.oracle.replay.recording import Piece
from rbo_ref.oracle.replay.surfaces import surface_of
from rbo_ref.oracle.replay.verdict import FAIL, PASS, UNDECIDED
from rbo_ref.oracle.tolerance import is_decidable
from rbo_ref.oracle.truth import true_step

from .runs import CASES
from .test_maps import hypers

FACTORS = (0.0, 0.5, 0.9, 0.97, 1.03, 1.1, 3.0, 1e3)  # of the tolerance


@pytest.mark.parametrize("dialect", ["authors", "full-candidate"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_verdicts_are_those_of_the_slow_judge(dtype, dialect):
    target, seen = format_of(dtype), []
    for case in CASES.values():
        if case.dimension > 3:
            continue
        theta, hyper = case.start(target), case.hyper(0)
        truth = true_step(case.loss, tuple(theta), hyper, dialect, target)
        if not truth.tolerance.max() < 1:  # elsewhere rounding knows no bound
            continue
        middle = truth.theta.middle
        decidable = is_decidable(truth.tolerance, middle - theta, target)
        with np.errstate(all="ignore"):
            answers = [(middle + factor * truth.tolerance).astype(target.dtype) for factor in FACTORS]
        rows = np.stack([row for answer in answers for row in (theta, answer)])  # every other step is from θ
        rule, some = (
            Map(surface_of(case.loss), formula_of("rolling-ball", dialect), target),
            hypers(*[hyper] * (len(rows) - 1)),
        )
        found = judge_steps(rule, Piece(0, rows, {}), some)
        for i, answer in enumerate(answers):
            ratio = (error_of(answer, truth.theta.value) / truth.tolerance).max()
            if abs(ratio - 1) < 1e-4:
                continue
            expected = FAIL if ratio > 1 else PASS if decidable else UNDECIDED
            assert found.verdict[2 * i] == expected, (case.id, ratio)
            if expected == FAIL:  # one that is far off is held to a wider tolerance, which suffices
                told = found.error[2 * i] / found.tolerance[2 * i]
                assert 0.8 * ratio < told < 1.01 * ratio
            seen.append(expected)
    assert seen.count(PASS) > 40
    assert seen.count(FAIL) > 40
