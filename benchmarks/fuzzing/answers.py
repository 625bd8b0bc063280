"""Damaged files of answers to vectors: every line gets a verdict, and a damaged line is not right by accident."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

from fuzzing import Fault
from fuzzing.recordings import damaged
from rbo_ref.oracle.vectors import VectorSet, generation, judge_answers

COUNT = 100_000
LINES = 3


def prepared(folder: Path) -> Callable[[int, Random], str]:
    records, losses, arrays = generation.vectors(optimizers=["sam"])
    for name, content in generation.packed(records, losses, arrays, "").items():
        (folder / name).write_bytes(content)
    stock, path = VectorSet.open(folder), folder / "answers.jsonl"
    right = [
        json.dumps({"id": name} | {part: expected["lower"] for part, expected in vector["expected"].items()})
        for name, vector in stock.vectors.items()
        if vector["kind"] == "run"
    ]

    def attempt(number: int, random: Random) -> str:
        content = "\n".join(random.sample(right, LINES)).encode()
        path.write_bytes(damaged(content, random))
        judgement = judge_answers(stock, path)
        for text in (str(judgement), judgement.to_json()):
            if not all(c.isprintable() or c == "\n" for c in text) or len(text) > 20_000:
                raise Fault(f"no clear report: {text[:300]!r}")
        return judgement.verdict

    return attempt
