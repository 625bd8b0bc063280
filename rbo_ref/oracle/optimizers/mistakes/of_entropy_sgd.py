"""Entropy-SGD, and what people get wrong in it. Where the authors' code differs from the paper, both are here."""

from __future__ import annotations

from geometry._namespace import Array
from rbo_ref.oracle.optimizers.mistakes.right_port import OptimizerPort, mistake, right


@right
class EntropySGDPort(OptimizerPort):
    """A right port."""

    optimizer = "entropy-sgd"

    def begin(self, theta: Array) -> None:
        self.scope = self.h.scope

    def stepped(self, theta: Array) -> Array:
        self.theta, y, mu = theta, theta, theta
        for k in range(self.h.steps):
            y = y - self.h.inner_rate * self.pull(y) + self.heat(k)
            mu = self.averaged(mu, y)
        self.last = y
        new = self.moved(theta, mu)
        self.scope = self.scope * (1 + self.h.scoping)
        return new

    def pull(self, y: Array) -> Array:
        return self.gradient(y) - self.scope * (self.theta - y)

    def heat(self, k: int) -> Array:
        rate = 2 * self.h.inner_rate if self.dialect == "code" else self.h.inner_rate
        return rate**0.5 * self.h.noise * self.draw[k, ...]

    def averaged(self, mu: Array, y: Array) -> Array:
        weight = 1 - self.h.averaging if self.dialect == "code" else self.h.averaging
        return (1 - weight) * mu + weight * y

    def moved(self, theta: Array, mu: Array) -> Array:
        scope = 1 if self.dialect == "code" else self.scope
        return theta - self.h.learning_rate * scope * (theta - mu)


@mistake
class noise_of_the_code(EntropySGDPort):
    """The noise is that of the authors' code: ε√(2η′)N, a factor √2 more than the paper's."""

    def heat(self, k: int) -> Array:
        return 2**0.5 * super().heat(k)


@mistake
class average_of_the_code(EntropySGDPort):
    """The average is that of the authors' code: μ ← αμ + (1 − α)y, with the weights exchanged."""

    def averaged(self, mu: Array, y: Array) -> Array:
        return self.h.averaging * mu + (1 - self.h.averaging) * y


@mistake
class scope_dropped(EntropySGDPort):
    """The outer step is that of the authors' code: θ ← θ − η(θ − μ), without γ."""

    def moved(self, theta: Array, mu: Array) -> Array:
        return theta - self.h.learning_rate * (theta - mu)


@mistake
class scope_fixed(EntropySGDPort):
    """The scope γ stays: scoping does nothing, as in the authors' PyTorch code, of which the clock stands still."""

    def tuned(self, hyper: dict) -> dict:
        return hyper | {"scoping": 0.0}


@mistake
class first_gradient_discarded(EntropySGDPort):
    """One inner step more is taken."""

    def stepped(self, theta: Array) -> Array:
        k = self.draw[:1, ...]
        self.draw, self.h.steps = self.xp.concat([self.draw, k]), self.draw.shape[0] + 1
        return super().stepped(theta)


@mistake
class one_step_too_few(EntropySGDPort):
    """One inner step is missing."""

    def stepped(self, theta: Array) -> Array:
        self.h.steps = self.draw.shape[0] - 1
        return super().stepped(theta)


@mistake
class scope_starts_late(EntropySGDPort):
    """Scoping begins with the first step: γ₀(1 + γ₁) is its scope."""

    def begin(self, theta: Array) -> None:
        self.scope = self.h.scope * (1 + self.h.scoping)


@mistake
class scope_grows_linearly(EntropySGDPort):
    """The scope is γ₀(1 + γ₁t) instead of γ₀(1 + γ₁)ᵗ."""

    def stepped(self, theta: Array) -> Array:
        self.scope = self.h.scope * (1 + self.h.scoping * (self.t - 1))
        return super().stepped(theta)


@mistake
class scope_shrinks(EntropySGDPort):
    """The scope shrinks: γ₀/(1 + γ₁)ᵗ."""

    def stepped(self, theta: Array) -> Array:
        self.scope = self.h.scope / (1 + self.h.scoping) ** (self.t - 1)
        return super().stepped(theta)


@mistake
class noise_without_root(EntropySGDPort):
    """The noise is η′εN: the root of the inner rate is missing."""

    def heat(self, k: int) -> Array:
        return self.h.inner_rate * self.h.noise * self.draw[k, ...]


@mistake
class noise_without_rate(EntropySGDPort):
    """The noise is εN: it is not multiplied by √η′."""

    def heat(self, k: int) -> Array:
        return self.h.noise * self.draw[k, ...]


@mistake
class noise_missing(EntropySGDPort):
    """There is no noise."""

    def heat(self, k: int) -> Array:
        return 0 * self.draw[k, ...]


@mistake
class noise_drawn_once(EntropySGDPort):
    """The first draw is used in all inner steps."""

    def heat(self, k: int) -> Array:
        return super().heat(0)


@mistake
class noise_in_the_gradient(EntropySGDPort):
    """The noise is scaled by √η′ and then by the inner rate, with the gradient."""

    def heat(self, k: int) -> Array:
        return self.h.inner_rate * super().heat(k)


@mistake
class pull_missing(EntropySGDPort):
    """The inner steps are not tied to θ: γ(θ − y) is missing."""

    def pull(self, y: Array) -> Array:
        return self.gradient(y)


@mistake
class pull_sign(EntropySGDPort):
    """The inner steps are pushed away from θ: the sign of γ(θ − y) is wrong."""

    def pull(self, y: Array) -> Array:
        return self.gradient(y) + self.scope * (self.theta - y)


@mistake
class gradient_not_renewed(EntropySGDPort):
    """The gradient of θ is used in all inner steps."""

    def pull(self, y: Array) -> Array:
        return self.gradient(self.theta) - self.scope * (self.theta - y)


@mistake
class average_missing(EntropySGDPort):
    """The last inner iterate is taken for the average."""

    def averaged(self, mu: Array, y: Array) -> Array:
        return y


@mistake
class average_carried_on(EntropySGDPort):
    """The average goes on from that of the step before instead of starting at θ."""

    def stepped(self, theta: Array) -> Array:
        self.goes_on = self.t > 1
        return super().stepped(theta)

    def averaged(self, mu: Array, y: Array) -> Array:
        mu, self.goes_on = (self.kept if self.goes_on else mu), False
        self.kept: Array = super().averaged(mu, y)
        return self.kept


@mistake
class moves_to_the_average(EntropySGDPort):
    """The new parameters are μ."""

    def moved(self, theta: Array, mu: Array) -> Array:
        return mu


@mistake
class moves_away_from_the_average(EntropySGDPort):
    """The outer step has the wrong sign: θ + ηγ(θ − μ)."""

    def moved(self, theta: Array, mu: Array) -> Array:
        return theta + self.h.learning_rate * self.scope * (theta - mu)


@mistake
class keeps_the_inner_iterate(EntropySGDPort):
    """The outer step starts at the last inner iterate, not at θ."""

    def moved(self, theta: Array, mu: Array) -> Array:
        return self.last - self.h.learning_rate * self.scope * (theta - mu)


@mistake
class rates_swapped(EntropySGDPort):
    """The learning rate and the inner rate are exchanged."""

    def tuned(self, hyper: dict) -> dict:
        return hyper | {"learning_rate": hyper["inner_rate"], "inner_rate": hyper["learning_rate"]}
