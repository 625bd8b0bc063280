"""Recorded runs of the other optimizers: right ones pass, wrong steps are found and named, nonsense is refused."""

from __future__ import annotations

import numpy as np
import pytest
from array_api_compat import numpy as xp

from geometry.arithmetic.formats import format_of
from rbo_ref import Adam, landscapes, trajectory
from rbo_ref.oracle import Recording, check_trajectory
from rbo_ref.oracle.calls import ServedLoss
from rbo_ref.oracle.cases import all_cases, select
from rbo_ref.oracle.catalogue import CATALOGUES as MISTAKES
from rbo_ref.oracle.catalogue import RIGHT_PORTS
from rbo_ref.oracle.formulas import FORMULAS
from rbo_ref.oracle.replay.maps import Map
from rbo_ref.oracle.replay.sequential import RecordedRun
from rbo_ref.oracle.replay.surfaces import surface_of
from rbo_ref.oracle.replay.verdict import FAIL, PASS, UNDECIDED

SOME = {
    "gradient-descent": "nesterov-saddle",
    "adam": "short-bowl",
    "adamw": "short-bowl",
    "muon": "short-tall",
    "sam": "adaptive-saddle",
    "entropy-sgd": "hot-plane",
    "induced-metric": "rms-saddle",
    "alice": "short-bowl",
    "rmsprop": None,
    "nadam": None,
    "lion": None,
}
READINGS = [(optimizer, reading) for optimizer in SOME for reading in FORMULAS[optimizer]]


def case_of(optimizer):
    """A short one."""
    return select(optimizer, SOME[optimizer])[0] if SOME[optimizer] else all_cases(optimizer)[0]


def recorded(port, case, dtype="float64", steps=None):
    """θ_0, ..., θ_T of a port that is served the loss of a case."""
    start = case.start(format_of(dtype))
    draws = {} if case.draws is None else {"draws": case.draws.astype(dtype)}
    steps = steps or case.walk
    path = port(ServedLoss(case.loss, xp, start.shape), start, iterations=steps, **case.hyper(0), **draws)
    return np.stack([start, *path])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("optimizer", "reading"), READINGS)
def test_batches_judge_as_steps_one_by_one_do(optimizer, reading, dtype):
    """In ball arithmetic, of which the errors are not followed in floats: right steps, and some off by a tolerance."""
    case, target, formula = case_of(optimizer), format_of(dtype), FORMULAS[optimizer][reading]
    path = recorded(formula(), case, dtype, steps=None if case.draws is not None else 8)
    rule = Map(surface_of(case.loss), formula, target)
    run = RecordedRun("", rule, path, case.hypers, None, case.draws)
    tolerances = [verdict.tolerances for verdict in run.one_by_one(len(path)).verdicts]
    for t, factor in zip(range(1, len(path)), (0.0, 0.9, 1.1, 0.0, 0.97, 1.03), strict=False):
        path[t] += np.asarray(factor * tolerances[t - 1], dtype=dtype)
    slow = run.one_by_one(len(path)).verdicts
    for piece, judged in run.judged():
        for i, verdict in enumerate(judged.verdict):
            true = slow[piece.first + i]
            if abs(true.ratio - 1) > 1e-2:  # to first order a tolerance may be smaller, and certain ones are larger
                expected = FAIL if true.is_wrong else PASS if true.decidable else UNDECIDED
                assert verdict == expected, piece.first + i
            if true.decidable and not formula.is_memoryless:
                error, tolerance = true.worst
                np.testing.assert_allclose(judged.tolerance[i], tolerance, rtol=1e-9)
                np.testing.assert_allclose(judged.error[i], error, rtol=0, atol=2.0**-10 * tolerance)


def judged(path, case, **options):
    draws = {} if case.draws is None else {"draws": case.draws}
    return check_trajectory(path, case.loss, optimizer=case.optimizer, **case.hyper(0), **draws, **options)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("optimizer", SOME)
def test_right_runs_pass_and_a_wrong_step_is_found(optimizer, dtype):
    case = case_of(optimizer)
    path = recorded(RIGHT_PORTS[optimizer](), case, dtype)
    report = judged(path, case)
    assert report.passed, str(report)
    assert report.counts["pass"] == report.steps == case.walk
    assert report.port == f"recording as {optimizer}"
    broken = path.copy()
    broken[-1] += 2e4 * np.finfo(dtype).eps * np.abs(path).max()
    report = judged(broken, case, diagnosis=False)
    assert report.first_wrong == case.walk - 1
    assert report.counts["fail"] == 1
    assert f"step {case.walk - 1} is wrong: off by " in report.failures[0].message


