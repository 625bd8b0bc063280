"""Sensitivity is proven: every wrong port of every catalogue fails in two cases at least, and is named."""

from collections import Counter

import numpy as np
import pytest

from rbo_ref.oracle import check_optimizer
from rbo_ref.oracle.cases.case import CATCHES
from rbo_ref.oracle.catalogue import CATALOGUES as MISTAKES
from rbo_ref.oracle.catalogue import RIGHT_PORTS
from rbo_ref.oracle.dialects import ROLLING_BALL
from rbo_ref.oracle.formulas import FORMULAS
from rbo_ref.oracle.hunters import read
from rbo_ref.oracle.mistakes.in_all import in_all
from tests.rbo_ref.oracle.suspects.explaining import catalogue_alone

OPTIMIZERS = [optimizer for optimizer in RIGHT_PORTS if optimizer != ROLLING_BALL]
ALL = [(optimizer, name) for optimizer in OPTIMIZERS for name in MISTAKES[optimizer]]
CLAIMS = read(CATCHES)
COMMON = in_all().keys()
SMALL = {  # cases that suffice where judging takes long
    "muon": ("plain-*", "short-*", "cubic-wide", "epsilon-wide", "row-wide", "usual-tall"),
    "entropy-sgd": ("warm-bowl", "hot-plane", "tied-*", "short-saddle"),
    "alice": ("short-*", "bound-plane", "sgdm-*", "rms-*3", "rms-far", "decay-saddle", "rough-steep", "bound-waves10"),
}
TINY = {"epsilon_missing", "epsilon_not_corrected", "epsilon_added", "float32_inside"}  # below the rounding of float32


@pytest.fixture(scope="module")
def reports():
    with catalogue_alone():
        return {
            (o, name): check_optimizer(MISTAKES[o][name](), o, cases=SMALL.get(o), time_limit=np.inf) for o, name in ALL
        }


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_has_a_catalogue_of_its_own(optimizer):
    own = set(MISTAKES[optimizer]) - COMMON
    assert len(own) >= 6
    assert RIGHT_PORTS[optimizer].optimizer == optimizer


@pytest.mark.parametrize(("optimizer", "name"), ALL)
def test_every_mistake_is_caught_by_two_cases(optimizer, name, reports):
    report = reports[optimizer, name]
    caught, claimed = {r.id for r in report.failures}, set(CLAIMS[f"{optimizer}.{name}"])
    assert not report.passed
    assert min(len(caught), len(claimed)) >= 2
    assert claimed & {r.id for r in report.results} <= caught


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_nine_in_ten_are_diagnosed_by_name(optimizer, reports):
    found = {n: reports[optimizer, n].diagnosis for n in MISTAKES[optimizer]}
    dialects = {cls.mistake: f"dialect-{dialect}" for dialect, cls in FORMULAS[optimizer].items()}
    told = {name: dialects.get(name, name) for name in found}
    missed = {name: d and d.name for name, d in found.items() if d is None or d.name != told[name]}
    assert len(missed) <= len(found) / 10, missed


def test_every_case_is_there_for_something(reports):
    """Each fixed case catches a mistake that few others catch, or a tenth of all."""
    caught = {key: {r.id for r in report.failures if "drawn" not in r.id} for key, report in reports.items()}
    for optimizer in OPTIMIZERS:
        mine = {name: ids for (o, name), ids in caught.items() if o == optimizer}
        count = Counter(case for ids in mine.values() for case in ids)
        ran = {r.id for r in reports[optimizer, "ascent"].results if "drawn" not in r.id}
        idle = {case for case in ran if count[case] < len(mine) / 10}
        rare = {case for case in idle if any(case in ids and len(ids) <= 4 for ids in mine.values())}
        assert {case for case in idle - rare if not case.startswith(("rest", "plain-rest"))} == set()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_mistakes_of_the_mathematics_are_caught_in_float32(optimizer, request):
    """A quarter of each catalogue; with --full all of it."""
    for name in sorted(set(MISTAKES[optimizer]) - TINY)[:: 1 if request.config.getoption("full") else 4]:
        report = check_optimizer(
            MISTAKES[optimizer][name](),
            optimizer,
            dtype="float32",
            cases=SMALL.get(optimizer),
            diagnosis=False,
            time_limit=np.inf,
        )
        assert not report.passed, name


@pytest.mark.parametrize(
    ("optimizer", "name"), [("adam", "epsilon_inside_the_root"), ("sam", "norm_per_tensor"), ("muon", "scale_missing")]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_mistake_in_another_library_is_diagnosed_too(optimizer, name, dtype):
    pytest.importorskip("torch", reason="torch is not installed")
    given = {"xp": "torch", "dtype": dtype, "cases": SMALL.get(optimizer)}
    assert check_optimizer(MISTAKES[optimizer][name](), optimizer, **given).diagnosis.name == name


def test_the_first_wrong_step_is_named():
    """A port that is right from a fresh start shows its memory only when it walks."""
    report = check_optimizer(MISTAKES["adam"]["memory_lost"](), "adam", cases="short-bowl")
    assert [(r.level, r.verdict) for r in report.results] == [("step", "pass"), ("walk", "fail")]
    assert report.failures[0].message.startswith("step 2 of 5 is wrong: off by ")
    late = check_optimizer(MISTAKES["alice"]["warm_up_missing"](), "alice", cases="short-bowl")
    assert late.failures[-1].message.startswith("step 1 of 6 is wrong")
    scope = check_optimizer(MISTAKES["entropy-sgd"]["scope_grows_linearly"](), "entropy-sgd", cases="warm-bowl")
    assert scope.failures[0].message.startswith("step 3 of 4 is wrong")  # 1 + 2γ₁ instead of (1 + γ₁)²


@pytest.mark.parametrize(("optimizer", "name"), ALL)
def test_every_mistake_is_described(optimizer, name):
    wrong = MISTAKES[optimizer][name]
    assert wrong.name == name
    assert len(wrong.description) > 10
    assert not wrong.description.endswith(".")
    assert "\n" not in wrong.description
    assert issubclass(wrong, RIGHT_PORTS[optimizer])
