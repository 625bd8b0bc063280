"""Every fast path repeats its generic body bit for bit. The tests are generated from the table of kernels.

Those that are compiled with a function are held to theirs in `test_compiled_search` and `test_compiled_rolls`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import geometry._dilation
import geometry._maximum
import geometry._profile
import geometry._safeguarded
import geometry.arithmetic._outward
import geometry.certified
import geometry.reachability
import rbo_ref
from geometry._ball import Ball
from geometry._kernels import KERNELS, arcs, caps, kernel
from geometry.expressions import Expression
from geometry.graph import FunctionGraph
from geometry.offsets import _starts as resting_starts
from tests.conftest import BACKENDS, Backend

SPECIFICATIONS = {
    "climb": geometry._maximum.climb,
    "descent": geometry.Descent.solve,
    "dilation": geometry._dilation.dilation,
    "elementwise": geometry.arithmetic._outward.fast,
    "envelope": arcs.envelope,
    "evaluate": Expression.hessian,
    "look": FunctionGraph.curvatures,
    "nearest": geometry.certified.distance,
    "profile_dilation": geometry._profile.profile_dilation,
    "rest": resting_starts,
    "roll": rbo_ref.trajectory,
    "search": geometry._safeguarded.descend,
    "touch": geometry.reachability._starts,
    "touched": caps.touched,
}
DTYPES = ["float16", "float32", "float64"]
INF = np.inf


@dataclass(frozen=True)
class Engine:
    """A kernel, and the arrays that it works on."""

    run: Callable[..., Any]
    backend: Backend

    def __call__(self, source: np.ndarray, *arguments: Any, **options: Any) -> list[np.ndarray | None]:
        device = self.backend.xp.asarray(source, device=self.backend.device)
        with np.errstate(all="ignore"):
            found = self.run(device, *arguments, **options)
        return [None if a is None else self.backend.to_numpy(a) for a in found]


def engines(name: str) -> list[Any]:
    libraries = [library for function, library in KERNELS if function == name]
    return [pytest.param(library, marks=[pytest.mark.gpu] if library == "cupy" else []) for library in libraries]


@pytest.fixture(params=engines("dilation"))
def engine(request: pytest.FixtureRequest) -> Engine:
    backend = BACKENDS[request.param]()
    run = kernel("dilation", backend.xp)
    assert run is not None
    return Engine(run, backend)


def hold(engine: Engine, source: np.ndarray, cap: np.ndarray, origin: Any = None, shape: Any = None, **options: Any):
    """The kernel gives the bits of the generic body, with contacts and without."""
    shape = shape or source.shape
    where = cap, tuple(origin or (0,) * source.ndim), tuple(shape)
    with np.errstate(all="ignore"):
        values, contacts = SPECIFICATIONS["dilation"](source, *where, contact=True)
    for contact in (False, True):
        found, touched = engine(source, *where, contact=contact, **options)
        assert found.dtype == source.dtype
        np.testing.assert_array_equal(found, values, strict=True)
        assert (touched is None) == (not contact)
        if contact:
            assert touched.dtype == np.int64
            np.testing.assert_array_equal(touched, contacts)
    return values, contacts


def test_every_kernel_has_a_specification_and_is_found():
    for (name, library), module in KERNELS.items():
        assert name in SPECIFICATIONS
        if library == "numpy":
            assert kernel(name, BACKENDS[library]().xp) is getattr(import_module(module), name)
    assert kernel("dilation", BACKENDS["strict"]().xp) is None
    assert kernel("no such function", np) is None


# Landscapes that are hard: where many samples touch, or nearly.


def along(shape: tuple[int, ...], slopes: Any) -> np.ndarray:
    return sum(s * i for s, i in zip(slopes, np.indices(shape), strict=True))


def dome(shape: tuple[int, ...], ball: Ball, center: Any) -> np.ndarray:
    """√(ρ² − |s − center|²), −inf outside."""
    left = ball.radius**2 - sum(
        ((i - c) * h) ** 2 for c, h, i in zip(center, ball.spacing, np.indices(shape), strict=True)
    )
    return np.where(left >= 0, np.sqrt(np.maximum(left, 0)), -INF)


def bowl(rng, shape, ball, noise=0.0):
    """The ball's own underside, in which every sample touches."""
    center = [rng.integers(n) for n in shape]
    pit = -dome(shape, ball, center)
    return np.where(pit < INF, pit, -INF if rng.random() < 0.5 else 0.0) * (1 + noise * rng.normal(size=shape))


