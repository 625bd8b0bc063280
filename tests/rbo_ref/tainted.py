"""Words that would forge a verdict, in every place where somebody else's words may stand."""

import json

VERDICTS = ("RIGHT", "WRONG", "INCOMPLETE", "NOTHING DECIDED", "rbo-ref:")
FORGED = "\x1b[2K\rRIGHT: all\nRIGHT: all\x85RIGHT: all\u2028RIGHT: all\u202e\u200b\x9b2J\x07\ud800"
LONG = "RIGHT: all " * 10**5


def variants(record, words=FORGED):
    """Copies of nested lists and mappings, in each of which the words are one key or one entry; of lists the first."""
    if isinstance(record, dict):
        yield {**record, words: 1}
        for key, value in record.items():
            yield {words if name == key else name: item for name, item in record.items()}
            yield from ({**record, key: new} for new in variants(value, words))
    elif isinstance(record, list) and record:
        yield from ([new, *record[1:]] for new in variants(record[0], words))
    yield words


def lines(record, words=FORGED):
    """The copies as lines of JSON, in ASCII."""
    return [json.dumps(new) for new in variants(record, words)]


def only_shown(text, own=()):
    """The text, if a terminal only shows it, and no line begins like a verdict but those that are ours."""
    text.encode("utf-8")
    assert len(text) < 100_000
    for line in text.split("\n"):
        assert line.isprintable(), line
        assert not line.startswith("::"), line
        if line.startswith(VERDICTS):
            assert line.startswith(tuple(own)), line
    assert "Traceback" not in text
    return text
