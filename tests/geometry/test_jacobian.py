"""How footpoints move with their queries: differences, PyTorch's derivatives, and principal curvatures."""

import numpy as np
import pytest

from geometry import FunctionGraph, Parametric, project, project_and_jacobian, shapes

STEP = 1e-3  # of differences, whose error is STEP⁴/30 times a fifth derivative, some 100 here, beside rounding/STEP


def hills(t):
    return 0.5 * (t[..., 0] * t[..., 0]) + t[..., 0] * t[..., 1] * t[..., 1] / 4


GRAPH = FunctionGraph(hills)
HELIX = Parametric(lambda t: np.concat([np.cos(t), np.sin(t), 0.3 * t], axis=-1), name="helix")


def queries(surface, count=8):
    """Points beside the surface, nearer than its focal points."""
    rng = np.random.default_rng(0)
    if surface is HELIX:
        t = rng.uniform(-1, 1, (count, 1))
        return HELIX.point(t) + 0.3 * rng.normal(size=(count, 3)) / 2
    d = 2 if surface is GRAPH else 3
    theta = surface.theta if hasattr(surface, "theta") else rng.uniform(-1, 1, (count, d))
    return surface.point(theta) + rng.uniform(-0.2, 0.2, (count, 1)) * surface.normal(theta)


SURFACES = [GRAPH, shapes.Ellipsoid((2.0, 1.0, 1.5)), shapes.Torus(2.0, 0.75), HELIX]
NAMES = ["graph", "ellipsoid", "torus", "helix"]


@pytest.mark.parametrize("surface", SURFACES, ids=NAMES)
def test_central_differences(surface):
    q = queries(surface)
    feet, jacobian = project_and_jacobian(surface, q)
    assert feet.converged.all()

    def moved(by):
        return project(surface, q + by, start=feet.theta).point

    for k, e in enumerate(STEP * np.eye(q.shape[-1])):
        slope = (8 * (moved(e) - moved(-e)) - (moved(2 * e) - moved(-2 * e))) / (12 * STEP)
        np.testing.assert_allclose(jacobian[..., k], slope, rtol=0, atol=1e-8)
    np.testing.assert_allclose(jacobian, np.swapaxes(jacobian, -1, -2), atol=1e-14)


@pytest.mark.parametrize("surface", SURFACES[:3], ids=NAMES[:3])
def test_principal_curvatures(surface):
    """Its eigenvalues are 0 and 1/(1 − sκ)."""
    q = queries(surface)
    feet, jacobian = project_and_jacobian(surface, q)
    stretch = 1 / (1 - feet.signed_distance[:, None] * surface.curvatures(feet.theta))
    expected = np.sort(np.concatenate([np.zeros((len(q), 1)), stretch], axis=-1))
    np.testing.assert_allclose(np.linalg.eigvalsh(jacobian), expected, rtol=1e-9, atol=1e-12)


def test_what_pytorch_finds():
    torch = pytest.importorskip("torch")
    q = torch.asarray(queries(GRAPH))
    jacobian = torch.func.vmap(torch.func.jacrev(lambda point: project(GRAPH, point).point))(q)
    np.testing.assert_allclose(project_and_jacobian(GRAPH, q)[1], jacobian, rtol=0, atol=1e-9)


def test_every_library(backend, dtype):
    q = backend.asarray([[0.0, 3.0], [2.0, 2.0]], dtype)
    jacobian = project_and_jacobian(shapes.Sphere(2.0), q)[1]
    assert backend.belongs(jacobian, dtype)
    expected = np.array([[[2 / 3, 0], [0, 0]], np.array([[1, -1], [-1, 1]]) / 2 / 2**0.5])
    np.testing.assert_allclose(backend.to_numpy(jacobian), expected, atol=8 * float(np.finfo(dtype).eps))


def test_a_foot_on_a_rim_stays():
    """Beyond the end of a segment; beside its middle the foot follows."""
    segment = Parametric(lambda t: np.concat([t, 0.5 * t], axis=-1), box=[(0, 2)])
    jacobian = project_and_jacobian(segment, [[4.0, 3.0], [1.0, 2.0]])[1]
    np.testing.assert_allclose(jacobian, [np.zeros((2, 2)), np.array([[1, 0.5], [0.5, 0.25]]) / 1.25], atol=1e-12)


def test_second_derivatives_are_needed():
    with pytest.raises(TypeError, match="cannot be recorded"):
        project_and_jacobian(FunctionGraph(lambda t: float(t[..., 0]) * t[..., 0]), [0.5, 1.0])
