"""Many steps at once against the numbers with true values in balls, which are taken one by one."""

from __future__ import annotations

import numpy as np
import pytest
from flint import ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from geometry.arithmetic.batched import FIRST, WHOLE, WIDE, Batch
from geometry.arithmetic.formats import error_of, format_of
from geometry.arithmetic.rounded import Arithmetic, Rounded
from tests.rbo_ref.oracle.drawing import losses, powers, vectors

from .test_rounded import OURS, PROGRAMS, run

ROWS = st.lists(
    st.lists(st.floats(-8, 8, width=32).filter(lambda x: x == 0 or abs(x) > 1e-3), min_size=3, max_size=3),
    min_size=2,
    max_size=4,
)
NEAR = 1e-6  # relative: radii follow from true values that are rounded to float64, one here, another there


@pytest.fixture(autouse=True)
def precise():
    with ctx.workprec(256), np.errstate(all="ignore"):
        yield


def compared(batch: Rounded, single: list[Rounded]) -> None:
    """Every row of a batch holds the number, and its radii those of the number."""
    for i, one in enumerate(single):
        wide = np.broadcast_to(batch.value, (*batch.shape, 1, len(single)))[..., 0, i]
        radius = np.broadcast_to(batch.radius, (*batch.shape, 3, len(single)))[..., i]
        errors = error_of(wide, list(one.value.reshape(-1))).reshape(one.shape)
        known = np.isfinite(radius).all(axis=-1) & np.isfinite(one.radius)
        first, whole, error = (np.asarray(radius[..., k]) for k in (FIRST, WHOLE, WIDE))
        assert (errors <= error * (1 + NEAR) + 1e-300)[known].all()
        assert (first <= one.radius * (1 + NEAR) + 1e-300)[known].all()
        assert (one.radius <= whole * (1 + NEAR) + 1e-300)[known].all()


@settings(deadline=None, max_examples=60)
@given(PROGRAMS, ROWS, st.sampled_from(["float32", "float64"]), st.booleans())
def test_programs(program, rows, dtype, anchored):
    """Choices that depend on θ are left out: a batch allows for all of them alike, and so for more."""
    program = [step for step in program if step[0] not in ("least", "largest")] or [("plus", 0, 1)]
    target, x = format_of(dtype), np.array(rows, dtype=dtype)
    batch, y = Batch(target, True), x[::-1]

    def started(arithmetic, make):
        pool = [make(x), make(y)]
        for numbers in pool if anchored else ():
            numbers.rest = numbers.again().rest
            numbers.anchor()
        return pool

    together = run(program, started(batch, batch.along), OURS)
    single = []
    for i in range(len(x)):
        arithmetic = Arithmetic(target)
        single.append(run(program, started(arithmetic, lambda numbers, i=i, a=arithmetic: a.exact(numbers[i])), OURS))
    compared(together, single)


@settings(deadline=None, max_examples=30)
@given(st.data(), st.integers(1, 4), st.sampled_from(["float32", "float64"]))
def test_descents_on_losses(data, d, dtype):
    """Errors of places come back through gradients, three times."""
    loss, start = data.draw(losses(d)), data.draw(vectors(d))
    rate = data.draw(powers(-8, -3))
    target = format_of(dtype)
    theta = np.stack([start, -start, start / 4]).astype(dtype)

    def descended(arithmetic, place):
        for _ in range(3):
            place = place - arithmetic.given(rate) * arithmetic.evaluate(loss, place)[1]
        return place

    batch = Batch(target, True)
    together = descended(batch, batch.seeded(theta))
    compared(together, [descended(a, a.exact(row)) for row in theta for a in [Arithmetic(target)]])


@settings(deadline=None, max_examples=10)
@given(st.data(), st.integers(1, 3))
def test_derivatives_are_limits_of_differences(data, d):
    loss, theta = data.draw(losses(d)), data.draw(vectors(d))

    def descended(theta):
        batch = Batch(format_of("float64"), True)
        place = batch.seeded(theta[None])
        for _ in range(2):
            place = place - batch.given(2.0**-6) * batch.evaluate(loss, place)[1]
        return batch, place

    batch, place = descended(theta)
    found = batch.derivative(place)[0]
    for j, e in enumerate(np.eye(d) * 2.0**-24):
        ahead, behind = (descended(theta + sign * e)[1].value[:, 0, 0] for sign in (1, -1))
        np.testing.assert_allclose(found[:, j], (ahead - behind) * 2.0**23, rtol=1e-5, atol=1e-5)


def test_products_of_matrices():
    random = np.random.default_rng(0)
    a, b = random.standard_normal((5, 3, 4)), random.standard_normal((5, 4, 2))
    target = format_of("float32")
    batch, rows = Batch(target, True), zip(a, b, strict=True)
    together = (batch.along(a).again() @ batch.along(b).again()).transposed()
    single = [(Arithmetic(target), *row) for row in rows]
    compared(together, [(s.exact(x).again() @ s.exact(y).again()).transposed() for s, x, y in single])


def test_hyper_parameters_may_differ_from_step_to_step():
    rates = np.array([0.5, 0.1, 1e-40])
    held = Batch(format_of("float32"), True).given(rates)
    np.testing.assert_array_equal(held.middle[0], rates)
    expected = [float(Arithmetic(format_of("float32")).given(rate).radius) for rate in rates]
    np.testing.assert_array_equal(held.radius, [expected, expected, [0.0] * 3])


def test_too_many_generators_become_a_box_but_for_the_seeds():
    batch = Batch(format_of("float64"), True)
    total = batch.seeded(np.ones((2, 4)))
    for _ in range(200):
        total = total + batch.given(0.1)
        total.anchor()
    assert len(total.names) <= 608
    np.testing.assert_array_equal(batch.derivative(total), np.stack([np.eye(4)] * 2))
