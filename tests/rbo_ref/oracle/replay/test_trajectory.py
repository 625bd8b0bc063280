"""Verdicts on recorded runs: right ports pass however chaotic their orbits, of wrong ones the first step is named."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geometry import Descent, FunctionGraph
from rbo_ref import RollingBall, landscapes, trajectory
from rbo_ref.oracle import DIALECTS, MISTAKES, Recording, RightPort, check_trajectory
from rbo_ref.oracle.replay import trajectory as module
from rbo_ref.oracle.replay.maps import Map

from .runs import CASES, HYPERS, record, record_case, theta_of

QUIET = {"diagnosis": False}
ONE_STEP = dict(zip(HYPERS, (0.1, 0.5, 0.1, 5), strict=True))


class Regrouped(RightPort):
    """The same algorithm with other sums: x + (y − x), products in another order, a norm by `hypot`."""

    def stretch(self, g):
        return self.xp.sqrt((g * g)[::-1].sum() + 1)

    def descended(self, theta, pull, k):
        return theta + ((theta - self.gamma * pull) - theta)

    def pull(self, theta):
        f, g = self.loss(theta)
        return g * (f - self.candidate[-1]) - (self.candidate[:-1] - theta)


def read_as(dialect: str) -> RightPort:
    """A right port of a dialect."""
    reading = DIALECTS[dialect]

    class Read(RightPort):
        def tuned(self, eta, rho, gamma, steps):
            return eta, rho, gamma * reading.factor, steps

        def start(self):
            return self.candidate[:-1] if reading.start == "candidate" else self.theta

    return Read()


# Right ports.


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("port", [RightPort, Regrouped])
def test_right_ports_pass(port, dtype):
    passed = 0
    for case in CASES.values():
        if case.dimension > 10:
            continue
        report = check_trajectory(record_case(port(), case, 4, dtype), case.loss, **QUIET)
        assert report.counts["fail"] == 0, (case.id, str(report))
        assert report.counts["steps"] == 4
        assert report.passed == (report.counts["pass"] > 0)
        passed += report.passed
    assert passed >= 30


@pytest.mark.parametrize("dialect", DIALECTS)
def test_right_ports_pass_in_their_own_dialect_only(dialect):
    recording = record_case(read_as(dialect), CASES["waves-3d"], 4)
    for claimed in DIALECTS:
        report = check_trajectory(recording, "waves-3d", dialect=claimed, **QUIET)
        assert report.passed == (claimed == dialect)


def test_another_reading_of_the_paper_is_diagnosed():
    report = check_trajectory(record_case(read_as("full-contact"), CASES["waves-3d"], 2), "waves-3d")
    assert report.diagnosis.name == "dialect-full-contact"


@settings(max_examples=15)
@given(
    start=st.tuples(st.floats(-2, 2), st.floats(-2, 2)),
    rates=st.tuples(st.floats(1e-4, 0.5), st.floats(0, 5), st.floats(1e-4, 0.3)),
    count=st.integers(0, 6),
    dtype=st.sampled_from(["float32", "float64"]),
    name=st.sampled_from(["himmelblau", "rastrigin", "ackley", "paraboloid", "gaussian_well", "rosenbrock"]),
)
def test_ports_that_evaluate_a_landscape_pass(start, rates, count, dtype, name):
    """In stable and in unstable regimes, to infinity and beyond."""
    hyper = dict(zip(HYPERS, (*rates, count), strict=True))
    surface = landscapes.LANDSCAPES[name]()
    recording = record(Regrouped(), surface.value_and_gradient, np.array(start, dtype=dtype), [hyper] * 4)
    assert check_trajectory(recording, name, **QUIET).counts["fail"] == 0


@pytest.mark.parametrize("radius", [0.1, 1.0])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_chaos_of_the_paper_is_not_held_against_a_port(dtype, radius):
    """Eq. 13 with the paper's rates: the inner loop forgets all digits; its iterations can be judged all the same."""
    case = CASES["eq13-paper"]
    hyper = {**case.hyper(0), "radius": radius}
    from array_api_compat import numpy as xp

    from rbo_ref.oracle.calls import ServedLoss

    loss, start = ServedLoss(case.loss, xp, (1,)), np.array([2.0], dtype=dtype)
    right = record(RightPort(), loss, start, [hyper] * 3, inner=True)
    assert check_trajectory(theta_of(right), case.loss, **hyper).counts["undecidable"] == 3
    for known in (case.loss, None):
        assert check_trajectory(right, known).counts["pass"] == 3
    wrong = record(MISTAKES["stale_gradient"](), loss, start, [hyper] * 3, inner=True)
    for known in (case.loss, None):
        report = check_trajectory(wrong, known, **QUIET)
        assert report.first_wrong == 0
        assert "inner iterate 1" in report.failures[0].message or "inner iterate 2" in report.failures[0].message


