"""`compare_trajectories`: do two recorded runs agree, point by point as far as they must, then in distribution?"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from rbo_ref.oracle.replay.distribution import compare_samples, memory
from rbo_ref.oracle.replay.horizon import Horizon
from rbo_ref.oracle.replay.recording import HYPERS, RecordingError
from rbo_ref.oracle.replay.trajectory import Question, run_of
from rbo_ref.oracle.report import Report, Result

__all__ = ["LEVEL", "ComparisonReport", "compare_trajectories"]

Floats = NDArray[numpy.float64]
LEVEL = 0.01  # probability that two right runs are told apart in distribution
SAMPLE = 1000  # points of each orbit that are compared, at most
BLOCKS = 10, 40  # of each orbit, fewest and most
MEMORIES = 5.0  # length of a block in autocorrelation times


class ComparisonReport(Report):
    """Whether two recorded runs agree.

    Examples
    --------
    >>> agree = Result("agreement", "agreement", "pass", 0.0, 1e-12, "they agree in all 20 steps, as they must")
    >>> print(ComparisonReport("a.npz and b.npz", "numpy", "float64", "authors", [agree]))
    RIGHT: a.npz and b.npz (float64, dialect authors; 0.0 s)
    agreement: pass, they agree in all 20 steps, as they must
    """

    def __str__(self) -> str:
        head = f"{self.verdict}: {self.port} ({self.dtype}, dialect {self.dialect}; {self.seconds:.1f} s)"
        return "\n".join([head, *(f"{r.id}: {r.verdict}, {r.message}" for r in self.results)])


def compare_trajectories(
    one: Any,
    other: Any,
    loss: Any = None,
    *,
    dialect: str | None = None,
    seed: int = 0,
    **hypers: Any,
) -> ComparisonReport:
    """Compare two recorded runs of one map.

    Up to the horizon of the first run, runs from one start must agree to within the bound of `Horizon`. Beyond it they
    need not; what they visit there, (θ, f(θ)), is then compared in distribution.

    Parameters
    ----------
    one, other : array (T + 1, d), Recording, or path of a recording
    loss, dialect, **hypers
        As in `check_trajectory`; those of the first recording hold for both.
    seed : int
        Of the permutations.

    Returns
    -------
    ComparisonReport
        With the results "agreement" and "distribution".

    Notes
    -----
    The test of distributions is that of `compare_samples` at the level 0.01, on at most 1000 points of each orbit
    beyond twice the horizon and beyond a tenth of its length. It rests on both orbits having forgotten where they
    began: runs that are caught in different valleys are told apart although both are right.

    Examples
    --------
    >>> from rbo_ref import RollingBall, landscapes, trajectory
    >>> from geometry import Descent
    >>> path = trajectory(RollingBall(0.1, 0.5, Descent(0.1, 5)), landscapes.sine(), [0.75], 20)
    >>> hyper = dict(learning_rate=0.1, radius=0.5, projection_rate=0.1, projection_steps=5)
    >>> print(compare_trajectories(path.theta, path.theta, "sine", **hyper).results[0].message)
    they agree in all 20 steps, as they must
    """
    began = time.perf_counter()
    first = run_of(one, loss, dialect=dialect, **hypers)
    given = {name: first.shared.get(name) for name in HYPERS}
    second = run_of(other, loss if loss is not None else first.recording.metadata.get("loss"), dialect=dialect, **given)
    if first.recording.dimension != second.recording.dimension:
        raise RecordingError(
            f"the recordings have {first.recording.dimension} and {second.recording.dimension} parameters"
        )
    if first.rule.surface is None:
        raise RecordingError("runs can be compared only if the loss is given")
    horizon = _horizon(first, coarsest=max(first, second, key=lambda run: run.recording.target.unit))
    results = [_agreement(first, second, horizon), _distribution(first, second, horizon, seed)]
    formats = dict.fromkeys(run.recording.target.name for run in (first, second))
    names, dialect = f"{first.name} and {second.name}", first.rule.formula.dialect
    report = ComparisonReport(names, "numpy", ", ".join(formats), dialect, results)
    report.seconds = time.perf_counter() - began
    return report


@numpy.errstate(all="ignore")
def _horizon(run: Question, coarsest: Question) -> Horizon:
    """The spread of right ports along a run, by the rounding of the coarser of two formats."""
    rule, horizon = run.rule._replace(target=coarsest.recording.target), None
    for piece, hyper in run.pieces():
        horizon = horizon or Horizon(piece.theta[0], keep=True)
        images = rule.images(piece.theta[:-1], hyper)
        for derivative, tolerance, after in zip(images.derivative, images.first, piece.theta[1:], strict=True):
            horizon.add(derivative, tolerance, after.astype(float))
        if horizon.is_reached:
            break
    if horizon is None:
        raise RecordingError("a recording must have at least one step")
    return horizon


def _agreement(first: Question, second: Question, horizon: Horizon) -> Result:
    """The runs point by point, up to the horizon."""
    t, worst = 0, (0.0, 0.0, 1.0)
    for here, there in _together(first, second):
        for a, b in zip(here, there, strict=True):
            if t == 0 and (a != b).any():
                message = "they start at different places"
                return Result("agreement", "agreement", "skipped", None, None, message)
            if t > horizon.steps:
                break
            apart, bound = numpy.abs(a - b), horizon.bounds[t]
            with numpy.errstate(divide="ignore", invalid="ignore"):
                ratio = numpy.where(apart <= bound, numpy.where(bound > 0, apart / bound, 0.0), numpy.inf)
            i = int(numpy.argmax(ratio))
            if not ratio[i] <= 1:
                message = f"after {t} steps they are {apart[i]:.3g} apart, and right ports at most {bound[i]:.3g}"
                return Result("agreement", "agreement", "fail", float(apart[i]), float(bound[i]), message)
            worst = max(worst, (float(ratio[i]), float(apart[i]), float(bound[i])))
            t += 1
    steps = min(t - 1, horizon.steps)
    if steps == 0:
        message = "the horizon is 0: nothing can be said point by point"
        return Result("agreement", "agreement", "undecidable", None, None, message)
    beyond = f"up to step {steps}, the horizon" if horizon.is_reached else f"in all {steps} steps"
    return Result("agreement", "agreement", "pass", worst[1], worst[2], f"they agree {beyond}, as they must")


def _together(first: Question, second: Question) -> Any:
    """θ of both runs, row by row in equal pieces, as far as both go."""
    for here, there in zip(first.recording.rows(256), second.recording.rows(256), strict=False):
        n = min(len(here["theta"]), len(there["theta"]))
        yield here["theta"][:n].astype(float), there["theta"][:n].astype(float)


def _distribution(first: Question, second: Question, horizon: Horizon, seed: int) -> Result:
    """What the runs visit beyond the horizon."""
    kind = "distribution"
    if not horizon.is_reached:
        return Result(kind, kind, "skipped", None, None, "the runs end before the horizon")
    one, other = (_sample(run, 2 * horizon.steps) for run in (first, second))
    usable = min(len(one), len(other))
    if not (numpy.isfinite(one).all() and numpy.isfinite(other).all()):
        return Result(kind, kind, "undecidable", None, None, "a run leaves the finite numbers")
    blocks = int(min(usable / (MEMORIES * max(memory(one), memory(other), 1.0)), BLOCKS[1])) if usable else 0
    if blocks < BLOCKS[0]:
        message = f"beyond the horizon there are only {blocks} stretches longer than the orbits' memory"
        return Result(kind, kind, "undecidable", None, None, message)
    found = compare_samples(one, other, blocks=blocks, seed=seed)
    message = f"energy distance {found.distance:.3g}, p = {found.p_value:.3g} from permutations of {blocks} blocks each"
    if found.p_value > LEVEL:
        return Result(kind, kind, "pass", None, None, message)
    message += f"; two right runs differ as much in less than {LEVEL:.0%} of all comparisons"
    return Result(kind, kind, "fail", None, None, message)


class _Thinned(NamedTuple):
    """Every `stride`-th of the points so far."""

    points: list[Floats]
    stride: int


def _sample(run: Question, skip: int) -> Floats:
    """(θ_t, f(θ_t)) at equal distances in time after the first tenth and after `skip`: at most `SAMPLE` points."""
    kept, t = _Thinned([], 1), 0
    for rows in run.recording.rows(256):
        for theta in rows["theta"].astype(float):
            if t % kept.stride == 0:
                kept.points.append(theta)
            t += 1
            if len(kept.points) >= 4 * SAMPLE:
                kept = _Thinned(kept.points[::2], 2 * kept.stride)
    start = -(-max(skip, t // 10) // kept.stride)
    points = numpy.array(kept.points[start:])
    points = points[:: max(1, -(-len(points) // SAMPLE))]
    if not len(points):
        return numpy.empty((0, 1))
    assert run.rule.surface is not None
    with numpy.errstate(all="ignore"):
        height, _ = run.rule.surface.graph.value_and_gradient(points)
    return numpy.concatenate([points, height[:, None]], axis=1)
