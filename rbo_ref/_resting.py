"""Extremes of the offset function of a function of one variable, for balls of any size: where a ball rests is sought.

A ball rests on the point s of the graph for which f(s) + √(ρ² − (s − θ)²) is greatest. What any s gives is a lower
bound of f_ρ(θ), and so are all heights here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy
from numpy.typing import NDArray

from geometry import FunctionGraph, offset_function

__all__ = ["Seen", "highest", "lowest", "raised", "values"]

Numbers = NDArray[numpy.float64]
AT_ONCE = 2**12  # points to evaluate a function at in one call
FINE, HILLS = 2**16 + 1, 16  # samples of where a ball may rest, and how many of their maxima are climbed
ROUNDS, POINTS = 16, 9  # of the search around a sample, down to 4⁻¹⁶ of the spacing


class Seen(NamedTuple):
    """What samples show of the lowest place of f_ρ."""

    theta: float
    height: float  # f_ρ there
    contacts: Numbers  # (k,): on what the ball rests there and nearby
    top: float  # the greatest value of f
    step: float  # the spacing of the samples


def values(surface: FunctionGraph, theta: Numbers) -> Numbers:
    """f at points (..., d), a few at a time."""
    flat = theta.reshape(-1, theta.shape[-1])
    parts = [surface.value(flat[i : i + AT_ONCE]) for i in range(0, len(flat), AT_ONCE)]
    return numpy.concatenate([numpy.empty(0), *parts]).reshape(theta.shape[:-1])


def _heights(surface: FunctionGraph, theta: Numbers, radius: Numbers, contact: Numbers) -> Numbers:
    """Height of the centre over θ of the ball that touches the graph at a contact; −inf where it cannot."""
    theta, radius, contact = numpy.broadcast_arrays(theta, radius, contact)
    away = numpy.abs(contact - theta)
    f = values(surface, contact[..., None])
    touches = (away <= radius) & ~numpy.isnan(f)
    return numpy.where(touches, f + numpy.sqrt(numpy.abs((radius - away) * (radius + away))), -numpy.inf)


def _hills(samples: Numbers, heights: Numbers) -> Numbers:
    """The highest of the samples that no neighbour exceeds, (HILLS,); some several times if there are fewer."""
    padded = numpy.concatenate([[-numpy.inf], heights, [-numpy.inf]])
    peaks = numpy.flatnonzero((heights >= padded[:-2]) & (heights >= padded[2:]))
    return numpy.resize(samples[peaks[numpy.argsort(-heights[peaks], kind="stable")[:HILLS]]], HILLS)


def _climbed(height: Callable[[Numbers], Numbers], place: Numbers, reach: Numbers) -> Numbers:
    """Places (...), moved within their reach to where the height is greatest."""
    for _ in range(ROUNDS):
        near = place[..., None] + reach[..., None] * numpy.linspace(-1, 1, POINTS)
        place = numpy.take_along_axis(near, numpy.argmax(height(near), axis=-1)[..., None], axis=-1)[..., 0]
        reach = reach * 2 / (POINTS - 1)
    return place


def _found(surface: FunctionGraph, radius: float, seen: Seen) -> tuple[Numbers, Numbers]:
    """Contacts of the ball over a place, (k,), and how far around each of them nothing was seen."""
    gap = min(max(radius - (seen.height - seen.top), 0.0), radius) if numpy.isfinite(seen.top) else radius
    wide = min(numpy.sqrt(gap * (2 * radius - gap)) + 2 * seen.step, radius)  # no contact farther away is as high
    samples = seen.theta + wide * numpy.linspace(-1, 1, FINE)
    hills = _hills(samples, _heights(surface, numpy.asarray(seen.theta), numpy.asarray(radius), samples))
    contacts = numpy.concatenate([hills, seen.contacts])
    reach = numpy.concatenate([numpy.full(HILLS, 2 * wide / (FINE - 1)), numpy.full(len(seen.contacts), seen.step)])
    return contacts, reach


def _all_found(surface: FunctionGraph, radius: Numbers, seen: list[Seen]) -> Numbers:
    """Contacts (n, k), to full precision, of balls over the places."""
    contacts, reach = (numpy.stack(a) for a in zip(*map(_found, [surface] * len(seen), radius, seen), strict=True))
    theta = numpy.asarray([one.theta for one in seen])[:, None, None]
    return _climbed(lambda near: _heights(surface, theta, radius[:, None, None], near), contacts, reach)


def raised(surface: FunctionGraph, radius: float, theta: Numbers, heights: Numbers, margin: float) -> Numbers:
    """f_ρ at samples, at least what the balls have that rest on the highest hills within a margin around them."""
    samples = numpy.linspace(theta[0] - margin, theta[-1] + margin, FINE)

    def top(place: Numbers) -> Numbers:
        f = values(surface, place[..., None])
        return numpy.where(numpy.isnan(f), -numpy.inf, f)

    hills = _hills(samples, top(samples))
    hills = _climbed(top, hills, numpy.full_like(hills, samples[1] - samples[0]))
    rests = _heights(surface, theta[:, None], numpy.asarray(radius), hills)
    return numpy.where(numpy.isnan(heights), heights, numpy.maximum(heights, rests.max(axis=1)))


def lowest(
    surface: FunctionGraph, radius: Numbers, seen: list[Seen], low: float, high: float
) -> tuple[Numbers, Numbers]:
    """The least f_ρ that is found around the places seen, and where: each (n,)."""
    theta, step = (numpy.asarray([getattr(one, name) for one in seen]) for name in ("theta", "step"))
    contact, height = _all_found(surface, radius, seen), numpy.asarray([one.height for one in seen])
    offsets, reach = numpy.linspace(-1, 1, POINTS), step
    for _ in range(ROUNDS):
        places = numpy.clip(theta[:, None] + reach[:, None] * offsets, low, high)
        near = contact[:, :, None] + 2 * reach[:, None, None] * offsets
        rests = _heights(surface, places[:, :, None, None], radius[:, None, None, None], near[:, None])
        heights = numpy.fmax(rests.max(axis=(2, 3)), offset_function(surface, places[..., None], radius[:, None]))
        best = numpy.argmin(numpy.where(numpy.isfinite(heights), heights, numpy.inf), axis=1)
        item = numpy.arange(len(radius))
        height, theta, at_best = heights[item, best], places[item, best], rests[item, best]
        contact = numpy.take_along_axis(near, numpy.argmax(at_best, axis=-1)[..., None], axis=-1)[..., 0]
        reach = reach * 2 / (POINTS - 1)
    return height, theta


def highest(
    surface: FunctionGraph, radius: Numbers, ends: list[list[Seen]], low: float, high: float
) -> tuple[Numbers, Numbers]:
    """The greatest f_ρ over [low, high], and where: each (n,). `ends` is what samples show of f_ρ at low, and at high.

    A contact in the box is highest for the ball straight above it, one outside for that over the nearer end of the box.
    """
    samples = numpy.linspace(low, high, FINE)

    def top(theta: Numbers) -> Numbers:
        f = values(surface, theta[..., None])
        return numpy.where(numpy.isnan(f) | (theta < low) | (theta > high), -numpy.inf, f)

    hills = _hills(samples, top(samples))
    hills = _climbed(top, hills, numpy.full_like(hills, (high - low) / (FINE - 1)))
    tops = top(hills)
    height, theta = tops.max() + radius, numpy.full_like(radius, hills[tops.argmax()])
    for seen in ends:
        end = numpy.full((len(radius), 1), seen[0].theta)
        rests = _heights(surface, end, radius[:, None], _all_found(surface, radius, seen)).max(axis=1)
        edge = numpy.fmax(rests, offset_function(surface, end, radius))
        height, theta = numpy.where(edge > height, edge, height), numpy.where(edge > height, end[:, 0], theta)
    return numpy.where(height == -numpy.inf, numpy.nan, height), theta
