"""What edited lines call: norms, bounds, and what remembers. Each takes the port first, in any arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.parts import joined, split

__all__ = [
    "at_least",
    "at_most",
    "averaged",
    "best_iterate",
    "between",
    "clipped",
    "displaced",
    "for_each_coordinate",
    "for_each_tensor",
    "gathered",
    "gathered_ahead",
    "heard_before",
    "height_first",
    "in_turn",
    "kept",
    "kept_first",
    "largest",
    "late",
    "length",
    "mean_iterate",
    "mean_so_far",
    "mean_square",
    "moved",
    "not_below",
    "of_first_tensor",
    "on_graph",
    "rounded_to",
    "size",
    "still_if_short",
    "sum_of_sizes",
    "to_distance",
    "unit",
    "unless_farther",
]

DECIDING = frozenset({"best_iterate", "unless_farther"})  # the last bits of the loss decide what they do
HEARING = frozenset({"best_iterate", "heard_before", "mean_iterate"})  # they use earlier evaluations of the loss,
MEMORIES = frozenset({"late", "kept_first", "kept", "mean_so_far", "gathered", "averaged", "gathered_ahead"})  # others


def length(port: Any, x: Array) -> Array:
    """|x|."""
    return port.xp.sqrt(port.xp.sum(x * x))


def sum_of_sizes(port: Any, x: Array) -> Array:
    """Σ|xᵢ|."""
    return port.xp.sum(port.xp.abs(x))


def largest(port: Any, x: Array) -> Array:
    """max |xᵢ|."""
    return port.xp.max(port.xp.abs(x))


def mean_square(port: Any, x: Array) -> Array:
    """mean xᵢ²."""
    return port.xp.mean(x * x)


def size(port: Any, x: Array) -> float:
    """How many entries there are."""
    count = 1
    for entries in x.shape:
        count *= entries
    return float(count)


def unit(port: Any, x: Array) -> Array:
    """x/|x|."""
    return x / length(port, x)


def to_distance(port: Any, x: Array, distance: Any) -> Array:
    """x, shorter by so much."""
    return x * (1 - distance / length(port, x))


def clipped(port: Any, x: Array, limit: float) -> Array:
    """x, no longer than a limit."""
    long = length(port, x)
    return x * (limit / port.xp.maximum(long, limit + 0 * long))


def between(port: Any, x: Array, limit: float) -> Array:
    """The entries of x, no larger than a limit on either side."""
    return port.xp.minimum(port.xp.maximum(x, 0 * x - limit), 0 * x + limit)


def not_below(port: Any, x: Array, limit: float) -> Array:
    """The entries of x, no smaller than a limit."""
    return port.xp.maximum(x, 0 * x + limit)


def at_most(port: Any, x: Any, limit: float) -> Any:
    """A number, no larger than a limit, in any arithmetic."""
    if isinstance(limit, float):
        return min(x, limit) if isinstance(x, float) else x.minimum(limit)
    return limit.minimum(x)


def at_least(port: Any, x: Any, limit: float) -> Any:
    """A number, no smaller than a limit, in any arithmetic."""
    if isinstance(limit, float):
        return max(x, limit) if isinstance(x, float) else x.maximum(limit)
    return limit.maximum(x)


def height_first(port: Any, vector: Array, number: Array) -> Array:
    """The height before the vector."""
    return port.xp.concat([port.xp.reshape(number, (1,)), vector])


def displaced(port: Any, new: Array, old: Array) -> Array:
    """The move alone."""
    return new - old


def moved(port: Any, new: Array, old: Array, share: Any) -> Array:
    """A share of the move."""
    return old + share * (new - old)


def rounded_to(port: Any, x: Array, digits: float) -> Array:
    """Decimals."""
    return port.xp.round(x * 10.0**digits) / 10.0**digits


def for_each_tensor(port: Any, function: Callable[[Array], Array], x: Array) -> Array:
    """A number for each parameter tensor, at all of its entries."""
    return joined([0 * part + function(part) for part in split(x)])


def of_first_tensor(port: Any, function: Callable[[Array], Array], x: Array) -> Array:
    """The number of the first parameter tensor."""
    return function(split(x)[0])


def for_each_coordinate(port: Any, function: Callable[[Array], Array], x: Array) -> Array:
    """A number for each coordinate."""
    return port.xp.stack([function(x[i : i + 1]) for i in range(x.shape[0])])


def in_turn(port: Any, new: Array, old: Array, k: int) -> Array:
    """One coordinate moved, the others as they were."""
    return port.xp.where(port.xp.arange(old.shape[0]) == k % old.shape[0], new, old)


def still_if_short(port: Any, new: Array, old: Array, move: Array, limit: Any) -> Array:
    """No move where it would be short."""
    return port.xp.where(length(port, move) < limit, old, new)


def on_graph(port: Any, point: Array) -> Array:
    """The point of the graph above or below."""
    return port.joined(point[:-1], port.loss(point[:-1])[0])


def unless_farther(port: Any, new: Array, old: Array) -> Array:
    """No move where it would lead away from the candidate."""
    return port.xp.where(_gap(port, new) > _gap(port, old), old, new)


def _gap(port: Any, theta: Array) -> Array:
    return length(port, port.joined(theta, port.loss(theta)[0]) - port.candidate)


def mean_iterate(port: Any, last: Array, first: int) -> Array:
    """The mean of the places where the loss was asked, from one of them on, and of the last, where it was not."""
    places = (*port.places[first:], last)
    return sum(places[1:], places[0]) / len(places)


def best_iterate(port: Any, last: Array) -> Array:
    """The one of these places that is nearest to the candidate."""
    best = port.places[1] if len(port.places) > 1 else last
    least = _gap(port, best)
    for theta in (*port.places[2:], last):
        gap = _gap(port, theta)
        best, least = port.xp.where(gap < least, theta, best), port.xp.minimum(gap, least)
    return best


# --- what remembers, in attributes of the port; one that ends with "each step" does not outlast it -------------------


def _recall(port: Any, key: str, first: Any) -> Any:
    return vars(port).get(key, first)


def late(port: Any, key: str, x: Any) -> Any:
    """What it was the time before."""
    before = _recall(port, f"late {key}", x)
    vars(port)[f"late {key}"] = x
    return before


def kept_first(port: Any, key: str, x: Any) -> Any:
    """What it was the first time."""
    return vars(port).setdefault(f"first {key}", x)


def kept(port: Any, name: str, x: Any) -> Any:
    """A quantity as the last step left it."""
    return vars(port).get(name, x)


def gathered(port: Any, key: str, x: Array, share: Any) -> Array:
    """v ← βv + x."""
    old = _recall(port, f"gathered {key}", None)
    vars(port)[f"gathered {key}"] = new = x if old is None else share * old + x
    return new


def gathered_ahead(port: Any, key: str, x: Array, share: Any) -> Array:
    """x + βv with v ← βv + x."""
    return x + share * gathered(port, f"ahead {key}", x, share)


def averaged(port: Any, key: str, x: Array, share: Any) -> Array:
    """v ← βv + (1 − β)x."""
    old = _recall(port, f"averaged {key}", None)
    vars(port)[f"averaged {key}"] = new = x if old is None else share * old + (1 - share) * x
    return new


def mean_so_far(port: Any, key: str, x: Array) -> Array:
    """The mean of all values so far."""
    count, total = _recall(port, f"mean {key}", (0.0, 0 * x))
    vars(port)[f"mean {key}"] = count + 1, total + x
    return (total + x) / (count + 1)


def heard_before(port: Any, place: Array, part: int | None) -> Any:
    """The loss at a place, of which a part (value, gradient; None: both) is that of the evaluation before."""
    now = port.loss(place)
    before = port.before
    return before if part is None else tuple(before[i] if i == part else now[i] for i in (0, 1))
