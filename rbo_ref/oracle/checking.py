"""`check`: is this port of an optimizer right, and if not, what is wrong?"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy

from geometry._namespace import Namespace, array_namespace, device_of, library, to_numpy
from geometry.arithmetic.formats import BFLOAT16_ROUNDED_ONCE, FORMATS, Format, format_of
from rbo_ref._words import printable
from rbo_ref.oracle.adapters import Adapter
from rbo_ref.oracle.asking import acting, lacking, name_of, refuse_unaskable, refuse_uncalled, signature_of
from rbo_ref.oracle.calls import Port, attribute_of
from rbo_ref.oracle.cases import all_cases, select
from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.contraction import notes
from rbo_ref.oracle.diagnosis import diagnose, observed
from rbo_ref.oracle.dialects import ROLLING_BALL, dialect_of, optimizer_of
from rbo_ref.oracle.excuses import held_to_rounding
from rbo_ref.oracle.groups import in_groups, rates_ignored
from rbo_ref.oracle.judge import Run, judge, levels_of
from rbo_ref.oracle.playing import question
from rbo_ref.oracle.recognition import as_port
from rbo_ref.oracle.report import Report, Result
from rbo_ref.oracle.scenes import scene_of
from rbo_ref.oracle.setting import COMPILING, Setting
from rbo_ref.oracle.step_formats import Formats
from rbo_ref.oracle.suite import coverage
from rbo_ref.oracle.time_limit import within

__all__ = ["DTYPES", "INNER_DTYPES", "check", "check_optimizer", "library_of", "wanted_levels"]

DTYPES = ("float16", "bfloat16", "float32", "float64")
INNER_DTYPES = ("bfloat16", "float32")
HINT = "; what is no rolling ball is judged with optimizer=, or on the command line --optimizer"


def check(
    port: Port,
    *,
    optimizer: str = ROLLING_BALL,
    xp: Any = None,
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
        ``port(loss, theta, **hyper)`` → the new theta, one step in each call; or a dict with "theta" and, of the
        rolling ball, any of "normal", "tangent", "center", "candidate" (d + 1 entries, height last) and "inner" (a list
        of inner iterates). Or ``port(loss, theta, *, iterations, **hyper)`` → the iterates θ₁, ..., one for each of so
        many steps from theta: a list of arrays, or one array with an axis for them in front. ``loss(theta)`` → (value,
        gradient) is served by the oracle in the arrays of `xp`. A port with memory has a method ``fresh()`` that
        returns a port without memory of earlier steps. Optimizers that draw random numbers take them from ``draws``:
        for "entropy-sgd" (iterations, steps, ...) standard normal numbers, one for each inner step; for "alice"
        (iterations, ...) signs; without the first axis where they take one step. A class or a factory of optimizers of
        PyTorch or Optax is taken as it is, see `as_port`.
    optimizer : str
        "rolling-ball", "gradient-descent" (also called "sgd"), "adam", "adamw", "muon", "sam", "entropy-sgd",
        "induced-metric", "alice", "rmsprop", "nadam" or "lion".
    xp : module or str, optional
        The array library that the port works on: ``numpy``, ``torch``, ``jax.numpy``, ...; default: what its attribute
        ``library`` says, as those of PyTorch's and Optax's optimizers do, or NumPy.
    dtype : "float64", "float32", "bfloat16" or "float16"
        Of theta, of the loss as it is served, and of the result. bfloat16 is there in PyTorch and JAX.
    compute_dtype : str, optional
        The dtype in which the port computes, if it is another one: a lower one inside (also "tf32", the precision of
        matrix units), or a higher one, in which it also asks for the loss, so that only its result is rounded to
        `dtype`. A lower one excuses rounding alone: errors that stay the same at neighbouring places are wrong.
    dialect : str, optional
        Which reading of the paper the port claims, see `DIALECTS` for the rolling ball; default: the first.
    levels : iterable of str, optional
        Any of "step" (a single step) and "walk" (a run of several), and for the rolling ball "primitives", "inner",
        "projection" and "restarted"; default: all.
    cases : iterable of str, optional
        Ids of cases, or shell patterns; default: all.
    inner_dtype : "bfloat16" or "float32", optional
        The dtype in which a port of Muon orthogonalizes, if it is another one.
    seed : int
        Draws three further cases.
    time_limit : float
        Seconds that one call of the port may take; five times as many the first call for each shape of theta, which may
        have to compile. A longer one is a failure: the port, which runs in this thread with all settings of this
        thread, is stopped by an exception at its next Python instruction or question, and in the main thread out of a
        sleep, too. What never comes back from compiled code can only be ended together with its process, as
        ``rbo-ref check`` does.
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
        For wrong arguments, and for a port that cannot be called with the arguments of a case. Whatever a port does
        once it is called is a verdict, never an exception.

    Notes
    -----
    Each step is judged from where the port stood before it, so that the first wrong step is named. The truth is
    computed in ball arithmetic, the loss is served correctly rounded, and every tolerance is a bound of what rounding
    can do in this case and dtype. Extra evaluations are counted, not judged. Of optimizers of PyTorch that move each
    number by itself there are further walks, at the level "groups", in which the second group has half the rate.

    Hyper-parameters, all passed by name: "rolling-ball" learning_rate, radius, projection_rate, projection_steps;
    "gradient-descent" learning_rate, momentum, nesterov; "adam" learning_rate, betas, epsilon; "adamw" these and
    weight_decay; "muon" learning_rate, momentum, nesterov, weight_decay, steps, coefficients, epsilon, θ being a
    matrix; "sam" learning_rate, radius, adaptive, epsilon; "entropy-sgd" learning_rate, steps, inner_rate, noise,
    averaging, scope, scoping; "induced-metric" learning_rate, variant, momentum, xi, beta, beta_rms, epsilon,
    weight_decay; "alice" learning_rate, betas, quick_steps, omega, phi, epsilon, hessian, glass, bounds, lowest,
    highest, l1, l2; "rmsprop" learning_rate, smoothing, epsilon, momentum, centered; "nadam" learning_rate, betas,
    epsilon, momentum_decay; "lion" learning_rate, betas, weight_decay. A port is not handed what it has no parameter
    for where that changes nothing: no momentum of 0, no weight_decay of 0, no switch that is off. Cases that need what
    it lacks are skipped, so that it is INCOMPLETE, unless they are not chosen: plain gradient descent is judged by
    ``cases="plain-*"``, SAM as in its paper, without ε and not adaptive, by ``cases="paper-*"``.

    Examples
    --------
    >>> import numpy as np
    >>> def ball(loss, theta, *, learning_rate, radius, projection_rate, projection_steps):
    ...     f, g = loss(theta)
    ...     w = np.sqrt(1 + g @ g)
    ...     x, y = theta - radius * g / w - learning_rate * g, f + radius / w - learning_rate * g @ g
    ...     for _ in range(projection_steps):
    ...         f, g = loss(theta)
    ...         theta = theta - projection_rate * ((theta - x) + (f - y) * g)
    ...     return theta
    >>> check(ball, cases="waves-3d", levels=["inner", "step"]).passed
    True
    >>> def sgd(loss, theta, *, iterations, learning_rate, momentum, nesterov):
    ...     path, v = [theta], 0
    ...     for _ in range(iterations):
    ...         f, g = loss(path[-1])
    ...         v = momentum * v + g
    ...         path.append(path[-1] - learning_rate * (g + momentum * v if nesterov else v))
    ...     return path[1:]
    >>> check(sgd, optimizer="gradient-descent", cases="*-waves10").passed
    True
    """
    port, optimizer = as_port(port), optimizer_of(optimizer)
    chosen, wanted = select(optimizer, cases, seed), wanted_levels(levels, optimizer)
    setting = _setting(port, optimizer, xp, dtype, compute_dtype, dialect, inner_dtype, time_limit)
    _refuse_misunderstood(port, optimizer, chosen or all_cases(optimizer), setting)
    with numpy.errstate(all="ignore"):  # those of the caller are in the setting
        return _judged(port, optimizer, _watched(chosen, progress), wanted, setting, diagnosis)


