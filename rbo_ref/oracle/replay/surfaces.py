"""What a recorded run rolled on: a function of arrays, in every arithmetic that its judge needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy

from geometry import FunctionGraph
from geometry._namespace import Array, Namespace, array_namespace
from rbo_ref.landscapes import LANDSCAPES, by_name
from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.losses import Bumps, Loss, Quadratic, Ridges
from rbo_ref.oracle.replay.certified import CertifiedGraph

__all__ = ["Surface", "as_graph", "surface_of"]

Jet = Callable[[Namespace, Array], tuple[Array, Array, Array]]


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
        If it is none of these, or has no gradient or Hessian of its own.

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
        return Surface(as_graph(loss), loss, True)
    if not isinstance(loss, FunctionGraph):
        raise TypeError(
            "loss must be a landscape, the id of a case, or FunctionGraph(value, gradient, hessian) of functions in "
            f"the array API standard, got {loss!r:.80}; a run on any other function is judged without a loss, from a "
            "recording of its values and gradients"
        )
    if not {"gradient", "hessian"} <= loss.given:
        raise TypeError(f"loss: {loss.name} must come with gradient=... and hessian=..., for tolerances rest on them")
    return Surface(loss, CertifiedGraph(loss), False)


def _named(name: str) -> FunctionGraph | Loss:
    cases = {case.id: case.loss for case in all_cases()}
    if name not in LANDSCAPES and name not in cases:
        known = f"the landscapes {', '.join(LANDSCAPES)} and the cases that `rbo-ref cases` lists"
        raise ValueError(f"loss: nothing is called {name[:60]!r}; there are {known}")
    return by_name(name) if name in LANDSCAPES else cases[name]


# A `Loss` in array functions.


def as_graph(loss: Loss) -> FunctionGraph:
    """The function graph of a loss of the oracle.

    Examples
    --------
    >>> from rbo_ref.oracle.cases import all_cases
    >>> plane = next(case.loss for case in all_cases() if case.id == "plane")
    >>> as_graph(plane).gradient([3.0, -2.0])
    array([ 0.75, -1.  ])
    """
    terms = [TERMS[type(term)](term) for term in loss.terms]

    def both(theta: Array) -> tuple[Array, Array]:
        values, gradients = zip(*(first(array_namespace(theta), theta) for first, _ in terms), strict=True)
        return sum(values[1:], values[0]), sum(gradients[1:], gradients[0])

    def hessian(theta: Array) -> Array:
        parts = [second(array_namespace(theta), theta) for _, second in terms]
        return sum(parts[1:], parts[0])

    return FunctionGraph.from_value_and_gradient(both, hessian=hessian, name="a loss of the oracle")


First = Callable[[Namespace, Array], tuple[Array, Array]]  # value and gradient
Second = Callable[[Namespace, Array], Array]  # Hessian


def _quadratic(term: Quadratic) -> tuple[First, Second]:
    def first(xp: Namespace, theta: Array) -> tuple[Array, Array]:
        curved = _dot(xp, theta[..., None, :], term.matrix)
        return _dot(xp, theta, curved * 0.5 + term.slope) + term.height, curved + term.slope

    return first, lambda xp, theta: xp.zeros_like(theta)[..., None, :] + term.matrix


def _dot(xp: Namespace, a: Array, b: Array) -> Array:
    """The products of vectors (..., d), entry by entry: sums over short axes are slow."""
    return sum((a[..., i] * b[..., i] for i in range(1, a.shape[-1])), a[..., 0] * b[..., 0])


def _sin(xp: Namespace, u: Array) -> tuple[Array, Array, Array]:
    sine = xp.sin(u)
    return sine, xp.cos(u), -sine


def _exp(xp: Namespace, u: Array) -> tuple[Array, Array, Array]:
    e = xp.exp(u)
    return e, e, e


def _softplus(xp: Namespace, u: Array) -> tuple[Array, Array, Array]:
    e = xp.exp(u)
    slope = e / (1 + e)
    return xp.log1p(e), slope, slope / (1 + e)


PROFILES: dict[str, Jet] = {"sin": _sin, "exp": _exp, "softplus": _softplus}


def _ridges(term: Ridges) -> tuple[First, Second]:
    def jets(xp: Namespace, theta: Array) -> tuple[Array, Array, Array]:
        return PROFILES[term.profile](xp, _dot(xp, theta[..., None, :], term.weights) + term.shifts)

    def first(xp: Namespace, theta: Array) -> tuple[Array, Array]:
        value, slope, _ = jets(xp, theta)
        gradient = xp.sum((term.amplitudes * slope)[..., None, :] * term.weights.T, axis=-1)
        return xp.sum(term.amplitudes * value, axis=-1), gradient

    def second(xp: Namespace, theta: Array) -> Array:
        bends = (term.amplitudes * jets(xp, theta)[2])[..., None, :] * term.weights.T
        return _outer(xp, bends, term.weights.T)

    return first, second


def _bumps(term: Bumps) -> tuple[First, Second]:
    def bumps(xp: Namespace, theta: Array) -> tuple[Array, Array]:
        """The height of each bump, (..., K), and the ways from their centers, (..., d, K)."""
        away = theta[..., :, None] - term.centers.T
        square = sum((away[..., i, :] ** 2 for i in range(1, away.shape[-2])), away[..., 0, :] ** 2)
        return term.amplitude * xp.exp(-square / term.square_width), away

    def first(xp: Namespace, theta: Array) -> tuple[Array, Array]:
        bump, away = bumps(xp, theta)
        return xp.sum(bump, axis=-1), -2 * xp.sum(bump[..., None, :] * away, axis=-1) / term.square_width

    def second(xp: Namespace, theta: Array) -> Array:
        bump, away = bumps(xp, theta)
        curved = 2 * _outer(xp, bump[..., None, :] * away, away) / term.square_width
        return 2 * (curved - xp.sum(bump, axis=-1)[..., None, None] * numpy.eye(theta.shape[-1])) / term.square_width

    return first, second


def _outer(xp: Namespace, left: Array, right: Array) -> Array:
    """left rightᵀ of matrices (..., d, K), in the memory of one of them."""
    columns = [xp.sum(left * right[..., i : i + 1, :], axis=-1) for i in range(right.shape[-2])]
    return xp.stack(columns, axis=-1)


TERMS: dict[type, Callable[[Any], tuple[First, Second]]] = {Quadratic: _quadratic, Ridges: _ridges, Bumps: _bumps}
