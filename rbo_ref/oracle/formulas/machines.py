"""Formulas as other machines compute them: with fused operations, or in a coarse format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import numpy

from geometry._namespace import Array, array_namespace
from geometry.arithmetic.formats import format_of
from geometry.arithmetic.machine_arrays import PRODUCTS, Coarse, MachineArray, MatrixUnit
from rbo_ref.oracle.formulas.formula import Formula, Served

__all__ = ["computed", "inside", "over", "within"]


def over(cls: type[Formula], kind: type[MachineArray]) -> type[Formula]:
    """The ports of a formula that compute with arrays of a kind."""

    def advance(self: Formula, loss: Served, theta: Array, hyper: Mapping[str, Any], draw: Any = None) -> Array:
        return computed(kind, partial(cls.advance, self), loss, theta, hyper, draw)

    return type(f"{kind.__name__}{cls.__name__}", (cls,), {"advance": advance})


def computed(kind: type[MachineArray], advance: Callable[..., Any], loss: Served, theta: Array, *more: Any) -> Array:
    """A step that is computed with arrays of a kind; what it is given, and gives, are arrays of a library.

    Raises
    ------
    AttributeError
        If θ is of no library.
    """
    xp, dtype = array_namespace(theta), theta.dtype

    def served(place: MachineArray) -> tuple[MachineArray, ...]:
        answer = loss(xp.asarray(place.numbers, dtype=dtype))
        return tuple(kind.result("given", numpy.asarray(numbers)) for numbers in answer)

    return xp.asarray(advance(served, kind.result("given", numpy.asarray(theta)), *more).numbers, dtype=dtype)


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
