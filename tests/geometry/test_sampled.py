"""Height maps as surfaces: SciPy's spline, brute force on it, and closed forms of what was sampled."""

import pickle

import numpy as np
import pytest
from scipy import interpolate, optimize

from geometry import SampledGraph, distance, medial_radius, project, reach, reachable, shapes

RANDOM = np.random.default_rng(16)
SHAPES = [(9,), (7, 8), (6, 7, 8)]


def places(shape, spacing, count=40):
    """Among them the first and the last sample."""
    index = RANDOM.uniform(size=(count, len(shape))) * (np.array(shape) - 1)
    index[0], index[1] = 0, np.array(shape) - 1
    return index * spacing


def by_scipy(heights, index, order):
    """One axis after the other."""
    for i in index:
        spline = interpolate.make_interp_spline(np.arange(len(heights)), heights, order)
        heights = spline(np.clip(i, 0, len(heights) - 1))
    return heights


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("order", range(1, 6))
def test_values_are_those_of_scipy_and_derivatives_are_theirs(order, shape):
    heights, spacing = RANDOM.normal(size=shape), RANDOM.uniform(0.5, 2.0, size=len(shape))
    surface, theta = SampledGraph(heights, spacing, order=order), places(shape, spacing)
    expected = [by_scipy(heights, t / spacing, order) for t in theta]
    np.testing.assert_allclose(surface.value(theta), expected, rtol=0, atol=1e-12)
    inner, step = 0.02 * np.array(shape) * spacing + 0.95 * theta[2:], 1e-5  # within the box

    def quotients(function):
        pairs = [(function(inner + step * e) - function(inner - step * e)) / (2 * step) for e in np.eye(len(shape))]
        return np.stack(pairs, axis=-1)

    slopes, bends = surface.gradient(inner), surface.hessian(inner)
    np.testing.assert_allclose(slopes, quotients(surface.value), rtol=0, atol=1e-6)
    if order > 2:
        np.testing.assert_allclose(bends, quotients(surface.gradient), rtol=0, atol=1e-5)
    if order == 1:
        np.testing.assert_allclose(np.einsum("...ii->...i", bends), 0.0)


@pytest.fixture(scope="module")
def terrain():
    index = np.arange(1000)
    waves = 50 * np.sin(index / 60)[:, None] * np.cos(index / 45)
    return waves + 3 * np.sin(index / 7)[:, None] * np.sin(index / 9 + 1)


def test_footpoints_are_those_of_brute_force_on_the_spline(terrain):
    surface = SampledGraph(terrain, 1.0)
    x = RANDOM.uniform(100, 900, size=(6, 2))
    query = np.concatenate([x, surface.value(x)[:, None] + RANDOM.uniform(-4, 4, size=(6, 1))], axis=1)
    found = project(surface, query)
    assert found.converged.all()
    index = np.arange(1000.0)
    brute_spline = interpolate.RectBivariateSpline(index, index, terrain)  # without knots beside its rim as well
    for q, near in zip(query, found.distance, strict=True):
        squares = np.add.outer((index - q[0]) ** 2, (index - q[1]) ** 2) + (terrain - q[2]) ** 2
        start = np.array(np.unravel_index(squares.argmin(), squares.shape), dtype=float)

        def away(t, q=q):
            return np.array([*(t - q[:2]), brute_spline.ev(*t) - q[2]])

        brute = optimize.least_squares(away, start, xtol=1e-15, ftol=1e-15, gtol=1e-15)
        assert near == pytest.approx(np.sqrt(2 * brute.cost), abs=1e-12)


def test_a_sampled_bowl_has_the_geometry_of_the_bowl():
    """y = x²/2: the spline of a polynomial is the polynomial."""
    x = np.arange(-8, 8.01, 0.125)
    surface, middle = SampledGraph(x**2 / 2, 0.125), 8.0
    truth = shapes.Paraboloid(1.0)
    q = np.array([[0.5, 1.0], [-0.3, 2.0], [1.0, -1.0]])
    near = distance(surface, q + np.array([middle, 0.0]))
    np.testing.assert_allclose(near, truth.true_distance(q), rtol=0, atol=1e-10)
    theta, box = np.array([[0.0], [0.75], [-1.0]]), [(middle - 3, middle + 3)]
    radii = medial_radius(surface, theta + middle, box=box)
    np.testing.assert_allclose(radii, np.sqrt(1 + theta[:, 0] ** 2), rtol=1e-8)
    assert reachable(surface, theta + middle, 1.2, box=box).tolist() == [False, True, True]
    assert float(reach(surface, box).value) == pytest.approx(1.0, abs=1e-8)


def test_the_rim():
    surface = SampledGraph([0.0, 1.0, 0.0, 1.0], 0.5)
    assert surface.box == [(0.0, 1.5)]
    assert np.isnan(surface.value([[-0.01], [1.51]])).all()
    found = project(surface, [[-1.0, 0.0], [0.5, 2.0]])
    assert found.converged.tolist() == [False, True]
    assert float(found.distance[0]) <= 1.0 + 1e-12


def test_on_other_libraries():
    torch = pytest.importorskip("torch")
    surface = SampledGraph(torch.sin(torch.arange(36.0, dtype=torch.float64).reshape(6, 6) / 9), 1.0)
    theta = RANDOM.uniform(0, 5, size=(4, 2))
    for dtype, tolerance in ((torch.float64, 1e-14), (torch.float32, 1e-5)):
        found = surface.hessian(torch.asarray(theta, dtype=dtype))
        assert found.dtype == dtype
        np.testing.assert_allclose(found, surface.hessian(theta), rtol=0, atol=tolerance)
    query = torch.tensor([2.6, 2.2, 1.5], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(distance(surface, query), query)
    assert float(torch.linalg.vector_norm(slope)) == pytest.approx(1.0, abs=1e-9)


def test_it_is_pickled():
    surface = SampledGraph([0.0, 1.0, 0.5], 0.1, order=2)
    assert pickle.loads(pickle.dumps(surface)).value([0.15]) == surface.value([0.15])
    assert repr(surface) == "<SampledGraph of 3 samples, spacing (0.1,)>"


@pytest.mark.parametrize(
    ("heights", "options", "message"),
    [
        ([1.0, 2.0], {}, r"heights must have more than 3 samples along each axis, got shape \(2,\)"),
        ([1.0, np.nan, 0.0, 0.0], {}, r"heights must be finite, got nan at index \(1,\)"),
        ([1.0, 2.0], {"order": 6}, "order must be at most 5, got 6"),
        ([1.0, 2.0], {"order": 0}, "order must be at least 1, got 0"),
        (
            [1.0, 2.0],
            {"order": 1, "spacing": [1.0, 2.0]},
            r"spacing must be one number or one per axis \(1\), got 2 numbers",
        ),
        ([1.0, 2.0], {"order": 1, "spacing": -1.0}, "spacing must be finite and positive"),
    ],
)
def test_wrong_arguments(heights, options, message):
    with pytest.raises(ValueError, match=message):
        SampledGraph(heights, **({"spacing": 1.0} | options))


def test_places_have_one_entry_for_each_axis():
    with pytest.raises(ValueError, match="theta must have 1 entries"):
        SampledGraph([0.0, 1.0], 1.0, order=1).value([0.0, 0.0])
