"""The catalogues of all optimizers: what a port may be, right or wrong, and in which reading of the paper."""

from __future__ import annotations

from collections.abc import Mapping

from rbo_ref.oracle.dialects import OPTIMIZERS, READINGS, ROLLING_BALL
from rbo_ref.oracle.formulas import Formula, RollingBallFormula, formula_of
from rbo_ref.oracle.formulas.others import others
from rbo_ref.oracle.mistakes import KNOWN, made
from rbo_ref.oracle.suspects.judgement import Suspect

__all__ = ["CATALOGUES", "MISTAKES", "RIGHT_PORTS", "RightPort", "catalogue", "in_dialect", "right_port", "suspects_of"]

RightPort = RollingBallFormula
RIGHT_PORTS = {optimizer: formula_of(optimizer) for optimizer in OPTIMIZERS}
CATALOGUES = {optimizer: made(mistakes, formula_of(optimizer)) for optimizer, mistakes in KNOWN.items()}
"""The known wrong ports of each optimizer, by name."""
MISTAKES = CATALOGUES[ROLLING_BALL]


def catalogue(optimizer: str) -> Mapping[str, type[Formula]]:
    """The known wrong ports of an optimizer, by name.

    Examples
    --------
    >>> catalogue("sam")["ascent"].description
    'The parameters move uphill: the step has the wrong sign'
    """
    return CATALOGUES[optimizer]


def right_port(optimizer: str) -> type[Formula]:
    """The class of right ports of an optimizer."""
    return RIGHT_PORTS[optimizer]


def in_dialect(cls: type[Formula], dialect: str) -> type[Formula]:
    """A class of ports in another reading of the paper: its own lines, and below them those of the reading.

    Examples
    --------
    >>> in_dialect(catalogue("muon")["scale_of_the_transpose"], "match_rms_adamw").dialect
    'match_rms_adamw'
    """
    reading = formula_of(cls.optimizer, dialect)
    if issubclass(reading, cls) or issubclass(cls, reading):
        return reading if issubclass(reading, cls) else cls
    return type(cls.__name__, (cls, reading), {"dialect": dialect})


def suspects_of(optimizer: str, dialect: str) -> list[Suspect]:
    """Everything that a wrong port may be known to be: the other dialects, the catalogue, other optimizers.

    A mistake that is a dialect is not there a second time.

    Examples
    --------
    >>> [suspect.name for suspect in suspects_of("adam", "paper")][:4]
    ['dialect-tensorflow', 'dialect-amsgrad', 'dialect-amsgrad-optax', 'correction_missing']
    """
    first, *_ = READINGS[optimizer]
    readings = [formula_of(optimizer, name) for name in READINGS[optimizer] if name != dialect]
    found = [Suspect(f"dialect-{cls.dialect}", f"another reading of the paper: {cls.reading}", cls) for cls in readings]
    told = {cls.mistake for cls in readings if dialect == first}
    known = [(name, cls) for name, cls in catalogue(optimizer).items() if name not in told]
    wrong = [Suspect(name, cls.description, in_dialect(cls, dialect)) for name, cls in known]
    both = found + wrong if dialect == first else wrong + found  # a reading of another one is farther from that
    return both + [Suspect(*other) for other in others(optimizer, dialect)]
