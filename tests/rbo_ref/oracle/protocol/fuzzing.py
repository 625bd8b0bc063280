"""Mutated messages of a port, said by a program in memory: what verdict do they get?"""

import copy
import json
from math import inf
from unittest import mock

from rbo_ref.oracle import ProgramPort, check, check_optimizer
from rbo_ref.oracle.calls import PortError
from tests.rbo_ref.oracle.protocol.conversations import conversations

DECIMAL, BITS = ([line for direction, line in talk if direction == "<"] for talk in conversations())
PARTS = {
    "normal": [0, 0, 1],
    "tangent": [1, 1, 1.5],
    "center": [0, 0, 1],
    "candidate": [0, 0, 1],
    "inner": [[0, 1]] * 2,
}
RICH = [*DECIMAL[:-1], json.dumps({**json.loads(DECIMAL[-1]), **PARTS})]
ADAM = [
    '{"version": 1, "name": "adam", "optimizers": ["adam"], "dtypes": ["float64"], "numbers": "decimal"}',
    '{"evaluate": [1.5, -0.75]}',
    '{"id": 1, "iterates": [[1.499, -0.749]]}',
]
PLAYS = [("rolling-ball", DECIMAL), ("rolling-ball", BITS), ("rolling-ball", RICH), ("adam", ADAM)]
OTHERS = [DECIMAL[2], '{"id": 1, "skip": "no"}', '{"id": 1, "error": "no"}', '{"id": 2, "theta": []}', "[]", "null"]
ODD = [
    *(None, True, [], {}, "", "NaN", "-Infinity", "Infinity", "0x", "0x3ff0000000000000", "0xZ", "\u202e\ud800", 0, -1),
    *(
        1.5,
        1e308,
        -1e-320,
        10**17,
        10**400,
        [[[[]]]],
        {"a": [1]},
        "x" * 20_000,
        [0.5] * 5000,
        "rolling-ball",
        "float64",
    ),
]
TOKENS = [
    *(b"NaN", b"Infinity", b"1e999", b"-", b"\xff\xfe", b"\xed\xa0\x80", b"\\ud800", b"\x00", b"\x1b[2J", b"[" * 3000),
    *(
        b'{"a":' * 3000,
        b"9" * 5000,
        b'"',
        b"}",
        b"]",
        b",",
        b":",
        b" ",
        b"\t",
        b"\r",
        b"true",
        b'"id": 1,',
        b"0x",
        b".",
    ),
]


class Actor:
    """A program in memory that says these lines, and then is gone."""

    def __init__(self, lines):
        self.lines, self.unread = list(lines), b""

    def send(self, line, deadline):
        json.loads(line)

    def receive(self, deadline):
        if not self.lines:
            raise PortError("ended with exit status 0")
        return self.lines.pop(0)

    def last_words(self):
        return ""

    def end(self):
        pass

    kill = end


def verdict(optimizer, lines):
    """The result of a step for which a program says these lines."""
    with mock.patch("rbo_ref.oracle.protocol.port.Program", return_value=Actor(lines)):
        port = ProgramPort(["actor"], optimizer)
    options = {"levels": "step", "diagnosis": False, "time_limit": inf}
    with mock.patch.object(ProgramPort, "_started", side_effect=PortError("is gone")):
        if optimizer == "adam":
            (result,) = check_optimizer(port, "adam", cases="short-bowl", **options).results
        else:
            (result,) = check(port, cases="bowl-one", **options).results
    return result


def mutated_play(random):
    """Optimizer and lines of a play in which one line, or the order of two, is not what it should be."""
    optimizer, lines = random.choice(PLAYS)
    lines = [line.encode() for line in lines]
    place = random.randrange(len(lines))
    for _ in range(random.choice([1, 1, 1, 2, 4])):
        lines[place] = random.choice([_edited, _replaced])(lines[place], random)
    return optimizer, [line.replace(b"\n", b" ") for line in lines]


def _edited(line, random):
    """The line with some bytes changed."""
    at, until = sorted(random.randrange(len(line) + 1) for _ in range(2))
    return random.choice(
        [
            line[:at] + random.choice(TOKENS) + line[at:],
            line[:at] + random.choice(TOKENS) + line[until:],
            line[:at] + bytes([random.randrange(256)]) + line[at + 1 :],
            line[:at] + line[until:],
            line[:until] + line[at:],
            line[:at],
            random.choice(OTHERS).encode(),
            line[:at] + random.choice(OTHERS).encode() + line[until:],
        ]
    )


def _replaced(line, random):
    """The message with something in it replaced, removed, renamed or added."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return line
    places = list(_places(message))
    if not places:
        return line
    holder, key = random.choice(places)
    odd = copy.deepcopy(random.choice(ODD))
    change = random.randrange(4)
    if change == 0:
        del holder[key]
    elif change == 1 and isinstance(holder, dict):
        holder[random.choice(["id", "skip", "error", "theta", "evaluate", "iterates", "centre", ""])] = holder.pop(key)
    elif change == 2 and isinstance(holder, list):
        holder.insert(key, odd)
    else:
        holder[key] = odd
    return json.dumps(message).encode()


def _places(value):
    """Everything inside a message: its holder, and the key or index there."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield value, key
        yield from _places(item)
