"""The denominator: a version of the suite holds so many judgements, whatever a run asks for."""

import json
from dataclasses import replace

import pytest

from rbo_ref.oracle import OPTIMIZERS, RightPort, check, check_optimizer, freezing, suite
from rbo_ref.oracle.cases import all_cases, select
from rbo_ref.oracle.catalogue import RIGHT_PORTS
from rbo_ref.oracle.dialects import ROLLING_BALL, Hyper
from rbo_ref.oracle.freezing import questions
from rbo_ref.oracle.judge import LEVELS, levels_of


def test_the_cases_are_those_of_the_frozen_suite():
    frozen, now = suite.frozen()["optimizers"], freezing.record()
    for optimizer in OPTIMIZERS:
        assert now[optimizer] == frozen[optimizer], "the cases have changed: rbo-ref freeze"
    assert now == frozen


@pytest.fixture(scope="module")
def whole():
    return check(RightPort())


def test_a_whole_run_collects_all(whole):
    assert whole.suite.judgements == whole.suite.collected == len(suite.judgements())
    assert whole.suite.collected + whole.suite.drawn == len(whole.results)
    assert whole.suite.ran < whole.suite.collected  # it hands out no intermediates
    assert {(r.id, r.level) for r in whole.results if not r.id.startswith("drawn")} == suite.judgements()


def test_the_denominator_does_not_move(whole):
    some = check(RightPort(), cases=["plane", "drawn-*"], levels=["step", "inner"]).suite
    other = check(lambda loss, theta, **h: 1 / 0, cases="walk-2d", diagnosis=False).suite
    assert some._asdict() == whole.suite._asdict() | {"collected": 2, "ran": 2, "drawn": 6}
    assert other._asdict() == whole.suite._asdict() | {"collected": 2, "ran": 2, "drawn": 0}


def test_it_is_told(whole):
    counted = f"{whole.suite.collected} of its {whole.suite.judgements} judgements collected, {whole.suite.ran} ran"
    assert f"suite {suite.frozen()['version']}: {counted}; 12 more of drawn cases" in str(whole)
    assert json.loads(whole.to_json())["suite"] == whole.suite._asdict()


@pytest.mark.parametrize("optimizer", [optimizer for optimizer in RIGHT_PORTS if optimizer != ROLLING_BALL])
def test_every_optimizer_has_its_own(optimizer):
    one = next(iter(suite.frozen()["optimizers"][optimizer]))
    counted = check_optimizer(RIGHT_PORTS[optimizer](), optimizer, cases=one).suite
    assert (counted.judgements, counted.collected) == (len(suite.judgements(optimizer)), 2)


def test_a_changed_case_is_seen():
    (case,) = select("rolling-ball", "plane")
    for changed in (
        replace(case, theta=(3.0, -2.5)),
        replace(case, hypers=(Hyper(0.5, 4.0, 0.125, 7),)),
        replace(case, loss=select("rolling-ball", "bowl-one")[0].loss),
        replace(case, walk=2),
    ):
        assert questions._entry(changed) != questions._entry(case)


def test_levels_are_those_that_are_judged(whole):
    for case in all_cases():
        assert (
            {r.level for r in whole.results if r.id == case.id} == set(levels_of(case.optimizer, case)) <= set(LEVELS)
        )
