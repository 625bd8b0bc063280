"""Every optimizer in every form, with what the truth needs to know of it, and a smooth loss for any array library."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device

from geometry import FunctionGraph
from rbo_ref import (
    SAM,
    Adam,
    AdamW,
    Alice,
    EntropySGD,
    GradientDescent,
    InducedMetric,
    Lion,
    Muon,
    NAdam,
    RMSprop,
)
from tests.rbo_ref.optimizers.multiprecision import A, W


def constants(theta: Any) -> tuple[Any, ...]:
    xp = array_namespace(theta)
    like = {"dtype": theta.dtype, "device": device(theta)}
    return xp, *(xp.asarray(constant[: theta.shape[-1]], **like) for constant in (A, W))


def value(theta: Any) -> Any:
    xp, a, w = constants(theta)
    return 2 + xp.sin(xp.sum(a * theta, axis=-1)) + xp.sum(w * theta**2, axis=-1) / 2


def gradient(theta: Any) -> Any:
    xp, a, w = constants(theta)
    return xp.cos(xp.sum(a * theta, axis=-1))[..., None] * a + w * theta


WAVE = FunctionGraph(value, gradient)
"""f(θ) = 2 + sin(a·θ) + ½ Σ wᵢθᵢ² > 0, in up to 6 dimensions; |∇²f| < 2.4."""


def first_step(optimizer: Any, loss: Any, theta: Any, **options: Any) -> Any:
    return optimizer.step(loss, theta, optimizer.init(theta), **options)


class Case(NamedTuple):
    """An optimizer, how many steps to take, and the shape of the random numbers that one of its steps needs."""

    optimizer: Any
    steps: int = 3
    noise: tuple[int, ...] | None = None  # before the batch

    @property
    def name(self) -> str:
        given = [f"{f.name}={getattr(self.optimizer, f.name)}" for f in fields(self.optimizer) if f.name in SWITCHES]
        return type(self.optimizer).__name__ + "".join(f" {text}" for text in given)

    @property
    def settings(self) -> dict[str, Any]:
        """The hyper-parameters, but for those that are about random numbers or about the optimizer inside."""
        names = {f.name for f in fields(self.optimizer)} - {"seed", "base"}
        return {name: getattr(self.optimizer, name) for name in names}

    def noises(self, batch: tuple[int, ...], d: int) -> list[Any]:
        """One array a step."""
        random = np.random.default_rng(1)
        if self.noise is None:
            return [None] * self.steps
        if isinstance(self.optimizer, Alice):
            return [np.where(random.random((*batch, d)) < 0.5, -1.0, 1.0) for _ in range(self.steps)]
        draws = random.standard_normal((self.steps, *self.noise, *batch, d))
        return list(draws.astype(np.float32).astype(float))  # every dtype holds them


SWITCHES = (
    "nesterov",
    "centered",
    "shape",
    "adjustment",
    "adaptive",
    "noise_form",
    "variant",
    "hessian",
    "glass",
    "bounds",
)

# Perturbations and noise are large, so that no difference of nearly equal numbers spoils the digits to be compared.
_LANGEVIN = {"steps": 4, "noise": 0.25, "scope": 0.5, "scoping": 0.125}
_GLASS = {"betas": (0.5, 0.9), "quick_steps": 2, "phi": 0.5, "omega": 0.75, "l1": 0.125, "l2": 0.25}
CASES = [
    Case(GradientDescent(0.1)),
    Case(GradientDescent(0.1, momentum=0.9)),
    Case(GradientDescent(0.1, momentum=0.9, nesterov=True)),
    Case(Adam(0.1)),
    Case(Adam(0.1, betas=(0.0, 0.5), epsilon=0.1)),
    Case(AdamW(0.1, weight_decay=0.3)),
    Case(RMSprop(0.1)),
    Case(RMSprop(0.1, smoothing=0.5, epsilon=0.1, momentum=0.75)),
    Case(RMSprop(0.1, smoothing=0.75, momentum=0.5, centered=True)),
    Case(NAdam(0.1)),
    Case(NAdam(0.1, betas=(0.5, 0.75), epsilon=0.1, momentum_decay=0.25), steps=5),
    Case(Lion(0.1, weight_decay=0.25)),
    Case(Lion(0.1, betas=(0.75, 0.25)), steps=5),
    Case(Muon(0.1, shape=(2, 3))),
    Case(Muon(0.1, shape=(3, 2), nesterov=False, adjustment="match_rms_adamw")),
    Case(Muon(0.1, shape=(6, 1), steps=2, coefficients=(1.5, -0.5, 0.0), weight_decay=0.0, adjustment="none")),
    Case(SAM(0.1, radius=0.5)),
    Case(SAM(0.1, radius=0.5, epsilon=0.0)),
    Case(SAM(0.1, radius=0.5, adaptive=True, shift=0.01)),
    Case(EntropySGD(0.5, **_LANGEVIN), noise=(4,)),
    Case(EntropySGD(0.5, **_LANGEVIN, noise_form="code", average_form="code", scaled=False, momentum=0.9), noise=(4,)),
    Case(InducedMetric()),
    Case(InducedMetric(0.3, variant="log", momentum=0.5, xi=2.0, weight_decay=0.1)),
    Case(InducedMetric(0.3, variant="rms", beta=0.0)),
    Case(Alice(0.5, **_GLASS, highest=5.0), steps=7, noise=()),
    Case(Alice(0.5, **_GLASS, hessian="rms", bounds="fixed", lowest=0.0625), steps=7, noise=()),
    Case(Alice(0.5, **_GLASS, hessian="zero", bounds="sgdm", epsilon=0.25), steps=7, noise=()),
    Case(Alice(0.5, **_GLASS, glass=False, highest=2.0), steps=7, noise=()),
]
