"""Dask arrays: the same bits as in memory, whatever the chunks; lazy; clear errors; processes and stores."""

import ast
import math
import pickle
import re
import weakref

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geometry import closing, dilate, erode, opening, rolling_ball
from geometry._ball import ball_on_grid

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

VERBS = [dilate, erode, opening, closing]
every_verb = pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.__name__)
inline = pytest.mark.usefixtures("_inline")


@pytest.fixture
def _inline():
    """Tasks run one after the other, in this thread."""
    with dask.config.set(scheduler="synchronous"):
        yield


def agree(lazy, expected, chunks):
    """A dask array of these chunks, which promises a dtype and computes to the same bits."""
    assert isinstance(lazy, da.Array)
    found = lazy.compute()
    assert lazy.chunks == chunks
    assert lazy.dtype == lazy._meta.dtype == found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


# The same bits.


@st.composite
def partitions(draw, size, least):
    """Lengths of chunks, none of them too short, unless there is but one."""
    lengths, left = [], size
    while left:
        length = draw(st.integers(max(least, 1), max(least, 1) + 6))
        length = left if left - length < max(least, 1) else length
        lengths.append(length)
        left -= length
    return tuple(lengths)


@st.composite
def rolls(draw):
    """A verb, heights, their chunks, a radius, and options."""
    shape = draw(st.sampled_from([(30,), (12, 9), (15, 4), (6, 5, 7), (3, 4, 3, 4)]))
    spacing = draw(st.tuples(*[st.sampled_from([0.5, 1.0, 1.25])] * len(shape)))
    radius = draw(st.one_of(st.floats(0.3, 4.0), st.sampled_from([0.5, 1.0, 2.0, 100.0])))
    boundary, nan = draw(st.sampled_from(["none", "periodic"])), draw(st.sampled_from(["raise", "omit", "propagate"]))
    verb = draw(st.sampled_from(VERBS))
    overlap = _overlap(ball_on_grid(radius, spacing, len(shape)), shape, verb, boundary)
    chunks = tuple(draw(partitions(n, m)) for n, m in zip(shape, overlap, strict=True))
    # few numbers, so that there are ties; beside 2**60 all balls are flat, and there are more
    numbers = [0.0, 0.5, 3.0, -(2.0**60), math.inf, -math.inf] + [math.nan] * (nan != "raise")
    fill = st.sampled_from([0.0, 2.0**60])
    dtype = draw(st.sampled_from(["float32", "float64"]))
    heights = draw(arrays(dtype, shape, elements=st.sampled_from(numbers), fill=fill))
    return verb, heights, chunks, radius, {"spacing": spacing, "boundary": boundary, "nan": nan}


