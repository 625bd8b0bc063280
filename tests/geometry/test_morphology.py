"""Rolling a ball over sampled functions, on every backend: SciPy, Shapely, closed forms and the definition itself."""

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, ndimage

from geometry import FunctionGraph, closing, dilate, erode, opening, reachable
from geometry._ball import Apex, Ball

INF, NAN = math.inf, math.nan
VERBS = [dilate, erode, opening, closing]
every_verb = pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.__name__)
both_passes = pytest.mark.parametrize("verb", [dilate, erode], ids=lambda verb: verb.__name__)


def epsilon(dtype) -> float:
    return float(np.finfo(dtype).eps)


def agree(backend, found, expected, dtype, scale):
    """The same bits, where the device has float64. Else three roundings: of the table, the sum, and the other pass."""
    assert backend.belongs(found, dtype)
    values, expected = backend.to_numpy(found), np.asarray(expected).astype(dtype)
    if "float64" in backend.dtypes:
        np.testing.assert_array_equal(values, expected)
    else:
        np.testing.assert_allclose(values, expected, rtol=0, atol=3 * epsilon(dtype) * scale)


def noise(shape, dtype="float64", seed=0):
    return (10 * np.random.default_rng(seed).normal(size=shape)).astype(dtype)


# The definition, one pair of numbers at a time. Radii and spacings below have few bits, so that ρ² − |s|² is exact and
# every √ correctly rounded: all bits of the result are determined.


def under_the_ball(shape, place, radius, spacing, boundary, apex=False):
    """Index of the sample and √(ρ² − |s|²), or ρ less of it, for all samples under a ball."""
    reach = [math.floor(radius / h) for h in spacing]
    for offset in np.ndindex(*(2 * r + 1 for r in reach)):
        offset = [o - r for o, r in zip(offset, reach, strict=True)]
        square = sum((o * h) ** 2 for o, h in zip(offset, spacing, strict=True))
        left = radius**2 - square
        sample = [p + o for p, o in zip(place, offset, strict=True)]
        if boundary == "periodic":
            sample = [s % n for s, n in zip(sample, shape, strict=True)]
        if left >= 0 and all(0 <= s < n for s, n in zip(sample, shape, strict=True)):
            height = -square / (radius + math.sqrt(left)) if apex else math.sqrt(left)
            yield int(np.ravel_multi_index(sample, shape)), height


def nearest(pairs):
    return min(pairs, key=lambda pair: (-pair[1], pair[0]))[0]


def rest(f, pairs, nan):
    """Height of the centre, and the sample that touches."""
    missing = [(i, w) for i, w in pairs if math.isnan(f[i])]
    walls = [(i, w) for i, w in pairs if f[i] == INF]
    sums = [(float(f[i]) + w, -i) for i, w in pairs if -INF < f[i] < INF]
    if missing and nan == "propagate":
        return NAN, nearest(missing)
    if walls:
        return INF, nearest(walls)
    if sums:
        return max(sums)[0], -max(sums)[1]
    return (NAN if len(missing) == len(pairs) else -INF), -1


def definition(verb, f, radius, spacing, boundary="none", nan="raise", apex=False):
    """Values and contacts of one pass, in the dtype of f; the height is that of the centre or the apex of the ball."""
    sign = 1 if verb is dilate else -1
    values, contacts, flat = np.empty(f.shape, f.dtype), np.empty(f.shape, int), sign * f.ravel()
    for place in np.ndindex(*f.shape):
        pairs = list(under_the_ball(f.shape, place, radius, spacing, boundary, apex))
        values[place], contacts[place] = rest(flat, pairs, nan)
    return sign * values, contacts


def definition_of_two(verb, f, radius, spacing, boundary="none", nan="raise"):
    """Closing and opening: the contact of the first pass where the second touches, and what touches is its own."""
    first, second = (dilate, erode) if verb is closing else (erode, dilate)
    dtype, f = f.dtype, f.astype(float)
    apexes, touched = definition(first, f, radius, spacing, boundary, nan, apex=True)
    values, center = definition(second, apexes, radius, spacing, boundary, nan, apex=True)
    contacts = np.where(center < 0, -1, touched.ravel()[center])
    touching = (values <= f if verb is closing else values >= f) & (contacts >= 0)
    return np.where(touching, f, values).astype(dtype), np.where(touching, np.arange(f.size).reshape(f.shape), contacts)


def few(backend):
    """How many of the cases below: JAX is slow at what is unrolled over offsets, first of all at compiling it."""
    return {"jax": 3, "jax-jit": 1}.get(backend.name)


HARD = [
    (np.array([NAN, INF, 0.0, 3.0, -INF, -INF, -INF, -1.0, NAN, NAN, NAN]), 1.25, (1.0,)),
    (np.array([0.0, NAN, 1.0, -INF, -INF, -INF, -INF, 2.5, INF, 0.0, 0.0, NAN, NAN, NAN]), 1.5, (0.75,)),
    (np.array([NAN, NAN, NAN, 1.0, NAN, NAN]), 1.0, (1.0,)),
    (np.array([[0, 1, INF, 0, 0], [0, 0, 0, 0, NAN], [-INF, -INF, 3, 0, 0], [-INF, -INF, 0, 0, INF]]), 1.5, (1.0, 1.0)),
    (np.array([[0.25, NAN, -INF], [INF, -2.0, -INF], [NAN, -INF, -INF]]), 1.25, (1.0, 0.75)),
]


@pytest.mark.parametrize("nan", ["omit", "propagate"])
@pytest.mark.parametrize("boundary", ["none", "periodic"])
@both_passes
def test_missing_samples_and_walls(backend, dtype, verb, boundary, nan):
    for f, radius, spacing in HARD[: few(backend)]:
        options = {"spacing": spacing, "boundary": boundary, "nan": nan}
        run = backend.jit(partial(verb, radius=radius, return_contact=True, **options))
        values, contacts = run(backend.asarray(f, dtype))
        expected, touched = definition(verb, f.astype(dtype), radius, spacing, boundary, nan)
        agree(backend, values, expected, dtype, 10)
        np.testing.assert_array_equal(backend.to_numpy(contacts), touched)


