"""The catalogues of known wrong ports of the optimizers other than the rolling ball."""

from rbo_ref.oracle.optimizers.mistakes import MISTAKES, RIGHT_PORTS

__all__ = ["MISTAKES", "RIGHT_PORTS"]
