"""What `benchmarks/fuzz.py` attempts in full is attempted here a few times."""

import sys
from pathlib import Path
from random import Random

import pytest

ROOT = Path(__file__).parents[1] / "benchmarks"
QUICK = {"recordings": 60, "state": 60, "verbs": 40, "writes": 20}


@pytest.mark.parametrize("kind", QUICK)
def test_nothing_breaks(tmp_path, monkeypatch, kind):
    if kind == "writes":
        pytest.importorskip("matplotlib", reason="it writes pictures, too")
    monkeypatch.syspath_prepend(str(ROOT))
    room = __import__(f"fuzzing.{kind}", fromlist=["prepared"])
    attempt = room.prepared(tmp_path)
    assert {attempt(number, Random(f"{kind} {number}")) for number in range(QUICK[kind])}
    for name in [name for name in sys.modules if name.partition(".")[0] == "fuzzing"]:
        del sys.modules[name]
