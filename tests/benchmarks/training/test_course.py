"""Runs: what a run does, that its budget holds, and that a run cut off anywhere ends as if it had not been."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.training import Perceptron
from benchmarks.training.contenders import CONTENDERS
from benchmarks.training.course import Run, batch, drive
from benchmarks.training.data import DataSet, Examples
from benchmarks.training.records import Records
from benchmarks.training.tuning import candidates

EPOCH = 6  # mini-batches


def data_set(dtype="float64"):
    """Two moons' worth of noise: 60, 20 and 20 examples of three classes in four dimensions."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 100)
    inputs = (random.normal(size=(100, 1, 2, 2)) + labels[:, None, None, None]).astype(dtype)
    parts = [Examples(inputs[a:b], labels[a:b]) for a, b in ((0, 60), (60, 80), (80, 100))]
    return DataSet("noise", *parts, 3, "digest")


DATA, NETWORK = data_set(), Perceptron((4, 5, 3))
RUN = Run(
    data="noise",
    digest="digest",
    model="mlp",
    hidden=(5,),
    activation="relu",
    dtype="float64",
    device="cpu",
    threads=1,
    batch=10,
    optimizer="sgd",
    hyper_parameters={"learning_rate": 0.1},
    seed=3,
    evaluations=100,
    held_out="test",
)


class Memory:
    """A journal that keeps the last progress."""

    def __init__(self):
        self.kept = None

    def load_progress(self, run, start):
        return self.kept

    def save_progress(self, run, progress):
        self.kept = progress


class Killed(Exception):
    pass


def killer(at):
    """Ends a run when so many evaluations are spent."""
    spent = [0]

    def spend(count):
        spent[0] += count
        if spent[0] >= at:
            raise Killed

    return spend


def timeless(outcome):
    """An outcome without its times."""
    return outcome._replace(marks=tuple(mark._replace(seconds=0.0) for mark in outcome.marks))


def run_of(name, **changes):
    points = [p for p in candidates(CONTENDERS[name].ranges, 8) if p.get("learning_rate", 0.1) < 1]
    return replace(RUN, optimizer=name, hyper_parameters=points[0], **changes)


# What a run does.


