"""Records: what is written is what is read, and what cannot be read is as if it were not there."""

import json
import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from rbo_ref.training.course import Mark, Outcome, Progress
from rbo_ref.training.errors import TrainingError
from rbo_ref.training.records import Records, write
from tests.rbo_ref.training.test_course import RUN

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
