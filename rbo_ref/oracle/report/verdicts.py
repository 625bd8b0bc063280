"""What a check found: results, diagnosis, counts; as text and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from rbo_ref._words import printable
from rbo_ref.oracle.report.machine import environment

if TYPE_CHECKING:
    from rbo_ref.oracle.report.scene import Scene
    from rbo_ref.oracle.suite import Coverage

__all__ = ["Diagnosis", "Entry", "Report", "Result", "verdict_of"]

SHOWN = 3  # wrong numbers in a line
BRIEF = 300  # characters of a message that stands once more in full
VERDICTS = ("pass", "fail", "undecidable", "skipped")


def verdict_of(verdicts: Iterable[str], unanswered: int = 0) -> str:
    """The verdict on a whole, of the verdicts on its parts and the number of parts that were asked, but not answered.

    WRONG where a part is a fail; NOTHING DECIDED where none is a fail and none a pass; INCOMPLETE where nothing is
    wrong, but something that was asked was not answered; else RIGHT.

    Examples
    --------
    >>> verdict_of(["pass", "skipped"]), verdict_of(["pass", "fail"]), verdict_of([]), verdict_of(["pass"], 1)
    ('RIGHT', 'WRONG', 'NOTHING DECIDED', 'INCOMPLETE')
    """
    count = Counter(verdicts)
    if count["fail"]:
        return "WRONG"
    if not count["pass"]:
        return "NOTHING DECIDED"
    return "INCOMPLETE" if unanswered else "RIGHT"


def _told(value: Any) -> Any:
    """A text, or a list of texts, each in one line, since all may hold words of ports; anything else as it is."""
    if isinstance(value, list) and any(isinstance(item, str) for item in value):
        return [_told(item) for item in value]
    return printable(value) if isinstance(value, str) else value


class _Told:
    """What is told of a port: every text in it is shown in one line."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            object.__setattr__(self, name, _told(value))


@dataclass(frozen=True)
class Entry(_Told):
    """One number that is wrong.

    Attributes
    ----------
    name : str
        Where it is, in the port's own structure: ``theta[3]``, ``param_groups[0]['params'][1][2, 0]``.
    error, tolerance : float

    Examples
    --------
    >>> print(Entry("theta[3]", 0.125, 1e-16))
    theta[3] by 0.125
    """

    name: str
    error: float
    tolerance: float

    def __str__(self) -> str:
        return f"{self.name} by {self.error:.3g}"


@dataclass(frozen=True)
class Result(_Told):
    """The verdict on one case at one level.

    Attributes
    ----------
    id, level : str
    verdict : "pass", "fail", "undecidable" or "skipped"
    error, tolerance : float or None
        Of the worst entry, in units of the entry; None where nothing could be compared.
    message : str
        Why, in a sentence; empty for a pass.
    declined : bool
        Skipped because the port raised `Skip`. What it has no way to show, as intermediates that it does not hand out,
        is skipped without having been asked.
    entries : tuple of Entry
        The numbers that are wrong, the worst first, ten at most.

    Examples
    --------
    >>> Result("plane", "step", "pass", error=1e-16, tolerance=4e-16, message="").ratio
    0.25
    """

    id: str
    level: str
    verdict: str
    error: float | None
    tolerance: float | None
    message: str
    declined: bool = False
    entries: tuple[Entry, ...] = ()

    @property
    def where(self) -> str:
        """The numbers that are wrong, in a line; empty where none is known."""
        told, more = ", ".join(map(str, self.entries[:SHOWN])), len(self.entries) - SHOWN
        return f"{told} and {more} more" if more > 0 else told

    @property
    def ratio(self) -> float | None:
        """The error as a multiple of its tolerance."""
        if self.error is None or not self.tolerance:
            return None
        return self.error / self.tolerance


@dataclass(frozen=True)
class Diagnosis(_Told):
    """The nearest known mistake.

    Attributes
    ----------
    name : str
        Its name in the catalogue; ``dialect-...`` for another reading of the paper; ``center_handed_out`` and the like
        where the steps are right and only that quantity is wrong.
    description : str
    evidence : str
        What of the port's output it reproduces.

    Examples
    --------
    >>> print(Diagnosis("ascent", "The centre moves uphill", "it reproduces 6 of 6 failing steps"))
    ascent: The centre moves uphill
      evidence: it reproduces 6 of 6 failing steps
    """

    name: str
    description: str
    evidence: str

    def __str__(self) -> str:
        return f"{self.name}: {self.description}\n  evidence: {self.evidence}"


