"""Pictures: what is drawn is what the geometry says, and files are pictures."""

from __future__ import annotations

import doctest
import math
import os
import struct
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from geometry import Descent, FunctionGraph, distance, offset
from rbo_ref import RollingBall, Trajectory, figures, trajectory
from rbo_ref._canvas import PATHS
from rbo_ref.cli import main
from rbo_ref.figures import one_step, rolling
from rbo_ref.landscapes import gaussians, himmelblau, paraboloid, plane, rastrigin, sine

pytest.importorskip("matplotlib", reason="matplotlib is not installed")

BOWL = paraboloid()

# Below the critical radius, which is 1 for both landscapes and ∞ for the plane.
STEPS = {
    "the candidate ball cuts the graph": (BOWL, -1.6, RollingBall(0.35, 0.6)),
    "the candidate ball hovers": (sine(), 0.6, RollingBall(0.8, 0.6)),
    "to the right": (sine(), 2.6, RollingBall(1.2, 0.7)),
    "the candidate is its ball's centre": (plane(-0.5), 0.6, RollingBall(1.0, 0.6)),
    "short": (sine(), 0.6, RollingBall(0.1, 0.6)),
    "very short": (sine(), 0.6, RollingBall(1e-6, 0.6)),
    "at rest": (BOWL, 0.0, RollingBall(0.1, 0.6)),
    "the candidate is above its footpoint": (sine(), 2.9, RollingBall(1.75, 0.75)),
    "the candidate is below its footpoint": (sine(), 2.9, RollingBall(1.85, 0.75)),
    "the paper's inner loop": (sine(), 0.6, RollingBall(0.3, 0.6, Descent(0.3, 20))),
}


@pytest.fixture(scope="module", params=STEPS.values(), ids=STEPS)
def picture(request: pytest.FixtureRequest) -> tuple[Any, ...]:
    surface, theta, ball = request.param
    return one_step(surface, [theta], ball), surface, theta, ball


def _circles(ax: Any) -> list[tuple[np.ndarray, float]]:
    return [(np.array(circle.center), circle.radius) for circle in ax.patches]


def _graph(ax: Any) -> np.ndarray:
    """The points of the longest line: the graph."""
    return max((line.get_xydata() for line in ax.lines), key=len)


def _curves(ax: Any, color: str) -> list[np.ndarray]:
    return [line.get_xydata() for line in ax.lines if line.get_color() == color]


# One step.


def test_the_balls_have_their_radius_and_are_where_the_paper_puts_them(picture):
    ax, surface, theta, ball = picture
    (c, _), (candidate, _), (center, _) = _circles(ax)
    assert [radius for _, radius in _circles(ax)] == [ball.radius] * 3
    f, g = float(surface.value([theta])), float(surface.gradient([theta])[0])
    w, scale = math.hypot(1, g), 4 * np.finfo(float).eps * (1 + ball.learning_rate)  # a few roundings of numbers near 1
    assert_allclose(c, [theta - ball.radius * g / w, f + ball.radius / w], rtol=scale, atol=scale)
    assert_allclose(candidate - c, [-ball.learning_rate * g, -ball.learning_rate * g * g], rtol=scale, atol=scale)
    assert_array_equal(c, offset(surface, [theta], ball.radius))
    foot = ball.step(surface, np.array([theta])).theta
    assert_array_equal(center, offset(surface, foot, ball.radius))


def test_the_balls_touch_the_graph_that_is_drawn(picture):
    ax, surface, _, ball = picture
    (c, _), _, (center, _) = _circles(ax)
    graph = _graph(ax)
    spacing = np.linalg.norm(np.diff(graph, axis=0), axis=-1).max()
    for ball_center in (c, center):
        # The footpoint is good to 2e-12, and the distance is stationary there.
        assert_allclose(distance(surface, ball_center), ball.radius, rtol=1e-12)
        nearest = np.linalg.norm(graph - ball_center, axis=-1).min()
        # The vertices are on Γ, so none is in the ball; one is within a spacing of the contact, about at right angles.
        assert ball.radius * (1 - 1e-12) <= nearest <= math.hypot(ball.radius, spacing)


def test_as_in_figure_1_the_candidate_ball_cuts_the_graph():
    ax = one_step(*_arguments("the candidate ball cuts the graph"))
    candidate, radius = _circles(ax)[1]
    assert np.linalg.norm(_graph(ax) - candidate, axis=-1).min() < 0.95 * radius


