"""Reports as JUnit XML, which continuous integration reads: a suite for each level, a test case for each case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, indent, tostring

from rbo_ref.oracle.report._markup import add
from rbo_ref.oracle.report.machine import environment

if TYPE_CHECKING:
    from rbo_ref.oracle.report.verdicts import Report, Result

__all__ = ["junit"]


def junit(reports: Iterable[Report]) -> str:
    """The text of a file of JUnit XML, in the dialect of Jenkins' xUnit plugin.

    What is skipped or undecidable is a skipped test with its reason. A report that is incomplete, or in which nothing
    was decided, holds an error, since it is no pass.

    Examples
    --------
    >>> from rbo_ref.oracle import RightPort, check
    >>> print(junit([check(RightPort(), cases="plane", levels="step")]).splitlines()[1])
    <testsuites name="rbo-ref" tests="1" failures="0" errors="0" time="...">
    """
    reports, root = list(reports), Element("testsuites", name="rbo-ref")
    for report in reports:
        for level in dict.fromkeys(result.level for result in report.results):
            _suite(root, report, level, [result for result in report.results if result.level == level])
        if not report.passed and not report.failures:
            _undecided(root, report)
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, 0)) for suite in root)))
    root.set("time", f"{sum(report.seconds for report in reports):.3f}")
    indent(root)
    return "<?xml version='1.0' encoding='utf-8'?>\n" + tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, report: Report, level: str, results: list[Result]) -> None:
    count = Counter(result.verdict for result in results)
    suite = _counted(root, report, level, len(results), count["fail"], 0, count["undecidable"] + count["skipped"])
    for result in results:
        case = add(suite, "testcase", classname=f"{report.port}.{level}", name=result.id)
        if result.verdict == "fail":
            add(case, "failure", _details(result, report), message=result.message, type=result.verdict)
        elif result.verdict != "pass":
            add(case, "skipped", message=f"{result.verdict}: {result.message}")


def _undecided(root: Element, report: Report) -> None:
    """The test that fails where nothing is wrong, and the port is not right all the same."""
    suite = _counted(root, report, "verdict", 1, 0, 1, 0)
    case = add(suite, "testcase", classname=f"{report.port}.verdict", name="verdict")
    add(case, "error", message=report.gap or "nothing was decided", type=report.verdict.lower())


def _counted(
    root: Element, report: Report, level: str, tests: int, failures: int, errors: int, skipped: int
) -> Element:
    """A suite with its counts and the circumstances of the check."""
    name = f"{report.port} [{report.library}, {report.dtype}, {report.dialect}] {level}"
    suite = add(root, "testsuite", name=name, tests=tests, failures=failures, errors=errors, skipped=skipped)
    facts = {"library": report.library, "dtype": report.dtype, "dialect": report.dialect}
    facts |= {"suite": str(report.suite)} if report.suite else {}
    properties = add(suite, "properties")
    for fact, value in (facts | environment(report.library)).items():
        add(properties, "property", name=fact, value=value)
    return suite


def _details(result: Result, report: Report) -> str:
    lines = [f"error {result.error}, tolerance {result.tolerance}", *map(str, result.entries)]
    return "\n".join([*lines, *([f"diagnosis: {report.diagnosis}"] if report.diagnosis else [])])
