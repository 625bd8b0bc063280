"""What a port declines has not passed: RIGHT is for those that answered all that they were asked."""

import sys

import numpy as np
import pytest

from geometry import Descent
from rbo_ref import RollingBall, landscapes, trajectory
from rbo_ref.cli import main
from rbo_ref.oracle import Report, Result, RightPort, Skip, check, check_optimizer, compare_trajectories
from rbo_ref.oracle.catalogue import RIGHT_PORTS
from rbo_ref.oracle.replay import Recording, save_recording
from rbo_ref.oracle.report import verdict_of

right = RightPort()
PASS = Result("a", "step", "pass", 0.0, 1.0, "")
FAIL = Result("b", "step", "fail", 2.0, 1.0, "off")
UNDECIDED = Result("c", "step", "undecidable", None, None, "")
NOT_ASKED = Result("d", "inner", "skipped", None, None, "the queries do not show the inner iterates")
DECLINED = Result("e", "step", "skipped", None, None, "not written yet", declined=True)


@pytest.mark.parametrize(
    ("results", "verdict"),
    [
        ([PASS], "RIGHT"),
        ([PASS, UNDECIDED, NOT_ASKED], "RIGHT"),
        ([PASS, DECLINED], "INCOMPLETE"),
        ([FAIL, PASS, DECLINED], "WRONG"),
        ([DECLINED], "NOTHING DECIDED"),
        ([UNDECIDED, NOT_ASKED], "NOTHING DECIDED"),
        ([], "NOTHING DECIDED"),
    ],
)
def test_the_verdict_on_a_whole(results, verdict):
    report = Report("p", "numpy", "float64", "authors", results)
    assert report.verdict == verdict_of([r.verdict for r in results], report.declined) == verdict
    assert report.passed == (verdict == "RIGHT")
    assert str(report).startswith(f"{verdict}: p (")


def only_1d(loss, theta, **hyper):
    if theta.shape[0] > 1:
        raise Skip("not written yet")
    return right(loss, theta, **hyper)


def test_a_port_that_skips_most_is_incomplete_and_says_how_much():
    report = check(only_1d, cases=["valley-1d", "plane", "walk-2d"])
    assert report.verdict == "INCOMPLETE"
    assert str(report).splitlines()[0].endswith("): 6 of 10 judgements skipped by the port")
    assert report.declined == 6
    assert {(r.id, r.declined) for r in report.results} == {("valley-1d", False), ("plane", True), ("walk-2d", True)}


def test_what_is_chosen_away_or_not_offered_is_not_asked():
    assert check(only_1d, cases="*-1d").verdict == "RIGHT"
    assert check(right, cases=["valley-1d", "plane"]).verdict == "RIGHT"  # it hands out no intermediates


def test_a_skip_in_the_middle_of_a_walk_is_one():
    class Tires(RightPort):
        steps = 0

        def __call__(self, *arguments, **hyper):
            type(self).steps += 1
            if type(self).steps > 2:
                raise Skip("enough for today")
            return super().__call__(*arguments, **hyper)

    report = check(Tires(), cases="walk-2d", levels="walk")
    assert [(r.verdict, r.declined) for r in report.results] == [("skipped", True)]


def test_ports_of_other_optimizers_too():
    sam = RIGHT_PORTS["sam"]()

    def some(loss, theta, **arguments):
        if arguments["adaptive"]:
            raise Skip("no ASAM")
        return sam(loss, theta, **arguments)

    report = check_optimizer(some, "sam", cases=["wide-bowl", "adaptive-saddle"])
    assert (report.verdict, report.declined) == ("INCOMPLETE", 2)
    assert check_optimizer(some, "sam", cases="wide-bowl").verdict == "RIGHT"


PORT = """
from rbo_ref.oracle import RightPort, Skip
right = RightPort()
def step(loss, theta, **hyper):
    if theta.shape[0] > 1:
        raise Skip("not written yet")
    return right(loss, theta, **hyper)
def none(loss, theta, **hyper):
    raise Skip("not written yet")
"""


@pytest.mark.parametrize(
    ("arguments", "status", "word"),
    [
        (["step", "--case", "valley-1d"], 0, "RIGHT"),
        (["step", "--case", "valley-1d", "--case", "plane"], 3, "INCOMPLETE"),
        (["none", "--case", "valley-1d", "--case", "plane"], 3, "NOTHING DECIDED"),
        (["right", "--case", "eq13-paper", "--level", "step"], 3, "NOTHING DECIDED"),
    ],
)
def test_the_command_has_a_status_for_it(tmp_path, monkeypatch, capsys, arguments, status, word):
    (tmp_path / "skipping.py").write_text(PORT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "skipping", raising=False)
    assert main(["check", f"skipping.py:{arguments[0]}", *arguments[1:], "--junit", "junit.xml"]) == status
    assert capsys.readouterr().out.startswith(f"{word}: skipping.py:")
    junit = (tmp_path / "junit.xml").read_text()
    assert ('errors="0"' in junit.splitlines()[1]) == (status == 0)
    assert ("4 of 8 judgements skipped by the port" in junit) == (word == "INCOMPLETE")


def test_runs_that_cannot_be_compared_decide_nothing(tmp_path, capsys):
    hyper = {"learning_rate": 0.1, "radius": 0.5, "projection_rate": 0.1, "projection_steps": 5}
    for name, start in (("one", 0.75), ("other", 0.5)):
        path = trajectory(RollingBall(0.1, 0.5, Descent(0.1, 5)), landscapes.sine(), [start], 20).theta
        save_recording(Recording(np.asarray(path), loss="sine", **hyper), tmp_path / f"{name}.npz")
    one, other = str(tmp_path / "one.npz"), str(tmp_path / "other.npz")
    assert compare_trajectories(one, other).verdict == "NOTHING DECIDED"
    assert main(["replay", one]) == 0
    assert main(["replay", one, "--compare", other]) == 3
    assert "NOTHING DECIDED: one.npz and other.npz" in capsys.readouterr().out.replace(str(tmp_path) + "/", "")
