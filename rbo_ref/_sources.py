"""The code that a result depends on: what was computed by other code counts no more."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import geometry
from geometry._version import __version__

__all__ = ["digest_of", "versions"]

SOURCES = ("*.py", "*.cu")


def versions(libraries: Iterable[str], *folders: Path) -> str:
    """Of this package, with a digest of its sources and of those in further folders, and of the libraries.

    Whatever changes in the sources, results of before count no more: nobody has to judge what matters.

    Examples
    --------
    >>> versions(["numpy"]).partition(",")[0]
    'rbo-ref ...'
    """
    ours = Path(geometry.__file__).parent, Path(__file__).parent
    return ", ".join([f"rbo-ref {__version__} {digest_of(*ours, *folders)}", *map(_version, libraries)])


def _version(library: str) -> str:
    try:
        return f"{library} {version(library)}"
    except PackageNotFoundError:
        return f"no {library}"


@cache
def digest_of(*folders: Path) -> str:
    """Of all sources in the folders, and their names."""
    found = sha256()
    for folder in folders:
        for path in sorted(path for pattern in SOURCES for path in folder.rglob(pattern)):
            content = path.read_bytes()
            found.update(f"{folder.name}/{path.relative_to(folder).as_posix()} {len(content)}\n".encode() + content)
    return found.hexdigest()[:16]
