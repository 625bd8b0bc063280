"""Known wrong ports: a right port in the plainest words, and what people get wrong in it.

`RightPort` has one method for each line of the algorithm; a mistake overrides one or two of them. The catalogue
proves that the cases are sensitive (every mistake must fail), and it names the mistake of a port that fails (the one
that reproduces its output). All ports are written in array-API functions and run on any library and dtype.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from geometry._namespace import Array, array_namespace

__all__ = ["MISTAKES", "RightPort", "mistake"]


class RightPort:
    """A right port. The intermediate quantities are attributes, so that a mistake can mix them up."""

    name: ClassVar[str] = "right"
    description: ClassVar[str] = "a right port"

    def fresh(self) -> RightPort:
        """The same port without memory."""
        return type(self)()

    def __call__(
        self,
        loss: Callable[[Array], tuple[Array, Array]],
        theta: Array,
        *,
        learning_rate: float,
        radius: float,
        projection_rate: float,
        projection_steps: int,
    ) -> Array:
        self.xp, self.theta = array_namespace(theta), theta
        self.eta, self.rho, self.gamma, self.steps = self.tuned(
            learning_rate, radius, projection_rate, projection_steps
        )
        self.loss = self.served(loss)
        self.f, self.g = self.evaluated(theta)
        self.nu, self.tau = self.normal(self.g), self.tangent(self.g)
        self.p = self.joined(theta, self.f)
        self.c = self.center()
        self.candidate = self.stepped()
        return self.finished(self.projected(self.start()))

    # the lines of the algorithm

    def tuned(self, eta: float, rho: float, gamma: float, steps: int) -> tuple[float, float, float, int]:
        return eta, rho, gamma, steps

    def served(self, loss: Any) -> Any:
        return loss

    def evaluated(self, theta: Array) -> tuple[Array, Array]:
        return self.loss(theta)

    def normal(self, g: Array) -> Array:
        return self.joined(-g, 1 + 0 * g[0]) / self.stretch(g)

    def stretch(self, g: Array) -> Array:
        return self.xp.sqrt(1 + self.square(g))

    def square(self, g: Array) -> Array:
        return self.xp.sum(g * g)

    def tangent(self, g: Array) -> Array:
        return self.joined(g, self.square(g))

    def center(self) -> Array:
        return self.p + self.rho * self.nu

    def stepped(self) -> Array:
        return self.c - self.eta * self.tau

    def start(self) -> Array:
        return self.theta

    def projected(self, theta: Array) -> Array:
        for k in range(self.steps):
            theta = self.descended(theta, self.pull(theta), k)
        return theta

    def pull(self, theta: Array) -> Array:
        """The gradient of half the squared distance to the candidate."""
        f, g = self.loss(theta)
        return (theta - self.candidate[:-1]) + (f - self.candidate[-1]) * g

    def descended(self, theta: Array, pull: Array, k: int) -> Array:
        return theta - self.gamma * pull

    def finished(self, theta: Array) -> Array:
        return theta

    # tools

    def joined(self, vector: Array, number: Array) -> Array:
        return self.xp.concat([vector, self.xp.reshape(number, (1,))])

    def norm(self, vector: Array) -> Array:
        return self.xp.sqrt(self.xp.sum(vector * vector))


MISTAKES: dict[str, type[RightPort]] = {}


def mistake(cls: type[RightPort]) -> type[RightPort]:
    """Enter a wrong port into the catalogue; its docstring is the description."""
    cls.name, cls.description = cls.__name__, (cls.__doc__ or "").strip().rstrip(".")
    MISTAKES[cls.name] = cls
    return cls


# --- the normal -----------------------------------------------------------------------------------------------------


@mistake
class normal_flipped(RightPort):
    """The normal points down: the ball rolls below the graph."""

    def normal(self, g: Array) -> Array:
        return -super().normal(g)


@mistake
class normal_gradient_sign(RightPort):
    """The normal is (+g, 1)/W: its horizontal part has the wrong sign."""

    def normal(self, g: Array) -> Array:
        return self.joined(g, 1 + 0 * g[0]) / self.stretch(g)


@mistake
class normal_missing_one(RightPort):
    """The normal is divided by |g|: the 1 under the root is missing."""

    def stretch(self, g: Array) -> Array:
        return self.norm(g)


@mistake
class normal_not_normalized(RightPort):
    """The normal is (−g, 1): it is not divided by W."""

    def stretch(self, g: Array) -> Array:
        return 1 + 0 * g[0]


@mistake
class normal_square_root_missing(RightPort):
    """The normal is divided by 1 + |g|² instead of its root."""

    def stretch(self, g: Array) -> Array:
        return 1 + self.square(g)


@mistake
class normal_components_rotated(RightPort):
    """The height of the normal stands first: (1, −g)/W is added to (θ, f)."""

    def normal(self, g: Array) -> Array:
        right = super().normal(g)
        return self.xp.concat([right[-1:], right[:-1]])


@mistake
class normal_one_norm(RightPort):
    """The normal is divided by 1 + Σ|gᵢ|."""

    def stretch(self, g: Array) -> Array:
        return 1 + self.xp.sum(self.xp.abs(g))


@mistake
class normal_max_norm(RightPort):
    """The normal is divided by √(1 + max gᵢ²)."""

    def stretch(self, g: Array) -> Array:
        return self.xp.sqrt(1 + self.xp.max(g * g))


@mistake
class normal_mean_square(RightPort):
    """The normal is divided by √(1 + mean gᵢ²): a mean where the norm sums."""

    def stretch(self, g: Array) -> Array:
        return self.xp.sqrt(1 + self.xp.mean(g * g))


@mistake
class normal_per_coordinate(RightPort):
    """Each coordinate has a norm of its own: −gᵢ/√(1 + gᵢ²)."""

    def normal(self, g: Array) -> Array:
        return self.joined(-g / self.xp.sqrt(1 + g * g), 1 / self.stretch(g))


@mistake
class normal_per_tensor(RightPort):
    """Each parameter tensor (here: half of θ) has a norm of its own; the ball is one for all parameters."""

    def normal(self, g: Array) -> Array:
        half = (g.shape[0] + 1) // 2
        halves = (g[:half], g[half:])
        parts = [-part / self.stretch(part) for part in halves if part.shape[0]]
        return self.joined(self.xp.concat(parts), 1 / self.stretch(g[:half]))


@mistake
class normal_epsilon(RightPort):
    """A 1e-8 is added to W, as if it could vanish."""

    def stretch(self, g: Array) -> Array:
        return super().stretch(g) + 1e-8


@mistake
class normal_without_height(RightPort):
    """The centre is shifted sideways only: the normal's height is missing."""

    def normal(self, g: Array) -> Array:
        return self.joined(super().normal(g)[:-1], 0 * g[0])


