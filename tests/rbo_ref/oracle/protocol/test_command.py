"""``rbo-ref check -- COMMAND``, as its users run it."""

import json

import pytest

from rbo_ref.cli import main
from rbo_ref.cli._arguments import split
from tests.rbo_ref.oracle.protocol import wicked
from tests.rbo_ref.oracle.protocol.conversations import actor, conversations
from tests.rbo_ref.oracle.protocol.test_port import RIGHT, script


def test_a_right_program(capsys):
    assert main(["check", "--case", "plane", "--", *RIGHT]) == 0
    assert "is empty never (Python, float64, dialect authors" in capsys.readouterr().out


def test_a_wrong_program_is_wrong_however_it_ends(capsys):
    for behaviour in ("dies", "is a banner"):
        assert main(["check", "--case", "plane", "--", *RIGHT[:-2], behaviour, "start"]) == 1
    out = capsys.readouterr().out
    assert "FAIL plane [step]: ended with exit status 3" in out
    assert "printed 'Welcome to port 1.0!', which is not JSON" in out


def test_a_program_that_hangs(capsys):
    assert main(["check", "--time-limit", "0.2", "--", "sleep", "1000"]) == 1
    assert "no answer within 0.2 s (does it flush its output after each line?)" in capsys.readouterr().out


def test_the_transcript_is_the_conversation(tmp_path, capsys):
    for number, conversation in enumerate(conversations()):
        file = tmp_path / f"{number}.txt"
        arguments = ["--case", "bowl-one", "--level", "step", "--transcript", str(file)]
        assert main(["check", *arguments, "--", *actor(conversation)]) == 0
        assert file.read_text().splitlines() == [" ".join(turn) for turn in conversation]


def test_the_declared_dialect_is_the_default(capsys):
    command = script({"id": 1, "skip": "why"}, dialects={"rolling-ball": "full-contact"})
    main(["check", "--case", "plane", "--level", "step", "--", *command])
    assert "dialect full-contact" in capsys.readouterr().out
    main(["check", "--case", "plane", "--level", "step", "--dialect", "authors", "--", *command])
    assert "dialect authors" in capsys.readouterr().out


def test_a_report_in_json(capsys):
    assert main(["check", "--case", "plane", "--json", "-", "--", *RIGHT]) == 0
    (report,) = json.loads(capsys.readouterr().out)["reports"]
    assert report["library"] == "Python"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--"], "expected a command after --"),
        (["--", "./no/such/program"], "cannot start ./no/such/program: No such file or directory"),
        (["--", wicked.__file__], "Permission denied"),
        (["--", "a\0b"], "embedded null byte"),
        (["--xp", "numpy", "--", "cat"], "--xp goes with a port in Python, not with a program"),
        (["port:step", "--", "cat"], "MODULE:ATTRIBUTE goes with a port in Python, not with a program"),
        (["--time-limit", "-1", "--", "cat"], "time_limit must be positive, got -1"),
        (["--transcript", "no/such/folder/file", "--", "cat"], "cannot write no/such/folder/file"),
        (["--transcript", "file", "port:step"], "--transcript goes with a program"),
        (["--dtype", "float32", "--", *RIGHT], "the program declares no dtype float32, but float64"),
        (["--optimizer", "adam", "--", *RIGHT], "the program declares no optimizer adam, but rolling-ball"),
        (["--", *script(version=2)], "the program speaks version 2 of the protocol, not 1"),
        (["--", *script(dialects={"rolling-ball": "welsh"})], "dialect must be one of authors"),
        (["--case", "none", "--", *RIGHT], "cases: 'none' matches none of"),
    ],
)
def test_what_cannot_run_is_a_sentence_and_status_2(capsys, arguments, sentence):
    assert main(["check", *arguments]) == 2
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert "Traceback" not in captured.err + captured.out


def test_two_dashes_are_special_after_check_alone():
    assert split(["iron", "--", "-image.png"]) == (["iron", "--", "-image.png"], None)
    assert split(["check", "--seed", "1", "--", "port", "--", "x"]) == (["check", "--seed", "1"], ["port", "--", "x"])
    assert split(["check", "module:step"]) == (["check", "module:step"], None)
