"""Laws: right implementations obey all of them, each catches a wrong one, and says so in words."""

import subprocess
import sys
from functools import partial
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.distance import pdist

import geometry
from geometry import (
    Bottleneck,
    Descent,
    FunctionGraph,
    MultiStart,
    Newton,
    closing,
    dilate,
    distance,
    erode,
    offset_function,
    opening,
    project,
)
from rbo_ref import SAM, Adam, GradientDescent, InducedMetric, Lion, Muon, NAdam, RMSprop, laws, oracle, roll
from rbo_ref.laws.table import rst
from rbo_ref.oracle.formulas import FORMULAS
from rbo_ref.oracle.reference import rolling_ball

GEOMETRY = [verb for verb in laws.VERBS if verb not in ("step", "walk")]
SLOW = ("offset_function", "medial_radius", "medial_radius+level", "reach", "critical_radius", "bottleneck")

every_law = pytest.mark.parametrize("law", laws.of(), ids=str)
step_laws = pytest.mark.parametrize("law", laws.of("step"), ids=str)
geometry_laws = pytest.mark.parametrize(
    ("verb", "law"), [(verb, law) for verb in GEOMETRY for law in laws.of(verb)], ids=str
)


# Right implementations.


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("port", [oracle.RightPort(), rolling_ball], ids=["RightPort", "RollingBall"])
@step_laws
def test_right_ports_obey(law, port, dtype):
    law.check(port, dtype=dtype, max_examples=5)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@geometry_laws
def test_the_package_obeys(verb, law, dtype):
    law.check(getattr(geometry, verb.partition("+")[0]), dtype=dtype, max_examples=2 if verb in SLOW else 5)


@pytest.mark.parametrize("name", ["torch", "jax"])
@step_laws
def test_on_other_libraries(law, name):
    pytest.importorskip(name)
    if name == "jax":
        pytest.importorskip("jax").config.update("jax_enable_x64", True)
    law.check(oracle.RightPort(), xp=name, dtype="float32", max_examples=1)


@pytest.mark.parametrize(
    ("verb", "law"), [(v, law) for v in ("distance", "dilate", "rolling_ball") for law in laws.of(v)], ids=str
)
def test_on_torch(verb, law):
    pytest.importorskip("torch")
    law.check(getattr(geometry, verb), xp="torch", max_examples=2)


def _walking(optimizer):
    def walk(loss, theta, *, iterations):
        steps = roll(optimizer, FunctionGraph.from_value_and_gradient(loss), theta)
        return [step.theta for step in islice(steps, iterations)]

    return walk


def _muon(loss, theta, *, iterations):
    return _walking(Muon(0.1, shape=(1, len(theta)), weight_decay=0.0))(loss, theta, iterations=iterations)


WALKS = {
    optimizer.__class__.__name__: _walking(optimizer)
    for optimizer in (
        GradientDescent(0.1, momentum=0.9, nesterov=True),
        Adam(0.1),
        NAdam(0.1),
        RMSprop(0.1),
        Lion(0.1),
        SAM(0.1),
        InducedMetric(0.1, variant="plain"),
    )
}
WALKS["Muon"] = _muon
WALKS["a formula"] = partial(FORMULAS["sam"]["paper"](), learning_rate=0.1, radius=1.0, adaptive=False, epsilon=1e-12)


@pytest.mark.parametrize("name", WALKS)
def test_optimizers_obey(name):
    for law in laws.of("walk"):
        law.check(WALKS[name], dtype="float32", max_examples=5)


