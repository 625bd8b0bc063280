"""What a law is, how it is tried on an implementation, and how it is told that it is broken."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import hypothesis
import numpy
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from numpy.typing import NDArray

from geometry._namespace import Array, Namespace, to_numpy
from geometry.arithmetic.formats import format_of
from rbo_ref.oracle.asking import name_of
from rbo_ref.oracle.calls import fresh
from rbo_ref.oracle.checking import library_of

__all__ = ["BATCHES", "LAWS", "VERBS", "Draw", "Law", "LawBroken", "Trial", "law", "of"]

Draw = Callable[[st.SearchStrategy[Any]], Any]
Claim = Callable[["Trial", Draw], None]
Numbers = NDArray[numpy.float64]
DTYPES = ("float32", "float64")
BATCHES = "batches of several shapes, of 0 to 70 items"

VERBS: dict[str, str] = {
    "step": "step(loss, theta, *, learning_rate, radius, projection_rate, projection_steps)",
    "distance": "distance(surface, points)",
    "signed_distance": "signed_distance(surface, points)",
    "project": "project(surface, points)",
    "distance_gradient": "distance_gradient(surface, points)",
    "distance+level": "distance(surface, points) of implicit surfaces",
    "signed_distance+level": "signed_distance(surface, points) of implicit surfaces",
    "project+level": "project(surface, points) on implicit surfaces",
    "distance+parametric": "distance(surface, points) of surfaces given by parameters",
    "project+parametric": "project(surface, points) on surfaces given by parameters",
    "distance+sampled": "distance(surface, points) of surfaces through samples",
    "offset_function": "offset_function(surface, theta, radius)",
    "offset": "offset(surface, theta, radius)",
    "medial_radius": "medial_radius(surface, theta)",
    "medial_radius+level": "medial_radius(surface, theta, *, side) of implicit surfaces",
    "reachable": "reachable(surface, theta, radius)",
    "medial_axis": "medial_axis(surface, box, *, samples)",
    "reach": "reach(surface, box)",
    "critical_radius": "critical_radius(surface, box)",
    "bottleneck": "bottleneck(surface, box, *, samples) of implicit surfaces",
    "reach_from_points": "reach_from_points(points, *, normals)",
    "reach_from_points+each": "reach_from_points(points, *, normals, per_point=True)",
    "dilate": "dilate(heights, radius, *, spacing, boundary)",
    "erode": "erode(heights, radius, *, spacing, boundary)",
    "closing": "closing(heights, radius, *, spacing, boundary)",
    "opening": "opening(heights, radius, *, spacing, boundary)",
    "dilate+contact": "dilate(heights, radius, *, spacing, boundary, return_contact=True)",
    "dilate+nan": 'dilate(heights, radius, *, spacing, boundary, nan="omit")',
    "dilate+axes": "dilate(heights, radius, *, spacing, boundary, axes)",
    "dilate+x": "dilate(heights, radius, *, x)",
    "dilate+mask": "dilate(heights, radius, *, spacing, boundary, mask)",
    "reachable_samples": "reachable_samples(heights, radius, *, spacing, boundary)",
    "free_of_ends": "free_of_ends(heights, radius, *, spacing, passes)",
    "rolling_ball": "rolling_ball(image, radius, *, spacing)",
    "walk": "walk(loss, theta, *, iterations)",
}
"""The kinds of implementations that laws are about, and how they are called; after a +, in what way."""


class LawBroken(AssertionError):
    """An implementation breaks a law; the message holds the smallest counterexample that was found.

    Examples
    --------
    >>> try:
    ...     LAWS["dilation"].check(lambda heights, radius, **_: heights + radius, max_examples=20)
    ... except LawBroken as broken:
    ...     print(str(broken).partition(":")[0])
    dilation
    """


@dataclass(frozen=True)
class Trial:
    """An implementation on trial: how it is called, and how its answers are compared."""

    law: Law
    implementation: Callable[..., Any]
    xp: Namespace
    dtype: str
    tolerance: float = 0.0  # what an answer may be off beside rounding

    @property
    def unit(self) -> float:
        """The unit roundoff."""
        return format_of(self.dtype).unit

    def array(self, numbers: Any) -> Array:
        """Numbers as an array of the library and dtype on trial."""
        return self.xp.asarray(numpy.array(numbers, order="C"), dtype=getattr(self.xp, self.dtype))

    def rounded(self, numbers: Any) -> Numbers:
        """Numbers as they are in the dtype on trial, in float64."""
        return to_numpy(self.array(numbers)).astype(float)

    def fresh(self) -> Trial:
        """The same with an implementation that remembers nothing."""
        return replace(self, implementation=fresh(self.implementation))

    def answer(
        self, *arguments: Any, of: Any = None, kind: str | None = None, given: Mapping[str, Any], **options: Any
    ) -> Numbers:
        """What the implementation returns, or the item or attribute `of` of that, in float64.

        Its dtype is the one on trial, or of the `kind` "int", "bool", or "float", which Python's numbers are, too.
        """
        with self._blamed(given), numpy.errstate(all="ignore"):
            result = self.implementation(*arguments, **options)
            if of is not None:
                result = (
                    result[of] if isinstance(result, Mapping) or isinstance(of, int) else getattr(result, of, result)
                )
            result = self.xp.stack(result) if isinstance(result, list) else result
            result = numpy.asarray(result) if kind == "float" and isinstance(result, float) else result
            dtype = str(result.dtype).rpartition(".")[2]
            numbers = to_numpy(result).astype(float)
        if not dtype.startswith(kind or self.dtype):
            self._complain(f"it returned {dtype}, asked for {kind or self.dtype}", given)
        return numbers

    @contextmanager
    def _blamed(self, given: Mapping[str, Any]) -> Any:
        """Whatever the implementation raises is a broken law."""
        try:
            yield
        except Exception as error:
            self._complain(f"it raised {type(error).__name__}: {error}", given, error)

    def same(self, what: str, found: Any, expected: Any, tolerance: float, given: Mapping[str, Any]) -> None:
        """Every number found is within the tolerance of the one expected."""
        found, expected = numpy.asarray(found), numpy.asarray(expected)
        if found.shape != expected.shape:
            self._complain(f"{what} has shape {found.shape}, expected {expected.shape}", given)
        with numpy.errstate(all="ignore"):  # of implementations that return infinity or NaN
            equal = (found == expected) | (numpy.isnan(found) & numpy.isnan(expected))  # infinities are equal, too
            error = numpy.max(numpy.where(equal, 0.0, numpy.abs(found - expected)), initial=0.0)
        if not error <= tolerance:
            told = f"{what} = {_told(found)}, expected {_told(expected)}"
            self._complain(f"{told} to within {tolerance:.2g}; the error is {error:.2g}", given)

    def batched(
        self,
        call: Callable[[Any], Numbers],
        items: Sequence[Any],
        shape: tuple[int, ...],
        tolerance: float,
        given: Mapping[str, Any],
    ) -> None:
        """A batch of this shape has the answers of its items."""
        which = numpy.resize(numpy.arange(len(items)), shape)
        answers = numpy.stack([call(item) for item in items])
        self.same("the answer to a batch", call(numpy.stack(items)[which]), answers[which], tolerance, given)

    def at_most(self, what: str, found: Any, bound: Any, tolerance: float, given: Mapping[str, Any]) -> None:
        """Every number found is at most its bound, up to the tolerance."""
        found, bound = numpy.asarray(found), numpy.asarray(bound)
        with numpy.errstate(all="ignore"):
            excess = numpy.max(found - bound, initial=-numpy.inf)
        if not excess <= tolerance:
            told = f"{what} = {_told(found)}, expected at most {_told(bound)}"
            self._complain(f"{told}; it is exceeded by {excess:.2g}, rounding allows {tolerance:.2g}", given)

    def _complain(self, what: str, given: Mapping[str, Any], cause: Exception | None = None) -> None:
        lines = [f"{self.law.name}: {self.law.statement}", f"{name_of(self.implementation)}: {what}", "where"]
        raise LawBroken(
            "\n  ".join([*lines, *(f"  {key} = {_told(value)}" for key, value in given.items())])
        ) from cause


def _told(value: Any) -> str:
    if isinstance(value, numpy.ndarray | numpy.generic):
        return numpy.array2string(numpy.asarray(value), separator=", ", floatmode="unique", threshold=64).replace(
            "\n", " "
        )
    return str(value)


@dataclass(frozen=True)
class Law:
    """A mathematical law, and the means to test any implementation on it.

    Attributes
    ----------
    name : str
    verbs : tuple of str
        What it is a law of: keys of `VERBS`.
    statement : str
        The law, in a sentence.
    domain : str
        Where it holds: what is drawn to test it.
    source : str
    claim : callable
        ``claim(trial, draw)`` draws one example and compares.

    Examples
    --------
    >>> from rbo_ref import laws
    >>> from rbo_ref.oracle import RightPort, MISTAKES
    >>> plane = laws.LAWS["plane"]
    >>> plane.check(RightPort(), max_examples=10)
    >>> plane.check(MISTAKES["ascent"](), max_examples=10)
    Traceback (most recent call last):
    ...
    rbo_ref.laws.law.LawBroken: plane: On a plane ...
    """

    name: str
    verbs: tuple[str, ...]
    statement: str
    domain: str
    source: str
    claim: Claim

    def __str__(self) -> str:
        return self.name

    def check(
        self,
        implementation: Callable[..., Any],
        *,
        xp: Any = numpy,
        dtype: str = "float64",
        max_examples: int = 100,
        seed: int | None = 0,
        tolerance: float = 0.0,
    ) -> None:
        """Try the law on drawn examples; return silently if none breaks it.

        Parameters
        ----------
        implementation : callable
            Called as `VERBS` says. One with memory has a method ``fresh()`` that returns one without.
        xp : module or str
            The array library that it works on.
        dtype : {"float64", "float32"}
        max_examples : int
        seed : int, optional
            The same seed draws the same examples; None: others each time.
        tolerance : float
            How far off an answer may be beside rounding, for solvers that promise no more: a length, or a length of θ.

        Raises
        ------
        LawBroken
            With the smallest counterexample that was found.
        """
        self._try(Trial(self, implementation, xp, dtype, tolerance), max_examples, seed, (Phase.generate, Phase.shrink))

    def holds(
        self,
        implementation: Callable[..., Any],
        *,
        xp: Any = numpy,
        dtype: str = "float64",
        max_examples: int = 100,
        seed: int | None = 0,
        tolerance: float = 0.0,
    ) -> bool:
        """Whether `check` passes, without the time that the search for a smallest counterexample takes.

        Examples
        --------
        >>> LAWS["lift"].holds(lambda loss, theta, **hyper: theta - loss(theta)[0], max_examples=10)
        False
        """
        try:
            self._try(Trial(self, implementation, xp, dtype, tolerance), max_examples, seed, (Phase.generate,))
        except LawBroken:
            return False
        return True

    def _try(self, trial: Trial, max_examples: int, seed: int | None, phases: tuple[Phase, ...]) -> None:
        if not callable(trial.implementation):
            raise TypeError(f"implementation must be callable, got {type(trial.implementation).__name__}")
        if trial.dtype not in DTYPES:
            raise ValueError(f"dtype must be one of {', '.join(DTYPES)}, got {trial.dtype!r}")
        if not 0 <= trial.tolerance < math.inf:
            raise ValueError(f"tolerance must be finite and at least 0, got {trial.tolerance}")
        trial = replace(trial, xp=library_of(trial.xp, trial.dtype))

        @hypothesis.settings(
            max_examples=max_examples,
            deadline=None,
            database=None,
            phases=phases,
            report_multiple_bugs=False,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(st.data())
        def claimed(data: st.DataObject) -> None:
            self.claim(trial.fresh(), data.draw)

        try:
            (claimed if seed is None else hypothesis.seed(seed)(claimed))()
        except Flaky as error:
            raise LawBroken(f"{self.name}: two calls with the same arguments gave different answers") from error


LAWS: dict[str, Law] = {}
"""All laws, by name."""


def law(*verbs: str, domain: str, source: str) -> Callable[[Claim], Law]:
    """Decorator: enter a claim into `LAWS` under its name; the first paragraph of its docstring is the statement.

    Examples
    --------
    >>> LAWS["plane"].verbs
    ('step',)
    """

    def enter(claim: Claim) -> Law:
        statement = " ".join((claim.__doc__ or "").partition("\n\n")[0].split())
        name = claim.__name__.replace("_", "-")
        LAWS[name] = Law(name, verbs, statement, domain, source, claim)
        return LAWS[name]

    return enter


def of(*verbs: str) -> list[Law]:
    """The laws of the verbs; all laws for none.

    Examples
    --------
    >>> len(of("step")) > 10
    True
    """
    for verb in verbs:
        if verb not in VERBS:
            raise ValueError(f"verb must be one of {', '.join(VERBS)}, got {verb!r}")
    return [law for law in LAWS.values() if not verbs or set(verbs) & set(law.verbs)]
