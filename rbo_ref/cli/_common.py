"""What all commands share: exit statuses, and how to say that something cannot be done."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = [
    "COULD_NOT_RUN",
    "PICTURES",
    "RIGHT",
    "UNDECIDED",
    "WRONG",
    "CouldNotRun",
    "check_picture",
    "save_picture",
    "status_of",
    "write_text",
]

RIGHT, WRONG, COULD_NOT_RUN, UNDECIDED = 0, 1, 2, 3
PICTURES = (".png", ".svg", ".pdf")


def status_of(verdicts: Iterable[str]) -> int:
    """The exit status of some verdicts: 1 where one is WRONG, else 3 unless all are RIGHT.

    Examples
    --------
    >>> status_of(["RIGHT"]), status_of(["RIGHT", "WRONG", "INCOMPLETE"]), status_of(["RIGHT", "INCOMPLETE"])
    (0, 1, 3)
    """
    found = set(verdicts)
    return WRONG if "WRONG" in found else RIGHT if found == {"RIGHT"} else UNDECIDED


class CouldNotRun(Exception):
    """What keeps the command from doing its work, in a sentence."""


def check_picture(file: str) -> None:
    """Raise unless the name is that of a picture that we can write."""
    if not file.lower().endswith(PICTURES):
        raise CouldNotRun(f"the name of the picture must end in {', '.join(PICTURES)}, got {file}")


def save_picture(figure: Any, file: str) -> None:
    """Write a Matplotlib figure."""
    try:
        figure.savefig(file)
    except OSError as error:
        raise CouldNotRun(f"cannot write {file}: {error.strerror}") from error


def write_text(text: str, file: str) -> None:
    """Write to a file, or with "-" to standard output."""
    if file == "-":
        sys.stdout.write(text)
        return
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CouldNotRun(f"cannot write {file}: {error.strerror}") from error