@dataclass
class Report:
    """The verdict on a port.

    Attributes
    ----------
    passed : bool
        The verdict is RIGHT: no result is a fail, at least one is a pass, and the port declined none.
    verdict : "RIGHT", "WRONG", "INCOMPLETE" or "NOTHING DECIDED"
        WRONG where a result is a fail; NOTHING DECIDED where none is a fail and none a pass; INCOMPLETE where nothing
        is wrong, but the port declined what it was asked.
    results : list of Result
    diagnosis : Diagnosis or None
    facts : list of str
        What is known of failures without a diagnosis: where the port differs first, and what its errors are like.
    counts : dict
        How many results of each verdict, the steps asked of the port, its evaluations of the loss and how many a port
        needs.
    suite : Coverage or None
        How much of the suite's fixed number of judgements this is; None for what is not of the suite.
    notes : list of str
        What is worth knowing, and no mistake.
    scene : callable or None
        () → `Scene` or None: the path of the port in the case that tells most, for a picture.

    Examples
    --------
    >>> from rbo_ref.oracle import RightPort, check
    >>> report = check(RightPort(), cases="plane")
    >>> report.passed, report.counts["evaluations"], report.failures
    (True, 7, [])
    """

    port: str
    library: str
    dtype: str
    dialect: str
    results: list[Result] = field(default_factory=list)
    diagnosis: Diagnosis | None = None
    facts: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    suite: Coverage | None = None
    notes: list[str] = field(default_factory=list)
    scene: Callable[[], Scene | None] | None = field(default=None, repr=False, compare=False)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, _told(value))

    @property
    def passed(self) -> bool:
        return self.verdict == "RIGHT"

    @property
    def verdict(self) -> str:
        return verdict_of((result.verdict for result in self.results), self.declined)

    @property
    def declined(self) -> int:
        """How many judgements the port skipped."""
        return sum(result.declined for result in self.results)

    @property
    def gap(self) -> str:
        """What was asked and not answered, in words; empty where there is nothing."""
        return f"{self.declined} of {len(self.results)} judgements skipped by the port" if self.declined else ""

    @property
    def failures(self) -> list[Result]:
        return [result for result in self.results if result.verdict == "fail"]

    @property
    def undiagnosed(self) -> str:
        """Why there is no diagnosis of what fails: the port gave no answer, or one that is not understood."""
        failures = self.failures
        if failures and all(result.error is None for result in failures):
            return f"no answer to compare, where it fails: {printable(failures[0].message, BRIEF)}"
        return "no known mistake reproduces this output"

    def to_json(self) -> str:
        """The whole report as JSON text; numbers that JSON lacks (inf, nan) become null."""
        record = {
            "passed": self.passed,
            "verdict": self.verdict,
            "port": self.port,
            "library": self.library,
            "dtype": self.dtype,
            "dialect": self.dialect,
            "suite": self.suite._asdict() if self.suite else None,
            "counts": self.counts,
            "seconds": round(self.seconds, 3),
            "notes": self.notes,
            "diagnosis": asdict(self.diagnosis) if self.diagnosis else None,
            "facts": self.facts,
            "results": [asdict(result) for result in self.results],
            "environment": environment(self.library),
        }
        return json.dumps(_plain(record), indent=1, allow_nan=False)

    def to_junit(self) -> str:
        """The report as JUnit XML, see `junit`."""
        from rbo_ref.oracle.report.junit_xml import junit

        return junit([self])

    def to_html(self) -> str:
        """The report as one self-contained page with plots, see `page`."""
        from rbo_ref.oracle.report.html_page import page

        return page([self])

    def __str__(self) -> str:
        lines = [self.headline()]
        if self.diagnosis:
            lines.append(f"diagnosis: {self.diagnosis}")
        elif self.failures:
            lines.append(f"diagnosis: {self.undiagnosed}")
            lines += [f"known: {fact}" for fact in self.facts]
        lines += [f"note: {note}" for note in self.notes]
        lines += ["", *self.table(), *([str(self.suite)] if self.suite else []), ""]
        for r in self.failures[:5]:
            lines += [f"FAIL {r.id} [{r.level}]: {r.message}", *([f"  {r.where}"] if r.where else [])]
        if len(self.failures) > 5:
            lines.append(f"... and {len(self.failures) - 5} more failures")
        lines += _reasons(self.results)
        return "\n".join(line.rstrip() for line in lines)

    def headline(self) -> str:
        """The verdict in one line."""
        needed, spent = self.counts.get("evaluations_needed", 0), self.counts.get("evaluations", 0)
        cost = f"{spent / needed:.2f} x the evaluations needed" if needed else "no evaluations"
        said = len(self.failures) or sum(result.verdict == "pass" for result in self.results)
        setting = f"{self.library}, {self.dtype}, dialect {self.dialect}; in {said} of {len(self.results)} judgements"
        gap = f": {self.gap}" if self.gap else ""
        return f"{self.verdict}: {self.port} ({setting}; {cost}; {self.seconds:.1f} s){gap}"

    def table(self) -> list[str]:
        """How many results of each verdict there are at each level, line by line."""
        head = f"{'level':<12}{'ran':>5}" + "".join(f"{v:>13}" for v in VERDICTS) + f"{'worst/tolerance':>17}"
        rows = [head, "-" * len(head)]
        for level in dict.fromkeys(result.level for result in self.results):
            here = [r for r in self.results if r.level == level]
            count = Counter(r.verdict for r in here)
            ratios = [r.ratio for r in here if r.ratio is not None and r.verdict in ("pass", "fail")]
            worst = f"{max(ratios):.3g}" if ratios else "-"
            ran = len(here) - count["skipped"]
            rows.append(f"{level:<12}{ran:>5}" + "".join(f"{count[v]:>13}" for v in VERDICTS) + f"{worst:>17}")
        return rows


def _reasons(results: list[Result]) -> list[str]:
    """Why results were skipped or undecidable, each reason once."""
    lines = []
    for verdict in ("skipped", "undecidable"):
        reasons = Counter(r.message for r in results if r.verdict == verdict)
        lines += [f"{verdict} {count}: {reason}" for reason, count in reasons.items()]
    return lines


def _plain(value: Any) -> Any:
    """A structure that JSON can hold."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not (value == value and abs(value) != float("inf")):
        return None
    return value