def _arguments(name: str) -> tuple[Any, ...]:
    surface, theta, ball = STEPS[name]
    return surface, [theta], ball


@given(st.floats(-3, 3), st.floats(0.05, 0.95), st.floats(1e-3, 1))
@settings(max_examples=15)
def test_the_first_ball_touches_whatever_the_step(theta, radius, learning_rate):
    ax = one_step(sine(), [theta], RollingBall(learning_rate, radius))
    assert_allclose(distance(sine(), _circles(ax)[0][0], start=[theta]), radius, rtol=1e-11)
    assert np.linalg.norm(_graph(ax) - _circles(ax)[0][0], axis=-1).min() >= radius * (1 - 1e-12)


def test_balls_are_round_and_in_view(picture):
    ax, _, _, _ = picture
    frame = ax.get_window_extent()
    for circle in ax.patches:
        box = circle.get_window_extent()
        assert box.width == pytest.approx(box.height, rel=1e-9)  # Bézier arcs, placed in pixels
        assert frame.contains(box.x0, box.y0)
        assert frame.contains(box.x1, box.y1)


def test_labels_do_not_overlap_and_are_in_view(picture):
    ax, _, _, _ = picture
    names = [text for text in ax.texts if text.get_text()]
    boxes = {text.get_text(): text.get_window_extent() for text in names}
    assert {"$p_t$", "$c_t$", r"$\tilde{c}_{t+1}$", "$c_{t+1}$", "$p_{t+1}$", r"$\rho$", r"$\Gamma$"} <= set(boxes)
    for one, other in combinations(boxes, 2):
        assert not boxes[one].overlaps(boxes[other]), (one, other)
    frame = ax.get_window_extent()
    assert all(frame.contains(box.x0, box.y0) and frame.contains(box.x1, box.y1) for box in boxes.values())


def test_a_picture_may_stand_beside_others_and_its_ball_is_still_round():
    from matplotlib.figure import Figure

    left, right = Figure((9, 3)).subplots(1, 2)
    assert one_step(*_arguments("to the right"), ax=left) is left
    assert rolling(BOWL, trajectory(RollingBall(0.1, 0.5), BOWL, [1.0], 5), 0.5, ax=right) is right
    left.figure.set_size_inches(4, 6)
    for ax in (left, right):
        ax.apply_aspect()  # what happens before anything is drawn
        for circle in ax.patches:
            box = circle.get_window_extent()
            assert box.width == pytest.approx(box.height, rel=1e-9)


# Trajectories.


def test_from_the_side_contacts_lie_on_the_graph_and_centres_on_their_path():
    path = trajectory(RollingBall(0.1, 0.5), sine(), [0.6], 20)
    ax = rolling(sine(), path)
    centers, contacts, start = _curves(ax, PATHS[0])
    assert_array_equal(contacts[:, 0], path.theta[:, 0])
    assert_allclose(contacts[:, 1], np.sin(contacts[:, 0]), rtol=1e-15)
    assert_array_equal(centers, path.center)
    assert_array_equal(start, contacts[:1])
    assert not ax.patches


def test_with_a_radius_the_first_and_the_last_ball_are_drawn_and_touch():
    path = trajectory(RollingBall(0.1, 0.5), sine(), [0.6], 20)
    ax = rolling(sine(), path, 0.5)
    assert [radius for _, radius in _circles(ax)] == [0.5, 0.5]
    assert_array_equal([center for center, _ in _circles(ax)], path.center[[0, -1]])
    assert_allclose(distance(sine(), path.center[[0, -1]]), 0.5, rtol=1e-12)
    for center, _ in _circles(ax):
        assert np.linalg.norm(_graph(ax) - center, axis=-1).min() >= 0.5 * (1 - 1e-12)


def test_every_path_of_a_batch_is_drawn_in_its_colour():
    ball = RollingBall(0.1, radius=[0.1, 0.3, 0.5])
    path = trajectory(ball, sine(), np.linspace(-1, 1, 6).reshape(2, 3, 1), 10)
    ax = rolling(sine(), path, radius=[0.1, 0.3, 0.5])
    for i, color in enumerate(PATHS):
        centers, contacts, _ = _curves(ax, color)
        where = np.unravel_index(i, (2, 3))
        assert_array_equal(contacts, np.stack([path.theta[:, *where, 0], path.height[:, *where]], axis=-1))
        assert_array_equal(centers, path.center[:, *where])
    assert [radius for _, radius in _circles(ax)] == [0.1, 0.1, 0.3, 0.3, 0.5, 0.5] * 2
    assert_array_equal([center for center, _ in _circles(ax)][2:4], path.center[[0, -1], 0, 1])


