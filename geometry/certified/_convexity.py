"""Minima of strictly convex functions: an end of the search, where boxes would have to become very small.

If ∇²F ≥ λ > 0 over a box X, then for every m and θ in X

    F(θ) ≥ F(m) + ∇F(m)·(θ − m) + ½λ|θ − m|² ≥ F(m) − |∇F(m)|²/(2λ),

and where F(θ) ≤ F(m), |θ − m| ≤ 2|∇F(m)|/λ. A few steps of Newton's method from anywhere in X find an m where ∇F(m) is
almost 0: bounds that close the gap, from one Hessian over X and one gradient.

S. Boyd, L. Vandenberghe, "Convex Optimization" (2004), Section 9.1.2.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy

from geometry.arithmetic._forms import Form
from geometry.arithmetic.intervals import Interval, interval, sqr, sqrt, total
from geometry.certified._cells import BATCH, derivatives, evaluated, in_batches, regular
from geometry.certified._curvature import extreme_curvature
from geometry.surface import OfFunction

__all__ = ["Convexity", "Height", "Objective", "SquaredDistance", "Valleys"]

STEPS = 5  # of Newton's method; it converges quadratically
NEXT = 2.0**-24  # of the width of the box: after a step that is shorter, the next one would be of no use
ROOM = 2.0**-40  # of the radius of the box, for the rounding of m


class Valleys(NamedTuple):
    """Of queries in boxes X: what is known of the minimum over X, where F is proven to be strictly convex."""

    lower: numpy.ndarray  # (n,): of what is searched for; −inf where nothing is proven
    upper: numpy.ndarray  # (n,); inf where nothing is proven
    theta: numpy.ndarray  # (n, d): m
    radius: numpy.ndarray  # (n,): how far from m the minimum can be; inf where nothing is proven


class Objective(ABC):
    """F for queries, from forms of θ, by differentiation of the values; or from floats, as the surface has it."""

    def __init__(self, surface: OfFunction, x: numpy.ndarray) -> None:
        self.surface, self.x = surface, x

    def derivatives(self, theta: Any, order: int = 2) -> tuple[Any, ...]:
        """f, ∇f and, to second order, ∇²f."""
        if isinstance(theta, Form):
            return derivatives(self.surface, theta, order)
        return *self.surface.value_and_gradient(theta), self.surface.hessian(theta)

    @abstractmethod
    def value_and_forces(self, theta: Form, query: numpy.ndarray) -> tuple[Form, Form, Form]:
        """F, and two vectors of which the sum is ∇F."""

    @abstractmethod
    def gradient_and_hessian(self, theta: Any, query: numpy.ndarray) -> tuple[Any, Any]: ...

    @abstractmethod
    def searched(self, value: Interval) -> Interval:
        """From F to what is searched for, which increases with F."""


class SquaredDistance(Objective):
    """F = ½|θ − x|² + ½(f − y)²."""

    def __init__(self, surface: OfFunction, x: numpy.ndarray, y: numpy.ndarray) -> None:
        super().__init__(surface, x)
        self.y = y

    def value_and_forces(self, theta: Form, query: numpy.ndarray) -> tuple[Form, Form, Form]:
        value, g = self.derivatives(theta, order=1)
        away, rise = theta - self.x[query], value - self.y[query]
        return ((away**2).sum(axis=-1) + rise**2) / 2, away, rise[..., None] * g

    def gradient_and_hessian(self, theta: Any, query: numpy.ndarray) -> tuple[Any, Any]:
        value, g, h = self.derivatives(theta)
        away, rise = theta - self.x[query], value - self.y[query]
        bend = rise[..., None, None] * h
        return away + rise[..., None] * g, numpy.eye(self.x.shape[1]) + g[..., :, None] * g[..., None, :] + bend

    def searched(self, value: Interval) -> Interval:
        return sqrt(value + value)


class Height(Objective):
    """F = −f − √(ρ² − |θ − x|²), minus the height of the centre of a ball over x that touches at θ."""

    def __init__(self, surface: OfFunction, x: numpy.ndarray, radius: numpy.ndarray) -> None:
        super().__init__(surface, x)
        self.radius = radius

    def _cap(self, theta: Any, query: numpy.ndarray) -> tuple[Any, Any]:
        away, radius = theta - self.x[query], self.radius[query]
        square = theta.constant(radius) ** 2 if isinstance(theta, Form) else radius**2
        return away, (square - (away**2).sum(axis=-1)) ** 0.5

    def value_and_forces(self, theta: Form, query: numpy.ndarray) -> tuple[Form, Form, Form]:
        value, g = self.derivatives(theta, order=1)
        away, cap = self._cap(theta, query)
        return -value - cap, away / cap[..., None], -g

    def gradient_and_hessian(self, theta: Any, query: numpy.ndarray) -> tuple[Any, Any]:
        _, g, h = self.derivatives(theta)
        away, cap = self._cap(theta, query)
        lean = away / cap[..., None]
        bend = (numpy.eye(self.x.shape[1]) + lean[..., :, None] * lean[..., None, :]) / cap[..., None, None]
        return lean - g, bend - h

    def searched(self, value: Interval) -> Interval:
        return value


class Convexity:
    """Proofs for an objective."""

    def __init__(self, objective: Objective) -> None:
        self.objective = objective
        self._cost = BATCH // 16  # numbers for each box; a guess until the functions have been seen

    def __call__(self, query: numpy.ndarray, center: numpy.ndarray, radius: numpy.ndarray) -> Valleys:
        """For queries in boxes center ± radius, (n, d)."""
        parts: list[Any] = in_batches(self._valleys, self._cost, query, center, radius)
        return Valleys(*(numpy.concatenate(p) for p in zip(*parts, strict=True)))

    def _valleys(self, query: numpy.ndarray, center: numpy.ndarray, radius: numpy.ndarray) -> Valleys:
        radius = radius * (1 + ROOM) + 4 * numpy.spacing(numpy.abs(center))
        least = self._least_eigenvalue(query, center, radius)
        nothing = numpy.full(len(query), numpy.inf)
        found = Valleys(-nothing, nothing, center.copy(), nothing.copy())
        convex = numpy.flatnonzero(least > 0)
        if convex.size:
            theta = self._descended(query[convex], center[convex], radius[convex])
            for all_, some in zip(found, self._bounds(theta, query[convex], least[convex]), strict=True):
                all_[convex] = some
        return found

    def _evaluated(
        self, function: Callable[..., Any], query: numpy.ndarray, center: numpy.ndarray, radius: numpy.ndarray | None
    ) -> Any:
        return evaluated(lambda form: function(form, query), center, radius)

    def _least_eigenvalue(self, query: numpy.ndarray, center: numpy.ndarray, radius: numpy.ndarray) -> numpy.ndarray:
        """λ; −∞ where the surface may be undefined or not smooth."""
        surface = self.objective.surface
        (_, bend), record = self._evaluated(self.objective.gradient_and_hessian, query, center, radius)
        self._cost = max(1, record.largest // len(query))
        least = numpy.where(numpy.isfinite(bend.range().mag).all((1, 2)), -extreme_curvature(-bend)[0], -numpy.inf)
        if record.irregular:
            smooth = regular(lambda form: derivatives(surface, form), center, radius)
            least = numpy.where(smooth, least, -numpy.inf)
        return numpy.where(numpy.isfinite(least), least, -numpy.inf)

    def _descended(self, query: numpy.ndarray, center: numpy.ndarray, radius: numpy.ndarray) -> numpy.ndarray:
        """Newton's method in floats, inside of the boxes."""
        low, high = center - radius * (1 - ROOM), center + radius * (1 - ROOM)
        theta, ids = center.copy(), numpy.arange(len(center))
        for _ in range(STEPS):
            at = theta[ids]
            with numpy.errstate(all="ignore"):
                gradient, bend = self._roughly(at, query[ids])
                solvable = numpy.isfinite(bend).all((1, 2)) & (numpy.abs(numpy.linalg.det(bend)) > 0)
                bend[~solvable] = numpy.eye(at.shape[1])
                step = numpy.linalg.solve(bend, -gradient[..., None])[..., 0]
            theta[ids] = numpy.clip(at + numpy.nan_to_num(step), low[ids], high[ids])
            far = NEXT * (high[ids] - low[ids]) + 4 * numpy.spacing(numpy.abs(at))
            ids = ids[(numpy.abs(theta[ids] - at) > far).any(1)]
            if not ids.size:
                break
        return theta

    def _roughly(self, theta: numpy.ndarray, query: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
        """∇F and ∇²F at points: where Newton's method goes by them proves nothing, so hand-written ones will do."""
        surface = self.objective.surface
        if surface.has_gradient(theta) and surface.has_second_order(theta):
            return self.objective.gradient_and_hessian(theta, query)
        found, _ = self._evaluated(self.objective.gradient_and_hessian, query, theta, None)
        gradient, bend = (form.center.middle for form in found)
        return gradient, bend

    def _bounds(self, theta: numpy.ndarray, query: numpy.ndarray, least: numpy.ndarray) -> Valleys:
        (value, pull, push), _ = self._evaluated(self.objective.value_and_forces, query, theta, None)
        pull, push = (f.center.map(lambda end: numpy.ascontiguousarray(end.T)) for f in (pull, push))
        force = sqrt(total(sqr(pull + push)))
        stiff = interval(least)
        drop = sqr(force) / stiff / 2.0
        lower = self.objective.searched(value.center - drop).lo
        upper, radius = self.objective.searched(value.center).hi, (2.0 * force / stiff).hi
        known = ~numpy.isnan(lower) & ~numpy.isnan(upper) & numpy.isfinite(radius)
        nothing = numpy.full(len(query), numpy.inf)
        return Valleys(
            numpy.where(known, lower, -nothing), numpy.where(known, upper, nothing), theta,
            numpy.where(known, radius, nothing),
        )  # fmt: skip
