"""What docs/errata.rst says of the papers and `tests/geometry/test_claims.py` does not test."""

import math
from pathlib import Path

import numpy as np
import pytest

from geometry import FunctionGraph, medial_radius, offset, project, reach, steepest_tangent, upward_normal
from rbo_ref import landscapes

ROOT = Path(__file__).parents[2]


def test_every_test_that_the_page_names_is_here():
    page = (ROOT / "docs/errata.rst").read_text("utf-8")
    named = {part for part in page.split("``") if part.startswith("test_")}
    sources = "".join(p.read_text("utf-8") for p in (Path(__file__), ROOT / "tests/geometry/test_claims.py"))
    assert len(named) > 8
    assert [name for name in named if f"def {name}(" not in sources] == []


def test_a_ridge_has_reach_one_and_stops_no_ball():
    ridge = FunctionGraph(lambda t: -np.sqrt(1 + t[..., 0] ** 2))
    assert reach(ridge, [(-3, 3)]).value == pytest.approx(1, rel=1e-12)
    np.testing.assert_array_equal(medial_radius(ridge, [[0.0], [1.5]]), math.inf)


def test_the_projected_direction_is_no_projection():
    """At c = p + ρν the gradient of the distance is ν, and ⟨ν, τ⟩ = 0; the step leaves the offset surface by O(η²)."""
    f, theta, rho = landscapes.himmelblau(), np.array([0.3, -0.7]), 0.01
    g = f.gradient(theta)
    nu, tau = upward_normal(g), steepest_tangent(g)
    assert abs(nu @ tau) <= 1e-13 * np.linalg.norm(tau)
    center = offset(f, theta, rho)
    found = project(f, center)
    np.testing.assert_allclose((center - found.point) / found.distance, nu, atol=1e-11)
    drifts = [abs(project(f, center - eta * tau).distance - rho) for eta in (1e-6, 5e-7)]
    assert drifts[0] / drifts[1] == pytest.approx(4, rel=0.02)


def test_figure_three():
    """Eq. 13: the other gradient has even the other sign at the start; γ = 0.05 is too large, and η|τ| > ρ."""
    f, k = landscapes.wrinkled(), np.arange(1, 101) ** 2.0
    found, other = f.gradient([2.0])[0], (np.cos(2 * k) / k).sum()
    assert found == pytest.approx(np.cos(2 * k).sum(), rel=1e-10)
    assert found > 1 > 0 > other
    slopes = f.gradient(np.linspace(0, 2 * np.pi, 20001)[:, None])
    steepest = np.abs(slopes).max()
    assert 99 < steepest <= 100
    assert 0.05 * (1 + steepest**2) > 2
    assert 1e-3 * np.linalg.norm(steepest_tangent(np.array([steepest]))) > 0.0316