def _overlap(ball, shape, verb, boundary):
    half = ball.half_widths(shape, boundary == "periodic")
    passes = 2 if verb in (opening, closing) else 1
    return [min(passes * m, n // 2 if boundary == "periodic" else n - 1) for m, n in zip(half, shape, strict=True)]


@inline
@settings(max_examples=150)
@given(roll=rolls(), contact=st.booleans())
def test_the_same_bits_as_in_memory(roll, contact):
    verb, heights, chunks, radius, options = roll
    expected = verb(heights, radius, return_contact=contact, **options)
    found = verb(da.from_array(heights, chunks=chunks), radius, return_contact=contact, **options)
    if contact:
        agree(found[0], expected[0], chunks)
        agree(found[1], expected[1].astype(np.int64), chunks)
    else:
        agree(found, expected, chunks)


@inline
@every_verb
@pytest.mark.parametrize("boundary", ["none", "periodic"])
def test_noise_in_many_chunks(verb, boundary):
    heights = np.random.default_rng(0).integers(0, 9, (90, 70)).astype(float)
    chunks = ((20, 13, 17, 40), (12, 30, 12, 16))
    options = {"boundary": boundary, "return_contact": True}
    expected = verb(heights, 5.0, **options)
    for lazy, whole in zip(verb(da.from_array(heights, chunks=chunks), 5.0, **options), expected, strict=True):
        agree(lazy, whole, chunks)


@inline
@settings(max_examples=60)
@given(data=st.data(), radius=st.floats(0.3, 5.0), nansafe=st.booleans())
def test_rolling_ball(data, radius, nansafe):
    shape = data.draw(st.sampled_from([(30,), (12, 14), (7, 6, 8)]))
    box = [min(math.ceil(radius), n - 1) for n in shape]
    chunks = tuple(data.draw(partitions(n, m)) for n, m in zip(shape, box, strict=True))
    dtype = data.draw(st.sampled_from(["bool", "uint8", "int32", "float16", "float32", "float64"]))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    image = rng.integers(0, 100, shape).astype(dtype)
    if image.dtype.kind == "f":
        image[rng.random(shape) < 0.02] = np.nan
    expected = rolling_ball(image, radius, nansafe=nansafe)
    agree(rolling_ball(da.from_array(image, chunks=chunks), radius, nansafe=nansafe), expected, chunks)


@inline
def test_integers_become_floats():
    heights = np.arange(24).reshape(4, 6) % 7
    agree(dilate(da.from_array(heights, chunks=(2, 3)), 2.0), dilate(heights, 2.0), ((2, 2), (3, 3)))


@inline
def test_an_ellipsoid():
    heights = np.random.default_rng(0).normal(size=(20, 30))
    found = closing(da.from_array(heights, chunks=(5, 15)), (1.0, 3.0, 0.5), spacing=[0.5, 0.5])
    agree(found, closing(heights, (1.0, 3.0, 0.5), spacing=[0.5, 0.5]), ((5, 5, 5, 5), (15, 15)))


@inline
@pytest.mark.parametrize("boundary", ["none", "periodic"])
def test_nothing(boundary):
    values, contact = dilate(da.zeros((0, 3), chunks=(1, 2)), 1.0, boundary=boundary, return_contact=True)
    assert values.compute().shape == contact.compute().shape == (0, 3)
    agree(rolling_ball(da.zeros((0,), dtype="uint8"), 1.0), np.zeros(0, "uint8"), ((0,),))


# Lazy.


def untouchable(shape, chunks):
    def refuse(block):
        raise AssertionError("computed")

    return da.zeros(shape, chunks=chunks).map_blocks(refuse, meta=np.zeros((0,) * len(shape)))


@inline
@pytest.mark.parametrize("verb", [*VERBS, rolling_ball], ids=lambda verb: verb.__name__)
def test_nothing_is_computed_at_the_call(verb):
    found = verb(untouchable((40, 40), 20), 3.0)
    assert found.chunks == ((20, 20), (20, 20))
    with pytest.raises(AssertionError, match="computed"):
        found.compute()


@inline
def test_only_what_is_asked_for_is_computed():
    heights = da.concatenate([da.zeros(20, chunks=10), untouchable((20,), 10)])
    np.testing.assert_array_equal(dilate(heights, 3.0)[:10].compute(), np.full(10, 3.0))


def test_equal_calls_make_equal_tasks():
    heights = da.from_array(np.zeros(20), chunks=10)
    assert dilate(heights, 3.0).name == dilate(heights, 3.0).name != dilate(heights, 4.0).name


@inline
@every_verb
def test_nan_raises_when_it_is_computed(verb):
    heights = np.zeros((20, 20))
    heights[3, 4] = np.nan
    lazy = verb(da.from_array(heights, chunks=10), 2.0)
    with pytest.raises(ValueError, match=r"heights must not be NaN \(1 of .* see the argument nan"):
        lazy.compute()
    np.testing.assert_array_equal(lazy[10:, 10:].compute(), verb(np.zeros((20, 20)), 2.0)[10:, 10:])


@inline
@pytest.mark.parametrize("verb", [dilate, rolling_ball], ids=lambda verb: verb.__name__)
def test_one_thread_for_each_chunk(verb, monkeypatch):
    def cores():
        raise AssertionError("asked for the number of cores")

    monkeypatch.setattr("geometry._kernels.numba_dilation.available_cores", cores)
    heights = np.zeros((40, 40))
    with pytest.raises(AssertionError, match="cores"):
        verb(heights, 3.0)
    lazy = da.from_array(heights, chunks=20)
    verb(lazy, 3.0).compute()
    verb(lazy, 3.0, workers=2).compute()


@inline
def test_memory_holds_a_few_chunks():
    """Of 100 chunks of a source no more than a few are alive at any time: a chunk, its neighbours, and what is next."""
    alive, most = weakref.WeakValueDictionary(), []

    def source(block_info):
        (first, _) = block_info[None]["array-location"][0]
        made = np.zeros(1000)
        alive[first] = made
        most.append(len(alive))
        return made

    heights = da.map_blocks(source, chunks=((1000,) * 100,), meta=np.zeros(0))
    assert closing(heights, 50.0).max().compute() == 0
    assert len(most) == 100
    assert max(most) <= 12


def test_threads_share_the_chunks():
    heights = np.random.default_rng(0).normal(size=(80, 90))
    lazy = closing(da.from_array(heights, chunks=20), 4.0)
    np.testing.assert_array_equal(lazy.compute(scheduler="threads"), closing(heights, 4.0))


# Processes and stores.


def test_processes():
    distributed = pytest.importorskip("distributed")
    heights = np.random.default_rng(0).integers(0, 9, (60, 80)).astype("float32")
    options = {"boundary": "periodic", "return_contact": True}
    lazy = closing(da.from_array(heights, chunks=(20, 40)), 4.0, **options)
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster),
    ):
        found = dask.compute(*lazy, rolling_ball(da.from_array(heights.astype("uint8"), chunks=40), 4.0))
    expected = *closing(heights, 4.0, **options), rolling_ball(heights.astype("uint8"), 4.0)
    for part, whole in zip(found, expected, strict=True):
        np.testing.assert_array_equal(part, whole)


def test_functions_travel_by_name():
    for verb in VERBS:
        assert pickle.loads(pickle.dumps(verb)) is verb


