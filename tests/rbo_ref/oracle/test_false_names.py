"""No false name: what is in no catalogue gets none or a true one, and no formula is taken for a precision."""

import numpy as np
import pytest

from rbo_ref.oracle import MISTAKES, OptaxPort, RightPort, check, check_optimizer
from rbo_ref.oracle.catalogue import RIGHT_PORTS
from rbo_ref.oracle.dialects import ROLLING_BALL
from rbo_ref.oracle.suspects import search
from tests.examples import some
from tests.rbo_ref.oracle.stray import SMALL, SMALL_OTHERS, STRAY, STRAY_OTHERS, ball, finished, other, tuned
from tests.rbo_ref.oracle.suspects.explaining import explained, is_true

SOME = ["half-bowl", "half-crest", "waves-3d", "bowl-one", "saddle-small", "crest-2d", "schedule-1d"]
FEW = {"muon": ["short-*", "cubic-wide", "plain-wide"]}
WHOLE_SUITE = ["steps 1 % too short", "decay 1e-4", "1e-3 under the root"]


def name_of(report):
    return report.diagnosis and report.diagnosis.name


# --- undeclared -----------------------------------------------------------------------------------------------------


def judged(port, optimizer, cases, monkeypatch, pairs=0):
    """The report on a port, and the formula that explains it, if that is in no catalogue; pairs of edits take long."""
    monkeypatch.setattr(search, "PAIRS", pairs)
    report, found = explained(port, optimizer, cases, catalogue=True)
    assert not report.passed
    return report, found


@pytest.mark.parametrize("name", some(SMALL, 3))
def test_a_small_error_of_the_formula_is_no_precision(name, monkeypatch):
    cases = None if name in WHOLE_SUITE else SOME
    report, found = judged(SMALL[name](), ROLLING_BALL, cases, monkeypatch)
    assert name_of(report) is None or is_true(found, SMALL[name], ROLLING_BALL), str(report)
    assert "declares it" not in str(report)


@pytest.mark.parametrize("name", some(SMALL_OTHERS, 4))
def test_a_small_error_of_another_formula_is_no_precision(name, monkeypatch):
    optimizer, make = SMALL_OTHERS[name]
    report, found = judged(make(), optimizer, FEW.get(optimizer), monkeypatch)
    assert name_of(report) is None or is_true(found, make, optimizer), str(report)
    assert "declares it" not in str(report)


@pytest.mark.parametrize("name", some(STRAY, 5))
def test_a_wrong_port_in_no_catalogue_gets_no_name_or_a_true_one(name, monkeypatch):
    make, true = STRAY[name]
    report, found = judged(make(), ROLLING_BALL, None, monkeypatch)
    assert name_of(report) in (None, *true) or is_true(found, make, ROLLING_BALL), str(report)


@pytest.mark.parametrize("name", some(STRAY_OTHERS, 5))
def test_a_wrong_optimizer_in_no_catalogue_gets_no_name_or_a_true_one(name, monkeypatch):
    optimizer, make, true = STRAY_OTHERS[name]
    report, found = judged(make(), optimizer, None, monkeypatch)
    is_found = found is not None and is_true(found, make, optimizer)
    assert name_of(report) in (None, *true) or is_found, str(report)


@pytest.mark.parametrize(
    ("name", "cases"),
    [("radius/√d", SOME), ("height falls by |g|²/W", ["half-*", "plane", "waves-3d", "bowl-*", "crest-2d"])],
)
def test_a_coarse_format_is_no_reason_for_a_name(name, cases, no_pairs):
    pytest.importorskip("torch", reason="torch is not installed")
    report = check(STRAY[name][0](), xp="torch", dtype="bfloat16", cases=cases)
    assert name_of(report) is None, str(report)


@pytest.mark.parametrize(
    ("name", "cases"),
    [
        ("muon: as Optax does", None),
        ("muon: epsilon added, as Keras does", ["usual-*", "epsilon-*", "short-row-wide"]),
    ],
)
def test_a_muon_in_float64_has_no_bfloat16_inside(name, cases, monkeypatch):
    report, _ = judged(STRAY_OTHERS[name][1](), "muon", cases, monkeypatch)
    assert "bfloat16" not in str(report.diagnosis), str(report)


def test_the_muon_of_optax_has_no_bfloat16_inside(no_pairs):
    pytest.importorskip("jax", reason="jax is not installed").config.update("jax_enable_x64", True)
    optax = pytest.importorskip("optax", reason="optax is not installed")
    report = check_optimizer(
        OptaxPort(optax.contrib.muon), "muon", xp="jax", cases=["short-*", "cubic-wide", "usual-tall"]
    )
    assert not report.passed
    assert "bfloat16" not in str(report.diagnosis), str(report)


# --- declared -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compute", ["float32", "tf32", "float16", "bfloat16"])
@pytest.mark.parametrize("name", some(SMALL, 6))
def test_no_declared_precision_excuses_an_error_of_the_formula(name, compute):
    assert not check(SMALL[name](), compute_dtype=compute, cases=SOME, diagnosis=False).passed


