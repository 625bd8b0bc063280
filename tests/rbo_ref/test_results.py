"""Results are compared as wholes, and go through pickle: one table of them, two computations of each."""

import pickle

import numpy as np
import pytest

from geometry import Descent, FunctionGraph, Parametric, bottleneck, medial_axis, project, reach, shapes
from rbo_ref import Adam, RollingBall, trajectory


def wave(theta):
    return np.sin(theta[..., 0])


def circle(t):
    return np.concat([np.cos(t), np.sin(t)], axis=-1)


GRAPH, LEVEL, CURVE = (
    FunctionGraph(wave, np.cos),
    shapes.Ellipsoid([1.0, 2.0]),
    Parametric(circle, box=[(0, 2 * np.pi)]),
)
QUERIES = np.array([[0.5, 2.0], [0.0, np.nan]])


def stepped(optimizer):
    return optimizer.step(GRAPH, QUERIES[:, :1], optimizer.init(QUERIES[:, :1]))


RESULTS = {  # each a function of something that changes it
    "Reach": lambda x: reach(FunctionGraph(wave), [(-2, x)], samples=64),
    "Bottleneck": lambda x: bottleneck(shapes.Ellipsoid([x, 2 * x]), [(-9, 9)] * 2, samples=64),
    "MedialAxis": lambda x: medial_axis(GRAPH, [(-2, x)], samples=3),
    "Footpoints": lambda x: project(GRAPH, x * QUERIES),
    "Footpoints of a loop": lambda x: project(GRAPH, QUERIES, Descent(0.125 * x, 2)),
    "Footpoints of a level set": lambda x: project(LEVEL, x * QUERIES),
    "Footpoints of a curve": lambda x: project(CURVE, x * QUERIES),
    "Step": lambda x: stepped(RollingBall(0.25 * x, 0.5)),
    "Step of Adam": lambda x: stepped(Adam(0.25 * x)),
    "Trajectory": lambda x: trajectory(RollingBall(0.25 * x, 0.5), GRAPH, np.ones(1), 2),
}


@pytest.mark.parametrize("name", RESULTS)
def test_results_are_compared_and_pickled(name):
    one, other, another = (RESULTS[name](x) for x in (1.0, 1.0, 1.5))
    assert (one == other) is True
    assert (one != other) is False
    assert (one == another) is False
    assert (one != another) is True
    assert one != (name,)
    assert pickle.loads(pickle.dumps(one)) == one
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)


def test_arrays_of_another_kind_are_not_the_same():
    one = trajectory(Adam(0.25), GRAPH, np.ones(1), 1)
    assert one.center is None
    assert one != one._replace(theta=one.theta.astype("float32"))
    assert one != one._replace(theta=one.theta[:1])
    assert one != one._replace(center=one.theta)
    assert one != tuple(one)
