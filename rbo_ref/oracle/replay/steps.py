"""Many steps of Algorithm 1 at once, each with its defect's tolerance: to first order, and over boxes.

One step from a recorded θ is taken in numbers wider than those of the recording. Every operation of a port rounds. The
errors made in one inner iteration, at most ℓ_j in whatever order a port sums, reach the result multiplied by the
Jacobians of the iterations that follow,

    tolerance = Σ_j |J_{P−1} ··· J_{j+1}| ℓ_j,    J_k = I − γ(I + ggᵀ + (f − y)H),

entry by entry: to first order at the iterates, or with each J_k over the whole box of places where a right port may be
after k iterations, where what it varies counts as a further error, so that the sum is a bound. Both take all errors for
independent, and are wider than the tolerance of the formula in `rbo_ref.oracle.truth`, in which they may cancel. A port
that evaluates a formula for f and ∇f, instead of being served correctly rounded values, rounds inside that as well.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from geometry import FunctionGraph
from geometry.arithmetic.formats import Format, handing_over, rounding
from rbo_ref.oracle.dialects import Dialect
from rbo_ref.oracle.replay._functions import Numbers
from rbo_ref.oracle.replay.running import Running, balls, formula_error, rounding_to
from rbo_ref.oracle.replay.surfaces import Surface

__all__ = ["Contact", "Evaluation", "Hypers", "Iteration", "Orbit", "Parts", "Rules", "Sizes", "wider"]

Floats = NDArray[numpy.float64]
Wide = NDArray[Any]  # float64 or longdouble


class Hypers(NamedTuple):
    """The hyper-parameters of n steps, shape (n,)."""

    learning_rate: Floats
    radius: Floats
    projection_rate: Floats
    projection_steps: NDArray[numpy.int64]

    def take(self, some: Any) -> Hypers:
        """Those of some steps."""
        return Hypers(*(numbers[some] for numbers in self))

    def one(self, i: int) -> dict[str, Any]:
        """Those of one step, by name."""
        return {name: numbers[i].item() for name, numbers in self._asdict().items()}


class Evaluation(NamedTuple):
    """The function at n places, and how far a port's evaluation may be from it beyond one correct rounding."""

    value: Wide  # (n,)
    gradient: Wide  # (n, d)
    hessian: Any  # (n, d, d) in float64, or None where it is not known
    e_value: Floats
    e_gradient: Floats


class Contact(NamedTuple):
    """What a step prepares at its θ."""

    at: Evaluation
    candidate: Wide  # (n, d + 1)
    e_candidate: Floats
    e_formula: Floats  # of a port that evaluates the formula

    @property
    def goal(self) -> Wide:
        return self.candidate[:, :-1]


class Iteration(NamedTuple):
    """One inner iteration of n steps."""

    after: Wide  # (n, d)
    gradient: Floats
    jacobian: Any  # (n, d, d), or None without Hessian
    local: Floats  # rounding made here
    formula: Floats  # the same of a port that evaluates the formula


class Parts(NamedTuple):
    """What a candidate is made of, (n, d + 1) each."""

    point: Floats
    normal: Floats
    tangent: Floats
    center: Floats


class Sizes(NamedTuple):
    """Absolute values of what an inner iteration handles, (n, d) or (n, 1) each."""

    slope: Floats
    side: Floats  # θ − x
    level: Floats  # f
    height: Floats  # f − y
    theta: Floats
    goal: Floats  # x


class Orbit(NamedTuple):
    """n steps: where they lead, and how errors made on the way arrive there."""

    theta: Wide  # Φ(θ), (n, d)
    tolerance: Floats  # first order
    doubt: Floats  # of `theta`
    derivative: Floats  # DΦ, (n, d, d)


def wider(target: Format) -> Any:
    """The dtype that steps are taken in."""
    return numpy.float64 if target.unit > 2.0**-30 else numpy.longdouble


