"""The truth in vectors once more, in mpmath, from the files alone."""

from itertools import chain

import numpy as np
import pytest
from mpmath import mp, mpf

from tests.rbo_ref.oracle.vectors import reader

DIGITS = 50


@pytest.fixture(scope="module")
def losses(folder):
    return reader.read(folder / "losses.jsonl")


def agrees(found, expected):
    """Whether nested numbers have the digits of nested decimals, or are a zero of the working precision."""
    found, texts = np.array(found, dtype=object).reshape(-1), np.array(expected["decimal"], dtype=object).reshape(-1)
    return all(
        abs(x - mpf(t)) <= mpf(10) ** -DIGITS * max(abs(mpf(t)), mpf(10) ** -40)
        for x, t in zip(found, texts, strict=True)
    )


def ids(folder, optimizer, kinds):
    vectors = reader.read(folder / f"{optimizer}.jsonl").values()
    return [v for v in vectors if v["kind"] in kinds and v["dtype"] != "bfloat16" and v["decidable"]]


@pytest.mark.parametrize("optimizer", reader.RUNS)
def test_runs(folder, losses, optimizer):
    sample = ids(folder, optimizer, ("run", "scripted"))[:: 3 if optimizer == "rolling-ball" else 2]
    assert len(sample) >= 20
    with mp.workdps(150):
        wrong = [v["id"] for v in sample if not agrees(reader.RUNS[optimizer](v, losses), v["expected"]["iterates"])]
    assert wrong == []


def test_primitives(folder):
    with mp.workdps(80):
        for v in ids(folder, "rolling-ball", ("primitives",)):
            theta, f, g = (reader.given(v, name) for name in ("theta", "value", "gradient"))
            parts = reader.lift(theta, f, g, *reader.hypers(v))
            assert parts.keys() == v["expected"].keys()
            assert all(agrees(parts[name], v["expected"][name]) for name in parts), v["id"]


def test_inner_iterations_and_projections(folder, losses):
    with mp.workdps(150):
        for v in ids(folder, "rolling-ball", ("inner", "projection")):
            (h,), theta, candidate = reader.hypers(v), reader.given(v, "theta"), reader.given(v, "candidate")
            for _ in range(h.get("projection_steps", 1)):
                f, g = (
                    (reader.given(v, n) for n in ("value", "gradient"))
                    if v["kind"] == "inner"
                    else reader.evaluate(losses[v["loss"]], theta)
                )
                theta = reader.inner(theta, f, g, candidate, h["projection_rate"])
            assert agrees(theta, v["expected"]["theta"]), v["id"]


def test_footpoints_are_stationary_and_no_nearer_point_is_found(folder, losses):
    """The pull vanishes at every branch, all are equally far, and none of many samples is nearer."""
    random = np.random.RandomState(0)
    with mp.workdps(70):
        for v in reader.read(folder / "footpoint.jsonl").values():
            *x, y = point = reader.given(v, "point")
            branches = [[mpf(t) for t in branch["decimal"]] for branch in v["expected"]["branches"]]
            far = []
            for theta in branches:
                f, g = reader.evaluate(losses[v["loss"]], theta)
                assert all(abs((t - a) + (f - y) * s) < mpf(10) ** -DIGITS for t, a, s in zip(theta, x, g, strict=True))
                far.append(mp.norm([t - a for t, a in zip([*theta, f], point, strict=True)]))
            assert max(far) - min(far) < mpf(10) ** -DIGITS
            for theta in random.uniform(-4, 4, (100, len(x))):
                f, _ = reader.evaluate(losses[v["loss"]], [mpf(float(t)) for t in theta])
                assert mp.norm([*(t - a for t, a in zip(theta.tolist(), x, strict=True)), f - y]) >= min(far)
        flags = list(chain.from_iterable(v["flags"] for v in reader.read(folder / "footpoint.jsonl").values()))
    assert flags.count("footpoint.medial_axis") >= 2
    assert flags.count("footpoint.local_minimum") >= 2
