"""Published figures, and exact values of sets that no graph is: ovals, curves in space, manifolds of matrices.

The published figures are those of the examples to "Computing geometric feature sizes for algebraic manifolds" (S. Di
Rocco, P. Edwards, D. Eklund, O. Gäfvert, J. Hauenstein 2022). A k-bottleneck is a ball with nothing of the set inside,
that touches it at k points with the centre in their convex hull; the weak feature size is the least radius of one.
"""

from __future__ import annotations

import itertools
import math

import mpmath
import numpy as np
import pytest

from geometry import (
    FunctionGraph,
    MultiStart,
    bottleneck,
    distance,
    medial_radius,
    offset_function,
    project,
    reach,
    reach_from_points,
)
from geometry.certified import distance as certified_distance
from geometry.certified import footpoint as certified_footpoint
from tests.geometry import curves, surfaces


def touched(surface, center, count, n):
    """The different nearest points of a level set from many starts, and their distances."""
    starts = center + np.random.default_rng(0).normal(size=(200, n))
    feet = project(surface, np.broadcast_to(center, starts.shape), start=starts)
    near = np.flatnonzero(feet.converged & (feet.distance < feet.distance.min() + 1e-6))
    different = np.unique(np.round(feet.point[near], 5), axis=0, return_index=True)[1]
    assert len(different) == count
    return feet.point[near[different]], feet.distance[near[different]]


def hull_holds(center, points):
    """Whether a point is in the interior of the simplex of others, up to 1e-6."""
    system = np.concatenate([np.transpose(points), np.ones((1, len(points)))])
    weights = np.linalg.lstsq(system, np.append(center, 1), rcond=None)[0]
    return np.allclose(system @ weights, np.append(center, 1), atol=1e-6) and (weights > 0).all()


# The Cassini oval |z³ − 1|² = 2.

WAIST, TIP = np.cbrt(math.sqrt(2) - 1), np.cbrt(math.sqrt(2) + 1)


def test_weak_feature_size_of_the_cassini_oval():
    """Published 0.7454321246472561: the circle around the origin that touches its three waists, r³ = √2 − 1."""
    assert pytest.approx(0.7454321246472561, rel=1e-15) == WAIST
    oval = curves.cassini(3)
    feet, radii = touched(oval, np.zeros(2), 3, 2)
    np.testing.assert_allclose(radii, WAIST, rtol=1e-14)
    assert hull_holds(np.zeros(2), feet)
    assert distance(oval, [0.0, 0.0], MultiStart(starts=24)) == pytest.approx(WAIST, rel=1e-14)
    angle = np.array([math.pi / 3, math.pi])
    waists = WAIST * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    np.testing.assert_allclose(medial_radius(oval, waists, side="below"), WAIST, rtol=1e-9)


def test_reach_and_bottleneck_of_the_cassini_oval():
    """Its tips bend most: with z(φ) = (1 + √2 exp iφ)^(1/3), κ = Im(z̄′z″)/|z′|³ is w^(2/3)(3/√2 − 2/w), w = 1 + √2."""
    with mpmath.workdps(30):
        turns = [(1 + mpmath.sqrt(2) * mpmath.expj(t)) for t in mpmath.linspace(0, mpmath.pi, 181)]
        bends = []
        for w in turns:
            first, second = 1j * (w - 1), 1 - w
            z1 = w ** (-mpmath.mpf(2) / 3) * first / 3
            z2 = w ** (-mpmath.mpf(2) / 3) * (second - 2 * first**2 / (3 * w)) / 3
            bends.append(float((mpmath.conj(z1) * z2).imag / abs(z1) ** 3))
    w = 1 + math.sqrt(2)
    extreme = w ** (2 / 3) * (3 / math.sqrt(2) - 2 / w)
    assert max(map(abs, bends)) == pytest.approx(extreme, rel=1e-14)
    found = reach(curves.cassini(3), [(-2, 2)] * 2)
    assert float(found.value) == pytest.approx(1 / extreme, rel=1e-11)
    assert found.side == "below"
    # From a waist to the tip across; where the lobes narrow there are shorter pairs, and no bottleneck.
    neck = bottleneck(curves.cassini(3), [(-2, 2)] * 2)
    assert neck.radius == pytest.approx((WAIST + TIP) / 2, rel=1e-12)


