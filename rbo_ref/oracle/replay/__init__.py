"""Recorded runs, judged step by step: from any language, in any format, however chaotic their orbits are."""

from rbo_ref.oracle.replay.files import open_recording, save_recording
from rbo_ref.oracle.replay.recorder import Recorder
from rbo_ref.oracle.replay.recording import Recording, RecordingError
from rbo_ref.oracle.replay.trajectory import check_trajectory
from rbo_ref.oracle.replay.two_runs import ComparisonReport, compare_trajectories
from rbo_ref.oracle.replay.verdict import TrajectoryReport

__all__ = [
    "ComparisonReport",
    "Recorder",
    "Recording",
    "RecordingError",
    "TrajectoryReport",
    "check_trajectory",
    "compare_trajectories",
    "open_recording",
    "save_recording",
]