@pytest.mark.parametrize("nan", ["omit", "propagate"])
@pytest.mark.parametrize("boundary", ["none", "periodic"])
@pytest.mark.parametrize("verb", [closing, opening], ids=lambda verb: verb.__name__)
def test_missing_samples_and_walls_in_two_passes(verb, boundary, nan):
    for f, radius, spacing in HARD:
        options = {"spacing": spacing, "boundary": boundary, "nan": nan}
        values, contacts = verb(f, radius, **options, return_contact=True)
        expected, touched = definition_of_two(verb, f, radius, spacing, boundary, nan)
        np.testing.assert_array_equal(values, expected)
        np.testing.assert_array_equal(contacts, touched)


GRIDS = [
    ((5,), 1.5, (1.0,)),
    ((9,), 2.5, (1.0,)),
    ((3, 4), 1.0, (1.0, 0.75)),
    ((4, 5), 1.5, (1.0, 0.75)),
    ((7,), 0.5, (0.75,)),
    ((3, 3), 8.0, (1.0, 1.0)),
    ((2, 3, 4), 1.5, (1.0, 1.0, 0.5)),
]


@pytest.mark.parametrize("boundary", ["none", "periodic"])
@every_verb
def test_values_and_contacts_are_those_of_the_definition(backend, dtype, verb, boundary):
    truth = definition if verb in (dilate, erode) else definition_of_two
    for (shape, radius, spacing), values in list(zip(GRIDS, (3, 3, 2, 3, 40, 2, 40), strict=True))[: few(backend)]:
        f = np.random.default_rng(3).integers(-values, values, shape).astype(dtype)  # few values: many ties
        run = backend.jit(partial(verb, radius=radius, spacing=spacing, boundary=boundary, return_contact=True))
        heights, contacts = run(backend.asarray(f, dtype))
        expected, touched = truth(verb, f, radius, spacing, boundary)
        agree(backend, heights, expected, dtype, 50)
        if "float64" in backend.dtypes:
            np.testing.assert_array_equal(backend.to_numpy(contacts), touched)
        assert backend.belongs(contacts, str(contacts.dtype).rpartition(".")[2])
        assert heights.shape == contacts.shape == shape


@pytest.mark.parametrize("boundary", ["none", "periodic"])
def test_spacings_and_semi_axes(backend, dtype, boundary):
    f = noise((6, 7), dtype)
    expected, touched = definition(dilate, f, 1.5, (0.5, 1.0), boundary)
    for radius, spacing in [(1.5, (0.5, 1.0)), ((1.5, 0.75, 1.5), 0.5), ((3.0, 1.5, 1.5), (1.0, 1.0))]:
        values, contacts = dilate(
            backend.asarray(f, dtype), radius, spacing=spacing, boundary=boundary, return_contact=True
        )
        agree(backend, values, expected, dtype, 50)
        np.testing.assert_array_equal(backend.to_numpy(contacts), touched)


def test_an_ellipsoid_of_any_axes():
    """The height c √(1 − (x/a)² − (y/b)²), in another order of operations."""
    f, (a, b, c) = noise((9, 10)), (2.3, 3.7, 0.6)
    values = dilate(f, (a, b, c), spacing=(0.9, 1.1))
    for y, x in np.ndindex(*f.shape):
        sums = [
            f[v, u] + c * math.sqrt(left)
            for v, u in np.ndindex(*f.shape)
            if (left := 1 - ((y - v) * 0.9 / a) ** 2 - ((x - u) * 1.1 / b) ** 2) >= 0
        ]
        # No sample is nearer to the rim than left = 0.01, so √ enlarges the dozen roundings at most five times.
        assert values[y, x] == pytest.approx(max(sums), abs=60 * epsilon(float) * (c + abs(f).max()))


