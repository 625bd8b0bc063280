"""All that is derived, as the texts of its files, and what would change in them."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from geometry._files import write_whole
from rbo_ref.oracle import suite
from rbo_ref.oracle.cases.case import CATCHES
from rbo_ref.oracle.dialects import OPTIMIZERS, ROLLING_BALL
from rbo_ref.oracle.freezing.kills import LIBRARIES, Kills, kills_of
from rbo_ref.oracle.freezing.prose import rewritten
from rbo_ref.oracle.freezing.questions import fixed_cases, raised, record
from rbo_ref.oracle.hunters import read, shared, written
from rbo_ref.oracle.vectors import generation
from rbo_ref.oracle.vectors.footpoints import FOOTPOINT
from rbo_ref.oracle.vectors.hunting import hunted
from rbo_ref.oracle.vectors.notation import Record
from rbo_ref.oracle.vectors.reading import VectorSet

__all__ = ["PUBLISHED", "FrozenError", "Plan", "digest_of", "planned", "root"]

PUBLISHED = Path(generation.__file__).with_name("published.txt")
"""A digest of each vector but for its flags: it keeps its meaning."""


class FrozenError(Exception):
    """Why nothing can be frozen, in a sentence."""


@dataclass(frozen=True)
class Plan:
    """The texts of all derived files.

    Examples
    --------
    >>> Plan({suite.FILE: suite.FILE.read_text(encoding="utf-8")}).changes()
    {}
    """

    files: Mapping[Path, str]

    def changes(self) -> dict[Path, list[str]]:
        """The lines that change, of each file that does."""
        found = {}
        for path, text in self.files.items():
            old = path.read_text(encoding="utf-8") if path.exists() else ""
            if old != text:
                lines = difflib.unified_diff(old.splitlines(), text.splitlines(), lineterm="", n=0)
                found[path] = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
        return found

    def write(self) -> None:
        """Write what changes, each file as a whole."""
        for path in self.changes():
            write_whole(path, self.files[path].encode())


def root() -> Path:
    """The checkout that this package is imported from.

    Raises
    ------
    FrozenError
        If it is none.

    Examples
    --------
    >>> (root() / "README.rst").exists()
    True
    """
    top = Path(suite.__file__).resolve().parents[2]
    if not (top / "README.rst").exists():
        raise FrozenError(f"what freezes are the sources, and {top} holds an installed package: run this in a checkout")
    return top


def planned(
    optimizers: Collection[str] = OPTIMIZERS,
    *,
    major: bool = False,
    processes: int = 1,
    told: Callable[[str], object] = lambda step: None,
) -> Plan:
    """What all derived files are to hold.

    Parameters
    ----------
    optimizers : collection of str
        Whose catalogue or cases have changed; of others what was frozen before stays.
    major : bool
        Whether published cases and vectors may change or go.
    processes : int
        How many work side by side.
    told : callable
        Called with what is being done.

    Raises
    ------
    FrozenError
        If this is no checkout, or something published would change or go.

    Examples
    --------
    ``planned().write()`` takes some minutes. Of no optimizer it is but the documents:

    >>> len(planned([]).files)
    7
    """
    top, before, asked = root(), suite.frozen(), record()
    version = _raised("case", before["version"], _by_case(before["optimizers"]), _by_case(asked), major)
    claims, caught = _claims(optimizers, processes, told)
    lists, digests = _lists(optimizers, told)
    now: dict[str, Any] = {
        "version": version,
        "vectors": _raised("vector", before["vectors"], _digests(), digests, major),
        "caught": caught or before["caught"],
        "optimizers": asked,
    }
    told("documents")
    try:
        documents = rewritten(top, now, len(digests))
    except ValueError as error:
        raise FrozenError(str(error)) from error
    return Plan({suite.FILE: json.dumps(now, indent=1) + "\n", **claims, **lists, **documents})


def _by_case(optimizers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {f"{optimizer}.{case}": entry for optimizer, cases in optimizers.items() for case, entry in cases.items()}


def _raised(kind: str, version: str, before: Mapping[str, Any], now: Mapping[str, Any], major: bool) -> str:
    new = raised(version, before, now)
    if new.partition(".")[0] != version.partition(".")[0] and not major:
        lost = sorted(name for name, entry in before.items() if now.get(name) != entry)
        more = f" and {len(lost) - 1} more" if lost[1:] else ""
        raise FrozenError(
            f"{kind} {lost[0]}{more} of version {version} is changed or gone: give what is new another id, or say "
            f"--major for version {new}"
        )
    return new


def _others(table: Mapping[str, Any], optimizers: Collection[str]) -> dict[str, Any]:
    """The entries of a table that begin with the name of another optimizer."""
    ours = {*optimizers, FOOTPOINT} if ROLLING_BALL in optimizers else {*optimizers}
    return {name: entry for name, entry in table.items() if name.partition(".")[0] not in ours}


# --- cases ----------------------------------------------------------------------------------------------------------


def _claims(
    optimizers: Collection[str], processes: int, told: Callable[[str], object]
) -> tuple[dict[Path, str], dict[str, int]]:
    """Which case hunts what; and how many mistakes of the rolling ball are caught, if it is among the optimizers."""
    before, caught = read(CATCHES), {}
    table = _others(before, optimizers)
    for optimizer in optimizers:
        found = list(kills_of(optimizer, processes, told))
        ids = [case.id for case in fixed_cases(optimizer)]
        table |= shared({f"{optimizer}.{kills.mistake}": kills.cases for kills in found}, before, ids)
        if optimizer == ROLLING_BALL:
            caught = _counted(found)
    return {CATCHES: written(table)}, caught


def _counted(found: Sequence[Kills]) -> dict[str, int]:
    count = {dtype: sum(dtype in kills.formats for kills in found) for dtype in LIBRARIES}
    return count | {"least": min(len(kills.cases) for kills in found)}


# --- vectors --------------------------------------------------------------------------------------------------------


def _lists(optimizers: Collection[str], told: Callable[[str], object]) -> tuple[dict[Path, str], dict[str, str]]:
    """The lists of vectors, and the digest of each vector."""
    told("vectors")
    records, losses, arrays = generation.vectors(optimizers=tuple(optimizers))
    stock = VectorSet({record["id"]: record for record in records}, losses, arrays, frozenset())
    before, published = read(generation.HUNTS), _digests()
    digests = _others(published, optimizers) | {
        name: digest_of(stock, vector) for name, vector in stock.vectors.items()
    }
    passed = _others(dict.fromkeys(generation.MUST_PASS.read_text(encoding="utf-8").split(), True), optimizers)
    passed |= {name: True for name, vector in stock.vectors.items() if vector["decidable"]}
    hunts = _others(before, optimizers)
    for optimizer in optimizers:
        told(f"vectors of {optimizer}")
        hunts |= hunted(stock, optimizer, before, published)
    lists = {
        generation.HUNTS: written(hunts),
        generation.MUST_PASS: "".join(f"{name}\n" for name in sorted(passed)),
        PUBLISHED: "".join(f"{name} {digests[name]}\n" for name in sorted(digests)),
    }
    return lists, digests


def _digests() -> dict[str, str]:
    lines = PUBLISHED.read_text(encoding="utf-8").splitlines() if PUBLISHED.exists() else []
    return dict(line.split() for line in lines)


def digest_of(stock: VectorSet, vector: Record) -> str:
    """Of all that a vector says but for its flags."""
    text = generation.line({name: entry for name, entry in vector.items() if name != "flags"})
    arrays = b"".join(array.tobytes() for array in stock.trajectory(vector).values())
    return sha256(text.encode() + arrays).hexdigest()[:8]
