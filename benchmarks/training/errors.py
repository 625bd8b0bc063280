"""What keeps a comparison from running, in a sentence."""

from __future__ import annotations

from rbo_ref._words import Quoting

__all__ = ["DataError", "TrainingError"]


class TrainingError(Quoting, ValueError):
    """The comparison that is asked for cannot be made."""


class DataError(TrainingError):
    """A data set is not there, or is not what its format says."""
