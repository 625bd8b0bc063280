"""Reports as one self-contained page of HTML: no script, no file beside it, light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, tostring

from rbo_ref.oracle.report._markup import add
from rbo_ref.oracle.report.machine import environment
from rbo_ref.oracle.report.plots import errors_plot, legend, path_plot

if TYPE_CHECKING:
    from rbo_ref.oracle.report.verdicts import Report, Result

__all__ = ["html", "new_page", "page"]

ROWS = 500  # of results, at most; the failures first
STYLE = """
:root { color-scheme: light dark;
  --ink: #1d1d1f; --ground: #ffffff; --panel: #f4f2ee; --faint: #6b6b70; --line: #d5d3ce;
  --port: #b3410e; --truth: #00608f;
  --level0: #8a5a00; --level1: #00608f; --level2: #00705a; --level3: #b3410e; --level4: #97376f; --level5: #3a3a3c; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececee; --ground: #17171a; --panel: #222226; --faint: #a0a0a8;
  --line: #3c3c42; --port: #ff9d5c; --truth: #6cc0f5;
  --level0: #f0c850; --level1: #6cc0f5; --level2: #4fd0a8; --level3: #ff9d5c; --level4: #eb9fcb; --level5: #e0e0e4; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.25; } h2 { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 14px; }
td { text-align: left; padding: .15rem .8rem .15rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr.fail td, .verdict { font-weight: 600; }
pre { background: var(--panel); padding: .6rem .8rem; overflow-x: auto; white-space: pre-wrap; }
svg { max-width: 100%; height: auto; display: block; overflow: hidden; }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink); } svg .power { font-size: 9px; }
.middle { text-anchor: middle; } .end { text-anchor: end; }
.grid { stroke: var(--line); stroke-width: 1; } .limit { stroke: var(--ink); stroke-width: 2; }
.over { fill: var(--port); fill-opacity: .1; }
.level0 { --own: var(--level0); } .level1 { --own: var(--level1); } .level2 { --own: var(--level2); }
.level3 { --own: var(--level3); } .level4 { --own: var(--level4); } .level5 { --own: var(--level5); }
path.pass { fill: var(--ground); stroke: var(--own); stroke-width: 1.4; } path.fail { fill: var(--own); }
.ground { fill: var(--panel); } .contour { fill: none; stroke: var(--faint); }
.graph { fill: none; stroke: var(--ink); stroke-width: 1.5; }
.ball { fill: none; stroke: var(--faint); stroke-dasharray: 4 3; }
path.truth { fill: none; stroke: var(--truth); stroke-width: 5; stroke-opacity: .45; }
circle.truth { fill: none; stroke: var(--truth); stroke-width: 2; }
path.port { fill: none; stroke: var(--port); stroke-width: 1.6; } circle.port { fill: var(--port); }
.wrong { fill: none; stroke: var(--ink); stroke-width: 2.5; } .kill { fill: var(--truth); }
"""


def page(reports: Iterable[Report]) -> str:
    """The text of one HTML page about reports, with plots.

    A plot shows error against tolerance for every case; another the path of the port on the landscape of the case that
    tells most, with the true path, and where it left the truth. The page fetches nothing and runs nothing.

    Examples
    --------
    >>> from rbo_ref.oracle import RightPort, check
    >>> text = page([check(RightPort(), cases="plane")])
    >>> text.startswith("<!DOCTYPE html>"), "RIGHT: right (numpy" in text, "<script" in text
    (True, True, False)
    """
    reports = list(reports)
    document, body = new_page("rbo-ref: is the port right?")
    contents = add(body, "ul") if len(reports) > 1 else None
    for number, report in enumerate(reports):
        if contents is not None:
            add(add(contents, "li"), "a", report.headline(), href=f"#report-{number}")
        _section(body, report, number)
    return html(document)


def new_page(title: str, summary: str = "") -> tuple[Element, Element]:
    """An HTML document and its body, which holds the title and what there is to say in short."""
    document = Element("html", lang="en")
    head = add(document, "head")
    add(head, "meta", charset="utf-8")
    add(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    add(head, "title", title)
    add(head, "style").text = STYLE
    body = add(document, "body")
    add(body, "h1", title)
    if summary:
        add(body, "p", summary, class_="verdict")
    return document, body


def html(document: Element) -> str:
    """A document as text."""
    return "<!DOCTYPE html>\n" + tostring(document, encoding="unicode", method="html") + "\n"


def _section(body: Element, report: Report, number: int) -> None:
    section = add(body, "section", id=f"report-{number}")
    add(section, "h2", report.port)
    add(section, "p", report.headline(), class_="verdict")
    if report.diagnosis:
        add(section, "p", f"Diagnosis: {report.diagnosis.name}. {report.diagnosis.description}.")
        add(section, "p", f"Evidence: {report.diagnosis.evidence}.")
    elif report.failures:
        add(section, "p", f"Diagnosis: {report.undiagnosed}.")
        for fact in report.facts:
            add(section, "p", f"Known: {fact}.")
    if report.suite:
        add(section, "p", f"Coverage: {report.suite}.")
    add(section, "pre", "\n".join(report.table()))
    levels = list(dict.fromkeys(result.level for result in report.results))
    add(section, "h3", "Error against tolerance")
    add(section, "p", "Hollow: right. Filled: wrong. What is skipped or undecidable is not drawn.")
    legend(section, levels)
    errors_plot(section, report.results, levels)
    scene = report.scene() if report.scene else None
    if scene:
        add(section, "h3", f"The path in {scene.title}")
        add(section, "p", _caption(scene.dimension))
        path_plot(section, scene)
    _details(section, "All results", _rows(report.results))
    _details(section, "Environment", list(environment(report.library).items()))


def _caption(dimension: int) -> str:
    seen = {
        1: "The graph of the loss, and above it the ball with its centre and the candidate.",
        2: "The parameters from above, on contours of the loss.",
    }
    plane = f"The plane in which the paths are longest, of {dimension} dimensions, on contours of the loss."
    return f"{seen.get(dimension, plane)} Broad line and rings: the true path. Thin line and dots: the port."


def _details(section: Element, title: str, rows: Iterable[Sequence[str]]) -> None:
    """A table that opens on demand; rows that hold "fail" are set off."""
    details = add(section, "details")
    add(details, "summary", title)
    table = add(details, "table")
    for entries in rows:
        row = add(table, "tr", class_="fail" if "fail" in entries else "")
        for entry in entries:
            add(row, "td", entry)


def _rows(results: Sequence[Result]) -> list[Sequence[str]]:
    """The results, failures first; a page is no place for more than `ROWS`."""
    ordered = sorted(results, key=lambda result: result.verdict != "fail")
    rows: list[Sequence[str]] = [("case", "level", "verdict", "error", "tolerance", "message")]
    rows += [(r.id, r.level, r.verdict, _shown(r.error), _shown(r.tolerance), _told(r)) for r in ordered[:ROWS]]
    return [*rows, (f"... and {len(ordered) - ROWS} more",)] if len(ordered) > ROWS else rows


def _told(result: Result) -> str:
    """The message, and the numbers that are wrong."""
    return "; ".join([result.message, *map(str, result.entries)])


def _shown(number: float | None) -> str:
    return "" if number is None else f"{number:.3g}"
