"""Readings of the paper. Algorithm 1 leaves the projection to "an oracle"; a port has to choose."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DIALECTS", "Dialect", "dialect_of"]


@dataclass(frozen=True)
class Dialect:
    """How the inner loop θ ← θ − γ·factor·½∇|q − p|² is read.

    Attributes
    ----------
    name, description : str
    factor : int
        1: the gradient of half the squared distance; 2: of the squared distance.
    start : "contact" or "candidate"
        Where the inner loop starts: at the contact θ_t, or below the candidate centre c̃_{t+1}.

    Examples
    --------
    >>> DIALECTS["authors"].factor, DIALECTS["authors"].start
    (1, 'contact')
    """

    name: str
    description: str
    factor: int
    start: str


_ALL = (
    Dialect("authors", "half gradient, inner loop from the contact (the authors' code)", 1, "contact"),
    Dialect("half-candidate", "half gradient, inner loop from below the candidate", 1, "candidate"),
    Dialect("full-contact", "full gradient of the squared distance, inner loop from the contact", 2, "contact"),
    Dialect(
        "full-candidate", "full gradient of the squared distance, inner loop from below the candidate", 2, "candidate"
    ),
)

DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in _ALL}


def dialect_of(name: str | Dialect) -> Dialect:
    """The dialect of a name; a `Dialect` is returned as it is."""
    if isinstance(name, Dialect):
        return name
    if name not in DIALECTS:
        raise ValueError(f"dialect must be one of {', '.join(DIALECTS)}, got {name!r}")
    return DIALECTS[name]
