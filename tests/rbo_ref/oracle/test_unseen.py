"""Each later case is there because a wrong port passes without it."""

from fnmatch import fnmatchcase
from functools import cache

import pytest

from rbo_ref.oracle import TorchPort, check
from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.catalogue import catalogue
from tests.rbo_ref.oracle.stray import UNSEEN

LATER = ("*-table", "*-steeper", "*-sheer", "*-still", "*-faint", "*-near", "long-*", "*-long-*", "bare-*")
LATER += ("large-*", "faint-*", "sheer-*", "still-*")


def is_later(case):
    return any(fnmatchcase(case.id, pattern) for pattern in LATER)


@cache
def ids(optimizer, later):
    fixed = (case for case in all_cases(optimizer) if not case.id.startswith("drawn-"))
    return [case.id for case in fixed if is_later(case) == later]


@cache
def failed(name):
    """The later cases in which a wrong port fails."""
    optimizer, make = UNSEEN[name]
    return {r.id for r in check(make(), optimizer=optimizer, cases=ids(optimizer, True), diagnosis=False).failures}


@pytest.mark.parametrize("name", UNSEEN)
def test_a_wrong_port_is_right_without_the_later_cases_and_wrong_with_them(name):
    optimizer, make = UNSEEN[name]
    before = check(make(), optimizer=optimizer, cases=ids(optimizer, False), diagnosis=False)
    assert before.passed, before.failures
    assert failed(name)


@pytest.mark.parametrize("optimizer", sorted({optimizer for optimizer, _ in UNSEEN.values()}))
def test_every_later_case_catches_one(optimizer):
    caught = set().union(*(failed(name) for name, (of, _) in UNSEEN.items() if of == optimizer))
    assert set(ids(optimizer, True)) - caught == set()


REAL = ["faint-wide", "faint-plain-tall", "large-faint-*"]  # the usual coefficients, five times


def test_muon_as_it_is_used_is_decided_in_bfloat16():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    options = {"optimizer": "muon", "inner_dtype": "bfloat16", "cases": REAL}
    report = check(TorchPort(torch.optim.Muon), xp="torch", **options)
    assert report.passed
    assert report.counts["undecidable"] == 0
    assert not check(TorchPort(torch.optim.Muon), optimizer="muon", xp="torch", cases=REAL, diagnosis=False).passed
    for name in ("step_halved", "one_iteration_too_few"):
        assert not check(catalogue("muon")[name](), diagnosis=False, **options).passed
