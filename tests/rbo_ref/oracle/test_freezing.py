"""Freezing: a case, a mistake, a law is one file changed, and one command writes what follows."""

import json
import math
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rbo_ref.oracle import suite
from rbo_ref.oracle.freezing import prose
from rbo_ref.oracle.freezing.derived import PUBLISHED
from rbo_ref.oracle.hunters import read, shared, written

ROOT = Path(__file__).parents[3]
CASE = '        case("plain-bowl", 0.125, 0.0),\n'
MISTAKE = '    "cubed": Mistake("The cube of the gradient is followed", answered=lambda self, f, g: (f, g**3)),\n'


def test_the_documents_have_the_numbers_of_the_suite():
    """Else: ``rbo-ref freeze``."""
    written = prose.rewritten(ROOT, suite.frozen(), len(PUBLISHED.read_text().splitlines()))
    assert {path.relative_to(ROOT).as_posix() for path in written} == set(prose.DOCUMENTS)
    for path, text in written.items():
        assert path.read_text(encoding="utf-8") == text


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A checkout to spoil."""
    top = tmp_path_factory.mktemp("checkout")
    for package in ("geometry", "rbo_ref"):
        shutil.copytree(ROOT / package, top / package, ignore=shutil.ignore_patterns("__pycache__"))
    (top / "docs").mkdir()
    for name in (*prose.DOCUMENTS, "README.rst"):
        shutil.copy(ROOT / name, top / name)
    return top


def freeze(top, *options):
    command = [sys.executable, "-m", "rbo_ref.cli", "freeze", "--optimizer", "gradient-descent", "--processes", "1"]
    done = subprocess.run([*command, *options], cwd=top, env={"PYTHONPATH": str(top)}, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def changed(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_case_and_a_mistake_are_one_file_each(copy):
    oracle = copy / "rbo_ref" / "oracle"
    changed(oracle / "cases" / "for_gradient_descent.py", CASE, CASE + CASE.replace("bowl", "flat"))
    changed(oracle / "mistakes" / "in_gradient_descent.py", "MISTAKES = {\n", "MISTAKES = {\n" + MISTAKE)
    before = {path: path.read_bytes() for path in copy.rglob("*.*") if path.suffix != ".pyc"}
    status, told = freeze(copy, "--check")
    assert status == 1, told
    assert all(path.read_bytes() == content for path, content in before.items())
    assert freeze(copy) == (0, told.replace("would change", "have changed"))
    assert freeze(copy, "--check") == (0, "0 of 7 files would change\n")

    cases, vectors = read(oracle / "cases" / "catches.txt"), read(oracle / "vectors" / "hunts.txt")
    assert len(cases["gradient-descent.cubed"]) >= 2
    assert any("plain-flat" in hunters for hunters in cases.values())
    assert any("plain-flat" in name for name in vectors["gradient-descent.cubed"])
    published, former = (
        dict(line.split() for line in (top / "vectors" / PUBLISHED.name).read_text().splitlines())
        for top in (oracle, PUBLISHED.parents[1])
    )
    assert former.items() < published.items()
    assert f"{len(published)} questions" in (copy / prose.VERDICTS).read_text(encoding="utf-8")
    now = json.loads((oracle / "suite.json").read_text())
    for name in ("version", "vectors"):
        assert [int(n) for n in now[name].split(".")][1] == [int(n) for n in suite.frozen()[name].split(".")][1] + 1


def test_what_is_published_is_not_changed_by_the_way(copy):
    changed(copy / "rbo_ref" / "oracle" / "cases" / "for_gradient_descent.py", "0.2, 0.0", "0.25, 0.0")
    status, told = freeze(copy)
    assert status == 2
    assert re.search(r"case gradient-descent\.plain-waves10 of version .* is changed or gone: .* --major", told)


def test_an_installed_package_is_left_alone(copy):
    (copy / "README.rst").unlink()
    status, told = freeze(copy)
    assert status == 2
    assert f"what freezes are the sources, and {copy} holds an installed package: run this in a checkout" in told


def test_a_sentence_that_is_gone_is_told():
    with pytest.raises(ValueError, match=r"the prose has no 'has \{cases\} cases'"):
        prose.with_numbers("It has cases.", "has {cases} cases", {"cases": 3})


def test_hunters_that_still_catch_stay_and_the_others_share():
    found = {"m": dict.fromkeys("abc", 50.0), "n": {"a": 50.0, "b": 5.0, "d": math.inf}, "o": {"e": 20.0, "f": 2.0}}
    assert shared(found, {"m": ["c", "gone", "a"]}) == {"m": ["c", "a"], "n": ["d", "a"], "o": ["e"]}
    assert shared(found, {"m": ["c", "a"]}, idle="abcdef") == {"m": ["c", "a", "b"], "n": ["d", "a"], "o": ["e"]}
    kinds = shared({"m": dict.fromkeys(["a1", "a2", "b1", "c2"], 50.0)}, {}, kind=lambda n: n[0], place=lambda n: n[1])
    assert kinds == {"m": ["a1", "c2"]}


def test_hunters_are_read_as_they_were_written(tmp_path):
    table = {"sam.late": ("b", "a"), "sam.ascent": ("c",)}
    (tmp_path / "table.txt").write_text(written(table))
    assert read(tmp_path / "table.txt") == {"sam.ascent": ("c",), "sam.late": ("a", "b")}
    assert read(tmp_path / "none.txt") == {}
