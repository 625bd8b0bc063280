"""What needs a compiler works without one, and with a cache that is damaged or nowhere."""

import ast
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numba")

from numba.core import caching, config

from geometry._kernels import compiling
from geometry._kernels.compiling import compiled

SCRIPT = """
import sys
import numpy as np

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked}:
            raise ModuleNotFoundError("No module named " + name, name=name)

sys.meta_path.insert(0, Blocked())
from geometry import FunctionGraph, certified, closing, critical_radius, dilate
from geometry import medial_radius, offset_function, rolling_ball
from geometry._kernels import kernel

assert kernel("dilation", np) is None and kernel("elementwise", np) is None
f, s = np.array([0.0, 3.0, 1.0, 1.0]), np.arange(4.0)
away = np.abs(s[:, None] - s)
offset = np.where(away <= 2, f + np.sqrt(np.maximum(4 - away**2, 0)), -np.inf).max(axis=1)
under = np.where(away <= 2, f - np.sqrt(np.maximum(4 - away**2, 0)), np.inf).min(axis=1)
np.testing.assert_array_equal(dilate(f, 2.0), offset)
np.testing.assert_allclose(rolling_ball(f, 2.0), under + 2, rtol=1e-15)
np.testing.assert_array_equal(closing(np.diag([1.0, 1.0, 1.0]), 0.5), np.eye(3))
found = certified.distance(FunctionGraph(lambda t: np.sin(t[..., 0])), [0.5, 0.5], tolerance=1e-3)
t = np.linspace(-2, 2, 400001)
truth = np.hypot(t - 0.5, np.sin(t) - 0.5).min()
assert found.closed and found.lower <= truth <= found.upper + 1e-9, found
sine = FunctionGraph(lambda t: np.sin(t[..., 0]), compile=True)
np.testing.assert_allclose(offset_function(sine, [np.pi / 2], 2.0, samples=64), 3.0)
np.testing.assert_allclose(medial_radius(sine, [-np.pi / 2], samples=60), 1.0)
np.testing.assert_allclose(critical_radius(sine, [(-2, 1)], samples=64), 1.0)

from geometry import Descent, project
from rbo_ref import RollingBall, trajectory

assert all(kernel(name, np) is None for name in ("search", "descent", "roll"))
bowl = FunctionGraph(lambda t: np.sum(t**2, axis=-1) / 2, compile=True)
assert abs(project(bowl, [0.5, 1.0]).theta[0] - 1) < 1e-12
path = trajectory(RollingBall(0.5, 0.1, Descent(0.1, 1)), bowl, [1.0], 1)
c = 1 - 0.1 / np.sqrt(2), 0.5 + 0.1 / np.sqrt(2)
x, y = c[0] - 0.5, c[1] - 0.5
np.testing.assert_allclose(path.theta[1], 1 - 0.1 * ((1 - x) + (0.5 - y)), rtol=1e-15)
"""


@pytest.mark.parametrize(("blocked", "switch"), [(("numba", "llvmlite"), "0"), ((), "1")], ids=["missing", "off"])
def test_without_a_compiler(blocked, switch):
    environment = os.environ | {"NUMBA_DISABLE_JIT": switch}
    script = SCRIPT.replace("{blocked}", repr(blocked))
    run = subprocess.run([sys.executable, "-W", "error", "-c", script], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def double(x):
    return 2 * x


def triple(x):
    return 3 * x


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    return tmp_path


def hits(function):
    assert function(21.0) == 42.0
    return sum(function.stats.cache_hits.values())


def test_the_second_time_nothing_is_compiled(cache):
    assert [hits(compiled()(double)) for _ in range(2)] == [0, 1]


DAMAGES = {
    "empty": lambda content: b"",
    "cut": lambda content: content[: len(content) // 2],
    "zeroed": lambda content: bytes(len(content)),
    "text": lambda content: b"<html>404</html>",
    "of a module that is not there": lambda content: b"cnowhere\nnothing\n.",
    "a number": lambda content: b"I7\n.",
}


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_compiled_anew_and_written_again(cache, damage, suffix):
    assert hits(compiled()(double)) == 0
    (path,) = cache.rglob(f"*.{suffix}")
    path.write_bytes(damage(path.read_bytes()))
    assert [hits(compiled()(double)) for _ in range(2)] == [0, 1]


def test_the_code_of_another_function_is_not_taken(cache):
    assert compiled()(triple)(1.0) == 3.0
    assert hits(compiled()(double)) == 0
    own, other = (next(cache.rglob(f"*{name}*.nbc")) for name in ("double", "triple"))
    own.write_bytes(other.read_bytes())
    assert [hits(compiled()(double)) for _ in range(2)] == [0, 1]


def test_without_a_place_to_write(monkeypatch):
    monkeypatch.setattr(caching.FunctionCache._impl_class, "_locator_classes", [])
    assert compiled()(double)(21.0) == 42.0


def test_a_cache_folder_below_a_file(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "file" / "cache"))
    assert compiled()(double)(21.0) == 42.0


def test_a_full_disk(cache, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(caching.IndexDataCacheFile, "_save_data", full)
    assert compiled()(double)(21.0) == 42.0


def test_code_on_disk_is_of_the_same_sources(cache, monkeypatch):
    assert hits(compiled()(double)) == 0
    assert hits(compiled()(double)) == 1
    monkeypatch.setattr(sys.modules["geometry._kernels.compiling"], "SOURCES", "edited")
    assert hits(compiled()(double)) == 0


def borrowed(function):
    """The arrays that a function makes, and takes the addresses of, but does not `keep` at its end."""
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    addressed = {ast.unparse(call.args[0]) for call in calls if ast.unparse(call.func) == "address"}
    made = {
        ast.unparse(node.targets[0])
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith(("np.", "numpy."))
    }
    last = ast.unparse(function.body[-1])
    return {name for name in made & addressed if last != f"keep({name})"}


def test_an_array_outlives_its_address():
    """numba frees an array after its last use by name."""
    sources = [path.read_text() for path in Path(compiling.__file__).parent.glob("*.py")]
    functions = [f for s in sources for f in ast.walk(ast.parse(s)) if isinstance(f, ast.FunctionDef)]
    assert [f.name for f in functions if borrowed(f)] == []
    lost = "def f():\n    a = np.empty(3)\n    b = address(a)\n    b[0] = 1"
    assert borrowed(ast.parse(lost).body[0]) == {"a"}
    assert borrowed(ast.parse(lost + "\n    keep(a)").body[0]) == set()
