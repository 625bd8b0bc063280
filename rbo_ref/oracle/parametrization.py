"""The judgements of the oracle as tests of pytest, each case at each level."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from rbo_ref._words import printable
from rbo_ref.oracle.cases import select
from rbo_ref.oracle.checking import check, wanted_levels
from rbo_ref.oracle.dialects import ROLLING_BALL, optimizer_of
from rbo_ref.oracle.judge import levels_of
from rbo_ref.oracle.report import Report, Result

__all__ = ["Judgement", "judgements_of", "parametrize", "reason_for", "unmatched"]


class Judgement:
    """One case at one level, judged when it is first asked about.

    Attributes
    ----------
    id : str
        ``case-level``, as "waves-3d-step".
    result : Result

    Examples
    --------
    >>> from rbo_ref.oracle import RightPort
    >>> judgement = judgements_of(RightPort(), cases="plane", levels="step")[0]
    >>> judgement.id, judgement.result.verdict, judgement.check()
    ('plane-step', 'pass', None)
    """

    def __init__(self, case: _Case, level: str) -> None:
        self.case, self.level = case, level
        self.id = f"{case.id}-{level}"

    def __repr__(self) -> str:
        return f"Judgement({self.id!r})"

    @cached_property
    def result(self) -> Result:
        return next(result for result in self.case.report.results if result.level == self.level)

    def check(self) -> None:
        """Pass, fail or skip the running test.

        Raises
        ------
        AssertionError
            If the port is wrong here; with the diagnosis of this case.
        pytest.skip.Exception
            If nothing can be said: skipped or undecidable, with the reason.
        """
        __tracebackhide__ = True
        result = self.result
        if result.verdict == "fail":
            where = f"\n  {result.where}" if result.where else ""
            raise AssertionError(f"{self.id}: {result.message}{where}{self.case.diagnosis}")
        if result.verdict != "pass":
            import pytest

            pytest.skip(f"{'skipped by the port' if result.declined else result.verdict}: {result.message}")


class _Case:
    """What the judgements of one case share: the port is asked once."""

    def __init__(self, case: str, judge: Callable[..., Report]) -> None:
        self.id, self.judge = case, judge

    @cached_property
    def report(self) -> Report:
        return self.judge(cases=[self.id])

    @property
    def diagnosis(self) -> str:
        found = self.report.diagnosis
        return f"\ndiagnosis: {found}" if found else ""


def judgements_of(
    port: Any,
    *,
    optimizer: str | None = None,
    cases: Iterable[str] | str | None = None,
    levels: Iterable[str] | str | None = None,
    seed: int = 0,
    **options: Any,
) -> list[Judgement]:
    """Every judgement of a port, none of them made yet.

    Parameters
    ----------
    port, cases, levels, seed, **options
        As for `check`.
    optimizer : str, optional
        What the port is; default: a rolling ball.

    Raises
    ------
    TypeError, ValueError
        For wrong arguments, as `check`.
    """

    optimizer = optimizer_of(optimizer or ROLLING_BALL)
    wanted = wanted_levels(levels, optimizer)

    def judged(**chosen: Any) -> Report:
        return check(port, optimizer=optimizer, seed=seed, levels=wanted, **chosen, **options)

    judged(cases=[])  # for its errors
    chosen = select(optimizer, cases, seed)
    return [
        Judgement(shared, level)
        for case in chosen
        for shared in [_Case(case.id, judged)]
        for level in levels_of(optimizer, case)
        if level in wanted
    ]


def parametrize(
    port: Any, *, expected_failures: Mapping[str, str] | None = None, **options: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a test function a test for every judgement of a port.

    Parameters
    ----------
    port : callable
        As for `check`.
    expected_failures : mapping of str to str, optional
        Ids, or shell patterns of ids, as ``waves-*-step``, with the reason why the port fails there. One that passes is
        a failure of the test.
    **options
        As for `check`, in particular `optimizer`, `xp`, `dtype`, `dialect`, `cases` and `levels`.

    Returns
    -------
    callable
        The decorator. The first parameter of the function, after ``self``, is the `Judgement`; others are fixtures.

    Raises
    ------
    ValueError
        If a pattern of `expected_failures` matches no judgement; for wrong arguments of `check`.
    TypeError
        If a reason is not a text; likewise.

    Notes
    -----
    The cases are drawn up when the test module is imported, and judged when their tests run.

    Examples
    --------
    >>> from rbo_ref import oracle
    >>> @oracle.parametrize(oracle.RightPort(), expected_failures={"eq13-paper-inner": "chaos"}, dtype="float32")
    ... def test_my_port(judgement):
    ...     judgement.check()
    >>> len(test_my_port.pytestmark[0].args[1]) > 100
    True
    """
    import pytest

    judgements, expected = judgements_of(port, **options), dict(expected_failures or {})
    for pattern, reason in expected.items():
        if not isinstance(reason, str) or not reason.strip():
            raise TypeError(f"expected_failures[{pattern!r}] must be the reason, a text, got {reason!r}")
    lost = unmatched(expected, judgements)
    if lost:
        some = ", ".join(judgement.id for judgement in judgements[:3])
        raise ValueError(f"expected_failures: {', '.join(map(repr, lost))} match none of the ids ({some}, ...)")

    def parameter(judgement: Judgement) -> Any:
        reason = reason_for(judgement, expected)
        marks = [pytest.mark.xfail(reason=reason, raises=AssertionError, strict=True)] if reason else []
        return pytest.param(judgement, id=judgement.id, marks=marks)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        names = [name for name in inspect.signature(function).parameters if name != "self"]
        if not names:
            raise TypeError(f"{function.__name__} must have a parameter for the judgement")
        return pytest.mark.parametrize(names[0], [parameter(judgement) for judgement in judgements])(function)

    return decorate


def reason_for(judgement: Judgement, expected_failures: Mapping[str, str]) -> str | None:
    """Why a judgement is expected to fail: the reason of the first pattern that matches its id, or None."""
    found = (why for pattern, why in expected_failures.items() if fnmatchcase(judgement.id, pattern))
    return next(map(printable, found), None)


def unmatched(patterns: Iterable[str], judgements: Sequence[Judgement]) -> list[str]:
    """The patterns that match the id of no judgement."""
    return [p for p in patterns if not any(fnmatchcase(judgement.id, p) for judgement in judgements)]
