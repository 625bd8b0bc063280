"""All that is public can be pickled and copied, and what is written as a call is rebuilt by it: one table of it all."""

from __future__ import annotations

import copy
import inspect
import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import geometry
import rbo_ref
from geometry import certified, expressions, shapes
from rbo_ref import landscapes

PLACES = np.array([[0.3, 0.7], [-0.2, 0.1]])
QUERIES = np.concatenate([PLACES, [[1.0], [-0.5]]], axis=-1)


def bowl(theta):
    return np.sum(theta**2, axis=-1)


def dish(t):
    return np.concat([t, bowl(t)[..., None]], axis=-1)


WAVE, BALL, BOX = landscapes.sine(), rbo_ref.RollingBall(0.1, 0.25), [(-2.0, 2.0)]
ABOVE = QUERIES[:, 1:]
SURFACES = [
    geometry.FunctionGraph(bowl),
    geometry.LevelSet(bowl),
    geometry.Parametric(dish, box=[(-1, 1)] * 2),
    geometry.SampledGraph(np.arange(20.0).reshape(4, 5) ** 2, 0.25),
    shapes.Cone(0.75),
    shapes.Cylinder(1.5),
    shapes.Ellipsoid(np.array([1.0, 2.0, 3.0])),
    shapes.Hyperbola(1.0, 2.0),
    shapes.Paraboloid(0.5),
    shapes.ParallelPlanes(1.0),
    shapes.Plane([1.0, -2.0, 0.5], 0.7),
    shapes.Sphere(radius=2.0),
    shapes.Torus(2.0, 0.5),
]
OPTIMIZERS = [
    *(kind(0.1) for kind in (rbo_ref.SAM, rbo_ref.Adam, rbo_ref.AdamW, rbo_ref.Alice, rbo_ref.EntropySGD)),
    *(kind(0.1) for kind in (rbo_ref.GradientDescent, rbo_ref.InducedMetric, rbo_ref.Lion, rbo_ref.Muon)),
    *(kind(0.1) for kind in (rbo_ref.NAdam, rbo_ref.RMSprop)),
    *(rbo_ref.Jointly(rbo_ref.Adam(0.1)), BALL),
]
SOLVERS = [
    geometry.Descent(0.25, 3),
    geometry.GaussNewton(tolerance=1e-9),
    geometry.Newton(matrix=False),
    geometry.MultiStart(geometry.Newton(), starts=3, seed=1),
    geometry.Sampling(samples=64),
]
RESULTS = [  # made when they are first wanted
    lambda: geometry.project(WAVE, ABOVE),
    lambda: geometry.reach(WAVE, BOX, samples=64),
    lambda: geometry.bottleneck(shapes.Ellipsoid([1.0, 2.0]), [(-9, 9)] * 2, samples=64),
    lambda: geometry.medial_axis(WAVE, BOX, samples=3),
    lambda: certified.distance(WAVE, ABOVE),
    lambda: certified.footpoint(WAVE, ABOVE),
    lambda: certified.reachable(WAVE, PLACES[:, :1], 0.5),
    lambda: certified.Certified(tolerance=1e-6),
    lambda: rbo_ref.ironing(WAVE, [0.5, 1.0], BOX),
    lambda: rbo_ref.trajectory(BALL, WAVE, PLACES[:, :1], 2),
    lambda: BALL.step(WAVE, PLACES[:, :1]),
    lambda: rbo_ref.sweep({"ball": BALL}, {"wave": WAVE}, PLACES[:, :1], 2),
    lambda: expressions.record(bowl, 2),
    lambda: expressions.RecordingError("no array"),
    lambda: geometry.Status.CONVERGED,
]
MADE = [
    *(make() for make in landscapes.LANDSCAPES.values()),
    landscapes.gaussians(np.float64(0.5), centers=np.zeros((1, 2))),
    landscapes.paraboloid([[2.0, 0.0], [0.0, -1.0]]),
    landscapes.plane([3.0, 4.0], height=1.0),
]
OBJECTS = [*SURFACES, *OPTIMIZERS, *SOLVERS, *MADE]
ROOMS = (geometry, certified, expressions, shapes, rbo_ref)
each = pytest.mark.parametrize("thing", OBJECTS, ids=lambda thing: repr(thing)[:40])


@pytest.fixture(scope="module")
def results():
    return [make() for make in RESULTS]


def again(thing):
    return pickle.loads(pickle.dumps(thing)), copy.copy(thing), copy.deepcopy(thing)


def test_the_table_has_everything_public(results):
    """But for a protocol, which has no objects, and a plan, which writes into a folder of its own."""
    public = {getattr(room, name) for room in ROOMS for name in room.__all__}
    kinds = {kind for kind in public if inspect.isclass(kind)} - {geometry.Solver, rbo_ref.Sweep}
    assert kinds - {type(thing) for thing in OBJECTS + results} == set()
    made = {thing.made[0] for thing in MADE}
    assert {getattr(landscapes, name) for name in landscapes.__all__ if name != "LANDSCAPES"} - made == {
        landscapes.by_name
    }


@each
def test_it_is_pickled_and_copied(thing):
    for other in again(thing):
        assert type(other) is type(thing)
        assert repr(other) == repr(thing)


@pytest.mark.parametrize("surface", [*SURFACES, *MADE], ids=repr)
def test_a_surface_stays_the_same(surface):
    place = np.array([[0.3, 0.25, 0.5]])[:, : 1 if "sine" in repr(surface) or "wrinkled" in repr(surface) else 2]
    if isinstance(surface, geometry.LevelSet):
        place = np.array([[1.5, 0.25, 0.5]])[:, : 2 if isinstance(surface, shapes.Hyperbola) else 3]
    for other in again(surface):
        assert_array_equal(other.normal(place), surface.normal(place))
        assert getattr(other, "compile", None) == getattr(surface, "compile", None)


@pytest.mark.parametrize("which", range(len(RESULTS)))
def test_a_result_is_equal_to_its_copy(results, which):
    result = results[which]
    for other in again(result):
        assert repr(other) == repr(result)
        assert isinstance(result, expressions.Expression | Exception) or other == result


def test_a_recording_stays_the_same_with_a_gradient_by_hand():
    plain = expressions.record(bowl, 2)
    for expression in (plain, plain.with_gradient(lambda t: 2 * t)):
        for other in again(expression):
            assert other.digest == expression.digest
            assert other.slope == expression.slope
            assert_array_equal(other.hessian(PLACES), expression.hessian(PLACES))


@pytest.mark.parametrize("thing", [t for t in OBJECTS if not repr(t).startswith("<")], ids=lambda t: repr(t)[:40])
def test_what_is_written_as_a_call_is_rebuilt(thing):
    rooms = {name: value for room in (*ROOMS, landscapes) for name, value in vars(room).items()}
    rebuilt = eval(repr(thing), rooms)
    assert type(rebuilt) is type(thing)
    assert repr(rebuilt) == repr(thing)


def test_a_landscape_remembers_how_it_is_to_be_compiled_and_not_what_became_of_its_arguments():
    centers = np.zeros((1, 2))
    well = landscapes.gaussians(0.5, centers=centers)
    centers += 1
    assert repr(well) == "gaussians(sigma=0.5, centers=[[0.0, 0.0]])"
    compiled = well._with(compile=True)
    assert pickle.loads(pickle.dumps(compiled)).compile is True