@every_verb
def test_periodic_is_the_middle_of_many_copies(verb):
    for shape, radius in [((13,), 3.7), ((8,), 31.0), ((5, 6), 2.2), ((4, 3), 9.0), ((3, 4, 2), 1.5)]:
        f = np.round(noise(shape))
        copies = 2 * math.ceil(2 * radius / min(shape)) + 1
        values, contacts = verb(f, radius, boundary="periodic", return_contact=True)
        tiled, touched = verb(np.tile(f, (copies,) * f.ndim), radius, return_contact=True)
        middle = tuple(slice(copies // 2 * n, (copies // 2 + 1) * n) for n in shape)
        np.testing.assert_array_equal(values, tiled[middle])
        # The same sample, unless several touch; then each convention takes its own lowest index.
        places = np.unravel_index(touched[middle], tiled.shape)
        home = np.ravel_multi_index([p % n for p, n in zip(places, shape, strict=True)], shape)
        assert (contacts <= home).all()


# Peers.


def structure(ball, shape):
    half = ball.half_widths(shape)
    cap = ball.cap(half)
    full = cap[np.ix_(*(np.abs(np.arange(-k, k + 1)) for k in half))]
    return {"structure": np.where(full > -INF, full, 0.0), "footprint": full > -INF}


def scipy_pass(verb, f, shape_of_the_ball):
    """SciPy's, with nothing outside of the array, in double precision."""
    function = ndimage.grey_dilation if verb is dilate else ndimage.grey_erosion
    found = function(f.astype(float), mode="constant", cval=-INF if verb is dilate else INF, **shape_of_the_ball)
    return found.astype(f.dtype)


def scipy_verb(verb, f, ball):
    """SciPy's; of two passes with the ball's apex, in double precision up to the end."""
    if verb in (dilate, erode):
        return scipy_pass(verb, f, structure(ball, f.shape))
    apex, wide = structure(Apex(*ball), f.shape), f.astype(float)
    if verb is closing:
        found = np.maximum(scipy_pass(erode, scipy_pass(dilate, wide, apex), apex), wide)
    else:
        found = np.minimum(scipy_pass(dilate, scipy_pass(erode, wide, apex), apex), wide)
    return found.astype(f.dtype)


@every_verb
def test_against_scipy(backend, dtype, verb):
    for shape, radius, spacing in [
        ((4, 5), 0.13, (0.1, 0.21)),
        ((30,), 4.3, (1.0,)),
        ((4, 3, 5), 1.4, (1.0, 1.2, 1.3)),
        ((9, 8), 2.5, (1.0, 0.9)),
        ((4, 3, 5), 1.8, (1.0, 1.2, 1.0)),
    ][: few(backend)]:
        f = noise(shape, dtype)
        expected = scipy_verb(verb, f, Ball(radius, spacing))
        found = backend.jit(partial(verb, radius=radius, spacing=spacing))(backend.asarray(f, dtype))
        agree(backend, found, expected, dtype, 50)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@every_verb
def test_images_against_scipy(verb, dtype):
    for f in (noise((90, 70), dtype), np.cumsum(noise((90, 70)), 0).astype(dtype), noise((4000,), dtype)):
        for radius in (1.0, 12.6):
            expected = scipy_verb(verb, f, Ball(radius, (0.7,) * f.ndim))
            np.testing.assert_array_equal(verb(f, radius, spacing=0.7), expected)


def top(region, x):
    """Where a vertical ray from above meets a region."""
    shapely = pytest.importorskip("shapely")
    return region.intersection(shapely.LineString([(x, -1e3), (x, 1e3)])).bounds[3]


@pytest.mark.parametrize("radius", [0.05, 0.47, 2.02, 3.3])
def test_against_the_union_of_discs_of_shapely(radius):
    shapely = pytest.importorskip("shapely")
    h, segments = 0.1, 32
    x = h * np.arange(64)
    f = np.sin(x) + 0.3 * noise(64) / 10
    discs = shapely.MultiPoint(np.stack([x, f], 1)).buffer(radius, quad_segs=segments)
    found = np.array([top(discs, t) for t in x])
    # Its discs are inscribed polygons of 4q vertices, which contain discs of radius ρ cos(π/4q). Vertices and
    # intersections are rounded; where the ray meets an edge, of slope below 4q, a rounding is enlarged.
    rounding = 100 * 4 * segments * epsilon(float) * 1e1
    low, high = (dilate(f, r, spacing=h) for r in (radius * math.cos(math.pi / (4 * segments)), radius))
    assert (low - rounding <= found).all()
    assert (found <= high + rounding).all()
    assert np.median(high - low) <= radius * (math.pi / (4 * segments)) ** 2  # so the two sides mean something


def test_the_samples_never_rise_above_the_polygon_that_joins_them():
    shapely = pytest.importorskip("shapely")
    h, radius = 0.05, 2.0
    x = h * np.arange(126)
    f = np.sin(x)
    around = shapely.LineString(np.stack([x, f], 1)).buffer(radius, quad_segs=256)
    found, values = np.array([top(around, t) for t in x]), dilate(f, radius, spacing=h)
    sag = 2 * radius * (1 - math.cos(math.pi / 1024))  # of the arcs, on slopes below √3
    assert (values <= found + sag).all()
    assert (found <= values + grid_error(h, radius, 1, 1) + sag).all()


# Closed forms. On a grid the maximum is over fewer samples, so f_ρ(grid) ≤ f_ρ. Near the maximiser s* of
# g(s) = f(θ + s) + √(ρ² − |s|²) there is a sample within h/2 along each axis; there ∇g(s*) = 0, so g is lower by
# ½·d·(h/2)²·sup‖∇²g‖ at most. The Hessian of √ is ρ²/√³ at most, and |s*| = ρm/√(1 + m²) for the slope m of f at s*.


def grid_error(h, radius, slope, curvature, d=1):
    farthest = radius * slope / math.hypot(1, slope) + h / 2 * math.sqrt(d)
    assert farthest < radius, "the grid is too coarse for the bound"
    return d * h**2 / 8 * (curvature + radius**2 / (radius**2 - farthest**2) ** 1.5)


def held(values, truth, error, scale):
    """values ≤ truth ≤ values + error, up to a dozen roundings of both sides."""
    rounding = 12 * epsilon(float) * scale
    assert (values <= truth + rounding).all()
    assert (truth <= values + error + rounding).all()


def grid(h, half, d):
    """Coordinates of a grid around 0."""
    axes = np.meshgrid(*([h * np.arange(-half, half + 1)] * d), indexing="ij")
    return np.stack(axes, -1)


def norm(theta):
    return np.sqrt((theta**2).sum(-1))


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("radius", [0.3, 1.0])
@pytest.mark.parametrize("slope", [0.0, 0.2, 1.0, 3.0])
def test_plane(slope, radius, d):
    h, half = (radius / 100, 300) if d == 1 else (radius / 40, 100)
    theta = grid(h, half, d)
    a = slope * np.array([1.0] if d == 1 else [0.6, -0.8])
    f = theta @ a + 0.7
    values = dilate(f, radius, spacing=h)
    inner = (abs(theta) <= half * h - radius).all(-1)
    held(values[inner], (f + radius * math.hypot(1, slope))[inner], grid_error(h, radius, slope, 0, d), 10)
    assert inner.any()


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("m", [0.5, 2.0])
def test_cone_and_roof(m, d):
    h, half, radius = (0.01, 300, 0.8) if d == 1 else (0.04, 50, 0.8)
    theta = grid(h, half, d)
    r = norm(theta)
    inner = (abs(theta) <= half * h - radius).all(-1)
    lift = radius * math.hypot(1, m)
    # The contact is at least ρm/√(1 + m²) from the tip of the cone, where its level lines have curvature m/r.
    bent = 0 if d == 1 else m / (radius * m / math.hypot(1, m) - h)
    held(dilate(m * r, radius, spacing=h)[inner], (m * r + lift)[inner], grid_error(h, radius, m, bent, d), 10)

    shadow = radius * m / math.hypot(1, m)
    roof = np.where(r <= shadow, np.sqrt(np.maximum(radius**2 - r**2, 0)), lift - m * r)
    values = dilate(-m * r, radius, spacing=h)
    # Balls over the tip rest on it, which is a sample.
    tip = inner & (r <= shadow)
    held(values[tip], roof[tip], 0, 10)
    # The others rest on a side; if the sample is beyond the tip, f is m·h√d lower than the smooth side at most.
    sides = inner & (r >= shadow + 2 * h)
    bent = 0 if d == 1 else m / h
    held(values[sides], roof[sides], grid_error(h, radius, m, bent, d), 10)


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize(("r", "radius"), [(2.0, 0.5), (2.0, 1.2), (1.0, 3.0)])
def test_cap(r, radius, d):
    h = r / 200 if d == 1 else r / 40
    theta = grid(h, round(r / h), d)
    left = r**2 - norm(theta) ** 2
    values = dilate(np.where(left >= 0, np.sqrt(np.maximum(left, 0)), -INF), radius, spacing=h)
    # Half as far out as the cap reaches, the contact is at r/2 at most, of slope 1/√3.
    inner = norm(theta) <= (r + radius) / 2
    curvature = r**2 / (r**2 - (r / 2 + h) ** 2) ** 1.5
    truth = np.sqrt(np.where(inner, (r + radius) ** 2 - norm(theta) ** 2, 0))
    held(values[inner], truth[inner], grid_error(h, radius, 1 / math.sqrt(3), curvature, d), 10)


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("ratio", [0.2, 0.5, 0.9])
def test_bowl(ratio, d):
    r = 2.0
    h, radius = (r / 200 if d == 1 else r / 40), ratio * r
    theta = grid(h, round(r / h), d)
    left = r**2 - norm(theta) ** 2
    values = dilate(np.where(left >= 0, -np.sqrt(np.maximum(left, 0)), -INF), radius, spacing=h)
    inner = norm(theta) <= (r - radius) / 2  # so that the contact is at r/2 at most
    curvature = r**2 / (r**2 - (r / 2 + h) ** 2) ** 1.5
    truth = -np.sqrt(np.where(inner, (r - radius) ** 2 - norm(theta) ** 2, 0))
    held(values[inner], truth[inner], grid_error(h, radius, 1 / math.sqrt(3), curvature, d), 10)


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("k", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("radius", [0.2, 0.5, 1.5])
def test_paraboloid(k, radius, d):
    h, half = radius / 150, 151
    value = dilate(k * norm(grid(h, half, d)) ** 2 / 2, radius, spacing=h)[(half,) * d]
    truth = radius if radius * k <= 1 else (k * radius**2 + 1 / k) / 2
    contact = math.sqrt(max(radius**2 - k**-2, 0))
    held(value, truth, grid_error(h, radius, k * contact, k, d), 10)


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize(
    ("radius", "truth"),
    [(0.7, -0.3), (1.0, 0.0), (1.5, 0.544290929933533), (2, 1.12605635041966), (3, 2.27799163404504)],
)
def test_gaussian_well(radius, truth, d):
    """2 sinh(u/2), u = ρ² − W(exp ρ²), over the middle of −exp(−|θ|²/2) in any dimension."""
    h, half = 0.02, math.ceil(radius / 0.02) + 1
    value = dilate(-np.exp(-(norm(grid(h, half, d)) ** 2) / 2), radius, spacing=h)[(half,) * d]
    held(value, truth, grid_error(h, radius, math.exp(-0.5), 1, d), 10)


# The sine of the paper: Δ(ρ) = max f_ρ − min f_ρ is 2 up to the critical radius 1, and then falls like π²/2ρ.

DELTA = {
    0.3: 2.0,
    0.999: 2.0,
    1.1: 1.99636371078797807,
    1.5: 1.92084985581264225,
    2: 1.74167003662809628,
    3: 1.34769520375891753,
    5: 0.868529054387585614,
    10: 0.456892248821957107,
    30: 0.159580116133504938,
    100: 0.0488710952180324313,
    1000: 0.00492988445178681416,
}
CONTACT = {
    1.1: 0.395282648158646,
    1.5: 0.944118904412333,
    2: 1.40433771374748,
    10: 2.84079112692739,
    1000: 3.13845417880182,
}


def sine(n):
    h = 2 * math.pi / n
    return h, np.sin(h * np.arange(n))


@pytest.mark.parametrize("radius", DELTA)
@pytest.mark.parametrize("n", [400, 20_000])
def test_range_of_the_offset_of_a_sine(n, radius):
    h, f = sine(n)
    values, contact = dilate(f, radius, spacing=h, boundary="periodic", return_contact=True)
    assert values.argmax() == n // 4
    assert values.max() == pytest.approx(1 + radius, rel=2 * epsilon(float))
    held(values[3 * n // 4], 1 + radius - DELTA[radius], grid_error(h, radius, 1, 1), 1 + radius)
    assert values.min() == values[3 * n // 4]
    if radius in CONTACT and n == 20_000:
        # The contact is equally far to the left and to the right of the trough, and next to one of the samples.
        steps = abs(contact[3 * n // 4] - 3 * n // 4)
        assert min(steps, n - steps) * h == pytest.approx(CONTACT[radius], abs=h)


def test_tube_formula():
    """Below the critical radius the area between f and f_ρ is ρ times the length; above it is less."""
    n = 2**14
    h, f = sine(n)
    length = 1.216006723424979780  # per period, over 2π
    for radius in (0.25, 0.5, 0.9):
        area = dilate(f, radius, spacing=h, boundary="periodic").mean() - f.mean()
        # The offset is analytic, so the mean of samples is its integral up to the grid's error.
        held(area, radius * length, grid_error(h, radius, 1, 1), 10)
    # Above it only the part outside of |x + π/2| < s*(ρ) is reached: the parallel curve over it, f = cos for symmetry.
    reached = CONTACT[1.5], math.pi
    truth = integrate.quad(
        lambda x: (
            (-math.cos(x) + 1.5 / math.hypot(1, math.sin(x)))
            * (1 - 1.5 * math.cos(x) / math.hypot(1, math.sin(x)) ** 3)
            / math.pi
        ),
        *reached,
        epsabs=1e-12,
    )[0]
    area = dilate(f, 1.5, spacing=h, boundary="periodic").mean() - f.mean()
    # The mean of samples is the trapezoidal rule: a kink of slope 3 at most costs it 3h²/12 of the length 2π.
    assert abs(area - truth) <= grid_error(h, 1.5, 1, 1) + h**2
    assert area < 1.5 * length - 1e-3


# Laws.


@settings(max_examples=40)
@given(seed=st.integers(0, 999), radius=st.floats(0.5, 20), dims=st.integers(1, 3))
def test_laws(seed, radius, dims):
    heights = noise((40, 11, 6)[:dims], seed=seed)
    rounding = 4 * epsilon(float) * (np.abs(heights).max() + radius)
    closed, opened = closing(heights, radius), opening(heights, radius)
    assert (closed >= heights - rounding).all()
    assert (opened <= heights + rounding).all()
    np.testing.assert_allclose(closing(closed, radius), closed, rtol=0, atol=2 * rounding)
    np.testing.assert_allclose(opening(opened, radius), opened, rtol=0, atol=2 * rounding)
    np.testing.assert_array_equal(erode(heights, radius), -dilate(-heights, radius))
    np.testing.assert_array_equal(dilate(heights[::-1], radius), dilate(heights, radius)[::-1])
    np.testing.assert_array_equal(dilate(heights.T, radius), dilate(heights, radius).T)
    assert (dilate(heights, 1.5 * radius) >= dilate(heights, radius)).all()
    # (f_ρ)_σ ≤ f_{ρ+σ} at samples: two balls in a row are one of the sum
    assert (dilate(dilate(heights, radius), 3.0) <= dilate(heights, radius + 3.0) + rounding).all()


def test_contacts_of_a_closing_carry_the_ball():
    heights = noise((30, 40))
    closed, contact = closing(heights, 5.0, return_contact=True)
    flat = heights.reshape(-1)
    assert (flat[contact] <= closed + 10 + 1e-12).all()  # the ball that shapes the envelope rests on it
    touched = np.isclose(closed, heights, rtol=0, atol=1e-12)
    assert 0 < touched.sum() < heights.size
    assert touched.reshape(-1)[np.unique(contact)].all()  # what carries a ball is reachable


# Radii.


def test_a_radius_on_a_sample_reaches_it():
    for k in range(1, 60):
        f = np.full(121, -1e6)
        f[60] = 0.0
        values = dilate(f, 0.1 * k, spacing=0.1)
        assert (values > -1e5).sum() == 2 * k + 1
        # √ of a rounding of ρ² at the rim.
        assert values[60 + k] == pytest.approx(0, abs=0.1 * k * math.sqrt(8 * epsilon(float)))


@pytest.mark.parametrize("shape", [(1,), (6,), (3, 4), (2, 3, 2)])
def test_radii_smaller_than_the_spacing_and_larger_than_the_array(backend, dtype, shape):
    f = noise(shape, dtype)
    array = backend.asarray(f, dtype)
    agree(backend, dilate(array, 0.5), f.astype(float) + 0.5, dtype, 50)
    agree(backend, erode(array, 0.5), f.astype(float) - 0.5, dtype, 50)
    # From far away the ball is flat: ρ − √(ρ² − s²) < s²/ρ is less than a rounding of ρ.
    agree(backend, dilate(array, 1e12), np.full(shape, float(f.max()) + 1e12), dtype, 1e12)


# Namespaces, dtypes and layouts.


@pytest.mark.parametrize("kind", ["int8", "uint16", "int64", "bool"])
@every_verb
def test_integers_become_the_default_floating_dtype(backend, verb, kind):
    f = np.array([3, 0, 1, 7, 7, 2]).astype(kind)
    default = backend.xp.__array_namespace_info__().default_dtypes(device=backend.device)["real floating"]
    found = verb(backend.asarray(f, kind), 2.0)
    assert found.dtype == default
    assert found.shape == f.shape
    expected = verb(f.astype(float), 2.0)
    rounding = 3 * 9 * float(backend.xp.finfo(default).eps)
    np.testing.assert_allclose(backend.to_numpy(found), expected, rtol=0, atol=rounding)


def test_float16_and_bfloat16():
    f = noise((20,), "float16")
    values = dilate(f, 3.3)
    assert values.dtype == np.float16
    np.testing.assert_array_equal(values, dilate(f.astype(float), 3.3).astype(np.float16))
    torch = pytest.importorskip("torch")
    found = dilate(torch.asarray(f).to(torch.bfloat16), 3.3)
    assert found.dtype == torch.bfloat16
    exact = dilate(torch.asarray(f).to(torch.bfloat16).double(), 3.3)
    np.testing.assert_array_equal(found.float(), exact.to(torch.bfloat16).float())


@every_verb
def test_numbers_in_sequences(verb):
    f = [[1, 2.5, 0], [0, 0, 4]]
    found = verb(f, [1], spacing=(1, 2))
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found, verb(np.array(f), 1.0, spacing=np.array([1.0, 2.0])))
    assert verb((1, 2, 3), 1).dtype == np.float64


@every_verb
def test_memory_layouts(verb):
    f = noise((12, 14))
    expected = verb(f, 2.5)
    frozen = f.copy()
    frozen.setflags(write=False)
    for same in (frozen, np.asfortranarray(f), np.repeat(f, 3, 1)[:, ::3], f.astype(">f8"), f[::-1].copy()[::-1]):
        found = verb(same, 2.5)
        assert found.dtype == np.float64
        assert found.flags.writeable
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(same, f)


@pytest.mark.parametrize("boundary", ["none", "periodic"])
@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0, 4)])
@every_verb
def test_nothing_gives_nothing(backend, verb, shape, boundary):
    f = backend.asarray(np.zeros(shape))
    values, contacts = verb(f, 1.0, boundary=boundary, return_contact=True)
    assert values.shape == contacts.shape == shape
    assert backend.belongs(values, backend.dtypes[-1])
    _, some = verb(backend.asarray(np.zeros(1)), 1.0, return_contact=True)
    assert contacts.dtype == some.dtype
    assert verb(f, 1.0, boundary=boundary).shape == shape


def test_default_integers_of_jax_without_64_bits():
    jax = pytest.importorskip("jax")
    with jax.enable_x64(False):
        for n in (0, 3):
            _, contacts = dilate(jax.numpy.zeros(n), 1.0, return_contact=True)
            assert contacts.dtype == jax.numpy.int32


@every_verb
def test_under_jit_nan_propagates_instead_of_raising(verb):
    jax = pytest.importorskip("jax")
    f = np.array([0.0, 1.0, 5.0, NAN, 2.0, 2.0, 1.0, 1.0])
    found = jax.jit(partial(verb, radius=1.0))(jax.numpy.asarray(f))
    np.testing.assert_array_equal(found, verb(f, 1.0, nan="propagate"))


# Missing samples.


def test_nan_is_refused_by_name_and_number():
    f = np.array([0.0, NAN, 1.0, NAN])
    for verb in VERBS:
        with pytest.raises(ValueError, match=r"^heights must not be NaN \(2 of 4 are\); see the argument nan$"):
            verb(f, 1.0)


@pytest.mark.parametrize("level", [INF, -INF])
def test_all_heights_infinite(backend, level):
    f = backend.asarray(np.full((3, 4), level))
    values, contacts = dilate(f, 1.5, return_contact=True)
    np.testing.assert_array_equal(backend.to_numpy(values), np.full((3, 4), level))
    # A wall under the centre is the nearest.
    expected = np.arange(12).reshape(3, 4) if level == INF else np.full((3, 4), -1)
    np.testing.assert_array_equal(backend.to_numpy(contacts), expected)


def test_omitted_samples_are_no_samples():
    f = noise((15, 16))
    lost = np.random.default_rng(1).random(f.shape) < 0.3
    for radius in (1.0, 4.2):
        found = dilate(np.where(lost, NAN, f), radius, nan="omit", return_contact=True)
        values, contacts = dilate(np.where(lost, -INF, f), radius, return_contact=True)
        np.testing.assert_array_equal(found[0], np.where(values == -INF, NAN, values))
        np.testing.assert_array_equal(found[1], contacts)


def test_nan_propagates_as_far_as_the_ball_reaches():
    f = noise((21, 21))
    f[10, 10] = NAN
    y, x = np.indices(f.shape) - 10
    for verb, reach in [(dilate, 1), (erode, 1), (closing, 2), (opening, 2)]:
        found = verb(f, 3.0, nan="propagate")
        if reach == 1:
            np.testing.assert_array_equal(np.isnan(found), x**2 + y**2 <= 9)
        else:
            assert np.isnan(found[abs(y) + abs(x) <= 6]).all()
            assert not np.isnan(found[x**2 + y**2 > 36]).any()


# Large balls: truth in numpy.longdouble, of each sample and each ball.


def closed_by_all(f, radius, h):
    """Of a profile: the lowest of all balls over samples that pass above all samples."""
    f, s = f.astype(np.longdouble), h * np.arange(f.size, dtype=np.longdouble)
    away = np.abs(s[:, None] - s)
    drop = away**2 / (radius + np.sqrt(np.maximum(np.longdouble(radius) ** 2 - away**2, 0)))
    apexes = np.where(away <= radius, f - drop, -INF).max(axis=1)
    return np.where(away <= radius, apexes + drop, INF).min(axis=1)


def half_ulp(x, dtype):
    """Half of the distance of neighbouring numbers of the format at x."""
    eps, tiny = (2.0**-7, 2.0**-126) if dtype == "bfloat16" else (np.finfo(dtype).eps, np.finfo(dtype).tiny)
    powers = 2.0 ** np.floor(np.log2(np.maximum(np.abs(x).astype(float), 1e-300)))
    return np.maximum(powers, float(tiny)) * float(eps) / 2


def roughness(n):
    """A profile of n samples in mm, 5 µm apart, with a range of about 3 µm: waves and noise."""
    noisy = np.random.default_rng(3).normal(size=n)
    return 1e-3 * np.sin(0.02 * np.arange(n)) + 2e-4 * noisy


@pytest.mark.parametrize("radius", [5.0, 50.0, 500.0, 5e4, 1e9])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_large_ball_leaves_what_the_format_can_hold(dtype, radius):
    """The centres are as high as the ball is large; the result is as precise as the heights, which is rounded once."""
    f = roughness(400).astype(dtype)
    truth = closed_by_all(f, radius, 0.005)
    for found in (closing(f, radius, spacing=0.005), -opening(-f, radius, spacing=0.005)):
        assert found.dtype == dtype
        error = np.abs(found.astype(np.longdouble) - truth)
        assert (error <= half_ulp(truth, dtype) * 1.001 + 4 * epsilon(float) * np.abs(f).max()).all()
        assert (found >= f).all()


@pytest.mark.parametrize("radius", [0.02, 50.0, 5e4])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_a_large_ball_in_pytorch(dtype, radius):
    torch = pytest.importorskip("torch")
    f = torch.asarray(roughness(60), dtype=getattr(torch, dtype))
    exact = f.to(torch.float64).numpy()
    truth = closed_by_all(exact, radius, 0.005)
    found = closing(f, radius, spacing=0.005)
    assert found.dtype == f.dtype
    error = np.abs(found.to(torch.float64).numpy() - truth)
    assert (error <= half_ulp(truth, dtype) * 1.001 + 1e-18).all()
    assert (found >= f).all()


def test_chunks_are_rounded_once_too():
    dask = pytest.importorskip("dask.array")
    f = roughness(400).astype("float32")
    truth = closed_by_all(f, 0.2, 0.005)
    found = closing(dask.from_array(f, chunks=100), 0.2, spacing=0.005).compute()
    assert (np.abs(found - truth) <= half_ulp(truth, "float32") * 1.001).all()
    assert (found >= f).all()


def test_a_large_ball_where_there_is_no_float64():
    """Single precision throughout: a few roundings of the heights, none of the radius."""
    strict = pytest.importorskip("array_api_strict")
    f = roughness(60).astype("float32")
    array = strict.asarray(f, device=strict.Device("no_float64"))
    for radius in (50.0, 5e4, 1e9):
        found = np.from_dlpack(closing(array, radius, spacing=0.005))
        assert np.abs(found - closed_by_all(f, radius, 0.005)).max() <= 4 * epsilon("float32") * np.abs(f).max()
        assert (found >= f).all()


def test_the_bridge_of_a_large_ball_in_closed_form():
    """Over a pit between two samples 2h apart the ball sags by h²/(ρ + √(ρ² − h²))."""
    for dtype in ("float16", "float32", "float64"):
        for radius in (1e1, 1e4, 1e8):
            pit = closing(np.array([0.0, -1.0, 0.0], dtype), radius)[1]
            assert pit == np.array(-1 / (radius + math.sqrt(radius**2 - 1))).astype(dtype)


@pytest.mark.parametrize("radius", [0.7, 3.3, 1e3])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_closing_is_nowhere_below_and_an_opening_nowhere_above(dtype, radius):
    for shape in ((300,), (30, 20), (6, 7, 8)):
        f = noise(shape, dtype)
        assert (closing(f, radius) >= f).all()
        assert (opening(f, radius) <= f).all()


@every_verb
def test_no_zero_is_negative(verb):
    for f in (np.array([0.0, 1.0, 0.0]), np.array([1.0, 1.0, 1.0]), np.array([-0.0, -0.0]), -np.ones(3)):
        values = verb(f, 1.0)
        assert not np.signbit(values[values == 0]).any()


# Which samples the ball touches.


def test_the_contact_tells_which_samples_a_ball_touches():
    """A pit below the ball is not touched; its rims are, by one ball and by their own."""
    for f, touched in [
        ([0.0, -9.0, 0.0], [True, False, True]),
        ([0.0, 0.0, 0.0, -1.0, 0.0], [True, True, True, False, True]),
        ([0.0, 0.01, 0.0], [True, True, True]),
        ([0.0, 1.0, 0.0], [False, True, False]),
    ]:
        _, contact = closing(np.array(f), 10.0, return_contact=True)
        np.testing.assert_array_equal(contact == np.arange(len(f)), touched)


@pytest.mark.parametrize("h", [1e-2, 1e-3, 1e-4])
def test_only_balls_over_samples_are_counted(h):
    """Half of the samples of a parabola, however fine, and yet every point of the parabola can be touched.

    A ball of radius ½ that touches f = x²/2 at x has its centre at x − x/(2√(1 + x²)). Over the bottom |x| <= X stand
    fewer centres than samples, in the ratio 1 − 1/(2√(1 + X²)), and each ball touches one sample.
    """
    x = h * np.arange(-round(1 / h), round(1 / h) + 1)
    _, contact = closing(x**2 / 2, 0.5, spacing=h, return_contact=True)
    bottom = np.abs(x) <= 0.2
    share = (contact == np.arange(x.size))[bottom].mean()
    assert share == pytest.approx(1 - 0.5 / math.sqrt(1.04), abs=3 * h / 0.2)
    parabola = FunctionGraph(lambda t: t[..., 0] ** 2 / 2, lambda t: t, lambda t: np.ones((*t.shape, 1)))
    assert reachable(parabola, x[bottom][:: round(0.05 / h)][:, None], 0.5).all()


# Where to write.


@every_verb
def test_out(backend, dtype, verb):
    f = noise((5, 6), dtype)
    expected = backend.to_numpy(verb(backend.asarray(f, dtype), 1.5))
    out = backend.xp.zeros((5, 6), dtype=getattr(backend.xp, dtype), device=backend.device)
    if backend.name.startswith("jax"):
        with pytest.raises(TypeError, match="immutable"):
            verb(backend.asarray(f, dtype), 1.5, out=out)
        return
    found, contacts = verb(backend.asarray(f, dtype), 1.5, out=out, return_contact=True)
    assert found is out
    np.testing.assert_array_equal(backend.to_numpy(out), expected)
    again = backend.xp.asarray(backend.asarray(f, dtype), copy=True)
    assert verb(again, 1.5, out=again) is again
    np.testing.assert_array_equal(backend.to_numpy(again), expected)
    assert contacts.shape == (5, 6)


@every_verb
def test_out_is_refused_if_it_cannot_hold_the_result(verb):
    f = noise((3, 4))
    for out in (np.zeros((4, 3)), np.zeros(3), np.zeros((3, 4), "float32"), [[0.0]], np.zeros((3, 4), int)):
        with pytest.raises(ValueError, match=r"^out must have shape \(3, 4\) and dtype float64, got "):
            verb(f, 1.0, out=out)
    frozen = np.zeros((3, 4))
    frozen.setflags(write=False)
    with pytest.raises(ValueError, match="read-only"):
        verb(f, 1.0, out=frozen)


def test_out_in_any_layout_and_for_overlapping_input():
    f = noise((6, 6))
    expected = dilate(f, 2.0)
    wide = np.zeros((6, 12))
    assert dilate(f, 2.0, out=wide[:, ::2]).base is wide
    np.testing.assert_array_equal(wide[:, ::2], expected)
    np.testing.assert_array_equal(wide[:, 1::2], 0)
    turned = f.copy()
    dilate(turned, 2.0, out=turned.T)
    np.testing.assert_array_equal(turned.T, expected)


# Threads.


@every_verb
def test_workers(verb):
    for f in (noise((70, 60)), noise((20_000,))):
        expected, touched = verb(f, 9.0, return_contact=True)
        for workers in (1, 2, 3, np.int64(7), 200):
            values, contacts = verb(f, 9.0, workers=workers, return_contact=True)
            np.testing.assert_array_equal(values, expected)
            np.testing.assert_array_equal(contacts, touched)
            np.testing.assert_array_equal(verb(f, 9.0, workers=workers), expected)


# Wrong arguments.


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"heights": 1.0}, ValueError, "heights must have at least one dimension"),
        ({"heights": "abc"}, TypeError, "heights must be an array of real numbers, got 'abc'"),
        ({"heights": None}, TypeError, "heights must be an array of real numbers, got None"),
        ({"heights": [[1.0], [1.0, 2.0]]}, ValueError, "heights must be an array or a rectangular nested sequence"),
        ({"heights": np.ones(2) * 1j}, TypeError, "heights must have a real floating or integer dtype, got complex128"),
        ({"radius": 0.0}, ValueError, "radius must be finite and positive, got 0.0"),
        ({"radius": NAN}, ValueError, "radius must be finite and positive, got nan"),
        ({"radius": "1"}, TypeError, "radius must be .*got '1'"),
        ({"radius": (1.0, 2.0)}, ValueError, "radius must be one number or 3 semi-axes, the height's last, got 2"),
        ({"spacing": -1.0}, ValueError, "spacing must be finite and positive, got -1.0"),
        ({"spacing": (1.0,) * 3}, ValueError, r"spacing must be one number or one per axis \(2\), got 3 numbers"),
        ({"boundary": "wrap"}, ValueError, r"boundary must be one of \('none', 'reflect', 'periodic'\), got 'wrap'"),
        ({"boundary": None}, ValueError, "boundary must be one of .*, got None"),
        ({"nan": "skip"}, ValueError, r"nan must be one of \('raise', 'omit', 'propagate'\), got 'skip'"),
        ({"workers": 0}, ValueError, "workers must be at least 1, got 0"),
        ({"workers": 1.5}, TypeError, "workers must be an integer, got 1.5"),
        ({"workers": True}, TypeError, "workers must be an integer, got True"),
    ],
)
@every_verb
def test_wrong_arguments_are_refused_by_name(verb, arguments, error, message):
    with pytest.raises(error, match=f"^{message}"):
        verb(**({"heights": np.zeros((3, 3)), "radius": 1.0} | arguments))


