"""The catalogues of known wrong ports, one for each optimizer: what people get wrong in a right port in plain words.

They prove that the cases are sensitive (every mistake must fail), and they name the mistake of a port that fails (the
one that reproduces its output). All ports are written in array-API functions and run on any library and dtype.
"""

from rbo_ref.oracle.optimizers.mistakes import (
    _of_all,
    of_adam,
    of_alice,
    of_entropy_sgd,
    of_gradient_descent,
    of_induced_metric,
    of_muon,
    of_sam,
)
from rbo_ref.oracle.optimizers.mistakes.right_port import MISTAKES, RIGHT_PORTS, OptimizerPort

_of_all.enter()

__all__ = [
    "MISTAKES",
    "RIGHT_PORTS",
    "OptimizerPort",
    "of_adam",
    "of_alice",
    "of_entropy_sgd",
    "of_gradient_descent",
    "of_induced_metric",
    "of_muon",
    "of_sam",
]
