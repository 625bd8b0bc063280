"""The circumstances that a verdict may depend on: versions, switches of the libraries, the processor."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from importlib import metadata
from typing import Any

import numpy

__all__ = ["environment"]

PACKAGES = ("rbo-ref", "numpy", "scipy", "numba", "array-api-compat", "python-flint")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "XLA_FLAGS")


def environment(library: str) -> dict[str, str]:
    """What a verdict on a port to a library may depend on.

    The switches of PyTorch and JAX are reported where they are loaded; nothing is imported for it.

    Examples
    --------
    >>> found = environment("numpy")
    >>> found["numpy"] == numpy.__version__, found["fused multiply-add"] in ("yes", "no")
    (True, True)
    """
    packages = dict.fromkeys((*PACKAGES, library.partition(".")[0].replace("_", "-")))
    found = {"python": platform.python_version(), **{package: _version(package) for package in packages}}
    return found | dict(_processor()) | dict(_torch(sys.modules.get("torch"))) | dict(_jax(sys.modules.get("jax")))


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except (metadata.PackageNotFoundError, ValueError):  # not a package, or not even the name of one
        return "unknown"


def _processor() -> Iterator[tuple[str, str]]:
    config: Any = numpy.show_config(mode="dicts")
    blas = config.get("Build Dependencies", {}).get("blas", {})
    yield "platform", f"{platform.system()} {platform.machine()}, {sys.byteorder}-endian"
    yield "blas", f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()
    yield "processors", str(os.cpu_count())
    yield "fused multiply-add", "yes" if _fuses(config) else "no"
    smallest = numpy.array(2.0**-1074)
    yield "subnormal numbers", "kept" if smallest / 1.0 > 0 else "flushed to zero"
    for name in THREADS:
        if name in os.environ:
            yield name, os.environ[name]


def _fuses(config: dict[str, Any]) -> bool:
    """Whether the processor fuses a product and a sum into one rounding: all ARM64 do, and x86 from 2013 on."""
    extensions = config.get("SIMD Extensions", {})
    found = {*extensions.get("baseline", ()), *extensions.get("found", ())}
    return platform.machine().lower() in ("arm64", "aarch64") or bool(found & {"FMA3", "AVX2", "X86_V3"})


def _torch(torch: Any) -> Iterator[tuple[str, str]]:
    if torch is None or not hasattr(torch, "backends"):
        return
    yield "torch float32 matmul precision", str(torch.get_float32_matmul_precision())
    yield "torch TF32 in matmul", str(torch.backends.cuda.matmul.allow_tf32)
    yield "torch TF32 in cudnn", str(torch.backends.cudnn.allow_tf32)
    yield "torch deterministic algorithms", str(torch.are_deterministic_algorithms_enabled())
    yield "torch threads", str(torch.get_num_threads())


def _jax(jax: Any) -> Iterator[tuple[str, str]]:
    if jax is None or not hasattr(jax, "config"):
        return
    yield "jax_enable_x64", str(jax.config.jax_enable_x64)
    yield "jax_default_matmul_precision", str(jax.config.jax_default_matmul_precision)
