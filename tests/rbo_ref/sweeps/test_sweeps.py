"""Sweeps: killed, damaged, shared and changed, the table is that of a quiet run, and nothing is computed twice."""

import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from random import Random

import numpy as np
import pytest

from geometry import Descent, FunctionGraph
from rbo_ref import EntropySGD, GradientDescent, RollingBall, Sweep, landscapes, sweep, trajectory
from rbo_ref.sweeps import Status, read_table
from tests.rbo_ref.sweeps.plans import STARTS, plain


@pytest.fixture(scope="module")
def quiet():
    return plain(None).run()


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A folder where all is done."""
    folder = tmp_path_factory.mktemp("done")
    plain(folder).run()
    return folder


def same(one, other):
    assert (one.optimizers, one.losses, one.messages) == (other.optimizers, other.losses, other.messages)
    for name in ("starts", "theta", "height", "status"):
        a, b = getattr(one, name), getattr(other, name)
        assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())


def written(folder):
    """The files of finished tasks, with when they were written."""
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.npz")}


def start(kind, folder):
    return subprocess.Popen([sys.executable, "-m", "tests.rbo_ref.sweeps.plans", kind, str(folder)])


def test_each_point_is_the_end_of_its_trajectory(quiet):
    for i, optimizer in enumerate((RollingBall(0.1, 0.5), GradientDescent(0.1))):
        for j in (0, 7):
            path = trajectory(optimizer, landscapes.sine(), STARTS[j : j + 1], 20)
            np.testing.assert_array_equal(quiet.theta[i, 0, j], path.theta[-1, 0])
            assert quiet.height[i, 0, j] == path.height[-1, 0]


def test_results_do_not_depend_on_the_executor(quiet, tmp_path):
    with ThreadPoolExecutor(3) as pool:
        same(plain(tmp_path / "threads").run(pool), quiet)
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        same(plain(tmp_path / "processes").run(pool), quiet)


def test_dask(quiet):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(1, processes=False, threads_per_worker=2, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        same(plain(None).run(client), quiet)


@pytest.mark.parametrize("seed", range(3))
def test_a_killed_sweep_goes_on(quiet, tmp_path, seed):
    enough = Random(seed).randint(1, 18)
    process = start("plain", tmp_path)
    try:
        while len(written(tmp_path)) < enough and process.poll() is None:
            time.sleep(0.001)
    finally:
        process.kill()
        process.wait()
    before = written(tmp_path)
    assert len(before) >= enough
    plan = plain(tmp_path)
    assert plan.explain().done == len(before)
    same(plan.run(), quiet)
    assert {name: when for name, when in written(tmp_path).items() if name in before} == before
    assert plan.explain().left == 0


def test_two_processes_on_one_folder_compute_nothing_twice(tmp_path):
    pytest.importorskip("fcntl")
    assert [process.wait() for process in [start("noting", tmp_path) for _ in range(2)]] == [0, 0]
    begun = Counter((tmp_path / "log").read_text().split())
    assert [begun[float(x).hex()] for x in STARTS[:, 0]] == [1] * len(STARTS)


def test_damaged_files_are_told_and_computed_again(quiet, tmp_path):
    plain(tmp_path).run()
    good = {path: path.read_bytes() for path in sorted(tmp_path.glob("*.npz"))[:8]}
    random = Random(0)
    for i, (path, content) in enumerate(good.items()):
        place = random.randrange(len(content))
        other = bytes([*content[:place], content[place] ^ 0xFF, *content[place + 1 :]])
        path.write_bytes([b"", content[:place], other, next(iter(good.values()))][i % 4])
    with pytest.warns(UserWarning, match=r"npz is damaged, its task is computed again"):
        same(plain(tmp_path).run(), quiet)
    same(plain(tmp_path).run(), quiet)  # and without a warning


@pytest.mark.parametrize(
    "change",
    [
        {"losses": {"sine": FunctionGraph(lambda t: 2 * np.sin(t[..., 0]))}},
        {"optimizers": {"ball": RollingBall(0.1, 0.25), "descent": GradientDescent(0.125)}},
        {"optimizers": {"ball": RollingBall(0.1, 0.5, Descent(0.1, 3)), "descent": GradientDescent(0.1, momentum=0.5)}},
        {"steps": 21},
        {"starts": np.nextafter(STARTS, 9)},
        {"chunk": 2},
    ],
)
def test_what_is_changed_is_computed_again(done, change):
    assert plain(done).explain().left == 0
    assert plain(done, **change).explain().done == 0


def test_another_version_computes_again(done, monkeypatch):
    monkeypatch.setattr("rbo_ref._sources.version", lambda library: "9")
    assert plain(done).explain().done == 0


def test_what_is_added_is_all_that_is_computed(done):
    more = plain(done, starts=np.concatenate([STARTS, [[5.0]]]), losses={"renamed": landscapes.sine()})
    assert (more.explain().points, more.explain().left) == (26, 2)


def picky(theta):
    if (theta > 1.5).any():
        raise RuntimeError("too far")
    return np.where(theta[..., 0] < -1, np.nan, (theta**2).sum(-1))


PICKY = FunctionGraph(picky, lambda theta: 2 * theta)


def test_failed_points_are_values_and_kept(tmp_path):
    starts = np.array([[0.5], [2.0], [-3.0], [1.0]])
    plan = Sweep({"d": GradientDescent(0.1)}, {"picky": PICKY}, starts, 1, out=tmp_path, labels={"picky": "1"})
    table = plan.run()
    assert table.status[0, 0].tolist() == [Status.DONE, Status.FAILED, Status.DIVERGED, Status.DONE]
    assert table.messages == {("d", "picky", 1): "RuntimeError: too far"}
    np.testing.assert_array_equal(table.theta[0, 0, [0, 3], 0], [0.4, 0.8])
    assert np.isnan(table.theta[0, 0, 1, 0])
    again = Sweep({"d": GradientDescent(0.1)}, {"picky": PICKY}, starts, 1, out=tmp_path, labels={"picky": "1"})
    assert again.explain().left == 0
    same(again.run(), table)


def full(limit, theta):
    if (theta > limit).any():
        raise OSError("no space")
    return (theta**2).sum(-1)


def test_a_machine_that_fails_says_nothing_about_points(tmp_path):
    def plan(limit):
        bowl = FunctionGraph(partial(full, limit), lambda theta: 2 * theta)
        descent = {"d": GradientDescent(0.1)}
        return Sweep(descent, {"bowl": bowl}, [[0.0], [1.0], [3.0]], 1, out=tmp_path, chunk=1, labels={"bowl": "1"})

    with pytest.raises(OSError, match="no space"):
        plan(2).run()
    assert plan(9).explain().done == 2
    assert plan(9).run().status.max() == Status.DONE


def test_draws_do_not_depend_on_the_company(tmp_path):
    draw = {"draws": EntropySGD(0.1, steps=2)}
    one, all_ = (sweep(draw, {"sine": landscapes.sine()}, STARTS[:4], 2, chunk=chunk) for chunk in (1, 4))
    np.testing.assert_array_equal(one.theta, all_.theta)


def test_costs():
    plan = plain(None)
    cost = plan.explain()
    assert (cost.points, cost.done, cost.left) == (24, 0, 24)
    assert np.isnan(cost.seconds)
    plan.run()
    assert (plan.explain().done, plan.explain().seconds) == (24, 0)


def test_the_cost_of_the_rest_follows_from_what_was_measured(tmp_path):
    first = plain(tmp_path, starts=STARTS[:4])
    first.run()
    whole, measured = plain(tmp_path), [first._records[task.key].seconds for task in first._tasks]
    assert whole.explain().seconds == pytest.approx(2 * sum(measured))
    assert whole.explain().done == 8


def test_a_table_in_a_file(quiet, tmp_path):
    zarr = pytest.importorskip("zarr")
    told = quiet._replace(messages={("ball", "sine", 3): "é"})
    told.save(tmp_path / "table.zip")
    same(read_table(tmp_path / "table.zip"), told)
    with zarr.storage.ZipStore(tmp_path / "table.zip", mode="r") as store:
        group = zarr.open_group(store, mode="r")
        assert group["theta"].metadata.dimension_names == ("optimizer", "loss", "start", "parameter")
    (tmp_path / "table.zip").write_bytes((tmp_path / "table.zip").read_bytes()[:-30])
    with pytest.raises(ValueError, match="no table of a sweep"):
        read_table(tmp_path / "table.zip")


def test_names_find_arrays(quiet):
    np.testing.assert_array_equal(quiet.at("theta", optimizer="descent"), quiet.theta[1])
    np.testing.assert_array_equal(quiet.at("status", loss="sine"), quiet.status[:, 0])
    with pytest.raises(KeyError, match="optimizer must be one of ball, descent, got 'adam'"):
        quiet.at("theta", optimizer="adam")
    with pytest.raises(KeyError, match="expected theta, height or status"):
        quiet.at("speed")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"optimizers": {}}, "optimizers must be a mapping of names, and not empty"),
        ({"losses": [landscapes.sine()]}, "losses must be a mapping"),
        ({"starts": [1.0, 2.0]}, r"starts must be an array \(n, d\)"),
        ({"steps": 0}, "steps"),
        ({"chunk": 0}, "chunk"),
        ({"losses": {"odd": PICKY}}, "odd: no key can be made of it, give it one of labels: picky came with gradient"),
        ({"losses": {"odd": lambda t: float(t[0])}}, "odd: no key can be made of it"),
        ({"optimizers": {"mine": object()}}, r"mine: no key .* builtins.object is code that no version"),
    ],
)
def test_wrong_arguments(change, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        plain(None, **change)


def test_an_executor_that_is_none():
    with pytest.raises(TypeError, match="executor must have a method submit"):
        plain(None).run(3)
