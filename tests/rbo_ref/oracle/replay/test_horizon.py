"""The horizon: a lower bound of the number of steps in which right ports agree, and not far below it."""

from __future__ import annotations

import numpy as np
import pytest

from rbo_ref import landscapes
from rbo_ref.oracle import RightPort, check_trajectory, compare_trajectories
from rbo_ref.oracle.replay.horizon import SHARE, Horizon

from .runs import HYPERS, record, theta_of
from .test_trajectory import Regrouped

DENTS = landscapes.gaussians(0.3, 60)


def run(port, hyper, steps, start=(1.5, 0.5), dtype="float64"):
    loss = DENTS.value_and_gradient
    return theta_of(record(port, loss, np.array(start, dtype=dtype), [hyper] * steps)).astype(float)


def separation(one: np.ndarray, other: np.ndarray) -> int:
    """The first step after which two runs are a hundredth of their extent apart."""
    extent = np.maximum.accumulate(np.abs(one - one[0]).max(axis=-1))
    apart = np.abs(one - other).max(axis=-1) > SHARE * extent
    return int(np.argmax(apart[1:])) + 1 if apart[1:].any() else len(one)


@pytest.mark.parametrize("radius", [1.0, 3.0, 4.0])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_right_ports_agree_up_to_the_horizon(radius, dtype):
    """Two ports that round differently, and one that starts one rounding aside."""
    hyper = dict(zip(HYPERS, (0.02, radius, 0.02, 10), strict=True))
    one = run(RightPort(), hyper, 150, dtype=dtype)
    report = check_trajectory(one.astype(dtype), DENTS, **hyper)
    other = run(Regrouped(), hyper, 150, dtype=dtype)
    aside = run(RightPort(), hyper, 150, (np.nextafter(np.dtype(dtype).type(1.5), 2), 0.5), dtype)
    apart = min(separation(one, other), separation(one, aside))
    assert report.horizon < apart or not report.horizon_reached
    if report.horizon_reached and apart < 150:
        assert report.horizon > apart / 4  # bounds of rounding are some ten times as large as rounding
    agreement = compare_trajectories(one.astype(dtype), other.astype(dtype), DENTS, **hyper).results[0]
    assert agreement.verdict == ("pass" if report.horizon else "undecidable")


def test_single_precision_parts_from_double_beyond_its_horizon():
    hyper = dict(zip(HYPERS, (0.02, 3.0, 0.02, 10), strict=True))
    double, single = run(RightPort(), hyper, 100), run(RightPort(), hyper, 100, dtype="float32")
    horizon = check_trajectory(single.astype("float32"), DENTS, **hyper).horizon
    assert 0 < horizon < separation(double, single) < 100
    assert check_trajectory(double, DENTS, **hyper).horizon > horizon


def test_a_contraction_has_no_horizon():
    hyper = dict(zip(HYPERS, (0.1, 0.5, 0.1, 5), strict=True))
    path = theta_of(record(RightPort(), landscapes.paraboloid().value_and_gradient, np.array([1.0, 2.0]), [hyper] * 60))
    report = check_trajectory(path, "paraboloid", **hyper)
    assert (report.horizon, report.horizon_reached) == (60, False)


def test_turning_does_not_widen_the_bound():
    """A rotation moves a bound of δ about, a box with fixed axes would grow by cos + sin each step."""
    angle, tolerance = 0.3, 1e-12
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    horizon, place = Horizon(np.array([1.0, 0.0]), keep=True), np.array([1.0, 0.0])
    for _ in range(200):
        place = turn @ place
        horizon.add(turn, np.full(2, tolerance), place)
    # |δ| ≤ 2 t √2 tolerance; a box about a disc is √2 larger, once more for adding boxes
    assert horizon.steps == 200
    assert horizon.bounds[-1].max() <= 4 * np.sqrt(2) * 200 * tolerance


def test_the_bound_of_a_linear_map_is_its_geometric_series():
    rate, tolerance = 1.5, 1e-10
    horizon, place = Horizon(np.zeros(1), keep=True), 1.0
    while not horizon.is_reached:
        place = -place
        horizon.add(np.array([[rate]]), np.array([tolerance]), np.array([place]))
    bounds = np.array(horizon.bounds)[:, 0]
    t = np.arange(len(bounds))
    np.testing.assert_allclose(bounds, 2 * tolerance * (rate**t - 1) / (rate - 1), rtol=1e-12)
    assert bounds[-1] <= SHARE < rate * bounds[-1] + 2 * tolerance


@pytest.mark.parametrize("what", ["derivative", "tolerance", "after"])
def test_what_is_not_finite_ends_it(what):
    arguments = {"derivative": np.eye(1), "tolerance": np.zeros(1), "after": np.ones(1)}
    horizon = Horizon(np.zeros(1))
    horizon.add(**arguments)
    horizon.add(**{**arguments, what: arguments[what] * np.nan})
    assert (horizon.steps, horizon.is_reached) == (1, True)
