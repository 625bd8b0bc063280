"""Adam and AdamW, and what people get wrong in them."""

from __future__ import annotations

from geometry._namespace import Array
from rbo_ref.oracle.optimizers.mistakes.right_port import OptimizerPort, mistake, right

__all__ = ["both"]


@right
class AdamPort(OptimizerPort):
    """A right port."""

    optimizer = "adam"

    def begin(self, theta: Array) -> None:
        self.m, self.v = 0 * theta, 0 * theta

    def stepped(self, theta: Array) -> Array:
        (b1, b2), g = self.h.betas, self.gradient(theta)
        self.m = b1 * self.m + (1 - b1) * g
        self.v = b2 * self.v + (1 - b2) * self.squared(g)
        m, v = self.m / self.correction(b1, self.t), self.v / self.correction(b2, self.t)
        return theta - self.h.learning_rate * self.direction(m, v)

    def squared(self, g: Array) -> Array:
        return g * g

    def correction(self, beta: float, t: int) -> float:
        return 1 - beta**t

    def direction(self, m: Array, v: Array) -> Array:
        return m / (self.xp.sqrt(v) + self.h.epsilon)


@right
class AdamWPort(AdamPort):
    """A right port."""

    optimizer = "adamw"

    def stepped(self, theta: Array) -> Array:
        return super().stepped(theta) - self.h.learning_rate * self.h.weight_decay * theta


def both(cls: type[OptimizerPort]) -> type[OptimizerPort]:
    """Enter a wrong port of Adam, and the same mistake in AdamW.

    Examples
    --------
    >>> from rbo_ref.oracle.optimizers.mistakes import MISTAKES
    >>> "amsgrad" in MISTAKES["adam"], "amsgrad" in MISTAKES["adamw"]
    (True, True)
    """
    mistake(type(cls.__name__, (cls, AdamWPort), {"__doc__": cls.__doc__}))
    return mistake(cls)


@both
class correction_missing(AdamPort):
    """There is no bias correction."""

    def correction(self, beta: float, t: int) -> float:
        return 1.0


@both
class correction_of_mean_missing(AdamPort):
    """The first moment has no bias correction."""

    def correction(self, beta: float, t: int) -> float:
        return 1.0 if beta == self.h.betas[0] else 1 - beta**t


@both
class correction_of_square_missing(AdamPort):
    """The second moment has no bias correction."""

    def correction(self, beta: float, t: int) -> float:
        return 1.0 if beta == self.h.betas[1] else 1 - beta**t


@both
class correction_counts_from_zero(AdamPort):
    """The bias corrections are those of the step before, 1 − βᵗ⁻¹; the first step has none."""

    def correction(self, beta: float, t: int) -> float:
        return 1 - beta ** (t - 1) if t > 1 else 1.0


@both
class correction_counts_from_two(AdamPort):
    """The bias corrections are those of the step after, 1 − βᵗ⁺¹."""

    def correction(self, beta: float, t: int) -> float:
        return 1 - beta ** (t + 1)


@both
class correction_constant(AdamPort):
    """The bias corrections are 1 − β at every step: the power t is missing."""

    def correction(self, beta: float, t: int) -> float:
        return 1 - beta


@both
class epsilon_inside_the_root(AdamPort):
    """Epsilon stands under the root: √(v̂ + ε)."""

    def direction(self, m: Array, v: Array) -> Array:
        return m / self.xp.sqrt(v + self.h.epsilon)


@both
class epsilon_not_corrected(AdamPort):
    """Epsilon is added before the bias correction: m̂√(1 − β₂ᵗ)/(√v + ε)."""

    def direction(self, m: Array, v: Array) -> Array:
        factor = self.correction(self.h.betas[1], self.t) ** 0.5
        return m * factor / (self.xp.sqrt(self.v) + self.h.epsilon)


@both
class epsilon_missing(AdamPort):
    """There is no epsilon."""

    def direction(self, m: Array, v: Array) -> Array:
        return m / self.xp.sqrt(v)


