"""Forged words in vectors and in answers to them: `lint` and the judge show them in a line."""

import json
import shutil

from rbo_ref.cli import main
from tests.rbo_ref.tainted import FORGED, LONG, lines, only_shown

NAME = FORGED.replace("\ud800", "")


def said(capsys, *arguments):
    status = main(["vectors", *arguments])
    captured = capsys.readouterr()
    only_shown(captured.err, ["rbo-ref:"])
    return status, captured.out


def test_lint(folder, tmp_path, capsys):
    for name in ("losses.jsonl", "sam.jsonl", "footpoint.jsonl"):
        first = json.loads((folder / name).read_text().partition("\n")[0])
        (tmp_path / name).write_text("\n".join(lines(first)))
    (tmp_path / "must_pass.txt").write_text(NAME)
    (tmp_path / NAME).write_text("")
    status, out = said(capsys, str(tmp_path), "--lint")
    assert status == 1
    for line in out.split("\n"):
        only_shown(line)


def test_lint_of_lists(folder, tmp_path, capsys):
    manifest, notes = (json.loads((folder / name).read_text()) for name in ("manifest.json", "notes.json"))
    few = {name: notes[name] for name in list(notes)[:1]}
    for name, record in (("manifest.json", {**manifest, "files": manifest["files"][:1]}), ("notes.json", few)):
        for text in lines(record):
            (tmp_path / name).write_text(text)
            status, out = said(capsys, str(tmp_path), "--lint")
            assert status == 1
            only_shown(out)


def test_judge(folder, stock, tmp_path, capsys):
    name = next(name for name in stock.must_pass if name.startswith("gradient-descent.run"))
    answer = {"id": name, "iterates": [["0x3ff0000000000000"]]}
    texts = [*lines(answer), json.dumps({"id": LONG}), NAME]
    (tmp_path / "answers.jsonl").write_text("\n".join(texts))
    status, out = said(
        capsys, str(folder), "--judge", str(tmp_path / "answers.jsonl"), "--json", str(tmp_path / "r.json")
    )
    assert status == 1
    only_shown(out, ["WRONG: "])
    assert json.loads((tmp_path / "r.json").read_text())["passed"] is False


def test_judge_by_a_damaged_set(folder, tmp_path, capsys):
    (tmp_path / "answers.jsonl").write_text("")
    forged = shutil.copytree(folder, tmp_path / "forged")
    for name in ("manifest.json", "losses.jsonl", "must_pass.txt"):
        text = (forged / name).read_text()
        (forged / name).write_text(json.dumps(FORGED) + "\n" + text)
        status, _ = said(capsys, str(forged), "--judge", str(tmp_path / "answers.jsonl"))
        assert status == 2
        (forged / name).write_text(text)