@mistake
class normal_vertical(RightPort):
    """The ball is put straight above the contact: c = (θ, f + ρ)."""

    def normal(self, g: Array) -> Array:
        return self.joined(0 * g, 1 + 0 * g[0])


@mistake
class radius_ignored(RightPort):
    """The step starts at the contact: the radius is not used."""

    def center(self) -> Array:
        return self.p


@mistake
class diameter_for_radius(RightPort):
    """The centre is a diameter away from the contact."""

    def center(self) -> Array:
        return self.p + 2 * self.rho * self.nu


@mistake
class radius_halved(RightPort):
    """The centre is half a radius away: the radius is taken for a diameter."""

    def center(self) -> Array:
        return self.p + self.rho / 2 * self.nu


# --- the tangent ----------------------------------------------------------------------------------------------------


@mistake
class tangent_unit(RightPort):
    """The tangent is normalised to length 1."""

    def tangent(self, g: Array) -> Array:
        right = super().tangent(g)
        return right / self.norm(right)


@mistake
class tangent_unit_gradient(RightPort):
    """The gradient in the tangent is normalised: (g/|g|, |g|)."""

    def tangent(self, g: Array) -> Array:
        return super().tangent(g) / self.norm(g)


@mistake
class tangent_over_stretch(RightPort):
    """The tangent is divided by W, like the normal."""

    def tangent(self, g: Array) -> Array:
        return super().tangent(g) / self.stretch(g)


@mistake
class tangent_without_height(RightPort):
    """The height of the centre is not lowered: τ = (g, 0)."""

    def tangent(self, g: Array) -> Array:
        return self.joined(g, 0 * g[0])


@mistake
class tangent_height_unsquared(RightPort):
    """The tangent's height is |g| instead of |g|²."""

    def tangent(self, g: Array) -> Array:
        return self.joined(g, self.norm(g))


@mistake
class tangent_height_sign(RightPort):
    """The centre rises where it should fall: τ = (g, −|g|²)."""

    def tangent(self, g: Array) -> Array:
        return self.joined(g, -self.square(g))


@mistake
class tangent_height_mean(RightPort):
    """The tangent's height is the mean of gᵢ², not their sum."""

    def tangent(self, g: Array) -> Array:
        return self.joined(g, self.xp.mean(g * g))


@mistake
class tangent_at_center(RightPort):
    """The tangent is taken below the centre, at the parameters of c, not at the contact."""

    def stepped(self) -> Array:
        return self.c - self.eta * self.tangent(self.loss(self.c[:-1])[1])


@mistake
class tangent_constant_height(RightPort):
    """The tangent's height is 1: τ = (g, 1)."""

    def tangent(self, g: Array) -> Array:
        return self.joined(g, 1 + 0 * g[0])


