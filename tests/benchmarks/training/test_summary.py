"""What is said of the outcomes: the choice, the means and spreads, the files and the picture."""

import csv
import io
import json
import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.training import Plan, TrainingError, published
from benchmarks.training.comparison import Finished, Trial, best, finalists
from benchmarks.training.course import Mark, Outcome
from benchmarks.training.summary import Spread, as_json, report, rows, runs_csv, summary_csv, to_target
from tests.benchmarks.training.test_course import RUN


def trial(optimizer, losses, accuracy, *, diverged=False, seed=0, held_out_loss=1.0, rate=0.1):
    marks = tuple(Mark(10 * i, 0.5 * i, loss, held_out_loss, accuracy) for i, loss in enumerate(losses))
    run = replace(RUN, optimizer=optimizer, seed=seed, hyper_parameters={"learning_rate": rate})
    return Trial(run, Outcome(marks, 7, 10 * (len(losses) - 1), diverged))


def finished():
    plan = Plan(optimizers=("sgd", "adam"), seeds=3, trials=2, evaluations=20, target=0.1)
    ends = [(0.1, 0.8), (0.2, 0.9), (0.05, 1.0)]
    sgd = [trial("sgd", [2.0, 0.5, loss], accuracy, seed=seed) for seed, (loss, accuracy) in enumerate(ends)]
    adam = [trial("adam", [2.0, 0.1, 0.01], 0.9, seed=s, rate=0.3) for s in range(2)]
    adam.append(trial("adam", [2.0, math.inf], 0.1, diverged=True, seed=2, rate=0.3))
    trials = {"sgd": sgd[:2], "adam": adam[:2]}
    runs = {"sgd": sgd, "adam": adam}
    return Finished(plan, 45, (60, 20, 20), trials, {"loss": runs, "accuracy": runs})


def test_rows():
    sgd, adam = rows(finished())[:2]
    assert sgd.loss == Spread(pytest.approx(np.mean([0.1, 0.2, 0.05])), pytest.approx(np.std([0.1, 0.2, 0.05], ddof=1)))
    assert sgd.accuracy == Spread(pytest.approx(0.9), pytest.approx(0.1))
    assert (sgd.to_target, sgd.reached, sgd.runs, sgd.diverged) == (20, 2, 3, 0)
    assert sgd.seconds == Spread(1.0, 0.0)
    assert adam.loss.mean == math.inf
    assert (adam.to_target, adam.reached, adam.diverged) == (10, 2, 1)


def test_evaluations_to_a_target():
    run = trial("sgd", [2.0, 0.5, 0.7, 0.1], 0.5)
    assert [to_target(run, t) for t in (3, 2, 0.6, 0.5, 0.1, 0.05)] == [0, 0, 10, 10, 30, math.inf]


def test_one_seed_has_no_spread():
    assert Spread.of([2.0]).mean == 2
    assert math.isnan(Spread.of([2.0]).deviation)


def test_choices():
    low = trial("sgd", [2, 0.1], 0.7, held_out_loss=0.5)
    right = trial("sgd", [2, 0.3], 0.9, held_out_loss=0.6)
    sure = trial("sgd", [2, 0.3], 0.9, held_out_loss=0.4)
    gone = trial("sgd", [2, 1e-9], 1.0, diverged=True)
    lost = trial("sgd", [2, math.nan], 0.9, held_out_loss=math.nan)
    every = [gone, lost, right, low, sure]
    assert finalists(every, "loss") == [low, right, sure]
    assert finalists(every, "accuracy") == [sure, right, lost]
    assert best([[gone], [lost]], "loss") is lost.run