def bowls(rng, shape, ball):
    """Several, so that the best sample is often far away."""
    pits = [-dome(shape, ball, [rng.integers(-2, n + 2) for n in shape]) for _ in range(4)]
    return np.minimum(np.min(pits, axis=0), 0.0)


def table_ramp(rng, shape, ball):
    """Slopes that are differences of the table: a sample and its neighbour tie."""
    cap = ball.cap(ball.half_widths(shape))
    place, slopes = [rng.integers(n) for n in cap.shape], []
    for axis in range(cap.ndim):
        line = np.moveaxis(cap, axis, 0)[(slice(None), *np.delete(place, axis))]
        drops = -np.diff(line[line > -INF])
        slopes.append(rng.choice([-1, 1]) * rng.choice(drops) if drops.size else 1.0)
    return along(shape, slopes)


def sparse(rng, shape, ball):
    """A few samples on a line, each a rounding away from touching one ball; and a few high ones far away."""
    f = np.full(shape, -INF)
    center, axis = [rng.integers(n) for n in shape], rng.integers(len(shape))
    cap = ball.cap(ball.half_widths(shape))
    for step in range(1, cap.shape[axis]):
        place = list(center)
        place[axis] += step
        if place[axis] < shape[axis] and rng.random() < 0.6:
            weight = np.moveaxis(cap, axis, 0)[(step, *(0,) * (len(shape) - 1))]
            f[tuple(place)] = np.nextafter(-weight, rng.choice([-INF, INF])) * (1 + rng.choice([0, 1e-7, 3e-16]))
    for _ in range(4):
        f[tuple(rng.integers(n) for n in shape)] = 0.0
    return f


def holes(rng, shape, part):
    return np.where(rng.random(shape) < part, -INF, rng.normal(size=shape))


FAMILIES: dict[str, Callable[..., np.ndarray]] = {
    "constant": lambda rng, shape, ball: np.full(shape, rng.normal()),
    "steep ramp": lambda rng, shape, ball: along(shape, rng.normal(size=len(shape)) * 1e3),
    "shallow ramp": lambda rng, shape, ball: along(shape, rng.normal(size=len(shape)) * 1e-3),
    "integer ramp": lambda rng, shape, ball: along(shape, rng.integers(-4, 5, len(shape))),
    "ramp of the table": table_ramp,
    "roof of the table": lambda *a: np.minimum(table_ramp(*a), table_ramp(*a)),
    "valley of the table": lambda *a: np.maximum(table_ramp(*a), table_ramp(*a)),
    "bowl": bowl,
    "noisy bowl": partial(bowl, noise=1e-15),
    "bowls": bowls,
    "dome": lambda rng, shape, ball: np.maximum(dome(shape, ball, [n / 2 for n in shape]), 0),
    "paraboloid": lambda rng, shape, ball: (
        along(shape, np.ones(len(shape))) ** 2 * ball.spacing[0] ** 2 / (2 * ball.radius)
    ),
    "sparse": sparse,
    "spikes": lambda rng, shape, ball: np.where(rng.random(shape) < 0.02, 1e3 * rng.random(shape), 0.0),
    "ties": lambda rng, shape, ball: rng.integers(-2, 3, shape),
    "rounded ties": lambda rng, shape, ball: 2.0**53 + 2 * rng.integers(-2, 3, shape),
    "few holes": lambda rng, shape, ball: holes(rng, shape, 0.1),
    "mostly holes": lambda rng, shape, ball: holes(rng, shape, 0.97),
    "nothing": lambda rng, shape, ball: np.full(shape, -INF),
    "noise": lambda rng, shape, ball: rng.normal(size=shape),
    "huge": lambda rng, shape, ball: 1e300 * rng.normal(size=shape),
    "tiny": lambda rng, shape, ball: 1e-300 * rng.normal(size=shape),
    "subnormal": lambda rng, shape, ball: 5e-324 * rng.integers(-9, 10, shape),
    "mixed": lambda rng, shape, ball: rng.normal(size=shape) * 10.0 ** rng.integers(-300, 300, shape),
}


