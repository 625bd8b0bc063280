"""The figures of the gallery: their key numbers against independent truths, and that they are pictures."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import grey_dilation
from scipy.optimize import brentq, minimize_scalar
from scipy.special import lambertw

from geometry import certified, dilate, medial_axis, reach, reachable
from rbo_ref import InducedMetric, trajectory
from rbo_ref._canvas import PATHS
from rbo_ref.cli import main
from rbo_ref.figures import (
    OPTIMIZERS,
    best_paths,
    compared,
    contact_map,
    curvature_map,
    distance_field,
    exploration,
    explore,
    largest_ball,
    make_optimizer,
    medial_axes,
    reachable_points,
    roll_on_wrinkles,
    sampled_contacts,
)
from rbo_ref.figures._centers import centers
from rbo_ref.figures._hero import hillside, two_balls
from rbo_ref.figures.gallery import GALLERY, draw, terrain, two_valleys
from rbo_ref.landscapes import beale, gaussian_well, gaussians, himmelblau, paraboloid, rosenbrock, sine, wrinkled
from rbo_ref.oracle.dialects import OPTIMIZERS as JUDGED

pytest.importorskip("matplotlib", reason="matplotlib is not installed")


# The two balls.


def test_both_balls_touch_the_hillside_and_do_not_cross_it():
    surface, radii, path = hillside()
    for number, radius in enumerate(radii):
        distance = certified.distance(surface, path.center[:, number], tolerance=1e-9)
        assert distance.closed.all()
        assert_allclose(distance.lower, radius, rtol=1e-8)
        assert_allclose(distance.upper, radius, rtol=1e-8)


def test_the_small_ball_stays_in_a_wrinkle_and_the_large_one_ends_in_the_valley():
    _, _, path = hillside()
    small, large = path.center[-1, :, 0]
    assert abs(small - 0.72) < 0.01
    assert abs(large - math.pi) < 0.01
    ax = two_balls()
    assert_array_equal(ax.lines[1].get_xydata(), path.center[:, 1])
    assert [circle.radius for circle in ax.patches][-2:] == [0.5, 0.06]


# Figure 3.


@pytest.fixture(scope="module")
def wrinkles():
    return roll_on_wrinkles(steps=100)


def _exact_centers(radius, steps):
    """The ball's centres with sums in plain sight: footpoints from all samples around, and a search between these."""
    k2 = np.arange(1, 101) ** 2.0
    height, slope = (lambda x: (np.sin(k2 * x) / k2).sum()), (lambda x: np.cos(k2 * x).sum())
    theta = np.linspace(0.3, 3.7, 340_001)
    heights, at, found = wrinkled().value(theta[:, None]), 2.0, []
    for _ in range(steps + 1):
        g = slope(at)
        w = math.hypot(1, g)
        x, y = at - radius * g / w, height(at) + radius / w
        found.append((x, y))
        x, y = x - 1e-3 * g, y - 1e-3 * g * g
        nearest = np.argsort((theta - x) ** 2 + (heights - y) ** 2)[:30]
        least = min(_searched(lambda t: (t - x) ** 2 + (height(t) - y) ** 2, theta[i]) for i in nearest)[1]  # noqa: B023
        # On peaks of a curvature of 10⁵ the normal turns within the rounding of a minimum; the root is sharper.
        at = brentq(lambda t: t - x + (height(t) - y) * slope(t), least - 1e-8, least + 1e-8, xtol=1e-16)  # noqa: B023
    return np.array(found)


def _searched(square, theta):
    found = minimize_scalar(square, bounds=(theta - 2e-5, theta + 2e-5), method="bounded", options={"xatol": 1e-13})
    return found.fun, found.x


@pytest.mark.parametrize("number", [2, 3, 4])
def test_figure_three_exact_footpoints(wrinkles, number):
    by_hand = _exact_centers(float(wrinkles.radius[number]), steps=3)
    assert_allclose(wrinkles.nearest[:4, number], by_hand, atol=1e-6)


