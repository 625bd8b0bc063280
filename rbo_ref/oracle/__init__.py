"""The oracle: is this port of an optimizer right, and if not, which mistake does it make?"""

from rbo_ref.oracle import vectors
from rbo_ref.oracle.adapters import OptaxPort, TorchPort
from rbo_ref.oracle.calls import Skip
from rbo_ref.oracle.catalogue import MISTAKES, RightPort
from rbo_ref.oracle.checking import check, check_optimizer
from rbo_ref.oracle.dialects import DIALECTS, OPTIMIZERS, READINGS, Dialect
from rbo_ref.oracle.parametrization import parametrize
from rbo_ref.oracle.protocol import ProgramPort
from rbo_ref.oracle.recognition import as_port
from rbo_ref.oracle.replay import Recorder, Recording, check_trajectory, compare_trajectories
from rbo_ref.oracle.report import Diagnosis, Report, Result

__all__ = [
    "DIALECTS",
    "MISTAKES",
    "OPTIMIZERS",
    "READINGS",
    "Diagnosis",
    "Dialect",
    "OptaxPort",
    "ProgramPort",
    "Recorder",
    "Recording",
    "Report",
    "Result",
    "RightPort",
    "Skip",
    "TorchPort",
    "as_port",
    "check",
    "check_optimizer",
    "check_trajectory",
    "compare_trajectories",
    "parametrize",
    "vectors",
]
