"""Mistakes in the inner loop."""

from __future__ import annotations

from geometry._namespace import Array
from rbo_ref.oracle.mistakes.right_port import RightPort, mistake


@mistake
class projects_center(RightPort):
    """The centre before the step is projected, not the candidate: the ball never moves on."""

    def stepped(self) -> Array:
        return self.c


@mistake
class starts_at_center(RightPort):
    """The inner loop starts at the parameters of the centre."""

    def start(self) -> Array:
        return self.c[:-1]


@mistake
class starts_at_gradient_step(RightPort):
    """The inner loop starts at θ − ηg."""

    def start(self) -> Array:
        return self.theta - self.eta * self.g


@mistake
class one_step_too_few(RightPort):
    """The inner loop runs P − 1 times."""

    def tuned(self, eta: float, rho: float, gamma: float, steps: int) -> tuple[float, float, float, int]:
        return eta, rho, gamma, steps - 1


@mistake
class one_step_too_many(RightPort):
    """The inner loop runs P + 1 times."""

    def tuned(self, eta: float, rho: float, gamma: float, steps: int) -> tuple[float, float, float, int]:
        return eta, rho, gamma, steps + 1


@mistake
class fixed_number_of_steps(RightPort):
    """The inner loop always runs 10 times, whatever it is told."""

    def tuned(self, eta: float, rho: float, gamma: float, steps: int) -> tuple[float, float, float, int]:
        return eta, rho, gamma, 10


@mistake
class rates_swapped(RightPort):
    """The learning rate and the projection rate are exchanged."""

    def tuned(self, eta: float, rho: float, gamma: float, steps: int) -> tuple[float, float, float, int]:
        return gamma, rho, eta, steps


@mistake
class learning_rate_in_projection(RightPort):
    """The inner loop uses the learning rate."""

    def tuned(self, eta: float, rho: float, gamma: float, steps: int) -> tuple[float, float, float, int]:
        return eta, rho, eta, steps


@mistake
class stale_gradient(RightPort):
    """The inner loop uses the contact's gradient throughout."""

    def pull(self, theta: Array) -> Array:
        return (theta - self.candidate[:-1]) + (self.loss(theta)[0] - self.candidate[-1]) * self.g


@mistake
class stale_height(RightPort):
    """The inner loop uses the contact's height throughout."""

    def pull(self, theta: Array) -> Array:
        return (theta - self.candidate[:-1]) + (self.f - self.candidate[-1]) * self.loss(theta)[1]


@mistake
class stale_loss(RightPort):
    """The inner loop evaluates the loss once, at the contact."""

    def pull(self, theta: Array) -> Array:
        return (theta - self.candidate[:-1]) + (self.f - self.candidate[-1]) * self.g


@mistake
class late_height(RightPort):
    """The height in the inner loop is that of the previous iterate, the gradient that of the present one."""

    def projected(self, theta: Array) -> Array:
        self.late = self.f
        return super().projected(theta)

    def pull(self, theta: Array) -> Array:
        late, (self.late, g) = self.late, self.loss(theta)
        return (theta - self.candidate[:-1]) + (late - self.candidate[-1]) * g


@mistake
class vertical_term_missing(RightPort):
    """The inner loop pulls sideways only: (f − y)g is missing."""

    def pull(self, theta: Array) -> Array:
        return theta - self.candidate[:-1]


@mistake
class horizontal_term_missing(RightPort):
    """The inner loop pulls vertically only: θ − x is missing."""

    def pull(self, theta: Array) -> Array:
        f, g = self.loss(theta)
        return (f - self.candidate[-1]) * g


@mistake
class vertical_term_without_gradient(RightPort):
    """The height difference is added to every coordinate: (f − y) is not multiplied by g."""

    def pull(self, theta: Array) -> Array:
        return (theta - self.candidate[:-1]) + (self.loss(theta)[0] - self.candidate[-1])


@mistake
class vertical_term_sign(RightPort):
    """The vertical pull has the wrong sign: (y − f)g."""

    def pull(self, theta: Array) -> Array:
        f, g = self.loss(theta)
        return (theta - self.candidate[:-1]) - (f - self.candidate[-1]) * g


@mistake
class vertical_term_absolute(RightPort):
    """The vertical pull is |f − y|g: the side is lost."""

    def pull(self, theta: Array) -> Array:
        f, g = self.loss(theta)
        return (theta - self.candidate[:-1]) + self.xp.abs(f - self.candidate[-1]) * g


