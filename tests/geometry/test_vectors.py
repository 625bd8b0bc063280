"""Lengths and slopes against arbitrary precision, over the whole range of the dtype."""

import math

import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from geometry._vectors import dot, length, slope, split

EXPONENTS = {"float32": (-37, 38), "float64": (-307, 308)}  # the normal numbers; a shorter vector leaves room for |v|
components = st.lists(st.floats(-0.5, 0.5).filter(lambda c: c == 0 or abs(c) > 1e-3), min_size=1, max_size=5)


def exact_length(vector) -> arb:
    ctx.prec = 200
    return sum((arb(float(c)) * arb(float(c)) for c in vector), arb(0)).sqrt()


def rounding(backend, dtype, d) -> float:
    """d products, d sums, a square root, scaling and unscaling, each within half an ulp; XLA may take a reciprocal."""
    return (d + 5) * float(backend.xp.finfo(getattr(backend.xp, dtype)).eps)


@given(components, st.floats(0, 1))
def test_length_in_the_whole_range(backend, dtype, values, part):
    low, high = EXPONENTS[dtype]
    vector = (np.array(values) * 10 ** (low + part * (high - low))).astype(dtype)
    vector[abs(vector) < 10.0**low] = 0  # subnormal numbers are flushed to zero on some devices
    found = float(backend.to_numpy(length(backend.xp, backend.asarray(vector, dtype))))
    assert found == pytest.approx(float(exact_length(vector)), rel=rounding(backend, dtype, len(values)), abs=0)


def test_length_of_special_vectors(backend, dtype):
    vectors = backend.asarray([[0, 0], [math.inf, 1], [math.nan, 1], [-3, 4]], dtype)
    found = length(backend.xp, vectors)
    assert backend.belongs(found, dtype)
    np.testing.assert_array_equal(backend.to_numpy(found), [0, math.inf, math.nan, 5])


@pytest.mark.parametrize("shape", [(), (5,), (2, 3)])
def test_slope_is_the_polar_form(backend, dtype, shape):
    low, high = EXPONENTS[dtype]
    rng = np.random.default_rng(0)
    gradients = (rng.uniform(-0.5, 0.5, size=(*shape, 3)) * 10 ** rng.uniform(low, high, (*shape, 1))).astype(dtype)
    at = slope(backend.xp, backend.asarray(gradients, dtype))
    direction, steepness, stretch = (backend.to_numpy(part).astype(float) for part in at)
    rel = rounding(backend, dtype, 3)
    np.testing.assert_allclose(np.linalg.norm(direction, axis=-1), 1, rtol=rel)
    np.testing.assert_allclose(direction * steepness[..., None], gradients, rtol=rel)
    exact = [float((1 + exact_length(g) ** 2).sqrt()) for g in gradients.reshape(-1, 3)]
    np.testing.assert_allclose(stretch.ravel(), exact, rtol=rel)


def test_slope_of_a_flat_place(backend, dtype):
    direction, steepness, stretch = slope(backend.xp, backend.asarray([0.0, 0.0], dtype))
    assert backend.to_numpy(direction).tolist() == [0, 0]
    assert float(steepness) == 0
    assert float(stretch) == 1


def test_split_into_orthogonal_parts(backend, dtype):
    rng = np.random.default_rng(1)
    vectors, direction = rng.normal(size=(4, 3)), rng.normal(size=3)
    direction /= np.linalg.norm(direction)
    v, n = backend.asarray(vectors, dtype), backend.asarray(direction, dtype)
    along, across = split(backend.xp, v, n)
    assert along.shape == (4, 1)
    eps = rounding(backend, dtype, 3) * np.linalg.norm(vectors)
    np.testing.assert_allclose(backend.to_numpy(along)[:, 0], vectors @ direction, atol=eps)
    np.testing.assert_allclose(backend.to_numpy(across), vectors - np.outer(vectors @ direction, direction), atol=eps)
    np.testing.assert_allclose(backend.to_numpy(dot(backend.xp, across, n)), 0, atol=eps)
