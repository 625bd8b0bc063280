"""What all commands share: exit statuses, and how to say that something cannot be done."""

from __future__ import annotations

from collections.abc import Iterable

from rbo_ref._words import Quoting

__all__ = ["COULD_NOT_RUN", "RIGHT", "STATUSES", "UNDECIDED", "WRONG", "CouldNotRun", "status_of"]

RIGHT, WRONG, COULD_NOT_RUN, UNDECIDED = 0, 1, 2, 3
STATUSES = {RIGHT: "right", WRONG: "wrong", COULD_NOT_RUN: "could not run", UNDECIDED: "nothing or not all decided"}


def status_of(verdicts: Iterable[str]) -> int:
    """The exit status of some verdicts: 1 where one is WRONG, else 3 unless all are RIGHT.

    Examples
    --------
    >>> status_of(["RIGHT"]), status_of(["RIGHT", "WRONG", "INCOMPLETE"]), status_of(["RIGHT", "INCOMPLETE"])
    (0, 1, 3)
    """
    found = set(verdicts)
    return WRONG if "WRONG" in found else RIGHT if found == {"RIGHT"} else UNDECIDED


class CouldNotRun(Quoting):
    """What keeps the command from doing its work, in a sentence."""
