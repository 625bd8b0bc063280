"""The formats that a step is taken in."""

from __future__ import annotations

from dataclasses import dataclass

from geometry.arithmetic.formats import Format, coarser

__all__ = ["Formats"]


@dataclass(frozen=True)
class Formats:
    """The formats that a step is taken in.

    Attributes
    ----------
    target : Format
        Of θ.
    compute : Format, optional
        In which a port declares to compute, if it is another one.
    inner : Format, optional
        Of the line that ports in mixed precision compute in another one.

    Examples
    --------
    >>> from geometry.arithmetic.formats import format_of
    >>> formats = Formats(format_of("float64"), format_of("float32"))
    >>> formats.inside.name, formats.coarsest.name
    ('float32', 'float32')
    """

    target: Format
    compute: Format | None = None
    inner: Format | None = None

    @property
    def inside(self) -> Format:
        """The format that the port computes in."""
        return self.compute or self.target

    @property
    def coarsest(self) -> Format:
        """Of the formats of θ and of the computation the one of fewer bits."""
        return coarser(self.target, self.inside)
