"""Strategies of landscapes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from hypothesis import strategies as st

from rbo_ref.strategies.landscape import PROFILES, Bump, Landscape, Ridge
from rbo_ref.strategies.numbers import coordinates, dimensions, dyadics

__all__ = ["KINDS", "landscapes", "planes"]

KINDS = (*PROFILES, "bump")
TERMS = 3


@st.composite
def landscapes(
    draw: Callable[[st.SearchStrategy[Any]], Any],
    dimension: int | None = None,
    *,
    max_slope: float = math.inf,
    max_curvature: float = math.inf,
    kinds: Sequence[str] = KINDS,
) -> Landscape:
    """Sums of one to three terms: planes, squares, sine ridges, hyperbolas, Gaussian bumps and wells.

    They shrink to one plane of one parameter.

    Parameters
    ----------
    dimension : int, optional
        d; default: one of `dimensions`.
    max_slope : float
        Bound of |∇f| everywhere; a finite one leaves squares out.
    max_curvature : float
        Bound of ‖∇²f‖, and so of the principal curvatures: the reach is at least its inverse.
    kinds : sequence of str
        Which terms to use, the simplest first: "linear", "square", "sine", "hyperbola", "bump".

    Examples
    --------
    >>> from hypothesis import find
    >>> find(landscapes(), lambda landscape: landscape.curvature_bound > 0.5).curvature_bound > 0.5
    True
    """
    wrong = [kind for kind in kinds if kind not in KINDS]
    if wrong or not kinds:
        raise ValueError(f"kinds must be some of {', '.join(KINDS)}, got {', '.join(map(str, wrong)) or 'none'}")
    if not (max_slope > 0 and max_curvature > 0):
        raise ValueError(f"max_slope and max_curvature must be positive, got {max_slope} and {max_curvature}")
    d = draw(dimensions()) if dimension is None else dimension
    usable = [kind for kind in kinds if kind != "square" or max_slope == math.inf]
    terms = st.sampled_from(usable).flatmap(lambda kind: _terms(kind, d))
    count = draw(st.integers(1, TERMS))
    drawn = Landscape(draw(st.tuples(*[terms] * TERMS))[-count:])  # the last ones, so that fewer is always simpler
    excess = max(drawn.slope_bound / max_slope if max_slope < math.inf else 0, drawn.curvature_bound / max_curvature)
    return drawn.flattened(2.0 ** -math.ceil(math.log2(excess))) if excess > 1 else drawn


def planes(dimension: int | None = None) -> st.SearchStrategy[Landscape]:
    """Affine functions.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(planes(2), lambda plane: plane.slope_bound > 0).curvature_bound
    0.0
    """
    return landscapes(dimension, kinds=["linear"])


@cache
def _terms(kind: str, d: int) -> st.SearchStrategy[Ridge | Bump]:
    """Terms, each drawn from the same number of choices whatever its kind and d, so that both shrink freely."""
    amplitude = dyadics(-2, 2).map(lambda a: a or 1.0)
    if kind == "bump":
        width = dyadics(-1, 2).map(lambda exponent: 2.0 ** math.floor(exponent))
        return st.builds(Bump, amplitude, coordinates(d, 4.0), width)
    return st.builds(Ridge, st.just(kind), amplitude, coordinates(d, 2.0, bits=2), dyadics(-4, 4))
