"""The passes of a ball over and under arrays: dilation and erosion, and closing and opening, which are two of them.

Heights are held with the axes that the ball spans last; those before them are a batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy

from geometry._ball import Apex, Ball, ball_on_grid
from geometry._dilation import dilation, extend
from geometry._kernels import kernel
from geometry._lending import lend
from geometry._namespace import (
    Array,
    Namespace,
    array_namespace,
    count_dtype,
    device_of,
    floating,
    holds,
    is_traced,
    quietly,
    whole,
    widest_float,
)
from geometry._profile import ProfileBall, positions, profile_dilation
from geometry._touching import touched_in_plane, touched_on_line

__all__ = ["OnGrid", "Roll", "checked_mask", "either", "refuse", "spanned", "without"]

BOUNDARIES = ("none", "reflect", "periodic")
NAN = ("raise", "omit", "propagate")
Found = tuple[Array, Array | None]
"""Values, and contacts if they are asked for."""


class Rolling(Protocol):
    """A ball, and what it rolls over: samples on a grid, or at positions."""

    @property
    def spans(self) -> int:
        """How many axes it spans."""

    def apex(self) -> Rolling:
        """The ball, known by its apex."""

    def dilation(self, xp: Namespace, heights: Array, contact: bool, workers: int | None) -> Found:
        """Dilation of finite heights and −inf, by the fastest engine for these arrays."""

    def free(self, shape: tuple[int, ...], passes: int) -> list[numpy.ndarray]:
        """Along each axis that it spans, which places the ball does not leave the samples from, in so many passes."""

    def touched(self, f: numpy.ndarray) -> numpy.ndarray:
        """Of heights (batch, spanned), which samples it touches with its centre anywhere over them.

        What is +inf keeps it away and is not touched, what is −inf is missing.
        """


class OnGrid(NamedTuple):
    """A ball over a grid."""

    ball: Ball
    periodic: bool

    @property
    def spans(self) -> int:
        return len(self.ball.spacing)

    def apex(self) -> OnGrid:
        return self._replace(ball=Apex(*self.ball))

    def dilation(self, xp: Namespace, heights: Array, contact: bool, workers: int | None) -> Found:
        batch = (0,) * (heights.ndim - len(self.ball.spacing))
        half = self.ball.half_widths(heights.shape[len(batch) :], self.periodic)
        origin = batch + (half if self.periodic else (0,) * len(half))
        source, cap = extend(xp, heights, origin, None), self.ball.cap(half)
        engine = kernel("dilation", xp) or dilation
        options = {} if engine is dilation else {"workers": workers}
        return engine(source, cap[(None,) * len(batch)], origin, heights.shape, contact=contact, **options)

    def free(self, shape: tuple[int, ...], passes: int) -> list[numpy.ndarray]:
        sizes = shape[len(shape) - len(self.ball.spacing) :]
        half = self.ball.half_widths([n + 1 for n in sizes])
        return [
            (numpy.arange(n) >= passes * m) & (numpy.arange(n)[::-1] >= passes * m)
            for n, m in zip(sizes, half, strict=True)
        ]

    def touched(self, f: numpy.ndarray) -> numpy.ndarray:
        steps, radius = self.ball.spacing, self.ball.radius
        around = [
            math.ceil(min(2 * self.ball.ratio(h), n)) + 1 if self.periodic else 0
            for h, n in zip(steps, f.shape[1:], strict=True)
        ]
        margins, inner = [(0, 0), *((m, m) for m in around)], (..., *(slice(m, -m or None) for m in around))
        wide = numpy.pad(f, margins, mode="wrap")
        if len(steps) == 1:
            places = (numpy.arange(wide.shape[-1]) - around[0]) * steps[0]
            return touched_on_line(wide, places, radius)[inner]
        if len(steps) > 2:
            raise ValueError(f"axes must name one axis or two that the ball spans, got {len(steps)}")
        known = numpy.pad(self._contacts(f), margins, constant_values=True)
        return touched_in_plane(wide, numpy.asarray(steps), radius, known)[inner]

    def _contacts(self, f: numpy.ndarray) -> numpy.ndarray:
        """The samples that are touched by balls over samples, if there are no walls."""
        known = numpy.zeros(f.size + 1, dtype=bool)  # the last for no contact
        if f.size and f.max() < numpy.inf:
            known[self.dilation(array_namespace(f), f, True, None)[1]] = True
        return known[:-1].reshape(f.shape)


class AtPositions(NamedTuple):
    """A ball over samples at positions of a line."""

    ball: ProfileBall

    @property
    def spans(self) -> int:
        return 1

    def apex(self) -> AtPositions:
        return AtPositions(self.ball._replace(apex=True))

    def dilation(self, xp: Namespace, heights: Array, contact: bool, workers: int | None) -> Found:
        engine = kernel("profile_dilation", xp) or profile_dilation
        options = {} if engine is profile_dilation else {"workers": workers}
        return engine(heights, self.ball, contact=contact, **options)

    def free(self, shape: tuple[int, ...], passes: int) -> list[numpy.ndarray]:
        x, far = self.ball.positions, passes * self.ball.radius
        return [(x - x[:1] >= far) & (x[-1:] - x >= far)]

    def touched(self, f: numpy.ndarray) -> numpy.ndarray:
        return touched_on_line(f, self.ball.positions, self.ball.radius)


@dataclass(frozen=True)
class Roll:
    """One ball over and under arrays of one namespace."""

    xp: Namespace
    heights: Array  # (batch, spanned)
    ball: Rolling
    nan: str
    workers: int | None
    order: tuple[int, ...]  # of the axes: the axis of the caller's heights that each is
    back: Callable[[Array], Array]  # to the caller's library

    @classmethod
    def of(
        cls, heights: Array, radius: Any, *, spacing: Any = 1.0, boundary: str = "none", nan: str = "raise",
        axes: Any = None, mask: Any = None, x: Any = None, workers: int | None = None,
    ) -> Roll:  # fmt: skip
        """The arguments of a verb, checked."""
        if boundary not in BOUNDARIES:
            raise ValueError(f"boundary must be one of {BOUNDARIES}, got {boundary!r}")
        if nan not in NAN:
            raise ValueError(f"nan must be one of {NAN}, got {nan!r}")
        workers = None if workers is None else whole("workers", workers, 1)
        heights, nan = without(heights, mask, nan)
        xp, heights = floating("heights", heights)
        if heights.ndim == 0:
            raise ValueError("heights must have at least one dimension")
        across = spanned(axes, heights.ndim)
        ball = _ball(heights, across, radius, spacing, boundary, x)
        (heights,), back = lend(heights)
        xp, order = array_namespace(heights), (*(k for k in range(heights.ndim) if k not in across), *across)
        return cls(xp, _permuted(xp, heights, order), ball, nan, workers, order, back)

    @quietly
    def over(self, heights: Array, contact: bool) -> Found:
        """Dilation."""
        xp = self.xp
        if 0 in heights.shape:
            return self._dilation(heights, contact)
        if is_traced(heights) and not contact and self.nan != "omit":
            return self._dilation(heights, contact)  # all it takes is a sum and a maximum, which keep +inf and NaN
        if not is_traced(heights) and not holds(~(xp.max(heights) < xp.inf)):
            return self._dilation(heights, contact)
        wall, missing = heights == xp.inf, xp.isnan(heights)
        if self.nan == "raise":
            refuse(xp, missing)
        values, contacts = self._dilation(xp.where(wall | missing, -xp.inf, heights), contact)
        values, contacts = self._spread(wall, xp.inf, values, contacts)
        if self.nan == "omit":
            empty = self._dilation(xp.where(missing, -xp.inf, xp.zeros_like(values)), False)[0] == -xp.inf
            return xp.where(empty, xp.nan, values), contacts
        return self._spread(missing, xp.nan, values, contacts)

    def under(self, heights: Array, contact: bool) -> Found:
        """Erosion."""
        values, contacts = self.over(-heights, contact)
        return 0.0 - values, contacts  # unlike −values, without −0.0

    @quietly
    def closed(self, heights: Array, contact: bool) -> Found:
        """Closing. Between the passes the ball is known by its apex, in the widest float: ρ may be large."""
        xp, apex = self.xp, replace(self, ball=self.ball.apex())
        wide = xp.astype(heights, widest_float(xp, heights))
        apexes, carriers = apex.over(wide, contact)
        values, ball = apex.under(apexes, contact)
        low = values <= wide  # by rounding alone
        envelope = xp.astype(xp.where(low, wide, values) + 0.0, heights.dtype)
        if carriers is None or ball is None:
            return envelope, None
        carrier = xp.take(xp.reshape(carriers, (-1,)), xp.reshape(xp.where(ball < 0, 0, ball), (-1,)), axis=0)
        carrier = xp.where(ball < 0, ball, xp.reshape(carrier, ball.shape))
        return envelope, xp.where(low & (carrier >= 0), _flat(xp, carrier), carrier)

    def opened(self, heights: Array, contact: bool) -> Found:
        """Opening."""
        values, contacts = self.closed(-heights, contact)
        return 0.0 - values, contacts

    def reached(self, mask: Array, passes: int) -> Array:
        """Where the ball reaches something of the mask, in so many passes."""
        zeros = self.xp.zeros_like(self.heights)
        for _ in range(passes):
            mask = self._dilation(self.xp.where(mask, zeros, -self.xp.inf), False)[0] > -self.xp.inf
        return mask

    def _spread(self, mask: Array, level: float, values: Array, contacts: Array | None) -> Found:
        """A level that wins wherever the ball reaches the mask."""
        xp = self.xp
        if not is_traced(mask) and not holds(xp.any(mask)):
            return values, contacts
        zeros = xp.zeros_like(values)
        reached, nearest = self._dilation(xp.where(mask, zeros, -xp.inf), contacts is not None)
        won = reached > -xp.inf
        return xp.where(won, level, values), None if contacts is None else xp.where(won, nearest, contacts)

    def _dilation(self, heights: Array, contact: bool) -> Found:
        if 0 in heights.shape:
            xp = self.xp
            nothing = xp.zeros(heights.shape, dtype=count_dtype(xp, heights), device=device_of(heights))
            return heights, nothing if contact else None
        return self.ball.dilation(self.xp, heights, contact, self.workers)

    def answer(self, found: Found, out: Array | None = None) -> Any:
        """The values, in `out` if there is one, and the contacts if there are any, in the caller's order of axes."""
        values, contacts = self.back(self._outward(found[0])), found[1]
        if out is not None:
            values = _into(out, values)
        return values if contacts is None else (values, self.back(self._outward(self._renumbered(contacts))))

    def _outward(self, array: Array) -> Array:
        return _permuted(self.xp, array, tuple(sorted(range(array.ndim), key=self.order.__getitem__)))

    def _renumbered(self, flat: Array) -> Array:
        """Flat indices into the heights as they are held, as those into the caller's."""
        if self.order == tuple(range(flat.ndim)):
            return flat
        xp = self.xp
        own = xp.reshape(self._inward_numbers(flat), (-1,))
        found = xp.reshape(xp.take(own, xp.reshape(xp.where(flat < 0, 0, flat), (-1,)), axis=0), flat.shape)
        return xp.where(flat < 0, flat, found)

    def _inward_numbers(self, like: Array) -> Array:
        """Of each sample that is held, its flat index in the caller's heights."""
        shape = tuple(like.shape[self.order.index(k)] for k in range(like.ndim))
        numbers = self.xp.arange(math.prod(shape), dtype=like.dtype, device=device_of(like))
        return _permuted(self.xp, self.xp.reshape(numbers, shape), self.order)