@pytest.mark.parametrize(("optimizer", "name"), [("adam", "correction_missing"), ("sam", "ascent")])
def test_the_mistake_of_a_run_is_named(optimizer, name):
    (case,) = select(optimizer, SOME[optimizer])
    report = judged(recorded(MISTAKES[optimizer][name](), case), case)
    assert report.diagnosis.name == name


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_an_optimizer_that_evaluates_a_landscape_is_allowed_the_rounding_of_its_formula(dtype):
    hyper = {"learning_rate": 0.05, "betas": (0.9, 0.99), "epsilon": 1e-8}
    surface = landscapes.himmelblau()
    start = np.array([1.0, -0.5], dtype=dtype)
    theta = trajectory(Adam(**hyper), surface, start, 40).theta
    report = check_trajectory(theta, "himmelblau", optimizer="adam", **hyper)
    assert report.counts["fail"] == 0, str(report)
    assert report.counts["pass"] >= 38
    theta[20] *= 1 + 1e-4
    assert check_trajectory(theta, surface, optimizer="adam", diagnosis=False, **hyper).first_wrong == 19


def test_rates_may_change_from_step_to_step():
    (case,) = select("gradient-descent", "momentum-waves3")
    rates, path, v = np.linspace(0.1, 0.02, 5), [np.array(case.theta)], 0
    served = ServedLoss(case.loss, xp, path[0].shape)
    for rate in rates:
        v = 0.9 * v + served(path[-1])[1]
        path.append(path[-1] - rate * v)
    hyper = {"learning_rate": rates, "momentum": 0.9}
    assert check_trajectory(np.stack(path), case.loss, optimizer="gradient-descent", **hyper).passed
    told = Recording(np.stack(path), optimizer="gradient-descent", **hyper)
    assert check_trajectory(told, case.loss).passed
    late = hyper | {"learning_rate": np.roll(rates, 1)}
    report = check_trajectory(np.stack(path), case.loss, optimizer="gradient-descent", diagnosis=False, **late)
    assert report.first_wrong == 0


def test_a_recording_may_say_all_of_itself():
    (case,) = select("adam", "short-bowl")
    path = recorded(RIGHT_PORTS["adam"](), case)
    told = Recording(path, optimizer="adam", **case.hyper(0))
    assert check_trajectory(told, case.loss).passed
    assert not check_trajectory(told, case.loss, learning_rate=0.5, diagnosis=False).passed


def test_a_recording_may_say_its_reading():
    (case,) = select("adam", "short-bowl")
    told = Recording(recorded(FORMULAS["adam"]["tensorflow"](), case), optimizer="adam", **case.hyper(0))
    assert not check_trajectory(told, case.loss, diagnosis=False).passed
    told.metadata["dialect"] = "tensorflow"
    assert check_trajectory(told, case.loss).dialect == "tensorflow"
    assert check_trajectory(told, case.loss).passed


def test_no_mistake_is_looked_for_late_in_a_run():
    theta = 0.875 ** np.arange(80.0)[:, None]
    theta[70:] *= 1.01
    report = check_trajectory(theta, "paraboloid", optimizer="gradient-descent", learning_rate=0.125, momentum=0.0)
    assert (report.first_wrong, report.diagnosis, len(report.notes)) == (69, None, 1)


def test_matrices_are_parameters():
    (case,) = select("muon", "short-wide")
    path = recorded(RIGHT_PORTS["muon"](), case)
    assert path.shape[1:] == (2, 4)
    assert judged(path, case).passed
    assert not judged(path, case, dialect="match_rms_adamw", diagnosis=False).passed


def test_a_run_that_ends_in_infinity_is_wrong_there():
    (case,) = select("sam", "wide-bowl")
    path = recorded(RIGHT_PORTS["sam"](), case)
    path[3:] = np.nan
    report = judged(path, case, diagnosis=False)
    assert report.counts == {"pass": 2, "fail": 1, "undecidable": 0, "skipped": 1, "steps": 4}


PLANE = {"optimizer": "gradient-descent", "learning_rate": 0.5, "momentum": 0.0}


@pytest.mark.parametrize(
    ("theta", "arguments", "error", "sentence"),
    [
        ([[3.0, -2.0], [2.0, 1.0]], {"optimizer": "adan"}, ValueError, "optimizer must be one of rolling-ball"),
        ([[3.0, -2.0], [2.0, 1.0]], {"optimizer": "adam"}, ValueError, "betas, epsilon|learning_rate.* must be given"),
        ([[3.0, -2.0], [2.0, 1.0]], PLANE | {"betas": (0.5, 0.5)}, TypeError, "gradient-descent has no betas, but"),
        ([[3.0, -2.0]], PLANE, ValueError, r"theta must hold θ_0, ..., θ_T"),
        ([[3.0, -2.0], [2.0, 1.0]], PLANE | {"learning_rate": [0.5, 0.25]}, ValueError, "one number for each of the 1"),
        ([[3.0, -2.0], [2.0, 1.0]], PLANE | {"learning_rate": "fast"}, ValueError, "learning_rate must be float"),
        ([[3.0, -2.0], [2.0, 1.0]], {"betas": (0.5, 0.5)}, TypeError, "the rolling ball has no betas"),
    ],
)
def test_nonsense_is_refused(theta, arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        check_trajectory(theta, "plane", **arguments)


def test_without_a_loss_nothing_is_known():
    with pytest.raises(ValueError, match="does not say its loss"):
        check_trajectory([[3.0, -2.0], [2.0, 1.0]], **PLANE)
