"""Laws of walks: n iterates of an optimizer whose hyper-parameters are bound, as by ``functools.partial``.

They hold bit by bit for optimizers that read the gradient and not the height, treat signs alike and draw no numbers:
gradient descent, Adam, NAdam, RMSprop, Lion, SAM, the plain induced metric, and Muon where θ is one row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy
from hypothesis import strategies as st

from rbo_ref.laws.law import Draw, Numbers, Trial, law
from rbo_ref.strategies import Landscape, coordinates, landscapes, planes

__all__: list[str] = []

DOMAIN = "every f and θ; up to 6 iterations; optimizers that read no height, have no handedness, and draw no numbers"
UNDECAYED = f"{DOMAIN}, without decay of the weights"


class _Walk(NamedTuple):
    landscape: Landscape
    theta: Numbers
    iterations: int

    def by(self, trial: Trial, signs: Any = 1.0, lift: float = 0.0, iterations: int | None = None) -> Numbers:
        """All iterates, on f(Rθ) + b for R that flips signs."""
        count = self.iterations if iterations is None else iterations
        evaluate: Callable[[Any], tuple[Any, Any]] = self.landscape.graph.value_and_gradient
        flips = trial.array(numpy.broadcast_to(signs, self.theta.shape))

        def loss(theta: Any) -> tuple[Any, Any]:
            value, gradient = evaluate(flips * theta)
            return value + lift, flips * gradient

        found = trial.answer(loss, flips * trial.array(self.theta), iterations=count, given=self.told())
        trial.same("the number of iterates", len(found), count, 0.0, self.told())
        return found

    def told(self, **further: Any) -> dict[str, Any]:
        return {"f(θ)": self.landscape, "θ": self.theta, "iterations": self.iterations, **further}


def _drawn(draw: Draw, kind: Callable[[], st.SearchStrategy[Landscape]] = landscapes) -> _Walk:
    landscape = draw(kind())
    return _Walk(landscape, numpy.asarray(draw(coordinates(landscape.dimension))), draw(st.integers(1, 6)))


@law("walk", domain=DOMAIN, source="only differences of heights enter")
def walk_lifted(trial: Trial, draw: Draw) -> None:
    """A constant added to the loss changes nothing."""
    walk, by = _drawn(draw), draw(st.sampled_from([1.0, -4.0, 1024.0]))
    trial.same("the walk on f + b", walk.by(trial, lift=by), walk.by(trial), 2 * trial.tolerance, walk.told(b=by))


@law("walk", domain=DOMAIN, source="no sign of a coordinate is preferred")
def walk_reflected(trial: Trial, draw: Draw) -> None:
    """The walk has no handedness: that on f(Rθ) from Rθ is R times that on f, for every R that flips signs."""
    walk = _drawn(draw)
    signs = numpy.asarray([draw(st.sampled_from([-1.0, 1.0])) for _ in walk.theta])
    found = signs * walk.by(trial, signs)
    trial.same("the walk on f(Rθ)", found, walk.by(trial), 2 * trial.tolerance, walk.told(R=signs))


@law("walk", domain=DOMAIN, source="a step knows the past, not the future")
def walk_continued(trial: Trial, draw: Draw) -> None:
    """A longer walk begins as a shorter one, and no walk remembers the one before."""
    walk = _drawn(draw)
    short, long = walk.by(trial), walk.by(trial, iterations=walk.iterations + 3)
    trial.same("the beginning of a longer walk", long[: walk.iterations], short, 2 * trial.tolerance, walk.told())


@law("walk", domain=UNDECAYED, source="no gradient, no step")
def walk_at_rest(trial: Trial, draw: Draw) -> None:
    """On level ground nothing moves."""
    walk = _drawn(draw)
    walk = walk._replace(landscape=walk.landscape.flattened(0.0))
    expected = numpy.broadcast_to(walk.theta, (walk.iterations, *walk.theta.shape))
    trial.same("the walk", walk.by(trial), expected, trial.tolerance, walk.told())


@law("walk", domain=f"affine f with a slope; {UNDECAYED}", source="on a plane the gradient is the same everywhere")
def walk_downhill(trial: Trial, draw: Draw) -> None:
    """On a slope every step leads down: (θ_t − θ_{t−1})·a < 0."""
    walk = _drawn(draw, lambda: planes().filter(lambda plane: plane.slope_bound > 0))
    slope = walk.landscape.graph.gradient(walk.theta)
    climbs = numpy.diff(walk.by(trial), axis=0, prepend=walk.theta[None]) @ slope / numpy.linalg.norm(slope)
    trial.at_most("(θ_t − θ_{t−1})·a", climbs, -1e-300, trial.tolerance, walk.told(a=slope))
