"""Ports that raise, hang, or return rubbish get a verdict, and the run goes on; wrong arguments raise."""

import json
import time

import numpy as np
import pytest

from rbo_ref.oracle import OptaxPort, TorchPort, as_port, check_optimizer
from rbo_ref.oracle.catalogue import RIGHT_PORTS

right = RIGHT_PORTS["sam"]()
CASES = ["usual-waves3", "wide-bowl", "adaptive-saddle"]


def raises(loss, theta, **arguments):
    raise ZeroDivisionError("no radius today")


def changes_input(loss, theta, **arguments):
    iterates = right(loss, theta.copy(), **arguments)
    theta[...] = iterates[-1]
    return iterates


def asks_elsewhere(loss, theta, **arguments):
    return loss(theta[:1])


BAD = {
    "raises": (raises, "raised ZeroDivisionError: no radius today (line"),
    "returns None": (lambda loss, theta, **a: None, "returned iterates as NoneType, not as an array, or a list of 1"),
    "too few": (lambda loss, theta, **a: right(loss, theta, **a)[1:], "returned 0 iterates, expected 1"),
    "too many": (lambda loss, theta, **a: [theta, *right(loss, theta, **a)], "returned 2 iterates, expected 1"),
    "numbers": (lambda loss, theta, **a: [1.0] * a["iterations"], "returned iterate 1 as float, not as an array"),
    "wrong shape": (
        lambda loss, theta, **a: [t[None] for t in right(loss, theta, **a)],
        "returned iterate 1 of shape (1, 3), expected (3,)",
    ),
    "flat": (
        lambda loss, theta, **a: np.concatenate(right(loss, theta, **a)),
        "returned iterates of shape (3,), expected (1, 3), or a list of 1",
    ),
    "lower precision": (
        lambda loss, theta, **a: [t.astype("f4") for t in right(loss, theta, **a)],
        "returned iterate 1 as float32, asked for float64",
    ),
    "NaN": (lambda loss, theta, **a: [t * np.nan for t in right(loss, theta, **a)], "it is NaN or infinite"),
    "changes its input": (changes_input, "changed its input theta in place"),
    "odd question": (asks_elsewhere, "the loss was called with shape (1,), expected (3,)"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_port_gets_a_verdict_for_every_case(name):
    port, sentence = BAD[name]
    report = check_optimizer(port, "sam", cases=CASES, diagnosis=False)
    assert not report.passed
    assert [r.id for r in report.results] == [case for case in CASES for _ in range(2)]
    assert sentence in report.failures[0].message, report.failures[0].message
    assert all(result.verdict == "fail" for result in report.results)
    assert sentence in str(report)
    assert json.loads(report.to_json())["passed"] is False


def test_a_port_that_hangs_is_stopped_and_not_asked_too_often():
    def hangs(loss, theta, **arguments):
        while True:
            pass

    began = time.monotonic()
    report = check_optimizer(hangs, "sam", cases=CASES, time_limit=0.2)
    assert time.monotonic() - began < 5
    assert "no answer within 1 s" in report.failures[0].message
    assert "not called: the port gave no answer too often" in report.failures[-1].message


def test_a_zero_gradient_needs_the_epsilon():
    """0/0 is what the formula without it gives, too; that reading which says θ stays is not this port."""
    report = check_optimizer(lambda loss, theta, **a: right(loss, theta, **(a | {"epsilon": 0.0})), "sam")
    assert {r.verdict for r in report.results if r.id.startswith("rest-")} == {"fail"}
    assert report.diagnosis.name == "length-edited"
    assert "length: |g| instead of |g| + ε" in str(report)


def test_noise_of_a_lower_precision_is_no_mistake_of_the_mathematics():
    def noisy(loss, theta, **arguments):
        return [t * (1 + 1e-9 * np.sin(1e6 * t)) for t in right(loss, theta, **arguments)]

    report = check_optimizer(noisy, "sam")
    assert not report.passed
    assert report.diagnosis.name in ("low_precision", "float32_inside")
    assert "errors are small" in report.diagnosis.evidence


def test_a_port_that_no_mistake_explains_stays_without_a_diagnosis(no_pairs):
    report = check_optimizer(lambda loss, theta, **a: [theta + t for t in right(loss, theta, **a)], "sam", cases=CASES)
    assert report.diagnosis is None
    assert "no known mistake reproduces this output" in str(report)


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({"port": 3}, TypeError, "port must be callable, got int"),
        (
            {"optimizer": "adan"},
            ValueError,
            "optimizer must be one of rolling-ball, gradient-descent, adam, .*, got 'adan'",
        ),
        ({"dtype": "float8"}, ValueError, "dtype must be one of float16, bfloat16, float32, float64, got 'float8'"),
        ({"dialect": "code"}, ValueError, "dialect must be one of paper, without-epsilon, got 'code'"),
        ({"levels": ["steps"]}, ValueError, "levels must be among step, walk, got 'steps'"),
        ({"cases": ["nothing-*"]}, ValueError, "cases: 'nothing-\\*' matches none of usual-waves3"),
        ({"time_limit": 0}, ValueError, "time_limit must be positive, got 0"),
        ({"xp": 5}, TypeError, "xp must be an array library, got 5"),
        ({"seed": -1}, ValueError, "seed must be"),
        ({"inner_dtype": "bfloat16"}, ValueError, "inner_dtype .* is for muon, got 'bfloat16' for sam"),
        ({"optimizer": "muon", "inner_dtype": "int8"}, ValueError, "inner_dtype must be 'bfloat16' or 'float32'"),
    ],
)
def test_wrong_arguments_raise(arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        check_optimizer(**{"port": right, "optimizer": "sam", **arguments})


def test_progress_is_told():
    told = []
    check_optimizer(right, "sam", cases=CASES, progress=lambda done, count: told.append((done, count)))
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_an_optimizer_without_a_hyper_parameter_is_told_so():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    with pytest.raises(TypeError, match="SGD has no parameter for betas; SGD was taken for an optimizer"):
        check_optimizer(TorchPort(torch.optim.SGD), "adam", xp="torch", cases="usual-flat")


def test_ports_are_recognised():
    assert as_port(right) is right
    assert isinstance(as_port(RIGHT_PORTS["sam"]), RIGHT_PORTS["sam"])
    assert isinstance(as_port(lambda learning_rate, b1, b2, eps: None), OptaxPort)
    anything = lambda loss, theta, **arguments: []  # noqa: E731
    assert as_port(anything) is anything
    with pytest.raises(TypeError, match="a port must be callable, got int"):
        as_port(3)