class Rules(NamedTuple):
    """By which rules steps were taken: the function, the reading of the paper, the format."""

    surface: Surface | None  # None: values and gradients are recorded
    dialect: Dialect
    target: Format

    @property
    def is_served(self) -> bool:
        """Whether values and gradients come from elsewhere than from a formula that the port evaluates."""
        return self.surface is None or self.surface.is_served

    @property
    def graph(self) -> FunctionGraph:
        """The function."""
        assert self.surface is not None
        return self.surface.graph

    def evaluate(self, theta: Wide) -> Evaluation:
        """The function at places (n, d), with what rounding does to its formula."""
        graph, near = self.graph, theta.astype(numpy.float64)
        value, gradient = graph.value_and_gradient(theta)
        rough, slope = graph.value_and_gradient(balls(near, 0.0, rounding_to(self.target)))
        return Evaluation(value, gradient, graph.hessian(near), rough.parts[1], slope.parts[1])

    def contact(self, theta: Wide, at: Evaluation, hyper: Hypers) -> Contact:
        """Lines 4 and 5 of the algorithm."""
        eta, rho = hyper.learning_rate[:, None], hyper.radius[:, None]
        square = numpy.sum(at.gradient * at.gradient, axis=-1, keepdims=True)
        normal = numpy.concatenate([-at.gradient, numpy.ones_like(square)], axis=-1) / numpy.sqrt(1 + square)
        tangent = numpy.concatenate([at.gradient, square], axis=-1)
        point = numpy.concatenate([theta, at.value[:, None]], axis=-1)
        center = point + rho * normal
        parts = Parts(*(part.astype(numpy.float64) for part in (point, normal, tangent, center)))
        errors = [_candidate_error(parts, hyper, *extra, self.target) for extra in self._extras(at)]
        return Contact(at, center - eta * tangent, *errors)

    def _extras(self, at: Evaluation) -> list[tuple[Floats, Floats]]:
        """Errors of f and ∇f beyond one rounding: of the ports judged, and of those that evaluate the formula."""
        formula = (at.e_value, at.e_gradient)
        return [(0 * at.e_value, 0 * at.e_gradient) if self.is_served else formula, formula]

    def rate(self, hyper: Hypers) -> Floats:
        return (hyper.projection_rate * self.dialect.factor)[:, None]

    def iterate(self, theta: Wide, at: Evaluation, contact: Contact, hyper: Hypers) -> Iteration:
        """One inner iteration."""
        rate, goal, height = self.rate(hyper), contact.goal, (at.value - contact.candidate[:, -1])[:, None]
        after = theta - rate * ((theta - goal) + height * at.gradient)
        gradient, rise = at.gradient.astype(numpy.float64), height.astype(numpy.float64)
        handled = (gradient, theta - goal, at.value[:, None], height, theta, goal)
        sizes = Sizes(*(numpy.abs(x).astype(numpy.float64) for x in handled))
        largest = numpy.maximum(sizes.theta, numpy.abs(after).astype(numpy.float64))
        local = [
            _iteration_error(sizes, e, *extra, rate, self.target) + 2 * rounding(largest, self.target)
            for e, extra in zip((contact.e_candidate, contact.e_formula), self._extras(at), strict=True)
        ]
        jacobian = None if at.hessian is None else _jacobian(gradient, rise, at.hessian, rate)
        return Iteration(after, gradient, jacobian, *local)

    def orbit(self, theta: NDArray[Any], hyper: Hypers) -> Orbit:
        """Steps from recorded places (n, d)."""
        start = theta.astype(wider(self.target))
        contact = self.contact(start, self.evaluate(start), hyper)
        place = start if self.dialect.start == "contact" else contact.goal
        iterations = []
        for k in range(int(hyper.projection_steps.max(initial=0))):
            at = contact.at if k == 0 and self.dialect.start == "contact" else self.evaluate(place)
            iterations.append(_until(hyper.projection_steps > k, place, self.iterate(place, at, contact, hyper)))
            place = iterations[-1].after
        tolerance, formula, derivative = self._arrived(start, contact, iterations, hyper)
        handed = handing_over(start.astype(numpy.float64), place.astype(numpy.float64), self.target)
        ratio = float(numpy.finfo(start.dtype).eps) / 2 / self.target.unit
        return Orbit(place, tolerance + handed, ratio * (formula + handed), derivative)

    def _arrived(
        self, start: Wide, contact: Contact, iterations: list[Iteration], hyper: Hypers
    ) -> tuple[Floats, Floats, Floats]:
        """Σ_k |J_{P−1}⋯J_{k+1}| ℓ_k for the ports judged and for those that evaluate the formula; and DΦ."""
        n, d = start.shape
        across, up = self._candidate_derivative(contact, hyper)
        later = numpy.broadcast_to(numpy.eye(d), (n, d, d))
        tolerance, formula, derivative = numpy.zeros((n, d)), numpy.zeros((n, d)), numpy.zeros((n, d, d))
        for k, iteration in reversed(list(enumerate(iterations))):
            rate = numpy.where(hyper.projection_steps > k, self.rate(hyper)[:, 0], 0.0)[:, None, None]
            tolerance += _applied(numpy.abs(later), iteration.local)
            formula += _applied(numpy.abs(later), iteration.formula)
            derivative += later @ (rate * (across + iteration.gradient[:, :, None] * up[:, None, :]))
            later = later @ iteration.jacobian
        if self.dialect.start == "contact":
            return tolerance, formula, derivative + later
        tolerance += _applied(numpy.abs(later), contact.e_candidate[:, :-1])
        formula += _applied(numpy.abs(later), contact.e_formula[:, :-1])
        return tolerance, formula, derivative + later @ across

    def _candidate_derivative(self, contact: Contact, hyper: Hypers) -> tuple[Floats, Floats]:
        """Of the candidate's parameters, (n, d, d), and of its height, (n, d), by θ."""
        g, h = contact.at.gradient.astype(numpy.float64), contact.at.hessian
        eta, rho = hyper.learning_rate[:, None], hyper.radius[:, None]
        stretch = numpy.sqrt(1 + numpy.sum(g * g, axis=-1))[:, None]
        pull = _applied(h, g)
        bent = h / stretch[..., None] - (g / stretch**3)[:, :, None] * pull[:, None, :]
        across = numpy.eye(g.shape[-1]) - rho[..., None] * bent - eta[..., None] * h
        return across, g - rho * pull / stretch**3 - 2 * eta * pull

    def spread(self, theta: NDArray[Any], hyper: Hypers, inner: Wide | None = None) -> Floats:
        """The tolerance over boxes that hold every right port; of one inner iteration from `inner`, if it is given."""
        start = theta.astype(wider(self.target))
        contact = self.contact(start, self.evaluate(start), hyper)
        n, d = start.shape
        errors = contact.e_candidate if self.is_served else contact.e_formula
        place, radius = (
            (start, numpy.zeros((n, d))) if self.dialect.start == "contact" else (contact.goal, errors[:, :-1])
        )
        steps = hyper.projection_steps
        if inner is not None:
            place, radius, steps = inner, rounding(inner.astype(numpy.float64), self.target), numpy.minimum(steps, 1)
        generators = radius[:, :, None] * numpy.eye(d)
        for k in range(int(steps.max(initial=0))):
            iteration = _until(steps > k, place, self.iterate(place, self.evaluate(place), contact, hyper))
            jacobian, local = self._over_boxes(place, iteration.after, radius, contact, errors, hyper)
            grown = numpy.concatenate([jacobian @ generators, local[:, :, None] * numpy.eye(d)], axis=-1)
            idle = numpy.concatenate([generators, numpy.zeros((n, d, d))], axis=-1)
            generators = numpy.where((steps > k)[:, None, None], grown, idle)
            place, radius = iteration.after, numpy.abs(generators).sum(axis=-1)
        after = place.astype(numpy.float64)
        if inner is not None:
            return radius + rounding(after, self.target)
        return radius + handing_over(start.astype(numpy.float64), after, self.target)

    def _over_boxes(
        self, theta: Wide, after: Wide, radius: Floats, contact: Contact, errors: Floats, hyper: Hypers
    ) -> tuple[Floats, Floats]:
        """Of one inner iteration from anywhere in the boxes: its Jacobian, and what it adds to the error."""
        rate, goal = self.rate(hyper), contact.goal.astype(numpy.float64)
        middle = theta.astype(numpy.float64)
        box = balls(middle, radius + 2.0**-52 * numpy.abs(middle), Running())
        value, gradient = self.graph.value_and_gradient(box)
        rise = value - contact.candidate[:, -1].astype(numpy.float64)
        curved = gradient[:, :, None] * gradient[:, None, :] + rise[:, None, None] * self.graph.hessian(box)
        jacobian = numpy.eye(goal.shape[-1]) - rate[..., None] * (numpy.eye(goal.shape[-1]) + curved)
        e_value, e_gradient = 0 * radius[:, 0], 0 * radius
        if not self.is_served:
            e_value, e_gradient = formula_error(self.graph, box.parts[0], box.parts[1], self.target)
        level, height = _size(value[:, None]), _size(rise[:, None])
        sizes = Sizes(_size(gradient), _size(box - goal), level, height, _size(box), numpy.abs(goal))
        local = _iteration_error(sizes, errors, e_value, e_gradient, rate, self.target)
        largest = numpy.maximum(sizes.theta, numpy.abs(after).astype(numpy.float64))
        return jacobian.parts[0], local + _applied(jacobian.parts[1], radius) + 2 * rounding(largest, self.target)