def test_figure_three_the_centre_ends_on_the_offset_function(wrinkles):
    """ρ = 0.1 and 0.316 stay in the first pit of f_ρ; the places are those of a grid search with golden sections."""
    assert_allclose(wrinkles.nearest[-1, 2:4, 0], [1.903, 1.894], atol=0.002)
    assert wrinkles.nearest[-1, 4, 0] < 0.95
    surface, step = wrinkled(), 1e-5
    for number in (2, 3, 4):
        radius, (theta, height) = wrinkles.radius[number], wrinkles.nearest[-1, number]
        samples = theta + step * np.arange(-int(radius / step), int(radius / step) + 1)
        resting = surface.value(samples[:, None]) + np.sqrt(np.maximum(radius**2 - (samples - theta) ** 2, 0))
        assert height == pytest.approx(resting.max(), abs=1e-4)


def test_figure_three_the_printed_loop_ends_at_no_footpoint(wrinkles):
    """With the right gradient, γ = 0.05 and P = 20 the centres leave the distance ρ from the first steps on."""
    distances = certified.distance(wrinkled(), wrinkles.printed[1:].reshape(-1, 2), tolerance=1e-6)
    shares = distances.upper.reshape(100, 5) / wrinkles.radius
    assert (np.median(shares, axis=0) < 0.9).all()


def test_figure_three_is_drawn(wrinkles):
    ax = centers(wrinkles, 4)
    printed, nearest = ax.lines[2:]
    assert_array_equal(printed.get_xydata(), wrinkles.printed[:, 4])
    assert_array_equal(nearest.get_xydata(), wrinkles.nearest[:, 4])
    (ball,) = ax.patches
    assert (ball.center, ball.radius) == (tuple(wrinkles.nearest[-1, 4]), 1.0)


# Figure 4.


def _ball_by_hand(theta, radius, sigma, inner_start, steps):
    """The paper's loop with plain sums, d = 2."""
    dents = np.random.RandomState(0).uniform(-3, 3, (1000, 2))

    def loss(x):
        away = x - dents
        weight = np.exp(-(away**2).sum(axis=1) / (2 * sigma**2))
        return x @ x - weight.sum(), 2 * x + (weight[:, None] * away).sum(axis=0) / sigma**2

    for _ in range(steps):
        value, gradient = loss(theta)
        square = gradient @ gradient
        below = theta - radius * gradient / math.sqrt(1 + square) - 0.01 * gradient
        height = value + radius / math.sqrt(1 + square) - 0.01 * square
        x = theta if inner_start == "contact" else below
        for _ in range(100):
            value, gradient = loss(x)
            x = x - 1e-3 * (x - below + (value - height) * gradient)
        theta = x
    return theta


@pytest.mark.parametrize("inner_start", ["contact", "candidate"])
def test_figure_four_is_the_printed_loop(inner_start):
    found = explore(0.2, inner_start, radii=[1.0, 4.0], steps=2)
    for number, radius in enumerate([1.0, 4.0]):
        by_hand = _ball_by_hand(np.array([2.0, 0.1]), radius, 0.2, inner_start, 2)
        assert_allclose(found.balls[-1, 1, number], by_hand, rtol=1e-7)


@pytest.fixture(scope="module")
def dented():
    return explore(steps=300)


def test_figure_four_with_the_width_of_the_authors_code(dented):
    """Gradient descent and balls of radius up to 4 stay outside; the larger ones come to the middle from (2, 0)."""
    descent, balls = dented.ends()
    assert (descent > 1.5).all()
    assert (balls[:, :4] > 1.2).all()
    assert (balls[0, 4:] < 1).all()


def test_figure_four_hangs_on_rounding(dented):
    """A start that differs by 10⁻¹² ends elsewhere, with the largest ball."""
    other = explore(radii=[6.0], starts=[(2.0 + 1e-12, 0.1)])
    assert np.linalg.norm(other.balls[-1, 0, 0] - dented.balls[-1, 1, 5]) > 1e-3


def test_figure_four_with_wider_dents():
    _, balls = explore(0.2).ends()
    assert (balls > 1).tolist() == [[True] * 5 + [False], [True] * 6]