def test_scipy_obeys():
    """An implementation that is not ours: SciPy's grey dilation with a ball as structuring function."""

    def structure(radius, spacing, ndim):
        axes = [h * np.arange(-(radius // h), radius // h + 1) for h in np.broadcast_to(spacing, ndim)]
        offsets = np.stack(np.meshgrid(*axes, indexing="ij"))
        left = radius**2 - np.sum(offsets**2, axis=0)
        return {"structure": np.sqrt(np.maximum(left, 0)), "footprint": left >= 0}

    def dilate(heights, radius, *, spacing, boundary):
        mode = {"mode": "wrap"} if boundary == "periodic" else {"mode": "constant", "cval": -np.inf}
        return ndimage.grey_dilation(heights, **structure(radius, spacing, heights.ndim), **mode)

    for law in laws.of("dilate"):
        law.check(dilate, max_examples=8)


def test_many_starts_obey():
    """Not only the default solver."""
    for law in laws.of("distance"):
        law.check(lambda surface, points: distance(surface, points, MultiStart(Newton(), starts=4)), max_examples=3)


# Each law can be broken.

BROKEN_BY = {
    "plane": "ascent",
    "one-inner-step": "tangent_unit",
    "rest": "weight_decay",
    "translation": "parameters_clamped",
    "lift": "loss_clamped",
    "rotation": "normal_per_coordinate",
    "reflection": "normal_components_rotated",
    "scaling": "learning_rate_times_radius",
    "idle-parameters": "loss_averaged",
    "descent": "vertical_term_sign",
    "footpoint": "normal_flipped",
    "first-order": "normal_not_normalized",
    "small-ball": "plain_gradient_descent",
    "no-memory": "carries_center",
}


@step_laws
def test_a_mistake_breaks_it(law):
    assert not law.holds(oracle.MISTAKES[BROKEN_BY[law.name]]())


def _gap(surface, points):
    return abs(points[..., -1] - surface.value(points[..., :-1]))


def _below(surface, points):
    return points[..., :-1]


def _identity(heights, radius, **options):
    return heights


def _first(verb):
    """Right on one item, and for a batch its first item alone."""

    def on_batches(surface, points, *rest):
        found = verb(surface, points, *rest)
        found = getattr(found, "theta", found)
        return found if points.ndim == 1 or not found.size else np.broadcast_to(found[:1], found.shape).copy()

    return on_batches


def _centers_of_curvature(surface, box, *, samples):
    theta = np.linspace(*box[0], samples)[:, None]
    radii = 1 / surface.curvatures(theta)[:, -1]
    return geometry.MedialAxis(geometry.offset(surface, theta, radii), radii)


def _the_least_for_all(points, *, normals, per_point):
    return np.full(len(points), geometry.reach_from_points(points, normals=normals))


def _reads_the_height(loss, theta, *, iterations):
    return [theta - loss(theta)[0] * loss(theta)[1]] * iterations


def _all_at_once(loss, theta, *, iterations):
    return [theta - iterations * loss(theta)[1]] * iterations


def _up(loss, theta, *, iterations):
    return [theta + (k + 1) * loss(theta)[1] for k in range(iterations)]


WRONG = {
    ("walk", "walk-lifted"): _reads_the_height,
    ("walk", "walk-reflected"): lambda loss, t, iterations: [abs(t) - loss(t)[1]] * iterations,
    ("walk", "walk-continued"): _all_at_once,
    ("walk", "walk-at-rest"): lambda loss, t, iterations: [0.9 * t] * iterations,
    ("walk", "walk-downhill"): _up,
    ("distance+level", "level-parallel"): lambda s, x: s.value(x),
    ("signed_distance+level", "level-signed"): lambda s, x: s.value(x),
    ("project+level", "level-footpoint"): lambda s, x: x,
    ("distance+level", "level-batches"): _first(distance),
    ("signed_distance+level", "level-batches"): _first(geometry.signed_distance),
    ("project+level", "level-batches"): _first(project),
    ("distance", "batches"): _first(distance),
    ("signed_distance", "batches"): _first(geometry.signed_distance),
    ("project", "batches"): _first(project),
    ("distance_gradient", "gradient-along-the-normal"): _first(geometry.distance_gradient),
    ("offset_function", "offset-batches"): _first(offset_function),
    ("offset", "along-the-normal"): lambda s, t, r: s.point(t) - r * s.normal(t),
    ("medial_radius", "balls-in-valleys"): lambda s, t: 1 / s.curvatures(t)[..., -1],
    ("medial_radius", "no-point-inside"): lambda s, t: 0 * s.value(t) + 16,
    ("reach", "reach-of-a-ridge"): lambda s, box: 2 * geometry.reach(s, box).value,
    ("critical_radius", "only-valleys-count"): lambda s, box: geometry.reach(s, box).value,
    ("reach", "reach-at-least"): lambda s, box: 0.25 * geometry.reach(s, box).value,
    ("critical_radius", "reach-at-least"): lambda s, box: 0.25 * geometry.critical_radius(s, box),
    ("distance+parametric", "parametric-parallel"): _first(distance),
    ("project+parametric", "parametric-footpoint"): lambda s, q: SimpleNamespace(point=q),
    ("distance+sampled", "sampled-parallel"): _gap,
    ("medial_radius+level", "level-balls-of-the-reach"): lambda s, x, side: 0 * x[..., 0] + 1e-9,
    ("medial_radius+level", "level-balls-in-spheres"): lambda s, x, side: geometry.medial_radius(s, x, side="below"),
    ("reachable", "touched-in-valleys"): lambda s, t, r: r < 2 / s.curvatures(t)[..., -1],
    ("reachable", "small-balls-touch"): lambda s, t, r: r < 0.1 / s.curvatures(t)[..., -1],
    ("medial_axis", "axis-of-a-parabola"): _centers_of_curvature,
    ("bottleneck", "waist-of-an-ellipsoid"): lambda s, box, samples: Bottleneck(1 / np.max(box), np.eye(2, len(box))),
    ("reach_from_points", "least-quotient"): lambda p, normals: geometry.reach_from_points(p),
    ("reach_from_points", "points-of-a-sphere"): lambda p, normals: float(np.min(pdist(p))) / 2,
    ("reach_from_points+each", "least-quotients"): _the_least_for_all,
    ("reach_from_points+each", "each-point-of-a-sphere"): lambda p, normals, per_point: np.abs(p).max(axis=1),
    ("dilate+axes", "slices"): lambda f, r, *, spacing, boundary, axes: dilate(f, r, boundary=boundary),
    ("dilate+x", "uneven-profile"): lambda f, r, *, x: dilate(f, r, spacing=np.ptp(x) / max(len(x) - 1, 1) or 1.0),
    ("dilate+mask", "masked-samples"): lambda f, r, *, mask, **o: dilate(f, r, **o),
    ("reachable_samples", "bottom-of-a-groove"): lambda f, r, **_: f == f.max(),
    ("reachable_samples", "carriers-are-touched"): lambda f, r, **_: f > f.mean(),
    ("reachable_samples", "larger-balls-touch-less"): lambda f, r, **_: f > f.mean() - r,
    ("free_of_ends", "margin"): lambda f, r, *, spacing, passes: geometry.free_of_ends(f, r, spacing=spacing, passes=1),
    ("distance", "parallel"): _gap,
    ("distance", "lipschitz"): lambda s, q: 3 * distance(s, q),
    ("distance", "vertical-gap"): lambda s, q: 2 * distance(s, q),
    ("distance", "nearest"): _gap,
    ("distance", "distance-translated"): lambda s, q: np.linalg.norm(q),
    ("distance", "distance-scaled"): lambda s, q: distance(s, q) ** 2,
    ("distance", "distance-turned"): lambda s, q: distance(s, q) + abs(q[0]),
    ("distance", "medial-distance"): _gap,
    ("signed_distance", "signed-parallel"): distance,
    ("signed_distance", "lipschitz"): lambda s, q: 3 * distance(s, q),
    ("signed_distance", "distance-translated"): lambda s, q: q[-1],
    ("signed_distance", "distance-scaled"): lambda s, q: distance(s, q) ** 2,
    ("signed_distance", "distance-turned"): lambda s, q: distance(s, q) + q[0],
    ("signed_distance", "upside-down"): distance,
    ("signed_distance", "rising"): distance,
    ("project", "normal-segment"): _below,
    ("project", "projected-twice"): lambda s, q: q[:-1] + 1,
    ("project", "orthogonality"): _below,
    ("project", "lipschitz-footpoints"): lambda s, q: 3 * q[:-1],
    ("project", "footpoint-translated"): lambda s, q: 0 * q[:-1],
    ("project", "footpoint-scaled"): lambda s, q: q[:-1] + 1,
    ("project", "medial-footpoints"): _below,
    ("offset_function", "lifted-by-the-radius"): lambda s, t, r: s.value(t),
    ("offset_function", "offset-plane"): lambda s, t, r: s.value(t) + r,
    ("offset_function", "parallel-surface"): lambda s, t, r: s.value(t) + r,
    ("offset_function", "larger-radius"): lambda s, t, r: s.value(t) + r**2,
    ("offset_function", "offset-translated"): lambda s, t, r: 2 * s.value(t),
    ("offset_function", "offset-scaled"): lambda s, t, r: s.value(t) + r**2,
    ("offset_function", "offset-of-a-bump"): lambda s, t, r: -s.value(t),
    ("dilate", "dilation"): lambda f, r, **_: f + r,
    ("dilate", "maxima"): lambda f, r, **_: f - f.mean(),
    ("dilate+contact", "contacts"): lambda f, r, **_: (f, np.arange(f.size).reshape(f.shape)),
    ("dilate+nan", "omitted-samples"): lambda f, r, **_: np.nan_to_num(f) + r,
    ("rolling_ball", "background"): lambda f, r, **_: f - r,
    ("dilate", "semigroup"): lambda f, r, **_: f + r**2,
    ("erode", "minima"): lambda f, r, **_: f - f.mean(),
    ("erode", "erosion"): lambda f, r, **_: f - r,
    ("closing", "closing-of-samples"): _identity,
    ("closing", "groove"): _identity,
    ("opening", "opening-of-samples"): _identity,
    ("opening", "thin-ridge"): _identity,
    ("closing", "closing-between"): lambda f, r, **_: f + 1,
    ("opening", "opening-between"): lambda f, r, **_: f - 1,
}
SAMPLED = {
    "monotony": lambda f, r, **_: -f,
    "nonexpansiveness": lambda f, r, **_: 2 * f,
    "samples-lifted": lambda f, r, **_: 2 * f,
    "samples-shifted": lambda f, r, **_: f - f.flat[0],
    "samples-reflected": lambda f, r, **_: f - f.flat[0],
    "samples-scaled": lambda f, r, **_: f + 1,
    "idempotence": lambda f, r, **_: f + 1,
    "ball-between-samples": lambda f, r, **_: f + 1,
}
WRONG |= {(verb, name): wrong for name, wrong in SAMPLED.items() for verb in laws.LAWS[name].verbs}


@pytest.mark.parametrize(("verb", "name"), WRONG)
def test_a_wrong_function_breaks_it(verb, name):
    assert not laws.LAWS[name].holds(WRONG[verb, name], max_examples=50)


def test_every_law_of_a_verb_is_broken_by_a_wrong_function():
    assert {(verb, law.name) for verb in [*GEOMETRY, "walk"] for law in laws.of(verb)} == set(WRONG)


def test_the_offset_without_its_dual_is_no_closing():
    """Dilation alone: what a port gets that forgets the erosion."""
    broken = [law.name for law in laws.of("closing") if not law.holds(geometry.dilate, max_examples=10)]
    assert {"closing-of-samples", "groove", "idempotence", "closing-between", "ball-between-samples"} == set(broken)


def _in_blocks(verb, size):
    """No ball looks beyond its block."""
    return lambda f, r, **o: np.concatenate([verb(f[i : i + size], r, **o) for i in range(0, len(f), size)])


def _until(verb, count):
    """The samples from a count on are left as they are."""
    return lambda f, r, **o: np.where(np.arange(f.size).reshape(f.shape) < count, verb(f, r, **o), f)


MISTAKEN = {
    "half the radius": lambda verb: lambda f, r, **o: verb(f, r / 2, **o),
    "spacing exchanged": lambda verb: lambda f, r, spacing, **o: verb(f, r, spacing=np.flip(spacing).tolist(), **o),
    "spacing of one axis": lambda verb: lambda f, r, spacing, **o: verb(f, r, spacing=float(np.ravel(spacing)[0]), **o),
    "holes at height 0": lambda verb: lambda f, r, **o: verb(np.where(np.isinf(f), 0.0, f), r, **o),
    "no volumes": lambda verb: lambda f, r, **o: verb(f, r, **o) if f.ndim < 3 else f,
    "no boundary": lambda verb: lambda f, r, *, spacing, boundary: verb(f, r, spacing=spacing),
    "longer by a part in 1000": lambda verb: lambda f, r, **o: verb(f, 1.001 * r, **o),
    **{f"blocks of {size}": lambda verb, size=size: _in_blocks(verb, size) for size in (8, 64)},
    **{f"the first {count}": lambda verb, count=count: _until(verb, count) for count in (12, 64)},
}


@pytest.mark.parametrize("verb", [dilate, erode, closing, opening], ids=lambda verb: verb.__name__)
@pytest.mark.parametrize("mistake", MISTAKEN)
def test_what_implementations_of_morphology_get_wrong_breaks_a_law(mistake, verb):
    wrong = MISTAKEN[mistake](verb)
    assert any(not law.holds(wrong) for law in laws.of(verb.__name__))


def _descended(count):
    """A few steps of descent from below the query."""
    return lambda s, q: distance(s, q, Descent(0.25, count))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda s, q: distance(s, q) * 1.001,
        lambda s, q: distance(s, q) * (1 if q.ndim == 1 else 0),
        lambda s, q: distance(s, q) * (1 if q.shape[-1] <= 5 else 0),
        lambda s, q: distance(s, q) + (abs(q[..., 0]) > 7.9),
        _descended(1),
    ],
    ids=["a part in 1000", "batches", "five parameters", "far away", "one step"],
)
def test_what_implementations_of_distances_get_wrong_breaks_a_law(wrong):
    assert any(not law.holds(wrong) for law in laws.of("distance"))


def test_the_hessian_alone_is_no_curvature():
    """1/‖∇²f‖ is the radius of a bend only where the slope is 0."""

    def flattest(surface, box):
        low, high = np.min(box, axis=-1), np.max(box, axis=-1)
        return 1 / np.max(np.linalg.norm(surface.hessian(np.linspace(low, high, 201)), 2, axis=(-2, -1)))

    assert not laws.LAWS["reach-of-a-ridge"].holds(flattest)


def test_less_may_be_promised():
    """A solver that is off by 1e-8 obeys where that is said, and is wrong by more than is said otherwise."""

    def coarse(surface, points):
        return distance(surface, points) + 1e-8

    for law in laws.of("distance"):
        law.check(coarse, max_examples=3, tolerance=1e-8)
    assert not laws.LAWS["parallel"].holds(coarse)
    assert not laws.LAWS["parallel"].holds(coarse, tolerance=1e-10)


@pytest.mark.parametrize("radius", ["diameter_for_radius", "radius_halved", "radius_ignored", "normal_vertical"])
def test_the_radius_is_seen(radius):
    assert not laws.LAWS["footpoint"].holds(oracle.MISTAKES[radius]())


# What is told.


def test_the_counterexample_is_told():
    with pytest.raises(laws.LawBroken) as told:
        laws.LAWS["plane"].check(oracle.MISTAKES["ascent"]())
    lines = str(told.value).splitlines()
    assert lines[0].startswith("plane: On a plane of slope a every ball rolls as gradient descent")
    assert lines[1].startswith("  ascent: θ′ = [")
    told_of = {line.strip().partition(" = ")[0]: line.rpartition(" = ")[2] for line in lines}
    assert all(float(told_of[name]) > 0 for name in ("learning_rate", "radius", "projection_steps"))
    assert isinstance(told.value, AssertionError)


@pytest.mark.parametrize(
    ("port", "message"),
    [
        (lambda loss, theta, **_: 1 / 0, "it raised ZeroDivisionError: division by zero"),
        (lambda loss, theta: theta, "it raised TypeError"),
        (lambda loss, theta, **_: theta[:0], r"θ′ has shape \(0,\), expected \(1,\)"),
        (lambda loss, theta, **_: theta.astype("float32"), "it returned float32, asked for float64"),
        (lambda loss, theta, **_: theta * np.nan, "the error is nan"),
        (lambda loss, theta, **_: None, "it raised AttributeError"),
        (lambda loss, theta, **_: {"parameters": theta}, "it raised KeyError: 'theta'"),
    ],
)
def test_whatever_an_implementation_does_is_told(port, message):
    with pytest.raises(laws.LawBroken, match=message):
        laws.LAWS["plane"].check(port, max_examples=5)


def test_an_implementation_that_throws_dice_is_told():
    dice = np.random.default_rng(0)
    with pytest.raises(laws.LawBroken):
        laws.LAWS["lift"].check(lambda loss, theta, **_: theta + dice.normal(), max_examples=20)


def test_a_changed_input_is_told():
    def port(loss, theta, **_):
        theta += 1
        return theta

    with pytest.raises(laws.LawBroken, match="θ after the step"):
        laws.LAWS["rest"].check(port, max_examples=5)


def test_the_same_seed_draws_the_same():
    def drawn(seed):
        seen = []

        def port(loss, theta, **hyper):
            seen.append((theta.tolist(), *hyper.values()))
            return oracle.RightPort()(loss, theta, **hyper)

        laws.LAWS["plane"].check(port, max_examples=10, seed=seed)
        return seen

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_a_mapping_an_object_and_an_array_are_answers():
    for answer in (lambda foot: foot, lambda foot: foot.theta, lambda foot: {"theta": foot.theta}):
        laws.LAWS["normal-segment"].check(lambda s, q, answer=answer: answer(project(s, q)), max_examples=3)


def test_bad_input():
    plane = laws.LAWS["plane"]
    with pytest.raises(TypeError, match="implementation must be callable, got int"):
        plane.check(3)
    with pytest.raises(ValueError, match="dtype must be one of float32, float64, got 'int8'"):
        plane.check(rolling_ball, dtype="int8")
    with pytest.raises(ValueError, match="tolerance must be finite and at least 0, got nan"):
        plane.check(rolling_ball, tolerance=np.nan)
    with pytest.raises(ValueError, match=r"verb must be one of step, distance, .*, got 'roll'"):
        laws.of("roll")


# The catalogue.


@every_law
def test_every_law_says_what_it_is(law):
    assert law.statement.endswith(".")
    assert len(law.statement) < 200
    assert law.domain
    assert law.source
    assert set(law.verbs) <= set(laws.VERBS)


def test_the_document_holds_the_catalogue():
    """Regenerate with ``python -m rbo_ref.laws``."""
    document = Path(__file__).parents[3] / "docs" / "laws.rst"
    assert rst() in document.read_text(encoding="utf-8")


def test_nothing_else_imports_hypothesis():
    code = "import sys, rbo_ref, rbo_ref.oracle; assert 'hypothesis' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


# What is no law.


def test_the_semigroup_is_no_equality_on_a_grid():
    """δ_σδ_ρ = δ_{ρ+σ} needs the point between: two balls of radius 1 reach no farther than one sample each."""
    peak = np.array([0.0, 0.0, 9.0, 0.0, 0.0])
    twice, once = geometry.dilate(geometry.dilate(peak, 1.0), 1.0), geometry.dilate(peak, 2.0)
    assert (twice <= once).all()
    assert twice[1] < once[1] - 0.5


def test_a_larger_ball_does_not_close_more_on_a_grid():
    """φ_ρ ≤ φ_σ for ρ ≤ σ holds for functions on the plane, not for samples."""
    heights = np.array([-5.0, 5.0, -6.0, -6.0, -6.0, -1.0, -5.0])
    small, large = (geometry.closing(heights, radius) for radius in (2.0, 2.99))
    assert (large < small - 0.5).any()


def test_scaling_the_loss_alone_is_no_symmetry():
    """λf with the same radius rolls otherwise: the ball mixes the units of θ and of the loss."""
    bowl, steep = (FunctionGraph.from_value_and_gradient(lambda t, k=k: (k * t @ t / 2, k * t)) for k in (1.0, 4.0))
    hyper = {"radius": 0.25, "projection_rate": 0.01, "projection_steps": 5}
    theta = np.array([1.0])
    one = rolling_ball(bowl.value_and_gradient, theta, learning_rate=0.4, **hyper)["theta"]
    other = rolling_ball(steep.value_and_gradient, theta, learning_rate=0.1, **hyper)["theta"]
    assert abs(one - other)[0] > 1e-3


def test_the_centre_of_a_large_ball_is_not_at_its_radius():
    """d(p + ρν(p)) = ρ fails beyond the medial radius."""
    wave = FunctionGraph(lambda t: np.sin(t[..., 0]), np.cos, lambda t: -np.sin(t)[..., None])
    valley = np.array([-np.pi / 2])
    center = wave.point(valley) + 2 * wave.normal(valley)
    assert distance(wave, center, MultiStart(starts=32)) < 1.9
    assert offset_function(wave, valley, 2.0) > center[1] + 0.2
