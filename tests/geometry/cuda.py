"""CUDA C where there is no GPU: compiled for GPUs by NVIDIA's run-time compiler, and for the CPU by g++.

The run-time compiler comes in a wheel and needs no driver. It is what CuPy compiles with: nothing is included, and
there is no C library.
"""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import sys
from contextlib import nullcontext
from functools import cache
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

OPTIONS = "-std=c++17", "--fmad=false"


@cache
def nvrtc() -> Any:
    """The newest of those in wheels; None if there is none."""
    spec = find_spec("nvidia")
    folders = map(Path, spec.submodule_search_locations or ()) if spec else ()
    names = ("*/lib/libnvrtc.so.*", "*/bin/**/nvrtc64_*.dll")
    found = [path for folder in folders for name in names for path in folder.glob(name) if ".alt." not in path.name]
    if not found:
        return None
    library = ctypes.CDLL(str(max(found, key=lambda path: path.name)))
    library.nvrtcGetErrorString.restype = ctypes.c_char_p
    return library


def targets() -> list[str]:
    """The GPUs that it knows: the oldest, Ampere, Hopper and the newest."""
    if nvrtc() is None:
        return ["sm_90"]
    count = ctypes.c_int()
    check(nvrtc().nvrtcGetNumSupportedArchs(ctypes.byref(count)))
    known = (ctypes.c_int * count.value)()
    check(nvrtc().nvrtcGetSupportedArchs(known))
    return [f"sm_{number}" for number in sorted({known[0], 80, 90, known[-1]})]


def check(result: int) -> None:
    assert result == 0, nvrtc().nvrtcGetErrorString(result).decode()


each_target = pytest.mark.parametrize("target", targets())


def compiled(text: str, target: str, options: tuple[str, ...] = OPTIONS) -> bytes:
    """The machine code of a text for "sm_90" and the like, or its assembly for "compute_90"."""
    if nvrtc() is None:
        pytest.skip("NVRTC is not installed: pip install nvidia-cuda-nvrtc")
    program = ctypes.c_void_p()
    check(nvrtc().nvrtcCreateProgram(ctypes.byref(program), text.encode(), b"text.cu", 0, None, None))
    told = [option.encode() for option in (f"-arch={target}", *options)]
    result = nvrtc().nvrtcCompileProgram(program, len(told), (ctypes.c_char_p * len(told))(*told))
    log = fetched("ProgramLog", program).rstrip(b"\0").decode().strip()
    assert result == 0, log
    assert not log, log  # no warnings
    code = fetched("PTX" if target.startswith("compute") else "CUBIN", program)
    check(nvrtc().nvrtcDestroyProgram(ctypes.byref(program)))
    return code


def fetched(what: str, program: ctypes.c_void_p) -> bytes:
    size = ctypes.c_size_t()
    check(getattr(nvrtc(), f"nvrtcGet{what}Size")(program, ctypes.byref(size)))
    buffer = ctypes.create_string_buffer(size.value)
    check(getattr(nvrtc(), f"nvrtcGet{what}")(program, buffer))
    return buffer.raw


SHIM = r"""
#include <math.h>
#include <utility>
#define __device__
#define __global__
struct Size { unsigned x; };
static Size blockIdx, gridDim, blockDim, threadIdx;
template <typename... A, size_t... I>
static void launched(void (*kernel)(A...), unsigned grid, unsigned block, void **arguments, std::index_sequence<I...>) {
    gridDim.x = grid;
    blockDim.x = block;
    for (blockIdx.x = 0; blockIdx.x < grid; blockIdx.x++)
        for (threadIdx.x = 0; threadIdx.x < block; threadIdx.x++) kernel(*static_cast<A *>(arguments[I])...);
}
template <typename... A> static void launched(void (*kernel)(A...), unsigned grid, unsigned block, void **arguments) {
    launched(kernel, grid, block, arguments, std::index_sequence_for<A...>());
}
"""


def on_cpu(text: str, folder: Path) -> Any:
    """The text as a library of the CPU; threads run one after the other."""
    if shutil.which("g++") is None:
        pytest.skip("a C++ compiler is not installed")
    source, library = folder / "text.cpp", folder / "text.so"
    source.write_text(SHIM + text)
    flags = [
        "-std=c++17",
        "-O1",
        "-ffp-contract=off",
        "-Wall",
        "-Wfloat-conversion",
        "-Wno-unused",
        "-Werror",
        "-shared",
        "-fPIC",
    ]
    subprocess.run(["g++", *flags, str(source), "-o", str(library)], check=True, timeout=120)
    return ctypes.CDLL(str(library))


class DeviceArray(np.ndarray):
    """An array that has a device."""

    device = nullcontext()


class CuPyOnCPU(ModuleType):
    """What launchers need of CuPy, and these. Arrays have margins that must not be read (NaN, huge counts) or written.

    `patch` is what is replaced in the texts, and by what.
    """

    MARGIN = 64
    ndarray, float64, int64 = DeviceArray, np.float64, np.int64
    concatenate = staticmethod(np.concatenate)

    def __init__(self, folder: Path, most_blocks: int = 2**31 - 1, patch: tuple[str, str] = ("", "")) -> None:
        super().__init__("cupy")
        self.folder, self.most_blocks, self.patch = folder, most_blocks, patch
        self.buffers: list[np.ndarray] = []
        names = [f"geometry._kernels.{name}" for name in ("cupy_loops", "cupy_search", "cupy_rolls")]
        self.texts, self.search, self.rolls = copies(self, names)

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
        kernels = "".join(
            f'extern "C" void launch_{name}(unsigned grid, unsigned block, void **arguments)\n'
            f"{{\n    launched({name}, grid, block, arguments);\n}}\n"
            for name in re.findall(r"__global__ void (\w+)", code)
        )
        library = on_cpu(defined + code.replace(old, new) + kernels, folder)
        return SimpleNamespace(get_function=lambda name: self._kernel(library[f"launch_{name}"]))

    def _kernel(self, launch: Any) -> Any:
        def run(grid: tuple[int], block: tuple[int], arguments: tuple[Any, ...]) -> None:
            words = [word(argument) for argument in arguments]
            pointers = (ctypes.c_void_p * len(words))(*map(ctypes.addressof, words))
            launch(min(grid[0], self.most_blocks), block[0], pointers)

        return run

    def run(self, function: Any, expression: Any, *arguments: Any, **options: Any) -> Any:
        """A launcher's function, on this CuPy; arrays come with a device."""
        arrays = (a.view(DeviceArray) if isinstance(a, np.ndarray) else a for a in arguments)
        found = function(expression, *arrays, **options)
        for buffer in self.buffers:
            margins = buffer[[*range(self.MARGIN), *range(-self.MARGIN, 0)]]
            assert (np.isnan(margins) if buffer.dtype.kind == "f" else margins == 2**40).all()
        self.buffers.clear()
        return found


def word(argument: Any) -> Any:
    """An argument of a kernel, as CuPy passes it."""
    if isinstance(argument, np.ndarray):
        return ctypes.c_void_p(argument.ctypes.data)
    return ctypes.c_double(argument) if isinstance(argument, float) else ctypes.c_longlong(argument)


def copies(cupy: ModuleType, names: list[str]) -> list[ModuleType]:
    """Of modules that import CuPy: with another one, and for nobody else."""
    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "cupy", cupy)
        for name in names:
            spec = find_spec(name)
            module = module_from_spec(spec)
            patch.setitem(sys.modules, name, module)
            spec.loader.exec_module(module)
            found.append(module)
    return found
