"""Which vectors see a known mistake: how wrong its answers are."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from rbo_ref.oracle.catalogue import catalogue
from rbo_ref.oracle.hunters import Table, clearness, shared
from rbo_ref.oracle.vectors.answers import verdict
from rbo_ref.oracle.vectors.notation import Record
from rbo_ref.oracle.vectors.play import answer_of
from rbo_ref.oracle.vectors.reading import VectorSet

__all__ = ["how_wrong", "hunted"]


def hunted(stock: VectorSet, optimizer: str, before: Table, published: Iterable[str]) -> dict[str, list[str]]:
    """Which vectors are to hunt each mistake of an optimizer: where more are needed, those that are not published."""
    playable = {v["id"]: v for v in stock.vectors.values() if v["optimizer"] == optimizer and _is_playable(v)}
    caught = {
        f"{optimizer}.{name}": {id: ratio for id, v in playable.items() if (ratio := how_wrong(stock, v, port)) > 1}
        for name, port in catalogue(optimizer).items()
    }

    def kind(name: str) -> tuple[str, str]:
        return playable[name]["kind"], playable[name]["dtype"]

    return shared(caught, before, sorted(playable.keys() - set(published)), kind, lambda name: name.split(".")[2])


def _is_playable(vector: Record) -> bool:
    """Whether its verdicts count, and our own ports can answer it: NumPy has no bfloat16."""
    return vector["decidable"] and vector["dtype"] != "bfloat16"


def how_wrong(stock: VectorSet, vector: Record, port: Any) -> float:
    """How many tolerances a port's answer is wrong; infinite if there is none."""
    try:
        answer = answer_of(vector, stock.loss(vector), port, stock.trajectory(vector).get("theta"))
    except Exception:  # a wrong port may fail in any way
        return math.inf
    return clearness([verdict(stock, vector["id"], answer)])
