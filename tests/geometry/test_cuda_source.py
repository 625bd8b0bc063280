"""The CUDA source of the dilation, where there is no GPU: compiled by nvcc, and run on the CPU.

On the CPU g++ compiles the same source behind a header that stands in for CUDA, and NumPy's arrays stand in for CuPy's.
So everything but the conversions of numbers, which are single instructions, is held to the generic body bit for bit.
"""

from __future__ import annotations

import ctypes
import itertools
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from geometry._ball import Ball
from tests.conftest import BACKENDS
from tests.geometry.cuda import compiled
from tests.geometry.cuda import targets as gpus
from tests.geometry.test_kernels import DTYPES, FAMILIES, INF, Engine, hold, landscape

# A header that stands in for CUDA. Thread blocks run one after the other, and so do the warps of one. The lanes of a
# warp are fibers: each runs until the warp has to meet, so that a lane that is early or late reads wrong numbers.

BEFORE = r"""
#include <setjmp.h>
#include <ucontext.h>

#include <cstring>
#include <functional>
#include <utility>

#define __global__
#define __device__
#define __launch_bounds__(...)
#define __shared__ static

struct Size { unsigned x; };
static Size blockIdx, gridDim, blockDim;

static struct Warp {
    ucontext_t starts[32];
    jmp_buf meeting, lanes[32];
    char stacks[32][1 << 16];
    const char* stops[32];  // where a lane waits for the others
    double words[2][32];    // what lanes tell the others, in turns
    int turns[32];
    unsigned first, lane;
} warp;
static struct { struct { operator unsigned() const { return warp.first + warp.lane; } } x; } threadIdx;

static void meet(const char* stop) {
    warp.stops[warp.lane] = stop;
    if (!_setjmp(warp.lanes[warp.lane])) _longjmp(warp.meeting, 1);
}
static double* tell(const char* stop, double word) {
    double* words = warp.words[warp.turns[warp.lane]++ % 2];
    words[warp.lane] = word;
    meet(stop);
    return words;
}
static void __syncwarp() { meet("syncwarp"); }
static double __shfl_sync(unsigned, double x, int lane) { return tell("shfl", x)[lane]; }
static double __shfl_xor_sync(unsigned, double x, int step) { return tell("shfl xor", x)[warp.lane ^ step]; }
static unsigned __ballot_sync(unsigned, bool vote) {
    double* votes = tell("ballot", vote);
    unsigned ballot = 0;
    for (int lane = 0; lane < 32; lane++) ballot |= unsigned(votes[lane]) << lane;
    return ballot;
}
static int __ffs(int bits) { return __builtin_ffs(bits); }
static double __longlong_as_double(long long bits) { double x; memcpy(&x, &bits, 8); return x; }
template <typename T> static double widen(T x) { return x; }
template <typename T> static void narrow(double x, T& y) { y = x; }
"""

AFTER = r"""
static std::function<void()> body;
static void lane_runs() { body(); meet(nullptr); }

// Fibers are started by the slow swap, which calls the kernel of the operating system, and changed by jumps.
static void lane_goes_on(bool starts) {
    if (_setjmp(warp.meeting)) return;
    starts ? (void)setcontext(&warp.starts[warp.lane]) : _longjmp(warp.lanes[warp.lane], 1);
}

static bool warp_runs(bool backwards) {
    for (int lane = 0; lane < 32; lane++) {
        getcontext(&warp.starts[lane]);
        warp.starts[lane].uc_stack.ss_sp = warp.stacks[lane];
        warp.starts[lane].uc_stack.ss_size = sizeof warp.stacks[lane];
        makecontext(&warp.starts[lane], lane_runs, 0);
    }
    bool starts = true;
    do {
        for (int i = 0; i < 32; i++) {
            warp.lane = backwards ? 31 - i : i;
            lane_goes_on(starts);
        }
        starts = false;
        for (int lane = 1; lane < 32; lane++)
            if (warp.stops[lane] != warp.stops[0]) return false;
    } while (warp.stops[0]);
    return true;
}

template <typename... A, size_t... I>
static const char* kernel_runs(void (*kernel)(A...), bool backwards, unsigned count, void** arguments,
                               std::index_sequence<I...>) {
    if (count != sizeof...(A)) return "wrong number of arguments";
    body = [=] { kernel(*static_cast<A*>(arguments[I])...); };
    for (blockIdx.x = 0; blockIdx.x < gridDim.x; blockIdx.x++)
        for (warp.first = 0; warp.first < blockDim.x; warp.first += 32)
            if (!warp_runs(backwards)) return "the lanes of a warp meet at different places";
    return nullptr;
}

template <typename... A>
static const char* kernel_runs(void (*kernel)(A...), bool backwards, unsigned count, void** arguments) {
    return kernel_runs(kernel, backwards, count, arguments, std::index_sequence_for<A...>());
}

extern "C" const char* launch(const char* name, unsigned grid, unsigned block, bool backwards, unsigned count,
                              void** arguments) {
    gridDim.x = grid;
    blockDim.x = block;
    if (!strcmp(name, "block_tops")) return kernel_runs(block_tops, backwards, count, arguments);
    if (!strcmp(name, "super_tops")) return kernel_runs(super_tops, backwards, count, arguments);
    if (!strcmp(name, "dilate")) return kernel_runs(dilate, backwards, count, arguments);
    return "no such kernel";
}
"""


