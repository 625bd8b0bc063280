"""What is in no catalogue is found: by edits of the lines of a right port, and truly, for it holds elsewhere."""

import ast
from itertools import combinations, compress, islice
from random import Random

import numpy as np
import pytest

from rbo_ref.oracle import MISTAKES, RightPort
from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.catalogue import CATALOGUES as OTHERS
from rbo_ref.oracle.catalogue import in_dialect, right_port
from rbo_ref.oracle.dialects import OPTIMIZERS, READINGS, ROLLING_BALL
from rbo_ref.oracle.suspects import search
from rbo_ref.oracle.suspects.courses import floating, laned, served
from rbo_ref.oracle.suspects.text import expressions, text_of
from rbo_ref.oracle.suspects.variants import Changed, varied
from rbo_ref.oracle.suspects.words import sentence, written
from tests.rbo_ref.oracle import stray
from tests.rbo_ref.oracle.suspects.explaining import asked, explained, is_true

SOME = ["half-bowl", "half-crest", "waves-3d", "bowl-one", "saddle-small", "walk-2d", "schedule-1d", "waves-3d-far"]

# Of the catalogue, without it: what is said of each.
FOUND = {
    "ascent": "c̃: c + η·τ instead of c − η·τ (a sign is wrong)",
    "normal_missing_one": "W: √(|g|²) instead of √(1 + |g|²) (a term is missing)",
    "diameter_for_radius": "(η, ρ, γ, P): (η, 2·ρ, γ, P) instead of (η, ρ, γ, P) (it has a factor)",
    "one_step_too_few": "the inner loop: P − 1 times instead of P times (the number of steps is wrong)",
    "carries_center": "c: c̃ that the last step left instead of p + ρ·ν (what the last step left is carried on)",
    "gradient_clipped_by_value": "(f, ∇f): (f, g clipped to [−1, 1]) instead of (f, g) (its entries are clipped)",
    "carries_momentum": "τ: v, v ← 0.9v + (g, |g|²) instead of (g, |g|²) (it is gathered)",
}


@pytest.mark.parametrize("name", FOUND)
def test_a_mistake_of_the_catalogue_is_found_without_it(name):
    report, found = explained(MISTAKES[name](), ROLLING_BALL, SOME)
    assert report.diagnosis.description == FOUND[name]
    assert is_true(found, MISTAKES[name], ROLLING_BALL)


@pytest.mark.parametrize(
    ("optimizer", "name"),
    [
        ("adam", "epsilon_inside_the_root"),
        ("sam", "gradient_not_renewed"),
    ],
)
def test_a_mistake_of_another_optimizer_is_found_without_its_catalogue(optimizer, name):
    make = in_dialect(OTHERS[optimizer][name], READINGS[optimizer][0])
    report, found = explained(make(), optimizer)
    assert found is not None, str(report)
    assert is_true(found, make, optimizer)


CONSTANTS = {
    "half of the fall": "0.5",
    "steps 1 % too short": "0.99",
    "1e-7 under the root": "1e-07",
}


@pytest.mark.parametrize("name", CONSTANTS)
def test_a_constant_is_estimated_and_then_judged(name):
    report, found = explained(stray.SMALL[name](), ROLLING_BALL, SOME)
    assert CONSTANTS[name] in report.diagnosis.description
    assert is_true(found, stray.SMALL[name], ROLLING_BALL)


def test_a_height_that_falls_by_the_stretch_is_found():
    class FallsByW(RightPort):
        def tangent(self, g):
            return self.joined(g, self.stretch(g))

    report, found = explained(FallsByW(), ROLLING_BALL, SOME, catalogue=True)
    assert report.diagnosis.description == "τ: (g, W(g)) instead of (g, |g|²) (it is taken for W)"
    assert is_true(found, FallsByW, ROLLING_BALL)


def test_two_edits_at_once_are_found():
    class Both(RightPort):
        def stretch(self, g):
            return self.xp.sqrt(self.square(g))

        def stepped(self):
            return self.c + self.eta * self.tau

    report, found = explained(Both(), ROLLING_BALL, SOME)
    assert report.diagnosis.description == f"{FOUND['normal_missing_one']}; and {FOUND['ascent']}"
    assert is_true(found, Both, ROLLING_BALL)


def test_a_second_wrong_step_tells_more():
    """In the first alone, a schedule that is a step late is one that is not followed."""
    report, _ = explained(MISTAKES["schedule_late"](), ROLLING_BALL, SOME)
    assert "(it is a step late)" in report.diagnosis.description
    assert "(it is kept as it was first)" not in report.diagnosis.evidence


