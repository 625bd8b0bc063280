"""The code that the outcome of a run depends on."""

from __future__ import annotations

from pathlib import Path

from rbo_ref import _sources

__all__ = ["versions"]


def versions(model: str) -> str:
    """Of the packages and of this one, with a digest of their sources, and of the libraries that compute for a model.

    Examples
    --------
    >>> versions("mlp").partition(",")[0]
    'rbo-ref ...'
    """
    libraries = ("numpy", "scipy", *(() if model == "mlp" else ("torch",)))
    return _sources.versions(libraries, Path(__file__).parent)
