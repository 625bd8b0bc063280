"""The two sides of a surface."""

from __future__ import annotations

from typing import Any

__all__ = ["SIGNS", "check_side"]

SIGNS = {"above": 1.0, "below": -1.0}


def check_side(name: str, side: Any, *, both: bool = False) -> None:
    """Raise unless `side` is the name of a side."""
    allowed = [*SIGNS, "both"] if both else [*SIGNS]
    if side not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {side!r}")
