"""The search one item a thread, in CUDA C++: compiled for GPUs, and run on the CPU against the search on arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

from geometry import FunctionGraph, GaussNewton, Newton, project
from geometry._kernels import kernel
from geometry.expressions import record
from tests.geometry.cuda import CuPyOnCPU, compiled, each_target
from tests.geometry.test_compiled_search import FUNCTIONS, queries

pytestmark = pytest.mark.skipif(kernel("search", np) is None, reason="numba cannot compile here")


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
    found = gpu.run(gpu.search.search, RECORDED[name], points, start + 0.05, kind is Newton, None, steps)
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
    theta, value, _, _, status = gpu.run(
        gpu.search.search, RECORDED[name], points, start + 0.05, newton, None, solver.max_steps
    )
    truth = project(SURFACES[name], points, solver, start=start + 0.05)
    assert (status == truth.status).mean() >= 0.98
    far = np.hypot.reduce(np.column_stack([theta, value]) - points, axis=-1)
    assert (np.abs(far - truth.distance) <= 1e-9 * (1 + far)).mean() >= 0.98


def test_trouble_is_a_status(gpu):
    points = np.array([[0.3, np.inf], [np.nan, 1.0], [0.3, 0.0], [-np.inf, 1.0], [0.0, 0.0]])
    start = np.array([[0.3], [0.3], [np.nan], [0.3], [0.0]])
    for solver, newton in ((Newton(), True), (GaussNewton(), False)):
        truth = project(SURFACES["ripples"], points, solver, start=start)
        *_, status = gpu.run(gpu.search.search, RECORDED["ripples"], points, start, newton, None, solver.max_steps)
        np.testing.assert_array_equal(status, truth.status)


def test_any_number_of_items_and_of_thread_blocks(gpu, tmp_path):
    points, start = queries(SURFACES["valley"], 3, 150)
    whole = gpu.run(gpu.search.search, RECORDED["valley"], points, start, True, 1e-6, 20)
    one_block = CuPyOnCPU(tmp_path, most_blocks=1)
    for count in (150, 64, 1, 0):
        for found in (gpu, one_block):
            parts = found.run(found.search.search, RECORDED["valley"], points[:count], start[:count], True, 1e-6, 20)
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
        code = compiled(gpu.texts.text("search.cu", expression), target, gpu.texts.options(expression, NEWTON=newton))
        assert b"search" in code