class DeviceArray(np.ndarray):
    """An array that has a device."""

    device = nullcontext()


class CuPyOnCPU(ModuleType):
    """What the launcher needs of CuPy. Arrays have margins that must not be read (NaN, huge indices) or written."""

    MARGIN = 512

    def __init__(self, folder: Path, most_blocks: int = 2**31 - 1, backwards: bool = False, patch: Any = ("", "")):
        super().__init__("cupy")
        if sys.platform != "linux" or shutil.which("g++") is None:
            pytest.skip("no g++ with fibers (ucontext.h)")
        self.folder, self.most_blocks, self.backwards, self.patch = folder, most_blocks, backwards, patch
        self.buffers: list[np.ndarray] = []
        self.launcher = load(self)

    def empty(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        dtype = np.dtype(dtype)
        size = int(np.prod(shape))
        buffer = np.full(size + 2 * self.MARGIN, np.nan if dtype.kind == "f" else 2**40, dtype)
        self.buffers.append(buffer)
        return buffer[self.MARGIN : self.MARGIN + size].reshape(shape)

    def asarray(self, array: np.ndarray) -> np.ndarray:
        copy = self.empty(array.shape, array.dtype)
        copy[...] = array
        return copy

    ascontiguousarray = asarray

    def RawModule(self, code: str, options: tuple[str, ...]) -> Any:
        old, new = self.patch
        if old not in code:
            raise LookupError(old)
        defined = [o.replace("unsigned short", "_Float16") for o in options if o.startswith("-D")]
        name = str(self.folder / f"kernels{len(list(self.folder.iterdir()))}")
        Path(f"{name}.cpp").write_text(BEFORE + code.replace(old, new) + AFTER)
        flags = ["-std=c++17", "-O1", "-ffp-contract=off", "-U_FORTIFY_SOURCE", "-shared", "-fPIC", "-w"]
        subprocess.run(["g++", *flags, *defined, f"{name}.cpp", "-o", f"{name}.so"], check=True)
        self.library = library = ctypes.CDLL(f"{name}.so")
        library.launch.restype = ctypes.c_char_p
        return SimpleNamespace(get_function=lambda kernel: self._kernel(library, kernel.encode()))

    def _kernel(self, library: Any, kernel: bytes) -> Callable[..., None]:
        def launch(grid: tuple[int], block: tuple[int], arguments: tuple[Any, ...]) -> None:
            words = [ctypes.c_longlong(a.ctypes.data if isinstance(a, np.ndarray) else a) for a in arguments]
            pointers = (ctypes.c_void_p * len(words))(*map(ctypes.addressof, words))
            blocks = min(grid[0], self.most_blocks)
            error = library.launch(kernel, blocks, block[0], self.backwards, len(words), pointers)
            assert error is None, error.decode()

        return launch

    def dilation(self, source: np.ndarray, *arguments: Any, **options: Any) -> tuple[np.ndarray, np.ndarray | None]:
        """The launcher's function, on this CuPy."""
        found = self.launcher.dilation(source.view(DeviceArray), *arguments, **options)
        for buffer in self.buffers:
            margins = buffer[[*range(self.MARGIN), *range(-self.MARGIN, 0)]]
            assert (np.isnan(margins) if buffer.dtype.kind == "f" else margins == 2**40).all()
        self.buffers.clear()
        return found


def load(cupy: ModuleType) -> ModuleType:
    """A copy of the launcher that belongs to no package."""
    spec = find_spec("geometry._kernels.cupy_dilation")
    module = module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "cupy", cupy)
        spec.loader.exec_module(module)
    return module


def emulated(folder: Path, **options: Any) -> Engine:
    return Engine(CuPyOnCPU(folder, **options).dilation, BACKENDS["numpy"]())


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return emulated(tmp_path_factory.mktemp("cuda"))


def hold_landscape(engine: Engine, name: str, shape: tuple[int, ...], radius: float, dtype: str = "float64") -> None:
    ball = Ball(radius, (1.0, 0.7, 1.3, 1.0)[: len(shape)])
    hold(engine, landscape(name, shape, ball, dtype), ball.cap(ball.half_widths(shape)))


