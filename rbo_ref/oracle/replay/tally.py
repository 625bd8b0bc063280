"""What is known of a recorded run so far."""

from __future__ import annotations

import numpy

from geometry.arithmetic.formats import Format
from rbo_ref.oracle.replay.horizon import Horizon
from rbo_ref.oracle.replay.recording import Piece
from rbo_ref.oracle.replay.verdict import FAIL, NAMED, PASS, REASONS, VERDICTS, Judged, TrajectoryReport
from rbo_ref.oracle.report import Result

__all__ = ["Tally"]


class Tally:
    """Counts of all steps, the first wrong ones, the one nearest to its tolerance, and the spread of right ports.

    Parameters
    ----------
    level : str
        "step", or "inner" where inner iterates are judged.
    """

    def __init__(self, level: str) -> None:
        self.level = level
        self.counts = dict.fromkeys((*VERDICTS.values(), "steps"), 0)
        self.failures: list[Result] = []
        self.nearest: Result | None = None
        self.first_wrong: int | None = None
        self.horizon: Horizon | None = None

    @numpy.errstate(all="ignore")
    def add(self, piece: Piece, judged: Judged) -> None:
        """The verdicts on a piece."""
        for code, name in VERDICTS.items():
            self.counts[name] += int(numpy.sum(judged.verdict == code))
        self.counts["steps"] += len(piece)
        wrong = numpy.flatnonzero(judged.verdict == FAIL)
        if len(wrong) and self.first_wrong is None:
            self.first_wrong = piece.first + int(wrong[0])
        self.failures += [self._result(piece, judged, int(i)) for i in wrong[: NAMED - len(self.failures)]]
        right = judged.verdict == PASS
        ratios = numpy.where(right, judged.ratio, -1.0)
        i = int(numpy.argmax(ratios))
        if right[i] and (self.nearest is None or ratios[i] > (self.nearest.ratio or 0.0)):
            self.nearest = self._result(piece, judged, i)
        if judged.derivative.size:
            self._advance(piece, judged)

    def _result(self, piece: Piece, judged: Judged, i: int) -> Result:
        verdict, error, tolerance = VERDICTS[int(judged.verdict[i])], judged.error[i], judged.tolerance[i]
        message = ""
        if verdict == "fail":
            what = f"step {piece.first + i} is wrong"
            if judged.wrong[i] >= 0:
                what += f" from inner iterate {judged.wrong[i]} on"
            message = f"{what}: off by {error:.3g}, which is {error / tolerance:.3g} times the tolerance"
        return Result(f"step {piece.first + i}", self.level, verdict, float(error), float(tolerance), message)

    def _advance(self, piece: Piece, judged: Judged) -> None:
        """Follow the spread of right ports."""
        self.horizon = self.horizon or Horizon(piece.theta[0])
        for flow, spread, after in zip(judged.derivative, judged.spread, piece.theta[1:], strict=True):
            if self.horizon.is_reached:
                return
            self.horizon.add(flow, spread, after.astype(float))

    def skip(self, steps: int) -> None:
        """Steps that are not judged."""
        self.counts["skipped"] += steps
        self.counts["steps"] += steps

    def report(self, name: str, target: Format, dialect: str) -> TrajectoryReport:
        horizon, nearest = self.horizon, [self.nearest] if self.nearest else []
        undone = [
            Result(f"{self.counts[kind]} steps", self.level, kind, None, None, reason.format(self.counts[kind]))
            for kind, reason in REASONS.items()
            if self.counts[kind]
        ]
        return TrajectoryReport(
            name, "numpy", target.name, dialect, [*self.failures, *nearest, *undone], counts=self.counts,
            steps=self.counts["steps"], first_wrong=self.first_wrong, horizon=horizon.steps if horizon else None,
            horizon_reached=bool(horizon and horizon.is_reached),
        )  # fmt: skip
