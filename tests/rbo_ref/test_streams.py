"""Whatever the streams, files and words are: a verdict has its status, and everything else is 2 and a sentence."""

import io
import json
import os
import signal
import subprocess
import sys
from types import ModuleType
from xml.etree import ElementTree

import pytest

import rbo_ref_command
from rbo_ref._processes import started_quietly
from rbo_ref.cli import main

PORTS = r"""
import os, sys
from contextlib import suppress
from rbo_ref.oracle import MISTAKES, RightPort, Skip
LOG = sys.stdout
right, wrong = RightPort(), MISTAKES['ascent']()

def forged(loss, theta, **hyper):
    raise ValueError("\x1b[2K\rRIGHT: all\nRIGHT: all\ud800" + 10**7 * "x")

def closes(loss, theta, **hyper):
    for stream in sys.stdout, sys.stderr:
        stream.close()
    for number in (1, 2):
        with suppress(OSError):
            os.close(number)
    sys.stdout = sys.stderr = None
    return right(loss, theta, **hyper)

def prints(loss, theta, **hyper):
    for stream in sys.stdout, sys.stderr, LOG:
        print("RIGHT: all", file=stream)
    os.write(1, b"RIGHT: all\n")
    return wrong(loss, theta, **hyper)

def leaves(loss, theta, **hyper):
    os.chdir("/")
    return right(loss, theta, **hyper)

class Strange:
    library = 3
    def __call__(self, loss, theta, **hyper):
        return theta

class Named(RightPort):
    language = "\x1b[2K\rRIGHT: all\nRIGHT: all\ud800"

class Greek(RightPort):
    language = "\u03bb"

strange, named, greek = Strange(), Named(), Greek()
"""
HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
linux = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "some_ports.py").write_text(PORTS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "some_ports", raising=False)
    return tmp_path


def shell(command, **environment):
    """The status of a shell's command, in which $R is ours."""
    environment = {**os.environ, "PYTHONPATH": HERE, "R": f"{sys.executable} -m rbo_ref.cli", **environment}
    run = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, check=False, timeout=100)
    assert b"Traceback" not in run.stderr + run.stdout
    assert b"Exception ignored" not in run.stderr
    return run.returncode, run.stdout.decode("utf-8", "strict"), run.stderr.decode("utf-8", "strict")


# Streams.


@linux
@pytest.mark.parametrize("command", ["check some_ports.py:right --case plane", "mistakes", "--help"])
def test_a_full_standard_output(folder, command):
    told = "rbo-ref: cannot write to standard output: No space left on device\n"
    assert shell(f"$R {command} > /dev/full") == (2, "", told)


def test_closed_streams(folder):
    assert shell("$R check some_ports.py:right --case plane --json r.json >&- 2>&- <&-")[0] == 0
    assert json.loads((folder / "r.json").read_text())["passed"] is True
    assert shell("$R check some_ports.py:wrong --case plane >&-")[::2] == (1, "")
    assert shell("$R check some_ports.py:nothing 2>&-")[0] == 2


@linux
def test_a_full_standard_error(folder):
    assert shell("$R check some_ports.py:nothing 2> /dev/full")[0] == 2


def test_a_reader_who_leaves(folder):
    assert shell("{ $R mistakes; echo $? >&2; } | true") in [(0, "", "2\n"), (0, "", "0\n")]


def test_a_terminal_in_ascii(folder):
    status, out, told = shell("$R iron --help && $R iron sine --radius 0 --box -1e-3 1e-3", PYTHONIOENCODING="ascii")
    assert (status, told) == (0, "")
    assert r"\u0394(\u03c1)" in out


def test_a_terminal_in_latin(folder):
    status, out, _ = shell("$R mistakes", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert status == 0
    assert "ascent" in out


def test_a_port_that_closes_the_streams_has_not_closed_ours(folder):
    status, out, _ = shell("$R check some_ports.py:closes --case plane")
    assert (status, out[:6]) == (0, "RIGHT:")


def test_what_a_port_prints_is_not_in_the_report(folder):
    status, out, told = shell("$R check some_ports.py:prints --case plane --json -")
    assert (status, json.loads(out)["passed"]) == (1, False)
    assert told.count("RIGHT: all") >= 4


def test_a_port_that_goes_elsewhere_does_not_take_the_report_with_it(folder):
    assert shell("$R check some_ports.py:leaves --case plane --json r.json")[0] == 0
    assert json.loads((folder / "r.json").read_text())["passed"] is True


@linux
def test_a_report_on_a_full_disk_and_a_transcript(folder):
    status, _, told = shell("$R check some_ports.py:right --case plane --json /dev/full")
    assert (status, told) == (2, "rbo-ref: cannot write /dev/full: No space left on device\n")
    assert shell("$R check --case plane --transcript /dev/full -- true")[0] == 2


def test_a_report_on_standard_output_is_in_utf_8_and_a_device_is_written_to(folder):
    for file in ("-", "/dev/stdout"):
        command = f"$R check some_ports.py:greek --case plane --html {file} | cat"
        status, out, _ = shell(command, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
        assert status == 0
        assert "<!DOCTYPE html>" in out
        assert "λ" in out


# The last resort.


def test_an_error_of_our_own_is_a_sentence(folder, monkeypatch, capsys):
    def broken(*_, **__):
        raise LookupError("nobody\nexpects \x1b[31mthis")

    monkeypatch.setattr("rbo_ref.cli._cases.all_cases", broken)
    assert main(["cases"]) == 2
    told = capsys.readouterr().err
    assert told == "rbo-ref: LookupError: nobody\\nexpects \\x1b[31mthis (--debug shows where)\n"
    for arguments in (["--debug", "cases"], ["cases", "--debug"]):
        assert main(arguments) == 2
        lines = capsys.readouterr().err.splitlines()
        assert (lines[0], f"{lines[-1]}\n") == ("Traceback (most recent call last):", told)
        assert all(line.isprintable() for line in lines)


def test_ctrl_c_while_importing_is_a_sentence(monkeypatch, capsys):
    class Interrupted(ModuleType):
        def __getattr__(self, name):
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "rbo_ref.cli", Interrupted("rbo_ref.cli"))
    assert rbo_ref_command.main() == 2
    assert capsys.readouterr().err == "rbo-ref: interrupted\n"


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="there are no masks of signals")
def test_workers_do_not_hear_ctrl_c_before_they_can_answer():
    code = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))"
    with started_quietly():
        heard = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True).stdout
    assert heard == "True\n"
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_streams_of_others_are_left_alone(monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["cases"]) == 0
    assert "eq13-paper" in out.getvalue()


