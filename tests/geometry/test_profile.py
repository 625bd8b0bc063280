"""A ball over profiles: at uneven positions, with its centre anywhere, and where ends and holes do not matter."""

import itertools
import math
from functools import partial

import numpy as np
import pytest

from geometry import closing, dilate, erode, free_of_ends, opening, reachable_samples
from geometry._kernels.arcs import envelope
from geometry._kernels.profiles import profile_dilation as compiled
from geometry._profile import ProfileBall, profile_dilation

INF, NAN = math.inf, math.nan


def definition(f, ball):
    """Values and contacts from all pairs of samples: f (lines, n)."""
    sums = f[:, None, :] + ball.weights(ball.positions - ball.positions[:, None])
    values, contacts = sums.max(axis=-1), sums.argmax(axis=-1) + np.arange(len(f))[:, None] * f.shape[1]
    return values, np.where(values > -INF, contacts, -1)


def hard_profiles():
    """Heights (2, n), and balls over n positions: noise, holes, ties, samples on one arc of the ball, all far away."""
    rng = np.random.default_rng(0)
    for number in range(250):
        n, kind, radius = int(rng.integers(1, 60)), number % 5, float(10 ** rng.uniform(-1, 2))
        steps = rng.random(n) + 1e-3 if kind < 3 else rng.integers(1, 4, n) * 0.1
        x = np.cumsum(steps) + rng.normal() * 10 ** rng.integers(0, 4)
        f = rng.normal(size=(2, n)) * 10 ** rng.uniform(-3, 3)
        if kind == 1:
            f = np.where(rng.random(f.shape) < 0.3, -INF, f)
        elif kind == 2:
            f = np.round(f)
        elif kind == 3:
            f = -np.sqrt(np.maximum(radius**2 - (x - x.mean()) ** 2, 0)) + 1e-15 * rng.normal(size=f.shape)
        elif kind == 4:
            radius = float(rng.integers(1, 9) * 0.1)
        yield f, ProfileBall(radius, x, bool(rng.integers(0, 2)))


def test_all_pairs_of_samples():
    for f, ball in hard_profiles():
        expected = definition(f, ball)
        for run in (profile_dilation, compiled):
            values, contacts = run(f, ball, contact=True)
            np.testing.assert_array_equal(values, expected[0])
            np.testing.assert_array_equal(contacts, expected[1])


@pytest.mark.parametrize("workers", [1, 3])
def test_long_profiles_are_shared_out(workers):
    rng = np.random.default_rng(1)
    f, x = np.cumsum(rng.normal(size=40_000)), np.cumsum(rng.random(40_000) + 0.5)
    values, contacts = compiled(f, ProfileBall(20.0, x), contact=True, workers=workers)
    for i in rng.integers(0, len(x), 100):
        near = np.flatnonzero(abs(x - x[i]) <= 20.0)
        sums = f[near] + np.sqrt(400 - (x[near] - x[i]) ** 2)
        assert values[i] == pytest.approx(sums.max(), rel=1e-15)
        assert near[sums.argmax()] == contacts[i]


@pytest.mark.parametrize("verb", [dilate, erode, opening, closing])
def test_even_positions_are_a_grid(backend, dtype, verb):
    f = np.random.default_rng(2).normal(size=(3, 40)).astype(dtype)
    x = backend.asarray(0.5 * np.arange(40), dtype)
    on_line = backend.jit(
        partial(verb, radius=3.25, x=x if not backend.name.startswith("jax") else np.asarray(x), axes=1)
    )
    found, expected = on_line(backend.asarray(f, dtype)), verb(backend.asarray(f, dtype), 3.25, spacing=0.5, axes=1)
    assert backend.belongs(found, dtype)
    tolerance = 0 if "float64" in backend.dtypes else 4 * 3.25 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(backend.to_numpy(found), backend.to_numpy(expected), rtol=0, atol=tolerance)


