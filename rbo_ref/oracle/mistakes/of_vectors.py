"""Mistakes in the normal and in the tangent."""

from __future__ import annotations

from geometry._namespace import Array
from rbo_ref.oracle.mistakes.right_port import RightPort, mistake
from rbo_ref.oracle.parts import joined, split

# --- the normal ---


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
    """Each parameter tensor has a norm of its own; the ball is one for all parameters."""

    def normal(self, g: Array) -> Array:
        parts = split(g)
        return self.joined(joined([-part / self.stretch(part) for part in parts]), 1 / self.stretch(parts[0]))


@mistake
class ball_per_tensor(RightPort):
    """Each parameter tensor has a ball of its own, with its own norm and its own height of the candidate."""

    def normal(self, g: Array) -> Array:
        parts = split(g)
        return self.joined(joined([-part / self.stretch(part) for part in parts]), 1 / self.stretch(parts[0]))

    def pull(self, theta: Array) -> Array:
        f, g = self.loss(theta)
        lifts = [self.rho / self.stretch(part) - self.eta * self.square(part) for part in split(self.g)]
        falls = [(f - (self.f + lift)) * part for lift, part in zip(lifts, split(g), strict=True)]
        return (theta - self.candidate[:-1]) + joined(falls)


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


# --- the tangent ---


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
