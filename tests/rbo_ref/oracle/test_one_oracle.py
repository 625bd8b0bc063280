"""Every optimizer is judged alike: ports that take a step in each call or many, with rates that change, with draws."""

from dataclasses import replace

import numpy as np
import pytest
from array_api_compat import numpy as xp

from geometry.arithmetic.formats import format_of
from rbo_ref.oracle import OPTIMIZERS, RightPort, check
from rbo_ref.oracle.cases import Case, all_cases, select
from rbo_ref.oracle.catalogue import RIGHT_PORTS
from rbo_ref.oracle.judge import judge, levels_of
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.step_formats import Formats


def setting(dialect="paper", dtype="float64"):
    return Setting(xp, Formats(format_of(dtype)), dialect, 20.0)


def told(report):
    return [(result.id, result.level, result.verdict, result.error) for result in report.results]


def test_the_rolling_ball_is_an_optimizer_like_any_other():
    some = ["plane", "walk-2d"]
    assert told(check(RightPort(), cases=some)) == told(check(RightPort(), optimizer="rolling-ball", cases=some))
    assert OPTIMIZERS[0] == "rolling-ball"
    assert len(OPTIMIZERS) == 12


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_cases_are_of_one_kind(optimizer):
    for case in all_cases(optimizer):
        assert isinstance(case, Case)
        assert case.optimizer == optimizer
        assert case.hyper(0).keys() == case.hyper(1).keys()
        assert set(levels_of(optimizer, case)) <= set(levels_of(optimizer))
        assert case.draws is None or len(case.draws) == case.walk


class Heavy:
    """Gradient descent with momentum, a step in each call."""

    def __init__(self):
        self.v, self.first = 0, None

    def fresh(self):
        return type(self)()

    def __call__(self, loss, theta, *, learning_rate, momentum, nesterov):
        g = loss(theta)[1]
        self.first = self.first or learning_rate
        self.v = momentum * self.v + g
        return theta - self.rate(learning_rate) * (g + momentum * self.v if nesterov else self.v)

    def rate(self, now):
        return now


class Frozen(Heavy):
    """The first rate is used for all steps."""

    def rate(self, now):
        return self.first


class Forgetful(Heavy):
    """Nothing is remembered."""

    is_stepper = True

    def __call__(self, loss, theta, **hyper):
        self.v = 0
        return super().__call__(loss, theta, **hyper)


def test_a_port_may_take_a_step_in_each_call():
    report = check(Heavy(), optimizer="gradient-descent")
    assert report.passed, str(report)
    assert report.counts["evaluations"] == report.counts["evaluations_needed"]
    assert report.counts["steps"] == sum(1 + case.walk for case in all_cases("gradient-descent"))
    wrong = check(Forgetful(), optimizer="gradient-descent", cases="momentum-*")
    assert {result.level for result in wrong.failures} == {"walk"}
    assert wrong.failures[0].message.startswith("step 2 of 5 is wrong: off by ")


def test_rates_change_from_step_to_step():
    (case,) = select("gradient-descent", "momentum-waves3")
    slower = {**case.hyper(0), "learning_rate": case.hyper(0)["learning_rate"] / 4}
    case = replace(case, hypers=(case.hyper(0), slower))
    verdicts = {}
    for port in (Heavy(), Frozen(), RIGHT_PORTS["gradient-descent"]()):
        verdicts[type(port)] = {r.level: r.verdict for r, _ in judge(port, case, setting(), ("step", "walk"))}
    assert verdicts.pop(Heavy) == {"step": "pass", "walk": "pass"}
    assert verdicts.pop(Frozen) == {"step": "pass", "walk": "fail"}
    (of_runner,) = verdicts.values()  # it is asked for all steps at once
    assert of_runner == {"step": "pass", "walk": "skipped"}


def run_of_balls(loss, theta, *, iterations, **hyper):
    path = [theta]
    for _ in range(iterations):
        path.append(RightPort()(loss, path[-1], **hyper))
    return path[1:]


def test_a_run_of_balls_is_judged_where_nothing_changes():
    report = check(run_of_balls, cases=["plane", "waves-3d", "walk-2d", "schedule-3d"])
    assert report.verdict == "RIGHT", str(report)
    skipped = {(result.id, result.level) for result in report.results if result.verdict == "skipped"}
    assert ("schedule-3d", "walk") in skipped
    assert ("walk-2d", "walk") not in skipped


@pytest.mark.parametrize("optimizer", ["entropy-sgd", "alice"])
def test_draws_are_handed_over_step_by_step(optimizer):
    """A stepper that keeps its past, and is right by taking it all again."""

    class Stepwise:
        is_stepper = True

        def __init__(self):
            self.start, self.draws = None, []

        def fresh(self):
            return type(self)()

        def __call__(self, loss, theta, *, draws, **hyper):
            self.start = theta if self.start is None else self.start
            self.draws.append(draws)
            port = RIGHT_PORTS[optimizer]()
            return port(loss, self.start, iterations=len(self.draws), draws=np.stack(self.draws), **hyper)[-1]

    assert check(Stepwise(), optimizer=optimizer, cases="short-*").passed