def landscape(name: str, shape: tuple[int, ...], ball: Ball, dtype: str = "float64", seed: int = 0) -> np.ndarray:
    f = FAMILIES[name](np.random.default_rng(seed), shape, ball).astype(float)
    top = float(np.finfo(dtype).max)
    return np.where(f == -INF, -INF, np.clip(f, -top, top)).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FAMILIES)
def test_hard_landscapes(engine, name, dtype):
    seeds = itertools.count()
    for radius, shape, spacing in [
        (5.0, (61,), (1.0,)),
        (40.3, (200,), (1.0,)),
        (3.1, (300,), (0.1,)),
        (5.0, (17, 35), (1.0, 1.0)),
        (9.03, (18, 33), (1.0, 1.0)),
        (2.5, (33, 20), (0.5, 0.3)),
        (2.0, (5, 9, 18), (1.0, 1.0, 1.0)),
    ]:
        ball = Ball(radius, spacing)
        hold(engine, landscape(name, shape, ball, dtype, next(seeds)), ball.cap(ball.half_widths(shape)))


@pytest.mark.parametrize("exponent", [-1000, -300, 300, 1000])
@pytest.mark.parametrize("name", ["noise", "bowl", "ramp of the table", "sparse", "few holes"])
def test_scales(engine, name, exponent):
    scale = 2.0**exponent
    for shape in [(70,), (20, 34)]:
        unit = Ball(6.1, (0.2,) * len(shape))
        ball = Ball(unit.radius * scale, tuple(h * scale for h in unit.spacing))
        hold(engine, landscape(name, shape, unit) * scale, ball.cap(ball.half_widths(shape)))


# Shapes.


@pytest.mark.parametrize("radius", [0.4, 1.0, 2.5, 7.0, 100.0])
def test_every_short_line(engine, radius):
    ball = Ball(radius, (1.0,))
    names = itertools.cycle(FAMILIES)
    for n in range(1, 41):
        for _ in range(2):
            hold(engine, landscape(next(names), (n,), ball, seed=n), ball.cap(ball.half_widths((n,))))


@pytest.mark.parametrize("radius", [0.4, 1.0, 4.2, 30.0])
def test_small_planes(engine, radius):
    rng, ball, names = np.random.default_rng(0), Ball(radius, (1.0, 1.0)), itertools.cycle(FAMILIES)
    shapes = [(1, 1), (1, 20), (20, 1), (2, 17), (17, 2), *map(tuple, rng.integers(1, 21, (25, 2)))]
    for shape in shapes:
        hold(engine, landscape(next(names), shape, ball, seed=sum(shape)), ball.cap(ball.half_widths(shape)))


EDGES = [7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 63, 64, 65, 127, 128, 129]


@pytest.mark.parametrize("name", ["integer ramp", "ramp of the table", "bowls", "noise", "ties", "sparse"])
def test_shapes_around_multiples_of_the_block_sizes(engine, name):
    rng = np.random.default_rng(len(name))
    for ny, nx in rng.choice(EDGES, (6, 2)):
        ball = Ball(rng.choice([3.0, 7.3]), (1.0, 1.0))
        hold(engine, landscape(name, (ny, nx), ball), ball.cap(ball.half_widths((ny, nx))))
    for n in rng.choice(EDGES, 6):
        ball = Ball(rng.choice([12.0, 33.0, 64.0]), (1.0,))
        hold(engine, landscape(name, (n,), ball), ball.cap(ball.half_widths((n,))))


@pytest.mark.parametrize(
    "shape", [(4, 1, 19), (3, 10, 9), (1, 1, 1), (3, 2, 5, 9), (2, 3, 2, 3, 4), (2, 2, 1, 2, 2, 3)]
)
def test_more_dimensions(engine, shape):
    spacing = (1.0, 0.7, 1.3, 1.0, 1.0, 1.0)[: len(shape)]
    for radius, name in itertools.product([0.5, 1.5, 40.0], ["noise", "ties", "bowl", "mostly holes"]):
        ball = Ball(radius, spacing)
        hold(engine, landscape(name, shape, ball), ball.cap(ball.half_widths(shape)))


