"""What a port is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.formats import Format, rounded
from rbo_ref.oracle.dialects import ROLLING_BALL
from rbo_ref.oracle.hunters import flags
from rbo_ref.oracle.losses import Loss

__all__ = ["CATCHES", "Case"]

CATCHES = Path(__file__).with_name("catches.txt")


@dataclass(frozen=True, eq=False)
class Case:
    """A question to a port.

    Attributes
    ----------
    id : str
    loss : Loss
    theta : array
        Where the run starts; rounded to the port's dtype first.
    hypers : tuple of dict
        Hyper-parameters by name; a run goes through them in turn, as a schedule does.
    note : str
        What the case is about.
    optimizer : str
    draws : array or None
        The random numbers of the run, first axis: step.
    walk : int
        Length of the runs; 0 for none.
    single : bool
        Whether single steps are judged here.

    Examples
    --------
    >>> from rbo_ref.oracle.losses import Quadratic
    >>> bowl = Loss((Quadratic(numpy.eye(1), numpy.zeros(1)),))
    >>> case = Case("bowl", bowl, (1.0,), ({"learning_rate": 0.5}, {"learning_rate": 0.25}), optimizer="sam", walk=3)
    >>> [case.hyper(t)["learning_rate"] for t in range(3)]
    [0.5, 0.25, 0.5]
    """

    id: str
    loss: Loss
    theta: Any
    hypers: tuple[Any, ...]
    note: str = ""
    optimizer: str = ROLLING_BALL
    draws: NDArray[numpy.float64] | None = None
    walk: int = 0
    single: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "theta", numpy.asarray(self.theta, dtype=float))
        hypers = (h._asdict() if hasattr(h, "_asdict") else dict(h) for h in self.hypers)
        object.__setattr__(self, "hypers", tuple(hypers))

    @property
    def catches(self) -> tuple[str, ...]:
        """Names of mistakes that it is there to catch."""
        found = (flag.partition(".") for flag in flags(CATCHES).get(self.id, ()))
        return tuple(mistake for optimizer, _, mistake in found if optimizer == self.optimizer)

    @property
    def dimension(self) -> int:
        return self.theta.size

    def hyper(self, t: int) -> Mapping[str, Any]:
        """The hyper-parameters of the t-th step, counted from 0."""
        return self.hypers[t % len(self.hypers)]

    def draw(self, t: int) -> NDArray[numpy.float64] | None:
        """The random numbers of the t-th step."""
        return None if self.draws is None else self.draws[t]

    def start(self, target: Format) -> NDArray[Any]:
        """The starting point in a format."""
        return rounded(self.theta, target)
