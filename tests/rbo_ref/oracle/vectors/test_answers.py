"""Answers in a file are judged, whatever is in it."""

import json
import random
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from geometry.arithmetic.formats import format_of
from rbo_ref.cli import main
from rbo_ref.oracle.bits import encode
from rbo_ref.oracle.catalogue import right_port
from rbo_ref.oracle.dialects import ROLLING_BALL
from rbo_ref.oracle.vectors import VectorSet, judge_answers, play
from tests.rbo_ref.oracle.vectors.test_mistakes import write_answers

VALLEY = "rolling-ball.run.valley-1d.authors.float64"


def judged(stock, tmp_path, *lines):
    path = tmp_path / "answers.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return judge_answers(stock, path)


def right(stock, name):
    vector = stock.vectors[name]
    return play.answer_of(vector, stock.loss(vector), right_port(vector["optimizer"]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", [ROLLING_BALL, "adam", "muon", "alice"])
def test_right_answers(stock, tmp_path, optimizer, dtype):
    write_answers(tmp_path / "answers.jsonl", stock, optimizer, right_port(optimizer), dtype)
    judgement = judge_answers(stock, tmp_path / "answers.jsonl")
    assert judgement.passed, str(judgement)
    assert judgement.diagnosis is None
    assert judgement.missing == [] or optimizer == ROLLING_BALL  # primitives, inner iterations and projections


def test_bit_patterns_are_numbers(stock, tmp_path):
    iterates = encode(right(stock, VALLEY)["iterates"], format_of("float64"))
    (result,) = judged(stock, tmp_path, {"id": VALLEY, "iterates": iterates}).results
    assert result.verdict == "pass"


def test_the_parts_of_a_step_are_judged_one_by_one(stock, tmp_path):
    name = "rolling-ball.primitives.waves-3d.authors.float64"
    parts = {part: array.tolist() for part, array in right(stock, name).items()}
    (result,) = judged(stock, tmp_path, {"id": name, "normal": parts["normal"]}).results
    assert result.verdict == "pass"
    parts["center"][-1] += 1e-9
    judgement = judged(stock, tmp_path, {"id": name, **parts})
    assert judgement.failures[0].message.startswith("center is off by")


def test_any_of_the_nearest_points_is_right(stock, tmp_path):
    """And nothing between them."""
    name = "footpoint.valley-axis.float64"
    branches = [[float(t) for t in b["decimal"]] for b in stock.vectors[name]["expected"]["branches"]]
    assert sorted(branches) == [[-2.0], [2.0]]
    assert not any(judged(stock, tmp_path, {"id": name, "theta": branch}).failures for branch in branches)
    assert judged(stock, tmp_path, {"id": name, "theta": [0.0]}).failures


def test_where_nothing_can_be_decided_only_gross_errors_are_wrong(stock, tmp_path):
    name = next(n for n, v in stock.vectors.items() if not v["decidable"] and v["kind"] == "scripted")
    answer = {part: array.tolist() for part, array in right(stock, name).items()}
    judgement = judged(stock, tmp_path, {"id": name, **answer})
    assert [r.verdict for r in judgement.results] == ["undecidable"]
    assert not judgement.passed
    assert str(judgement).startswith("NOTHING DECIDED")
    gross = (np.array(answer["iterates"]) + 1e6).tolist()
    assert judged(stock, tmp_path, {"id": name, "iterates": gross}).failures


def test_a_file_that_breaks_off_is_incomplete(copy, tmp_path, stock, capsys):
    """However right what it holds: a port that dies after its first line has not passed."""
    judgement = judged(stock, tmp_path, {"id": VALLEY, "iterates": right(stock, VALLEY)["iterates"].tolist()})
    assert judgement.vectors > 100
    assert len(judgement.missing) > 90
    runs = {n for n in stock.must_pass if n.startswith("rolling-ball.run.") and n.endswith(".authors.float64")}
    assert set(judgement.owed) == runs - {VALLEY}
    assert (judgement.verdict, judgement.passed) == ("INCOMPLETE", False)
    head, told = str(judgement).splitlines()
    assert head.startswith("INCOMPLETE: 1 answers to ")
    owed = f"{len(judgement.missing)}, {len(judgement.owed)} of kinds that were answered: {judgement.owed[0]} and "
    assert told == f"must-pass vectors not answered: {owed}{len(judgement.owed) - 1} more"
    name = next(name for name in stock.vectors if name.startswith("sam.run."))
    (tmp_path / "one.jsonl").write_text(json.dumps({"id": name, "iterates": right(stock, name)["iterates"].tolist()}))
    assert main(["vectors", str(copy), "--judge", str(tmp_path / "one.jsonl"), "--json", "-"]) == 3
    record = json.loads(capsys.readouterr().out)
    assert (record["passed"], record["verdict"], name in record["owed"]) == (False, "INCOMPLETE", False)
    assert len(record["owed"]) > 20


def test_nothing_decided_and_nothing_answered_have_a_status_of_their_own(copy, tmp_path, capsys):
    (tmp_path / "empty.jsonl").write_text("\n")
    assert main(["vectors", str(copy), "--judge", str(tmp_path / "empty.jsonl")]) == 3
    assert capsys.readouterr().out.startswith("NOTHING DECIDED: 0 answers")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("3", "an answer is an object with an id"),
        ({"theta": [1.0]}, "an answer is an object with an id"),
        ({"id": "x"}, "there is no vector 'x'"),
        ({"id": VALLEY}, "expected iterates, got nothing"),
        ({"id": VALLEY, "theta": [1.0]}, "expected iterates, got theta"),
        ({"id": VALLEY, "\ud800\x1b[2K\r": 1}, r"expected iterates, got \ud800\x1b[2K\r"),
        ({"id": VALLEY, "iterates": [1.0]}, "iterates: expected lists of shape (1, 1)"),
        ({"id": VALLEY, "iterates": [[1.0], [2.0]]}, "iterates: expected lists of shape (1, 1)"),
        ({"id": VALLEY, "iterates": None}, "iterates: expected lists of shape (1, 1)"),
        ({"id": VALLEY, "iterates": [["0x1"]]}, "iterates: a bit pattern of float64 is 0x and 16"),
        ({"id": VALLEY, "iterates": [[True]]}, "iterates: expected numbers, or bit patterns of float64"),
        ({"id": VALLEY, "iterates": [[{}]]}, "iterates: expected numbers, or bit patterns of float64"),
        ({"id": VALLEY, "iterates": [[10**400]]}, "iterates is NaN or infinite"),
        ('{"id": "' + VALLEY + '", "iterates": [[NaN]]}', "iterates is NaN or infinite"),
        ({"id": VALLEY, "iterates": [["0x7ff0000000000000"]]}, "iterates is NaN or infinite"),
        ({"id": VALLEY, "iterates": [[-1.0]]}, "iterates is off by"),
    ],
)
def test_a_wrong_answer_is_told_in_a_sentence(stock, tmp_path, line, sentence):
    (result,) = judged(stock, tmp_path, line).results
    assert result.verdict == "fail"
    assert sentence in result.message


