"""``rbo-ref check`` writes its reports into files."""

import json
from xml.etree import ElementTree

import pytest

from rbo_ref.cli import main

PORT = "from rbo_ref.oracle import MISTAKES, RightPort\nright, wrong = RightPort(), MISTAKES['ascent']()\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "two_ports.py").write_text(PORT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_all_three_files(folder, capsys):
    files = ["--json", "r.json", "--junit", "r.xml", "--html", "r.html"]
    assert main(["check", "two_ports.py:wrong", "--case", "crest-1d", *files]) == 1
    assert capsys.readouterr().out.startswith("WRONG")
    assert json.loads((folder / "r.json").read_text())["reports"][0]["diagnosis"]["name"] == "ascent"
    assert ElementTree.parse(folder / "r.xml").find(".//failure") is not None
    page = (folder / "r.html").read_text(encoding="utf-8")
    assert "WRONG: two_ports.py:wrong" in page
    assert "it left the truth" in page


@pytest.mark.parametrize(("option", "start"), [("--json", "{"), ("--junit", "<?xml"), ("--html", "<!DOCTYPE html>")])
def test_to_standard_output_goes_the_file_alone(folder, capsys, option, start):
    assert main(["check", "two_ports.py:right", "--case", "plane", option, "-"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(start)
    assert "level " not in out.splitlines()[0]


@pytest.mark.parametrize("option", ["--json", "--junit", "--html"])
def test_a_file_that_cannot_be_written_is_a_sentence(folder, capsys, option):
    assert main(["check", "two_ports.py:right", "--case", "plane", option, "no/where"]) == 2
    assert "rbo-ref: cannot write no/where" in capsys.readouterr().err


def test_several_ports_share_a_file(folder, capsys):
    assert main(["check", "--xp", "numpy", "--case", "plane", "--junit", "r.xml", "--html", "r.html"]) == 0
    assert "2 ports judged: all RIGHT" in capsys.readouterr().out
    names = {case.get("classname") for case in ElementTree.parse(folder / "r.xml").iter("testcase")}
    assert {"rbo_ref.RollingBall.step", "numpy_port.py.step"} <= names
    assert (folder / "r.html").read_text(encoding="utf-8").count("<section") == 2