@pytest.mark.parametrize("chunks", [None, 3])
@pytest.mark.parametrize("dtype", ["float32", "int64"])
@every_verb
def test_what_is_masked_is_missing_as_nan_says(verb, dtype, chunks):
    """The numbers under a mask do not count, whatever they are."""
    heights = np.ma.masked_array(np.array([0, 2, 1000, 0, 5, 1]).astype(dtype), mask=[0, 0, 1, 0, 0, 0])
    plain = heights.astype(float).filled(np.nan).astype("float32" if dtype == "float32" else float)
    if chunks:
        heights = pytest.importorskip("dask.array").from_array(heights, chunks=chunks)
    for nan in ("omit", "propagate"):
        found = np.asarray(verb(heights, 1.0, nan=nan))
        assert type(found) is np.ndarray
        assert found.dtype == plain.dtype
        np.testing.assert_array_equal(found, verb(plain, 1.0, nan=nan))
    np.testing.assert_array_equal(np.asarray(verb(heights, 1.0)), verb(plain, 1.0, nan="omit"))


@every_verb
def test_a_mask_is_that_of_a_masked_array(backend, verb):
    heights, mask = np.array([0.0, 2.0, NAN, 0.0, 5.0]), np.array([False, False, True, False, False])
    given = backend.asarray(heights), 1.0
    for nan in ("raise", "omit", "propagate"):
        expected = verb(*given, nan="omit" if nan == "raise" else nan)
        for masked in (backend.asarray(mask), mask.tolist()):
            found = backend.to_numpy(verb(*given, nan=nan, mask=masked))
            np.testing.assert_array_equal(found, backend.to_numpy(expected))
    other = backend.asarray(np.roll(mask, 1))
    with pytest.raises(ValueError, match=r"heights must not be NaN \(1 of 5 are\)"):
        verb(*given, mask=other)


