"""The optimizers that the rolling ball is compared with, each as its paper has it, in the shape of `RollingBall`.

`theta` is one array (..., d), or a tree of arrays, which is one vector to the algorithms; see `flatten`.

>>> import numpy as np
>>> from geometry import FunctionGraph
>>> wave = FunctionGraph(lambda t: np.sin(t[..., 0]), np.cos)
>>> for optimizer in (GradientDescent(0.5), Adam(0.5), SAM(0.5), InducedMetric(0.5)):
...     step = optimizer.step(wave, np.zeros(1), optimizer.init(np.zeros(1)))
...     print(type(optimizer).__name__, step.theta.round(3))
GradientDescent [-0.5]
Adam [-0.5]
SAM [-0.499]
InducedMetric [-0.455]
"""

from rbo_ref.optimizers._parameters import Flat, Outcome, flatten
from rbo_ref.optimizers.adam import Adam, AdamW
from rbo_ref.optimizers.alice import Alice
from rbo_ref.optimizers.entropy_sgd import EntropySGD
from rbo_ref.optimizers.gradient_descent import GradientDescent
from rbo_ref.optimizers.induced_metric import InducedMetric
from rbo_ref.optimizers.joint import Jointly
from rbo_ref.optimizers.lion import Lion
from rbo_ref.optimizers.muon import Muon, newton_schulz
from rbo_ref.optimizers.nadam import NAdam
from rbo_ref.optimizers.rmsprop import RMSprop
from rbo_ref.optimizers.sam import SAM

__all__ = [
    "SAM",
    "Adam",
    "AdamW",
    "Alice",
    "EntropySGD",
    "Flat",
    "GradientDescent",
    "InducedMetric",
    "Jointly",
    "Lion",
    "Muon",
    "NAdam",
    "Outcome",
    "RMSprop",
    "flatten",
    "newton_schulz",
]
