"""Fused multiply-add: compilers contract a·b + c into one operation that rounds once.

That is right, and more precise; but results differ in bits from those without it, wherever numbers cancel in all their
digits. A port whose bits are those of contracted operations is told so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy
from numpy.typing import NDArray

from geometry._namespace import Array
from geometry.arithmetic.formats import exact, format_of, nearest
from geometry.arithmetic.precision import working_precision
from rbo_ref.oracle.catalogue import RightPort, in_dialect
from rbo_ref.oracle.dialects import ROLLING_BALL
from rbo_ref.oracle.judge import Run
from rbo_ref.oracle.playing import call
from rbo_ref.oracle.report import Result
from rbo_ref.oracle.setting import Setting

__all__ = ["Contracted", "fused", "notes"]

LARGEST = (10, 20)  # dimension and inner steps of the cases that are taken
LEAST = 3  # steps that tell
SHARE = 1 / 3  # of these, that have the bits: compilers contract sums in more ways than one


def fused(a: Any, b: Any, c: Any) -> NDArray[Any]:
    """a·b + c, rounded once to the dtype of c.

    Examples
    --------
    >>> x = numpy.float32(1 + 2**-12)
    >>> float(fused(x, x, -x * x)) == float(x) ** 2 - float(x * x)  # what the product loses
    True
    """
    a, b, c = numpy.broadcast_arrays(a, b, c)
    target = format_of(c.dtype)
    with working_precision(2200):  # every sum of such numbers is exact
        numbers = [
            nearest(exact(x) * exact(y) + exact(z), target) if numpy.isfinite([x, y, z]).all() else numpy.nan
            for x, y, z in zip(a.reshape(-1), b.reshape(-1), c.reshape(-1), strict=True)
        ]
    return numpy.array(numbers, dtype=c.dtype).reshape(c.shape)


class Contracted(RightPort):
    """A right port on NumPy of which every multiplication that is followed by an addition is fused with it."""

    def number(self, parameter: float) -> Any:
        return self.theta.dtype.type(parameter)

    def square(self, g: Array) -> Array:
        total = g[0] * g[0]
        for slope in g[1:]:
            total = fused(slope, slope, total)
        return total

    def center(self) -> Array:
        return fused(self.number(self.rho), self.nu, self.p)

    def stepped(self) -> Array:
        return fused(self.number(-self.eta), self.tau, self.c)

    def pull(self, theta: Array) -> Array:
        f, g = self.loss(theta)
        return fused(f - self.candidate[-1], g, theta - self.candidate[:-1])

    def descended(self, theta: Array, pull: Array, k: int) -> Array:
        return fused(self.number(-self.gamma), pull, theta)


def notes(judged: Iterable[tuple[Result, Run]], setting: Setting) -> list[str]:
    """A sentence, if a port that is right has the bits of contracted operations."""
    plain, contracted, telling = 0, 0, 0
    for run in {id(run): run for _, run in judged if _tells(run, setting)}.values():
        taken = run.taken[0]
        one, other = (
            call(
                in_dialect(cls, setting.dialect)(), run.case.loss, taken.theta.copy(), taken.hyper, setting.time_limit
            ).theta
            for cls in (RightPort, Contracted)
        )
        if taken.answer is None or one is None or other is None or numpy.array_equal(one, other):
            continue
        telling += 1
        plain += numpy.array_equal(taken.answer, one)
        contracted += numpy.array_equal(taken.answer, other)
    if telling < LEAST or contracted < SHARE * telling:
        return []
    share = f"{contracted} of the {telling} steps in which it shows ({plain} have those without it)"
    return [f"the bits are those of a fused multiply-add in {share}: right either way"]


def _tells(run: Run, setting: Setting) -> bool:
    """Whether it is a single step, not too long, in a format that NumPy rounds to."""
    if run.level != "step" or run.case.optimizer != ROLLING_BALL:
        return False
    small = run.case.dimension <= LARGEST[0] and run.taken[0].hyper["projection_steps"] <= LARGEST[1]
    return small and setting.formats.compute is None and setting.target.name in ("float32", "float64")