@pytest.mark.parametrize("spacing", [(1.0, 0.01), (1.0, 37.5), (0.3, 0.7), (1e-3, 5.0)])
@pytest.mark.parametrize("name", ["noise", "ramp of the table", "bowls", "integer ramp"])
def test_anisotropic_grids(engine, name, spacing):
    shape = (21, 37)
    for radius in (0.2, 3.0, 45.0):
        ball = Ball(radius, spacing)
        hold(engine, landscape(name, shape, ball), ball.cap(tuple(min(k, 15) for k in ball.half_widths(shape))))


# Radii.


@pytest.mark.parametrize("name", ["noise", "integer ramp", "ties", "bowl", "few holes", "huge", "tiny"])
def test_radii_from_less_than_a_step_to_far_beyond_the_array(engine, name):
    for shape, spacing in [((60,), (0.1,)), ((12, 19), (0.1, 0.1))]:
        for radius in (0.05, 0.1, 0.1 * 3, 0.25, 0.7, 30.0, 6e9, 6e15):
            ball = Ball(radius, spacing)
            hold(engine, landscape(name, shape, ball), ball.cap(ball.half_widths(shape)))


def is_strictly_concave(cap: np.ndarray) -> bool:
    return bool((np.diff(cap, 2) < 0).all())


@pytest.mark.parametrize("ratio", [1e6, 1e7, 3e8, 1e9, 1e15])
def test_tables_that_rounding_has_left_flat_or_bent(engine, ratio):
    """A search along the line needs a concave table; where rounding has bent it the answer must not change."""
    n = 120
    ball = Ball(n * ratio, (1.0,))
    cap = ball.cap((n - 1,))
    assert not is_strictly_concave(cap)
    unit = float(np.spacing(ball.radius))
    rng = np.random.default_rng(0)
    for f in (rng.integers(-2, 3, n), rng.normal(size=n), along((n,), [0.7]), -(np.arange(n) ** 2) / (n * ratio)):
        hold(engine, f * unit, cap)
        hold(engine, np.asarray(f, float), cap)


@pytest.mark.parametrize("name", ["noise", "ties", "bowl", "integer ramp"])
def test_a_table_with_another_zero(engine, name):
    """Heights of the apex: subtracting the radius rounds, and bends the table."""
    for shape, radius in [((90,), 31.7), ((90,), 1e5), ((20, 30), 9.3)]:
        ball = Ball(radius, (1.0,) * len(shape))
        hold(engine, landscape(name, shape, ball), ball.cap(ball.half_widths(shape)) - radius)


# Windows of the source.


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(40,), (100,), (9, 21), (16, 8), (3, 6, 7)])
def test_periodic_margins(engine, shape, dtype):
    for radius, name in itertools.product([0.5, 2.0, 6.4, 1000.0], ["noise", "ties", "bowls", "mostly holes"]):
        ball = Ball(radius, (1.0,) * len(shape))
        half = ball.half_widths(shape, periodic=True)
        source = np.pad(landscape(name, shape, ball, dtype), [(k, k) for k in half], mode="wrap")
        hold(engine, source, ball.cap(half), half, shape)


def test_windows(engine):
    rng, names = np.random.default_rng(5), itertools.cycle(FAMILIES)
    for _ in range(40):
        size = rng.integers(1, 40, rng.integers(1, 3))
        low = rng.integers(0, size)
        shape = tuple(int(n) for n in rng.integers(1, size - low + 1))
        ball = Ball(rng.choice([0.5, 3.0, 9.7, 31.0]), (1.0,) * size.size)
        source = landscape(next(names), tuple(size), ball)
        hold(engine, source, ball.cap(ball.half_widths(tuple(size))), map(int, low), shape)


# Layouts and threads.


