"""Files that commands write: reports, tables, pictures; "-" is standard output."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from geometry._files import write_whole
from rbo_ref._canvas import as_file
from rbo_ref.cli._common import CouldNotRun
from rbo_ref.cli._streams import from_our_folder, say_bytes

__all__ = [
    "ALONE",
    "PICTURES",
    "add_file",
    "check_files",
    "check_picture",
    "check_place",
    "save_picture",
    "write_bytes",
    "write_text",
]

ALONE = " ('-': to standard output, and no table)"
PICTURES = (".png", ".svg", ".pdf")


def add_file(command: argparse.ArgumentParser, option: str, help: str, more: str = "") -> None:
    """Add the option of a file to write to a command's parser."""
    command.add_argument(option, type=_place, metavar="FILE", help=help + more)


def _place(file: str) -> str:
    """The name of a file to write; "-" for all names of standard output, which is another file while ports run."""
    return "-" if file in ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1") else file


def check_picture(file: str) -> None:
    """Raise unless the name is that of a picture that we can write."""
    if not file.lower().endswith(PICTURES):
        raise CouldNotRun(f"the name of the picture must end in {', '.join(PICTURES)}, got {file}")


def check_place(file: str) -> None:
    """Raise where a file can clearly not be written, before any work is done for it."""
    path = Path(from_our_folder(file))
    if file != "-" and not any(os.access(place, os.W_OK) for place in (path, path.parent)):
        reason = "Permission denied" if path.parent.exists() else "No such file or directory"
        raise CouldNotRun(f"cannot write {file}: {reason}")


def save_picture(figure: Any, file: str, *, small: bool = False) -> None:
    """Write a Matplotlib figure; a small PNG has few colours."""
    write_bytes(as_file(figure, Path(file).suffix.lower()[1:], small=small), file)


def write_text(text: str, file: str) -> None:
    """Write to a file, or with "-" to standard output."""
    content = text.encode("utf-8", "backslashreplace")
    if file == "-":
        say_bytes(content)
    else:
        write_bytes(content, file)


def check_files(**files: str | None) -> None:
    """Raise if two of these options name one file, or both of them standard output."""
    seen: dict[str, str] = {}
    for option, file in files.items():
        if file and seen.setdefault(file if file == "-" else os.path.realpath(file), option) != option:
            other = seen[file if file == "-" else os.path.realpath(file)]
            raise CouldNotRun(f"--{other} and --{option} must name two files, got {file!r} for both")


def write_bytes(content: bytes, file: str) -> None:
    """Write a file, as a whole or not at all."""
    try:
        write_whole(from_our_folder(file), content)
    except (OSError, ValueError) as error:
        raise CouldNotRun(f"cannot write {file}: {getattr(error, 'strerror', None) or error}") from error
