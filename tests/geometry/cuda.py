"""CUDA C where there is no GPU: compiled for GPUs by NVIDIA's run-time compiler, and for the CPU by g++.

The run-time compiler comes in a wheel and needs no driver. It is what CuPy compiles with: nothing is included, and
there is no C library.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

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
