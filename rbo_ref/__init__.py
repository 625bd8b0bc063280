"""The reference Rolling Ball Optimizer and the oracle that judges ports of it."""

from rbo_ref.rolling_ball import RollingBall, Step

__all__ = ["RollingBall", "Step"]
