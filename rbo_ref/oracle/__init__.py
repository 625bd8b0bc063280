"""The oracle: is this port of the Rolling Ball Optimizer right, and if not, which mistake does it make?"""

from rbo_ref.oracle.adapters import OptaxPort, TorchPort, as_step
from rbo_ref.oracle.check import check
from rbo_ref.oracle.dialects import DIALECTS, Dialect
from rbo_ref.oracle.mistakes import MISTAKES, RightPort
from rbo_ref.oracle.optimizers import check_optimizer
from rbo_ref.oracle.report import Diagnosis, Report, Result

__all__ = [
    "DIALECTS",
    "MISTAKES",
    "Diagnosis",
    "Dialect",
    "OptaxPort",
    "Report",
    "Result",
    "RightPort",
    "TorchPort",
    "as_step",
    "check",
    "check_optimizer",
]
