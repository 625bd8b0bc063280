"""Wrong hand-written derivatives: no proof rests on them, and they are named."""

from __future__ import annotations

import numpy as np
import pytest

from geometry import FunctionGraph, LevelSet, check_gradient
from geometry.certified import Certified, critical_radius, distance, footpoint, medial_radius, offset_function, reach
from geometry.footpoint import project
from rbo_ref import landscapes
from rbo_ref.landscapes import LANDSCAPES
from tests.geometry import surfaces
from tests.geometry.certified.truths import holds


def wave(gradient=1.0, hessian=1.0):
    """sin 3θ + θ²/10, of which the derivatives have slips in one term."""
    return FunctionGraph(
        lambda t: np.sin(3 * t[..., 0]) + 0.1 * t[..., 0] ** 2,
        lambda t: 3 * np.cos(3 * t) + gradient * 0.2 * t,
        lambda t: (-hessian * 9 * np.sin(3 * t) + 0.2)[..., None],
        name="wave",
    )


CALLS = {
    "distance": lambda s: distance(s, [[2.0, 3.0], [0.5, 1.0]]),
    "footpoint": lambda s: footpoint(s, [2.0, 3.0]),
    "offset_function": lambda s: offset_function(s, [[1.0], [-0.4]], 0.5),
    "reach": lambda s: reach(s, [(-1.0, 2.0)], max_boxes=1000),
    "critical_radius": lambda s: critical_radius(s, [(-1.0, 2.0)], max_boxes=1000),
    "medial_radius": lambda s: medial_radius(s, [0.3]),
    "medial_radius, below": lambda s: medial_radius(s, [0.3], side="below", box=[(-1.0, 1.0)]),
    "Certified": lambda s: project(s, [2.0, 3.0], Certified()),
    "check_gradient": lambda s: check_gradient(s, [[2.0], [0.3]]),
}


@pytest.mark.parametrize("call", CALLS)
def test_slips_are_named_and_right_derivatives_are_not(call):
    CALLS[call](wave())
    for slip, entry in (({"gradient": 0.5}, r"gradient\[0\]"), ({"hessian": -1.0}, r"hessian\[0, 0\]")):
        with pytest.raises(ValueError, match=rf"wave: {entry} is .* at theta = \[.*, but the derivative"):
            CALLS[call](wave(**slip))


def slipped(surface, what, entry, change):
    """A surface with one entry of a derivative changed."""

    def wrong(theta):
        right = getattr(surface, what)(theta)
        mask = np.zeros(right.shape[len(theta.shape) - 1 :])
        mask[entry] = 1.0
        return right * (1 - mask) + change(right) * mask

    functions = {"gradient": surface.gradient, "hessian": surface.hessian, what: wrong}
    return FunctionGraph(surface.value, **functions, name=surface.name)


SLIPPED = {
    "himmelblau": landscapes.himmelblau(), "rosenbrock": landscapes.rosenbrock(), "beale": landscapes.beale(),
    "gaussians": landscapes.gaussians(0.3, 30), "well": surfaces.well(), "monkey saddle": surfaces.monkey_saddle(),
}  # fmt: skip


@pytest.mark.parametrize("name", SLIPPED)
@pytest.mark.parametrize("change", [lambda x: -x, lambda x: 1.001 * x, lambda x: 0 * x], ids=["sign", "factor", "zero"])
def test_no_slip_of_one_entry_ends_in_a_closed_enclosure(name, change):
    surface, query = SLIPPED[name], np.array([[0.4, -0.7, 0.5], [1.1, 0.6, 0.5]])
    query[:, 2] += surface.value(query[:, :2])
    for what, entry in (("gradient", (1,)), ("hessian", (0, 0)), ("hessian", (1, 0))):
        pattern = rf"{surface.name}: {what}\[{', '.join(map(str, entry))}\]"
        wrong = slipped(surface, what, entry, change)
        with pytest.raises(ValueError, match=pattern):
            distance(wrong, query)
        with pytest.raises(ValueError, match=pattern):
            check_gradient(wrong, query[:, :2])


def test_bounds_do_not_move_with_derivatives_that_are_nearly_right():
    """Below what the check can tell: derivatives of a neighbouring function."""
    right = wave()
    near = FunctionGraph(right.value, lambda t: right.gradient(t) * (1 + 1e-9), lambda t: right.hessian(t) * (1 + 1e-9))
    queries = np.array([[2.0, 3.0], [0.5, 1.0], [-1.0, -2.0]])
    given, bare = (footpoint(s, queries, tolerance=1e-9) for s in (near, FunctionGraph(right.value)))
    assert holds(given.distance, bare.distance.lower, bare.distance.upper)
    assert given.unique.all()
    assert (given.lower <= bare.upper + 1e-15).all()
    assert (bare.lower <= given.upper + 1e-15).all()


