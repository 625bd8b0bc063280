"""What all calls of one check share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy
from numpy.typing import NDArray

from geometry._namespace import Array, Namespace
from geometry.arithmetic.formats import Format, rounded
from rbo_ref.oracle.calls import Outcome
from rbo_ref.oracle.step_formats import Formats

__all__ = ["COMPILING", "Setting"]

HANGS_ALLOWED = 2
COMPILING = 5  # time limits that the first call for each shape of θ may take


@dataclass
class Setting:
    """How a port is called, and how often it has been."""

    xp: Namespace
    formats: Formats
    dialect: str  # the reading of the paper that the port claims
    time_limit: float
    errors: Mapping[str, Any] = field(default_factory=lambda: {"all": "ignore"})  # of NumPy, in the port
    shapes: set[tuple[int, ...]] = field(default_factory=set)  # of the calls that were answered
    hangs: int = 0
    steps: int = 0
    evaluations: int = 0
    needed: int = 0  # evaluations that a port needs

    @property
    def target(self) -> Format:
        """The format of θ."""
        return self.formats.target

    @property
    def excuse(self) -> str:
        """The argument that widens the tolerances beyond those of θ's own format; empty if none does."""
        for name, declared in (("compute_dtype", self.formats.compute), ("inner_dtype", self.formats.inner)):
            if declared is not None and declared.precision < self.target.precision:
                return f"{name}={declared.name!r}"
        return ""

    @property
    def undeclared(self) -> Self:
        """The same for a port that declares nothing, with counts of its own."""
        return self.declaring(compute=None, inner=None)

    def declaring(self, **formats: Any) -> Self:
        """The same for a port that declares other formats, with counts of its own."""
        return replace(self.aside, formats=replace(self.formats, **formats))

    @property
    def aside(self) -> Self:
        """The same, for calls that do not count."""
        return replace(self, hangs=0, steps=0, evaluations=0, needed=0)

    def array(self, numbers: NDArray[Any]) -> Array:
        """Numbers as an array of the port's library and dtype, its own to change."""
        return self.xp.asarray(rounded(numbers, self.target), dtype=getattr(self.xp, self.target.name))

    def count(self, steps: int, theta: Array, call: Callable[[float], Outcome]) -> Outcome:
        """The outcome of a call of so many steps, which is told how many seconds it may take.

        The first call for a shape may have to compile. A port that has hung too often is not called any more.
        """
        if self.hangs >= HANGS_ALLOWED:
            return Outcome(problem="not called: the port gave no answer too often", hung=True)
        shape = tuple(theta.shape)
        is_first = shape not in self.shapes and not self.hangs
        with numpy.errstate(**self.errors):
            outcome = call(self.time_limit * (COMPILING if is_first else 1))
        self.shapes.add(shape)
        self.hangs += outcome.hung
        self.steps += steps
        self.evaluations += len(outcome.queries)
        return outcome.held_to(self.formats.compute)
