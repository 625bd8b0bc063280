"""The oracle for the other optimizers: is this port of Adam, SAM, ... right, and if not, which mistake does it make?"""

from rbo_ref.oracle.optimizers.adapters import OptaxRun, TorchRun, as_run
from rbo_ref.oracle.optimizers.cases import DIALECTS, OPTIMIZERS
from rbo_ref.oracle.optimizers.check import check_optimizer
from rbo_ref.oracle.optimizers.mistakes import MISTAKES, RIGHT_PORTS

__all__ = ["DIALECTS", "MISTAKES", "OPTIMIZERS", "RIGHT_PORTS", "OptaxRun", "TorchRun", "as_run", "check_optimizer"]
