"""Words of others: of ports, programs, recordings, answers, file names. Whatever they hold, it is shown in one line."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Quoting", "printable", "quoted", "text_of"]

LONGEST = 1000  # characters


def printable(text: object, length: int | None = LONGEST) -> str:
    r"""The text of anything, in one line, cut, and with escapes for all that is not printable.

    A terminal shows it and obeys nothing in it: no control character, no new line, no turning of the direction. A file
    in UTF-8 can hold it, since a lone surrogate is not printable either.

    Examples
    --------
    >>> print(printable("\x1b[2K\rRIGHT\n"))
    \x1b[2K\rRIGHT\n
    >>> printable("Grüße " * 1000, length=5)
    'Grüße...'
    """
    text = text_of(text)
    shown = text if length is None or len(text) <= length else f"{text[:length]}..."
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in shown)


def quoted(text: bytes | str, length: int = 60) -> str:
    """What somebody has printed or written, as a Python literal, and cut."""
    text = text_of(text)
    return repr(text if len(text) <= length else f"{text[:length]}...")


def text_of(thing: object, form: Callable[[object], str] = str) -> str:
    """str(thing), also where that raises, or gives something else; bytes are taken for UTF-8. Or its repr."""
    try:
        if isinstance(thing, bytes):
            return thing.decode("utf-8", "backslashreplace")
        is_text = form is str and isinstance(thing, str)
        return str.__str__(thing if is_text else form(thing))  # no subclass with ideas of its own
    except KeyboardInterrupt:
        raise
    except BaseException:
        return "(no text can be had of it)"


class Quoting(Exception):
    """An exception whose message holds words of others, and can be shown all the same.

    Examples
    --------
    >>> print(Quoting("no file \\x1b[2K"))
    no file \\x1b[2K
    """

    def __init__(self, message: object = "") -> None:
        super().__init__(printable(message))
