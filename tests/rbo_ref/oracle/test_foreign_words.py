"""Ports whose exceptions, results and names do what they should not: the verdict is a fail, in a sentence."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from xml.etree import ElementTree

import numpy as np
import pytest

from rbo_ref._words import printable, quoted, text_of
from rbo_ref.oracle import Diagnosis, Report, Result, RightPort, Skip, check, check_optimizer

right = RightPort()
FORGED = "\x1b[2K\rRIGHT: everything\nRIGHT: all\u202e\ud800"


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no words")


class Numb(Exception):
    def __str__(self):
        return 7


class Leaves(Exception):
    def __str__(self):
        raise SystemExit(0)


class Endless(str):
    __slots__ = ()

    def __len__(self):
        return 0

    def __str__(self):
        return self

    def __iter__(self):
        raise RuntimeError


class Closed(Mapping):
    def __getitem__(self, key):
        raise OSError("closed")

    def __iter__(self):
        raise OSError("closed")

    def __len__(self):
        return 1


class Prickly:
    def __getattr__(self, name):
        raise RuntimeError(f"do not touch {name}")

    def __call__(self, loss, theta, **hyper):
        return right(loss, theta, **hyper)


class AnyBall(RightPort):
    """With the arguments of every optimizer."""

    def __call__(self, loss, theta, **hyper):
        return super().__call__(loss, theta, **hyper)


class Stale(AnyBall):
    def fresh(self):
        raise RuntimeError("nothing is fresh")


class Gone(AnyBall):
    def fresh(self):
        raise SystemExit(0)


class Leaving:
    """Every attribute ends the process."""

    def __getattr__(self, name):
        raise SystemExit(0)

    def __call__(self, loss, theta, **hyper):
        return right(loss, theta, **hyper)


class Unsigned(RightPort):
    @property
    def __signature__(self):
        raise SystemExit(0)


class Strange:
    """What is returned: every attribute raises."""

    def __getattribute__(self, name):
        raise OSError(f"no {name}")


def raising(error):
    def port(loss, theta, **hyper):
        raise error

    return port


def returning(result):
    return lambda loss, theta, **hyper: result


HOSTILE = {
    "mute": (raising(Mute()), "raised Mute: (no text can be had of it)"),
    "numb": (raising(Numb()), "raised Numb: (no text can be had of it)"),
    "leaves": (raising(Leaves()), "raised Leaves: (no text can be had of it)"),
    "a string of its own kind": (raising(ValueError(Endless("x" * 5000))), "raised ValueError: xxx"),
    "mute skip": (raising(type("MuteSkip", (Mute, Skip), {})()), "(no text can be had of it)"),
    "a mapping that cannot be read": (returning(Closed()), "raised OSError: closed"),
    "a result that cannot be touched": (returning(Strange()), "raised OSError: no"),
    "a result of a forged type": (
        returning(type(FORGED.replace("\ud800", ""), (), {})()),
        r"returned theta as \x1b[2K\r",
    ),
    "fresh raises": (Stale(), "raised RuntimeError: nothing is fresh"),
    "fresh exits": (Gone(), "raised SystemExit: 0"),
    "attributes exit": (Leaving(), "raised SystemExit: 0"),
    "attributes raise": (Prickly(), "raised RuntimeError: do not touch fresh"),
    "a masked array": (lambda loss, theta, **h: np.ma.array(right(loss, theta, **h), mask=True), "as MaskedArray, not"),
    "forged": (raising(ValueError(FORGED)), r"raised ValueError: \x1b[2K"),
    "forged keys": (returning({FORGED: 1, 3: 4}), r"(its keys: \x1b[2K\rRIGHT: everything\nRIGHT: all"),
    "many words": (raising(ValueError("x" * 10**7)), "raised ValueError: xxx"),
    "many keys": (returning(dict.fromkeys(range(10**6))), "returned a dict without 'theta' (its keys: 0, 1, 2"),
}


def lines_of_others(report):
    """Everything that is shown, if it is text that a terminal only shows."""
    text = str(report)
    text.encode("utf-8")
    assert all(line.isprintable() for line in text.split("\n"))
    assert len(text) < 20_000
    for line in text.split("\n"):
        assert not line.startswith("RIGHT")
    return text


@pytest.mark.parametrize(("port", "sentence"), HOSTILE.values(), ids=HOSTILE)
def test_whatever_a_port_does_is_a_verdict(port, sentence):
    report = check(port, cases=["plane", "valley-1d"])
    assert not report.passed
    assert all(sentence in result.message for result in report.results)
    lines_of_others(report)
    assert json.loads(report.to_json())["passed"] is False
    ElementTree.fromstring(report.to_junit())
    report.to_html().encode()
    assert len(report.to_junit()) < 100_000


@pytest.mark.parametrize(
    "name", [name for name in HOSTILE if name not in ("many keys", "forged keys", "a masked array")]
)
def test_ports_of_other_optimizers_too(name):
    report = check_optimizer(HOSTILE[name][0], "gradient-descent", cases="plain-*", levels="step")
    assert not report.passed
    lines_of_others(report)


def test_what_a_skip_says_is_shown_in_a_line():
    report = check(raising(Skip(FORGED)), cases="plane")
    assert report.counts["skipped"] == report.counts["results"]
    assert r"skipped 4: \x1b[2K\rRIGHT: everything\nRIGHT: all\u202e\ud800" in lines_of_others(report)


def test_names_are_shown_in_a_line():
    def port(loss, theta, **hyper):
        return theta

    port.__qualname__ = FORGED.replace("\ud800", "")
    report = check(port, cases="plane")
    report.library = FORGED
    assert r"WRONG: \x1b[2K\rRIGHT: everything\nRIGHT: all\u202e (\x1b[2K" in lines_of_others(report)


def test_a_signature_that_cannot_be_read_is_none():
    assert check(Unsigned(), cases="plane").passed


class Loud(float):
    def __repr__(self):
        return FORGED


class Silent(float):
    def __repr__(self):
        raise SystemExit(0)


LOUD, SILENT = Loud(1), Silent(1)


def test_notes_and_facts_are_shown_in_a_line():
    def port(loss, theta, *, extra=LOUD, more=SILENT, learning_rate, radius, projection_rate, projection_steps):
        return theta

    report = check(port, cases="plane")
    told = lines_of_others(report)
    assert r"note: extra=\x1b[2K\rRIGHT: everything" in told
    assert "more=(no text can be had of it)" in told
    report.notes, report.facts = [FORGED], [FORGED]
    report.diagnosis = Diagnosis(FORGED, FORGED, FORGED)
    lines_of_others(report)


FORKS = """
import os
from rbo_ref.oracle import RightPort, check