def test_more_paths_than_colours():
    path = trajectory(RollingBall(0.1, 0.5), sine(), np.linspace(-1, 1, 7)[:, None], 3)
    assert len(_curves(rolling(sine(), path), PATHS[0])) == 6


def test_from_above_every_path_of_contacts_is_drawn():
    path = trajectory(RollingBall(0.002, 0.5), himmelblau(), [[0.0, 0.0], [1.0, 4.0]], 15)
    ax = rolling(himmelblau(), path)
    for i, color in enumerate(PATHS[:2]):
        contacts, start = _curves(ax, color)
        assert_array_equal(contacts, path.theta[:, i])
        assert_array_equal(start, path.theta[:1, i])
    assert len(ax.lines) == 4
    assert not ax.patches


def test_from_above_a_ball_is_the_circle_below_its_centre():
    path = trajectory(RollingBall(0.1, 0.5), BOWL, [3.0, 4.0], 5)
    ax = rolling(BOWL, path, 0.5)
    w = math.sqrt(26)  # slope 5 at (3, 4)
    assert_allclose(_circles(ax)[0][0], [3 - 0.5 * 3 / w, 4 - 0.5 * 4 / w], rtol=1e-15)
    assert_array_equal(_circles(ax)[1][0], path.center[-1, :2])


def test_contours_have_the_height_that_the_scale_says():
    ax = rolling(BOWL, trajectory(RollingBall(0.1, 0.5), BOWL, [1.0, 0.5], 5))
    filled, lines = ax.collections
    assert_array_equal(filled.levels, lines.levels)
    x, y = np.diff(ax.get_xlim())[0], np.diff(ax.get_ylim())[0]
    error = ((x / 200) ** 2 + (y / 125) ** 2) / 8  # of linear interpolation on the grid of a function of curvature 1
    vertices = 0
    for level, contour in zip(lines.levels, lines.get_paths(), strict=True):
        assert_allclose(np.sum(contour.vertices**2, axis=-1) / 2, level, rtol=1e-12, atol=error)
        vertices += len(contour.vertices)
    assert vertices > 1000
    there = np.random.default_rng(0).uniform(*np.transpose([ax.get_xlim(), ax.get_ylim()]), (4000, 2))
    below = (BOWL.value(there)[:, None] < filled.levels).mean(axis=0)
    assert_allclose(below, np.linspace(0, 1, 17), atol=0.03)  # 3.8 standard deviations of a mean of 4000 at 1/2
    (scale,) = ax.child_axes
    assert set(scale.get_yticks()) <= set(filled.levels)


@pytest.mark.parametrize("surface", [plane([0.0, 0.0]), paraboloid(-1.0), gaussians(0.1, 5), rastrigin()], ids=repr)
def test_any_landscape_has_contours_or_none(surface):
    still = Trajectory(np.zeros((1, 2)), surface.value(np.zeros((1, 2))), None)
    rolling(surface, still).figure.canvas.draw()


def test_an_optimizer_without_a_ball():
    theta = np.linspace(1, 0, 5)[:, None]
    descent = Trajectory(theta, np.sin(theta[:, 0]), None)
    contacts, _ = _curves(rolling(sine(), descent), PATHS[0])
    assert_array_equal(contacts, np.stack([theta[:, 0], np.sin(theta[:, 0])], axis=-1))
    ax = rolling(sine(), descent, radius=0.5)
    assert_array_equal([center for center, _ in _circles(ax)], offset(sine(), theta[[0, -1]], 0.5))


def test_what_is_not_finite_is_left_out():
    theta = np.array([[1.0], [0.5], [math.nan], [math.inf]])
    center = np.array([[1.0, 1.5], [0.5, 1.0], [math.nan, math.nan], [math.inf, 0.0]])
    broken = Trajectory(theta, np.array([0.8, 0.5, math.nan, math.inf]), center)
    ax = rolling(sine(), broken, 0.25)
    assert [tuple(center) for center, _ in _circles(ax)] == [(1.0, 1.5), (0.5, 1.0)]
    assert np.isfinite([ax.get_xlim(), ax.get_ylim()]).all()
    ax.figure.canvas.draw()


