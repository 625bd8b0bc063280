"""Ports that raise, hang, or return rubbish get a verdict, and the run goes on."""

import time

import numpy as np
import pytest

from rbo_ref.oracle import RightPort, check

right = RightPort()


def raises(loss, theta, **hyper):
    raise ZeroDivisionError("no radius today")


def hangs(loss, theta, **hyper):
    while True:
        pass


def asks_forever(loss, theta, **hyper):
    while True:
        loss(theta)


def swallows_everything(loss, theta, **hyper):
    try:
        raise SystemExit(3)
    finally:
        pass


def changes_input(loss, theta, **hyper):
    theta[...] = right(loss, theta.copy(), **hyper)
    return theta.copy()


def inner_list_of_lists(loss, theta, **hyper):
    return {"theta": right(loss, theta, **hyper), "inner": [[0.0]]}


BAD = {
    "raises": (raises, "raised ZeroDivisionError: no radius today (line"),
    "exits": (swallows_everything, "raised SystemExit: 3"),
    "returns None": (lambda loss, theta, **h: None, "returned theta as NoneType, not as an array"),
    "returns a list": (lambda loss, theta, **h: list(theta), "returned theta as list, not as an array"),
    "returns a number": (lambda loss, theta, **h: 1.0, "returned theta as float, not as an array"),
    "wrong shape": (lambda loss, theta, **h: theta[None, :], "returned theta of shape (1, 3), expected (3,)"),
    "lower precision": (lambda loss, theta, **h: right(loss, theta, **h).astype("f4"), "as float32, asked for float64"),
    "higher precision": (lambda loss, theta, **h: theta.astype(np.longdouble), "asked for float64"),
    "integers": (lambda loss, theta, **h: theta.astype(int), "returned theta as int64, asked for float64"),
    "NaN": (lambda loss, theta, **h: theta * np.nan, "returned theta with NaN or infinite entries"),
    "inf": (lambda loss, theta, **h: theta / 0, "returned theta with NaN or infinite entries"),
    "no theta": (lambda loss, theta, **h: {"params": theta}, "returned a dict without 'theta' (its keys: params)"),
    "changes its input": (changes_input, "changed its input theta in place"),
    "odd normal": (
        lambda loss, theta, **h: {"theta": right(loss, theta, **h), "normal": theta},
        "returned normal of shape (3,), expected (4,)",
    ),
    "odd inner list": (inner_list_of_lists, "returned inner as list, not as an array"),
    "inner is no list": (
        lambda loss, theta, **h: {"theta": right(loss, theta, **h), "inner": 3},
        "returned inner as int, not as a list",
    ),
    "odd question": (lambda loss, theta, **h: loss(theta[:1])[1], "the loss was called with shape (1,), expected (3,)"),
    "question as list": (lambda loss, theta, **h: loss([1.0])[1], "the loss was called with list, not an array"),
    "question in integers": (
        lambda loss, theta, **h: loss(theta.astype(int))[1],
        "must be a floating dtype, got int64",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_port_gets_a_verdict_for_every_case(name):
    port, sentence = BAD[name]
    report = check(port, cases=["waves-3d", "waves-3d-far", "schedule-3d"], diagnosis=False)
    assert not report.passed
    assert {result.id for result in report.results} == {"waves-3d", "waves-3d-far", "schedule-3d"}
    assert sentence in report.failures[0].message, report.failures[0].message
    assert all(result.verdict in ("fail", "skipped") for result in report.results)
    assert sentence in str(report)


@pytest.mark.parametrize("port", [hangs, asks_forever], ids=lambda port: port.__name__)
def test_a_port_that_hangs_is_stopped_and_not_asked_too_often(port):
    began = time.monotonic()
    report = check(port, cases=["waves-3d", "bowl-*", "walk-2d"], time_limit=0.2)
    assert time.monotonic() - began < 5
    messages = [result.message for result in report.failures]
    assert "no answer within 1 s" in messages[0]
    assert "not called: the port gave no answer too often" in messages[-1]
    assert {result.id for result in report.results} >= {"waves-3d", "walk-2d"}


def test_a_port_that_fails_now_and_then_is_judged_on_the_rest():
    def moody(loss, theta, **hyper):
        if theta.shape[0] == 2:
            raise RuntimeError("not for two")
        return right(loss, theta, **hyper)

    report = check(moody, diagnosis=False)
    assert not report.passed
    assert {r.id for r in report.failures} == {r.id for r in report.results if _dimension(r.id) == 2}


def _dimension(case_id):
    from rbo_ref.oracle.cases import all_cases

    return next(case.dimension for case in all_cases() if case.id == case_id)


def test_a_port_that_does_nothing_is_wrong():
    report = check(lambda loss, theta, **hyper: theta.copy(), diagnosis=False)
    assert not report.passed
    assert len({result.id for result in report.failures}) >= 35


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({"port": 3}, TypeError, "port must be callable, got int"),
        ({"dtype": "float8"}, ValueError, "dtype must be one of float16, bfloat16, float32, float64, got 'float8'"),
        ({"dtype": "bfloat16"}, ValueError, "numpy has no bfloat16; PyTorch and JAX have"),
        ({"compute_dtype": "int8"}, ValueError, "compute_dtype must be one of float16, bfloat16, tf32, float32, float"),
        ({"dialect": "welsh"}, ValueError, "dialect must be one of authors"),
        ({"levels": ["steps"]}, ValueError, "levels must be among primitives"),
        ({"cases": ["nothing-*"]}, ValueError, "cases: 'nothing-\\*' matches none of valley-1d"),
        ({"time_limit": 0}, ValueError, "time_limit must be positive, got 0"),
        ({"xp": 5}, TypeError, "xp must be an array library, got 5"),
        ({"seed": -1}, ValueError, "seed must be"),
    ],
)
def test_wrong_arguments_raise(arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        check(**{"port": right, **arguments})


def test_jax_without_64_bits_is_refused():
    jax = pytest.importorskip("jax", reason="jax is not installed")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", False)
    try:
        with pytest.raises(ValueError, match=r"turns float64 into float32; call .*jax_enable_x64"):
            check(right, xp="jax")
    finally:
        jax.config.update("jax_enable_x64", before)


def test_nothing_decided_is_no_pass():
    report = check(right, cases="eq13-paper", levels="step")
    assert not report.passed
    assert not report.failures
    assert "NOTHING DECIDED" in str(report)