@both
class epsilon_as_bound(AdamPort):
    """The denominator is max(√v̂, ε) instead of √v̂ + ε."""

    def direction(self, m: Array, v: Array) -> Array:
        root = self.xp.sqrt(v)
        return m / self.xp.maximum(root, 0 * root + self.h.epsilon)


@both
class epsilon_fixed(AdamPort):
    """Epsilon is always 1e-8, whatever it is told."""

    def direction(self, m: Array, v: Array) -> Array:
        return m / (self.xp.sqrt(v) + 1e-8)


@both
class betas_swapped(AdamPort):
    """β₁ and β₂ are exchanged."""

    def tuned(self, hyper: dict) -> dict:
        return hyper | {"betas": hyper["betas"][::-1]}


@both
class square_of_the_mean(AdamPort):
    """The second moment averages m² instead of g²."""

    def squared(self, g: Array) -> Array:
        return self.m * self.m


@both
class square_missing(AdamPort):
    """The second moment averages |g| instead of g²."""

    def squared(self, g: Array) -> Array:
        return self.xp.abs(g)


@both
class square_of_the_norm(AdamPort):
    """The second moment averages |g|², one number for all coordinates."""

    def squared(self, g: Array) -> Array:
        return 0 * g + self.xp.sum(g * g)


@both
class root_missing(AdamPort):
    """The step is divided by v̂ + ε, without the root."""

    def direction(self, m: Array, v: Array) -> Array:
        return m / (v + self.h.epsilon)


@both
class mean_ignored(AdamPort):
    """The step follows g instead of m̂ (RMSProp with a correction)."""

    def stepped(self, theta: Array) -> Array:
        self.m = 0 * theta
        return super().stepped(theta)

    def correction(self, beta: float, t: int) -> float:
        return super().correction(beta, 1 if beta == self.h.betas[0] else t)


@both
class amsgrad(AdamPort):
    """The largest v̂ so far is used (AMSGrad)."""

    def direction(self, m: Array, v: Array) -> Array:
        self.largest: Array = v if self.t == 1 else self.xp.maximum(self.largest, v)
        return super().direction(m, self.largest)


@mistake
class decay_though_not_asked(AdamPort):
    """Weight decay of 1e-2, which Adam has not, is added to the gradient."""

    def gradient(self, theta: Array) -> Array:
        return super().gradient(theta) + 1e-2 * theta


@mistake
class decay_in_the_gradient(AdamWPort):
    """The decay λθ is added to the gradient (L2 regularization) instead of being decoupled."""

    def gradient(self, theta: Array) -> Array:
        return super().gradient(theta) + self.h.weight_decay * theta

    def stepped(self, theta: Array) -> Array:
        return AdamPort.stepped(self, theta)


@mistake
class decay_without_rate(AdamWPort):
    """The decay is λθ, without the learning rate."""

    def stepped(self, theta: Array) -> Array:
        return AdamPort.stepped(self, theta) - self.h.weight_decay * theta


@mistake
class decay_of_the_result(AdamWPort):
    """The decay is of the new parameters: (1 − ηλ)θ′ after the step."""

    def stepped(self, theta: Array) -> Array:
        return AdamPort.stepped(self, theta) * (1 - self.h.learning_rate * self.h.weight_decay)


@mistake
class decay_ignored(AdamWPort):
    """There is no decay."""

    def stepped(self, theta: Array) -> Array:
        return AdamPort.stepped(self, theta)


@mistake
class decay_preconditioned(AdamWPort):
    """The decay λθ is added to m̂ and divided by √v̂ + ε with it."""

    def stepped(self, theta: Array) -> Array:
        self.theta = theta
        return AdamPort.stepped(self, theta)

    def direction(self, m: Array, v: Array) -> Array:
        return super().direction(m + self.h.weight_decay * self.theta, v)


@mistake
class decay_sign(AdamWPort):
    """The decay lets the parameters grow: + ηλθ."""

    def stepped(self, theta: Array) -> Array:
        return AdamPort.stepped(self, theta) + self.h.learning_rate * self.h.weight_decay * theta
