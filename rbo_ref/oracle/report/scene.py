"""The path of a port in one case, beside the true one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.precision import working_precision

__all__ = ["Scene", "heights_of"]

Floats = NDArray[numpy.float64]


@dataclass(frozen=True)
class Scene:
    """The path of a port in one case, beside the true one.

    Attributes
    ----------
    title : str
    heights : callable
        Places (n, d) → the loss there (n,).
    port : array (n, d)
        Where the port went; the first row is where it started.
    truth : list of arrays (m, d)
        Where it should have gone: polylines, one for all inner iterates, or one from each place of a walk.
    wrong : int or None
        Index of the first row of `port` that is wrong.
    ball : dict of arrays (d + 1,)
        The true "center" and "candidate", if there is a ball.

    Examples
    --------
    >>> path = numpy.array([[1.0], [0.5]])
    >>> Scene("a parabola", lambda places: places[:, 0] ** 2, path, [path]).dimension
    1
    """

    title: str
    heights: Callable[[Floats], Floats]
    port: Floats
    truth: list[Floats]
    wrong: int | None = None
    ball: dict[str, Floats] = field(default_factory=dict)

    @property
    def dimension(self) -> int:
        return self.port.shape[1]


def heights_of(loss: Any) -> Callable[[Floats], Floats]:
    """A loss of the oracle over many places, in ordinary precision; what leaves its range is cut off."""

    def heights(places: Floats) -> Floats:
        from flint import arb

        with working_precision(53):
            values = [loss.value_and_gradient([arb(float(t)) for t in place])[0] for place in places]
        return numpy.nan_to_num([float(value.mid()) for value in values], posinf=1e300, neginf=-1e300)

    return heights
