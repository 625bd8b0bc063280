"""The rolling-ball background: its definition, scikit-image's answers, and what scikit-image's own tests claim."""

import itertools
import math
from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geometry import erode, rolling_ball

INTEGERS = ["bool", "int8", "uint8", "uint16", "int32", "int64"]
FLOATS = ["float16", "float32", "float64"]


@pytest.fixture(scope="module")
def peer():
    return pytest.importorskip("skimage.restoration")


def agree(found, expected, scale):
    """The same bits for integers and float64, where both form the same sums in the same precision.

    Below that scikit-image rounds the ball's table, then the sum, in single precision; we round once: in units of
    eps/2, 1 of ρ and 2 of the sum, plus 2 for float16, which scikit-image reaches through float32.
    """
    assert found.dtype == expected.dtype
    tolerance = 2 * float(np.finfo(found.dtype).eps) * scale if found.dtype in ("float16", "float32") else 0
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


# The definition.


def definition(image, radius, spacing, nansafe):
    """min over |s| ≤ ρ of f + ρ − √(ρ² − |s|²), one pair of numbers at a time, without NaN.

    Radii and spacings below have few bits: ρ² − |s|² is exact. With `nansafe` NaN fills the ball's bounding box.
    """
    background = np.empty(image.shape)
    for place in np.ndindex(image.shape):
        lowest = math.inf
        for sample in np.ndindex(image.shape):
            steps = [abs(p - s) for p, s in zip(place, sample, strict=True)]
            left = radius**2 - sum((n * h) ** 2 for n, h in zip(steps, spacing, strict=True))
            if math.isnan(image[sample]):
                if nansafe and all(n <= math.ceil(radius / h) for n, h in zip(steps, spacing, strict=True)):
                    lowest = math.nan
                    break
            elif left >= 0:
                lowest = min(lowest, float(image[sample]) + (radius - math.sqrt(left)))
        background[place] = lowest
    return background


@pytest.mark.parametrize("nansafe", [False, True])
@pytest.mark.parametrize(("shape", "spacing"), [((23,), (0.5,)), ((7, 9), (1.0, 0.75)), ((3, 4, 5), (1.0, 0.5, 2.0))])
def test_the_definition(backend, dtype, shape, spacing, nansafe):
    compiles = backend.name.startswith("jax")
    if compiles and len(shape) != 2:
        pytest.skip("JAX would compile every offset again")
    rng = np.random.default_rng(len(shape))
    image = rng.normal(size=shape).astype(dtype)
    with_holes = np.where(rng.random(shape) < 0.05, np.nan, image).astype(dtype)
    for f, radius in itertools.product((image, with_holes), (1.0,) if compiles else (0.25, 1.0, 2.5, 64.0)):
        found = backend.jit(partial(rolling_ball, radius=radius, spacing=spacing, nansafe=nansafe))(
            backend.asarray(f, dtype)
        )
        assert backend.belongs(found, dtype)
        expected = definition(f, radius, spacing, nansafe).astype(dtype)
        # Without float64 the sum is rounded twice: the table, then the sum.
        tolerance = 0 if "float64" in backend.dtypes else float(np.finfo(dtype).eps) * (4 + radius)
        np.testing.assert_allclose(backend.to_numpy(found), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "bool"])
def test_integers_keep_their_dtype_and_are_cut_off(backend, dtype):
    image = np.random.default_rng(0).integers(0, 2 if dtype == "bool" else 100, (9, 8)).astype(dtype)
    image = image if dtype[0] in "ub" else image - image.dtype.type(50)
    exact = definition(image, 2.5, (1.0, 1.0), False)
    expected = exact != 0 if dtype == "bool" else np.trunc(exact)
    found = rolling_ball(backend.asarray(image, dtype), radius=2.5)
    assert backend.belongs(found, dtype)
    np.testing.assert_array_equal(backend.to_numpy(found), expected)


def test_integers_beyond_single_precision(backend):
    if "float64" not in backend.dtypes:
        pytest.skip("the device has no float64")
    image = np.asarray([2**40 + 1, 2**40 + 3, 2**40 + 1])
    np.testing.assert_array_equal(
        backend.to_numpy(rolling_ball(backend.asarray(image, "int64"), 1.0)), image - [0, 1, 0]
    )


def test_it_is_the_erosion_and_the_radius():
    image = np.random.default_rng(0).normal(size=(20, 30))
    # ρ is subtracted from the table, or added to the sum: a rounding each of numbers up to 10
    np.testing.assert_allclose(rolling_ball(image, 5.0), erode(image, 5.0) + 5.0, rtol=0, atol=2e-15)


