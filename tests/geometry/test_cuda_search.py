"""The search one item a thread, in CUDA C++: compiled for GPUs, and run on the CPU against the search on arrays."""

from __future__ import annotations

import ctypes
import sys
from contextlib import nullcontext
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

from geometry import FunctionGraph, GaussNewton, Newton, project
from geometry._kernels import kernel
from geometry.expressions import record
from tests.geometry.cuda import compiled, each_target, on_cpu
from tests.geometry.test_compiled_search import FUNCTIONS, queries

pytestmark = pytest.mark.skipif(kernel("search", np) is None, reason="numba cannot compile here")

AFTER = """
extern "C" void launch(unsigned grid, unsigned block, void **arguments) { launched(search, grid, block, arguments); }
"""


class DeviceArray(np.ndarray):
    """An array that has a device."""

    device = nullcontext()


class CuPyOnCPU(ModuleType):
    """What the launcher needs of CuPy. Arrays have margins that must not be read (NaN, huge counts) or written."""

    MARGIN = 64
    ndarray, float64, int64 = DeviceArray, np.float64, np.int64

    def __init__(self, folder: Path, most_blocks: int = 2**31 - 1, patch: tuple[str, str] = ("", "")) -> None:
        super().__init__("cupy")
        self.folder, self.most_blocks, self.patch = folder, most_blocks, patch
        self.buffers: list[np.ndarray] = []
        self.launcher = load(self)

    def empty(self, shape: Any, dtype: Any) -> np.ndarray:
        size = int(np.prod(shape))
        buffer = np.full(size + 2 * self.MARGIN, np.nan if dtype is np.float64 else 2**40, dtype)
        self.buffers.append(buffer)
        return buffer[self.MARGIN : self.MARGIN + size].reshape(shape)

    def ascontiguousarray(self, array: np.ndarray, dtype: Any) -> np.ndarray:
        copy = self.empty(array.shape, dtype)
        copy[...] = array
        return copy

    def RawModule(self, code: str, options: tuple[str, ...]) -> Any:
        old, new = self.patch
        assert old in code
        folder = self.folder / str(len(list(self.folder.iterdir())))
        folder.mkdir()
        defined = "".join(f"#define {o[2:].replace('=', ' ')}\n" for o in options if o.startswith("-D"))
        library = on_cpu(defined + code.replace(old, new) + AFTER, folder)

        def launch(grid: tuple[int], block: tuple[int], arguments: tuple[Any, ...]) -> None:
            words = [
                ctypes.c_void_p(a.ctypes.data) if isinstance(a, np.ndarray)
                else ctypes.c_double(a) if isinstance(a, float) else ctypes.c_longlong(a)
                for a in arguments
            ]  # fmt: skip
            library.launch(
                min(grid[0], self.most_blocks), block[0], (ctypes.c_void_p * len(words))(*map(ctypes.addressof, words))
            )

        return SimpleNamespace(get_function=lambda name: {"search": launch}[name])

    def search(self, function: Any, queries: np.ndarray, starts: np.ndarray, *settings: Any) -> tuple[np.ndarray, ...]:
        """The launcher's function, on this CuPy."""
        found = self.launcher.search(function, queries, starts.view(DeviceArray), *settings)
        for buffer in self.buffers:
            margins = buffer[[*range(self.MARGIN), *range(-self.MARGIN, 0)]]
            assert (np.isnan(margins) if buffer.dtype.kind == "f" else margins == 2**40).all()
        self.buffers.clear()
        return found


def load(cupy: ModuleType) -> ModuleType:
    """A copy of the launcher that belongs to no package."""
    spec = find_spec("geometry._kernels.cupy_search")
    module = module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "cupy", cupy)
        spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def gpu(tmp_path_factory):
    return CuPyOnCPU(tmp_path_factory.mktemp("cuda"))


SURFACES = {name: FunctionGraph(f, compile=False, name=name) for name, (f, _) in FUNCTIONS.items()}
RECORDED = {name: record(f, d) for name, (f, d) in FUNCTIONS.items()}
each_function = pytest.mark.parametrize("name", FUNCTIONS)