def spanned(axes: Any, ndim: int) -> tuple[int, ...]:
    """The axes that the ball spans, ascending: all of them by default."""
    if axes is None:
        return tuple(range(ndim))
    numbers = [whole("axes", axis, -ndim) for axis in (axes if isinstance(axes, Sequence) else [axes])]
    if not numbers or max(numbers) >= ndim or len({number % ndim for number in numbers}) < len(numbers):
        raise ValueError(f"axes must be different axes of an array of {ndim} dimensions, got {axes!r}")
    across = [number % ndim for number in numbers]
    if across != sorted(across):
        raise ValueError(f"axes must ascend, as the numbers of radius and spacing belong to them, got {axes!r}")
    return tuple(across)


def without(heights: Array, mask: Any, nan: str) -> tuple[Array, str]:
    """Heights with NaN where they are masked, and what is to be done with NaN.

    Masked samples are left out unless NaN propagates; any other NaN is refused where NaN is.
    """
    if mask is None:
        return heights, nan
    xp, heights = floating("heights", heights)
    mask = checked_mask(xp, xp.asarray(mask, device=device_of(heights)), heights)
    if nan == "raise":
        if is_traced(heights, mask):
            raise ValueError("nan must be 'omit' or 'propagate' for heights with a mask where nothing can be raised")
        refuse(xp, xp.isnan(heights) & ~mask)
    return xp.where(mask, xp.nan, heights), "omit" if nan == "raise" else nan


