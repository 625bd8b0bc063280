"""The kill matrix: which case catches which wrong port."""

import csv
import re
from xml.etree import ElementTree

import pytest

from rbo_ref.cli import main
from rbo_ref.oracle import check
from rbo_ref.oracle.cases import all_cases, select
from rbo_ref.oracle.catalogue import CATALOGUES as OTHERS
from rbo_ref.oracle.catalogue import MISTAKES, catalogue
from rbo_ref.oracle.matrix import KillMatrix, Row, kill_matrix

FEW = ("carries_center", "parameters_clamped")


@pytest.fixture
def few(monkeypatch):
    """Catalogues of two."""
    for catalogued, names in ((MISTAKES, FEW), (OTHERS["sam"], ("ascent", "descends_first"))):
        for name in set(catalogued) - set(names):
            monkeypatch.delitem(catalogued, name)


def test_it_holds_what_checks_find(few):
    told = []
    matrix = kill_matrix(progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]
    assert matrix.cases == tuple(case.id for case in all_cases())
    assert {row.mistake for row in matrix.rows} == set(FEW)
    for row in matrix.rows:
        report = check(MISTAKES[row.mistake]())
        assert set(row.kills) == {result.id for result in report.failures}
        assert row.diagnosis == report.diagnosis.name == row.mistake
    assert matrix.passed


def test_of_another_optimizer_in_another_dtype(few):
    matrix = kill_matrix("sam", "float32")
    assert matrix.cases == tuple(case.id for case in select("sam"))
    assert {row.mistake: row.diagnosis for row in matrix.rows} == {
        "ascent": "ascent",
        "descends_first": "descends_first",
    }
    assert matrix.passed


def test_side_by_side_it_is_the_same():
    """Workers have a catalogue of their own."""
    matrix = kill_matrix("gradient-descent", processes=2)
    assert [row.mistake for row in matrix.rows] == list(catalogue("gradient-descent"))
    assert matrix.passed


ROWS = (Row("a", "a", ("x", "y")), Row("b", "a", ("x", "y")), Row("c", "", ("z",)), Row("d", "d", ()))


def matrix_of(*rows):
    return KillMatrix("rolling-ball", "float64", ("x", "y", "z"), rows, 1.0)


def test_what_it_takes_to_pass():
    named = [Row(f"m{k}", f"m{k}", ("x", "y")) for k in range(9)]
    assert matrix_of(*named, ROWS[1]).passed  # nine in ten are named
    assert not matrix_of(*named[:8], ROWS[1]).passed
    assert not matrix_of(*named, ROWS[2]).passed  # caught by one case only
    assert not matrix_of(*named, ROWS[3]).passed  # survives
    assert matrix_of(*ROWS).thin == ["c", "d"]


def test_as_text_csv_and_page():
    matrix = matrix_of(*ROWS)
    text = str(matrix)
    assert "3 of 4 wrong ports killed, each by 0 of 3 cases or more;\n2 diagnosed by name" in text
    assert "c                                  killed by   1 cases   diagnosed as nothing known" in text
    assert list(csv.reader(matrix.to_csv().splitlines())) == [
        ["mistake", "diagnosis", "x", "y", "z"],
        ["a", "a", "1", "1", "0"],
        ["b", "a", "1", "1", "0"],
        ["c", "", "0", "0", "1"],
        ["d", "d", "0", "0", "0"],
    ]
    (picture,) = re.findall(r"<svg.*?</svg>", matrix.to_html(), re.DOTALL)
    squares = [path.get("d", "").count("M") for path in ElementTree.fromstring(picture).iter("path")]
    assert squares[1::2] == [2, 2, 1, 0]


def test_the_command(few, tmp_path, capsys):
    files = {name: tmp_path / f"matrix.{name}" for name in ("csv", "html")}
    arguments = ["--optimizer", "sam", "--processes", "1", "--csv", str(files["csv"]), "--html", str(files["html"])]
    assert main(["matrix", *arguments]) == 0
    assert "2 of 2 wrong ports killed" in capsys.readouterr().out
    assert files["csv"].read_text().startswith("mistake,diagnosis,")
    assert files["html"].read_text().startswith("<!DOCTYPE html>")
    assert main(["matrix", "--optimizer", "sam", "--processes", "1", "--csv", "-"]) == 0
    assert capsys.readouterr().out.startswith("mistake,diagnosis,")
    assert main(["matrix", "--optimizer", "sam", "--processes", "1", "--csv", str(tmp_path / "no" / "where")]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_a_matrix_with_a_survivor_is_status_1(monkeypatch, capsys):
    monkeypatch.setattr("rbo_ref.cli._matrix.kill_matrix", lambda *arguments, **options: matrix_of(*ROWS))
    assert main(["matrix"]) == 1


@pytest.mark.parametrize("arguments", [["--processes", "0"], ["--processes", "two"], ["--optimizer", "adamant"]])
def test_what_cannot_run_is_status_2(arguments, capsys):
    assert main(["matrix", *arguments]) == 2
    assert "Traceback" not in capsys.readouterr().err