def test_a_ramp_has_a_parallel_background():
    """A line of slope m carries the ball at 2x + ρ − ρ√(1 + m²), up to O(h²) as the contact is a sample."""
    x = np.arange(400) * 0.05
    found = rolling_ball(2 * x, 3.0, spacing=0.05)[100:300]
    sag = 0.05**2 * 5**1.5 / (8 * 3.0)  # half a step beside the contact, where the ball's curvature is (1 + m²)^(3/2)/ρ
    excess = found - (2 * x[100:300] + 3 - 3 * math.sqrt(5))
    assert excess.min() >= -1e-14
    assert excess.max() <= 1.1 * sag


# scikit-image.


def images():
    """Images of 1 to 4 dimensions of every dtype."""
    shapes = st.integers(1, 4).flatmap(lambda n: st.tuples(*[st.integers(1, (40, 12, 6, 4)[n - 1])] * n))
    integers = st.sampled_from(INTEGERS).flatmap(lambda dtype: arrays(dtype, shapes, elements=_whole(dtype)))
    numbers = st.floats(-100, 100, width=16)
    return st.one_of(integers, st.sampled_from(FLOATS).flatmap(lambda dtype: arrays(dtype, shapes, elements=numbers)))


def _whole(dtype):
    """Bounds within which conversion to float64 is exact."""
    return st.booleans() if dtype == "bool" else st.integers(0, 100) if dtype[0] == "u" else st.integers(-100, 100)


# Radii whose square scikit-image rounds like a product (its power function need not).
RADII = st.one_of(
    st.integers(1, 12),
    st.floats(0.01, 12.0),
    st.integers(1, 60).map(math.sqrt),  # samples on the rim
    st.sampled_from([0.1, 0.999, 100]),
).filter(lambda radius: radius**2 == radius * radius)


@settings(max_examples=150)
@given(image=images(), radius=RADII, nansafe=st.booleans())
def test_scikit_image(peer, image, radius, nansafe):
    assume(image.ndim < 3 or radius < 7)  # scikit-image's kernel would have millions of elements
    found = rolling_ball(image, radius=radius, nansafe=nansafe)
    scale = float(np.abs(image).max()) + radius
    agree(found, peer.rolling_ball(image, radius=radius, nansafe=nansafe), scale)


@settings(max_examples=60)
@given(data=st.data(), radius=st.integers(1, 40).map(lambda n: n / 8), nansafe=st.booleans())
def test_scikit_image_on_nan(peer, data, radius, nansafe):
    shape = data.draw(st.sampled_from([(20,), (9, 11), (5, 6, 7)]))
    numbers = st.one_of(st.floats(-10, 10, width=16), st.sampled_from([np.nan, np.inf]))
    image = data.draw(arrays(data.draw(st.sampled_from(FLOATS)), shape, elements=numbers, fill=st.just(1.0)))
    found = rolling_ball(image, radius=radius, nansafe=nansafe)
    agree(found, peer.rolling_ball(image, radius=radius, nansafe=nansafe), 10 + radius)


@pytest.mark.parametrize("nansafe", [False, True])
def test_scikit_image_on_nothing_but_nan(peer, nansafe):
    image = np.full((4, 5), np.nan)
    expected = peer.rolling_ball(image, radius=2, nansafe=nansafe)
    assert (np.isnan if nansafe else np.isposinf)(expected).all()
    np.testing.assert_array_equal(rolling_ball(image, radius=2, nansafe=nansafe), expected)


def test_scikit_image_on_a_large_image(peer):
    image = np.random.default_rng(0).integers(0, 256, (300, 200)).astype("uint8")
    np.testing.assert_array_equal(rolling_ball(image, radius=20), peer.rolling_ball(image, radius=20))
    np.testing.assert_array_equal(rolling_ball(image[:40, :50]), peer.rolling_ball(image[:40, :50]))  # radius=100


@pytest.mark.parametrize(("shape", "height"), [((5, 9), 8.0), ((9, 9, 5), 16.0), ((17,), 2.0)])
def test_its_ellipsoids_are_radii_and_spacings(peer, shape, height):
    """The kernel of full axes n has the semi-axes n // 2. Powers of two, so that no rounding tells them apart."""
    image = np.random.default_rng(0).normal(size=(12,) * len(shape))
    expected = peer.rolling_ball(image, kernel=peer.ellipsoid_kernel(shape, height))
    axes = [n // 2 for n in shape]
    np.testing.assert_array_equal(rolling_ball(image, (*axes, height)), expected)
    np.testing.assert_array_equal(rolling_ball(image, height, spacing=[height / a for a in axes]), expected)


@pytest.mark.parametrize("empty", [np.zeros(0), np.zeros((0, 3), "uint8"), np.zeros((3, 0), "float32")])
@pytest.mark.parametrize("nansafe", [False, True])
def test_nothing_is_the_background_of_nothing(peer, empty, nansafe):
    found, expected = rolling_ball(empty, 2, nansafe=nansafe), peer.rolling_ball(empty, radius=2, nansafe=nansafe)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)


