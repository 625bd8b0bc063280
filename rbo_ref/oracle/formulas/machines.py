"""Formulas as other machines compute them: with fused operations, or in a coarse format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from geometry._namespace import Array, array_namespace, to_numpy
from geometry.arithmetic.formats import format_of
from geometry.arithmetic.machine_arrays import PRODUCTS, Coarse, MachineArray, MatrixUnit
from rbo_ref.oracle.formulas.formula import Formula, Served

__all__ = ["computed", "inside", "over", "within"]


def over(cls: type[Formula], kind: type[MachineArray]) -> type[Formula]:
    """The ports of a formula that compute with arrays of a kind."""

    def advance(self: Formula, loss: Served, theta: Array, hyper: Mapping[str, Any], draw: Any = None) -> Array:
        return computed(kind, self, partial(cls.advance, self), loss, theta, hyper, draw)

    return type(f"{kind.__name__}{cls.__name__}", (cls,), {"advance": advance})


def computed(
    kind: type[MachineArray],
    port: Formula,
    advance: Callable[..., Any],
    loss: Served,
    theta: Array,
    hyper: Mapping[str, Any],
    draw: Any = None,
) -> Array:
    """A step of a port that is computed with arrays of a kind; what it is given, and gives, are arrays of a library.

    Raises
    ------
    AttributeError
        If θ is of no library.
    """
    xp, dtype = array_namespace(theta), theta.dtype

    def handed(numbers: Any) -> Array:
        return xp.asarray(getattr(numbers, "numbers", numbers), dtype=dtype)

    def served(place: MachineArray) -> tuple[MachineArray, ...]:
        return tuple(kind.result("given", to_numpy(numbers)) for numbers in loss(handed(place)))

    held = kind.result("given", to_numpy(theta))
    new = advance(served, held, hyper, None if draw is None else to_numpy(draw))
    vars(port).update({part: handed(getattr(port, part)) for part in port.parts.values()})
    return handed(new)


def within(cls: type[Formula], kind: type[MachineArray]) -> type[Formula]:
    """The ports of a formula of which the line meant for it is computed with arrays of a kind."""
    right = getattr(cls, cls.inner_line)

    def line(self: Formula, array: Any) -> Any:
        if isinstance(array, kind):  # it calls itself
            return right(self, array)
        outer, self.xp = self.xp, kind.functions
        found = right(self, kind.result("given", array))
        self.xp = outer
        return found.numbers

    return type(f"{kind.__name__}{cls.__name__}", (cls,), {cls.inner_line: line})


@cache
def inside(name: str) -> tuple[type[MachineArray], ...]:
    """What may be meant by a format inside: everything is rounded to it, or products alone; those of TF32 are summed.

    Examples
    --------
    >>> [kind.__name__ for kind in inside("tf32")], len(inside("float16"))
    (['MatrixUnit'], 2)
    """
    target = format_of(name)
    return (MatrixUnit.of(target),) if name == "tf32" else (Coarse.to(target), Coarse.to(target, PRODUCTS))
