"""The reference Rolling Ball Optimizer and the oracle that judges ports of it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from geometry._version import __version__
from rbo_ref.ironed import Ironing, ironing, ironing_of_samples, ironing_of_sine
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
from rbo_ref.sweeps import Sweep, SweepTable, sweep

if TYPE_CHECKING:
    from rbo_ref import landscapes as landscapes
    from rbo_ref import oracle as oracle

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
    "Sweep",
    "SweepTable",
    "Trajectory",
    "__version__",
    "ironing",
    "ironing_of_samples",
    "ironing_of_sine",
    "minimize",
    "roll",
    "sweep",
    "trajectory",
]


def __getattr__(name: str) -> Any:
    """`rbo_ref.landscapes` and `rbo_ref.oracle`, imported when they are first asked for."""
    if name in ("landscapes", "oracle"):
        return import_module(f"rbo_ref.{name}")
    raise AttributeError(f"module 'rbo_ref' has no attribute {name!r}")
