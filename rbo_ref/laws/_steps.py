"""Examples of steps, and how much rounding a right port may show on them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy
from hypothesis import assume
from hypothesis import strategies as st

from geometry import FunctionGraph
from geometry._namespace import Array, array_namespace, to_numpy
from geometry.arithmetic.batched import WHOLE, Batch
from geometry.arithmetic.formats import coarse, format_of, handing_over
from geometry.arithmetic.rounded import Rounded
from rbo_ref.laws.law import Numbers, Trial
from rbo_ref.oracle.dialects import Hyper
from rbo_ref.oracle.formulas import RollingBallFormula
from rbo_ref.oracle.formulas.evaluation import given
from rbo_ref.strategies import (
    KINDS,
    InnerBounds,
    Landscape,
    coordinates,
    dimensions,
    hyper_parameters,
    inner_bounds,
    landscapes,
    radii,
)

__all__ = ["Case", "cases", "rounding_of", "step", "tried"]

SOLID = 2.0**-8  # rounding above this fraction of 1 + |θ| tells nothing: the example is left out


@dataclass(frozen=True, eq=False)
class Case:
    """A step: the loss, where it starts, the hyper-parameters."""

    landscape: Landscape
    theta: Numbers
    hyper: Hyper
    idle: tuple[float, ...] = ()  # parameters that the loss does not depend on
    unit: float = 0.0  # unit roundoff
    displaced: float = 0.0  # how far from its place θ was rounded
    allowed: float = 0.0  # beside rounding

    @property
    def dimension(self) -> int:
        return len(self.theta)

    def on(self, landscape: Landscape, theta: Any = None) -> Case:
        """The same step on another landscape, from another place."""
        return replace(self, landscape=landscape, theta=self.theta if theta is None else numpy.asarray(theta))

    def with_hyper(self, **changed: Any) -> Case:
        return replace(self, hyper=self.hyper._replace(**changed))

    def widened(self, idle: Sequence[float]) -> Case:
        return replace(self, idle=tuple(idle))

    def told(self, **further: Any) -> dict[str, Any]:
        """For a message."""
        return {"f(θ)": self.landscape, "θ": self.theta, **self.hyper._asdict(), **further}

    # in float64, by the formulas of the paper

    @cached_property
    def gradient(self) -> Numbers:
        return self.landscape.graph.gradient(self.theta)

    @cached_property
    def bounds(self) -> InnerBounds:
        return inner_bounds(self.landscape, self.theta, self.hyper.learning_rate, self.hyper.radius)

    @property
    def candidate(self) -> Numbers:
        return self._rolled[0].middle[:, 0, 0]

    def point(self, theta: Numbers) -> Numbers:
        return self.landscape.graph.point(theta)

    def pull(self, theta: Numbers) -> Numbers:
        """(θ − x) + (f(θ) − y)g(θ), the gradient of half the squared distance to the candidate."""
        value, gradient = self.landscape.graph.value_and_gradient(theta)
        return (theta - self.candidate[:-1]) + (value - self.candidate[-1]) * gradient

    # the rounding of a right port

    @cached_property
    def _batch(self) -> Batch:
        return Batch(coarse(self.unit, format_of("float64")), is_served=False)

    @cached_property
    def _rolled(self) -> tuple[Rounded, Rounded]:
        """The candidate and θ′, with what rounding may do to them in a right port."""
        batch, formula = self._batch, RollingBallFormula()
        start = batch.along(self.theta[None]).doubted(self.displaced)
        formula.told(partial(batch.evaluate, self.landscape), start, given(batch, self.hyper._asdict()))
        candidate = formula.lifted(start)
        return candidate, formula.looped(candidate)

    @property
    def rounding_of_candidate(self) -> float:
        """As a length."""
        return _length(self._rolled[0])

    @cached_property
    def rounding(self) -> float:
        """How far from the truth θ′ of a right port may be."""
        after = self._rolled[1]
        handed = handing_over(self.theta, after.middle[:, 0, 0], self._batch.target)
        return _length(after.doubted(handed[:, None, None])) + self.allowed


def _length(numbers: Rounded) -> float:
    """Of the largest errors of a vector."""
    return float(numpy.linalg.norm(numbers.radius[:, WHOLE]))


@st.composite
def cases(
    draw: Callable[[st.SearchStrategy[Any]], Any],
    *,
    kinds: Sequence[str] = KINDS,
    regime: str = "stable",
    dimension: int | None = None,
    min_dimension: int = 1,
    max_curvature: float = math.inf,
    learning_rates: st.SearchStrategy[float] | None = None,
    radii: st.SearchStrategy[float] = radii(below=16.0),  # noqa: B008
    max_steps: int = 8,
) -> Case:
    """Steps on landscapes."""
    d = draw(dimensions(min_dimension)) if dimension is None else dimension
    landscape = draw(landscapes(d, kinds=kinds, max_curvature=max_curvature))
    theta = numpy.asarray(draw(coordinates(d)))
    hypers = hyper_parameters(
        landscape, theta, regime=regime, learning_rates=learning_rates, radii=radii, max_steps=max_steps
    )
    return Case(landscape, theta, draw(hypers))


def tried(trial: Trial, case: Case, *, displaced: bool = False) -> Case:
    """The case in the precision on trial; left out where rounding could be mistaken for a wrong step."""
    away = trial.unit * float(numpy.linalg.norm(case.theta)) if displaced else 0.0
    case = replace(case, unit=trial.unit, displaced=away, allowed=trial.tolerance)
    with numpy.errstate(all="ignore"):
        assume(case.rounding <= SOLID * (1 + numpy.linalg.norm(case.theta)))
    return case


def rounding_of(trial: Trial, numbers: Sequence[float]) -> float:
    """Of numbers that are carried through a step and should not change."""
    return 16 * trial.unit * math.hypot(*numbers)


def step(trial: Trial, case: Case) -> Numbers:
    """θ′ by the implementation on trial."""
    graph = _widened(case.landscape.graph, case.dimension) if case.idle else case.landscape.graph
    theta = trial.array([*case.theta, *case.idle])
    found = trial.answer(graph.value_and_gradient, theta, of="theta", given=case.told(), **case.hyper._asdict())
    trial.same("θ after the step", to_numpy(theta), [*case.theta, *case.idle], 0.0, case.told())
    return found


def _widened(graph: FunctionGraph, d: int) -> FunctionGraph:
    """A graph over further parameters, on which it does not depend."""

    def value_and_gradient(theta: Array) -> tuple[Array, Array]:
        xp = array_namespace(theta)
        value, gradient = graph.value_and_gradient(theta[..., :d])
        return value, xp.concat([gradient, xp.zeros_like(theta[..., d:])], axis=-1)

    return FunctionGraph.from_value_and_gradient(value_and_gradient)
