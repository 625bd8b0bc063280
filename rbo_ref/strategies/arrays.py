"""Array libraries, their floating dtypes, and sampled functions."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy
from hypothesis import strategies as st

from geometry._namespace import Array, library
from rbo_ref.strategies.numbers import dyadics, radii

__all__ = ["Samples", "dtypes", "namespaces", "samples"]

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


class Samples(NamedTuple):
    """A sampled function, and the ball that rolls over it."""

    heights: Array  # (n,) or (n, m)
    radius: float
    spacing: float
    boundary: str  # "none" or "periodic"

    def options(self) -> dict[str, Any]:
        """The keyword arguments of the verbs of `geometry.morphology`."""
        return {"spacing": self.spacing, "boundary": self.boundary}


@st.composite
def samples(draw: Callable[[st.SearchStrategy[Any]], Any], *, ndim: int | None = None) -> Samples:
    """Small arrays of heights in one or two dimensions, the ball's radius from a fraction of the spacing to many.

    Examples
    --------
    >>> from hypothesis import find
    >>> found = find(samples(ndim=1), lambda s: s.heights.max() > 2)
    >>> found.heights.ndim, sorted(found.options())
    (1, ['boundary', 'spacing'])
    """
    ndim = draw(st.integers(1, 2)) if ndim is None else ndim
    shape = tuple(draw(st.integers(1, 12 if ndim == 1 else 5)) for _ in range(ndim))
    count = int(numpy.prod(shape))
    heights = draw(st.lists(dyadics(-8, 8), min_size=count, max_size=count))
    radius = draw(radii(above=0.25, below=16.0))
    spacing, boundary = draw(st.sampled_from([1.0, 0.5, 2.0, 0.75])), draw(st.sampled_from(["none", "periodic"]))
    return Samples(numpy.reshape(numpy.asarray(heights), shape), radius, spacing, boundary)