@every_verb
@pytest.mark.parametrize("mask", [[True], [1, 0, 0]])
def test_wrong_masks(verb, mask):
    with pytest.raises(ValueError, match=r"mask must be an array of bool of the shape of heights, \(3,\), got"):
        verb(np.zeros(3), 1.0, mask=np.asarray(mask))


def test_where_nothing_can_be_raised_a_mask_must_say_what_nan_means():
    jax = pytest.importorskip("jax")
    heights, mask = jax.numpy.zeros(3), jax.numpy.asarray([True, False, False])
    with pytest.raises(ValueError, match="nan must be 'omit' or 'propagate'"):
        jax.jit(lambda f: dilate(f, 1.0, mask=mask))(heights)
    found = jax.jit(lambda f: dilate(f, 1.0, mask=mask, nan="omit"))(heights)
    np.testing.assert_array_equal(found, dilate(heights, 1.0, mask=mask))


# Some axes.


@every_verb
@pytest.mark.parametrize("axes", [0, -1, (0, 2), [0, 1], (-2, -1)])
def test_other_axes_are_a_batch(backend, verb, axes):
    """Each item is rolled over on its own, and a contact is a sample of the whole array."""
    heights = noise((3, 6, 5))
    found, contact = map(backend.to_numpy, verb(backend.asarray(heights), 1.5, axes=axes, return_contact=True))
    spans = [axis % 3 for axis in np.atleast_1d(axes)]
    rest = [axis for axis in range(3) if axis not in spans]
    numbers = np.arange(heights.size).reshape(heights.shape)
    for item in np.ndindex(*(heights.shape[axis] for axis in rest)):
        place = [slice(None)] * 3
        for axis, index in zip(rest, item, strict=True):
            place[axis] = index
        values, touched = verb(heights[tuple(place)], 1.5, return_contact=True)
        tolerance = 0 if "float64" in backend.dtypes else 1e-5
        np.testing.assert_allclose(found[tuple(place)], values, rtol=0, atol=tolerance)
        if tolerance == 0:
            np.testing.assert_array_equal(contact[tuple(place)], numbers[tuple(place)].reshape(-1)[touched])


