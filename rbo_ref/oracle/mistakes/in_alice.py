"""What people get wrong in Alice."""

from __future__ import annotations

from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.mistakes.mistake import Mistake

__all__ = ["MISTAKES"]


def _centered(self: Any, theta: Array) -> None:
    self.right.begin(theta)
    self.center = theta


def _ahead(self: Any, theta: Array, delta: Array) -> Array:
    self.center = self.center + self.h.phi * delta
    return self.ahead


def _alike(self: Any, g: Array, plus: Array, minus: Array) -> None:
    z = self.h.learning_rate
    self.right.sample(g, self.gradient(self.here + z), self.gradient(self.here - z))


def _of_signed(self: Any) -> Array:
    signed, self.bend = self.bend, self.xp.abs(self.bend)
    delta = self.right.minimizer()
    self.bend = signed
    return delta


MISTAKES = {
    "lookahead_missing": Mistake(
        "All gradients are taken at the centre μ instead of the look-ahead ν",
        looked_ahead=lambda self, theta, delta: self.moved(theta, delta),
    ),
    "lookahead_from_the_new_center": Mistake(
        "The look-ahead is ω δ beyond the new centre instead of the old one",
        looked_ahead=lambda self, theta, delta: self.moved(theta, delta) + self.h.omega * delta,
    ),
    "lookahead_delivered": Mistake(
        "The look-ahead ν is delivered instead of the centre μ",
        begin=_centered,
        moved=_ahead,
        looked_ahead=lambda self, theta, delta: self.center + self.h.omega * delta,
    ),
    "center_follows_the_lookahead": Mistake(
        "The centre moves on from the look-ahead: μ ← ν + φδ",
        moved=lambda self, theta, delta: self.here + self.h.phi * delta,
    ),
    "omega_and_phi_swapped": Mistake(
        "ω and φ are exchanged", tuned=lambda self, hyper: hyper | {"omega": hyper["phi"], "phi": hyper["omega"]}
    ),
    "perturbs_the_center": Mistake(
        "The samples g₊ and g₋ are taken around the centre μ instead of the look-ahead ν",
        around=lambda self, theta: theta,
    ),
    "perturbs_all_alike": Mistake("All signs z are +1", sample=_alike),
    "warm_up_missing": Mistake("Steps begin at once: there is no warm-up", warm_up=lambda self: 0),
    "warm_up_too_short": Mistake(
        "Steps begin with the last step of the warm-up: n ≥ 1/(1 − β₁)", warm_up=lambda self: self.right.warm_up() - 1
    ),
    "warm_up_without_samples": Mistake(
        "The warm-up takes samples only when they are due, after the first step",
        samples=lambda self: self.t == 1 or self.t % (self.h.quick_steps + 1) == 0,
    ),
    "samples_a_step_late": Mistake(
        "After the warm-up samples come a step late: when q + 1 divides n − 1",
        samples=lambda self: self.t <= self.warm_up() or (self.t - 1) % (self.h.quick_steps + 1) == 0,
    ),
    "samples_every_step": Mistake("Samples are taken in every step", samples=lambda self: True),
    "averages_start_at_zero": Mistake(
        "The averages start at zero without a correction: β is not bounded by (n − 1)/n",
        averaged=lambda self, old, new, share: (1 - share) * old + share * new,
    ),
    "beta3_is_beta2": Mistake(
        "The averages of the samples use β₂: they are rarer, and need β₃",
        share_of_samples=lambda self: 1 - self.h.betas[1],
    ),
    "slope_doubled": Mistake(
        "The Hessian sample is (g₊ − g₋)/σ: the factor ½ is missing",
        slope=lambda self, g, plus, minus: (plus - minus) / self.h.learning_rate,
    ),
    "slope_one_sided": Mistake(
        "The Hessian sample is (g₊ − g)/σ", slope=lambda self, g, plus, minus: (plus - g) / self.h.learning_rate
    ),
    "slope_signed": Mistake(
        "Hessian samples keep their sign before they are averaged; their average loses it",
        sampled=lambda self, slope: (
            slope * slope + self.h.l2 * self.h.l2 if self.h.hessian == "rms" else slope * self.draw + self.h.l2
        ),
        minimizer=_of_signed,
    ),
    "slope_without_decay": Mistake(
        "The weight w₂ is not added to the Hessian samples",
        sampled=lambda self, slope: slope * slope if self.h.hessian == "rms" else self.xp.abs(slope),
    ),
    "slope_root_missing": Mistake(
        'The average of squared Hessian samples ("rms") is used without the root',
        curvature=lambda self, alpha, h: self.right.curvature(alpha, h * h if self.h.hessian == "rms" else h),
    ),
    "slope_always_absolute": Mistake(
        'Hessian samples are averaged by size ("abs") where squares are asked for',
        tuned=lambda self, hyper: hyper | {"hessian": "abs"},
    ),
    "glass_halved": Mistake(
        "The glass density is (½(g₊+g₋) − g)²/σ: the factor 2 is missing",
        density=lambda self, kink: kink * kink / self.h.learning_rate,
    ),
    "glass_over_square": Mistake(
        "The glass density is divided by σ² instead of σ",
        density=lambda self, kink: self.right.density(kink) / self.h.learning_rate,
    ),
    "glass_ignored": Mistake("There is no glass term", alpha=lambda self, size: 0 * size),
    "glass_constant": Mistake(
        "The glass term has 3/(2π) instead of 3/(4π)", alpha=lambda self, size: 2 * self.right.alpha(size)
    ),
    "glass_of_the_gradient": Mistake(
        "The glass term is not divided by |g̅|",
        alpha=lambda self, size: self.right.alpha(size) * (size + self.h.epsilon),
    ),
    "model_without_mixed_term": Mistake(
        "The step is |g̅|/(2α + h): the mixed term of the root is missing",
        curvature=lambda self, alpha, h: alpha + h + alpha,
    ),
    "model_root_of_single_hessian": Mistake(
        "The root is √(α(α + h)): the factor 2 is missing",
        curvature=lambda self, alpha, h: alpha + h + self.xp.sqrt(alpha * (alpha + h)),
    ),
    "bound_missing": Mistake(
        "Steps have no upper bound", clipped=lambda self, length, unit: self.xp.maximum(length, self.h.lowest * unit)
    ),
    "bound_from_below_missing": Mistake(
        "Steps have no lower bound", clipped=lambda self, length, unit: self.xp.minimum(length, self.h.highest * unit)
    ),
    "bound_fixed": Mistake(
        "The bounds are always fixed ones: they do not scale with |g̅|", unit=lambda self, size: 1 + 0 * size
    ),
    "bound_without_root": Mistake(
        "The unit of the bounds is |g̅|/(v + ε), without the root",
        unit=lambda self, size: (
            size / (self.square + self.h.epsilon) if self.h.bounds == "adam" else self.right.unit(size)
        ),
    ),
    "step_follows_the_gradient": Mistake(
        "The gradients are not averaged",
        averaged=lambda self, old, new, share: new if old is self.mean else self.right.averaged(old, new, share),
    ),
    "decay_ignored": Mistake(
        "The weights w₁ and w₂ are not used", tuned=lambda self, hyper: hyper | {"l1": 0.0, "l2": 0.0}
    ),
}
