"""`check_trajectory`: was every step of a recorded run right?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

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
from rbo_ref.oracle.replay.judging import judge_iterates, judge_steps
from rbo_ref.oracle.replay.maps import NUMBERS_AT_ONCE, STEPS_AT_ONCE, Hypers, Map
from rbo_ref.oracle.replay.recording import HYPERS, Piece, Recording, RecordingError
from rbo_ref.oracle.replay.sequential import judge_sequence
from rbo_ref.oracle.replay.surfaces import surface_of
from rbo_ref.oracle.replay.tally import Tally
from rbo_ref.oracle.replay.verdict import FAIL, NAMED, PASS, Judged, TrajectoryReport
from rbo_ref.oracle.report import Result
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.step_formats import Formats

__all__ = ["Question", "check_trajectory", "run_of"]

Floats = NDArray[numpy.float64]
EARLY = 6  # a mistake of memory shows in the first steps
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
            iterations = 1 if self.shows_iterates else int(hyper["projection_steps"].max())
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
    return Hypers(found | {"projection_steps": counts.astype(numpy.int64)})


def run_of(theta: Any, loss: Any = None, *, dtype: str | None = None, dialect: Any = None, **hypers: Any) -> Question:
    """What is to be judged: a recording, completed by the arguments that are not None.

    Examples
    --------
    >>> run_of([[1.0], [0.75]], "sine", learning_rate=0.5, radius=1, projection_rate=0.25, projection_steps=1).shared
    {'learning_rate': 0.5, 'radius': 1, 'projection_rate': 0.25, 'projection_steps': 1}
    """
    if unknown := [name for name in hypers if name not in HYPERS]:
        raise TypeError(f"the rolling ball has no {', '.join(unknown)}")
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
    optimizer: str | None = None,
    draws: Any = None,
    dtype: str | None = None,
    dialect: str | None = None,
    diagnosis: bool = True,
    progress: Callable[[int], Any] | None = None,
    **hypers: Any,
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
    optimizer : str, optional
        What took the steps, as for `check`; default: that of the recording, or the rolling ball. Any other one may have
        parameters of any shape.
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
    **hypers : float, int or array (T,), optional
        Hyper-parameters of all steps, or of each, by name: those of the ball are learning_rate, radius,
        projection_rate and projection_steps; default: those of the recording.

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
        return judge_sequence(
            theta, loss, optimizer, hypers, draws, dtype=dtype, dialect=dialect, diagnosis=diagnosis, progress=progress
        )
    if draws is not None:
        raise TypeError("the rolling ball has no draws")
    run = run_of(theta, loss, dtype=dtype, dialect=dialect, **hypers)
    began = time.perf_counter()
    tally, telling = Tally("inner" if run.shows_iterates else "step"), list[_Told]()
    for piece, hyper in run.pieces():
        telling += _added(tally, run, piece, hyper)[: EARLY + NAMED - len(telling)]
        if progress is not None:
            progress(tally.counts["steps"])
    report = tally.report(run.name, run.recording.target, run.rule.formula.dialect)
    if report.failures and diagnosis and run.rule.surface is not None:
        report.diagnosis = _diagnosed(run, telling)
    report.seconds = time.perf_counter() - began
    return report


class _Told(NamedTuple):
    """A step for a diagnosis."""

    is_wrong: bool
    taken: Taken


def _added(tally: Tally, run: Question, piece: Piece, hyper: Hypers) -> list[_Told]:
    """What a piece has to tell, once its verdicts are in the tally."""
    judged = (judge_iterates if run.shows_iterates else judge_steps)(run.rule, piece, hyper)
    tally.add(piece, judged)
    return _telling(piece, hyper, judged)


def _telling(piece: Piece, hyper: Hypers, judged: Judged) -> list[_Told]:
    """The first steps of a run, and the first wrong ones."""
    wrong = judged.verdict == FAIL
    early = range(min(len(piece), EARLY)) if piece.first == 0 else range(0)
    some = [i for i in [*early, *numpy.flatnonzero(wrong)[:NAMED].tolist()] if judged.verdict[i] in (PASS, FAIL)]
    steps = [(piece.theta[i], hyper.one(i), piece.theta[i + 1], Outcome(theta=piece.theta[i + 1])) for i in some]
    return [_Told(bool(wrong[i]), Taken(*step)) for i, step in zip(some, steps, strict=True)]


def _diagnosed(run: Question, telling: list[_Told]) -> Any:
    """The known mistake that the first steps, or the first wrong ones, show."""
    assert run.rule.surface is not None
    setting = Setting(array_namespace(numpy.zeros(1)), Formats(run.rule.target), run.rule.formula.dialect, 20.0)
    early, failed = telling[:EARLY], [step for step in telling if step.is_wrong]
    as_walk = any(step.is_wrong for step in early)
    judged: list[tuple[Result, Run]] = []
    for group in [early] if as_walk else [[step] for step in failed]:
        taken = [step.taken for step in group]
        hypers = tuple(step.hyper for step in taken)
        case = Case("recording", run.rule.surface.loss, taken[0].theta, hypers, "a recorded run", walk=len(group))
        played = Run(case, "walk" if as_walk else "step", taken)
        played.verdicts = list(replay(played, setting))
        judged.append((Result("recording", played.level, "fail", None, None, ""), played))
    return diagnose(judged, setting)
