"""Curves and surfaces from parameters: closed forms of circles, helices and tori, SciPy's splines, brute force."""

import pickle
from functools import partial

import numpy as np
import pytest
from scipy import interpolate, optimize

import geometry
from geometry import (
    Descent,
    FunctionGraph,
    GaussNewton,
    MultiStart,
    Newton,
    Parametric,
    distance,
    distance_gradient,
    medial_axis,
    medial_radius,
    offset,
    offset_function,
    project,
    reach,
    reachable,
    shapes,
    signed_distance,
)

RANDOM = np.random.default_rng(16)
TURN = (0.0, 2 * np.pi)


def around(radius, t):
    return radius * np.stack([np.cos(t[..., 0]), np.sin(t[..., 0])], axis=-1)


def winding(t):
    u = t[..., 0]
    return np.stack([np.cos(u), np.sin(u), u / 2], axis=-1)


def ring(t):
    u, v = t[..., 0], t[..., 1]
    out = 2 + np.cos(v) / 2
    return np.stack([out * np.cos(u), out * np.sin(u), np.sin(v) / 2], axis=-1)


POLES = np.array([[0.0, 0.0], [1.0, 2.0], [3.0, -1.0], [4.0, 1.0]])


def bezier(t):
    """A cubic."""
    s = 1 - t
    return s**3 * POLES[0] + 3 * t * s**2 * POLES[1] + 3 * t**2 * s * POLES[2] + t**3 * POLES[3]


CIRCLE = Parametric(partial(around, 2.0), box=[TURN], name="circle")
HELIX = Parametric(winding, box=[(-10, 10)], name="helix")
TORUS = Parametric(ring, box=[TURN, TURN], name="torus")
CURVE = Parametric(bezier, box=[(0, 1)], name="Bézier")
TRUTHS = {"circle": (CIRCLE, shapes.Sphere(2.0)), "torus": (TORUS, shapes.Torus(2.0, 0.5))}
both = pytest.mark.parametrize(("surface", "truth"), TRUTHS.values(), ids=TRUTHS)


@both
@pytest.mark.parametrize("solver", [None, MultiStart(starts=3)], ids=["Newton", "MultiStart"])
def test_distances_are_those_of_closed_forms(surface, truth, solver):
    query = 2 * RANDOM.normal(size=(100, 2 if surface is CIRCLE else 3))
    found = project(surface, query, solver)
    assert found.converged.all()
    np.testing.assert_allclose(found.distance, truth.true_distance(query), rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.point, truth.true_footpoint(query), rtol=0, atol=1e-9)
    away = truth.true_footpoint(query) - query
    away = -away / np.linalg.norm(away, axis=-1, keepdims=True)
    np.testing.assert_allclose(distance_gradient(surface, query, solver), away, rtol=0, atol=1e-8)


@both
def test_steps_without_curvature(surface, truth):
    t = RANDOM.uniform(*TURN, size=(20, 1 if surface is CIRCLE else 2))
    query = surface.point(t) + 0.1 * surface.normal(t)
    found = project(surface, query, GaussNewton(), start=t + 0.1)
    assert found.converged.all()
    np.testing.assert_allclose(found.distance, 0.1, rtol=0, atol=1e-13)


@both
def test_normals_and_curvatures_are_those_of_closed_forms(surface, truth):
    t = RANDOM.uniform(*TURN, size=(20, 1 if surface is CIRCLE else 2))
    point, sign = surface.point(t), -1 if surface is CIRCLE else 1  # a circle that is run to the left points inwards
    np.testing.assert_allclose(surface.normal(t), sign * truth.normal(point), rtol=0, atol=1e-14)
    bends = np.sort(sign * truth.true_curvatures(point), axis=-1)
    np.testing.assert_allclose(surface.curvatures(t), bends, rtol=0, atol=1e-13)