@pytest.mark.parametrize("compute", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", some(SMALL_OTHERS, 5))
def test_no_declared_precision_excuses_an_error_of_another_formula(name, compute):
    optimizer, make = SMALL_OTHERS[name]
    report = check_optimizer(make(), optimizer, compute_dtype=compute, cases=FEW.get(optimizer), diagnosis=False)
    assert not report.passed


@pytest.mark.parametrize("name", [name for name in SMALL_OTHERS if name.startswith("muon")])
def test_no_declared_inner_precision_excuses_an_error_of_the_formula(name):
    given = {"inner_dtype": "bfloat16", "cases": FEW["muon"], "diagnosis": False}
    report = check_optimizer(SMALL_OTHERS[name][1](), "muon", **given)
    assert not report.passed
    assert "the errors that inner_dtype='bfloat16' excuses are no rounding" in report.failures[0].message


def test_the_failure_says_what_no_rounding_does():
    given = {"compute_dtype": "float16", "cases": ["waves-3d", "bowl-one"], "diagnosis": False}
    report = check(SMALL["steps 1 % too short"](), **given)
    assert report.failures[0].message == (
        "the errors that compute_dtype='float16' excuses are no rounding: they are 0.01 of the move at neighbouring "
        "places too"
    )
    assert report.counts["fail"] == len(report.failures) > 0


single = np.float32


def in_single(hyper):
    """Hyper-parameters that were held in float32."""
    return {
        name: float(single(value))
        if isinstance(value, float)
        else tuple(float(single(x)) for x in value)
        if isinstance(value, tuple)
        else value
        for name, value in hyper.items()
    }


class Half(RightPort):
    """All in float16: at the foot of a cliff its moves are smaller than the distance of two numbers, and are lost."""

    def __call__(self, loss, theta, **hyper):
        return super().__call__(loss, theta.astype(np.float16), **hyper).astype(theta.dtype)


RIGHT = {
    "hyper-parameters": (
        "float32",
        ball(tuned=lambda self, e, r, g, steps: (*(float(single(x)) for x in (e, r, g)), steps)),
    ),
    "rate": ("float32", ball(tuned=lambda self, e, r, g, steps: (float(single(e)), r, g, steps))),
    "height": (
        "float32",
        ball(evaluated=lambda self, theta: (float(single(self.loss(theta)[0])), self.loss(theta)[1])),
    ),
    "result": ("float16", finished(lambda self, old, new: new.astype(np.float16).astype(float))),
    "all": ("float16", Half),
    "norm": ("float32", MISTAKES["float32_norm"]),
    "sums of products": ("tf32", MISTAKES["tf32_inside"]),
    "all in bfloat16": ("bfloat16", MISTAKES["bfloat16_inside"]),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_rounding_stays_excused(name):
    compute, make = RIGHT[name]
    assert not check(make(), diagnosis=False).passed
    report = check(make(), compute_dtype=compute)
    assert report.passed, str(report)


@pytest.mark.parametrize("optimizer", sorted({"gradient-descent", "adam", "adamw", "muon", "sam", "induced-metric"}))
def test_hyper_parameters_in_float32_stay_excused(optimizer):
    port = other(optimizer, tuned=lambda self, hyper: in_single(hyper))()
    report = check_optimizer(port, optimizer, compute_dtype="float32")
    assert report.passed, str(report)


def test_a_port_that_does_not_follow_a_hyper_parameter_is_judged_where_it_is_asked():
    """One with coefficients of its own, right where they are the usual ones."""
    usual = (3.4445, -4.775, 2.0315)
    port = other("muon", tuned=tuned(coefficients=lambda _: usual))()
    port.norm = lambda x: np.float64(single(RIGHT_PORTS["muon"].norm(port, x)))
    report = check_optimizer(port, "muon", compute_dtype="float32", cases="usual-*")
    assert report.passed, str(report)


# --- what is named --------------------------------------------------------------------------------------------------


def test_advice_is_given_where_it_was_tried():
    report = check(Half())
    assert report.diagnosis.name == "float16_inside"
    assert "results are right and none is wrong; compute_dtype='float16' declares it" in report.diagnosis.evidence
    assert check(Half(), compute_dtype="float16").passed


def test_failing_and_right_steps_are_counted_by_themselves():
    evidence = check(MISTAKES["carries_center"]()).diagnosis.evidence
    assert evidence.startswith("it reproduces ")
    hits, totals = zip(
        *(
            pair.split(" of ")
            for pair in evidence.split("it reproduces ")[1]
            .split(" right")[0]
            .replace(" failing steps", "")
            .split(" and ")
        ),
        strict=True,
    )
    assert hits == totals
    assert all(int(count) > 0 for count in totals)


@pytest.mark.parametrize("part", ["normal", "tangent", "center", "candidate"])
def test_a_right_port_with_a_wrong_intermediate_is_told_which(part):
    class Talks(RightPort):
        def __call__(self, loss, theta, **hyper):
            new = super().__call__(loss, theta, **hyper)
            named = {"normal": self.nu, "tangent": self.tau, "center": self.c, "candidate": self.candidate}
            return {"theta": new} | named | {part: self.p + (named[part] - self.p) / 2}

    report = check(Talks(), cases=["waves-*", "bowl-*", "walk-2d"])
    assert report.diagnosis.name == f"{part}_handed_out"
    assert report.diagnosis.description == f"The steps are right, but the {part} that is handed out is wrong"
    assert {r.level for r in report.failures} <= {"primitives", "projection"}