def test_figure_four_is_drawn(dented):
    ax = exploration(dented)
    drawn = [line.get_label() for line in ax.lines if not line.get_label().startswith("_")]
    assert drawn == [*(f"ρ = {radius}" for radius in range(1, 7)), "gradient descent"]
    first = next(line for line in ax.lines if line.get_label() == "ρ = 1")
    assert_array_equal(first.get_xydata(), dented.balls[:, 0, 0])


def test_the_inner_loop_starts_somewhere():
    with pytest.raises(ValueError, match="inner_start must be 'contact' or 'candidate', got 'center'"):
        explore(inner_start="center")


# Geometry.


def test_unreachable_part_of_the_sine():
    """s√(1 + sin² s) = ρ sin s for ρ = 2 has s = 1.40433771374748, and troughs are out of reach up to s aside."""
    ax = reachable_points(sine(), 2.0, ((-math.pi, math.pi), (-2, 4)), -math.pi / 2)
    touched, missed, offsets = (line.get_ydata() for line in ax.lines)
    assert_allclose(np.isfinite(missed).mean(), 1.40433771374748 / math.pi, atol=3 / 801)
    assert (np.isfinite(touched) != np.isfinite(missed)).all()
    lowest = -math.cos(1.40433771374748) + 2 / math.sqrt(1 + math.sin(1.40433771374748) ** 2)
    assert_allclose(offsets.min(), lowest, atol=1e-4)
    (ball,) = ax.patches
    assert_allclose(ball.center, (-math.pi / 2, lowest), rtol=1e-9)


def test_reach_of_two_valleys():
    """The least radius of curvature, (1 + f′²)^(3/2)/f″, on a fine grid."""
    theta = np.linspace(0.9, 1.1, 2_000_001)
    slope, bend = 4 * theta * (theta**2 - 1), 12 * theta**2 - 4
    radius = (1 + slope**2) ** 1.5 / bend
    found = reach(two_valleys(), [(-1.9, 1.9)], side="above")
    assert_allclose(found.value, radius.min(), rtol=1e-9)
    assert_allclose(abs(found.theta), theta[radius.argmin()], atol=1e-4)
    ax = largest_ball(two_valleys(), ((-1.9, 1.9), (-0.7, 1.7)))
    (ball,) = ax.patches
    assert ball.radius == found.value
    assert_allclose(certified.distance(two_valleys(), ball.center).upper, found.value, rtol=1e-6)


def test_medial_axes_of_the_sine():
    """Above the troughs from the centre of curvature, at height 0, up; below the crests from there down."""
    ax = medial_axes(sine(), ((-math.pi, math.pi), (-3, 3)), samples=200)
    above, below = (line.get_xydata() for line in ax.lines[1:])
    assert len(above) > 100
    assert len(below) > 100
    assert_allclose(np.sin(above[:, 0]), -1, atol=1e-9)
    assert_allclose(np.sin(below[:, 0]), 1, atol=1e-9)
    assert -1e-4 < above[:, 1].min() < 0.05
    assert -0.05 < below[:, 1].max() < 1e-4


def test_medial_axis_of_two_valleys_has_two_feet_or_a_centre_of_curvature():
    points, radii = medial_axis(two_valleys(), [(-1.9, 1.9)], samples=60)
    theta = np.linspace(-2.5, 2.5, 500_001)
    graph = np.stack([theta, (theta**2 - 1) ** 2], axis=-1)
    for point, radius in zip(points[::7], radii[::7], strict=True):
        away = np.linalg.norm(graph - point, axis=-1)
        assert away.min() == pytest.approx(radius, abs=1e-5)
        near = theta[away < radius * (1 + 1e-6) + 1e-6]
        assert np.ptp(near) > 0.01


def test_distances_to_a_parabola():
    """Heights up to the centre of curvature are distances to the bottom; beyond it d² = 2h − 1."""
    ax = distance_field(paraboloid(), ((-0.5, 0.5), (0.0, 3.0)))
    filled = ax.collections[0]
    assert filled.levels[-1] == pytest.approx(math.sqrt(2 * 3 - 1), abs=2e-4)


