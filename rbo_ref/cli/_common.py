"""What all commands share: exit statuses, and how to say that something cannot be done."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

from geometry._files import write_whole

__all__ = [
    "COULD_NOT_RUN",
    "PICTURES",
    "RIGHT",
    "UNDECIDED",
    "WRONG",
    "CouldNotRun",
    "check_files",
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
    content = BytesIO()
    figure.savefig(content, format=Path(file).suffix.lower()[1:])
    _write(content.getvalue(), file)


def write_text(text: str, file: str) -> None:
    """Write to a file, or with "-" to standard output."""
    content = text.encode("utf-8", "backslashreplace")
    if file != "-":
        _write(content, file)
    elif hasattr(sys.stdout, "buffer"):  # in UTF-8, whatever the terminal takes
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
    else:
        sys.stdout.write(text)


def check_files(**files: str | None) -> None:
    """Raise if two of these options name one file, or both of them standard output."""
    seen: dict[str, str] = {}
    for option, file in files.items():
        if file and seen.setdefault(file if file == "-" else os.path.realpath(file), option) != option:
            other = seen[file if file == "-" else os.path.realpath(file)]
            raise CouldNotRun(f"--{other} and --{option} must name two files, got {file!r} for both")


def _write(content: bytes, file: str) -> None:
    try:
        write_whole(file, content)
    except (OSError, ValueError) as error:
        raise CouldNotRun(f"cannot write {file}: {getattr(error, 'strerror', None) or error}") from error