def test_a_landscape_with_holes():
    root = FunctionGraph(lambda t: np.sqrt(t[..., 0]), lambda t: 0.5 / np.sqrt(t), name="root")
    at = Trajectory(np.array([[0.5]]), np.sqrt([0.5]), None)
    graph = _graph(rolling(root, at))  # the view is from −1 to 2 about
    assert np.isnan(graph[graph[:, 0] < 0, 1]).all()
    assert_array_equal(graph[graph[:, 0] >= 0, 1], np.sqrt(graph[graph[:, 0] >= 0, 0]))


@pytest.mark.parametrize("library", ["torch", "array_api_strict"])
def test_arrays_of_other_libraries(library):
    xp = pytest.importorskip(library, reason=f"{library} is not installed")
    theta = xp.asarray([0.6], dtype=xp.float32)
    ball, truth = RollingBall(0.1, 0.5), one_step(sine(), np.array([0.6]), RollingBall(0.1, 0.5))
    ax = one_step(sine(), theta, ball)
    for (center, _), (true_center, _) in zip(_circles(ax), _circles(truth), strict=True):
        assert_allclose(center, true_center, atol=20 * 2.0**-24)  # a few roundings in float32
    path = trajectory(ball, sine(), theta, 3)
    assert_allclose(_circles(rolling(sine(), path, 0.5))[0][0], _circles(truth)[0][0], atol=20 * 2.0**-24)


def test_a_plain_function_is_a_surface():
    path = trajectory(RollingBall(0.1, 0.5), sine(), [0.6], 3)
    assert_array_equal(_graph(rolling(lambda t: np.sin(t[..., 0]), path)), _graph(rolling(sine(), path)))


# Files.


def _size(file: Path) -> tuple[int, int]:
    """Width and height of a PNG, from its header."""
    head = file.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", head[16:24])


def test_a_file_is_a_picture_of_the_size_asked_for(tmp_path):
    ax = one_step(*_arguments("to the right"))
    ax.figure.savefig(tmp_path / "one.png")
    ax.figure.savefig(tmp_path / "two.png", dpi=200)
    assert _size(tmp_path / "one.png") == (800, 500)
    assert _size(tmp_path / "two.png") == (1600, 1000)


def test_the_ball_and_the_ground_are_where_the_pixels_say(tmp_path):
    from matplotlib.image import imread

    ax = one_step(plane(0.0), [0.0], RollingBall(0.1, 1.0))  # all three balls are the unit circle around (0, 1)
    ax.figure.savefig(tmp_path / "rest.png")
    pixels = imread(tmp_path / "rest.png")[::-1, :, :3]

    def color(x: float, y: float) -> tuple[float, ...]:
        column, row = ax.transData.transform((x, y)).astype(int)
        return tuple(pixels[row, column].tolist())

    sky, inside, ground = color(1.2, 1.0), color(0.6, 1.0), color(1.2, -0.1)
    assert sky == (1, 1, 1)
    assert len({sky, inside, ground}) == 3
    for angle in np.linspace(0, 2, 12, endpoint=False) * np.pi:
        assert color(0.9 * np.cos(angle + 0.3), 1 + 0.9 * np.sin(angle + 0.3)) == inside
        assert color(1.05 * np.cos(angle), 1 + 1.05 * np.sin(angle)) in (sky, ground)


def test_the_picture_of_the_readme_has_its_size():
    assert _size(Path(__file__).resolve().parents[2] / "docs/figures/balls.png") == (1000, 600)


DRAWN = [
    f for name in figures.__all__ if isinstance(f := getattr(figures, name), FunctionType) and "+SKIP" in f.__doc__
]


@pytest.mark.parametrize("function", DRAWN, ids=lambda f: f.__name__)
def test_the_examples_of_the_docstrings(function):
    """They are skipped where all docstrings run, because matplotlib may be missing there."""
    (examples,) = (test for test in doctest.DocTestFinder().find(function) if test.examples)
    for example in examples.examples:
        example.options.pop(doctest.SKIP, None)
    assert doctest.DocTestRunner().run(examples).failed == 0


# Mistakes of the caller.


