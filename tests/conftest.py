"""The one list of array libraries that the tests run on, the Hypothesis profiles, and how a run is shared out."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from array_api_compat import array_namespace
from hypothesis import HealthCheck, Phase, settings

collect_ignore = ["ports"]  # what the oracle judges; each needs its own framework

# The `backend` fixture is immutable, so one instance may serve all examples of a property. Explanations are made with
# sys.settrace, in which CPython 3.11 has been seen to loop for ever. No test is wrong for being slow beside other work.
settings.register_profile(
    "local",
    deadline=None,
    phases=set(Phase) - {Phase.explain},
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.register_profile("full", settings.get_profile("local"), max_examples=2000)
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")

PROCESSES = 8  # at most; with every framework, each takes up to 2 GB


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="more examples of properties, whole catalogues")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("full"):
        settings.load_profile("full")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """The whole suite runs on all processors, a file on one of them; what is asked for by name runs in this process."""
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not hasattr(config, "workerinput")
    if whole and config.pluginmanager.hasplugin("xdist") and config.option.numprocesses is None:
        config.option.numprocesses, config.option.dist = "auto", "loadfile"
        config.option.maxprocesses = config.option.maxprocesses or PROCESSES


@pytest.fixture(autouse=True, scope="module")
def _forgets_compiled_code() -> Iterator[None]:
    """What JAX has compiled for a module is of no use to the next, and would add up to gigabytes."""
    yield
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()


def _same(function: Callable) -> Callable:
    return function


@dataclass(frozen=True)
class Backend:
    """An array library, on one device, in one way of running it."""

    name: str
    xp: Any  # array API namespace
    dtypes: tuple[str, ...] = ("float32", "float64")
    device: Any = None
    jit: Callable[[Callable], Callable] = _same
    writeable: bool = True

    def asarray(self, values: Any, dtype: str | None = None) -> Any:
        """`values` as an array of this library; floating values in its widest dtype unless told otherwise."""
        values = np.array(values)
        if dtype is None:
            dtype = self.dtypes[-1] if values.dtype.kind == "f" else values.dtype.name
        array = self.xp.asarray(values, dtype=getattr(self.xp, dtype), device=self.device)
        if not self.writeable:
            array.flags.writeable = False
        return array

    def to_numpy(self, array: Any) -> np.ndarray:
        """The values of an array of this library in NumPy."""
        if self.name == "cupy":
            return array.get()
        if self.name == "torch":
            array = array.detach().cpu()
        return np.from_dlpack(array) if self.name.startswith("strict") else np.asarray(array)

    def belongs(self, array: Any, dtype: str) -> bool:
        """Whether `array` is of this library, on this device, of this dtype."""
        like = self.asarray(0.0, dtype)
        same = array_namespace(array) is array_namespace(like)
        return same and array.dtype == like.dtype and array.device == like.device


def _numpy(**options: Any) -> Backend:
    import array_api_compat.numpy as xp

    return Backend(xp=xp, **options)


def _strict(device: str | None = None, **options: Any) -> Backend:
    xp = pytest.importorskip("array_api_strict")
    return Backend(xp=xp, device=device and xp.Device(device), **options)


def _torch(**options: Any) -> Backend:
    pytest.importorskip("torch")
    import array_api_compat.torch as xp

    return Backend(xp=xp, **options)


def _jax(compiled: bool = False, **options: Any) -> Backend:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    return Backend(xp=jax.numpy, jit=jax.jit if compiled else _same, **options)


def _cupy(**options: Any) -> Backend:
    cupy = pytest.importorskip("cupy", exc_type=ImportError)
    if not cupy.cuda.is_available():
        pytest.skip("no CUDA device")
    import array_api_compat.cupy as xp

    return Backend(xp=xp, **options)


BACKENDS: dict[str, Callable[[], Backend]] = {
    "numpy": lambda: _numpy(name="numpy"),
    "numpy-readonly": lambda: _numpy(name="numpy-readonly", writeable=False),
    "strict": lambda: _strict(name="strict"),
    "strict-no-float64": lambda: _strict("no_float64", name="strict-no-float64", dtypes=("float32",)),
    "torch": lambda: _torch(name="torch"),
    "jax": lambda: _jax(name="jax"),
    "jax-jit": lambda: _jax(compiled=True, name="jax-jit"),
    "cupy": lambda: _cupy(name="cupy"),
}


@pytest.fixture(params=[pytest.param(name, marks=[pytest.mark.gpu] if name == "cupy" else []) for name in BACKENDS])
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """Each array library in turn; array_api_strict with everything that it can refuse switched off."""
    backend = BACKENDS[request.param]()
    strictest = nullcontext()
    if backend.name.startswith("strict"):
        strictest = backend.xp.ArrayAPIStrictFlags(boolean_indexing=False, data_dependent_shapes=False)
    with strictest:
        yield backend


@pytest.fixture(params=["float32", "float64"])
def dtype(request: pytest.FixtureRequest, backend: Backend) -> str:
    """Each floating dtype of the device; JAX, where it compiles every single operation, has one without --full."""
    if request.param not in backend.dtypes:
        pytest.skip(f"the device has no {request.param}")
    if backend.name == "jax" and request.param != "float64" and not request.config.getoption("full"):
        pytest.skip("JAX would compile every single operation once more; see --full")
    return request.param