# The quartic surface.


@pytest.mark.parametrize(
    ("center", "radius"),
    [
        ([-0.439088360904469, -0.10204060426369, 0.0], 0.6352420284771654),
        ([1.31961917237036, 0.0275460600155, 0.0], 0.7819130733153),
    ],
)
def test_three_bottlenecks_of_the_quartic_surface(center, radius):
    """The smaller one is the published 0.6352420284771654; both centres are published."""
    feet, radii = touched(curves.quartic_surface(), np.array(center), 3, 3)
    np.testing.assert_allclose(radii, radius, rtol=1e-12)  # as far as the centre is known
    assert hull_holds(center, feet)


def test_the_bottleneck_of_the_quartic_surface():
    """There is one, in the plane of symmetry: a bottleneck of the curve q(x, y) = 0, solved for by mpmath."""

    def q(x, y):
        return (
            -3 + 4 * y + 8 * y**2 - 6 * y**3 + 7 * y**4 + 8 * x - 5 * x * y - 8 * x * y**2
            - 4 * x**2 + 2 * x**2 * y - 8 * x**3 + 4 * x**4
        )  # fmt: skip

    def conditions(a, b, c, d):
        slopes = [(mpmath.diff(q, at, (1, 0)), mpmath.diff(q, at, (0, 1))) for at in ((a, b), (c, d))]
        return [q(a, b), q(c, d), *((c - a) * gy - (d - b) * gx for gx, gy in slopes)]

    with mpmath.workdps(30):
        a, b, c, d = mpmath.findroot(conditions, (0.471, -0.451, 0.44, 0.257))
        exact = float(mpmath.hypot(c - a, d - b) / 2)
    neck = bottleneck(curves.quartic_surface(), [(-3, 4)] * 3)
    assert neck.radius == pytest.approx(exact, rel=1e-12)
    # Smaller still is a radius of curvature, outside of that plane.
    found = reach(curves.quartic_surface(), [(-3, 4)] * 3, samples=4096)
    assert float(found.value) < exact
    x = curves.quartic_surface().point(np.asarray(found.theta) + 0.02 * np.random.default_rng(0).normal(size=(300, 3)))
    federer = reach_from_points(x, normals=curves.quartic_surface().normal(x))
    assert float(found.value) * (1 - 1e-9) <= federer <= 1.05 * float(found.value)


# The curve in which a torus (R = 3/2, r = 1) and Clebsch's cubic surface meet. Curves in space are no level sets.


def equations(p):
    square, total = np.sum(p**2, axis=-1), np.sum(p, axis=-1) + 1
    torus = (1.25 + square) ** 2 - 9 * (p[..., 0] ** 2 + p[..., 1] ** 2)
    return np.stack([torus, np.sum(p**3, axis=-1) + 1 - total**3], axis=-1)


def normals_of(p):
    """The gradients of both equations, (..., 2, 3)."""
    square, total = np.sum(p**2, axis=-1, keepdims=True), np.sum(p, axis=-1, keepdims=True) + 1
    return np.stack([4 * (1.25 + square) * p - 18 * p * [1, 1, 0], 3 * p**2 - 3 * total**2], axis=-2)


def tangents_of(p):
    rows = normals_of(p)
    tangent = np.cross(rows[..., 0, :], rows[..., 1, :])
    return tangent / np.linalg.norm(tangent, axis=-1, keepdims=True)


def newton(function, x, steps):
    """Steps to a zero of a function of vectors, with its Jacobian by complex differences."""
    for _ in range(steps):
        columns = [function(x + 1e-30j * one).imag / 1e-30 for one in np.eye(x.shape[-1])]
        jacobian = np.stack(columns, axis=-1)
        x = x - np.einsum("...ij,...j->...i", np.linalg.pinv(jacobian), function(x))
    return x