def _applied(matrix: Floats, vector: Floats) -> Floats:
    """The products of matrices (n, d, d) and vectors (n, d)."""
    return numpy.sum(matrix * vector[:, None, :], axis=-1)


def _size(x: Numbers) -> Floats:
    """The largest absolute values in balls."""
    return numpy.abs(x.parts[0]) + x.parts[1]


def _jacobian(gradient: Floats, rise: Floats, hessian: Floats, rate: Floats) -> Floats:
    """I − γ(I + ggᵀ + (f − y)H)."""
    identity = numpy.eye(gradient.shape[-1])
    curved = identity + gradient[:, :, None] * gradient[:, None, :] + rise[..., None] * hessian
    return identity - rate[..., None] * curved


def _until(active: NDArray[numpy.bool_], place: Wide, iteration: Iteration) -> Iteration:
    """The iteration where it takes place; elsewhere nothing happens."""
    if active.all():
        return iteration
    here = active[:, None]
    jacobian = numpy.where(here[..., None], iteration.jacobian, numpy.eye(place.shape[-1]))
    local, formula = (numpy.where(here, error, 0.0) for error in (iteration.local, iteration.formula))
    return Iteration(numpy.where(here, iteration.after, place), iteration.gradient, jacobian, local, formula)


def _candidate_error(parts: Parts, hyper: Hypers, e_value: Floats, e_gradient: Floats, target: Format) -> Floats:
    """Rounding of the candidate, (n, d + 1): a few operations on each quantity, and a sum of d squares in any order."""
    point, normal, tangent, center = parts
    d = e_gradient.shape[-1]
    eta, rho = hyper.learning_rate[:, None], hyper.radius[:, None]
    square = 1 + tangent[:, -1:]
    relative = (d / 2 + 6) * rounding(square, target) / square
    turned = numpy.sqrt(numpy.sum(e_gradient**2, axis=-1, keepdims=True) / square)  # |dν| ≤ |dg|/W
    e_normal = relative * numpy.abs(normal) + rounding(normal, target) + turned
    steeper = numpy.sum((2 * numpy.abs(tangent[:, :-1]) + e_gradient) * e_gradient, axis=-1, keepdims=True)
    e_tangent = numpy.array([1.0] * d + [d + 3.0]) * rounding(tangent, target)
    e_tangent = e_tangent + numpy.concatenate([e_gradient, steeper], axis=-1)
    lifted = numpy.concatenate([0 * e_gradient, e_value[:, None]], axis=-1)
    e_center = 3 * rounding(point, target) + rho * (e_normal + 3 * rounding(normal, target)) + lifted
    e_center = e_center + _lost(rho, target) * numpy.abs(normal)
    e_step = eta * (e_tangent + 3 * rounding(tangent, target)) + _lost(eta, target) * numpy.abs(tangent)
    return e_center + rounding(center, target) + e_step


def _lost(parameters: Floats, target: Format) -> Floats:
    """How much of hyper-parameters a format may lose beyond rounding: small ones flush, large ones overflow."""
    size = numpy.abs(parameters)
    flushed = numpy.where(size < 2 * target.smallest_normal, size, 0.0)
    return numpy.where(size >= 2.0 ** (target.most - 2), numpy.inf, flushed)


def _iteration_error(
    sizes: Sizes, e_candidate: Floats, e_value: Floats, e_gradient: Floats, rate: Floats, target: Format
) -> Floats:
    """Rounding in one inner iteration, (n, d): of the sides, of the height, of their product, and of the update."""
    slope, side, level, height, theta, goal = sizes
    e_height = 2 * rounding(level, target) + 2 * rounding(height, target) + e_candidate[:, -1:] + e_value[:, None]
    e_across = 3 * rounding(side, target) + rounding(theta, target) + rounding(goal, target)
    e_slope = 2 * rounding(slope, target) + e_gradient
    e_product = slope * e_height + height * e_slope + 3 * rounding(slope * height, target)
    return rate * (e_across + e_candidate[:, :-1] + e_product) + _lost(rate, target) * (side + slope * height)
