"""What is told of a wrong port that nothing explains: true of it, and in every report."""

import json

import pytest

from rbo_ref.oracle import check, diagnosis
from tests.rbo_ref.oracle import stray

SOME = ["half-bowl", "half-crest", "waves-3d", "bowl-one", "saddle-small", "crest-2d"]
KNOWN = stray.SMALL | {name: make for name, (make, _) in stray.STRAY.items()}
INNER, REST = "θ^(1) of the inner loop is the first place that differs", "the loss is asked in the right places"
TOLD = {  # where it differs first, and what its errors are multiples of
    "steps 1 % too short": (REST, "the error is -0.01 (to within "),
    "decay 1e-4": (REST, "the error is -0.0001 (to within "),
    "last inner step doubled": (REST, None),
    "tangent saturated": (INNER, None),
    "half of the fall": (INNER, None),
}


@pytest.fixture
def nothing_fits(monkeypatch):
    monkeypatch.setattr(diagnosis, "suspects_of", lambda *_: [])
    monkeypatch.setattr(diagnosis, "by_edits", lambda *_: None)


@pytest.mark.parametrize("name", TOLD)
def test_the_first_place_that_differs_and_what_the_errors_are_multiples_of(name, nothing_fits):
    place, proportion = TOLD[name]
    facts = check(KNOWN[name](), cases=SOME).facts
    assert [fact for fact in facts if fact.startswith(place)], facts
    multiples = [fact for fact in facts if fact.startswith("the error is")]
    assert [fact.startswith(proportion or "") for fact in multiples] == [True] * bool(proportion), facts


def test_a_warm_up_shows_in_multiples_of_the_move(nothing_fits):
    facts = check(stray.STRAY_OTHERS["adam: warm-up"][1](), optimizer="adam", cases="usual-*").facts
    assert any("a multiple of the move" in fact and "from -0.667 to -0.333" in fact for fact in facts), facts


def test_coordinates_that_are_off_are_told(nothing_fits):
    def first(self, old, new):
        return new + 0.1 * (self.xp.arange(len(new)) == 0)

    facts = check(stray.finished(first)(), cases=SOME).facts
    assert any("only the first coordinate is off" in fact for fact in facts), facts


def test_facts_stand_in_every_report_and_beside_no_diagnosis(nothing_fits):
    report = check(KNOWN["steps 1 % too short"](), cases=SOME)
    fact = next(fact for fact in report.facts if "times the move" in fact)
    assert f"known: {fact}" in str(report)
    assert fact in json.loads(report.to_json())["facts"]
    assert fact in report.to_html()
    assert check(stray.ball(), cases="plane").facts == []