@pytest.mark.parametrize(
    ("theta", "ball", "error", "message"),
    [
        (
            [0.5, 0.5],
            RollingBall(0.1, 0.5),
            ValueError,
            r"theta must have shape \(1,\), one contact for d = 1, got \(2,\)",
        ),
        ([[0.5]], RollingBall(0.1, 0.5), ValueError, r"theta must have shape \(1,\)"),
        (0.5, RollingBall(0.1, 0.5), ValueError, r"theta must have shape \(1,\)"),
        (["a"], RollingBall(0.1, 0.5), TypeError, "theta must be an array of real numbers"),
        ([0.5], RollingBall(0.1, [0.5, 1.0]), ValueError, r"ball must be one ball, got a batch of \(2,\)"),
        ([0.5], RollingBall([0.1], 0.5), ValueError, r"ball must be one ball, got a batch of \(1,\)"),
        ([0.5], RollingBall(0.1, 0.5, variant="distance"), ValueError, "variant 'footpoint'.* got 'distance'"),
        ([0.5], "ball", TypeError, "ball must be a RollingBall, got 'ball'"),
        ([math.nan], RollingBall(0.1, 0.5), ValueError, "step from theta = nan is not finite"),
        ([0.5], RollingBall(0.1, 1e200), ValueError, r"coordinates up to 1e\+100, got"),
    ],
)
def test_what_one_step_does_not_draw(theta, ball, error, message):
    with pytest.raises(error, match=message):
        one_step(paraboloid(), theta, ball)


def _path(d: int = 1, batch: tuple[int, ...] = ()) -> Trajectory:
    return Trajectory(np.zeros((3, *batch, d)), np.zeros((3, *batch)), None)


@pytest.mark.parametrize(
    ("path", "radius", "error", "message"),
    [
        (_path(3), None, ValueError, r"trajectory must be of d = 1 or d = 2, got theta of shape \(3, 3\)"),
        (Trajectory(np.zeros(3), np.zeros(()), None), None, ValueError, r"d = 1 or d = 2, got theta of shape \(3,\)"),
        (np.zeros((3, 1)), None, TypeError, "trajectory must be a Trajectory, got array"),
        (_path(1, (0,)), None, ValueError, "trajectory must start at finite points"),
        (_path()._replace(height=np.full(3, math.inf)), None, ValueError, "trajectory must start at finite points"),
        (_path(1, (2,)), [1.0, 1.0, 1.0], ValueError, r"radius must broadcast .* batch \(2,\), got shape \(3,\)"),
        (_path(), -1.0, ValueError, "radius must be finite and positive, got -1.0"),
        (_path(), "a", TypeError, "radius must be an array of real numbers"),
    ],
)
def test_what_rolling_does_not_draw(path, radius, error, message):
    with pytest.raises(error, match=message):
        rolling(paraboloid(), path, radius)


def test_a_surface_is_a_function():
    with pytest.raises(TypeError, match="value must be callable, got 'bowl'"):
        rolling("bowl", _path())


def test_without_matplotlib_a_sentence_names_the_extra(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    sentence = r'figures need matplotlib: pip install "rbo-ref[figures]"'
    for draw in (lambda: one_step(BOWL, [1.0], RollingBall(0.1, 0.5)), lambda: rolling(BOWL, _path())):
        with pytest.raises(ImportError) as caught:
            draw()
        assert str(caught.value) == sentence
    assert main(["draw", "sine", "--out", "sine.png"]) == 2
    assert sentence in capsys.readouterr().err


def test_matplotlib_is_imported_when_first_needed_and_pyplot_never():
    program = """if True:
        import sys, rbo_ref.cli, rbo_ref.figures as figures
        assert "matplotlib" not in sys.modules
        from rbo_ref import RollingBall, landscapes
        figures.one_step(landscapes.sine(), [0.5], RollingBall(0.1, 0.5)).figure.canvas.draw()
        assert "matplotlib" in sys.modules and "matplotlib.pyplot" not in sys.modules
    """
    no_display = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "MPLBACKEND")}
    subprocess.run([sys.executable, "-c", program], env=no_display, check=True)


# The command.


def test_one_step_in_one_dimension_is_drawn_in_detail(tmp_path):
    file = tmp_path / "step.png"
    hyper = ["--radius", "0.7", "--learning-rate", "1.2", "--projection-rate", "0.2", "--projection-steps", "30"]
    assert main(["draw", "sine", "--steps", "1", "--start", "2.6", *hyper, "--out", str(file)]) == 0
    same = tmp_path / "same.png"
    one_step(sine(), [2.6], RollingBall(1.2, 0.7, Descent(0.2, 30))).figure.savefig(same)
    assert file.read_bytes() == same.read_bytes()


