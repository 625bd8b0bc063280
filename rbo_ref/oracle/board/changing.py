"""Two boards compared: which cells changed, and which versions with them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from rbo_ref._words import printable
from rbo_ref.oracle.board.cells import Cell, key

__all__ = ["Change", "changes"]


class Change(NamedTuple):
    """A cell that is not what it was.

    Examples
    --------
    >>> before = Cell("rolling_ball", "SAM", "sam", "paper", "float64", "RIGHT", versions={"flax": "0.10.7"})
    >>> after = Cell("rolling_ball", "SAM", "sam", "paper", "float64", "WRONG", versions={"flax": "0.12.8"})
    >>> print(Change(before, after))
    rolling_ball SAM as sam, float64: RIGHT -> WRONG (flax 0.10.7 -> 0.12.8)
    """

    before: Cell | None
    after: Cell | None

    def __str__(self) -> str:
        some = self.after or self.before
        assert some is not None
        before, after = (dict(cell.versions) if cell else {} for cell in self)
        moved = ", ".join(_moved(before, after)) or "the same versions"
        place = f"{some.library} {some.name} as {some.optimizer}, {some.dtype}"
        return printable(f"{place}: {_told(self.before)} -> {_told(self.after)} ({moved})")


def changes(before: Iterable[Cell], after: Iterable[Cell]) -> list[Change]:
    """The cells of which verdict, difference or counts differ, or that only one board has.

    Examples
    --------
    >>> cell = Cell("torch", "SGD", "gradient-descent", "paper", "float64", "RIGHT")
    >>> changes([cell], [cell]), len(changes([cell], []))
    ([], 1)
    """
    old, new = ({key(cell): cell for cell in cells} for cells in (before, after))
    pairs = (Change(old.get(place), new.get(place)) for place in dict.fromkeys((*old, *new)))
    return [pair for pair in pairs if _kernel(pair.before) != _kernel(pair.after)]


def _kernel(cell: Cell | None) -> object:
    """What of a cell makes a change."""
    return cell and (cell.verdict, cell.dialect, _name(cell), cell.share)


def _name(cell: Cell) -> str:
    return cell.difference["name"] if cell.difference else ""


def _told(cell: Cell | None) -> str:
    if cell is None:
        return "no such cell"
    about = ", ".join(part for part in (_name(cell), f"in {cell.share} judgements" if cell.share else "") if part)
    return f"{cell.verdict} ({about})" if about else cell.verdict


def _moved(before: dict[str, str], after: dict[str, str]) -> list[str]:
    names = [name for name in dict.fromkeys((*before, *after)) if before.get(name) != after.get(name)]
    return [f"{name} {before.get(name, 'none')} -> {after.get(name, 'none')}" for name in names]