# The same bits as the generic body, with contacts and without.


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FAMILIES)
def test_hard_landscapes(engine, name, dtype):
    for shape, radius in [((150,), 40.3), ((23, 37), 6.0), ((3, 9, 10), 2.2)]:
        hold_landscape(engine, name, shape, radius, dtype)


@pytest.mark.parametrize("radius", [0.4, 2.5, 100.0])
def test_small_shapes(engine, radius):
    names = itertools.cycle(FAMILIES)
    for shape in [(1,), (2,), (33,), (127,), (129,), (1, 1), (1, 40), (40, 1), (2, 17), (7, 8), (8, 9), (16, 16)]:
        hold_landscape(engine, next(names), shape, radius)
    for shape in [(1, 1, 1), (4, 1, 19), (3, 10, 9), (2, 3, 2, 9), (3, 2, 5, 1), (2, 1, 3, 2, 4)]:
        ball = Ball(radius, (1.0,) * len(shape))
        hold(engine, landscape(next(names), shape, ball), ball.cap(ball.half_widths(shape)))


@pytest.mark.parametrize("name", ["noise", "bowls", "mostly holes"])
def test_more_than_one_superblock(engine, name):
    """64 × 64 samples, or 1024 of a line."""
    for shape, cut in [((70, 150), 9), ((2200,), 60), ((2, 66, 65), 3)]:
        ball = Ball(40.0, (1.0,) * len(shape))
        half = tuple(min(k, cut) for k in ball.half_widths(shape))
        hold(engine, landscape(name, shape, ball), ball.cap(half))


@pytest.mark.parametrize("shape", [(40,), (9, 21), (3, 6, 7), (2, 3, 4, 5)])
def test_periodic_margins(engine, shape):
    for radius, name in itertools.product([0.5, 6.4, 1000.0], ["noise", "ties", "mostly holes"]):
        ball = Ball(radius, (1.0,) * len(shape))
        half = ball.half_widths(shape, periodic=True)
        source = np.pad(landscape(name, shape, ball), [(k, k) for k in half], mode="wrap")
        hold(engine, source, ball.cap(half), half, shape)


def test_windows(engine):
    rng, names = np.random.default_rng(5), itertools.cycle(FAMILIES)
    for _ in range(20):
        size = rng.integers(1, 30, rng.integers(1, 4))
        low = rng.integers(0, size)
        shape = tuple(int(n) for n in rng.integers(1, size - low + 1))
        ball = Ball(rng.choice([0.5, 3.0, 9.7]), (1.0,) * size.size)
        half = tuple(min(k, 5) for k in ball.half_widths(tuple(size)))
        hold(engine, landscape(next(names), tuple(size), ball), ball.cap(half), map(int, low), shape)


def test_any_layout_of_the_samples(engine):
    ball = Ball(4.0, (1.0, 1.0))
    f = landscape("noise", (20, 30), ball)
    for source in (f[:, ::-1], f.T, np.repeat(f, 2, axis=1)[:, ::2]):
        hold(engine, source, ball.cap((4, 4)), workers=3)


def test_sums_that_overflow(engine):
    ball = Ball(8e307, (1e307,))
    f = np.array([1.7e308, -1.7e308, 1e308, 0.0, -INF, -1e308])
    values, contacts = hold(engine, f, ball.cap(ball.half_widths(f.shape)))
    assert (values == INF).any()
    assert contacts[0] == 0


# The order of things.


def test_neither_the_order_of_lanes_nor_the_number_of_thread_blocks_matters(tmp_path):
    engine = emulated(tmp_path, backwards=True, most_blocks=3)
    for shape, radius, name in [((700,), 50.0, "noise"), ((40, 50), 7.0, "ties"), ((5, 12, 20), 3.0, "bowls")]:
        hold_landscape(engine, name, shape, radius)


# Cost.

COUNTER = 'static long long visits; extern "C" long long visited() { return visits; }'
HEAD = "__device__ void raise_by(const Roll& roll, Tile& tile, const Patch& patch) {"


def additions(folder: Path, name: str, radius: float) -> float:
    """Sums of a sample and a weight that a place of a plane is given."""
    folder.mkdir()
    cupy = CuPyOnCPU(folder, patch=(HEAD, f"{COUNTER} {HEAD} visits++;"))
    ball, layout = Ball(radius, (1.0, 1.0)), cupy.launcher.PLANE
    f = landscape(name, (128, 128), ball)
    cupy.dilation(f, ball.cap(ball.half_widths(f.shape)), (0, 0), f.shape)
    return cupy.library.visited() * np.prod(layout.each) * np.prod(layout.block) / f.size


def test_blocks_that_cannot_touch_are_skipped(tmp_path):
    """The number of additions hardly depends on the radius; under the ball there are 3 000 samples and 11 000."""
    few, many = (additions(tmp_path / str(radius), "noise", radius) for radius in (30.0, 60.0))
    assert 64 < few < 1000
    assert 64 < many < 1000


