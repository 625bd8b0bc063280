"""Alice, and what people get wrong in it."""

from __future__ import annotations

import math
from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.optimizers.mistakes.right_port import OptimizerPort, mistake, right


@right
class AlicePort(OptimizerPort):
    """A right port."""

    optimizer = "alice"

    def begin(self, theta: Array) -> None:
        self.ahead = theta
        self.mean, self.square, self.bend, self.glass = (0 * theta for _ in range(4))

    def stepped(self, theta: Array) -> Array:
        (b1, b2), nu = self.h.betas, self.place(theta)
        g = self.gradient(nu)
        self.mean = self.averaged(self.mean, g + self.h.l1 * self.xp.sign(nu) + self.h.l2 * nu, b1)
        self.square = self.averaged(self.square, g * g, b2)
        if self.samples():
            z = self.h.learning_rate * self.draw
            self.sample(g, self.gradient(self.around(theta) + z), self.gradient(self.around(theta) - z))
        delta = self.minimizer() if self.t > self.warm_up() else 0 * theta
        self.ahead = self.looked_ahead(theta, delta)
        return self.moved(theta, delta)

    def place(self, theta: Array) -> Array:
        return self.ahead

    def around(self, theta: Array) -> Array:
        return self.ahead

    def averaged(self, old: Array, new: Array, beta: float) -> Array:
        weight = self.smaller(beta, self.t - 1, self.t)
        return weight * old + (1 - weight) * new

    def smaller(self, beta: Any, above: int, below: int) -> Any:
        """The smaller one of β and a quotient, in any arithmetic."""
        if isinstance(beta, float):
            return min(beta, above / below)
        return beta.minimum(beta.arithmetic.exact(float(above)) / float(below))

    def warm_up(self) -> int:
        return math.floor((1 + 1e-9) / (1 - self.h.betas[0]))

    def samples(self) -> bool:
        return self.t <= self.warm_up() or self.t % (self.h.quick_steps + 1) == 0

    def beta3(self) -> float:
        return 1 - (self.h.quick_steps + 1) * (1 - self.h.betas[1])

    def sample(self, g: Array, plus: Array, minus: Array) -> None:
        self.bend = self.averaged(self.bend, self.sampled(self.slope(g, plus, minus)), self.beta3())
        self.glass = self.averaged(self.glass, self.density((plus + minus) / 2 - g), self.beta3())

    def slope(self, g: Array, plus: Array, minus: Array) -> Array:
        return (plus - minus) / (2 * self.h.learning_rate)

    def sampled(self, slope: Array) -> Array:
        return slope * slope + self.h.l2**2 if self.h.hessian == "rms" else self.xp.abs(slope) + self.h.l2

    def density(self, kink: Array) -> Array:
        return 2 * kink * kink / self.h.learning_rate

    def minimizer(self) -> Array:
        size, h = self.xp.abs(self.mean), self.xp.sqrt(self.bend) if self.h.hessian == "rms" else self.bend
        alpha = self.alpha(size) if self.h.glass else 0 * size
        length = self.clipped(size / (self.curvature(alpha, h) + self.h.epsilon), self.unit(size))
        return -self.xp.sign(self.mean) * length

    def alpha(self, size: Array) -> Array:
        return 3 / (4 * math.pi) * self.glass / (size + self.h.epsilon)

    def curvature(self, alpha: Array, h: Array) -> Array:
        return alpha + h + self.xp.sqrt(alpha * (alpha + 2 * h))

    def unit(self, size: Array) -> Array:
        if self.h.bounds == "adam":
            return size / (self.xp.sqrt(self.square) + self.h.epsilon)
        return size if self.h.bounds == "sgdm" else 1 + 0 * size

    def clipped(self, length: Array, unit: Array) -> Array:
        return self.xp.maximum(self.xp.minimum(length, self.h.highest * unit), self.h.lowest * unit)

    def looked_ahead(self, theta: Array, delta: Array) -> Array:
        return theta + self.h.omega * delta

    def moved(self, theta: Array, delta: Array) -> Array:
        return theta + self.h.phi * delta


