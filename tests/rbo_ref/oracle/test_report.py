"""Reports: for people, for machines, and honest about what ran."""

import json

import numpy as np
import pytest

from rbo_ref.oracle import MISTAKES, Report, Result, RightPort, check
from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.judge import LEVELS


@pytest.fixture(scope="module")
def wrong():
    return check(MISTAKES["tangent_unit"](), cases=["valley-1d", "eq13-paper", "waves-3d", "schedule-1d"])


def test_a_report_is_complete(wrong):
    """Every case has a verdict at every level that it has: a denominator that does not depend on the port."""
    single, walks = ["valley-1d", "eq13-paper", "waves-3d"], ["schedule-1d"]
    expected = {(i, level) for i in single for level in LEVELS[:4]} | {
        (i, level) for i in walks for level in LEVELS[4:]
    }
    assert {(r.id, r.level) for r in wrong.results} == expected
    right = check(RightPort(), cases=["valley-1d", "eq13-paper", "waves-3d", "schedule-1d"])
    assert {(r.id, r.level) for r in right.results} == expected


def test_for_people(wrong):
    text = str(wrong)
    assert text.startswith("WRONG: tangent_unit (numpy, float64, dialect authors;")
    assert "diagnosis: tangent_unit: The tangent is normalised to length 1\n  evidence: it reproduces" in text
    assert "FAIL valley-1d [step]: the new theta is wrong: off by" in text
    assert "skipped 3: the port hands out no candidate" in text
    assert "undecidable 1: rounding is amplified" in text
    assert all(level in text for level in LEVELS)
    assert max(map(len, text.splitlines())) <= 140


def test_for_machines(wrong):
    record = json.loads(wrong.to_json())
    assert (record["passed"], record["verdict"]) == (False, "WRONG")
    assert record["diagnosis"]["name"] == "tangent_unit"
    assert len(record["results"]) == record["counts"]["results"] == len(wrong.results)
    verdicts = [result["verdict"] for result in record["results"]]
    assert all(record["counts"][v] == verdicts.count(v) for v in ("pass", "fail", "undecidable", "skipped"))
    assert record["environment"]["numpy"] == np.__version__
    fields = {"id", "level", "verdict", "error", "tolerance", "message", "declined", "entries"}
    assert set(record["results"][0]) == fields


def test_json_holds_no_nan():
    infinite = Result("a", "step", "fail", float("inf"), float("nan"), "")
    record = json.loads(Report("p", "numpy", "float64", "authors", [infinite]).to_json())
    assert record["results"][0]["error"] is None
    assert record["results"][0]["tolerance"] is None


def test_without_an_answer_the_report_says_what_happened():
    report = check(lambda loss, theta, **hyper: None, cases="plane")
    assert report.diagnosis is None
    told = "no answer to compare, where it fails: returned theta as NoneType, not as an array"
    assert f"diagnosis: {told}" in str(report)
    assert f"Diagnosis: {told}." in report.to_html()


def test_nothing_ran_is_no_pass():
    assert not Report("p", "numpy", "float64", "authors").passed
    skipped = Result("a", "step", "skipped", None, None, "because")
    assert not Report("p", "numpy", "float64", "authors", [skipped]).passed


@pytest.mark.parametrize(
    ("levels", "expected"), [(["step"], {"step"}), ("walk", {"walk"}), (("inner", "walk"), {"inner", "walk"})]
)
def test_levels_can_be_chosen(levels, expected):
    report = check(RightPort(), levels=levels, cases=["waves-3d", "schedule-3d"])
    assert {result.level for result in report.results} == expected


def test_progress_is_told():
    told = []
    check(RightPort(), cases=["bowl-*"], progress=lambda done, total: told.append((done, total)))
    assert told == [(i, len(told) - 1) for i in range(len(told))]


def test_ids_are_unique_and_every_case_says_what_it_is_about():
    cases = all_cases()
    assert len({case.id for case in cases}) == len(cases)
    assert all(case.note for case in cases)
    assert {case.dimension for case in cases} == {1, 2, 3, 10, 50}
    assert all(case.catches for case in cases if not case.id.startswith("drawn"))
