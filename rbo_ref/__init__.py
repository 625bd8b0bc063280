"""The reference Rolling Ball Optimizer and the oracle that judges ports of it."""

from rbo_ref.minimization import minimize
from rbo_ref.rolling_ball import RollingBall, Step
from rbo_ref.run import Trajectory, roll, trajectory

__all__ = ["RollingBall", "Step", "Trajectory", "minimize", "roll", "trajectory"]
