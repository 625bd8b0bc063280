"""The border of the verbs: arguments on their way in, answers on their way out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from geometry._namespace import Array, Namespace, device_of, epsilon, floating, positive, to_numpy, whole
from geometry.certified._batches import Report
from geometry.certified._branching import gap
from geometry.certified.enclosure import Enclosure

__all__ = ["Home", "checked", "numbers", "sides"]


def checked(tolerance: float, max_boxes: int, progress: bool | Report) -> dict[str, Any]:
    """The options of a search."""
    positive("tolerance", tolerance, zero=True)
    whole("max_boxes", max_boxes, least=1)
    return {
        "tolerance": float(tolerance),
        "max_boxes": max_boxes,
        "progress": progress if callable(progress) else bool(progress),
    }


def numbers(name: str, array: Array) -> tuple[Home, numpy.ndarray]:
    """Where an array comes from, and its numbers, which are floats of 64 bits."""
    xp, array = floating(name, array)
    return Home(xp, array), to_numpy(array).astype(float)


def sides(box: Sequence[tuple[float, float]] | Array) -> tuple[Home, tuple[numpy.ndarray, numpy.ndarray]]:
    """Where a box comes from, and its ends (d,)."""
    home, ends = numbers("box", box)
    if ends.ndim != 2 or ends.shape[1] != 2 or not len(ends):
        raise ValueError(f"box must be a sequence of (low, high), one for each dimension, got shape {ends.shape}")
    if not (numpy.isfinite(ends).all() and (ends[:, 0] < ends[:, 1]).all()):
        raise ValueError(f"box must have finite low < high, got {box}")
    return home, (ends[:, 0], ends[:, 1])


class Home:
    """Where the arrays of a question live: answers return to their library, device and dtype, rounded outward."""

    def __init__(self, xp: Namespace, like: Array) -> None:
        self.xp, self.dtype, self.device = xp, like.dtype, device_of(like)

    def count(self, numbers: Any) -> Array:
        """Whole numbers and truth values."""
        return self.xp.asarray(numpy.asarray(numbers), device=self.device)

    def nearest(self, numbers: Any) -> Array:
        """Numbers that prove nothing."""
        with numpy.errstate(over="ignore"):
            return self.xp.asarray(numpy.asarray(numbers), dtype=self.dtype, device=self.device)

    def down(self, numbers: Any) -> Array:
        """Lower bounds: further down by one unit in the last place of a narrower dtype, before they are rounded."""
        return self.nearest(self._moved(numbers, -1.0))

    def up(self, numbers: Any) -> Array:
        """Upper bounds."""
        return self.nearest(self._moved(numbers, 1.0))

    def _moved(self, numbers: Any, direction: float) -> numpy.ndarray:
        numbers, kind = numpy.asarray(numbers), self.xp.finfo(self.dtype)
        if kind.bits >= 64:
            return numbers
        size = numpy.abs(numbers) * epsilon(self.xp, self.dtype) + float(kind.smallest_normal)
        with numpy.errstate(invalid="ignore"):
            moved = numpy.where(numbers == 0, 0.0, numbers + direction * size)
        kept = numpy.minimum(moved, float(kind.max)) if direction < 0 else numpy.maximum(moved, -float(kind.max))
        return numpy.where(numpy.isfinite(numbers), kept, numbers)

    def enclosure(self, found: Any, tolerance: float, batch: tuple[int, ...], side: str | None = None) -> Enclosure:
        """Of a `Solution`."""
        lower, upper = (part.reshape(batch) for part in (found.lower, found.upper))
        ends = self.down(lower), self.up(upper)
        width = gap(*(to_numpy(end).astype(float) for end in ends))
        theta = found.theta.reshape(*batch, found.theta.shape[-1])
        closed, boxes = self.count(width <= tolerance), self.count(found.boxes.reshape(batch))
        return Enclosure(*ends, closed, boxes, self.nearest(theta), side)
