"""Certified answers in forked children, and in threads beside each other."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from geometry import FunctionGraph
from geometry.certified import distance
from tests.geometry.certified.truths import holds

FORK = """
import multiprocessing
import threading
import numpy as np
from geometry import FunctionGraph, certified

WAVE = FunctionGraph(lambda t: np.sin(t[..., 0]))
POINTS = np.stack([np.linspace(-3, 3, 40_000), np.full(40_000, 2.0)], axis=-1)


def work(_):
    found = certified.distance(WAVE, POINTS, tolerance=1e-1)
    return float(found.lower.sum())


if __name__ == "__main__":
    before = work(0)
    assert threading.active_count() == 1, "a process that is forked has one thread"
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map_async(work, range(2)).get(timeout=100) == [before, before]
    assert work(0) == before
"""


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="there is no fork here")
def test_forked_children_answer_as_their_parent(tmp_path):
    script = tmp_path / "forks.py"
    script.write_text(FORK)
    run = subprocess.run([sys.executable, "-W", "error", str(script)], capture_output=True, text=True, timeout=150)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("precision", [53, 20, 300])
def test_the_precision_of_flint_stays_the_users(precision):
    flint = pytest.importorskip("flint")
    surface = FunctionGraph(lambda t: np.exp(t[..., 0]) + np.sin(3 * t[..., 0]))
    truth = distance(surface, [[0.3, 2.0]], tolerance=1e-9)
    seen = []

    def work(x):
        found = distance(surface, [[x, 2.0]], tolerance=1e-3, max_boxes=2000)
        seen.append(flint.ctx.prec)
        return found

    with flint.ctx.workprec(precision):
        with ThreadPoolExecutor(4) as threads:
            first, *_ = threads.map(work, [0.3, 0.31, 0.5, -1.0])
        assert {flint.ctx.prec, *seen} == {precision}
    assert holds(first, truth.lower, truth.upper)