def samples_of_the_curve(count):
    p = newton(equations, np.random.default_rng(0).uniform(-2.6, 2.6, (count, 3)), 40)
    return p[np.abs(equations(p)).max(axis=-1) < 1e-10]


def bottleneck_of_the_curve(points):
    """The k-bottleneck near k points: its centre Σ wᵢpᵢ, the weights wᵢ, and the points pᵢ that it touches."""
    k = len(points)

    def parts(x):
        p, w = x[k - 1 :].reshape(k, 3), np.append(x[: k - 1], 1 - np.sum(x[: k - 1]))
        return w @ p, w, p

    def conditions(x):
        c, _, p = parts(x)
        rows, square = normals_of(p), np.sum((p - c) ** 2, axis=-1)
        along = np.sum(np.cross(rows[:, 0], rows[:, 1]) * (p - c), axis=-1)
        return np.concatenate([equations(p).ravel(), along, square[1:] - square[0]])

    x = newton(conditions, np.append(np.full(k - 1, 1 / k), points), 20)
    assert np.abs(conditions(x)).max() < 1e-11
    return parts(x)


PAIR = [[-0.8138, 0.507, -0.8409], [-0.0899, 0.6258, -0.4969]]
BOTTLENECKS = [
    (PAIR, 0.40512508974717),
    ([[-0.998, -0.998, 0.9961], [-0.7702, 0.038, 0.6847], [0.038, -0.7702, 0.6847]], 0.6457575),
    ([[-0.8742, 0.1256, -0.7871], [0.1256, -0.8742, -0.7871], [-0.2083, 0.4897, -0.2515]], 0.7720770556102096),
]


@pytest.mark.parametrize(("points", "radius"), BOTTLENECKS)
def test_bottlenecks_of_the_torus_and_clebschs_cubic(points, radius):
    """The published figure, 0.7720770556102096, is the radius of one of order three. There are smaller ones."""
    center, weights, touches = bottleneck_of_the_curve(np.array(points))
    radii = np.linalg.norm(touches - center, axis=-1)
    np.testing.assert_allclose(radii, radius, rtol=1e-12 if radius != 0.6457575 else 1e-7)
    assert (weights > 0).all()
    away = np.linalg.norm(samples_of_the_curve(6000) - center, axis=-1)
    assert away.min() > radii[0] * (1 - 1e-12)


def test_reach_of_the_torus_and_clebschs_cubic():
    """No pair has a smaller quotient than the radius of curvature and the bottleneck; some have about that."""
    c, _, touches = bottleneck_of_the_curve(np.array(PAIR))
    pair = reach_from_points(touches, normals=normals_of(touches))
    assert pair == pytest.approx(np.linalg.norm(touches[0] - c), rel=1e-13)
    p = samples_of_the_curve(4000)
    h = 1e-4
    ahead, behind = (newton(equations, p + side * h * tangents_of(p), 6) for side in (1, -1))
    step = np.linalg.norm(ahead - behind, axis=-1)
    turn = tangents_of(ahead) - tangents_of(behind)
    bend = np.linalg.norm(turn, axis=-1) / step  # to h² times third derivatives
    exact = min(1 / bend.max(), pair)
    around = newton(
        equations, p[np.argmax(bend)] + np.linspace(-0.02, 0.02, 41)[:, None] * tangents_of(p)[np.argmax(bend)], 20
    )
    points = np.concatenate([p[:1500], around, touches])
    federer = reach_from_points(points, normals=normals_of(points))
    assert exact * (1 - 1e-2) <= federer <= exact * (1 + 1e-2)


# Manifolds of matrices, with the Frobenius norm: reach 1 of O(n) and of the Stiefel manifolds, 1/√2 of projectors.


def orthonormal(rng, count, n, k):
    return np.linalg.qr(rng.normal(size=(count, n, n)))[0][..., :k]


def symmetric_basis(k):
    units = np.eye(k * k).reshape(k, k, k, k)
    return np.stack([units[i, j] + units[j, i] for i, j in itertools.combinations_with_replacement(range(k), 2)])


