"""Mistakes of the rolling ball in the normal and in the tangent."""

from __future__ import annotations

from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.mistakes.mistake import Mistake
from rbo_ref.oracle.parts import joined, split

__all__ = ["MISTAKES"]


def _for_each_tensor(self: Any, g: Array) -> Array:
    parts = split(g)
    return self.joined(joined([-part / self.stretch(part) for part in parts]), 1 / self.stretch(parts[0]))


def _to_each_ball(self: Any, theta: Array) -> Array:
    f, g = self.loss(theta)
    lifts = [self.rho / self.stretch(part) - self.eta * self.square(part) for part in split(self.g)]
    falls = [(f - (self.f + lift)) * part for lift, part in zip(lifts, split(g), strict=True)]
    return (theta - self.x) + joined(falls)


def _rotated(self: Any, g: Array) -> Array:
    right = self.right.normal(g)
    return self.xp.concat([right[-1:], right[:-1]])


def _unit(self: Any, g: Array) -> Array:
    right = self.right.tangent(g)
    return right / self.norm(right)


MISTAKES = {
    "normal_flipped": Mistake(
        "The normal points down: the ball rolls below the graph", normal=lambda self, g: -self.right.normal(g)
    ),
    "normal_gradient_sign": Mistake(
        "The normal is (+g, 1)/W: its horizontal part has the wrong sign",
        normal=lambda self, g: self.joined(g, 1 + 0 * g[0]) / self.stretch(g),
    ),
    "normal_missing_one": Mistake(
        "The normal is divided by |g|: the 1 under the root is missing", stretch=lambda self, g: self.norm(g)
    ),
    "normal_not_normalized": Mistake(
        "The normal is (−g, 1): it is not divided by W", stretch=lambda self, g: 1 + 0 * g[0]
    ),
    "normal_square_root_missing": Mistake(
        "The normal is divided by 1 + |g|² instead of its root", stretch=lambda self, g: 1 + self.square(g)
    ),
    "normal_components_rotated": Mistake(
        "The height of the normal stands first: (1, −g)/W is added to (θ, f)", normal=_rotated
    ),
    "normal_one_norm": Mistake(
        "The normal is divided by 1 + Σ|gᵢ|", stretch=lambda self, g: 1 + self.xp.sum(self.xp.abs(g))
    ),
    "normal_max_norm": Mistake(
        "The normal is divided by √(1 + max gᵢ²)", stretch=lambda self, g: self.xp.sqrt(1 + self.xp.max(g * g))
    ),
    "normal_mean_square": Mistake(
        "The normal is divided by √(1 + mean gᵢ²): a mean where the norm sums",
        stretch=lambda self, g: self.xp.sqrt(1 + self.xp.mean(g * g)),
    ),
    "normal_per_coordinate": Mistake(
        "Each coordinate has a norm of its own: −gᵢ/√(1 + gᵢ²)",
        normal=lambda self, g: self.joined(-g / self.xp.sqrt(1 + g * g), 1 / self.stretch(g)),
    ),
    "normal_per_tensor": Mistake(
        "Each parameter tensor has a norm of its own; the ball is one for all parameters", normal=_for_each_tensor
    ),
    "ball_per_tensor": Mistake(
        "Each parameter tensor has a ball of its own, with its own norm and its own height of the candidate",
        normal=_for_each_tensor,
        pull=_to_each_ball,
    ),
    "normal_epsilon": Mistake(
        "A 1e-8 is added to W, as if it could vanish", stretch=lambda self, g: self.right.stretch(g) + 1e-8
    ),
    "normal_without_height": Mistake(
        "The centre is shifted sideways only: the normal's height is missing",
        normal=lambda self, g: self.joined(self.right.normal(g)[:-1], 0 * g[0]),
    ),
    "normal_vertical": Mistake(
        "The ball is put straight above the contact: c = (θ, f + ρ)",
        normal=lambda self, g: self.joined(0 * g, 1 + 0 * g[0]),
    ),
    "radius_ignored": Mistake("The step starts at the contact: the radius is not used", center=lambda self: self.p),
    "diameter_for_radius": Mistake(
        "The centre is a diameter away from the contact", center=lambda self: self.p + 2 * self.rho * self.nu
    ),
    "radius_halved": Mistake(
        "The centre is half a radius away: the radius is taken for a diameter",
        center=lambda self: self.p + self.rho / 2 * self.nu,
    ),
    # the tangent
    "tangent_unit": Mistake("The tangent is normalised to length 1", tangent=_unit),
    "tangent_unit_gradient": Mistake(
        "The gradient in the tangent is normalised: (g/|g|, |g|)",
        tangent=lambda self, g: self.right.tangent(g) / self.norm(g),
    ),
    "tangent_over_stretch": Mistake(
        "The tangent is divided by W, like the normal", tangent=lambda self, g: self.right.tangent(g) / self.stretch(g)
    ),
    "tangent_without_height": Mistake(
        "The height of the centre is not lowered: τ = (g, 0)", tangent=lambda self, g: self.joined(g, 0 * g[0])
    ),
    "tangent_height_unsquared": Mistake(
        "The tangent's height is |g| instead of |g|²", tangent=lambda self, g: self.joined(g, self.norm(g))
    ),
    "tangent_height_sign": Mistake(
        "The centre rises where it should fall: τ = (g, −|g|²)", tangent=lambda self, g: self.joined(g, -self.square(g))
    ),
    "tangent_height_mean": Mistake(
        "The tangent's height is the mean of gᵢ², not their sum",
        tangent=lambda self, g: self.joined(g, self.xp.mean(g * g)),
    ),
    "tangent_at_center": Mistake(
        "The tangent is taken below the centre, at the parameters of c, not at the contact",
        stepped=lambda self: self.c - self.eta * self.tangent(self.loss(self.c[:-1])[1]),
    ),
    "tangent_constant_height": Mistake(
        "The tangent's height is 1: τ = (g, 1)", tangent=lambda self, g: self.joined(g, 1 + 0 * g[0])
    ),
}
