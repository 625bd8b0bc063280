"""A mistake is another formula: the right one with a line overridden."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rbo_ref.oracle.formulas import Formula
from rbo_ref.oracle.formulas.machines import computed, inside

__all__ = ["PRECISIONS", "Mistake", "in_precision", "made"]

PRECISIONS = {name: f"Something is computed in {name} inside" for name in ("float32", "float16", "bfloat16")}
PRECISIONS["tf32"] = "Products are summed of numbers rounded to TF32, as matrix units do unless told otherwise"
"""What a lower precision inside means."""


class Mistake:
    """What somebody gets wrong.

    Parameters
    ----------
    description : str
    **lines
        What is overridden, of any class: lines and other methods of a formula, of which ``self.right`` has the right
        ones; or numbers, which are attributes of the port.

    Examples
    --------
    >>> Mistake("There is no momentum", remembered=lambda self, v, g: g).description
    'There is no momentum'
    """

    def __init__(self, description: str, **lines: Any) -> None:
        self.description, self.lines = description, lines


def made(mistakes: Mapping[str, Mistake], formula: type[Formula]) -> dict[str, type[Formula]]:
    """A formula with each of some mistakes, by their names.

    Raises
    ------
    TypeError
        If the formula has no line of a name.

    Examples
    --------
    >>> from rbo_ref.oracle.formulas import formula_of
    >>> made({"uphill": Mistake("It climbs", gradients=lambda self, theta: theta)}, formula_of("adam"))
    Traceback (most recent call last):
    ...
    TypeError: uphill: adam has no line gradients
    """
    return {name: _made(name, mistake, formula) for name, mistake in mistakes.items()}


def _made(name: str, mistake: Mistake, formula: type[Formula]) -> type[Formula]:
    for line, instead in mistake.lines.items():
        if callable(instead) and not hasattr(formula, line):
            raise TypeError(f"{name}: {formula.optimizer} has no line {line}")
    cls: type[Formula] = type(name, (formula,), {"name": name, "description": mistake.description, **mistake.lines})
    cls.right = property(lambda self: super(cls, self))  # type: ignore[attr-defined]
    return cls


def in_precision(name: str) -> Mistake:
    """Of any optimizer: it is computed in a lower precision.

    Examples
    --------
    >>> in_precision("float16").description
    'Something is computed in float16 inside'
    """
    kind, *_ = inside(name)
    return Mistake(
        PRECISIONS[name], advance=lambda self, *question: computed(kind, self, self.right.advance, *question)
    )