def test_it_takes_lists(peer):
    image = [[5, 9, 4], [6, 2, 7]]
    np.testing.assert_array_equal(rolling_ball(image, radius=2), peer.rolling_ball(image, radius=2))


# What scikit-image's own tests claim, one after the other.


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float16", "float32", "float64"])
def test_an_ellipsoid_under_a_plain_image(dtype):
    image = np.full((100, 100), 155, dtype)
    background = rolling_ball(image, radius=(12, 26, 50))
    assert background.dtype == image.dtype
    np.testing.assert_array_equal(background, image)


def test_nan_spoils_the_bounding_box_of_an_ellipsoid():
    image = np.full((100, 100), 123.0)
    image[20, 20] = image[50, 53] = np.nan
    expected = np.full((100, 100), 123.0)
    expected[15:26, 15:26] = expected[45:56, 48:59] = np.nan
    np.testing.assert_array_equal(rolling_ball(image, radius=(5, 5, 100), nansafe=True), expected)


@pytest.mark.parametrize("radius", [1, 2.5, 10.346, 50])
def test_a_plain_image_is_its_own_background(radius):
    image = np.full((100, 100), 23, "uint8")
    np.testing.assert_array_equal(rolling_ball(image, radius=radius), image)


def test_a_dome_wider_than_the_ball_is_background():
    i, j = np.indices((5, 5))
    image = np.sqrt(50.0**2 - i**2 - j**2)
    np.testing.assert_array_equal(rolling_ball(image, radius=5), image)


def test_on_a_steep_ramp_the_ball_hangs_from_the_lower_neighbour():
    i, j = np.indices((100, 100))
    image = 20 * (i + j)
    excess = image - rolling_ball(image, radius=1)  # 20 less the ball's radius, but at the foot
    expected = np.full((100, 100), 19)
    expected[0, 0] = 0
    np.testing.assert_array_equal(excess, expected)


@pytest.mark.parametrize("radius", [2, 10, 12.5, 50])
def test_single_peaks_are_left_out(radius):
    image = np.full((100, 100), 10)
    image[10, 10], image[20, 20], image[45, 26] = 20, 35, 156
    np.testing.assert_array_equal(rolling_ball(image, radius=radius), np.full((100, 100), 10))


@pytest.mark.parametrize("nansafe", [False, True])
@pytest.mark.parametrize("workers", [None, 1, 2])
def test_the_number_of_threads_changes_nothing(workers, nansafe):
    image = np.random.default_rng(0).normal(size=(100, 100))
    found = rolling_ball(image, radius=10, nansafe=nansafe, workers=workers)
    np.testing.assert_array_equal(found, rolling_ball(image, radius=10, nansafe=nansafe))


def test_a_flat_ellipsoid_in_a_volume(peer):
    volume = np.random.default_rng(0).integers(0, 2**16, (5, 40, 50)).astype("uint16")
    expected = peer.rolling_ball(volume, kernel=peer.ellipsoid_kernel((3, 16, 16), 64))
    np.testing.assert_array_equal(rolling_ball(volume, radius=(1, 8, 8, 64)), expected)


@pytest.mark.parametrize("workers", [None, 1, 2])
def test_the_old_name_of_workers_is_deprecated(workers):
    image = np.random.default_rng(0).normal(size=(20, 20))
    with pytest.warns(FutureWarning, match="`num_threads` is deprecated; pass `workers`") as warned:
        found = rolling_ball(image, radius=10, num_threads=workers)
    assert [warning.filename for warning in warned] == [__file__]
    np.testing.assert_array_equal(found, rolling_ball(image, radius=10))
    with pytest.raises(TypeError, match="workers and num_threads must not both be given"):
        rolling_ball(image, radius=10, num_threads=1, workers=1)


# Errors.


@pytest.mark.parametrize(
    ("image", "arguments", "error", "message"),
    [
        (np.zeros((4, 4)), {"radius": 0}, ValueError, "radius must be finite and positive"),
        (np.zeros((4, 4)), {"radius": math.nan}, ValueError, "radius must be finite"),
        (np.zeros((4, 4)), {"radius": (1, 2)}, ValueError, "radius must be one number or 3 semi-axes"),
        (np.zeros((4, 4)), {"spacing": (1, 2, 3)}, ValueError, "spacing must be one number or one per axis"),
        (np.zeros((4, 4)), {"workers": 0}, ValueError, "workers must be at least 1"),
        (np.zeros((4, 4), complex), {}, TypeError, "image must have a real floating or integer dtype"),
        (np.zeros(()), {}, ValueError, "image must have at least one dimension"),
        ("image", {}, TypeError, "image must"),
        ([[1, 2], [3]], {}, ValueError, "image must"),
    ],
)
def test_wrong_arguments(image, arguments, error, message):
    with pytest.raises(error, match=message):
        rolling_ball(image, **arguments)


