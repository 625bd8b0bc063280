"""``rbo-ref replay`` as its users call it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from geometry import Descent
from rbo_ref import Adam, RollingBall, landscapes, trajectory
from rbo_ref.cli import main
from rbo_ref.oracle import Recording
from rbo_ref.oracle.replay import save_recording

HYPER = {"learning_rate": 0.1, "radius": 0.5, "projection_rate": 0.1, "projection_steps": 5}
OPTIONS = ["--learning-rate", "0.1", "--radius", "0.5", "--projection-rate", "0.1", "--projection-steps", "5"]


@pytest.fixture
def theta() -> np.ndarray:
    return trajectory(RollingBall(0.1, 0.5, Descent(0.1, 5)), landscapes.sine(), [0.75], 20).theta


@pytest.mark.parametrize("suffix", ["npz", "csv", "jsonl"])
def test_a_right_run(tmp_path, capsys, theta, suffix):
    path = tmp_path / f"run.{suffix}"
    save_recording(Recording(theta, loss="sine", **HYPER), path)
    assert main(["replay", str(path)]) == 0
    printed = capsys.readouterr().out
    assert f"RIGHT: {path}" in printed
    assert "20 pass, 0 fail" in printed
    assert "horizon" in printed


def test_a_wrong_step_is_named(tmp_path, capsys, theta):
    theta[8:] += 1e-9
    save_recording(Recording(theta[:9]), tmp_path / "run.npz")
    assert main(["replay", str(tmp_path / "run.npz"), "--loss", "sine", *OPTIONS]) == 1
    assert "FAIL step 7 [step]: step 7 is wrong: off by 1e-09" in capsys.readouterr().out


def test_options_go_before_the_recording(tmp_path, capsys, theta):
    path = tmp_path / "run.csv"
    save_recording(Recording(theta, loss="rosenbrock", **{**HYPER, "radius": 99.0}), path)
    assert main(["replay", str(path), "--loss", "rbo_ref.landscapes:LANDSCAPES.keys", *OPTIONS]) == 2
    assert main(["replay", str(path), "--loss", "sine", *OPTIONS, "--dtype", "float64", "--dialect", "authors"]) == 0
    assert main(["replay", str(path), "--loss", "sine", *OPTIONS, "--dialect", "full-contact"]) == 1


def test_a_loss_from_a_file(tmp_path, monkeypatch, theta):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("from rbo_ref import landscapes\nwave = landscapes.sine()\n")
    save_recording(Recording(theta, **HYPER), tmp_path / "run.jsonl")
    assert main(["replay", "run.jsonl", "--loss", "mine.py:wave"]) == 0


def test_two_recordings(tmp_path, capsys, theta):
    for name, path in (("one", theta), ("other", theta + np.linspace(0, 1e-3, 21)[:, None])):
        save_recording(Recording(path, loss="sine", **HYPER), tmp_path / f"{name}.npz")
    one, other = str(tmp_path / "one.npz"), str(tmp_path / "other.npz")
    assert main(["replay", one, "--compare", one]) == 0
    assert "they agree in all 20 steps, as they must" in capsys.readouterr().out
    assert main(["replay", one, "--compare", other]) == 1
    assert "agreement: fail" in capsys.readouterr().out


def test_reports_for_machines(tmp_path, capsys, theta):
    save_recording(Recording(theta, loss="sine", **HYPER), tmp_path / "run.npz")
    assert main(["replay", str(tmp_path / "run.npz"), "--json", "-"]) == 0
    [report] = json.loads(capsys.readouterr().out)["reports"]
    assert (report["steps"], report["first_wrong"], report["passed"]) == (20, None, True)
    for kind in ("junit", "html"):
        assert main(["replay", str(tmp_path / "run.npz"), f"--{kind}", str(tmp_path / "report")]) == 0
        assert "<" in (tmp_path / "report").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (None, [], "No such file or directory"),
        (b"\0\1\2", [], "unknown column"),
        (b"theta_0\n1\n2\n", ["--loss", "sine"], "does not say its learning_rate"),
        (b"theta_0\n1\n2\n", ["--loss", "cosine", *OPTIONS], "nothing is called 'cosine'"),
        (b"theta_0\n1\n2\n", ["--loss", "no_such_module:f", *OPTIONS], "cannot import"),
        (b"theta_0\n1\n2\n", OPTIONS, "without a loss"),
        (b"theta_0\n1\n2\n", ["--loss", "sine", *OPTIONS, "--compare", "nothing"], "No such file"),
    ],
)
def test_what_cannot_be_judged_is_said_in_a_sentence(tmp_path, capsys, content, options, message):
    path = tmp_path / "run"
    if content is not None:
        path.write_bytes(content)
    assert main(["replay", str(path), *options]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("suffix", ["npz", "csv", "jsonl"])
def test_a_run_of_another_optimizer(tmp_path, capsys, suffix):
    path = tmp_path / f"run.{suffix}"
    theta = trajectory(Adam(0.05, betas=(0.9, 0.99)), landscapes.himmelblau(), [1.0, -0.5], 12).theta
    save_recording(Recording(theta, loss="himmelblau", learning_rate=0.05), path)
    others = ["--optimizer", "adam", "--hyper", "betas=(0.9, 0.99)", "--hyper"]
    assert main(["replay", str(path), *others, "epsilon=1e-8"]) == 0
    assert f"RIGHT: {path} as adam" in capsys.readouterr().out
    assert main(["replay", str(path), *others, "epsilon=1e-3"]) == 1
    assert "step 0 is wrong" in capsys.readouterr().out
    assert main(["replay", str(path), *others, "epsilon"]) == 2
    assert "--hyper must be NAME=VALUE, got 'epsilon'" in capsys.readouterr().err
    assert main(["replay", str(path), "--optimizer", "adam"]) == 2
    assert "betas, epsilon must be given for adam" in capsys.readouterr().err
