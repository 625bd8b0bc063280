"""The command, as its users run it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rbo_ref.cli import COMMANDS, main
from rbo_ref.cli._common import STATUSES

PORT = """
import numpy as np

def step(loss, theta, *, learning_rate, radius, projection_rate, projection_steps):
    f, g = loss(theta)
    w = np.sqrt({one} + g @ g)
    x, y = theta - (radius / w + learning_rate) * g, f + radius / w - learning_rate * (g @ g)
    for _ in range(projection_steps):
        f, g = loss(theta)
        theta = theta - projection_rate * ((theta - x) + (f - y) * g)
    return theta

number = 3
class Ports:
    right = staticmethod(step)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "right_port.py").write_text(PORT.format(one=1))
    (tmp_path / "wrong_port.py").write_text(PORT.format(one=0))
    (tmp_path / "exits.py").write_text("raise SystemExit(7)")
    (tmp_path / "broken.py").write_text("def (")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("right_port", "wrong_port"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def test_a_right_port(folder, capsys):
    assert main(["check", "right_port:step"]) == 0
    assert capsys.readouterr().out.startswith("RIGHT: right_port:step (numpy, float64")


def test_a_wrong_port_is_named(folder, capsys):
    assert main(["check", "wrong_port.py:step"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("WRONG: wrong_port.py:step")
    assert "diagnosis: normal_missing_one" in out


def test_options_are_passed_on(folder, capsys):
    arguments = ["--dtype", "float32", "--case", "waves-*", "--level", "step", "--dialect", "authors", "--seed", "4"]
    assert main(["check", "right_port:Ports.right", *arguments]) == 0
    out = capsys.readouterr().out
    assert "float32" in out
    assert "walk" not in out


def test_json_to_a_file_and_to_standard_output(folder, capsys):
    assert main(["check", "wrong_port:step", "--case", "crest-1d", "--json", "report.json"]) == 1
    record = json.loads((folder / "report.json").read_text())
    assert record["passed"] is False
    capsys.readouterr()
    assert main(["check", "right_port:step", "--case", "plane", "--json", "-"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["passed"] is True
    assert record["reports"][0]["port"] == "right_port:step"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["right_port"], "expected MODULE:ATTRIBUTE, got 'right_port'"),
        (["nowhere:step"], "cannot import nowhere: ModuleNotFoundError"),
        (["nowhere.py:step"], "cannot import nowhere.py: FileNotFoundError: no file nowhere.py"),
        (["broken.py:step"], "cannot import broken.py: SyntaxError"),
        (["exits:step"], "cannot import exits: SystemExit: 7"),
        (["right_port:stop"], "right_port has no attribute 'stop'"),
        (["right_port:number"], "right_port:number is no port: a port must be callable, got int"),
        (["right_port:step", "--xp", "nolibrary"], "nolibrary is not installed"),
        (["right_port:step", "--xp", "json"], "xp must be an array library, got json, whose arrays are none"),
        (["right_port:step", "--case", "none"], "cases: 'none' matches none of"),
        (["right_port:step", "--seed", "-1"], "seed must be an integer"),
        (["right_port:step", "--time-limit", "0"], "time_limit must be positive"),
        (["right_port:step", "--case", "plane", "--json", "no/such/folder.json"], "cannot write no/such/folder.json"),
        (["--xp", "abacus"], "--xp without a port must be one of numpy"),
        (["--dialect", "full-contact"], "--dialect goes with a port"),
    ],
)
def test_what_cannot_run_is_a_sentence_and_status_2(folder, capsys, arguments, sentence):
    assert main(["check", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("rbo-ref: ")
    assert sentence in captured.err
    assert "Traceback" not in captured.err + captured.out


def test_without_a_port_it_judges_its_own_loop_and_the_examples(capsys):
    assert main(["check", "--xp", "numpy"]) == 0
    out = capsys.readouterr().out
    assert "rbo_ref.RollingBall" in out
    assert "numpy_port.py" in out
    assert "2 ports judged: all RIGHT" in out


def test_the_torch_example_is_found(capsys):
    pytest.importorskip("torch", reason="torch is not installed")
    assert main(["check", "--xp", "torch"]) == 0
    assert "torch_port.py" in capsys.readouterr().out


def test_lists(capsys):
    assert main(["cases"]) == 0
    assert "eq13-paper" in capsys.readouterr().out
    assert main(["mistakes"]) == 0
    assert "normal_flipped" in capsys.readouterr().out


def test_the_page_of_statuses_has_every_command_and_every_status():
    page = (Path(__file__).parents[2] / "docs" / "statuses.rst").read_text(encoding="utf-8")
    for status, meaning in STATUSES.items():
        assert re.search(rf"^{status}  +{meaning[:18]}", page, re.MULTILINE)
    told = re.findall(r"^[a-z, ]+(?=  )", page[page.index("\ncommand ") :], re.MULTILINE)
    assert set(COMMANDS) <= set(" ".join(told).replace(",", "").split())


def test_as_a_program(folder):
    """Exit statuses reach the shell, and nothing is drawn where there is no terminal."""
    command = [sys.executable, "-m", "rbo_ref.cli", "check"]
    right = subprocess.run(
        [*command, "right_port:step", "--case", "plane"], capture_output=True, text=True, check=False
    )
    assert (right.returncode, right.stderr) == (0, "")
    wrong = subprocess.run(
        [*command, "wrong_port:step", "--case", "crest-1d"], capture_output=True, text=True, check=False
    )
    assert wrong.returncode == 1
    rubbish = subprocess.run([*command, "--dtype", "int8"], capture_output=True, text=True, check=False)
    assert rubbish.returncode == 2
    assert "Traceback" not in rubbish.stderr


SGD = """
def port(loss, theta, *, iterations, learning_rate, momentum, nesterov):
    path, v = [theta], 0
    for _ in range(iterations):
        f, g = loss(path[-1])
        v = momentum * v + SIGN * g
        path.append(path[-1] - learning_rate * (g + momentum * v if nesterov else v))
    return path[1:]
"""


def test_ports_of_other_optimizers(capsys, folder):
    (folder / "right_sgd.py").write_text(SGD.replace("SIGN", "1"))
    (folder / "wrong_sgd.py").write_text(SGD.replace("SIGN", "-1"))
    other = ["--optimizer", "gradient-descent"]
    assert main(["check", "right_sgd.py:port", *other, "--case", "*-waves10"]) == 0
    assert capsys.readouterr().out.startswith("RIGHT: right_sgd.py:port (numpy, float64")
    assert main(["check", "wrong_sgd.py:port", *other, "--json", "-"]) == 1
    assert not json.loads(capsys.readouterr().out)["passed"]
    assert main(["check", *other]) == 2
    assert "--optimizer goes with a port" in capsys.readouterr().err
    assert main(["check", "right_sgd.py:port", *other, "--dialect", "authors"]) == 2
    assert "dialect must be one of paper, dampened, got 'authors'" in capsys.readouterr().err
    assert main(["cases", *other]) == main(["mistakes", *other]) == 0
    listed = capsys.readouterr().out
    assert "learning_rate = " in listed
    assert "ascent" in listed
