"""What all commands share: exit statuses, and how to say that something cannot be done."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

__all__ = ["COULD_NOT_RUN", "PICTURES", "RIGHT", "WRONG", "CouldNotRun", "check_picture", "save_picture", "write_text"]

RIGHT, WRONG, COULD_NOT_RUN = 0, 1, 2
PICTURES = (".png", ".svg", ".pdf")


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
