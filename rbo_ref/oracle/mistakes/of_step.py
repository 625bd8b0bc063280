"""Mistakes of the rolling ball in the step of the centre, and in what is returned."""

from __future__ import annotations

from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.mistakes.mistake import Mistake

__all__ = ["MISTAKES"]


def _on_graph(self: Any) -> Array:
    right = self.right.stepped()
    return self.joined(right[:-1], self.loss(right[:-1])[0])


MISTAKES = {
    "ascent": Mistake("The centre moves uphill: + ητ", stepped=lambda self: self.c + self.eta * self.tau),
    "plain_gradient_descent": Mistake(
        "Plain gradient descent: there is no ball", finished=lambda self, theta: self.theta - self.eta * self.g
    ),
    "no_projection": Mistake(
        "The candidate's parameters are returned: the projection is missing", projected=lambda self, theta: self.x
    ),
    "learning_rate_on_normal": Mistake(
        "The learning rate multiplies the offset too: c̃ = p + η(ρν − τ)",
        stepped=lambda self: self.p + self.eta * (self.rho * self.nu - self.tau),
    ),
    "learning_rate_times_radius": Mistake(
        "The step is scaled with the radius: c̃ = c − ηρτ", stepped=lambda self: self.c - self.eta * self.rho * self.tau
    ),
    "candidate_sideways_from_contact": Mistake(
        "The candidate's parameters are reckoned from the contact: the shift −ρg/W is lost",
        stepped=lambda self: self.joined(self.theta - self.eta * self.g, self.right.stepped()[-1]),
    ),
    "candidate_on_graph": Mistake(
        "The candidate is dropped onto the graph before the projection: its height is f there", stepped=_on_graph
    ),
    "weight_decay": Mistake(
        "Weight decay of 1e-2 is mixed into the step of the centre",
        stepped=lambda self: self.right.stepped() - self.joined(1e-2 * self.eta * self.theta, 0 * self.f),
    ),
    # the result
    "returns_displacement": Mistake(
        "The displacement is returned instead of the new parameters", finished=lambda self, theta: theta - self.theta
    ),
    "update_applied_twice": Mistake(
        "The displacement is added twice", finished=lambda self, theta: theta + (theta - self.theta)
    ),
    "update_subtracted": Mistake(
        "The displacement is subtracted instead of added",
        finished=lambda self, theta: self.theta - (theta - self.theta),
    ),
    "returns_candidate": Mistake(
        "Half of the way to the candidate is added to the projection",
        finished=lambda self, theta: (theta + self.x) / 2,
    ),
    "parameters_clamped": Mistake(
        "The parameters are kept within [−5, 5]", finished=lambda self, theta: self.xp.clip(theta, -5.0, 5.0)
    ),
    "two_steps_at_once": Mistake(
        "One call takes two outer steps (a loop from 0 to n inclusive)",
        advance=lambda self, loss, theta, hyper, draw=None: self.right.advance(
            loss, self.right.advance(loss, theta, hyper), hyper
        ),
    ),
}