@pytest.mark.parametrize("shape", [(150,), (40, 50), (5, 6, 20)])
def test_layouts(engine, shape):
    ball = Ball(6.5, (1.0,) * len(shape))
    cap = ball.cap(tuple(min(k, 3) for k in ball.half_widths(shape)))
    f = landscape("noise", shape, ball)
    values, contacts = hold(engine, f, cap)
    strided = np.repeat(f, 2, axis=-1)[..., ::2]
    reverse = f[..., ::-1].copy()[..., ::-1]
    frozen = f.copy()
    frozen.setflags(write=False)
    swapped = f.astype(f.dtype.newbyteorder())
    layouts = [strided, reverse, frozen, np.asfortranarray(f), swapped]
    for source in layouts if engine.backend.name == "numpy" else layouts[:2]:
        kept = source.copy()
        again, again_contacts = hold(engine, source, cap)
        np.testing.assert_array_equal(again, values)
        np.testing.assert_array_equal(again_contacts, contacts)
        np.testing.assert_array_equal(source, kept)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_number_of_threads_changes_nothing(engine, workers):
    for shape, radius, name in [
        ((50_001,), 40.0, "noise"),
        ((50_001,), 10.0, "bowls"),
        ((130, 70), 6.0, "ramp of the table"),
        ((130, 70), 14.5, "noise"),
        ((6, 20, 21), 3.0, "ties"),
        ((3,), 3.0, "noise"),
    ]:
        ball = Ball(radius, (1.0,) * len(shape))
        hold(engine, landscape(name, shape, ball), ball.cap(ball.half_widths(shape)), workers=workers)


# A second truth: plain loops over Python's numbers.


def plain(source: np.ndarray, cap: np.ndarray, origin: tuple[int, ...], shape: tuple[int, ...]):
    """The definition, one pair of numbers at a time."""
    values, contacts = np.full(shape, -INF, source.dtype), np.full(shape, -1)
    for place in np.ndindex(*shape):
        best, touching = -INF, []
        for sample in np.ndindex(*source.shape):
            offset = tuple(s - o - p for s, o, p in zip(sample, origin, place, strict=True))
            if any(abs(d) >= n for d, n in zip(offset, cap.shape, strict=True)):
                continue
            total = float(source[sample]) + float(cap[tuple(map(abs, offset))])
            if total == -INF or total < best:
                continue
            home = tuple((p + d) % n for p, d, n in zip(place, offset, shape, strict=True))
            index = sum(i * int(np.prod(shape[k + 1 :])) for k, i in enumerate(home))
            touching = [*touching, index] if total == best else [index]
            best = total
        values[place], contacts[place] = best, min(touching, default=-1)
    return values, contacts


def both(engine, source, cap, origin, shape):
    values, contacts = hold(engine, source, cap, origin, shape)
    expected, touched = plain(source, cap, origin, shape)
    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(contacts, touched)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FAMILIES)
def test_generic_body_and_kernel_against_plain_loops(engine, name, dtype):
    with np.errstate(over="ignore"):  # the sum of the largest halves and the radius rounds to infinity
        for shape, radius in [((9,), 2.0), ((5,), 50.0), ((4, 6), 2.3), ((2, 3, 3), 1.5)]:
            ball = Ball(radius, (1.0,) * len(shape))
            f = landscape(name, shape, ball, dtype)
            both(engine, f, ball.cap(ball.half_widths(shape)), (0,) * f.ndim, shape)
            half = ball.half_widths(shape, periodic=True)
            both(engine, np.pad(f, [(k, k) for k in half], mode="wrap"), ball.cap(half), half, shape)


HEIGHTS = st.one_of(
    st.floats(-10, 10),
    st.integers(-3, 3).map(float),
    st.just(-INF),
    st.floats(max_value=1e300, min_value=-1e300),
)


@given(st.data())
def test_random_samples_against_plain_loops(engine, data):
    shape = tuple(data.draw(st.lists(st.integers(1, 7), min_size=1, max_size=2)))
    size = int(np.prod(shape))
    f = np.reshape(data.draw(st.lists(HEIGHTS, min_size=size, max_size=size)), shape)
    ball = Ball(data.draw(st.floats(0.1, 20)), tuple(data.draw(st.floats(0.1, 5)) for _ in shape))
    if data.draw(st.booleans()):
        half = ball.half_widths(shape, periodic=True)
        both(engine, np.pad(f, [(k, k) for k in half], mode="wrap"), ball.cap(half), half, shape)
    else:
        both(engine, f, ball.cap(ball.half_widths(shape)), (0,) * f.ndim, shape)


