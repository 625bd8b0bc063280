"""Many verbs in hostile surroundings, each in one process: the same bits as here, whatever is missing there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rbo_ref.cli import COMMANDS

pytest.importorskip("numba")

HERE = Path(__file__).parents[1]
VERBS = """
import hashlib
import sys
import numpy as np
from geometry import FunctionGraph, LevelSet, Newton, Sampling, certified, closing, dilate, distance, medial_radius
from geometry import offset_function, project, reachable_samples
from rbo_ref import RollingBall, trajectory

def wave():
    return FunctionGraph(lambda t: np.sin(2 * t[..., 0]))

def answers():
    heights = np.sin(np.arange(300.0))
    points = np.stack([np.linspace(-3, 3, 24), np.linspace(1, 2, 24)], -1)
    surface, plane = wave(), LevelSet(lambda x: x[..., 0] ** 2 + x[..., 1] ** 2 - 1)
    yield dilate(heights, 7.5)
    yield closing(np.outer(heights[:20], heights[:20]), 2.5)
    yield reachable_samples(heights, 7.5)
    for solver in (Newton(), Sampling(samples=256)):
        yield project(surface, points, solver).theta
    yield distance(plane, points)
    yield offset_function(surface, points[:, :1], 0.4, samples=64)
    yield medial_radius(surface, points[:3, :1], samples=64)
    yield trajectory(RollingBall(0.1, 0.5), surface, [0.4], 5).theta
    found = certified.distance(surface, points[:4], tolerance=1e-3)
    yield found.lower
    yield found.upper
    proven = certified.offset_function(surface, points[:2, :1], 0.4, tolerance=1e-3)
    yield proven.lower

def digest():
    return " ".join(hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest()[:12] for a in answers())
"""
TOGETHER = """
import multiprocessing
import warnings
from concurrent.futures import ThreadPoolExecutor
from flint import ctx

def child(_):
    return digest()

if __name__ == "__main__":
    ctx.prec = 77
    alone = digest()
    with ThreadPoolExecutor(16) as threads:
        together = set(threads.map(child, range(16)))
    assert together == {alone}, "threads"
    assert ctx.prec == 77
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert set(pool.map_async(child, range(2)).get(timeout=200)) == {alone}, "forked children"
    print(alone)
"""
COMMANDS_IN_ASCII = """
from rbo_ref.cli import COMMANDS, main
helps = [["--help"], *([name, "--help"] for name in COMMANDS)]
for command in (*helps, ["mistakes"], ["cases"], ["iron", "sine", "--radius", "1"]):
    if main(command) != 0:
        raise SystemExit(f"{command} has failed")
"""


def run(script, folder, *options, code=HERE, **environment):
    """What a script prints in a process that knows nothing of this one's surroundings."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "NUMBA_CACHE_DIR", "LD_LIBRARY_PATH")}
    path = folder / "script.py"
    path.write_text(script)
    ended = subprocess.run(
        [sys.executable, *options, str(path)],
        env=kept | {"PYTHONPATH": str(code)} | environment,
        cwd=folder,
        capture_output=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr.decode(errors="replace")[-3000:]
    assert ended.stderr == b""
    return ended.stdout


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """What one process of many threads and children says, all of which agree."""
    script = VERBS + (TOGETHER if hasattr(os, "fork") else "\nprint(digest())")
    return run(script, tmp_path_factory.mktemp("alone"), "-W", "error").split()


def test_threads_and_forked_children_agree(alone):
    assert len(alone) == 12


def test_nowhere_to_write_a_strange_path_and_no_asserts(alone, tmp_path):
    """No cache beside the package nor at home, no docstrings, a path with spaces, another clock and another locale."""
    code = tmp_path / "a path with späces" / "here"
    for package in ("geometry", "rbo_ref"):
        shutil.copytree(HERE / package, code / package, ignore=shutil.ignore_patterns("__pycache__"))
        for folder in [code / package, *filter(Path.is_dir, (code / package).rglob("*"))]:
            (folder / "__pycache__").touch()  # a file: not even root can write a cache there
    nowhere = os.devnull
    told = run(
        VERBS + "\nprint(digest())",
        tmp_path,
        *("-OO", "-W", "error"),
        code=code,
        HOME=nowhere,
        XDG_CACHE_HOME=nowhere,
        NUMBA_CACHE_DIR="",
        LC_ALL="C",
        PYTHONUTF8="0",
        PYTHONCOERCECLOCALE="0",
    )
    assert told.split() == alone
    assert not list(code.rglob("*.nbi"))


def test_without_compiling_and_without_a_home(alone, tmp_path):
    """Sums in another order are rounded otherwise; what is exact on the grid, and what is proven, is not."""
    script = VERBS + COMMANDS_IN_ASCII + "\nprint(digest())"
    told = run(
        script,
        tmp_path,
        *("-O", "-W", "error"),
        NUMBA_DISABLE_JIT="1",
        LC_ALL="C",
        PYTHONUTF8="0",
        PYTHONCOERCECLOCALE="0",
        PYTHONIOENCODING="ascii",
    )
    assert told.isascii()
    assert all(name.encode() in told for name in COMMANDS)
    assert told.split()[-12:][:3] == alone[:3]


FULL = """
set -u
R="$1 -m rbo_ref.cli"
$R iron sine --radius 1 > /dev/full; echo $?
$R iron sine --radius 1 >&-; echo $?
$R draw sine --steps 1 --out a.png >&- 2>&-; echo $?
$R draw sine --steps 1 --out /dev/full 2> /dev/full; echo $?
"""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_streams_that_are_full_or_closed(tmp_path):
    pytest.importorskip("matplotlib")
    environment = os.environ | {"PYTHONPATH": str(HERE)}
    ended = subprocess.run(
        ["bash", "-c", FULL, "bash", sys.executable], env=environment, cwd=tmp_path, capture_output=True, timeout=200
    )
    assert b"Traceback" not in ended.stderr
    assert b"ignored" not in ended.stderr
    statuses = [line for line in ended.stdout.decode().split("\n") if line.isdigit()]
    assert statuses == ["2", "0", "0", "2"], ended
    assert (tmp_path / "a.png").stat().st_size > 1000
