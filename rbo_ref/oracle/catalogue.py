"""The catalogues of all optimizers: what a port may be, right or wrong, and in which reading of the paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rbo_ref.oracle.calls import Port
from rbo_ref.oracle.dialects import DIALECTS, ROLLING_BALL
from rbo_ref.oracle.mistakes import MISTAKES as OF_BALL
from rbo_ref.oracle.mistakes import RightPort
from rbo_ref.oracle.optimizers.mistakes import MISTAKES, RIGHT_PORTS

__all__ = ["catalogue", "in_dialect", "right_port"]


def catalogue(optimizer: str) -> Mapping[str, type[Any]]:
    """The known wrong ports of an optimizer, by name.

    Examples
    --------
    >>> catalogue("sam")["ascent"].description
    'The parameters move uphill: the step has the wrong sign'
    """
    return OF_BALL if optimizer == ROLLING_BALL else MISTAKES[optimizer]


def right_port(optimizer: str) -> type[Any]:
    """The class of right ports of an optimizer."""
    return RightPort if optimizer == ROLLING_BALL else RIGHT_PORTS[optimizer]


def in_dialect(cls: type[Any], dialect: str) -> Callable[[], Port]:
    """A maker of ports of a class of the catalogue that read the paper as the dialect does."""
    if not issubclass(cls, RightPort):
        return lambda: cls(dialect)
    reading = DIALECTS[dialect]

    class InDialect(cls):
        def tuned(self, eta: float, rho: float, gamma: float, steps: int) -> tuple[float, float, float, int]:
            return super().tuned(eta, rho, gamma * reading.factor, steps)

        def start(self) -> Any:
            return self.candidate[:-1] if reading.start == "candidate" else super().start()

    return InDialect