@given(st.data())
def test_random_landscapes(engine, data):
    shape = tuple(data.draw(st.lists(st.integers(1, 24), min_size=1, max_size=3)))
    if len(shape) == 1:
        shape = (data.draw(st.integers(1, 300)),)
    step = data.draw(st.sampled_from([1.0, 0.1, 7.0]))
    spacing = tuple(step * data.draw(st.sampled_from([1.0, 1.0, 0.5, 3.7])) for _ in shape)
    limit = {1: 80, 2: 8, 3: 3}[len(shape)]
    ball = Ball(step * data.draw(st.floats(0.3, limit)), spacing)
    f = landscape(
        data.draw(st.sampled_from(list(FAMILIES))),
        shape,
        ball,
        data.draw(st.sampled_from(DTYPES)),
        data.draw(st.integers(0, 2**32)),
    )
    hold(engine, f, ball.cap(ball.half_widths(shape)))


@given(st.data())
def test_max_plus_convolution_with_a_concave_sequence_against_integers(engine, data):
    """Exact in floating point as long as the integers have at most 53 bits."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    n, half = data.draw(st.integers(1, 400)), data.draw(st.integers(0, 120))
    largest = data.draw(st.sampled_from([1, 3, 1000, 2**30]))
    slopes = np.sort(rng.integers(0, largest, half)) + np.arange(half) * data.draw(st.integers(0, 1))
    w = [int(a) for a in 1000 - np.concatenate([[0], np.cumsum(slopes)])]
    f = [int(a) for a in rng.integers(-largest * max(half, 1), largest * max(half, 1), n, endpoint=True)]
    values, _ = hold(engine, np.array(f, float), np.array(w, float))
    expected = [max(f[j] + w[abs(i - j)] for j in range(max(0, i - half), min(n, i + half + 1))) for i in range(n)]
    assert [int(a) for a in values] == expected


# What a kernel may skip.


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turned", [False, True])
def test_a_sample_that_beats_its_neighbour_by_less_than_a_rounding_is_not_skipped(engine, dtype, mirrored, turned):
    """Two samples under one ball nearly tie, and high samples elsewhere keep a search busy.

    The difference of the two rounds up past the difference of their weights, though it is less: whoever compares the
    rounded difference, with a precision below that of the sums, takes the wrong one.
    """
    rng = np.random.default_rng(0)
    found = 0
    while found < 12:
        radius = 9 + 0.1 * rng.random()
        cap = Ball(radius, (1.0, 1.0)).cap((9, 9))
        drop = cap[0, 9] - cap[0, 8]
        near = np.asarray(-cap[0, 8] * (1 + 1e-3 * rng.random()), dtype)[()]
        far = np.asarray(float(near) - drop, dtype)[()]
        for _ in range(3):
            if float(near) - float(far) <= drop <= near - far:
                break
            far = np.nextafter(far, np.asarray(INF, dtype))
        else:
            continue
        found += 1
        f = np.full((32, 32), -INF, dtype)
        f[0, 7], f[0, 8] = far, near
        f[15, 16] = f[15, 24] = 0
        f = f[:, ::-1] if mirrored else f
        hold(engine, np.ascontiguousarray(f.T if turned else f), cap)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_ramp_as_steep_as_the_ball_where_it_touches(engine, dtype):
    """On a plane whose slope is a difference of two weights whole lines of samples tie, in every block."""
    for radius, spacing in [(20.0, (1.0, 1.0)), (6.1, (0.3, 0.4)), (25.0, (1.0, 2.0))]:
        ball = Ball(radius, spacing)
        shape = (70, 90)
        cap = ball.cap(ball.half_widths(shape))
        for row, column in [(0, 3), (2, 7), (5, 5), (9, 1)]:
            slopes = cap[row, column] - cap[row + 1, column], cap[row, column] - cap[row, column + 1]
            for signs in ((1, 1), (-1, 1), (0, 1), (1, 0)):
                f = along(shape, [s * a for s, a in zip(signs, slopes, strict=True)]).astype(dtype)
                compare_with_a_sweep(engine, f, cap)


# Sizes at which every part of an engine runs, against a sweep over offsets that is not the generic body.


def sweep(f: np.ndarray, cap: np.ndarray) -> np.ndarray:
    half = [n - 1 for n in cap.shape]
    padded = np.pad(f.astype(float), [(k, k) for k in half], constant_values=-INF)
    best = np.full(f.shape, -INF)
    for place in np.ndindex(*(2 * k + 1 for k in half)):
        weight = cap[tuple(abs(p - k) for p, k in zip(place, half, strict=True))]
        if weight > -INF:
            window = padded[tuple(slice(p, p + n) for p, n in zip(place, f.shape, strict=True))]
            np.maximum(best, window + weight, out=best)
    return best.astype(f.dtype)


def compare_with_a_sweep(engine, f, cap):
    values, _ = engine(f, cap, (0,) * f.ndim, f.shape)
    np.testing.assert_array_equal(values, sweep(f, cap))


def waves(shape: tuple[int, ...]) -> np.ndarray:
    return 30 * sum(np.sin(i / (7.0 + 9 * k)) * np.cos(i / 31.0) for k, i in enumerate(np.indices(shape)))


@pytest.mark.parametrize("radius", [17.0, 40.0])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_images(engine, radius, dtype):
    shape = (200, 300) if dtype == "float64" else (120, 130)
    ball = Ball(radius, (1.0, 1.0))
    cap = ball.cap(ball.half_widths(shape))
    rng = np.random.default_rng(1)
    images = [waves(shape), along(shape, (0.7, -1.1)), 255 * rng.random(shape)]
    if radius == 17.0:
        images += [np.cumsum(np.cumsum(rng.normal(size=shape), 0), 1), along(shape, (2, 3)), bowls(rng, shape, ball)]
    for image in images:
        compare_with_a_sweep(engine, image.astype(dtype), cap)


@pytest.mark.parametrize("name", ["noise", "waves", "ramp", "walk", "bowls", "holes", "rounded ties"])
def test_long_lines(engine, name):
    n, half = 200_003, 3000
    ball = Ball(half + 0.5, (1.0,))
    rng = np.random.default_rng(3)
    f = {
        "noise": lambda: 100 * rng.random(n),
        "waves": lambda: waves((n,)) + 1e3 * np.sin(np.arange(n) / 2e3),
        "ramp": lambda: 1.7 * np.arange(n),
        "walk": lambda: np.cumsum(rng.normal(size=n)),
        "bowls": lambda: np.minimum(-np.sqrt(ball.radius**2 - (np.arange(n) % half) ** 2.0), 0),
        "holes": lambda: np.where(np.arange(n) % 9000 < 400, 10 * rng.random(n), -INF),
        "rounded ties": lambda: 2.0**53 + 2 * rng.integers(-50, 50, n),
    }[name]()
    cap = ball.cap((half,))
    values, _ = engine(f, cap, (0,), (n,))
    # At random places, at the ends, and around multiples of powers of two, where work is cut into pieces.
    seams = np.arange(16384, n, 16384)[:, None] + np.arange(-17, 18)
    places = np.unique([*range(40), *range(n - 40, n), *rng.integers(0, n, 400), *seams[::3].ravel()])
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(f, half, constant_values=-INF), 2 * half + 1)
    both_sides = np.concatenate([cap[:0:-1], cap])
    expected = [(windows[i] + both_sides).max() for i in places]
    np.testing.assert_array_equal(values[places], expected)


@pytest.mark.parametrize(
    ("module", "name", "shape", "options"),
    [
        ("jitted", "line", (30,), {}),
        ("jitted", "strips", (3, 30), {}),
        ("jitted", "tiles", (3, 30), {"return_contact": True}),
        ("profiles", "profile", (30,), {"x": np.arange(30.0) ** 1.1}),
    ],
)
def test_nothing_is_compiled_anew_for_what_nobody_may_write_to(module, name, shape, options):
    f, compiled = (
        np.random.default_rng(0).normal(size=shape),
        getattr(import_module(f"geometry._kernels.{module}"), name),
    )
    expected = geometry.dilate(f, 2.0, **options)
    known = list(compiled.signatures)
    f.flags.writeable = False
    np.testing.assert_array_equal(geometry.dilate(f, 2.0, **options), expected)
    assert known
    assert compiled.signatures == known


def test_a_solid(engine):
    shape = (20, 40, 33)
    ball = Ball(6.0, (1.0, 1.0, 1.0))
    cap = ball.cap(ball.half_widths(shape))
    for f in (np.random.default_rng(0).random(shape), waves(shape), along(shape, (1.0, -0.5, 2.0))):
        compare_with_a_sweep(engine, f, cap)