def test_curvatures_of_a_well():
    ax = curvature_map(gaussian_well(), ((-2, 2), (-1, 1)), [2.0])
    assert ax.collections[0].levels[-1] == pytest.approx(1.0, rel=1e-12)  # depth/width², at the bottom
    assert [line.get_label() for line in ax.lines] == ["too curved for ρ = 2"]


def test_the_critical_radius_of_the_dented_bowl():
    surface = gaussians(0.8, 12, 3)
    points = np.stack(np.meshgrid(np.linspace(-3.3, 3.3, 241), np.linspace(-2.2, 2.2, 161)), axis=-1)
    proven = certified.critical_radius(surface, [(-3.3, 3.3), (-2.2, 2.2)], tolerance=2e-3)
    assert proven.lower <= 1 / surface.curvatures(points)[..., -1].max() <= proven.upper + 2e-3


def test_contacts_on_a_height_map():
    """Each sample against a dilation by another library: a sample is touched where it holds a ball."""
    heights, radius = terrain(40), 8.0
    side = np.arange(-8, 9)
    square = radius**2 - side[:, None] ** 2 - side**2
    ball, inside = np.sqrt(np.maximum(square, 0)), square >= 0
    held = grey_dilation(heights, footprint=inside, structure=ball, mode="constant", cval=-np.inf)
    assert_allclose(dilate(heights, radius), held, rtol=1e-12, atol=1e-12)
    touched = np.zeros_like(heights, dtype=bool)
    for row, column in np.ndindex(*heights.shape):
        for i, j in zip(*np.nonzero(inside), strict=True):
            y, x = row + side[i], column + side[j]
            if 0 <= y < 40 and 0 <= x < 40 and abs(heights[row, column] + ball[i, j] - held[y, x]) < 1e-9:
                touched[row, column] = True
                break
    assert_array_equal(sampled_contacts(heights, radius), touched)


def test_fewer_contacts_the_larger_the_ball():
    shares = [sampled_contacts(terrain(96), radius).mean() for radius in (0.5, 5.0, 50.0)]
    assert shares[0] == 1.0
    assert shares[1] > 2 * shares[2]
    assert contact_map(np.zeros((8, 8)), 3.0).get_title() == "ρ = 3: 100 % touched"


def test_the_ball_over_a_well():
    """With u = ρ² − W(exp ρ²) the ball touches at |θ| = √u, and everything nearer is out of reach."""
    edge = math.sqrt(4 - lambertw(math.exp(4)).real)
    touched = reachable(gaussian_well(), [[edge - 1e-6], [edge + 1e-6]], 2.0)
    assert touched.tolist() == [False, True]


# The optimizers.


def test_every_optimizer_that_is_judged_can_be_drawn():
    assert set(OPTIMIZERS) == set(JUDGED)
    with pytest.raises(ValueError, match=r"name must be one of rolling-ball, .*, got 'sgd'"):
        make_optimizer("sgd", 0.1)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("d", [1, 2])
def test_every_optimizer_goes_down_a_bowl(name, d):
    path = trajectory(make_optimizer(name, 0.1, d=d), paraboloid(), np.full(d, 2.0), 40)
    assert path.height[-1] < path.height[0] / 2 or name in (
        "adam",
        "adamw",
        "nadam",
        "rmsprop",
        "lion",
        "muon",
        "alice",
    )
    assert path.height[-1] < path.height[0]


HARVEY = [
    (beale(), InducedMetric(0.1, variant="log", momentum=0.5, xi=0.01, beta=0.0), 1e-7, 55),
    (beale(), InducedMetric(0.1, momentum=0.5, xi=0.01, beta=0.0), 1e-7, 186),
    (rosenbrock(), InducedMetric(0.01, momentum=0.99, xi=0.1, beta=0.0), 1e-7, 203),
    (himmelblau(), InducedMetric(0.01, momentum=0.5, xi=0.01, beta=0.0), 1e-6, 197),
]