def _refuse_misunderstood(port: Port, optimizer: str, cases: Sequence[Case], setting: Setting) -> None:
    """Raise unless the port is what it is taken for, and can be called in some case of its optimizer."""
    about = ""
    if isinstance(port, Adapter):
        about = "".join(f"; {told}" for told in (port.understood(cases[0].hyper(0)), *port.wanted(cases[0].hyper(0))))
        for case in [case for case in cases if not lacking(port, case.hyper(0))][:1]:
            start, hyper = setting.array(case.start(setting.target)), case.hyper(0)
            with suppress(TimeoutError):  # which its first call will tell
                within(COMPILING * setting.time_limit, partial(port.prove, start, hyper))
    try:
        refuse_unaskable(port, (question(port, case) for case in all_cases(optimizer)))
    except TypeError as error:
        raise TypeError(f"{error}{HINT if optimizer == ROLLING_BALL else ''}{about}") from None


def _judged(
    port: Port, optimizer: str, cases: Iterable[Case], levels: Sequence[str], setting: Setting, diagnosis: bool
) -> Report:
    name = name_of(port) if optimizer == ROLLING_BALL else f"{name_of(port)} as {optimizer}"
    report = Report(name, library(setting.xp), setting.target.name, setting.dialect)
    began = time.perf_counter()
    judged: list[tuple[Result, Run]] = []
    grouped: list[Result] = []
    for case in cases:
        judged += judge(port, case, setting, levels)
        grouped += in_groups(port, [case], setting) if "walk" in levels else []
    refuse_uncalled(name_of(port), (taken.outcome.problem for _, run in judged for taken in run.taken))
    played, judged = judged, held_to_rounding(port, judged, setting)
    report.results = [result for result, _ in judged]
    if report.failures and diagnosis:  # where no rounding is excused, no precision is the cause
        lies = judged is not played
        report.diagnosis = diagnose(judged, setting.undeclared) if lies else diagnose(judged, setting, port)
        report.facts = [] if report.diagnosis else observed(judged, setting)
    report.suite = coverage(report.results, optimizer)
    report.results += grouped
    report.diagnosis = report.diagnosis or rates_ignored(report.results)
    report.notes = [*_understood(port, optimizer), *_declared(setting.formats.compute)]
    if report.passed and diagnosis:
        report.notes += notes(judged, setting)
    report.counts = _counts(report, setting)
    report.scene = partial(scene_of, judged, setting)
    report.seconds = time.perf_counter() - began
    return report


