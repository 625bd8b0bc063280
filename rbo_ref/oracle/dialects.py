"""Readings of the papers, of which a port has to choose one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from rbo_ref.oracle.formulas import FORMULAS, RollingBallFormula

__all__ = [
    "DIALECTS",
    "OPTIMIZERS",
    "READINGS",
    "ROLLING_BALL",
    "SEPARATE",
    "Dialect",
    "Hyper",
    "dialect_of",
    "optimizer_of",
]

ROLLING_BALL = RollingBallFormula.optimizer


class Hyper(NamedTuple):
    """The hyper-parameters of one step of the rolling ball."""

    learning_rate: float  # η
    radius: float  # ρ
    projection_rate: float  # γ
    projection_steps: int  # P


@dataclass(frozen=True)
class Dialect:
    """How the inner loop θ ← θ − γ·factor·½∇|q − p|² of the rolling ball is read.

    Attributes
    ----------
    name, description : str
    factor : int
        1: the gradient of half the squared distance; 2: of the squared distance.
    start : "contact" or "candidate"
        Where the inner loop starts: at the contact θ_t, or below the candidate centre c̃_{t+1}.

    Examples
    --------
    >>> DIALECTS["authors"].factor, DIALECTS["authors"].start
    (1, 'contact')
    """

    name: str
    description: str
    factor: int
    start: str


def _dialect(name: str, formula: Any) -> Dialect:
    return Dialect(name, formula.reading, formula.factor, formula.begins)


DIALECTS: dict[str, Dialect] = {name: _dialect(name, formula) for name, formula in FORMULAS[ROLLING_BALL].items()}

READINGS: dict[str, tuple[str, ...]] = {optimizer: tuple(formulas) for optimizer, formulas in FORMULAS.items()}
"""The readings of each optimizer that a port may claim; the first is the default."""

OPTIMIZERS = tuple(READINGS)
ALIASES = {"sgd": "gradient-descent"}
SEPARATE = tuple(n for n in ("gradient-descent", "adam", "adamw", "rmsprop", "nadam", "lion") if n in OPTIMIZERS)
"""The optimizers that ask for one gradient in each step, at θ_t, and move each number by its own gradients."""


def optimizer_of(name: str) -> str:
    """The one name that an optimizer has in all that is shown; what is no other name of one stays as it is.

    Examples
    --------
    >>> optimizer_of("sgd"), optimizer_of("adam")
    ('gradient-descent', 'adam')
    """
    return ALIASES.get(name, name)


def dialect_of(name: str | Dialect | None, optimizer: str = ROLLING_BALL) -> str:
    """The name of a reading of an optimizer; the default for None.

    Raises
    ------
    ValueError
        If there is no such optimizer or reading.

    Examples
    --------
    >>> dialect_of(None), dialect_of("code", "entropy-sgd")
    ('authors', 'code')
    """
    if optimizer not in READINGS:
        raise ValueError(f"optimizer must be one of {', '.join(OPTIMIZERS)}, got {optimizer!r}")
    known = READINGS[optimizer]
    name = known[0] if name is None else name.name if isinstance(name, Dialect) else name
    if name not in known:
        raise ValueError(f"dialect must be one of {', '.join(known)}, got {name!r}")
    return name
