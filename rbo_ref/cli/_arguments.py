"""The words of a command line, before argparse reads them."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["split", "with_numbers"]

NEGATIVE = re.compile(r"-(\d+\.?\d*|\.\d+)e[+-]?\d+|-inf(inity)?", re.IGNORECASE | re.ASCII)


def split(arguments: Sequence[str]) -> tuple[list[str], list[str] | None]:
    """The arguments of ``check`` before "--", and the command after it; None if there is none."""
    arguments = list(arguments)
    if "--" not in arguments or [word for word in arguments if word != "--debug"][:1] != ["check"]:
        return arguments, None
    place = arguments.index("--")
    return arguments[:place], arguments[place + 1 :]


def with_numbers(arguments: Sequence[str]) -> list[str]:
    """The arguments, with a blank before those negative numbers that argparse would take for options, like -1e-3."""
    return [f" {text}" if NEGATIVE.fullmatch(text) else text for text in arguments]
