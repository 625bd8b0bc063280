"""The cases of AdamW: those of Adam, with decay."""

from __future__ import annotations

from rbo_ref.oracle.cases import for_adam
from rbo_ref.oracle.cases.case import Case

__all__ = ["fixed"]


def fixed() -> tuple[Case, ...]:
    """Those that no seed draws."""
    return for_adam.fixed("adamw")
