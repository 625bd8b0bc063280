"""`check_optimizer`: is this port of an optimizer right, and if not, what is wrong?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy

from geometry._namespace import library
from rbo_ref.oracle.asking import refuse_unaskable, refuse_uncalled
from rbo_ref.oracle.calls import Port
from rbo_ref.oracle.check import computing, declared, library_of, name_of, refuse, wanted_levels, watched
from rbo_ref.oracle.optimizers.cases import DIALECTS, select
from rbo_ref.oracle.optimizers.diagnosis import BFLOAT16, Judged, diagnose
from rbo_ref.oracle.optimizers.excuses import held_to_rounding
from rbo_ref.oracle.optimizers.judge import LEVELS, Setting, judge, question
from rbo_ref.oracle.optimizers.scenes import scene_of
from rbo_ref.oracle.report import Report
from rbo_ref.oracle.rounding import Format, format_of
from rbo_ref.oracle.suite import coverage

__all__ = ["INNER_DTYPES", "check_optimizer"]

INNER_DTYPES = ("bfloat16", "float32")


def check_optimizer(
    port: Port,
    optimizer: str,
    *,
    xp: Any = numpy,
    dtype: str = "float64",
    compute_dtype: str | None = None,
    dialect: str | None = None,
    levels: Iterable[str] | None = None,
    cases: Iterable[str] | str | None = None,
    inner_dtype: str | None = None,
    seed: int = 0,
    time_limit: float = 20.0,
    diagnosis: bool = True,
    progress: Callable[[int, int], Any] | None = None,
) -> Report:
    """Judge a port of an optimizer.

    Parameters
    ----------
    port : callable
        ``port(loss, theta, *, iterations, **hyper)`` → the iterates θ₁, ..., one for each of so many steps from theta:
        a list of arrays, or one array with an axis for them in front. ``loss(theta)`` → (value, gradient) is served
        by the oracle in the arrays of `xp`. Hyper-parameters have the names of the package's own optimizers. Optimizers
        that draw random numbers take them from ``draws``: for "entropy-sgd" (iterations, steps, ...) standard normal
        numbers, one for each inner step; for "alice" (iterations, ...) signs.
    optimizer : str
        "gradient-descent", "adam", "adamw", "muon", "sam", "entropy-sgd", "induced-metric" or "alice".
    xp : module or str
        The array library that the port works on: ``numpy``, ``torch``, ``jax.numpy``, ...
    dtype : "float64", "float32", "bfloat16" or "float16"
        Of theta, of the loss as it is served, and of the iterates. bfloat16 is there in PyTorch and JAX.
    compute_dtype : str, optional
        The dtype in which the port computes, if it is another one, as in `check`; a lower one excuses rounding alone.
    dialect : str, optional
        Which reading the port claims, see `DIALECTS`; default: the first.
    levels : iterable of str, optional
        Any of "step" (a single step) and "walk" (a run of several); default: both.
    cases : iterable of str, optional
        Ids of cases, or shell patterns; default: all.
    inner_dtype : "bfloat16" or "float32", optional
        The dtype in which a port of Muon orthogonalizes, if it is another one.
    seed : int
        Draws three further cases.
    time_limit : float
        Seconds that one run may take.
    diagnosis : bool
        Whether to compare a port that fails with the known mistakes.
    progress : callable, optional
        Called with (cases done, cases in all).

    Returns
    -------
    Report
        ``report.passed``, ``str(report)`` for people, ``report.to_json()`` for machines.

    Raises
    ------
    TypeError, ValueError
        For wrong arguments, and for a port that cannot be called with the arguments of a case. Whatever a port does
        once it is called is a verdict, never an exception.

    Notes
    -----
    Each step is judged from where the port stood before it, so that the first wrong step is named and no case is
    chaotic. The truth is computed in ball arithmetic, and every tolerance is a bound of what rounding can do.

    Hyper-parameters, all passed by name: "gradient-descent" learning_rate, momentum, nesterov; "adam" learning_rate,
    betas, epsilon; "adamw" these and weight_decay; "muon" learning_rate, momentum, nesterov, weight_decay, steps,
    coefficients, epsilon, θ being a matrix; "sam" learning_rate, radius, adaptive, epsilon; "entropy-sgd"
    learning_rate, steps, inner_rate, noise, averaging, scope, scoping; "induced-metric" learning_rate, variant,
    momentum, xi, beta, beta_rms, epsilon, weight_decay; "alice" learning_rate, betas, quick_steps, omega, phi, epsilon,
    hessian, glass, bounds, lowest, highest, l1, l2. A port is not handed what it has no parameter for where that
    changes nothing: no momentum of 0, no weight_decay of 0, no switch that is off. So one that lacks a switch is judged
    by the cases that do without it: plain gradient descent by ``cases="plain-*"``, SAM as in its paper, without ε and
    not adaptive, by ``cases="paper-*"``.

    Examples
    --------
    >>> def sgd(loss, theta, *, iterations, learning_rate, momentum, nesterov):
    ...     path, v = [theta], 0
    ...     for _ in range(iterations):
    ...         f, g = loss(path[-1])
    ...         v = momentum * v + g
    ...         path.append(path[-1] - learning_rate * (g + momentum * v if nesterov else v))
    ...     return path[1:]
    >>> check_optimizer(sgd, "gradient-descent", cases="*-waves10").passed
    True
    """
    chosen = select(optimizer, cases, seed)
    setting = _setting(port, optimizer, xp, dtype, compute_dtype, dialect, inner_dtype, time_limit)
    refuse_unaskable(name_of(port), port, {case.id: question(case) for case in chosen})
    wanted = wanted_levels(levels, LEVELS)
    report = Report(f"{name_of(port)} as {optimizer}", library(setting.xp), dtype, setting.dialect)
    began = time.perf_counter()
    judged: Judged = []
    for case in watched(chosen, progress):
        judged += judge(port, case, setting, wanted)
    refuse_uncalled(name_of(port), (run.outcome.problem for _, run in judged))
    played, judged = judged, held_to_rounding(port, judged, setting)
    report.results = [result for result, _ in judged]
    if report.failures and diagnosis:  # where no rounding is excused, no precision is the cause
        lies = judged is not played
        report.diagnosis = diagnose(judged, setting.undeclared) if lies else diagnose(judged, setting, port)
    report.notes = declared(setting.compute)
    report.counts = _counts(report, setting)
    report.suite, report.scene = coverage(report.results, optimizer), partial(scene_of, judged, setting)
    report.seconds = time.perf_counter() - began
    return report


def _setting(
    port: Port,
    optimizer: str,
    xp: Any,
    dtype: str,
    compute_dtype: str | None,
    dialect: str | None,
    inner_dtype: str | None,
    time_limit: float,
) -> Setting:
    refuse("port", port, dtype, time_limit)
    dialect = DIALECTS[optimizer][0] if dialect is None else dialect
    if dialect not in DIALECTS[optimizer]:
        raise ValueError(f"dialect must be one of {', '.join(DIALECTS[optimizer])}, got {dialect!r}")
    inner, compute = _inner(optimizer, inner_dtype), computing(compute_dtype, dtype)
    return Setting(library_of(xp, dtype), format_of(dtype), dialect, time_limit, compute, inner=inner)


def _inner(optimizer: str, dtype: str | None) -> Format | None:
    if dtype is None:
        return None
    if optimizer != "muon" or dtype not in INNER_DTYPES:
        raise ValueError(f"inner_dtype must be 'bfloat16' or 'float32', and is for muon, got {dtype!r} for {optimizer}")
    return BFLOAT16 if dtype == "bfloat16" else format_of(dtype)


def _counts(report: Report, setting: Setting) -> dict[str, int]:
    counts = dict.fromkeys(("pass", "fail", "undecidable", "skipped"), 0)
    for result in report.results:
        counts[result.verdict] += 1
    return {
        "results": len(report.results),
        **counts,
        "steps": setting.steps,
        "evaluations": setting.evaluations,
        "evaluations_needed": setting.needed,
    }