@pytest.mark.parametrize(("n", "k"), [(2, 2), (3, 3), (4, 2), (5, 1)])
def test_reach_of_stiefel_manifolds(n, k):
    """The normal space at V is {VS: S symmetric}. V and V with one column turned round are a bottleneck of radius 1."""
    v = orthonormal(np.random.default_rng(n), 60, n, k)
    turned = v * np.append(np.ones(k - 1), -1)
    v = np.concatenate([v, turned])
    normals = (v[:, None] @ symmetric_basis(k)).reshape(len(v), -1, n * k)
    assert reach_from_points(v[:60].reshape(60, -1), normals=normals[:60]) >= 1 - 1e-13
    assert reach_from_points(v.reshape(len(v), -1), normals=normals) == pytest.approx(1, rel=1e-13)


@pytest.mark.parametrize(("n", "k"), [(2, 1), (4, 2), (5, 2)])
def test_reach_of_grassmann_manifolds(n, k):
    """Projectors of rank k: the normal space of the symmetric matrices at P is what commutes with P.

    P and the projector with one direction replaced by one across are a bottleneck, √2 apart.
    """
    q = orthonormal(np.random.default_rng(n), 50, n, n)
    exchanged = q[..., [*range(1, k + 1), 0, *range(k + 1, n)]]
    frames = np.concatenate([q, exchanged])
    projectors = frames[..., :k] @ np.swapaxes(frames[..., :k], -1, -2)
    basis = [s for s in symmetric_basis(n) if not s[:k, k:].any()]  # block diagonal
    normals = frames[:, None] @ np.stack(basis) @ np.swapaxes(frames, -1, -2)[:, None]
    flat, normals = projectors.reshape(len(frames), -1), normals.reshape(len(frames), len(basis), -1)
    assert reach_from_points(flat[:50], normals=normals[:50]) >= math.sqrt(0.5) * (1 - 1e-13)
    assert reach_from_points(flat, normals=normals) == pytest.approx(math.sqrt(0.5), rel=1e-13)


# Single figures of distances and offsets.


def test_five_stationary_points_of_the_double_well():
    """(0.1, 1.5) over (x² − 1)²: the roots of an exact polynomial say θ = 0.03325991041208, d² = 0.256670348605045."""
    flint = pytest.importorskip("flint")
    # (t − 1/10) + ((t² − 1)² − 3/2)·4t(t² − 1), times 10
    t = flint.fmpz_poly([0, 1])
    well = (t**2 - 1) ** 2
    roots = (10 * t - 1 + 5 * (2 * well - 3) * 4 * t * (t**2 - 1)).complex_roots()
    real = [float(root.real) for root, _ in roots if root.imag == 0]
    assert len(real) == 5
    squares = [(r - 0.1) ** 2 + ((r * r - 1) ** 2 - 1.5) ** 2 for r in real]
    best = int(np.argmin(squares))
    assert real[best] == pytest.approx(0.0332599104120858, rel=1e-12)
    assert squares[best] == pytest.approx(0.256670348605045, rel=1e-14)
    found = certified_footpoint(surfaces.double_well(), [0.1, 1.5], tolerance=1e-10)
    assert found.unique.tolist() == [True]
    assert found.lower[0, 0] <= real[best] <= found.upper[0, 0]
    assert math.sqrt(squares[best]) in found.distance
    assert project(surfaces.double_well(), [0.1, 1.5]).theta[0] == pytest.approx(real[best], abs=1e-10)


def test_the_cubic_of_libigl():
    """The Bézier curve (0,0), (1,2), (2,−2), (3,0) is a graph over [0, 3]; squared distances 0, 1/2 and 5/4."""

    def value(theta):
        t = theta[..., 0] / 3
        return 6 * t * (1 - t) * (1 - 2 * t) + 0 * (theta[..., 0] * (3 - theta[..., 0])) ** 0.5

    found = certified_distance(FunctionGraph(value), [[1.5, 0.0], [2.0, 0.5], [2.5, 1.0]], tolerance=1e-6)
    exact = np.sqrt([0, 0.5, 1.25])
    assert ((found.lower <= exact) & (exact <= found.upper)).all()
    assert found.closed.all()


