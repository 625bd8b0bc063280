"""The board judges what is installed, and whatever a library does, it is one cell."""

import json
from dataclasses import replace

import pytest

from rbo_ref.cli import main
from rbo_ref.oracle import OPTIMIZERS, READINGS, Diagnosis, Report, Result
from rbo_ref.oracle.board import ROWS, Cell, Row, changes, judged, read, to_json, to_rst
from rbo_ref.oracle.board.cells import verdict_in
from rbo_ref.oracle.cases import select
from rbo_ref.oracle.catalogue import catalogue
from rbo_ref.oracle.checking import DTYPES

LIBRARY = """
import os

def descent(loss, theta, *, learning_rate):
    print("words of a library")
    return theta - learning_rate * loss(theta)[1]

def ascent(loss, theta, *, learning_rate):
    return theta + learning_rate * loss(theta)[1]

def lost(loss, theta, *, learning_rate):
    os._exit(0)

def killed(loss, theta, *, learning_rate):
    os.abort()

def raising(loss, theta, *, learning_rate):
    raise KeyError("a parameter of another kind")

def unaskable(loss, theta, *, speed):
    return theta
"""
TABLE = """
from rbo_ref.oracle.board import Row

def row(name, library="fake", **more):
    factory = f"{library}_library:{name.partition(',')[0]}"
    return Row(library, name, "gradient-descent", factory, "rbo_ref.oracle.board.foreign:itself",
               cases=("plain-*",), **more)

ROWS = [row("descent", dtypes=("float64", "float32")), row("lost"), row("descent, again", variant="ascent"),
        row("killed"), row("ascent"), row("ascent, by design", variant="ascent", note="it climbs by design"),
        row("unaskable"), row("raising"),
        row("descent", "absent"), row("descent", "broken")]
FINE = [ROWS[0], ROWS[5]]
ABSENT = ROWS[-2:-1]
NONSENSE = 3
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("board")
    (folder / "fake_library.py").write_text(LIBRARY)
    (folder / "broken_library.py").write_text("raise SystemExit('not on this machine\\x1b[2K')")
    (folder / "board_table.py").write_text(TABLE)
    return folder


@pytest.fixture(scope="module")
def made(folder):
    """The board of the fake library: its cells, what was printed, the exit status."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        status = main(["board", "--table", "board_table.py:ROWS", "--json", "board.json", "--rst", "board.rst"])
    return status, read((folder / "board.json").read_text(encoding="utf-8"))


def test_every_row_is_a_cell(made):
    status, cells = made
    assert status == 1
    assert [(cell.name, cell.dtype, cell.verdict) for cell in cells] == [
        ("descent", "float64", "RIGHT"),
        ("descent", "float32", "RIGHT"),
        ("lost", "float64", "COULD NOT RUN"),
        ("descent, again", "float64", "RIGHT"),
        ("killed", "float64", "COULD NOT RUN"),
        ("ascent", "float64", "WRONG"),
        ("ascent, by design", "float64", "VARIANT"),
        ("unaskable", "float64", "COULD NOT RUN"),
        ("raising", "float64", "COULD NOT RUN"),
        ("descent", "float64", "NOT INSTALLED"),
        ("descent", "float64", "COULD NOT RUN"),
    ]


def test_what_keeps_a_row_from_being_judged_is_a_sentence(made):
    told = {(cell.library, cell.name): cell.message for cell in made[1] if cell.verdict not in ("RIGHT", "WRONG")}
    assert told["fake", "lost"] == "the process ended itself with exit status 0 while this was judged"
    assert told["fake", "killed"] == "the process was killed by SIGABRT while this was judged"
    assert told["fake", "unaskable"].startswith("TypeError: unaskable has no parameter for learning_rate")
    assert "raised KeyError: 'a parameter of another kind'" in told["fake", "raising"]
    assert told["absent", "descent"] == "absent_library is not installed"
    assert told["broken", "descent"] == r"SystemExit: not on this machine\x1b[2K"


def test_a_wrong_cell_says_what_in_how_many_judgements_and_how_to_see_it(made, folder, monkeypatch, capsys):
    wrong = next(cell for cell in made[1] if cell.verdict == "WRONG")
    assert wrong.difference["name"] == "ascent"
    assert wrong.share == "{0} of {0}".format(wrong.counts["results"])
    assert wrong.message.startswith("plain-")
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    assert len(wrong.reproduction.splitlines()) <= 10
    exec(wrong.reproduction, {})
    assert capsys.readouterr().out.startswith("WRONG: ascent as gradient-descent")


def test_a_variant_is_told_with_its_note(made, folder):
    variant = next(cell for cell in made[1] if cell.verdict == "VARIANT")
    assert variant.note == "it climbs by design"
    page = (folder / "board.rst").read_text(encoding="utf-8")
    assert "By the source: it climbs by design." in page
    assert f"VARIANT, {variant.share}" in page


@pytest.mark.parametrize(("table", "status"), [("FINE", 0), ("ABSENT", 2), ("NONSENSE", 2), ("NO", 2)])
def test_exit_status(folder, monkeypatch, capsys, table, status):
    monkeypatch.chdir(folder)
    assert main(["board", "--table", f"board_table.py:{table}", "--dtype", "float64"]) == status


def test_a_difference_explains_all_that_fails_or_it_is_no_variant():
    row = Row("torch", "SGD", "gradient-descent", "torch.optim:SGD", variant="ascent")
    for evidence, verdict in {"9 of 9 failing steps": "VARIANT", "9 of 10 failing steps": "WRONG", "": "WRONG"}.items():
        report = Report("SGD", "torch", "float64", "paper", [Result("plain-bowl", "step", "fail", 1.0, 0.1, "off")])
        report.diagnosis = Diagnosis("ascent", "uphill", evidence)
        assert verdict_in(row, report) == verdict


