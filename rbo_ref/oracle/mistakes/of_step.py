"""Mistakes in the step of the centre, and in what is returned."""

from __future__ import annotations

from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.mistakes.right_port import RightPort, mistake

# --- the step of the centre ---


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


# --- the result ---


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