@mistake
class distance_not_squared(RightPort):
    """The inner loop descends on the distance, not on its square."""

    def pull(self, theta: Array) -> Array:
        away = self.joined(theta, self.loss(theta)[0]) - self.candidate
        return super().pull(theta) / self.norm(away)


@mistake
class projects_to_radius(RightPort):
    """The inner loop pulls to a distance of ρ instead of to the nearest point."""

    def pull(self, theta: Array) -> Array:
        away = self.joined(theta, self.loss(theta)[0]) - self.candidate
        return super().pull(theta) * (1 - self.rho / self.norm(away))


@mistake
class inner_momentum(RightPort):
    """The inner loop has momentum 0.9."""

    def projected(self, theta: Array) -> Array:
        self.velocity = 0 * theta
        return super().projected(theta)

    def descended(self, theta: Array, pull: Array, k: int) -> Array:
        self.velocity = 0.9 * self.velocity + pull
        return theta - self.gamma * self.velocity


@mistake
class inner_nesterov(RightPort):
    """The inner loop has Nesterov momentum 0.9."""

    def projected(self, theta: Array) -> Array:
        self.velocity = 0 * theta
        return super().projected(theta)

    def descended(self, theta: Array, pull: Array, k: int) -> Array:
        self.velocity = 0.9 * self.velocity + pull
        return theta - self.gamma * (pull + 0.9 * self.velocity)


@mistake
class inner_rate_decays(RightPort):
    """The inner rate decays as γ/(k + 1)."""

    def descended(self, theta: Array, pull: Array, k: int) -> Array:
        return theta - self.gamma / (k + 1) * pull


@mistake
class inner_sign(RightPort):
    """The inner loop follows the sign of the pull."""

    def descended(self, theta: Array, pull: Array, k: int) -> Array:
        return theta - self.gamma * self.xp.sign(pull)


@mistake
class inner_weight_decay(RightPort):
    """Weight decay of 1e-2 acts in the inner loop."""

    def descended(self, theta: Array, pull: Array, k: int) -> Array:
        return theta - self.gamma * (pull + 1e-2 * theta)


@mistake
class inner_pull_clipped(RightPort):
    """The inner pull is clipped to length 1."""

    def descended(self, theta: Array, pull: Array, k: int) -> Array:
        length = self.norm(pull)
        return theta - self.gamma * pull / self.xp.maximum(length, self.xp.ones_like(length))


@mistake
class inner_coordinates_in_turn(RightPort):
    """The inner loop moves one coordinate at a time."""

    def descended(self, theta: Array, pull: Array, k: int) -> Array:
        here = self.xp.arange(theta.shape[0]) == k % theta.shape[0]
        return self.xp.where(here, theta - self.gamma * pull, theta)


@mistake
class inner_backtracking(RightPort):
    """Inner steps that go farther from the candidate are taken back."""

    def descended(self, theta: Array, pull: Array, k: int) -> Array:
        new = theta - self.gamma * pull
        farther = self.gap(new) > self.gap(theta)
        return self.xp.where(farther, theta, new)

    def gap(self, theta: Array) -> Array:
        return self.norm(self.joined(theta, self.loss(theta)[0]) - self.candidate)


@mistake
class stops_when_small(RightPort):
    """The inner loop stops early, once the pull is shorter than 1e-4."""

    def descended(self, theta: Array, pull: Array, k: int) -> Array:
        return self.xp.where(self.norm(pull) < 1e-4, theta, theta - self.gamma * pull)


@mistake
class stops_when_slow(RightPort):
    """The inner loop stops early, once it moves by less than 1e-3 of θ."""

    def descended(self, theta: Array, pull: Array, k: int) -> Array:
        move = self.gamma * pull
        return self.xp.where(self.norm(move) < 1e-3 * self.norm(theta), theta, theta - move)


@mistake
class averages_iterates(RightPort):
    """The mean of the inner iterates is returned."""

    def projected(self, theta: Array) -> Array:
        total = 0 * theta
        for k in range(self.steps):
            theta = self.descended(theta, self.pull(theta), k)
            total = total + theta
        return total / self.steps


@mistake
class best_iterate(RightPort):
    """The inner iterate nearest to the candidate is returned, not the last."""

    def projected(self, theta: Array) -> Array:
        best, least = theta, self.gap(theta)
        for k in range(self.steps):
            theta = self.descended(theta, self.pull(theta), k)
            gap = self.gap(theta)
            best, least = self.xp.where(gap < least, theta, best), self.xp.minimum(gap, least)
        return best

    def gap(self, theta: Array) -> Array:
        return self.norm(self.joined(theta, self.loss(theta)[0]) - self.candidate)
