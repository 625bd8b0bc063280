"""The numbers in the prose that follow from the catalogue, and an example of a report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.catalogue import catalogue, in_dialect, right_port
from rbo_ref.oracle.checking import check
from rbo_ref.oracle.dialects import ROLLING_BALL
from rbo_ref.oracle.suite import Coverage

__all__ = ["DOCUMENTS", "rewritten", "with_numbers"]

VERDICTS, LAWS = "docs/verdicts.rst", "docs/laws.rst"
DOCUMENTS = (VERDICTS, LAWS)
SENTENCES = (
    "calls the port on {cases} cases",
    "all {mistakes} known wrong ports fail, each in at least {least} cases,",
    "In float32 {float32} are caught, in float16 {float16}, in bfloat16 {bfloat16}:",
    "writes {vectors} questions with certified answers",
    "suite {version}: {judgements} of its {judgements} judgements collected,",
    "judgements collected, {ran} ran``",
)
COMMAND = "    $ rbo-ref check mine:step\n"
EXAMPLE = re.compile(rf"(?<={re.escape(COMMAND)})(?:    .*\n|\n)*?    suite .*\n")
MEASURED = re.compile(r"\d+\.\d+(e[+-]\d+)?")  # times, and errors that depend on the machine's sums
CATALOGUE = re.compile(r'(?<=\n\.\. Everything from here to "What is no law").*?(?=\nWhat is no law\n)', re.DOTALL)
PRINTED = " is printed by ``python -m rbo_ref.laws``.\n\n"


def rewritten(root: Path, suite: Mapping[str, object], vectors: int) -> dict[Path, str]:
    """The documents of a checkout with the numbers of a suite, of so many vectors, and with the laws.

    Raises
    ------
    ValueError
        If a sentence that holds such numbers is not there.
    """
    from rbo_ref.laws.table import rst  # needs Hypothesis

    text = {name: (root / name).read_text(encoding="utf-8") for name in DOCUMENTS}
    numbers = _numbers(suite, vectors)
    for sentence in SENTENCES:
        text[VERDICTS] = with_numbers(text[VERDICTS], sentence, numbers)
    text[VERDICTS] = _replaced(EXAMPLE, text[VERDICTS], _example(text[VERDICTS], str(suite["version"])), COMMAND)
    text[LAWS] = _replaced(CATALOGUE, text[LAWS], PRINTED + rst(), "What is no law")
    return {root / name: content for name, content in text.items()}


def _numbers(suite: Mapping[str, object], vectors: int) -> dict[str, object]:
    levels = [entry["levels"] for entry in suite["optimizers"][ROLLING_BALL].values()]  # type: ignore[index]
    judgements = sum(map(len, levels))
    ran = judgements - 2 * sum("projection" in known for known in levels)  # of a port that hands out no intermediates
    return {
        **suite["caught"],  # type: ignore[dict-item]
        "version": suite["version"],
        "cases": len(all_cases()),
        "mistakes": len(catalogue(ROLLING_BALL)),
        "vectors": vectors,
        "judgements": judgements,
        "ran": ran,
    }


def with_numbers(text: str, sentence: str, numbers: Mapping[str, object]) -> str:
    """A text with the numbers that a sentence, wherever its lines break, has in the places of their names.

    Raises
    ------
    ValueError
        If the sentence is not there.

    Examples
    --------
    >>> with_numbers("It has 3\\ncases, we say.", "has {cases} cases", {"cases": 4})
    'It has 4\\ncases, we say.'
    """
    parts = re.split(r"{(\w+)}", sentence)
    words = [re.sub(r"(\\ )+", r"\\s+", re.escape(part)) for part in parts[::2]]
    return _replaced(
        re.compile(r"([\d.]+)".join(f"({word})" for word in words)),
        text,
        lambda found: "".join(
            str(numbers[parts[k - 1]]) if k % 2 == 0 else part for k, part in enumerate(found.groups(), 1)
        ),
        sentence,
    )


def _replaced(pattern: re.Pattern[str], text: str, new: object, name: str) -> str:
    """A text in which a pattern is there, and replaced."""
    made, count = pattern.subn(new if callable(new) else lambda _: str(new), text)
    if not count:
        raise ValueError(f"the prose has no {name.strip()!r}")
    return made


def _example(text: str, version: str) -> str:
    """What is said of a port that starts its inner loop in the wrong place; what was measured is that of the text."""
    report = check(in_dialect(right_port(ROLLING_BALL), "half-candidate")())
    fixed = [result for result in report.results if not result.id.startswith("drawn-")]
    ran = sum(result.verdict != "skipped" for result in fixed)
    report.port = "mine:step"
    report.suite = Coverage(version, len(fixed), len(fixed), ran, len(report.results) - len(fixed))
    lines = str(report).splitlines()
    last = next(k for k, line in enumerate(lines) if line.startswith("suite "))
    made = "".join(f"    {line}".rstrip() + "\n" for line in lines[: last + 1])
    found = EXAMPLE.search(text)
    same = found is not None and MEASURED.sub("", found.group()) == MEASURED.sub("", made)
    return found.group() if found and same else made