def test_a_zarr_store(tmp_path):
    pytest.importorskip("zarr")
    heights = np.random.default_rng(0).normal(size=(60, 50)).astype("float32")
    da.from_array(heights, chunks=(20, 25)).to_zarr(str(tmp_path / "heights.zarr"))
    stored = da.from_zarr(str(tmp_path / "heights.zarr"))
    closing(stored, 5.0).to_zarr(str(tmp_path / "closing.zarr"))
    agree(da.from_zarr(str(tmp_path / "closing.zarr")), closing(heights, 5.0), ((20, 20, 20), (25, 25)))


# Errors.


@inline
@settings(max_examples=60)
@given(data=st.data(), radius=st.integers(2, 12), boundary=st.sampled_from(["none", "periodic"]))
def test_small_chunks_are_answered_with_a_remedy_that_works(data, radius, boundary):
    heights = np.random.default_rng(radius).normal(size=(37, 20))
    chunks = tuple(data.draw(partitions(n, 1)) for n in heights.shape)
    verb = data.draw(st.sampled_from(VERBS))
    overlap = _overlap(ball_on_grid(radius, 1.0, 2), heights.shape, verb, boundary)
    small = [k for k in (0, 1) if len(chunks[k]) > 1 and min(chunks[k]) < overlap[k]]
    assume(small)
    lazy = da.from_array(heights, chunks=chunks)
    with pytest.raises(ValueError, match=r"heights: .*rechunk\(") as caught:
        verb(lazy, radius, boundary=boundary)
    for k in small:
        assert f"axis {k} has a chunk of {min(chunks[k])} but needs {overlap[k]}" in str(caught.value)
    remedy = ast.literal_eval(re.search(r"heights\.rechunk\((\{.*\})\)", str(caught.value))[1])
    assert sorted(remedy) == small
    better = verb(lazy.rechunk(remedy), radius, boundary=boundary)
    np.testing.assert_array_equal(better.compute(), verb(heights, radius, boundary=boundary))


def test_a_single_chunk_is_never_too_small():
    heights = np.zeros((4, 30))
    lazy = dilate(da.from_array(heights, chunks=(4, 10)), 9.0)
    np.testing.assert_array_equal(lazy.compute(), np.full((4, 30), 9.0))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"radius": -2.0}, ValueError, "radius must be finite and positive"),
        ({"radius": "far"}, TypeError, "radius must be"),
        ({"spacing": (1, 2, 3)}, ValueError, "spacing must be one number or one per axis"),
        ({"boundary": "mirror"}, ValueError, "boundary must be one of"),
        ({"nan": "ignore"}, ValueError, "nan must be one of"),
        ({"workers": 0}, ValueError, "workers must be at least 1"),
        ({"workers": 1.5}, TypeError, "workers must be an integer"),
        ({"out": np.zeros((20, 20))}, ValueError, "out must be None for a dask array"),
        ({"far": 1}, TypeError, "unexpected keyword argument 'far'"),
    ],
)
@every_verb
def test_wrong_arguments_raise_at_the_call(verb, arguments, error, message):
    with pytest.raises(error, match=message):
        verb(untouchable((20, 20), 10), **{"radius": 2.0} | arguments)


@pytest.mark.parametrize("verb", [dilate, rolling_ball], ids=lambda verb: verb.__name__)
def test_wrong_arrays_raise_at_the_call(verb):
    name = "image" if verb is rolling_ball else "heights"
    heights = untouchable((20, 20), 10)
    with pytest.raises(ValueError, match=rf"{name} has chunks of unknown size; call {name}.compute_chunk_sizes"):
        verb(heights[heights > 0], 2.0)
    with pytest.raises(ValueError, match=f"{name} must have at least one dimension"):
        verb(da.zeros(()), 2.0)
    with pytest.raises(TypeError, match=f"{name} must have a real floating or integer dtype"):
        verb(da.zeros(20, dtype=complex), 2.0)
    with pytest.raises(ValueError, match=rf"{name}: .* axis 1 has a chunk of 10 but needs 12.*{name}.rechunk\("):
        verb(da.zeros((10, 30), chunks=10), 12.0)
    with pytest.raises(ValueError, match="kernel must be a ball or an ellipsoid"):
        rolling_ball(heights, kernel=np.ones((3, 3)))


# Some axes, masks, and positions.


@inline
@every_verb
def test_axes_masks_and_positions_in_chunks(verb):
    rng = np.random.default_rng(0)
    heights, x = rng.normal(size=(8, 30)), np.cumsum(rng.random(30) + 0.5)
    mask = rng.random((8, 30)) < 0.1
    lazily = da.from_array(heights, chunks=(3, 15))
    for masked in (mask, da.from_array(mask, chunks=(8, 10))):
        agree(verb(lazily, 2.5, axes=1, mask=masked), verb(heights, 2.5, axes=1, mask=mask), lazily.chunks)
    whole = lazily.rechunk((3, 30))
    for found, expected in zip(
        verb(whole, 2.5, axes=1, x=x, return_contact=True),
        verb(heights, 2.5, axes=1, x=x, return_contact=True),
        strict=True,
    ):
        agree(found, expected, whole.chunks)
    with pytest.raises(ValueError, match=r"axis 1 has a chunk of 15 but needs 29; heights.rechunk\(\{1: 30\}\)"):
        verb(lazily, 2.5, axes=1, x=x)