@pytest.mark.parametrize("name", LANDSCAPES)
def test_the_landscapes_have_the_right_derivatives(name):
    d = 1 if name in ("sine", "wrinkled") else 2
    theta = np.random.default_rng(1).uniform(-2, 2, (12, d))
    surface = LANDSCAPES[name]()
    check_gradient(FunctionGraph(surface.value, surface.gradient, surface.hessian), theta)


def test_products_with_the_hessian_are_checked_as_well():
    def surface(factor):
        return FunctionGraph(
            lambda t: np.cos(t[..., 0]) * t[..., 1],
            lambda t: np.stack([-np.sin(t[..., 0]) * t[..., 1], np.cos(t[..., 0])], axis=-1),
            hessian_vector=lambda t, v: np.stack(
                [
                    -np.cos(t[..., 0]) * t[..., 1] * v[..., 0] - np.sin(t[..., 0]) * v[..., 1],
                    -factor * np.sin(t[..., 0]) * v[..., 0],
                ],
                axis=-1,
            ),
        )

    check_gradient(surface(1.0), [0.5, 2.0])
    with pytest.raises(ValueError, match=r"hessian\[1, 0\]"):
        check_gradient(surface(2.0), [0.5, 2.0])


def test_derivatives_that_do_not_run_on_intervals_are_taken_as_floats():
    def gradient(factor):
        return lambda t: np.array([[factor * np.cos(float(x))] for x in np.asarray(t).reshape(-1)]).reshape(t.shape)

    def surface(factor):
        return FunctionGraph(lambda t: np.sin(t[..., 0]), gradient(factor), lambda t: -np.sin(t)[..., None])

    assert holds(distance(surface(1.0), [-np.pi / 2, 0.5]), 1.355, 1.5)
    with pytest.raises(ValueError, match=r"gradient\[0\]"):
        distance(surface(1.01), [-np.pi / 2, 0.5])


# Plain functions, which no interval can run through.


def loop(slip_of_gradient=1.0, slip_of_hessian=1.0):
    def value(t):
        return np.array([np.exp(float(x)) * np.sin(float(y)) for x, y in t.reshape(-1, 2)]).reshape(t.shape[:-1])

    def gradient(t):
        x, y = t[..., 0], t[..., 1]
        return np.stack([np.exp(x) * np.sin(y), slip_of_gradient * np.exp(x) * np.cos(y)], axis=-1)

    def hessian(t):
        x, y = t[..., 0], t[..., 1]
        xy = np.exp(x) * np.cos(y)
        yx = slip_of_hessian * xy
        rows = [[np.exp(x) * np.sin(y), xy], [yx, -np.exp(x) * np.sin(y)]]
        return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)

    return FunctionGraph(value, gradient, hessian, name="loop")


def test_plain_functions_are_compared_with_difference_quotients():
    theta = np.random.default_rng(0).uniform(-2, 2, (6, 2))
    check_gradient(loop(), theta)
    for slip in (-1.0, 0.999, 1.01):
        with pytest.raises(ValueError, match=r"loop: gradient\[1\] is .* but the difference quotients of the value"):
            check_gradient(loop(slip), theta)
        with pytest.raises(ValueError, match=r"loop: hessian\[1, 0\] is .* but the difference quotients of the grad"):
            check_gradient(loop(1.0, slip), theta)


def test_level_sets_and_other_libraries():
    torch = pytest.importorskip("torch")
    sphere = LevelSet(lambda x: (x**2).sum(-1) - 1, lambda x: 2 * x)
    check_gradient(sphere, [[0.3, 0.4, -0.2]])
    with pytest.raises(ValueError, match=r"gradient\[2\]"):
        check_gradient(LevelSet(sphere.value, lambda x: x * np.array([2.0, 2.0, 1.0])), [[0.3, 0.4, -0.2]])
    theta = torch.tensor([[0.5]], dtype=torch.float64)
    check_gradient(FunctionGraph(lambda t: torch.sin(t[..., 0]), torch.cos), theta)
    with pytest.raises(ValueError, match=r"gradient\[0\]"):
        check_gradient(FunctionGraph(lambda t: torch.sin(t[..., 0]), torch.sin), theta)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.sin, [0.0]), TypeError, "surface"),
        ((wave(), 0.0), ValueError, "theta"),
        ((wave(), ["a"]), TypeError, "theta"),
        ((FunctionGraph(lambda t: t[..., 0]), [0.0]), TypeError, "no gradient"),
    ],
)
def test_wrong_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        check_gradient(*arguments)
