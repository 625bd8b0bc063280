"""What a port gave beside the truth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy
from numpy.typing import NDArray

from rbo_ref.oracle.rounding import error_of
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.tolerance import UNDECIDABLE, share_of
from rbo_ref.oracle.truth import Step

__all__ = ["Verdict", "compared", "verdict_on"]


@dataclass(frozen=True)
class Verdict:
    """One comparison: how far from the truth, how far rounding may lead, and how far the truth moved."""

    errors: NDArray[numpy.float64]
    tolerances: NDArray[numpy.float64]
    move: float = numpy.inf
    decidable: bool = True

    @cached_property
    def worst(self) -> tuple[float, float]:
        """Error and tolerance of the worst entry."""
        with numpy.errstate(all="ignore"):
            entry = int(numpy.argmax(numpy.where(self.errors == 0, 0.0, self.errors / self.tolerances)))
        return float(self.errors.reshape(-1)[entry]), float(self.tolerances.reshape(-1)[entry])

    @cached_property
    def ratio(self) -> float:
        """The worst error in tolerances; NaN where nothing can be said."""
        if not self.decidable:
            return numpy.nan
        error, tolerance = self.worst
        return error / tolerance if error else 0.0

    @property
    def is_wrong(self) -> bool:
        return self.ratio > 1


def compared(numbers: NDArray[Any], truth: Iterable[Any], tolerances: NDArray[Any]) -> Verdict:
    """A quantity beside its enclosure."""
    errors = error_of(numbers, truth)
    return Verdict(errors, tolerances, decidable=bool(numpy.isfinite(tolerances).all()))


def verdict_on(here: NDArray[Any], there: NDArray[Any], step: Step, setting: Setting) -> Verdict:
    """The verdict on a step. An error beyond the tolerance is wrong even where one within it would decide nothing."""
    errors = error_of(there, step.theta.value.reshape(-1)).reshape(there.shape)
    with numpy.errstate(all="ignore"):
        move = float(numpy.abs(step.theta.middle - here.astype(float)).max())
        share = UNDECIDABLE if setting.inner else share_of(setting.coarsest)
        small = move == 0 or step.tolerance.max() <= share * move or (errors > step.tolerance).any()
    return Verdict(errors, step.tolerance, move, step.is_bounded and bool(small))
