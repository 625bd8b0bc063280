"""Films of balls, and pictures of several optimizers: what moves is where the trajectory says."""

from __future__ import annotations

import math
import sys
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from rbo_ref import Adam, GradientDescent, RollingBall, Trajectory, trajectory
from rbo_ref.cli import main
from rbo_ref.figures import film, rolling
from rbo_ref.figures._film import _roll
from rbo_ref.landscapes import himmelblau, plane, sine

pytest.importorskip("matplotlib", reason="matplotlib is not installed")


@pytest.fixture(scope="module")
def images():
    return film(sine(), trajectory(RollingBall(0.3, 0.6), sine(), [1.2], 30), 0.6, frames=5)


def test_a_film_has_pictures_of_one_size(images):
    assert [image.size for image in images] == [(640, 400)] * 5


def test_the_ball_moves_from_picture_to_picture(images):
    for one, other in pairwise(images[:3]):
        changed = (np.asarray(one.convert("RGB")) != np.asarray(other.convert("RGB"))).any(axis=-1).mean()
        assert 0.002 < changed < 0.5


def test_a_ball_on_a_plane_turns_as_far_as_it_rolls():
    """It rolls to the right, and turns clockwise: by the length of its way over its radius."""
    path = trajectory(RollingBall(0.5, 0.8), plane(-0.5), [0.0], 6)
    roll = _roll(plane(-0.5), path, 0.8)
    way = np.linalg.norm(path.center - path.center[0], axis=-1)
    assert_allclose(roll.turned, -way / 0.8, rtol=1e-9)


def test_a_film_ends_where_numbers_do():
    theta = np.array([[1.0], [0.5], [math.nan], [0.4]])
    broken = Trajectory(theta, np.sin(theta[:, 0]), np.concatenate([theta, theta + 1], axis=-1))
    assert_array_equal(_roll(sine(), broken, 1.0).contacts[:, 0], [1.0, 0.5])
    assert len(film(sine(), broken, 1.0)) == 2


@pytest.mark.parametrize(
    ("path", "options", "error", "message"),
    [
        (np.zeros((3, 1)), {}, TypeError, "trajectory must be a Trajectory"),
        (Trajectory(np.zeros((2, 2)), np.zeros(2), None), {}, ValueError, "of one ball, d = 1, got theta of shape"),
        (Trajectory(np.zeros((2, 3, 1)), np.zeros((2, 3)), None), {}, ValueError, "of one ball, d = 1"),
        (Trajectory(np.full((2, 1), math.nan), np.zeros(2), None), {}, ValueError, "must start at a finite point"),
        (Trajectory(np.zeros((2, 1)), np.zeros(2), None), {"frames": 0}, ValueError, "frames must be"),
        (Trajectory(np.zeros((2, 1)), np.zeros(2), None), {"radius": -1.0}, ValueError, "radius must be"),
    ],
)
def test_what_is_no_film(path, options, error, message):
    with pytest.raises(error, match=message):
        film(sine(), path, **{"radius": 0.5} | options)