@pytest.mark.parametrize("options", [["--library", "nobody"], ["--library", "autograd", "--dtype", "bfloat16"]])
def test_a_choice_of_nothing_cannot_be_run(options, capsys):
    assert main(["board", *options]) == 2
    assert "rbo-ref: " in capsys.readouterr().err


def test_two_boards_are_compared(made, folder, monkeypatch, capsys):
    cells = made[1]
    other = [replace(cells[0], verdict="WRONG", versions={"numpy": "3.0"}), *cells[1:-1]]
    (folder / "other.json").write_text(to_json(other), encoding="utf-8")
    monkeypatch.chdir(folder)
    assert main(["board", "--compare", "board.json", "board.json"]) == 0
    assert main(["board", "--compare", "board.json", "other.json"]) == 1
    out = capsys.readouterr().out
    asked = cells[0].counts["results"]
    assert f"RIGHT (in {asked} of {asked} judgements) -> WRONG (in 0 of {asked} judgements)" in out
    assert "numpy none -> 3.0" in out
    assert "COULD NOT RUN -> no such cell" in out
    assert main(["board", "--compare", "board.json", "board.rst"]) == 2


def test_cells_of_one_name_are_compared_one_by_one():
    cell = Cell("torch", "SGD", "gradient-descent", "paper", "float64", "RIGHT", {"results": 4, "pass": 4})
    float32 = replace(cell, dtype="float32")
    assert changes([cell, float32], [float32, cell]) == []
    assert [c.after.dtype for c in changes([cell, float32], [cell, replace(float32, verdict="WRONG")])] == ["float32"]


@pytest.mark.parametrize(
    "change",
    [{"verdict": "FINE"}, {"counts": {"pass": -1}}, {"cases": "plain-*"}, {"difference": {"name": "x"}}, {"more": 1}],
)
def test_what_does_not_follow_the_schema_is_no_board(change):
    cell = Cell("torch", "SGD", "gradient-descent", "paper", "float64", "RIGHT")
    record = json.loads(to_json([cell]))
    record["cells"][0] |= change
    with pytest.raises(ValueError, match="no board"):
        read(json.dumps(record))


def test_foreign_words_have_no_meaning_in_the_page():
    cell = Cell("x`*", "<y>_", "adam", "paper", "float64", "COULD NOT RUN", message="**bold** |sub|\nnext::")
    page = to_rst([cell], "rbo-ref board")
    assert r"\*\*bold\*\* \|sub\|\\nnext\:\:" in page
    assert r"x\`\*" in page


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.library} {row.name}")
def test_the_table_makes_sense(row):
    assert row.optimizer in OPTIMIZERS
    assert row.dialect in (None, *READINGS[row.optimizer])
    assert row.dtypes
    assert set(row.dtypes) <= set(DTYPES)
    assert select(row.optimizer, row.cases or None, 0)
    assert row.factory.count(":") == row.adapter.count(":") == 1
    assert row.variant in {"", *catalogue(row.optimizer)}


def test_no_two_rows_are_the_same():
    assert len({(row.library, row.name, row.optimizer) for row in ROWS}) == len(ROWS)


def row(library, name):
    return next(row for row in ROWS if (row.library, row.name) == (library, name))


def test_installed_libraries_are_right():
    pytest.importorskip("torch")
    found = judged(replace(row("torch", "SGD"), cases=("momentum-plane",)), "float32")
    assert (found.verdict, found.share) == ("RIGHT", "2 of 2")
    assert "torch" in found.versions
    pytest.importorskip("optax")
    found = judged(replace(row("optax", "contrib.sam"), cases=("paper-bowl",)), "float32")
    assert (found.verdict, found.share) == ("RIGHT", "2 of 2")
    assert {"jax", "jaxlib", "optax"} <= found.versions.keys()
    found = judged(replace(row("jax", "example_libraries nesterov"), cases=("nesterov-saddle",)), "float32")
    assert found.verdict == "RIGHT"


def test_scikit_learn_has_the_other_epsilon():
    pytest.importorskip("sklearn")
    assert (
        judged(replace(row("scikit-learn", "SGDOptimizer"), cases=("nesterov-saddle",)), "float64").verdict == "RIGHT"
    )
    adam = replace(row("scikit-learn", "AdamOptimizer"), cases=("epsilon-saddle",))
    assert judged(adam, "float64").verdict == "RIGHT"
    found = judged(replace(adam, dialect="paper", variant="dialect-tensorflow"), "float64")
    assert (found.verdict, found.difference["name"]) == ("VARIANT", "dialect-tensorflow")


def test_settings_go_to_the_factory_and_the_reproduction():
    pytest.importorskip("torch")
    dampened = replace(row("torch", "SGD"), settings={"dampening": 0.5}, cases=("momentum-far",))
    found = judged(dampened, "float64")
    assert found.verdict == "WRONG"
    assert "partial(torch.optim.SGD, dampening=0.5)" in found.reproduction


def test_a_documented_definition_that_the_oracle_lacks_is_no_verdict():
    pytest.importorskip("torch")
    odd = Row("torch", "Adamax", "adam", "torch.optim:Adamax", cases=("short-bowl",), definition="the maximum norm")
    assert judged(odd, "float64").verdict == "NO DIALECT"
    assert judged(replace(odd, definition=""), "float64").verdict == "WRONG"
