"""The code that the outcome of a run depends on."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import geometry
import rbo_ref
from geometry._version import __version__

__all__ = ["versions"]

SOURCES = ("*.py", "*.cu")


def versions(model: str) -> str:
    """Of this package, with a digest of its sources, and of the libraries that compute for it.

    Whatever changes in the sources, records of runs before count no more: nobody has to judge what matters.

    Examples
    --------
    >>> versions("mlp").partition(",")[0]
    'rbo-ref ...'
    """
    libraries = ("numpy", "scipy", *(() if model == "mlp" else ("torch",)))
    return ", ".join([f"rbo-ref {__version__} {_digest()}", *(f"{name} {version(name)}" for name in libraries)])


@cache
def _digest() -> str:
    """Of all sources of both packages and of this one, and their names."""
    folders = [Path(geometry.__file__).parent, Path(rbo_ref.__file__).parent, Path(__file__).parent]
    found = sha256()
    for folder in folders:
        for path in sorted(path for pattern in SOURCES for path in folder.rglob(pattern)):
            content = path.read_bytes()
            found.update(f"{folder.name}/{path.relative_to(folder).as_posix()} {len(content)}\n".encode() + content)
    return found.hexdigest()[:16]