def test_a_path_is_drawn_from_the_side_and_from_above(tmp_path):
    file, same = tmp_path / "path.png", tmp_path / "same.png"
    for name, surface, start in (("paraboloid", BOWL, [-1.5]), ("himmelblau", himmelblau(), [1.0, -2.0])):
        options = ["--start", *map(str, start), "--steps", "7", "--radius", "0.25", "--learning-rate", "0.01"]
        assert main(["draw", name, *options, "--out", str(file)]) == 0
        rolling(surface, trajectory(RollingBall(0.01, 0.25), surface, start, 7), 0.25).figure.savefig(same)
        assert file.read_bytes() == same.read_bytes()


@pytest.mark.parametrize(("name", "magic"), [("a.PNG", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.pdf", b"%PDF")])
def test_the_ending_names_the_format(tmp_path, name, magic):
    assert main(["draw", "sine", "--steps", "0", "--out", str(tmp_path / name)]) == 0
    assert (tmp_path / name).read_bytes().startswith(magic)


def test_a_start_is_found_for_landscapes_of_two_dimensions(tmp_path):
    assert main(["draw", "beale", "--steps", "1", "--out", str(tmp_path / "beale.png")]) == 0
    assert _size(tmp_path / "beale.png") == (800, 500)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("nowhere --out a.png", "no landscape is called 'nowhere'; there are sine, "),
        ("sine --out a.doc", "the name of the picture must end in .png, .svg, .pdf, got a.doc"),
        ("sine --out a", "the name of the picture must end in .png, .svg, .pdf, got a"),
        ("sine --out missing/a.png", "cannot write missing/a.png: No such file or directory"),
        ("sine --out folder.png", "cannot write folder.png: Is a directory"),
        ("sine --start 1 2 --out a.png", "sine: theta must have shape (..., d) with d = 1, got (2,)"),
        ("beale --start 1 --out a.png", "beale: theta must have shape (..., d) with d = 2, got (1,)"),
        ("ackley --start 1 2 3 --out a.png", "--start takes one or two coordinates, got 3"),
        ("sine --start nan --out a.png", "trajectory must start at finite points"),
        ("sine --start inf --steps 1 --out a.png", "the step from theta = inf is not finite"),
        ("sine --radius -1 --out a.png", "radius must be finite and positive, got -1.0"),
        ("sine --learning-rate 0 --out a.png", "learning_rate must be finite and positive, got 0.0"),
        ("sine --steps -1 --out a.png", "steps must "),
        ("sine --projection-rate 1 --out a.png", "--projection-rate and --projection-steps belong together"),
        ("sine --projection-steps 1 --out a.png", "--projection-rate and --projection-steps belong together"),
        ("sine --projection-rate 0 --projection-steps 1 --out a.png", "rate must be finite and positive, got 0.0"),
        ("sine --radius 1e300 --steps 2 --out a.png", "a picture holds coordinates up to 1e+100"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_a_sentence(tmp_path, monkeypatch, capsys, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.png").mkdir()
    assert main(["draw", *arguments.split()]) == 2
    said = capsys.readouterr().err
    assert said.startswith("rbo-ref: ")
    assert sentence in said
    assert said.count("\n") == 1
    assert [file.name for file in tmp_path.iterdir()] == ["folder.png"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("sine", "the following arguments are required: --out"),
        ("sine --out a.png --radius wide", "argument --radius: invalid float value: 'wide'"),
        ("sine --out a.png --steps 1.5", "argument --steps: invalid int value: '1.5'"),
        ("sine --out a.png --start", "argument --start: expected at least one argument"),
    ],
)
def test_what_cannot_be_read_is_said_by_the_parser(capsys, arguments, sentence):
    assert main(["draw", *arguments.split()]) == 2
    assert sentence in capsys.readouterr().err


def test_a_ball_that_leaves_the_finite_numbers_is_drawn_up_to_there(tmp_path, capsys):
    lost = ["--learning-rate", "1", "--projection-rate", "1", "--projection-steps", "20"]
    assert main(["draw", "himmelblau", *lost, "--out", str(tmp_path / "lost.png")]) == 0
    assert "not finite after 1 steps; drawn up to there" in capsys.readouterr().err