def _understood(port: Port, optimizer: str) -> list[str]:
    """What a port was taken for, and the hyper-parameters of its own that act."""
    case, told = all_cases(optimizer)[0], list[str]()
    if isinstance(port, Adapter):
        told, on = [port.understood(case.hyper(0))], acting(port.known, port.spelled(case.hyper(0)))
    else:
        signature = signature_of(port)
        on = acting(signature.parameters if signature else {}, question(port, case))
    left = f"{', '.join(on)} {'are' if len(on) > 1 else 'is'} on, and no case of {optimizer} has such a parameter"
    return told + ([left] if on else [])


def check_optimizer(port: Port, optimizer: str, **options: Any) -> Report:
    """`check` under the name that it has for optimizers other than the rolling ball.

    Examples
    --------
    >>> def descent(loss, theta, *, learning_rate):
    ...     return theta - learning_rate * loss(theta)[1]
    >>> check_optimizer(descent, "gradient-descent", cases="plain-*").passed
    True
    """
    return check(port, optimizer=optimizer, **options)


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
    if dtype not in DTYPES:
        raise ValueError(f"dtype must be one of {', '.join(DTYPES)}, got {dtype!r}")
    if not time_limit > 0:
        raise ValueError(f"time_limit must be positive, got {time_limit}")
    reading, inner = dialect_of(dialect, optimizer), _inner(optimizer, inner_dtype)
    compute, namespace = _computing(compute_dtype, dtype), _namespace(port, xp, dtype)
    return Setting(namespace, Formats(format_of(dtype), compute, inner), reading, time_limit, _errors_of_numpy())


