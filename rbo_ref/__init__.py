"""The reference Rolling Ball Optimizer and the oracle that judges ports of it."""

from rbo_ref.ironing import Ironing, ironing, ironing_of_samples, ironing_of_sine
from rbo_ref.minimization import minimize
from rbo_ref.optimizers import (
    SAM,
    Adam,
    AdamW,
    Alice,
    EntropySGD,
    GradientDescent,
    InducedMetric,
    Jointly,
    Lion,
    Muon,
    NAdam,
    RMSprop,
)
from rbo_ref.rolling_ball import RollingBall, Step
from rbo_ref.run import Trajectory, roll, trajectory

__all__ = [
    "SAM",
    "Adam",
    "AdamW",
    "Alice",
    "EntropySGD",
    "GradientDescent",
    "InducedMetric",
    "Ironing",
    "Jointly",
    "Lion",
    "Muon",
    "NAdam",
    "RMSprop",
    "RollingBall",
    "Step",
    "Trajectory",
    "ironing",
    "ironing_of_samples",
    "ironing_of_sine",
    "minimize",
    "roll",
    "trajectory",
]
