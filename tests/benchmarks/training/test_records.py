"""Records: what is written is what is read, and what cannot be read is as if it were not there."""

import errno
import json
import math
import os
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from benchmarks.training.course import Mark, Outcome, Progress
from benchmarks.training.errors import TrainingError
from benchmarks.training.records import Records, _checksum_of, write
from benchmarks.training.versions import versions
from rbo_ref._sources import digest_of
from tests.benchmarks.training.test_course import RUN

OUTCOME = Outcome((Mark(0, 0.0, 2.5, 2.4, 0.1), Mark(6, 0.1 + 0.2, 1 / 3, math.inf, 0.9)), 6, 6, False)


class State(NamedTuple):
    steps: np.ndarray
    mean: np.ndarray
    base: object
    nothing: None = None


STATE = State(np.asarray(3), np.array([0.1, 1e-300]), (np.float64(0.3), [np.float32(1 / 3)], 5))
PROGRESS = Progress(np.array([1 / 3, -0.0]), STATE, 3, 7, 0.25, OUTCOME.marks[:1])
START = Progress(np.zeros(2), State(np.asarray(0), np.zeros(2), (np.float64(0), [np.float32(0)], 0)), 0, 0, 0.0, ())


def test_outcomes(tmp_path):
    records = Records(tmp_path / "a" / "b")
    assert records.load_outcome(RUN) is None
    records.save_outcome(RUN, OUTCOME)
    assert records.load_outcome(RUN) == OUTCOME
    assert Records(tmp_path / "a" / "b").load_outcome(RUN) == OUTCOME


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 4},
        {"evaluations": 101},
        {"hyper_parameters": {"learning_rate": 0.2}},
        {"digest": "x"},
        {"version": "9"},
    ],
)
def test_another_run_has_another_record(tmp_path, change):
    records, other = Records(tmp_path), replace(RUN, **change)
    records.save_outcome(RUN, OUTCOME)
    records.save_progress(RUN, PROGRESS)
    assert other.name != RUN.name
    assert records.load_outcome(other) is None
    assert records.load_progress(other, START) is None


def test_a_record_under_a_wrong_name_is_not_taken(tmp_path):
    records, other = Records(tmp_path), replace(RUN, seed=4)
    records.save_outcome(RUN, OUTCOME)
    (tmp_path / f"{RUN.name}.json").rename(tmp_path / f"{other.name}.json")
    assert records.load_outcome(other) is None


def test_progress_comes_back_bit_for_bit(tmp_path):
    records = Records(tmp_path)
    assert records.load_progress(RUN, START) is None
    records.save_progress(RUN, PROGRESS)
    back = records.load_progress(RUN, START)
    assert back.theta.tobytes() == PROGRESS.theta.tobytes()
    assert isinstance(back.state, State)
    assert back.state.mean.tobytes() == STATE.mean.tobytes()
    assert back.state.base == STATE.base
    assert back.state.nothing is None
    assert back[2:] == PROGRESS[2:]
    assert type(back.marks[0].evaluations) is int


def test_an_outcome_ends_the_progress(tmp_path):
    records = Records(tmp_path)
    records.save_progress(RUN, PROGRESS)
    records.save_outcome(RUN, OUTCOME)
    assert records.load_progress(RUN, START) is None
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("suffix", ["json", "npz"])
@pytest.mark.parametrize("size", [0, 1, 40, -1])
def test_a_truncated_file_counts_as_missing(tmp_path, suffix, size):
    records = Records(tmp_path)
    records.save_outcome(RUN, OUTCOME)
    records.save_progress(RUN, PROGRESS)
    path = tmp_path / f"{RUN.name}.{suffix}"
    path.write_bytes(path.read_bytes()[:size])
    read = records.load_outcome(RUN) if suffix == "json" else records.load_progress(RUN, START)
    assert read is None


def test_progress_of_another_state_counts_as_missing(tmp_path):
    records = Records(tmp_path)
    records.save_progress(RUN, PROGRESS._replace(state=(np.zeros(2),)))
    assert records.load_progress(RUN, START) is None


def test_json_is_strict(tmp_path):
    Records(tmp_path).save_outcome(RUN, OUTCOME)

    def refuse(word):
        raise AssertionError(word)

    json.loads((tmp_path / f"{RUN.name}.json").read_text(), parse_constant=refuse)


def test_folders_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="cannot make the folder"):
        Records(tmp_path / "file" / "runs")
    with pytest.raises(TrainingError, match="cannot write"):
        write(tmp_path / "nothing" / "there", b"")


def same(found):
    return found is None or (
        found.theta.tobytes() == PROGRESS.theta.tobytes()
        and found.state.mean.tobytes() == STATE.mean.tobytes()
        and found[2:] == PROGRESS[2:]
    )


def test_a_changed_bit_of_the_progress_is_noticed_or_means_nothing(tmp_path):
    records = Records(tmp_path)
    records.save_progress(RUN, PROGRESS)
    path = tmp_path / f"{RUN.name}.npz"
    content = path.read_bytes()
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        assert same(records.load_progress(RUN, START)), place


