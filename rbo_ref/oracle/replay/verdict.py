"""Verdicts on recorded steps, and the report on a recorded run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import NamedTuple

import numpy
from numpy.typing import NDArray

from rbo_ref.oracle.report import Report

__all__ = ["FAIL", "NAMED", "PASS", "REASONS", "SKIPPED", "UNDECIDED", "VERDICTS", "Judged", "TrajectoryReport"]

Floats = NDArray[numpy.float64]
PASS = 0
FAIL = 1
UNDECIDED = 2
SKIPPED = 3
VERDICTS = {PASS: "pass", FAIL: "fail", UNDECIDED: "undecidable", SKIPPED: "skipped"}
NAMED = 5  # failures that are named, and of which a diagnosis is made
REASONS = {
    "undecidable": "in {} steps rounding is amplified until it is as large as the move: no verdict is possible there",
    "skipped": "in {} steps θ is not finite",
}


class Judged(NamedTuple):
    """n verdicts; the entries are those of the worst component."""

    verdict: NDArray[numpy.int8]
    error: Floats
    tolerance: Floats
    wrong: NDArray[numpy.int64]  # the first wrong inner iterate, or −1
    spread: Floats  # tolerance of θ_{t+1} to first order, (n, d)
    derivative: Floats  # DΦ, (n, d, d); empty where it is not known

    @property
    def ratio(self) -> Floats:
        """Errors in tolerances."""
        return numpy.where(self.error == 0, 0.0, self.error / self.tolerance)


@dataclass
class TrajectoryReport(Report):
    """The verdict on a recorded run.

    Attributes
    ----------
    steps : int
        Number of steps in the recording.
    first_wrong : int or None
        The first wrong step, counted from 0: the step from θ_t is step t.
    horizon : int or None
        Number of steps after which two right ports must still agree, to first order; None where it is not known.
    horizon_reached : bool
        Whether the recording goes on beyond its horizon.

    Examples
    --------
    >>> from rbo_ref.oracle import check_trajectory
    >>> report = check_trajectory([[1.0], [0.75]], "paraboloid", learning_rate=0.5, radius=1.0, projection_rate=0.125,
    ...                           projection_steps=1)
    >>> report.steps, report.first_wrong
    (1, 0)
    """

    steps: int = 0
    first_wrong: int | None = None
    horizon: int | None = None
    horizon_reached: bool = False

    def to_json(self) -> str:
        own = {name: getattr(self, name) for name in ("steps", "first_wrong", "horizon", "horizon_reached")}
        return json.dumps(json.loads(super().to_json()) | own, indent=1)

    def headline(self) -> str:
        setting = f"{self.dtype}, dialect {self.dialect}; {self.steps} steps in {self.seconds:.1f} s"
        return f"{self.verdict}: {self.port} ({setting})"

    def table(self) -> list[str]:
        shares = ", ".join(f"{self.counts[name]} {name}" for name in ("pass", "fail", "undecidable", "skipped"))
        lines = [f"steps: {shares}"]
        if worst := [r for r in self.results if r.verdict == "pass"]:
            lines.append(f"nearest to its tolerance of those that pass: {worst[0].id}, {worst[0].ratio:.3g} of it")
        if self.horizon is not None and self.horizon_reached:
            lines.append(f"horizon: two right ports must agree up to step {self.horizon}; beyond they need not")
        elif self.horizon is not None:
            lines.append(f"horizon: not reached, two right ports must agree in all {self.horizon} steps")
        return lines