def test_the_reference_passes_on_a_chaotic_landscape():
    surface = landscapes.gaussians(0.3, 40)
    hyper = dict(zip(HYPERS, (0.02, 3.0, 0.02, 10), strict=True))
    path = trajectory(RollingBall(0.02, 3.0, Descent(0.02, 10)), surface, [1.5, 0.5], 150)
    report = check_trajectory(path.theta, surface, **hyper)
    assert report.counts["pass"] == 150
    assert report.horizon_reached


# Wrong ports.


@pytest.mark.parametrize("name", ["ascent", "tangent_unit", "one_step_too_many", "normal_missing_one", "stale_height"])
def test_wrong_ports_are_named(name):
    report = check_trajectory(record_case(MISTAKES[name](), CASES["waves-3d"], 6), "waves-3d")
    assert report.first_wrong == 0
    assert report.counts["fail"] == 6
    assert len(report.failures) == 5
    known = {report.diagnosis.name, *report.diagnosis.evidence.partition("cannot be told apart from ")[2].split(", ")}
    assert name in known


@pytest.mark.parametrize("name", ["schedule_late", "radius_late", "hyperparameters_frozen", "carries_momentum"])
def test_mistakes_of_memory_show_in_the_second_step(name):
    report = check_trajectory(record_case(MISTAKES[name](), CASES["schedule-3d"], 6), CASES["schedule-3d"].loss)
    assert report.first_wrong == 1
    assert name in f"{report.diagnosis.name} {report.diagnosis.evidence}"


@settings(max_examples=8)
@given(step=st.integers(1, 299), ulps=st.sampled_from([-(2**12), 2**12, 2**30]), entry=st.integers(0, 2))
def test_the_one_wrong_step_is_named(step, ulps, entry):
    recording = _quiet_run()
    theta = theta_of(recording).copy()
    theta[step:, entry] += ulps * np.spacing(np.abs(theta).max())
    hyper = CASES["waves-3d"].hyper(0)
    report = check_trajectory(theta[: step + 1], "waves-3d", **hyper, **QUIET)
    assert report.first_wrong == step - 1
    assert report.counts["fail"] == 1
    assert report.failures[0].id == f"step {step - 1}"


_RUN = []


def _quiet_run() -> Recording:
    if not _RUN:
        surface = module.surface_of("waves-3d").graph
        hyper = CASES["waves-3d"].hyper(0)
        _RUN.append(record(RightPort(), surface.value_and_gradient, np.array(CASES["waves-3d"].theta), [hyper] * 300))
    return _RUN[0]


def test_a_step_into_infinity_is_wrong_where_a_right_port_stays():
    theta = theta_of(_quiet_run())[:20].copy()
    theta[7:] = np.nan
    report = check_trajectory(theta, "waves-3d", **CASES["waves-3d"].hyper(0), **QUIET)
    assert report.counts == {"pass": 6, "fail": 1, "undecidable": 0, "skipped": 12, "steps": 19}
    assert report.first_wrong == 6


def test_wrong_inner_iterates_are_numbered():
    recording = record_case(RightPort(), CASES["waves-3d"], 5, inner=True)
    rows = next(iter(recording.rows(100)))
    for broken in (0, 4, 8):
        fields = {name: array[:-1].copy() for name, array in rows.items() if name != "theta"}
        fields["inner"][3, broken, 1] += 1e-9
        for loss in ("waves-3d", None):
            report = check_trajectory(Recording(rows["theta"], **fields), loss, **QUIET)
            assert report.first_wrong == 3
            assert f"from inner iterate {broken} on" in report.failures[0].message


@pytest.mark.parametrize("dialect", ["half-candidate", "full-candidate"])
def test_iterates_may_start_at_the_candidate(dialect):
    right = record_case(read_as(dialect), CASES["waves-3d"], 4, inner=True)
    for loss in ("waves-3d", None):
        assert check_trajectory(right, loss, dialect=dialect).counts["pass"] == 4
        report = check_trajectory(right, loss, **QUIET)
        assert report.counts["fail"] == 4
        assert "from inner iterate 0 on" in report.failures[0].message


def test_a_run_on_any_function_is_judged_by_what_the_port_was_told():
    """No loss, no Hessian: a small network, with its values in float32."""
    random = np.random.default_rng(0)
    weights, targets = random.normal(size=(30, 5)).astype(np.float32), random.normal(size=30).astype(np.float32)

    def loss(theta):
        inside = np.tanh(weights @ theta)
        return np.mean((inside - targets) ** 2), weights.T @ (2 * (inside - targets) * (1 - inside**2)) / np.float32(30)

    hyper = dict(zip(HYPERS, (0.1, 1.0, 0.05, 4), strict=True))
    start = random.normal(size=5).astype(np.float32)
    assert check_trajectory(record(Regrouped(), loss, start, [hyper] * 20, inner=True)).counts["pass"] == 20
    for name in ("tangent_height_unsquared", "tangent_without_height", "normal_flipped"):
        wrong = record(MISTAKES[name](), loss, start, [hyper] * 3, inner=True)
        assert check_trajectory(wrong).counts["fail"] == 3, name