def test_a_graph_is_parametric():
    """x(t) = (t, f(t)) has the normals, curvatures and footpoints of the graph of f, in every dimension."""
    for d in (1, 2, 3):
        graph = FunctionGraph(lambda t: np.sum(np.sin(t) ** 2 + t, axis=-1))
        surface = Parametric(lambda t: np.concat([t, np.sum(np.sin(t) ** 2 + t, axis=-1)[..., None]], axis=-1))
        t = RANDOM.normal(size=(5, d))
        np.testing.assert_allclose(surface.normal(t), graph.normal(t), rtol=0, atol=1e-14)
        np.testing.assert_allclose(surface.curvatures(t), graph.curvatures(t), rtol=0, atol=1e-13)
        query = graph.point(t) + 0.1 * graph.normal(t)
        found, expected = project(surface, query, start=t), project(graph, query, start=t)
        np.testing.assert_allclose(found.theta, expected.theta, rtol=0, atol=1e-11)
        assert found.converged.all()


def test_a_curve_in_space():
    """Of the helix (cos u, sin u, u/2): curvature 1/(1 + 1/4), distances by brute force."""
    np.testing.assert_allclose(HELIX.curvatures([[0.3], [-2.0]]), 0.8, rtol=1e-14)
    query = RANDOM.normal(size=(6, 3))
    u = np.linspace(-10, 10, 4001)
    for q, near in zip(query, distance(HELIX, query), strict=True):
        rough = u[np.argmin(np.linalg.norm(winding(u[:, None]) - q, axis=1))]
        brute = optimize.minimize_scalar(
            lambda v, q=q: np.linalg.norm(winding(np.array([v])) - q), bounds=(rough - 0.01, rough + 0.01),
            method="bounded", options={"xatol": 1e-10},
        )  # fmt: skip
        assert near == pytest.approx(brute.fun, abs=1e-12)
    assert float(reach(HELIX, HELIX.box).value) == pytest.approx(1.25, abs=1e-8)
    with pytest.raises(TypeError, match="helix has no unit normal: it has 1 parameters in 3 dimensions"):
        HELIX.normal([0.0])


def test_a_rim():
    """Beyond the ends of a Bézier curve they are nearest; between them SciPy finds the same."""
    found = project(CURVE, [[-1.0, 0.0], [5.0, 2.0], [2.0, 0.3]])
    assert found.converged.all()
    np.testing.assert_allclose(found.theta[:2, 0], [0.0, 1.0])
    np.testing.assert_allclose(found.distance[:2], [1.0, np.sqrt(2)])
    curve = interpolate.BPoly(POLES[:, None, :], [0, 1])
    inside = optimize.minimize_scalar(
        lambda t: np.linalg.norm(curve(t) - [2.0, 0.3]), bounds=(0.2, 0.8), method="bounded", options={"xatol": 1e-10}
    )
    assert float(found.distance[2]) == pytest.approx(inside.fun, abs=1e-12)
    gradient = distance_gradient(CURVE, [[-3.0, -4.0], [0.0, 0.0]])
    np.testing.assert_allclose(gradient, [[-0.6, -0.8], [0.0, 0.0]], atol=1e-15)


def test_a_seam_is_no_rim():
    query = np.array([[3 * np.cos(-0.01), 3 * np.sin(-0.01)]])
    found = project(CIRCLE, query, start=[[0.2]])
    assert float(found.distance[0]) == pytest.approx(1.0, abs=1e-14)
    assert float(found.theta[0, 0]) == pytest.approx(2 * np.pi - 0.01, abs=1e-12)


def test_largest_balls_and_reach():
    assert float(medial_radius(CIRCLE, [1.0])) == pytest.approx(2.0, abs=1e-9)
    assert float(medial_radius(CIRCLE, [1.0], side="below")) == np.inf
    assert reachable(CIRCLE, [1.0], [1.9, 2.1]).tolist() == [True, False]
    found = reach(TORUS, TORUS.box)
    assert (float(found.value), found.side) == (pytest.approx(0.5, abs=1e-9), "below")
    balls = medial_axis(CIRCLE, CIRCLE.box, samples=4)
    np.testing.assert_allclose(balls.points, 0.0, atol=1e-8)
    np.testing.assert_allclose(offset(CIRCLE, [0.0], 0.5), [1.5, 0.0], atol=1e-15)