@pytest.mark.parametrize("nansafe", [False, True])
def test_masked_images(nansafe):
    """What is masked is NaN; integers have no NaN."""
    image = np.ma.masked_array([0.0, 0.0, 100.0, 0.0], mask=[0, 0, 1, 0])
    found = rolling_ball(image, 1.0, nansafe=nansafe)
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found, rolling_ball(image.filled(np.nan), 1.0, nansafe=nansafe))
    np.testing.assert_array_equal(found, rolling_ball(image.data, 1.0, nansafe=nansafe, mask=image.mask))
    with pytest.raises(TypeError, match="image must have a floating dtype with a mask"):
        rolling_ball([1, 2], 1.0, mask=[True, False])
    with pytest.raises(ValueError, match="mask must be an array of bool of the shape of image"):
        rolling_ball([1.0, 2.0], 1.0, mask=[True])
    with pytest.raises(TypeError, match=r"^image must not be a masked array, .*image\.filled\(nan\)"):
        rolling_ball(image.astype("uint8"), 1.0)


@pytest.mark.parametrize("radius", [5.0, 500.0, 5e4])
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_it_is_rounded_once(dtype, radius):
    """min f(s) + ρ − √(ρ² − |θ − s|²) in numpy.longdouble, for all balls that cover the profile."""
    f = (1e-3 * np.sin(0.02 * np.arange(400))).astype(dtype)
    s = 0.005 * np.arange(400, dtype=np.longdouble)
    away = np.abs(s[:, None] - s)
    rise = away**2 / (radius + np.sqrt(radius**2 - away**2))
    truth = (f.astype(np.longdouble) + rise).min(axis=1)
    found = rolling_ball(f, radius, spacing=0.005)
    ulp = np.spacing(np.abs(truth).astype(dtype)).astype(np.longdouble)
    assert (np.abs(found - truth) <= ulp / 2 * 1.001 + 1e-15 * radius).all()
    assert (found <= f).all()


# Channels, and kernels of scikit-image.


@pytest.mark.parametrize("channel_axis", [0, 1, -1])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_every_channel_has_its_own_background(backend, dtype, channel_axis):
    channels = np.random.default_rng(1).integers(0, 255, (3, 9, 8)).astype(dtype)
    image = backend.asarray(np.moveaxis(channels, 0, channel_axis), dtype)
    found = backend.to_numpy(rolling_ball(image, 3.0, channel_axis=channel_axis))
    for channel, background in zip(channels, np.moveaxis(found, channel_axis, 0), strict=True):
        np.testing.assert_array_equal(background, backend.to_numpy(rolling_ball(backend.asarray(channel, dtype), 3.0)))


def test_channels_of_chunks():
    da = pytest.importorskip("dask.array")
    image = np.random.default_rng(2).random((12, 10, 3))
    image[3, 4, 1] = np.nan
    for nansafe in (False, True):
        options = {"channel_axis": 2, "nansafe": nansafe}
        lazily = rolling_ball(da.from_array(image, chunks=(6, 5, 1)), 2.0, **options)
        np.testing.assert_array_equal(lazily.compute(scheduler="synchronous"), rolling_ball(image, 2.0, **options))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_kernels_of_balls_and_ellipsoids(peer, n):
    image = np.random.default_rng(3).random((19, 12, 7)[:n]) * 50
    kernels = [peer.ball_kernel(radius, n) for radius in (1, 2.5, 4)]
    kernels += [peer.ellipsoid_kernel((7, 5, 3)[:n], intensity) for intensity in (1, 30.5)]
    for kernel in kernels:
        expected = peer.rolling_ball(image, kernel=kernel)
        np.testing.assert_allclose(rolling_ball(image, kernel=kernel), expected, rtol=0, atol=1e-13)


def test_other_kernels_are_refused(peer):
    ball = peer.ball_kernel(3, 2)
    for kernel in (ball[:-1], ball[1:-1, 1:-1], np.zeros((3, 3)), np.where(ball == 3, 4.0, ball), ball[0], -ball):
        with pytest.raises(ValueError, match="kernel must be a ball or an ellipsoid over 2 axes"):
            rolling_ball(np.zeros((9, 9)), kernel=kernel)
