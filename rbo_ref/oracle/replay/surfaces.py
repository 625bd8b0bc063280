"""What a recorded run rolled on: a function in every arithmetic that its judge needs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from numpy.typing import NDArray

from geometry import FunctionGraph
from geometry._namespace import Array, Namespace
from geometry.expressions import Expression
from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.losses import Loss, Pair, Vector

if TYPE_CHECKING:
    from flint import arb

__all__ = ["GraphLoss", "Surface", "surface_of"]


@dataclass(frozen=True)
class GraphLoss:
    """A function graph as a loss of the oracle, see `rbo_ref.oracle.losses.Loss`: by what it was recorded to do."""

    graph: FunctionGraph

    def first(self, theta: Array, xp: Namespace) -> Pair:
        """f and ∇f at places (..., d)."""
        value, gradient = _written(self.graph, theta.shape[-1]).parts(xp, theta, "node", "slope")
        return value, gradient

    def second(self, theta: Array, xp: Namespace) -> Array:
        """∇²f, (..., d, d)."""
        return self.graph.expression(theta.shape[-1]).parts(xp, theta, "curvature")[0]

    def value_and_gradient(self, theta: Vector) -> tuple[arb, Vector]:
        """f(θ) and ∇f(θ), enclosed."""
        value, gradient = self.graph.expression(len(theta)).balls(theta, order=1)
        return value.item(), list(gradient)

    def hessian(self, theta: Vector) -> NDArray[Any]:
        """∇²f(θ), (d, d), enclosed."""
        hessian: NDArray[Any] = self.graph.expression(len(theta)).balls(theta)[2]
        return hessian


@lru_cache(maxsize=64)
def _written(graph: FunctionGraph, d: int) -> Expression:
    """The function, with ∇f as the port is taken to evaluate it."""
    return graph.expression(d, written=True)


class Surface(NamedTuple):
    """A function with its gradient and Hessian."""

    graph: FunctionGraph
    loss: Any  # a `Loss` or a `GraphLoss`
    is_served: bool  # whether ports are given its values correctly rounded; else they evaluate the formula in floats


def surface_of(loss: Any) -> Surface:
    """The surface of a landscape or its name, of the id of a case, of a `Loss`, or of a function graph.

    Raises
    ------
    TypeError, ValueError
        If it is none of these.

    Examples
    --------
    >>> surface_of("wrinkled")
    Surface(graph=wrinkled(), loss=..., is_served=False)
    >>> surface_of("eq14-valley").is_served
    True
    """
    if isinstance(loss, str):
        loss = _named(loss)
    if isinstance(loss, Loss):
        return Surface(loss.graph, loss, True)
    if not isinstance(loss, FunctionGraph):
        raise TypeError(
            "loss must be a landscape, the id of a case, or FunctionGraph(value) of a function in "
            f"the array API standard, got {loss!r:.80}; a run on any other function is judged without a loss, from a "
            "recording of its values and gradients"
        )
    return Surface(loss, GraphLoss(loss), False)


def _named(name: str) -> FunctionGraph | Loss:
    from rbo_ref.landscapes import LANDSCAPES, by_name

    cases = {case.id: case.loss for case in all_cases()}
    if name not in LANDSCAPES and name not in cases:
        known = f"the landscapes {', '.join(LANDSCAPES)} and the cases that `rbo-ref cases` lists"
        raise ValueError(f"loss: nothing is called {name[:60]!r}; there are {known}")
    return by_name(name) if name in LANDSCAPES else cases[name]