@pytest.mark.parametrize("optimizer", [ROLLING_BALL, "adam", "muon"])
@np.errstate(all="ignore")
def test_many_variants_at_once_go_where_each_goes_alone(optimizer):
    run = asked(next(case for case in all_cases(optimizer) if case.theta.size > 1), tolerance=1e-15)
    lines = search.lines_of(right_port(optimizer), [run])
    plain, random = [edit for edit in lines.edits if edit.start is None], Random(0)
    pairs = [search.Changed(pair) for pair in combinations(random.sample(plain, 24), 2) if search.compatible(*pair)]
    failed, reached = np.zeros(len(pairs), bool), 0
    places = [
        np.broadcast_to(theta, (len(pairs), *theta.shape[1:]))
        for theta in laned(varied(lines.text, pairs, failed), run)
    ]
    found = np.stack([place.reshape(len(pairs), -1) for place in places], axis=1)
    for pair, row in zip(compress(pairs, ~failed), found[~failed], strict=True):
        try:
            alone = np.stack([theta.reshape(-1) for theta in floating(lines.maker(pair), run, served(run.loss))])
        except Exception:  # a line that is none
            continue
        reached += np.isfinite(alone).all()
        np.testing.assert_allclose(
            row, alone, rtol=1e-7, atol=1e-12 * np.abs(alone).max(), err_msg=sentence(pair.edits)
        )
    assert reached > 50


# --- texts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_port_without_edits_is_the_right_one(optimizer):
    """Its lines, read and compiled anew, do what they did."""
    make = in_dialect(right_port(optimizer), READINGS[optimizer][0])
    text, case = text_of(right_port(optimizer)), stray_case(optimizer)
    twin = varied(text, [Changed(())])()
    for name, line in text.methods.items():
        setattr(twin, name, text.compiled(name, line).__get__(twin))
    theta, port, loss = case.theta, make(), quadratic
    for t in range(2):
        draw = None if case.draws is None else case.draws[t]
        new = port.advance(loss, theta, case.hyper(t), draw)
        assert np.array_equal(new, twin.advance(loss, theta, case.hyper(t), draw))
        theta = new


def stray_case(optimizer):
    return all_cases(optimizer)[2]


def quadratic(theta):
    return np.float64((theta * theta).sum() / 2 + 1), theta


def test_every_expression_is_found_and_can_be_replaced():
    text = text_of(RightPort)
    line = text.methods["stretch"]
    assert [ast.unparse(node) for _, node in expressions(line)] == [
        "self.xp.sqrt(1 + self.square(g))",
        "1 + self.square(g)",
        "1",
        "self.square(g)",
        "g",
    ]


def test_edits_of_one_line_come_together():
    text = text_of(RightPort)
    runs = [run_of_ball()]
    lines = search.lines_of(RightPort, runs)
    signs = [edit for edit in lines.edits if edit.method == "descended" and edit.kind == "a sign is wrong"]
    lost = [edit for edit in lines.edits if edit.method == "descended" and edit.kind == "a factor is missing"]
    pair = (signs[0], lost[1])
    assert sentence(pair) == "the inner step: θ + pull instead of θ − γ·pull (a sign is wrong and a factor is missing)"
    (factor,) = islice((e for e in lines.edits if e.method == "pull" and e.kind == "a factor is missing"), 1)
    (sign,) = islice((e for e in lines.edits if e.method == "pull" and e.kind == "a sign is wrong"), 1)
    assert text is lines.text
    assert sentence([signs[0]]) == "the inner step: θ + γ·pull instead of θ − γ·pull (a sign is wrong)"
    assert search.compatible(signs[0], factor)
    assert search.compatible(signs[0], sign)


def run_of_ball():
    from rbo_ref.oracle.suspects.played import Played, Step

    case = stray_case(ROLLING_BALL)
    step = Step(case.theta, case.hyper(0), None, case.theta + 1, case.theta, np.full(case.theta.shape, 1e-15), True)
    return Played(case.id, case.loss, [step], alone=True)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("self.eta * (self.tau - self.c)", "η·(τ − c)"),
        ("self.candidate[:-1] / -g", "x/(−g)"),
        ("self.h.betas[0] * self.m + (1 - self.h.betas[0]) * g", "β₁·m + (1 − β₁)·g"),
        ("unit(self, g - self.g)", "(g − ∇f(θ_t))/|(g − ∇f(θ_t))|"),
        ("self.loss(theta)[1]", "∇f(θ)"),
    ],
)
def test_lines_are_written_in_the_symbols_of_the_paper(source, text):
    assert written(ast.parse(source, mode="eval").body) == text


def test_an_edit_whose_pattern_another_takes_away_does_not_go_with_it():
    lines = search.lines_of(RightPort, [run_of_ball()])
    outer = next(e for e in lines.edits if e.method == "stretch" and e.kind == "a term stands outside")
    inner = {e.kind: e for e in lines.edits if e.method == "stretch" and e.path == (*outer.path, ("args", 0))}
    assert not search.compatible(outer, inner["a sign is wrong"])
    assert not search.compatible(outer, outer)