def test_the_mean_over_seeds_decides_and_divergence_before_it():
    steady = [trial("sgd", [2, 0.2], 0.8, rate=0.2), trial("sgd", [2, 0.2], 0.8, rate=0.2)]
    lucky = [trial("sgd", [2, 0.1], 0.9, rate=0.3), trial("sgd", [2, 0.4], 0.6, rate=0.3)]
    edgy = [trial("sgd", [2, 0.01], 1.0, rate=0.4), trial("sgd", [2, 0.01], 1.0, rate=0.4, diverged=True)]
    for aim in ("loss", "accuracy"):
        assert best([edgy, lucky, steady], aim) is steady[0].run
    assert finalists([trials[0] for trials in (steady, lucky, edgy)], "loss")[0] is edgy[0]


def test_the_report_names_everything():
    text = report(finished())
    assert "and the best 3 from" in text
    assert "SGD                 2 trials of learning_rate 0.001 to 10\n" in text
    lines = text.splitlines()
    (sgd,) = [line for line in lines if line.startswith("SGD ")]
    cells = "SGD 0.117 ± 0.076 20 (2/3) 90.00 ± 10.00 - 7 1.00 ± 0.00"
    assert sgd.split() == cells.split()
    (adam,) = [line for line in lines if line.startswith("Adam ")]
    assert "infinite" in adam
    assert "1+1" in adam
    assert "learning_rate 0.1 / learning_rate 0.1" in text
    assert "45 parameters" in text
    assert published.table() in text
    assert max(map(len, lines)) <= 200


def test_the_published_table():
    """The best figure of each row is RBO's, but for the two where the authors' table has SAM's."""
    winners = {name: published.OPTIMIZERS[int(np.argmax(row))] for name, row in published.ROWS.items()}
    assert winners.pop("MNIST/ResNet-6") == winners.pop("MNIST/VGG-9") == "SAM"
    assert set(winners.values()) == {"RBO"}
    assert "Published" in published.table()


def test_files_hold_what_the_rows_do():
    done = finished()
    record = json.loads(as_json(done))
    assert record["plan"]["evaluations"] == 20
    assert len(record["rows"]) == 4
    assert record["rows"][0]["loss"] == rows(done)[0].loss.mean
    assert record["rows"][1]["loss"] is None
    assert record["published"]["rows"]["MNIST/MLP"]["RBO"] == 97.51
    table = list(csv.DictReader(io.StringIO(summary_csv(done))))
    assert [row["optimizer"] for row in table] == ["sgd", "adam"] * 2
    assert json.loads(table[1]["hyper_parameters"]) == {"learning_rate": 0.3}
    runs = list(csv.DictReader(io.StringIO(runs_csv(done))))
    assert len(runs) == 4 + 2 * 6
    mine = [float(row["loss"]) for row in runs if row["purpose"] == "loss" and row["optimizer"] == "sgd"]
    assert np.mean(mine) == pytest.approx(record["rows"][0]["loss"])


def test_the_picture_has_the_curves():
    pytest.importorskip("matplotlib")
    from benchmarks.training.picture import draw

    left, right = draw(finished()).axes
    curves = {line.get_label(): line for line in left.lines}
    x, y = curves["SGD"].get_data()
    assert (x[0], x[-1]) == (0, 20)
    assert y[0] == pytest.approx(2)
    assert y[-1] == pytest.approx(np.exp(np.mean(np.log([0.1, 0.2, 0.05]))))
    assert np.isnan(curves["Adam"].get_data()[1][-1])  # one of its runs is not there any more
    assert right.get_ylabel() == "test error"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"seeds": 0}, "seeds must be at least 1, got 0"),
        ({"evaluations": -1}, "evaluations must be at least 1"),
        ({"target": math.nan}, "target must be finite and positive"),
        ({"model": "alexnet"}, "model must be one of mlp, "),
        ({"hidden": ()}, "hidden must be positive numbers"),
        ({"hidden": (3, 0)}, "hidden must be positive numbers"),
        ({"optimizers": ()}, "at least one"),
        ({"optimizers": ("sgd", "sgd")}, "must be different"),
        ({"optimizers": ("lion",)}, "optimizer must be one of sgd, .*got 'lion'"),
    ],
)
def test_plans_that_make_no_comparison(change, sentence):
    with pytest.raises(TrainingError, match=sentence):
        Plan(**change)
