"""What a recorded run rolled on: a function of arrays, in every arithmetic that its judge needs."""

from __future__ import annotations

from typing import Any, NamedTuple

from geometry import FunctionGraph
from rbo_ref.landscapes import LANDSCAPES, by_name
from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.losses import Loss
from rbo_ref.oracle.replay.certified import CertifiedGraph

__all__ = ["Surface", "surface_of"]


class Surface(NamedTuple):
    """A function with its gradient and Hessian."""

    graph: FunctionGraph  # for arrays of floats and of balls
    loss: Any  # in the balls of python-flint: a `Loss` or a `CertifiedGraph`
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
    Surface(graph=<FunctionGraph of wrinkled>, loss=..., is_served=False)
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
    return Surface(loss, CertifiedGraph(loss), False)


def _named(name: str) -> FunctionGraph | Loss:
    cases = {case.id: case.loss for case in all_cases()}
    if name not in LANDSCAPES and name not in cases:
        known = f"the landscapes {', '.join(LANDSCAPES)} and the cases that `rbo-ref cases` lists"
        raise ValueError(f"loss: nothing is called {name[:60]!r}; there are {known}")
    return by_name(name) if name in LANDSCAPES else cases[name]
