"""The comparison of optimizers on real data, at equal cost: the command ``python -m benchmarks.training``."""

from benchmarks.training.comparison import Comparison, Plan
from benchmarks.training.data import load
from benchmarks.training.errors import TrainingError
from benchmarks.training.networks import Perceptron

__all__ = ["Comparison", "Perceptron", "Plan", "TrainingError", "load"]
