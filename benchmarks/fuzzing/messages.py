"""Spoilt messages of a port, in their bytes and in their content, judged as a step of it: each gets a clear verdict."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

from fuzzing import Fault
from rbo_ref.oracle.report import Result
from tests.rbo_ref.oracle.protocol.fuzzing import mutated_play, verdict

COUNT = 100_000


def prepared(folder: Path) -> Callable[[int, Random], str]:
    return lambda number, random: clear(verdict(*mutated_play(random)))


def clear(result: Result) -> str:
    """The verdict, if it is told in a short printable sentence that is no exception of Python's."""
    told = result.message.isprintable() and len(result.message) < 500 and not result.message.startswith("raised ")
    if not (told and (result.message or result.verdict == "pass")):
        raise Fault(f"no clear verdict: {result}")
    return result.verdict
