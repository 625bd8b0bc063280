"""The comparison of optimizers on real data, at equal cost: the command ``rbo-ref train``."""

from rbo_ref.training.comparison import Comparison, Plan
from rbo_ref.training.data import load
from rbo_ref.training.errors import TrainingError
from rbo_ref.training.networks import Perceptron

__all__ = ["Comparison", "Perceptron", "Plan", "TrainingError", "load"]
