"""Messages that chance has spoilt get a clear verdict, each of them.

``benchmarks/fuzz.py messages`` does the same with many more.
"""

from collections import Counter
from random import Random

import pytest

from tests.rbo_ref.oracle.protocol.fuzzing import PLAYS, mutated_play, verdict


@pytest.mark.parametrize(("optimizer", "lines"), PLAYS[:2])
def test_the_play_itself_passes(optimizer, lines):
    assert verdict(optimizer, [line.encode() for line in lines]).verdict == "pass"


@pytest.mark.parametrize("seed", range(4))
def test_spoilt_messages_get_a_verdict(seed):
    random, verdicts = Random(seed), Counter()
    for _ in range(500):
        optimizer, lines = mutated_play(random)
        result = verdict(optimizer, lines)
        verdicts[result.verdict] += 1
        assert not result.message.startswith("raised "), (result, lines)
        assert result.message.isprintable()
        assert len(result.message) < 500
        assert result.verdict == "pass" or result.message
    assert verdicts["fail"] > 300
    assert verdicts.keys() <= {"pass", "fail", "skipped"}


def test_lists_without_end_are_refused_at_once():
    lines = [line.encode() for line in PLAYS[0][1]]
    lines[-1] = lines[-1].rstrip()[:-1] + b', "inner": [' + b",".join([b"[]"] * 200_000) + b"]}"
    assert verdict("rolling-ball", lines).message == "printed 200000 lists under 'inner', expected at most 10000"