@pytest.mark.parametrize(("surface", "optimizer", "tolerance", "steps"), HARVEY, ids=lambda a: repr(a)[:20])
def test_published_runs_on_the_classical_functions(surface, optimizer, tolerance, steps):
    """Steps to the tolerance in the notebook of the induced-metric optimizers' author."""
    height = trajectory(optimizer, surface, [0.0, 0.0], steps + 1).height
    assert int(np.argmax(height <= tolerance)) in (steps - 1, steps, steps + 1)


def test_the_best_of_several_rates():
    found = best_paths(himmelblau(), [0.0, 0.0], names=["gradient-descent", "adam"], rates=[1e-3, 1e-2, 10.0])
    assert found.rate["gradient-descent"] == 1e-2
    assert_allclose(found.theta["gradient-descent"][-1], [3, 2], atol=1e-6)
    ax = compared(found, ((-1, 5), (-1, 5)), [(3, 2)])
    assert [line.get_label() for line in ax.lines if line.get_label()[0] != "_"] == ["gradient-descent", "adam"]
    assert_array_equal(ax.lines[0].get_xydata(), found.theta["gradient-descent"])


# Colours.

DICHROMACY = {  # Viénot, Brettel and Mollon (1999), for linear RGB
    "protan": [[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]],
    "deutan": [[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]],
}


@pytest.mark.parametrize("kind", DICHROMACY)
def test_colours_differ_for_the_colour_blind(kind):
    from matplotlib.colors import to_rgb

    linear = np.array([to_rgb(color) for color in PATHS]) ** 2.2
    seen = np.clip(linear @ np.array(DICHROMACY[kind]).T, 0, 1) ** (1 / 2.2)
    apart = np.linalg.norm(seen[:, None] - seen[None], axis=-1)
    assert apart[~np.eye(len(PATHS), dtype=bool)].min() > 0.12


# The gallery and its command.


QUICK = ["step", "reach", "distances", "curvature", "profile"]


@pytest.mark.parametrize("name", QUICK)
def test_a_figure_is_written_as_png_and_svg(name, tmp_path, capsys):
    assert main(["figures", name, "--out", str(tmp_path / "new" / "folder")]) == 0
    png, svg = (tmp_path / "new" / "folder" / f"{name}{ending}" for ending in (".png", ".svg"))
    assert png.read_bytes().startswith(b"\x89PNG")
    assert svg.read_text("utf-8").startswith("<?xml")
    assert capsys.readouterr().out.startswith(f"{name}: ")


def test_the_same_figure_makes_the_same_file(tmp_path):
    for folder in ("one", "two"):
        assert main(["figures", "step", "--out", str(tmp_path / folder)]) == 0
    for name in ("step.png", "step.svg"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_reader_is_told_what_there_is(capsys):
    assert main(["figures", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(GALLERY)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere", "--out", "new"], "no figure is called 'nowhere'; there are balls, step, "),
        (["step", "nowhere", "--out", "new"], "no figure is called 'nowhere'"),
        (["step"], "--out DIR says where to write"),
        (["step", "--out", "file"], "cannot write to file: File exists"),
        (["step", "--out", "file/below"], "cannot write to file/below: Not a directory"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_a_sentence(tmp_path, monkeypatch, capsys, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    assert main(["figures", *arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith("rbo-ref: ")
    assert sentence in said
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_nobody_may_write_to(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("os.access", lambda *arguments: False)
    assert main(["figures", "step", "--out", str(tmp_path)]) == 2
    assert "Permission denied" in capsys.readouterr().err


def test_without_matplotlib_a_sentence_names_the_extra(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["figures", "step", "--out", str(tmp_path)]) == 2
    assert 'figures need matplotlib: pip install "rbo-ref[figures]"' in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_figure_that_is_not_there():
    with pytest.raises(ValueError, match="no figure is called 'nowhere'"):
        draw("nowhere")


def test_the_page_shows_every_figure():
    page = (Path(__file__).resolve().parents[2] / "docs" / "figures.rst").read_text("utf-8")
    for name in GALLERY:
        assert f".. image:: figures/{name}." in page, name
        assert f"rbo-ref figures {name}" in page, name