def test_gradient_descent_by_hand():
    outcome = drive(RUN, NETWORK, DATA, Memory())
    theta, random = NETWORK.initial(3), np.random.default_rng
    losses = [NETWORK.measure(theta, *DATA.training)[0]]
    for t in range(100):
        order = random((3, 1, t // EPOCH)).permutation(60)[10 * (t % EPOCH) :][:10]
        theta = theta - 0.1 * NETWORK.value_and_gradient(theta, *DATA.training.take(order))[1]
        if (t + 1) % EPOCH == 0 or t == 99:
            losses.append(NETWORK.measure(theta, *DATA.training)[0])
    assert [mark.loss for mark in outcome.marks] == pytest.approx(losses, rel=1e-13)
    assert [mark.evaluations for mark in outcome.marks] == [*range(0, 100, EPOCH), 100]
    assert (outcome.steps, outcome.evaluations, outcome.diverged) == (100, 100, False)
    assert outcome.marks[-1].held_out_loss, outcome.marks[-1].accuracy == NETWORK.measure(theta, *DATA.test)


@pytest.mark.parametrize("held_out", ["test", "validation"])
def test_accuracy_is_that_of_the_part_held_out(held_out):
    part = DATA.test if held_out == "test" else DATA.validation
    first = drive(replace(RUN, held_out=held_out, evaluations=1), NETWORK, DATA, Memory()).marks[0]
    assert (first.held_out_loss, first.accuracy) == NETWORK.measure(NETWORK.initial(3), *part)


@given(st.integers(0, 2**31), st.integers(1, 50), st.integers(1, 50))
@settings(max_examples=30)
def test_every_pass_is_a_shuffle_without_repetition(seed, count, size):
    size = min(size, count)
    batches = count // size
    for passed in range(2):
        seen = np.concatenate([batch(seed, passed * batches + i, count, size) for i in range(batches)])
        assert len(seen) == batches * size == len(set(seen.tolist()))
        assert seen.min() >= 0
        assert seen.max() < count


@pytest.mark.parametrize("name", CONTENDERS)
def test_budgets_hold_and_marks_come_once_an_epoch(name):
    calls = []

    class Counting(Perceptron):
        def value_and_gradient(self, *arguments):
            calls.append(1)
            return super().value_and_gradient(*arguments)

    run = run_of(name)
    outcome = drive(run, Counting((4, 5, 3)), DATA, Memory())
    assert len(calls) == outcome.evaluations == 100
    ends = [mark.evaluations for mark in outcome.marks]
    assert ends[0] == 0
    assert ends[-1] == 100
    dearest = 20  # evaluations in a step, of Entropy-SGD or RBO
    assert all(0 < after - before < EPOCH + dearest for before, after in pairwise(ends))


def test_a_step_that_the_budget_does_not_cover_is_void():
    run = replace(run_of("sam"), evaluations=7)
    assert drive(run, NETWORK, DATA, Memory()).steps == 3
    short = drive(replace(run, evaluations=6), NETWORK, DATA, Memory())
    assert drive(run, NETWORK, DATA, Memory()).marks[-1].loss == short.marks[-1].loss


def test_a_run_that_diverges_ends_there():
    spent = []
    run = replace(RUN, hyper_parameters={"learning_rate": 1e300})
    outcome = drive(run, NETWORK, DATA, Memory(), spent.append)
    assert outcome.diverged
    assert outcome.evaluations < 20
    assert sum(spent) == 100  # the bar goes on to its end


def test_seeds_matter_and_repeat():
    first, again, other = (drive(replace(RUN, seed=seed), NETWORK, DATA, Memory()) for seed in (0, 0, 1))
    assert timeless(first) == timeless(again)
    assert first.marks[-1].loss != other.marks[-1].loss


# Cut off and resumed.


@pytest.mark.parametrize("name", CONTENDERS)
@pytest.mark.parametrize("kills", [(1,), (9, 40), (33, 66, 99)])
def test_a_run_that_is_killed_goes_on_bit_for_bit(tmp_path, name, kills):
    run, records = run_of(name), Records(tmp_path)
    whole = drive(run, NETWORK, DATA, Memory())
    for at in kills:
        with pytest.raises(Killed):
            drive(run, NETWORK, DATA, records, killer(at))
    assert timeless(drive(run, NETWORK, DATA, records)) == timeless(whole)


@given(st.sampled_from(list(CONTENDERS)), st.integers(1, 99))
@settings(max_examples=30)
def test_at_most_an_epoch_is_lost(name, at):
    journal, spent = Memory(), []

    def spend(count):
        spent.append(count)
        if sum(spent) >= at:
            raise Killed

    with pytest.raises(Killed):
        drive(run_of(name), NETWORK, DATA, journal, spend)
    kept = journal.kept.evaluations if journal.kept else 0
    # what was done before the step under way
    assert sum(spent[:-1]) - kept < max(EPOCH, 1)


def test_pytorch_runs_go_on_too(tmp_path):
    torch = pytest.importorskip("torch")
    from benchmarks.training.torch_networks import TorchNetwork

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    network, data = TorchNetwork("resnet-6", (1, 2, 2), 3), data_set("float32")
    for name in ("rbo-gauss-newton", "alice", "entropy-sgd"):
        run, records = run_of(name, evaluations=45, model="resnet-6", dtype="float32"), Records(tmp_path)
        whole = drive(run, network, data, Memory())
        with pytest.raises(Killed):
            drive(run, network, data, records, killer(22))
        assert records.load_progress(run, journal_start(run, network)).evaluations > 0
        assert timeless(drive(run, network, data, records)) == timeless(whole)
        assert whole.marks[-1].loss != whole.marks[0].loss
    torch.set_num_threads(threads)


def journal_start(run, network):
    from benchmarks.training.course import Progress

    theta = network.initial(run.seed)
    optimizer = CONTENDERS[run.optimizer].make(**run.hyper_parameters, seed=run.seed)
    return Progress(theta, optimizer.init(theta), 0, 0, 0.0, ())
