"""Other optimizers that a port may be in truth, told the hyper-parameters of the one that it is taken for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy

from geometry._namespace import Array
from rbo_ref.oracle.formulas.evaluation import given
from rbo_ref.oracle.formulas.formula import Formula
from rbo_ref.oracle.formulas.known import formula_of
from rbo_ref.oracle.formulas.of_adam import AdamFormula, AdamWFormula, HatAdam
from rbo_ref.oracle.formulas.of_lion import LionFormula
from rbo_ref.oracle.formulas.of_nadam import ConstantNAdam, HastyNAdam, NAdamFormula
from rbo_ref.oracle.formulas.of_rmsprop import InsideRMSprop, RMSpropFormula

__all__ = ["AdaBelief", "FlooredAdaBelief", "HatRAdam", "Lookahead", "RAdam", "SingleNAdam", "others"]

Hyper = Mapping[str, Any]


class SingleNAdam(NAdamFormula):
    """With π in float32, which PyTorch keeps in its default format, whatever that of θ is. Over floats alone."""

    def grown(self, now: Any) -> Any:
        return float(numpy.float32(now) * numpy.float32(self.product))


class RAdam(AdamFormula):
    """θ ← θ − ηm̂ as long as ρ_t ≤ 5, then θ − ηr m̂/(√v̂ + ε) with r² = (ρ_t−4)(ρ_t−2)ρ/((ρ−4)(ρ−2)ρ_t).

    ρ = 2/(1−β₂) − 1 and ρ_t = ρ − 2tβ₂ᵗ/(1−β₂ᵗ). Liu et al. (2020), Algorithm 2, with the threshold of all libraries.
    """

    def denominator(self, v: Array) -> Array:
        b2 = self.h.betas[1]
        most = 2 / (1 - b2) - 1
        rho = most - 2 * self.t * b2**self.t / (1 - b2**self.t)
        if not rho > 5:
            return self.xp.ones_like(v)
        square = (rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho)
        return super().denominator(v) / square**0.5


class HatRAdam(RAdam, HatAdam):
    """With ε added before the bias correction, as PyTorch has it."""


class AdaBelief(AdamFormula):
    """v ← β₂v + (1−β₂)(g−m)² + ε in Adam's step. Zhuang et al. (2020), Algorithm 2."""

    def squared(self, g: Array) -> Array:
        return (g - self.m) * (g - self.m) + self.floor() / (1 - self.h.betas[1])

    def floor(self) -> Any:
        return self.h.epsilon


class FlooredAdaBelief(AdaBelief):
    """With 10⁻¹⁶ for the ε in v, as Optax has it."""

    def floor(self) -> Any:
        return self.number(1e-16)


class Lookahead(Formula):
    """In every so many steps it goes back half of the way that it has come. Zhang et al. (2019), Algorithm 1."""

    period: ClassVar[int]

    def step(self, theta: Array) -> Array:
        if (self.t - 1) % self.period == 0:
            self.slow = theta
        fast = super().step(theta)
        return self.slow + (fast - self.slow) / 2 if self.t % self.period == 0 else fast


def _told(formula: type[Formula], told: Callable[[Hyper], Hyper]) -> type[Formula]:
    """A formula that translates the hyper-parameters that it is given."""

    def tuned(self: Any, hyper: dict[str, Any]) -> dict[str, Any]:
        more = told(hyper)
        return hyper | dict(more if self.arithmetic is None else given(self.arithmetic, more))

    return type(formula.__name__, (formula,), {"tuned": tuned})


def _ahead(formula: type[Formula], period: int) -> type[Formula]:
    return type(formula.__name__, (Lookahead, formula), {"period": period})


def _decayed(formula: type[Formula]) -> type[Formula]:
    return type(formula.__name__, (AdamWFormula, formula), {})


def _smoothing(hyper: Hyper) -> Hyper:
    return {"smoothing": hyper["betas"][1], "momentum": 0, "centered": False}


def _usual(**hyper: Any) -> Callable[[Hyper], Hyper]:
    return lambda _: hyper


OF_ADAM: Mapping[str, tuple[str, type[Formula]]] = {
    "nadam": ("NAdam, with PyTorch's decay of its momentum", _told(NAdamFormula, _usual(momentum_decay=0.004))),
    "nadam-float32": (
        "NAdam, with PyTorch's decay of its momentum, and its product in float32, PyTorch's default",
        _told(SingleNAdam, _usual(momentum_decay=0.004)),
    ),
    "nadam-optax": ("NAdam, as Optax has it: with a constant momentum", ConstantNAdam),
    "nadam-keras": ("NAdam, as Keras has it", HastyNAdam),
    "radam": ("RAdam", RAdam),
    "radam-pytorch": ("RAdam, as PyTorch has it: with ε added before the bias correction", HatRAdam),
    "adabelief": ("AdaBelief", AdaBelief),
    "adabelief-optax": ("AdaBelief, as Optax has it: with 10⁻¹⁶ for the ε under the root", FlooredAdaBelief),
}
LION = {"lion": ("Lion", _told(LionFormula, lambda hyper: {"weight_decay": hyper.get("weight_decay", 0)}))}
RMSPROP = {
    "rmsprop": ("RMSprop, which corrects no bias, with β₂ for its smoothing", _told(RMSpropFormula, _smoothing)),
    "rmsprop-tensorflow": (
        "RMSprop with ε inside of the root, and β₂ for its smoothing",
        _told(InsideRMSprop, _smoothing),
    ),
}
OTHERS: Mapping[str, Mapping[str, tuple[str, type[Formula]]]] = {
    "adam": {
        **OF_ADAM,
        **RMSPROP,
        **LION,
        "adamw": ("AdamW, with its usual weight decay of 0.01", _told(AdamWFormula, _usual(weight_decay=0.01))),
    },
    "adamw": {name: (told, _decayed(formula)) for name, (told, formula) in OF_ADAM.items()} | LION,
    "gradient-descent": {
        "rmsprop": (
            "RMSprop, with the usual smoothing of 0.99 and ε of 10⁻⁸",
            _told(RMSpropFormula, _usual(smoothing=0.99, epsilon=1e-8, centered=False)),
        ),
        "adam": (
            "Adam, with the usual β of 0.9 and 0.999 and ε of 10⁻⁸",
            _told(AdamFormula, _usual(betas=(0.9, 0.999), epsilon=1e-8)),
        ),
        "lion": (
            "Lion, with the usual β of 0.9 and 0.99",
            _told(LionFormula, _usual(betas=(0.9, 0.99), weight_decay=0)),
        ),
    },
    "nadam": {"adam": ("Adam, without the look-ahead", AdamFormula)},
}


def others(optimizer: str, dialect: str) -> list[tuple[str, str, type[Formula]]]:
    """What else a port of an optimizer may be: a name, what it is, and its formula.

    Examples
    --------
    >>> [name for name, _, _ in others("nadam", "optax")]
    ['optimizer-adam', 'optimizer-lookahead-5', 'optimizer-lookahead-6']
    """
    right = formula_of(optimizer, dialect)
    ahead = {
        f"lookahead-{period}": (f"Lookahead around this one, once in {period} steps", _ahead(right, period))
        for period in (5, 6)
        if not right.is_memoryless
    }
    return [
        (f"optimizer-{name}", f"This is another optimizer: {told}", formula)
        for name, (told, formula) in {**OTHERS.get(optimizer, {}), **ahead}.items()
    ]