@pytest.mark.parametrize(
    "change",
    [
        {"theta": np.zeros(3)},
        {"theta": np.array([np.nan, 0.0])},
        {"theta": np.array([np.inf, 0.0])},
        {"state0": np.zeros(4)},
        {"state1": np.zeros((2, 1))},
        {"marks": np.zeros(3)},
        {"marks": np.zeros((0, 5))},
        {"marks": np.zeros((1, 4))},
        {"marks": np.full((1, 5), np.nan)},
        {"steps": np.array(np.inf)},
        {"steps": np.array([1, 2])},
        {"steps": np.array(1.5)},
        {"evaluations": np.array(-5)},
        {"seconds": np.array(-1.0)},
        {"seconds": np.array(np.nan)},
        {"seconds": np.array("soon")},
    ],
)
def test_progress_that_cannot_be_counts_as_missing(tmp_path, change):
    """Whether its checksum is that of other numbers, or somebody has made it anew."""
    records, path = Records(tmp_path), tmp_path / f"{RUN.name}.npz"
    records.save_progress(RUN, PROGRESS)
    with np.load(path) as file:
        arrays = dict(file)
    old = arrays.pop("checksum")

    def loaded(checksum, arrays):
        np.savez(path, checksum=checksum, **arrays)
        return records.load_progress(RUN, START)

    assert loaded(_checksum_of(RUN, arrays), arrays) is not None
    assert loaded(old, arrays | change) is None
    assert loaded(_checksum_of(RUN, arrays | change), arrays | change) is None


def test_progress_of_another_run_counts_as_missing(tmp_path, capsys):
    records, other = Records(tmp_path), replace(RUN, seed=4)
    records.save_progress(RUN, PROGRESS)
    (tmp_path / f"{RUN.name}.npz").rename(tmp_path / f"{other.name}.npz")
    assert records.load_progress(other, START) is None
    assert "is damaged, its run is made again: the checksum is that of" in capsys.readouterr().err


def test_what_is_damaged_is_told_and_what_is_missing_is_not(tmp_path, capsys):
    records, path = Records(tmp_path), tmp_path / f"{RUN.name}.json"
    assert (records.load_outcome(RUN), records.load_progress(RUN, START)) == (None, None)
    assert capsys.readouterr().err == ""
    path.write_text("\x1b[2K")
    assert records.load_outcome(RUN) is None
    assert capsys.readouterr().err == f"training: {path} is damaged, its run is made again: not JSON: Expecting value\n"


def test_another_version_of_anything_is_another_run(monkeypatch):
    before = versions("mlp")
    assert {part.split()[0] for part in before.split(", ")} == {"rbo-ref", "numpy", "scipy"}
    monkeypatch.setattr("rbo_ref._sources.version", lambda name: "9")
    assert versions("mlp") != before
    monkeypatch.undo()
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + b"#" * (path.name == "adam.py"))
    monkeypatch.setattr("rbo_ref._sources.digest_of", digest_of.__wrapped__)
    assert versions("mlp") != before


@pytest.mark.parametrize("content", [b"\x93NUMPY\x01\x00", b"PK\x05\x06" + bytes(18), b"[" * 200_000, b"null", b"[]"])
@pytest.mark.parametrize("suffix", ["json", "npz"])
def test_another_file_in_its_place_counts_as_missing(tmp_path, suffix, content):
    records = Records(tmp_path)
    (tmp_path / f"{RUN.name}.{suffix}").write_bytes(content)
    assert records.load_outcome(RUN) is None
    assert records.load_progress(RUN, START) is None


def test_an_array_in_its_place_counts_as_missing(tmp_path):
    with (tmp_path / f"{RUN.name}.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    assert Records(tmp_path).load_progress(RUN, START) is None


def test_one_changed_character_of_a_record_is_noticed(tmp_path):
    records, path = Records(tmp_path), tmp_path / f"{RUN.name}.json"
    records.save_outcome(RUN, OUTCOME)
    text = path.read_text()
    for place, character in enumerate(text):
        if character.isalnum():
            path.write_text(text[:place] + ("7" if character == "3" else "3") + text[place + 1 :])
            assert records.load_outcome(RUN) in (None, OUTCOME), place  # which is another text of the same number


def test_a_record_without_a_checksum_counts_as_missing(tmp_path):
    records, path = Records(tmp_path), tmp_path / f"{RUN.name}.json"
    records.save_outcome(RUN, OUTCOME)
    record = json.loads(path.read_text())
    del record["checksum"]
    path.write_text(json.dumps(record))
    assert records.load_outcome(RUN) is None


def test_a_disk_that_fills_leaves_nothing_and_keeps_what_was(tmp_path, monkeypatch):
    records = Records(tmp_path)
    records.save_outcome(RUN, OUTCOME)
    monkeypatch.setattr("geometry._files.os.fdopen", full)
    with pytest.raises(TrainingError, match="No space left on device"):
        records.save_outcome(RUN, OUTCOME._replace(steps=7))
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == [f"{RUN.name}.json"]
    assert records.load_outcome(RUN) == OUTCOME


def full(descriptor, mode):
    os.close(descriptor)
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