def test_radius_and_spacing_belong_to_the_axes_that_the_ball_spans():
    heights = noise((4, 9, 7))
    found = dilate(heights, (2.0, 3.0, 1.5), spacing=(1.0, 0.5), axes=(0, 2))
    np.testing.assert_array_equal(found[:, 4], dilate(heights[:, 4], (2.0, 3.0, 1.5), spacing=(1.0, 0.5)))


def test_many_short_profiles():
    """Rows that are shorter than a vector, and longer; narrow balls, and wide."""
    for n, radius in ((5, 2.0), (200, 3.0), (200, 60.0)):
        rows = noise((7, n))
        found = dilate(rows, radius, axes=1, workers=2)
        np.testing.assert_array_equal(found, [dilate(row, radius) for row in rows])


@pytest.mark.parametrize(
    ("axes", "error", "message"),
    [
        (2, ValueError, "axes must be different axes of an array of 2 dimensions, got 2"),
        (-3, ValueError, "axes must be at least -2"),
        ((0, 0), ValueError, "axes must be different"),
        ((), ValueError, "axes must be different"),
        ((1, 0), ValueError, "axes must ascend"),
        (0.0, TypeError, "axes must be an integer"),
    ],
)
def test_wrong_axes(axes, error, message):
    with pytest.raises(error, match=f"^{message}"):
        dilate(np.zeros((3, 3)), 1.0, axes=axes)