# The tests above can fail.

MISTAKES = {
    "bounds from the wrong corner": ("Index dy = nearest(tile.y", "Index dy = farthest(tile.y"),
    "ground from the wrong corner": ("Index dy = farthest(tile.y", "Index dy = nearest(tile.y"),
    "the floor is the highest place": ("tile.floor = -most_of_warp(-low)", "tile.floor = most_of_warp(low)"),
    "block read too early": ("    __syncwarp();\n    const int SPAN", "    const int SPAN"),
    "lanes part": ("__syncwarp();  // nobody", "if (threadIdx.x) __syncwarp();  //"),
    "samples outside of the plane": ("bool inside = y < roll.ny && x < roll.nx;", "bool inside = true;"),
    "block beyond the plane": ("least(x + BLOCK_X, nx)", "x + BLOCK_X"),
    "weights beyond the table": ("return least(dx, reach_x + 1);", "return dx;"),
    "contact of no sample": ("|| sum == -INF) return;", ") return;"),
    "highest contact": ("flat < contact) contact", "flat > contact) contact"),
    "equals skipped": ("STEP == TOUCH && high == tile.floor", "false"),
    "contact outside of the array": ("at = folded ? wrapped(at, size) : ", "at = folded ? at : "),
    "first tiles only": ("i += gridDim.x", "i += 1 << 30"),
    "one axis too few": ("plane /= places[axis];", ""),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_seen(tmp_path, mistake):
    engine = emulated(tmp_path, patch=MISTAKES[mistake], most_blocks=3)
    with pytest.raises(AssertionError):
        hold_a_few(engine)


def hold_a_few(engine: Engine) -> None:
    hold_landscape(engine, "ties", (40, 50), 7.0)
    hold_landscape(engine, "noise", (40, 50), 20.0)
    test_periodic_margins(engine, (2, 3, 4, 5))


def test_no_mistake_is_seen_where_there_is_none(engine):
    hold_a_few(engine)


# The compiler for GPUs.


def nvcc(source: Path, output: Path, dtype: str, layout: str, *flags: str) -> str:
    """What nvcc makes of the source, under the options of the launcher and CuPy, in text form if it has one."""
    if shutil.which("nvcc") is None:
        pytest.skip("no nvcc")
    launcher = load(ModuleType("cupy"))
    options = launcher.options(dtype, getattr(launcher, layout))
    told = ["-std=c++14", "-ftz=true", "--Werror", "all-warnings", *options, *flags]
    run = subprocess.run(["nvcc", *told, str(source), "-o", str(output)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return output.read_text(encoding="latin1")


def source() -> Path:
    return load(ModuleType("cupy")).SOURCE


def targets() -> list[str]:
    """The GPUs that nvcc knows: the oldest, the newest, and Hopper."""
    if shutil.which("nvcc") is None:
        return ["sm_90"]
    listed = subprocess.run(["nvcc", "--list-gpu-code"], capture_output=True, text=True, check=True).stdout.split()
    known = [name for name in listed if re.fullmatch(r"sm_\d+", name)]
    return [name for name in known if name in {known[0], "sm_90", known[-1]}]


@pytest.mark.parametrize("target", targets())
def test_every_gpu_compiles_it(tmp_path, target):
    assert nvcc(source(), tmp_path / "out.cubin", "float32", "PLANE", "-cubin", f"-arch={target}")


def test_cupys_compiler_takes_it():
    launcher = load(ModuleType("cupy"))
    options = "-ftz=true", *launcher.options("float32", launcher.LINE)
    assert b"dilate" in compiled(source().read_text(encoding="utf-8"), gpus()[0], options)


@pytest.mark.parametrize("layout", ["PLANE", "LINE"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_instructions_keep_the_bits(tmp_path, dtype, layout):
    """Sums are rounded by themselves, and subnormal numbers are not flushed to zero."""
    text = nvcc(source(), tmp_path / "out.ptx", dtype, layout, "-ptx")
    assert "add.rn.f64" in text
    assert not re.search(r"\bfma\b|\.ftz\b", text)


def test_a_flushing_conversion_and_a_warning_are_seen(tmp_path):
    wrong = tmp_path / "wrong.cu"
    wrong.write_text('extern "C" __global__ void f(const float* x, double* y) { *y = *x; }')
    assert ".ftz" in nvcc(wrong, tmp_path / "out.ptx", "float32", "PLANE", "-ptx")
    wrong.write_text('extern "C" __global__ void f() { int unused = 1; }')
    with pytest.raises(AssertionError, match="unused"):
        nvcc(wrong, tmp_path / "out.ptx", "float32", "PLANE", "-ptx")