@pytest.mark.parametrize(("verb", "sign"), [(closing, 1), (opening, -1)])
def test_two_passes_of_all_pairs(verb, sign):
    """In numpy.longdouble; a flat profile stays flat."""
    rng = np.random.default_rng(3)
    x, f = np.cumsum(rng.random(70) + 0.1), 0.3 * np.cumsum(rng.normal(size=70))
    away = (x[:, None] - x).astype(np.longdouble)
    for radius in (0.5, 3.0, 200.0):
        cap = np.where(abs(away) <= radius, np.sqrt(np.maximum(radius**2 - away**2, 0)), -INF)
        centres = (sign * f + cap).max(axis=1)
        closed = sign * (centres[:, None] - cap).min(axis=0)
        np.testing.assert_allclose(verb(f, radius, x=x), closed.astype(float), rtol=0, atol=1e-15 * (radius + 10))
        np.testing.assert_array_equal(verb(np.zeros(70), radius, x=x), 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": [0.0, 1.0]}, r"x must have the length of the axis that the ball spans, \(3,\), got \(2,\)"),
        ({"x": [0.0, 1.0, 1.0]}, "x must be finite and increase from sample to sample"),
        ({"x": [0.0, NAN, 1.0]}, "x must be finite and increase"),
        ({"x": [0.0, 1.0, 2.0], "spacing": 2.0}, "spacing must not be given with x"),
        ({"x": [0.0, 1.0, 2.0], "boundary": "periodic"}, "boundary must not be 'periodic' with x"),
        ({"x": [0.0, 1.0, 2.0], "heights": np.zeros((3, 3))}, "x is for a ball that spans one axis, but it spans 2"),
    ],
)
def test_wrong_positions(arguments, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        dilate(**({"heights": np.zeros(3), "radius": 1.0} | arguments))


# Which samples are touched.


def between(f, x, radius):
    """How long the interval of centres is whose ball rests on each sample, negative where another sample is in its way.

    The difference of two samples' heights under the ball grows with its place: halving finds where it is zero.
    """
    start, stop = x - radius, x + radius
    for i, j in itertools.combinations(np.flatnonzero(f > -INF), 2):
        if (low := x[j] - radius) >= (high := x[i] + radius):
            continue
        for _ in range(60):
            middle = (low + high) / 2
            first, second = (f[k] + math.sqrt(max(radius**2 - (middle - x[k]) ** 2, 0)) for k in (i, j))
            low, high = (low, middle) if second > first or f[j] == INF > f[i] else (middle, high)
        stop[i], start[j] = min(stop[i], low), max(start[j], high)
    return np.where(np.isfinite(f), stop - start, -INF)


def test_a_sample_is_touched_if_a_ball_rests_on_it():
    """All pairs of samples, where no ball touches three of them up to rounding."""
    rng = np.random.default_rng(5)
    for number in range(150):
        n, radius = int(rng.integers(1, 14)), float(10 ** rng.uniform(-0.5, 1))
        x, f = np.cumsum(rng.random(n) + 0.05), rng.normal(size=n) * 10 ** rng.uniform(-2, 1)
        f[rng.random(n) < 0.2] = [-INF, INF, 0.0][number % 3]
        lengths, found = between(f, x, radius), reachable_samples(f, radius, x=x)
        clear = abs(lengths) > 1e-7
        assert np.count_nonzero(~clear) <= 1
        np.testing.assert_array_equal(found[clear], lengths[clear] > 0)
        uncompiled = np.zeros(n, dtype=bool)
        envelope(f, x, radius, 1e-13, uncompiled)
        np.testing.assert_array_equal(uncompiled, found)


def test_contacts_of_a_dilation_are_touched_and_balls_below_are_balls_above_upside_down():
    f = np.random.default_rng(6).normal(size=(4, 50))
    for axis, radius in ((1, 2.5), (0, 1.5)):
        touched = reachable_samples(f, radius, axes=axis)
        assert touched.reshape(-1)[dilate(f, radius, axes=axis, return_contact=True)[1]].all()
        np.testing.assert_array_equal(
            reachable_samples(f, radius, axes=axis, side="below"), reachable_samples(-f, radius, axes=axis)
        )


def test_of_a_period_it_does_not_matter_where_it_begins():
    f = np.random.default_rng(7).normal(size=30)
    touched = reachable_samples(f, 3.0, boundary="periodic")
    assert not touched.all()
    np.testing.assert_array_equal(reachable_samples(np.roll(f, 11), 3.0, boundary="periodic"), np.roll(touched, 11))


def test_what_is_missing_is_not_touched(backend):
    """A NaN that propagates keeps the ball from all samples that it can reach it with."""
    f = np.array([0.0, NAN, 0.0, 0.0, 5.0])
    given, missing, free = backend.asarray(f), [True, False, True, True, True], [True, False, False, False, True]
    assert backend.to_numpy(reachable_samples(given, 1.5, nan="omit")).tolist() == missing
    assert backend.to_numpy(reachable_samples(given, 2.5, nan="propagate")).tolist() == free
    assert reachable_samples(np.ma.masked_array(np.nan_to_num(f), mask=np.isnan(f)), 1.5).tolist() == missing
    with pytest.raises(ValueError, match="heights must not be NaN"):
        reachable_samples(given, 1.5)


def test_wrong_sides_and_axes():
    with pytest.raises(ValueError, match="side must be one of"):
        reachable_samples([0.0], 1.0, side="up")
    with pytest.raises(ValueError, match="axes must name one axis or two that the ball spans, got 3"):
        reachable_samples(np.zeros((3, 3, 3)), 1.0)


# Ends and holes.


@pytest.mark.parametrize(("passes", "verb"), [(1, dilate), (1, erode), (2, closing), (2, opening)])
@pytest.mark.parametrize("x", [None, np.cumsum(np.random.default_rng(8).random(40) + 0.5)])
def test_results_free_of_ends_are_those_of_a_longer_profile(passes, verb, x):
    """And the first that is not free changes if what is outside is high, or low, enough."""
    rng = np.random.default_rng(9)
    longer, inner = rng.normal(size=60), slice(10, 50)
    around = (
        None if x is None else np.concatenate([x[0] - 1e-9 * np.arange(10, 0, -1), x, x[-1] + 1e-9 * np.arange(1, 11)])
    )
    f, options = longer[inner], {} if x is None else {"x": x}
    wide = {} if x is None else {"x": around}
    free = free_of_ends(f, 4.5, passes=passes, **options)
    assert free.any()
    changed = np.zeros(len(f), dtype=bool)
    for level in (30.0, -30.0):
        longer[:10] = longer[50:] = level
        changed |= verb(longer, 4.5, **wide)[inner] != verb(f, 4.5, **options)
    assert not changed[free].any()
    if passes == 1:
        assert changed[~free].all()


def test_holes_spread_as_far_as_the_ball(backend):
    f = np.zeros((9, 9))
    f[4, 4] = NAN
    free = backend.to_numpy(free_of_ends(backend.asarray(f), 1.0, passes=1))
    expected = np.zeros((9, 9), dtype=bool)
    expected[1:8, 1:8] = True
    expected[4, 3:6] = expected[3:6, 4] = False
    np.testing.assert_array_equal(free, expected)
    assert free_of_ends(f, 1.0, passes=1, nan="omit")[4, 4]
    mask = np.isnan(f)
    np.testing.assert_array_equal(free_of_ends(np.zeros((9, 9)), 1.0, passes=1, mask=mask), expected)


@pytest.mark.parametrize(
    ("arguments", "message"), [({"passes": 3}, "passes must be 1 or 2"), ({"nan": "raise"}, "nan must")]
)
def test_wrong_arguments_of_ends(arguments, message):
    with pytest.raises(ValueError, match=message):
        free_of_ends(np.zeros(4), 1.0, **arguments)


@pytest.mark.parametrize("verb", [reachable_samples, free_of_ends])
def test_numbers_must_be_known_and_may_be_none(verb):
    jax, da = pytest.importorskip("jax"), pytest.importorskip("dask.array")
    for shape in ((0,), (1,), (0, 3), (3, 0)):
        assert verb(np.zeros(shape), 1.0, axes=-1).shape == shape
    for run in (lambda: jax.jit(partial(verb, radius=1.0))(np.zeros(3)), lambda: verb(da.zeros(3), 1.0)):
        with pytest.raises(TypeError, match="heights must hold numbers"):
            run()
