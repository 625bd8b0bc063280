"""Every optimizer, in every form and on every array library, against 50-digit arithmetic, several steps long."""

from __future__ import annotations

from functools import cache
from itertools import islice
from typing import Any

import numpy as np
import pytest
from mpmath import mp

from rbo_ref.optimizers._parameters import bias_correction
from tests.conftest import BACKENDS
from tests.rbo_ref.optimizers.cases import CASES, WAVE, Case
from tests.rbo_ref.optimizers.multiprecision import TRUTHS, exact

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
STARTS = np.random.default_rng(0).uniform(-2, 2, (3, 6)).astype(np.float32).astype(float)  # exact in every dtype

# Per field and step, the largest error over the largest true component. 450 units of the last place are 1e-13 in
# float64. A step is tens of roundings deep, and by its size and |∇²f| < 2.4 it stretches errors less than threefold;
# Newton–Schulz iterations stretch them by up to 3.4⁵ where a singular value is tiny, here by less than 50.
ALLOWED = 450


@cache
def truth(index: int) -> list[list[dict[str, Any]]]:
    """For each start, each step."""
    case = CASES[index]
    noises = case.noises(STARTS.shape[:-1], STARTS.shape[-1])
    found = []
    with mp.workdps(50):
        for i, start in enumerate(STARTS):
            random = {} if case.noise is None else {"noises": [noise[..., i, :] for noise in noises]}
            walk = TRUTHS[type(case.optimizer).__name__](exact(start), **random, **case.settings)
            found.append(list(islice(walk, case.steps)))
    return found


def fields_of(step: Any) -> dict[str, Any]:
    """The arrays of a step and of its state, by name."""
    state = step.state._asdict() if hasattr(step.state, "_asdict") else {}
    arrays = step._asdict() | {name: array for name, array in state.items() if name != "base"}
    return {name: array for name, array in arrays.items() if name not in ("state", "perturbed", "status")}


def largest_errors(case: Case, steps: list[Any], to_numpy: Any) -> dict[str, float]:
    """For each field the largest error, over the largest component of the true vector."""
    errors: dict[str, float] = {}
    for i, walk in enumerate(truth(CASES.index(case))):
        for step, right in zip(steps, walk, strict=True):
            arrays = fields_of(step)
            assert arrays.keys() == right.keys()
            for name, array in arrays.items():
                ours = np.asarray(to_numpy(array), dtype=float)
                ours = np.ravel(ours[i] if ours.ndim and ours.shape[0] == len(STARTS) else ours)
                true = np.ravel(right[name])
                assert ours.shape == true.shape
                off, size = np.max(abs(exact(ours) - true)), np.max(abs(true))
                errors[name] = max(errors.get(name, 0.0), float(off / size) if size else float(off))
    return errors


def walk(backend: Any, case: Case, dtype: str) -> list[Any]:
    optimizer, theta = case.optimizer, backend.asarray(STARTS, dtype)
    state, steps = optimizer.init(theta), []

    def one_step(theta: Any, state: Any, noise: Any) -> Any:
        return optimizer.step(WAVE, theta, state, **({} if case.noise is None else {"noise": noise}))

    compiled = backend.jit(one_step)
    for noise in case.noises(STARTS.shape[:-1], STARTS.shape[-1]):
        step = compiled(theta, state, None if noise is None else backend.asarray(noise, dtype))
        steps.append(step)
        theta, state = step.theta, step.state
    return steps


@pytest.mark.parametrize(
    "backend",
    [pytest.param(name, marks=[pytest.mark.gpu] if name == "cupy" else []) for name in BACKENDS if name != "jax"],
    indirect=True,
)  # JAX is there, compiled
@every_case
def test_every_field_of_every_step(backend, case):
    dtype = backend.dtypes[-1]
    steps = walk(backend, case, dtype)
    for step in steps:
        assert not backend.to_numpy(step.status).any()
        for name, array in fields_of(step).items():
            assert name == "steps" or backend.belongs(array, dtype), name
    errors = largest_errors(case, steps, backend.to_numpy)
    assert max(errors.values()) <= ALLOWED * np.finfo(dtype).eps, errors


@every_case
def test_single_precision(case):
    """The other libraries have one body with NumPy, and array_api_strict runs the test above in float32."""
    backend = BACKENDS["numpy"]()
    errors = largest_errors(case, walk(backend, case, "float32"), backend.to_numpy)
    assert max(errors.values()) <= ALLOWED * np.finfo("float32").eps, errors


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("beta", [0.0, 0.1, 0.9, 0.999, 1 - 1e-7])
def test_one_minus_a_power_keeps_its_digits(dtype, beta):
    for t in (1, 2, 10, 1000):
        ours = bias_correction(np.zeros(1, dtype), beta, np.asarray(t))
        with mp.workdps(50):
            true = 1 - mp.mpf(beta) ** t
            assert abs(mp.mpf(float(ours)) - true) <= 2 * np.finfo(dtype).eps * true


def test_a_wrong_step_is_seen():
    backend, case = BACKENDS["numpy"](), CASES[0]
    *steps, last = walk(backend, case, "float64")
    allowed = ALLOWED * np.finfo("float64").eps
    for field in ("theta", "height", "direction"):
        wrong = last._replace(**{field: getattr(last, field) * (1 + 3 * allowed)})
        assert largest_errors(case, [*steps, wrong], np.asarray)[field] > allowed