def hold_steps(gpu: CuPyOnCPU, name: str, kind: Any, steps: int) -> None:
    """As in `test_compiled_search`: rounding differs, and a step enlarges that at most a hundredfold here."""
    points, start = queries(SURFACES[name], FUNCTIONS[name][1], 150)
    truth = project(SURFACES[name], points, kind(max_steps=steps), start=start + 0.05)
    found = gpu.search(RECORDED[name], points, start + 0.05, kind is Newton, None, steps)
    theta, value, gradient, count, status = found
    np.testing.assert_array_equal(count, truth.steps)
    np.testing.assert_array_equal(status, truth.status)
    room = 2.0**-52 * 100.0 ** (steps + 1)
    assert (np.abs(theta - truth.theta) <= room * (1 + np.abs(truth.theta))).all()
    np.testing.assert_allclose(value, SURFACES[name].value(theta), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(gradient, SURFACES[name].gradient(theta), rtol=1e-11, atol=1e-11)


@each_function
@pytest.mark.parametrize("kind", [Newton, GaussNewton])
@pytest.mark.parametrize("steps", [0, 1, 2, 4])
def test_the_same_steps(gpu, name, kind, steps):
    hold_steps(gpu, name, kind, steps)


@each_function
@pytest.mark.parametrize("solver", [Newton(), GaussNewton()], ids=str)
def test_the_same_ends(gpu, name, solver):
    """But where rounding decides between two of them, or about the last step."""
    points, start = queries(SURFACES[name], FUNCTIONS[name][1], 150)
    newton = isinstance(solver, Newton)
    theta, value, _, _, status = gpu.search(RECORDED[name], points, start + 0.05, newton, None, solver.max_steps)
    truth = project(SURFACES[name], points, solver, start=start + 0.05)
    assert (status == truth.status).mean() >= 0.98
    far = np.hypot.reduce(np.column_stack([theta, value]) - points, axis=-1)
    assert (np.abs(far - truth.distance) <= 1e-9 * (1 + far)).mean() >= 0.98


def test_trouble_is_a_status(gpu):
    points = np.array([[0.3, np.inf], [np.nan, 1.0], [0.3, 0.0], [-np.inf, 1.0], [0.0, 0.0]])
    start = np.array([[0.3], [0.3], [np.nan], [0.3], [0.0]])
    for solver, newton in ((Newton(), True), (GaussNewton(), False)):
        truth = project(SURFACES["ripples"], points, solver, start=start)
        *_, status = gpu.search(RECORDED["ripples"], points, start, newton, None, solver.max_steps)
        np.testing.assert_array_equal(status, truth.status)


def test_any_number_of_items_and_of_thread_blocks(gpu, tmp_path):
    points, start = queries(SURFACES["valley"], 3, 150)
    whole = gpu.search(RECORDED["valley"], points, start, True, 1e-6, 20)
    one_block = CuPyOnCPU(tmp_path, most_blocks=1)
    for count in (150, 64, 1, 0):
        for found in (gpu, one_block):
            parts = found.search(RECORDED["valley"], points[:count], start[:count], True, 1e-6, 20)
            for part, all_of_it in zip(parts, whole, strict=True):
                np.testing.assert_array_equal(part, all_of_it[:count])


MISTAKES = {
    "first block only": ("n += (long long)gridDim.x * blockDim.x", "n += 1LL << 40"),
    "another item's query": ("queries + n * (D + 1)", "queries + n * D"),
    "the gradient of another place": ("row(w, GRADIENT, d), gradients", "row(w, THETA, d), gradients"),
    "Newton without its matrix": ("bool(NEWTON)", "false"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_seen(tmp_path, mistake):
    with pytest.raises(AssertionError):
        hold_steps(CuPyOnCPU(tmp_path, most_blocks=1, patch=MISTAKES[mistake]), "valley", Newton, 2)


@each_target
def test_gpus_compile_it(gpu, target):
    expression = RECORDED["valley"]
    for newton in {True, target == "sm_90"}:
        code = compiled(gpu.launcher.text(expression), target, gpu.launcher.options(expression.d, newton))
        assert b"search" in code
