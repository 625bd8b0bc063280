"""The command in its own processes: killed and given again, on one or two processes, and what it says."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks.training.__main__ import main
from tests.benchmarks.training.files import write_mnist

ROOT = Path(__file__).parents[3]  # benchmarks are no package that is installed
QUICK = ["--data", "mnist", "--folder", "data", "--hidden", "4", "--batch", "6", "--trials", "1", "--seeds", "2"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    write_mnist(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.training", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


def finish(*arguments):
    process = start(*arguments)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


def outcomes(folder):
    """All records without their times, and without the checksums, which are of the times too."""
    found = {}
    for path in sorted(Path(folder, "runs").glob("*.json")):
        record = json.loads(path.read_text())
        del record["checksum"]
        record["marks"] = [[mark[0], *mark[2:]] for mark in record["marks"]]
        found[path.name] = record
    return found


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


PROC = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="children are found in /proc")


def end(arguments, how):
    """Start the command, end it by a signal in the middle of a run, and see that its workers end with it."""
    process = start(*arguments)
    try:
        wait_for(lambda: list(Path("killed", "runs").glob("*.npz")), process)
        workers = children(process.pid)
        process.send_signal(how)
        process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()  # closes the pipes
    assert process.returncode != 0
    wait_for(lambda: not any(map(is_alive, workers)), None)
    assert list(Path("killed", "runs").glob("*.npz"))


@PROC
def test_a_command_that_is_killed_goes_on_and_ends_as_if_it_had_not_been(folder):
    arguments = [*QUICK, "--optimizer", "adam", "--optimizer", "alice", "--evaluations", "1000", "--jobs", "2"]
    end([*arguments, "--output", "killed"], signal.SIGKILL)
    unfinished = [np.load(path)["evaluations"] for path in Path("killed", "runs").glob("*.npz")]
    assert all(0 < spent < 1000 for spent in unfinished)
    assert len(outcomes("killed")) < 12

    resumed = finish(*arguments, "--output", "killed")
    whole = finish(*arguments, "--output", "whole")
    assert outcomes("killed") == outcomes("whole")
    assert not list(Path("killed", "runs").glob("*.npz"))
    assert strip_seconds(resumed) == strip_seconds(whole)


@PROC
def test_an_interrupted_command_stops_at_once(folder):
    end([*QUICK, "--optimizer", "adam", "--evaluations", "100000", "--jobs", "2", "--output", "killed"], signal.SIGINT)


def wait_for(condition, process, limit=60):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if value := condition():
            return value
        assert process is None or process.poll() is None, process.stderr.read()
        time.sleep(0.005)
    raise AssertionError("it took too long")


def strip_seconds(text):
    """The report without the last column."""
    return [line[:91] for line in text.splitlines()]


def test_results_depend_neither_on_the_number_of_processes_nor_on_what_is_recorded(folder):
    arguments = [*QUICK, "--evaluations", "60", "--optimizer", "sgd", "--optimizer", "entropy-sgd"]
    one = finish(*arguments, "--jobs", "1", "--output", "one")
    finish(*arguments[:-2], "--jobs", "2", "--output", "two")  # sgd first
    two = finish(*arguments, "--jobs", "2", "--output", "two")
    assert strip_seconds(one) == strip_seconds(two)
    assert outcomes("one") == outcomes("two")


def test_the_files(folder):
    balls = ["--optimizer", "rbo", "--optimizer", "rbo-gauss-newton"]
    text = finish(*QUICK, *balls, "--evaluations", "40", "--output", "out")
    out = folder / "out"
    assert (out / "report.txt").read_text(encoding="utf-8") == text.removesuffix("\n")
    record = json.loads((out / "summary.json").read_text())
    assert {row["evaluations"] for row in record["rows"]} == {40}
    runs = list(csv.DictReader((out / "runs.csv").read_text().splitlines()))
    assert {row["evaluations"] for row in runs if row["diverged"] == "False"} == {"40"}
    for row in record["rows"]:
        mine = [run for run in runs if (run["purpose"], run["optimizer"]) == (row["aim"], row["optimizer"])]
        assert row["loss"] == pytest.approx(np.mean([float(run["loss"]) for run in mine]))
        assert row["accuracy_deviation"] == pytest.approx(np.std([float(run["accuracy"]) for run in mine], ddof=1))
    if (out / "comparison.png").exists():
        assert (out / "comparison.png").read_bytes().startswith(b"\x89PNG")


def test_pytorchs_models_run(folder):
    pytest.importorskip("torch")
    text = finish(*QUICK, "--model", "torch-mlp", "--evaluations", "20", "--optimizer", "sam", "--jobs", "1")
    assert "torch-mlp" in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--data", "mnist"], "mnist is read from a folder: name it (--folder), with the files of mnist inside"),
        (["--data", "cifar10", "--folder", "data"], "data: expected a file data_batch_1.bin"),
        (["--data", "mnist", "--folder", "nothing"], "no folder nothing"),
        ([*QUICK, "--batch", "99"], "batch must be at most 24 (training part), got 99"),
        ([*QUICK, "--seeds", "0"], "seeds must be at least 1, got 0"),
        ([*QUICK, "--target", "-1"], "target must be finite and positive, got -1.0"),
        ([*QUICK, "--output", "data/train-labels-idx1-ubyte"], "cannot make the folder"),
        ([*QUICK, "--optimizer", "sgd", "--optimizer", "sgd"], "optimizers must be different"),
    ],
)
def test_what_cannot_run_is_said_in_a_sentence(folder, capsys, arguments, sentence):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("training: ")
    assert sentence in err
    assert err.count("\n") == 1


def test_a_corrupt_file_is_said_in_a_sentence(folder, capsys):
    path = folder / "data" / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    assert main(QUICK) == 2
    assert "train-images-idx3-ubyte: expected 900 bytes for shape (30, 6, 5), got 899" in capsys.readouterr().err


@PROC
def test_a_worker_that_dies_is_said_in_a_sentence(folder, capsys):
    process = start(*QUICK, "--optimizer", "adam", "--evaluations", "20000", "--jobs", "1", "--output", "out")
    try:
        wait_for(lambda: list((folder / "out" / "runs").glob("*.npz")), process)
        for child in children(process.pid):
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(child, signal.SIGKILL)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 2
    assert "a worker process died; run the command again to go on from its last epoch" in err
