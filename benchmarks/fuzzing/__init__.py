"""Kinds of attack for `benchmarks/fuzz.py`.

Each module has a number `COUNT` of attempts that make the attack in full, and a function ``prepared(folder)`` which
returns what makes one: ``attempt(number, random)``, a word for what came of it. A fault is an exception.
"""

from __future__ import annotations

__all__ = ["Fault", "in_a_sentence"]


class Fault(Exception):
    """What is wrong, in a sentence."""


def in_a_sentence(text: str) -> str:
    """ "a sentence", where this is one that a terminal can show: a line, neither empty nor long, without escapes."""
    if not (text.isprintable() and 10 < len(text) < 500) or "Traceback" in text:
        raise Fault(f"no sentence: {text[:300]!r}")
    return "a sentence"