@mistake
class lookahead_missing(AlicePort):
    """All gradients are taken at the centre μ instead of the look-ahead ν."""

    def looked_ahead(self, theta: Array, delta: Array) -> Array:
        return self.moved(theta, delta)


@mistake
class lookahead_from_the_new_center(AlicePort):
    """The look-ahead is ω δ beyond the new centre instead of the old one."""

    def looked_ahead(self, theta: Array, delta: Array) -> Array:
        return self.moved(theta, delta) + self.h.omega * delta


@mistake
class lookahead_delivered(AlicePort):
    """The look-ahead ν is delivered instead of the centre μ."""

    def moved(self, theta: Array, delta: Array) -> Array:
        self.center: Array = (theta if self.t == 1 else self.center) + self.h.phi * delta
        return self.ahead

    def looked_ahead(self, theta: Array, delta: Array) -> Array:
        return (theta if self.t == 1 else self.center) + self.h.omega * delta


@mistake
class center_follows_the_lookahead(AlicePort):
    """The centre moves on from the look-ahead: μ ← ν + φδ."""

    def moved(self, theta: Array, delta: Array) -> Array:
        self.last = getattr(self, "last", theta) if self.t > 1 else theta
        new, self.last = self.last + self.h.phi * delta, self.ahead
        return new


@mistake
class omega_and_phi_swapped(AlicePort):
    """ω and φ are exchanged."""

    def tuned(self, hyper: dict) -> dict:
        return hyper | {"omega": hyper["phi"], "phi": hyper["omega"]}


@mistake
class perturbs_the_center(AlicePort):
    """The samples g₊ and g₋ are taken around the centre μ instead of the look-ahead ν."""

    def around(self, theta: Array) -> Array:
        return theta


@mistake
class perturbs_all_alike(AlicePort):
    """All signs z are +1."""

    def sample(self, g: Array, plus: Array, minus: Array) -> None:
        z = self.h.learning_rate
        super().sample(g, self.gradient(self.ahead + z), self.gradient(self.ahead - z))


@mistake
class warm_up_missing(AlicePort):
    """Steps begin at once: there is no warm-up."""

    def warm_up(self) -> int:
        return 0


@mistake
class warm_up_too_short(AlicePort):
    """Steps begin with the last step of the warm-up: n ≥ 1/(1 − β₁)."""

    def warm_up(self) -> int:
        return super().warm_up() - 1


@mistake
class warm_up_without_samples(AlicePort):
    """The warm-up takes samples only when they are due, after the first step."""

    def samples(self) -> bool:
        return self.t == 1 or self.t % (self.h.quick_steps + 1) == 0


@mistake
class samples_a_step_late(AlicePort):
    """After the warm-up samples come a step late: when q + 1 divides n − 1."""

    def samples(self) -> bool:
        return self.t <= self.warm_up() or (self.t - 1) % (self.h.quick_steps + 1) == 0


@mistake
class samples_every_step(AlicePort):
    """Samples are taken in every step."""

    def samples(self) -> bool:
        return True


@mistake
class averages_start_at_zero(AlicePort):
    """The averages start at zero without a correction: β is not bounded by (n − 1)/n."""

    def averaged(self, old: Array, new: Array, beta: float) -> Array:
        return beta * old + (1 - beta) * new


@mistake
class beta3_is_beta2(AlicePort):
    """The averages of the samples use β₂: they are rarer, and need β₃."""

    def beta3(self) -> float:
        return self.h.betas[1]


@mistake
class slope_doubled(AlicePort):
    """The Hessian sample is (g₊ − g₋)/σ: the factor ½ is missing."""

    def slope(self, g: Array, plus: Array, minus: Array) -> Array:
        return (plus - minus) / self.h.learning_rate


@mistake
class slope_one_sided(AlicePort):
    """The Hessian sample is (g₊ − g)/σ."""

    def slope(self, g: Array, plus: Array, minus: Array) -> Array:
        return (plus - g) / self.h.learning_rate


