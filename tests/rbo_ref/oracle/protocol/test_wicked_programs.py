"""Whatever a program does, there is a verdict, soon, and nothing of it is left."""

import subprocess
import sys
import time

import pytest

from rbo_ref.oracle import ProgramPort, check
from tests.rbo_ref.oracle.protocol import wicked

SENTENCES = {
    "dies": "ended with exit status 3",
    "dies without a sound": "ended with exit status 0",
    "segfaults": "was killed by SIGSEGV",
    "aborts": "was killed by SIGABRT",
    "says goodbye": r"ended with exit status 7; its last words: 'out of \\xff\x1b[31m memory'",
    "hangs": "no answer within 0.2 s",
    "ignores SIGTERM": "no answer within 0.2 s",
    "drips": "no answer within 0.2 s",
    "asks forever": "no answer within 0.2 s",
    "closes its input": "closed its standard input",
    "closes its output": "closed its standard output",
    "leaves a child": "no answer within 0.2 s",
    "leaves a child in its own session": "no answer within 0.2 s",
    "floods a line": "printed more than 4194304 bytes on one line",
    "floods lines": "printed 'x', which is not JSON",
    "floods messages": "asked for the loss at 0 numbers; theta has 2",
    "floods standard error": "no answer within 0.2 s; its last words: ",
    "floods with zeros": "printed more than 4194304 bytes on one line",
    "is no UTF-8": "which is not UTF-8",
    "is empty": "printed '', which is not JSON",
    "is a banner": "printed 'Welcome to port 1.0!', which is not JSON",
    "is a control sequence": r"printed '\x1b]0;owned\x07\x1b[2J\r', which is not JSON",
    "is a number": "printed '3', which is not a JSON object",
    "is a list": "printed '[1, 2]', which is not a JSON object",
    "is null": "which is not a JSON object",
    "is half a message": "which is not JSON",
    "is NaN": "NaN is no JSON number",
    "is a large integer": "printed a wrong number",
    "is nested": "nested too deeply",
    "is nested objects": "nested too deeply",
    "has a key twice": "a key occurs twice",
    "has a lone surrogate": r"answered with an error: \ud800",
    "has another key": "result must not contain {'centre'} properties",
    "has no key": "was expected",
    "has two answers": "was expected",
    "has a wrong type": "result.theta must be array",
    "has a wrong entry": "result.theta[0] must be string or number",
    "has text for numbers": "result.theta[0] must match pattern",
    "has short patterns": "a bit pattern of float64 is 0x and 16 hexadecimal digits, got '0x3f80'",
    "has decimals": "a bit pattern of float64 is 0x and 16 hexadecimal digits, got '1.0'",
    "has too few numbers": "returned theta of shape (1,), expected (2,)",
    "has no numbers": "returned theta of shape (0,), expected (2,)",
    "asks about too few": "asked for the loss at 1 numbers; theta has 2",
    "asks about infinity": "returned theta with NaN or infinite entries",
    "has infinity": "returned theta with NaN or infinite entries",
    "has another id": "answered run 99, where run 1 was asked",
    "has no id": "result must contain ['id'] properties",
    "has an odd inner": "returned inner of shape (1,), expected (2,)",
    "has an odd normal": "returned normal of shape (0,), expected (3,)",
    "is an error": r"answered with an error: division by zero\nin line 3",
    "is a skip": "not today",
    "is of another version": "was expected",
    "declares nothing": "was expected",
}
SOME = [  # for the other moments, where the same lines refuse whatever comes
    *("dies", "segfaults", "says goodbye", "hangs", "closes its input", "closes its output", "leaves a child"),
    *("floods a line", "floods messages", "floods standard error", "is a banner", "is nested", "declares nothing"),
]


def wicked_port(behaviour, moment):
    """A port that has time to start, and little to run if it will use it up."""
    port = ProgramPort([sys.executable, "-S", wicked.__file__, behaviour, moment], time_limit=20)
    silent = SENTENCES.get(behaviour, "").startswith("no answer")
    if silent and moment != "start":
        port.require("float64")
    if silent:
        port.time_limit = 0.2
    return port


def judged(behaviour, moment):
    """The result of a step of a wicked program, and the group of its processes."""
    with wicked_port(behaviour, moment) as port:
        group = port._program._process.pid
        (result,) = check(port, cases="plane", levels="step", diagnosis=False).results
    return result, group


def is_gone(group):
    """Whether no process of the group is left alive; the kernel takes a moment."""
    for _ in range(100):
        lines = subprocess.run(["ps", "-A", "-o", "pgid=,stat="], capture_output=True, text=True, check=True).stdout
        states = [state for pgid, state in map(str.split, lines.splitlines()) if int(pgid) == group]
        if all(state.startswith("Z") for state in states):
            return True
        time.sleep(0.01)
    return False


def test_every_behaviour_has_its_sentence():
    assert SENTENCES.keys() == wicked.BEHAVIOURS.keys()


@pytest.mark.parametrize("behaviour", wicked.BEHAVIOURS)
def test_a_wicked_program_gets_a_verdict(behaviour):
    result, _ = judged(behaviour, "run")
    assert result.verdict == ("skipped" if behaviour == "is a skip" else "fail")
    assert SENTENCES[behaviour] in result.message
    assert result.message.isprintable()


@pytest.mark.parametrize("moment", ["start", "evaluation"])
@pytest.mark.parametrize("behaviour", SOME)
def test_at_any_moment_and_nothing_of_it_is_left(behaviour, moment):
    result, group = judged(behaviour, moment)
    assert result.verdict == "fail"
    assert result.message.isprintable()
    assert is_gone(group)


def test_without_misbehaving_it_is_right():
    with wicked_port("is empty", "never") as port:
        assert check(port, cases=["plane", "waves-10d", "walk-2d"]).passed


def test_a_program_that_answers_twice_is_wrong():
    with wicked_port("answers twice", "never") as port:
        report = check(port, cases=["plane", "waves-3d"], levels="step", diagnosis=False)
    told = " ".join(result.message for result in report.failures)
    assert "answered run 1, where run 2 was asked" in told or "after its answer" in told


def test_a_program_that_hangs_is_not_asked_too_often():
    with wicked_port("hangs", "run") as port:
        report = check(port, levels="step", cases=["plane", "bowl-*", "waves-3d"], diagnosis=False)
    messages = [result.message for result in report.failures]
    assert messages[:2] == ["no answer within 0.2 s"] * 2
    assert set(messages[2:]) == {"not called: the port gave no answer too often"}


@pytest.mark.parametrize("behaviour", ["hangs", "asks forever"])
def test_the_limit_of_the_check_holds_too(behaviour):
    began = time.monotonic()
    with ProgramPort([sys.executable, "-S", wicked.__file__, behaviour, "run"], time_limit=60) as port:
        group = port._program._process.pid
        (result,) = check(port, cases="plane", levels="step", time_limit=0.3, diagnosis=False).results
        assert port._program is None
    assert result.message == "no answer within 1.5 s"
    assert time.monotonic() - began < 10
    assert is_gone(group)