right = RightPort()

def port(loss, theta, **hyper):
    os.fork()
    return right(loss, theta, **hyper)

report = check(port, cases="plane", levels="step")
assert [r.message for r in report.failures] == ["forked, and came back in two processes"], report
assert check(right, cases="plane", levels="step").passed
print("told")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_copies_of_a_process_end_where_they_come_back():
    """The one that was asked learns of it, and is not asked for ever; other libraries would warn of a fork in here."""
    run = subprocess.run([sys.executable, "-c", FORKS], capture_output=True, text=True, timeout=60)
    assert (run.stdout, run.stderr, run.returncode) == ("told\n", "", 0)


def test_results_are_cut():
    result = Result(FORGED, "step", "fail", None, None, "x" * 10**7)
    assert "\r" not in result.id
    assert len(result.message) < 1100
    assert len(str(Report("p" * 10**6, "numpy", "float64", "authors", [result]))) < 3000


@pytest.mark.parametrize("limit", [1e10, 1e300, float("inf"), 9e9])
def test_centuries_are_a_time_limit(limit):
    assert check(right, cases="plane", levels="step", time_limit=limit).passed
    report = check(raising(ValueError("late")), cases="plane", levels="step", time_limit=limit)
    assert "raised ValueError: late" in report.failures[0].message


def test_printable():
    assert printable(b"\xff\n") == r"\xff\n"
    assert printable("Grüße 漢 🎳") == "Grüße 漢 🎳"
    assert printable(printable(FORGED)) == printable(FORGED)
    assert printable(Mute()) == text_of(Mute()) == "(no text can be had of it)"
    assert type(text_of(Endless("abc"))) is str
    assert quoted("\x07" * 100, 3) == r"'\x07\x07\x07...'"