def test_an_answer_given_twice_is_wrong(stock, tmp_path):
    answer = {"id": VALLEY, "iterates": right(stock, VALLEY)["iterates"].tolist()}
    assert [r.verdict for r in judged(stock, tmp_path, answer, answer).results] == ["pass", "fail"]


def test_fuzzed_answers_get_a_verdict(stock, tmp_path):
    dice = random.Random(0)
    good = json.dumps({"id": VALLEY, "iterates": right(stock, VALLEY)["iterates"].tolist()})
    lines = []
    for _ in range(500):
        i = dice.randrange(len(good))
        lines.append(good[:i] + dice.choice('{}[]",:0eE-. x') + good[i + dice.randrange(3) :])
    results = judged(stock, tmp_path, *lines).results
    assert len(results) == 500
    assert all(r.verdict in ("pass", "fail") and (r.message or r.verdict == "pass") for r in results)


# --- the command ----------------------------------------------------------------------------------------------------


def test_the_command_checks_and_judges(copy, tmp_path, capsys):
    folder, stock = copy, VectorSet.open(copy)
    assert main(["vectors", str(folder), "--lint"]) == 0
    assert capsys.readouterr().out == f"{len(stock.vectors)} vectors checked: no problem\n"
    write_answers(tmp_path / "right.jsonl", stock, "sam", right_port("sam"))
    assert main(["vectors", str(folder), "--judge", str(tmp_path / "right.jsonl")]) == 0
    assert capsys.readouterr().out.startswith("RIGHT: 27 answers to 27 vectors: 27 right, 0 wrong, 0 undecidable")
    (tmp_path / "wrong.jsonl").write_text("nonsense")
    assert main(["vectors", str(folder), "--judge", str(tmp_path / "wrong.jsonl"), "--json", "-"]) == 1
    record = json.loads(capsys.readouterr().out)
    assert record["passed"] is False
    assert record["results"][0]["message"].startswith("not JSON")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere", "--lint"], "no folder nowhere"),
        (["nowhere", "--judge", "x"], "nowhere is no folder of vectors: cannot read nowhere/manifest.json"),
        (["{folder}", "--judge", "nowhere.jsonl"], "nowhere.jsonl: No such file or directory"),
        (["{folder}", "--json", "x"], "--json goes with --judge"),
        (["{file}"], "File exists"),
        (["{full}"], "holds 'thesis.tex', which is not of a set of vectors: give an empty folder"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(copy, tmp_path, monkeypatch, capsys, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    for path in (tmp_path / "file", tmp_path / "full" / "thesis.tex"):
        path.write_text("")
    places = {"folder": copy, "file": "file", "full": "full"}
    assert main(["vectors", *(argument.format(**places) for argument in arguments)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("rbo-ref: ")
    assert sentence in error


def test_a_port_in_javascript_reads_vectors_and_answers(folder, stock, tmp_path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed")
    port = Path(__file__).with_name("port.mjs")
    run = subprocess.run([node, port, folder], capture_output=True, text=True, check=True)
    (tmp_path / "answers.jsonl").write_text(run.stdout)
    judgement = judge_answers(stock, tmp_path / "answers.jsonl")
    assert judgement.passed, str(judgement)
    assert len(judgement.results) > 60
    wrong = port.read_text().replace("Math.sqrt(1 + square)", "Math.sqrt(square)")
    (tmp_path / "wrong.mjs").write_text(wrong)
    run = subprocess.run([node, tmp_path / "wrong.mjs", folder], capture_output=True, text=True, check=True)
    (tmp_path / "answers.jsonl").write_text(run.stdout)
    assert judge_answers(stock, tmp_path / "answers.jsonl").diagnosis.name == "normal_missing_one"
