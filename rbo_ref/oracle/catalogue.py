"""The catalogues of all optimizers: what a port may be, right or wrong, and in which reading of the paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from rbo_ref.oracle.calls import Port
from rbo_ref.oracle.dialects import DIALECTS, READINGS, ROLLING_BALL
from rbo_ref.oracle.mistakes import MISTAKES as OF_BALL
from rbo_ref.oracle.mistakes import RightPort
from rbo_ref.oracle.optimizers.mistakes import MISTAKES, RIGHT_PORTS
from rbo_ref.oracle.suspects.judgement import Suspect

__all__ = ["catalogue", "in_dialect", "right_port", "suspects_of"]


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
        make: Callable[..., Port] = cls
        return partial(make, dialect)
    reading = DIALECTS[dialect]

    made: type[RightPort] = type(cls.__name__, (cls,), {"factor": reading.factor, "begins": reading.start})
    return made


def suspects_of(optimizer: str, dialect: str) -> list[Suspect]:
    """Everything that a wrong port may be known to be: the other dialects first, then the catalogue.

    Examples
    --------
    >>> [suspect.name for suspect in suspects_of("muon", "original")][:2]
    ['dialect-match_rms_adamw', 'coefficients_cubic']
    """
    found = []
    for name in READINGS[optimizer]:
        if name != dialect:
            told = f"another reading of the paper: {DIALECTS[name].description}" if name in DIALECTS else ""
            make = in_dialect(right_port(optimizer), name)
            found.append(Suspect(f"dialect-{name}", told or "another reading of the algorithm", make))
    known = catalogue(optimizer).values()
    return found + [Suspect(cls.name, cls.description, in_dialect(cls, dialect)) for cls in known]
