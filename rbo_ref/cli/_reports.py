"""Reports in files: JSON, JUnit XML, one page of HTML."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence

from rbo_ref.cli._output import ALONE, add_file, check_files, write_text
from rbo_ref.oracle import Report
from rbo_ref.oracle.report import junit, page

__all__ = ["add_files", "refuse_files", "to_standard_output", "write_files"]


def add_files(parser: argparse.ArgumentParser) -> None:
    """Add the options to a command's."""
    add_file(parser, "--json", "write the reports as JSON", ALONE)
    add_file(parser, "--junit", "write them as JUnit XML, likewise")
    add_file(parser, "--html", "write them as one page with plots, likewise")


def refuse_files(options: argparse.Namespace) -> None:
    """Raise if the files asked for would overwrite each other."""
    check_files(json=options.json, junit=options.junit, html=options.html)


def to_standard_output(options: argparse.Namespace) -> bool:
    """Whether one of the files is standard output, on which nothing else is to be printed."""
    return "-" in (options.json, options.junit, options.html)


def write_files(reports: Sequence[Report], options: argparse.Namespace) -> None:
    """Write the files asked for."""
    writers: dict[str, Callable[[Sequence[Report]], str]] = {"json": _json, "junit": junit, "html": page}
    for name, text_of in writers.items():
        file = getattr(options, name)
        if file:
            write_text(text_of(reports), file)


def _json(reports: Sequence[Report]) -> str:
    passed = bool(reports) and all(report.passed for report in reports)
    return json.dumps({"passed": passed, "reports": [json.loads(r.to_json()) for r in reports]}, indent=1) + "\n"