# --- the step of the centre -----------------------------------------------------------------------------------------


@mistake
class ascent(RightPort):
    """The centre moves uphill: + ητ."""

    def stepped(self) -> Array:
        return self.c + self.eta * self.tau


@mistake
class plain_gradient_descent(RightPort):
    """Plain gradient descent: there is no ball."""

    def finished(self, theta: Array) -> Array:
        return self.theta - self.eta * self.g


@mistake
class no_projection(RightPort):
    """The candidate's parameters are returned: the projection is missing."""

    def projected(self, theta: Array) -> Array:
        return self.candidate[:-1]


@mistake
class learning_rate_on_normal(RightPort):
    """The learning rate multiplies the offset too: c̃ = p + η(ρν − τ)."""

    def stepped(self) -> Array:
        return self.p + self.eta * (self.rho * self.nu - self.tau)


@mistake
class learning_rate_times_radius(RightPort):
    """The step is scaled with the radius: c̃ = c − ηρτ."""

    def stepped(self) -> Array:
        return self.c - self.eta * self.rho * self.tau


@mistake
class candidate_sideways_from_contact(RightPort):
    """The candidate's parameters are reckoned from the contact: the shift −ρg/W is lost."""

    def stepped(self) -> Array:
        return self.joined(self.theta - self.eta * self.g, super().stepped()[-1])


@mistake
class candidate_on_graph(RightPort):
    """The candidate is dropped onto the graph before the projection: its height is f there."""

    def stepped(self) -> Array:
        right = super().stepped()
        return self.joined(right[:-1], self.loss(right[:-1])[0])


@mistake
class weight_decay(RightPort):
    """Weight decay of 1e-2 is mixed into the step of the centre."""

    def stepped(self) -> Array:
        return super().stepped() - self.joined(1e-2 * self.eta * self.theta, 0 * self.f)


# --- the projection -------------------------------------------------------------------------------------------------


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


# --- the gradient and the loss --------------------------------------------------------------------------------------


@mistake
class gradient_clipped(RightPort):
    """The loss gradient is clipped to length 1."""

    def served(self, loss: Any) -> Any:
        def clipped(theta: Array) -> tuple[Array, Array]:
            f, g = loss(theta)
            length = self.norm(g)
            return f, g / self.xp.maximum(length, self.xp.ones_like(length))

        return clipped


@mistake
class gradient_clipped_by_value(RightPort):
    """The entries of the loss gradient are clipped to [−1, 1]."""

    def served(self, loss: Any) -> Any:
        def clipped(theta: Array) -> tuple[Array, Array]:
            f, g = loss(theta)
            return f, self.xp.clip(g, -1.0, 1.0)

        return clipped


@mistake
class loss_clamped(RightPort):
    """Negative losses are set to zero."""

    def served(self, loss: Any) -> Any:
        def clamped(theta: Array) -> tuple[Array, Array]:
            f, g = loss(theta)
            return self.xp.maximum(f, self.xp.zeros_like(f)), g

        return clamped


@mistake
class loss_averaged(RightPort):
    """The gradient is divided by the number of parameters (mean instead of sum)."""

    def served(self, loss: Any) -> Any:
        def averaged(theta: Array) -> tuple[Array, Array]:
            f, g = loss(theta)
            return f, g / g.shape[0]

        return averaged


@mistake
class finite_differences(RightPort):
    """The gradient is a forward difference of the loss."""

    def served(self, loss: Any) -> Any:
        def differenced(theta: Array) -> tuple[Array, Array]:
            f, _ = loss(theta)
            h = float(self.xp.finfo(theta.dtype).eps) ** 0.5
            unit = self.xp.eye(theta.shape[0], dtype=theta.dtype)
            slopes = [(loss(theta + h * unit[i, :])[0] - f) / h for i in range(theta.shape[0])]
            return f, self.xp.stack(slopes)

        return differenced


# --- precision ------------------------------------------------------------------------------------------------------


@mistake
class float32_inside(RightPort):
    """Something is computed in float32 inside."""

    def __call__(self, loss: Any, theta: Array, **hyper: Any) -> Array:
        xp = array_namespace(theta)
        return xp.astype(super().__call__(loss, xp.astype(theta, xp.float32), **hyper), theta.dtype)


@mistake
class float32_norm(RightPort):
    """The norm of the gradient is summed in float32."""

    def square(self, g: Array) -> Array:
        small = self.xp.astype(g, self.xp.float32)
        return self.xp.astype(self.xp.sum(small * small), g.dtype)


@mistake
class low_precision(RightPort):
    """The result carries noise far above the rounding of its dtype."""

    def finished(self, theta: Array) -> Array:
        return theta * (1 + 1e-11 * self.xp.sin(1e6 * theta))