@mistake
class slope_signed(AlicePort):
    """Hessian samples keep their sign before they are averaged; their average loses it."""

    def sampled(self, slope: Array) -> Array:
        return slope * slope + self.h.l2**2 if self.h.hessian == "rms" else slope * self.draw + self.h.l2

    def minimizer(self) -> Array:
        signed, self.bend = self.bend, self.xp.abs(self.bend)
        delta = super().minimizer()
        self.bend = signed
        return delta


@mistake
class slope_without_decay(AlicePort):
    """The weight w₂ is not added to the Hessian samples."""

    def sampled(self, slope: Array) -> Array:
        return slope * slope if self.h.hessian == "rms" else self.xp.abs(slope)


@mistake
class slope_root_missing(AlicePort):
    """The average of squared Hessian samples ("rms") is used without the root."""

    def curvature(self, alpha: Array, h: Array) -> Array:
        return super().curvature(alpha, h * h if self.h.hessian == "rms" else h)


@mistake
class slope_always_absolute(AlicePort):
    """Hessian samples are averaged by size ("abs") where squares are asked for."""

    def tuned(self, hyper: dict) -> dict:
        return hyper | {"hessian": "abs"}


@mistake
class glass_halved(AlicePort):
    """The glass density is (½(g₊+g₋) − g)²/σ: the factor 2 is missing."""

    def density(self, kink: Array) -> Array:
        return kink * kink / self.h.learning_rate


@mistake
class glass_over_square(AlicePort):
    """The glass density is divided by σ² instead of σ."""

    def density(self, kink: Array) -> Array:
        return super().density(kink) / self.h.learning_rate


@mistake
class glass_ignored(AlicePort):
    """There is no glass term."""

    def alpha(self, size: Array) -> Array:
        return 0 * size


@mistake
class glass_constant(AlicePort):
    """The glass term has 3/(2π) instead of 3/(4π)."""

    def alpha(self, size: Array) -> Array:
        return 2 * super().alpha(size)


@mistake
class glass_of_the_gradient(AlicePort):
    """The glass term is not divided by |g̅|."""

    def alpha(self, size: Array) -> Array:
        return 3 / (4 * math.pi) * self.glass


@mistake
class model_without_mixed_term(AlicePort):
    """The step is |g̅|/(2α + h): the mixed term of the root is missing."""

    def curvature(self, alpha: Array, h: Array) -> Array:
        return alpha + h + alpha


@mistake
class model_root_of_single_hessian(AlicePort):
    """The root is √(α(α + h)): the factor 2 is missing."""

    def curvature(self, alpha: Array, h: Array) -> Array:
        return alpha + h + self.xp.sqrt(alpha * (alpha + h))


@mistake
class bound_missing(AlicePort):
    """Steps have no upper bound."""

    def clipped(self, length: Array, unit: Array) -> Array:
        return self.xp.maximum(length, self.h.lowest * unit)


@mistake
class bound_from_below_missing(AlicePort):
    """Steps have no lower bound."""

    def clipped(self, length: Array, unit: Array) -> Array:
        return self.xp.minimum(length, self.h.highest * unit)


@mistake
class bound_fixed(AlicePort):
    """The bounds are always fixed ones: they do not scale with |g̅|."""

    def unit(self, size: Array) -> Array:
        return 1 + 0 * size


@mistake
class bound_without_root(AlicePort):
    """The unit of the bounds is |g̅|/(v + ε), without the root."""

    def unit(self, size: Array) -> Array:
        return size / (self.square + self.h.epsilon) if self.h.bounds == "adam" else super().unit(size)


@mistake
class step_follows_the_gradient(AlicePort):
    """The gradients are not averaged."""

    def averaged(self, old: Array, new: Array, beta: float) -> Array:
        return new if beta is self.h.betas[0] else super().averaged(old, new, beta)


@mistake
class decay_ignored(AlicePort):
    """The weights w₁ and w₂ are not used."""

    def tuned(self, hyper: dict) -> dict:
        return hyper | {"l1": 0.0, "l2": 0.0}