def either(own: Any, mask: Any) -> Any:
    """What either of two masks holds, each of which may be None."""
    return mask if own is None else own if mask is None else own | numpy.asarray(mask)


def _ball(heights: Array, axes: tuple[int, ...], radius: Any, spacing: Any, boundary: str, x: Any) -> Rolling:
    if x is None:
        return OnGrid(ball_on_grid(radius, spacing, len(axes)), boundary == "periodic")
    if len(axes) != 1:
        raise ValueError(f"x is for a ball that spans one axis, but it spans {len(axes)}; see the argument axes")
    if spacing != 1.0:
        raise ValueError(f"spacing must not be given with x, which holds the positions, got {spacing!r}")
    if boundary == "periodic":
        raise ValueError("boundary must not be 'periodic' with x, which tells no period")
    height, (stretch,) = ball_on_grid(radius, 1.0, 1)
    return AtPositions(ProfileBall(height, positions(x, heights.shape[axes[0]]) * stretch))


def checked_mask(xp: Namespace, mask: Array, heights: Array, name: str = "heights") -> Array:
    """The mask, if it is one of these heights."""
    if mask.dtype != xp.bool or mask.shape != heights.shape:
        raise ValueError(
            f"mask must be an array of bool of the shape of {name}, {tuple(heights.shape)}, "
            f"got {mask.dtype} of shape {tuple(mask.shape)}"
        )
    return mask


def refuse(xp: Namespace, missing: Array) -> None:
    """Raise if anything is missing, where it is known."""
    if is_traced(missing) or not holds(xp.any(missing)):
        return
    try:
        count: Any = int(xp.count_nonzero(missing))
    except RuntimeError:  # within torch.func.vmap
        count = "some"
    raise ValueError(f"heights must not be NaN ({count} of {math.prod(missing.shape)} are); see the argument nan")


def _flat(xp: Namespace, like: Array) -> Array:
    """Of each sample its flat index."""
    return xp.reshape(xp.arange(math.prod(like.shape), dtype=like.dtype, device=device_of(like)), like.shape)


def _permuted(xp: Namespace, array: Array, order: tuple[int, ...]) -> Array:
    return array if order == tuple(range(array.ndim)) else xp.permute_dims(array, order)


def _into(out: Array, values: Array) -> Array:
    """Write into the user's array."""
    wanted = getattr(out, "shape", None), getattr(out, "dtype", None)
    if wanted != (values.shape, values.dtype):
        raise ValueError(
            f"out must have shape {values.shape} and dtype {values.dtype}, got {wanted[0]} and {wanted[1]}"
        )
    out[...] = values
    return out