@pytest.mark.parametrize("rho", [0.3, 1.0, 2.5])
def test_over_the_bottom_of_an_anisotropic_paraboloid(rho):
    """max(ρ, (λρ² + 1/λ)/2) for the largest eigenvalue λ: the steepest direction decides."""
    a = np.array([[1.3, 0.4, 0.1], [0.4, 0.8, -0.2], [0.1, -0.2, 0.5]])
    bowl = FunctionGraph(lambda t: np.sum(t * (t @ a), axis=-1) / 2, lambda t: t @ a, lambda t: a + 0 * t[..., None])
    steepest = np.linalg.eigvalsh(a)[-1]
    exact = rho if rho * steepest <= 1 else (steepest * rho**2 + 1 / steepest) / 2
    assert offset_function(bowl, np.zeros(3), rho) == pytest.approx(exact, abs=1e-9)


SINE = {1.5: 1.92084985581264225, 3: 1.34769520375891753, 5: 0.868529054387585614, 30: 0.159580116133504938,
        100: 0.0488710952180324313}  # fmt: skip


@pytest.mark.parametrize("rho", SINE)
def test_what_a_ball_leaves_of_a_sine(rho):
    """Δ(ρ) = 1 + ρ − f_ρ(−π/2), from the root of s√(1 + sin²s) = ρ sin s."""
    with mpmath.workdps(30):
        s = mpmath.findroot(
            lambda s: s * mpmath.sqrt(1 + mpmath.sin(s) ** 2) - rho * mpmath.sin(s), (0.3, 3.14159), solver="anderson"
        )
        exact = 1 + rho + mpmath.cos(s) - rho / mpmath.sqrt(1 + mpmath.sin(s) ** 2)
        assert float(exact) == pytest.approx(SINE[rho], rel=1e-12)
    assert offset_function(surfaces.sine(), [-math.pi / 2], rho) == pytest.approx(
        1 + rho - SINE[rho], abs=4e-16 * (1 + rho)
    )


def waves():
    """0.4 sin x + 0.3 cos y, with curvatures below 0.4."""
    return FunctionGraph(
        lambda t: 0.4 * np.sin(t[..., 0]) + 0.3 * np.cos(t[..., 1]),
        lambda t: np.stack([0.4 * np.cos(t[..., 0]), -0.3 * np.sin(t[..., 1])], axis=-1),
        lambda t: np.stack([-0.4 * np.sin(t[..., 0]), -0.3 * np.cos(t[..., 1])], axis=-1)[..., None] * np.eye(2),
    )


def test_steiners_formula_of_a_periodic_surface():
    """Volume under f_ρ minus under f: ρA − ρ²∫H + 0·ρ³, for the torus of periods has no total curvature."""
    surface, rho = waves(), 1.0
    line = np.linspace(0, 2 * np.pi, 32, endpoint=False)  # the mean of an analytic period
    theta = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1)
    area = np.sqrt(1 + np.sum(surface.gradient(theta) ** 2, axis=-1))
    bends = surface.curvatures(theta)
    assert np.mean(area * bends[..., 0] * bends[..., 1]) == pytest.approx(0, abs=1e-9)
    growth = np.mean(offset_function(surface, theta, rho, samples=512)) - np.mean(surface.value(theta))
    exact = rho * np.mean(area) - rho**2 * np.mean(area * bends.mean(axis=-1))
    assert growth == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("theta", [-1.0, 0.4, 2.0])
def test_the_equation_of_growth(theta):
    """u(ρ, θ) = f_ρ(θ) solves ∂u/∂ρ = √(1 + |∂u/∂θ|²), by differences."""
    h, rho, sine = 1e-4, 2.0, surfaces.sine()
    more, less = (float(offset_function(sine, [theta], rho + s * h)) for s in (1, -1))
    right, left = (float(offset_function(sine, [theta + s * h], rho)) for s in (1, -1))
    slope = (right - left) / (2 * h)
    assert (more - less) / (2 * h) == pytest.approx(math.hypot(1, slope), abs=1e-7)  # h² and ε/h
