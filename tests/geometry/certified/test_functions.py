"""The user's own functions run on boxes unchanged, or say why not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from geometry import FunctionGraph
from geometry.arithmetic._forms import Record, box_form, differentiated
from geometry.certified import distance
from rbo_ref.landscapes import LANDSCAPES
from tests.geometry import surfaces

OWN = {
    "plane": lambda: surfaces.plane(0.5), "cap": lambda: surfaces.cap(9.0), "well": surfaces.well,
    "double well": surfaces.double_well, "monkey saddle": surfaces.monkey_saddle, "exponential": surfaces.exponential,
    "tests' wrinkled": surfaces.wrinkled,
}  # fmt: skip
ONE = {"sine", "wrinkled", "double well", "exponential", "tests' wrinkled"}
ALL = {**LANDSCAPES, **OWN}


@pytest.mark.parametrize("name", ALL)
def test_surfaces_run_on_boxes(name):
    surface = ALL[name]()
    d = 1 if name in ONE else 2
    random = np.random.default_rng(0)
    center, radius = random.uniform(-2, 2, (40, d)), np.exp(random.uniform(-12, 0, (40, d)))
    with np.errstate(all="ignore"):
        forms = differentiated(surface.expression(d), box_form(center, radius, Record()))
    theta = center + radius * random.uniform(-1, 1, (50, 40, d))
    for what, form in zip(("value", "gradient", "hessian"), forms, strict=True):
        whole, values = form.range(), getattr(surface, what)(theta)
        assert whole.lo.shape == values.shape[1:]
        # Float values carry the rounding of k²θ times k² in Eq. (13), and about as much in Weierstrass's function.
        slack = 1e-9 * np.maximum(1, np.abs(values)) * (1e3 if name in ("weierstrass",) else 1)
        assert ((values >= whole.lo - slack) & (values <= whole.hi + slack)).all()


@pytest.mark.parametrize(
    "value",
    [
        lambda t: np.sin(t[..., 0]) + np.exp(-np.sum(np.square(t), axis=-1)),
        lambda t: np.where(t[..., 0] > 0, t[..., 0] ** 2, -t[..., 0]),
        lambda t: np.maximum(np.abs(t[..., 0]), 0.5) + np.arctan(t).mean(-1),
        lambda t: np.linalg.norm(t, axis=-1) + np.concatenate([t, t], axis=-1).max(-1),
        lambda t: np.stack([t[..., 0], 1 + t[..., 0]], axis=-1) @ np.array([0.5, 0.25]),
        lambda t: np.hypot(t[..., 0], 1.0) - np.clip(t[..., 0], -1, 1) / (2 + np.cos(t[..., 0])),
        lambda t: np.arctan2(np.sin(t[..., 0]), 1.5 + np.cos(t[..., 0])) + np.arctan2(1 + t[..., 0] ** 2, t[..., 0]),
        lambda t: np.sort(np.concatenate([t, 1 - t, t**2], axis=-1), axis=-1)[..., 1],
        lambda t: np.einsum("...i,ij,...j->...", t, np.array([[0.5]]), np.cos(t)) + np.tensordot(t, np.ones(1), axes=1),
        lambda t: np.prod(1 + 0.1 * t, axis=-1) + 2.0 ** t[..., 0] - np.log1p(t[..., 0] ** 2),
    ],
)
def test_functions_of_numpy_run_as_well(value):
    surface = FunctionGraph(value)
    queries = np.array([[0.3, 1.2], [-1.1, 2.0], [0.0, -1.5]])
    found = distance(surface, queries, tolerance=1e-4)
    assert found.closed.all()
    theta = np.linspace(-6, 6, 240_001)[:, None]
    heights = value(theta)
    for i, (x, y) in enumerate(queries):
        # Between samples 5e-5 apart the distance changes by less than the slope of the surface times their spacing.
        brute = np.hypot(theta[:, 0] - x, heights - y).min()
        assert found.lower[i] <= brute
        assert found.upper[i] >= brute - 1e-3


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (lambda t: math.sin(t[..., 0]), "math"),
        (lambda t: t[..., 0] if t[..., 0] > 0 else -t[..., 0], "where"),
        (lambda t: np.fft.fft(t)[..., 0], "fft"),
        (lambda t: np.array(t)[..., 0], "array functions"),
    ],
)
def test_what_cannot_run_on_intervals_says_why(value, message):
    with pytest.raises(TypeError, match=f"bent cannot run on intervals.*{message}"):
        distance(FunctionGraph(value, name="bent"), [0.5, 3.0])