# The fast judge and the slow one.


def test_what_floats_cannot_decide_is_decided_in_balls(monkeypatch):
    """As on machines whose long double is a double: with much doubt, a step goes to the slow judge."""
    recordings = [record_case(port(), CASES["waves-3d"], 3) for port in (RightPort, MISTAKES["ascent"])]
    fast = [check_trajectory(recording, "waves-3d", **QUIET) for recording in recordings]
    images = Map.images

    def doubtful(self, *told):
        found = images(self, *told)
        return found._replace(doubt=1e9 * found.first, theta=found.theta + found.first / 2)

    monkeypatch.setattr(Map, "images", doubtful)
    slow = [check_trajectory(recording, "waves-3d", **QUIET) for recording in recordings]
    for one, other in zip(fast, slow, strict=True):
        assert one.counts == other.counts
        for a, b in zip(one.results, other.results, strict=True):
            assert a.id == b.id
            assert a.error == pytest.approx(b.error, rel=0.05, abs=1e-18)


# Arguments.


def by_hand(theta):
    return np.reshape([np.sin(float(t)) for t in theta.reshape(-1)], theta.shape[:-1])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"theta": [1.0, 2.0]}, ValueError, r"theta must have shape \(steps, d\)"),
        ({"theta": [[1.0], [2.0, 3.0]]}, ValueError, "ragged"),
        ({"theta": [["a"], ["b"]]}, ValueError, "theta must hold real numbers"),
        ({"theta": [[1.0, 2.0]] * 2}, ValueError, "does not take theta of 2 entries"),
        ({"theta": np.zeros((2, 3000)), "loss": "paraboloid"}, ValueError, "at most 2000"),
        ({"loss": "nowhere"}, ValueError, "nothing is called 'nowhere'"),
        ({"loss": 3}, TypeError, "loss must be a landscape"),
        ({"loss": FunctionGraph(np.sin)}, ValueError, r"must return shape \(1,\)"),
        ({"loss": FunctionGraph(by_hand)}, ValueError, "was given no gradient, .*a recorded number.*gradient=..."),
        (
            {"loss": FunctionGraph(by_hand, np.cos)},
            ValueError,
            "was given no hessian, .*a recorded number.*hessian=...",
        ),
        ({"loss": None}, ValueError, "without a loss"),
        ({"radius": None}, ValueError, "does not say its radius: give it"),
        ({"radius": -1.0}, ValueError, "radius must be finite and not negative, got -1.0 in step 0"),
        ({"learning_rate": np.inf}, ValueError, "learning_rate must be finite, got inf"),
        ({"projection_rate": [0.1, 0.2, 0.3]}, ValueError, None),
        ({"projection_rate": []}, ValueError, "one number for each step"),
        ({"projection_rate": "fast"}, ValueError, "projection_rate must be a real number"),
        ({"projection_steps": 10**400}, ValueError, "projection_steps must be a real number"),
        ({"projection_steps": 1.5}, ValueError, "projection_steps must be integers"),
        ({"projection_steps": 10**9}, ValueError, "at most 10000"),
        ({"dialect": "klingon"}, ValueError, "dialect must be one of"),
        ({"dtype": "int8"}, (TypeError, ValueError), "dtype must be"),
        ({"theta": "no/such/file.npz"}, ValueError, "No such file"),
    ],
)
def test_wrong_arguments_are_explained(change, error, message):
    arguments = {"theta": [[0.5], [0.25]], "loss": "sine", **ONE_STEP, **change}
    if message is None:  # more hyper-parameters than steps are as good as enough
        check_trajectory(**arguments, **QUIET)
        return
    with pytest.raises(error, match=message):
        check_trajectory(**arguments)


def test_hyper_parameters_may_be_a_schedule():
    case = CASES["schedule-1d"]
    recording = record_case(RightPort(), case, 6)
    rates = [case.hyper(t).values() for t in range(6)]
    columns = {name: np.array(column) for name, column in zip(HYPERS, zip(*rates, strict=True), strict=True)}
    assert check_trajectory(theta_of(recording), case.loss, **columns).passed
    assert check_trajectory(recording, case.loss, radius=columns["radius"][::-1], **QUIET).first_wrong == 0


def test_the_report_is_for_people_and_machines():
    report = check_trajectory(record_case(MISTAKES["ascent"](), CASES["waves-3d"], 4), "waves-3d")
    text = str(report)
    for part in ("WRONG: recording", "diagnosis: ascent", "0 pass, 4 fail", "FAIL step 0", "times the tolerance"):
        assert part in text
    machine = json.loads(report.to_json())
    assert (machine["passed"], machine["steps"], machine["first_wrong"]) == (False, 4, 0)
    done = []
    assert check_trajectory(_quiet_run(), "waves-3d", progress=done.append).steps == done[-1] == 300