def test_the_command_writes_a_film(tmp_path):
    from PIL import Image

    file = tmp_path / "ball.gif"
    words = ["sine", "--start", "1.2", "--radius", "0.6", "--learning-rate", "0.3", "--steps", "12", "--frames", "4"]
    assert main(["roll", *words, "--out", str(file)]) == 0
    with Image.open(file) as image:
        assert (image.format, image.size, image.n_frames) == ("GIF", (640, 400), 4)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("sine --out ball.png", "the name of the film must end in .gif, got ball.png"),
        ("himmelblau --out ball.gif", "a film shows one dimension, got a start in 2; rbo-ref draw shows two"),
        ("nowhere --out ball.gif", "no landscape is called 'nowhere'"),
        ("sine --radius -1 --out ball.gif", "radius must be finite and positive, got -1.0"),
        ("sine --frames 0 --steps 1 --out ball.gif", "frames must be"),
        ("sine --projection-rate 1 --out ball.gif", "--projection-rate and --projection-steps belong together"),
        ("sine --steps 1 --out missing/ball.gif", "cannot write missing/ball.gif: No such file or directory"),
    ],
)
def test_what_cannot_be_filmed_is_said_in_a_sentence(tmp_path, monkeypatch, capsys, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    assert main(["roll", *arguments.split()]) == 2
    said = capsys.readouterr().err
    assert said.startswith("rbo-ref: ")
    assert sentence in said
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_there_is_no_film(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["roll", "sine", "--steps", "1", "--out", str(tmp_path / "ball.gif")]) == 2
    assert 'figures need matplotlib: pip install "rbo-ref[figures]"' in capsys.readouterr().err


# Several optimizers in one picture.


def test_names_are_shown_and_belong_to_their_paths():
    start = np.array([1.0, 1.0])
    paths = {
        "ball": trajectory(RollingBall(0.01, 0.3), himmelblau(), start, 4),
        "adam": trajectory(Adam(0.1), himmelblau(), start, 4),
    }
    ax = rolling(himmelblau(), paths, 0.3)
    named = {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(named) == ["ball", "adam"]
    for name, line in named.items():
        assert_array_equal(line.get_xydata(), paths[name].theta)
    assert len({line.get_color() for line in named.values()}) == 2
    assert len(ax.patches) == 2  # of the ball alone


def test_a_picture_of_nothing():
    with pytest.raises(ValueError, match="trajectory must have a path, got none"):
        rolling(sine(), {})


def test_a_jump_is_marked_where_the_way_crosses_the_mountain():
    path = trajectory(RollingBall(6.0, 0.1), sine(), [0.5], 1)
    (mark,) = (line for line in rolling(sine(), path).lines if line.get_marker() == "X")
    ((x, y),) = mark.get_xydata()
    assert (x, y) == pytest.approx(path.center.mean(axis=0))
    assert not [line for line in rolling(sine(), path._replace(center=None)).lines if line.get_marker() == "X"]


def test_the_command_draws_several_optimizers(tmp_path):
    file, same = tmp_path / "several.png", tmp_path / "same.png"
    words = ["--optimizer", "adam", "sgd", "adam", "--start", "1", "1", "--steps", "4", "--learning-rate", "0.05"]
    assert main(["draw", "himmelblau", *words, "--out", str(file)]) == 0
    start = np.array([1.0, 1.0])
    paths = {
        name: trajectory(optimizer, himmelblau(), start, 4)
        for name, optimizer in (("adam", Adam(0.05)), ("gradient-descent", GradientDescent(0.05)))
    }
    rolling(himmelblau(), paths).figure.savefig(same)
    assert file.read_bytes() == same.read_bytes()


@pytest.mark.parametrize("steps", ["1", "3"])
def test_the_command_tells_of_jumps(tmp_path, capsys, steps):
    words = ["--start", "0.5", "--learning-rate", "6", "--radius", "0.1", "--steps", steps]
    assert main(["draw", "sine", *words, "--out", str(tmp_path / "jump.png")]) == 0
    said = capsys.readouterr().err
    assert f"the ball goes through a mountain in 1 of {steps} steps, first in step 1" in said
    assert main(["draw", "sine", *words[:2], "--steps", steps, "--out", str(tmp_path / "no.png")]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--optimizer", "adam", "--radius", "1"], "--radius is for rolling-ball, which is not among the optimizers"),
        (["--optimizer", "adam", "--projection-steps", "1"], "--projection-steps is for rolling-ball"),
        (["--optimizer", "nobody"], "invalid choice: 'nobody'"),
    ],
)
def test_what_several_optimizers_cannot(tmp_path, capsys, words, sentence):
    assert main(["draw", "himmelblau", *words, "--out", str(tmp_path / "a.png")]) == 2
    assert sentence in capsys.readouterr().err