def _namespace(port: Port, xp: Any, dtype: str) -> Namespace:
    """The array library asked for, or the port's own."""
    own = attribute_of(port, "library", "numpy")
    if xp is None and find_spec(own) is None:
        raise TypeError(
            f"{name_of(port)} is taken for {attribute_of(port, 'kind', 'a port')}, and {own} is not installed"
        )
    namespace = library_of(own if xp is None else xp, dtype)
    if isinstance(port, Adapter) and library(namespace).partition(".")[0] != own:
        raise TypeError(f"{name_of(port)} is {port.kind}, on arrays of {own}, not of {library(namespace)}")
    return namespace


def _errors_of_numpy() -> dict[str, Any]:
    """What the caller wants of floating-point errors in a port; what NumPy would only warn of, the numbers show."""
    return {kind: "ignore" if what == "warn" else what for kind, what in numpy.geterr().items()}


def _inner(optimizer: str, dtype: str | None) -> Format | None:
    """The format of Muon's orthogonalization, if it is another one."""
    if dtype is None:
        return None
    if optimizer != "muon" or dtype not in INNER_DTYPES:
        raise ValueError(f"inner_dtype must be 'bfloat16' or 'float32', and is for muon, got {dtype!r} for {optimizer}")
    return BFLOAT16_ROUNDED_ONCE if dtype == "bfloat16" else format_of(dtype)


def _declared(compute: Format | None) -> list[str]:
    """What the report says about the format that a port declares to compute in."""
    return [f"judged as a port that computes in {compute.name}, as it declares"] if compute else []


def _computing(compute_dtype: str | None, dtype: str) -> Format | None:
    """The format that a port declares to compute in, if it is not that of its arrays."""
    if compute_dtype is None or compute_dtype == dtype:
        return None
    if compute_dtype not in FORMATS:
        raise ValueError(f"compute_dtype must be one of {', '.join(FORMATS)}, got {compute_dtype!r}")
    return format_of(compute_dtype)


def library_of(xp: Any, dtype: str) -> Namespace:
    """The array namespace of a module or its name, once it has proved that it can hold the dtype."""
    named = xp if isinstance(xp, str) else getattr(xp, "__name__", repr(xp))
    if isinstance(xp, str):
        xp = import_module("jax.numpy" if xp == "jax" else xp)
    try:
        array = xp.asarray(numpy.zeros(1, dtype="float32"))
        namespace = array_namespace(array)
        to_numpy(namespace.asarray(array, dtype=array.dtype, device=device_of(array)))
    except Exception as error:  # whatever a library raises that has something else of this name
        advice = "a port on arrays of its own takes and returns NumPy's, and converts them inside"
        problem = f"whose arrays are none of the array API standard ({type(error).__name__}: {printable(error, 100)})"
        raise TypeError(f"xp must be an array library, got {printable(named)}, {problem}: {advice}") from error
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


def _watched(cases: Sequence[Any], progress: Callable[[int, int], Any] | None) -> Iterator[Any]:
    """The cases, one after the other; `progress` is called with (cases done, cases in all)."""
    for done, case in enumerate(cases):
        if progress is not None:
            progress(done, len(cases))
        yield case
    if progress is not None:
        progress(len(cases), len(cases))


def wanted_levels(levels: Iterable[str] | str | None, optimizer: str = ROLLING_BALL) -> tuple[str, ...]:
    """The levels asked for; all that an optimizer has for None."""
    known = levels_of(optimizer)
    wanted = known if levels is None else (levels,) if isinstance(levels, str) else tuple(levels)
    for level in wanted:
        if level not in known:
            raise ValueError(f"levels must be among {', '.join(known)}, got {level!r}")
    return wanted


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