def test_where_a_curve_faces_itself():
    """A stadium with waist: the reach is half the waist, less than any radius of curvature."""
    waist = Parametric(
        lambda t: np.stack([2 * np.cos(t[..., 0]), np.sin(t[..., 0]) * (0.6 + 0.4 * np.cos(t[..., 0]) ** 2)], axis=-1),
        box=[TURN],
    )
    dense = np.linspace(0, 2 * np.pi, 2000, endpoint=False)[:, None]
    brute = geometry.reach_from_points(waist.point(dense), normals=waist.normal(dense))
    found = reach(waist, waist.box)
    assert float(found.value) == pytest.approx(brute, rel=1e-4)
    assert float(found.value) <= brute + 1e-9


def test_derivatives_of_footpoints():
    torch = pytest.importorskip("torch")
    radius = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    circle = Parametric(lambda t: radius * torch.cat([torch.cos(t), torch.sin(t)], dim=-1), box=[TURN])
    query = torch.tensor([[3.0, 4.0], [0.0, 1.0]], dtype=torch.float64, requires_grad=True)
    found = project(circle, query)
    by_query, by_radius = torch.autograd.grad(found.distance.sum(), (query, radius), retain_graph=True)
    np.testing.assert_allclose(by_query, [[0.6, 0.8], [0.0, -1.0]], atol=1e-12)
    assert float(by_radius) == pytest.approx(0.0, abs=1e-12)  # −1 outside, 1 inside
    (turning,) = torch.autograd.grad(found.theta[0, 0], query)
    np.testing.assert_allclose(turning[0], [-0.16, 0.12], atol=1e-12)  # of the angle atan2(y, x)


def test_it_is_pickled():
    assert pickle.loads(pickle.dumps(CIRCLE)).point([0.0]).tolist() == [2.0, 0.0]
    assert repr(CIRCLE) == "<Parametric of circle>"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: signed_distance(CIRCLE, [1.0, 1.0]), "circle is parametric, and has no inside"),
        (lambda: project(CIRCLE, [1.0, 1.0], Descent(0.1, 1)), "Descent is for a FunctionGraph"),
        (lambda: offset_function(CIRCLE, [1.0], 1.0), "surface must be a FunctionGraph"),
        (lambda: geometry.certified.distance(CIRCLE, [1.0, 1.0]), "surface must be a FunctionGraph or a LevelSet"),
        (lambda: geometry.bottleneck(TORUS, TORUS.box), "surface must be a LevelSet"),
        (lambda: medial_radius(HELIX, [0.0]), "helix has no unit normal"),
        (lambda: project(CIRCLE, [1.0, 1.0, 1.0]), r"points must have shape \(..., 2\), got \(3,\)"),
        (lambda: Parametric(None), "point must be callable"),
        (lambda: Parametric(winding, box=[(1, 0)]), "box must have from 1 to 3 finite sides with low < high"),
        (lambda: Parametric(winding, box=3), "box must be a sequence of"),
        (lambda: Parametric(lambda t: t).point([1.0]), "expected k parameters, k <= 3 and k < n, got 1 for n = 1"),
        (lambda: Parametric(lambda t: 1.0).point([1.0]), "point must return shape"),
        (lambda: distance(abs, [1.0, 1.0]), "LevelSet, Parametric and SampledGraph are surfaces, too"),
    ],
)
def test_refusals(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def test_numerical_trouble_is_a_status():
    found = project(CIRCLE, [[np.nan, 0.0], [3.0, 0.0], [np.inf, 0.0]], Newton())
    assert found.converged.tolist() == [False, True, False]
    assert float(found.distance[1]) == pytest.approx(1.0)
    at_center = project(CIRCLE, [0.0, 0.0])
    assert float(at_center.distance) == pytest.approx(2.0, abs=1e-14)


def test_queries_beyond_float64_are_no_trouble_beside_others():
    far = np.array([[3.0, 0.0], [np.inf, 0.0], [1e300, 0.0]], dtype=np.longdouble) * np.longdouble("1e40")
    far[0] = 3.0, 0.0
    found = project(CIRCLE, far)
    assert found.converged.tolist()[:2] == [True, False]
    assert float(found.distance[0]) == pytest.approx(1.0)


def test_no_direction_leads_to_what_is_no_point():
    found = geometry.distance_gradient(CIRCLE, [[np.nan, -np.inf], [3.0, 0.0]])
    assert np.isnan(found[0]).all()
    np.testing.assert_allclose(found[1], [1.0, 0.0], atol=1e-12)
