"""The verbs of `geometry`, with proofs: the same names and arguments, in every library."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import geometry
from geometry import FunctionGraph, certified
from rbo_ref import landscapes
from tests.geometry import surfaces

OWN = {"solver", "samples", "start"}  # of the verbs that search with floats


def test_the_room_is_an_attribute_of_the_package():
    assert geometry.certified is certified
    with pytest.raises(AttributeError, match="nonsense"):
        geometry.nonsense  # noqa: B018


@pytest.mark.parametrize("name", sorted(set(certified.__all__) & set(geometry.__all__)))
def test_names_and_arguments_are_those_of_geometry(name):
    with_proof, plain = (inspect.signature(getattr(room, name)).parameters for room in (certified, geometry))
    shared = [argument for argument in plain if argument not in OWN]
    assert [argument for argument in with_proof if argument in shared] == shared
    assert all(with_proof[argument].kind == plain[argument].kind for argument in shared)
    assert {"tolerance", "max_boxes", "progress"} <= set(with_proof)


def test_the_family_is_whole():
    assert set(certified.__all__) & set(geometry.__all__) == {
        *("critical_radius", "distance", "medial_radius", "offset_function", "project", "reach", "reachable"),
        "signed_distance",
    }


ANSWERS = {
    "distance": lambda s, p, o: certified.distance(s, p, **o),
    "signed_distance": lambda s, p, o: certified.signed_distance(s, p, **o),
    "project": lambda s, p, o: certified.project(s, p, **o).distance,
    "offset_function": lambda s, p, o: certified.offset_function(s, p[..., :1], 0.5, **o),
    "medial_radius": lambda s, p, o: certified.medial_radius(s, 0.25 * p[..., :1] - 1.5, box=[(-4.0, 4.0)], **o),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_return_to_their_library_rounded_outward(name, backend, dtype):
    if backend.name.startswith("jax-jit"):
        pytest.skip("a search has no fixed number of steps")
    points = np.array([[[0.25, 2.0], [1.5, -1.0]]])
    options = {"tolerance": 1e-3, "max_boxes": 3000}
    found, truth = (ANSWERS[name](surfaces.sine(), p, options) for p in (backend.asarray(points, dtype), points))
    assert backend.belongs(found.lower, dtype)
    assert backend.belongs(found.theta, dtype)
    lower, upper, closed, boxes = map(backend.to_numpy, (found.lower, found.upper, found.closed, found.boxes))
    assert lower.shape == (1, 2)
    assert closed.all()
    np.testing.assert_array_equal(boxes, truth.boxes)
    assert (lower.astype(float) <= truth.lower).all()
    assert (upper.astype(float) >= truth.upper).all()
    assert (upper.astype(float) - lower.astype(float) <= options["tolerance"]).all()


def test_regions_return_to_their_library(backend):
    if backend.name.startswith("jax-jit"):
        pytest.skip("a search has no fixed number of steps")
    bowl = FunctionGraph(lambda t: (t[..., 0] ** 2) / 2)
    found = certified.footpoint(bowl, backend.asarray([[0.0, 3.0], [0.5, 1.0]]))
    assert backend.to_numpy(found.count).tolist() == [2, 1]
    lower, upper, unique = map(backend.to_numpy, found.of(0))
    assert unique.all()
    assert (lower <= upper).all()
    np.testing.assert_allclose(lower[:, 0], [-2.0, 2.0], atol=1e-6)


def test_narrow_numbers_are_rounded_outward_whatever_their_size():
    from geometry._namespace import array_namespace
    from geometry.certified._border import Home

    numbers = np.array([1.1, -1.1, 0.0, 1e-42, -1e-42, 1e39, -1e39, 1e300, np.inf, -np.inf, 3.0])
    home = Home(array_namespace(numbers), np.zeros(1, dtype=np.float32))
    low, high = home.down(numbers), home.up(numbers)
    assert low.dtype == high.dtype == np.float32
    assert (low.astype(float) <= numbers).all()
    assert (high.astype(float) >= numbers).all()


def test_the_sign_of_a_distance():
    points = np.array([[0.3, 2.0], [0.3, -2.0], [0.5, np.sin(0.5)]])
    found, plain = (verb(surfaces.sine(), points) for verb in (certified.signed_distance, geometry.signed_distance))
    assert (found.lower <= plain + 1e-15).all()
    assert (plain - 1e-15 <= found.upper).all()
    assert (np.sign(found.lower) == [1, -1, -1]).all()
    assert (np.sign(found.upper) == [1, -1, 1]).all()
    assert found.closed.all()


def test_what_a_ball_can_touch():
    theta = np.linspace(-2.5, 2.5, 11)[:, None]
    radius = np.array([[0.5], [0.999], [1.001], [3.0]])
    for side in ("above", "below"):
        found = certified.reachable(surfaces.sine(), theta, radius, side=side)
        largest = certified.medial_radius(surfaces.sine(), theta, side=side, box=[(-30.0, 30.0)])
        assert found.yes.shape == (4, 11)
        assert not (found.yes & found.no).any()
        assert (found.yes <= (radius <= largest.upper)).all()
        assert (found.no <= (radius > largest.lower)).all()
        assert found.open.sum() == 0
    flat = FunctionGraph(lambda t: 0.0 * t[..., 0])
    assert certified.reachable(flat, [[0.3]], 1e6).yes.all()
    rough = certified.medial_radius(surfaces.sine(), [0.3], tolerance=1e-2)
    assert certified.reachable(surfaces.sine(), [0.3], (rough.lower + rough.upper) / 2, max_boxes=int(rough.boxes)).open


def test_the_side_and_the_place_of_the_reach():
    bowl = FunctionGraph(lambda t: np.cosh(t[..., 0] - 0.5))
    for surface, side in ((bowl, "above"), (FunctionGraph(lambda t: -bowl.value(t)), "below")):
        found = certified.reach(surface, [(-1.0, 1.0)], tolerance=1e-4)
        assert found.side == side
        assert abs(found.theta[0] - 0.5) < 0.02
    assert certified.critical_radius(bowl, [(-1.0, 1.0)], tolerance=1e-4).side == "above"


def test_a_callback_hears_of_the_work():
    heard = []
    points = np.random.default_rng(0).normal(size=(40, 2))
    found = certified.distance(landscapes.wrinkled(5), points, progress=lambda *told: heard.append(told))
    done, boxes, widest = zip(*heard, strict=True)
    assert list(done) == sorted(done)
    assert (done[-1], boxes[-1]) == (40, found.boxes.sum())
    assert widest[0] > widest[-1]