@mistake
class result_rounded(RightPort):
    """The result is rounded to eight decimals."""

    def finished(self, theta: Array) -> Array:
        return self.xp.round(theta * 1e8) / 1e8


# --- the result -----------------------------------------------------------------------------------------------------


@mistake
class returns_displacement(RightPort):
    """The displacement is returned instead of the new parameters."""

    def finished(self, theta: Array) -> Array:
        return theta - self.theta


@mistake
class update_applied_twice(RightPort):
    """The displacement is added twice."""

    def finished(self, theta: Array) -> Array:
        return theta + (theta - self.theta)


@mistake
class update_subtracted(RightPort):
    """The displacement is subtracted instead of added."""

    def finished(self, theta: Array) -> Array:
        return self.theta - (theta - self.theta)


@mistake
class returns_candidate(RightPort):
    """Half of the way to the candidate is added to the projection."""

    def finished(self, theta: Array) -> Array:
        return (theta + self.candidate[:-1]) / 2


@mistake
class parameters_clamped(RightPort):
    """The parameters are kept within [−5, 5]."""

    def finished(self, theta: Array) -> Array:
        return self.xp.clip(theta, -5.0, 5.0)


@mistake
class two_steps_at_once(RightPort):
    """One call takes two outer steps (a loop from 0 to n inclusive)."""

    def __call__(self, loss: Any, theta: Array, **hyper: Any) -> Array:
        return super().__call__(loss, super().__call__(loss, theta, **hyper), **hyper)


# --- what is carried from step to step ------------------------------------------------------------------------------


class _Remembers(RightPort):
    """A port with memory."""

    def __init__(self) -> None:
        self.memory: Any = None


@mistake
class carries_height(_Remembers):
    """The height of the last inner evaluation is carried to the next step."""

    def evaluated(self, theta: Array) -> tuple[Array, Array]:
        f, g = super().evaluated(theta)
        return (f if self.memory is None else self.memory), g

    def pull(self, theta: Array) -> Array:
        self.memory = self.loss(theta)[0]
        return super().pull(theta)


@mistake
class carries_gradient(_Remembers):
    """The gradient of the last inner evaluation is carried to the next step."""

    def evaluated(self, theta: Array) -> tuple[Array, Array]:
        f, g = super().evaluated(theta)
        return f, (g if self.memory is None else self.memory)

    def pull(self, theta: Array) -> Array:
        self.memory = self.loss(theta)[1]
        return super().pull(theta)


@mistake
class carries_center(_Remembers):
    """The centre is carried from step to step instead of being lifted from the contact."""

    def center(self) -> Array:
        return super().center() if self.memory is None else self.memory

    def stepped(self) -> Array:
        self.memory = super().stepped()
        return self.memory


@mistake
class carries_normal(_Remembers):
    """The first normal is kept for all steps."""

    def normal(self, g: Array) -> Array:
        self.memory = super().normal(g) if self.memory is None else self.memory
        return self.memory


@mistake
class carries_momentum(_Remembers):
    """The step of the centre has momentum 0.9."""

    def stepped(self) -> Array:
        self.memory = self.tau if self.memory is None else 0.9 * self.memory + self.tau
        return self.c - self.eta * self.memory


@mistake
class carries_inner_momentum(_Remembers):
    """The inner loop has momentum that no step resets."""

    def descended(self, theta: Array, pull: Array, k: int) -> Array:
        self.memory = pull if self.memory is None else 0.5 * self.memory + pull
        return theta - self.gamma * self.memory


@mistake
class hyperparameters_frozen(_Remembers):
    """The hyper-parameters of the first step are used for all."""

    def tuned(self, eta: float, rho: float, gamma: float, steps: int) -> tuple[float, float, float, int]:
        self.memory = self.memory or (eta, rho, gamma, steps)
        return self.memory


@mistake
class schedule_late(_Remembers):
    """The learning rate is that of the step before."""

    def tuned(self, eta: float, rho: float, gamma: float, steps: int) -> tuple[float, float, float, int]:
        late, self.memory = self.memory or eta, eta
        return late, rho, gamma, steps


@mistake
class radius_late(_Remembers):
    """The radius is that of the step before."""

    def tuned(self, eta: float, rho: float, gamma: float, steps: int) -> tuple[float, float, float, int]:
        late, self.memory = self.memory or rho, rho
        return eta, late, gamma, steps


@mistake
class averages_parameters(_Remembers):
    """The parameters returned are an average over the steps."""

    def finished(self, theta: Array) -> Array:
        self.memory = theta if self.memory is None else 0.5 * self.memory + 0.5 * theta
        return self.memory


@mistake
class waits_a_step(_Remembers):
    """The result of a step is delivered with the next one."""

    def finished(self, theta: Array) -> Array:
        late, self.memory = self.memory, theta
        return theta if late is None else late
