"""Damaged records and progress of `benchmarks.training`: each counts as missing, or holds what was written."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from benchmarks.training.course import Mark, Outcome, Progress, Run
from benchmarks.training.records import Records
from fuzzing import Fault, in_a_sentence
from fuzzing.recordings import damaged, damaged_inside

COUNT = 5000
RUN = Run(
    "digits", "d", "mlp", (4,), "relu", "float64", "cpu", 1, 8, "adam", {"learning_rate": 0.1}, 3, 100, "test", "1"
)  # fmt: skip
MARKS = (Mark(0, 0.0, 2.5, 2.4, 0.1), Mark(6, 0.3, 1 / 3, float("inf"), 0.9))
OUTCOME = Outcome(MARKS, 6, 6, False)
STATE = (np.asarray(3), np.array([0.1, 1e-300, -0.0]), None, [np.float32(1 / 3), 5])
PROGRESS = Progress(np.array([1 / 3, -0.0, 5e-324]), STATE, 3, 7, 0.25, MARKS[:1])


def prepared(folder: Path) -> Callable[[int, Random], str]:
    records = Records(folder)
    records.save_progress(RUN, PROGRESS)
    progress = folder / f"{RUN.name}.npz"
    original = progress.read_bytes()
    records.save_outcome(RUN, OUTCOME)
    record = folder / f"{RUN.name}.json"
    text = record.read_bytes()

    def attempt(number: int, random: Random) -> str:
        inside = random.random() < 0.5
        record.write_bytes(damaged(text, random))
        progress.write_bytes(damaged_inside(original, random) if inside else damaged(original, random))
        with contextlib.redirect_stderr(io.StringIO()) as told:
            found = records.load_outcome(RUN), records.load_progress(RUN, PROGRESS)
        for line in told.getvalue().splitlines():
            in_a_sentence(line)
        if len(told.getvalue().splitlines()) != sum(part is None for part in found):
            raise Fault(f"told {told.getvalue()!r} of {found}")
        pairs = zip(found, (OUTCOME, PROGRESS), strict=True)
        if any(part is not None and _bits(part) != _bits(whole) for part, whole in pairs):
            raise Fault(f"taken for what was written: {found}")
        return f"{sum(part is not None for part in found)} of 2 as written"

    return attempt


def _bits(part: Any) -> Any:
    """All of it, in bits."""
    if isinstance(part, tuple | list):
        return [_bits(one) for one in part]
    return None if part is None else np.asarray(part, float).tobytes()
