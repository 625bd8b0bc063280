"""Judging the runs of a port, each step from where the port itself stood."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, Self

import numpy
from numpy.typing import NDArray

from geometry._namespace import Array, Namespace, to_numpy
from rbo_ref.oracle.asking import asked
from rbo_ref.oracle.calls import Outcome, Port, called, fresh, misfit
from rbo_ref.oracle.optimizers.cases import Case
from rbo_ref.oracle.optimizers.rounded import PRECISION, Arithmetic, Rounded
from rbo_ref.oracle.optimizers.truth import FORMULAS, Problem, hyper_parameters
from rbo_ref.oracle.precision import working_precision
from rbo_ref.oracle.report import Result
from rbo_ref.oracle.rounding import Format, rounded
from rbo_ref.oracle.setting import Setting as AnySetting
from rbo_ref.oracle.tolerance import UNDECIDABLE, handing_over, share_of
from rbo_ref.oracle.truth import error_of

__all__ = ["LEVELS", "Run", "Setting", "TrueStep", "Verdict", "judge", "play", "question", "replay", "true_steps"]

LEVELS = ("step", "walk")
FURTHER = 1  # steps that are judged after the first wrong one, for the diagnosis


@dataclass
class Setting(AnySetting):
    """What all calls of one check share."""

    inner: Format | None = None  # the format of Muon's orthogonalization, if it is another one
    needed: int = 0  # evaluations

    @property
    def excuse(self) -> str:
        lower = self.inner is not None and self.inner.precision < self.target.precision
        return super().excuse or (f"inner_dtype={self.inner.name!r}" if self.inner and lower else "")

    @property
    def undeclared(self) -> Self:
        return replace(super().undeclared, inner=None)


@dataclass(frozen=True)
class Verdict:
    """One step: how far from the truth, how far rounding may lead, and how far the truth moved."""

    errors: NDArray[numpy.float64]
    tolerances: NDArray[numpy.float64]
    move: float
    decidable: bool

    @property
    def worst(self) -> tuple[float, float]:
        """Error and tolerance of the worst entry."""
        with numpy.errstate(all="ignore"):
            entry = int(numpy.argmax(numpy.where(self.errors == 0, 0.0, self.errors / self.tolerances)))
        return float(self.errors.reshape(-1)[entry]), float(self.tolerances.reshape(-1)[entry])

    @cached_property
    def ratio(self) -> float:
        """The worst error in tolerances; NaN where nothing can be said."""
        if not self.decidable:
            return numpy.nan
        error, tolerance = self.worst
        return error / tolerance if error else 0.0


@dataclass
class Run:
    """A run of a port, as it went."""

    case: Case
    level: str
    length: int
    outcome: Outcome
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def wrong(self) -> int | None:
        """Index of the first wrong step."""
        return next((t for t, v in enumerate(self.verdicts) if v.decidable and v.ratio > 1), None)


def question(case: Case) -> dict[str, Any]:
    """The arguments of a port in a case, by name."""
    draws = {} if case.draws is None else {"draws": case.draws}
    return {"iterations": case.length, **case.hyper, **draws}


def play(port: Port, case: Case, length: int, setting: Setting) -> Outcome:
    """So many steps of a port."""
    arguments = asked(port, question(case) | {"iterations": length})
    if case.draws is not None:
        arguments["draws"] = setting.array(case.draws[:length])

    def read(result: Any, theta: Array, xp: Namespace) -> Outcome:
        return _read(result, theta, xp, length)

    def run() -> Outcome:
        start = setting.array(case.start(setting.target))
        return called(fresh(port), case.loss, start, arguments, setting.time_limit, read)

    return setting.count(length, run)


def _read(result: Any, theta: Array, xp: Namespace, length: int) -> Outcome:
    """The iterates: a list of so many arrays, or one array with an axis for them."""
    if not isinstance(result, list | tuple):
        problem = misfit("iterates", result, theta, (length, *theta.shape), xp)
        if problem is not None:
            return Outcome(problem=f"{problem}, or a list of {length}")
        result = [result[t, ...] for t in range(length)]
    if len(result) != length:
        return Outcome(problem=f"returned {len(result)} iterates, expected {length}")
    problems = [misfit(f"iterate {t}", x, theta, tuple(theta.shape), xp) for t, x in enumerate(result, 1)]
    problem = next(filter(None, problems), None)
    return Outcome(problem=problem) if problem else Outcome(iterates=[to_numpy(x) for x in result])


class TrueStep(NamedTuple):
    """Where a step leads, how far rounding may lead from there, and the evaluations that it took from the start."""

    theta: Rounded
    evaluations: int


def true_steps(case: Case, setting: Setting) -> Generator[TrueStep, NDArray[Any], None]:
    """The true steps of a run; sent where the port went, it yields the next one."""
    arithmetic = Arithmetic(setting.inside)
    draws = case.draws if case.draws is None else rounded(case.draws, setting.coarsest)
    with working_precision(PRECISION), numpy.errstate(all="ignore"):
        problem = Problem(arithmetic, case.loss, draws, setting.inner)
        start, hyper = arithmetic.exact(case.start(setting.target)), hyper_parameters(arithmetic, case.hyper)
        if setting.inside == setting.coarsest:
            start = _held(start, setting)
        walk = FORMULAS[case.optimizer](problem, start, hyper, setting.dialect)
        theta = next(walk)
    while True:
        here = yield TrueStep(theta, arithmetic.evaluations)
        with working_precision(PRECISION), numpy.errstate(all="ignore"):
            theta = walk.send(_held(arithmetic.exact(here), setting))


def _held(theta: Rounded, setting: Setting) -> Rounded:
    """θ as a port that computes in another format holds it: rounded to a coarser one, or not yet rounded."""
    if setting.compute is None:
        return theta
    with theta.arithmetic.within(setting.coarsest):
        return theta.again()


@lru_cache(maxsize=1024)
def _first_step(
    case: Case, target: Format, dialect: str, inner: Format | None, compute: Format | None = None
) -> TrueStep:
    """The first step is the same for all ports."""
    return next(true_steps(case, Setting(numpy, target, dialect, 0.0, compute, inner=inner)))


def replay(case: Case, iterates: list[NDArray[Any]], setting: Setting) -> Iterator[tuple[Verdict, int]]:
    """The verdict on each step of a run, from where the run stood, with the evaluations that it takes.

    Ends where the run is no longer finite.
    """
    step = _first_step(case, setting.target, setting.dialect, setting.inner, setting.compute)
    steps = true_steps(case, setting)
    here, before = case.start(setting.target), 0
    for number, there in enumerate(iterates, 1):
        if number > 1:
            if number == 2:
                next(steps)  # the first one again, which most runs do not need
            step = steps.send(here)
        yield _verdict(here, there, step.theta, setting), step.evaluations - before
        if not numpy.isfinite(there).all():
            return
        here, before = there, step.evaluations


def _verdict(here: NDArray[Any], there: NDArray[Any], truth: Rounded, setting: Setting) -> Verdict:
    old, new, balls = here.astype(float), truth.middle, list(truth.value.reshape(-1))
    with numpy.errstate(all="ignore"):
        doubt = numpy.array([float(ball.rad()) for ball in balls]).reshape(there.shape)
        tolerances = truth.radius + handing_over(old, new, setting.coarsest) + 2 * doubt
        move = float(numpy.abs(new - old).max())
    errors = error_of(there, balls).reshape(there.shape)
    share = UNDECIDABLE if setting.inner else share_of(setting.coarsest)
    small = move == 0 or tolerances.max() <= share * move or (errors > tolerances).any()
    return Verdict(errors, tolerances, move, bool(numpy.isfinite(tolerances).all() and small))


def judge(port: Port, case: Case, setting: Setting, levels: tuple[str, ...]) -> Iterator[tuple[Result, Run]]:
    """The results of one case: of a single step, and of a longer run."""
    for level in levels:
        length = 1 if level == "step" else case.length
        run = Run(case, level, length, play(port, case, length, setting))
        if run.outcome.problem is not None:
            kind = "skipped" if run.outcome.skipped else "fail"
            yield Result(case.id, level, kind, None, None, run.outcome.problem, run.outcome.skipped), run
            continue
        for verdict, evaluations in replay(case, run.outcome.iterates, setting):
            run.verdicts.append(verdict)
            setting.needed += evaluations
            if run.wrong is not None and len(run.verdicts) > run.wrong + FURTHER:
                break
        yield _result(run), run


def _result(run: Run) -> Result:
    """The first wrong step; or the worst of those that can be judged; or none."""
    case, level = run.case, run.level

    def result(kind: str, verdict: Verdict, message: str) -> Result:
        return Result(case.id, level, kind, *verdict.worst, message)

    if run.wrong is not None:
        verdict = run.verdicts[run.wrong]
        off = (
            f"off by {verdict.ratio:.3g} times the tolerance"
            if numpy.isfinite(verdict.errors).all()
            else "it is NaN or infinite"
        )
        return result("fail", verdict, f"step {run.wrong + 1} of {run.length} is wrong: {off}")
    moving = [v for v in run.verdicts if v.move > 0] or run.verdicts
    judged = [v for v in moving if v.decidable]
    if not judged:
        message = "rounding is amplified until it is as large as the move: no verdict is possible here"
        return result("undecidable", run.verdicts[-1], message)
    return result("pass", max(judged, key=lambda v: v.ratio), "")
