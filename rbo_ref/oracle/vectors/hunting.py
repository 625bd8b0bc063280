"""Freezing the lists of vectors: ``python -c "from rbo_ref.oracle.vectors import hunting; hunting.freeze(DIR)"``.

Writes the package's lists of which vectors hunt which mistakes, and of those that every port must pass, from a folder
of vectors that was written before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rbo_ref.oracle.catalogue import catalogue
from rbo_ref.oracle.dialects import OPTIMIZERS
from rbo_ref.oracle.vectors import hunts
from rbo_ref.oracle.vectors.answers import verdict
from rbo_ref.oracle.vectors.generation import MUST_PASS
from rbo_ref.oracle.vectors.numbers import Record
from rbo_ref.oracle.vectors.play import answer_of
from rbo_ref.oracle.vectors.reading import VectorSet

__all__ = ["freeze", "is_caught", "kills"]

CLEAR = 10.0  # tolerances: how wrong an answer is to be relied on
HUNTERS = 2  # vectors that hunt a mistake, at least


def freeze(folder: str | Path) -> None:
    """Write ``hunts.txt`` and ``must_pass.txt``."""
    stock = VectorSet.open(folder)
    names = sorted(name for name, vector in stock.vectors.items() if vector["decidable"])
    MUST_PASS.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    entries = (f"{flag}: {' '.join(ids)}\n" for flag, ids in sorted(kills(stock).items()))
    hunts.FILE.write_text("".join(entries), encoding="utf-8")


def kills(stock: VectorSet) -> dict[str, list[str]]:
    """Which vectors are to hunt each mistake: of those that see it clearly, the ones that hunt least so far."""
    caught: dict[str, list[str]] = {}
    for optimizer in OPTIMIZERS:
        playable = [v for v in stock.vectors.values() if v["optimizer"] == optimizer and _is_playable(v)]
        for name, port in catalogue(optimizer).items():
            caught[f"{optimizer}.{name}"] = [v["id"] for v in playable if is_caught(stock, v, port, CLEAR)]
    return _spread(stock, caught)


def _is_playable(vector: Record) -> bool:
    """Whether its verdicts count, and our own ports can answer it: NumPy has no bfloat16."""
    return vector["decidable"] and vector["dtype"] != "bfloat16"


def _spread(stock: VectorSet, caught: dict[str, list[str]]) -> dict[str, list[str]]:
    """Few hunters for each mistake, so that every vector hunts about equally many."""
    load: Counter[str] = Counter()
    chosen = {}
    for flag in sorted(caught, key=lambda flag: len(caught[flag])):
        chosen[flag] = sorted(_chosen(stock, caught[flag], load))
        load.update(chosen[flag])
    return chosen


def is_caught(stock: VectorSet, vector: Record, port: Any, clear: float = 1.0) -> bool:
    """Whether a port's answer is so many tolerances wrong, or none."""
    try:
        answer = answer_of(vector, stock.loss(vector), port, stock.trajectory(vector).get("theta"))
    except Exception:  # a wrong port may fail in any way
        return True
    result = verdict(stock, vector["id"], answer)
    return result.verdict == "fail" and not (result.ratio is not None and result.ratio < clear)


def _chosen(stock: VectorSet, ids: list[str], load: Counter[str]) -> Iterator[str]:
    """One of each kind and dtype, of different cases; of few kinds or cases, at least so many."""
    groups: set[tuple[str, ...]] = set()
    cases: set[str] = set()
    spare = []
    for name in sorted(ids, key=lambda name: (load[name], name)):
        vector, case = stock.vectors[name], name.split(".")[2]
        group = (vector["kind"], vector["dtype"])
        if group in groups or case in cases:
            spare.append(name)
            continue
        groups.add(group)
        cases.add(case)
        yield name
    yield from spare[: max(HUNTERS - len(groups), 0)]
