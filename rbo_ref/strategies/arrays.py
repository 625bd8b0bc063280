"""Array libraries, their floating dtypes, and sampled functions."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy
from hypothesis import strategies as st

from geometry._namespace import Array, library
from rbo_ref.strategies.numbers import dyadics, radii

__all__ = ["Samples", "batch_shapes", "dtypes", "heights", "namespaces", "samples"]

LIBRARIES = {
    "numpy": "array_api_compat.numpy",
    "array_api_strict": "array_api_strict",
    "torch": "array_api_compat.torch",
    "jax": "jax.numpy",
}
DTYPES = ("float64", "float32", "float16", "bfloat16")


def namespaces() -> st.SearchStrategy[Any]:
    """The array libraries that are installed, as namespaces of the array API standard; they shrink to NumPy.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(namespaces(), lambda xp: "numpy" in xp.__name__).__name__
    'array_api_compat.numpy'
    """
    present = [module for name, module in LIBRARIES.items() if find_spec(name)]
    return st.sampled_from(present).map(import_module)


def dtypes(xp: Any = numpy) -> st.SearchStrategy[str]:
    """Names of the floating dtypes that a library has, of float64, float32, float16 and bfloat16.

    JAX has float64 only while 64-bit numbers are switched on.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(dtypes(), lambda dtype: dtype.endswith("32"))
    'float32'
    """
    present = [dtype for dtype in DTYPES if _has(xp, dtype)]
    if not present:
        raise ValueError(f"{library(xp)} has none of the dtypes {', '.join(DTYPES)}")
    return st.sampled_from(present)


def _has(xp: Any, dtype: str) -> bool:
    if not hasattr(xp, dtype):
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # JAX says that it narrows
        return str(xp.asarray([1.0], dtype=getattr(xp, dtype)).dtype).endswith(dtype)


def batch_shapes() -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes of batches: of one and of several axes, of no item and of more than blocks hold.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(batch_shapes(), lambda shape: len(shape) > 1)
    (2, 3)
    """
    return st.sampled_from([(3,), (1,), (2, 3), (0,), (70,), (2, 1, 3)])


class Samples(NamedTuple):
    """A sampled function, and the ball that rolls over it."""

    heights: Array  # (n,), (n, m) or (n, m, k)
    radius: float
    spacing: float | tuple[float, ...]  # of all axes, or of each
    boundary: str  # "none" or "periodic"

    @property
    def steps(self) -> numpy.ndarray:
        """The spacing of each axis."""
        return numpy.broadcast_to(self.spacing, self.heights.ndim)

    def scaled(self, factor: float) -> Samples:
        """All lengths multiplied."""
        spacing = numpy.multiply(factor, self.spacing).tolist()
        spacing = tuple(spacing) if isinstance(spacing, list) else spacing
        return Samples(factor * self.heights, factor * self.radius, spacing, self.boundary)

    def options(self) -> dict[str, Any]:
        """The keyword arguments of the verbs of `geometry.morphology`."""
        return {"spacing": self.spacing, "boundary": self.boundary}


FEW = 25  # heights that are drawn one by one, so that each shrinks by itself
SHORT = {1: 12, 2: 5, 3: 3}
LONG: dict[int, list[tuple[int, ...]]] = {  # beyond the blocks of 8, 16, 32 and 64 samples that implementations work in
    1: [(130,), (65,), (33,), (17,)],
    2: [(9, 17), (65, 3), (3, 65), (33, 2)],
    3: [(9, 2, 3), (2, 3, 17), (3, 33, 2), (65, 2, 1)],
}


@st.composite
def heights(draw: Callable[[st.SearchStrategy[Any]], Any], shape: Sequence[int]) -> Array:
    """Arrays of dyadic fractions between −8 and 8: few are drawn one by one, many at random from a seed that is drawn.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(heights((2, 2)), lambda f: f[1, 1] > 0).tolist()
    [[0.0, 0.0], [0.0, 1.0]]
    """
    count = math.prod(shape)
    if count > FEW:
        return numpy.random.default_rng(draw(st.integers(0, 2**16))).integers(-128, 129, shape) / 16
    return numpy.reshape(numpy.asarray(draw(st.tuples(*[dyadics(-8, 8)] * count)), dtype=float), shape)


@st.composite
def samples(
    draw: Callable[[st.SearchStrategy[Any]], Any], *, ndim: int | None = None, hole: float | None = None
) -> Samples:
    """Sampled functions in one to three dimensions, of few samples and of many, and a ball from less than the spacing
    to many times it.

    Parameters
    ----------
    ndim : int, optional
        Default: 1 to 3.
    hole : float, optional
        What some samples are instead, that are missing: NaN, or −inf, or inf.

    Examples
    --------
    >>> from hypothesis import find
    >>> found = find(samples(ndim=2), lambda s: s.heights.size > 1)
    >>> found.heights.ndim, sorted(found.options())
    (2, ['boundary', 'spacing'])
    """
    ndim = draw(st.integers(1, 3)) if ndim is None else ndim
    short = st.tuples(*[st.integers(1, SHORT[ndim])] * ndim)
    found = draw(heights(draw(short | st.sampled_from(LONG[ndim]))))
    if hole is not None:
        places = draw(st.lists(st.integers(0, found.size - 1), max_size=12))
        found[numpy.unravel_index(numpy.asarray(places, dtype=int), found.shape)] = hole
    radius = draw(radii(above=0.25, below=16.0))
    each = st.sampled_from([1.0, 0.5, 2.0, 0.75])
    spacing = draw(each if ndim == 1 else each | st.tuples(*[each] * ndim))
    return Samples(found, radius, spacing, draw(st.sampled_from(["none", "periodic"])))
