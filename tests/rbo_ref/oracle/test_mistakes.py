"""Sensitivity is proven: every wrong port of the catalogue fails, where its cases say so, and is named."""

import numpy as np
import pytest

from rbo_ref.oracle import MISTAKES, check
from rbo_ref.oracle.cases import all_cases
from tests.examples import some
from tests.rbo_ref.oracle.suspects.explaining import catalogue_alone

PRECISION = {"normal_epsilon", "float32_inside", "float32_norm", "low_precision", "result_rounded"}
CLAIMS = {name: [case.id for case in all_cases() if name in case.catches] for name in MISTAKES}


@pytest.fixture(scope="module")
def reports():
    """By the cases that claim a mistake, and a third of the others; with --full by all of them."""
    with catalogue_alone():
        return {name: check(wrong(), cases=cases_for(name)) for name, wrong in MISTAKES.items()}


def cases_for(name):
    return [*some([case.id for case in all_cases()], 16), *CLAIMS[name]]


def test_the_catalogue_is_large_enough_to_mean_something():
    assert len(MISTAKES) >= 70


@pytest.mark.parametrize("name", MISTAKES)
def test_every_mistake_is_caught_and_the_cases_keep_their_promise(name, reports):
    failed = {result.id for result in reports[name].failures}
    assert not reports[name].passed
    assert len(CLAIMS[name]) >= 2, "every mistake has two cases that are there for it"
    assert failed >= set(CLAIMS[name])


def test_nine_in_ten_are_diagnosed_by_name(reports):
    wrong = {name: r.diagnosis and r.diagnosis.name for name, r in reports.items()}
    missed = {name: found for name, found in wrong.items() if found != name}
    assert len(missed) <= len(MISTAKES) / 10, missed


@pytest.mark.parametrize("name", sorted(set(MISTAKES) - PRECISION))
def test_every_mistake_of_the_mathematics_is_caught_in_float32(name):
    assert not check(MISTAKES[name](), dtype="float32", cases=CLAIMS[name], diagnosis=False).passed


@pytest.mark.parametrize(
    "name", ["normal_flipped", "stale_gradient", "one_step_too_few", "carries_center", "tangent_unit"]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_mistake_in_another_library_is_diagnosed_too(name, dtype):
    pytest.importorskip("torch", reason="torch is not installed")
    report = check(MISTAKES[name](), xp="torch", dtype=dtype, cases=cases_for(name))
    assert report.diagnosis.name == name


def test_memory_is_found_by_the_walk_alone():
    """A port that is right from a fresh start shows its memory only when it walks."""
    report = check(MISTAKES["carries_center"](), diagnosis=False)
    assert {result.level for result in report.failures} == {"walk"}
    assert "step 2" in report.failures[0].message


def test_the_first_wrong_inner_iterate_is_named():
    for name, number in {"stale_gradient": 2, "one_step_too_few": 8, "ascent": 1}.items():
        report = check(MISTAKES[name](), cases="waves-3d", levels="inner", diagnosis=False)
        assert report.failures[0].message.startswith(f"inner iterate {number} of 9 is wrong")


@pytest.mark.parametrize("name", MISTAKES)
def test_every_mistake_is_described(name):
    assert MISTAKES[name].description
    assert MISTAKES[name].name == name
    assert not MISTAKES[name].description.endswith(".")


def demo(loss, theta, *, learning_rate, radius, projection_rate, projection_steps):
    """What the authors' NumPy demo does, in one dimension: a normal (1, −g)/W, subtracted."""
    (f, (g,)), (start,) = loss(theta), theta
    w = np.sqrt(1 + g * g)
    x, y = start - radius / w, f + radius * g / w
    place, x, y = np.array([x]), x - learning_rate * g, y - learning_rate * g * g
    for _ in range(projection_steps):
        f, g = loss(place)
        place = place - projection_rate * (place - x + g * (f - y))
    return place


def test_the_authors_demo_is_known():
    assert check(demo, cases="*-1d").diagnosis.name == "authors_demo"
