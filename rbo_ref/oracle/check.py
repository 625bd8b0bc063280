"""`check`: is this port of the Rolling Ball Optimizer right, and if not, what is wrong?"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from importlib import import_module
from typing import Any

import numpy

from geometry._namespace import Namespace, array_namespace, library
from rbo_ref._words import printable
from rbo_ref.oracle.asking import refuse_unaskable, refuse_uncalled
from rbo_ref.oracle.calls import Port, attribute_of
from rbo_ref.oracle.cases import select
from rbo_ref.oracle.contraction import notes
from rbo_ref.oracle.diagnosis import diagnose
from rbo_ref.oracle.dialects import dialect_of
from rbo_ref.oracle.excuses import held_to_rounding
from rbo_ref.oracle.levels import LEVELS, Experiment, judge
from rbo_ref.oracle.report import Report, Result
from rbo_ref.oracle.rounding import FORMATS, Format, format_of
from rbo_ref.oracle.scenes import scene_of
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.suite import coverage
from rbo_ref.oracle.truth import Hyper

__all__ = ["DTYPES", "check", "computing", "declared", "library_of", "name_of", "refuse", "wanted_levels", "watched"]

DTYPES = ("float16", "bfloat16", "float32", "float64")
HINT = (
    "; an optimizer of PyTorch or Optax is wrapped first, TorchPort(...) or OptaxPort(...), and what is no rolling "
    "ball is judged by check_optimizer, or on the command line with --optimizer"
)


def check(
    step: Port,
    *,
    xp: Any = numpy,
    dtype: str = "float64",
    compute_dtype: str | None = None,
    dialect: str = "authors",
    levels: Iterable[str] | None = None,
    cases: Iterable[str] | str | None = None,
    seed: int = 0,
    time_limit: float = 20.0,
    diagnosis: bool = True,
    progress: Callable[[int, int], Any] | None = None,
) -> Report:
    """Judge a port of the Rolling Ball Optimizer.

    Parameters
    ----------
    step : callable
        ``step(loss, theta, *, learning_rate, radius, projection_rate, projection_steps)`` → the new theta, or a dict
        with "theta" and any of "normal", "tangent", "center", "candidate" (d + 1 entries, height last) and "inner" (a
        list of inner iterates). ``loss(theta)`` → (value, gradient) is served by the oracle in the arrays of `xp`;
        theta has shape (d,). A port with memory has a method ``fresh()`` that returns a port without memory of
        earlier steps.
    xp : module or str
        The array library that the port works on: ``numpy``, ``torch``, ``jax.numpy``, ...
    dtype : "float64", "float32", "bfloat16" or "float16"
        Of theta, of the loss as it is served, and of the result. bfloat16 is there in PyTorch and JAX.
    compute_dtype : str, optional
        The dtype in which the port computes, if it is another one: a lower one inside (also "tf32", the precision of
        matrix units), or a higher one, in which it also asks for the loss, so that only its result is rounded to
        `dtype`. A lower one excuses rounding alone: errors that stay the same at neighbouring places are wrong.
    dialect : str
        Which reading of the paper the port claims, see `DIALECTS`.
    levels : iterable of str, optional
        Any of "primitives", "inner", "projection", "step", "restarted", "walk"; default: all.
    cases : iterable of str, optional
        Ids of cases, or shell patterns; default: all.
    seed : int
        Draws three further cases.
    time_limit : float
        Seconds that one step may take.
    diagnosis : bool
        Whether to compare a port that fails with the known mistakes, and the bits of one that passes with those of
        fused multiply-adds.
    progress : callable, optional
        Called with (cases done, cases in all).

    Returns
    -------
    Report
        ``report.passed``, ``str(report)`` for people, ``report.to_json()`` for machines.

    Raises
    ------
    TypeError, ValueError
        For wrong arguments, and for a port that cannot be called with these. Whatever a port does once it is called is
        a verdict, never an exception.

    Notes
    -----
    The truth is computed in ball arithmetic, the loss is served correctly rounded, and every tolerance is a bound of
    what rounding can do in this case and dtype. Extra evaluations are counted, not judged.

    Examples
    --------
    >>> import numpy as np
    >>> def port(loss, theta, *, learning_rate, radius, projection_rate, projection_steps):
    ...     f, g = loss(theta)
    ...     w = np.sqrt(1 + g @ g)
    ...     x, y = theta - radius * g / w - learning_rate * g, f + radius / w - learning_rate * g @ g
    ...     for _ in range(projection_steps):
    ...         f, g = loss(theta)
    ...         theta = theta - projection_rate * ((theta - x) + (f - y) * g)
    ...     return theta
    >>> check(port, cases="waves-3d", levels=["inner", "step"]).passed
    True
    """
    setting, wanted = _setting(step, xp, dtype, compute_dtype, dialect, time_limit), wanted_levels(levels, LEVELS)
    chosen = select(cases, seed)
    report = Report(name_of(step), library(setting.xp), dtype, setting.dialect.name)
    began = time.perf_counter()
    judged: list[tuple[Result, Experiment]] = []
    for case in watched(chosen, progress):
        judged += judge(step, case, setting, wanted)
    refuse_uncalled(name_of(step), (outcome.problem for _, e in judged for *_, outcome in e.calls))
    played, judged = judged, held_to_rounding(step, judged, setting)
    report.results = [result for result, _ in judged]
    if report.failures and diagnosis:  # where no rounding is excused, no precision is the cause
        lies = judged is not played
        report.diagnosis = diagnose(judged, setting.undeclared) if lies else diagnose(judged, setting, step)
    report.notes = declared(setting.compute)
    if report.passed and diagnosis:
        report.notes += notes(judged, setting)
    report.counts = _counts(judged, setting)
    report.suite, report.scene = coverage(report.results), partial(scene_of, judged, setting)
    report.seconds = time.perf_counter() - began
    return report


def _setting(step: Port, xp: Any, dtype: str, compute_dtype: str | None, dialect: str, time_limit: float) -> Setting:
    refuse("step", step, dtype, time_limit)
    refuse_unaskable(name_of(step), step, {"the rolling ball": dict.fromkeys(Hyper._fields)}, HINT)
    compute = computing(compute_dtype, dtype)
    return Setting(library_of(xp, dtype), format_of(dtype), dialect_of(dialect), time_limit, compute)


def declared(compute: Format | None) -> list[str]:
    """What the report says about the format that a port declares to compute in."""
    return [f"judged as a port that computes in {compute.name}, as it declares"] if compute else []


def computing(compute_dtype: str | None, dtype: str) -> Format | None:
    """The format that a port declares to compute in, if it is not that of its arrays."""
    if compute_dtype is None or compute_dtype == dtype:
        return None
    if compute_dtype not in FORMATS:
        raise ValueError(f"compute_dtype must be one of {', '.join(FORMATS)}, got {compute_dtype!r}")
    return format_of(compute_dtype)


def library_of(xp: Any, dtype: str) -> Namespace:
    """The array namespace of a module or its name, once it has proved that it can hold the dtype."""
    if isinstance(xp, str):
        xp = import_module("jax.numpy" if xp == "jax" else xp)
    try:
        namespace = array_namespace(xp.asarray(numpy.zeros(1, dtype="float32")))
    except (AttributeError, TypeError) as error:
        raise TypeError(f"xp must be an array library, got {xp!r}") from error
    if not hasattr(namespace, dtype):
        there = "PyTorch and JAX have" if dtype == "bfloat16" else "NumPy, CuPy, PyTorch and JAX have"
        raise ValueError(f"{library(namespace)} has no {dtype}; {there}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # JAX says in one what we say below
        probe = xp.asarray(numpy.zeros(1, dtype="float32"), dtype=getattr(namespace, dtype))
    if str(probe.dtype).rpartition(".")[2] != dtype:
        hint = "; call jax.config.update('jax_enable_x64', True) first" if "jax" in namespace.__name__ else ""
        raise ValueError(f"{library(namespace)} turns {dtype} into {probe.dtype}{hint}")
    return namespace


def refuse(name: str, port: Any, dtype: str, time_limit: float) -> None:
    """Raise unless these are arguments of a check."""
    if not callable(port):
        raise TypeError(f"{name} must be callable, got {type(port).__name__}")
    if dtype not in DTYPES:
        raise ValueError(f"dtype must be one of {', '.join(DTYPES)}, got {dtype!r}")
    if not time_limit > 0:
        raise ValueError(f"time_limit must be positive, got {time_limit}")


def watched(cases: Sequence[Any], progress: Callable[[int, int], Any] | None) -> Iterator[Any]:
    """The cases, one after the other; `progress` is called with (cases done, cases in all)."""
    for done, case in enumerate(cases):
        if progress is not None:
            progress(done, len(cases))
        yield case
    if progress is not None:
        progress(len(cases), len(cases))


def wanted_levels(levels: Iterable[str] | str | None, known: tuple[str, ...]) -> tuple[str, ...]:
    """The levels asked for; all that are known for None."""
    wanted = known if levels is None else (levels,) if isinstance(levels, str) else tuple(levels)
    for level in wanted:
        if level not in known:
            raise ValueError(f"levels must be among {', '.join(known)}, got {level!r}")
    return wanted


def name_of(step: Any) -> str:
    """What a port is called."""
    named = attribute_of(step, "__qualname__", None) or attribute_of(step, "name", None)
    return printable(named or type(step).__qualname__)


def _counts(judged: list[tuple[Result, Experiment]], setting: Setting) -> dict[str, int]:
    counts = dict.fromkeys(("pass", "fail", "undecidable", "skipped"), 0)
    for result, _ in judged:
        counts[result.verdict] += 1
    experiments = {id(e): e for _, e in judged}.values()
    needed = sum(1 + hyper.projection_steps for e in experiments for _, hyper, o in e.calls if o.theta is not None)
    return {
        "results": len(judged),
        **counts,
        "steps": setting.steps,
        "evaluations": setting.evaluations,
        "evaluations_needed": needed,
    }
