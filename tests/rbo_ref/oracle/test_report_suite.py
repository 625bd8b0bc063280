"""The denominator: a version of the suite holds so many judgements, whatever a run asks for."""

import json
from dataclasses import replace

import pytest

from rbo_ref.oracle import OPTIMIZERS, RightPort, check, check_optimizer, freezing, suite
from rbo_ref.oracle.cases import all_cases, select
from rbo_ref.oracle.catalogue import RIGHT_PORTS
from rbo_ref.oracle.dialects import Hyper
from rbo_ref.oracle.judge import LEVELS, levels_of

COMMAND = 'python -c "from rbo_ref.oracle import freezing; freezing.freeze()"'


def test_the_cases_are_those_of_the_frozen_suite():
    frozen, now = suite.frozen(), freezing.record()
    told = f"the cases have changed: give freezing.VERSION a new number, then run\n{COMMAND}"
    for optimizer in OPTIMIZERS:
        assert now["optimizers"][optimizer] == frozen["optimizers"][optimizer], told
    assert now == frozen, told


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
    told = f"suite {freezing.VERSION}: {whole.suite.collected} of its {whole.suite.judgements} judgements collected, "
    assert told + f"{whole.suite.ran} ran; 12 more of drawn cases" in str(whole)
    assert json.loads(whole.to_json())["suite"] == whole.suite._asdict()


@pytest.mark.parametrize("optimizer", RIGHT_PORTS)
def test_every_optimizer_has_its_own(optimizer):
    one = next(iter(suite.frozen()["optimizers"][optimizer]))
    counted = check_optimizer(RIGHT_PORTS[optimizer](), optimizer, cases=one).suite
    assert (counted.judgements, counted.collected) == (len(suite.judgements(optimizer)), 2)


def test_a_changed_case_needs_a_new_version(monkeypatch, tmp_path):
    (case,) = select("rolling-ball", "plane")
    for changed in (
        replace(case, theta=(3.0, -2.5)),
        replace(case, hypers=(Hyper(0.5, 4.0, 0.125, 7),)),
        replace(case, loss=select("rolling-ball", "bowl-one")[0].loss),
        replace(case, walk=2),
    ):
        assert freezing._entry(changed) != freezing._entry(case)
    file = tmp_path / "suite.json"
    file.write_text(suite.FILE.read_text())
    monkeypatch.setattr(freezing, "FILE", file)
    freezing.freeze()  # nothing has changed
    assert file.read_text() == suite.FILE.read_text()
    fewer = all_cases()[1:]
    known = freezing.all_cases
    monkeypatch.setattr(freezing, "all_cases", lambda name: fewer if name == suite.ROLLING_BALL else known(name))
    with pytest.raises(ValueError, match=r"VERSION a new number"):
        freezing.freeze()
    monkeypatch.setattr(freezing, "VERSION", "1000.0")
    freezing.freeze()
    written = json.loads(file.read_text())
    assert written["version"] == "1000.0"
    assert len(written["optimizers"][suite.ROLLING_BALL]) == len(suite.frozen()["optimizers"][suite.ROLLING_BALL]) - 1


def test_levels_are_those_that_are_judged(whole):
    for case in all_cases():
        assert (
            {r.level for r in whole.results if r.id == case.id} == set(levels_of(case.optimizer, case)) <= set(LEVELS)
        )