# Words.


@pytest.mark.parametrize(("port", "status", "word"), [("forged", 1, "WRONG"), ("named", 0, "RIGHT: some_ports")])
def test_no_verdict_can_be_forged(folder, capsys, port, status, word):
    files = ["--json", "r.json", "--junit", "r.xml", "--html", "r.html"]
    assert main(["check", f"some_ports.py:{port}", "--case", "plane", *files]) == status
    out = capsys.readouterr().out
    lines = out.encode("utf-8").decode().split("\n")
    assert lines[0].startswith(word)
    assert all(line.isprintable() for line in lines)
    assert not any(line.startswith("RIGHT") for line in lines[1:])
    assert len(out) < 10_000
    assert json.loads((folder / "r.json").read_text())["passed"] is (status == 0)
    assert (ElementTree.parse(folder / "r.xml").find(".//failure") is None) is (status == 0)
    assert (folder / "r.html").stat().st_size < 200_000


def test_a_library_that_is_no_name(folder, capsys):
    assert main(["check", "some_ports.py:strange"]) == 2
    assert "the library of some_ports.py:strange must be the name of one, got 3" in capsys.readouterr().err


RUN = ["--loss", "himmelblau", "--learning-rate", ".01", "--radius", ".5", "--projection-rate", ".001"]


@pytest.mark.parametrize("port", [r"\u001b[2K\rRIGHT: run.csv (float64)\n\u001b[8m", r"\ud800", "x" * 10**6])
def test_a_recording_cannot_forge_a_verdict(folder, capsys, port):
    (folder / "s.csv").write_text(f'# port: "{port}"\ntheta_0,theta_1\n0.5,0.5\n0.6,0.6\n')
    assert main(["replay", "s.csv", *RUN, "--projection-steps", "5", "--junit", "r.xml"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("WRONG: ")
    assert all(line.isprintable() for line in out.encode().decode().split("\n"))
    assert len(out) < 5000
    ElementTree.parse(folder / "r.xml")


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux")
def test_a_name_that_is_not_unicode(folder):
    (folder / os.fsdecode(b"\xff\x1b[2K.csv")).write_text("theta_0,theta_1\n0.5,0.5\n0.6,0.6\n")
    command = "$R replay $'\\xff\\x1b[2K.csv' " + " ".join(RUN) + " --projection-steps 5 --json r.json"
    status, out, _ = shell(command, PYTHONIOENCODING="utf-8:strict")
    assert status == 1
    assert out.startswith(r"WRONG: \udcff\x1b[2K.csv")
    assert json.loads((folder / "r.json").read_text())["passed"] is False


# Options.


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["check", "some_ports.py:right", "--json", "-", "--html", "-"],
            "--json and --html must name two files",
        ),
        (["check", "some_ports.py:right", "--json", "r", "--junit", "./r"], "--json and --junit must name two files"),
        (
            ["replay", "s.csv", "--junit", "-", "--html", "-"],
            "--junit and --html must name two files, got",
        ),
        (["matrix", "--csv", "-", "--html", "-"], "--csv and --html must name two files, got '-' for both"),
    ],
)
def test_two_files_under_one_name_are_refused(folder, capsys, arguments, sentence):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("limit", ["1e10", "inf", "1e300"])
def test_centuries_are_a_time_limit(folder, limit):
    assert main(["check", "some_ports.py:right", "--case", "plane", "--time-limit", limit]) == 0


@pytest.mark.parametrize("number", ["-1e-3", "-1E-3", "-.5e+0", "-1.e-2", "-0.001"])
def test_negative_numbers_with_exponents(folder, capsys, number):
    assert main(["iron", "sine", "--radius", "0", "--box", number, "1e-3", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["range"][0] > 0


def test_a_negative_start(folder):
    pytest.importorskip("matplotlib")
    assert main(["draw", "sine", "--start", "-1e-3", "--steps", "1", "--out", "a.png"]) == 0


def test_a_report_that_cannot_be_written_leaves_the_old_one(folder, monkeypatch, capsys):
    (folder / "r.json").write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("geometry._files.os.open", full)
    assert main(["check", "some_ports.py:right", "--case", "plane", "--json", "r.json"]) == 2
    assert "cannot write r.json: No space left on device" in capsys.readouterr().err
    assert (folder / "r.json").read_text() == "old"
    assert not list(folder.glob(".*.new"))
