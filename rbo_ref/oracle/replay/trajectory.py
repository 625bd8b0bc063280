"""`check_trajectory`: was every step of a recorded run right?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from geometry._namespace import array_namespace
from geometry.arithmetic.formats import format_of
from geometry.arithmetic.rounded import GENERATORS
from rbo_ref.oracle.calls import Outcome
from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.diagnosis import diagnose
from rbo_ref.oracle.dialects import ROLLING_BALL, dialect_of, optimizer_of
from rbo_ref.oracle.formulas import formula_of
from rbo_ref.oracle.judge import Run, replay
from rbo_ref.oracle.playing import Taken
from rbo_ref.oracle.replay.files import open_recording
from rbo_ref.oracle.replay.horizon import Horizon
from rbo_ref.oracle.replay.judging import FAIL, PASS, SKIPPED, UNDECIDED, Judged, judge_iterates, judge_steps
from rbo_ref.oracle.replay.maps import Hypers, Map
from rbo_ref.oracle.replay.recording import HYPERS, Piece, Recording, RecordingError
from rbo_ref.oracle.replay.sequential import judge_sequence
from rbo_ref.oracle.replay.surfaces import surface_of
from rbo_ref.oracle.replay.verdict import NAMED, REASONS, TrajectoryReport
from rbo_ref.oracle.report import Result
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.step_formats import Formats

__all__ = ["Question", "check_trajectory", "run_of"]

Floats = NDArray[numpy.float64]
VERDICTS = {PASS: "pass", FAIL: "fail", UNDECIDED: "undecidable", SKIPPED: "skipped"}
EARLY = 6  # a mistake of memory shows in the first steps
STEPS_AT_ONCE = 512
NUMBERS_AT_ONCE = 2**19  # in the generators of the steps that are judged together
LARGEST_DIMENSION = 2000  # of which Hessians are made
MOST_ITERATIONS = 10_000


@dataclass(frozen=True)
class Question:
    """A recording with all that it takes to judge it."""

    name: str
    recording: Recording
    rule: Map
    shared: dict[str, Any]  # hyper-parameters: numbers for all steps, or arrays of one for each

    @property
    def shows_iterates(self) -> bool:
        """Whether inner iterations can be judged one by one."""
        return self.rule.surface is None or "inner" in self.recording.shapes

    def hypers(self, piece: Piece) -> Hypers:
        """The hyper-parameters of the steps of a piece."""
        found = {}
        for name in HYPERS:
            value = _real(name, self.shared[name] if name in self.shared else piece.fields[name])
            if name in self.shared and value.ndim:
                value = value[piece.first : piece.first + len(piece)]
            if value.ndim and len(value) != len(piece):
                raise ValueError(
                    f"{name} must have one number for each step; they end after step {piece.first + len(value) - 1}"
                )
            found[name] = numpy.broadcast_to(value, (len(piece),))
        return _checked(found, piece, self.recording.shapes.get("inner", (numpy.inf,))[0])

    def pieces(self) -> Iterator[tuple[Piece, Hypers]]:
        """The steps with their hyper-parameters, as many at once as memory should hold."""
        row = sum(prod(shape) for shape in self.recording.shapes.values())
        for piece in self.recording.pieces(max(1, min(STEPS_AT_ONCE, NUMBERS_AT_ONCE // row))):
            hyper = self.hypers(piece)
            iterations = 1 if self.shows_iterates else int(hyper.projection_steps.max())
            d = self.recording.dimension
            generators = 1 if self.rule.surface is None else 2 * d + min(d * iterations, GENERATORS)
            size = max(1, NUMBERS_AT_ONCE // (d * generators))
            for start in range(0, len(piece), size):
                yield piece.part(start, start + size), hyper.take(slice(start, start + size))


def _real(name: str, value: Any) -> Floats:
    try:
        return numpy.asarray(value, dtype=float)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{name} must be a real number, or one for each step, got {str(value)[:60]}") from error


def _checked(found: dict[str, Floats], piece: Piece, room: float) -> Hypers:
    """Hyper-parameters, if they can be some."""
    for name, numbers in found.items():
        low = 0 if name in ("radius", "projection_steps") else -numpy.inf
        wrong = numpy.flatnonzero(~(numpy.isfinite(numbers) & (numbers >= low)))
        if len(wrong):
            expected = "finite" if low else "finite and not negative"
            raise ValueError(f"{name} must be {expected}, got {numbers[wrong[0]]} in step {piece.first + wrong[0]}")
    counts = found["projection_steps"]
    if (counts != numpy.rint(counts)).any() or (counts > min(room, MOST_ITERATIONS)).any():
        limit = f"at most {min(room, MOST_ITERATIONS):g}" + ", as many as inner iterates" * (room < MOST_ITERATIONS)
        raise ValueError(f"projection_steps must be integers, {limit}, got {counts.max():g}")
    return Hypers(found[HYPERS[0]], found[HYPERS[1]], found[HYPERS[2]], counts.astype(numpy.int64))


def run_of(theta: Any, loss: Any = None, *, dtype: str | None = None, dialect: Any = None, **hypers: Any) -> Question:
    """What is to be judged: a recording, completed by the arguments that are not None.

    Examples
    --------
    >>> run_of([[1.0], [0.75]], "sine", learning_rate=0.5, radius=1, projection_rate=0.25, projection_steps=1).shared
    {'learning_rate': 0.5, 'radius': 1, 'projection_rate': 0.25, 'projection_steps': 1}
    """
    if isinstance(theta, str | Path):
        theta = open_recording(theta)
    recording = theta if isinstance(theta, Recording) else Recording(theta, dtype=dtype)
    if dtype is not None and isinstance(theta, Recording):
        metadata = {**theta.metadata, "dtype": format_of(dtype).name}
        recording = Recording.of_rows(metadata, theta.shapes, theta.raw_rows, theta.name)
    metadata = recording.metadata
    loss = metadata.get("loss") if loss is None else loss
    shared = {key: metadata[key] for key in HYPERS if key in metadata and key not in recording.shapes}
    shared |= {
        key: value if numpy.ndim(value) == 0 else numpy.asarray(value)
        for key, value in hypers.items()
        if value is not None
    }
    if missing := [key for key in HYPERS if key not in shared and key not in recording.shapes]:
        raise RecordingError(
            f"{recording.name} does not say its {', '.join(missing)}: give {'it' if len(missing) == 1 else 'them'}"
        )
    surface = None if loss is None else surface_of(loss)
    formula: Any = formula_of(ROLLING_BALL, dialect_of(metadata.get("dialect") if dialect is None else dialect))
    if surface is None:
        _check_script(recording, shared, formula.begins)
    else:
        _check_dimension(surface, recording.dimension)
    return Question(
        str(metadata.get("port", recording.name)), recording, Map(surface, formula, recording.target), shared
    )


def _check_script(recording: Recording, shared: dict[str, Any], start: str) -> None:
    """Raise unless the recording says what Algorithm 1 asks of a loss that is not given."""
    wanted = {"value", "gradient"}
    if start == "candidate" or numpy.max(shared.get("projection_steps", 2)) > 1:
        wanted |= {"inner", "inner_value", "inner_gradient"}
    if missing := [name for name in sorted(wanted) if name not in recording.shapes]:
        raise RecordingError(
            f"without a loss, the recording must hold {', '.join(sorted(wanted))}; {', '.join(missing)} missing"
        )


def _check_dimension(surface: Any, d: int) -> None:
    if d > LARGEST_DIMENSION:
        raise ValueError(
            f"theta has {d} entries, and tolerances rest on Hessians, which are made for at most {LARGEST_DIMENSION}: "
            "judge a recording of values and gradients without a loss"
        )
    try:
        surface.graph.value_and_gradient(numpy.zeros((1, d)))
        if not surface.graph.has_second_order(numpy.zeros((1, d))):
            surface.graph.hessian(numpy.zeros((1, d)))  # says why
    except (ValueError, TypeError, IndexError) as error:
        raise ValueError(f"the loss does not take theta of {d} entries: {error}") from error


def check_trajectory(
    theta: Any,
    loss: Any = None,
    *,
    learning_rate: Any = None,
    radius: Any = None,
    projection_rate: Any = None,
    projection_steps: Any = None,
    optimizer: str | None = None,
    draws: Any = None,
    dtype: str | None = None,
    dialect: str | None = None,
    diagnosis: bool = True,
    progress: Callable[[int], Any] | None = None,
    **others: Any,
) -> TrajectoryReport:
    """Judge every step of a recorded run by itself, so that a right port passes however chaotic its orbit is.

    Parameters
    ----------
    theta : array (T + 1, d), Recording, or path of a recording
        θ_0, ..., θ_T, in the dtype that they were computed in.
    loss : str, FunctionGraph or Loss, optional
        What the ball rolled on: the name of a landscape or the id of a case, or a ``FunctionGraph(value)`` of a
        function in the array API standard, with constants in float64. None: a recording that holds the
        values and gradients that the port was given is judged by these, whatever they came from.
    learning_rate, radius, projection_rate, projection_steps : float, int or array (T,), optional
        Hyper-parameters of all steps, or of each; default: those of the recording.
    optimizer : str, optional
        What took the steps, as for `check`; default: that of the recording, or the rolling ball. Any other one needs a
        loss, has its hyper-parameters by name, in arrays of one for each step where they change, and parameters of any
        shape.
    draws : array (T, ...), optional
        The random numbers of an optimizer that draws some.
    dtype : str, optional
        The format that the port computed in: "float16", "bfloat16", "float32" or "float64"; default: that of `theta`.
    dialect : str, optional
        Which reading of the paper the port claims, see `DIALECTS`; default: that of the recording, or "authors".
    diagnosis : bool
        Whether to compare wrong steps with the known mistakes.
    progress : callable, optional
        Called with the number of steps done.

    Returns
    -------
    TrajectoryReport
        With the first wrong steps, the step nearest to its tolerance, and counts of all.

    Raises
    ------
    TypeError, ValueError
        For wrong arguments, and for a recording that cannot be read.

    Notes
    -----
    The defect e_t = θ_{t+1} − Φ(θ_t) of every step is held to a bound of what rounding can do in that step. Φ is
    computed in wider numbers than those of the recording, with a bound of its own error; where that does not decide, in
    ball arithmetic. A port is taken to evaluate the formula of a landscape in its format, and rounding in the formula
    is allowed for; the loss of a case is served correctly rounded.

    A recording with inner iterates is judged iteration by iteration, which decides even where the inner loop is
    chaotic. Memory does not grow with the length of a recording in a file.

    Examples
    --------
    >>> from rbo_ref import RollingBall, landscapes, trajectory
    >>> from geometry import Descent
    >>> path = trajectory(RollingBall(0.1, 0.5, Descent(0.1, 5)), landscapes.sine(), [0.75], 20)
    >>> hyper = dict(learning_rate=0.1, radius=0.5, projection_rate=0.1, projection_steps=5)
    >>> check_trajectory(path.theta, "sine", **hyper).counts
    {'pass': 20, 'fail': 0, 'undecidable': 0, 'skipped': 0, 'steps': 20}
    >>> path.theta[8] += 1e-12
    >>> check_trajectory(path.theta, "sine", **hyper).first_wrong
    7
    """
    if isinstance(theta, str | Path):
        theta = open_recording(theta)
    optimizer = optimizer_of(optimizer or getattr(theta, "metadata", {}).get("optimizer", ROLLING_BALL))
    if optimizer != ROLLING_BALL:
        given = {"learning_rate": learning_rate, "radius": radius, **others}
        return judge_sequence(
            theta, loss, optimizer, given, draws, dtype=dtype, dialect=dialect, diagnosis=diagnosis, progress=progress
        )
    if others or draws is not None:
        raise TypeError(f"the rolling ball has no {', '.join(others) or 'draws'}")
    run = run_of(
        theta, loss, dtype=dtype, dialect=dialect, learning_rate=learning_rate, radius=radius,
        projection_rate=projection_rate, projection_steps=projection_steps,
    )  # fmt: skip
    began = time.perf_counter()
    tally = _Tally(run)
    for piece, hyper in run.pieces():
        judge = judge_iterates if run.shows_iterates else judge_steps
        tally.add(piece, hyper, judge(run.rule, piece, hyper))
        if progress is not None:
            progress(tally.counts["steps"])
    report = tally.report()
    if report.failures and diagnosis and run.rule.surface is not None:
        report.diagnosis = _diagnosed(run, tally)
    report.seconds = time.perf_counter() - began
    return report


class _Tally:
    """What is known of a run so far."""

    def __init__(self, run: Question) -> None:
        self.run = run
        self.counts = dict.fromkeys((*VERDICTS.values(), "steps"), 0)
        self.failures: list[Result] = []
        self.nearest: Result | None = None
        self.first_wrong: int | None = None
        self.horizon: Horizon | None = None
        self.telling: list[tuple[str, NDArray[Any], dict[str, Any], NDArray[Any]]] = []  # steps for a diagnosis

    @numpy.errstate(all="ignore")
    def add(self, piece: Piece, hyper: Hypers, judged: Judged) -> None:
        """The verdicts on a piece."""
        for code, name in VERDICTS.items():
            self.counts[name] += int(numpy.sum(judged.verdict == code))
        self.counts["steps"] += len(piece)
        wrong = numpy.flatnonzero(judged.verdict == FAIL)
        if len(wrong) and self.first_wrong is None:
            self.first_wrong = piece.first + int(wrong[0])
        for i in wrong[: NAMED - len(self.failures)]:
            self.failures.append(self._result(piece, judged, int(i)))
        right = judged.verdict == PASS
        ratios = numpy.where(right, judged.error / judged.tolerance, -1.0)
        i = int(numpy.argmax(ratios))
        if right[i] and (self.nearest is None or ratios[i] > (self.nearest.ratio or 0.0)):
            self.nearest = self._result(piece, judged, i)
        self._remember(piece, hyper, judged, wrong)
        if not self.run.shows_iterates:
            self._advance(piece, judged)

    def _result(self, piece: Piece, judged: Judged, i: int) -> Result:
        verdict, level = VERDICTS[int(judged.verdict[i])], "inner" if self.run.shows_iterates else "step"
        error, tolerance = float(judged.error[i]), float(judged.tolerance[i])
        message = ""
        if verdict == "fail":
            what = f"step {piece.first + i} is wrong"
            if judged.wrong[i] >= 0:
                what += f" from inner iterate {judged.wrong[i]} on"
            message = f"{what}: off by {error:.3g}, which is {error / tolerance:.3g} times the tolerance"
        return Result(f"step {piece.first + i}", level, verdict, error, tolerance, message)

    def _remember(self, piece: Piece, hyper: Hypers, judged: Judged, wrong: NDArray[Any]) -> None:
        """Keep the first steps, and the first wrong ones."""
        early = range(min(len(piece), EARLY)) if piece.first == 0 else range(0)
        for i in [*early, *wrong[:NAMED]]:
            if len(self.telling) < EARLY + NAMED and judged.verdict[i] in (PASS, FAIL):
                numbers = hyper.one(i)
                self.telling.append((VERDICTS[int(judged.verdict[i])], piece.theta[i], numbers, piece.theta[i + 1]))

    def _advance(self, piece: Piece, judged: Judged) -> None:
        """Follow the spread of right ports."""
        self.horizon = self.horizon or Horizon(piece.theta[0])
        for i in range(len(piece)):
            if self.horizon.is_reached:
                return
            self.horizon.add(judged.derivative[i], judged.spread[i], piece.theta[i + 1].astype(float))

    def report(self) -> TrajectoryReport:
        run, horizon = self.run, self.horizon
        results = [*self.failures, *([self.nearest] if self.nearest else [])]
        level = "inner" if run.shows_iterates else "step"
        for code, reason in REASONS.items():
            if count := self.counts[code]:
                results.append(Result(f"{count} steps", level, code, None, None, reason.format(count)))
        return TrajectoryReport(
            run.name, "numpy", run.recording.target.name, run.rule.formula.dialect, results, counts=self.counts,
            steps=self.counts["steps"], first_wrong=self.first_wrong, horizon=horizon.steps if horizon else None,
            horizon_reached=bool(horizon and horizon.is_reached),
        )  # fmt: skip


def _diagnosed(run: Question, tally: _Tally) -> Any:
    """The known mistake that the first steps, or the first wrong ones, show."""
    assert run.rule.surface is not None
    setting = Setting(array_namespace(numpy.zeros(1)), Formats(run.rule.target), run.rule.formula.dialect, 20.0)
    early, failed = tally.telling[:EARLY], [step for step in tally.telling if step[0] == "fail"]
    as_walk = any(verdict == "fail" for verdict, *_ in early)
    judged: list[tuple[Result, Run]] = []
    for group in [early] if as_walk else [[step] for step in failed]:
        hypers = tuple(numbers for _, _, numbers, _ in group)
        case = Case("recording", run.rule.surface.loss, group[0][1], hypers, "a recorded run", walk=len(group))
        played = Run(case, "walk" if as_walk else "step")
        played.taken = [Taken(place, numbers, after, Outcome(theta=after)) for _, place, numbers, after in group]
        played.verdicts = list(replay(played, setting))
        judged.append((Result("recording", played.level, "fail", None, None, ""), played))
    return diagnose(judged, setting)