@every_verb
def test_a_mirror_image_beyond_the_ends_changes_nothing(verb):
    """A sample is nearer than its image."""
    heights = noise((12, 9))
    expected = verb(np.pad(heights, 9, mode="symmetric"), 4.0)[9:-9, 9:-9]
    np.testing.assert_array_equal(verb(heights, 4.0, boundary="reflect"), expected)
    np.testing.assert_array_equal(verb(heights, 4.0), expected)


@every_verb
def test_an_array_that_could_be_masked_and_is_not(verb):
    heights = np.ma.masked_array([0.0, 3.0, 1.0], mask=False)
    np.testing.assert_array_equal(verb(heights, 1.0), verb(heights.data, 1.0))


@every_verb
@pytest.mark.parametrize("nan", ["raise", "omit", "propagate"])
def test_items_of_vmap_are_rolled_over_alone(verb, nan):
    torch = pytest.importorskip("torch")
    images = np.random.default_rng(0).normal(size=(3, 5, 4))
    images[1, 2, 2] = np.inf if nan == "raise" else np.nan
    found = torch.func.vmap(lambda image: verb(image, 1.5, nan=nan))(torch.asarray(images))
    np.testing.assert_array_equal(found, [verb(image, 1.5, nan=nan) for image in images])
    with pytest.raises(ValueError, match="heights must not be NaN"):
        torch.func.vmap(lambda image: verb(image, 1.5))(torch.full((2, 3, 3), torch.nan))


def test_under_jit_dilation_does_its_work_once():
    """One addition for each sample under the ball, and for a closing two."""
    jax = pytest.importorskip("jax")
    under = int((np.hypot(*np.mgrid[-3:4, -3:4]) <= 3).sum())
    for verb, passes in ((dilate, 1), (closing, 2)):
        found = jax.make_jaxpr(jax.vmap(partial(verb, radius=3.0)))(jax.numpy.zeros((2, 9, 9)))
        additions = [equation for equation in found.jaxpr.eqns if equation.primitive.name == "add"]
        assert 0 <= len(additions) - passes * under <= passes
